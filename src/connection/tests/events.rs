//! The order of events and the life of a key.

use super::raw::{GET, Raw, headers};
use crate::{
    connection::Event,
    error::ErrorCode,
    stream::{Head, SendQueue},
};

#[test]
fn a_key_is_not_given_again_before_its_end_was_told() {
    let mut raw = Raw::client();
    let first = raw.end.get();
    raw.take_answers();
    let old = raw.end.key(first);
    raw.end.conn.reset(old, ErrorCode::CANCEL);
    // The application has not heard of it yet and opens the next.
    let mut queue = SendQueue::new();
    queue.push_head(Head::Request(super::end::get()));
    let id = raw.end.conn.next_stream_id().unwrap();
    let new = raw.end.conn.open(id, &mut queue).unwrap();
    assert_ne!(old, new);
    // What it still wants of the old one does nothing.
    raw.end.conn.release(old, 5);
    raw.end.conn.reserve(old, 5);
    assert!(matches!(raw.end.conn.poll_event(), Some(Event::Closed { key }) if key == old));
    assert!(matches!(raw.end.conn.poll_event(), Some(Event::Opened { key }) if key == new));
    raw.end.conn.reset(new, ErrorCode::CANCEL);
    while raw.end.conn.poll_event().is_some() {}
    assert_eq!(raw.take_answers(), ["RST_STREAM 1 CANCEL"]);
    // The harness has not heard the end of the first, since this test has read the events itself.
    raw.end.forget(first);
}

#[test]
fn the_last_event_of_a_stream_is_its_end() {
    let mut raw = Raw::server();
    raw.bytes(&[headers(1, true, &GET), headers(3, false, &GET)].concat());
    raw.end.respond(1, super::end::ok(), true);
    raw.take_answers();
    raw.end.respond(3, super::end::ok(), true);
    raw.take_answers();
    raw.data(3, 2, true);
    raw.hears([
        "1 request GET http://a/ end",
        "3 request GET http://a/",
        "1 closed",
        "3 data 2 end",
        "3 closed",
    ]);
}

#[test]
fn a_write_without_octets_leaves_nothing_behind() {
    use crate::{buffer::Outbound, config::Config, connection::Side, frame::setting};
    // The answer cannot be sent, and the reset that takes its place goes out in the same call.
    let mut raw = Raw::greeted(Side::Server, Config::builder(), &[(setting::MAX_HEADER_LIST_SIZE, 10)]);
    raw.get(1);
    raw.end.respond(1, super::end::ok(), true);
    let mut out = Outbound::new(raw.end.pool.clone());
    assert!(raw.end.conn.poll_transmit(raw.end.now, &mut out));
    assert_eq!(out.octets(), 13);
}
