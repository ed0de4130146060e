//! What the application wants of the connection (RFC 9113 §5.1, §5.2, §6.7, §6.8).
//!
//! Always true here: a verb for a stream that is gone does nothing, since the stream may have gone while the
//! wish was on its way; credit asked for in advance is set aside here and nowhere else.

use http::Method;

use crate::{
    error::{Error, ErrorCode, Fault, Misdeed, Mistake, Origin},
    stream::{Head, MAX_WINDOW, SendQueue, State, of_request},
    stream_id::StreamId,
};

use super::{
    Connection, Side, StreamKey,
    control::ControlFrame,
    core::Core,
    ping::Purpose,
    settings::{NO_LIMIT, Values},
    streams::{Queue, Stream},
};

impl Connection {
    /// The identifier that [`open`](Self::open) will take at the least; `None` when they are used up.
    pub fn next_stream_id(&self) -> Option<StreamId> {
        self.core.next_local
    }

    /// Opens a stream (clients): `queue` begins with the request head. While the peer takes no more streams
    /// (§5.1.2) it waits, in order; [`Event::Opened`](super::Event::Opened) says when it is on its way.
    ///
    /// # Errors
    ///
    /// [`Mistake::OutOfStreamIds`] if `id` was passed already; the reason if the connection is over or going
    /// away, or no memory is left in the budget for another stream ([`Misdeed::MemoryPressure`]).
    pub fn open(&mut self, id: StreamId, queue: &mut SendQueue) -> Result<StreamKey, Error> {
        self.core.open(id, queue)
    }

    /// Appends `queue` to what is to be sent on a stream.
    pub fn send(&mut self, key: StreamKey, queue: &mut SendQueue) {
        match self.core.streams.get_mut(key) {
            Some(stream) if stream.may_queue() => {
                stream.queue.append(queue);
                self.core.charge_queue(key);
                self.core.claim(key);
                self.core.schedule(key);
            }
            _ => queue.clear(),
        }
    }

    /// Ends a stream with RST_STREAM; what was not sent is dropped at once.
    pub fn reset(&mut self, key: StreamKey, code: ErrorCode) {
        self.core.give_up(key, code, true);
    }

    /// The application has let go of the stream. What it has sent completely still goes out; otherwise the
    /// stream is cancelled.
    pub fn abandon(&mut self, key: StreamKey) {
        let Some(stream) = self.core.streams.get_mut(key) else { return };
        stream.abandoned = true;
        // Nobody will read what came: the peer may go on, maybe to the end for which we wait.
        stream.recv_window.release(stream.recv_window.unreleased());
        let (sent_all, complete) = (!stream.state.can_send(), stream.queue.is_ended());
        let answered = self.core.side == Side::Server || !stream.state.can_recv();
        if stream.state == State::Idle
            || !(sent_all || complete)
            || (self.core.config.manners.drops_what_nobody_waits_for() && !answered)
        {
            self.core.give_up(key, ErrorCode::CANCEL, false);
        } else if sent_all {
            self.core.end_abandoned(key);
        } else {
            self.core.update_stream_window(key);
        }
    }

    /// The application has taken `octets` of a stream's DATA: stream credit returns.
    pub fn release(&mut self, key: StreamKey, octets: u32) {
        if let Some(stream) = self.core.streams.get_mut(key) {
            stream.recv_window.release(octets);
            self.core.note_movement(key);
            self.core.update_stream_window(key);
        }
    }

    /// The application has taken, or dropped, `octets` of DATA of any stream: connection credit returns.
    pub fn release_connection(&mut self, octets: usize) {
        self.core.recv_credit.release(octets);
        self.core.update_connection_window();
    }

    /// Whether so much is unread that the peer is held back: releases should then come without delay.
    pub fn is_congested(&self) -> bool {
        self.core.recv_credit.is_congested()
    }

    /// Asks for `octets` of connection credit, set aside for this stream alone. Replaces an earlier wish.
    /// [`Event::Capacity`](super::Event::Capacity) says what was got.
    pub fn reserve(&mut self, key: StreamKey, octets: u32) {
        let needed = self.core.needed(key);
        if let Some(stream) = self.core.streams.get_mut(key) {
            stream.wanted = octets.max(needed.saturating_sub(stream.assigned));
            self.core.assign(key);
        }
    }

    /// Gives back credit that was set aside and is not needed.
    pub fn give_back(&mut self, key: StreamKey, octets: u32) {
        let needed = self.core.needed(key);
        let Some(stream) = self.core.streams.get_mut(key) else { return };
        let octets = octets.min(stream.assigned.saturating_sub(needed));
        stream.assigned -= octets;
        self.core.send_credit.unassign(octets);
        self.core.assign_waiting();
    }

    /// Octets of connection credit that are set aside for this stream, for what is queued and beyond.
    pub fn assigned(&self, key: StreamKey) -> u32 {
        self.core.streams.get(key).map_or(0, |stream| stream.assigned)
    }

    /// Whether the end of a stream is still to be told to the peer (RST_STREAM).
    pub fn has_resets(&self) -> bool {
        self.core.control.has_resets()
    }

    /// How many streams of ours, and of the peer, count as open (RFC 9113 §5.1.2).
    pub fn concurrent_streams(&self) -> (u32, u32) {
        (self.core.local_streams, self.core.remote_streams)
    }

    /// Octets of DATA queued on this stream.
    pub fn queued(&self, key: StreamKey) -> usize {
        self.core.streams.get(key).map_or(0, |stream| stream.queue.data_octets())
    }

    /// Octets of DATA that the peer may have sent us on this stream at once, less those that are not released.
    /// Negative after the window was lowered.
    pub fn recv_capacity(&self, key: StreamKey) -> i64 {
        self.core.streams.get(key).map_or(0, |stream| stream.recv_window.left())
    }

    /// Whether the peer has acknowledged all SETTINGS of ours (RFC 9113 §6.5.3).
    pub fn is_settled(&self) -> bool {
        self.core.local.is_settled()
    }

    /// Offers extended CONNECT to clients (RFC 8441), from the peer's acknowledgement on.
    pub fn enable_connect_protocol(&mut self) {
        self.core.change_settings(Values { enable_connect_protocol: Some(true), ..Values::default() });
    }

    /// Sends a PING for the application; `false` if one is in flight. [`Event::Pong`](super::Event::Pong)
    /// answers.
    pub fn ping(&mut self) -> bool {
        self.core.ping(Purpose::User)
    }

    /// A graceful end: no new streams; those that are open are finished (§6.8).
    pub fn shutdown(&mut self) {
        self.core.begin_shutdown();
    }

    /// An end at once, with this code.
    pub fn abort(&mut self, code: ErrorCode) {
        let error = Error::go_away(Origin::Us, code, bytes::Bytes::new());
        self.core.end_with(error, code, bytes::Bytes::new());
    }

    /// Ends the connection because the peer broke a rule that only the driver can see: time to write, say.
    pub fn fail(&mut self, misdeed: Misdeed) {
        self.core.fail(Fault::connection(misdeed));
    }

    /// Ends a stream for a reason that only the driver can see: nowhere to keep what came, say.
    /// [`Event::Reset`](super::Event::Reset) and [`Event::Closed`](super::Event::Closed) follow.
    pub fn fail_stream(&mut self, key: StreamKey, misdeed: Misdeed) {
        self.core.fail_stream(key, misdeed);
    }

    /// The window of the connection to keep from now on: at most 2^31 - 1 octets.
    pub fn set_target_window_size(&mut self, octets: u32) {
        self.core.set_target_window_size(octets);
    }

    /// The window of each stream, from the peer's acknowledgement on: at most 2^31 - 1 octets.
    pub fn set_initial_window_size(&mut self, octets: u32) {
        self.core.set_initial_window_size(octets);
    }

    /// How many streams the peer lets us have open at once; `None` if it sets no limit.
    pub fn max_concurrent_send_streams(&self) -> Option<u32> {
        let max = self.core.remote.max_concurrent_streams;
        (max != NO_LIMIT).then_some(max)
    }

    /// Whether either side has said that no new streams are to be opened.
    pub fn is_going_away(&self) -> bool {
        self.core.shutdown.is_going_away()
    }

    /// Whether our GOAWAY has named an identifier that is final: no stream will follow those that are open.
    pub fn is_last_stream_named(&self) -> bool {
        self.core.shutdown.is_final()
    }

    /// Whether there is something to send that neither a window nor the peer's limit of streams holds back. Blind to
    /// DATA that waits for credit which is not set aside for it.
    pub fn wants_transmit(&self) -> bool {
        self.core.wants_transmit()
    }

    /// Whether no stream is open.
    pub fn is_idle(&self) -> bool {
        self.core.streams.is_empty()
    }
}

impl Core {
    fn open(&mut self, id: StreamId, queue: &mut SendQueue) -> Result<StreamKey, Error> {
        if let Some(failure) = self.shutdown.failure() {
            return Err(failure.clone());
        }
        if self.shutdown.is_going_away() || self.shutdown.eof {
            // §6.8: such a request was certainly not processed.
            let origin = if self.shutdown.may_open() { Origin::Us } else { Origin::Peer };
            return Err(Error::unprocessed(origin, ErrorCode::NO_ERROR, bytes::Bytes::new()));
        }
        if self.next_local.is_none_or(|next| id < next) || !self.is_local(id) {
            return Err(Mistake::OutOfStreamIds.into());
        }
        let Some(head) = queue.first_head() else {
            return Err(Mistake::BadHead("a stream begins with a head").into());
        };
        let mut stream: Stream = self.new_stream(id);
        if let Head::Request(request) = head {
            stream.head_request = request.method() == Method::HEAD;
            stream.connect_request = request.method() == Method::CONNECT;
            if !self.charge_stream(&mut stream, || of_request(request)) {
                return Err(Fault::stream(id, Misdeed::MemoryPressure).into());
            }
        }
        stream.queue.append(queue);
        self.next_local = id.next();
        let key = self.admit(stream);
        self.streams.push_back(key, Queue::Opening);
        self.charge_queue(key);
        self.claim(key);
        self.open_waiting();
        Ok(key)
    }

    /// Ends a stream that the application does not want any more: because it said so, or because it let go.
    pub(super) fn give_up(&mut self, key: StreamKey, code: ErrorCode, explicit: bool) {
        let manners = self.config.manners;
        let Some(stream) = self.streams.get_mut(key) else { return };
        let unopened = stream.state == State::Idle;
        // By a reset the application takes back what it had queued, by letting go only the data. What waits with its
        // request for a place goes out before the reset, if it can when the place is there.
        let section = stream.queue.begins_with_section();
        let says_first = unopened || (!explicit && section);
        if !says_first || !manners.opens_what_was_given_up() {
            return self.reset_stream(key, code);
        }
        if stream.reset_code.is_none() {
            stream.reset_code = Some(code);
            if !explicit {
                self.drop_data(key);
            }
        }
    }

    /// The stream just opened was given up before: DATA that cannot go out at once must not keep it from its reset.
    pub(super) fn drop_stuck_data(&mut self, key: StreamKey) {
        let stuck = self.streams.get(key).is_some_and(|stream| {
            stream.reset_code.is_some() && (stream.assigned as usize) < stream.queue.data_octets()
        });
        if stuck {
            self.drop_data(key);
        }
    }

    fn drop_data(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        stream.queue.keep_sections();
        stream.wanted = 0;
        let assigned = std::mem::take(&mut stream.assigned);
        self.send_credit.unassign(assigned);
        self.assign_waiting();
    }

    /// Credit that has to be set aside for what is queued, if that is the manner.
    fn needed(&self, key: StreamKey) -> u32 {
        match self.streams.get(key) {
            Some(stream) if self.config.manners.assigns_when_queued() => {
                u32::try_from(stream.queue.data_octets()).unwrap_or(u32::MAX)
            }
            _ => 0,
        }
    }

    /// What was queued asks for credit, if that is the manner.
    pub(super) fn claim(&mut self, key: StreamKey) {
        if !self.config.manners.assigns_when_queued() {
            return;
        }
        let queued = self.needed(key);
        let Some(stream) = self.streams.get_mut(key) else { return };
        stream.wanted = stream.wanted.max(queued.saturating_sub(stream.assigned));
        if stream.queue.is_ended() {
            // Nothing follows: what was reserved beyond is for others.
            stream.wanted = queued.saturating_sub(stream.assigned);
            let surplus = stream.assigned.saturating_sub(queued);
            stream.assigned -= surplus;
            self.send_credit.unassign(surplus);
            self.assign(key);
            return self.assign_waiting();
        }
        self.assign(key);
    }

    /// All was sent on a stream that the application let go of: nobody waits for what may still come.
    pub(super) fn end_abandoned(&mut self, key: StreamKey) {
        let wanted = self.streams.get(key).and_then(|stream| stream.reset_code);
        match (wanted, self.side) {
            (Some(code), _) => self.reset_stream(key, code),
            (None, Side::Client) => self.reset_stream(key, ErrorCode::CANCEL),
            (None, Side::Server) => self.linger(key),
        }
    }

    /// Sets connection credit aside for a stream that asked for it, as far as there is any.
    pub(super) fn assign(&mut self, key: StreamKey) {
        let early = self.config.manners.assigns_when_queued();
        let Some(stream) = self.streams.get_mut(key) else { return };
        if !stream.may_queue() && !early {
            stream.wanted = 0;
        }
        // One that waits to be opened gets its credit then.
        if stream.wanted == 0 || !stream.counted {
            return;
        }
        // What is queued and has no credit yet will need the stream's window as well.
        let queued = u32::try_from(stream.queue.data_octets()).unwrap_or(u32::MAX);
        let used = if early { stream.assigned } else { stream.assigned.max(queued) };
        let room = stream.send_window.available().saturating_sub(used);
        let wanted = stream.wanted.min(room);
        let octets = self.send_credit.assign(wanted);
        stream.assigned += octets;
        stream.wanted -= octets;
        if octets < wanted && !self.streams.waits_for_capacity(key) {
            self.streams.push_back(key, Queue::Capacity);
        }
        if octets > 0 {
            self.events.push_back(super::Event::Capacity { key, octets });
            if early {
                self.schedule(key);
            }
            // DATA that waited for credit of the connection has some of its own now.
            if matches!(self.streams.send_queue_of(key), Some(Queue::Data(_))) {
                self.streams.leave_send_queue(key);
                self.schedule(key);
            }
        }
    }

    /// Credit has come: those who asked for it in advance are served in order.
    pub(super) fn assign_waiting(&mut self) {
        while self.send_credit.available() > 0 {
            let Some(key) = self.streams.pop(Queue::Capacity) else { return };
            self.assign(key);
        }
    }

    pub(super) fn set_target_window_size(&mut self, octets: u32) {
        self.recv_credit.set_target(octets);
        if self.config.manners.updates_late() {
            return;
        }
        if let Some(increment) = self.recv_credit.first_update() {
            self.control.push(ControlFrame::WindowUpdate { stream: StreamId::CONNECTION, increment });
        }
    }

    pub(super) fn set_initial_window_size(&mut self, octets: u32) {
        self.change_settings(Values {
            initial_window_size: Some(octets.min(MAX_WINDOW)),
            ..Values::default()
        });
    }
}
