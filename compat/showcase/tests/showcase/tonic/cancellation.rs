//! Calls that the client gives up: the server has to see it.

use futures_util::FutureExt;
use millpond_testkit::conversation;
use millpond_testkit::echo::{EchoClient, Msg, routes};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request};

use super::watched::Watched;
use super::{client, serve};
use crate::support::{Gauge, pattern, show, soon, until};

async fn watched() -> (EchoClient<Channel>, Gauge, mpsc::UnboundedReceiver<(usize, Option<Code>)>) {
    let (service, ends) = Watched::new();
    let addr = serve(Server::builder(), service.routes()).await;
    (client(addr).await, service.alive, ends)
}

#[test]
fn a_dropped_call_drops_its_handler() {
    show(async {
        let (mut client, handlers, _) = watched().await;
        for size in conversation::SIZES {
            let mut call = Box::pin(client.unary(Msg::from(pattern(size))));
            assert!(call.as_mut().now_or_never().is_none());
            // The call has to be polled on its way.
            let entered = until(|| handlers.now() == 1);
            tokio::select! {
                _ = call.as_mut() => panic!("no answer comes"),
                () = entered => {}
            }
            drop(call);
            until(|| handlers.now() == 0).await;
        }
        client
    });
}

#[test]
fn a_stream_of_answers_that_is_dropped_midway_stops_the_server() {
    show(async {
        let (mut client, streams, _) = watched().await;
        for count in [0, 1, 10, 300] {
            let mut answers =
                soon(client.server_stream(Msg::default())).await.expect("an answer").into_inner();
            for _ in 0..count {
                let message = soon(answers.message()).await.expect("a message").expect("more");
                assert!(message.data == pattern(10_000));
            }
            assert_eq!(streams.now(), 1);
            drop(answers);
            until(|| streams.now() == 0).await;
        }
        client
    });
}

#[test]
fn a_call_in_both_directions_that_is_dropped_stops_the_server() {
    show(async {
        let (mut client, streams, _) = watched().await;
        for count in [1, 20] {
            let (send, messages) = mpsc::channel(1);
            let mut answers =
                soon(client.bidi(ReceiverStream::new(messages))).await.expect("an answer").into_inner();
            for _ in 0..count {
                soon(answers.message()).await.expect("a message").expect("more");
            }
            // The call lives as long as one of its directions.
            drop((answers, send));
            until(|| streams.now() == 0).await;
        }
        client
    });
}

#[test]
fn a_stream_of_requests_that_breaks_off_is_cancelled_at_the_server() {
    show(async {
        let (client, handlers, mut ends) = watched().await;
        for count in [0, 1, 10] {
            let (send, messages) = mpsc::channel(1);
            let call = tokio::spawn({
                let mut client = client.clone();
                async move { client.client_stream(ReceiverStream::new(messages)).await }
            });
            for _ in 0..count {
                send.send(Msg::from(pattern(50_000))).await.expect("they are taken");
            }
            until(|| handlers.now() == 1).await;
            call.abort();
            until(|| handlers.now() == 0).await;
            // A handler that is not dropped first sees no more messages, or a cancellation.
            while let Ok((_, code)) = ends.try_recv() {
                assert!(matches!(code, None | Some(Code::Cancelled)), "{code:?}");
            }
        }
        client
    });
}

#[test]
fn a_server_that_answers_early_stops_the_requests() {
    show(async {
        let addr = serve(Server::builder(), routes()).await;
        let mut client = client(addr).await;
        for _ in 0..5 {
            let (send, messages) = mpsc::channel(1);
            let sending =
                tokio::spawn(async move { while send.send(Msg::from(pattern(10_000))).await.is_ok() {} });
            let mut request = Request::new(ReceiverStream::new(messages));
            request.metadata_mut().insert("x-status", MetadataValue::from(Code::Aborted as i32));
            let status = soon(client.bidi(request)).await.expect_err("as asked");
            assert_eq!(status.code(), Code::Aborted);
            soon(sending).await.expect("no panic");
        }
        client
    });
}

#[test]
fn cancelled_calls_leave_room_for_others() {
    show(async {
        // More than a connection has streams, of which most are given up.
        let addr = serve(Server::builder().max_concurrent_streams(10), routes()).await;
        let mut client = client(addr).await;
        for _ in 0..50 {
            let calls: Vec<_> = (0..20)
                .map(|_| {
                    let mut client = client.clone();
                    tokio::spawn(async move { client.server_stream(Msg::from(pattern(20_000))).await })
                })
                .collect();
            tokio::task::yield_now().await;
            for call in calls {
                call.abort();
            }
        }
        let answer = soon(client.unary(Msg::from(pattern(100_000)))).await.expect("an answer");
        assert!(answer.into_inner().data == pattern(100_000));
        client
    });
}
