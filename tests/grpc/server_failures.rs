//! Services that panic, fail or are not ready: the harm ends with the stream.

use std::{
    convert::Infallible,
    future::{Future, poll_fn, ready},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use millpond::{Body, ErrorCode, Server, adapter::BoxError};
use millpond_testkit::stock;
use tokio::net::TcpStream;
use tower::Service;

use crate::{
    raw::{self, Raw},
    tools::h2_call,
    world::{Gate, Served, on_both_runtimes, pause, soon},
};

on_both_runtimes! {
    only_the_stream_that_failed_is_reset
    only_the_stream_that_failed_is_reset_inline
    a_service_that_is_never_ready_again_ends_its_connection
    a_service_that_is_not_ready_yet_is_waited_for
    a_cancelled_call_drops_its_handler
    a_dropped_request_body_does_not_spoil_the_answer
}

type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

fn get(path: &str) -> Request<()> {
    Request::get(format!("http://pond.example{path}")).body(()).unwrap()
}

/// Fails in the way that the path names.
fn fail(path: &str) -> Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>> {
    let pieces = |pieces: Vec<Result<Frame<Bytes>, BoxError>>| {
        Response::new(StreamBody::new(stream::iter(pieces)).boxed_unsync())
    };
    let begun = || Ok(Frame::data(Bytes::from_static(b"begun")));
    match path {
        "/panic/call" => panic!("in call, as asked"),
        "/panic/future" => Box::pin(async { panic!("in the future, as asked") }),
        "/panic/later" => Box::pin(async {
            pause(10).await;
            panic!("in the future, as asked")
        }),
        "/panic/body" => Box::pin(async move {
            let late = stream::unfold(0, move |step| async move {
                pause(10).await;
                if step > 0 {
                    panic!("in the body, as asked");
                }
                Some((Ok(Frame::data(Bytes::from_static(b"begun"))), step + 1))
            });
            Ok(Response::new(StreamBody::new(late).boxed_unsync()))
        }),
        "/panic/body/now" => {
            let now = stream::poll_fn(|_| -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
                panic!("in the body, as asked")
            });
            Box::pin(ready(Ok(Response::new(StreamBody::new(now).boxed_unsync()))))
        }
        "/panic/drop" => {
            let fragile = Fragile;
            let pieces = stream::iter([begun()]).chain(stream::poll_fn(move |_| {
                let _ = &fragile;
                Poll::Ready(None)
            }));
            Box::pin(ready(Ok(Response::new(StreamBody::new(pieces).boxed_unsync()))))
        }
        "/panic/twice" => {
            let fragile = Fragile;
            Box::pin(poll_fn(move |_| {
                let _ = &fragile;
                panic!("in the future, as asked")
            }))
        }
        "/error" => Box::pin(ready(Err("no answer, as asked".into()))),
        "/error/transport" => {
            let calm = millpond::error::Fault::connection(millpond::Misdeed::PingFlood);
            Box::pin(ready(Err(millpond::Error::from(calm).into())))
        }
        "/error/body" => Box::pin(ready(Ok(pieces(vec![begun(), Err("no more, as asked".into())])))),
        _ => Box::pin(ready(Ok(pieces(vec![begun()])))),
    }
}

/// Panics when it is dropped.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        // A second panic while one unwinds would end the process.
        assert!(std::thread::panicking(), "when dropped, as asked");
    }
}

async fn failures(server: Server) {
    let service = tower::service_fn(|request: Request<Body>| fail(request.uri().path()));
    let server = server.trace_fn(|head| {
        assert_ne!(head.uri().path(), "/panic/span", "as asked");
        tracing::Span::none()
    });
    let served = Served::start(server, service).await;
    let send = stock::h2_client(served.address).await.unwrap();
    let failures =
        ["/panic/span", "/panic/call", "/panic/future", "/panic/later", "/panic/body", "/panic/body/now"]
            .into_iter()
            .chain(["/panic/twice", "/error", "/error/transport", "/error/body"]);
    for path in failures {
        let error = soon(path, h2_call(&send, get(path), Bytes::new())).await.unwrap_err();
        let expected = match path {
            "/error/transport" => h2::Reason::ENHANCE_YOUR_CALM,
            _ => h2::Reason::INTERNAL_ERROR,
        };
        assert!(error.is_reset() && error.is_remote(), "{path}: {error:?}");
        assert_eq!(error.reason(), Some(expected), "{path}");
        // On the same connection.
        assert_eq!(h2_call(&send, get("/"), Bytes::new()).await.unwrap().1, "begun");
    }
    for _ in 0..2 {
        assert_eq!(h2_call(&send, get("/panic/drop"), Bytes::new()).await.unwrap().1, "begun");
    }
    drop(send);
    served.finish().await;
}

async fn only_the_stream_that_failed_is_reset() {
    failures(Server::builder()).await;
}

async fn only_the_stream_that_failed_is_reset_inline() {
    failures(Server::builder().poll_handlers_inline(true)).await;
}

/// Ready when it is told to be.
#[derive(Clone)]
struct Moody {
    ready: Arc<AtomicBool>,
    broken: Arc<AtomicBool>,
}

impl Service<Request<Body>> for Moody {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.broken.load(Ordering::SeqCst) {
            return Poll::Ready(Err("out of order".into()));
        }
        if self.ready.load(Ordering::SeqCst) {
            return Poll::Ready(Ok(()));
        }
        let (waker, ready) = (cx.waker().clone(), self.ready.clone());
        tokio::spawn(async move {
            while !ready.load(Ordering::SeqCst) {
                pause(5).await;
            }
            waker.wake();
        });
        Poll::Pending
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        assert!(self.ready.swap(false, Ordering::SeqCst), "called when not ready");
        ready(Ok(Response::new(Full::from("done"))))
    }
}

fn moody() -> Moody {
    Moody { ready: Arc::default(), broken: Arc::default() }
}

async fn a_service_that_is_not_ready_yet_is_waited_for() {
    let service = moody();
    let served = Served::start(Server::builder(), service.clone()).await;
    let mut send = stock::h2_client(served.address).await.unwrap();
    for _ in 0..3 {
        let call = tokio::spawn({
            let send = send.clone();
            async move { h2_call(&send, get("/"), Bytes::new()).await }
        });
        pause(30).await;
        assert!(!call.is_finished());
        // The connection is not held up meanwhile: a request that is cancelled is cancelled.
        send = send.ready().await.unwrap();
        drop(send.send_request(get("/"), true).unwrap());
        service.ready.store(true, Ordering::SeqCst);
        assert_eq!(soon("the answer", call).await.unwrap().unwrap().1, "done");
        // If the cancelled one was handed over as well, it used up the readiness.
        service.ready.store(false, Ordering::SeqCst);
    }
    service.ready.store(true, Ordering::SeqCst);
    drop(send);
    served.finish().await;
}

async fn a_service_that_is_never_ready_again_ends_its_connection() {
    let service = moody();
    service.broken.store(true, Ordering::SeqCst);
    let served = Served::start(Server::builder(), service.clone()).await;
    let mut peer = Raw::client(TcpStream::connect(served.address).await.unwrap(), &[]).await;
    peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, 1, raw::GET)).await;
    assert_eq!(soon("the end", peer.expect(raw::GOAWAY)).await.code(), ErrorCode::INTERNAL_ERROR);
    assert_eq!(soon("the end", peer.next()).await, None);
    // Others get a connection, and a clone of the service, of their own.
    service.broken.store(false, Ordering::SeqCst);
    service.ready.store(true, Ordering::SeqCst);
    let send = stock::h2_client(served.address).await.unwrap();
    assert_eq!(h2_call(&send, get("/"), Bytes::new()).await.unwrap().1, "done");
    drop(send);
    served.finish().await;
}

async fn a_cancelled_call_drops_its_handler() {
    let gate = Gate::new();
    let served = Served::start(Server::builder(), gate.service()).await;
    let send = stock::h2_client(served.address).await.unwrap();
    for end in [true, false] {
        let mut ready = send.clone().ready().await.unwrap();
        let (response, stream) = ready.send_request(get("/"), end).unwrap();
        gate.entered(1).await;
        drop((response, stream));
        gate.entered(0).await;
    }
    gate.permits.add_permits(1);
    assert_eq!(h2_call(&send, get("/next"), Bytes::new()).await.unwrap().1, "/next");
    drop(send);
    served.finish().await;
}

/// RFC 9113 §8.1: an answer may come before the request has ended; the rest is not wanted (NO_ERROR).
async fn a_dropped_request_body_does_not_spoil_the_answer() {
    let service = tower::service_fn(async |request: Request<Body>| {
        drop(request);
        Ok::<_, Infallible>(Response::new("early".to_owned()))
    });
    let served = Served::start(Server::builder(), service).await;
    let send = stock::h2_client(served.address).await.unwrap();
    let request = Request::post("http://pond.example/").body(()).unwrap();
    let (response, mut stream) = send.clone().ready().await.unwrap().send_request(request, false).unwrap();
    stream.send_data(Bytes::from(vec![0; 60_000]), false).unwrap();
    let mut body = response.await.unwrap().into_body();
    assert_eq!(body.data().await.unwrap().unwrap(), "early");
    let reset = std::future::poll_fn(|cx| stream.poll_reset(cx));
    assert_eq!(soon("the reset", reset).await.unwrap(), h2::Reason::NO_ERROR);
    drop((send, body, stream));
    served.finish().await;
}

/// The same through our own channel, as its users see it.
#[tokio::test]
async fn our_channel_names_the_code() {
    let service = tower::service_fn(|request: Request<Body>| fail(request.uri().path()));
    let served = Served::start(Server::builder(), service).await;
    let (channel, pool) = served.channel();
    let channel = channel.timeout(Duration::from_secs(5)).connect().await.unwrap();
    for path in ["/panic/later", "/panic/body", "/error", "/error/body"] {
        let request = Request::get(path).body(Full::<Bytes>::default()).unwrap();
        let error = crate::tools::call(&channel, request).await.unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::INTERNAL_ERROR), "{path}");
        assert!(!error.is_unprocessed(), "{path}");
    }
    drop(channel);
    served.finish().await;
    crate::world::quiet(&pool).await;
}
