//! What a peer can do cheaply, and where it ends (RFC 9113 §10.5): each flood stops with its own name, and an
//! honest peer that does as much in its own time does not.

use super::{
    end::{SECOND, ok},
    raw::{GET, POST, Raw, block, frame, headers, octets},
};
use crate::{
    config::Config,
    connection::Side,
    error::{ErrorCode, Misdeed},
    frame::{FrameType, setting, write},
};

/// The peer sends `attack` over and over; it is stopped for `misdeed` after `allowed` times. One that waits in
/// between is not.
#[track_caller]
fn stopped(make: impl Fn() -> Raw, attack: impl Fn(&mut Raw, u32), allowed: u32, misdeed: Misdeed) {
    let mut raw = make();
    let mut survived = 0;
    while raw.end.conn.failure().is_none() && survived < 20_000 {
        attack(&mut raw, survived);
        survived += 1;
    }
    assert_eq!(raw.end.conn.failure().and_then(|error| error.misdeed()), Some(misdeed));
    assert_eq!(misdeed.code(), ErrorCode::ENHANCE_YOUR_CALM);
    assert_eq!(survived, allowed + 1);
    assert!(raw.take_answers().last().unwrap().ends_with("ENHANCE_YOUR_CALM"));

    let mut raw = make();
    for n in 0..allowed + 200 {
        attack(&mut raw, n);
        raw.pass(SECOND);
        raw.take_answers();
        raw.end.take_log();
    }
    assert!(raw.end.conn.failure().is_none());
}

#[test]
fn ping_flood() {
    stopped(Raw::server, |raw, _| raw.ping(false, b"answer!!"), 100, Misdeed::PingFlood);
    stopped(Raw::client, |raw, _| raw.ping(true, b"unasked!"), 100, Misdeed::PingFlood);
}

#[test]
fn settings_flood() {
    // The first SETTINGS were one.
    stopped(
        Raw::server,
        |raw, _| raw.settings(&[(setting::INITIAL_WINDOW_SIZE, 5)]),
        99,
        Misdeed::SettingsFlood,
    );
    stopped(Raw::server, |raw, _| raw.send(write::settings_ack), 99, Misdeed::SettingsFlood);
}

#[test]
fn priority_flood() {
    stopped(
        Raw::server,
        |raw, _| raw.frame(FrameType::PRIORITY, 0, 1, &[0; 5]),
        1_000,
        Misdeed::PriorityFlood,
    );
    let update = |raw: &mut Raw, _| raw.frame(FrameType::PRIORITY_UPDATE, 0, 0, &[0, 0, 0, 1, b'i']);
    stopped(Raw::server, update, 1_000, Misdeed::PriorityFlood);
}

#[test]
fn window_update_flood() {
    stopped(Raw::server, |raw, _| raw.window_update(0, 1), 10_000, Misdeed::WindowUpdateFlood);
}

#[test]
fn unknown_frame_flood() {
    stopped(
        Raw::server,
        |raw, _| raw.frame(FrameType::from(0x0b), 0, 0, b"x"),
        1_000,
        Misdeed::UnknownFrameFlood,
    );
}

#[test]
fn goaway_flood() {
    stopped(Raw::client, |raw, _| raw.goaway(0, ErrorCode::NO_ERROR), 100, Misdeed::GoAwayFlood);
}

#[test]
fn empty_data_flood() {
    let posting = || {
        let mut raw = Raw::new(Side::Server, Config::builder().reset_stream_duration(SECOND * 10_000));
        raw.post(1);
        raw
    };
    stopped(posting, |raw, _| raw.data(1, 0, false), 1_000, Misdeed::EmptyFrameFlood);
    // Padding makes a frame no fuller.
    stopped(
        posting,
        |raw, _| raw.frame(FrameType::DATA, 0x8, 1, &[2, 0, 0]),
        1_000,
        Misdeed::EmptyFrameFlood,
    );
    // Nor does it matter whether the stream is still there.
    let gone = || {
        let mut raw = posting();
        raw.end.reset(1, ErrorCode::CANCEL);
        raw
    };
    stopped(gone, |raw, _| raw.data(1, 0, false), 1_000, Misdeed::EmptyFrameFlood);
}

#[test]
fn rapid_reset() {
    let attack = |raw: &mut Raw, n: u32| {
        raw.get(2 * n + 1);
        raw.reset(2 * n + 1, ErrorCode::CANCEL);
    };
    stopped(Raw::server, attack, 1_000, Misdeed::ResetFlood);
}

/// As grpc-go does whenever a call ends before its request.
#[test]
fn who_resets_what_was_answered_to_its_end_lives_for_ever() {
    let mut raw = Raw::server();
    for batch in 0..100 {
        // More than may linger, so that some resets cross ours.
        let ids = (0..40).map(|n| 2 * (40 * batch + n) + 1);
        for id in ids.clone() {
            raw.post(id);
            raw.end.respond(id, ok(), true);
            raw.end.abandon(id);
        }
        raw.take_answers();
        ids.for_each(|id| raw.reset(id, ErrorCode::NO_ERROR));
    }
    raw.is_well();
    // A reset crosses ours once.
    let attack = |raw: &mut Raw, _| raw.reset(1, ErrorCode::NO_ERROR);
    let reset = || {
        let mut raw = Raw::server();
        raw.post(1);
        raw.end.reset(1, ErrorCode::CANCEL);
        raw.take_answers();
        raw
    };
    stopped(reset, attack, 1_001, Misdeed::ResetFlood);
}

#[test]
fn provoked_resets() {
    // A WINDOW_UPDATE of zero, DATA after the end, and a malformed request.
    let attack = |raw: &mut Raw, n: u32| {
        let stream = 2 * n + 1;
        match n % 3 {
            0 => {
                raw.get(stream);
                raw.window_update(stream, 0);
            }
            1 => {
                raw.get(stream);
                raw.data(stream, 1, true);
            }
            _ => raw.headers(stream, true, &[(":method", "GET")]),
        }
    };
    stopped(Raw::server, attack, 1_024, Misdeed::ResetProvoked);
    let few = || Raw::new(Side::Server, Config::builder().max_local_error_reset_streams(Some(10)));
    stopped(few, attack, 10, Misdeed::ResetProvoked);
}

#[test]
fn informational_flood() {
    let asking = || {
        let mut raw = Raw::client();
        raw.end.get();
        raw.take_answers();
        raw
    };
    stopped(asking, |raw, _| raw.status(1, false, "103"), 1_000, Misdeed::InformationalFlood);
}

#[test]
fn a_client_that_cancels_half_of_its_calls_is_honest() {
    let mut raw = Raw::server();
    for n in 0..5_000 {
        raw.get(4 * n + 1);
        raw.end.respond(4 * n + 1, ok(), true);
        raw.get(4 * n + 3);
        raw.reset(4 * n + 3, ErrorCode::CANCEL);
        raw.take_answers();
    }
    raw.end.take_log();
    raw.is_well();
}

#[test]
fn a_peer_that_measures_while_it_sends_is_honest() {
    let mut raw = Raw::server();
    raw.post(1);
    for _ in 0..2_000 {
        raw.data(1, 1, false);
        raw.ping(false, b"rttprobe");
        raw.data(1, 0, false);
    }
    raw.take_answers();
    raw.is_well();
    assert_eq!(raw.end.received[&1].len(), 2_000);
}

#[test]
fn answers_that_the_peer_does_not_read_do_not_pile_up() {
    // Nothing is written: the socket is full. Each request is reset by the application.
    let mut raw = Raw::new(Side::Server, Config::builder().max_concurrent_streams(None));
    let mut stream = 1;
    while raw.end.conn.failure().is_none() && stream < 10_000 {
        raw.end.read(&headers(stream, true, &GET));
        if raw.end.is_live(stream) {
            raw.end.reset(stream, ErrorCode::CANCEL);
        }
        stream += 2;
    }
    assert_eq!(raw.end.conn.failure().unwrap().misdeed(), Some(Misdeed::WriteStalled));
    assert_eq!(stream, 2 * 1_025 + 1);
    let answers = raw.take_answers();
    assert_eq!(answers.len(), 1, "the GOAWAY alone");
}

#[test]
fn continuation_without_end() {
    let mut raw = Raw::server();
    raw.frame(FrameType::HEADERS, 0, 1, &block(&GET));
    for _ in 0..16 {
        raw.frame(FrameType::CONTINUATION, 0, 1, &[]);
    }
    raw.answers([]);
    raw.frame(FrameType::CONTINUATION, 0, 1, &[]);
    raw.is_over(0, ErrorCode::ENHANCE_YOUR_CALM);
    let mut raw = Raw::server();
    raw.frame(FrameType::HEADERS, 0, 1, &vec![0; 16_384]);
    raw.frame(FrameType::CONTINUATION, 0, 1, &vec![0; 10_000]);
    raw.is_over(0, ErrorCode::ENHANCE_YOUR_CALM);
    assert_eq!(raw.end.conn.failure().unwrap().misdeed(), Some(Misdeed::FieldBlockTooLarge));
}

#[test]
fn a_large_list_may_take_as_many_continuations_as_it_needs() {
    let mut raw = Raw::greeted(Side::Server, Config::builder().max_header_list_size(1 << 20), &[]);
    let mut large = block(&GET);
    for n in 0..60 {
        large.extend(super::raw::literal(0x00, &format!("x-{n}"), &"y".repeat(16_000)));
    }
    let fragments: Vec<&[u8]> = large.chunks(16_384).collect();
    assert!(fragments.len() > 50);
    for (n, fragment) in fragments.iter().enumerate() {
        let kind = if n == 0 { FrameType::HEADERS } else { FrameType::CONTINUATION };
        let flags = u8::from(n == 0) | if n + 1 == fragments.len() { 0x4 } else { 0 };
        raw.frame(kind, flags, 1, fragment);
    }
    assert_eq!(raw.end.live(), [1]);
    raw.end.respond(1, ok(), true);
    raw.take_answers();
}

#[test]
fn header_bombs_cost_their_stream_and_no_memory() {
    // One entry of the table, named over and over (CVE-2016-6581).
    let mut raw = Raw::server();
    let mut bomb = block(&GET);
    bomb.extend(super::raw::literal(0x40, "x-bomb", &"y".repeat(3_000)));
    bomb.extend([0xbe; 5_000]);
    raw.bytes(&frame(FrameType::HEADERS, 0x5, 1, &bomb));
    raw.answers(["HEADERS 1 :status=431 end"]);
    // Many tiny fields.
    let mut many = GET.to_vec();
    many.resize(257, ("a", ""));
    raw.headers(3, true, &many);
    raw.answers(["HEADERS 3 :status=431 end"]);
    // One huge field.
    let huge = "z".repeat(15_800);
    raw.headers(5, true, &[&GET[..], &[("a", &huge), ("b", &huge[..400])]].concat());
    raw.answers(["HEADERS 5 :status=431 end"]);
    raw.hears([]);
    raw.get(7);
    raw.hears(["7 request GET http://a/ end"]);
}

#[test]
fn a_field_block_that_stalls_is_given_up() {
    let whole = headers(1, true, &GET);
    for at in [10, 12, whole.len() - 1] {
        let mut raw = Raw::server();
        raw.bytes(&whole[..at]);
        raw.pass(29 * SECOND);
        raw.answers([]);
        raw.pass(SECOND);
        raw.is_over(0, ErrorCode::ENHANCE_YOUR_CALM);
        assert_eq!(raw.end.conn.failure().unwrap().misdeed(), Some(Misdeed::HeadersTimeout));
    }
}

/// What is held of other frames is not held for ever either.
#[test]
fn a_frame_that_is_held_and_stalls_is_given_up() {
    let frames = [
        frame(FrameType::SETTINGS, 0, 0, &[0; 6_000]),
        frame(FrameType::GOAWAY, 0, 0, &[0; 16_000]),
        frame(FrameType::PING, 0, 0, &[0; 8]),
    ];
    for whole in frames {
        let mut raw = Raw::server();
        raw.bytes(&whole[..whole.len() - 1]);
        raw.pass(29 * SECOND);
        raw.answers([]);
        raw.pass(SECOND);
        raw.is_over(0, ErrorCode::ENHANCE_YOUR_CALM);
        assert_eq!(raw.end.conn.failure().unwrap().misdeed(), Some(Misdeed::HeadersTimeout));
    }
}

#[test]
fn each_frame_that_is_held_has_a_time_of_its_own() {
    // A busy peer whose every read happens to end inside some WINDOW_UPDATE.
    let mut raw = Raw::server();
    let update = frame(FrameType::WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]);
    raw.bytes(&update[..10]);
    for _ in 0..100 {
        raw.pass(SECOND);
        raw.bytes(&[&update[10..], &update[..10]].concat());
    }
    raw.bytes(&update[10..]);
    raw.is_well();
}

#[test]
fn each_field_block_has_a_time_of_its_own() {
    // A busy peer whose every read happens to end inside some HEADERS frame.
    let mut raw = Raw::server();
    let mut rest = Vec::new();
    for n in 0..100 {
        let next = headers(2 * n + 1, true, &GET);
        rest.extend_from_slice(&next[..12]);
        raw.bytes(&rest);
        raw.pass(SECOND);
        for id in raw.end.live() {
            raw.end.respond(id, ok(), true);
        }
        raw.take_answers();
        rest = next[12..].to_vec();
    }
    raw.bytes(&rest);
    raw.take_answers();
    raw.is_well();
}

#[test]
fn one_octet_frames_are_no_crime() {
    let mut raw = Raw::new(Side::Server, Config::builder().initial_stream_window_size(65_535));
    raw.end.releases = false;
    raw.headers(1, false, &POST);
    let crumbs = octets(|out| {
        for _ in 0..30_000 {
            write::data_header(out, super::end::id(1), 1, false);
            out.put(b"x");
        }
    });
    raw.bytes(&crumbs);
    raw.is_well();
    assert_eq!(raw.end.conn.stats().unread, 30_000);
}
