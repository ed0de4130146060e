//! hyper-util's client, which keeps connections in a pool, and its server, which tells HTTP/1 from HTTP/2.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::service::service_fn;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::bodies::{Body, empty, full};
use crate::support::hyper_pair::echo;
use crate::support::{BoxError, listener, pattern, show, soon, until};

/// Time for what was said to be heard, as a rule.
const A_MOMENT: Duration = Duration::from_millis(20);

/// A server that counts the connections it accepts and ends them when told.
struct Server {
    addr: SocketAddr,
    accepted: Arc<AtomicUsize>,
    /// Every change ends the connections of before: gracefully, or by cutting them.
    end: watch::Sender<End>,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Graceful,
    Cut,
}

impl Server {
    async fn start() -> Self {
        let listener = listener().await;
        let addr = listener.local_addr().expect("it is bound");
        let (accepted, (end, ends)) = (Arc::new(AtomicUsize::new(0)), watch::channel(End::Graceful));
        let count = accepted.clone();
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("descriptors are left");
                count.fetch_add(1, Relaxed);
                let mut ends = ends.clone();
                ends.mark_unchanged();
                tokio::spawn(async move {
                    let builder = auto::Builder::new(TokioExecutor::new()).http2_only();
                    let connection = builder.serve_connection(TokioIo::new(socket), service_fn(echo));
                    let mut connection = pin!(connection);
                    tokio::select! {
                        // The client tells how it went.
                        _ = connection.as_mut() => return,
                        _ = ends.changed() => {}
                    }
                    if matches!(*ends.borrow_and_update(), End::Graceful) {
                        connection.as_mut().graceful_shutdown();
                        drop(connection.await);
                    }
                });
            }
        });
        Self { addr, accepted, end }
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Relaxed)
    }
}

fn client() -> Client<HttpConnector, Body> {
    Client::builder(TokioExecutor::new())
        .http2_only(true)
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .build_http()
}

async fn post(client: &Client<HttpConnector, Body>, addr: SocketAddr, size: usize) -> Bytes {
    try_post(client, addr, size).await.expect("an answer")
}

async fn try_post(
    client: &Client<HttpConnector, Body>,
    addr: SocketAddr,
    size: usize,
) -> Result<Bytes, BoxError> {
    let request = http::Request::post(format!("http://{addr}/")).body(full(pattern(size)))?;
    let answer = soon(client.request(request)).await?;
    assert_eq!(answer.version(), http::Version::HTTP_2);
    Ok(soon(answer.into_body().collect()).await?.to_bytes())
}

#[test]
fn one_connection_serves_all_calls() {
    show(async {
        let (server, client) = (Server::start().await, client());
        for size in [0, 10, 100_000] {
            assert!(post(&client, server.addr, size).await == pattern(size));
        }
        let mut calls = JoinSet::new();
        for _ in 0..50 {
            let (client, addr) = (client.clone(), server.addr);
            calls.spawn(async move { assert!(post(&client, addr, 50_000).await == pattern(50_000)) });
        }
        while let Some(call) = soon(calls.join_next()).await {
            call.expect("an answer");
        }
        assert_eq!(server.accepted(), 1);
        (server, client)
    });
}

#[test]
fn calls_at_once_on_a_fresh_client_share_one_connection() {
    show(async {
        let (server, client) = (Server::start().await, client());
        let mut calls = JoinSet::new();
        for _ in 0..20 {
            let (client, addr) = (client.clone(), server.addr);
            calls.spawn(async move { assert_eq!(post(&client, addr, 1000).await, pattern(1000)) });
        }
        while let Some(call) = soon(calls.join_next()).await {
            call.expect("an answer");
        }
        assert_eq!(server.accepted(), 1);
        (server, client)
    });
}

#[test]
fn a_connection_that_ended_is_replaced() {
    show(async {
        let (server, client) = (Server::start().await, client());
        for (round, end) in [End::Graceful, End::Cut, End::Graceful, End::Cut].into_iter().enumerate() {
            let mut refused = 0;
            // Both sides have to hear of the end: until then calls may go to the old connection, and one fails with it.
            loop {
                match try_post(&client, server.addr, 1000).await {
                    Ok(body) => assert_eq!(body, pattern(1000), "{round}"),
                    Err(_) => refused += 1,
                }
                if server.accepted() > round {
                    break;
                }
                tokio::time::sleep(A_MOMENT).await;
            }
            assert!(refused <= 2, "{round}: {refused}");
            assert_eq!(post(&client, server.addr, 1000).await, pattern(1000), "{round}");
            assert_eq!(server.accepted(), round + 1);
            server.end.send(end).expect("it serves");
            tokio::time::sleep(A_MOMENT).await;
        }
        (server, client)
    });
}

#[test]
fn calls_go_on_across_graceful_ends() {
    show(async {
        let (server, client) = (Server::start().await, client());
        let (ended, is_ended) = watch::channel(false);
        let mut calls = JoinSet::new();
        for index in 0..8 {
            let (client, addr, is_ended) = (client.clone(), server.addr, is_ended.clone());
            calls.spawn(async move {
                let (mut refused, mut answered) = (0, 0);
                // They go on as long as connections end.
                while answered < 40 || !*is_ended.borrow() {
                    let size = 20_000 + index * 1000 + answered % 40;
                    match try_post(&client, addr, size).await {
                        Ok(body) => {
                            assert!(body == pattern(size));
                            answered += 1;
                        }
                        // It crossed the end of its connection (RFC 9113 §6.8); hyper-util does not try again. Nor do
                        // we at once, for until the connection is quite over it may be chosen again.
                        Err(_) => {
                            refused += 1;
                            tokio::time::sleep(A_MOMENT).await;
                        }
                    }
                }
                refused
            });
        }
        let mut refused = 0;
        for _ in 0..5 {
            tokio::time::sleep(A_MOMENT).await;
            server.end.send(End::Graceful).expect("it serves");
        }
        until(|| server.accepted() > 1).await;
        ended.send(true).expect("they call");
        while let Some(call) = soon(calls.join_next()).await {
            refused += call.expect("no panic");
        }
        // No more than one call of each caller with each connection that ended.
        assert!(refused <= 40, "{refused} calls were refused");
        (server, client)
    });
}

#[test]
fn a_refused_connection_is_a_connect_error() {
    show(async {
        let client = client();
        // Somebody who is there, so that the pool is used.
        let server = Server::start().await;
        post(&client, server.addr, 10).await;
        // Bound, so that no other test is given the port, and not listening.
        let nobody = TcpSocket::new_v4().expect("a socket");
        nobody.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let addr = nobody.local_addr().expect("it is bound");
        let request = http::Request::get(format!("http://{addr}/")).body(empty()).expect("well-formed");
        let error = soon(client.request(request)).await.expect_err("nobody listens");
        assert!(error.is_connect(), "{error:?}");
        (server, client)
    });
}

#[test]
fn a_watcher_waits_for_the_last_call() {
    show(async {
        let listener = listener().await;
        let addr = listener.local_addr().expect("it is bound");
        let (go, wait) = watch::channel(false);
        let client = client();
        let call = tokio::spawn({
            let client = client.clone();
            async move { post(&client, addr, 1000).await }
        });
        let (socket, _) = soon(listener.accept()).await.expect("the client");
        let graceful = GracefulShutdown::new();
        let builder = auto::Builder::new(TokioExecutor::new());
        let (entered, mut calls) = tokio::sync::mpsc::channel(1);
        let service = service_fn(move |request| {
            let (mut wait, entered) = (wait.clone(), entered.clone());
            async move {
                entered.send(()).await?;
                wait.wait_for(|go| *go).await?;
                echo(request).await
            }
        });
        let connection = builder.serve_connection(TokioIo::new(socket), service).into_owned();
        let served = tokio::spawn(graceful.watch(connection));
        soon(calls.recv()).await.expect("a call");
        let mut over = Box::pin(graceful.shutdown());
        tokio::time::timeout(Duration::from_millis(100), over.as_mut()).await.expect_err("a call is open");
        go.send(true).expect("it waits");
        assert_eq!(soon(call).await.expect("an answer"), pattern(1000));
        soon(over).await;
        soon(served).await.expect("no panic").expect("it ends well");
        client
    });
}
