//! Extended CONNECT (RFC 8441).

use http::Request;
use millpond::{Config, ErrorCode, Protocol, Server as MillpondServer};

use crate::{
    s8_control::{setting, tunnel},
    wire::{
        DATA, ENABLE_CONNECT_PROTOCOL, END_STREAM, HEADERS, OK, PREFACE, RST_STREAM, block, data, headers,
        reset, settings,
    },
    world::{Client, Server},
};

const CHAT: &[(&str, &str)] = &[
    (":method", "CONNECT"),
    (":protocol", "websocket"),
    (":scheme", "https"),
    (":path", "/chat"),
    (":authority", "pond.example"),
];

fn offering() -> MillpondServer {
    MillpondServer::builder().enable_connect_protocol(true)
}

async fn connect() -> Client {
    Client::connect_to_service(offering(), tower::service_fn(tunnel)).await
}

fn chat() -> Request<()> {
    let request = Request::connect("https://pond.example/chat").extension(Protocol::from_static("websocket"));
    request.body(()).unwrap()
}

#[tokio::test]
async fn s3_a_server_offers_it_if_it_is_told_to() {
    for (server, offered) in [(offering(), Some(1)), (MillpondServer::builder(), None)] {
        let mut client = Client::open(server).await;
        client.send(PREFACE).await;
        let first = client.next().await.unwrap();
        assert_eq!(setting(&first.payload, ENABLE_CONNECT_PROTOCOL), offered);
    }
}

#[tokio::test]
async fn s3_the_value_is_0_or_1() {
    for value in [2, u32::MAX] {
        let mut client = Client::connect().await;
        client.send(settings(&[(ENABLE_CONNECT_PROTOCOL, value)])).await;
        client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
        let mut server = Server::accept().await;
        server.send(settings(&[(ENABLE_CONNECT_PROTOCOL, value)])).await;
        server.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    }
}

#[tokio::test]
async fn s3_a_server_does_not_take_back_its_offer() {
    let mut server = Server::accept_from(Config::builder(), &[(ENABLE_CONNECT_PROTOCOL, 1)]).await;
    server.send(settings(&[(ENABLE_CONNECT_PROTOCOL, 1)])).await;
    server.expect_ping_ack().await;
    server.send(settings(&[(ENABLE_CONNECT_PROTOCOL, 0)])).await;
    server.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s3_what_a_client_says_has_no_impact() {
    let mut client = Client::connect().await;
    for value in [1, 0] {
        client.send(settings(&[(ENABLE_CONNECT_PROTOCOL, value)])).await;
        client.expect_ping_ack().await;
    }
    client.send(headers(1, 0, &block(CHAT))).await;
    client.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s3_a_client_waits_for_the_offer() {
    let mut server = Server::accept_from(Config::builder(), &[(ENABLE_CONNECT_PROTOCOL, 0)]).await;
    assert!(!server.sender().is_extended_connect_protocol_enabled());
    assert!(server.sender().send_request(chat(), false).unwrap_err().mistake().is_some());
    server.send(settings(&[(ENABLE_CONNECT_PROTOCOL, 1)])).await;
    server.expect_ping_ack().await;
    assert!(server.sender().is_extended_connect_protocol_enabled());
    let _call = server.call(chat(), None);
    let head = server.expect(HEADERS, 1).await;
    let mut fields = server.field_section(head).await;
    fields.sort();
    let mut expected: Vec<_> =
        CHAT.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    expected.sort();
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn s3_what_was_not_offered_is_malformed() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &block(CHAT))).await;
    client.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
    assert!(client.seen().is_empty());
}

#[tokio::test]
async fn s4_the_application_is_told_of_the_protocol() {
    let mut client = connect().await;
    client.send(headers(1, END_STREAM, &block(CHAT))).await;
    let answer = client.expect_message(1).await;
    assert_eq!((answer.status(), answer.field("x-protocol")), ("200", Some("websocket")));
}

#[tokio::test]
async fn s4_scheme_path_and_authority_are_required() {
    let mut client = connect().await;
    for (stream, missing) in (1..).step_by(2).zip([":scheme", ":path", ":authority"]) {
        let fields: Vec<_> = CHAT.iter().copied().filter(|(name, _)| *name != missing).collect();
        client.send(headers(stream, 0, &block(&fields))).await;
        client.expect_stream_error(stream, ErrorCode::PROTOCOL_ERROR).await;
    }
}

#[tokio::test]
async fn s4_only_connect_has_a_protocol_and_it_is_one() {
    let mut client = connect().await;
    let get = [&[(":method", "GET")], &CHAT[1..]].concat();
    let twice = [CHAT, &[(":protocol", "websocket")]].concat();
    let empty = [&CHAT[..1], &[(":protocol", "")], &CHAT[2..]].concat();
    let upgrade = [CHAT, &[("upgrade", "websocket"), ("connection", "upgrade")]].concat();
    for (stream, fields) in (1..).step_by(2).zip([get, twice, empty, upgrade]) {
        client.send(headers(stream, 0, &block(&fields))).await;
        client.expect_stream_error(stream, ErrorCode::PROTOCOL_ERROR).await;
    }
    let server = Server::accept_from(Config::builder(), &[(ENABLE_CONNECT_PROTOCOL, 1)]).await;
    let (mut head, ()) = chat().into_parts();
    head.method = http::Method::GET;
    let error = server.sender().send_request(Request::from_parts(head, ()), true).unwrap_err();
    assert!(error.mistake().is_some());
}

#[tokio::test]
async fn s4_connect_without_a_protocol_is_as_it_was() {
    let mut client = connect().await;
    let fields: Vec<_> = CHAT.iter().copied().filter(|(name, _)| *name != ":protocol").collect();
    client.send(headers(1, 0, &block(&fields))).await;
    client.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
    client
        .send(headers(3, END_STREAM, &block(&[(":method", "CONNECT"), (":authority", "pond.example:443")])))
        .await;
    let answer = client.expect_message(3).await;
    assert_eq!((answer.status(), answer.field("x-protocol")), ("200", Some("")));
}

#[tokio::test]
async fn s5_data_goes_both_ways_and_end_stream_is_an_orderly_close() {
    let mut client = connect().await;
    client.send(headers(1, 0, &block(CHAT))).await;
    assert!(!client.expect(HEADERS, 1).await.ends());
    client.send(data(1, 0, b"ping")).await;
    let pong = client.expect(DATA, 1).await;
    assert_eq!((&pong.payload[..], pong.ends()), (&b"ping"[..], false));
    client.send(data(1, END_STREAM, b"bye")).await;
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let frame = client.expect(DATA, 1).await;
        rest.extend(&frame.payload);
        if frame.ends() {
            break;
        }
    }
    assert_eq!(rest, b"bye");
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s5_a_server_may_close_its_side_first() {
    let mut server = Server::accept_from(Config::builder(), &[(ENABLE_CONNECT_PROTOCOL, 1)]).await;
    let sender = server.sender();
    let (response, mut send) = sender.clone().send_request(chat(), false).unwrap();
    server.expect(HEADERS, 1).await;
    server.send([headers(1, 0, OK), data(1, END_STREAM, b"bye")].concat()).await;
    let mut body = response.await.unwrap().into_body();
    assert_eq!(body.data().await.unwrap().unwrap(), "bye");
    assert!(body.data().await.is_none());
    send.send_data("and".into(), false).unwrap();
    send.send_data(" you".into(), true).unwrap();
    let mut sent: Vec<u8> = Vec::new();
    loop {
        let frame = server.expect(DATA, 1).await;
        sent.extend(&frame.payload);
        if frame.ends() {
            break;
        }
    }
    assert_eq!(sent, b"and you");
}

#[tokio::test]
async fn s5_an_abrupt_close_is_a_reset_with_cancel() {
    let mut server = Server::accept_from(Config::builder(), &[(ENABLE_CONNECT_PROTOCOL, 1)]).await;
    let call = server.call(chat(), None);
    server.expect(HEADERS, 1).await;
    server.send([headers(1, 0, OK), data(1, 0, b"open")].concat()).await;
    server.expect_ping_ack().await;
    call.cancel().await;
    let frame = server.expect(RST_STREAM, 1).await;
    assert_eq!(frame.code(), ErrorCode::CANCEL);
    // And the other way.
    let call = server.call(chat(), None);
    server.expect(HEADERS, 3).await;
    server.send([headers(3, 0, OK), reset(3, ErrorCode::CANCEL)].concat()).await;
    let error = call.reply().await.unwrap_err();
    assert!(error.is_reset() && error.code() == ErrorCode::CANCEL, "{error}");
}
