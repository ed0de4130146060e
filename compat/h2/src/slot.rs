//! One stream as its handles see it: how far each direction is, what came and was not taken, and who waits.
//!
//! Always true here: a direction moves when the application queues or the connection delivers, not when octets leave;
//! the first cause of the end stays; octets that were delivered are released exactly once.

use std::{
    collections::VecDeque,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use millpond::{buffer::BufferPool, connection::StreamKey};

use crate::{
    Error, Reason, StreamId,
    chunks::Chunks,
    error::{Cause, Initiator, UserError},
};

/// How far one direction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    /// The final head is still to come.
    AwaitingHead,
    Streaming,
    Ended,
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) id: StreamId,
    /// Where the connection keeps it; `None` once it is forgotten there.
    pub(crate) key: Option<StreamKey>,
    pub(crate) handles: u32,
    /// Whether it stands in the queue of requests to be accepted.
    pub(crate) unaccepted: bool,
    /// Whether it has a place among the concurrent streams (§5.1.2).
    pub(crate) opened: bool,
    /// Whether anyone reads the body.
    pub(crate) reading: bool,
    /// Capacity came since `poll_capacity` last said so.
    pub(crate) capacity_grew: bool,
    /// The capacity as it was last known.
    pub(crate) capacity: u32,
    pub(crate) send: Half,
    pub(crate) recv: Half,
    cause: Option<Box<Ending>>,
    pub(crate) head: Option<Head>,
    #[expect(clippy::box_collection, reason = "rare, and a slot is to stay small")]
    informational: Option<Box<VecDeque<Response<()>>>>,
    pub(crate) chunks: Chunks,
    pub(crate) trailers: Option<Box<HeaderMap>>,
    /// Octets delivered and not released.
    pub(crate) unreleased: u32,
    /// Octets of the frame in hand that nobody will read.
    pub(crate) discarded: u32,
    pub(crate) reader: Option<Waker>,
    /// One for capacity and reset, as in h2.
    pub(crate) writer: Option<Waker>,
    /// Whoever waits for the place of this request.
    pub(crate) opener: Option<Waker>,
    /// The stream's window as it was last known, with what is not released.
    pub(crate) window: i64,
}

#[derive(Debug)]
struct Ending {
    cause: Cause,
    /// The peer had ended its side before: what it sent is whole.
    after_end: bool,
}

/// The head that came and was not taken.
#[derive(Debug)]
pub(crate) enum Head {
    Request(Box<Request<()>>),
    Response(Box<Response<()>>),
}

/// Whether a waiting reset may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PollReset {
    AwaitingHead,
    Streaming,
}

/// A peer may send informational heads without end; the application sees the last few.
const MAX_INFORMATIONAL: usize = 8;

impl Slot {
    pub(crate) fn new(id: StreamId, key: StreamKey, send: Half, recv: Half) -> Self {
        Slot {
            id,
            key: Some(key),
            handles: 0,
            unaccepted: false,
            opened: false,
            reading: true,
            capacity_grew: false,
            capacity: 0,
            send,
            recv,
            cause: None,
            head: None,
            informational: None,
            chunks: Chunks::default(),
            trailers: None,
            unreleased: 0,
            discarded: 0,
            reader: None,
            writer: None,
            opener: None,
            window: 0,
        }
    }

    /// Whoever waits for anything.
    pub(crate) fn take_wakers(&mut self) -> impl Iterator<Item = Waker> + use<> {
        [self.reader.take(), self.writer.take(), self.opener.take()].into_iter().flatten()
    }

    /// Whether neither direction goes on.
    pub(crate) fn is_closed(&self) -> bool {
        self.cause.is_some() || (self.send == Half::Ended && self.recv == Half::Ended)
    }

    /// Whether it was reset, by whomever.
    pub(crate) fn is_reset(&self) -> bool {
        self.cause.is_some()
    }

    /// Whether the peer reset it.
    pub(crate) fn is_remote_reset(&self) -> bool {
        self.cause.as_ref().is_some_and(|ending| ending.cause.is_remote_reset())
    }

    /// The connection says that the stream failed.
    pub(crate) fn fail(&mut self, cause: Cause) {
        let remote = cause.is_remote_reset();
        // Both sides had ended it: only a reset can still come, for what is not written yet.
        if self.cause.is_some() || (self.is_closed() && !remote) {
            return;
        }
        self.end_with(cause, remote && self.recv == Half::Ended);
    }

    /// The application resets it.
    pub(crate) fn reset(&mut self, reason: Reason) {
        self.end_with(Cause::Reset(self.id, reason, Initiator::User), false);
    }

    fn end_with(&mut self, cause: Cause, after_end: bool) {
        self.cause = Some(Box::new(Ending { cause, after_end }));
        self.send = Half::Ended;
    }

    /// Whether DATA or trailers may be queued.
    pub(crate) fn check_sending(&self) -> Result<(), UserError> {
        match self.send {
            Half::Streaming => Ok(()),
            _ if self.is_closed() => Err(UserError::InactiveStreamId),
            _ => Err(UserError::UnexpectedFrameType),
        }
    }

    pub(crate) fn push_informational(&mut self, head: Response<()>) {
        let heads = self.informational.get_or_insert_default();
        if heads.len() == MAX_INFORMATIONAL {
            heads.pop_front();
        }
        heads.push_back(head);
    }

    /// The final response; informational ones before it are for `poll_informational` only.
    pub(crate) fn poll_response(&mut self, cx: &Context<'_>) -> Poll<Result<Response<()>, Error>> {
        self.informational = None;
        if let Some(Head::Response(head)) = self.head.take() {
            return Poll::Ready(Ok(*head));
        }
        match self.poll_open(cx) {
            Poll::Ready(Ok(())) => {
                Poll::Ready(Err(Cause::Reset(self.id, Reason::PROTOCOL_ERROR, Initiator::Library).into()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }

    pub(crate) fn poll_informational(
        &mut self,
        cx: &Context<'_>,
    ) -> Poll<Option<Result<Response<()>, Error>>> {
        if let Some(head) = self.informational.as_mut().and_then(|heads| heads.pop_front()) {
            return Poll::Ready(Some(Ok(head)));
        }
        self.informational = None;
        if self.head.is_some() {
            return Poll::Ready(None);
        }
        self.poll_open(cx).map(|open| open.err().map(Err))
    }

    /// The next chunk, and what it cost of the budget.
    pub(crate) fn poll_data(
        &mut self,
        cx: &Context<'_>,
        pool: &BufferPool,
    ) -> Poll<Option<Result<(Bytes, u32), Error>>> {
        if let Some(chunk) = self.chunks.pop(pool) {
            return Poll::Ready(Some(Ok(chunk)));
        }
        if self.trailers.is_some() {
            return Poll::Ready(None);
        }
        self.poll_open(cx).map(|open| open.err().map(Err))
    }

    pub(crate) fn poll_trailers(&mut self, cx: &Context<'_>) -> Poll<Result<Option<HeaderMap>, Error>> {
        if !self.chunks.is_empty() {
            register(&mut self.reader, cx);
            return Poll::Pending;
        }
        if let Some(trailers) = self.trailers.take() {
            return Poll::Ready(Ok(Some(*trailers)));
        }
        self.poll_open(cx).map_ok(|()| None)
    }

    /// Waits for more to come: ready at the end.
    fn poll_open(&mut self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        match &self.cause {
            Some(ending) if !ending.after_end => return Poll::Ready(Err(ending.cause.clone().into())),
            Some(_) => return Poll::Ready(Ok(())),
            None if self.recv == Half::Ended => return Poll::Ready(Ok(())),
            None => {}
        }
        register(&mut self.reader, cx);
        Poll::Pending
    }

    /// Whether everything was taken and the peer has ended its side.
    pub(crate) fn is_end_stream(&self) -> bool {
        let ended = match &self.cause {
            Some(ending) => ending.after_end,
            None => self.recv == Half::Ended,
        };
        ended && self.chunks.is_empty() && self.trailers.is_none() && self.head.is_none()
    }

    pub(crate) fn poll_reset(&mut self, cx: &Context<'_>, mode: PollReset) -> Poll<Result<Reason, Error>> {
        if let Some(ending) = &self.cause {
            return Poll::Ready(match ending.cause.reason() {
                Some(reason) => Ok(reason),
                None => Err(ending.cause.clone().into()),
            });
        }
        if self.send == Half::Streaming && mode == PollReset::AwaitingHead {
            return Poll::Ready(Err(UserError::PollResetAfterSendResponse.into()));
        }
        register(&mut self.writer, cx);
        Poll::Pending
    }
}

/// Keeps the waker of this task, without a clone where it is the same as before.
pub(crate) fn register(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}
