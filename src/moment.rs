//! Times in four octets, for what connections keep while they rest.
//!
//! Always true here: a distance of less than 49 days is right to a millisecond, whichever of the two times was first asked
//! for.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

/// A time in milliseconds from the first that anyone asked for, round and round in 49 days: for short distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(u32);

impl Moment {
    pub(crate) fn of(time: Instant) -> Self {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        let first = *FIRST.get_or_init(|| time);
        // Whoever asks first need not have the earliest time.
        let (after, before) = (time.saturating_duration_since(first), first.saturating_duration_since(time));
        Moment((after.as_millis() as u32).wrapping_sub(before.as_millis() as u32))
    }

    pub(crate) fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(self.0.wrapping_sub(earlier.0).into())
    }

    /// The time again, for one that was before `now`.
    pub(crate) fn before(self, now: Instant) -> Option<Instant> {
        now.checked_sub(Moment::of(now).since(self))
    }

    pub(crate) fn to_bits(self) -> u32 {
        self.0
    }

    pub(crate) fn from_bits(bits: u32) -> Self {
        Moment(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_go_round() {
        let now = Instant::now();
        let times = [0, 1_500, 3_000].map(|millis| now + Duration::from_millis(millis));
        // Unless another test asked before, this is the first, and neither the earliest nor the latest.
        Moment::of(times[1]);
        let [early, middle, late] = times.map(Moment::of);
        for distance in [middle.since(early), late.since(middle)] {
            // A millisecond that was begun may count on one side and not on the other.
            assert!((1_499..=1_501).contains(&distance.as_millis()), "{distance:?}");
        }
        assert_eq!(Moment(4).since(Moment(u32::MAX - 5)), Duration::from_millis(10));
        let (later, early) = (times[2], times[0]);
        let again = Moment::from_bits(Moment::of(early).to_bits()).before(later).unwrap();
        assert!(again.duration_since(early) <= Duration::from_millis(1));
    }
}
