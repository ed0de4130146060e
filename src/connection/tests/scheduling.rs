//! What is sent first (RFC 9113 §5.2; RFC 9218 §4, §7, §10).

use super::{end::ok, raw::Raw};
use crate::{
    config::Config,
    connection::Side,
    error::ErrorCode,
    frame::{FrameType, setting},
};

/// A server with requests on 1, 3, 5 of these priorities, windows that never end, and all heads sent.
fn server<const N: usize>(priorities: [&str; N]) -> Raw {
    let mut raw = Raw::greeted(Side::Server, Config::builder(), &[(setting::INITIAL_WINDOW_SIZE, 1 << 20)]);
    raw.window_update(0, 1 << 24);
    for (n, priority) in priorities.into_iter().enumerate() {
        let stream = 2 * n as u32 + 1;
        let fields = [&super::raw::GET[..], &[("priority", priority)]].concat();
        raw.headers(stream, true, if priority.is_empty() { &fields[..4] } else { &fields });
        raw.end.respond(stream, ok(), false);
    }
    raw.take_answers();
    raw
}

fn fill(raw: &mut Raw, stream: u32, frames: usize) {
    raw.end.data(stream, vec![0; 16_384 * frames], true);
}

/// The streams of the DATA frames sent, in order.
fn order(raw: &mut Raw) -> Vec<u32> {
    let answers = raw.take_answers();
    answers.iter().map(|line| line.split(' ').nth(1).unwrap().parse().unwrap()).collect()
}

#[test]
fn equals_take_turns() {
    let mut raw = server(["", "", ""]);
    for (stream, frames) in [(1, 3), (3, 1), (5, 2)] {
        fill(&mut raw, stream, frames);
    }
    assert_eq!(order(&mut raw), [1, 3, 5, 1, 5, 1]);
}

#[test]
fn the_urgent_come_first() {
    let mut raw = server(["u=5", "", "u=0"]);
    for stream in [1, 3, 5] {
        fill(&mut raw, stream, 2);
    }
    assert_eq!(order(&mut raw), [5, 5, 3, 3, 1, 1]);
}

#[test]
fn what_is_not_incremental_goes_on_alone() {
    let mut raw = server(["u=3", "u=3", "u=3, i"]);
    for stream in [1, 3, 5] {
        fill(&mut raw, stream, 3);
    }
    assert_eq!(order(&mut raw), [1, 1, 1, 3, 3, 3, 5, 5, 5]);
}

#[test]
fn what_is_not_incremental_keeps_its_turn_while_credit_is_short() {
    let mut raw = server(["u=3", "u=3"]);
    raw.end.data(1, vec![0; 16_384 * 2], true);
    raw.end.data(3, vec![0; 16_384], true);
    raw.end.conn.reserve(raw.end.key(3), 0);
    // All credit of the connection is gone after each frame.
    let credit = raw.end.conn.core.send_credit.available();
    raw.end.conn.core.send_credit.assign(credit - 16_384);
    assert_eq!(order(&mut raw), [1]);
    raw.end.conn.core.send_credit.unassign(16_384);
    assert_eq!(order(&mut raw), [1]);
    raw.end.conn.core.send_credit.unassign(credit - 2 * 16_384);
    assert_eq!(order(&mut raw), [3]);
}

#[test]
fn a_priority_update_moves_a_stream() {
    let mut raw = server(["", ""]);
    raw.end.data(1, vec![0; 16_384 * 40], true);
    fill(&mut raw, 3, 2);
    let mut update = 3_u32.to_be_bytes().to_vec();
    update.extend_from_slice(b"u=1");
    // Read before anything is written.
    raw.end.read(&super::raw::frame(FrameType::PRIORITY_UPDATE, 0, 0, &update));
    assert_eq!(order(&mut raw)[..4], [3, 3, 1, 1]);
}

#[test]
fn a_priority_update_that_means_nothing_is_ignored_and_a_wrong_one_is_not() {
    for stream in [1_u32, 77] {
        let mut raw = server([""]);
        let payload = [&stream.to_be_bytes()[..], b"u=9, x=y"].concat();
        raw.frame(FrameType::PRIORITY_UPDATE, 0, 0, &payload);
        raw.is_well();
    }
    for (side, stream, value) in [(Side::Client, 1_u32, "i"), (Side::Server, 2, "i"), (Side::Server, 1, "\"")]
    {
        let mut raw = Raw::new(side, Config::builder());
        raw.frame(FrameType::PRIORITY_UPDATE, 0, 0, &[&stream.to_be_bytes()[..], value.as_bytes()].concat());
        raw.is_over(0, ErrorCode::PROTOCOL_ERROR);
    }
}

#[test]
fn field_sections_overtake_data() {
    let mut raw = server([""]);
    raw.end.data(1, vec![0; 16_384 * 60], true);
    raw.get(3);
    let first = raw.take_answers();
    assert_eq!(first.len(), 60);
    let mut raw = server([""]);
    raw.end.data(1, vec![0; 16_384 * 60], true);
    raw.end.read(&super::raw::headers(3, true, &super::raw::GET));
    raw.end.respond(3, ok(), true);
    assert_eq!(raw.take_answers()[0], "HEADERS 3 :status=200 end");
}

#[test]
fn one_call_appends_a_bounded_amount() {
    use crate::buffer::Outbound;
    let mut raw = server(["", ""]);
    raw.end.data(1, vec![0; 1 << 20], true);
    let mut out = Outbound::new(raw.end.pool.clone());
    assert!(raw.end.conn.poll_transmit(raw.end.now, &mut out));
    assert!(((256 << 10)..(256 << 10) + 20_000).contains(&out.octets()), "{}", out.octets());
    // Nothing is added while that much waits for the socket.
    let before = out.octets();
    assert!(!raw.end.conn.poll_transmit(raw.end.now, &mut out));
    assert_eq!(out.octets(), before);
}
