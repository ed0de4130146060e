//! One call: the request on its way, and the response to come.
//!
//! Always true here: a request whose body is ready at once goes to the driver in one piece and needs no task;
//! dropping the future, or the response before its end, cancels the call; no call outlives its deadline.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body as HttpBody;
use tokio::time::Sleep;

use crate::{
    adapter::{Body, BoxError, CallError, Pump, deadline_of, shorter},
    error::{Error, Mistake},
    handle::{RecvStream, ResponseFuture, SendRequest},
    stream::{Head, SendQueue},
};

use super::Shared;

/// The response to come. Dropping it cancels the call.
#[must_use = "futures do nothing unless polled"]
pub struct CallFuture<B> {
    stage: Stage<B>,
    deadline: Option<Pin<Box<Sleep>>>,
}

enum Stage<B> {
    /// Nothing was sent yet.
    Ready {
        sender: SendRequest,
        /// Begins with the head.
        queue: SendQueue,
        body: Option<B>,
    },
    /// The request is on its way; what is left of its body is here until the response comes.
    Waiting {
        response: ResponseFuture,
        rest: Option<Pin<Box<Pump<B>>>>,
    },
    Failed(Option<CallError>),
}

impl<B> CallFuture<B> {
    pub(super) fn failed(error: CallError) -> Self {
        CallFuture { stage: Stage::Failed(Some(error)), deadline: None }
    }

    pub(super) fn new(sender: SendRequest, request: Request<B>, shared: &Arc<Shared>) -> Self {
        let timeout = shorter(deadline_of(request.headers()), shared.timeout);
        let (head, body) = request.into_parts();
        let stage = match Head::of_request(Request::from_parts(head, ())) {
            Ok(head) => {
                let mut queue = SendQueue::new();
                queue.push_head(head);
                Stage::Ready { sender, queue, body: Some(body) }
            }
            Err(mistake) => Stage::Failed(Some(Error::from(mistake).into())),
        };
        let deadline = timeout.map(|timeout| Box::pin(tokio::time::sleep(timeout)));
        CallFuture { stage, deadline }
    }
}

impl<B> Future for CallFuture<B>
where
    B: HttpBody + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<Body>, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::Ready { .. } => this.stage = this.start(cx),
                Stage::Waiting { response, rest } => {
                    if let Some(sending) = rest
                        && let Poll::Ready(sent) = sending.as_mut().poll(cx)
                    {
                        *rest = None;
                        // A stream that failed says why by its response; a body that failed, here.
                        if let Err(error) = sent
                            && error.transport().is_none()
                        {
                            this.stage = Stage::Failed(Some(error));
                            continue;
                        }
                    }
                    if let Poll::Ready(response) = Pin::new(response).poll(cx) {
                        let mut response = response?;
                        if let Some(rest) = rest.take() {
                            tokio::spawn(rest);
                            // A call whose response nobody reads is cancelled, the rest of its request with it.
                            response = response.map(RecvStream::cancel_when_dropped);
                        }
                        let deadline = this.deadline.take();
                        return Poll::Ready(Ok(response.map(|body| Body::new(body, deadline))));
                    }
                    break;
                }
                Stage::Failed(error) => {
                    let error = error.take().unwrap_or_else(|| Error::from(Mistake::Inactive).into());
                    return Poll::Ready(Err(error));
                }
            }
        }
        if this.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(cx).is_ready()) {
            // Dropping the handles cancels the stream.
            this.stage = Stage::Failed(None);
            return Poll::Ready(Err(CallError::deadline_exceeded()));
        }
        Poll::Pending
    }
}

impl<B> CallFuture<B>
where
    B: HttpBody + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn start(&mut self, cx: &mut Context<'_>) -> Stage<B> {
        let ready = std::mem::replace(&mut self.stage, Stage::Failed(None));
        let Stage::Ready { mut sender, mut queue, body: Some(body) } = ready else { return ready };
        let enough = sender.max_send_buffer();
        if body.is_end_stream() {
            queue.push_end();
            return match sender.send_queue(queue) {
                Ok((response, _)) => Stage::Waiting { response, rest: None },
                Err(error) => Stage::Failed(Some(error.into())),
            };
        }
        let mut sending = Box::pin(Pump::new(body));
        let mut response = None;
        let started = sending.as_mut().start(cx, queue, enough, |queue| {
            let (future, stream) = sender.send_queue(queue)?;
            response = Some(future);
            Ok(stream)
        });
        match (started, response) {
            (Ok(ended), Some(response)) => Stage::Waiting { response, rest: (!ended).then_some(sending) },
            (Err(error), _) => Stage::Failed(Some(error)),
            (Ok(_), None) => Stage::Failed(None),
        }
    }
}

// The body is pinned in a box of its own.
impl<B> Unpin for CallFuture<B> {}

impl<B> std::fmt::Debug for CallFuture<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallFuture").finish_non_exhaustive()
    }
}
