//! Server push, which is left out: the names are there, promises never come (RFC 9113 §8.4).

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

use http::{Request, Response};

use super::ResponseFuture;
use crate::{Error, RecvStream, StreamId, share::StreamRef};

/// The promises that belong to a request: none.
#[must_use = "streams do nothing unless polled"]
pub struct PushPromises {
    /// As in h2 it keeps the stream alive.
    _stream: StreamRef,
}

impl PushPromises {
    pub(super) fn new(stream: StreamRef) -> Self {
        PushPromises { _stream: stream }
    }

    /// The next promise: there is none.
    pub async fn push_promise(&mut self) -> Option<Result<PushPromise, Error>> {
        poll_fn(|cx| self.poll_push_promise(cx)).await
    }

    /// As [`push_promise`](Self::push_promise).
    pub fn poll_push_promise(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<PushPromise, Error>>> {
        Poll::Ready(None)
    }
}

#[cfg(feature = "stream")]
impl futures_core::Stream for PushPromises {
    type Item = Result<PushPromise, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_push_promise(cx)
    }
}

impl fmt::Debug for PushPromises {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushPromises").finish_non_exhaustive()
    }
}

/// A promised request and its response. None is ever made.
#[derive(Debug)]
pub struct PushPromise {
    request: Request<()>,
    response: PushedResponseFuture,
}

impl PushPromise {
    /// The promised request.
    pub fn request(&self) -> &Request<()> {
        &self.request
    }

    /// The promised request.
    pub fn request_mut(&mut self) -> &mut Request<()> {
        &mut self.request
    }

    /// Both halves.
    pub fn into_parts(self) -> (Request<()>, PushedResponseFuture) {
        (self.request, self.response)
    }
}

/// The response to a promised request. None is ever made.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct PushedResponseFuture {
    response: ResponseFuture,
}

impl PushedResponseFuture {
    /// The stream's identifier.
    pub fn stream_id(&self) -> StreamId {
        self.response.stream_id()
    }
}

impl Future for PushedResponseFuture {
    type Output = Result<Response<RecvStream>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.response).poll(cx)
    }
}
