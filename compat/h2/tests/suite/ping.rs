//! PING (RFC 9113 §6.7).

use std::{future::poll_fn, io};

use super::super::h2::{Ping, PingPong};
use super::endpoint::*;
use crate::mock::*;

/// What the endpoint says with its next PING.
async fn pinged(peer: &mut Peer) -> [u8; 8] {
    match peer.next().await {
        Some(Frame::Ping { ack: false, opaque }) => opaque,
        other => panic!("expected a PING, heard {other:?}"),
    }
}

/// A client in its own task, its PINGs in the test's hands.
async fn pinging() -> (PingPong, SendRequest, Ending, Peer) {
    let (client, mut connection, peer) = idle_client().await;
    let pings = connection.ping_pong().unwrap();
    assert!(connection.ping_pong().is_none(), "one for each connection");
    (pings, client, tokio::spawn(connection), peer)
}

#[tokio::test]
async fn a_ping_is_answered() {
    let (_client, _ending, mut peer) = client().await;
    for opaque in [[0; 8], *b"any text"] {
        peer.send(ping(opaque));
        peer.expect(pong(opaque)).await;
    }
    peer.idle().await;
}

#[tokio::test]
async fn pings_are_answered_in_order() {
    let (_requests, ending, mut peer) = server().await;
    for number in 0..100 {
        peer.send(ping([number; 8]));
    }
    for number in 0..100 {
        peer.expect(pong([number; 8])).await;
    }
    peer.close();
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_ping_is_answered_before_what_comes_after_it() {
    let (mut requests, _ending, mut peer) = server().await;
    peer.send(request(1, "POST", "https://example.com/"));
    peer.send(data(1, vec![7; 16_384]).end_stream());
    peer.send(ping([1; 8]));
    let (request, mut respond) = accepted(&mut requests).await;
    assert_eq!(read_all(&mut request.into_body()).await.unwrap(), [7; 16_384]);
    respond.send_response(status(200), true).unwrap();
    peer.expect(pong([1; 8])).await;
    peer.expect(response(1, 200).end_stream()).await;
}

#[tokio::test]
async fn a_ping_is_answered_before_data_that_waits() {
    let (mut connection, mut peer) = idle_server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (_, mut respond) = within("a request", connection.accept()).await.unwrap().unwrap();
    let mut send = respond.send_response(status(200), false).unwrap();
    send.send_data(vec![7; 40_000].into(), true).unwrap();
    peer.send(ping([1; 8]));
    let (_requests, _ending) = accept_all(connection);
    peer.expect(pong([1; 8])).await;
    peer.expect(response(1, 200)).await;
}

#[tokio::test]
async fn answers_that_nobody_waits_for_are_ignored() {
    let (_pings, _client, ending, mut peer) = pinging().await;
    peer.send(pong([1; 8]));
    peer.send(pong([0; 8]));
    peer.idle().await;
    assert!(!ending.is_finished());
}

#[tokio::test]
async fn one_ping_of_the_application_at_a_time() {
    let (mut pings, client, ending, mut peer) = pinging().await;
    let waiting = "user error: send_ping before received previous pong";
    pings.send_ping(Ping::opaque()).unwrap();
    assert_eq!(pings.send_ping(Ping::opaque()).unwrap_err().to_string(), waiting);
    let opaque = pinged(&mut peer).await;
    peer.idle().await;
    assert_eq!(pings.send_ping(Ping::opaque()).unwrap_err().to_string(), waiting);
    peer.send(pong(opaque));
    turns().await;
    // The answer is there, and not taken.
    assert_eq!(pings.send_ping(Ping::opaque()).unwrap_err().to_string(), waiting);
    within("the pong", poll_fn(|cx| pings.poll_pong(cx))).await.unwrap();

    pings.send_ping(Ping::opaque()).unwrap();
    let opaque = pinged(&mut peer).await;
    peer.send(pong(opaque));
    within("the pong", poll_fn(|cx| pings.poll_pong(cx))).await.unwrap();
    drop(client);
    peer.expect(goaway(0, 0u32)).await;
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_ping_waits_for_its_own_answer() {
    let (mut pings, _client, _ending, mut peer) = pinging().await;
    let answered = tokio::spawn(async move { pings.ping(Ping::opaque()).await.map(|_| pings) });
    let opaque = pinged(&mut peer).await;
    peer.send(pong(opaque.map(|octet| !octet)));
    peer.idle().await;
    assert!(!answered.is_finished());
    // The same octets in a PING of the peer are no answer.
    peer.send(ping(opaque));
    peer.expect(pong(opaque)).await;
    assert!(!answered.is_finished());
    peer.send(pong(opaque));
    within("the pong", answered).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_pings_too() {
    let (mut connection, mut peer) = idle_server().await;
    let mut pings = connection.ping_pong().unwrap();
    assert!(connection.ping_pong().is_none(), "one for each connection");
    let (_requests, _ending) = accept_all(connection);
    pings.send_ping(Ping::opaque()).unwrap();
    let opaque = pinged(&mut peer).await;
    peer.send(pong(opaque));
    within("the pong", poll_fn(|cx| pings.poll_pong(cx))).await.unwrap();
}

#[tokio::test]
async fn pings_do_not_keep_a_connection() {
    let (pings, client, ending, mut peer) = pinging().await;
    drop(client);
    peer.expect(goaway(0, 0u32)).await;
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
    drop(pings);
}

#[tokio::test]
async fn the_end_of_the_connection_wakes_who_waits_for_a_pong() {
    let (_client, mut connection, peer) = idle_client().await;
    let mut pings = connection.ping_pong().unwrap();
    let waiting = tokio::spawn(async move {
        let error = poll_fn(|cx| pings.poll_pong(cx)).await.unwrap_err();
        (error, pings)
    });
    turns().await;
    assert!(!waiting.is_finished());
    drop(connection);
    drop(peer);
    let (error, mut pings) = within("the pong", waiting).await.unwrap();
    assert_eq!(error.into_io().unwrap().kind(), io::ErrorKind::BrokenPipe);
    let error = pings.send_ping(Ping::opaque()).unwrap_err();
    assert_eq!(error.to_string(), "broken pipe");
    assert_eq!(error.into_io().unwrap().kind(), io::ErrorKind::BrokenPipe);
}
