//! Streams that this side has reset, and what still comes for them (RFC 9113 §5.1 "closed", §5.4.2).

use std::time::Duration;

use super::super::super::h2::client::Builder;
use super::*;

/// A client that remembers the streams it has reset, however slow this machine is.
async fn mindful_client(streams: usize) -> (SendRequest, Ending, Peer) {
    let mut builder = Builder::new();
    builder.reset_stream_duration(Duration::from_secs(3600));
    builder.max_concurrent_reset_streams(streams);
    client_with(&builder, &[]).await
}

/// Sends a request on this stream, hears the start of the response, and lets go of it.
async fn cancelled(client: &mut SendRequest, peer: &mut Peer, stream: u32) {
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(stream)).await;
    peer.send(response(stream, 200));
    drop(answered(answer).await);
    peer.expect(reset(stream, Reason::CANCEL)).await;
}

#[tokio::test]
async fn data_for_a_cancelled_stream_is_ignored_and_its_credit_returned() {
    let (mut client, ending, mut peer) = mindful_client(50).await;
    cancelled(&mut client, &mut peer, 1).await;
    peer.send(data(1, vec![7; 16_384]));
    peer.idle().await;
    peer.send(data(1, vec![7; 16_384]).end_stream());
    peer.expect(window_update(0, 2 * 16_384)).await;
    peer.idle().await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn everything_else_for_a_cancelled_stream_is_ignored() {
    let (mut client, ending, mut peer) = mindful_client(50).await;
    cancelled(&mut client, &mut peer, 1).await;
    peer.send(window_update(1, 10));
    peer.send(data(1, "more"));
    peer.send(headers(1).field("number", "4").end_stream());
    peer.send(reset(1, Reason::NO_ERROR));
    peer.idle().await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_response_to_a_cancelled_request_is_ignored() {
    let (mut client, ending, mut peer) = mindful_client(50).await;
    let (answer, send) = client.send_request(post(URI), false).unwrap();
    peer.expect(posted(1)).await;
    drop((answer, send));
    peer.expect(reset(1, Reason::CANCEL)).await;
    peer.send(response(1, 200));
    peer.send(data(1, "hello").end_stream());
    peer.idle().await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_cancelled_stream_is_forgotten_after_a_while() {
    let mut builder = Builder::new();
    builder.reset_stream_duration(Duration::from_millis(10));
    let (mut client, ending, mut peer) = client_with(&builder, &[]).await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(1)).await;
    peer.send(response(1, 200));
    peer.send(data(1, vec![7; 16_384]));
    drop(answered(answer).await);
    peer.expect(reset(1, Reason::CANCEL)).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    peer.send(ping([1; 8]));
    peer.expect(pong([1; 8])).await;
    peer.send(data(1, vec![7; 16_384]));
    peer.expect(window_update(0, 2 * 16_384)).await;
    peer.expect(reset(1, Reason::STREAM_CLOSED)).await;
    peer.idle().await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn so_many_cancelled_streams_are_remembered_and_no_more() {
    let (mut client, ending, mut peer) = mindful_client(1).await;
    cancelled(&mut client, &mut peer, 1).await;
    cancelled(&mut client, &mut peer, 3).await;
    // The first is the one remembered.
    peer.send(data(1, "hello").end_stream());
    peer.idle().await;
    peer.send(data(3, "hello").end_stream());
    peer.expect(reset(3, Reason::STREAM_CLOSED)).await;
    peer.idle().await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_stream_that_the_application_has_reset() {
    let (mut client, ending, mut peer) = client().await;
    let (answer, mut send) = client.send_request(post(URI), false).unwrap();
    peer.expect(posted(1)).await;
    send.send_reset(Reason::INTERNAL_ERROR);
    peer.expect(reset(1, Reason::INTERNAL_ERROR)).await;
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.to_string(), "stream error sent by user: unexpected internal error encountered");
    assert_eq!(send.send_data("x".into(), true).unwrap_err().to_string(), "user error: inactive stream");
    farewell(peer, ending).await;
}

#[tokio::test]
async fn data_for_a_stream_that_the_peer_has_reset() {
    let (mut client, ending, mut peer) = client().await;
    let (answer, _send) = client.send_request(post(URI), false).unwrap();
    peer.expect(posted(1)).await;
    peer.send(response(1, 200));
    peer.send(reset(1, Reason::CANCEL));
    peer.send(data(1, "hello"));
    peer.expect(reset(1, Reason::STREAM_CLOSED)).await;
    let mut body = answered(answer).await;
    let error = within("data", body.data()).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "stream error received: stream no longer needed");
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_stream_that_has_ended_is_forgotten() {
    let (mut client, ending, mut peer) = client().await;
    for stream in [1, 3] {
        let (answer, _) = client.send_request(get(URI), true).unwrap();
        peer.expect(got(stream)).await;
        peer.send(response(stream, 200).end_stream());
        drop(answered(answer).await);
    }
    peer.send(response(1, 200));
    peer.expect(reset(1, Reason::STREAM_CLOSED)).await;
    peer.send(data(3, "hello"));
    peer.expect(reset(3, Reason::STREAM_CLOSED)).await;
    // These may have been under way.
    peer.send(window_update(3, 10));
    peer.send(reset(3, Reason::NO_ERROR));
    peer.idle().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(5)).await;
    peer.send(response(5, 200).end_stream());
    drop(answered(answer).await);
    farewell(peer, ending).await;
}

#[tokio::test]
async fn data_for_a_refused_stream_is_returned() {
    let mut builder = h2::server::Builder::new();
    builder.max_concurrent_streams(0);
    let (_requests, ending, mut peer) = server_with(&builder, &[]).await;
    peer.send(posted(1));
    peer.expect(reset(1, Reason::REFUSED_STREAM)).await;
    peer.send(data(1, vec![7; 16_384]));
    peer.send(data(1, vec![7; 16_384]));
    turns().await;
    let mut heard = Vec::new();
    while peer.unread() > 0 {
        heard.push(peer.next().await.unwrap());
    }
    // That the stream is closed may be said, or not.
    heard.retain(|frame| *frame != reset(1, Reason::STREAM_CLOSED));
    assert_eq!(heard, [window_update(0, 2 * 16_384)]);
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_reset_while_the_end_of_the_request_is_queued() {
    let (mut client, mut connection, mut peer) = idle_client().await;
    let (answer, mut send) = client.send_request(post(URI), false).unwrap();
    connection.drive(peer.expect(posted(1))).await;
    peer.send(response(1, 200));
    peer.send(headers(1).end_stream());
    let body = connection.drive(answered(answer)).await;
    send.send_trailers(http::HeaderMap::new()).unwrap();
    peer.send(reset(1, Reason::CANCEL));
    drop(send);
    peer.send(ping([1; 8]));
    connection.drive(peer.expect(pong([1; 8]))).await;
    connection.drive(peer.idle()).await;
    drop((body, client));
    let ending = tokio::spawn(connection);
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
}
