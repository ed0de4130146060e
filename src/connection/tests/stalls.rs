//! Octets that the socket does not take, and streams on which nothing moves.

use super::{
    end::{SECOND, ok},
    pair::{Cut, Pair},
    raw::Raw,
};
use crate::{
    config::{Config, ConfigBuilder},
    connection::Side,
    error::{ErrorCode, Misdeed, Origin},
};

fn impatient() -> ConfigBuilder {
    Config::builder().stream_idle_timeout(Some(8 * SECOND))
}

#[test]
fn octets_that_nobody_takes_end_the_connection_without_a_word() {
    for eof in [false, true] {
        let mut raw = Raw::server();
        raw.get(1);
        if eof {
            raw.eof();
        }
        raw.end.conn.handle_blocked(raw.end.now, 1);
        raw.pass(59 * SECOND);
        // Still blocked: the time runs on.
        raw.end.conn.handle_blocked(raw.end.now, 1);
        assert!(raw.end.conn.failure().is_none());
        raw.pass(SECOND);
        assert_eq!(raw.end.conn.failure().unwrap().misdeed(), Some(Misdeed::WriteTimeout));
        assert_eq!(raw.end.errors[&1].misdeed(), Some(Misdeed::WriteTimeout));
        raw.answers([]);
        assert!(raw.end.conn.is_finished());
        assert_eq!(raw.end.conn.poll_timeout(), None);
    }
}

#[test]
fn one_octet_taken_is_as_good_as_all() {
    let mut raw = Raw::server();
    for _ in 0..10 {
        raw.end.conn.handle_blocked(raw.end.now, 1);
        raw.pass(59 * SECOND);
        raw.end.conn.handle_written(1);
    }
    assert_eq!(raw.end.conn.poll_timeout(), None);
    raw.is_well();
    let mut raw = Raw::new(Side::Server, Config::builder().write_timeout(None));
    raw.end.conn.handle_blocked(raw.end.now, 1);
    assert_eq!(raw.end.conn.poll_timeout(), None);
}

#[test]
fn a_stream_on_which_nothing_moves_is_cancelled_and_others_are_not() {
    let mut raw = Raw::new(Side::Server, impatient());
    assert_eq!(raw.end.conn.poll_timeout(), None);
    raw.post(1);
    raw.pass(5 * SECOND);
    raw.post(3);
    raw.answers([]);
    raw.pass(5 * SECOND);
    raw.answers(["RST_STREAM 1 CANCEL"]);
    let error = &raw.end.errors[&1];
    assert_eq!((error.misdeed(), error.origin()), (Some(Misdeed::StreamIdle), Origin::Us));
    assert!(error.is_reset() && !error.is_remote());
    raw.pass(5 * SECOND);
    raw.answers(["RST_STREAM 3 CANCEL"]);
    assert_eq!(raw.end.conn.poll_timeout(), None);
    raw.is_well();
}

#[test]
fn whatever_moves_keeps_a_stream_alive() {
    let moves: [&dyn Fn(&mut Raw); 5] = [
        &|raw| raw.data(1, 10, false),
        &|raw| raw.frame(crate::frame::FrameType::DATA, 0, 1, &[]),
        &|raw| raw.window_update(1, 1),
        &|raw| raw.end.data(1, vec![0; 10], false),
        &|raw| raw.end.release_part(1, 1),
    ];
    for (at, moves) in moves.into_iter().enumerate() {
        let mut raw = Raw::new(Side::Server, impatient());
        raw.post(1);
        raw.end.respond(1, ok(), false);
        raw.end.releases = false;
        raw.data(1, 100, false);
        for _ in 0..10 {
            moves(&mut raw);
            raw.flush();
            raw.pass(7 * SECOND);
            assert!(raw.end.is_live(1), "{at}");
        }
        raw.pass(4 * SECOND);
        assert!(!raw.end.is_live(1), "{at}");
    }
}

/// Queued octets that the peer's window does not let go are no movement.
#[test]
fn a_closed_window_and_a_reader_that_sleeps_are_idleness() {
    let mut raw = Raw::greeted(Side::Server, impatient(), &[(crate::frame::setting::INITIAL_WINDOW_SIZE, 0)]);
    raw.end.releases = false;
    raw.post(1);
    raw.data(1, 16_000, false);
    raw.end.respond(1, ok(), false);
    raw.flush();
    for _ in 0..5 {
        raw.end.data(1, vec![0; 1_000], false);
        raw.pass(2 * SECOND);
    }
    assert!(!raw.end.is_live(1));
    assert_eq!(raw.end.conn.stats().unread, 0, "what was unread is dropped");
    assert!(raw.take_answers().contains(&"RST_STREAM 1 CANCEL".to_owned()));
    raw.is_well();
}

#[test]
fn a_request_that_waits_for_a_place_is_not_idle() {
    let mut raw =
        Raw::greeted(Side::Client, impatient(), &[(crate::frame::setting::MAX_CONCURRENT_STREAMS, 1)]);
    raw.end.post();
    raw.end.post();
    raw.take_answers();
    raw.pass(9 * SECOND);
    assert!(raw.end.is_live(1) && raw.end.is_live(3));
    raw.pass(SECOND);
    // Now it has its place, and a time of its own.
    assert_eq!(
        raw.take_answers(),
        ["RST_STREAM 1 CANCEL", "HEADERS 3 :method=POST,:scheme=http,:authority=a,:path=/"]
    );
    raw.pass(7 * SECOND);
    assert!(raw.end.is_live(3));
    raw.pass(3 * SECOND);
    raw.answers(["RST_STREAM 3 CANCEL"]);
}

#[test]
fn both_ends_may_watch_and_the_books_balance() {
    let mut pair = Pair::new(impatient(), impatient(), Cut::Nowhere);
    let id = pair.client.post();
    pair.client.data(id, vec![1; 200_000], false);
    pair.server.releases = false;
    pair.run();
    for _ in 0..6 {
        pair.pass(2 * SECOND);
        for end in [&mut pair.client, &mut pair.server] {
            end.conn.handle_timeout(end.now);
        }
        pair.run();
    }
    assert!(pair.client.live().is_empty() && pair.server.live().is_empty());
    assert_eq!(pair.server.errors[&id].code(), ErrorCode::CANCEL);
    pair.finish();
}
