//! SETTINGS_INITIAL_WINDOW_SIZE of the peer moves the windows of all streams that send (RFC 9113 §6.9.2).

use super::super::super::h2::client::Builder;
use super::*;

#[tokio::test]
async fn a_window_of_nothing_is_opened_by_window_updates() {
    let (mut client, _connection, mut peer) = client_with(&Builder::new(), &[(INITIAL_WINDOW_SIZE, 0)]).await;
    let (answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.reserve_capacity(11);
    peer.idle().await;
    assert_eq!(stream.capacity(), 0);
    peer.send(window_update(0, 11));
    peer.send(window_update(1, 11));
    capacity_of(&mut stream, 11).await;
    assert_eq!(stream.capacity(), 11);
    stream.send_data("hello world".into(), true).unwrap();
    peer.expect(data(1, "hello world").end_stream()).await;
    peer.send(response(1, 204).end_stream());
    assert_eq!(within("the response", answer).await.unwrap().status(), 204);
}

#[tokio::test]
async fn the_first_settings_hold_for_a_request_made_before_them() {
    let (io, mut peer) = pipe();
    let (mut client, connection) = h2::client::handshake(io).await.unwrap();
    let _connection = tokio::spawn(connection);
    let (_answer, mut stream) = client.send_request(post(URI), false).unwrap();
    peer.expect_preface().await;
    peer.expect(settings(&[])).await;
    peer.expect(request(1, "POST", URI)).await;
    stream.reserve_capacity(WINDOW);
    assert_eq!(stream.capacity(), WINDOW);
    peer.send(settings(&[(INITIAL_WINDOW_SIZE, 64)]));
    peer.expect(settings_ack()).await;
    assert_eq!(stream.capacity(), 64);
}

#[tokio::test]
async fn a_smaller_window_leaves_the_capacity_that_fits() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.reserve_capacity(11);
    peer.send(settings(&[(INITIAL_WINDOW_SIZE, 64)]));
    peer.expect(settings_ack()).await;
    assert_eq!(stream.capacity(), 11);
    stream.send_data("hello world".into(), true).unwrap();
    peer.expect(data(1, "hello world").end_stream()).await;
}

#[tokio::test]
async fn data_follows_the_window_as_it_opens() {
    let (mut client, _connection, mut peer) = client_with(&Builder::new(), &[(INITIAL_WINDOW_SIZE, 0)]).await;
    let (answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_data("hello world".into(), true).unwrap();
    peer.idle().await;
    peer.send(settings(&[(INITIAL_WINDOW_SIZE, 10)]));
    peer.expect(settings_ack()).await;
    peer.expect(data(1, "hello worl")).await;
    peer.idle().await;
    peer.send(settings(&[(INITIAL_WINDOW_SIZE, 11)]));
    peer.expect(settings_ack()).await;
    peer.expect(data(1, "d").end_stream()).await;
    peer.send(response(1, 204).end_stream());
    assert_eq!(within("the response", answer).await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_smaller_window_gives_capacity_to_other_streams() {
    let (mut client, _connection, mut peer) = client().await;
    let (first_answer, mut first) = open(&mut client, &mut peer, 1).await;
    let (second_answer, mut second) = open(&mut client, &mut peer, 3).await;
    first.reserve_capacity(WINDOW);
    capacity_of(&mut first, WINDOW).await;
    second.reserve_capacity(11);
    assert_eq!(second.capacity(), 0);

    peer.send(settings(&[(INITIAL_WINDOW_SIZE, 0)]));
    peer.expect(settings_ack()).await;
    assert_eq!((first.capacity(), second.capacity()), (0, 0));
    peer.send(window_update(3, 11));
    capacity_of(&mut second, 11).await;
    second.send_data("hello world".into(), true).unwrap();
    peer.expect(data(3, "hello world").end_stream()).await;

    peer.send(settings(&[(INITIAL_WINDOW_SIZE, WINDOW as u32)]));
    peer.expect(settings_ack()).await;
    capacity_of(&mut first, 11).await;
    assert_eq!(first.capacity(), WINDOW - 11);
    first.send_data("hello world".into(), true).unwrap();
    peer.expect(data(1, "hello world").end_stream()).await;

    for (id, answer) in [(1, first_answer), (3, second_answer)] {
        peer.send(response(id, 204).end_stream());
        assert_eq!(within("the response", answer).await.unwrap().status(), 204);
    }
}

#[tokio::test]
async fn larger_windows_are_filled_in_the_order_of_the_streams() {
    let (mut client, _connection, mut peer) =
        client_with(&Builder::new(), &[(INITIAL_WINDOW_SIZE, 10)]).await;
    let mut streams = Vec::new();
    for id in [1, 3, 5] {
        streams.push(open(&mut client, &mut peer, id).await);
    }
    for (_, stream) in streams.iter_mut().rev() {
        stream.reserve_capacity(40_000);
    }
    peer.send(settings(&[(INITIAL_WINDOW_SIZE, WINDOW as u32)]));
    peer.expect(settings_ack()).await;
    let capacities = streams.iter().map(|(_, stream)| stream.capacity()).collect::<Vec<_>>();
    assert_eq!(capacities, [40_000, WINDOW - 40_010, 10]);
}

#[tokio::test]
async fn a_window_below_what_was_sent_is_in_debt() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_data(zeros(100), false).unwrap();
    stream.reserve_capacity(5);
    peer.expect(data(1, zeros(100))).await;
    peer.send(settings(&[(INITIAL_WINDOW_SIZE, 40)]));
    peer.expect(settings_ack()).await;
    assert_eq!(stream.capacity(), 0);
    peer.send(window_update(1, 60));
    turns().await;
    assert_eq!(stream.capacity(), 0, "100 sent of 40 + 60");
    peer.send(window_update(1, 2));
    capacity_of(&mut stream, 2).await;
    assert_eq!(stream.capacity(), 2);
}

#[tokio::test]
async fn a_larger_window_helps_a_stream_that_has_used_it_up() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_data(zeros(WINDOW + 1), true).unwrap();
    expect_window(&mut peer, 1).await;
    peer.send(settings(&[(INITIAL_WINDOW_SIZE, WINDOW as u32 + 1)]));
    peer.expect(settings_ack()).await;
    peer.idle().await;
    peer.send(window_update(0, 1));
    peer.expect(data(1, zeros(1)).end_stream()).await;
    peer.send(response(1, 200).end_stream());
    within("the response", answer).await.unwrap();
}

#[tokio::test]
async fn windows_that_jump_far_up_and_down_are_survived() {
    let (mut connection, mut peer) = idle_server().await;
    // HEADERS without the fields that a request must have: only a trace of the stream is left.
    peer.send(raw(HEADERS, END_HEADERS | END_STREAM, 1, []));
    for octets in [1_329_018_135, 3_809_661, 1_467_177_332, 3_844_989] {
        peer.send(settings(&[(INITIAL_WINDOW_SIZE, octets)]));
    }
    drop(peer);
    within("the end", poll_fn(|cx| connection.poll_closed(cx))).await.unwrap();
}
