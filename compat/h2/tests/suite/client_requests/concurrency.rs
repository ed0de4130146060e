//! How many requests may be open, and what waits (RFC 9113 §5.1.2).

use std::future::poll_fn;

use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};

use super::{
    super::{
        super::h2::{Reason, client},
        endpoint::*,
    },
    URI,
};
use crate::mock::*;

const ONE: &[(u16, u32)] = &[(MAX_CONCURRENT_STREAMS, 1)];

async fn client_of_one() -> (SendRequest, Ending, Peer) {
    client_with(&client::Builder::new(), ONE).await
}

#[tokio::test]
async fn each_handle_has_one_request_in_waiting() {
    let (mut client, _connection, mut peer) = client_of_one().await;
    let (first, mut first_body) = client.send_request(post(URI), false).unwrap();
    let mut client = within("a turn of the connection", client.ready()).await.unwrap();
    peer.expect(request(1, "POST", URI)).await;

    // It is taken, but must wait for a stream.
    let (second, mut second_body) = client.send_request(post(URI), false).unwrap();
    assert_pending!(task::spawn(poll_fn(|cx| client.poll_ready(cx))).poll());
    let error = client.send_request(get(URI), true).unwrap_err();
    assert_eq!(error.to_string(), "user error: rejected");
    peer.idle().await;

    first_body.send_data("hello".into(), true).unwrap();
    peer.expect(data(1, "hello").end_stream()).await;
    peer.send(response(1, 200));
    within("the first response", first).await.unwrap();
    peer.idle().await;

    second_body.send_data("world".into(), true).unwrap();
    peer.idle().await;
    peer.send(data(1, "").end_stream());
    peer.expect(request(3, "POST", URI)).await;
    peer.expect(data(3, "world").end_stream()).await;
    peer.send(response(3, 200).end_stream());
    within("the second response", second).await.unwrap();
    within("the handle", client.ready()).await.unwrap();
}

#[tokio::test]
async fn a_clone_has_a_place_of_its_own() {
    let (mut client, _connection, mut peer) = client_of_one().await;
    let _first = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    let _second = client.send_request(get(URI), true).unwrap();
    client.send_request(get(URI), true).unwrap_err();

    let mut clone = client.clone();
    assert_ready_ok!(task::spawn(poll_fn(|cx| clone.poll_ready(cx))).poll());
    let _third = clone.send_request(get(URI), true).unwrap();
    assert_pending!(task::spawn(poll_fn(|cx| clone.poll_ready(cx))).poll());
    peer.send(response(1, 200).end_stream());
    peer.expect(request(3, "GET", URI).end_stream()).await;
    peer.idle().await;
    peer.send(response(3, 200).end_stream());
    peer.expect(request(5, "GET", URI).end_stream()).await;
}

#[tokio::test]
async fn a_free_stream_wakes_the_handle_that_waits() {
    let (mut client, _connection, mut peer) = client_of_one().await;
    let asked = tokio::spawn(async move {
        let mut answers = Vec::new();
        for _ in 0..3 {
            client = client.ready().await.unwrap();
            answers.push(client.send_request(get(URI), true).unwrap().0);
        }
        for answer in answers {
            assert_eq!(answer.await.unwrap().status(), 200);
        }
        client.ready().await.unwrap();
    });
    for stream in [1, 3, 5] {
        peer.expect(request(stream, "GET", URI).end_stream()).await;
        peer.idle().await;
        peer.send(response(stream, 200).end_stream());
    }
    within("all responses", asked).await.unwrap();
}

#[tokio::test]
async fn the_waiting_handle_is_woken_once_its_request_is_on_its_way() {
    let (mut client, _connection, mut peer) = client_of_one().await;
    let _first = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    let _second = client.send_request(get(URI), true).unwrap();
    let mut ready = task::spawn(poll_fn(|cx| client.poll_ready(cx)));
    assert_pending!(ready.poll());
    peer.send(response(1, 200));
    turns().await;
    assert!(!ready.is_woken(), "stream 1 is not closed yet");
    peer.send(data(1, "").end_stream());
    turns().await;
    assert!(ready.is_woken());
    assert_ready_ok!(ready.poll());
    peer.expect(request(3, "GET", URI).end_stream()).await;
}

#[tokio::test]
async fn a_connection_error_wakes_the_handle_that_waits() {
    let (mut client, connection, mut peer) = client_of_one().await;
    let (first, _) = client.send_request(post(URI), true).unwrap();
    peer.expect(request(1, "POST", URI).end_stream()).await;
    let (second, _) = client.send_request(post(URI), true).unwrap();
    let mut ready = task::spawn(poll_fn(|cx| client.poll_ready(cx)));
    let mut first = task::spawn(first);
    let mut second = task::spawn(second);
    assert_pending!(ready.poll());
    assert_pending!(first.poll());
    assert_pending!(second.poll());

    // A server cannot respond to what was never asked.
    peer.send(response(8, 200).end_stream());
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    assert!(ready.is_woken() && first.is_woken() && second.is_woken());
    for error in [
        assert_ready_err!(ready.poll()),
        assert_ready_err!(first.poll()),
        assert_ready_err!(second.poll()),
        ended(connection).await.unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "connection error detected: unspecific protocol error detected");
    }
}

#[tokio::test]
async fn a_lower_limit_holds_for_requests_already_waiting() {
    let (mut client, _connection, mut peer) = client().await;
    let _first = client.send_request(post(URI), true).unwrap();
    peer.expect(request(1, "POST", URI).end_stream()).await;
    peer.send(settings(ONE));
    peer.expect(settings_ack()).await;

    let (second, _) = client.send_request(post(URI), true).unwrap();
    let mut clone = client.clone();
    let (third, _) = clone.send_request(post(URI), true).unwrap();
    peer.idle().await;
    peer.send(response(1, 200).end_stream());
    peer.expect(request(3, "POST", URI).end_stream()).await;
    peer.send(ping([1; 8]));
    peer.expect(pong([1; 8])).await;
    peer.send(response(3, 200).end_stream());
    within("the second response", second).await.unwrap();
    peer.expect(request(5, "POST", URI).end_stream()).await;
    peer.send(response(5, 200).end_stream());
    within("the third response", third).await.unwrap();
}

#[tokio::test]
async fn a_limit_that_comes_with_a_response_holds_for_the_next_request() {
    let (mut client, mut connection, mut peer) = idle_client().await;
    let (first, _) = client.send_request(post(URI), true).unwrap();
    let (second, _) = client.send_request(post(URI), true).unwrap();
    peer.send(settings(ONE));
    // The limit is read before anything is written.
    connection.drive(peer.expect(settings_ack())).await;
    connection.drive(peer.expect(request(1, "POST", URI).end_stream())).await;
    connection.drive(peer.idle()).await;
    peer.send(response(1, 200).end_stream());
    connection.drive(first).await.unwrap();
    connection.drive(peer.expect(request(3, "POST", URI).end_stream())).await;
    peer.send(response(3, 200).end_stream());
    connection.drive(second).await.unwrap();
}

#[tokio::test]
async fn a_higher_limit_lets_the_waiting_go() {
    let (mut client, _connection, mut peer) = client_of_one().await;
    let _first = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    let _second = client.send_request(get(URI), true).unwrap();
    peer.idle().await;
    peer.send(settings(&[(MAX_CONCURRENT_STREAMS, 2)]));
    peer.expect(settings_ack()).await;
    peer.expect(request(3, "GET", URI).end_stream()).await;
}

#[tokio::test]
async fn a_limit_of_none_stops_all_requests() {
    let none = [(MAX_CONCURRENT_STREAMS, 0)];
    let (mut client, _connection, mut peer) = client_with(&client::Builder::new(), &none).await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.idle().await;
    peer.send(settings(ONE));
    peer.expect(settings_ack()).await;
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(response(1, 200).end_stream());
    within("the response", answer).await.unwrap();
}

#[tokio::test]
async fn until_the_server_greets_a_configured_limit_holds() {
    let (io, mut peer) = pipe();
    let mut builder = client::Builder::new();
    builder.initial_max_send_streams(1);
    let (mut client, connection): (SendRequest, ClientConnection) = builder.handshake(io).await.unwrap();
    assert_eq!(client.current_max_send_streams(), 1);
    assert_eq!(connection.max_concurrent_send_streams(), 1);
    tokio::spawn(connection);
    peer.expect_preface().await;
    assert!(matches!(peer.next().await, Some(Frame::Settings(_))));
    let _first = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    let _second = client.send_request(get(URI), true).unwrap();
    peer.idle().await;
    // Its SETTINGS say nothing about a limit, so there is none.
    peer.send(settings(&[]));
    peer.expect(settings_ack()).await;
    peer.expect(request(3, "GET", URI).end_stream()).await;
    assert_eq!(client.current_max_send_streams(), usize::MAX);
}

/// The limits on a client's requests: configured, then after each of these SETTINGS.
async fn limits(configured: Option<usize>, sent: &[&[(u16, u32)]]) -> Vec<usize> {
    let (io, mut peer) = pipe();
    let mut builder = client::Builder::new();
    if let Some(limit) = configured {
        builder.initial_max_send_streams(limit);
    }
    let (client, mut connection): (SendRequest, ClientConnection) = builder.handshake(io).await.unwrap();
    let mut limits = vec![connection.max_concurrent_send_streams()];
    connection.drive(peer.expect_preface()).await;
    connection.drive(peer.next()).await;
    for values in sent {
        peer.send(settings(values));
        connection.drive(peer.expect(settings_ack())).await;
        limits.push(connection.max_concurrent_send_streams());
        assert_eq!(limits.last(), Some(&client.current_max_send_streams()));
    }
    limits
}

#[tokio::test]
async fn the_first_settings_end_the_configured_limit() {
    const FORTY: &[(u16, u32)] = &[(MAX_CONCURRENT_STREAMS, 40)];
    const SIXTY: &[(u16, u32)] = &[(MAX_CONCURRENT_STREAMS, 60)];
    assert_eq!(limits(Some(2024), &[&[]]).await, [2024, usize::MAX]);
    assert_eq!(limits(Some(2024), &[FORTY]).await, [2024, 40]);
    assert_eq!(limits(None, &[FORTY, &[]]).await, [usize::MAX, 40, 40]);
    assert_eq!(limits(None, &[FORTY, SIXTY]).await, [usize::MAX, 40, 60]);
    assert_eq!(limits(Some(9), &[&[], FORTY]).await, [9, usize::MAX, 40]);
}

#[tokio::test]
async fn our_own_limit_is_announced_and_known() {
    let (io, mut peer) = pipe();
    let mut builder = client::Builder::new();
    builder.enable_push(false).max_concurrent_streams(1);
    let (client, connection): (SendRequest, ClientConnection) = builder.handshake(io).await.unwrap();
    assert_eq!(connection.max_concurrent_recv_streams(), 1);
    assert_eq!(client.current_max_recv_streams(), 1);
    tokio::spawn(connection);
    assert_eq!(peer.be_server(&[]).await, [(ENABLE_PUSH, 0), (MAX_CONCURRENT_STREAMS, 1)]);
}

#[tokio::test]
async fn a_waiting_request_that_a_goaway_excludes_is_forgotten() {
    let mut builder = client::Builder::new();
    builder.max_concurrent_reset_streams(0);
    let two = [(MAX_CONCURRENT_STREAMS, 2)];
    let (mut client, connection, mut peer) = client_with(&builder, &two).await;
    let (first, mut body) = client.send_request(get(URI), false).unwrap();
    let (second, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI)).await;
    peer.expect(request(3, "GET", URI).end_stream()).await;
    let third = client.send_request(get(URI), true).unwrap();

    peer.send(goaway(3, Reason::NO_ERROR));
    turns().await;
    drop((third, client));
    peer.send(response(3, 200).end_stream());
    within("the second response", second).await.unwrap();
    peer.idle().await;
    body.send_data(Default::default(), true).unwrap();
    peer.expect(data(1, "").end_stream()).await;
    peer.send(response(1, 200).end_stream());
    within("the first response", first).await.unwrap();
    drop(body);
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    ended(connection).await.unwrap();
}

#[tokio::test]
async fn a_waiting_request_that_nobody_wants_gives_up_its_turn() {
    let (mut client, _connection, mut peer) = client_of_one().await;
    let _first = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    let mut clone = client.clone();
    let second = clone.send_request(get(URI), true).unwrap();
    let _third = client.send_request(get(URI), true).unwrap();
    // The handle that waits for it keeps it alive, too.
    drop((second, clone));
    peer.idle().await;
    peer.send(response(1, 200).end_stream());
    // Its identifier is in use, so it must open before it can be cancelled.
    peer.expect(request(3, "GET", URI).end_stream()).await;
    peer.expect(reset(3, Reason::CANCEL)).await;
    peer.expect(request(5, "GET", URI).end_stream()).await;
}

#[tokio::test]
async fn a_frame_for_a_waiting_request_is_a_connection_error() {
    let frames = [
        reset(3, Reason::NO_ERROR),
        reset(3, Reason::CANCEL),
        window_update(3, 1024),
        response(3, 200).end_stream(),
        data(3, "hello"),
    ];
    for frame in frames {
        let mut builder = client::Builder::new();
        builder.initial_max_send_streams(1);
        let (mut client, connection, mut peer) = client_with(&builder, ONE).await;
        let _first = client.send_request(post(URI), true).unwrap();
        peer.expect(request(1, "POST", URI).end_stream()).await;
        let _second = client.send_request(post(URI), true).unwrap();
        peer.idle().await;
        // To the server, stream 3 is idle.
        peer.send(frame);
        peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
        peer.expect_end().await;
        let error = within("the handle", client.ready()).await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR));
        ended(connection).await.unwrap_err();
    }
}
