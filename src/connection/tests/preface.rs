//! The connection preface (RFC 9113 §3.4).

use super::{
    end::SECOND,
    raw::{Raw, octets},
};
use crate::{
    config::Config,
    connection::Side,
    error::{ErrorCode, Misdeed},
    frame::{PREFACE, setting, write},
};

#[test]
fn a_client_sends_its_preface_and_settings_without_waiting() {
    let mut raw = Raw::silent(Side::Client, Config::builder());
    let settings = format!(
        "SETTINGS {:?}",
        [
            (setting::ENABLE_PUSH, 0),
            (setting::INITIAL_WINDOW_SIZE, 1 << 20),
            (setting::MAX_HEADER_LIST_SIZE, 16 << 10)
        ]
    );
    raw.answers([settings.as_str(), "WINDOW_UPDATE 0 2031617"]);
    raw.settings(&[]);
    raw.answers(["SETTINGS ack"]);
    raw.hears(["settings"]);
}

#[test]
fn a_server_sends_its_settings_without_waiting() {
    let config = Config::builder()
        .max_concurrent_streams(Some(7))
        .enable_connect_protocol(true)
        .max_frame_size(20_000);
    let mut raw = Raw::silent(Side::Server, config.header_table_size(0));
    let settings = format!(
        "SETTINGS {:?}",
        [
            (setting::HEADER_TABLE_SIZE, 0),
            (setting::MAX_CONCURRENT_STREAMS, 7),
            (setting::INITIAL_WINDOW_SIZE, 1 << 20),
            (setting::MAX_FRAME_SIZE, 20_000),
            (setting::MAX_HEADER_LIST_SIZE, 16 << 10),
            (setting::ENABLE_CONNECT_PROTOCOL, 1),
            (setting::NO_RFC7540_PRIORITIES, 1),
        ]
    );
    raw.answers([settings.as_str(), "WINDOW_UPDATE 0 2031617"]);
    raw.bytes(&[PREFACE, &octets(|out| write::settings(out, &[]))[..]].concat());
    raw.answers(["SETTINGS ack"]);
}

#[test]
fn a_wrong_preface_is_refused_at_its_first_wrong_octet() {
    for at in 0..PREFACE.len() {
        let mut raw = Raw::silent(Side::Server, Config::builder());
        raw.take_answers();
        let mut preface = *PREFACE;
        preface[at] ^= 0x20;
        raw.bytes(&preface[..=at]);
        raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
        assert_eq!(raw.end.conn.failure().unwrap().misdeed(), Some(Misdeed::BadPreface));
    }
}

#[test]
fn settings_are_our_first_frame_even_if_the_peer_errs_before_we_could_write() {
    let mut raw = Raw::silent(Side::Server, Config::builder());
    raw.bytes(b"GET / HTTP/1.1\r\n\r\n");
    let answers = raw.take_answers();
    assert!(answers[0].starts_with("SETTINGS"), "{answers:?}");
    assert_eq!(answers[1..], ["GOAWAY 0 PROTOCOL_ERROR"]);
}

#[test]
fn the_first_frame_must_be_settings() {
    for side in [Side::Client, Side::Server] {
        let mut raw = Raw::silent(side, Config::builder());
        raw.take_answers();
        if side == Side::Server {
            raw.bytes(PREFACE);
        }
        raw.ping(false, b"too soon");
        raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
        assert_eq!(raw.end.conn.failure().unwrap().misdeed(), Some(Misdeed::FrameBeforeSettings));
    }
    // An acknowledgement is no SETTINGS of the peer's own.
    let mut raw = Raw::silent(Side::Client, Config::builder());
    raw.take_answers();
    raw.send(write::settings_ack);
    raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn half_a_preface_is_given_up_in_time() {
    let mut raw = Raw::silent(Side::Server, Config::builder());
    raw.take_answers();
    raw.bytes(&PREFACE[..12]);
    raw.pass(9 * SECOND);
    raw.answers([]);
    raw.pass(SECOND);
    raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
    assert_eq!(raw.end.conn.failure().unwrap().misdeed(), Some(Misdeed::HandshakeTimeout));
}

#[test]
fn a_server_that_sends_no_settings_is_given_up_in_time() {
    let mut raw = Raw::silent(Side::Client, Config::builder());
    raw.take_answers();
    raw.pass(10 * SECOND);
    raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn requests_need_not_wait_for_the_servers_settings() {
    let mut raw = Raw::silent(Side::Client, Config::builder());
    raw.end.get();
    assert_eq!(
        raw.take_answers().last().unwrap(),
        "HEADERS 1 :method=GET,:scheme=http,:authority=a,:path=/ end"
    );
    raw.settings(&[]);
    raw.status(1, true, "200");
    raw.hears(["1 opened", "settings", "1 response 200 end", "1 closed"]);
}
