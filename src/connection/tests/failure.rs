//! The end of the socket and connection errors (RFC 9113 §5.4.1, §9.1).

use std::{io, time::Duration};

use super::{
    end::{SECOND, ok},
    pair::{Cut, Pair},
    raw::{GET, POST, Raw, block, frame},
};
use crate::{
    config::Config,
    connection::Side,
    error::{ErrorCode, Misdeed, Origin},
    frame::{FrameType, PREFACE},
};

#[test]
fn a_connection_error_ends_every_stream_with_its_reason() {
    let mut raw = Raw::client();
    for _ in 0..3 {
        raw.end.post();
    }
    raw.end.data(3, vec![0; 1_000_000], false);
    raw.end.conn.reserve(raw.end.key(5), 100);
    raw.take_answers();
    raw.end.take_log();
    raw.window_update(0, 0);
    raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
    let mut log = raw.end.take_log();
    log.sort();
    let each = |id| [format!("{id} closed"), format!("{id} reset WindowUpdateZero")];
    assert_eq!(log, [each(1), each(3), each(5)].concat());
}

#[test]
fn nothing_is_read_or_sent_after_a_connection_error() {
    let mut raw = Raw::server();
    let error_then_request =
        [frame(FrameType::PING, 0, 1, &[0; 8]), super::raw::headers(1, true, &GET)].concat();
    raw.bytes(&error_then_request);
    raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
    raw.hears([]);
    assert!(!raw.end.conn.ping() || raw.take_answers().is_empty());
}

#[test]
fn a_broken_socket_ends_every_stream_and_nothing_is_said() {
    let mut raw = Raw::client();
    raw.end.get();
    raw.end.post();
    raw.take_answers();
    raw.end.take_log();
    raw.end.conn.handle_io_error(io::Error::from(io::ErrorKind::ConnectionReset));
    raw.answers([]);
    assert!(raw.end.conn.is_finished() && raw.end.conn.is_read_closed());
    assert_eq!(raw.end.conn.failure().unwrap().get_io().unwrap().kind(), io::ErrorKind::ConnectionReset);
    let mut log = raw.end.take_log();
    log.sort();
    assert_eq!(log, ["1 closed", "1 reset INTERNAL_ERROR", "3 closed", "3 reset INTERNAL_ERROR"]);
    assert_eq!(raw.end.errors[&1].origin(), Origin::Io);
}

#[test]
fn a_half_closed_socket_is_answered() {
    let mut raw = Raw::server();
    raw.get(1);
    raw.post(3);
    raw.eof();
    raw.hears([
        "1 request GET http://a/ end",
        "3 request POST http://a/",
        "3 reset INTERNAL_ERROR",
        "3 closed",
    ]);
    assert!(raw.end.conn.is_read_closed() && !raw.end.conn.is_finished());
    raw.end.respond(1, ok(), false);
    raw.end.data(1, vec![1; 10], true);
    raw.answers(["HEADERS 1 :status=200", "DATA 1 10 end"]);
    assert!(raw.end.conn.is_finished() && raw.end.conn.failure().is_none());
}

/// After the peer's last octet no WINDOW_UPDATE can come: what waits for one is held for nobody.
#[test]
fn an_answer_that_no_window_will_let_out_is_given_up() {
    let mut raw = Raw::server();
    (0..5).for_each(|n| raw.get(2 * n + 1));
    // Blocked by the window of the stream before the end.
    raw.settings(&[(crate::frame::setting::INITIAL_WINDOW_SIZE, 20_000)]);
    raw.end.respond(1, ok(), false);
    raw.end.data(1, vec![1; 20_001], true);
    raw.take_answers();
    raw.end.take_log();
    raw.eof();
    raw.hears(["1 reset INTERNAL_ERROR", "1 closed"]);
    // What fits still goes out.
    raw.end.respond(3, ok(), false);
    raw.end.data(3, vec![1; 20_000], true);
    raw.take_answers();
    raw.hears(["3 closed"]);
    // Blocked after the end: by the stream's window, while waiting for capacity, by the connection's window.
    raw.end.respond(5, ok(), false);
    raw.end.data(5, vec![1; 20_000], false);
    raw.take_answers();
    raw.end.conn.reserve(raw.end.key(5), 1);
    raw.hears(["5 sent 20000", "5 reset INTERNAL_ERROR", "5 closed"]);
    raw.end.respond(7, ok(), false);
    raw.end.data(7, vec![1; 5_536], true);
    raw.take_answers();
    raw.hears(["7 reset INTERNAL_ERROR", "7 closed"]);
    // No window is needed for this one.
    raw.end.respond(9, ok(), true);
    raw.answers(["HEADERS 9 :status=200 end"]);
    assert!(raw.end.conn.is_finished());
}

#[test]
fn nothing_more_is_awaited_after_the_end_of_the_socket() {
    use crate::frame::write;
    let mut raw = Raw::silent(Side::Server, Config::builder().keep_alive_interval(Some(SECOND)));
    let hello = [
        PREFACE,
        &super::raw::octets(|out| write::settings(out, &[]))[..],
        &super::raw::headers(1, true, &GET),
    ];
    raw.bytes(&hello.concat());
    raw.eof();
    raw.take_answers();
    // The handler takes an hour. The peer can neither acknowledge our SETTINGS nor answer a PING.
    raw.pass(3_600 * SECOND);
    raw.answers([]);
    raw.end.respond(1, ok(), true);
    raw.answers(["HEADERS 1 :status=200 end"]);
    assert!(raw.end.conn.is_finished());
}

#[test]
fn an_end_of_file_ends_what_a_client_waits_for() {
    let mut raw =
        Raw::greeted(Side::Client, Config::builder(), &[(crate::frame::setting::MAX_CONCURRENT_STREAMS, 1)]);
    raw.end.get();
    raw.end.get();
    raw.take_answers();
    raw.eof();
    raw.answers([]);
    // The first was on its way; the second still waited for a slot, so nobody can have processed it (§8.7).
    let sent = raw.end.errors.values().filter(|error| error.is_io() && !error.is_unprocessed()).count();
    let unsent = raw.end.errors.values().filter(|error| error.is_unprocessed()).count();
    assert_eq!((sent, unsent), (1, 1));
    assert!(raw.end.conn.is_finished());
}

#[test]
fn limits_beyond_the_clock_are_none() {
    let config = Config::builder()
        .keep_alive_interval(Some(Duration::MAX))
        .keep_alive_timeout(Duration::MAX)
        .handshake_timeout(Some(Duration::MAX))
        .settings_timeout(Some(Duration::MAX))
        .header_read_timeout(Some(Duration::MAX))
        .keep_alive_while_idle(true);
    let mut raw = Raw::greeted(Side::Server, config, &[]);
    raw.frame(FrameType::HEADERS, 0, 1, &[]);
    raw.end.conn.shutdown();
    raw.take_answers();
    assert_eq!(raw.end.conn.poll_timeout(), None);
}

#[test]
fn a_client_whose_peer_is_gone_has_nobody_to_send_to() {
    let mut raw = Raw::greeted(Side::Client, Config::builder(), &[]);
    let one = raw.end.post();
    raw.take_answers();
    // Answered in full, while our body is still on its way.
    raw.frame(FrameType::HEADERS, 0x5, one, &[0x88]);
    raw.eof();
    raw.answers([]);
    assert!(raw.end.errors[&one].is_io());
    assert!(raw.end.conn.is_finished());
}

#[test]
fn an_end_of_file_may_come_at_any_octet() {
    let script = [
        PREFACE.to_vec(),
        frame(FrameType::SETTINGS, 0, 0, &[]),
        frame(FrameType::HEADERS, 0, 1, &block(&POST)[..7]),
        frame(FrameType::CONTINUATION, 0x4, 1, &block(&POST)[7..]),
        frame(FrameType::DATA, 0x9, 1, &[&[2][..], b"body", &[0; 2]].concat()),
    ]
    .concat();
    for at in 0..=script.len() {
        let mut raw = Raw::silent(Side::Server, Config::builder());
        raw.bytes(&script[..at]);
        raw.eof();
        for id in raw.end.live() {
            raw.end.respond(id, ok(), true);
        }
        raw.flush();
        assert!(raw.end.conn.is_finished(), "{at}");
        assert!(raw.end.live().is_empty(), "{at}");
        let failed = raw.end.conn.failure().is_some();
        // A whole conversation, or none at all, is no failure.
        assert!(!failed || (at > 0 && at < script.len()), "{at}");
    }
}

#[test]
fn both_ends_survive_an_end_of_file_after_any_octet() {
    for at in (0..300).chain([500, 1_000, 2_000, 3_000]) {
        let mut pair = Pair::new(Config::builder(), Config::builder(), Cut::Nowhere);
        let one = pair.client.post();
        pair.client.data(one, vec![9; 4_000], true);
        let octets = pair.client.write();
        pair.server.read(&octets[..at.min(octets.len())]);
        pair.server.conn.handle_eof(pair.server.now);
        pair.server.write();
        pair.client.conn.handle_eof(pair.client.now);
        pair.client.write();
        assert!(pair.client.conn.is_finished());
        pair.client.check_ledgers();
        for id in pair.server.live() {
            pair.server.abandon(id);
        }
        pair.server.write();
        pair.server.check_ledgers();
    }
}

#[test]
fn the_driver_can_end_a_connection_for_what_only_it_sees() {
    let mut raw = Raw::server();
    raw.post(1);
    raw.end.conn.fail(Misdeed::WriteStalled);
    raw.is_over(1, ErrorCode::ENHANCE_YOUR_CALM);
}
