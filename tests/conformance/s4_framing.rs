//! Frames and field blocks (RFC 9113 §4).

use http::Request;
use millpond::{Config, ErrorCode};

use crate::{
    wire::{
        CONTINUATION, DATA, END, END_HEADERS, END_STREAM, Frame, GOAWAY, HAS_PRIORITY, HEADERS,
        MAX_FRAME_SIZE, OK, PADDED, PING, PREFACE, PRIORITY, PRIORITY_UPDATE, Peer, RST_STREAM, SETTINGS,
        WINDOW_UPDATE, continuation, data, dependency, field, frame, goaway, headers, ping, priority,
        request, reset, settings, window_update,
    },
    world::{Client, Server, on_an_open_stream, on_both_sides},
};

/// A type that no specification uses.
const UNKNOWN: u8 = 0x16;

async fn s4_1_unknown_frame_is_ignored(peer: &mut Peer) {
    // On the connection, on an idle stream, empty and of the largest size.
    peer.send(frame(UNKNOWN, 0, 0, &[0; 8])).await;
    peer.send(frame(0xff, 0xff, 7, &[])).await;
    peer.send(frame(UNKNOWN, 0, 0, &[0; 16_384])).await;
    peer.expect_ping_ack().await;
}
on_both_sides!(s4_1_unknown_frame_is_ignored);

async fn s4_1_unknown_frame_on_an_open_stream_is_ignored(peer: &mut Peer) {
    peer.send(frame(UNKNOWN, END_STREAM, 1, b"whatever")).await;
    peer.expect_ping_ack().await;
    // The stream is still open.
    peer.send(data(1, 0, b"more")).await;
    peer.expect_ping_ack().await;
}
on_an_open_stream!(s4_1_unknown_frame_on_an_open_stream_is_ignored);

async fn s4_1_undefined_flags_are_ignored(peer: &mut Peer) {
    peer.send(frame(PING, 0xfe, 0, b"flagged.")).await;
    assert_eq!(peer.expect(PING, 0).await.payload, b"flagged.");
    peer.send(frame(SETTINGS, 0xfe, 0, &[])).await;
    peer.send(frame(WINDOW_UPDATE, 0xff, 0, &[0, 0, 0, 1])).await;
    peer.send(frame(PRIORITY, 0xff, 1, &dependency(0))).await;
    peer.expect_ping_ack().await;
    peer.send(frame(GOAWAY, 0xff, 0, &[0; 8])).await;
}
on_both_sides!(s4_1_undefined_flags_are_ignored);

#[tokio::test]
async fn s4_1_undefined_flags_of_messages_are_ignored() {
    let mut client = Client::connect().await;
    let block = request("POST", "/", &[]);
    let (first, rest) = block.split_at(10);
    // All but the flags that would mean something else.
    client.send(frame(HEADERS, !(END | PADDED | HAS_PRIORITY), 1, first)).await;
    client.send(continuation(1, 0xff, rest)).await;
    client.send(data(1, !(END_STREAM | PADDED), b"ab")).await;
    client.send(data(1, !PADDED, b"cd")).await;
    assert_eq!(client.expect_message(1).await.body, b"abcd");
}

async fn s4_1_reserved_bit_is_ignored(peer: &mut Peer) {
    peer.send(frame(PING, 0, 0x8000_0000, b"reserved")).await;
    assert_eq!(peer.expect(PING, 0).await.payload, b"reserved");
}
on_both_sides!(s4_1_reserved_bit_is_ignored);

#[tokio::test]
async fn s4_1_reserved_bit_of_a_stream_is_ignored() {
    let mut client = Client::connect().await;
    client.send(headers(0x8000_0001, 0, &request("POST", "/", &[]))).await;
    client.send(data(0x8000_0001, END_STREAM, b"abcd")).await;
    assert_eq!(client.expect_message(1).await.body, b"abcd");
}

/// Only defined flags, and never the reserved bit.
fn assert_plain(frames: &[Frame]) {
    for frame in frames {
        let defined = match frame.kind {
            DATA => END_STREAM,
            HEADERS => END,
            CONTINUATION => END_HEADERS,
            SETTINGS | PING => 1,
            RST_STREAM | GOAWAY | WINDOW_UPDATE => 0,
            kind => panic!("a frame of type {kind}"),
        };
        assert_eq!((frame.flags & !defined, frame.stream >> 31), (0, 0), "{frame:?}");
    }
}

/// The frames up to the first of this type.
async fn up_to(peer: &mut Peer, kind: u8) -> Vec<Frame> {
    let mut frames = Vec::new();
    while frames.last().is_none_or(|frame: &Frame| frame.kind != kind) {
        frames.push(peer.next().await.expect("another frame"));
    }
    frames
}

#[tokio::test]
async fn s4_1_server_leaves_undefined_flags_and_the_reserved_bit_unset() {
    let mut client = Client::open(millpond::Server::builder()).await;
    client.send([PREFACE, &settings(&[]), &ping(b"a ping..")].concat()).await;
    let mut frames = up_to(&mut client, PING).await;
    client.send(headers(1, END, &request("GET", "/", &[]))).await;
    frames.extend(up_to(&mut client, DATA).await);
    client.send(headers(3, END, &request("GET", "/", &[("connection", "close")]))).await;
    frames.extend(up_to(&mut client, RST_STREAM).await);
    client.send(data(0, 0, b"")).await;
    frames.extend(up_to(&mut client, GOAWAY).await);
    assert_plain(&frames);
}

#[tokio::test]
async fn s4_1_client_leaves_undefined_flags_and_the_reserved_bit_unset() {
    let mut server = Server::open(Config::builder()).await;
    server.octets(24).await;
    server.send([settings(&[]), ping(b"a ping..")].concat()).await;
    let mut frames = up_to(&mut server, PING).await;
    let call = server.call(Request::post("http://pond.example/").body(()).unwrap(), Some(b"body"));
    frames.extend(up_to(&mut server, DATA).await);
    // Two statuses.
    server.send(headers(1, 0, &[0x88, 0x88])).await;
    frames.extend(up_to(&mut server, RST_STREAM).await);
    call.reply().await.unwrap_err();
    server.send(data(0, 0, b"")).await;
    frames.extend(up_to(&mut server, GOAWAY).await);
    assert_plain(&frames);
}

#[tokio::test]
async fn s4_2_server_takes_a_frame_of_16384_octets() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("POST", "/sink", &[]))).await;
    client.send(data(1, END_STREAM, &[b'd'; 16_384])).await;
    assert_eq!(client.expect_message(1).await.body, b"16384");
}

#[tokio::test]
async fn s4_2_client_takes_a_frame_of_16384_octets() {
    let mut server = Server::accept().await;
    let call = server.get();
    server.expect_message(1).await;
    server.send([headers(1, 0, OK), data(1, END_STREAM, &[b'd'; 16_384])].concat()).await;
    assert_eq!(call.reply().await.unwrap().body.len(), 16_384);
}

async fn s4_2_frame_above_the_maximum_is_frame_size_error(peer: &mut Peer) {
    peer.send(frame(UNKNOWN, 0, 0, &[0; 16_385])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_both_sides!(s4_2_frame_above_the_maximum_is_frame_size_error);

async fn s4_2_data_above_the_maximum_is_frame_size_error(peer: &mut Peer) {
    peer.send(data(1, END_STREAM, &[0; 16_385])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_an_open_stream!(s4_2_data_above_the_maximum_is_frame_size_error);

#[tokio::test]
async fn s4_2_headers_above_the_maximum_is_frame_size_error() {
    let mut client = Client::connect().await;
    let long: Vec<u8> = (0..200).flat_map(|_| field("x-long", &"v".repeat(100))).collect();
    client.send(headers(1, END, &[request("GET", "/", &[]), long].concat())).await;
    client.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}

#[tokio::test]
async fn s4_2_headers_above_the_maximum_is_frame_size_error_for_a_client() {
    let mut server = Server::accept().await;
    let _call = server.get();
    server.expect_message(1).await;
    server.send(headers(1, END, &[0; 16_385])).await;
    server.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}

#[tokio::test]
async fn s4_2_continuation_above_the_maximum_is_frame_size_error() {
    let mut client = Client::connect().await;
    client.send(frame(HEADERS, END_STREAM, 1, &request("GET", "/", &[]))).await;
    client.send(continuation(1, END_HEADERS, &[0; 16_385])).await;
    client.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}

async fn s4_2_settings_above_the_maximum_is_frame_size_error(peer: &mut Peer) {
    peer.send(frame(SETTINGS, 0, 0, &[0; 16_386])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_both_sides!(s4_2_settings_above_the_maximum_is_frame_size_error);

#[tokio::test]
async fn s4_2_larger_frames_are_taken_where_they_were_offered() {
    let mut client = Client::connect_to(millpond::Server::builder().max_frame_size(32_768), &[]).await;
    client.send(headers(1, 0, &request("POST", "/sink", &[]))).await;
    client.send(data(1, END_STREAM, &[b'd'; 32_768])).await;
    assert_eq!(client.expect_message(1).await.body, b"32768");
    client.send(frame(UNKNOWN, 0, 0, &[0; 32_769])).await;
    client.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}

async fn s4_2_headers_too_short_for_its_flags_is_frame_size_error(peer: &mut Peer) {
    peer.send(frame(HEADERS, END_HEADERS | PADDED, 1, &[])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_an_open_stream!(s4_2_headers_too_short_for_its_flags_is_frame_size_error);

async fn s4_2_headers_too_short_for_its_priority_is_frame_size_error(peer: &mut Peer) {
    peer.send(frame(HEADERS, END_HEADERS | HAS_PRIORITY, 1, &[0; 4])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_an_open_stream!(s4_2_headers_too_short_for_its_priority_is_frame_size_error);

async fn s4_2_data_too_short_for_its_padding_is_an_error(peer: &mut Peer) {
    peer.send(frame(DATA, PADDED, 1, &[])).await;
    peer.expect_stream_error(1, ErrorCode::FRAME_SIZE_ERROR).await;
}
on_an_open_stream!(s4_2_data_too_short_for_its_padding_is_an_error);

#[tokio::test]
async fn s4_2_server_keeps_to_the_maximum_of_its_peer() {
    for max in [16_384, 20_000] {
        let server = millpond::Server::builder();
        let mut client = Client::connect_to(server, &[(MAX_FRAME_SIZE, max)]).await;
        client.send(headers(1, END, &request("GET", "/octets/60000", &[]))).await;
        let mut left = 60_000;
        while left > 0 {
            let frame = client.next_of_note().await.unwrap();
            assert!(frame.payload.len() <= max as usize, "{} octets", frame.payload.len());
            left -= if frame.kind == DATA { frame.payload.len() } else { 0 };
        }
    }
}

#[tokio::test]
async fn s4_2_client_keeps_to_the_maximum_of_its_peer() {
    let mut server = Server::accept().await;
    // The field block is larger than a frame as well.
    let request = Request::post("http://pond.example/").header("x-long", "v&".repeat(20_000));
    let _call = server.call(request.body(()).unwrap(), Some(&[b'd'; 50_000]));
    let (mut fragments, mut octets) = (0, 0);
    while octets < 50_000 {
        let frame = server.next_of_note().await.unwrap();
        assert!(frame.payload.len() <= 16_384, "{} octets", frame.payload.len());
        match frame.kind {
            DATA => octets += frame.payload.len(),
            // §4.3: nothing between the frames of a field block.
            HEADERS | CONTINUATION => {
                assert_eq!(frame.kind == HEADERS, fragments == 0);
                assert_eq!(octets, 0);
                fragments += 1;
            }
            kind => panic!("type {kind}"),
        }
    }
    assert!(fragments > 1);
}

/// `Literal with incremental indexing`, and nothing behind it.
const TRUNCATED: &[u8] = &[0x40];

#[tokio::test]
async fn s4_3_field_block_that_cannot_be_decoded_is_compression_error() {
    let mut client = Client::connect().await;
    client.send(headers(1, END, TRUNCATED)).await;
    client.expect_connection_error(ErrorCode::COMPRESSION_ERROR).await;
}

#[tokio::test]
async fn s4_3_response_that_cannot_be_decoded_is_compression_error() {
    let mut server = Server::accept().await;
    let call = server.get();
    server.expect_message(1).await;
    server.send(headers(1, END, TRUNCATED)).await;
    server.expect_connection_error(ErrorCode::COMPRESSION_ERROR).await;
    assert_eq!(call.reply().await.unwrap_err().code(), ErrorCode::COMPRESSION_ERROR);
}

async fn s4_3_trailers_that_cannot_be_decoded_are_compression_error(peer: &mut Peer) {
    peer.send(headers(1, END, TRUNCATED)).await;
    peer.expect_connection_error(ErrorCode::COMPRESSION_ERROR).await;
}
on_an_open_stream!(s4_3_trailers_that_cannot_be_decoded_are_compression_error);

/// Between the frames of a field block on stream 1 comes this one.
async fn interrupt(peer: &mut Peer, interruption: Vec<u8>) {
    peer.send(frame(HEADERS, END_STREAM, 1, &field("x-a", "b"))).await;
    peer.send(interruption).await;
    peer.send(continuation(1, END_HEADERS, &field("x-c", "d"))).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

async fn s4_3_data_within_a_field_block_is_protocol_error(peer: &mut Peer) {
    interrupt(peer, data(1, 0, b"data")).await;
}
on_an_open_stream!(s4_3_data_within_a_field_block_is_protocol_error);

async fn s4_3_headers_of_another_stream_within_a_field_block_is_protocol_error(peer: &mut Peer) {
    interrupt(peer, headers(3, END, &request("GET", "/", &[]))).await;
}
on_an_open_stream!(s4_3_headers_of_another_stream_within_a_field_block_is_protocol_error);

async fn s4_3_headers_of_the_same_stream_within_a_field_block_is_protocol_error(peer: &mut Peer) {
    interrupt(peer, headers(1, END, &field("x-b", "b"))).await;
}
on_an_open_stream!(s4_3_headers_of_the_same_stream_within_a_field_block_is_protocol_error);

async fn s4_3_continuation_of_another_stream_within_a_field_block_is_protocol_error(peer: &mut Peer) {
    interrupt(peer, continuation(3, END_HEADERS, &[])).await;
}
on_an_open_stream!(s4_3_continuation_of_another_stream_within_a_field_block_is_protocol_error);

async fn s4_3_priority_within_a_field_block_is_protocol_error(peer: &mut Peer) {
    interrupt(peer, priority(1, 0)).await;
}
on_an_open_stream!(s4_3_priority_within_a_field_block_is_protocol_error);

async fn s4_3_reset_within_a_field_block_is_protocol_error(peer: &mut Peer) {
    interrupt(peer, reset(1, ErrorCode::CANCEL)).await;
}
on_an_open_stream!(s4_3_reset_within_a_field_block_is_protocol_error);

async fn s4_3_settings_within_a_field_block_is_protocol_error(peer: &mut Peer) {
    interrupt(peer, settings(&[])).await;
}
on_an_open_stream!(s4_3_settings_within_a_field_block_is_protocol_error);

async fn s4_3_ping_within_a_field_block_is_protocol_error(peer: &mut Peer) {
    interrupt(peer, ping(b"not now.")).await;
}
on_an_open_stream!(s4_3_ping_within_a_field_block_is_protocol_error);

async fn s4_3_goaway_within_a_field_block_is_protocol_error(peer: &mut Peer) {
    interrupt(peer, goaway(0, ErrorCode::NO_ERROR)).await;
}
on_an_open_stream!(s4_3_goaway_within_a_field_block_is_protocol_error);

async fn s4_3_window_update_within_a_field_block_is_protocol_error(peer: &mut Peer) {
    interrupt(peer, window_update(0, 1)).await;
}
on_an_open_stream!(s4_3_window_update_within_a_field_block_is_protocol_error);

async fn s4_3_priority_update_within_a_field_block_is_protocol_error(peer: &mut Peer) {
    interrupt(peer, frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\x01u=1")).await;
}
on_an_open_stream!(s4_3_priority_update_within_a_field_block_is_protocol_error);

async fn s5_5_unknown_frame_within_a_field_block_is_protocol_error(peer: &mut Peer) {
    interrupt(peer, frame(UNKNOWN, 0, 0, &[0; 8])).await;
}
on_an_open_stream!(s5_5_unknown_frame_within_a_field_block_is_protocol_error);

/// `x-a: b`, to be added to the dynamic table.
const INDEXED: &[u8] = b"\x40\x03x-a\x01b";

#[tokio::test]
async fn s4_3_field_block_of_a_refused_stream_is_decoded() {
    let mut client =
        Client::connect_to(millpond::Server::builder().max_concurrent_streams(Some(1)), &[]).await;
    client.send(headers(1, END, &request("GET", "/wait", &[]))).await;
    client.send(headers(3, END, &[&request("GET", "/", &[]), INDEXED].concat())).await;
    client.expect_stream_error(3, ErrorCode::REFUSED_STREAM).await;
    client.send(reset(1, ErrorCode::CANCEL)).await;
    client.send(headers(5, END, &[&request("GET", "/fields", &[]), [0x80 | 62].as_slice()].concat())).await;
    assert_eq!(client.expect_message(5).await.body, b"x-a: b\n");
}

#[tokio::test]
async fn s4_3_trailers_of_a_stream_that_we_reset_are_decoded() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("POST", "/wait", &[]))).await;
    client.send(window_update(1, 0)).await;
    client.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
    client.send(headers(1, END, INDEXED)).await;
    client.send(headers(3, END, &[&request("GET", "/fields", &[]), [0x80 | 62].as_slice()].concat())).await;
    assert_eq!(client.expect_message(3).await.body, b"x-a: b\n");
}

#[tokio::test]
async fn s4_3_response_to_a_cancelled_request_is_decoded() {
    let mut server = Server::accept().await;
    let call = server.get();
    server.expect_message(1).await;
    call.cancel().await;
    server.expect_stream_error(1, ErrorCode::CANCEL).await;
    server.send(headers(1, END, &[OK, INDEXED].concat())).await;
    let call = server.get();
    server.expect_message(3).await;
    server.send(headers(3, END, &[OK, &[0x80 | 62]].concat())).await;
    assert_eq!(call.reply().await.unwrap().head.headers()["x-a"], "b");
}
