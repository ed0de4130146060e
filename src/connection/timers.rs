//! What happens when time passes: handshake, SETTINGS acknowledgement, unfinished frames and field blocks, keepalive,
//! octets that the socket does not take, streams on which nothing moves, requests that linger, graceful shutdown
//! (RFC 9113 §3.4, §6.5.3, §6.7, §6.8).
//!
//! Always true here: there is a deadline only while something is awaited, so an idle connection without
//! keepalive needs no timer.

use std::time::{Duration, Instant};

use crate::error::{Fault, Misdeed};

use super::{StreamKey, core::Core, ping::Purpose};

/// Finds the streams on which nothing moves, four times in each `stream_idle_timeout`. A stream notes the number of
/// the last round in which it moved, so movement costs no look at a clock.
pub(super) struct IdleWatch {
    quarter: Duration,
    round: u32,
    began: Instant,
}

/// A stream that has not moved in the round in which it last did, nor in so many whole ones, is idle.
const IDLE_ROUNDS: u32 = 4;

impl IdleWatch {
    pub(super) fn new(timeout: Duration, now: Instant) -> Self {
        IdleWatch { quarter: timeout / IDLE_ROUNDS, round: 0, began: now }
    }

    pub(super) fn round(&self) -> u32 {
        self.round
    }

    /// The first stream is there: rounds are counted again.
    pub(super) fn wake(&mut self, now: Instant) {
        self.began = now;
    }
}

impl Core {
    /// A field block, or another frame that is held, is unfinished at the end of a read, or not any more.
    pub(super) fn note_gathering(&mut self, unfinished: bool) {
        match (unfinished, self.gathering_since) {
            (true, None) => self.gathering_since = Some(self.now),
            (false, Some(_)) => self.gathering_since = None,
            _ => {}
        }
    }

    /// Something moved on a stream.
    pub(super) fn note_movement(&mut self, key: StreamKey) {
        if let Some(watch) = &self.idle_watch
            && let Some(stream) = self.streams.get_mut(key)
        {
            stream.moved = watch.round();
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        if self.shutdown.failure().is_some() {
            return None;
        }
        // Asked after every round of the driver, and most often there is none: one after the other costs a fraction of
        // what an iterator over all of them does.
        let own = earlier(earlier(self.write_deadline(), self.idle_round_at()), self.lingering.until());
        if self.shutdown.eof {
            return own;
        }
        let [handshake, settings, headers, alive] = self.deadlines().map(|(deadline, _)| deadline);
        let peers = earlier(earlier(handshake, settings), earlier(headers, alive));
        earlier(earlier(own, peers), earlier(self.keep_alive_at(), self.shutdown_at()))
    }

    /// Each wait for the peer that has an end, and what it means when that passes. A limit beyond the clock's range is
    /// none.
    fn deadlines(&self) -> [(Option<Instant>, Misdeed); 4] {
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
            (after(self.gathering_since, self.config.header_read_timeout), Misdeed::HeadersTimeout),
            (after(alive, Some(self.config.keep_alive_timeout)), Misdeed::KeepaliveTimeout),
        ]
    }

    /// When octets have waited for the socket for too long. A peer that has closed its side may still have to read.
    fn write_deadline(&self) -> Option<Instant> {
        after(self.blocked_since, self.config.write_timeout)
    }

    fn idle_round_at(&self) -> Option<Instant> {
        let watch = self.idle_watch.as_ref().filter(|_| !self.streams.is_empty())?;
        watch.began.checked_add(watch.quarter)
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
        if self.shutdown.failure().is_some() {
            return;
        }
        let now = self.now;
        let passed = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if passed(self.write_deadline()) {
            let fault = Fault::connection(Misdeed::WriteTimeout);
            tracing::debug!(misdeed = %fault.misdeed, "connection given up");
            return self.fail_silently(fault.into());
        }
        if passed(self.idle_round_at()) {
            self.end_idle_streams();
        }
        self.end_lingering();
        if self.shutdown.eof {
            return;
        }
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

    /// A round is over: streams on which nothing moved for long enough are reset.
    fn end_idle_streams(&mut self) {
        let Some(watch) = &mut self.idle_watch else { return };
        let round = watch.round.wrapping_add(1);
        (watch.round, watch.began) = (round, self.now);
        let mut idle = Vec::new();
        for (key, stream) in self.streams.iter_mut() {
            if !stream.counted {
                // A request that waits for a place (§5.1.2) is no stream yet.
                stream.moved = round;
            } else if round.wrapping_sub(stream.moved) > IDLE_ROUNDS {
                idle.push(key);
            }
        }
        for key in idle {
            self.fail_stream(key, Misdeed::StreamIdle);
        }
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn after(since: Option<Instant>, limit: Option<Duration>) -> Option<Instant> {
    since?.checked_add(limit?)
}
