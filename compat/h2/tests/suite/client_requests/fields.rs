//! What a request becomes in HEADERS (RFC 9113 §8.2.2, §8.3.1, §8.5; RFC 8441 §4).

use http::{Method, Request, Uri, Version, uri};

use super::{
    super::{
        super::h2::{Reason, client, ext::Protocol},
        endpoint::*,
    },
    URI,
};
use crate::mock::*;

/// The HEADERS that a request becomes.
async fn sent(request: Request<()>) -> Frame {
    let (mut client, _connection, mut peer) = client().await;
    let _response = client.send_request(request, true).unwrap();
    peer.next().await.unwrap()
}

#[tokio::test]
async fn an_empty_path_is_a_slash() {
    let expected = request(1, "GET", "http://example.com/").end_stream();
    assert_eq!(sent(get("http://example.com")).await.canonical(), expected.canonical());
}

#[tokio::test]
async fn a_query_is_a_part_of_the_path() {
    let expected = headers(1)
        .field(":method", "GET")
        .field(":scheme", "http")
        .field(":authority", "example.com:8080")
        .field(":path", "/a?b=c")
        .end_stream();
    assert_eq!(sent(get("http://example.com:8080/a?b=c")).await.canonical(), expected.canonical());
}

#[tokio::test]
async fn options_may_be_about_the_whole_server() {
    let mut parts = uri::Parts::default();
    parts.scheme = Some(uri::Scheme::HTTP);
    parts.authority = Some(uri::Authority::from_static("example.com"));
    parts.path_and_query = Some(uri::PathAndQuery::from_static("*"));
    let whole_server = Uri::from_parts(parts).unwrap();
    let request = Request::options(whole_server).body(()).unwrap();
    let expected = headers(1)
        .field(":method", "OPTIONS")
        .field(":scheme", "http")
        .field(":authority", "example.com")
        .field(":path", "*")
        .end_stream();
    assert_eq!(sent(request).await.canonical(), expected.canonical());
}

#[tokio::test]
async fn fields_keep_their_values_and_the_order_of_values() {
    let request = Request::get(URI)
        .header("cookie", "a=b")
        .header("accept", "text/plain")
        .header("accept", "text/html")
        .header("te", "trailers")
        .header("empty", "")
        .body(())
        .unwrap();
    let expected = crate::mock::request(1, "GET", URI)
        .field("cookie", "a=b")
        .field("accept", "text/plain")
        .field("accept", "text/html")
        .field("te", "trailers")
        .field("empty", "")
        .end_stream();
    assert_eq!(sent(request).await.canonical(), expected.canonical());
}

#[tokio::test]
async fn a_request_of_http_1_needs_no_more_than_a_path() {
    let request = Request::builder().uri("/").version(Version::HTTP_11).body(()).unwrap();
    let expected =
        headers(1).field(":method", "GET").field(":scheme", "http").field(":path", "/").end_stream();
    assert_eq!(sent(request).await.canonical(), expected.canonical());
}

#[tokio::test]
async fn a_request_of_http_2_needs_scheme_and_authority() {
    let (mut client, connection, mut peer) = client().await;
    let request = Request::builder().uri("/").version(Version::HTTP_2).body(()).unwrap();
    let error = client.send_request(request, true).unwrap_err();
    assert_eq!(error.to_string(), "user error: request URI missing scheme and authority");
    peer.idle().await;
    drop(client);
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    ended(connection).await.unwrap();
}

#[tokio::test]
async fn connect_has_neither_scheme_nor_path() {
    for uri in ["https://tunnel.example.com:8443/", "tunnel.example.com:8443"] {
        let request = Request::connect(uri).version(Version::HTTP_2).body(()).unwrap();
        let expected = headers(1)
            .field(":method", "CONNECT")
            .field(":authority", "tunnel.example.com:8443")
            .end_stream();
        assert_eq!(sent(request).await.canonical(), expected.canonical());
    }
}

#[tokio::test]
async fn fields_of_a_connection_are_refused() {
    let (mut client, connection, mut peer) = client().await;
    let illegal = [
        ("connection", "close"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
    ];
    for (name, value) in illegal {
        let request = Request::get(URI).header(name, value).body(()).unwrap();
        let error = client.send_request(request, true).expect_err(name);
        assert_eq!(error.to_string(), "user error: malformed headers");
        assert_eq!(error.reason(), None);
    }
    peer.idle().await;
    drop(client);
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    ended(connection).await.unwrap();
}

#[tokio::test]
async fn a_refused_request_leaves_the_connection_usable() {
    let (mut client, _connection, mut peer) = client().await;
    let request = Request::get(URI).header("connection", "close").body(()).unwrap();
    client.send_request(request, true).unwrap_err();
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    // Its identifier is spent.
    peer.expect(crate::mock::request(3, "GET", URI).end_stream()).await;
    peer.send(response(3, 200).end_stream());
    within("the response", answer).await.unwrap();
}

#[tokio::test]
async fn extended_connect_is_off_until_the_server_allows_it() {
    let (client, _connection, _peer) = client().await;
    assert!(!client.is_extended_connect_protocol_enabled());
}

#[tokio::test]
async fn extended_connect_is_on_when_the_server_allows_it() {
    let allowed = [(ENABLE_CONNECT_PROTOCOL, 1)];
    let (client, _connection, _peer) = client_with(&client::Builder::new(), &allowed).await;
    assert!(client.is_extended_connect_protocol_enabled());
}

#[tokio::test]
async fn extended_connect_carries_its_protocol() {
    let allowed = [(ENABLE_CONNECT_PROTOCOL, 1)];
    let (mut client, _connection, mut peer) = client_with(&client::Builder::new(), &allowed).await;
    let request = Request::connect("http://bread/baguette")
        .extension(Protocol::from("the-bread-protocol"))
        .body(())
        .unwrap();
    let (answer, mut body) = client.send_request(request, false).unwrap();
    let expected = headers(1)
        .field(":method", "CONNECT")
        .field(":scheme", "http")
        .field(":authority", "bread")
        .field(":path", "/baguette")
        .field(":protocol", "the-bread-protocol");
    peer.expect(expected).await;
    peer.send(response(1, 200));
    let answer = within("the response", answer).await.unwrap();
    assert!(!answer.body().is_end_stream());
    body.send_data("crumbs".into(), true).unwrap();
    peer.expect(data(1, "crumbs").end_stream()).await;
}

#[tokio::test]
async fn other_extensions_are_of_no_concern() {
    let request = Request::builder().method(Method::GET).uri(URI).extension("a note").body(()).unwrap();
    let expected = crate::mock::request(1, "GET", URI).end_stream();
    assert_eq!(sent(request).await.canonical(), expected.canonical());
}

#[tokio::test]
async fn a_setting_of_extended_connect_is_zero_or_one() {
    let (io, mut peer) = pipe();
    let (mut client, connection) = client::handshake(io).await.unwrap();
    let connection = tokio::spawn(connection);
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.send(settings(&[(ENABLE_CONNECT_PROTOCOL, 2)]));
    peer.expect_preface().await;
    assert!(matches!(peer.next().await, Some(Frame::Settings(_))));
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    peer.expect_end().await;
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR));
    assert!(error.is_go_away() && error.is_library() && !error.is_remote());
    ended(connection).await.unwrap_err();
}
