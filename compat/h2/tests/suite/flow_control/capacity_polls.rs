//! `poll_capacity` tells each time that the capacity has grown, and never twice.

use super::super::super::h2::{Reason, client::Builder};
use super::*;

#[tokio::test]
async fn growth_is_told_once() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    assert_eq!(capacity_now(&mut stream), Poll::Pending);
    stream.reserve_capacity(100);
    assert_eq!(capacity_now(&mut stream), grown(100));
    assert_eq!((capacity_now(&mut stream), stream.capacity()), (Poll::Pending, 100));
    stream.send_data(zeros(40), false).unwrap();
    assert_eq!(capacity_now(&mut stream), Poll::Pending);
    peer.expect(data(1, zeros(40))).await;
    assert_eq!((capacity_now(&mut stream), stream.capacity()), (Poll::Pending, 60));
    stream.reserve_capacity(70);
    assert_eq!(capacity_now(&mut stream), grown(70));
    stream.reserve_capacity(10);
    assert_eq!((capacity_now(&mut stream), stream.capacity()), (Poll::Pending, 10));
    stream.reserve_capacity(20);
    assert_eq!(capacity_now(&mut stream), grown(20));
    stream.send_data(Bytes::new(), true).unwrap();
    assert_eq!(capacity_now(&mut stream), Poll::Ready(None));
}

#[tokio::test]
async fn growth_ends_at_the_send_buffer() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.reserve_capacity(1 << 20);
    assert_eq!(capacity_now(&mut stream), grown(WINDOW));
    peer.send(window_update(1, 1 << 20));
    turns().await;
    assert_eq!(capacity_now(&mut stream), Poll::Pending);
    peer.send(window_update(0, 1 << 20));
    turns().await;
    assert_eq!(capacity_now(&mut stream), grown(400 * 1_024), "the default of max_send_buffer_size");
}

#[tokio::test]
async fn capacity_comes_after_the_buffered_data() {
    let (mut client, _connection, mut peer) = client_with(&Builder::new(), &[(INITIAL_WINDOW_SIZE, 5)]).await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_data("abcde".into(), false).unwrap();
    stream.reserve_capacity(5);
    assert_eq!(stream.capacity(), 0);
    peer.expect(data(1, "abcde")).await;
    assert_eq!(capacity_now(&mut stream), Poll::Pending);
    peer.send(window_update(1, 5));
    capacity_of(&mut stream, 5).await;
    stream.send_data(Bytes::new(), true).unwrap();
    peer.expect(data(1, "").end_stream()).await;
}

#[tokio::test]
async fn a_full_send_buffer_leaves_no_capacity_until_it_is_written() {
    let (mut client, _connection, mut peer) =
        client_with(Builder::new().max_send_buffer_size(5), &[(INITIAL_WINDOW_SIZE, 10)]).await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_data("abcde".into(), false).unwrap();
    stream.reserve_capacity(5);
    assert_eq!(stream.capacity(), 0);
    capacity_of(&mut stream, 5).await;
    peer.expect(data(1, "abcde")).await;
    stream.send_data(Bytes::new(), true).unwrap();
    peer.expect(data(1, "").end_stream()).await;
}

#[tokio::test]
async fn more_than_the_send_buffer_can_be_given() {
    let (mut client, _connection, mut peer) = client_with(Builder::new().max_send_buffer_size(5), &[]).await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    assert_eq!(stream.capacity(), 0);
    stream.reserve_capacity(10);
    assert_eq!(stream.capacity(), 5);
    stream.send_data(zeros(10), false).unwrap();
    stream.reserve_capacity(15);
    assert_eq!(stream.capacity(), 0);
    stream.send_data(Bytes::new(), true).unwrap();
    peer.expect(data(1, zeros(10))).await;
    peer.expect(data(1, "").end_stream()).await;
}

#[tokio::test]
async fn a_small_send_buffer_is_filled_again_and_again() {
    let (mut client, _connection, mut peer) = client_with(Builder::new().max_send_buffer_size(5), &[]).await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.reserve_capacity(20);
    assert_eq!(stream.capacity(), 5);
    let sender = tokio::spawn(async move {
        let mut left = 20;
        while left > 0 {
            let capacity = poll_fn(|cx| stream.poll_capacity(cx)).await.unwrap().unwrap();
            stream.send_data(zeros(capacity), false).unwrap();
            left -= capacity;
        }
        stream.send_data(Bytes::new(), true).unwrap();
        stream
    });
    expect_data(&mut peer, 1, &[5; 4]).await;
    peer.expect(data(1, "").end_stream()).await;
    sender.await.unwrap();
}

#[tokio::test]
async fn a_window_update_behind_a_full_send_buffer_is_not_told_as_nothing() {
    let (mut client, _connection, mut peer) =
        client_with(Builder::new().max_send_buffer_size(5), &[(INITIAL_WINDOW_SIZE, 10)]).await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_data("abcde".into(), false).unwrap();
    stream.reserve_capacity(10);
    assert_eq!(stream.capacity(), 0);
    peer.expect(data(1, "abcde")).await;
    capacity_of(&mut stream, 5).await;
    peer.send(window_update(1, 5));
    peer.send(window_update(1, 5));
    turns().await;
    stream.send_data("fghij".into(), false).unwrap();
    stream.reserve_capacity(5);
    assert_eq!(stream.capacity(), 0);
    capacity_of(&mut stream, 5).await;
    peer.expect(data(1, "fghij")).await;
    stream.send_data(Bytes::new(), true).unwrap();
    peer.expect(data(1, "").end_stream()).await;
}

#[tokio::test]
async fn growth_that_is_gone_is_not_told() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.reserve_capacity(100);
    peer.send(settings(&[(INITIAL_WINDOW_SIZE, 0)]));
    peer.expect(settings_ack()).await;
    assert_eq!(stream.capacity(), 0);
    assert_eq!(capacity_now(&mut stream), Poll::Pending);
    peer.send(window_update(1, 8));
    turns().await;
    assert_eq!(capacity_now(&mut stream), grown(8));
}

/// The last answer of `poll_capacity` for a stream that waits while `end` happens.
async fn answer_after(end: impl FnOnce(&mut Peer)) -> Option<Result<usize, h2::Error>> {
    let (mut client, _connection, mut peer) = client_with(&Builder::new(), &[(INITIAL_WINDOW_SIZE, 0)]).await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.reserve_capacity(1);
    let waiter = tokio::spawn(async move { poll_fn(|cx| stream.poll_capacity(cx)).await });
    turns().await;
    assert!(!waiter.is_finished());
    end(&mut peer);
    within("the waiter", waiter).await.unwrap()
}

#[tokio::test]
async fn the_end_of_the_stream_wakes_who_waits() {
    assert!(answer_after(|peer| peer.send(reset(1, Reason::CANCEL))).await.is_none());
    let malformed = response(1, 200).field("content-length", "1").end_stream();
    assert!(answer_after(|peer| peer.send(malformed)).await.is_none());
    assert!(answer_after(|peer| peer.send(goaway(0, Reason::NO_ERROR))).await.is_none());
    assert!(answer_after(|peer| peer.send(window_update(0, MAX_WINDOW))).await.is_none());
    assert!(answer_after(Peer::close).await.is_none());
}
