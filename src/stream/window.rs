//! One stream's two flow-control windows (RFC 9113 §5.2, §6.9).
//!
//! Always true here: a window never exceeds 2^31 - 1; the send window may be negative after the peer lowered
//! SETTINGS_INITIAL_WINDOW_SIZE (§6.9.2); octets are charged once, when their frame header is read, padding
//! included (§6.9.1), and announced again only after they were released.

pub(crate) use crate::config::MAX_WINDOW;
use crate::error::Misdeed;

/// The window at the start of a connection, and of a stream before SETTINGS: 65,535 octets (RFC 9113 §6.9.2).
pub(crate) const DEFAULT_WINDOW: u32 = 65_535;

/// How many octets of DATA the peer lets us send on one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SendWindow(i32);

impl SendWindow {
    /// A window of `octets`, at most 2^31 - 1.
    pub(crate) fn new(octets: u32) -> Self {
        SendWindow(octets.min(MAX_WINDOW) as i32)
    }

    /// Octets that may be sent now; 0 when the window is negative.
    pub(crate) fn available(self) -> u32 {
        self.0.max(0) as u32
    }

    /// DATA of `octets` goes out.
    pub(crate) fn spend(&mut self, octets: u32) {
        debug_assert!(octets <= self.available(), "the scheduler asks before it sends");
        self.0 = self.0.saturating_sub_unsigned(octets);
    }

    /// A WINDOW_UPDATE came (§6.9.1).
    pub(crate) fn grow(&mut self, octets: u32) -> Result<(), Misdeed> {
        self.shift(i64::from(octets))
    }

    /// SETTINGS_INITIAL_WINDOW_SIZE changed by `delta` (§6.9.2).
    pub(crate) fn shift(&mut self, delta: i64) -> Result<(), Misdeed> {
        let shifted = i64::from(self.0) + delta;
        if shifted > i64::from(MAX_WINDOW) {
            return Err(Misdeed::WindowOverflow);
        }
        // The lowest: 0 - (2^31 - 1), which fits.
        self.0 = shifted.max(-i64::from(MAX_WINDOW)) as i32;
        Ok(())
    }
}

/// How many octets of DATA the peer may send us on one stream, and how many of those it sent are still unread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecvWindow {
    /// What the peer may still send; negative after we lowered our initial window.
    window: i32,
    /// What the window is restored to when everything is read.
    target: u32,
    /// Charged and not yet released.
    unreleased: u32,
}

impl RecvWindow {
    /// A window that the peer knows to be `advertised` octets, to be kept at `target`.
    pub(crate) fn new(advertised: u32, target: u32) -> Self {
        RecvWindow { window: advertised as i32, target, unreleased: 0 }
    }

    /// A DATA frame of `octets`, padding included, has begun. An empty one needs no window (§6.9.1).
    pub(crate) fn charge(&mut self, octets: u32) -> Result<(), Misdeed> {
        if octets > 0 && i64::from(octets) > i64::from(self.window) {
            return Err(Misdeed::WindowExceeded);
        }
        self.window -= octets as i32;
        self.unreleased += octets;
        Ok(())
    }

    /// The application has taken `octets`, or they were padding. More than was charged is not credited.
    pub(crate) fn release(&mut self, octets: u32) {
        self.unreleased = self.unreleased.saturating_sub(octets);
    }

    /// The increment to announce now: nothing until half the target can be given back, so that a WINDOW_UPDATE
    /// is sent for half a window and not for every piece.
    pub(crate) fn update_due(&mut self) -> Option<u32> {
        self.announce(i64::from(self.target / 2))
    }

    /// The same, as soon as half of what the peer has left can be given back.
    pub(crate) fn update_due_by_what_is_left(&mut self) -> Option<u32> {
        self.announce(i64::from(self.window / 2))
    }

    /// Whether [`update_due_by_what_is_left`](Self::update_due_by_what_is_left) would announce anything.
    pub(crate) fn is_due_by_what_is_left(&self) -> bool {
        let wanted = self.wanted();
        wanted > 0 && wanted >= i64::from(self.window / 2)
    }

    fn wanted(&self) -> i64 {
        i64::from(self.target) - i64::from(self.unreleased) - i64::from(self.window)
    }

    fn announce(&mut self, least: i64) -> Option<u32> {
        let wanted = self.wanted();
        if wanted <= 0 || wanted < least {
            return None;
        }
        let increment = wanted.min(i64::from(MAX_WINDOW) - i64::from(self.window).max(0));
        self.window = (i64::from(self.window) + increment) as i32;
        Some(increment as u32)
    }

    /// Our SETTINGS_INITIAL_WINDOW_SIZE changed by `delta` and the peer has acknowledged it (§6.9.2).
    pub(crate) fn shift(&mut self, delta: i64) {
        let bounded = |value: i64| value.clamp(-i64::from(MAX_WINDOW), i64::from(MAX_WINDOW));
        self.window = bounded(i64::from(self.window) + delta) as i32;
        self.target = bounded(i64::from(self.target) + delta).max(0) as u32;
    }

    /// Octets charged and not yet released.
    pub(crate) fn unreleased(&self) -> u32 {
        self.unreleased
    }

    /// Octets that the peer may have in flight or unread here, less those it has.
    pub(crate) fn left(&self) -> i64 {
        i64::from(self.target) - i64::from(self.unreleased)
    }

    /// What the peer may still send.
    #[cfg(test)]
    pub(crate) fn window(&self) -> i32 {
        self.window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_window_may_be_negative_and_must_not_overflow() {
        let mut window = SendWindow::new(100);
        window.spend(100);
        window.shift(-60).unwrap();
        assert_eq!(window.available(), 0);
        window.grow(59).unwrap();
        assert_eq!(window.available(), 0);
        window.grow(2).unwrap();
        assert_eq!(window.available(), 1);
        assert_eq!(window.grow(MAX_WINDOW), Err(Misdeed::WindowOverflow));
        assert_eq!(window.available(), 1);
    }

    #[test]
    fn the_last_octet_of_a_window_is_allowed_and_not_one_more() {
        let mut window = RecvWindow::new(10, 10);
        window.charge(10).unwrap();
        assert_eq!(window.charge(1), Err(Misdeed::WindowExceeded));
        window.charge(0).unwrap();
    }

    #[test]
    fn credit_returns_for_half_a_window_at_a_time() {
        let mut window = RecvWindow::new(100, 100);
        window.charge(60).unwrap();
        window.release(49);
        assert_eq!(window.update_due(), None);
        window.release(1);
        assert_eq!(window.update_due(), Some(50));
        assert_eq!(window.update_due(), None);
        window.release(10);
        assert_eq!((window.unreleased(), window.window()), (0, 90));
    }

    #[test]
    fn a_lowered_initial_window_gives_nothing_back_until_it_is_made_up() {
        let mut window = RecvWindow::new(100, 100);
        window.charge(90).unwrap();
        window.shift(-80);
        assert_eq!(window.window(), -70);
        assert_eq!(window.charge(1), Err(Misdeed::WindowExceeded));
        window.charge(0).unwrap();
        window.release(90);
        assert_eq!(window.update_due(), Some(90));
        assert_eq!(window.window(), 20);
    }
}
