//! Connections, and what keeps them safe (RFC 9113 §9, §10.5). §10.3 is with the fields.

use std::time::Duration;

use http::Request;
use millpond::{Config, ErrorCode, Server as MillpondServer};

use crate::{
    s8_control::setting,
    wire::{
        END, END_STREAM, GET, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, MAX_HEADER_LIST_SIZE, OK, POST, PREFACE,
        Peer, SETTINGS, block, continuation, data, frame, goaway, headers, ping, priority, request, reset,
        settings, window_update,
    },
    world::{Client, Server},
};

#[tokio::test]
async fn s9_1_a_connection_serves_one_request_after_the_other() {
    let mut client = Client::connect().await;
    for stream in (1..200).step_by(2) {
        client.send(headers(stream, END, GET)).await;
        assert_eq!(client.expect_message(stream).await.body, b"hello");
    }
}

#[tokio::test]
async fn s9_1_a_client_says_goaway_before_it_closes() {
    let mut server = Server::accept().await;
    let call = server.get();
    server.expect(HEADERS, 1).await;
    server.send(headers(1, END, OK)).await;
    call.reply().await.unwrap();
    server.let_go();
    server.expect_goaway(ErrorCode::NO_ERROR).await;
    server.expect_end().await;
    server.close().await;
    server.outcome().await.unwrap();
}

#[tokio::test]
async fn s9_1_a_server_says_goaway_before_it_closes() {
    let idle = MillpondServer::builder().max_connection_idle(Duration::from_millis(1));
    let mut client = Client::open(idle).await;
    client.send([PREFACE, &settings(&[])].concat()).await;
    // The first, the PING that goes with it, then the real one (§6.8).
    loop {
        let frame = client.next_of_note().await.expect("GOAWAY before the end");
        match frame.kind {
            GOAWAY if frame.payload[..4] != [0x7f, 0xff, 0xff, 0xff] => {
                assert_eq!((frame.code(), &frame.payload[..4]), (ErrorCode::NO_ERROR, &[0; 4][..]));
                break;
            }
            GOAWAY => {}
            _ => client.send(crate::wire::frame(frame.kind, 1, 0, &frame.payload)).await,
        }
    }
    client.expect_end().await;
}

#[tokio::test]
async fn s9_1_1_a_connection_is_good_for_more_than_one_authority() {
    let mut client = Client::connect().await;
    for (stream, name) in [(1, "pond.example"), (3, "mill.example")] {
        let pseudo = [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", name)];
        client.send(headers(stream, END, &block(&pseudo))).await;
        assert_eq!(client.expect_message(stream).await.status(), "200");
    }
}

/// A field of about a thousand octets.
fn kilobyte(n: usize) -> Vec<u8> {
    let mut field = vec![0, 4];
    field.extend(format!("x-{n:02}").as_bytes());
    field.extend([0x7f, 0x80, 0x06]);
    field.resize(field.len() + 127 + 768, b'k');
    field
}

fn kilobytes(count: usize) -> Vec<u8> {
    (0..count).flat_map(kilobyte).collect()
}

fn small() -> MillpondServer {
    MillpondServer::builder().max_header_list_size(4_096)
}

#[tokio::test]
async fn s10_5_1_the_limit_of_field_sections_is_told() {
    let mut client = Client::open(small()).await;
    client.send(PREFACE).await;
    let first = client.next().await.unwrap();
    assert_eq!(setting(&first.payload, MAX_HEADER_LIST_SIZE), Some(4_096));

    let mut server = Server::open(Config::builder().max_header_list_size(4_096)).await;
    server.octets(PREFACE.len()).await;
    let first = server.seek(SETTINGS, 0).await;
    assert_eq!(setting(&first.payload, MAX_HEADER_LIST_SIZE), Some(4_096));
}

#[tokio::test]
async fn s10_5_1_a_request_with_too_many_fields_is_answered_with_431() {
    let mut client = Client::connect_to(small(), &[]).await;
    client.send(headers(1, END, &[request("GET", "/", &[]), kilobytes(5)].concat())).await;
    let answer = client.expect_message(1).await;
    assert_eq!((answer.status(), answer.body.len()), ("431", 0));
    // In CONTINUATION frames.
    let large = [request("GET", "/", &[]), kilobytes(5)].concat();
    client
        .send([frame(HEADERS, END_STREAM, 3, &large[..100]), continuation(3, 4, &large[100..])].concat())
        .await;
    assert_eq!(client.expect_message(3).await.status(), "431");
    // Many small ones.
    let many: Vec<u8> = b"\x90".repeat(300);
    client.send(headers(5, END, &[GET, &many].concat())).await;
    assert_eq!(client.expect_message(5).await.status(), "431");
    client.send(headers(7, END, GET)).await;
    assert_eq!(client.expect_message(7).await.status(), "200");
    assert_eq!(client.seen(), ["GET /"]);
}

#[tokio::test]
async fn s10_5_1_what_follows_a_request_answered_with_431_does_no_harm() {
    let mut client = Client::connect_to(small(), &[]).await;
    client.send(headers(1, 0, &[request("POST", "/", &[]), kilobytes(5)].concat())).await;
    assert_eq!(client.expect_message(1).await.status(), "431");
    client.expect_stream_error(1, ErrorCode::NO_ERROR).await;
    client.send([data(1, 0, b"body"), headers(1, END_STREAM, &block(&[("x-a", "b")]))].concat()).await;
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s10_5_1_the_block_of_a_request_that_is_too_large_counts_for_the_table() {
    let mut client = Client::connect_to(small(), &[]).await;
    let inserted = b"\x40\x03x-a\x011";
    client.send(headers(1, END, &[&request("GET", "/", &[]), &kilobytes(5), &inserted[..]].concat())).await;
    assert_eq!(client.expect_message(1).await.status(), "431");
    client.send(headers(3, END, &[&request("GET", "/fields", &[])[..], b"\xbe"].concat())).await;
    assert_eq!(client.expect_message(3).await.body, b"x-a: 1\n");
}

#[tokio::test]
async fn s10_5_1_trailers_that_are_too_large_end_the_stream_alone() {
    let mut client = Client::connect_to(small(), &[]).await;
    client
        .send([headers(1, 0, &request("POST", "/sink", &[])), headers(1, END_STREAM, &kilobytes(5))].concat())
        .await;
    client.expect_stream_error(1, ErrorCode::ENHANCE_YOUR_CALM).await;
}

#[tokio::test]
async fn s10_5_1_a_client_discards_a_response_that_is_too_large() {
    let mut server = Server::accept_from(Config::builder().max_header_list_size(4_096), &[]).await;
    let call = server.get();
    server.expect(HEADERS, 1).await;
    server.send(headers(1, END, &[OK, &kilobytes(5)].concat())).await;
    server.expect_stream_error(1, ErrorCode::ENHANCE_YOUR_CALM).await;
    call.reply().await.unwrap_err();
}

#[tokio::test]
async fn s10_5_1_a_client_does_not_send_what_the_server_said_it_would_not_take() {
    let mut server = Server::accept_from(Config::builder(), &[(MAX_HEADER_LIST_SIZE, 500)]).await;
    let request = Request::get("http://pond.example/").header("x-large", "l".repeat(500)).body(()).unwrap();
    let error = server.call(request, Some(b"")).reply().await.unwrap_err();
    assert!(error.mistake().is_some(), "{error}");
    let _call = server.get();
    server.seek(HEADERS, 3).await;
}

/// The connection ends with ENHANCE_YOUR_CALM, whatever was answered before.
async fn expect_calm(peer: &mut Peer) {
    let goaway = peer.seek(GOAWAY, 0).await;
    assert_eq!(goaway.code(), ErrorCode::ENHANCE_YOUR_CALM, "{}", goaway.payload.escape_ascii());
    assert!(peer.next().await.is_none());
}

/// So many of these are a flood.
async fn is_a_flood(before: Vec<u8>, frames: impl IntoIterator<Item = Vec<u8>>) {
    let mut client = Client::connect_to(MillpondServer::builder(), &[(INITIAL_WINDOW_SIZE, 0)]).await;
    client.send(before).await;
    client.send(frames.into_iter().flatten().collect::<Vec<u8>>()).await;
    expect_calm(&mut client).await;
}

fn many(count: usize, frame: Vec<u8>) -> impl Iterator<Item = Vec<u8>> {
    std::iter::repeat_n(frame, count)
}

#[tokio::test]
async fn s10_5_floods_of_cheap_frames_end_the_connection() {
    is_a_flood(vec![], many(2_000, ping(b"flooding"))).await;
    is_a_flood(vec![], many(2_000, settings(&[]))).await;
    is_a_flood(vec![], many(20_000, priority(1, 0))).await;
    is_a_flood(vec![], many(20_000, frame(0xbe, 0, 0, b"unknown"))).await;
    is_a_flood(vec![], many(50_000, window_update(0, 1))).await;
    is_a_flood(headers(1, 0, POST), many(20_000, data(1, 0, b""))).await;
}

#[tokio::test]
async fn s10_5_a_field_block_without_end_ends_the_connection() {
    is_a_flood(frame(HEADERS, END_STREAM, 1, GET), many(10_000, continuation(1, 0, b""))).await;
    is_a_flood(frame(HEADERS, END_STREAM, 1, GET), many(1_000, continuation(1, 0, &kilobyte(1)))).await;
}

#[tokio::test]
async fn s10_5_streams_opened_and_reset_without_end_end_the_connection() {
    let rapid =
        (1..20_000).step_by(2).map(|id| [headers(id, END, GET), reset(id, ErrorCode::CANCEL)].concat());
    is_a_flood(vec![], rapid).await;
    // Stream errors that the client provokes.
    let provoked = (1..20_000).step_by(2).map(|id| [headers(id, 0, POST), window_update(id, 0)].concat());
    is_a_flood(vec![], provoked).await;
}

#[tokio::test]
async fn s10_5_goaway_of_the_peer_is_no_reason_to_drop_what_is_under_way() {
    let mut client = Client::connect().await;
    client
        .send(
            [headers(1, 0, POST), goaway(0, ErrorCode::NO_ERROR), data(1, END_STREAM, b"still here")]
                .concat(),
        )
        .await;
    assert_eq!(client.expect_message(1).await.body, b"still here");
}
