//! How tonic's connections begin, rest and end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use axum::middleware::{Next, from_fn};
use futures_util::StreamExt;
use millpond_testkit::echo::{EchoClient, Msg, routes};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tonic::metadata::MetadataValue;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request};

use super::{client, connect, endpoint, serve};
use crate::support::{listener, pattern, raw, show, soon};

/// A server that can be told to stop.
fn serve_until(
    listener: TcpListener,
    routes: Routes,
    stop: oneshot::Receiver<()>,
) -> JoinHandle<Result<(), tonic::transport::Error>> {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let stopped = async { drop(stop.await) };
    tokio::spawn(Server::builder().add_routes(routes).serve_with_incoming_shutdown(incoming, stopped))
}

/// The routes, where calls that are [`held`] tell when they have begun, and go on when they may.
fn gated() -> (Routes, mpsc::Receiver<()>, watch::Sender<bool>) {
    let ((begun, calls), (go, wait)) = (mpsc::channel(1), watch::channel(false));
    let gate = from_fn(move |request: axum::extract::Request, next: Next| {
        let (begun, mut wait) = (begun.clone(), wait.clone());
        async move {
            if request.headers().contains_key("x-held") {
                begun.send(()).await.expect("somebody waits for it");
                wait.wait_for(|go| *go).await.expect("somebody lets it go");
            }
            next.run(request).await
        }
    });
    (routes().into_axum_router().layer(gate).into(), calls, go)
}

fn held() -> Request<Msg> {
    let mut request = Request::new(Msg::from(pattern(1000)));
    request.metadata_mut().insert("x-held", MetadataValue::from_static("yes"));
    request
}

fn slow(millis: u32) -> Request<Msg> {
    let mut request = Request::new(Msg::from(pattern(1000)));
    request.metadata_mut().insert("x-delay-ms", MetadataValue::from(millis));
    request
}

async fn expect_answer(client: &mut EchoClient<Channel>) {
    let answer = soon(client.unary(Msg::from(pattern(1000)))).await.expect("an answer");
    assert_eq!(answer.into_inner().data, pattern(1000));
}

#[test]
fn a_graceful_shutdown_lets_calls_finish() {
    show(async {
        let listener = listener().await;
        let addr = listener.local_addr().expect("it is bound");
        let (stop, stopped) = oneshot::channel();
        let (routes, mut begun, go) = gated();
        let server = serve_until(listener, routes, stopped);
        let mut client = client(addr).await;
        expect_answer(&mut client).await;
        let call = tokio::spawn({
            let mut client = client.clone();
            async move { client.unary(held()).await }
        });
        soon(begun.recv()).await.expect("a call");
        stop.send(()).expect("it serves");
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!server.is_finished() && !call.is_finished());
        go.send(true).expect("it waits");
        let answer = soon(call).await.expect("no panic").expect("it may finish");
        assert_eq!(answer.into_inner().data, pattern(1000));
        soon(server).await.expect("no panic").expect("the server ends well");
        // Unavailable, or cancelled if the channel has not heard of it yet.
        soon(client.unary(Msg::default())).await.expect_err("nobody is there");
    });
}

#[test]
fn a_channel_finds_a_server_that_comes_back() {
    show(async {
        let mut listener = listener().await;
        let addr = listener.local_addr().expect("it is bound");
        let mut client = EchoClient::new(endpoint(addr).connect_lazy());
        for _ in 0..3 {
            let (stop, stopped) = oneshot::channel();
            let server = serve_until(listener, routes(), stopped);
            soon(async { while client.unary(Msg::default()).await.is_err() {} }).await;
            expect_answer(&mut client).await;
            stop.send(()).expect("it serves");
            soon(server).await.expect("no panic").expect("the server ends well");
            listener = TcpListener::bind(addr).await.expect("the port is free again");
        }
    });
}

#[test]
fn pings_keep_an_idle_channel() {
    show(async {
        let server = Server::builder()
            .http2_keepalive_interval(Some(Duration::from_millis(30)))
            .http2_keepalive_timeout(Some(Duration::from_secs(3)));
        let addr = serve(server, routes()).await;
        let endpoint = endpoint(addr)
            .http2_keep_alive_interval(Duration::from_millis(30))
            .keep_alive_timeout(Duration::from_secs(3))
            .keep_alive_while_idle(true);
        let mut client = connect(endpoint).await;
        // In all longer than a connection lives whose PINGs are not answered.
        for _ in 0..3 {
            expect_answer(&mut client).await;
            tokio::time::sleep(Duration::from_millis(1_200)).await;
        }
        client
    });
}

#[test]
fn a_server_that_does_not_answer_pings_is_unavailable() {
    show(async {
        let listener = listener().await;
        let addr = listener.local_addr().expect("it is bound");
        let deaf = tokio::spawn(async move {
            let (socket, _) = listener.accept().await.expect("a client");
            raw::listen_only(raw::accept(socket).await).await;
        });
        let endpoint = endpoint(addr)
            .http2_keep_alive_interval(Duration::from_millis(50))
            .keep_alive_timeout(Duration::from_millis(50))
            .keep_alive_while_idle(true);
        let mut client = connect(endpoint).await;
        let status = soon(client.unary(Msg::default())).await.expect_err("no answer");
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        drop(client);
        soon(deaf).await.expect("no panic");
    });
}

#[test]
fn calls_go_on_when_connections_grow_old() {
    show(async {
        let listener = listener().await;
        let addr = listener.local_addr().expect("it is bound");
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = accepted.clone();
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let incoming = incoming.inspect(move |_| {
            count.fetch_add(1, Relaxed);
        });
        let mut server = Server::builder().max_connection_age(Duration::from_millis(100));
        tokio::spawn(server.add_routes(routes()).serve_with_incoming(incoming));
        let mut client = client(addr).await;
        let (mut answered, mut failed) = (0, 0);
        while answered < 40 || accepted.load(Relaxed) < 3 {
            match soon(client.unary(Msg::from(pattern(1000)))).await {
                Ok(answer) => {
                    assert_eq!(answer.into_inner().data, pattern(1000));
                    answered += 1;
                }
                Err(_) => failed += 1,
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // A call that crosses the end of its connection fails; the next one may, if the channel is slow to hear of it.
        let accepted = accepted.load(Relaxed);
        assert!(failed <= 2 * accepted, "{failed} calls failed on {accepted} connections");
        client
    });
}

#[test]
fn a_limit_of_calls_is_a_queue() {
    show(async {
        let server = Server::builder().concurrency_limit_per_connection(3).max_concurrent_streams(Some(5));
        let addr = serve(server, routes()).await;
        let mut client = client(addr).await;
        // With this answer the server's SETTINGS have come; what is beyond its limit before that, it refuses.
        expect_answer(&mut client).await;
        let calls: Vec<_> = (0..30)
            .map(|_| {
                let mut client = client.clone();
                tokio::spawn(async move { client.unary(slow(5)).await })
            })
            .collect();
        for call in calls {
            soon(call).await.expect("no panic").expect("an answer");
        }
        client
    });
}

#[test]
fn a_channel_of_several_connections_uses_them_all() {
    show(async {
        let mut addrs = Vec::new();
        for _ in 0..3 {
            addrs.push(serve(Server::builder(), routes()).await);
        }
        let channel = Channel::balance_list(addrs.into_iter().map(endpoint));
        let mut client = EchoClient::new(channel);
        for _ in 0..30 {
            expect_answer(&mut client).await;
        }
        client
    });
}

#[test]
fn a_server_that_vanishes_midway_is_an_error() {
    show(async {
        // A runtime of its own, so that all of it is gone at once.
        let server = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let server = server.expect("threads can be started");
        let addr = server.spawn(serve(Server::builder(), routes())).await.expect("no panic");
        let mut client = client(addr).await;
        expect_answer(&mut client).await;
        let call = tokio::spawn({
            let mut client = client.clone();
            async move { client.unary(slow(60_000)).await }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.shutdown_background();
        let status = soon(call).await.expect("no panic").expect_err("it is gone");
        println!("{status:?}");
        assert!(matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Internal), "{status:?}");
        client
    });
}
