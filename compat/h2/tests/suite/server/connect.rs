//! CONNECT (RFC 9113 §8.5) and extended CONNECT (RFC 8441).

use super::super::super::h2::{ext::Protocol, server::Builder};
use super::*;

/// A server that offers the extension.
async fn extended_server() -> (Requests, Ending, Peer) {
    let mut builder = Builder::new();
    builder.enable_connect_protocol();
    server_with(&builder, &[]).await
}

/// CONNECT for a websocket.
fn websocket(stream: u32) -> Frame {
    request(stream, "CONNECT", "https://example.com/chat").field(":protocol", "websocket")
}

#[tokio::test]
async fn a_tunnel_has_an_authority_only() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(headers(1).field(":method", "CONNECT").field(":authority", "localhost:80").end_stream());
    let (request, mut respond) = accepted(&mut requests).await;
    assert_eq!(request.method(), "CONNECT");
    assert_eq!(request.uri(), "localhost:80");
    assert_eq!(request.extensions().get::<Protocol>(), None);
    respond.send_response(status(200), true).unwrap();
    peer.expect(response(1, 200).end_stream()).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_tunnel_with_a_scheme_or_a_path_is_malformed() {
    let (requests, ending, mut peer) = extended_server().await;
    let tunnel = |stream| headers(stream).field(":method", "CONNECT").field(":authority", "localhost");
    peer.send(tunnel(1).field(":scheme", "https"));
    peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;
    peer.send(tunnel(3).field(":path", "/"));
    peer.expect(reset(3, Reason::PROTOCOL_ERROR)).await;
    assert!(requests.is_empty());
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_protocol_is_malformed_unless_the_server_offers_them() {
    let (requests, ending, mut peer) = server().await;
    peer.send(websocket(1));
    peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;
    assert!(requests.is_empty());
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_protocol_travels_in_the_extensions() {
    let (mut requests, ending, mut peer) = extended_server().await;
    peer.send(websocket(1));
    let (request, mut respond) = accepted(&mut requests).await;
    assert_eq!(request.method(), "CONNECT");
    assert_eq!(request.uri(), "https://example.com/chat");
    let protocol = request.extensions().get::<Protocol>().unwrap();
    assert_eq!(*protocol, Protocol::from_static("websocket"));
    assert_eq!(protocol.as_str(), "websocket");

    let mut send = respond.send_response(status(200), false).unwrap();
    peer.expect(response(1, 200)).await;
    peer.send(data(1, "to and").end_stream());
    assert_eq!(read_all(&mut request.into_body()).await.unwrap(), b"to and");
    send.send_data("fro".into(), true).unwrap();
    peer.expect(data(1, "fro").end_stream()).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_protocol_wants_connect_a_scheme_and_a_path() {
    let (requests, ending, mut peer) = extended_server().await;
    let connect = |stream| headers(stream).field(":method", "CONNECT").field(":protocol", "websocket");
    peer.send(request(1, "GET", "https://example.com/chat").field(":protocol", "websocket"));
    peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;
    peer.send(connect(3).field(":path", "/"));
    peer.expect(reset(3, Reason::PROTOCOL_ERROR)).await;
    peer.send(connect(5).field(":scheme", "https"));
    peer.expect(reset(5, Reason::PROTOCOL_ERROR)).await;
    assert!(requests.is_empty());
    farewell(peer, ending).await;
}

#[tokio::test]
async fn protocols_offered_later_hold_once_acknowledged() {
    let (mut connection, mut peer) = idle_server().await;
    peer.send(ping([1; 8]));
    connection.drive(peer.expect(pong([1; 8]))).await;
    connection.enable_connect_protocol().unwrap();
    connection.drive(peer.expect(settings(&[(ENABLE_CONNECT_PROTOCOL, 1)]))).await;
    peer.send(websocket(1));
    connection.drive(peer.expect(reset(1, Reason::PROTOCOL_ERROR))).await;
    peer.send(settings_ack());
    peer.send(websocket(3));
    let (request, _respond) = within("a request", connection.accept()).await.unwrap().unwrap();
    assert_eq!(request.body().stream_id().as_u32(), 3);
}
