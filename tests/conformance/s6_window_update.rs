//! WINDOW_UPDATE and flow control (RFC 9113 §5.2, §6.9).

use http::Request;
use millpond::{Config, ErrorCode};

use crate::{
    wire::{
        DATA, END, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE, OK, Peer, WINDOW_UPDATE, data, frame, headers,
        request, settings, window_update,
    },
    world::{Client, Server, on_an_open_stream, on_both_sides},
};

async fn s6_9_zero_on_the_connection_is_protocol_error(peer: &mut Peer) {
    peer.send(window_update(0, 0)).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_9_zero_on_the_connection_is_protocol_error);

async fn s6_9_zero_on_a_stream_is_a_stream_error(peer: &mut Peer) {
    peer.send(window_update(1, 0)).await;
    peer.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
}
on_an_open_stream!(s6_9_zero_on_a_stream_is_a_stream_error);

#[tokio::test]
async fn s6_9_zero_on_a_closed_stream_is_a_stream_error() {
    let mut client = Client::connect().await;
    client.send(headers(1, END, &request("GET", "/", &[]))).await;
    client.expect_message(1).await;
    client.send(window_update(1, 0)).await;
    client.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
}

async fn s6_9_zero_with_the_reserved_bit_is_zero(peer: &mut Peer) {
    peer.send(window_update(0, 0x8000_0000)).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_9_zero_with_the_reserved_bit_is_zero);

async fn s6_9_three_octets_are_frame_size_error(peer: &mut Peer) {
    peer.send(frame(WINDOW_UPDATE, 0, 0, &[0, 0, 1])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_both_sides!(s6_9_three_octets_are_frame_size_error);

async fn s6_9_five_octets_on_a_stream_are_frame_size_error(peer: &mut Peer) {
    peer.send(frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1, 0])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_an_open_stream!(s6_9_five_octets_on_a_stream_are_frame_size_error);

async fn s6_9_1_window_of_the_connection_above_the_maximum_is_flow_control_error(peer: &mut Peer) {
    peer.send([window_update(0, 0x7fff_ffff), window_update(0, 0x7fff_ffff)].concat()).await;
    peer.expect_connection_error(ErrorCode::FLOW_CONTROL_ERROR).await;
}
on_both_sides!(s6_9_1_window_of_the_connection_above_the_maximum_is_flow_control_error);

async fn s6_9_1_window_of_a_stream_above_the_maximum_is_a_stream_error(peer: &mut Peer) {
    peer.send([window_update(1, 0x7fff_ffff), window_update(1, 0x7fff_ffff)].concat()).await;
    peer.expect_stream_error(1, ErrorCode::FLOW_CONTROL_ERROR).await;
}
on_an_open_stream!(s6_9_1_window_of_a_stream_above_the_maximum_is_a_stream_error);

async fn s6_9_1_windows_may_reach_the_maximum(peer: &mut Peer) {
    peer.send([window_update(0, 0x7fff_ffff - 65_535), window_update(1, 0x7fff_ffff - 65_535)].concat())
        .await;
    peer.expect_ping_ack().await;
    peer.send(window_update(1, 1)).await;
    peer.expect_stream_error(1, ErrorCode::FLOW_CONTROL_ERROR).await;
    peer.send(window_update(0, 1)).await;
    peer.expect_connection_error(ErrorCode::FLOW_CONTROL_ERROR).await;
}
on_an_open_stream!(s6_9_1_windows_may_reach_the_maximum);

#[tokio::test]
async fn s6_9_1_server_keeps_to_the_window_of_a_stream() {
    let mut client = Client::connect_to(millpond::Server::builder(), &[(INITIAL_WINDOW_SIZE, 1)]).await;
    client.send(headers(1, END, &request("GET", "/", &[]))).await;
    client.expect(HEADERS, 1).await;
    let first = client.expect(DATA, 1).await;
    assert_eq!((first.payload.as_slice(), first.flags), (b"h".as_slice(), 0));
    client.expect_ping_ack().await;
    client.send(window_update(1, 3)).await;
    assert_eq!(client.expect(DATA, 1).await.payload, b"ell");
    client.expect_ping_ack().await;
    client.send(window_update(1, 1)).await;
    let last = client.expect(DATA, 1).await;
    assert_eq!(last.payload, b"o");
    // §6.9.1: END_STREAM needs no window.
    if last.flags & END_STREAM == 0 {
        let end = client.expect(DATA, 1).await;
        assert_eq!((end.payload.len(), end.flags), (0, END_STREAM));
    }
}

/// Reads so many octets of DATA on this stream, each frame of which may have up to 16,384.
async fn read(peer: &mut Peer, stream: u32, octets: usize) {
    let mut left = octets;
    while left > 0 {
        left -= peer.expect(DATA, stream).await.payload.len();
    }
}

#[tokio::test]
async fn s6_9_1_server_keeps_to_the_window_of_the_connection() {
    let server = millpond::Server::builder();
    let mut client = Client::connect_to(server, &[(INITIAL_WINDOW_SIZE, 0x7fff_ffff)]).await;
    client.send(headers(1, END, &request("GET", "/octets/65536", &[]))).await;
    client.expect(HEADERS, 1).await;
    read(&mut client, 1, 65_535).await;
    client.expect_ping_ack().await;
    // Neither a window of the stream nor SETTINGS (§6.9.2) change that of the connection.
    client.send(settings(&[(INITIAL_WINDOW_SIZE, 0x7fff_fff0)])).await;
    client.expect_ping_ack().await;
    client.send(window_update(0, 1)).await;
    assert_eq!(client.expect(DATA, 1).await.payload.len(), 1);
}

#[tokio::test]
async fn s6_9_1_client_keeps_to_both_windows() {
    let mut server = Server::accept_from(Config::builder(), &[(INITIAL_WINDOW_SIZE, 10)]).await;
    let _call = server.call(Request::post("http://pond.example/").body(()).unwrap(), Some(&[0; 100_000]));
    server.expect(HEADERS, 1).await;
    read(&mut server, 1, 10).await;
    server.expect_ping_ack().await;
    server.send(window_update(1, 0x7fff_0000)).await;
    read(&mut server, 1, 65_525).await;
    server.expect_ping_ack().await;
    server.send(window_update(0, 100_000)).await;
    read(&mut server, 1, 100_000 - 65_535).await;
}

#[tokio::test]
async fn s6_9_1_messages_without_content_need_no_window() {
    let mut client = Client::connect_to(millpond::Server::builder(), &[(INITIAL_WINDOW_SIZE, 0)]).await;
    client.send(headers(1, END, &request("POST", "/", &[]))).await;
    assert_eq!(client.expect_message(1).await.body, b"");
}

async fn exceed_the_window(peer: &mut Peer) {
    // Our window is 1 MiB, for the test has acknowledged it, and nobody reads.
    for _ in 0..64 {
        peer.send(data(1, 0, &[0; 16_384])).await;
    }
    peer.expect_ping_ack().await;
    peer.send(data(1, 0, &[0; 1])).await;
    peer.expect_stream_error(1, ErrorCode::FLOW_CONTROL_ERROR).await;
}

#[tokio::test]
async fn s6_9_1_data_beyond_the_window_of_a_stream_is_a_stream_error() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("POST", "/wait", &[]))).await;
    exceed_the_window(&mut client).await;
    let mut server = Server::accept().await;
    let request = Request::get("http://pond.example/").body(()).unwrap();
    let (response, _) = server.sender().send_request(request, true).unwrap();
    server.expect_message(1).await;
    server.send(headers(1, 0, OK)).await;
    let _unread = response.await.unwrap();
    exceed_the_window(&mut server).await;
}

#[tokio::test]
async fn s6_9_1_data_beyond_the_window_of_the_connection_is_flow_control_error() {
    let server = millpond::Server::builder().initial_connection_window_size(65_535).max_unread(0);
    let mut client = Client::connect_to(server, &[]).await;
    client.send(headers(1, 0, &request("POST", "/wait", &[]))).await;
    for _ in 0..3 {
        client.send(data(1, 0, &[0; 16_384])).await;
    }
    client.send(data(1, 0, &[0; 16_383])).await;
    client.expect_ping_ack().await;
    client.send(data(1, 0, &[0; 1])).await;
    client.expect_connection_error(ErrorCode::FLOW_CONTROL_ERROR).await;
}

#[tokio::test]
async fn s6_9_1_what_is_read_is_given_back() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("POST", "/sink", &[]))).await;
    let (mut connection, mut stream) = (2 << 20, 1 << 20);
    for _ in 0..300 {
        while connection < 16_384 || stream < 16_384 {
            let frame = client.next().await.expect("a WINDOW_UPDATE");
            if frame.kind == WINDOW_UPDATE {
                let grown = u32::from_be_bytes(frame.payload.try_into().unwrap());
                *if frame.stream == 0 { &mut connection } else { &mut stream } += grown;
            }
        }
        client.send(data(1, 0, &[0; 16_384])).await;
        connection -= 16_384;
        stream -= 16_384;
    }
    client.send(data(1, END_STREAM, b"")).await;
    assert_eq!(client.expect_message(1).await.body, (300 * 16_384).to_string().as_bytes());
}

#[tokio::test]
async fn s6_9_2_larger_initial_window_opens_streams_that_wait() {
    let mut client = Client::connect_to(millpond::Server::builder(), &[(INITIAL_WINDOW_SIZE, 0)]).await;
    client.send(headers(1, END, &request("GET", "/", &[]))).await;
    client.expect(HEADERS, 1).await;
    client.expect_ping_ack().await;
    client.send(settings(&[(INITIAL_WINDOW_SIZE, 1)])).await;
    assert_eq!(client.expect(DATA, 1).await.payload, b"h");
    client.send(settings(&[(INITIAL_WINDOW_SIZE, 3)])).await;
    assert_eq!(client.expect(DATA, 1).await.payload, b"el");
}

#[tokio::test]
async fn s6_9_2_window_may_become_negative() {
    let mut client = Client::connect_to(millpond::Server::builder(), &[(INITIAL_WINDOW_SIZE, 3)]).await;
    client.send(headers(1, END, &request("GET", "/", &[]))).await;
    client.expect(HEADERS, 1).await;
    assert_eq!(client.expect(DATA, 1).await.payload, b"hel");
    // 3 were sent, 2 are allowed: the window is -1.
    client.send(settings(&[(INITIAL_WINDOW_SIZE, 2)])).await;
    client.expect_ping_ack().await;
    client.send(window_update(1, 1)).await;
    client.expect_ping_ack().await;
    client.send(window_update(1, 1)).await;
    assert_eq!(client.expect(DATA, 1).await.payload, b"l");
}

#[tokio::test]
async fn s6_9_2_window_of_a_client_may_become_negative() {
    let mut server = Server::accept_from(Config::builder(), &[(INITIAL_WINDOW_SIZE, 3)]).await;
    let _call = server.call(Request::post("http://pond.example/").body(()).unwrap(), Some(b"hello"));
    server.expect(HEADERS, 1).await;
    assert_eq!(server.expect(DATA, 1).await.payload, b"hel");
    server.send([settings(&[(INITIAL_WINDOW_SIZE, 0)]), window_update(1, 3)].concat()).await;
    server.expect_ping_ack().await;
    server.send(window_update(1, 1)).await;
    assert_eq!(server.expect(DATA, 1).await.payload, b"l");
}

async fn s6_9_2_settings_that_overflow_a_window_are_flow_control_error(peer: &mut Peer) {
    peer.send([window_update(1, 1), settings(&[(INITIAL_WINDOW_SIZE, 0x7fff_ffff)])].concat()).await;
    peer.expect_connection_error(ErrorCode::FLOW_CONTROL_ERROR).await;
}
on_an_open_stream!(s6_9_2_settings_that_overflow_a_window_are_flow_control_error);
