//! Starting HTTP/2 (RFC 9113 §3).

use millpond::{Config, ErrorCode};

use crate::{
    wire::{ACK, END, GET, OK, PREFACE, SETTINGS, headers, ping, settings, settings_ack},
    world::{Client, Server},
};

#[tokio::test]
async fn s3_4_server_preface_is_settings() {
    let mut client = Client::open(millpond::Server::builder()).await;
    client.send(PREFACE).await;
    let first = client.next().await.unwrap();
    assert_eq!((first.kind, first.flags, first.stream), (SETTINGS, 0, 0));
}

#[tokio::test]
async fn s3_4_client_preface_is_the_24_octets_then_settings() {
    let mut server = Server::open(Config::builder()).await;
    assert_eq!(server.octets(24).await, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    let first = server.next().await.unwrap();
    assert_eq!((first.kind, first.flags, first.stream), (SETTINGS, 0, 0));
}

#[tokio::test]
async fn s3_4_settings_of_the_preface_are_acknowledged() {
    let mut client = Client::open(millpond::Server::builder()).await;
    client.send([PREFACE, &settings(&[])].concat()).await;
    client.seek(SETTINGS, 0).await;
    let second = client.seek(SETTINGS, 0).await;
    assert_eq!((second.flags, second.payload.len()), (ACK, 0));
}

#[tokio::test]
async fn s3_4_client_may_send_requests_with_its_preface() {
    let mut client = Client::open(millpond::Server::builder()).await;
    client.send([PREFACE, &settings(&[]), &headers(1, END, GET)].concat()).await;
    assert_eq!(client.expect_message(1).await.body, b"hello");
}

#[tokio::test]
async fn s3_4_invalid_preface_is_protocol_error() {
    let mut client = Client::open(millpond::Server::builder()).await;
    client.send(b"INVALID CONNECTION PREFACE\r\n\r\n").await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s3_4_client_preface_without_settings_is_protocol_error() {
    let mut client = Client::open(millpond::Server::builder()).await;
    client.send([PREFACE, &ping(b"too soon")].concat()).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s3_4_server_preface_without_settings_is_protocol_error() {
    let mut server = Server::open(Config::builder()).await;
    server.octets(24).await;
    server.send(ping(b"too soon")).await;
    server.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    assert_eq!(server.outcome().await.unwrap_err().code(), ErrorCode::PROTOCOL_ERROR);
}

#[tokio::test]
async fn s3_4_settings_ack_is_no_preface() {
    let mut client = Client::open(millpond::Server::builder()).await;
    client.send([PREFACE, &settings_ack()].concat()).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s3_4_client_sends_before_the_server_preface() {
    let mut server = Server::open(Config::builder()).await;
    server.octets(24).await;
    let call = server.get();
    server.expect_message(1).await;
    server.send([settings(&[]), headers(1, END, OK)].concat()).await;
    assert_eq!(call.reply().await.unwrap().head.status(), 200);
}

#[tokio::test]
async fn s3_3_http_1_1_is_no_preface() {
    let mut client = Client::open(millpond::Server::builder()).await;
    client.send(b"GET / HTTP/1.1\r\nHost: pond.example\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n").await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s3_4_preface_may_come_octet_by_octet() {
    let mut client = Client::open(millpond::Server::builder()).await;
    for octet in [PREFACE, &settings(&[]), &headers(1, END, GET)].concat() {
        client.send([octet]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(client.expect_message(1).await.body, b"hello");
}
