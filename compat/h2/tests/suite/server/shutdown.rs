//! The end of a server's connection, in all its forms (RFC 9113 §5.4.1, §6.8).

use std::{future::poll_fn, io};

use super::*;

/// The stream identifier of a GOAWAY that excludes nothing yet.
const ALL: u32 = (1 << 31) - 1;

/// The PING with which a server measures the round trip of its shutdown; it is of any content.
async fn shutdown_ping(peer: &mut Peer) -> [u8; 8] {
    match peer.next().await {
        Some(Frame::Ping { ack: false, opaque }) => opaque,
        other => panic!("expected a PING, heard {other:?}"),
    }
}

/// The end of a connection that nobody accepts from.
async fn closed(connection: &mut ServerConnection) -> Result<(), h2::Error> {
    within("the end", poll_fn(|cx| connection.poll_closed(cx))).await
}

#[tokio::test]
async fn an_abrupt_shutdown_waits_for_no_stream() {
    let (mut connection, mut peer) = idle_server().await;
    peer.send(request(1, "POST", "https://example.com/"));
    let (request, mut respond) = within("a request", connection.accept()).await.unwrap().unwrap();
    let mut send = respond.send_response(status(200), false).unwrap();
    let body = tokio::spawn(async move { request.into_body().data().await });
    turns().await;
    connection.abrupt_shutdown(Reason::INTERNAL_ERROR);

    // The streams know at once.
    let error = within("data", body).await.unwrap().unwrap().unwrap_err();
    let text = "connection error sent by user: unexpected internal error encountered";
    assert_eq!(error.to_string(), text);
    assert!(error.is_go_away() && !error.is_remote() && !error.is_library() && !error.is_reset());
    assert_eq!(error.reason(), Some(Reason::INTERNAL_ERROR));
    assert_eq!(poll_fn(|cx| send.poll_reset(cx)).await.unwrap(), Reason::INTERNAL_ERROR);
    assert_eq!(send.send_data("x".into(), true).unwrap_err().to_string(), "user error: inactive stream");

    closed(&mut connection).await.unwrap();
    assert!(within("the end", connection.accept()).await.is_none());
    peer.expect(goaway(1, Reason::INTERNAL_ERROR)).await;
    peer.expect_end().await;
}

#[tokio::test]
async fn a_graceful_shutdown_finishes_what_was_begun() {
    let (mut connection, mut peer) = idle_server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (_, mut respond1) = within("a request", connection.accept()).await.unwrap().unwrap();
    connection.graceful_shutdown();
    respond1.send_response(status(200), true).unwrap();
    let (mut requests, ending) = accept_all(connection);
    peer.expect(goaway(ALL, Reason::NO_ERROR)).await;
    let round_trip = shutdown_ping(&mut peer).await;
    peer.expect(response(1, 200).end_stream()).await;

    // Sent before the GOAWAY was heard.
    peer.send(request(3, "POST", "https://example.com/"));
    peer.send(pong(round_trip));
    peer.expect(goaway(3, Reason::NO_ERROR)).await;
    // Sent after it.
    peer.send(request(7, "GET", "https://example.com/"));
    peer.send(data(7, "").end_stream());
    peer.send(reset(7, Reason::CANCEL));
    peer.send(data(3, "").end_stream());
    let (request3, mut respond3) = accepted(&mut requests).await;
    assert_eq!(read_all(&mut request3.into_body()).await.unwrap(), b"");
    peer.idle().await;
    respond3.send_response(status(200), true).unwrap();
    peer.expect(response(3, 200).end_stream()).await;
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
    assert!(requests.is_empty());
}

#[tokio::test]
async fn a_graceful_shutdown_of_an_idle_connection_is_one_round_trip() {
    let (mut connection, mut peer) = idle_server().await;
    connection.graceful_shutdown();
    connection.graceful_shutdown();
    let ending = tokio::spawn(async move { closed(&mut connection).await });
    peer.expect(goaway(ALL, Reason::NO_ERROR)).await;
    let round_trip = shutdown_ping(&mut peer).await;
    // Not this round trip.
    peer.send(pong([0; 8]));
    peer.idle().await;
    assert!(!ending.is_finished());
    peer.send(pong(round_trip));
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn both_sides_may_shut_down() {
    let (mut connection, mut peer) = idle_server().await;
    peer.send(request(5, "GET", "https://example.com/").end_stream());
    peer.send(ping([1; 8]));
    connection.drive(peer.expect(pong([1; 8]))).await;
    let (_, mut respond) = within("a request", connection.accept()).await.unwrap().unwrap();
    peer.send(goaway(0, Reason::NO_ERROR));
    connection.graceful_shutdown();
    respond.send_response(status(200), true).unwrap();
    let (_requests, ending) = accept_all(connection);
    peer.expect(goaway(ALL, Reason::NO_ERROR)).await;
    let round_trip = shutdown_ping(&mut peer).await;
    peer.expect(response(5, 200).end_stream()).await;
    peer.send(pong(round_trip));
    peer.expect(goaway(5, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_leaves_gets_its_responses() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (_request, mut respond) = accepted(&mut requests).await;
    let mut send = respond.send_response(status(200), false).unwrap();
    peer.expect(response(1, 200)).await;
    peer.send(goaway(0, Reason::NO_ERROR));
    peer.idle().await;
    send.send_data("the response body".into(), true).unwrap();
    peer.expect(data(1, "the response body").end_stream()).await;
    peer.expect(goaway(1, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn requests_outlive_a_goaway_of_their_client() {
    let (mut connection, mut peer) = idle_server().await;
    peer.send(request(1, "GET", "https://example.com/1").end_stream());
    peer.send(request(3, "GET", "https://example.com/3").end_stream());
    peer.send(goaway(1, Reason::PROTOCOL_ERROR));
    let (_request1, mut respond1) = within("a request", connection.accept()).await.unwrap().unwrap();
    connection.drive(peer.idle()).await;
    let (request3, mut respond3) = within("a request", connection.accept()).await.unwrap().unwrap();
    assert_eq!(request3.uri().path(), "/3");
    respond1.send_response(status(200), true).unwrap();
    respond3.send_response(status(200), true).unwrap();
    let ending = tokio::spawn(async move { closed(&mut connection).await });
    peer.expect(response(1, 200).end_stream()).await;
    peer.expect(response(3, 200).end_stream()).await;
    peer.expect(goaway(3, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    let error = within("the end", ending).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "connection error received: unspecific protocol error detected");
    assert!(error.is_go_away() && error.is_remote() && !error.is_library());
}

#[tokio::test]
async fn a_goaway_ends_an_idle_connection_with_its_error() {
    let (_requests, ending, mut peer) = server().await;
    peer.send(goaway(0, Reason::ENHANCE_YOUR_CALM).debug("too many"));
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    let error = within("the end", ending).await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(Reason::ENHANCE_YOUR_CALM));
    let text = "connection error received: detected excessive load generating behavior (b\"too many\")";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn the_wire_may_end_without_a_word() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "POST", "https://example.com/"));
    let (request, mut respond) = accepted(&mut requests).await;
    let mut body = request.into_body();
    peer.send(data(1, "hello"));
    let mut send = respond.send_response(status(200), false).unwrap();
    peer.expect(response(1, 200)).await;
    peer.close();
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
    // What came before the end is still there.
    assert_eq!(within("data", body.data()).await.unwrap().unwrap(), "hello");
    let error = within("data", body.data()).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "stream closed because of a broken pipe");
    assert!(!error.is_remote() && !error.is_library() && error.reason().is_none());
    assert_eq!(error.get_io().unwrap().kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(error.into_io().unwrap().kind(), io::ErrorKind::BrokenPipe);
    let error = poll_fn(|cx| send.poll_reset(cx)).await.unwrap_err();
    assert_eq!(error.get_io().unwrap().kind(), io::ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn a_request_that_was_whole_outlives_the_wire() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "POST", "https://example.com/"));
    peer.send(data(1, "hello").end_stream());
    let (request, _respond) = accepted(&mut requests).await;
    peer.close();
    within("the end", ending).await.unwrap().unwrap();
    let mut body = request.into_body();
    assert_eq!(within("data", body.data()).await.unwrap().unwrap(), "hello");
    // The response will not come: the stream has failed, whatever half of it was whole.
    assert!(within("data", body.data()).await.unwrap().unwrap_err().is_io());
}

/// As a TLS session does whose peer left without a close_notify.
#[tokio::test]
async fn an_unexpected_end_is_no_error_if_nothing_was_left_to_say() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "POST", "https://example.com/"));
    peer.send(data(1, "hello"));
    let (_request, mut respond) = accepted(&mut requests).await;
    let _send = respond.send_response(status(200), false).unwrap();
    peer.expect(response(1, 200)).await;
    peer.break_reads(io::ErrorKind::UnexpectedEof);
    within("the end", ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_wire_that_breaks_is_an_error() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "POST", "https://example.com/"));
    let (request, mut respond) = accepted(&mut requests).await;
    peer.break_reads(io::ErrorKind::ConnectionReset);
    let error = within("the end", ending).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), io::Error::from(io::ErrorKind::ConnectionReset).to_string());
    assert!(error.is_io() && error.reason().is_none() && !error.is_remote() && !error.is_library());
    assert_eq!(error.into_io().unwrap().kind(), io::ErrorKind::ConnectionReset);

    let error = within("data", request.into_body().data()).await.unwrap().unwrap_err();
    assert_eq!(error.into_io().unwrap().kind(), io::ErrorKind::ConnectionReset);
    let error = poll_fn(|cx| respond.poll_reset(cx)).await.unwrap_err();
    assert_eq!(error.into_io().unwrap().kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_wire_that_takes_no_more_is_an_error() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (_request, mut respond) = accepted(&mut requests).await;
    peer.break_writes(io::ErrorKind::BrokenPipe);
    respond.send_response(status(200), true).unwrap();
    let error = within("the end", ending).await.unwrap().unwrap_err();
    assert_eq!(error.into_io().unwrap().kind(), io::ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn the_wire_must_not_end_within_a_frame() {
    let (_requests, ending, mut peer) = server().await;
    peer.send_octets(&[0, 0, 8, PING]);
    peer.close();
    let error = within("the end", ending).await.unwrap().unwrap_err();
    assert!(error.is_io(), "{error:?}");
}

#[tokio::test]
async fn requests_that_wait_are_gone_with_the_connection() {
    let (mut connection, mut peer) = idle_server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    connection.drive(peer.idle()).await;
    peer.close();
    closed(&mut connection).await.unwrap();
    assert!(within("the end", connection.accept()).await.is_none());
    peer.expect_end().await;
}
