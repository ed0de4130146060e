//! What happens when the application lets go of a stream (RFC 9113 §8.1, §5.4.2).

use super::{
    end::{SECOND, ok},
    raw::Raw,
};
use crate::{
    config::{Config, Manners},
    connection::Side,
    error::ErrorCode,
    frame::setting,
};

#[test]
fn a_client_that_lets_go_cancels() {
    let mut raw = Raw::client();
    for (id, end) in [(1, true), (3, false)] {
        raw.end.open(super::end::get(), end);
        raw.take_answers();
        raw.end.abandon(id);
        raw.answers([format!("RST_STREAM {id} CANCEL").as_str()]);
    }
    raw.hears(["1 opened", "1 closed", "3 opened", "3 closed"]);
}

#[test]
fn a_server_that_has_not_answered_cancels() {
    let mut raw = Raw::server();
    raw.get(1);
    raw.end.abandon(1);
    raw.answers(["RST_STREAM 1 CANCEL"]);
    raw.get(3);
    raw.end.respond(3, ok(), false);
    raw.end.abandon(3);
    raw.answers(["RST_STREAM 3 CANCEL"]);
}

#[test]
fn a_server_that_answered_early_says_no_error() {
    let mut raw = Raw::server();
    raw.post(1);
    raw.end.respond(1, ok(), true);
    raw.answers(["HEADERS 1 :status=200 end"]);
    raw.end.abandon(1);
    raw.answers([]);
    raw.pass(SECOND);
    raw.answers(["RST_STREAM 1 NO_ERROR"]);
    // The other order: the answer is queued, not sent.
    raw.post(3);
    raw.end.respond(3, ok(), true);
    raw.end.abandon(3);
    raw.answers(["HEADERS 3 :status=200 end"]);
    raw.pass(SECOND);
    raw.answers(["RST_STREAM 3 NO_ERROR"]);
    assert_eq!(raw.end.conn.poll_timeout(), None);
}

/// A request that goes on after its answer, on each of these streams.
fn answered_early(raw: &mut Raw, streams: impl IntoIterator<Item = u32>) {
    for stream in streams {
        raw.post(stream);
        raw.end.respond(stream, ok(), true);
        raw.end.abandon(stream);
    }
    raw.take_answers();
}

#[test]
fn a_request_that_ends_by_itself_after_its_answer_is_not_reset() {
    let mut raw = Raw::server();
    answered_early(&mut raw, [1, 3]);
    raw.data(1, 1_000, true);
    raw.answers([]);
    // What is wrong with the rest of it is not overlooked.
    raw.headers(3, false, &[("x-more", "to come")]);
    raw.answers(["RST_STREAM 3 PROTOCOL_ERROR"]);
    assert_eq!((raw.end.conn.is_idle(), raw.end.conn.poll_timeout()), (true, None));
}

#[test]
fn a_request_that_needs_more_window_after_its_answer_is_reset() {
    let mut raw = Raw::new(Side::Server, Config::builder().initial_stream_window_size(1_000));
    answered_early(&mut raw, [1]);
    raw.data(1, 400, false);
    raw.answers([]);
    raw.data(1, 400, false);
    raw.answers(["RST_STREAM 1 NO_ERROR"]);
    // So is one that did before.
    raw.post(3);
    raw.data(3, 600, false);
    raw.answers(["WINDOW_UPDATE 3 600"]);
    raw.end.respond(3, ok(), true);
    raw.end.abandon(3);
    raw.answers(["HEADERS 3 :status=200 end", "RST_STREAM 3 NO_ERROR"]);
}

#[test]
fn few_requests_linger_and_none_when_the_connection_is_to_end() {
    let mut raw = Raw::new(Side::Server, Config::builder().max_concurrent_streams(Some(16)));
    answered_early(&mut raw, [1, 3]);
    raw.post(5);
    raw.end.respond(5, ok(), true);
    raw.end.abandon(5);
    raw.answers(["HEADERS 5 :status=200 end", "RST_STREAM 1 NO_ERROR"]);
    raw.end.conn.shutdown();
    raw.flush();
    let answers = raw.take_answers();
    assert!(
        ["RST_STREAM 3 NO_ERROR", "RST_STREAM 5 NO_ERROR"]
            .iter()
            .all(|reset| answers.iter().any(|one| one == reset)),
        "{answers:?}"
    );
    // Where there are few places each of them is missed.
    let mut raw = Raw::new(Side::Server, Config::builder().max_concurrent_streams(Some(7)));
    raw.post(1);
    raw.end.respond(1, ok(), true);
    raw.end.abandon(1);
    raw.answers(["HEADERS 1 :status=200 end", "RST_STREAM 1 NO_ERROR"]);
}

#[test]
fn an_answer_that_is_queued_whole_still_goes_out() {
    let mut raw = Raw::server();
    raw.get(1);
    raw.end.respond(1, ok(), false);
    raw.end.data(1, vec![0; 70_000], true);
    raw.end.abandon(1);
    raw.take_answers();
    raw.window_update(0, 100_000);
    raw.window_update(1, 100_000);
    raw.answers(["DATA 1 4465 end"]);
    raw.hears(["1 request GET http://a/ end", "1 closed"]);
}

#[test]
fn what_comes_for_an_abandoned_stream_is_dropped_and_its_credit_returned() {
    let mut raw = Raw::greeted(
        Side::Client,
        Config::builder().initial_stream_window_size(1_000),
        &[(setting::INITIAL_WINDOW_SIZE, 5)],
    );
    raw.end.releases = false;
    let post = raw.end.post();
    raw.end.data(post, vec![0; 10], true);
    raw.take_answers();
    raw.status(1, false, "200");
    raw.data(1, 900, false);
    raw.end.take_log();
    // The upload is queued whole and waits for the peer, which may wait for its own window.
    raw.end.abandon(1);
    raw.answers(["WINDOW_UPDATE 1 900"]);
    raw.data(1, 600, false);
    raw.answers(["WINDOW_UPDATE 1 600"]);
    raw.headers(1, true, &[("a", "b")]);
    raw.hears([]);
    raw.window_update(1, 5);
    raw.answers(["DATA 1 5 end"]);
    raw.hears(["1 closed"]);
    assert_eq!(raw.end.conn.stats().unread, 0);
}

#[test]
fn letting_go_of_what_is_gone_does_nothing() {
    let mut raw = Raw::server();
    raw.post(1);
    let key = raw.end.key(1);
    raw.reset(1, ErrorCode::CANCEL);
    raw.end.take_log();
    raw.end.conn.abandon(key);
    raw.end.conn.reset(key, ErrorCode::CANCEL);
    raw.end.conn.release(key, 10);
    raw.end.conn.reserve(key, 10);
    raw.end.conn.give_back(key, 10);
    raw.answers([]);
    raw.is_well();
}

#[test]
fn in_the_manner_of_h2_a_request_that_was_given_up_is_opened_and_reset() {
    // The window lets the DATA go, or it does not: the reset must not wait for it.
    for (window, data) in [(65_535, vec!["DATA 1 10"]), (9, vec![])] {
        let mut raw = Raw::new(Side::Client, Config::builder().manners(Manners::H2));
        raw.settings(&[(setting::INITIAL_WINDOW_SIZE, window)]);
        raw.take_answers();
        let id = raw.end.post();
        raw.end.data(id, "ten octets", false);
        raw.end.reset(id, ErrorCode::CANCEL);
        raw.flush();
        let answers = raw.take_answers();
        assert!(answers[0].starts_with("HEADERS 1"), "{answers:?}");
        assert_eq!(answers[1..], [data, vec!["RST_STREAM 1 CANCEL"]].concat());
        assert_eq!(raw.end.conn.concurrent_streams(), (0, 0));
    }
}

/// §5.1.2: the peer must hear of the reset before it sees the stream that takes the place.
#[test]
fn a_place_that_is_left_is_taken_after_the_reset() {
    let mut raw = Raw::greeted(Side::Client, Config::builder(), &[(setting::MAX_CONCURRENT_STREAMS, 1)]);
    let (one, _) = (raw.end.post(), raw.end.get());
    raw.answers(["HEADERS 1 :method=POST,:scheme=http,:authority=a,:path=/"]);
    // Queued whole and let go of: nobody waits for the answer.
    raw.end.data(one, vec![0; 10], true);
    raw.end.abandon(one);
    raw.answers([
        "DATA 1 10 end",
        "RST_STREAM 1 CANCEL",
        "HEADERS 3 :method=GET,:scheme=http,:authority=a,:path=/ end",
    ]);
}
