//! PING, keepalive and the round-trip time (RFC 9113 §6.7).

use std::time::Duration;

use super::{end::SECOND, raw::Raw};
use crate::{
    config::{Config, ConfigBuilder},
    connection::Side,
    error::{ErrorCode, Misdeed},
};

const USER: &[u8; 8] = &[0x3b, 0x7c, 0xdb, 0x7a, 0x0b, 0x87, 0x16, 0xb4];

fn keeps_alive() -> ConfigBuilder {
    Config::builder().keep_alive_interval(Some(10 * SECOND)).keep_alive_timeout(5 * SECOND)
}

#[test]
fn a_ping_is_answered_with_its_own_octets() {
    let mut raw = Raw::server();
    raw.ping(false, b"12345678");
    raw.ping(true, b"87654321");
    raw.answers(["PING ack 12345678"]);
    raw.hears([]);
}

#[test]
fn one_ping_of_the_application_is_in_flight_and_measures_the_round_trip() {
    let mut raw = Raw::client();
    // The connection was idle for long: the time of its last input is not the time of the PING.
    raw.pass(3_600 * SECOND);
    assert!(raw.end.conn.ping());
    assert!(!raw.end.conn.ping());
    assert_eq!(raw.take_answers().len(), 1);
    raw.pass(Duration::from_millis(80));
    raw.ping(true, USER);
    raw.hears(["pong"]);
    assert_eq!(raw.end.conn.stats().rtt, Some(Duration::from_millis(80)));
    assert!(raw.end.conn.ping());
}

#[test]
fn keepalive_asks_only_while_a_stream_is_open() {
    let mut raw = Raw::new(Side::Client, keeps_alive());
    assert_eq!(raw.end.conn.poll_timeout(), None);
    raw.pass(60 * SECOND);
    raw.answers([]);
    raw.end.get();
    raw.take_answers();
    raw.ping(true, b"anything");
    raw.pass(9 * SECOND);
    raw.answers([]);
    raw.pass(SECOND);
    raw.answers(["PING mp-alive"]);
    raw.ping(true, b"mp-alive");
    raw.pass(9 * SECOND);
    raw.answers([]);
    raw.pass(SECOND);
    raw.answers(["PING mp-alive"]);
}

#[test]
fn a_keepalive_without_answer_ends_the_connection() {
    let mut raw = Raw::new(Side::Server, keeps_alive().keep_alive_while_idle(true));
    raw.pass(10 * SECOND);
    raw.answers(["PING mp-alive"]);
    raw.pass(4 * SECOND);
    raw.answers([]);
    raw.pass(SECOND);
    raw.is_over(0, ErrorCode::NO_ERROR);
    assert_eq!(raw.end.conn.failure().unwrap().misdeed(), Some(Misdeed::KeepaliveTimeout));
}

#[test]
fn an_idle_connection_needs_no_timer() {
    for side in [Side::Client, Side::Server] {
        assert_eq!(Raw::new(side, Config::builder()).end.conn.poll_timeout(), None);
    }
}

#[test]
fn windows_grow_with_the_measured_bandwidth() {
    let mut raw = Raw::new(
        Side::Server,
        Config::builder()
            .adaptive_window(true)
            .initial_connection_window_size(65_535)
            .initial_stream_window_size(65_535),
    );
    raw.post(1);
    for _ in 0..3 {
        raw.data(1, 16_384, false);
    }
    assert!(raw.take_answers().contains(&"PING mp-bandw".to_owned()));
    raw.pass(Duration::from_millis(20));
    raw.ping(true, b"mp-bandw");
    let answers = raw.take_answers();
    assert!(answers.iter().any(|line| line.starts_with("WINDOW_UPDATE 0 ")), "{answers:?}");
    assert!(answers.iter().any(|line| line == "SETTINGS [(4, 98304)]"), "{answers:?}");
    assert_eq!(raw.end.conn.stats().recv_window, 98_304);
}

/// The windows of streams may be larger than what the connection's grows to.
#[test]
fn an_adaptive_window_never_shrinks_another() {
    let config = Config::builder()
        .adaptive_window(true)
        .initial_connection_window_size(65_535)
        .initial_stream_window_size(1 << 20);
    let mut raw = Raw::new(Side::Server, config);
    raw.take_answers();
    raw.post(1);
    for _ in 0..4 {
        raw.data(1, 16_000, false);
    }
    let said = raw.take_answers();
    let ping = said.iter().find_map(|line| line.strip_prefix("PING ")).expect("it measures").to_owned();
    raw.pass(Duration::from_millis(10));
    raw.ping(true, ping.as_bytes().try_into().expect("eight octets"));
    raw.end.release_all();
    let said = raw.take_answers();
    assert!(said.iter().any(|line| line.starts_with("WINDOW_UPDATE 0 ")), "{said:?}");
    assert!(!said.iter().any(|line| line.starts_with("SETTINGS")), "{said:?}");
}
