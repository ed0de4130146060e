//! Flow control of what we send (RFC 9113 §5.2, §6.9).

use super::raw::Raw;
use crate::{
    config::Config,
    connection::Side,
    error::{ErrorCode, Misdeed},
    frame::setting,
};

/// A client whose streams have large windows, so that the connection's is the limit.
fn wide() -> Raw {
    Raw::greeted(Side::Client, Config::builder(), &[(setting::INITIAL_WINDOW_SIZE, 1 << 20)])
}

#[test]
fn the_stream_window_is_used_to_its_last_octet_and_not_beyond() {
    let mut raw = Raw::greeted(Side::Client, Config::builder(), &[(setting::INITIAL_WINDOW_SIZE, 10)]);
    let post = raw.end.post();
    raw.end.data(post, vec![0; 25], true);
    assert_eq!(raw.take_answers()[1..], ["DATA 1 10"]);
    raw.window_update(1, 14);
    raw.answers(["DATA 1 14"]);
    raw.window_update(1, 14);
    raw.answers(["DATA 1 1 end"]);
}

#[test]
fn the_connection_window_is_used_to_its_last_octet_and_not_beyond() {
    let mut raw = wide();
    let post = raw.end.post();
    raw.end.data(post, vec![0; 70_000], true);
    let answers = raw.take_answers();
    assert_eq!(answers[1..], ["DATA 1 16384", "DATA 1 16384", "DATA 1 16384", "DATA 1 16383"]);
    assert_eq!(raw.end.conn.stats().send_window, 0);
    raw.window_update(0, 4_464);
    raw.answers(["DATA 1 4464"]);
    raw.window_update(0, 100);
    raw.answers(["DATA 1 1 end"]);
}

#[test]
fn an_end_and_trailers_need_no_window() {
    let mut raw = Raw::greeted(Side::Client, Config::builder(), &[(setting::INITIAL_WINDOW_SIZE, 0)]);
    let (one, three) = (raw.end.post(), raw.end.post());
    raw.take_answers();
    raw.end.data(one, "", true);
    raw.answers(["DATA 1 0 end"]);
    raw.end.trailers(
        three,
        [("a", "b")].map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).into_iter().collect(),
    );
    raw.answers(["HEADERS 3 a=b end"]);
}

#[test]
fn windows_may_reach_the_maximum_and_not_pass_it() {
    let mut raw = Raw::client();
    raw.end.post();
    raw.take_answers();
    raw.window_update(0, 0x7fff_ffff - 65_535);
    raw.window_update(1, 0x7fff_ffff - 65_535);
    raw.answers([]);
    raw.window_update(1, 1);
    raw.answers(["RST_STREAM 1 FLOW_CONTROL_ERROR"]);
    raw.hears(["1 opened", "1 reset WindowOverflow", "1 closed"]);
    raw.window_update(0, 1);
    raw.is_over(0, ErrorCode::FLOW_CONTROL_ERROR);
}

#[test]
fn an_increment_of_zero_reaches_what_it_names() {
    let mut raw = Raw::client();
    raw.end.post();
    raw.take_answers();
    raw.window_update(1, 0);
    raw.answers(["RST_STREAM 1 PROTOCOL_ERROR"]);
    raw.is_well();
    raw.window_update(0, 0);
    raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
    assert_eq!(raw.end.conn.failure().unwrap().misdeed(), Some(Misdeed::WindowUpdateZero));
}

#[test]
fn credit_set_aside_is_for_one_stream_alone() {
    let mut raw = wide();
    let (one, three) = (raw.end.post(), raw.end.post());
    raw.end.conn.reserve(raw.end.key(one), 60_000);
    raw.take_answers();
    raw.end.data(three, vec![0; 10_000], false);
    raw.answers(["DATA 3 5535"]);
    raw.end.data(one, vec![0; 10_000], false);
    raw.answers(["DATA 1 10000"]);
    raw.end.conn.give_back(raw.end.key(one), 45_000);
    raw.answers(["DATA 3 4465"]);
    assert_eq!(raw.end.capacity[&1], 60_000);
    assert_eq!(raw.end.conn.core.send_credit.assigned(), 5_000);
    raw.end.reset(one, ErrorCode::CANCEL);
    assert_eq!(raw.end.conn.core.send_credit.assigned(), 0);
}

#[test]
fn credit_set_aside_is_spent_to_the_end_when_there_is_no_other() {
    let mut raw = wide();
    let one = raw.end.post();
    raw.end.conn.reserve(raw.end.key(one), 65_535);
    raw.take_answers();
    raw.end.data(one, vec![0; 65_535], true);
    raw.answers(["DATA 1 16384", "DATA 1 16384", "DATA 1 16384", "DATA 1 16383 end"]);
    assert_eq!(raw.end.conn.core.send_credit.assigned(), 0);
}

#[test]
fn those_who_wait_for_credit_are_served_in_order() {
    let mut raw = wide();
    let ids = [raw.end.post(), raw.end.post(), raw.end.post()];
    for id in ids {
        raw.end.conn.reserve(raw.end.key(id), 40_000);
    }
    raw.take_answers();
    assert_eq!((raw.end.capacity[&1], raw.end.capacity[&3]), (40_000, 25_535));
    assert!(!raw.end.capacity.contains_key(&5));
    raw.window_update(0, 20_000);
    assert_eq!((raw.end.capacity[&3], raw.end.capacity[&5]), (40_000, 5_535));
    // A stream that ends leaves its share to those who wait.
    raw.end.reset(1, ErrorCode::CANCEL);
    assert_eq!(raw.end.capacity[&5], 40_000);
}

#[test]
fn credit_goes_to_data_that_waits_for_it() {
    let mut raw = wide();
    let one = raw.end.post();
    raw.end.data(one, vec![0; 65_545], false);
    raw.take_answers();
    raw.end.conn.reserve(raw.end.key(one), 5_000);
    // All of it is set aside for the stream, whose queued octets must not be forgotten for that.
    raw.window_update(0, 500);
    raw.answers(["DATA 1 10"]);
    assert_eq!(raw.end.conn.core.send_credit.assigned(), 490);
}

#[test]
fn a_stream_whose_window_shrank_keeps_no_credit_from_others() {
    let mut raw = wide();
    let (one, three) = (raw.end.post(), raw.end.post());
    raw.end.conn.reserve(raw.end.key(one), 65_535);
    raw.take_answers();
    raw.end.data(three, vec![0; 100], true);
    raw.settings(&[(setting::INITIAL_WINDOW_SIZE, 50)]);
    raw.answers(["SETTINGS ack", "DATA 3 50"]);
    assert_eq!(raw.end.conn.core.send_credit.assigned(), 50);
    raw.window_update(3, 100);
    raw.answers(["DATA 3 50 end"]);
}

#[test]
fn credit_is_not_set_aside_for_streams_that_cannot_use_it() {
    let mut raw = Raw::greeted(
        Side::Client,
        Config::builder(),
        &[(setting::MAX_CONCURRENT_STREAMS, 1), (setting::INITIAL_WINDOW_SIZE, 1 << 20)],
    );
    let ended = raw.end.get();
    let waiting = raw.end.post();
    raw.end.conn.reserve(raw.end.key(ended), 100);
    raw.end.conn.reserve(raw.end.key(waiting), 100);
    raw.take_answers();
    assert_eq!(raw.end.conn.core.send_credit.assigned(), 0);
    raw.end.conn.reserve(raw.end.key(ended), 100);
    assert_eq!(raw.end.conn.core.send_credit.assigned(), 0);
    raw.status(1, true, "200");
    raw.take_answers();
    assert_eq!(raw.end.capacity[&waiting], 100, "once it is open");
}

#[test]
fn a_smaller_wish_replaces_a_larger_one() {
    let mut raw = wide();
    let (one, three) = (raw.end.post(), raw.end.post());
    raw.end.conn.reserve(raw.end.key(one), 65_535);
    raw.end.conn.reserve(raw.end.key(three), 50_000);
    raw.end.conn.reserve(raw.end.key(three), 0);
    raw.window_update(0, 1_000);
    raw.take_answers();
    assert!(!raw.end.capacity.contains_key(&3));
    assert_eq!(raw.end.conn.core.send_credit.available(), 1_000);
}

#[test]
fn the_application_hears_when_its_queue_has_room() {
    let mut raw = Raw::new(Side::Client, Config::builder().max_send_buffer_size(40_000));
    let one = raw.end.post();
    raw.end.data(one, vec![0; 70_000], false);
    raw.take_answers();
    raw.window_update(0, 1 << 20);
    raw.window_update(1, 1 << 20);
    raw.take_answers();
    let log = raw.end.take_log();
    let sent: usize =
        log.iter().filter_map(|line| line.strip_prefix("1 sent ")).map(|n| n.parse::<usize>().unwrap()).sum();
    assert_eq!(sent, 70_000, "{log:?}");
}
