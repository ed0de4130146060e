//! How the connection's window is lent to the streams that send.

use super::super::super::h2::Reason;
use super::*;

#[tokio::test]
async fn data_needs_no_reservation() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, mut stream) = open(&mut client, &mut peer, 1).await;
    assert_eq!(stream.capacity(), 0);
    stream.send_data(zeros(1_024), true).unwrap();
    peer.expect(data(1, zeros(1_024)).end_stream()).await;
    peer.send(response(1, 204).end_stream());
    assert_eq!(within("the response", answer).await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_client_stream_is_lent_capacity_when_it_is_opened() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut stream) = client.send_request(post(URI), false).unwrap();
    stream.reserve_capacity(100);
    assert_eq!(stream.capacity(), 0, "its HEADERS have not been sent");
    peer.expect(request(1, "POST", URI)).await;
    assert_eq!(stream.capacity(), 100);
}

#[tokio::test]
async fn a_server_stream_is_lent_capacity_at_once() {
    let (mut requests, _connection, mut peer) = server().await;
    peer.send(request(1, "GET", URI).end_stream());
    let (_request, mut answer) = accepted(&mut requests).await;
    let mut stream = answer.send_response(status(200), false).unwrap();
    stream.reserve_capacity(100);
    assert_eq!(stream.capacity(), 100);
}

#[tokio::test]
async fn a_reservation_counts_on_top_of_what_is_buffered() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.reserve_capacity(100);
    assert_eq!(stream.capacity(), 100);
    stream.send_data(zeros(40), false).unwrap();
    assert_eq!(stream.capacity(), 60, "buffered data uses the reservation");
    stream.reserve_capacity(70);
    assert_eq!(stream.capacity(), 70);
    peer.expect(data(1, zeros(40))).await;
    assert_eq!(stream.capacity(), 70, "sending it changes nothing");
    stream.reserve_capacity(10);
    assert_eq!(stream.capacity(), 10);
    stream.reserve_capacity(0);
    assert_eq!(stream.capacity(), 0);
}

#[tokio::test]
async fn a_reservation_beyond_the_window_is_met_as_far_as_it_goes() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.reserve_capacity(1 << 20);
    assert_eq!(stream.capacity(), WINDOW);
    peer.send(window_update(1, 1_000));
    turns().await;
    assert_eq!(stream.capacity(), WINDOW, "the connection has no more");
    peer.send(window_update(0, 3_000));
    turns().await;
    assert_eq!(stream.capacity(), WINDOW + 1_000, "the stream has no more");
}

#[tokio::test]
async fn a_stream_takes_no_more_than_its_own_window() {
    let (mut client, _connection, mut peer) =
        client_with(&h2::client::Builder::new(), &[(INITIAL_WINDOW_SIZE, 10)]).await;
    let (_first_answer, mut first) = open(&mut client, &mut peer, 1).await;
    first.reserve_capacity(WINDOW);
    assert_eq!(first.capacity(), 10);
    let (_second_answer, mut second) = open(&mut client, &mut peer, 3).await;
    second.reserve_capacity(10);
    assert_eq!(second.capacity(), 10);
}

/// Two streams: the first has been lent the whole window, the second waits for five octets.
async fn rich_and_poor(
    client: &mut SendRequest,
    peer: &mut Peer,
) -> [(ResponseFuture, SendStream<Bytes>); 2] {
    let mut rich = open(client, peer, 1).await;
    rich.1.reserve_capacity(WINDOW);
    assert_eq!(rich.1.capacity(), WINDOW);
    let mut poor = open(client, peer, 3).await;
    poor.1.reserve_capacity(5);
    assert_eq!(poor.1.capacity(), 0);
    [rich, poor]
}

#[tokio::test]
async fn a_smaller_reservation_gives_capacity_to_who_waits() {
    let (mut client, _connection, mut peer) = client().await;
    let [(_rich_answer, mut rich), (_poor_answer, poor)] = rich_and_poor(&mut client, &mut peer).await;
    rich.reserve_capacity(WINDOW - 3);
    assert_eq!(poor.capacity(), 3);
    rich.reserve_capacity(0);
    assert_eq!(poor.capacity(), 5);
}

#[tokio::test]
async fn the_last_data_gives_back_what_it_does_not_need() {
    let (mut client, _connection, mut peer) = client().await;
    let [(_rich_answer, mut rich), (_poor_answer, mut poor)] = rich_and_poor(&mut client, &mut peer).await;
    rich.send_data(Bytes::new(), true).unwrap();
    assert_eq!(poor.capacity(), 5);
    poor.send_data("hello".into(), true).unwrap();
    peer.expect(data(1, "").end_stream()).await;
    peer.expect(data(3, "hello").end_stream()).await;
}

#[tokio::test]
async fn trailers_give_back_all() {
    let (mut client, _connection, mut peer) = client().await;
    let [(_rich_answer, mut rich), (_poor_answer, mut poor)] = rich_and_poor(&mut client, &mut peer).await;
    rich.send_trailers(fields(&[])).unwrap();
    assert_eq!(poor.capacity(), 5);
    poor.send_data("hello".into(), true).unwrap();
    peer.expect(headers(1).end_stream()).await;
    peer.expect(data(3, "hello").end_stream()).await;
}

#[tokio::test]
async fn a_reset_gives_back_all() {
    let (mut client, _connection, mut peer) = client().await;
    let [(_rich_answer, mut rich), (_poor_answer, poor)] = rich_and_poor(&mut client, &mut peer).await;
    rich.send_reset(Reason::CANCEL);
    assert_eq!((rich.capacity(), poor.capacity()), (0, 5));
    peer.expect(reset(1, Reason::CANCEL)).await;
}

#[tokio::test]
async fn a_dropped_stream_gives_back_all() {
    let (mut client, _connection, mut peer) = client().await;
    let [rich, (_poor_answer, poor)] = rich_and_poor(&mut client, &mut peer).await;
    drop(rich);
    assert_eq!(poor.capacity(), 5);
    peer.expect(reset(1, Reason::CANCEL)).await;
}

#[tokio::test]
async fn a_reset_by_the_peer_gives_back_all() {
    let (mut client, _connection, mut peer) = client().await;
    let [(_rich_answer, rich), (_poor_answer, mut poor)] = rich_and_poor(&mut client, &mut peer).await;
    peer.send(reset(1, Reason::CANCEL));
    capacity_of(&mut poor, 5).await;
    assert_eq!(rich.capacity(), 0);
}

#[tokio::test]
async fn the_peer_resets_a_stream_whose_data_waits() {
    let (mut client, _connection, mut peer) = client().await;
    let (_first_answer, mut first) = open(&mut client, &mut peer, 1).await;
    let (second_answer, mut second) = open(&mut client, &mut peer, 3).await;
    let (_third_answer, mut third) = open(&mut client, &mut peer, 5).await;
    first.send_data(zeros(WINDOW), true).unwrap();
    second.send_data("2".into(), true).unwrap();
    third.send_data("3".into(), true).unwrap();
    expect_data(&mut peer, 1, &[FRAME; 3]).await;
    peer.expect(data(1, zeros(FRAME - 1)).end_stream()).await;
    peer.send(window_update(0, 1));
    peer.send(reset(3, Reason::NO_ERROR));
    peer.expect(data(5, "3").end_stream()).await;
    assert!(within("an error", second_answer).await.unwrap_err().is_reset());
}

#[tokio::test]
async fn a_stream_that_only_asked_has_nothing_to_give_back() {
    let (mut client, _connection, mut peer) = client().await;
    let (first_answer, mut first) = open(&mut client, &mut peer, 1).await;
    first.send_data(zeros(WINDOW), false).unwrap();
    expect_window(&mut peer, 1).await;
    first.reserve_capacity(1);
    let (_second_answer, mut second) = open(&mut client, &mut peer, 3).await;
    second.send_data("?".into(), false).unwrap();
    drop((first_answer, first));
    peer.expect(reset(1, Reason::CANCEL)).await;
    peer.idle().await;
    peer.send(window_update(0, 1));
    peer.expect(data(3, "?")).await;
}

#[tokio::test]
async fn new_credit_goes_to_the_streams_in_turn() {
    let (mut client, _connection, mut peer) = client().await;
    let mut streams = Vec::new();
    for id in [1, 3, 5, 7] {
        streams.push(open(&mut client, &mut peer, id).await);
    }
    streams[0].1.reserve_capacity(WINDOW);
    for (_, stream) in &mut streams[1..] {
        stream.reserve_capacity(100);
    }
    for (increment, expected) in [
        (30, [30, 0, 0]),
        (30, [30, 30, 0]),
        (30, [30, 30, 30]),
        (50, [80, 30, 30]),
        (100, [80, 100, 60]),
        (200, [100, 100, 100]),
    ] {
        peer.send(window_update(0, increment));
        turns().await;
        let capacities = streams[1..].iter().map(|(_, stream)| stream.capacity()).collect::<Vec<_>>();
        assert_eq!(capacities, expected, "after {increment} more");
    }
}

#[tokio::test]
async fn who_waits_and_asks_for_more_keeps_its_turn() {
    let (mut client, _connection, mut peer) = client().await;
    let mut streams = Vec::new();
    for id in [1, 3, 5, 7] {
        streams.push(open(&mut client, &mut peer, id).await);
    }
    streams[0].1.reserve_capacity(WINDOW);
    for (_, stream) in &mut streams[1..] {
        stream.reserve_capacity(20);
    }
    streams[1].1.reserve_capacity(30);
    streams[2].1.send_data(zeros(40), false).unwrap();
    peer.send(window_update(0, 10));
    turns().await;
    assert_eq!(streams[1].1.capacity(), 10);
    peer.send(window_update(0, 10));
    peer.expect(data(5, zeros(10))).await;
    assert_eq!(streams[3].1.capacity(), 0);
}

#[tokio::test]
async fn a_reservation_is_met_by_several_window_updates() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_data(zeros(WINDOW), false).unwrap();
    stream.reserve_capacity(10);
    expect_window(&mut peer, 1).await;
    peer.send(window_update(0, 10));
    peer.send(window_update(1, 4));
    turns().await;
    assert_eq!(stream.capacity(), 4);
    peer.send(window_update(1, 1));
    capacity_of(&mut stream, 5).await;
    stream.send_data("hello".into(), false).unwrap();
    stream.send_data("world".into(), true).unwrap();
    peer.expect(data(1, "hello")).await;
    peer.idle().await;
    peer.send(window_update(1, 5));
    peer.expect(data(1, "world").end_stream()).await;
    peer.send(response(1, 204).end_stream());
    assert_eq!(within("the response", answer).await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_window_update_after_the_last_data_is_ignored() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, mut stream) = open(&mut client, &mut peer, 1).await;
    peer.send(response(1, 200));
    let _response = within("the response", answer).await.unwrap();
    stream.send_data("hello".into(), true).unwrap();
    peer.expect(data(1, "hello").end_stream()).await;
    peer.send(window_update(1, 5));
    peer.idle().await;
    drop(peer);
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_dead_connection_takes_reservations() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, mut stream) = open(&mut client, &mut peer, 1).await;
    drop(peer);
    within("an error", answer).await.unwrap_err();
    stream.reserve_capacity(1);
    assert_eq!(stream.capacity(), 0);
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn nothing_can_be_sent_after_the_end() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_data("all".into(), true).unwrap();
    let error = stream.send_data("more".into(), false).unwrap_err();
    assert_eq!(error.to_string(), "user error: unexpected frame type");
    stream.reserve_capacity(10);
    assert_eq!(stream.capacity(), 0);
    peer.expect(data(1, "all").end_stream()).await;
    peer.send(response(1, 200).end_stream());
    within("the response", answer).await.unwrap();
    let error = stream.send_data("more".into(), false).unwrap_err();
    assert_eq!(error.to_string(), "user error: inactive stream");
    let error = stream.send_trailers(fields(&[])).unwrap_err();
    assert_eq!(error.to_string(), "user error: unexpected frame type");
}
