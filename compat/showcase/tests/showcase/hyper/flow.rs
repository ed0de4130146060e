//! Flow control and settings as hyper's builders set them (RFC 9113 §5.2, §6.5, §6.9).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::task::JoinSet;

use crate::support::bodies::{empty, endless, full};
use crate::support::hyper_pair::{Ends, Pair, echo, request};
use crate::support::{BoxError, Gauge, pattern, show, soon, until};

/// Sends so many octets up and down, some calls at once.
async fn exchange(pair: &Pair, calls: usize, octets: usize) {
    let mut set = JoinSet::new();
    for _ in 0..calls {
        let mut send = pair.send.clone();
        set.spawn(async move {
            let answer =
                send.send_request(request("POST", "/", full(pattern(octets)))).await.expect("an answer");
            let body = answer.into_body().collect().await.expect("the body").to_bytes();
            assert!(body == pattern(octets), "other octets came back");
        });
    }
    soon(async {
        while let Some(call) = set.join_next().await {
            call.expect("no panic");
        }
    })
    .await;
}

#[test]
fn small_windows_carry_large_bodies() {
    show(async {
        let mut ends = Ends::new();
        ends.client.initial_stream_window_size(1000).initial_connection_window_size(65_535);
        ends.server.initial_stream_window_size(3000).initial_connection_window_size(65_535);
        let pair = ends.connect(echo).await;
        exchange(&pair, 1, 1 << 20).await;
        exchange(&pair, 8, 100_000).await;
        pair
    });
}

#[test]
fn large_windows_carry_large_bodies() {
    show(async {
        let mut ends = Ends::new();
        ends.client.initial_stream_window_size(8 << 20).initial_connection_window_size(16 << 20);
        ends.server.initial_stream_window_size(8 << 20).initial_connection_window_size(16 << 20);
        ends.client.max_frame_size(1 << 20).max_send_buf_size(4 << 20);
        ends.server.max_frame_size(1 << 20).max_send_buf_size(4 << 20);
        let pair = ends.connect(echo).await;
        exchange(&pair, 4, 8 << 20).await;
        pair
    });
}

#[test]
fn adaptive_windows_carry_large_bodies() {
    show(async {
        let mut ends = Ends::new();
        ends.client.adaptive_window(true);
        ends.server.adaptive_window(true);
        let pair = ends.connect(echo).await;
        for _ in 0..4 {
            exchange(&pair, 1, 8 << 20).await;
            exchange(&pair, 4, 1 << 20).await;
        }
        pair
    });
}

/// A server that sends without end what its pieces count.
async fn source(ends: &Ends, piece: usize) -> (Pair, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let service = {
        let taken = taken.clone();
        move |_: http::Request<Incoming>| {
            let taken = taken.clone();
            async move {
                let count = move || {
                    taken.fetch_add(piece, Relaxed);
                };
                Ok::<_, BoxError>(Response::new(endless(pattern(piece), count)))
            }
        }
    };
    (ends.connect(service).await, taken)
}

async fn first_frame(pair: &mut Pair) -> (Incoming, Bytes) {
    let mut body =
        soon(pair.send.send_request(request("GET", "/", empty()))).await.expect("an answer").into_body();
    let frame = soon(body.frame()).await.expect("more").expect("a frame");
    (body, frame.into_data().expect("octets"))
}

#[test]
fn who_does_not_read_stops_the_sender() {
    show(async {
        const WINDOW: usize = 100_000;
        const BUFFER: usize = 50_000;
        const PIECE: usize = 1000;
        let mut ends = Ends::new();
        ends.client.initial_stream_window_size(WINDOW as u32);
        ends.server.max_send_buf_size(BUFFER);
        let (mut pair, taken) = source(&ends, PIECE).await;
        let (mut body, first) = first_frame(&mut pair).await;
        // It stops when the window is full, the send buffer is, and one piece waits.
        until(|| taken.load(Relaxed) >= WINDOW).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let stopped = taken.load(Relaxed);
        assert!(stopped <= WINDOW + BUFFER + first.len() + 2 * PIECE, "it went on to {stopped}");
        // And goes on when there is room again.
        let mut came = first.len();
        while came < 5 * WINDOW {
            came +=
                soon(body.frame()).await.expect("more").expect("a frame").into_data().expect("octets").len();
        }
        assert!(taken.load(Relaxed) > stopped);
        drop(body);
        pair
    });
}

#[test]
fn one_slow_reader_does_not_stop_the_others() {
    show(async {
        let mut ends = Ends::new();
        ends.client.initial_stream_window_size(100_000).initial_connection_window_size(1 << 20);
        let (mut pair, _) = source(&ends, 10_000).await;
        let (slow, _) = first_frame(&mut pair).await;
        let (mut fast, _) = first_frame(&mut pair).await;
        let mut came = 0;
        while came < 10 << 20 {
            came +=
                soon(fast.frame()).await.expect("more").expect("a frame").into_data().expect("octets").len();
        }
        drop((slow, fast));
        pair
    });
}

#[test]
fn no_more_streams_than_the_server_allows() {
    show(async {
        let gauge = Gauge::default();
        let service = {
            let gauge = gauge.clone();
            move |_| {
                let counted = gauge.enter();
                async move {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    drop(counted);
                    Ok::<_, BoxError>(Response::new(empty()))
                }
            }
        };
        let mut ends = Ends::new();
        ends.server.max_concurrent_streams(3);
        let mut pair = ends.connect(service).await;
        // With this answer the server's SETTINGS have come.
        assert!(soon(pair.send.send_request(request("GET", "/", empty()))).await.is_ok());
        let mut calls = JoinSet::new();
        for _ in 0..30 {
            let mut send = pair.send.clone();
            calls.spawn(async move { send.send_request(request("GET", "/", empty())).await });
        }
        soon(async {
            while let Some(call) = calls.join_next().await {
                call.expect("no panic").expect("an answer");
            }
        })
        .await;
        assert_eq!(gauge.most(), 3);
        pair
    });
}

#[test]
fn a_larger_table_is_used() {
    show(async {
        let mut ends = Ends::new();
        ends.client.header_table_size(16_384);
        ends.server.header_table_size(0);
        let pair = ends.connect(echo).await;
        exchange(&pair, 8, 1000).await;
        exchange(&pair, 8, 1000).await;
        pair
    });
}
