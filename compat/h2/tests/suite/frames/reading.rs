//! What is read, however it comes.

use super::{
    super::{
        super::h2::{Reason, client},
        endpoint::*,
    },
    URI, asked,
};
use crate::mock::*;

#[tokio::test]
async fn padding_is_not_data() {
    let (_client, answer, _connection, mut peer) = asked().await;
    peer.send(response(1, 200));
    peer.send(raw(DATA, PADDED, 1, b"\x05helloworld\0\0\0\0\0"));
    peer.send(raw(DATA, PADDED, 1, b"\0!"));
    peer.send(raw(DATA, PADDED | END_STREAM, 1, b"\x02\0\0"));
    let mut body = within("the response", answer).await.unwrap().into_body();
    assert_eq!(within("data", body.data()).await.unwrap().unwrap(), "helloworld");
    assert_eq!(within("data", body.data()).await.unwrap().unwrap(), "!");
    assert_eq!(within("data", body.data()).await.unwrap().unwrap(), "");
    assert!(within("data", body.data()).await.is_none());
}

#[tokio::test]
async fn headers_may_have_padding_and_a_priority() {
    const PRIORITY_FIELDS: u8 = 0x20;
    let (_client, answer, _connection, mut peer) = asked().await;
    // 3 octets of padding; dependency on stream 0, weight 16; `:status: 200`.
    let payload = [3, 0, 0, 0, 0, 15, 0x88, 0, 0, 0];
    peer.send(raw(HEADERS, PADDED | PRIORITY_FIELDS | END_HEADERS | END_STREAM, 1, payload));
    assert_eq!(within("the response", answer).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_response_may_come_octet_by_octet() {
    let (_client, answer, _connection, mut peer) = asked().await;
    let mut wire = Vec::new();
    for frame in [
        response(1, 200).field("server", "mock"),
        data(1, "hello"),
        ping([1; 8]),
        headers(1).field("grpc-status", "0").end_stream(),
    ] {
        wire.extend(frame.octets());
    }
    for octet in wire {
        peer.send_octets(&[octet]);
        turns().await;
    }
    let answer = within("the response", answer).await.unwrap();
    assert_eq!(answer.headers()["server"], "mock");
    let mut body = answer.into_body();
    assert_eq!(read_all(&mut body).await.unwrap(), b"hello");
    let trailers = within("trailers", body.trailers()).await.unwrap().unwrap();
    assert_eq!(trailers["grpc-status"], "0");
    peer.expect(pong([1; 8])).await;
}

#[tokio::test]
async fn unknown_frames_are_ignored() {
    const ALTSVC: u8 = 0xa;
    const ORIGIN: u8 = 0xc;
    let (_client, answer, _connection, mut peer) = asked().await;
    peer.send(raw(ORIGIN, 0, 0, b"\0\x11https://a.example"));
    peer.send(raw(ORIGIN, 0, 1, b"\0\x11https://a.example"));
    peer.send(raw(ALTSVC, 0, 0, b"\0\x09a.exampleh2=\":443\""));
    peer.send(raw(0x55, 0xff, 1, b"anything"));
    peer.send(raw(0xff, 0xff, 77, b""));
    peer.idle().await;
    peer.send(response(1, 200).end_stream());
    within("the response", answer).await.unwrap();
}

#[tokio::test]
async fn unknown_flags_and_settings_are_ignored() {
    const UNUSED: u8 = 0xc2;
    let (_client, answer, _connection, mut peer) = asked().await;
    peer.send(settings(&[(0xf00d, 7), (9, 1), (0, 0)]));
    peer.expect(settings_ack()).await;
    peer.send(raw(HEADERS, UNUSED | END_HEADERS, 1, [0x88]));
    peer.send(raw(DATA, UNUSED | END_STREAM, 1, b"hello"));
    let mut body = within("the response", answer).await.unwrap().into_body();
    assert_eq!(read_all(&mut body).await.unwrap(), b"hello");
}

#[tokio::test]
async fn the_reserved_bit_is_ignored() {
    const RESERVED: u32 = 1 << 31;
    let (_client, answer, _connection, mut peer) = asked().await;
    peer.send(window_update(0, RESERVED | 1));
    peer.send(raw(HEADERS, END_STREAM | END_HEADERS, RESERVED | 1, [0x88]));
    within("the response", answer).await.unwrap();
    peer.idle().await;
}

#[tokio::test]
async fn priorities_are_ignored() {
    let (_client, answer, _connection, mut peer) = asked().await;
    for stream in [1, 2, 3, 99] {
        peer.send(raw(PRIORITY, 0, stream, [0x80, 0, 0, 0, 200]));
    }
    peer.idle().await;
    peer.send(response(1, 200).end_stream());
    within("the response", answer).await.unwrap();
}

#[tokio::test]
async fn a_frame_is_as_large_as_we_allow() {
    let mut builder = client::Builder::new();
    builder.max_frame_size(16_385);
    let (mut client, connection, mut peer) = client_with(&builder, &[]).await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(response(1, 200));
    peer.send(data(1, vec![1; 16_385]));
    let mut body = within("the response", answer).await.unwrap().into_body();
    let chunk = within("data", body.data()).await.unwrap().unwrap();
    assert_eq!(chunk.len(), 16_385);
    peer.send(data(1, vec![1; 16_386]));
    peer.expect(goaway(0, Reason::FRAME_SIZE_ERROR)).await;
    let error = ended(connection).await.unwrap_err();
    assert_eq!(error.to_string(), "connection error detected: frame with invalid size");
}

#[tokio::test]
async fn a_wire_that_ends_within_a_frame_is_an_error() {
    let (_client, answer, connection, mut peer) = asked().await;
    let octets = response(1, 200).octets();
    peer.send_octets(&octets[..octets.len() - 1]);
    turns().await;
    peer.close();
    let error = ended(connection).await.unwrap_err();
    assert!(error.is_io(), "{error}");
    let error = within("the response", answer).await.unwrap_err();
    assert!(error.is_io(), "{error}");
}

#[tokio::test]
async fn settings_in_force_are_acknowledged_each_time() {
    let (_client, _answer, _connection, mut peer) = asked().await;
    for size in [1, 0, 100_000] {
        peer.send(settings(&[(INITIAL_WINDOW_SIZE, size)]));
        peer.send(settings(&[]));
        peer.expect(settings_ack()).await;
        peer.expect(settings_ack()).await;
    }
    peer.idle().await;
}
