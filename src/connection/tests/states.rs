//! Stream states and identifiers (RFC 9113 §5.1, §5.1.1, §5.4).

use super::{
    end::{SECOND, ok},
    raw::{GET, POST, Raw, block, frame},
};
use crate::{
    config::{Config, Manners},
    connection::Side,
    error::{ErrorCode, Misdeed},
    frame::FrameType,
};

#[track_caller]
fn broke(raw: &Raw, misdeed: Misdeed) {
    assert_eq!(raw.end.conn.failure().and_then(|error| error.misdeed()), Some(misdeed));
}

#[test]
fn frames_on_an_idle_stream_are_connection_errors() {
    for side in [Side::Client, Side::Server] {
        for kind in [FrameType::DATA, FrameType::RST_STREAM, FrameType::WINDOW_UPDATE] {
            let mut raw = Raw::new(side, Config::builder());
            raw.frame(kind, 0, 1, &[0, 0, 0, 1]);
            raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
            broke(&raw, Misdeed::FrameOnIdleStream);
        }
    }
}

#[test]
fn a_stream_error_on_an_idle_stream_reaches_the_connection() {
    // §6.4: RST_STREAM must not be sent for an idle stream.
    let mut raw = Raw::server();
    raw.frame(FrameType::PRIORITY, 0, 5, &[0; 4]);
    raw.is_over(0, ErrorCode::FRAME_SIZE_ERROR);
    let mut raw = Raw::server();
    raw.frame(FrameType::PRIORITY, 0, 5, &[0, 0, 0, 5, 0]);
    raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
    broke(&raw, Misdeed::SelfDependency);
}

#[test]
fn priority_may_come_in_any_state_and_means_nothing() {
    let mut raw = Raw::server();
    raw.get(1);
    raw.end.respond(1, ok(), true);
    raw.take_answers();
    for stream in [1, 3, 2] {
        raw.frame(FrameType::PRIORITY, 0, stream, &[0, 0, 0, 9, 1]);
    }
    raw.is_well();
}

#[test]
fn a_new_stream_that_depends_on_itself_is_used_up() {
    let mut raw = Raw::server();
    let payload = [&[0, 0, 0, 1, 0], &block(&POST)[..]].concat();
    raw.frame(FrameType::HEADERS, 0x24, 1, &payload);
    raw.answers(["RST_STREAM 1 PROTOCOL_ERROR"]);
    raw.data(1, 5, true);
    raw.reset(1, ErrorCode::CANCEL);
    raw.is_well();
    raw.get(3);
    raw.hears(["3 request GET http://a/ end"]);
}

#[test]
fn identifiers_of_the_wrong_parity_are_connection_errors() {
    let mut raw = Raw::server();
    raw.get(2);
    raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
    broke(&raw, Misdeed::EvenStreamId);
    for stream in [2, 1] {
        let mut raw = Raw::client();
        raw.status(stream, true, "200");
        raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
        broke(&raw, Misdeed::FrameOnIdleStream);
    }
}

#[test]
fn data_on_a_skipped_stream_is_answered_as_h2_does() {
    let mut raw = Raw::new(Side::Server, Config::builder().manners(Manners::H2));
    raw.post(9);
    raw.data(3, 1, false);
    raw.answers(["RST_STREAM 3 STREAM_CLOSED"]);
    raw.is_well();
    raw.get(5);
    raw.is_over(9, ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn a_skipped_identifier_is_used_up() {
    let mut raw = Raw::server();
    raw.get(5);
    raw.get(3);
    raw.is_over(5, ErrorCode::PROTOCOL_ERROR);
    broke(&raw, Misdeed::StreamIdDecreased);
    // What may come late for a closed stream may come for a skipped one.
    let mut raw = Raw::server();
    raw.get(5);
    raw.window_update(3, 1);
    raw.reset(3, ErrorCode::CANCEL);
    raw.is_well();
}

#[test]
fn frames_after_the_peers_end_of_the_stream() {
    // Half-closed (remote): a stream error.
    let mut raw = Raw::server();
    raw.get(1);
    raw.data(1, 1, false);
    raw.answers(["RST_STREAM 1 STREAM_CLOSED"]);
    raw.get(3);
    raw.headers(3, true, &[("late", "trailers")]);
    raw.answers(["RST_STREAM 3 STREAM_CLOSED"]);
    raw.hears([
        "1 request GET http://a/ end",
        "1 reset DataAfterEnd",
        "1 closed",
        "3 request GET http://a/ end",
        "3 reset HeadersAfterEnd",
        "3 closed",
    ]);
    // WINDOW_UPDATE and RST_STREAM are allowed there.
    raw.get(5);
    raw.window_update(5, 10);
    raw.reset(5, ErrorCode::CANCEL);
    raw.hears(["5 request GET http://a/ end", "5 reset CANCEL", "5 closed"]);
    raw.is_well();
}

#[test]
fn frames_on_a_stream_that_both_sides_ended() {
    for (kind, misdeed) in
        [(FrameType::DATA, Misdeed::DataOnClosedStream), (FrameType::HEADERS, Misdeed::HeadersAfterEnd)]
    {
        let mut raw = Raw::server();
        raw.get(1);
        raw.end.respond(1, ok(), true);
        raw.take_answers();
        // Those that may have crossed our END_STREAM are ignored (§5.1).
        raw.window_update(1, 1);
        raw.reset(1, ErrorCode::CANCEL);
        raw.is_well();
        raw.frame(kind, 0x4, 1, &block(&GET));
        raw.is_over(1, ErrorCode::STREAM_CLOSED);
        broke(&raw, misdeed);
    }
}

#[test]
fn frames_that_cross_our_reset_are_ignored() {
    let mut raw = Raw::server();
    raw.post(1);
    // The application resets long after the last frame came.
    raw.pass(3_600 * SECOND);
    raw.end.reset(1, ErrorCode::INTERNAL_ERROR);
    raw.answers(["RST_STREAM 1 INTERNAL_ERROR"]);
    raw.data(1, 100, false);
    raw.headers(1, true, &[("a", "b")]);
    raw.window_update(1, 5);
    raw.reset(1, ErrorCode::CANCEL);
    raw.is_well();
    // It is not remembered for ever.
    raw.pass(31 * SECOND);
    raw.data(1, 1, false);
    raw.is_over(1, ErrorCode::STREAM_CLOSED);
}

#[test]
fn frames_after_the_peers_own_reset_are_stream_errors() {
    let mut raw = Raw::server();
    raw.post(1);
    raw.reset(1, ErrorCode::CANCEL);
    raw.data(1, 1, false);
    raw.answers(["RST_STREAM 1 STREAM_CLOSED"]);
    raw.headers(1, true, &[("a", "b")]);
    raw.answers(["RST_STREAM 1 STREAM_CLOSED"]);
    // §5.4.2: no RST_STREAM answers one.
    raw.reset(1, ErrorCode::CANCEL);
    raw.is_well();
}

#[test]
fn more_resets_than_are_remembered_harm_nobody() {
    let mut raw = Raw::new(Side::Server, Config::builder().max_concurrent_reset_streams(2));
    for stream in [1, 3, 5, 7, 9] {
        raw.post(stream);
        raw.end.reset(stream, ErrorCode::CANCEL);
    }
    raw.take_answers();
    for stream in [1, 3, 5, 7, 9] {
        raw.data(stream, 10, true);
    }
    raw.is_well();
}

#[test]
fn a_request_that_never_left_is_taken_back_without_a_word() {
    // §5.1: RST_STREAM on a stream that the peer knows as idle would be a connection error.
    let mut raw = Raw::client();
    let unsent = raw.end.get();
    raw.end.reset(unsent, ErrorCode::CANCEL);
    raw.answers([]);
    let unsent = raw.end.post();
    raw.end.abandon(unsent);
    raw.answers([]);
    raw.end.get();
    raw.answers(["HEADERS 5 :method=GET,:scheme=http,:authority=a,:path=/ end"]);
    raw.hears(["1 opened", "1 closed", "3 opened", "3 closed", "5 opened"]);
}

#[test]
fn an_answer_before_the_request_is_a_connection_error() {
    let mut raw = Raw::client();
    raw.take_answers();
    raw.end.get();
    // Read before anything is written: the peer cannot know of stream 1.
    let block = super::raw::headers(1, true, &[(":status", "200")]);
    raw.bytes(&block);
    raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
    broke(&raw, Misdeed::FrameOnIdleStream);
}

#[test]
fn nothing_can_be_sent_after_our_own_end() {
    let mut raw = Raw::client();
    let stream = raw.end.get();
    raw.take_answers();
    raw.end.data(stream, "late", true);
    raw.answers([]);
    raw.end.trailers(stream, http::HeaderMap::new());
    raw.answers([]);
    raw.status(1, true, "200");
    assert!(!raw.end.is_live(1));
    raw.is_well();
}

#[test]
fn identifiers_are_used_once_and_run_out() {
    use crate::{
        error::Mistake,
        stream::{Head, SendQueue},
        stream_id::StreamId,
    };
    let mut raw = Raw::client();
    let mut open = |id: u32| {
        let mut queue = SendQueue::new();
        queue.push_head(Head::Request(super::end::get()));
        let opened = raw.end.conn.open(StreamId::new(id), &mut queue);
        if let Ok(key) = opened {
            raw.end.conn.reset(key, ErrorCode::CANCEL);
            while raw.end.conn.poll_event().is_some() {}
        }
        opened.map(drop).map_err(|error| error.mistake())
    };
    assert_eq!(open(5), Ok(()));
    for passed in [5, 3, 8] {
        assert_eq!(open(passed), Err(Some(Mistake::OutOfStreamIds)));
    }
    assert_eq!(open(0x7fff_ffff), Ok(()));
    assert_eq!(open(0x7fff_ffff), Err(Some(Mistake::OutOfStreamIds)));
}

#[test]
fn frames_are_judged_the_same_wherever_they_are_cut() {
    let mut expected = None;
    for size in [usize::MAX, 1, 2, 5, 9, 13, 50] {
        let mut raw = Raw::server();
        raw.read_size = size;
        let script = [
            super::raw::headers(1, false, &POST),
            frame(FrameType::DATA, 0x8, 1, &[&[3][..], b"abcde", &[0; 3]].concat()),
            super::raw::headers(1, true, &[("end", "now")]),
            frame(FrameType::DATA, 0x1, 1, b"late"),
            super::raw::headers(3, true, &[(":method", "GET")]),
            frame(FrameType::from(0x77), 0xff, 3, &[1; 40]),
            super::raw::headers(5, true, &GET),
            frame(FrameType::PING, 0, 0, b"the last"),
        ]
        .concat();
        raw.bytes(&script);
        let answers = raw.take_answers();
        let log: Vec<String> =
            raw.end.take_log().into_iter().filter(|line| !line.contains(" data ")).collect();
        let got = (answers, log, raw.end.received.clone());
        assert_eq!(*expected.get_or_insert_with(|| got.clone()), got, "{size}");
    }
}
