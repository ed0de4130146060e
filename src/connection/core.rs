//! What a connection knows: both halves and the application's verbs work on this (RFC 9113 §5).
//!
//! Always true here: a stream is counted from the moment it leaves idle to the moment it leaves the table;
//! [`Core::close`] is the only way out of the table and gives back the credit that the stream held.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use bytes::Bytes;

use crate::{
    config::Config,
    error::{Error, ErrorCode, Fault, Misdeed, Reach},
    hpack::{Decoder, Encoder},
    stream::{Input, State},
    stream_id::StreamId,
};

use super::{
    ConnectionStats, Event, Side, StreamKey,
    closed::Closed,
    control::{Control, ControlFrame},
    flow::{RecvCredit, SendCredit},
    limits::{Cheap, Limits},
    linger::Lingering,
    memory::Ledger,
    ping::{Bandwidth, Pings, Purpose},
    prioritized::Prioritized,
    settings::{LocalSettings, RemoteSettings, Values},
    shutdown::Shutdown,
    streams::{Queue, Stream, Streams},
    timers::IdleWatch,
};

/// Everything but the frame reader.
pub(super) struct Core {
    pub(super) side: Side,
    pub(super) config: Arc<Config>,
    /// The time, as far as it was said.
    pub(super) now: Instant,
    pub(super) last_read: Instant,
    pub(super) started: Instant,
    /// Since when a field block, or another frame that is held, has been unfinished.
    pub(super) gathering_since: Option<Instant>,
    /// Since when octets wait that the socket does not take.
    pub(super) blocked_since: Option<Instant>,
    /// Only if streams may be idle for so long and no longer.
    pub(super) idle_watch: Option<Box<IdleWatch>>,
    pub(super) decoder: Decoder,
    pub(super) encoder: Encoder,
    /// What the last rest packed, and where the next one will: what stays where it is lets the heap around it be given
    /// back.
    pub(super) packed: Box<[u8]>,
    pub(super) streams: Streams,
    pub(super) send_credit: SendCredit,
    pub(super) recv_credit: RecvCredit,
    /// Only if memory is limited.
    pub(super) memory: Option<Box<Ledger>>,
    pub(super) local: LocalSettings,
    pub(super) remote: RemoteSettings,
    pub(super) control: Control,
    pub(super) pings: Pings,
    pub(super) bandwidth: Bandwidth,
    pub(super) shutdown: Shutdown,
    pub(super) closed: Closed,
    pub(super) limits: Limits,
    /// Events that did not come from the frame in hand: at most two for each stream and a few more.
    pub(super) events: VecDeque<Event>,
    /// The DATA frame that is passing through.
    pub(super) data: Option<DataInProgress>,
    /// Whether the client's preface is still to be sent.
    pub(super) send_preface: bool,
    /// The identifier of the next stream that we open; `None` when they are used up.
    pub(super) next_local: Option<StreamId>,
    /// The highest stream that the peer has opened.
    pub(super) highest_remote: StreamId,
    /// The highest stream of the peer whose request was taken up.
    pub(super) last_processed: StreamId,
    /// Whether the field section in hand ends its stream.
    pub(super) ends_stream: bool,
    pub(super) local_streams: u32,
    pub(super) remote_streams: u32,
    pub(super) prioritized: Prioritized,
    pub(super) lingering: Lingering,
    pub(super) octets_received: u64,
    pub(super) octets_sent: u64,
    /// Octets of large DATA frames given to the socket.
    pub(super) octets_shared: u64,
}

/// A DATA frame whose payload goes to a stream.
pub(super) struct DataInProgress {
    pub(super) key: StreamKey,
    /// Octets charged and not yet accounted for: what is left at the end was padding.
    pub(super) charged: u32,
}

/// Tables for so many streams and events are kept when they are empty, if the connection is to rest soon and gives all back
/// then; so many events anyhow while streams are open, for each of them causes one now and then. A burst of calls that comes
/// again and again finds them as it left them.
pub(super) const MANY: usize = 128;

impl Core {
    pub(super) fn new(side: Side, config: Arc<Config>, now: Instant) -> Self {
        let memory = Ledger::new(&config);
        let mut core = Core::blank(side, config, now, memory);
        core.change_settings(Values::first(&core.config, side));
        if !core.config.manners.updates_late()
            && let Some(increment) = core.recv_credit.first_update()
        {
            core.control.push(ControlFrame::WindowUpdate { stream: StreamId::CONNECTION, increment });
        }
        core
    }

    /// One that has said nothing and heard nothing, nor will it begin by itself.
    pub(super) fn blank(side: Side, config: Arc<Config>, now: Instant, memory: Option<Box<Ledger>>) -> Self {
        Core {
            side,
            now,
            last_read: now,
            started: now,
            gathering_since: None,
            blocked_since: None,
            idle_watch: config.stream_idle_timeout.map(|timeout| Box::new(IdleWatch::new(timeout, now))),
            // The initial size holds until our SETTINGS are acknowledged (§6.5.3).
            decoder: Decoder::new(4_096),
            encoder: Encoder::new(config.encoder_table_size),
            packed: Box::default(),
            streams: Streams::new(if config.rests() { MANY } else { 0 }),
            send_credit: SendCredit::new(),
            recv_credit: RecvCredit::new(config.initial_connection_window_size, config.max_unread),
            memory,
            local: LocalSettings::new(&config),
            remote: RemoteSettings::new(&config),
            control: Control::default(),
            pings: Pings::default(),
            bandwidth: Bandwidth::default(),
            shutdown: Shutdown::default(),
            closed: Closed::new(&config),
            limits: Limits::default(),
            events: VecDeque::new(),
            data: None,
            send_preface: side == Side::Client,
            next_local: Some(StreamId::new(if side == Side::Client { 1 } else { 2 })),
            highest_remote: StreamId::CONNECTION,
            last_processed: StreamId::CONNECTION,
            ends_stream: false,
            local_streams: 0,
            remote_streams: 0,
            prioritized: Prioritized::default(),
            lingering: Lingering::default(),
            octets_received: 0,
            octets_sent: 0,
            octets_shared: 0,
            config,
        }
    }

    pub(super) fn next_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if let Event::Closed { key } = event {
            self.streams.free(key);
        }
        let kept = if self.config.rests() || !self.streams.is_empty() { MANY } else { 0 };
        self.shed_events(kept);
        Some(event)
    }

    /// Gives back empty tables that are larger than so many.
    pub(super) fn shed(&mut self, kept: usize) {
        self.streams.shed(kept);
        self.shed_events(kept);
    }

    fn shed_events(&mut self, kept: usize) {
        if self.events.is_empty() && self.events.capacity() > kept {
            self.events = VecDeque::new();
        }
    }

    /// Whether our side opens streams with this identifier (§5.1.1).
    pub(super) fn is_local(&self, stream: StreamId) -> bool {
        stream.is_client_initiated() == (self.side == Side::Client)
    }

    pub(super) fn change_settings(&mut self, values: Values) {
        if let Some(values) = self.local.change(values) {
            self.control.push(ControlFrame::Settings(values));
        }
    }

    pub(super) fn ping(&mut self, purpose: Purpose) -> bool {
        if self.shutdown.failure().is_some() {
            return false;
        }
        match self.pings.start(purpose, self.now) {
            Some(payload) => {
                self.control.push(ControlFrame::Ping { ack: false, payload });
                true
            }
            None => false,
        }
    }

    /// The only way into the table.
    pub(super) fn admit(&mut self, mut stream: Stream) -> StreamKey {
        if let Some(watch) = &mut self.idle_watch {
            if self.streams.is_empty() {
                watch.wake(self.now);
            }
            stream.moved = watch.round();
        }
        self.streams.insert(stream)
    }

    /// The only way out of the table.
    pub(super) fn close(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.remove(key) else { return };
        self.send_credit.unassign(stream.assigned);
        debug_assert!(!self.streams.is_empty() || self.send_credit.assigned() == 0, "credit leaked");
        self.lingering.forget(key);
        if self.data.as_ref().is_some_and(|data| data.key == key) {
            self.data = None;
        }
        if stream.counted {
            let count =
                if self.is_local(stream.id) { &mut self.local_streams } else { &mut self.remote_streams };
            *count = count.saturating_sub(1);
        }
        match stream.unannounced {
            true => self.streams.free(key),
            false => self.events.push_back(Event::Closed { key }),
        }
        // The place and the credit may be what another stream waits for.
        self.open_waiting();
        self.assign_waiting();
    }

    /// Ends a stream by RST_STREAM of ours, or without a word if it never left idle: then the peer does not know
    /// of it (§6.4).
    pub(super) fn reset_stream(&mut self, key: StreamKey, code: ErrorCode) {
        let Some(stream) = self.streams.get(key) else { return };
        let (id, is_known) = (stream.id, stream.state.after(Input::SendReset).is_ok());
        if is_known {
            self.send_reset(id, code);
        }
        self.close(key);
    }

    pub(super) fn send_reset(&mut self, stream: StreamId, code: ErrorCode) {
        let refused = code == ErrorCode::REFUSED_STREAM && self.streams.find(stream).is_none();
        if !(refused && self.config.manners.answers_for_forgotten_streams()) {
            self.closed.reset(stream, true, self.now);
        }
        self.control.push(ControlFrame::Reset { stream, code });
    }

    /// Ends a stream and tells the application why.
    pub(super) fn end_stream_with(&mut self, key: StreamKey, error: Error) {
        self.tell_reset(key, error);
        self.close(key);
    }

    pub(super) fn tell_reset(&mut self, key: StreamKey, error: Error) {
        if self.streams.get(key).is_some_and(|stream| !stream.unannounced) {
            self.events.push_back(Event::Reset { key, error });
        }
    }

    /// Ends a stream for a reason of our own, which the peer has not to answer for as for a broken rule.
    pub(super) fn fail_stream(&mut self, key: StreamKey, misdeed: Misdeed) {
        let Some(stream) = self.streams.get(key) else { return };
        let fault = Fault::stream(stream.id, misdeed);
        tracing::debug!(stream = stream.id.value(), %misdeed, "stream given up");
        if stream.state.after(Input::SendReset).is_ok() {
            self.send_reset(stream.id, misdeed.code());
        }
        self.end_stream_with(key, fault.into());
    }

    /// The one place where a broken rule has its consequence (§5.4).
    pub(super) fn handle_fault(&mut self, fault: Fault) {
        let manners = self.config.manners;
        match manners.reach(fault) {
            Reach::Connection => self.fail(Fault::connection(fault.misdeed)),
            Reach::Stream(id) => {
                tracing::debug!(stream = id.value(), misdeed = %fault.misdeed, "stream error");
                if self.is_turned_away(id) {
                    return;
                }
                if self.is_idle(id) {
                    if !manners.resets_idle(fault.misdeed) {
                        // §6.4: RST_STREAM must not be sent for an idle stream.
                        return self.fail(Fault::connection(fault.misdeed));
                    }
                    if !self.is_local(id) {
                        self.highest_remote = id;
                    }
                }
                let key = self.streams.find(id);
                let stream = key.and_then(|key| self.streams.get(key));
                let is_over = self.ends_stream
                    && stream.is_some_and(|stream| stream.state == State::HalfClosedLocal)
                    && manners.lets_ended_streams_rest(fault.misdeed);
                if !is_over && let Err(misdeed) = self.limits.charge(Cheap::Provoked, &self.config, self.now)
                {
                    return self.fail(Fault::connection(misdeed));
                }
                if !is_over {
                    self.send_reset(id, manners.code(fault.misdeed));
                }
                if let Some(key) = key {
                    self.end_stream_with(key, fault.into());
                }
            }
        }
    }

    /// A connection error (§5.4.1): one GOAWAY, and nothing after it.
    pub(super) fn fail(&mut self, fault: Fault) {
        let code = self.config.manners.code(fault.misdeed);
        tracing::debug!(misdeed = %fault.misdeed, %code, "connection error");
        let debug = self.config.manners.goaway_debug(fault.misdeed);
        self.end_with(fault.into(), code, debug);
    }

    /// Ends the connection now, for this reason; the first reason stays.
    pub(super) fn end_with(&mut self, error: Error, code: ErrorCode, debug: Bytes) {
        if self.shutdown.failure().is_none() {
            let goaway = self.shutdown.send(self.last_stream(), code, debug);
            self.control.fail(goaway, self.config.manners.answers_before_goaway());
            self.end_all_with(error);
        }
    }

    /// The socket is gone: there is nobody to tell.
    pub(super) fn fail_silently(&mut self, error: Error) {
        self.control.fail_silently();
        self.shutdown.eof = true;
        self.end_all_with(error);
    }

    fn end_all_with(&mut self, error: Error) {
        self.shutdown.fail(error.clone());
        let keys: Vec<StreamKey> = self.streams.keys().collect();
        for key in keys {
            self.cut_stream(key, error.clone());
        }
    }

    /// The connection is over for this stream. A request whose head was never written was certainly not
    /// processed (§8.7).
    pub(super) fn cut_stream(&mut self, key: StreamKey, error: Error) {
        let unsent = !self.config.manners.fails_unsent_alike()
            && self.streams.get(key).is_some_and(|stream| stream.state == State::Idle);
        let error =
            if unsent { Error::unprocessed(error.origin(), error.code(), Bytes::new()) } else { error };
        self.end_stream_with(key, error);
    }

    pub(super) fn stats(&self) -> ConnectionStats {
        ConnectionStats {
            streams: self.streams.len(),
            send_window: self.send_credit.available() + self.send_credit.assigned(),
            recv_window: self.recv_credit.window().max(0) as u32,
            unread: self.recv_credit.unread(),
            rtt: self.pings.rtt(),
            octets_received: self.octets_received,
            octets_sent: self.octets_sent,
        }
    }

    /// Requests leave the queue while the peer takes more streams (§5.1.2).
    pub(super) fn open_waiting(&mut self) {
        if self.config.manners.opens_when_written() {
            return;
        }
        while let Some(key) = self.open_next() {
            self.streams.push_back(key, Queue::Heads);
            self.assign(key);
        }
    }

    /// Whether a request waits that can be opened.
    pub(super) fn can_open(&self) -> bool {
        let refused = match self.config.manners.opens_after_goaway() {
            true => self.shutdown.eof || self.shutdown.failure().is_some(),
            false => !self.shutdown.may_open(),
        };
        !refused
            && self.local_streams < self.remote.max_concurrent_streams
            && self.streams.first(Queue::Opening).is_some()
    }

    /// The next request whose turn it is to be opened, if the peer takes another stream.
    pub(super) fn open_next(&mut self) -> Option<StreamKey> {
        if !self.can_open() {
            return None;
        }
        let key = self.streams.pop(Queue::Opening)?;
        self.local_streams += 1;
        self.streams.get_mut(key)?.counted = true;
        self.events.push_back(Event::Opened { key });
        Some(key)
    }
}
