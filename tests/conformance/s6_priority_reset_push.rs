//! PRIORITY, RST_STREAM and PUSH_PROMISE (RFC 9113 §6.3, §6.4, §6.6).

use millpond::ErrorCode;

use crate::{
    wire::{
        END, HEADERS, INITIAL_WINDOW_SIZE, OK, PRIORITY, PUSH_PROMISE, Peer, RST_STREAM, dependency, frame,
        headers, request, reset, window_update,
    },
    world::{Client, Server, on_an_open_stream, on_both_sides},
};

async fn s6_3_priority_on_stream_0_is_protocol_error(peer: &mut Peer) {
    peer.send(frame(PRIORITY, 0, 0, &dependency(1))).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_3_priority_on_stream_0_is_protocol_error);

async fn s6_3_priority_of_four_octets_is_a_stream_error(peer: &mut Peer) {
    peer.send(frame(PRIORITY, 0, 1, &[0; 4])).await;
    peer.expect_stream_error(1, ErrorCode::FRAME_SIZE_ERROR).await;
}
on_an_open_stream!(s6_3_priority_of_four_octets_is_a_stream_error);

async fn s6_3_priority_of_six_octets_is_a_stream_error(peer: &mut Peer) {
    peer.send(frame(PRIORITY, 0, 1, &[0; 6])).await;
    peer.expect_stream_error(1, ErrorCode::FRAME_SIZE_ERROR).await;
}
on_an_open_stream!(s6_3_priority_of_six_octets_is_a_stream_error);

async fn s6_3_priority_of_a_wrong_length_on_an_idle_stream_ends_the_connection(peer: &mut Peer) {
    // RST_STREAM would not be allowed (§6.4).
    peer.send(frame(PRIORITY, 0, 1, &[0; 4])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_both_sides!(s6_3_priority_of_a_wrong_length_on_an_idle_stream_ends_the_connection);

#[tokio::test]
async fn s6_3_priority_of_a_wrong_length_on_a_closed_stream_is_a_stream_error() {
    let mut client = Client::connect().await;
    client.send(headers(1, END, &request("GET", "/", &[]))).await;
    client.expect_message(1).await;
    client.send(frame(PRIORITY, 0, 1, &[0; 4])).await;
    client.expect_stream_error(1, ErrorCode::FRAME_SIZE_ERROR).await;
}

async fn s6_4_reset_on_stream_0_is_protocol_error(peer: &mut Peer) {
    peer.send(reset(0, ErrorCode::CANCEL)).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_4_reset_on_stream_0_is_protocol_error);

async fn s6_4_reset_of_an_idle_stream_is_protocol_error(peer: &mut Peer) {
    peer.send(reset(1, ErrorCode::CANCEL)).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_4_reset_of_an_idle_stream_is_protocol_error);

async fn s6_4_reset_of_three_octets_is_frame_size_error(peer: &mut Peer) {
    peer.send(frame(RST_STREAM, 0, 1, &[0; 3])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_an_open_stream!(s6_4_reset_of_three_octets_is_frame_size_error);

async fn s6_4_reset_of_five_octets_is_frame_size_error(peer: &mut Peer) {
    peer.send(frame(RST_STREAM, 0, 1, &[0; 5])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_an_open_stream!(s6_4_reset_of_five_octets_is_frame_size_error);

#[tokio::test]
async fn s6_4_after_a_reset_nothing_is_sent_on_the_stream() {
    let mut client = Client::connect_to(millpond::Server::builder(), &[(INITIAL_WINDOW_SIZE, 10)]).await;
    client.send(headers(1, END, &request("GET", "/octets/50", &[]))).await;
    client.expect(HEADERS, 1).await;
    assert_eq!(client.next_of_note().await.unwrap().payload.len(), 10);
    client.send([reset(1, ErrorCode::CANCEL), window_update(1, 100)].concat()).await;
    client.expect_ping_ack().await;
    client.send(headers(3, END, &request("GET", "/", &[]))).await;
    client.expect_message(3).await;
}

#[tokio::test]
async fn s6_4_reset_ends_the_call_with_its_code() {
    let mut server = Server::accept().await;
    let (before, after) = (server.get(), server.get());
    server.expect_message(1).await;
    server.expect_message(3).await;
    server.send(reset(1, ErrorCode::ENHANCE_YOUR_CALM)).await;
    let error = before.reply().await.unwrap_err();
    assert!(error.is_reset() && error.is_remote());
    assert_eq!(error.code(), ErrorCode::ENHANCE_YOUR_CALM);
    // With the response begun.
    server.send([headers(3, 0, OK), reset(3, ErrorCode::INTERNAL_ERROR)].concat()).await;
    assert_eq!(after.reply().await.unwrap_err().code(), ErrorCode::INTERNAL_ERROR);
    server.expect_ping_ack().await;
}

#[tokio::test]
async fn s6_4_handler_that_is_dropped_resets_nothing_that_is_closed() {
    let mut client = Client::connect().await;
    client.send([headers(1, END, &request("GET", "/wait", &[])), reset(1, ErrorCode::CANCEL)].concat()).await;
    client.expect_ping_ack().await;
}

/// A promise of stream 2.
fn promise(stream: u32) -> Vec<u8> {
    frame(PUSH_PROMISE, 4, stream, &[&[0, 0, 0, 2], request("GET", "/", &[]).as_slice()].concat())
}

async fn s6_6_push_promise_is_protocol_error(peer: &mut Peer) {
    // To a server always (§8.4); to our client since it has said ENABLE_PUSH = 0.
    peer.send(promise(1)).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_an_open_stream!(s6_6_push_promise_is_protocol_error);

async fn s6_6_push_promise_on_stream_0_is_protocol_error(peer: &mut Peer) {
    peer.send(promise(0)).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_6_push_promise_on_stream_0_is_protocol_error);

async fn s6_6_push_promise_on_an_idle_stream_is_protocol_error(peer: &mut Peer) {
    peer.send(promise(1)).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_6_push_promise_on_an_idle_stream_is_protocol_error);
