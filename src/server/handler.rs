//! One request on its way through the service and back.
//!
//! Always true here: the handler is dropped as soon as its stream is reset or its deadline passes; a panic of
//! the service resets the stream and nothing else; what is ready at once goes out in one piece.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
    task::{Context, Poll},
};

use http::{Method, Request, Response, StatusCode, header};
use http_body::Body as HttpBody;
use pin_project_lite::pin_project;
use tokio::time::Sleep;

use crate::{
    adapter::{BoxError, CallError, Pump, is_grpc, trailers_only},
    error::{Error, ErrorCode, Mistake},
    handle::{SendResponse, Shared},
    stream::{Head, SendQueue, is_connection_specific},
};

use super::{Options, date};

/// Makes the span in which a handler runs.
pub(super) type TraceFn = Arc<dyn Fn(&Request<()>) -> tracing::Span + Send + Sync>;

pin_project! {
    #[project = StateProject]
    enum State<F, B> {
        /// The service is at work.
        Calling { #[pin] future: F },
        /// The head went out; the body follows as there is room.
        Sending { #[pin] pump: Pump<B> },
    }
}

pin_project! {
    /// A request being answered.
    pub(super) struct Handler<F, B> {
        #[pin]
        state: State<F, B>,
        call: Call,
    }

    impl<F, B> PinnedDrop for Handler<F, B> {
        fn drop(this: Pin<&mut Self>) {
            if std::thread::panicking() {
                this.project().call.respond.send_reset(ErrorCode::INTERNAL_ERROR);
            }
        }
    }
}

/// What is known of the call.
pub(super) struct Call {
    pub(super) respond: SendResponse,
    pub(super) options: Arc<Options>,
    pub(super) deadline: Option<Pin<Box<Sleep>>>,
    pub(super) method_is_head: bool,
    pub(super) is_grpc: bool,
    pub(super) span: Option<tracing::Span>,
    pub(super) permit: Option<Permit>,
}

impl<F, B> Handler<F, B> {
    pub(super) fn new(future: F, call: Call) -> Self {
        Handler { state: State::Calling { future }, call }
    }

    /// Ends the stream; the handler panicked.
    pub(super) fn reset(self: Pin<Box<Self>>, code: ErrorCode) {
        let mut this = self;
        this.as_mut().project().call.respond.send_reset(code);
    }
}

impl<F, B, E> Future for Handler<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: HttpBody,
    B::Error: Into<BoxError>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let span = this.call.span.clone();
        let _entered = span.as_ref().map(tracing::Span::enter);
        loop {
            match this.state.as_mut().project() {
                StateProject::Calling { future } => match future.poll(cx) {
                    // §8.1, §8.6: no final response has such a status.
                    Poll::Ready(Ok(response)) if response.status().is_informational() => {
                        this.call.refuse(&Mistake::BadHead("a final response has no 1xx status"));
                        return Poll::Ready(());
                    }
                    Poll::Ready(Ok(response)) => {
                        let (queue, body) = this.call.begin(response);
                        this.state.set(State::Sending { pump: Pump::new(body) });
                        let StateProject::Sending { pump } = this.state.as_mut().project() else { continue };
                        if this.call.start(queue, pump, cx) {
                            return Poll::Ready(());
                        }
                    }
                    Poll::Ready(Err(error)) => {
                        this.call.refuse(&*error.into());
                        return Poll::Ready(());
                    }
                    Poll::Pending => break,
                },
                StateProject::Sending { pump } => match pump.poll(cx) {
                    Poll::Ready(result) => {
                        if let Err(error) = result {
                            tracing::debug!(%error, "response body not sent to its end");
                        }
                        return Poll::Ready(());
                    }
                    Poll::Pending => break,
                },
            }
        }
        let sending = matches!(this.state.as_mut().project(), StateProject::Sending { .. });
        // The pump watches the stream itself.
        if !sending && this.call.respond.poll_reset(cx).is_ready() {
            return Poll::Ready(());
        }
        if this.call.is_late(cx) {
            this.call.answer_late(sending);
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Call {
    /// Makes the head fit for HTTP/2.
    fn begin<B>(&mut self, response: Response<B>) -> (SendQueue, B) {
        let (mut head, body) = response.into_parts();
        strip_connection_fields(&mut head.headers);
        if !self.options.no_date && !head.headers.contains_key(header::DATE) {
            head.headers.extend(date::now().map(|now| (header::DATE, now)));
        }
        // RFC 9110 §6.4.1: no content, whatever the body holds.
        let empty =
            self.method_is_head || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let mut queue = SendQueue::new();
        queue.push_head(Head::Response(Response::from_parts(head, ())));
        if empty {
            queue.push_end();
        }
        (queue, body)
    }

    /// Sends the response as far as it is there. `true`: to its end.
    fn start<B>(&mut self, queue: SendQueue, pump: Pin<&mut Pump<B>>, cx: &mut Context<'_>) -> bool
    where
        B: HttpBody,
        B::Error: Into<BoxError>,
    {
        let respond = &mut self.respond;
        let started = if queue.is_ended() {
            respond.send_queue(queue).map(|_| true).map_err(CallError::from)
        } else {
            let enough = respond.max_send_buffer();
            pump.start(cx, queue, enough, |queue| respond.send_queue(queue))
        };
        started.unwrap_or_else(|error| {
            tracing::debug!(%error, "response not sent");
            self.respond.send_reset(ErrorCode::INTERNAL_ERROR);
            true
        })
    }

    /// The service failed: the code of the transport's error if that was the cause.
    fn refuse(&mut self, error: &(dyn std::error::Error + 'static)) {
        let mut source = Some(error);
        let mut code = ErrorCode::INTERNAL_ERROR;
        while let Some(error) = source {
            if let Some(error) = error.downcast_ref::<Error>() {
                code = error.code();
                break;
            }
            source = error.source();
        }
        tracing::debug!(%error, %code, "service failed");
        self.respond.send_reset(code);
    }

    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        self.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(cx).is_ready())
    }

    fn answer_late(&mut self, head_sent: bool) {
        if head_sent {
            return self.respond.send_reset(ErrorCode::CANCEL);
        }
        self.answer_alone(GRPC_DEADLINE_EXCEEDED, StatusCode::GATEWAY_TIMEOUT, "deadline exceeded");
    }

    /// An answer in the service's stead.
    pub(super) fn answer_alone(&mut self, grpc_code: u8, status: StatusCode, message: &'static str) {
        let response = if self.is_grpc {
            trailers_only(grpc_code, message)
        } else {
            let mut response = Response::new(());
            *response.status_mut() = status;
            response
        };
        // If the stream is gone there is nobody to tell.
        let _ = self.respond.send_response(response, true);
    }
}

/// gRPC status codes ("gRPC over HTTP2").
const GRPC_DEADLINE_EXCEEDED: u8 = 4;
pub(super) const GRPC_RESOURCE_EXHAUSTED: u8 = 8;

/// §8.2.2: a service written for HTTP/1.1 as well may set them; they mean nothing here.
fn strip_connection_fields(headers: &mut http::HeaderMap) {
    let forbidden: Vec<http::HeaderName> = headers
        .iter()
        .filter(|(name, value)| is_connection_specific(name, value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in forbidden {
        headers.remove(name);
    }
}

/// A place among the handlers of a connection that run at once.
pub(super) struct Permit {
    pub(super) running: Arc<AtomicUsize>,
    pub(super) shared: Arc<Shared>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.running.fetch_sub(1, Ordering::AcqRel);
        // The connection may have a request waiting for it.
        self.shared.wish(|_| ());
    }
}

/// What a call needs to know of its request before the service takes it.
pub(super) fn describe(request: &Request<impl Sized>) -> (bool, bool) {
    (*request.method() == Method::HEAD, is_grpc(request.headers()))
}
