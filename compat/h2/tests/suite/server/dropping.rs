//! What the peer hears when the application lets go of a stream (RFC 9113 §5.4.2, §8.1).

use super::*;

#[tokio::test]
async fn an_answer_before_the_end_of_the_request_asks_for_no_more() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "POST", "https://example.com/"));
    let (request, mut respond) = accepted(&mut requests).await;
    let mut send = respond.send_response(status(200), false).unwrap();
    send.send_data(vec![7; 2 * 16_384].into(), true).unwrap();
    drop((request, respond, send));
    peer.expect(response(1, 200)).await;
    peer.expect(data(1, vec![7; 16_384])).await;
    peer.expect(data(1, vec![7; 16_384]).end_stream()).await;
    peer.expect(reset(1, Reason::NO_ERROR)).await;
    peer.idle().await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn an_early_answer_is_given_in_full_however_long_the_windows_take() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "POST", "https://example.com/"));
    let (request, mut respond) = accepted(&mut requests).await;
    let mut send = respond.send_response(status(200), false).unwrap();
    send.send_data(vec![7; 6 * 16_384].into(), true).unwrap();
    drop((request, respond, send));
    peer.expect(response(1, 200)).await;
    for octets in [16_384, 16_384, 16_384, 16_383] {
        peer.expect(data(1, vec![7; octets])).await;
    }
    peer.idle().await;
    peer.send(window_update(0, 65_535));
    peer.send(window_update(1, 65_535));
    peer.expect(data(1, vec![7; 16_384])).await;
    peer.expect(data(1, vec![7; 16_384])).await;
    peer.expect(data(1, [7]).end_stream()).await;
    peer.expect(reset(1, Reason::NO_ERROR)).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn an_answer_without_a_body_before_the_end_of_the_request() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "POST", "https://example.com/"));
    let (request, mut respond) = accepted(&mut requests).await;
    respond.send_response(status(200), true).unwrap();
    drop((request, respond));
    peer.expect(response(1, 200).end_stream()).await;
    peer.expect(reset(1, Reason::NO_ERROR)).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_request_that_nobody_answers_is_cancelled() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    drop(accepted(&mut requests).await);
    peer.expect(reset(1, Reason::CANCEL)).await;
    peer.send(request(3, "POST", "https://example.com/"));
    drop(accepted(&mut requests).await);
    peer.expect(reset(3, Reason::CANCEL)).await;
    peer.idle().await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn an_unfinished_response_is_cancelled() {
    let (mut requests, ending, mut peer) = server().await;
    for (stream, end_stream) in [(1, true), (3, false)] {
        let start = request(stream, "POST", "https://example.com/");
        peer.send(if end_stream { start.end_stream() } else { start });
        let (request, mut respond) = accepted(&mut requests).await;
        let send = respond.send_response(status(200), false).unwrap();
        drop((request, respond));
        peer.expect(response(stream, 200)).await;
        peer.idle().await;
        drop(send);
        peer.expect(reset(stream, Reason::CANCEL)).await;
    }
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_cancelled_response_takes_its_queued_data_along() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (request, mut respond) = accepted(&mut requests).await;
    let mut send = respond.send_response(status(200), false).unwrap();
    send.send_data(vec![7; 10].into(), false).unwrap();
    drop((request, respond, send));
    peer.expect(response(1, 200)).await;
    peer.expect(reset(1, Reason::CANCEL)).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_finished_exchange_ends_in_silence() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "POST", "https://example.com/"));
    peer.send(data(1, "nobody reads this").end_stream());
    let (request, mut respond) = accepted(&mut requests).await;
    respond.send_response(status(200), true).unwrap();
    drop((request, respond));
    peer.expect(response(1, 200).end_stream()).await;
    peer.idle().await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_body_without_a_reader_is_discarded_while_the_response_goes_on() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "POST", "https://example.com/"));
    peer.send(data(1, vec![7; 16_384]));
    let (request, mut respond) = accepted(&mut requests).await;
    let mut send = respond.send_response(status(200), false).unwrap();
    peer.expect(response(1, 200)).await;
    drop((request, respond));
    peer.idle().await;
    // Half of the connection's window is used: its credit comes back, that of the stream does not.
    peer.send(data(1, vec![7; 16_384]));
    peer.expect(window_update(0, 2 * 16_384)).await;
    peer.idle().await;
    peer.send(headers(1).field("number", "2").end_stream());
    send.send_data("thanks".into(), true).unwrap();
    peer.expect(data(1, "thanks").end_stream()).await;
    drop(send);
    peer.idle().await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_handle_of_the_flow_control_keeps_the_stream() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (request, respond) = accepted(&mut requests).await;
    let flow = request.into_body().flow_control().clone();
    drop(respond);
    peer.idle().await;
    drop(flow);
    peer.expect(reset(1, Reason::CANCEL)).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn the_first_handle_of_a_response_may_go() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (request, mut respond) = accepted(&mut requests).await;
    let mut send = respond.send_response(status(200), false).unwrap();
    drop((request, respond));
    peer.expect(response(1, 200)).await;
    send.send_data("still here".into(), true).unwrap();
    peer.expect(data(1, "still here").end_stream()).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_cancelled_stream_makes_room_for_the_next() {
    let mut builder = h2::server::Builder::new();
    builder.max_concurrent_streams(1);
    let (mut requests, ending, mut peer) = server_with(&builder, &[]).await;
    for stream in [1, 3, 5] {
        peer.send(request(stream, "POST", "https://example.com/"));
        drop(accepted(&mut requests).await);
        peer.expect(reset(stream, Reason::CANCEL)).await;
    }
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_connection_that_is_dropped_says_nothing() {
    let (mut connection, mut peer) = idle_server().await;
    peer.send(request(1, "POST", "https://example.com/"));
    let (request, mut respond) = within("a request", connection.accept()).await.unwrap().unwrap();
    let mut send = respond.send_response(status(200), false).unwrap();
    drop(connection);
    peer.expect_end().await;
    let mut body = request.into_body();
    let error = within("data", body.data()).await.unwrap().unwrap_err();
    assert!(error.is_io(), "{error:?}");
    assert_eq!(error.to_string(), "stream closed because of a broken pipe");
    assert_eq!(error.into_io().unwrap().kind(), std::io::ErrorKind::BrokenPipe);
    let error = send.send_data("hello".into(), true).unwrap_err();
    assert_eq!(error.to_string(), "user error: inactive stream");
}
