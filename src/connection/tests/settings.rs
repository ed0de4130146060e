//! SETTINGS and when each value takes effect (RFC 9113 §6.5, §6.9.2; RFC 8441 §3).

use super::{
    end::{SECOND, ok},
    raw::{GET, POST, Raw, frame, literal, octets},
};
use crate::{
    config::Config,
    connection::Side,
    error::{ErrorCode, Misdeed},
    frame::{FrameType, PREFACE, setting, write},
};

#[test]
fn each_settings_frame_is_acknowledged_and_unknown_settings_are_ignored() {
    let mut raw = Raw::server();
    raw.settings(&[(0x55, 1), (setting::MAX_HEADER_LIST_SIZE, 5)]);
    raw.settings(&[]);
    raw.answers(["SETTINGS ack", "SETTINGS ack"]);
    raw.is_well();
}

#[test]
fn values_out_of_range_are_connection_errors() {
    use setting::*;
    let wrong = [
        (Side::Server, ENABLE_PUSH, 2, ErrorCode::PROTOCOL_ERROR),
        (Side::Client, ENABLE_PUSH, 1, ErrorCode::PROTOCOL_ERROR),
        (Side::Server, INITIAL_WINDOW_SIZE, 1 << 31, ErrorCode::FLOW_CONTROL_ERROR),
        (Side::Server, MAX_FRAME_SIZE, 16_383, ErrorCode::PROTOCOL_ERROR),
        (Side::Server, MAX_FRAME_SIZE, 1 << 24, ErrorCode::PROTOCOL_ERROR),
        (Side::Server, ENABLE_CONNECT_PROTOCOL, 2, ErrorCode::PROTOCOL_ERROR),
        (Side::Server, NO_RFC7540_PRIORITIES, 2, ErrorCode::PROTOCOL_ERROR),
    ];
    for (side, id, value, code) in wrong {
        let mut raw = Raw::new(side, Config::builder());
        raw.settings(&[(id, value)]);
        raw.is_over(0, code);
    }
    let right = [
        (ENABLE_PUSH, 1),
        (ENABLE_PUSH, 0),
        (INITIAL_WINDOW_SIZE, (1 << 31) - 1),
        (MAX_FRAME_SIZE, (1 << 24) - 1),
    ];
    for (id, value) in right {
        let mut raw = Raw::server();
        raw.settings(&[(id, value)]);
        raw.answers(["SETTINGS ack"]);
    }
}

#[test]
fn settings_not_acknowledged_in_time_end_the_connection() {
    let mut raw = Raw::silent(Side::Server, Config::builder());
    raw.take_answers();
    raw.bytes(&[PREFACE, &octets(|out| write::settings(out, &[]))[..]].concat());
    raw.take_answers();
    raw.pass(29 * SECOND);
    raw.answers([]);
    raw.pass(SECOND);
    raw.is_over(0, ErrorCode::SETTINGS_TIMEOUT);
}

#[test]
fn the_wait_for_an_acknowledgement_begins_when_settings_are_written() {
    let mut raw = Raw::server();
    raw.pass(3_600 * SECOND);
    raw.end.conn.set_initial_window_size(100);
    assert_eq!(raw.end.conn.poll_timeout().filter(|due| *due <= raw.end.now), None);
    raw.answers(["SETTINGS [(4, 100)]"]);
    raw.pass(29 * SECOND);
    raw.send(write::settings_ack);
    raw.pass(60 * SECOND);
    raw.answers([]);
    raw.is_well();
}

#[test]
fn one_change_of_ours_waits_for_the_other() {
    let mut raw = Raw::server();
    raw.end.conn.set_initial_window_size(100);
    raw.end.conn.set_initial_window_size(200);
    raw.end.conn.set_initial_window_size(300);
    raw.answers(["SETTINGS [(4, 100)]"]);
    raw.send(write::settings_ack);
    raw.answers(["SETTINGS [(4, 300)]"]);
    raw.send(write::settings_ack);
    raw.answers([]);
    // Nothing to acknowledge is no error.
    raw.send(write::settings_ack);
    raw.is_well();
}

#[test]
fn the_peers_initial_window_may_make_a_window_negative() {
    let mut raw = Raw::client();
    let post = raw.end.post();
    raw.end.data(post, vec![0; 70_000], true);
    raw.take_answers();
    raw.window_update(0, 1 << 20);
    raw.answers([]);
    // 65,535 octets are out. 1,000 less make the window -1,000.
    raw.settings(&[(setting::INITIAL_WINDOW_SIZE, 64_535)]);
    raw.answers(["SETTINGS ack"]);
    raw.window_update(1, 1_000);
    raw.answers([]);
    raw.window_update(1, 1);
    raw.answers(["DATA 1 1"]);
    raw.settings(&[(setting::INITIAL_WINDOW_SIZE, 64_537)]);
    raw.answers(["SETTINGS ack", "DATA 1 2"]);
    raw.settings(&[(setting::INITIAL_WINDOW_SIZE, 100_000)]);
    raw.answers(["SETTINGS ack", "DATA 1 4462 end"]);
    assert_eq!(raw.payload.len(), 70_000);
}

#[test]
fn the_peers_initial_window_must_not_overflow_a_window() {
    let mut raw = Raw::client();
    raw.end.post();
    raw.take_answers();
    raw.window_update(1, 0x7fff_ffff - 65_535);
    raw.settings(&[(setting::INITIAL_WINDOW_SIZE, 65_535)]);
    raw.answers(["SETTINGS ack"]);
    raw.settings(&[(setting::INITIAL_WINDOW_SIZE, 65_536)]);
    raw.is_over(0, ErrorCode::FLOW_CONTROL_ERROR);
}

#[test]
fn the_peers_frame_size_holds_at_once() {
    let mut raw = Raw::greeted(Side::Client, Config::builder(), &[(setting::MAX_FRAME_SIZE, 20_000)]);
    let post = raw.end.post();
    raw.end.data(post, vec![0; 30_000], false);
    assert_eq!(raw.take_answers()[1..], ["DATA 1 20000", "DATA 1 10000"]);
    raw.settings(&[(setting::MAX_FRAME_SIZE, 16_384)]);
    raw.end.data(post, vec![0; 17_000], false);
    raw.answers(["SETTINGS ack", "DATA 1 16384", "DATA 1 616"]);
}

#[test]
fn our_frame_size_is_enforced() {
    let mut raw = Raw::new(Side::Server, Config::builder().max_frame_size(20_000));
    raw.post(1);
    raw.data(1, 20_000, false);
    raw.answers([]);
    raw.data(1, 20_001, false);
    raw.is_over(1, ErrorCode::FRAME_SIZE_ERROR);
}

#[test]
fn the_peers_table_size_is_obeyed_by_our_next_field_block() {
    let mut raw = Raw::client();
    let request = || http::Request::get("http://a/").header("x-same", "and the same").body(()).unwrap();
    for _ in 0..3 {
        raw.end.open(request(), true);
    }
    raw.take_answers();
    // Lowered to nothing and raised again in one frame: both have to be announced (RFC 7541 §4.2).
    raw.settings(&[(setting::HEADER_TABLE_SIZE, 0), (setting::HEADER_TABLE_SIZE, 4_096)]);
    raw.answers(["SETTINGS ack"]);
    raw.end.open(request(), true);
    let octets = raw.end.write();
    assert_eq!(octets[9..13], [0x20, 0x3f, 0xe1, 0x1f], "an update to 0, one to 4,096");
    let mut raw = Raw::greeted(Side::Client, Config::builder(), &[(setting::HEADER_TABLE_SIZE, 0)]);
    raw.end.open(request(), true);
    raw.end.open(request(), true);
    raw.take_answers();
    assert_eq!(raw.end.conn.core.encoder.table_octets(), 0);
}

#[test]
fn our_table_size_holds_once_acknowledged() {
    let indexed = |stream, size_update: &[u8]| {
        let fields: Vec<u8> = GET.iter().flat_map(|(name, value)| literal(0x40, name, value)).collect();
        frame(FrameType::HEADERS, 0x5, stream, &[size_update, &fields].concat())
    };
    let mut raw = Raw::silent(Side::Server, Config::builder().header_table_size(0));
    raw.take_answers();
    raw.bytes(&[PREFACE, &octets(|out| write::settings(out, &[]))[..]].concat());
    // Not acknowledged yet: the table may still be used.
    raw.bytes(&indexed(1, &[]));
    assert!(raw.end.conn.core.decoder.table_octets() > 0);
    raw.send(write::settings_ack);
    assert_eq!(raw.end.conn.core.decoder.table_octets(), 0);
    raw.bytes(&indexed(3, &[0x20]));
    raw.answers(["SETTINGS ack"]);
    raw.hears(["settings", "1 request GET http://a/ end", "3 request GET http://a/ end"]);

    let mut raw = Raw::new(Side::Server, Config::builder().header_table_size(0));
    raw.bytes(&indexed(1, &[]));
    raw.is_over(0, ErrorCode::COMPRESSION_ERROR);
    assert_eq!(raw.end.conn.failure().unwrap().misdeed(), Some(Misdeed::TableSizeUpdateMissing));
}

#[test]
fn our_initial_window_holds_once_acknowledged() {
    let mut raw = Raw::silent(Side::Server, Config::builder().initial_stream_window_size(10));
    raw.take_answers();
    raw.bytes(&[PREFACE, &octets(|out| write::settings(out, &[]))[..]].concat());
    raw.end.releases = false;
    raw.post(1);
    raw.data(1, 11, false);
    raw.answers(["SETTINGS ack"]);
    raw.send(write::settings_ack);
    // What stream 1 sent is above the new window by one: it is made up before anything is given back.
    raw.end.release(1);
    raw.answers(["WINDOW_UPDATE 1 11"]);
    raw.post(3);
    raw.data(3, 10, false);
    raw.answers([]);
    raw.data(3, 1, false);
    raw.answers(["RST_STREAM 3 FLOW_CONTROL_ERROR"]);
    raw.is_well();
}

#[test]
fn requests_wait_in_order_for_max_concurrent_streams() {
    let mut raw = Raw::greeted(Side::Client, Config::builder(), &[(setting::MAX_CONCURRENT_STREAMS, 2)]);
    for _ in 0..5 {
        raw.end.get();
    }
    let opened = |answers: Vec<String>| -> Vec<String> {
        answers
            .iter()
            .filter_map(|line| line.strip_prefix("HEADERS "))
            .map(|line| line[..1].to_owned())
            .collect()
    };
    assert_eq!(opened(raw.take_answers()), ["1", "3"]);
    raw.status(3, true, "200");
    assert_eq!(opened(raw.take_answers()), ["5"]);
    // Lower than what is open: nothing is opened until it fits.
    raw.settings(&[(setting::MAX_CONCURRENT_STREAMS, 0)]);
    raw.status(1, true, "200");
    raw.answers(["SETTINGS ack"]);
    raw.settings(&[(setting::MAX_CONCURRENT_STREAMS, 10)]);
    assert_eq!(opened(raw.take_answers()), ["7", "9"]);
    let log = raw.end.take_log();
    let openings: Vec<&str> = log.iter().filter_map(|line| line.strip_suffix(" opened")).collect();
    assert_eq!(openings, ["1", "3", "5", "7", "9"]);
    assert!(
        log.contains(&"settings 0 streams".to_owned()) && log.contains(&"settings 10 streams".to_owned())
    );
}

#[test]
fn before_the_first_settings_we_open_as_many_as_configured() {
    let mut raw = Raw::silent(Side::Client, Config::builder().initial_max_send_streams(1));
    raw.end.get();
    raw.end.get();
    let count = |answers: Vec<String>| answers.iter().filter(|line| line.starts_with("HEADERS")).count();
    assert_eq!(count(raw.take_answers()), 1);
    raw.settings(&[]);
    assert_eq!(count(raw.take_answers()), 1);
}

#[test]
fn requests_beyond_our_limit_are_refused_and_may_be_tried_again() {
    let mut raw = Raw::new(Side::Server, Config::builder().max_concurrent_streams(Some(1)));
    raw.post(1);
    raw.post(3);
    raw.answers(["RST_STREAM 3 REFUSED_STREAM"]);
    // What follows on the refused stream was on its way.
    raw.data(3, 10, true);
    raw.end.respond(1, ok(), true);
    raw.data(1, 0, true);
    raw.get(5);
    raw.answers(["HEADERS 1 :status=200 end"]);
    raw.hears(["1 request POST http://a/", "1 data 0 end", "1 closed", "5 request GET http://a/ end"]);
}

#[test]
fn extended_connect_needs_our_offer_and_is_offered_once_for_all() {
    const EXTENDED: [(&str, &str); 5] = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", "/chat"),
    ];
    let mut raw = Raw::server();
    raw.headers(1, false, &EXTENDED);
    raw.answers(["RST_STREAM 1 PROTOCOL_ERROR"]);
    let mut raw = Raw::new(Side::Server, Config::builder().enable_connect_protocol(true));
    raw.headers(1, false, &EXTENDED);
    raw.hears(["1 request CONNECT http://a/chat"]);
    let mut raw = Raw::greeted(Side::Client, Config::builder(), &[(setting::ENABLE_CONNECT_PROTOCOL, 1)]);
    raw.settings(&[(setting::ENABLE_CONNECT_PROTOCOL, 0)]);
    raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn a_field_section_that_the_peer_does_not_take_is_not_sent() {
    let mut raw = Raw::greeted(Side::Client, Config::builder(), &[(setting::MAX_HEADER_LIST_SIZE, 200)]);
    let large = http::Request::get("http://a/").header("x", "y".repeat(200)).body(()).unwrap();
    raw.end.open(large, true);
    raw.end.get();
    raw.answers(["HEADERS 3 :method=GET,:scheme=http,:authority=a,:path=/ end"]);
    raw.hears(["1 opened", "3 opened", "1 reset INTERNAL_ERROR", "1 closed"]);
    assert!(raw.end.errors[&1].mistake().is_some());
    // An answer that cannot be sent has to end its stream.
    let mut raw = Raw::greeted(Side::Server, Config::builder(), &[(setting::MAX_HEADER_LIST_SIZE, 10)]);
    raw.take_answers();
    raw.headers(1, false, &POST);
    raw.end.respond(1, ok(), true);
    raw.answers(["RST_STREAM 1 INTERNAL_ERROR"]);
    raw.is_well();
}

#[test]
fn changes_that_wait_for_an_acknowledgement_go_out_together() {
    let mut raw = Raw::silent(Side::Server, Config::builder());
    raw.bytes(&[PREFACE, &octets(|out| write::settings(out, &[]))[..]].concat());
    raw.take_answers();
    raw.end.conn.enable_connect_protocol();
    raw.end.conn.set_initial_window_size(7);
    raw.flush();
    raw.answers([]);
    raw.send(write::settings_ack);
    raw.answers(["SETTINGS [(4, 7), (8, 1)]"]);
}
