//! What HTTP/2 keeps, drops and refuses of the rest of HTTP: push, CONNECT, Upgrade, reliability (RFC 9113 §8.4 to §8.7).

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use millpond::{Body, Config, Error, ErrorCode, Protocol, Server as MillpondServer};

use crate::{
    wire::{
        ENABLE_PUSH, END, END_HEADERS, END_STREAM, GET, HEADERS, OK, POST, PREFACE, PUSH_PROMISE, SETTINGS,
        block, data, frame, goaway, headers, priority, request, reset, window_update,
    },
    world::{Client, Server},
};

/// A PUSH_PROMISE of stream 2.
fn promise(stream: u32) -> Vec<u8> {
    frame(PUSH_PROMISE, END_HEADERS, stream, &[&[0, 0, 0, 2], GET].concat())
}

/// The value of a setting in a SETTINGS payload.
pub fn setting(payload: &[u8], id: u16) -> Option<u32> {
    let mut entries =
        payload.chunks(6).map(|entry| (&entry[..2], u32::from_be_bytes(entry[2..].try_into().unwrap())));
    entries.find(|(other, _)| *other == id.to_be_bytes()).map(|(_, value)| value)
}

#[tokio::test]
async fn s8_4_a_client_cannot_push() {
    for stream in [0, 1, 2, 3] {
        let mut client = Client::connect().await;
        client.send(headers(1, 0, POST)).await;
        client.send(promise(stream)).await;
        client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    }
}

#[tokio::test]
async fn s8_4_a_client_refuses_push_and_holds_the_server_to_it() {
    let mut server = Server::open(Config::builder()).await;
    server.octets(PREFACE.len()).await;
    let first = server.seek(SETTINGS, 0).await;
    assert_eq!(setting(&first.payload, ENABLE_PUSH), Some(0));

    let mut server = Server::accept().await;
    let call = server.get();
    server.expect(HEADERS, 1).await;
    server.send(promise(1)).await;
    server.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    call.reply().await.unwrap_err();
}

#[tokio::test]
async fn s8_4_a_server_does_not_offer_push() {
    let mut client = Client::open(MillpondServer::builder()).await;
    client.send(PREFACE).await;
    let first = client.next().await.unwrap();
    assert!(matches!(setting(&first.payload, ENABLE_PUSH), None | Some(0)));
}

/// Answers 200 and then, while it comes, what comes; or what the path says. Tells the protocol that was asked for.
pub async fn tunnel(
    request: Request<Body>,
) -> Result<Response<http_body_util::combinators::BoxBody<Bytes, Error>>, Infallible> {
    let status = request.uri().path().strip_prefix("/status/").map_or(200, |status| status.parse().unwrap());
    let protocol =
        request.extensions().get::<Protocol>().map_or_else(String::new, |asked| asked.as_str().to_owned());
    let body = match status {
        200 => request.into_body().map_err(|_| Error::from(std::io::Error::other("gone"))).boxed(),
        _ => Full::new(Bytes::from_static(b"content")).map_err(|never| match never {}).boxed(),
    };
    Ok(Response::builder()
        .status(status)
        .header("upgrade", "h3")
        .header("connection", "upgrade")
        .header("x-protocol", protocol)
        .body(body)
        .unwrap())
}

const TUNNEL: &[(&str, &str)] = &[(":method", "CONNECT"), (":authority", "pond.example:443")];

async fn tunnelled() -> Client {
    let mut client = Client::connect_to_service(MillpondServer::builder(), tower::service_fn(tunnel)).await;
    client.send(headers(1, 0, &block(TUNNEL))).await;
    let head = client.expect(HEADERS, 1).await;
    assert!(!head.ends());
    client
}

#[tokio::test]
async fn s8_5_a_tunnel_carries_data_both_ways_until_end_stream() {
    let mut client = tunnelled().await;
    for octets in [&b"syn"[..], b"ack"] {
        client.send(data(1, 0, octets)).await;
        assert_eq!(client.expect(0, 1).await.payload, octets);
    }
    client.send([priority(1, 0), window_update(1, 10), data(1, END_STREAM, b"fin")].concat()).await;
    assert_eq!(client.expect(0, 1).await.payload, b"fin");
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s8_5_connect_has_an_authority_and_neither_scheme_nor_path() {
    let wrong: [&[(&str, &str)]; 5] = [
        &[(":method", "CONNECT")],
        &[(":method", "CONNECT"), (":authority", "")],
        &[(":method", "CONNECT"), (":authority", "a:1"), (":scheme", "http")],
        &[(":method", "CONNECT"), (":authority", "a:1"), (":path", "/")],
        &[(":method", "CONNECT"), (":authority", "a:1"), (":path", "/"), (":scheme", "http")],
    ];
    let mut client = Client::connect().await;
    for (stream, wrong) in (1..).step_by(2).zip(wrong) {
        client.send(headers(stream, END_STREAM, &block(wrong))).await;
        client.expect_stream_error(stream, ErrorCode::PROTOCOL_ERROR).await;
    }
    assert!(client.seen().is_empty());
}

#[tokio::test]
async fn s8_5_content_length_means_nothing_for_a_tunnel() {
    let mut client = Client::connect_to_service(MillpondServer::builder(), tower::service_fn(tunnel)).await;
    client.send(headers(1, 0, &[block(TUNNEL), block(&[("content-length", "1")])].concat())).await;
    client.expect(HEADERS, 1).await;
    client.send(data(1, 0, b"more than one")).await;
    assert_eq!(client.expect(0, 1).await.payload, b"more than one");

    let mut server = Server::accept().await;
    let call = server.call(Request::connect("pond.example:443").body(()).unwrap(), None);
    server.expect(HEADERS, 1).await;
    server.send(headers(1, 0, &block(&[(":status", "200"), ("content-length", "1")]))).await;
    server.send(data(1, END_STREAM, b"more than one")).await;
    assert_eq!(call.reply().await.unwrap().body, b"more than one");
}

#[tokio::test]
async fn s8_5_headers_on_a_connected_stream_are_a_stream_error() {
    let mut client = tunnelled().await;
    client.send(headers(1, END_STREAM, &block(&[("x-late", "field")]))).await;
    client.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;

    let mut server = Server::accept().await;
    let call = server.call(Request::connect("pond.example:443").body(()).unwrap(), None);
    server.expect(HEADERS, 1).await;
    server.send([headers(1, 0, OK), headers(1, END_STREAM, &block(&[("x-late", "field")]))].concat()).await;
    server.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
    call.reply().await.unwrap_err();
}

#[tokio::test]
async fn s8_5_a_refused_tunnel_is_an_answer_like_any_other() {
    let mut server = Server::accept().await;
    let call = server.call(Request::connect("pond.example:443").body(()).unwrap(), None);
    server.expect(HEADERS, 1).await;
    server.send([headers(1, 0, &block(&[(":status", "502")])), data(1, 0, b"no")].concat()).await;
    server.send(headers(1, END_STREAM, &block(&[("x-why", "far")]))).await;
    let reply = call.reply().await.unwrap();
    assert_eq!((reply.head.status().as_u16(), &reply.body[..]), (502, &b"no"[..]));
    assert_eq!(reply.trailers.unwrap()["x-why"], "far");
}

#[tokio::test]
async fn s8_5_a_client_asks_for_a_tunnel_with_method_and_authority_alone() {
    let mut server = Server::accept().await;
    let _call = server.call(Request::connect("pond.example:443").body(()).unwrap(), None);
    let head = server.expect(HEADERS, 1).await;
    let fields = server.field_section(head).await;
    let expected = TUNNEL.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    assert_eq!(fields, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn s8_6_there_is_no_101() {
    let mut server = Server::accept().await;
    let call = server.get();
    server.expect(HEADERS, 1).await;
    server.send(headers(1, 0, &block(&[(":status", "101")]))).await;
    server.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
    call.reply().await.unwrap_err();
}

#[tokio::test]
async fn s8_6_a_server_does_not_send_101() {
    let mut client = Client::connect_to_service(MillpondServer::builder(), tower::service_fn(tunnel)).await;
    client.send(headers(1, END, &request("GET", "/status/101", &[]))).await;
    client.expect_stream_error(1, ErrorCode::INTERNAL_ERROR).await;
}

#[tokio::test]
async fn s8_2_2_a_server_sends_no_connection_specific_field() {
    let mut client = Client::connect_to_service(MillpondServer::builder(), tower::service_fn(tunnel)).await;
    client.send(headers(1, END, GET)).await;
    let answer = client.expect_message(1).await;
    assert_eq!((answer.field("upgrade"), answer.field("connection")), (None, None));
}

#[tokio::test]
async fn s8_1_1_a_server_sends_no_content_with_204_and_304() {
    let mut client = Client::connect_to_service(MillpondServer::builder(), tower::service_fn(tunnel)).await;
    for (stream, path) in [(1, "/status/204"), (3, "/status/304")] {
        client.send(headers(stream, END, &request("GET", path, &[]))).await;
        let head = client.expect(HEADERS, stream).await;
        assert!(head.ends(), "{head:?}");
    }
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s8_7_refused_stream_says_that_nothing_was_processed() {
    let mut server = Server::accept().await;
    for (stream, code, unprocessed) in [
        (1, ErrorCode::REFUSED_STREAM, true),
        (3, ErrorCode::CANCEL, false),
        (5, ErrorCode::INTERNAL_ERROR, false),
    ] {
        let call = server.get();
        server.expect(HEADERS, stream).await;
        server.send(reset(stream, code)).await;
        let error = call.reply().await.unwrap_err();
        assert_eq!((error.code(), error.is_unprocessed()), (code, unprocessed));
    }
}

#[tokio::test]
async fn s8_7_goaway_says_which_requests_were_not_processed() {
    let mut server = Server::accept().await;
    let (first, second) = (server.get(), server.get());
    server.expect(HEADERS, 1).await;
    server.expect(HEADERS, 3).await;
    server.send(goaway(1, ErrorCode::NO_ERROR)).await;
    assert!(second.reply().await.unwrap_err().is_unprocessed());
    server.send(headers(1, END_STREAM, OK)).await;
    assert_eq!(first.reply().await.unwrap().head.status(), 200);
}

#[tokio::test]
async fn s8_7_what_a_server_refuses_its_application_has_not_seen() {
    let mut client = Client::connect_to(MillpondServer::builder().max_concurrent_streams(Some(1)), &[]).await;
    client
        .send(
            [headers(1, 0, &request("POST", "/", &[])), headers(3, END, &request("GET", "/other", &[]))]
                .concat(),
        )
        .await;
    client.expect_stream_error(3, ErrorCode::REFUSED_STREAM).await;
    client.send(data(1, END_STREAM, b"taken")).await;
    assert_eq!(client.expect_message(1).await.body, b"taken");
    assert_eq!(client.seen(), ["POST /"]);
}

#[tokio::test]
async fn s8_7_goaway_names_every_stream_that_the_application_has_seen() {
    let mut client = Client::connect().await;
    client
        .send(
            [headers(1, END, &request("GET", "/wait", &[])), headers(5, END, &request("GET", "/wait", &[]))]
                .concat(),
        )
        .await;
    client.expect_ping_ack().await;
    // A connection error.
    client.send(data(0, 0, b"nowhere")).await;
    assert!(client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await >= 5);
    assert_eq!(client.seen(), ["GET /wait", "GET /wait"]);
}
