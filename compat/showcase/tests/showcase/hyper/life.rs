//! How connections begin, rest and end (RFC 9113 §6.7, §6.8, §9.1).

use std::future::pending;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::mpsc;

use crate::support::bodies::{Body, empty, full};
use crate::support::hyper_pair::{Ends, echo, echo_pair, post, request};
use crate::support::{BoxError, pattern, raw, show, sockets, soon};

#[test]
fn a_graceful_shutdown_lets_calls_finish() {
    show(async {
        let (begun, mut calls) = mpsc::channel(10);
        let service = move |request: Request<Incoming>| {
            let begun = begun.clone();
            async move {
                let (go, wait) = tokio::sync::oneshot::channel();
                begun.send(go).await?;
                wait.await?;
                echo(request).await
            }
        };
        let mut pair = Ends::new().connect(service).await;
        let calling = tokio::spawn({
            let mut send = pair.send.clone();
            async move { post(&mut send, full(pattern(200_000))).await }
        });
        let go = soon(calls.recv()).await.expect("a call");
        pair.server.stop.send(()).expect("it serves");
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!pair.server.ended.is_finished() && !calling.is_finished());
        go.send(()).expect("it waits");
        let body = soon(calling).await.expect("no panic").expect("the call may finish");
        assert!(body == pattern(200_000), "other octets came back");
        soon(pair.server.ended).await.expect("no panic").expect("the server ends well");
        soon(pair.client).await.expect("no panic").expect("the client ends well");
        let error = soon(pair.send.ready()).await.expect_err("the connection is over");
        assert!(error.is_closed(), "{error:?}");
        let error = soon(pair.send.send_request(request("GET", "/", empty()))).await.expect_err("it is over");
        assert!(error.is_canceled(), "{error:?}");
    });
}

#[test]
fn a_graceful_shutdown_of_an_idle_connection_ends_it() {
    show(async {
        let mut pair = echo_pair().await;
        pair.post(full("some")).await;
        pair.server.stop.send(()).expect("it serves");
        soon(pair.server.ended).await.expect("no panic").expect("the server ends well");
        soon(pair.client).await.expect("no panic").expect("the client ends well");
    });
}

#[test]
fn pings_keep_an_idle_connection() {
    show(async {
        let mut ends = Ends::new();
        let (interval, timeout) = (Duration::from_millis(30), Duration::from_secs(3));
        ends.client.keep_alive_interval(interval).keep_alive_timeout(timeout).keep_alive_while_idle(true);
        ends.server.keep_alive_interval(interval).keep_alive_timeout(timeout);
        let mut pair = ends.connect(echo).await;
        // In all longer than a connection lives whose PINGs are not answered.
        for _ in 0..3 {
            assert_eq!(pair.post(full(pattern(1000))).await, pattern(1000));
            tokio::time::sleep(Duration::from_millis(1_200)).await;
        }
        assert!(!pair.client.is_finished() && !pair.server.ended.is_finished());
        pair.close().await;
    });
}

#[test]
fn a_server_that_does_not_answer_pings_is_left() {
    show(async {
        let (client, server) = sockets().await;
        let mut ends = Ends::new();
        ends.client
            .keep_alive_interval(Duration::from_millis(50))
            .keep_alive_timeout(Duration::from_millis(50))
            .keep_alive_while_idle(true);
        let deaf = tokio::spawn(async { raw::listen_only(raw::accept(server).await).await });
        let (mut send, connection) = ends.call(client).await;
        let error = soon(send.send_request(request("GET", "/", empty()))).await.expect_err("no answer");
        assert!(error.is_timeout(), "{error:?}");
        // The task of a client that waits in vain ends too, and closes the socket.
        drop(send);
        drop(soon(connection).await.expect("no panic"));
        soon(deaf).await.expect("no panic");
    });
}

#[test]
fn a_client_that_does_not_answer_pings_is_left() {
    show(async {
        let (mut client, server) = sockets().await;
        let mut ends = Ends::new();
        ends.server
            .keep_alive_interval(Duration::from_millis(50))
            .keep_alive_timeout(Duration::from_millis(50));
        let served = ends.serve(server, echo);
        raw::write(&mut client, raw::PREFACE).await;
        raw::write(&mut client, &raw::frame(raw::SETTINGS, 0, 0, &[])).await;
        raw::read_until(&mut client, raw::PING).await;
        let error = soon(served.ended).await.expect("no panic").expect_err("no pong");
        assert!(error.is_timeout(), "{error:?}");
        let (_, payload) = raw::read_until(&mut client, raw::GOAWAY).await;
        assert_eq!(payload[4..8], [0; 4], "NO_ERROR");
    });
}

#[test]
fn an_accepted_ping_comes_back() {
    show(async {
        let (mut client, server) = sockets().await;
        let served = Ends::new().serve(server, echo);
        raw::write(&mut client, raw::PREFACE).await;
        raw::write(&mut client, &raw::frame(raw::SETTINGS, 0, 0, &[])).await;
        raw::write(&mut client, &raw::frame(raw::PING, 0, 0, b"octets 8")).await;
        assert_eq!(raw::read_until(&mut client, raw::PING).await, (0, b"octets 8".to_vec()));
        (client, served)
    });
}

#[test]
fn a_dropped_client_drops_the_handlers() {
    show(async {
        let (entered, mut handlers) = mpsc::channel::<()>(1);
        let service = move |_: Request<Incoming>| {
            let entered = entered.clone();
            async move {
                entered.send(()).await?;
                // Held by the handler alone from here on.
                let _until_dropped = entered;
                pending::<Result<Response<Body>, BoxError>>().await
            }
        };
        let mut pair = Ends::new().connect(service).await;
        let call = tokio::spawn(pair.send.send_request(request("GET", "/", empty())));
        soon(handlers.recv()).await.expect("a handler");
        // The connection is gone in the middle of a call.
        pair.client.abort();
        call.abort();
        drop(pair.send);
        drop(soon(pair.server.ended).await.expect("no panic"));
        assert!(soon(handlers.recv()).await.is_none(), "all handlers and the service are dropped");
    });
}

#[test]
fn the_client_ends_when_its_handles_do() {
    show(async {
        let mut pair = echo_pair().await;
        pair.post(full("some")).await;
        let copy = pair.send.clone();
        drop(pair.send);
        assert!(!pair.client.is_finished());
        drop(copy);
        soon(pair.client).await.expect("no panic").expect("the client ends well");
        soon(pair.server.ended).await.expect("no panic").expect("the server ends well");
    });
}

#[test]
fn calls_finish_after_the_last_handle_is_dropped() {
    show(async {
        let mut pair = echo_pair().await;
        let call = pair.send.send_request(request("POST", "/", full(pattern(100_000))));
        drop(pair.send);
        let answer = soon(call).await.expect("an answer");
        let body = soon(http_body_util::BodyExt::collect(answer.into_body())).await.expect("the body");
        assert!(body.to_bytes() == pattern(100_000), "other octets came back");
        soon(pair.client).await.expect("no panic").expect("the client ends well");
        soon(pair.server.ended).await.expect("no panic").expect("the server ends well");
    });
}
