//! A connection at rest: what cannot be made anew, and nothing else.
//!
//! Connections are persistent (RFC 9113 §9.1), and on most of them nothing moves most of the time. Then there is no
//! stream, no frame in part, nothing to say and nothing to wait for. What both ends have to remember is little: the
//! HPACK tables, the windows, the settings, the last identifiers.
//!
//! Always true here: a connection that woke goes on where it stood, so that no peer can tell; what counts against a
//! peer that floods is kept until it has leaked away; a deadline that an idle connection may have is kept too.

use std::{sync::Arc, time::Instant};

use crate::{
    config::Config,
    frame::FrameReader,
    hpack::{Packed, Unpacked},
    stream_id::StreamId,
};

use super::{
    Connection, Side,
    closed::Known,
    core::{Core, MANY},
    flow::{RecvCredit, SendCredit},
    limits::Limits,
    memory::Ledger,
    ping::{Bandwidth, Pings},
    reader_limits,
    settings::RemoteSettings,
    spares,
};

/// What is kept of a [`Connection`] that rests: 96 octets, and its HPACK tables and a few numbers packed tight.
///
/// Made by [`Connection::rest`].
pub struct Dormant {
    side: Side,
    enable_connect_protocol: bool,
    initial_window_size: u32,
    remote: RemoteSettings,
    send_credit: SendCredit,
    recv_window: u32,
    recv_target: u32,
    /// Zero if there is none left.
    next_local: StreamId,
    highest_remote: StreamId,
    last_processed: StreamId,
    octets_received: u64,
    octets_sent: u64,
    /// Both HPACK tables, and what the peer has spent of its allowances.
    packed: Box<[u8]>,
    rare: Option<Box<Rare>>,
}

/// What few connections have.
struct Rare {
    /// Only if keepalive asks for it.
    last_read: Instant,
    pings: Pings,
    bandwidth: Bandwidth,
    known: Option<Box<Known>>,
    memory: Option<Box<Ledger>>,
}

/// Tables for so many are kept by a connection that is awake and cannot rest yet.
const FEW: usize = 16;

impl Connection {
    /// What has to be kept of this connection while it rests; it is itself to be dropped then. `None` while anything
    /// is open, under way, awaited or to be said, and for a connection that ends.
    ///
    /// To rest is not free, nor is to wake: worth it after some time without traffic.
    pub fn rest(&mut self, now: Instant) -> Option<Dormant> {
        let between_frames = self.is_between_frames();
        let core = &mut *self.core;
        if !between_frames || !core.is_quiet() {
            return None;
        }
        let mut packed = Packed::new();
        if !packed.tables(&core.encoder, &core.decoder) {
            return None;
        }
        core.limits.pack(&mut packed, &core.config, now);
        core.closed.expire(now);
        spares::shed();
        Some(Dormant {
            side: core.side,
            enable_connect_protocol: core.local.enable_connect_protocol,
            initial_window_size: core.local.initial_window_size,
            remote: core.remote.clone(),
            send_credit: core.send_credit.clone(),
            recv_window: core.recv_credit.window().max(0) as u32,
            recv_target: core.recv_credit.target(),
            next_local: core.next_local.unwrap_or(StreamId::CONNECTION),
            highest_remote: core.highest_remote,
            last_processed: core.last_processed,
            octets_received: core.octets_received,
            octets_sent: core.octets_sent,
            packed: packed.put(std::mem::take(&mut core.packed)),
            rare: core.take_rare(),
        })
    }

    /// Gives back what is kept for a burst of streams like the last one, if that may take longer than until the next
    /// [rest](Self::rest), which gives all back. For drivers, before they sleep.
    pub fn shed(&mut self) {
        let kept = self.kept_places();
        self.core.shed(kept);
    }

    /// For how many streams empty tables are kept: for few if anything stands in the way of a rest but time and what the
    /// application has not read, as what a peer has begun and not ended does.
    pub(crate) fn kept_places(&self) -> usize {
        match (self.core.config.rests(), self.is_between_frames() && self.core.is_calm()) {
            (true, true) => MANY,
            (true, false) => FEW,
            (false, _) => 0,
        }
    }

    fn is_between_frames(&self) -> bool {
        self.is_at_boundary() && self.cursor.is_none() && self.gathered() == 0
    }
}

impl Core {
    /// Whether nothing is open, under way, awaited or to be said, and nobody owes credit.
    fn is_quiet(&self) -> bool {
        self.is_calm() && self.send_credit.assigned() == 0 && self.recv_credit.is_at_rest()
    }

    /// Whether nothing is open, under way, awaited or to be said.
    fn is_calm(&self) -> bool {
        let said_all = !self.send_preface && self.control.is_empty() && self.events.is_empty();
        let hears_nothing = self.remote.received
            && self.local.is_settled()
            && !self.pings.are_in_flight()
            && self.gathering_since.is_none();
        let stays = self.shutdown.failure().is_none()
            && !self.shutdown.is_going_away()
            && !self.shutdown.eof
            && self.blocked_since.is_none();
        let empty = self.streams.is_vacant() && self.prioritized.is_empty() && self.data.is_none();
        said_all && hears_nothing && stays && empty
    }

    fn take_rare(&mut self) -> Option<Box<Rare>> {
        let keeps_alive = self.config.keep_alive_interval.is_some();
        let known = self.closed.take_known();
        let memory = self.memory.take();
        let usual = !keeps_alive
            && self.pings.rtt().is_none()
            && self.bandwidth.is_unknown()
            && known.is_none()
            && memory.is_none();
        let rare = || Rare {
            last_read: self.last_read,
            pings: std::mem::take(&mut self.pings),
            bandwidth: std::mem::take(&mut self.bandwidth),
            known,
            memory,
        };
        (!usual).then(rare).map(Box::new)
    }
}

impl Dormant {
    /// The connection again, with the configuration that it had.
    pub fn wake(self, config: Arc<Config>, now: Instant) -> Connection {
        let (memory, rare) = match self.rare {
            Some(mut rare) => (rare.memory.take(), Some(rare)),
            None => (None, None),
        };
        let mut core = Box::new(Core::blank(self.side, config.clone(), now, memory));
        let mut unpacked = Unpacked::new(&self.packed);
        (core.encoder, core.decoder) = unpacked.tables(config.encoder_table_size);
        core.limits = Limits::unpack(&mut unpacked);
        core.packed = self.packed;
        core.send_preface = false;
        core.local.enable_connect_protocol = self.enable_connect_protocol;
        core.local.initial_window_size = self.initial_window_size;
        core.remote = self.remote;
        core.send_credit = self.send_credit;
        core.recv_credit = RecvCredit::at_rest(self.recv_window, self.recv_target, config.max_unread);
        core.next_local = Some(self.next_local).filter(|id| !id.is_connection());
        core.highest_remote = self.highest_remote;
        core.last_processed = self.last_processed;
        core.octets_received = self.octets_received;
        core.octets_sent = self.octets_sent;
        if let Some(rare) = rare {
            core.last_read = rare.last_read;
            core.pings = rare.pings;
            core.bandwidth = rare.bandwidth;
            core.closed.put_known(rare.known);
        }
        Connection {
            reader: FrameReader::new(config.pool.clone(), reader_limits(&config)),
            cursor: None,
            spare: None,
            preface: crate::frame::PREFACE.len() as u8,
            core,
        }
    }

    /// When it has to wake at the latest, for a PING that keeps the connection alive.
    pub fn poll_timeout(&self, config: &Config) -> Option<Instant> {
        let interval = config.keep_alive_interval.filter(|_| config.keep_alive_while_idle)?;
        self.rare.as_ref()?.last_read.checked_add(interval)
    }
}

impl std::fmt::Debug for Dormant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dormant").field("side", &self.side).finish_non_exhaustive()
    }
}
