//! What happens when time passes: handshake, SETTINGS acknowledgement, unfinished field blocks, keepalive,
//! graceful shutdown (RFC 9113 §3.4, §6.5.3, §6.7, §6.8).
//!
//! Always true here: there is a deadline only while something is awaited, so an idle connection without
//! keepalive needs no timer.

use std::time::Instant;

use crate::error::{Fault, Misdeed};

use super::{core::Core, ping::Purpose};

impl Core {
    /// A field block is unfinished at the end of a read, or not any more.
    pub(super) fn note_field_block(&mut self, unfinished: bool) {
        match (unfinished, self.field_block_since) {
            (true, None) => self.field_block_since = Some(self.now),
            (false, Some(_)) => self.field_block_since = None,
            _ => {}
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        if !self.is_awaiting() {
            return None;
        }
        let deadlines = self.deadlines().map(|(deadline, _)| deadline);
        deadlines.into_iter().flatten().chain(self.keep_alive_at()).chain(self.shutdown_at()).min()
    }

    /// Whether anything can still come from the peer.
    fn is_awaiting(&self) -> bool {
        self.shutdown.failure().is_none() && !self.shutdown.eof
    }

    /// Each wait that has an end, and what it means when that passes. A limit beyond the clock's range is none.
    fn deadlines(&self) -> [(Option<Instant>, Misdeed); 4] {
        let after = |since: Option<Instant>, limit: Option<std::time::Duration>| since?.checked_add(limit?);
        let handshake = (!self.remote.received).then_some(self.started);
        let alive = self.pings.in_flight(Purpose::KeepAlive);
        [
            (after(handshake, self.config.handshake_timeout), Misdeed::HandshakeTimeout),
            // The acknowledgement is not due before the peer's own SETTINGS.
            (
                after(
                    self.local.awaited_since().filter(|_| self.remote.received),
                    self.config.settings_timeout,
                ),
                Misdeed::SettingsNotAcknowledged,
            ),
            (after(self.field_block_since, self.config.header_read_timeout), Misdeed::HeadersTimeout),
            (after(alive, Some(self.config.keep_alive_timeout)), Misdeed::KeepaliveTimeout),
        ]
    }

    /// When the next keepalive PING is due.
    fn keep_alive_at(&self) -> Option<Instant> {
        let interval = self.config.keep_alive_interval?;
        let wanted = self.config.keep_alive_while_idle || !self.streams.is_empty();
        let waiting = self.pings.in_flight(Purpose::KeepAlive).is_some();
        if wanted && !waiting && self.remote.received { self.last_read.checked_add(interval) } else { None }
    }

    /// When a graceful shutdown goes on without an answer to its PING.
    fn shutdown_at(&self) -> Option<Instant> {
        self.pings.in_flight(Purpose::Shutdown)?.checked_add(self.config.keep_alive_timeout)
    }

    pub(super) fn handle_timeout(&mut self) {
        if !self.is_awaiting() {
            return;
        }
        let now = self.now;
        let passed = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        let overdue = self.deadlines().into_iter().find(|(deadline, _)| passed(*deadline));
        if let Some((_, misdeed)) = overdue {
            return self.fail(Fault::connection(misdeed));
        }
        if passed(self.shutdown_at()) {
            self.finish_shutdown();
        }
        if passed(self.keep_alive_at()) {
            self.ping(Purpose::KeepAlive);
        }
    }
}
