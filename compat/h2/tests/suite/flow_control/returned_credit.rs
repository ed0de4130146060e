//! Credit of the connection that comes back without being released: nobody will read the data.

use super::super::super::h2::Reason;
use super::*;

const TWO: u32 = 2 * FRAME as u32;

#[tokio::test]
async fn a_body_that_nobody_takes_gives_its_credit_back() {
    let (mut client, _connection, mut peer) = client().await;
    let body = fetch(&mut client, &mut peer, 1, &[FRAME]).await;
    peer.send(data(1, zeros(FRAME)).end_stream());
    peer.idle().await;
    drop(body);
    peer.expect(window_update(0, TWO)).await;
    peer.idle().await;
    let _body = fetch(&mut client, &mut peer, 3, &[]).await;
}

#[tokio::test]
async fn data_that_was_read_but_not_released_comes_back_with_the_last_handle() {
    let (mut client, _connection, mut peer) = client().await;
    let mut body = fetch(&mut client, &mut peer, 1, &[FRAME]).await;
    peer.send(data(1, zeros(FRAME)).end_stream());
    take(&mut body, FRAME).await;
    take(&mut body, FRAME).await;
    let credit = body.flow_control().clone();
    drop(body);
    peer.idle().await;
    drop(credit);
    peer.expect(window_update(0, TWO)).await;
}

#[tokio::test]
async fn credit_can_be_released_when_the_body_is_gone() {
    let (mut client, _connection, mut peer) = client().await;
    let mut body = fetch(&mut client, &mut peer, 1, &[FRAME, FRAME]).await;
    take(&mut body, FRAME).await;
    take(&mut body, FRAME).await;
    let mut credit = body.flow_control().clone();
    drop(body);
    peer.idle().await;
    credit.release_capacity(2 * FRAME).unwrap();
    peer.expect(window_update(0, TWO)).await;
    peer.expect(window_update(1, TWO)).await;
    drop(credit);
    peer.expect(reset(1, Reason::CANCEL)).await;
}

#[tokio::test]
async fn a_dropped_body_takes_no_more_of_the_connection() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, _stream) = open(&mut client, &mut peer, 1).await;
    peer.send(response(1, 200));
    peer.send(data(1, zeros(FRAME)));
    peer.send(data(1, zeros(FRAME)));
    let response = within("the response", answer).await.unwrap();
    peer.idle().await;
    drop(response);
    peer.expect(window_update(0, TWO)).await;
    // The request goes on, so there is no reset; what still comes is thrown away.
    peer.idle().await;
    peer.send(data(1, zeros(FRAME)));
    peer.idle().await;
    peer.send(data(1, zeros(FRAME - 1)));
    peer.expect(window_update(0, TWO - 1)).await;
    peer.idle().await;
}

#[tokio::test]
async fn data_after_our_reset_gives_its_credit_back() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_reset(Reason::CANCEL);
    peer.expect(reset(1, Reason::CANCEL)).await;
    peer.send(response(1, 200));
    peer.send(data(1, zeros(FRAME)));
    peer.idle().await;
    peer.send(data(1, zeros(FRAME)));
    peer.expect(window_update(0, TWO)).await;
    peer.idle().await;
}

#[tokio::test]
async fn data_after_our_reset_must_still_fit_in_the_connection_window() {
    let (mut client, connection, mut peer) = client().await;
    let mut body = fetch(&mut client, &mut peer, 1, &[FRAME, FRAME, FRAME]).await;
    for _ in 0..3 {
        take(&mut body, FRAME).await;
    }
    let (_answer, mut stream) = open(&mut client, &mut peer, 3).await;
    stream.send_reset(Reason::CANCEL);
    peer.expect(reset(3, Reason::CANCEL)).await;
    peer.send(data(3, zeros(FRAME)));
    peer.expect(goaway(0, Reason::FLOW_CONTROL_ERROR)).await;
    assert_eq!(connection.await.unwrap().unwrap_err().reason(), Some(Reason::FLOW_CONTROL_ERROR));
}

#[tokio::test]
async fn malformed_data_gives_its_credit_back() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(response(1, 200).field("content-length", &(3 * FRAME).to_string()));
    let mut body = within("the response", answer).await.unwrap().into_body();
    let mut credit = body.flow_control().clone();
    peer.send(data(1, zeros(FRAME)));
    peer.send(data(1, zeros(FRAME)));
    peer.send(data(1, zeros(10)).end_stream());
    peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;
    take(&mut body, FRAME).await;
    take(&mut body, FRAME).await;
    let error = within("an error", body.data()).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "stream error detected: unspecific protocol error detected");
    credit.release_capacity(2 * FRAME).unwrap();
    peer.expect(window_update(0, TWO + 10)).await;
    peer.idle().await;
    drop(peer);
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn data_before_a_reset_by_the_peer_can_be_read_and_released() {
    let (mut client, _connection, mut peer) = client().await;
    let mut body = fetch(&mut client, &mut peer, 1, &[FRAME, FRAME]).await;
    peer.send(reset(1, Reason::INTERNAL_ERROR));
    peer.idle().await;
    take(&mut body, FRAME).await;
    take(&mut body, FRAME).await;
    assert!(within("an error", body.data()).await.unwrap().unwrap_err().is_remote());
    body.flow_control().release_capacity(2 * FRAME).unwrap();
    peer.expect(window_update(0, TWO)).await;
    peer.idle().await;
}

#[tokio::test]
async fn padding_of_a_reset_stream_comes_back_too() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_reset(Reason::CANCEL);
    peer.expect(reset(1, Reason::CANCEL)).await;
    let payload = [&[255][..], &zeros(FRAME - 1)].concat();
    peer.send(raw(DATA, PADDED, 1, &payload));
    peer.send(raw(DATA, PADDED, 1, &payload));
    peer.expect(window_update(0, TWO)).await;
}

#[tokio::test]
async fn data_of_streams_above_our_goaway_gives_its_credit_back() {
    let (mut connection, mut peer) = idle_server().await;
    peer.send(request(1, "POST", URI));
    let first = within("a request", connection.accept()).await.unwrap().unwrap();
    connection.graceful_shutdown();
    let (requests, _connection) = accept_all(connection);
    peer.expect(goaway(MAX_WINDOW, Reason::NO_ERROR)).await;
    let Some(Frame::Ping { ack: false, opaque }) = peer.next().await else { panic!("no PING") };
    peer.send(pong(opaque));
    peer.expect(goaway(1, Reason::NO_ERROR)).await;
    peer.send(request(3, "POST", URI));
    peer.send(data(3, zeros(FRAME)));
    peer.send(data(3, zeros(FRAME)));
    peer.expect(window_update(0, TWO)).await;
    peer.idle().await;
    drop((first, requests));
}
