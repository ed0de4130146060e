//! The body of a request or a response, as services and clients see it.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;

use crate::{error::ErrorCode, handle::RecvStream};

use super::CallError;

/// An [`http_body::Body`] that comes from the peer. Credit for each frame returns when it is taken; dropping
/// the body before its end cancels what is still to come.
pub struct Body {
    stream: RecvStream,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Body {
    pub(crate) fn new(stream: RecvStream, deadline: Option<Pin<Box<Sleep>>>) -> Self {
        // A body that is complete needs no deadline.
        let deadline = deadline.filter(|_| !stream.is_end_stream());
        Body { stream, deadline }
    }

    /// The handle below, to read with h2's words and to release by hand. The call's deadline, if it had one, is
    /// the caller's business from then on.
    pub fn into_inner(self) -> RecvStream {
        self.stream
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = CallError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CallError>>> {
        let this = &mut *self;
        // Asked first: a body that always has more must not outlive it.
        if this.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(cx).is_ready()) {
            this.deadline = None;
            this.stream.send_reset(ErrorCode::CANCEL);
            return Poll::Ready(Some(Err(CallError::deadline_exceeded())));
        }
        Pin::new(&mut this.stream)
            .poll_frame(cx)
            .map(|frame| frame.map(|frame| frame.map_err(CallError::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.stream)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("stream", &self.stream).finish_non_exhaustive()
    }
}
