//! Connections that rest between calls (RFC 9113 §9.1).

use std::time::Duration;

use http::{Request, Response};

use super::{
    end::{SECOND, ok},
    pair::{Cut, Pair},
    raw::Raw,
};
use crate::{
    config::{Config, Manners},
    connection::{Dormant, Side},
    error::{ErrorCode, Misdeed},
    frame::{FrameType, setting},
    stream::{Head, SendQueue},
    stream_id::StreamId,
};

fn call() -> Request<()> {
    Request::post("http://pond/mill.Wheel/Turn")
        .header("te", "trailers")
        .header("content-type", "application/grpc")
        .header("x-request", "of no use to index")
        .body(())
        .unwrap()
}

/// What both ends said and heard in five calls, each after an hour's pause.
fn calls(cut: Cut, manners: Manners, rest: bool) -> (Vec<String>, Vec<String>, Vec<u8>) {
    let config = || Config::builder().manners(manners).initial_stream_window_size(70_000);
    let mut pair = Pair::new(config(), config(), cut);
    let mut wire = Vec::new();
    for round in 0..5 {
        let id = pair.client.open(call(), false);
        pair.client.data(id, vec![round; 50_000], true);
        pair.run();
        let answer = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
        pair.server.respond(id, answer, false);
        pair.server.data(id, vec![round; 60_000], true);
        pair.run();
        for end in [&mut pair.client, &mut pair.server] {
            assert!(end.live().is_empty());
            assert!(!rest || end.rest(), "quiet, and yet it does not rest");
        }
        pair.pass(3_600 * SECOND);
        wire.extend([&pair.client, &pair.server].map(|end| end.conn.stats().octets_sent as u8));
    }
    let logs = (pair.client.take_log(), pair.server.take_log(), wire);
    pair.finish();
    logs
}

#[test]
fn no_peer_can_tell_who_rested() {
    for manners in [Manners::Own, Manners::H2] {
        for cut in [Cut::Nowhere, Cut::Every(1_000)] {
            assert_eq!(calls(cut, manners, true), calls(cut, manners, false));
        }
    }
}

#[test]
fn settings_hold_through_a_rest() {
    let mut raw = Raw::greeted(
        Side::Client,
        Config::builder(),
        &[
            (setting::MAX_CONCURRENT_STREAMS, 1),
            (setting::INITIAL_WINDOW_SIZE, 3),
            (setting::MAX_HEADER_LIST_SIZE, 10_000),
            (setting::ENABLE_CONNECT_PROTOCOL, 1),
        ],
    );
    raw.take_answers();
    assert!(raw.end.rest());
    let first = raw.end.post();
    raw.end.data(first, vec![b'x'; 10], false);
    raw.end.get();
    assert_eq!(raw.end.conn.concurrent_streams(), (1, 0));
    raw.answers(["HEADERS 1 :method=POST,:scheme=http,:authority=a,:path=/", "DATA 1 3"]);
    assert_eq!(raw.end.conn.max_concurrent_send_streams(), Some(1));
}

#[test]
fn nobody_rests_while_anything_is_open_or_awaited() {
    let mut raw = Raw::server();
    raw.get(1);
    assert!(!raw.end.rest(), "a stream is open");
    raw.end.respond(1, ok(), true);
    assert!(!raw.end.rest(), "the response is not written");
    raw.take_answers();
    raw.bytes(b"\0\0");
    assert!(!raw.end.rest(), "a frame has begun");
    raw.bytes(b"\x08\x06\0\0\0\0\0pingping");
    raw.take_answers();
    assert!(raw.end.conn.ping() && !raw.end.rest());
    raw.take_answers();
    assert!(!raw.end.rest(), "a PING of ours is to be answered");
    raw.ping(true, &[0x3b, 0x7c, 0xdb, 0x7a, 0x0b, 0x87, 0x16, 0xb4]);
    assert!(raw.end.rest());
    raw.end.conn.set_initial_window_size(5);
    raw.take_answers();
    assert!(!raw.end.rest(), "SETTINGS of ours are to be acknowledged");
    raw.frame(FrameType::SETTINGS, 1, 0, &[]);
    assert!(raw.end.rest());
    raw.end.conn.shutdown();
    raw.take_answers();
    assert!(!raw.end.rest(), "it ends");
}

#[test]
fn what_counts_against_a_peer_is_kept() {
    let mut raw = Raw::server();
    for _ in 0..100 {
        raw.ping(false, b"pingping");
    }
    raw.take_answers();
    raw.pass(SECOND);
    // A tenth came back, as for one that does not rest.
    assert!(raw.end.rest());
    for _ in 0..10 {
        raw.ping(false, b"pingping");
    }
    raw.take_answers();
    assert!(raw.end.conn.failure().is_none());
    raw.ping(false, b"pingping");
    assert_eq!(raw.end.conn.failure().and_then(|error| error.misdeed()), Some(Misdeed::PingFlood));
    raw.take_answers();
}

#[test]
fn resets_are_remembered() {
    let mut raw = Raw::server();
    raw.post(1);
    raw.end.reset(1, ErrorCode::CANCEL);
    raw.take_answers();
    assert!(raw.end.rest());
    raw.data(1, 10, true);
    raw.answers([]);
    raw.is_well();
}

#[test]
fn keepalive_wakes_who_rests() {
    let config = Config::builder()
        .keep_alive_interval(Some(10 * SECOND))
        .keep_alive_timeout(5 * SECOND)
        .keep_alive_while_idle(true);
    let config = config.build().unwrap();
    let mut raw = Raw::new(
        Side::Client,
        Config::builder()
            .keep_alive_interval(Some(10 * SECOND))
            .keep_alive_timeout(5 * SECOND)
            .keep_alive_while_idle(true),
    );
    raw.pass(4 * SECOND);
    let dormant = raw.end.conn.rest(raw.end.now).unwrap();
    assert_eq!(dormant.poll_timeout(&config), Some(raw.end.now + 6 * SECOND));
    raw.end.conn = dormant.wake(config.into(), raw.end.now);
    raw.pass(6 * SECOND);
    raw.answers(["PING mp-alive"]);
    raw.pass(5 * SECOND);
    assert!(raw.end.conn.failure().is_some());
    raw.take_answers();
}

#[test]
fn the_measured_round_trip_is_kept() {
    let mut raw = Raw::client();
    raw.end.conn.ping();
    raw.take_answers();
    raw.pass(Duration::from_millis(80));
    raw.ping(true, &[0x3b, 0x7c, 0xdb, 0x7a, 0x0b, 0x87, 0x16, 0xb4]);
    assert!(raw.end.rest());
    assert_eq!(raw.end.conn.stats().rtt, Some(Duration::from_millis(80)));
}

#[test]
fn one_that_rests_is_small() {
    assert!(size_of::<Dormant>() <= 128, "{}", size_of::<Dormant>());
}

#[test]
fn identifiers_that_ran_out_stay_so() {
    let mut raw = Raw::client();
    for id in [1, 0x7fff_ffff] {
        let mut queue = SendQueue::new();
        queue.push_head(Head::Request(call()));
        let key = raw.end.conn.open(StreamId::new(id), &mut queue).unwrap();
        raw.end.conn.reset(key, ErrorCode::CANCEL);
        while raw.end.conn.poll_event().is_some() {}
        raw.flush();
        let next = raw.end.conn.next_stream_id();
        assert_eq!(next, (id == 1).then_some(StreamId::new(3)));
        assert!(raw.end.rest());
        assert_eq!(raw.end.conn.next_stream_id(), next);
    }
}

#[test]
fn a_connection_that_wakes_asks_for_no_large_memory() {
    // The usual C library (glibc) has lists of free memory for each thread up to this; what is larger costs a search, and
    // often much more.
    const QUICK: usize = 1_032;
    assert!(size_of::<crate::connection::core::Core>() <= QUICK);
}
