//! Identifiers, concurrency, priority, errors and extensions (RFC 9113 §5.1.1 to §5.5).

use millpond::{Config, ErrorCode};

use crate::{
    wire::{
        END, END_STREAM, HAS_PRIORITY, HEADERS, MAX_CONCURRENT_STREAMS, OK, Peer, data, dependency, frame,
        headers, ping, priority, request, reset, settings, window_update,
    },
    world::{Client, Server, on_an_open_stream, on_both_sides},
};

/// A request that is answered at once.
fn get(stream: u32) -> Vec<u8> {
    headers(stream, END, &request("GET", "/", &[]))
}

/// A request that is never answered.
fn wait(stream: u32) -> Vec<u8> {
    headers(stream, END, &request("GET", "/wait", &[]))
}

#[tokio::test]
async fn s5_1_1_even_identifier_is_protocol_error() {
    let mut client = Client::connect().await;
    client.send(get(2)).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    assert!(client.seen().is_empty());
}

#[tokio::test]
async fn s5_1_1_lower_identifier_is_protocol_error() {
    let mut client = Client::connect().await;
    client.send([wait(5), get(3)].concat()).await;
    assert_eq!(client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await, 5);
    assert!(!client.seen().contains(&"GET /".to_owned()));
}

#[tokio::test]
async fn s5_1_1_skipped_streams_are_closed() {
    for frame in [data(3, 0, b"test"), headers(3, END, &request("GET", "/", &[]))] {
        let mut client = Client::connect().await;
        client.send([wait(5), frame].concat()).await;
        client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    }
    // What may come on a closed stream may come.
    let mut client = Client::connect().await;
    client.send([wait(5), priority(3, 0), window_update(3, 1), reset(3, ErrorCode::CANCEL)].concat()).await;
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s5_1_1_identifiers_may_skip() {
    let mut client = Client::connect().await;
    client.send(get(7)).await;
    client.expect_message(7).await;
    client.send(get(0x7fff_ffff)).await;
    client.expect_message(0x7fff_ffff).await;
}

#[tokio::test]
async fn s5_1_1_client_opens_odd_streams_in_order() {
    let mut server = Server::accept().await;
    for stream in [1, 3, 5] {
        let call = server.get();
        server.expect_message(stream).await;
        server.send(headers(stream, END, OK)).await;
        call.reply().await.unwrap();
    }
}

#[tokio::test]
async fn s5_1_2_stream_above_the_limit_is_refused() {
    let mut client =
        Client::connect_to(millpond::Server::builder().max_concurrent_streams(Some(2)), &[]).await;
    client.send([wait(1), wait(3), get(5)].concat()).await;
    client.expect_stream_error(5, ErrorCode::REFUSED_STREAM).await;
    // The refused one was not handed to the application; a place that is free again can be used.
    client.send([reset(1, ErrorCode::CANCEL), get(7)].concat()).await;
    client.expect_message(7).await;
    assert_eq!(client.seen(), ["GET /wait", "GET /wait", "GET /"]);
}

#[tokio::test]
async fn s5_1_2_stream_above_the_default_limit_is_refused() {
    let mut client = Client::open(millpond::Server::builder()).await;
    client.send([crate::wire::PREFACE, &settings(&[])].concat()).await;
    let first = client.next().await.unwrap();
    let limit = first
        .payload
        .chunks_exact(6)
        .find(|setting| setting[..2] == MAX_CONCURRENT_STREAMS.to_be_bytes())
        .map(|setting| u32::from_be_bytes(setting[2..].try_into().unwrap()))
        .expect("a limit");
    let requests: Vec<u8> = (0..=limit).flat_map(|n| wait(2 * n + 1)).collect();
    client.send(requests).await;
    client.expect_stream_error(2 * limit + 1, ErrorCode::REFUSED_STREAM).await;
}

#[tokio::test]
async fn s5_1_2_client_keeps_to_the_limit_of_its_peer() {
    let mut server = Server::accept_from(Config::builder(), &[(MAX_CONCURRENT_STREAMS, 1)]).await;
    let (first, second) = (server.get(), server.get());
    server.expect_message(1).await;
    server.expect_ping_ack().await;
    server.send(headers(1, END, OK)).await;
    first.reply().await.unwrap();
    server.expect_message(3).await;
    // A lower limit leaves open what is open.
    let third = server.get();
    server.send(settings(&[(MAX_CONCURRENT_STREAMS, 0)])).await;
    server.expect_ping_ack().await;
    server.send(headers(3, END, OK)).await;
    second.reply().await.unwrap();
    server.expect_ping_ack().await;
    server.send(settings(&[(MAX_CONCURRENT_STREAMS, 1)])).await;
    server.expect_message(5).await;
    server.send(headers(5, END, OK)).await;
    third.reply().await.unwrap();
}

#[tokio::test]
async fn s5_1_2_refused_request_is_reported_as_unprocessed() {
    let mut server = Server::accept().await;
    let call = server.get();
    server.expect_message(1).await;
    server.send(reset(1, ErrorCode::REFUSED_STREAM)).await;
    assert!(call.reply().await.unwrap_err().is_unprocessed());
    server.expect_ping_ack().await;
}

#[tokio::test]
async fn s5_3_2_priority_fields_of_headers_are_ignored() {
    let mut client = Client::connect().await;
    // Exclusive, on a stream that nobody has opened.
    let block = [dependency(0x8000_0009).as_slice(), &request("GET", "/", &[])].concat();
    client.send(headers(1, END_STREAM | HAS_PRIORITY, &block)).await;
    assert_eq!(client.expect_message(1).await.status(), "200");
}

#[tokio::test]
async fn s5_3_2_headers_that_depend_on_themselves_are_a_stream_error() {
    let mut client = Client::connect().await;
    let block = [dependency(1).as_slice(), &request("GET", "/", &[])].concat();
    client.send(headers(1, END_STREAM | HAS_PRIORITY, &block)).await;
    client.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
}

async fn s5_3_2_priority_of_an_open_stream_on_itself_is_a_stream_error(peer: &mut Peer) {
    peer.send(priority(1, 1)).await;
    peer.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
}
on_an_open_stream!(s5_3_2_priority_of_an_open_stream_on_itself_is_a_stream_error);

async fn s5_3_2_priority_of_an_idle_stream_on_itself_is_protocol_error(peer: &mut Peer) {
    // RST_STREAM would not be allowed (§6.4).
    peer.send(priority(1, 1)).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s5_3_2_priority_of_an_idle_stream_on_itself_is_protocol_error);

async fn s5_4_1_connection_error_is_goaway_then_the_end(peer: &mut Peer) {
    peer.send([frame(crate::wire::PING, 0, 3, &[0; 8]), ping(b"too late")].concat()).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s5_4_1_connection_error_is_goaway_then_the_end);

#[tokio::test]
async fn s5_4_1_goaway_names_the_last_stream() {
    let mut client = Client::connect().await;
    client.send([wait(1), wait(7), data(0, 0, b"")].concat()).await;
    assert_eq!(client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await, 7);
    let mut server = Server::accept().await;
    server.send(data(0, 0, b"")).await;
    assert_eq!(server.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await, 0);
}

#[tokio::test]
async fn s5_4_2_stream_error_leaves_other_streams_alone() {
    let mut client = Client::connect().await;
    client.send([headers(1, 0, &request("POST", "/", &[])), wait(3)].concat()).await;
    client.send([window_update(3, 0), data(1, END_STREAM, b"body")].concat()).await;
    assert_eq!(client.expect(crate::wire::RST_STREAM, 3).await.code(), ErrorCode::PROTOCOL_ERROR);
    assert_eq!(client.expect_message(1).await.body, b"body");
}

async fn s5_4_2_reset_is_not_answered_with_reset(peer: &mut Peer) {
    peer.send(reset(1, ErrorCode::STREAM_CLOSED)).await;
    peer.expect_ping_ack().await;
    peer.send(reset(1, ErrorCode::STREAM_CLOSED)).await;
    peer.expect_ping_ack().await;
}
on_an_open_stream!(s5_4_2_reset_is_not_answered_with_reset);

#[tokio::test]
async fn s5_4_3_end_of_the_socket_ends_the_calls() {
    let mut server = Server::accept().await;
    let call = server.get();
    server.expect_message(1).await;
    server.close().await;
    assert!(call.reply().await.unwrap_err().is_io());
    let _ = server.outcome().await;
}

#[tokio::test]
async fn s5_4_3_server_answers_what_was_asked_before_the_socket_was_half_closed() {
    let mut client = Client::connect().await;
    client.send(get(1)).await;
    client.close().await;
    client.expect_message(1).await;
    client.expect_end().await;
}

async fn s5_5_unknown_settings_are_ignored(peer: &mut Peer) {
    peer.send(settings(&[(0x0a0a, 7), (0xffff, u32::MAX), (0, 0)])).await;
    let answer = peer.next().await.unwrap();
    assert_eq!((answer.kind, answer.flags), (crate::wire::SETTINGS, 1));
    peer.expect_ping_ack().await;
}
on_both_sides!(s5_5_unknown_settings_are_ignored);

#[tokio::test]
async fn s5_5_unknown_frames_do_not_disturb_a_message() {
    let mut client = Client::connect().await;
    let unknown = frame(0x42, 0xff, 1, b"extension");
    client.send([headers(1, 0, &request("POST", "/", &[])), unknown.clone()].concat()).await;
    client.send([data(1, 0, b"bo"), unknown.clone(), data(1, END_STREAM, b"dy"), unknown].concat()).await;
    assert_eq!(client.expect_message(1).await.body, b"body");
    client.expect_ping_ack().await;
    let mut server = Server::accept().await;
    let call = server.get();
    assert_eq!(server.expect(HEADERS, 1).await.stream, 1);
    let unknown = frame(0x42, 0xff, 1, b"extension");
    server.send([unknown.clone(), headers(1, 0, OK), unknown, data(1, END_STREAM, b"body")].concat()).await;
    assert_eq!(call.reply().await.unwrap().body, b"body");
}
