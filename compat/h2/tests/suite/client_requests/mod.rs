//! Requests, seen from the client.

mod concurrency;
mod endings;
mod fields;
mod misbehaviour;
mod resets;
mod responses;

use bytes::Bytes;

use super::{
    super::h2::{Reason, client},
    endpoint::*,
};
use crate::mock::*;

const URI: &str = "https://example.com/";

#[tokio::test]
async fn a_request_gets_its_response() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(response(1, 200).end_stream());
    assert_eq!(within("the response", answer).await.unwrap().status(), 200);
    peer.idle().await;

    drop(client);
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    ended(connection).await.unwrap();
}

#[tokio::test]
async fn nothing_but_the_preface_is_said_before_the_connection_runs() {
    let (io, mut peer) = pipe();
    let (client, connection) = client::handshake(io).await.unwrap();
    peer.expect_preface().await;
    peer.idle().await;
    // The server has not greeted yet: a client does not wait for that.
    let connection = tokio::spawn(connection);
    assert!(matches!(peer.next().await, Some(Frame::Settings(_))));
    peer.idle().await;
    drop((client, connection));
}

#[tokio::test]
async fn all_that_is_configured_is_announced() {
    let (io, mut peer) = pipe();
    let mut builder = client::Builder::new();
    builder
        .enable_push(false)
        .header_table_size(10_000)
        .initial_window_size(100_000)
        .initial_connection_window_size(200_000)
        .max_concurrent_streams(7)
        .max_frame_size(20_000)
        .max_header_list_size(5_000);
    let (_client, connection) = builder.handshake::<_, Bytes>(io).await.unwrap();
    tokio::spawn(connection);
    peer.expect_preface().await;
    peer.expect(settings(&[
        (HEADER_TABLE_SIZE, 10_000),
        (ENABLE_PUSH, 0),
        (MAX_CONCURRENT_STREAMS, 7),
        (INITIAL_WINDOW_SIZE, 100_000),
        (MAX_FRAME_SIZE, 20_000),
        (MAX_HEADER_LIST_SIZE, 5_000),
    ]))
    .await;
    peer.expect(window_update(0, 200_000 - 65_535)).await;
    peer.idle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_come_from_any_thread() {
    let (mut client, connection, mut peer) = client().await;
    let asked = tokio::spawn(async move {
        let (mut answer, _) = client.send_request(get(URI), true).unwrap();
        let stream = answer.stream_id();
        (&mut answer).await.unwrap();
        assert_eq!(answer.stream_id(), stream);
    });
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(response(1, 200).end_stream());
    asked.await.unwrap();
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    ended(connection).await.unwrap();
}

#[tokio::test]
async fn streams_take_odd_identifiers_in_the_order_of_requests() {
    let (mut client, _connection, mut peer) = client().await;
    let mut clone = client.clone();
    let first = client.send_request(get("https://example.com/1"), true).unwrap().0;
    let second = clone.send_request(get("https://example.com/2"), true).unwrap().0;
    let third = client.send_request(get("https://example.com/3"), true).unwrap().0;
    for (stream, answer) in [(1, &first), (3, &second), (5, &third)] {
        assert_eq!(answer.stream_id().as_u32(), stream);
    }
    peer.expect(request(1, "GET", "https://example.com/1").end_stream()).await;
    peer.expect(request(3, "GET", "https://example.com/2").end_stream()).await;
    peer.expect(request(5, "GET", "https://example.com/3").end_stream()).await;
}

#[tokio::test]
async fn one_response_does_not_wait_for_another() {
    let (mut client, _connection, mut peer) = client().await;
    let (first, _) = client.send_request(get(URI), true).unwrap();
    let (second, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.expect(request(3, "GET", URI).end_stream()).await;
    peer.send(response(3, 202));
    peer.send(data(3, "second").end_stream());
    let mut body = within("the second response", second).await.unwrap().into_body();
    assert_eq!(read_all(&mut body).await.unwrap(), b"second");
    peer.send(response(1, 201).end_stream());
    assert_eq!(within("the first response", first).await.unwrap().status(), 201);
}
