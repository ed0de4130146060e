//! GOAWAY and graceful shutdown (RFC 9113 §6.8, §8.7).

use super::{
    end::{SECOND, get, ok},
    pair::{Cut, Pair},
    raw::Raw,
};
use crate::{
    config::Config,
    connection::Side,
    error::{ErrorCode, Misdeed},
    frame::setting,
    stream::{Head, SendQueue},
};

const SHUTDOWN: &[u8; 8] = &[0x0b, 0x7b, 0xa2, 0xf0, 0x8b, 0x9b, 0xfe, 0x54];

#[test]
fn a_server_shuts_down_in_three_steps() {
    let mut raw = Raw::server();
    raw.post(1);
    raw.end.conn.shutdown();
    raw.end.conn.shutdown();
    let answers = raw.take_answers();
    // The PING has to follow the GOAWAY, for its answer says that the peer has seen it.
    assert_eq!(answers[0], "GOAWAY 2147483647 NO_ERROR");
    assert!(answers[1].starts_with("PING") && answers.len() == 2);
    assert!(raw.end.conn.is_going_away() && !raw.end.conn.is_finished());
    // A request that crossed the GOAWAY is taken.
    raw.get(3);
    raw.ping(true, SHUTDOWN);
    raw.answers(["GOAWAY 3 NO_ERROR"]);
    // A later one is not, and neither is what belongs to it.
    raw.post(5);
    raw.data(5, 100, false);
    raw.window_update(5, 1);
    raw.reset(5, ErrorCode::CANCEL);
    raw.answers([]);
    assert!(!raw.end.conn.is_finished());
    raw.end.respond(3, ok(), true);
    raw.end.respond(1, ok(), true);
    raw.data(1, 10, true);
    raw.answers(["HEADERS 3 :status=200 end", "HEADERS 1 :status=200 end"]);
    assert!(raw.end.conn.is_finished() && raw.end.conn.failure().is_none());
}

#[test]
fn a_peer_that_does_not_answer_the_ping_cannot_prevent_the_shutdown() {
    let mut raw = Raw::server();
    raw.pass(3_600 * SECOND);
    raw.end.conn.shutdown();
    assert_eq!(raw.take_answers().len(), 2);
    raw.pass(19 * SECOND);
    raw.answers([]);
    raw.pass(SECOND);
    raw.answers(["GOAWAY 0 NO_ERROR"]);
    assert!(raw.end.conn.is_finished());
    assert_eq!(raw.end.conn.poll_timeout(), None);
}

#[test]
fn the_field_table_advances_with_requests_that_are_ignored() {
    use super::raw::{GET, frame, literal};
    use crate::frame::FrameType;
    let mut raw = Raw::server();
    raw.end.conn.shutdown();
    raw.ping(true, SHUTDOWN);
    raw.take_answers();
    let fields: Vec<u8> = GET.iter().flat_map(|(name, value)| literal(0x40, name, value)).collect();
    raw.bytes(&frame(FrameType::HEADERS, 0x5, 1, &fields));
    raw.answers([]);
    assert!(raw.end.conn.core.decoder.table_octets() > 0);
}

#[test]
fn a_client_shuts_down_once_its_requests_are_answered() {
    let mut raw = Raw::greeted(Side::Client, Config::builder(), &[(setting::MAX_CONCURRENT_STREAMS, 1)]);
    raw.end.get();
    raw.end.get();
    raw.end.conn.shutdown();
    assert_eq!(
        raw.take_answers().last().unwrap(),
        "HEADERS 1 :method=GET,:scheme=http,:authority=a,:path=/ end"
    );
    raw.status(1, true, "200");
    assert_eq!(raw.take_answers().len(), 1, "the request that waited");
    assert!(!raw.end.conn.is_finished());
    raw.status(3, true, "200");
    assert!(raw.end.conn.is_finished());
    let mut queue = SendQueue::new();
    queue.push_head(Head::Request(get()));
    let refused = raw.end.conn.open(raw.end.conn.next_stream_id().unwrap(), &mut queue).unwrap_err();
    assert!(refused.is_unprocessed() && !refused.is_remote());
}

#[test]
fn requests_above_the_last_identifier_are_unprocessed() {
    let mut raw = Raw::client();
    for _ in 0..3 {
        raw.end.get();
    }
    raw.take_answers();
    raw.end.take_log();
    raw.goaway(3, ErrorCode::NO_ERROR);
    raw.hears(["goaway NO_ERROR", "5 reset NO_ERROR unprocessed", "5 closed"]);
    assert!(raw.end.errors[&5].is_unprocessed() && raw.end.errors[&5].is_remote());
    raw.status(1, true, "200");
    raw.status(3, true, "200");
    raw.answers([]);
    raw.hears(["1 response 200 end", "1 closed", "3 response 200 end", "3 closed"]);
    assert!(raw.end.conn.is_finished());
}

#[test]
fn requests_that_wait_are_unprocessed_whatever_identifier_is_named() {
    // §6.8: after a GOAWAY no stream is opened any more.
    let mut raw = Raw::greeted(Side::Client, Config::builder(), &[(setting::MAX_CONCURRENT_STREAMS, 1)]);
    raw.end.get();
    raw.end.get();
    raw.take_answers();
    raw.end.take_log();
    raw.goaway(0x7fff_ffff, ErrorCode::NO_ERROR);
    raw.status(1, true, "200");
    raw.answers([]);
    raw.hears([
        "goaway NO_ERROR",
        "3 reset NO_ERROR unprocessed",
        "3 closed",
        "1 response 200 end",
        "1 closed",
    ]);
    let mut queue = SendQueue::new();
    queue.push_head(Head::Request(get()));
    let refused = raw.end.conn.open(raw.end.conn.next_stream_id().unwrap(), &mut queue).unwrap_err();
    assert!(refused.is_unprocessed() && refused.is_remote());
}

#[test]
fn the_last_identifier_may_only_sink() {
    let mut raw = Raw::client();
    for last in [0x7fff_ffff, 5, 5, 1] {
        raw.goaway(last, ErrorCode::NO_ERROR);
    }
    raw.answers([]);
    raw.goaway(3, ErrorCode::NO_ERROR);
    raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
    assert_eq!(raw.end.conn.failure().unwrap().misdeed(), Some(Misdeed::GoAwayIncreased));
}

#[test]
fn a_server_goes_on_after_the_clients_goaway() {
    let mut raw = Raw::server();
    raw.get(1);
    raw.goaway(0, ErrorCode::NO_ERROR);
    raw.end.respond(1, ok(), true);
    raw.answers(["HEADERS 1 :status=200 end"]);
    raw.hears(["1 request GET http://a/ end", "goaway NO_ERROR", "1 closed"]);
}

#[test]
fn an_error_after_a_graceful_goaway_is_told_with_the_same_identifier() {
    let mut raw = Raw::server();
    raw.get(1);
    raw.end.conn.shutdown();
    raw.ping(true, SHUTDOWN);
    raw.take_answers();
    raw.window_update(0, 0);
    raw.is_over(1, ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn shutdown_before_the_handshake_names_its_identifier_at_once() {
    let mut raw = Raw::silent(Side::Server, Config::builder());
    raw.end.conn.shutdown();
    let answers = raw.take_answers();
    assert!(answers[0].starts_with("SETTINGS"), "{answers:?}");
    assert_eq!(answers.last().unwrap(), "GOAWAY 0 NO_ERROR");
    assert!(raw.end.conn.is_finished());
}

#[test]
fn an_abort_says_why_and_nothing_else() {
    let mut raw = Raw::server();
    raw.post(1);
    raw.end.conn.abort(ErrorCode::INTERNAL_ERROR);
    raw.end.conn.abort(ErrorCode::CANCEL);
    raw.is_over(1, ErrorCode::INTERNAL_ERROR);
    raw.hears(["1 request POST http://a/", "1 reset INTERNAL_ERROR", "1 closed"]);
}

#[test]
fn two_ends_shut_down_without_losing_a_request() {
    for cut in [Cut::Nowhere, Cut::Every(1), Cut::Every(13)] {
        let mut pair = Pair::new(Config::builder(), Config::builder(), cut);
        pair.client.get();
        pair.run();
        pair.server.conn.shutdown();
        let crossed = pair.client.get();
        pair.carry(true);
        pair.run();
        for id in [1, crossed] {
            pair.server.respond(id, ok(), true);
        }
        pair.run();
        assert!(pair.client.take_log().contains(&"3 response 200 end".to_owned()));
        assert!(pair.server.conn.is_finished() && pair.client.conn.is_finished());
        pair.finish();
    }
}
