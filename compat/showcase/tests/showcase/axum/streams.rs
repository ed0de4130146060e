//! Answers that go on: server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures_util::stream;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{ALL, By, connect, serve};
use crate::support::bodies::empty;
use crate::support::hyper_pair::request;
use crate::support::{Gauge, show, soon, until};

/// Reads until so much text has come.
async fn read(body: &mut Incoming, text: &str) {
    let mut came = String::new();
    while came.len() < text.len() {
        let frame = soon(body.frame()).await.expect("more").expect("a frame");
        came += std::str::from_utf8(&frame.into_data().expect("text")).expect("text");
    }
    assert_eq!(came, text);
}

#[test]
fn events_come_one_by_one() {
    show(async {
        let mut held = Vec::new();
        for by in ALL {
            let (send, events) = mpsc::channel::<Result<Event, Infallible>>(1);
            let events = std::sync::Arc::new(std::sync::Mutex::new(Some(events)));
            let handler = async move || {
                let events = events.lock().expect("no panic").take().expect("one call");
                Sse::new(ReceiverStream::new(events))
            };
            let addr = serve(by, Router::new().route("/events", get(handler))).await;
            let mut client = connect(addr).await;
            let answer =
                soon(client.send_request(request("GET", "/events", empty()))).await.expect("an answer");
            assert_eq!(answer.headers()["content-type"], "text/event-stream");
            let mut body = answer.into_body();
            for index in 0..20 {
                send.send(Ok(Event::default().event("tick").data(index.to_string())))
                    .await
                    .expect("it is read");
                read(&mut body, &format!("event: tick\ndata: {index}\n\n")).await;
            }
            drop(send);
            assert!(soon(body.collect()).await.expect("an end").to_bytes().is_empty());
            held.push(client);
        }
        held
    });
}

#[test]
fn a_quiet_stream_is_kept_alive() {
    show(async {
        let handler = async || {
            let quiet = stream::pending::<Result<Event, Infallible>>();
            Sse::new(quiet)
                .keep_alive(KeepAlive::new().interval(Duration::from_millis(20)).text("still here"))
        };
        let mut client = connect(serve(By::Axum, Router::new().route("/", get(handler))).await).await;
        let mut body =
            soon(client.send_request(request("GET", "/", empty()))).await.expect("an answer").into_body();
        for _ in 0..5 {
            read(&mut body, ": still here\n\n").await;
        }
        drop(body);
        client
    });
}

#[test]
fn a_listener_that_leaves_drops_its_stream() {
    show(async {
        let gauge = Gauge::default();
        let handler = {
            let gauge = gauge.clone();
            async move || {
                let counted = gauge.enter();
                Sse::new(stream::unfold(counted, async |counted| {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    Some((Ok::<_, Infallible>(Event::default().data("again")), counted))
                }))
            }
        };
        let client = connect(serve(By::Axum, Router::new().route("/", get(handler))).await).await;
        for _ in 0..3 {
            let mut listeners = Vec::new();
            for _ in 0..10 {
                let mut client = client.clone();
                let answer =
                    soon(client.send_request(request("GET", "/", empty()))).await.expect("an answer");
                let mut body = answer.into_body();
                soon(body.frame()).await.expect("more").expect("a frame");
                listeners.push(body);
            }
            assert_eq!(gauge.now(), 10);
            drop(listeners);
            until(|| gauge.now() == 0).await;
        }
        client
    });
}
