//! Request bodies of our channel: late, slow, failing, or never ending.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use millpond::{Body, ErrorCode, Server, adapter::BoxError};
use millpond_testkit::{
    conversation::pattern,
    echo::{EchoClient, Msg},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tower::ServiceExt;

use crate::{
    tools::call,
    world::{Served, on_both_runtimes, pause, quiet, site, soon, within},
};

on_both_runtimes! {
    messages_that_come_later
    an_endless_body_is_asked_only_for_what_can_be_sent
    a_body_that_fails
    a_body_that_fails_after_the_response_began
    a_status_in_a_body_is_the_status
}

async fn messages_that_come_later() {
    let served = Served::start(Server::builder(), site()).await;
    let (builder, pool) = served.channel();
    let mut client = EchoClient::new(builder.connect().await.unwrap());
    let (send, messages) = mpsc::channel(1);
    tokio::spawn(async move {
        for size in [0, 1, 70_000] {
            pause(20).await;
            send.send(Msg::from(pattern(size))).await.unwrap();
        }
    });
    let answer = client.client_stream(ReceiverStream::new(messages)).await.unwrap().into_inner();
    assert_eq!(answer.data, [pattern(1), pattern(70_000)].concat());
    let (send, messages) = mpsc::channel(1);
    let questions = tokio::spawn(async move {
        for size in 0..20 {
            pause(5).await;
            send.send(Msg::from(pattern(size))).await.unwrap();
        }
    });
    let mut answers = client.bidi(ReceiverStream::new(messages)).await.unwrap().into_inner();
    for size in 0..20 {
        assert_eq!(answers.message().await.unwrap().unwrap().data, pattern(size));
    }
    assert!(answers.message().await.unwrap().is_none());
    questions.await.unwrap();
    drop((client, answers));
    served.finish().await;
    quiet(&pool).await;
}

/// Always has another kilobyte, and counts what was taken of it.
struct Endless(std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.fetch_add(1_024, std::sync::atomic::Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[7; 1_024])))))
    }
}

async fn an_endless_body_is_asked_only_for_what_can_be_sent() {
    let service = tower::service_fn(async |request: Request<Body>| {
        // Nothing is read.
        std::future::pending::<()>().await;
        drop(request);
        Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
    });
    // Time to take all that may be taken.
    let server = Server::builder().initial_stream_window_size(100_000).timeout(Duration::from_secs(2));
    let served = Served::start(server, service).await;
    let (builder, pool) = served.channel();
    let channel = builder.max_send_buffer_size(50_000).connect().await.unwrap();
    let taken = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let request = Request::post("/").body(Endless(taken.clone())).unwrap();
    let answer = soon("the server's timeout", call(&channel, request)).await.unwrap();
    assert_eq!(answer.status(), http::StatusCode::GATEWAY_TIMEOUT);
    let taken = taken.load(std::sync::atomic::Ordering::SeqCst);
    assert!((100_000..=160_000).contains(&taken), "{taken}");
    drop(channel);
    served.finish().await;
    quiet(&pool).await;
}

fn failing(pieces: usize, error: BoxError) -> impl http_body::Body<Data = Bytes, Error = BoxError> + Send {
    let mut error = Some(error);
    StreamBody::new(Box::pin(stream::unfold(0, move |sent| {
        let next = match sent {
            sent if sent < pieces => Some(Ok(Frame::data(Bytes::from_static(b"piece")))),
            _ => error.take().map(Err),
        };
        async move {
            pause(10).await;
            Some((next?, sent + 1))
        }
    })))
}

async fn a_body_that_fails() {
    let served = Served::start(Server::builder(), site()).await;
    let (builder, pool) = served.channel();
    let channel = builder.connect().await.unwrap();
    for pieces in [0, 3] {
        let body = failing(pieces, "no more, as asked".into());
        let error = soon("a failure", call(&channel, Request::post("/sink").body(body).unwrap()));
        let error = error.await.unwrap_err();
        assert!(error.transport().is_none() && error.to_string().contains("no more, as asked"), "{error:?}");
        assert_eq!(tonic::Status::from_error(Box::new(error)).code(), Code::Internal);
        within("a stream is left", || channel.stats().is_some_and(|stats| stats.streams == 0)).await;
    }
    drop(channel);
    served.finish().await;
    quiet(&pool).await;
}

/// Then the response tells: its stream was reset.
async fn a_body_that_fails_after_the_response_began() {
    let served = Served::start(Server::builder(), site()).await;
    let (builder, pool) = served.channel();
    let channel = builder.connect().await.unwrap();
    let body = failing(3, "no more, as asked".into());
    let response = channel.clone().oneshot(Request::post("/echo").body(body).unwrap()).await.unwrap();
    let error = soon("a failure", response.into_body().collect()).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::INTERNAL_ERROR), "{error:?}");
    within("a stream is left", || channel.stats().is_some_and(|stats| stats.streams == 0)).await;
    drop(channel);
    served.finish().await;
    quiet(&pool).await;
}

async fn a_status_in_a_body_is_the_status() {
    let served = Served::start(Server::builder(), site()).await;
    let (builder, pool) = served.channel();
    let channel = builder.connect().await.unwrap();
    let body = failing(1, tonic::Status::out_of_range("as asked").into());
    let error = soon("a failure", call(&channel, Request::post("/sink").body(body).unwrap()));
    let status = tonic::Status::from_error(Box::new(error.await.unwrap_err()));
    assert_eq!((status.code(), status.message()), (Code::OutOfRange, "as asked"));
    drop(channel);
    served.finish().await;
    quiet(&pool).await;
}
