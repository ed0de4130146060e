//! Times in four octets, for what connections keep while they rest.
//!
//! Always true here: a distance of less than 24 days is right, rounded to milliseconds, whichever of the two times was first
//! asked for; a longer one is wrong and does no harm, since nobody waits for it.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

/// A time in milliseconds from the first that anyone asked for, round and round: for short distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(u32);

impl Moment {
    pub(crate) fn of(time: Instant) -> Self {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        let first = *FIRST.get_or_init(|| time);
        // Whoever asks first need not have the earliest time. A millisecond that was begun counts in neither direction, so
        // that the distance of two times that are whole milliseconds apart is exact.
        let after = time.saturating_duration_since(first).as_millis();
        let before = first.saturating_duration_since(time).as_nanos().div_ceil(1_000_000);
        Moment((after as u32).wrapping_sub(before as u32))
    }

    /// Zero if `earlier` is later.
    pub(crate) fn since(self, earlier: Moment) -> Duration {
        let millis = self.0.wrapping_sub(earlier.0) as i32;
        Duration::from_millis(millis.max(0) as u64)
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
        assert_eq!([middle.since(early), late.since(middle)], [Duration::from_millis(1_500); 2]);
        assert_eq!(Moment(4).since(Moment(u32::MAX - 5)), Duration::from_millis(10));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(Moment::from_bits(late.to_bits()), late);
    }
}
