//! PING and GOAWAY (RFC 9113 §6.7, §6.8).

use std::time::Duration;

use millpond::ErrorCode;

use crate::{
    wire::{
        ACK, END, END_STREAM, GOAWAY, OK, PING, Peer, data, frame, goaway, headers, ping, request,
        window_update,
    },
    world::{Client, Server, on_an_open_stream, on_both_sides},
};

async fn s6_7_ping_is_answered_with_its_payload(peer: &mut Peer) {
    peer.send([ping(b"\0\x01\x02\xff\xfe\xfd h"), ping(&[0; 8])].concat()).await;
    for payload in [b"\0\x01\x02\xff\xfe\xfd h", &[0; 8]] {
        let answer = peer.expect(PING, 0).await;
        assert_eq!((answer.flags, answer.payload.as_slice()), (ACK, payload.as_slice()));
    }
}
on_both_sides!(s6_7_ping_is_answered_with_its_payload);

async fn s6_7_ping_ack_is_not_answered(peer: &mut Peer) {
    peer.send(frame(PING, ACK, 0, b"no reply")).await;
    peer.expect_ping_ack().await;
}
on_both_sides!(s6_7_ping_ack_is_not_answered);

async fn s6_7_ping_on_a_stream_is_protocol_error(peer: &mut Peer) {
    peer.send(frame(PING, 0, 1, &[0; 8])).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_7_ping_on_a_stream_is_protocol_error);

async fn s6_7_ping_ack_on_a_stream_is_protocol_error(peer: &mut Peer) {
    peer.send(frame(PING, ACK, 1, &[0; 8])).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_7_ping_ack_on_a_stream_is_protocol_error);

async fn s6_7_ping_of_six_octets_is_frame_size_error(peer: &mut Peer) {
    peer.send(frame(PING, 0, 0, &[0; 6])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_both_sides!(s6_7_ping_of_six_octets_is_frame_size_error);

async fn s6_7_ping_of_nine_octets_is_frame_size_error(peer: &mut Peer) {
    peer.send(frame(PING, 0, 0, &[0; 9])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_both_sides!(s6_7_ping_of_nine_octets_is_frame_size_error);

async fn s6_7_empty_ping_ack_is_frame_size_error(peer: &mut Peer) {
    peer.send(frame(PING, ACK, 0, &[])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_both_sides!(s6_7_empty_ping_ack_is_frame_size_error);

async fn s6_8_goaway_on_a_stream_is_protocol_error(peer: &mut Peer) {
    peer.send(frame(GOAWAY, 0, 1, &[0; 8])).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_8_goaway_on_a_stream_is_protocol_error);

async fn s6_8_goaway_of_seven_octets_is_frame_size_error(peer: &mut Peer) {
    peer.send(frame(GOAWAY, 0, 0, &[0; 7])).await;
    peer.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
}
on_both_sides!(s6_8_goaway_of_seven_octets_is_frame_size_error);

async fn s6_8_identifier_must_not_increase(peer: &mut Peer) {
    peer.send([goaway(1, ErrorCode::NO_ERROR), goaway(3, ErrorCode::NO_ERROR)].concat()).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_an_open_stream!(s6_8_identifier_must_not_increase);

#[tokio::test]
async fn s6_8_goaway_with_debug_data_is_accepted() {
    let mut client = Client::connect().await;
    client
        .send(
            [
                goaway(0, ErrorCode::NO_ERROR),
                frame(GOAWAY, 0, 0, &[&[0; 8], [b'd'; 16_376].as_slice()].concat()),
            ]
            .concat(),
        )
        .await;
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s6_8_server_goes_on_after_the_goaway_of_a_client() {
    // It speaks of streams that the server would open: of none.
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("POST", "/", &[]))).await;
    client.send([goaway(0, ErrorCode::NO_ERROR), data(1, END_STREAM, b"body")].concat()).await;
    assert_eq!(client.expect_message(1).await.body, b"body");
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s6_8_streams_up_to_the_last_one_are_finished_and_higher_ones_were_not_processed() {
    let mut server = Server::accept().await;
    let (first, second) = (server.get(), server.get());
    server.expect_message(1).await;
    server.expect_message(3).await;
    server.send(goaway(1, ErrorCode::NO_ERROR)).await;
    assert!(second.reply().await.unwrap_err().is_unprocessed());
    server.send([headers(1, 0, OK), data(1, END_STREAM, b"body")].concat()).await;
    assert_eq!(first.reply().await.unwrap().body, b"body");
    server.expect_end().await;
    server.outcome().await.unwrap();
}

#[tokio::test]
async fn s6_8_client_opens_no_stream_after_goaway() {
    let mut server = Server::accept().await;
    let first = server.get();
    server.expect_message(1).await;
    server.send(goaway(0x7fff_ffff, ErrorCode::NO_ERROR)).await;
    server.expect_ping_ack().await;
    let request = http::Request::get("http://pond.example/").body(()).unwrap();
    match server.sender().send_request(request, true) {
        Err(error) => assert!(error.is_unprocessed()),
        Ok((response, _)) => assert!(response.await.unwrap_err().is_unprocessed()),
    }
    server.expect_ping_ack().await;
    server.send(headers(1, END, OK)).await;
    first.reply().await.unwrap();
    server.expect_end().await;
}

#[tokio::test]
async fn s6_8_graceful_shutdown_names_the_highest_stream_then_the_real_one() {
    let mut client =
        Client::connect_to(millpond::Server::builder().max_connection_age(Duration::from_millis(100)), &[])
            .await;
    client.send(headers(1, 0, &request("POST", "/", &[]))).await;
    assert_eq!(client.expect_goaway(ErrorCode::NO_ERROR).await, 0x7fff_ffff);
    let probe = client.expect(PING, 0).await;
    // This one crossed the first GOAWAY.
    client
        .send([headers(3, END, &request("GET", "/", &[])), frame(PING, ACK, 0, &probe.payload)].concat())
        .await;
    let mut answer = None;
    loop {
        let frame = client.next_of_note().await.unwrap();
        match frame.kind {
            GOAWAY => {
                assert_eq!(
                    (frame.code(), &frame.payload[..4]),
                    (ErrorCode::NO_ERROR, [0, 0, 0, 3].as_slice())
                );
                break;
            }
            _ => answer = Some(frame.stream),
        }
    }
    if answer.is_none() {
        client.expect_message(3).await;
    }
    // This one did not: nothing is said of it, but its field is in the table, where the trailers of stream 1 find it.
    let indexed = b"\x40\x03x-a\x01b";
    client.send(headers(5, 0, &[&request("POST", "/", &[]), indexed.as_slice()].concat())).await;
    client.send([window_update(5, 1), data(5, 0, b"late"), data(1, 0, b"body")].concat()).await;
    client.send(headers(1, END, &[0x80 | 62])).await;
    let message = client.expect_message(1).await;
    assert_eq!(message.trailers.unwrap(), [("x-a".to_owned(), "b".to_owned())]);
    client.expect_end().await;
    assert_eq!(client.seen(), ["POST /", "GET /"]);
}

#[tokio::test]
async fn s6_8_client_that_lets_go_says_goaway_and_closes() {
    let mut server = Server::accept().await;
    server.let_go();
    server.expect_connection_error(ErrorCode::NO_ERROR).await;
    server.outcome().await.unwrap();
}
