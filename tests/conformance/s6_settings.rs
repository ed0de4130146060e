//! SETTINGS (RFC 9113 §6.5).

use std::time::Duration;

use millpond::{Config, ErrorCode};

use crate::{
    wire::{
        ACK, DATA, ENABLE_PUSH, END, Frame, HEADERS, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS,
        MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE, OK, PREFACE, Peer, SETTINGS, data, frame, headers, request,
        settings, settings_ack, window_update,
    },
    world::{Client, Server, on_both_sides},
};

async fn s6_5_settings_on_a_stream_is_protocol_error(peer: &mut Peer) {
    peer.send(frame(SETTINGS, 0, 1, &[])).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_5_settings_on_a_stream_is_protocol_error);

async fn s6_5_settings_ack_on_a_stream_is_protocol_error(peer: &mut Peer) {
    peer.send(frame(SETTINGS, ACK, 1, &[])).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_5_settings_ack_on_a_stream_is_protocol_error);

async fn s6_5_settings_ack_with_a_payload_is_frame_size_error(peer: &mut Peer) {
    peer.send(frame(SETTINGS, ACK, 0, &[0, 2, 0, 0, 0, 0])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_both_sides!(s6_5_settings_ack_with_a_payload_is_frame_size_error);

async fn s6_5_length_not_a_multiple_of_six_is_frame_size_error(peer: &mut Peer) {
    peer.send(frame(SETTINGS, 0, 0, &[0, 2, 0])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_both_sides!(s6_5_length_not_a_multiple_of_six_is_frame_size_error);

/// What these settings of the peer lead to.
async fn is_refused(peer: &mut Peer, id: u16, value: u32, code: ErrorCode) {
    peer.send(settings(&[(id, value)])).await;
    peer.expect_connection_error(code).await;
}

async fn s6_5_2_enable_push_of_2_is_protocol_error(peer: &mut Peer) {
    is_refused(peer, ENABLE_PUSH, 2, ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_5_2_enable_push_of_2_is_protocol_error);

async fn s6_5_2_window_above_the_maximum_is_flow_control_error(peer: &mut Peer) {
    is_refused(peer, INITIAL_WINDOW_SIZE, 1 << 31, ErrorCode::FLOW_CONTROL_ERROR).await;
}
on_both_sides!(s6_5_2_window_above_the_maximum_is_flow_control_error);

async fn s6_5_2_frame_size_below_the_minimum_is_protocol_error(peer: &mut Peer) {
    is_refused(peer, MAX_FRAME_SIZE, 16_383, ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_5_2_frame_size_below_the_minimum_is_protocol_error);

async fn s6_5_2_frame_size_above_the_maximum_is_protocol_error(peer: &mut Peer) {
    is_refused(peer, MAX_FRAME_SIZE, 1 << 24, ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_5_2_frame_size_above_the_maximum_is_protocol_error);

#[tokio::test]
async fn s6_5_2_enable_push_from_a_client_may_be_1() {
    let mut client = Client::connect().await;
    client.send(settings(&[(ENABLE_PUSH, 1), (ENABLE_PUSH, 0)])).await;
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s6_5_2_enable_push_from_a_server_must_be_0() {
    let mut server = Server::accept().await;
    server.send(settings(&[(ENABLE_PUSH, 0)])).await;
    server.expect_ping_ack().await;
    is_refused(&mut server, ENABLE_PUSH, 1, ErrorCode::PROTOCOL_ERROR).await;
}

async fn s6_5_2_values_at_the_edges_are_accepted(peer: &mut Peer) {
    peer.send(settings(&[(INITIAL_WINDOW_SIZE, 0x7fff_ffff), (INITIAL_WINDOW_SIZE, 0)])).await;
    peer.send(settings(&[(MAX_FRAME_SIZE, 16_384), (MAX_FRAME_SIZE, 0xff_ffff)])).await;
    peer.send(settings(&[(MAX_CONCURRENT_STREAMS, 0), (MAX_CONCURRENT_STREAMS, u32::MAX)])).await;
    peer.send(settings(&[(1, 0), (1, u32::MAX), (MAX_HEADER_LIST_SIZE, u32::MAX)])).await;
    peer.expect_ping_ack().await;
}
on_both_sides!(s6_5_2_values_at_the_edges_are_accepted);

/// The settings in a frame.
fn values(frame: &Frame) -> Vec<(u16, u32)> {
    let number = |octets: &[u8]| octets.iter().fold(0, |number, octet| number << 8 | u32::from(*octet));
    frame.payload.chunks_exact(6).map(|entry| (number(&entry[..2]) as u16, number(&entry[2..]))).collect()
}

#[tokio::test]
async fn s6_5_2_our_own_values_are_allowed() {
    let mut client = Client::open(millpond::Server::builder()).await;
    client.send(PREFACE).await;
    let server = values(&client.next().await.unwrap());
    let mut server_side = Server::open(Config::builder()).await;
    server_side.octets(24).await;
    let client = values(&server_side.next().await.unwrap());
    // A server says 0 or nothing of push; our client says 0.
    assert!(!server.contains(&(ENABLE_PUSH, 1)));
    assert!(client.contains(&(ENABLE_PUSH, 0)));
    for (id, value) in server.into_iter().chain(client) {
        match id {
            INITIAL_WINDOW_SIZE => assert!(value <= 0x7fff_ffff),
            MAX_FRAME_SIZE => assert!((16_384..=0xff_ffff).contains(&value)),
            ENABLE_PUSH | 8 | 9 => assert!(value <= 1),
            _ => {}
        }
    }
}

async fn s6_5_3_settings_are_acknowledged_at_once(peer: &mut Peer) {
    for _ in 0..3 {
        peer.send(settings(&[(ENABLE_PUSH, 0), (MAX_CONCURRENT_STREAMS, 100)])).await;
        loop {
            let frame = peer.next().await.unwrap();
            if frame.kind == SETTINGS {
                assert_eq!((frame.flags, frame.stream, frame.payload.len()), (ACK, 0, 0));
                break;
            }
        }
    }
}
on_both_sides!(s6_5_3_settings_are_acknowledged_at_once);

async fn s6_5_3_each_settings_has_an_acknowledgement_of_its_own(peer: &mut Peer) {
    peer.send([settings(&[]), settings(&[]), settings(&[])].concat()).await;
    let mut acks = 0;
    peer.send(crate::wire::ping(b"the last")).await;
    loop {
        let frame = peer.next().await.unwrap();
        match frame.kind {
            SETTINGS => acks += u32::from(frame.flags == ACK),
            crate::wire::PING => break,
            _ => {}
        }
    }
    assert_eq!(acks, 3);
}
on_both_sides!(s6_5_3_each_settings_has_an_acknowledgement_of_its_own);

#[tokio::test]
async fn s6_5_3_values_are_processed_in_order() {
    let mut client = Client::connect().await;
    client.send(settings(&[(INITIAL_WINDOW_SIZE, 100), (INITIAL_WINDOW_SIZE, 1)])).await;
    client.send(headers(1, END, &request("GET", "/", &[]))).await;
    client.expect(HEADERS, 1).await;
    let first = client.expect(DATA, 1).await;
    assert_eq!((first.payload.len(), first.flags), (1, 0));
}

#[tokio::test]
async fn s6_5_3_values_hold_before_the_acknowledgement_is_sent() {
    let mut client = Client::connect().await;
    client
        .send([settings(&[(INITIAL_WINDOW_SIZE, 3)]), headers(1, END, &request("GET", "/", &[]))].concat())
        .await;
    client.expect(HEADERS, 1).await;
    assert_eq!(client.expect(DATA, 1).await.payload.len(), 3);
}

async fn s6_5_3_acknowledgement_of_nothing_is_ignored(peer: &mut Peer) {
    peer.send(settings_ack()).await;
    peer.expect_ping_ack().await;
}
on_both_sides!(s6_5_3_acknowledgement_of_nothing_is_ignored);

#[tokio::test]
async fn s6_5_3_server_without_an_acknowledgement_ends_with_settings_timeout() {
    let server = millpond::Server::builder().settings_timeout(Some(Duration::from_millis(100)));
    let mut client = Client::open(server).await;
    client.send([PREFACE, &settings(&[])].concat()).await;
    client.expect_connection_error(ErrorCode::SETTINGS_TIMEOUT).await;
}

#[tokio::test]
async fn s6_5_3_client_without_an_acknowledgement_ends_with_settings_timeout() {
    let config = Config::builder().settings_timeout(Some(Duration::from_millis(100)));
    let mut server = Server::open(config).await;
    server.octets(24).await;
    server.send(settings(&[])).await;
    server.expect_connection_error(ErrorCode::SETTINGS_TIMEOUT).await;
}

#[tokio::test]
async fn s6_5_3_our_window_holds_only_once_it_is_acknowledged() {
    // We announce a window of 10 octets. Until we know that the client knows, it may send 65,535.
    let mut client = Client::open(millpond::Server::builder().initial_stream_window_size(10)).await;
    client.send([PREFACE, &settings(&[])].concat()).await;
    client.send([headers(1, 0, &request("POST", "/wait", &[])), data(1, 0, &[0; 1_000])].concat()).await;
    client.expect_ping_ack().await;
    client.send([settings_ack(), data(1, 0, &[0; 1])].concat()).await;
    client.expect_stream_error(1, ErrorCode::FLOW_CONTROL_ERROR).await;
}

#[tokio::test]
async fn s6_5_3_client_takes_new_values_between_requests() {
    let mut server = Server::accept().await;
    server.send(settings(&[(INITIAL_WINDOW_SIZE, 2)])).await;
    server.expect_ping_ack().await;
    let call = server.call(http::Request::post("http://pond.example/").body(()).unwrap(), Some(b"body"));
    server.expect(HEADERS, 1).await;
    assert_eq!(server.expect(DATA, 1).await.payload, b"bo");
    server.send(window_update(1, 2)).await;
    assert_eq!(server.expect(DATA, 1).await.payload, b"dy");
    server.send(headers(1, END, OK)).await;
    call.reply().await.unwrap();
}
