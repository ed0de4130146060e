//! Streams that end before their time (RFC 9113 §5.4.2, §6.4).

use std::future::poll_fn;

use bytes::Bytes;
use tokio_test::{assert_pending, assert_ready_err, task};

use super::{
    super::{
        super::h2::{Reason, client},
        endpoint::*,
    },
    URI,
};
use crate::mock::*;

#[tokio::test]
async fn our_reset_wakes_the_reader_of_the_response() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, mut upload) = client.send_request(post(URI), false).unwrap();
    peer.expect(request(1, "POST", URI)).await;
    peer.send(response(1, 200));
    let mut body = within("the response", answer).await.unwrap().into_body();
    let mut chunk = task::spawn(body.data());
    assert_pending!(chunk.poll());
    upload.send_reset(Reason::REFUSED_STREAM);
    assert!(chunk.is_woken());
    let error = within("data", chunk).await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "stream error sent by user: refused stream before processing any application logic"
    );
    assert!(error.is_reset() && !error.is_remote() && !error.is_library());
    peer.expect(reset(1, Reason::REFUSED_STREAM)).await;
    drop((client, upload, body));
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    ended(connection).await.unwrap();
}

#[tokio::test]
async fn our_reset_fails_the_response_that_is_awaited() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, mut upload) = client.send_request(post(URI), false).unwrap();
    peer.expect(request(1, "POST", URI)).await;
    let mut answer = task::spawn(answer);
    assert_pending!(answer.poll());
    upload.send_reset(Reason::CANCEL);
    assert!(answer.is_woken());
    let error = assert_ready_err!(answer.poll());
    assert_eq!(error.to_string(), "stream error sent by user: stream no longer needed");
    peer.expect(reset(1, Reason::CANCEL)).await;
    // One is enough.
    upload.send_reset(Reason::INTERNAL_ERROR);
    let error = upload.send_data("hello".into(), true).unwrap_err();
    assert_eq!(error.to_string(), "user error: inactive stream");
    let reason = within("a reset", poll_fn(|cx| upload.poll_reset(cx))).await.unwrap();
    assert_eq!(reason, Reason::CANCEL);
    drop((answer, upload));
    peer.idle().await;
}

#[tokio::test]
async fn a_reset_never_comes_before_its_headers() {
    let (io, mut peer) = pipe();
    let (mut client, connection) = client::handshake(io).await.unwrap();
    let (_answer, mut upload) = client.send_request(post(URI), false).unwrap();
    upload.send_data("lost?".into(), false).unwrap();
    upload.send_reset(Reason::INTERNAL_ERROR);
    tokio::spawn(connection);
    peer.be_server(&[]).await;
    peer.expect(request(1, "POST", URI)).await;
    // Whether data is still sent is the client's choice.
    let mut next = peer.next().await.unwrap();
    if next == data(1, "lost?") {
        next = peer.next().await.unwrap();
    }
    assert_eq!(next, reset(1, Reason::INTERNAL_ERROR));
    peer.idle().await;
}

#[tokio::test]
async fn a_request_that_nobody_awaits_is_cancelled() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, upload) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    drop(upload);
    peer.idle().await;
    drop(answer);
    peer.expect(reset(1, Reason::CANCEL)).await;
    // What was on its way is of no concern.
    peer.send(response(1, 200));
    peer.send(data(1, "hello").end_stream());
    peer.idle().await;
}

#[tokio::test]
async fn a_response_that_nobody_reads_is_cancelled() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, upload) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    drop(upload);
    peer.send(response(1, 200));
    peer.send(data(1, "hello"));
    let answer = within("the response", answer).await.unwrap();
    peer.idle().await;
    drop(answer);
    peer.expect(reset(1, Reason::CANCEL)).await;
}

#[tokio::test]
async fn a_stream_that_is_complete_is_not_cancelled() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, upload) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(response(1, 200));
    peer.send(data(1, "never read").end_stream());
    let answer = within("the response", answer).await.unwrap();
    turns().await;
    drop((answer, upload));
    peer.idle().await;
}

#[tokio::test]
async fn an_upload_that_nobody_finishes_is_cancelled() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, mut upload) = client.send_request(post(URI), false).unwrap();
    upload.send_data("half".into(), false).unwrap();
    peer.expect(request(1, "POST", URI)).await;
    peer.expect(data(1, "half")).await;
    peer.send(response(1, 200).end_stream());
    let answer = within("the response", answer).await.unwrap();
    drop(answer);
    peer.idle().await;
    drop(upload);
    peer.expect(reset(1, Reason::CANCEL)).await;
}

#[tokio::test]
async fn a_reset_of_the_server_reaches_whoever_waits_for_it() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, mut upload) = client.send_request(post(URI), false).unwrap();
    peer.expect(request(1, "POST", URI)).await;
    let mut answer = task::spawn(answer);
    assert_pending!(answer.poll());
    let mut gone = task::spawn(poll_fn(|cx| upload.poll_reset(cx)));
    assert_pending!(gone.poll());
    peer.send(reset(1, Reason::REFUSED_STREAM));
    turns().await;
    assert!(gone.is_woken() && answer.is_woken());
    assert_eq!(within("the reset", gone).await.unwrap(), Reason::REFUSED_STREAM);
    let error = assert_ready_err!(answer.poll());
    assert_eq!(
        error.to_string(),
        "stream error received: refused stream before processing any application logic"
    );
    assert!(error.is_reset() && error.is_remote() && !error.is_library());
    assert_eq!(error.reason(), Some(Reason::REFUSED_STREAM));
    drop((answer, upload));
    peer.idle().await;
}

#[tokio::test]
async fn a_reset_of_unknown_code_keeps_it() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(reset(1, 0xbadu32));
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.reason().map(u32::from), Some(0xbad));
    assert_eq!(error.to_string(), "stream error received: unknown reason");
}

#[tokio::test]
async fn a_reset_of_a_request_that_is_not_all_sent_frees_its_stream() {
    const WINDOW: usize = 65_535;
    const FRAME: usize = 16_384;
    let (mut client, connection, mut peer) = client().await;
    let (answer, mut upload) = client.send_request(get(URI), false).unwrap();
    upload.send_data(Bytes::from(vec![0; 2 * WINDOW]), true).unwrap();
    peer.expect(request(1, "GET", URI)).await;
    for octets in [FRAME, FRAME, FRAME, FRAME - 1] {
        peer.expect(data(1, vec![0; octets])).await;
    }
    peer.idle().await;
    peer.send(reset(1, Reason::REFUSED_STREAM));
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::REFUSED_STREAM));
    drop((client, upload));
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    ended(connection).await.unwrap();
}

#[tokio::test]
async fn a_reset_frees_a_place_for_the_next_request() {
    let one = [(MAX_CONCURRENT_STREAMS, 1)];
    let (mut client, _connection, mut peer) = client_with(&client::Builder::new(), &one).await;
    let (first, mut upload) = client.send_request(post(URI), false).unwrap();
    peer.expect(request(1, "POST", URI)).await;
    let mut clone = client.clone();
    let _second = clone.send_request(get(URI), true).unwrap();
    let _third = client.send_request(get(URI), true).unwrap();
    peer.idle().await;
    upload.send_reset(Reason::CANCEL);
    peer.expect(reset(1, Reason::CANCEL)).await;
    peer.expect(request(3, "GET", URI).end_stream()).await;
    peer.idle().await;
    peer.send(reset(3, Reason::REFUSED_STREAM));
    peer.expect(request(5, "GET", URI).end_stream()).await;
    within("the first response", first).await.unwrap_err();
}
