//! What is written, however slowly the wire takes it.

use super::{
    super::{
        super::h2::{Reason, client},
        endpoint::*,
    },
    URI,
};
use crate::mock::*;

#[tokio::test]
async fn data_is_cut_to_the_frames_of_the_peer() {
    let larger = [(MAX_FRAME_SIZE, 20_000)];
    let (mut client, _connection, mut peer) = client_with(&client::Builder::new(), &larger).await;
    let (_answer, mut upload) = client.send_request(post(URI), false).unwrap();
    upload.send_data(vec![1; 50_000].into(), true).unwrap();
    peer.expect(request(1, "POST", URI)).await;
    peer.expect(data(1, vec![1; 20_000])).await;
    peer.expect(data(1, vec![1; 20_000])).await;
    peer.expect(data(1, vec![1; 10_000]).end_stream()).await;
}

#[tokio::test]
async fn chunks_keep_their_bounds_and_order() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut upload) = client.send_request(post(URI), false).unwrap();
    for chunk in ["one", "two", "", "three"] {
        upload.send_data(chunk.into(), false).unwrap();
    }
    upload.send_data("".into(), true).unwrap();
    peer.expect(request(1, "POST", URI)).await;
    for chunk in ["one", "two", "", "three"] {
        peer.expect(data(1, chunk)).await;
    }
    peer.expect(data(1, "").end_stream()).await;
    peer.idle().await;
}

#[tokio::test]
async fn a_full_wire_only_delays() {
    let (mut client, _connection, mut peer) = client().await;
    peer.hold_writes();
    let (answer, mut upload) = client.send_request(post(URI), false).unwrap();
    upload.send_data(vec![7; 40_000].into(), true).unwrap();
    peer.send(ping([1; 8]));
    turns().await;
    assert_eq!(peer.unread(), 0);
    for _ in 0..100 {
        peer.allow_writes(7);
        turns().await;
    }
    assert_eq!(peer.unread(), 700);
    peer.release_writes();

    let mut octets = 0;
    let mut ponged = false;
    let mut last = false;
    while !last {
        match peer.next().await.unwrap() {
            Frame::Data { stream: 1, data, end_stream } => {
                assert!(data.iter().all(|octet| *octet == 7));
                octets += data.len();
                last = end_stream;
            }
            frame if frame == pong([1; 8]) => ponged = true,
            frame => assert_eq!(frame.canonical(), request(1, "POST", URI).canonical()),
        }
    }
    assert_eq!((octets, ponged), (40_000, true));
    peer.send(response(1, 200).end_stream());
    within("the response", answer).await.unwrap();
}

#[tokio::test]
async fn reading_goes_on_while_writing_cannot() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, mut upload) = client.send_request(post(URI), false).unwrap();
    peer.expect(request(1, "POST", URI)).await;
    peer.hold_writes();
    upload.send_data("held".into(), true).unwrap();
    turns().await;
    peer.send(response(1, 200));
    peer.send(data(1, "read").end_stream());
    let mut body = within("the response", answer).await.unwrap().into_body();
    assert_eq!(read_all(&mut body).await.unwrap(), b"read");
    peer.release_writes();
    peer.expect(data(1, "held").end_stream()).await;
}

#[tokio::test]
async fn a_goodbye_is_written_before_the_end() {
    let (client, connection, mut peer) = client().await;
    peer.hold_writes();
    drop(client);
    turns().await;
    assert!(!connection.is_finished());
    peer.release_writes();
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    ended(connection).await.unwrap();
}

#[tokio::test]
async fn what_is_ready_at_once_is_written_at_once() {
    let (client, _connection, mut peer) = client().await;
    let before = peer.writes();
    let mut answers = Vec::new();
    for _ in 0..20 {
        let mut clone = client.clone();
        let (answer, mut upload) = clone.send_request(post(URI), false).unwrap();
        upload.send_data("small".into(), true).unwrap();
        answers.push(answer);
    }
    turns().await;
    for _ in 0..40 {
        peer.next().await.unwrap();
    }
    peer.idle().await;
    // Forty frames, not forty writes.
    assert!(peer.writes() - before <= 4, "{} writes", peer.writes() - before);
}
