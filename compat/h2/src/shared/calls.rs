//! What handles ask of the connection.
//!
//! Always true here: a call has its whole effect before it returns; what h2 checks is checked in h2's order.

use std::task::{Context, Poll};

use http::{HeaderMap, Request, Response};
use millpond::connection::{Head as SendHead, SendQueue, StreamKey};

use super::Inner;
use crate::{
    Error, Reason,
    error::{Cause, UserError},
    slot::{Half, Slot, register},
};

impl Inner {
    /// The slot of a handle: it lives as long as the handle.
    pub(crate) fn at(&mut self, place: u32) -> &mut Slot {
        &mut self.slots[place as usize]
    }

    pub(crate) fn add_ref(&mut self, place: Option<u32>) {
        self.refs += 1;
        if let Some(place) = place {
            self.at(place).handles += 1;
        }
    }

    pub(crate) fn drop_sender(&mut self) {
        self.refs -= 1;
        self.wake_task |= self.refs == 0;
    }

    /// A handle of a stream is dropped; with the last one the stream is let go.
    pub(crate) fn drop_handle(&mut self, place: u32) {
        self.refs -= 1;
        self.wake_task |= self.refs == 0;
        let slot = self.at(place);
        slot.handles -= 1;
        if slot.handles > 0 {
            return;
        }
        slot.reading = false;
        let octets = std::mem::take(&mut slot.unreleased) + slot.chunks.unfinished();
        slot.discarded += slot.chunks.unfinished();
        let (_, cost) = slot.chunks.clear();
        let (key, closed) = (slot.key, slot.is_closed());
        self.budget.pay_back(cost);
        self.connection.release_connection(octets as usize);
        match key {
            Some(key) if !closed => self.connection.abandon(key),
            Some(_) => {}
            None => self.forget_unused(place),
        }
    }

    /// Nobody reads the body any more: what is unread returns to the connection, and so does what still comes.
    pub(crate) fn stop_reading(&mut self, place: u32) {
        let slot = self.at(place);
        slot.reading = false;
        slot.discarded += slot.chunks.unfinished();
        let unfinished = slot.chunks.unfinished();
        let (unread, cost) = slot.chunks.clear();
        // What was taken and not released stays with the other handles.
        let unread = unread.min(slot.unreleased);
        slot.unreleased -= unread;
        self.budget.pay_back(cost);
        self.connection.release_connection((unread + unfinished) as usize);
    }

    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if let Some(over) = &self.over {
            return Err(over.clone().into());
        }
        if self.next_id.is_none() { Err(UserError::OverflowedStreamId.into()) } else { Ok(()) }
    }

    /// Opens a stream for a request; says whether the next one has to wait for this to be opened.
    pub(crate) fn send_request(&mut self, request: Request<()>, end: bool) -> Result<(u32, bool), Error> {
        self.check_open()?;
        let id = self.next_id.ok_or(UserError::OverflowedStreamId)?;
        // An identifier is used up even if the request cannot be sent, as in h2.
        self.next_id = id.next();
        let uri = request.uri();
        if uri.scheme().is_none() && uri.authority().is_none() && request.version() == http::Version::HTTP_2 {
            return Err(UserError::MissingUriSchemeAndAuthority.into());
        }
        check_fields(request.headers())?;
        let mut queue = SendQueue::new();
        queue.push_head(SendHead::Request(request));
        if end {
            queue.push_end();
        }
        let key = match self.connection.open(id, &mut queue) {
            Ok(key) => key,
            Err(error) => return Err(Cause::new(&error, id.into(), self.by_user).into()),
        };
        let send = if end { Half::Ended } else { Half::Streaming };
        let place = self.insert(Slot::new(id.into(), key, send, Half::AwaitingHead), key);
        let (open, _) = self.connection.concurrent_streams();
        Ok((place, self.max_send_streams <= open as usize + 1))
    }

    pub(crate) fn send_response(
        &mut self,
        place: u32,
        head: Response<()>,
        end: bool,
    ) -> Result<(), UserError> {
        check_fields(head.headers())?;
        let slot = self.at(place);
        if slot.send != Half::AwaitingHead {
            return Err(UserError::UnexpectedFrameType);
        }
        slot.send = if end { Half::Ended } else { Half::Streaming };
        self.queue_head(place, head, end);
        Ok(())
    }

    pub(crate) fn send_informational(&mut self, place: u32, head: Response<()>) -> Result<(), UserError> {
        check_fields(head.headers())?;
        self.queue_head(place, head, false);
        Ok(())
    }

    fn queue_head(&mut self, place: u32, head: Response<()>, end: bool) {
        let mut queue = SendQueue::new();
        queue.push_head(SendHead::Response(head));
        if end {
            queue.push_end();
        }
        self.queue(place, &mut queue);
    }

    fn queue(&mut self, place: u32, queue: &mut SendQueue) {
        if let Some(key) = self.at(place).key {
            self.connection.send(key, queue);
            self.note_loss(place);
        }
    }

    /// What is not taken stays in `queue`, to be dropped when nothing is locked: it is the application's.
    pub(crate) fn send_data(&mut self, place: u32, queue: &mut SendQueue) -> Result<(), UserError> {
        let slot = self.at(place);
        slot.check_sending()?;
        if queue.is_ended() {
            slot.send = Half::Ended;
        }
        self.queue(place, queue);
        Ok(())
    }

    pub(crate) fn send_trailers(&mut self, place: u32, trailers: HeaderMap) -> Result<(), UserError> {
        check_fields(&trailers)?;
        let slot = self.at(place);
        if slot.send != Half::Streaming {
            return Err(UserError::UnexpectedFrameType);
        }
        slot.send = Half::Ended;
        let mut queue = SendQueue::new();
        queue.push_trailers(trailers);
        self.queue(place, &mut queue);
        Ok(())
    }

    pub(crate) fn send_reset(&mut self, place: u32, reason: Reason) {
        let slot = self.at(place);
        if slot.is_reset() {
            return;
        }
        slot.reset(reason);
        let (key, wakers) = (slot.key, slot.take_wakers());
        self.wakers.extend(wakers);
        if let Some(key) = key {
            self.connection.reset(key, reason.into());
        }
    }

    pub(crate) fn reserve_capacity(&mut self, place: u32, octets: usize) {
        let slot = self.at(place);
        let (Half::Streaming, Some(key)) = (slot.send, slot.key) else { return };
        // Octets on top of what is queued, cut to 32 bits as in h2.
        let queued = self.connection.queued(key);
        let wanted = u32::try_from(octets as u32 as usize + queued).unwrap_or(u32::MAX);
        let assigned = self.connection.assigned(key);
        self.connection.reserve(key, wanted.saturating_sub(assigned));
        if assigned > wanted {
            self.connection.give_back(key, assigned - wanted);
        }
        self.note_loss(place);
    }

    pub(crate) fn capacity(&mut self, place: u32) -> u32 {
        self.at(place).key.map_or(0, |key| self.capacity_of(key))
    }

    /// Octets that may be queued: those set aside, as far as the send buffer takes them, less those queued.
    pub(super) fn capacity_of(&self, key: StreamKey) -> u32 {
        let assigned = self.connection.assigned(key).min(self.max_send_buffer) as usize;
        assigned.saturating_sub(self.connection.queued(key)) as u32
    }

    /// There may be less capacity than was known.
    pub(super) fn note_loss(&mut self, place: u32) {
        let capacity = self.capacity(place);
        let slot = self.at(place);
        slot.capacity = slot.capacity.min(capacity);
    }

    pub(crate) fn poll_capacity(&mut self, cx: &Context<'_>, place: u32) -> Poll<Option<u32>> {
        let capacity = self.capacity(place);
        let slot = self.at(place);
        if slot.send != Half::Streaming {
            return Poll::Ready(None);
        }
        if std::mem::take(&mut slot.capacity_grew) && capacity > 0 {
            return Poll::Ready(Some(capacity));
        }
        register(&mut slot.writer, cx);
        Poll::Pending
    }

    pub(crate) fn release_capacity(&mut self, place: u32, octets: usize) -> Result<(), UserError> {
        let slot = self.at(place);
        let released = u32::try_from(octets).ok().filter(|octets| *octets <= slot.unreleased);
        let released = released.ok_or(UserError::ReleaseCapacityTooBig)?;
        slot.unreleased -= released;
        let key = slot.key;
        self.connection.release_connection(octets);
        if let Some(key) = key {
            self.connection.release(key, released);
        }
        Ok(())
    }

    pub(crate) fn available_capacity(&mut self, place: u32) -> isize {
        let known = self.at(place).key.map(|key| self.connection.recv_capacity(key));
        let slot = self.at(place);
        if let Some(left) = known {
            slot.window = left + i64::from(slot.unreleased);
        }
        (slot.window - i64::from(slot.unreleased)) as isize
    }

    /// Whether the stream has its place among the concurrent ones, or never will.
    pub(crate) fn is_opened(&mut self, place: u32) -> bool {
        let slot = self.at(place);
        slot.opened || slot.key.is_none()
    }

    /// Waits until the stream has its place among the concurrent ones, or never will.
    pub(crate) fn poll_opened(&mut self, cx: &Context<'_>, place: u32) -> Poll<()> {
        if self.is_opened(place) {
            return Poll::Ready(());
        }
        register(&mut self.at(place).opener, cx);
        Poll::Pending
    }
}

/// Fields that HTTP/2 has no place for (RFC 9113 §8.2.2).
fn check_fields(fields: &HeaderMap) -> Result<(), UserError> {
    millpond::connection::check_trailers(fields).map_err(|_| UserError::MalformedHeaders)
}
