//! Frames that no peer may send (RFC 9113 §4.2, §6): the connection ends with an error.
//!
//! For a wrong length the RFC asks for FRAME_SIZE_ERROR, while `h2` says PROTOCOL_ERROR: both will do.

use super::super::{
    super::h2::{Error, Reason},
    endpoint::*,
};
use crate::mock::*;

/// What becomes of a client, and its request, whose server says this.
async fn after(frame: &Frame) -> (Frame, Error, Error) {
    let (_client, answer, connection, mut peer) = super::asked().await;
    peer.send(frame.clone());
    let goaway = peer.next().await.unwrap_or_else(|| panic!("no GOAWAY after {frame:?}"));
    peer.expect_end().await;
    let ending = ended(connection).await.unwrap_err();
    (goaway, ending, within("the response", answer).await.unwrap_err())
}

/// A connection error of this type.
async fn fails(frame: Frame, code: Reason) {
    let (heard, ending, answer) = after(&frame).await;
    assert_eq!(heard, goaway(0, code), "{frame:?}");
    for error in [ending, answer] {
        assert_eq!(error.reason(), Some(code), "{frame:?}");
        assert!(error.is_go_away() && error.is_library(), "{frame:?}");
    }
}

/// A connection error of one of these types, the same for all to see.
async fn fails_either(frame: Frame, codes: &[Reason]) {
    let (heard, ending, answer) = after(&frame).await;
    let Frame::GoAway { last: 0, code, .. } = heard else {
        panic!("{frame:?}: heard {heard:?}");
    };
    let code = Reason::from(u32::from(code));
    assert!(codes.contains(&code), "{frame:?}: {code:?}");
    assert_eq!((ending.reason(), answer.reason()), (Some(code), Some(code)), "{frame:?}");
}

const LENGTH: &[Reason] = &[Reason::FRAME_SIZE_ERROR, Reason::PROTOCOL_ERROR];

#[tokio::test]
async fn a_frame_longer_than_allowed() {
    fails(data(1, vec![0; 16_385]), Reason::FRAME_SIZE_ERROR).await;
    fails(raw(0x55, 0, 1, vec![0; 16_385]), Reason::FRAME_SIZE_ERROR).await;
}

#[tokio::test]
async fn a_frame_of_a_wrong_length() {
    for frame in [
        raw(RST_STREAM, 0, 1, [0; 3]),
        raw(RST_STREAM, 0, 1, [0; 5]),
        raw(SETTINGS, 0, 0, [0; 5]),
        raw(SETTINGS, ACK, 0, [0; 6]),
        raw(PING, 0, 0, [0; 7]),
        raw(PING, 0, 0, [0; 9]),
        raw(GOAWAY, 0, 0, [0; 7]),
        raw(WINDOW_UPDATE, 0, 0, [0; 3]),
        raw(WINDOW_UPDATE, 0, 1, [0; 5]),
    ] {
        fails_either(frame, LENGTH).await;
    }
}

#[tokio::test]
async fn a_frame_of_a_stream_on_the_connection() {
    fails(data(0, "hello"), Reason::PROTOCOL_ERROR).await;
    fails(response(0, 200), Reason::PROTOCOL_ERROR).await;
    fails(reset(0, Reason::CANCEL), Reason::PROTOCOL_ERROR).await;
    fails(raw(PRIORITY, 0, 0, [0, 0, 0, 3, 1]), Reason::PROTOCOL_ERROR).await;
    fails(raw(CONTINUATION, END_HEADERS, 0, [0x88]), Reason::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn a_frame_of_the_connection_on_a_stream() {
    fails(raw(SETTINGS, 0, 1, []), Reason::PROTOCOL_ERROR).await;
    fails(raw(PING, 0, 1, [0; 8]), Reason::PROTOCOL_ERROR).await;
    fails(raw(GOAWAY, 0, 1, [0; 8]), Reason::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn padding_beyond_the_frame() {
    for kind in [DATA, HEADERS] {
        fails_either(raw(kind, PADDED | END_HEADERS, 1, b"\x05hell"), LENGTH).await;
        fails_either(raw(kind, PADDED | END_HEADERS, 1, b""), LENGTH).await;
    }
}

#[tokio::test]
async fn a_window_that_grows_by_nothing() {
    fails(window_update(0, 0), Reason::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn a_window_of_the_connection_that_grows_too_large() {
    fails(window_update(0, (1 << 31) - 1), Reason::FLOW_CONTROL_ERROR).await;
}

#[tokio::test]
async fn settings_out_of_range() {
    const WINDOW: &[Reason] = &[Reason::FLOW_CONTROL_ERROR, Reason::PROTOCOL_ERROR];
    for values in
        [(ENABLE_PUSH, 2), (MAX_FRAME_SIZE, 16_383), (MAX_FRAME_SIZE, 1 << 24), (ENABLE_CONNECT_PROTOCOL, 2)]
    {
        fails(settings(&[values]), Reason::PROTOCOL_ERROR).await;
    }
    fails_either(settings(&[(INITIAL_WINDOW_SIZE, 1 << 31)]), WINDOW).await;
}

#[tokio::test]
async fn data_before_the_response() {
    fails(data(1, "too early"), Reason::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn more_data_than_the_connection_has_credit_for() {
    let (_client, answer, connection, mut peer) = super::asked().await;
    peer.send(response(1, 200));
    for _ in 0..4 {
        peer.send(data(1, vec![0; 16_384]));
    }
    let _body = within("the response", answer).await.unwrap();
    // 65,536 octets are one too many.
    peer.expect(goaway(0, Reason::FLOW_CONTROL_ERROR)).await;
    let error = ended(connection).await.unwrap_err();
    assert_eq!(error.to_string(), "connection error detected: flow-control protocol violated");
}
