//! What frames do to the connection and its streams (RFC 9113 §5.1, §6, §8).
//!
//! Always true here: DATA is charged to the connection whoever it is for (§6.9); a frame for a stream that is gone
//! is judged by what is still known of it. Field sections are the business of `messages.rs`.

use crate::{
    error::{Error, ErrorCode, Fault, Misdeed, Origin},
    frame::{Frame, PieceRef, SettingsRef, setting},
    memory::Pressure,
    stream::{Input, RecvWindow, Refusal, SendWindow, State},
    stream_id::StreamId,
};

use super::{
    Event, Side, StreamKey,
    closed::Past,
    control::ControlFrame,
    core::{Core, DataInProgress},
    limits::Cheap,
    ping::Purpose,
    streams::Stream,
};

pub(super) type Outcome = Result<Option<Event>, Fault>;

impl Core {
    pub(super) fn handle_frame(&mut self, frame: Frame<'_>) -> Outcome {
        self.ends_stream = false;
        // What came before is finished in time; the next has a time of its own.
        self.gathering_since = None;
        // §3.4: SETTINGS come first, from either side.
        if !self.remote.received && !matches!(frame, Frame::Settings(_)) {
            return Err(Fault::connection(Misdeed::FrameBeforeSettings));
        }
        // What the peer makes us say and does not read must not pile up.
        if self.control.is_full(self.config.allowances.replies.max(1)) {
            return Err(Fault::connection(Misdeed::WriteStalled));
        }
        match frame {
            Frame::DataStart { stream, length, .. } => self.handle_data_start(stream, length),
            Frame::Data { stream, payload, last, end_stream } => {
                self.handle_data(stream, payload, last, end_stream)
            }
            Frame::Headers { stream, end_stream, depends_on, block } => {
                self.handle_headers(stream, end_stream, depends_on, block)
            }
            Frame::Priority { stream, depends_on } => {
                self.charge(Cheap::Priority)?;
                // RFC 7540 §5.3.1; RFC 9113 §5.3.2 keeps the frame and drops its meaning.
                if stream == depends_on && !self.disregards_dependencies() {
                    Err(Fault::stream(stream, Misdeed::SelfDependency))
                } else {
                    Ok(None)
                }
            }
            Frame::Reset { stream, code } => self.handle_reset(stream, code),
            Frame::Settings(settings) => self.handle_settings(settings),
            Frame::SettingsAck => self.handle_settings_ack(),
            Frame::Ping { ack, payload } => self.handle_ping(ack, payload),
            Frame::GoAway { last_stream, code, debug } => {
                self.charge(Cheap::GoAway)?;
                self.handle_goaway(last_stream, code, debug).map(Some)
            }
            Frame::WindowUpdate { stream, increment } => self.handle_window_update(stream, increment),
            Frame::PriorityUpdate { stream, value } => self.handle_priority_update(stream, value),
            Frame::Unknown { kind, length } => {
                tracing::trace!(kind, length, "unknown frame ignored");
                self.charge(Cheap::Unknown)?;
                Ok(None)
            }
        }
    }

    /// The budget for what the peer can do cheaply.
    pub(super) fn charge(&mut self, kind: Cheap) -> Result<(), Fault> {
        self.limits.charge(kind, &self.config, self.now).map_err(Fault::connection)
    }

    fn handle_data_start(&mut self, id: StreamId, length: u32) -> Outcome {
        self.data = None;
        self.recv_credit.charge(length).map_err(Fault::connection)?;
        self.update_connection_window();
        let Some(key) = self.streams.find(id) else {
            return self.frame_on_missing_stream(id, Misdeed::DataOnClosedStream);
        };
        let (side, Some(stream)) = (self.side, self.streams.get_mut(key)) else { return Ok(None) };
        match stream.state.after(Input::RecvData { end: false }) {
            Ok(_) => {}
            Err(Refusal::Peer(misdeed)) => return Err(Fault::stream(id, misdeed)),
            Err(Refusal::Local) => return Ok(None),
        }
        // §8.1: DATA of a response before its head.
        if side == Side::Client && !stream.got_head {
            return Err(Fault::stream(id, Misdeed::MissingContentAfterEnd));
        }
        stream.recv_window.charge(length).map_err(|misdeed| Fault::stream(id, misdeed))?;
        self.data = Some(DataInProgress { key, charged: length });
        self.note_movement(key);
        Ok(None)
    }

    fn handle_data(&mut self, id: StreamId, payload: PieceRef<'_>, last: bool, end_stream: bool) -> Outcome {
        if payload.is_empty() && !end_stream {
            // Padding alone is as empty as nothing at all.
            self.charge(Cheap::EmptyData)?;
        }
        let Some(data) = &mut self.data else { return Ok(None) };
        let (key, octets) = (data.key, payload.len());
        let Some(stream) = self.streams.get_mut(key) else { return Ok(None) };
        if octets > 0 {
            self.limits.useful();
        }
        if let Some(watch) = &self.idle_watch {
            stream.moved = watch.round();
        }
        data.charged = data.charged.saturating_sub(octets as u32);
        stream.content.receive(octets as u64).map_err(|misdeed| Fault::stream(id, misdeed))?;
        if end_stream {
            stream.content.end().map_err(|misdeed| Fault::stream(id, misdeed))?;
        }
        let piece = if stream.abandoned {
            stream.recv_window.release(octets as u32);
            None
        } else {
            self.recv_credit.deliver(octets);
            Some(payload.take())
        };
        let mut padded = false;
        if last {
            // What is left of the charge is padding: nobody will ever read it (§6.9.1).
            stream.recv_window.release(data.charged);
            padded = data.charged > 0;
            self.data = None;
        }
        if end_stream {
            self.end_received(key)?;
        } else if padded || piece.is_none() || (last && !self.config.manners.updates_late()) {
            self.update_stream_window(key);
        }
        if self.config.adaptive_window {
            self.measure(octets);
        }
        Ok(piece.filter(|piece| end_stream || !piece.is_empty()).map(|piece| Event::Data {
            key,
            piece,
            end_frame: last,
            end_stream,
        }))
    }

    /// The peer has ended its side of a stream.
    pub(super) fn end_received(&mut self, key: StreamKey) -> Result<(), Fault> {
        let Some(stream) = self.streams.get_mut(key) else { return Ok(()) };
        let id = stream.id;
        match stream.state.after(Input::RecvData { end: true }) {
            Ok(next) => stream.state = next,
            Err(Refusal::Peer(misdeed)) => return Err(Fault::stream(id, misdeed)),
            Err(Refusal::Local) => {}
        }
        if stream.state == State::Closed {
            self.limits.finished();
            // The event in hand is given out first: see `poll_event`.
            self.close(key);
        }
        Ok(())
    }

    fn handle_reset(&mut self, id: StreamId, code: ErrorCode) -> Outcome {
        if self.is_idle(id) {
            return Err(Fault::connection(Misdeed::FrameOnIdleStream));
        }
        let found = self.streams.find(id);
        // Our own streams cost the peer a request of ours each. One that was answered to its end (§8.1) or reset by us
        // spares us nothing more: many clients say so whenever that happens.
        let over = match found.and_then(|key| self.streams.get(key)) {
            Some(stream) => stream.state == State::HalfClosedLocal,
            None => self.closed.is_crossed_by(id),
        };
        if !self.is_local(id) && !over {
            self.charge(Cheap::Reset)?;
        }
        let Some(key) = found else {
            // A RST_STREAM may cross ours, or repeat itself: harmless (§5.1).
            return Ok(None);
        };
        if let Some(stream) = self.streams.get_mut(key)
            && let Ok(next) = stream.state.after(Input::RecvReset)
        {
            stream.state = next;
        }
        self.closed.reset(id, false, self.now);
        self.end_stream_with(key, Error::reset(Origin::Peer, code));
        Ok(None)
    }

    fn handle_settings(&mut self, settings: SettingsRef<'_>) -> Outcome {
        self.charge(Cheap::Settings)?;
        let old_window = i64::from(self.remote.initial_window_size);
        let first = !self.remote.received;
        self.remote.apply(settings, self.side).map_err(Fault::connection)?;
        tracing::debug!(first, settings = ?self.remote, "SETTINGS received");
        // Each of them, for the lowest has to be announced as well (RFC 7541 §4.2).
        let table_sizes = settings.filter(|(id, _)| *id == setting::HEADER_TABLE_SIZE);
        table_sizes.for_each(|(_, octets)| self.encoder.set_peer_table_size(octets));
        self.control.push(ControlFrame::SettingsAck);
        let delta = i64::from(self.remote.initial_window_size) - old_window;
        if delta != 0 {
            self.shift_send_windows(delta)?;
        }
        self.open_waiting();
        Ok(Some(Event::RemoteSettings {
            max_concurrent_streams: self.remote.max_concurrent_streams,
            enable_connect_protocol: self.remote.enable_connect_protocol,
        }))
    }

    /// §6.9.2: the change applies to every stream at once; a window may become negative, and must not overflow.
    fn shift_send_windows(&mut self, delta: i64) -> Result<(), Fault> {
        let mut keys: Vec<StreamKey> = self.streams.keys().collect();
        // In the order of opening, for that is who gets credit first.
        keys.sort_by_key(|key| self.streams.get(*key).map(|stream| stream.id));
        for key in keys {
            let Some(stream) = self.streams.get_mut(key) else { continue };
            stream.send_window.shift(delta).map_err(Fault::connection)?;
            if delta > 0 {
                self.schedule(key);
                self.assign(key);
            } else {
                // Credit that the window does not allow to spend is for others.
                let excess = stream.assigned.saturating_sub(stream.send_window.available());
                stream.assigned -= excess;
                if self.config.manners.assigns_when_queued() {
                    stream.wanted += excess;
                }
                self.send_credit.unassign(excess);
            }
        }
        self.assign_waiting();
        Ok(())
    }

    fn handle_settings_ack(&mut self) -> Outcome {
        let Some(values) = self.local.acknowledged() else {
            if self.config.manners.refuses_stray_ack() {
                return Err(Fault::connection(Misdeed::SettingsAckUnexpected));
            }
            // Nothing to acknowledge: no error, but not without end.
            self.charge(Cheap::Settings)?;
            return Ok(None);
        };
        let insists = !self.config.manners.lets_table_size_slip();
        if let Some(octets) = values.header_table_size.filter(|octets| insists || *octets > 4_096) {
            self.decoder.set_table_size_limit(octets);
        }
        if values.enable_connect_protocol == Some(true) {
            self.local.enable_connect_protocol = true;
        }
        if let Some(octets) = values.initial_window_size {
            let delta = i64::from(octets) - i64::from(self.local.initial_window_size);
            self.local.initial_window_size = octets;
            let mut due = Vec::new();
            for (_, stream) in self.streams.iter_mut() {
                stream.recv_window.shift(delta);
                if stream.state.can_recv() {
                    due.extend(stream.recv_window.update_due().map(|increment| (stream.id, increment)));
                }
            }
            for (stream, increment) in due {
                self.control.push(ControlFrame::WindowUpdate { stream, increment });
            }
        }
        if let Some(values) = self.local.next() {
            self.control.push(ControlFrame::Settings(values));
        }
        Ok(None)
    }

    fn handle_ping(&mut self, ack: bool, payload: [u8; 8]) -> Outcome {
        if !ack {
            self.charge(Cheap::Ping)?;
            self.control.push(ControlFrame::Ping { ack: true, payload });
            return Ok(None);
        }
        match self.pings.answered(payload, self.now) {
            Some(Purpose::Shutdown) => self.finish_shutdown(),
            Some(Purpose::Bandwidth) => self.grow_windows(),
            Some(Purpose::User) => return Ok(Some(Event::Pong)),
            Some(Purpose::KeepAlive) => {}
            None => self.charge(Cheap::Ping)?,
        }
        Ok(None)
    }

    fn handle_window_update(&mut self, id: StreamId, increment: u32) -> Outcome {
        self.charge(Cheap::WindowUpdate)?;
        if id.is_connection() {
            // §6.9: zero on the connection is a connection error.
            if increment == 0 {
                return Err(Fault::connection(Misdeed::WindowUpdateZero));
            }
            self.send_credit.grow(increment).map_err(Fault::connection)?;
            self.assign_waiting();
            return Ok(None);
        }
        if self.is_idle(id) {
            return Err(Fault::connection(Misdeed::FrameOnIdleStream));
        }
        // §6.9: in whatever state.
        if increment == 0 {
            return Err(Fault::stream(id, Misdeed::WindowUpdateZero));
        }
        // §5.1: may come for a while after the end.
        let Some(key) = self.streams.find(id) else { return Ok(None) };
        let Some(stream) = self.streams.get_mut(key) else { return Ok(None) };
        stream.send_window.grow(increment).map_err(|misdeed| Fault::stream(id, misdeed))?;
        self.note_movement(key);
        self.schedule(key);
        self.assign(key);
        Ok(None)
    }

    /// RFC 9218 §2.1: a peer that does not use the priorities of RFC 7540 is not held to their rules.
    pub(super) fn disregards_dependencies(&self) -> bool {
        self.remote.no_rfc7540_priorities && !self.config.manners.disregards_priorities()
    }

    /// HEADERS or DATA for a stream that is not in the table (§5.1).
    pub(super) fn frame_on_missing_stream(&mut self, id: StreamId, after_end: Misdeed) -> Outcome {
        if self.is_turned_away(id) {
            return Ok(None);
        }
        if self.is_idle(id) {
            let idle = if self.side == Side::Server && !id.is_client_initiated() {
                Misdeed::EvenStreamId
            } else {
                Misdeed::FrameOnIdleStream
            };
            return Err(Fault::connection(idle));
        }
        let answers = self.config.manners.answers_for_forgotten_streams();
        match self.closed.past(id, self.now) {
            Past::ResetByUs => Ok(None),
            // h2: a server has no use for a request that comes late.
            Past::ResetByPeer | Past::Ended | Past::Skipped
                if answers && after_end == Misdeed::HeadersAfterEnd && self.side == Side::Server =>
            {
                Err(Fault::connection(Misdeed::StreamIdDecreased))
            }
            Past::Ended | Past::Skipped if answers => Err(Fault::stream(id, Misdeed::DataOnClosedStream)),
            Past::ResetByPeer => Err(Fault::stream(id, Misdeed::DataOnClosedStream)),
            Past::Skipped => Err(Fault::connection(Misdeed::StreamIdDecreased)),
            Past::Ended => Err(Fault::connection(after_end)),
        }
    }

    /// Whether nothing was sent on this stream, or on a higher one of the same kind (§5.1.1).
    pub(super) fn is_idle(&self, id: StreamId) -> bool {
        if let Some(stream) = self.streams.find(id).and_then(|key| self.streams.get(key)) {
            return stream.state == State::Idle;
        }
        match self.is_local(id) {
            true => self.next_local.is_some_and(|next| id >= next),
            false => id > self.highest_remote && !self.is_turned_away(id),
        }
    }

    /// Whether the peer opened it above the identifier of our GOAWAY: nothing of it is taken, and nothing is
    /// said (§6.8).
    pub(super) fn is_turned_away(&self, id: StreamId) -> bool {
        !self.is_local(id) && self.shutdown.highest_accepted().is_some_and(|highest| id > highest)
    }

    pub(super) fn new_stream(&self, id: StreamId) -> Stream {
        let window = self.local.initial_window_size;
        Stream::new(id, SendWindow::new(self.remote.initial_window_size), RecvWindow::new(window, window))
    }

    pub(super) fn update_connection_window(&mut self) {
        if self.config.manners.updates_late() {
            return;
        }
        self.recv_credit.squeeze(self.pressure() >= Pressure::Windows);
        if let Some(increment) = self.recv_credit.update_due() {
            self.control.push(ControlFrame::WindowUpdate { stream: StreamId::CONNECTION, increment });
        }
    }

    pub(super) fn update_stream_window(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key).filter(|stream| stream.state.can_recv()) else { return };
        if self.config.manners.updates_late() {
            if stream.recv_window.is_due_by_what_is_left() {
                self.control.note_update(stream.id);
            }
        } else if let Some(increment) = stream.recv_window.update_due() {
            stream.is_long = true;
            let stream = stream.id;
            if self.lingering.contains(key) {
                return self.reset_stream(key, ErrorCode::NO_ERROR);
            }
            self.control.push(ControlFrame::WindowUpdate { stream, increment });
        }
    }

    fn measure(&mut self, octets: usize) {
        if self.ping(Purpose::Bandwidth) {
            self.bandwidth.start();
        }
        self.bandwidth.received(octets);
    }

    fn grow_windows(&mut self) {
        let (Some(rtt), window) = (self.pings.rtt(), self.recv_credit.target()) else { return };
        if let Some(grown) = self.bandwidth.finish(rtt, window) {
            tracing::debug!(window = grown, ?rtt, "flow-control windows grow");
            self.set_target_window_size(grown);
            if grown > self.local.coming_window() {
                self.set_initial_window_size(grown);
            }
        }
    }
}
