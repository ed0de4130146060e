//! What is sent, and in which order (RFC 9113 §5.1, §5.2, §6.1, §6.2; RFC 9218 §10).
//!
//! Control frames first, then field sections in the order of asking, then DATA: the most urgent streams first,
//! equals in turn, one frame each. Always true here: DATA stays within the stream's window, the connection's
//! window and the peer's frame size; field blocks are encoded in the order of writing, as HPACK needs it; a
//! stream without credit stands in no queue that is polled, so work is in proportion to what is sent.

use std::collections::VecDeque;

use crate::{
    buffer::Outbound,
    error::{ErrorCode, Mistake},
    frame::{PREFACE, write},
    stream::{FieldSection, Input, State, of_head, of_trailers},
    stream_id::StreamId,
};

use super::{
    Event, StreamKey, control::ControlFrame, core::Core, settings::NO_LIMIT, spares, streams::Queue,
};

/// How much one call appends at the most, but for the last frame: enough for one large vectored write, little
/// enough that an urgent stream does not wait long behind it.
pub(super) const ENOUGH: usize = 256 << 10;

/// DATA frames of fewer octets are copied beside their headers, and take no part in the bound of
/// [`Connection::poll_transmit_some`](super::Connection::poll_transmit_some).
const SHARED: u32 = 1_024;

/// What a visit of the scheduler left behind.
enum Visit {
    /// Nothing more to send for now.
    Done,
    /// More DATA, and the window for it.
    More,
    /// More DATA, but no credit of the connection.
    NoCredit,
    /// More, for which it has to wait its turn.
    Turn,
}

impl Core {
    /// Appends what is to be sent, until about `enough` octets of large DATA frames are there.
    pub(super) fn transmit(&mut self, out: &mut Outbound, enough: usize) -> bool {
        let before = out.octets();
        self.transmit_preface(out);
        if self.config.manners.updates_late() && self.shutdown.failure().is_none() {
            self.transmit_late_updates(out);
        }
        self.transmit_control(out);
        if self.shutdown.failure().is_none() {
            self.transmit_streams(out, enough);
            // A stream that could not be finished, or need not be, was reset.
            self.transmit_control(out);
            if self.shutdown.eof {
                self.cut_stuck_streams();
            }
        }
        let written = out.octets() - before;
        self.octets_sent += written as u64;
        written > 0
    }

    /// Whether there is anything that neither a window nor the peer's limit of streams holds back.
    pub(super) fn wants_transmit(&self) -> bool {
        if self.send_preface || !self.control.is_empty() {
            return true;
        }
        if self.shutdown.failure().is_some() {
            return false;
        }
        self.streams.first(Queue::Heads).is_some()
            || self.can_open()
            || (self.config.manners.updates_late() && self.recv_credit.is_due_by_what_is_left(self.passing()))
    }

    /// Octets of the DATA frame that passes through, charged and not delivered yet.
    fn passing(&self) -> u32 {
        self.data.as_ref().map_or(0, |data| data.charged)
    }

    pub(super) fn transmit_preface(&mut self, out: &mut Outbound) -> bool {
        let due = std::mem::take(&mut self.send_preface);
        if due {
            out.put(PREFACE);
        }
        due
    }

    /// Writes everything that waits. What has a time limit gets its time here, for the application may have asked
    /// for it long after the last input.
    fn transmit_control(&mut self, out: &mut Outbound) {
        // Asked after every stream, and hardly ever is there any.
        if self.control.is_empty() {
            return;
        }
        let frames = self.control.take();
        self.write_control(frames, out);
    }

    fn write_control(&mut self, frames: VecDeque<ControlFrame>, out: &mut Outbound) {
        for frame in frames {
            match frame {
                ControlFrame::Settings(values) => {
                    self.local.written(self.now);
                    write::settings(out, &values.entries());
                }
                ControlFrame::SettingsAck => write::settings_ack(out),
                ControlFrame::Ping { ack, payload } => {
                    if !ack {
                        self.pings.written(payload, self.now);
                    }
                    write::ping(out, ack, payload);
                }
                ControlFrame::Reset { stream, code } => {
                    self.closed.written(self.now);
                    write::reset(out, stream, code);
                }
                ControlFrame::GoAway(goaway) => {
                    write::goaway(out, goaway.last_stream, goaway.code, &goaway.debug)
                }
                ControlFrame::WindowUpdate { stream, increment } => {
                    write::window_update(out, stream, increment)
                }
            }
        }
    }

    /// Windows, where they are looked at when it comes to writing: after what answers the peer, before resets.
    fn transmit_late_updates(&mut self, out: &mut Outbound) {
        let frames = self.control.take_but_resets();
        self.write_control(frames, out);
        if let Some(increment) = self.recv_credit.update_due_by_what_is_left(self.passing()) {
            write::window_update(out, StreamId::CONNECTION, increment);
        }
        for id in self.control.take_due() {
            let Some(stream) = self.streams.find(id).and_then(|key| self.streams.get_mut(key)) else {
                continue;
            };
            if stream.state.can_recv()
                && let Some(increment) = stream.recv_window.update_due_by_what_is_left()
            {
                write::window_update(out, id, increment);
            }
        }
    }

    fn transmit_streams(&mut self, out: &mut Outbound, enough: usize) {
        if self.config.manners.opens_when_written() {
            let before = self.octets_shared;
            while out.octets() < ENOUGH && (self.octets_shared - before) < enough as u64 {
                if let Some(key) = self.open_next() {
                    self.streams.push_front(key, Queue::Heads);
                    self.assign(key);
                    self.drop_stuck_data(key);
                }
                let Some(key) = self.streams.pop(Queue::Heads) else { return };
                self.visit(key, out, false);
                // A reset goes before the stream that takes the place.
                self.transmit_control(out);
            }
            return;
        }
        let enough = enough.min(ENOUGH);
        while out.octets() < enough
            && let Some(key) = self.streams.pop(Queue::Heads)
        {
            self.visit(key, out, false);
            // §5.1.2: a reset goes before the stream that takes the place.
            self.transmit_control(out);
        }
        while out.octets() < enough
            && self.send_credit.available() > 0
            && let Some(key) = self.streams.pop_data()
        {
            self.visit(key, out, true);
        }
    }

    /// Sends what a stream has: field sections, and one frame of DATA. `was_first` says that it was its turn among
    /// those with DATA.
    fn visit(&mut self, key: StreamKey, out: &mut Outbound, was_first: bool) {
        let before = out.octets();
        let visit = self.transmit_stream(key, out);
        if out.octets() > before {
            self.note_movement(key);
        }
        let Some(stream) = self.streams.get(key) else { return };
        let (queue, sequential) = (Queue::Data(stream.priority.urgency), !stream.priority.incremental);
        match visit {
            Visit::Done => {}
            // The queues for DATA wait for credit that is common; this stream has some of its own, or the head is
            // all it could send in its turn.
            Visit::More if stream.assigned > 0 => self.streams.push_back(key, Queue::Heads),
            Visit::Turn => self.streams.push_back(key, Queue::Heads),
            // RFC 9218 §4.2: one that is not incremental is of use only when whole, so it goes on alone. The others
            // wait in the order in which they came.
            Visit::More | Visit::NoCredit if sequential && was_first => self.streams.push_front(key, queue),
            Visit::More | Visit::NoCredit => self.streams.push_back(key, queue),
        }
    }

    fn transmit_stream(&mut self, key: StreamKey, out: &mut Outbound) -> Visit {
        let manners = self.config.manners;
        let (mut sent_data, mut sent_section) = (false, false);
        loop {
            let Some(stream) = self.streams.get_mut(key) else { return Visit::Done };
            let id = stream.id;
            if (sent_section || sent_data) && manners.one_frame_a_turn() {
                return if stream.is_sendable() { Visit::Turn } else { Visit::Done };
            }
            if let Some(code) = stream.reset_next() {
                self.reset_stream(key, code);
                return Visit::Done;
            }
            if let Some((section, end)) = stream.queue.pop_section() {
                if !self.write_section(key, id, &section, end, out) {
                    return Visit::Done;
                }
                spares::put(section.into_fields());
                if end {
                    self.end_sent(key);
                    return Visit::Done;
                }
                sent_section = true;
                continue;
            }
            if stream.queue.pop_end() {
                write::data_header(out, id, 0, true);
                self.end_sent(key);
                return Visit::Done;
            }
            if let Some(end) = stream.queue.pop_empty_data() {
                write::data_header(out, id, 0, end);
                if end {
                    self.end_sent(key);
                    return Visit::Done;
                }
                sent_data = true;
                continue;
            }
            if stream.queue.data_octets() == 0 {
                return Visit::Done;
            }
            let window = stream.send_window.available();
            let common = if manners.assigns_when_queued() { 0 } else { self.send_credit.available() };
            let credit = stream.assigned.saturating_add(common);
            if window == 0 {
                return Visit::Done;
            }
            if credit == 0 {
                // Credit that is set aside brings it back.
                return if manners.assigns_when_queued() { Visit::Done } else { Visit::NoCredit };
            }
            if sent_data {
                return Visit::More;
            }
            let limit = window.min(credit).min(self.remote.max_frame_size);
            let Some((data, end)) = stream.queue.pop_data(limit as usize) else { return Visit::Done };
            let octets = data.len() as u32;
            self.note_unqueued(key);
            let Some(stream) = self.streams.get_mut(key) else { return Visit::Done };
            stream.send_window.spend(octets);
            stream.assigned = self.send_credit.spend(octets, stream.assigned);
            stream.sent_unreported = stream.sent_unreported.saturating_add(octets);
            write::data_header(out, id, octets, end);
            out.put_bytes(data);
            if octets >= SHARED {
                self.octets_shared += u64::from(octets);
            }
            self.limits.sent(octets);
            sent_data = true;
            if end {
                self.end_sent(key);
                return Visit::Done;
            }
            self.report_sent(key);
        }
    }

    /// Tells the application that its queue has room again: when it is empty, or a quarter of the bound went
    /// out, and only if it may still send.
    fn report_sent(&mut self, key: StreamKey) {
        let quarter = self.config.max_send_buffer_size / 4;
        let Some(stream) = self.streams.get_mut(key) else { return };
        if stream.abandoned || stream.queue.is_ended() {
            return;
        }
        if stream.queue.data_octets() == 0 || stream.sent_unreported as usize >= quarter {
            let octets = std::mem::take(&mut stream.sent_unreported) as usize;
            self.events.push_back(Event::Sent { key, octets });
        }
    }

    /// Writes a head or trailers. `false`: it cannot be sent and the stream was ended.
    fn write_section(
        &mut self,
        key: StreamKey,
        id: StreamId,
        section: &FieldSection,
        end: bool,
        out: &mut Outbound,
    ) -> bool {
        let max_list = match self.remote.max_header_list_size {
            NO_LIMIT => usize::MAX,
            _ if self.config.manners.ignores_max_header_list_size() => usize::MAX,
            max => max as usize,
        };
        let fields = match section {
            FieldSection::Head(head) => of_head(head),
            FieldSection::Trailers(trailers) => of_trailers(trailers),
        };
        if max_list < usize::MAX && fields.octets() > max_list {
            // §10.5.1: the peer has said that it will not take it.
            return self.refuse_section(
                key,
                Mistake::BadHead("field section larger than the peer's SETTINGS_MAX_HEADER_LIST_SIZE"),
            );
        }
        let Some(stream) = self.streams.get_mut(key) else { return false };
        match section {
            FieldSection::Head(head) => stream.connect_request &= !head.is_refusal(),
            // §8.5: a tunnel has nothing but DATA.
            _ if stream.connect_request && !self.config.manners.has_trailers_in_tunnels() => {
                return self
                    .refuse_section(key, Mistake::BadHead("a tunnel has no trailers (RFC 9113 §8.5)"));
            }
            _ => {}
        }
        if let Ok(next) = stream.state.after(Input::SendHeaders { end: false }) {
            stream.state = next;
        }
        let (encoder, max_frame_size) = (&mut self.encoder, self.remote.max_frame_size);
        let bound = encoder.bound(fields.iter());
        write::headers(out, id, end, max_frame_size, bound, |to| encoder.encode(fields.iter(), to));
        true
    }

    /// Ends a stream on which the application wants to send what cannot be sent.
    fn refuse_section(&mut self, key: StreamKey, mistake: Mistake) -> bool {
        self.tell_reset(key, mistake.into());
        self.reset_stream(key, ErrorCode::INTERNAL_ERROR);
        false
    }

    /// END_STREAM went out.
    fn end_sent(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        if let Ok(next) = stream.state.after(Input::SendData { end: true }) {
            stream.state = next;
        }
        let (assigned, abandoned) = (std::mem::take(&mut stream.assigned), stream.abandoned);
        stream.wanted = 0;
        let closed = stream.state == State::Closed;
        // What was set aside and not needed goes back to all.
        self.send_credit.unassign(assigned);
        if closed {
            self.limits.finished();
            self.close(key);
        } else if abandoned {
            self.end_abandoned(key);
        } else {
            self.schedule(key);
        }
        self.assign_waiting();
    }

    /// Puts a stream where the scheduler finds it, if it has anything to send that its window allows.
    pub(super) fn schedule(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.get(key) else { return };
        // A request that does not count yet waits in the queue for MAX_CONCURRENT_STREAMS.
        let nothing = stream.queue.is_empty() && stream.reset_next().is_none();
        if !stream.counted || self.streams.send_queue_of(key).is_some() || nothing {
            return;
        }
        let data_first = stream.reset_next().is_none() && stream.queue.begins_with_data();
        if !data_first || (stream.assigned > 0 && stream.send_window.available() > 0) {
            self.streams.push_back(key, Queue::Heads);
        } else if self.config.manners.assigns_when_queued() {
            // It stands in the queue for capacity.
        } else if stream.send_window.available() > 0 {
            self.streams.push_back(key, Queue::Data(stream.priority.urgency));
        }
    }
}
