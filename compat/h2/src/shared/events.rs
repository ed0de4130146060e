//! What the connection tells, put where the handles look for it.
//!
//! Always true here: a waker is noted when what it waits for is there, and called when nothing is locked.

use millpond::{
    Misdeed,
    buffer::BufferPool,
    connection::{Event, StreamKey},
};

use super::{Inner, NOWHERE, Ping};
use crate::{
    Reason, StreamId,
    chunks::End,
    error::{Cause, Initiator},
    slot::{Half, Head, Slot},
};

impl Inner {
    /// Takes everything that the connection has to tell.
    pub(crate) fn settle(&mut self, pool: &BufferPool) {
        while let Some(event) = self.connection.poll_event() {
            self.handle(event, pool);
        }
        if !self.failed
            && let Some(failure) = self.connection.failure()
        {
            // Of two reasons the later counts, as in h2; the end of a socket or of all use is none beside another.
            let cause = Cause::new(failure, StreamId::ZERO, self.by_user);
            self.failed = true;
            match cause {
                Cause::GoAway(_, Reason::NO_ERROR, Initiator::Library) | Cause::Io(..) => {
                    self.over.get_or_insert(cause);
                }
                _ => self.over = Some(cause),
            }
        }
    }

    fn handle(&mut self, event: Event, pool: &BufferPool) {
        match event {
            Event::Request { key, stream, head, end_stream } => {
                let recv = if end_stream { Half::Ended } else { Half::Streaming };
                let mut slot = Slot::new(stream.into(), key, Half::AwaitingHead, recv);
                slot.opened = true;
                slot.unaccepted = true;
                slot.head = Some(Head::Request(head));
                let place = self.insert(slot, key);
                self.accept.push_back(place);
            }
            Event::Informational { key, head } => self.receive(key, |slot| slot.push_informational(*head)),
            Event::Response { key, head, end_stream } => self.receive(key, |slot| {
                slot.recv = if end_stream { Half::Ended } else { Half::Streaming };
                slot.head = Some(Head::Response(Box::new(head)));
            }),
            Event::Data { key, piece, end_frame, end_stream } => {
                let octets = piece.len();
                let Some(slot) = self.slot(key) else { return };
                if end_stream {
                    slot.recv = Half::Ended;
                }
                let end = match (end_stream, end_frame) {
                    (true, _) => End::Stream,
                    (false, true) => End::Frame,
                    (false, false) => End::Nothing,
                };
                let whole = if slot.reading {
                    let whole = slot.chunks.push(piece, end, pool);
                    slot.unreleased += whole.unwrap_or(0) as u32;
                    whole
                } else {
                    slot.discarded += octets as u32;
                    let whole = end_frame.then(|| std::mem::take(&mut slot.discarded) as usize);
                    self.connection.release_connection(octets);
                    whole
                };
                if let Some(octets) = whole.filter(|_| !end_stream)
                    && !self.budget.spend(octets)
                {
                    self.connection.fail(Misdeed::EmptyFrameFlood);
                }
                if end_frame {
                    self.receive(key, |_| ());
                }
            }
            Event::Trailers { key, trailers } => self.receive(key, |slot| {
                slot.recv = Half::Ended;
                slot.trailers = Some(Box::new(trailers));
            }),
            Event::Reset { key, error } => self.handle_reset(key, &error),
            Event::Opened { key } => {
                let Some(slot) = self.slot(key) else { return };
                slot.opened = true;
                let wakers = [slot.opener.take(), slot.writer.take()];
                self.wakers.extend(wakers.into_iter().flatten());
            }
            Event::Capacity { key, .. } | Event::Sent { key, .. } => self.note_growth(key),
            Event::Closed { key } => {
                let Some(place) = self.place(key) else { return };
                self.places[key.index()] = NOWHERE;
                self.slots[place as usize].key = None;
                self.forget_unused(place);
            }
            Event::RemoteSettings { max_concurrent_streams, enable_connect_protocol } => {
                self.max_send_streams = if max_concurrent_streams == u32::MAX {
                    usize::MAX
                } else {
                    max_concurrent_streams as usize
                };
                self.extended_connect = enable_connect_protocol;
                // Smaller windows take capacity away.
                let places: Vec<u32> = self.slots.iter().map(|(place, _)| place as u32).collect();
                places.into_iter().for_each(|place| self.note_loss(place));
            }
            Event::Pong => {
                self.ping = Ping::Answered;
                self.wakers.extend(self.ponged.take());
            }
            Event::GoAway { code, debug } => {
                let reason = Reason::from(code);
                self.over = Some(Cause::GoAway(debug.clone(), reason, Initiator::Remote));
                self.goaway = Some((debug, reason));
                // Whoever waits for a place to send another request waits in vain.
                let openers: Vec<_> =
                    self.slots.iter_mut().filter_map(|(_, slot)| slot.opener.take()).collect();
                self.wakers.extend(openers);
            }
            _ => {}
        }
    }

    fn handle_reset(&mut self, key: StreamKey, error: &millpond::Error) {
        let by_user = self.by_user;
        let Some(slot) = self.slot(key) else { return };
        slot.fail(Cause::new(error, slot.id, by_user));
        let wakers = slot.take_wakers();
        let unaccepted = slot.unaccepted && slot.is_remote_reset();
        self.wakers.extend(wakers);
        if unaccepted {
            self.reset_unaccepted += 1;
            if self.reset_unaccepted > self.max_reset_unaccepted {
                self.connection.fail(Misdeed::ResetFlood);
            }
        }
    }

    /// Something came for the reader.
    fn receive(&mut self, key: StreamKey, change: impl FnOnce(&mut Slot)) {
        let Some(slot) = self.slot(key) else { return };
        change(slot);
        let waker = slot.reader.take();
        self.wakers.extend(waker);
    }

    /// Octets were set aside or left the queue: whether there is more capacity than was known.
    fn note_growth(&mut self, key: StreamKey) {
        let capacity = self.capacity_of(key);
        let Some(slot) = self.slot(key) else { return };
        let known = std::mem::replace(&mut slot.capacity, capacity);
        if capacity > known {
            slot.capacity_grew = true;
            let waker = slot.writer.take();
            self.wakers.extend(waker);
        }
    }

    pub(super) fn insert(&mut self, mut slot: Slot, key: StreamKey) -> u32 {
        slot.window = self.connection.recv_capacity(key);
        let place = self.slots.insert(slot) as u32;
        if self.places.len() <= key.index() {
            self.places.resize(key.index() + 1, NOWHERE);
        }
        self.places[key.index()] = place;
        place
    }

    fn place(&self, key: StreamKey) -> Option<u32> {
        self.places.get(key.index()).copied().filter(|place| *place != NOWHERE)
    }

    fn slot(&mut self, key: StreamKey) -> Option<&mut Slot> {
        let place = self.place(key)?;
        self.slots.get_mut(place as usize)
    }

    pub(super) fn forget_unused(&mut self, place: u32) {
        let slot = &self.slots[place as usize];
        if slot.key.is_none() && slot.handles == 0 && !slot.unaccepted {
            self.slots.remove(place as usize);
            if self.slots.is_empty() {
                self.shrink();
            }
        }
    }
}
