//! Who sends next, how much at once, and in which order the frames of all streams leave.

use super::{
    super::h2::{
        Reason, SendStream,
        client::{Builder, ResponseFuture},
    },
    endpoint::*,
    flow_control::*,
};
use crate::mock::*;

use bytes::Bytes;

#[tokio::test]
async fn a_small_body_is_one_frame() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.reserve_capacity(1_024);
    assert_eq!(stream.capacity(), 1_024);
    stream.send_data(zeros(1_024), true).unwrap();
    peer.expect(data(1, zeros(1_024)).end_stream()).await;
    peer.send(response(1, 204).end_stream());
    assert_eq!(within("the response", answer).await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_large_chunk_is_cut_into_frames() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_data(zeros(2 * FRAME), true).unwrap();
    peer.expect(data(1, zeros(FRAME))).await;
    peer.expect(data(1, zeros(FRAME)).end_stream()).await;
}

#[tokio::test]
async fn the_octets_of_a_cut_chunk_keep_their_order() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    let octets = (0..WINDOW).map(|n| (n % 251) as u8).collect::<Bytes>();
    stream.send_data(octets.clone(), true).unwrap();
    for start in [0, FRAME, 2 * FRAME] {
        peer.expect(data(1, &octets[start..start + FRAME])).await;
    }
    peer.expect(data(1, &octets[3 * FRAME..]).end_stream()).await;
}

#[tokio::test]
async fn a_larger_frame_size_of_the_peer_is_used() {
    let (mut client, _connection, mut peer) =
        client_with(&Builder::new(), &[(MAX_FRAME_SIZE, 20_000), (INITIAL_WINDOW_SIZE, 1 << 20)]).await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_data(zeros(45_000), true).unwrap();
    expect_data(&mut peer, 1, &[20_000, 20_000]).await;
    peer.expect(data(1, zeros(5_000)).end_stream()).await;
}

#[tokio::test]
async fn chunks_are_not_joined() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    for chunk in ["one", "", "two"] {
        stream.send_data(chunk.into(), false).unwrap();
    }
    stream.send_trailers(fields(&[("x-end", "here")])).unwrap();
    for chunk in ["one", "", "two"] {
        peer.expect(data(1, chunk)).await;
    }
    peer.expect(headers(1).field("x-end", "here").end_stream()).await;
}

#[tokio::test]
async fn a_body_larger_than_the_window_waits_for_more() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_data(zeros(WINDOW + FRAME), true).unwrap();
    expect_window(&mut peer, 1).await;
    peer.idle().await;
    peer.send(window_update(0, FRAME as u32));
    peer.idle().await;
    peer.send(window_update(1, FRAME as u32));
    peer.expect(data(1, zeros(FRAME)).end_stream()).await;
    peer.send(response(1, 204).end_stream());
    assert_eq!(within("the response", answer).await.unwrap().status(), 204);
}

#[tokio::test]
async fn trailers_wait_behind_data_that_waits() {
    let (mut client, _connection, mut peer) = client_with(&Builder::new(), &[(INITIAL_WINDOW_SIZE, 3)]).await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_data("hello".into(), false).unwrap();
    stream.send_trailers(fields(&[("x-end", "here")])).unwrap();
    peer.expect(data(1, "hel")).await;
    peer.idle().await;
    peer.send(window_update(1, 2));
    peer.expect(data(1, "lo")).await;
    peer.expect(headers(1).field("x-end", "here").end_stream()).await;
}

#[tokio::test]
async fn empty_data_needs_no_window() {
    let (mut client, _connection, mut peer) = client_with(&Builder::new(), &[(INITIAL_WINDOW_SIZE, 0)]).await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_data(Bytes::new(), false).unwrap();
    peer.expect(data(1, "")).await;
    stream.send_data(Bytes::new(), true).unwrap();
    peer.expect(data(1, "").end_stream()).await;
}

#[tokio::test]
async fn capacity_is_used_up_and_comes_back() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    stream.send_data("hello".into(), false).unwrap();
    stream.reserve_capacity(WINDOW);
    assert_eq!(stream.capacity(), WINDOW - 5);
    peer.expect(data(1, "hello")).await;
    peer.send(window_update(0, 5));
    peer.send(window_update(1, 5));
    capacity_of(&mut stream, WINDOW).await;
    stream.send_data(zeros(WINDOW), true).unwrap();
    expect_data(&mut peer, 1, &[FRAME; 3]).await;
    peer.expect(data(1, zeros(FRAME - 1)).end_stream()).await;
}

#[tokio::test]
async fn the_first_to_ask_gets_all() {
    let (mut client, _connection, mut peer) = client().await;
    let mut opened = Vec::new();
    for id in [1, 3, 5] {
        opened.push(open(&mut client, &mut peer, id).await);
    }
    for (_, stream) in &mut opened {
        stream.reserve_capacity(WINDOW + FRAME);
    }
    let capacities = opened.iter().map(|(_, stream)| stream.capacity()).collect::<Vec<_>>();
    assert_eq!(capacities, [WINDOW, 0, 0]);
    opened[0].1.send_data(zeros(WINDOW + FRAME), true).unwrap();
    expect_window(&mut peer, 1).await;
    peer.send(settings(&[]));
    peer.expect(settings_ack()).await;
    for (id, (answer, _stream)) in [1, 3, 5].into_iter().zip(opened) {
        peer.send(response(id, 200).end_stream());
        within("the response", answer).await.unwrap();
    }
}

/// Requests that no poll of the connection has seen yet.
fn requests<const N: usize>(client: &mut SendRequest) -> [(ResponseFuture, SendStream<Bytes>); N] {
    std::array::from_fn(|_| client.send_request(post(URI), false).unwrap())
}

#[tokio::test]
async fn each_stream_sends_one_frame_in_turn() {
    let (mut client, _connection, mut peer) = client().await;
    let mut streams = requests::<3>(&mut client);
    for (_, stream) in &mut streams {
        stream.send_data(zeros(20_000), false).unwrap();
        stream.send_data(zeros(10), true).unwrap();
    }
    for id in [1, 3, 5] {
        peer.expect(request(id, "POST", URI)).await;
    }
    for octets in [FRAME, 20_000 - FRAME] {
        for id in [1, 3, 5] {
            peer.expect(data(id, zeros(octets))).await;
        }
    }
    for id in [1, 3, 5] {
        peer.expect(data(id, zeros(10)).end_stream()).await;
    }
}

#[tokio::test]
async fn small_frames_and_trailers_take_turns_too() {
    let (mut client, _connection, mut peer) = client().await;
    let mut streams = requests::<3>(&mut client);
    for (_, stream) in &mut streams {
        stream.send_data("first".into(), false).unwrap();
        stream.send_data("second".into(), false).unwrap();
        stream.send_trailers(fields(&[])).unwrap();
    }
    for turn in [|id| request(id, "POST", URI), |id| data(id, "first"), |id| data(id, "second")] {
        for id in [1, 3, 5] {
            peer.expect(turn(id)).await;
        }
    }
    for id in [1, 3, 5] {
        peer.expect(headers(id).end_stream()).await;
    }
}

#[tokio::test]
async fn streams_opened_together_share_the_window_in_their_order() {
    let (mut client, _connection, mut peer) = client().await;
    let mut streams = requests::<3>(&mut client);
    for (_, stream) in &mut streams {
        stream.send_data(zeros(40_000), true).unwrap();
    }
    for id in [1, 3, 5] {
        peer.expect(request(id, "POST", URI)).await;
    }
    // 1 has been lent 40 000, 3 the rest.
    expect_data(&mut peer, 1, &[FRAME]).await;
    expect_data(&mut peer, 3, &[FRAME]).await;
    expect_data(&mut peer, 1, &[FRAME]).await;
    expect_data(&mut peer, 3, &[WINDOW - 40_000 - FRAME]).await;
    peer.expect(data(1, zeros(40_000 - 2 * FRAME)).end_stream()).await;
    peer.idle().await;
    peer.send(window_update(0, WINDOW as u32));
    peer.expect(data(3, zeros(80_000 - WINDOW)).end_stream()).await;
    expect_data(&mut peer, 5, &[FRAME, FRAME]).await;
    peer.expect(data(5, zeros(40_000 - 2 * FRAME)).end_stream()).await;
}

#[tokio::test]
async fn a_new_request_goes_before_the_data_of_older_ones() {
    let (mut client, _connection, mut peer) = client().await;
    let (_old_answer, mut old) = open(&mut client, &mut peer, 1).await;
    old.send_data("data".into(), false).unwrap();
    let _new = requests::<2>(&mut client);
    peer.expect(request(3, "POST", URI)).await;
    peer.expect(request(5, "POST", URI)).await;
    peer.expect(data(1, "data")).await;
}

#[tokio::test]
async fn window_updates_go_before_data() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, mut stream) = open(&mut client, &mut peer, 1).await;
    peer.send(response(1, 200));
    for _ in 0..3 {
        peer.send(data(1, zeros(FRAME)));
    }
    let mut body = within("the response", answer).await.unwrap().into_body();
    turns().await;
    stream.send_data("data".into(), false).unwrap();
    body.flow_control().release_capacity(3 * FRAME).unwrap();
    peer.expect(window_update(0, 3 * FRAME as u32)).await;
    peer.expect(window_update(1, 3 * FRAME as u32)).await;
    peer.expect(data(1, "data")).await;
}

#[tokio::test]
async fn an_acknowledgement_does_not_wait_for_all_the_data() {
    const BODY: usize = 1 << 20;
    let (mut client, _connection, mut peer) =
        client_with(&Builder::new(), &[(INITIAL_WINDOW_SIZE, BODY as u32)]).await;
    peer.send(window_update(0, BODY as u32));
    let (_answer, mut stream) = open(&mut client, &mut peer, 1).await;
    peer.allow_writes(1_000);
    stream.send_data(zeros(BODY), true).unwrap();
    turns().await;
    peer.send(settings(&[]));
    turns().await;
    peer.release_writes();
    let (mut before, mut after) = (0, 0);
    let mut acknowledged = false;
    while before + after < BODY {
        match peer.next().await {
            Some(Frame::Data { stream: 1, data, .. }) if acknowledged => after += data.len(),
            Some(Frame::Data { stream: 1, data, .. }) => before += data.len(),
            Some(Frame::SettingsAck) => acknowledged = true,
            other => panic!("heard {other:?}"),
        }
    }
    assert!(before <= BODY / 2, "{before} octets of DATA came before the acknowledgement");
}

#[tokio::test]
async fn streams_that_wait_to_be_opened_take_no_capacity() {
    let (client, _connection, mut peer) = client_with(&Builder::new(), &[(MAX_CONCURRENT_STREAMS, 1)]).await;
    let mut waiting = Vec::new();
    for _ in 0..7 {
        // A clone may have one request of its own waiting.
        let (answer, mut stream) = client.clone().send_request(post(URI), false).unwrap();
        stream.send_data(zeros(WINDOW), true).unwrap();
        waiting.push((answer, stream));
    }
    for (id, (answer, _stream)) in (1..).step_by(2).zip(waiting) {
        peer.expect(request(id, "POST", URI)).await;
        expect_data(&mut peer, id, &[FRAME; 3]).await;
        peer.expect(data(id, zeros(FRAME - 1)).end_stream()).await;
        peer.idle().await;
        peer.send(window_update(0, WINDOW as u32));
        peer.send(response(id, 200).end_stream());
        assert_eq!(within("the response", answer).await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_reset_drops_the_data_that_waits() {
    let (mut client, _connection, mut peer) = client().await;
    let (_first_answer, mut first) = open(&mut client, &mut peer, 1).await;
    let (_second_answer, mut second) = open(&mut client, &mut peer, 3).await;
    first.send_data("never".into(), false).unwrap();
    second.send_data("always".into(), false).unwrap();
    first.send_reset(Reason::CANCEL);
    peer.expect(reset(1, Reason::CANCEL)).await;
    peer.expect(data(3, "always")).await;
    peer.idle().await;
}

#[tokio::test]
async fn a_reset_of_a_new_request_comes_after_its_headers() {
    let (mut client, _connection, mut peer) = client().await;
    let (_answer, mut stream) = client.send_request(post(URI), false).unwrap();
    stream.send_reset(Reason::INTERNAL_ERROR);
    peer.expect(request(1, "POST", URI)).await;
    peer.expect(reset(1, Reason::INTERNAL_ERROR)).await;
    peer.idle().await;
}

#[tokio::test]
async fn a_dropped_request_keeps_its_headers_and_loses_its_data() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, mut stream) = client.send_request(post(URI), false).unwrap();
    stream.send_data("never".into(), true).unwrap();
    drop((answer, stream));
    peer.expect(request(1, "POST", URI)).await;
    peer.expect(reset(1, Reason::CANCEL)).await;
    peer.idle().await;
}

#[tokio::test]
async fn an_early_answer_is_sent_whole_before_its_reset() {
    let (mut requests, _connection, mut peer) = server().await;
    peer.send(request(1, "POST", URI));
    let (request, mut answer) = accepted(&mut requests).await;
    let mut stream = answer.send_response(status(200), false).unwrap();
    stream.send_data("enough".into(), true).unwrap();
    drop((request, answer, stream));
    peer.expect(response(1, 200)).await;
    peer.expect(data(1, "enough").end_stream()).await;
    peer.expect(reset(1, Reason::NO_ERROR)).await;
}
