//! How a connection ends, and what its users learn of it (RFC 9113 §6.8).

use std::{future::poll_fn, io};

use tokio_test::{assert_pending, task};

use super::{
    super::{
        super::h2::{Reason, client},
        endpoint::*,
    },
    URI,
};
use crate::mock::*;

const STREAM_GONE: &str = "stream closed because of a broken pipe";
const CONNECTION_GONE: &str = "connection closed because of a broken pipe";

#[tokio::test]
async fn the_end_of_the_wire_ends_the_connection() {
    let (client, connection, mut peer) = client().await;
    peer.close();
    ended(connection).await.unwrap();
    peer.expect_end().await;
    drop(client);
}

#[tokio::test]
async fn the_end_of_the_wire_fails_the_response() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    let mut answer = task::spawn(answer);
    assert_pending!(answer.poll());
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.close();
    ended(connection).await.unwrap();
    assert!(answer.is_woken());
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.to_string(), STREAM_GONE);
    assert!(error.is_io() && !error.is_go_away() && !error.is_reset());
    assert_eq!(error.get_io().unwrap().kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(error.reason(), None);
}

#[tokio::test]
async fn the_end_of_the_wire_fails_the_body() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, mut upload) = client.send_request(post(URI), false).unwrap();
    peer.expect(request(1, "POST", URI)).await;
    peer.send(response(1, 200));
    peer.send(data(1, "hel"));
    peer.close();
    let mut body = within("the response", answer).await.unwrap().into_body();
    peer.expect_end().await;
    // What has come is not lost.
    assert_eq!(within("data", body.data()).await.unwrap().unwrap(), "hel");
    let error = within("data", body.data()).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), STREAM_GONE);
    let error = within("trailers", body.trailers()).await.unwrap_err();
    assert_eq!(error.to_string(), STREAM_GONE);
    let error = within("a reset", poll_fn(|cx| upload.poll_reset(cx))).await.unwrap_err();
    assert_eq!(error.to_string(), STREAM_GONE);
    assert!(within("capacity", poll_fn(|cx| upload.poll_capacity(cx))).await.is_none());
    let error = upload.send_data("lo".into(), true).unwrap_err();
    assert_eq!(error.to_string(), "user error: inactive stream");
}

#[tokio::test]
async fn after_the_end_of_the_wire_there_are_no_requests() {
    let (mut client, connection, mut peer) = client().await;
    peer.close();
    ended(connection).await.unwrap();
    let error = client.send_request(get(URI), true).unwrap_err();
    assert_eq!(error.to_string(), CONNECTION_GONE);
    assert!(error.is_io());
    let error = within("the handle", client.ready()).await.unwrap_err();
    assert_eq!(error.to_string(), CONNECTION_GONE);
}

#[tokio::test]
async fn a_dropped_connection_is_the_end_for_its_users() {
    let (mut client, connection, mut peer) = idle_client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    drop(connection);
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.to_string(), STREAM_GONE);
    let error = client.send_request(get(URI), true).unwrap_err();
    assert_eq!(error.to_string(), CONNECTION_GONE);
    peer.expect_end().await;
}

#[tokio::test]
async fn the_last_handle_ends_the_connection() {
    let (client, connection, mut peer) = client().await;
    let clone = client.clone();
    drop(client);
    peer.idle().await;
    drop(clone);
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    ended(connection).await.unwrap();
}

#[tokio::test]
async fn a_response_outlives_the_last_handle() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, upload) = client.send_request(get(URI), true).unwrap();
    drop((client, upload));
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.idle().await;
    peer.send(response(1, 200));
    let mut body = within("the response", answer).await.unwrap().into_body();
    peer.send(data(1, "hello").end_stream());
    turns().await;
    assert_eq!(read_all(&mut body).await.unwrap(), b"hello");
    // Whoever holds a part of a stream may yet ask for something.
    peer.idle().await;
    drop(body);
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    ended(connection).await.unwrap();
}

#[tokio::test]
async fn a_connection_without_users_ends_at_once() {
    let (io, mut peer) = pipe();
    let (client, connection) = client::handshake(io).await.unwrap();
    drop(client);
    let connection = tokio::spawn(connection);
    peer.expect_preface().await;
    assert!(matches!(peer.next().await, Some(Frame::Settings(_))));
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    ended(connection).await.unwrap();
}

#[tokio::test]
async fn a_failing_read_fails_everything() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.break_reads(io::ErrorKind::ConnectionReset);
    let error = ended(connection).await.unwrap_err();
    assert_eq!(error.get_io().unwrap().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(error.reason(), None);
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.into_io().unwrap().kind(), io::ErrorKind::ConnectionReset);
    let error = client.send_request(get(URI), true).unwrap_err();
    assert_eq!(error.get_io().unwrap().kind(), io::ErrorKind::ConnectionReset);
    peer.expect_end().await;
}

#[tokio::test]
async fn a_failing_write_fails_everything() {
    let (mut client, connection, mut peer) = client().await;
    peer.break_writes(io::ErrorKind::ConnectionAborted);
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    let error = ended(connection).await.unwrap_err();
    assert_eq!(error.get_io().unwrap().kind(), io::ErrorKind::ConnectionAborted);
    within("the response", answer).await.unwrap_err();
    client.send_request(get(URI), true).unwrap_err();
}

#[tokio::test]
async fn a_preface_that_cannot_be_written_fails_the_handshake() {
    let (io, mut peer) = pipe();
    peer.break_writes(io::ErrorKind::ConnectionAborted);
    let error = client::handshake(io).await.unwrap_err();
    assert_eq!(error.get_io().unwrap().kind(), io::ErrorKind::ConnectionAborted);
}

#[tokio::test]
async fn a_server_that_vanishes_without_goodbye_is_an_error() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.break_reads(io::ErrorKind::UnexpectedEof);
    let error = ended(connection).await.unwrap_err();
    assert_eq!(error.get_io().unwrap().kind(), io::ErrorKind::UnexpectedEof);
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.get_io().unwrap().kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_server_that_said_goodbye_may_vanish() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(goaway(1, Reason::NO_ERROR));
    turns().await;
    peer.break_reads(io::ErrorKind::UnexpectedEof);
    ended(connection).await.unwrap();
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.get_io().unwrap().kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_goaway_lets_accepted_requests_finish() {
    let (mut client, connection, mut peer) = client().await;
    let (first, _) = client.send_request(get(URI), true).unwrap();
    let (second, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.expect(request(3, "GET", URI).end_stream()).await;
    peer.send(goaway(1, Reason::NO_ERROR));
    let error = within("the second response", second).await.unwrap_err();
    assert_eq!(error.to_string(), "connection error received: not a result of an error");
    assert!(error.is_go_away() && error.is_remote() && !error.is_library());
    assert_eq!(error.reason(), Some(Reason::NO_ERROR));

    let error = client.send_request(get(URI), true).unwrap_err();
    assert_eq!(error.to_string(), "connection error received: not a result of an error");
    let error = within("the handle", client.clone().ready()).await.unwrap_err();
    assert_eq!(error.to_string(), "connection error received: not a result of an error");

    peer.idle().await;
    peer.send(response(1, 200).end_stream());
    within("the first response", first).await.unwrap();
    // The handle is still there, but of no use.
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    ended(connection).await.unwrap();
}

#[tokio::test]
async fn a_goaway_without_requests_ends_the_connection() {
    let (client, connection, mut peer) = client().await;
    peer.send(goaway(0, Reason::NO_ERROR));
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    ended(connection).await.unwrap();
    drop(client);
}

#[tokio::test]
async fn the_reason_of_a_goaway_reaches_everyone() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(goaway(0, Reason::ENHANCE_YOUR_CALM).debug("too_many_pings"));
    let expected =
        "connection error received: detected excessive load generating behavior (b\"too_many_pings\")";
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert_eq!(client.send_request(get(URI), true).unwrap_err().to_string(), expected);
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    let error = ended(connection).await.unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.reason(), Some(Reason::ENHANCE_YOUR_CALM));
    assert!(error.is_go_away() && error.is_remote());
}

#[tokio::test]
async fn goaways_may_exclude_more_and_more() {
    let (mut client, connection, mut peer) = client().await;
    let (first, _) = client.send_request(get(URI), true).unwrap();
    let (second, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.expect(request(3, "GET", URI).end_stream()).await;
    peer.send(goaway((1 << 31) - 1, 0u32));
    peer.idle().await;
    peer.send(goaway(1, Reason::NO_ERROR));
    within("the second response", second).await.unwrap_err();
    peer.idle().await;
    peer.send(response(1, 200).end_stream());
    within("the first response", first).await.unwrap();
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    ended(connection).await.unwrap();
}

#[tokio::test]
async fn a_goaway_cannot_take_back_what_one_said_before() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(goaway(1, Reason::NO_ERROR));
    peer.send(goaway(3, Reason::NO_ERROR));
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    peer.expect_end().await;
    let expected = "connection error detected: unspecific protocol error detected";
    assert_eq!(within("the response", answer).await.unwrap_err().to_string(), expected);
    assert_eq!(ended(connection).await.unwrap_err().to_string(), expected);
}
