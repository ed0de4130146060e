//! Servers that answer what nobody asked (RFC 9113 §5.1, §5.4).

use super::{
    super::{super::h2::Reason, endpoint::*},
    URI,
};
use crate::mock::*;

const PROTOCOL_ERROR: &str = "connection error detected: unspecific protocol error detected";

/// The server says this after the greetings: a connection error of type PROTOCOL_ERROR.
async fn is_a_connection_error(frame: Frame) {
    let (_client, connection, mut peer) = client().await;
    peer.send(frame);
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    peer.expect_end().await;
    let error = ended(connection).await.unwrap_err();
    assert_eq!(error.to_string(), PROTOCOL_ERROR);
    assert!(error.is_go_away() && error.is_library() && !error.is_remote() && !error.is_io());
}

#[tokio::test]
async fn headers_on_an_idle_stream() {
    is_a_connection_error(headers(1)).await;
    is_a_connection_error(response(1, 200).end_stream()).await;
    is_a_connection_error(response(5, 200)).await;
}

#[tokio::test]
async fn headers_on_a_stream_of_the_server() {
    is_a_connection_error(headers(2)).await;
    is_a_connection_error(response(2, 200).end_stream()).await;
}

#[tokio::test]
async fn data_reset_and_window_update_on_an_idle_stream() {
    for stream in [1, 2] {
        is_a_connection_error(data(stream, "hello")).await;
        is_a_connection_error(reset(stream, Reason::CANCEL)).await;
        is_a_connection_error(window_update(stream, 1)).await;
    }
}

#[tokio::test]
async fn a_response_on_a_stream_of_the_server_fails_all_requests() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(response(2, 200).end_stream());
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    assert_eq!(ended(connection).await.unwrap_err().to_string(), PROTOCOL_ERROR);
    assert_eq!(within("the response", answer).await.unwrap_err().to_string(), PROTOCOL_ERROR);
}

#[tokio::test]
async fn a_response_on_the_connection_itself() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(response(1, 200).end_stream());
    within("the response", answer).await.unwrap();
    peer.send(response(0, 200).end_stream());
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    ended(connection).await.unwrap_err();
    assert_eq!(client.send_request(get(URI), true).unwrap_err().to_string(), PROTOCOL_ERROR);
    let error = within("the handle", client.ready()).await.unwrap_err();
    assert_eq!(error.to_string(), PROTOCOL_ERROR);
}

#[tokio::test]
async fn a_second_response_finds_the_stream_closed() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, upload) = client.send_request(get(URI), true).unwrap();
    drop(upload);
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(response(1, 200).end_stream());
    drop(within("the response", answer).await.unwrap());
    turns().await;
    peer.send(response(1, 200));
    peer.expect(reset(1, Reason::STREAM_CLOSED)).await;
    // That is said once.
    peer.send(response(1, 200));
    peer.idle().await;
    peer.close();
    ended(connection).await.unwrap();
}

#[tokio::test]
async fn data_after_all_is_said_finds_the_stream_closed() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, upload) = client.send_request(get(URI), true).unwrap();
    drop(upload);
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(response(1, 200).end_stream());
    drop(within("the response", answer).await.unwrap());
    turns().await;
    // Nobody will read it, so its credit comes back.
    peer.send(data(1, vec![0; 16_384]));
    peer.expect(reset(1, Reason::STREAM_CLOSED)).await;
    peer.send(data(1, vec![0; 16_384]));
    peer.expect(window_update(0, 32_768)).await;
    peer.idle().await;
    // A reset or credit for a stream of the past is no news.
    peer.send(reset(1, Reason::CANCEL));
    peer.send(window_update(1, 1));
    peer.idle().await;
}

#[tokio::test]
async fn an_acknowledgement_of_settings_never_sent() {
    is_a_connection_error(settings_ack()).await;
}

#[tokio::test]
async fn a_pong_without_a_ping_is_ignored() {
    let (_client, _connection, mut peer) = client().await;
    peer.send(pong([3; 8]));
    peer.idle().await;
}
