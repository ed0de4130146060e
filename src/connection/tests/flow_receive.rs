//! Flow control of what we receive (RFC 9113 §5.2, §6.9): the stream's credit returns when the application
//! takes the octets, the connection's on arrival while little is unread.

use super::raw::Raw;
use crate::{
    config::{Config, ConfigBuilder},
    connection::Side,
    error::{ErrorCode, Misdeed},
    frame::{FrameType, write},
};

fn windows(stream: u32, connection: u32) -> ConfigBuilder {
    Config::builder().initial_stream_window_size(stream).initial_connection_window_size(connection)
}

fn holding(config: ConfigBuilder) -> Raw {
    let mut raw = Raw::new(Side::Server, config);
    raw.end.releases = false;
    raw.post(1);
    raw
}

#[test]
fn one_octet_too_many_for_a_stream_is_a_stream_error() {
    let mut raw = holding(windows(1_000, 65_535));
    raw.data(1, 1_000, false);
    raw.data(1, 0, false);
    raw.answers([]);
    raw.data(1, 1, false);
    raw.answers(["RST_STREAM 1 FLOW_CONTROL_ERROR"]);
    raw.hears(["1 request POST http://a/", "1 data 1000", "1 reset WindowExceeded", "1 closed"]);
    raw.is_well();
}

/// §6.9.1: however far below zero the window is, since it was lowered.
#[test]
fn an_empty_frame_may_end_a_stream_without_a_window() {
    let mut raw = holding(windows(1_000, 65_535));
    raw.data(1, 900, false);
    raw.end.conn.set_initial_window_size(100);
    raw.answers(["SETTINGS [(4, 100)]"]);
    raw.frame(FrameType::SETTINGS, 0x1, 0, &[]);
    raw.data(1, 0, true);
    raw.answers([]);
    raw.hears(["1 request POST http://a/", "1 data 900", "1 data 0 end"]);
}

#[test]
fn an_empty_frame_may_end_a_stream_whose_window_is_below_zero() {
    let mut raw = holding(windows(1_000, 65_535));
    raw.data(1, 1_000, false);
    raw.end.conn.set_initial_window_size(0);
    raw.send(write::settings_ack);
    raw.take_answers();
    raw.data(1, 0, true);
    raw.hears(["1 request POST http://a/", "1 data 1000", "1 data 0 end"]);
    raw.is_well();
}

#[test]
fn one_octet_too_many_for_the_connection_is_a_connection_error() {
    let mut raw = holding(windows(1 << 20, 65_535).max_unread(0));
    for length in [16_384, 16_384, 16_384, 16_383] {
        raw.data(1, length, false);
    }
    raw.answers([]);
    assert_eq!(raw.end.conn.stats().recv_window, 0);
    raw.data(1, 1, false);
    raw.is_over(1, ErrorCode::FLOW_CONTROL_ERROR);
    assert_eq!(raw.end.conn.failure().unwrap().misdeed(), Some(Misdeed::WindowExceeded));
}

#[test]
fn a_frame_is_charged_before_its_octets_come() {
    let mut raw = holding(windows(1_000, 65_535));
    raw.bytes(&[0, 0x03, 0xe9, 0, 0, 0, 0, 0, 1]);
    raw.answers(["RST_STREAM 1 FLOW_CONTROL_ERROR"]);
    // The payload of the refused frame is passed over.
    raw.bytes(&[0; 1_001]);
    raw.is_well();
}

#[test]
fn stream_credit_returns_when_the_application_takes_the_octets() {
    let mut raw = holding(windows(1_000, 65_535));
    raw.data(1, 600, false);
    raw.answers([]);
    let key = raw.end.key(1);
    raw.end.conn.release(key, 499);
    raw.answers([]);
    raw.end.conn.release(key, 1);
    raw.answers(["WINDOW_UPDATE 1 500"]);
}

#[test]
fn padding_is_charged_and_returns_by_itself() {
    let mut raw = holding(windows(1_000, 65_535));
    // 1 + 4 + 255 octets, of which four are payload.
    let payload = [&[255][..], b"data", &[0; 255]].concat();
    raw.frame(FrameType::DATA, 0x8, 1, &payload);
    raw.frame(FrameType::DATA, 0x8, 1, &payload);
    raw.answers(["WINDOW_UPDATE 1 512"]);
    assert_eq!(raw.end.conn.stats().unread, 8);
    assert_eq!(raw.end.conn.stats().recv_window, 65_535 - 520);
    // Padding alone.
    let payload = [&[255][..], &[0; 255]].concat();
    raw.frame(FrameType::DATA, 0x8, 1, &payload);
    raw.frame(FrameType::DATA, 0x8, 1, &payload);
    raw.answers(["WINDOW_UPDATE 1 512"]);
    raw.hears(["1 request POST http://a/", "1 data 4", "1 data 4"]);
}

#[test]
fn connection_credit_returns_on_arrival_while_little_is_unread() {
    let mut raw = holding(windows(1 << 20, 65_535).max_unread(65_535));
    for length in [16_384, 16_384, 16_384, 16_383] {
        raw.data(1, length, false);
    }
    raw.answers(["WINDOW_UPDATE 0 32768", "WINDOW_UPDATE 0 32767"]);
    assert!(!raw.end.conn.is_congested());
    raw.data(1, 1, false);
    assert!(raw.end.conn.is_congested());
}

#[test]
fn one_slow_stream_does_not_stall_the_others() {
    let mut raw = holding(windows(65_535, 65_535).max_unread(1 << 20));
    for _ in 0..3 {
        raw.data(1, 16_384, false);
    }
    raw.post(3);
    for _ in 0..20 {
        raw.data(3, 16_000, false);
        raw.end.release(3);
        raw.take_answers();
    }
    assert!(raw.end.is_live(1) && raw.end.is_live(3));
    assert_eq!(raw.end.conn.stats().unread, 3 * 16_384);
}

#[test]
fn above_max_unread_the_connection_is_held_back_until_the_application_reads() {
    let mut raw = holding(windows(100_000, 65_535).max_unread(20_000));
    raw.data(1, 16_384, false);
    raw.data(1, 16_384, false);
    raw.answers(["WINDOW_UPDATE 0 32768"]);
    assert!(raw.end.conn.is_congested());
    for _ in 0..3 {
        raw.data(1, 16_384, false);
    }
    raw.answers([]);
    raw.end.release(1);
    raw.answers(["WINDOW_UPDATE 1 81920", "WINDOW_UPDATE 0 49152"]);
    assert!(!raw.end.conn.is_congested());
}

#[test]
fn an_abandoned_stream_costs_the_others_nothing() {
    let mut raw = holding(windows(65_535, 65_535).max_unread(0));
    raw.data(1, 16_384, false);
    raw.end.abandon(1);
    raw.answers(["RST_STREAM 1 CANCEL"]);
    // What is still on its way is charged and returned at once.
    for _ in 0..3 {
        raw.data(1, 16_384, false);
    }
    raw.answers(["WINDOW_UPDATE 0 32768", "WINDOW_UPDATE 0 32768"]);
    assert_eq!(raw.end.conn.stats().unread, 0);
}

#[test]
fn data_of_a_malformed_message_is_not_left_unread() {
    let mut raw = Raw::server();
    raw.end.releases = false;
    raw.headers(1, false, &[&super::raw::POST[..], &[("content-length", "10")]].concat());
    raw.data(1, 5, true);
    raw.answers(["RST_STREAM 1 PROTOCOL_ERROR"]);
    raw.hears(["1 request POST http://a/", "1 reset BodyLengthMismatch", "1 closed"]);
    assert_eq!(raw.end.conn.stats().unread, 0);
}

#[test]
fn a_stream_reset_in_the_middle_of_a_frame_leaves_nothing_behind() {
    let mut raw = holding(windows(65_535, 65_535));
    raw.bytes(&[0, 0x10, 0, 0, 0, 0, 0, 0, 1]);
    raw.bytes(&[7; 1_000]);
    raw.end.reset(1, ErrorCode::CANCEL);
    raw.bytes(&[7; 3_096]);
    raw.answers(["RST_STREAM 1 CANCEL"]);
    raw.is_well();
}

#[test]
fn the_connections_window_can_be_raised() {
    let mut raw = Raw::new(Side::Server, windows(65_535, 65_535));
    raw.end.conn.set_target_window_size(100_000);
    raw.answers(["WINDOW_UPDATE 0 34465"]);
    // Lowering takes nothing back.
    raw.end.conn.set_target_window_size(70_000);
    raw.answers([]);
    assert_eq!(raw.end.conn.stats().recv_window, 100_000);
}
