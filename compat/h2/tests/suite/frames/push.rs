//! Server push, where it is not allowed (RFC 9113 §6.6, §8.4).

use super::super::{
    super::h2::{Reason, client},
    endpoint::*,
};
use crate::mock::*;

const URI: &str = "https://example.com/";
const PROTOCOL_ERROR: &str = "connection error detected: unspecific protocol error detected";

async fn client_without_push() -> (SendRequest, Ending, Peer) {
    let mut builder = client::Builder::new();
    builder.enable_push(false);
    client_with(&builder, &[]).await
}

#[tokio::test]
async fn a_client_says_that_it_wants_none() {
    let (io, mut peer) = pipe();
    let mut builder = client::Builder::new();
    builder.enable_push(false);
    let (_client, connection): (SendRequest, ClientConnection) = builder.handshake(io).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(peer.be_server(&[]).await, [(ENABLE_PUSH, 0)]);
}

#[tokio::test]
async fn a_promise_is_a_connection_error() {
    for promised in [2, 3, 100] {
        let (mut client, connection, mut peer) = client_without_push().await;
        let (answer, _) = client.send_request(get(URI), true).unwrap();
        peer.expect(request(1, "GET", URI).end_stream()).await;
        peer.send(push_promise(1, promised).target("GET", "https://example.com/style.css"));
        peer.send(response(1, 200).end_stream());
        peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
        peer.expect_end().await;
        assert_eq!(within("the response", answer).await.unwrap_err().to_string(), PROTOCOL_ERROR);
        assert_eq!(ended(connection).await.unwrap_err().to_string(), PROTOCOL_ERROR);
    }
}

#[tokio::test]
async fn a_promise_on_an_idle_stream_is_a_connection_error() {
    let (_client, connection, mut peer) = client_without_push().await;
    peer.send(push_promise(1, 2).target("GET", URI));
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    assert_eq!(ended(connection).await.unwrap_err().to_string(), PROTOCOL_ERROR);
}

#[tokio::test]
async fn a_response_nobody_was_promised_is_a_connection_error() {
    let (_client, connection, mut peer) = client_without_push().await;
    peer.send(response(2, 200).end_stream());
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    assert_eq!(ended(connection).await.unwrap_err().to_string(), PROTOCOL_ERROR);
}

#[tokio::test]
async fn a_client_makes_no_promises() {
    let (mut requests, connection, mut peer) = server().await;
    peer.send(request(1, "POST", URI));
    let _request = accepted(&mut requests).await;
    peer.send(push_promise(1, 2).target("GET", URI));
    peer.expect(goaway(1, Reason::PROTOCOL_ERROR)).await;
    peer.expect_end().await;
    assert_eq!(ended(connection).await.unwrap_err().to_string(), PROTOCOL_ERROR);
}
