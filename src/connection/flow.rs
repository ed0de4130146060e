//! The connection's two flow-control windows: the only place where connection credit moves
//! (RFC 9113 §5.2, §6.9).
//!
//! Always true here: `assigned` is the sum of what streams hold and never exceeds the window; every octet that
//! the peer was charged is announced again, at once while the unread octets stay below `max_unread`, else as
//! they are read. At the end both sums are zero (see the tests of the connection).

use crate::{
    error::Misdeed,
    stream::{DEFAULT_WINDOW, MAX_WINDOW, SendWindow},
};

/// Credit that the peer gives us.
#[derive(Clone)]
pub(super) struct SendCredit {
    window: SendWindow,
    assigned: u32,
}

impl SendCredit {
    pub(super) fn new() -> Self {
        SendCredit { window: SendWindow::new(DEFAULT_WINDOW), assigned: 0 }
    }

    /// Octets that no stream holds.
    pub(super) fn available(&self) -> u32 {
        self.window.available() - self.assigned
    }

    pub(super) fn assigned(&self) -> u32 {
        self.assigned
    }

    /// A WINDOW_UPDATE on stream 0 (§6.9.1).
    pub(super) fn grow(&mut self, octets: u32) -> Result<(), Misdeed> {
        self.window.grow(octets)
    }

    /// Sets up to `octets` aside for a stream; returns how many.
    pub(super) fn assign(&mut self, octets: u32) -> u32 {
        let granted = octets.min(self.available());
        self.assigned += granted;
        granted
    }

    /// A stream gives back what was set aside for it.
    pub(super) fn unassign(&mut self, octets: u32) {
        debug_assert!(octets <= self.assigned);
        self.assigned = self.assigned.saturating_sub(octets);
    }

    /// A stream whose `assigned` octets are set aside sends `octets`: those first, the rest from the common
    /// store. Returns what it holds afterwards.
    pub(super) fn spend(&mut self, octets: u32, assigned: u32) -> u32 {
        let from_assigned = octets.min(assigned);
        self.unassign(from_assigned);
        self.window.spend(octets);
        assigned - from_assigned
    }
}

/// Credit that we give the peer.
pub(super) struct RecvCredit {
    window: i64,
    target: u32,
    max_unread: u32,
    unread: u64,
    /// Memory is short: the window is small, and returns only as the application reads.
    squeezed: bool,
}

impl RecvCredit {
    pub(super) fn new(target: u32, max_unread: u32) -> Self {
        RecvCredit { window: i64::from(DEFAULT_WINDOW), target, max_unread, unread: 0, squeezed: false }
    }

    /// Of a connection that rested with this window.
    pub(super) fn at_rest(window: u32, target: u32, max_unread: u32) -> Self {
        RecvCredit { window: i64::from(window), ..RecvCredit::new(target, max_unread) }
    }

    /// Whether nothing is unread, and nobody is held back.
    pub(super) fn is_at_rest(&self) -> bool {
        self.unread == 0 && !self.squeezed
    }

    /// A DATA frame of `octets`, padding included, has begun.
    pub(super) fn charge(&mut self, octets: u32) -> Result<(), Misdeed> {
        if i64::from(octets) > self.window {
            return Err(Misdeed::WindowExceeded);
        }
        self.window -= i64::from(octets);
        Ok(())
    }

    /// `octets` of it were handed to the application.
    pub(super) fn deliver(&mut self, octets: usize) {
        self.unread += octets as u64;
    }

    /// The application has released `octets`, or let go of them.
    pub(super) fn release(&mut self, octets: usize) {
        debug_assert!(octets as u64 <= self.unread);
        self.unread = self.unread.saturating_sub(octets as u64);
    }

    pub(super) fn unread(&self) -> u64 {
        self.unread
    }

    /// Whether the peer is held back until the application reads.
    pub(super) fn is_congested(&self) -> bool {
        self.unread > u64::from(self.tolerated())
    }

    /// Memory is short, or not any more.
    pub(super) fn squeeze(&mut self, squeezed: bool) {
        self.squeezed = squeezed;
    }

    pub(super) fn is_squeezed(&self) -> bool {
        self.squeezed
    }

    /// Octets that may be unread without making the window smaller.
    fn tolerated(&self) -> u32 {
        if self.squeezed { 0 } else { self.max_unread }
    }

    /// The window to keep.
    fn wanted(&self) -> u32 {
        if self.squeezed { self.target.min(DEFAULT_WINDOW) } else { self.target }
    }

    pub(super) fn window(&self) -> i64 {
        self.window
    }

    pub(super) fn set_target(&mut self, octets: u32) {
        self.target = octets.min(MAX_WINDOW);
    }

    pub(super) fn target(&self) -> u32 {
        self.target
    }

    /// The increment to announce now: nothing until half the target can be given back.
    pub(super) fn update_due(&mut self) -> Option<u32> {
        self.announce(0, i64::from(self.wanted() / 2))
    }

    /// The same, as soon as half of what the peer has left can be given back. `passing` octets of a frame that
    /// passes through were charged and not delivered yet.
    pub(super) fn update_due_by_what_is_left(&mut self, passing: u32) -> Option<u32> {
        self.announce(i64::from(passing), self.window / 2)
    }

    /// Whether [`update_due_by_what_is_left`](Self::update_due_by_what_is_left) would announce anything.
    pub(super) fn is_due_by_what_is_left(&self, passing: u32) -> bool {
        self.lacking(i64::from(passing)) >= (self.window / 2).max(1)
    }

    /// The increment that brings the window from its initial 65,535 octets to the target (§6.9.2 knows no
    /// setting for it).
    pub(super) fn first_update(&mut self) -> Option<u32> {
        self.announce(0, 1)
    }

    /// What the window lacks, `held` octets apart.
    fn lacking(&self, held: i64) -> i64 {
        let overdraft =
            self.unread.saturating_sub(u64::from(self.tolerated())).min(u64::from(MAX_WINDOW)) as i64;
        i64::from(self.wanted()) - overdraft - held - self.window
    }

    fn announce(&mut self, held: i64, least: i64) -> Option<u32> {
        let increment = self.lacking(held);
        if increment < least.max(1) {
            return None;
        }
        self.window += increment;
        u32::try_from(increment).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assigned_credit_is_spent_first_and_never_twice() {
        let mut credit = SendCredit::new();
        assert_eq!(credit.assign(60_000), 60_000);
        assert_eq!(credit.assign(60_000), 5_535);
        assert_eq!(credit.available(), 0);
        credit.unassign(5_535);
        assert_eq!(credit.spend(60_100, 60_000), 0);
        assert_eq!((credit.available(), credit.assigned()), (5_435, 0));
    }

    #[test]
    fn credit_returns_on_arrival_below_max_unread_and_on_release_above_it() {
        let mut credit = RecvCredit::new(100_000, 50_000);
        assert_eq!(credit.first_update(), Some(34_465));
        credit.charge(50_000).unwrap();
        credit.deliver(50_000);
        assert_eq!(credit.update_due(), Some(50_000));
        credit.charge(90_000).unwrap();
        credit.deliver(90_000);
        assert!(credit.is_congested());
        assert_eq!(credit.update_due(), None);
        credit.release(140_000);
        assert_eq!(credit.update_due(), Some(90_000));
        assert_eq!((credit.unread(), credit.window()), (0, 100_000));
    }

    #[test]
    fn while_memory_is_short_the_window_is_small_and_returns_with_what_is_read() {
        let mut credit = RecvCredit::new(1 << 20, 1 << 20);
        credit.first_update();
        credit.squeeze(true);
        credit.charge(1 << 20).unwrap();
        credit.deliver(1 << 20);
        assert_eq!((credit.update_due(), credit.is_congested()), (None, true));
        credit.release((1 << 20) - 30_000);
        assert_eq!(credit.update_due(), Some(35_535));
        credit.release(30_000);
        assert_eq!((credit.update_due(), credit.is_congested()), (None, false));
        credit.squeeze(false);
        assert_eq!(credit.update_due(), Some((1 << 20) - 35_535));
    }

    #[test]
    fn padding_returns_without_the_application() {
        let mut credit = RecvCredit::new(100_000, 0);
        credit.first_update();
        credit.charge(60_000).unwrap();
        credit.deliver(0);
        assert_eq!(credit.update_due(), Some(60_000));
    }

    #[test]
    fn one_octet_too_many_is_refused() {
        let mut credit = RecvCredit::new(65_535, 0);
        credit.charge(65_535).unwrap();
        assert_eq!(credit.charge(1), Err(Misdeed::WindowExceeded));
    }
}
