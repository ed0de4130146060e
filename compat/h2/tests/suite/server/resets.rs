//! RST_STREAM, said and heard by a server (RFC 9113 §5.4.2, §6.4).

use std::future::poll_fn;

use super::super::super::h2::RecvStream;
use super::*;

/// A server that has accepted one request, which goes on.
async fn posted() -> (http::Request<RecvStream>, SendResponse, Ending, Peer) {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "POST", "https://example.com/"));
    let (request, respond) = accepted(&mut requests).await;
    (request, respond, ending, peer)
}

#[tokio::test]
async fn a_reset_is_awaited_before_the_response() {
    let (mut requests, _ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (_request, mut respond) = accepted(&mut requests).await;
    let heard = tokio::spawn(async move { poll_fn(|cx| respond.poll_reset(cx)).await });
    peer.idle().await;
    assert!(!heard.is_finished());
    peer.send(reset(1, Reason::CANCEL));
    assert_eq!(within("the reset", heard).await.unwrap().unwrap(), Reason::CANCEL);
}

#[tokio::test]
async fn a_reset_is_awaited_while_the_response_goes_on() {
    let (_request, mut respond, _ending, mut peer) = posted().await;
    let mut send = respond.send_response(status(200), false).unwrap();
    peer.expect(response(1, 200)).await;
    let heard = tokio::spawn(async move { poll_fn(|cx| send.poll_reset(cx)).await });
    peer.idle().await;
    assert!(!heard.is_finished());
    peer.send(reset(1, 42u32));
    assert_eq!(within("the reset", heard).await.unwrap().unwrap(), Reason::from(42));
}

#[tokio::test]
async fn the_end_of_the_wire_is_no_reset() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (_request, mut respond) = accepted(&mut requests).await;
    let heard = tokio::spawn(async move { poll_fn(|cx| respond.poll_reset(cx)).await });
    peer.idle().await;
    drop(peer);
    let error = within("the end", heard).await.unwrap().unwrap_err();
    assert!(error.is_io(), "{error:?}");
    within("the end", ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn the_head_of_a_response_cannot_await_a_reset_once_it_is_sent() {
    let (mut requests, _ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (request, mut respond) = accepted(&mut requests).await;
    respond.send_response(status(200), false).unwrap();
    let error = poll_fn(|cx| respond.poll_reset(cx)).await.unwrap_err();
    assert_eq!(error.to_string(), "user error: poll_reset after send_response is illegal");
    peer.expect(response(1, 200)).await;
    drop((request, respond));
    peer.expect(reset(1, Reason::CANCEL)).await;
}

#[tokio::test]
async fn the_application_resets_a_stream() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (_request, mut respond) = accepted(&mut requests).await;
    respond.send_reset(Reason::ENHANCE_YOUR_CALM);
    peer.expect(reset(1, Reason::ENHANCE_YOUR_CALM)).await;
    respond.send_reset(Reason::CANCEL);
    assert!(respond.send_response(status(200), true).is_err());
    drop(respond);
    peer.idle().await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_reset_takes_the_place_of_what_has_not_left() {
    let (mut connection, mut peer) = idle_server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (_request, mut respond) = within("a request", connection.accept()).await.unwrap().unwrap();
    respond.send_response(status(200), true).unwrap();
    respond.send_reset(Reason::INTERNAL_ERROR);
    connection.drive(peer.expect(reset(1, Reason::INTERNAL_ERROR))).await;
    connection.drive(peer.idle()).await;
}

#[tokio::test]
async fn a_stream_that_has_ended_cannot_be_reset() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (_request, mut respond) = accepted(&mut requests).await;
    let mut send = respond.send_response(status(200), true).unwrap();
    peer.expect(response(1, 200).end_stream()).await;
    respond.send_reset(Reason::INTERNAL_ERROR);
    send.send_reset(Reason::INTERNAL_ERROR);
    peer.idle().await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_response_that_has_ended_leaves_a_request_to_reset() {
    let (_request, mut respond, ending, mut peer) = posted().await;
    let mut send = respond.send_response(status(200), true).unwrap();
    peer.expect(response(1, 200).end_stream()).await;
    send.send_reset(Reason::NO_ERROR);
    peer.expect(reset(1, Reason::NO_ERROR)).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn the_body_tells_of_a_reset_by_the_application() {
    let (request, mut respond, _ending, mut peer) = posted().await;
    let body = tokio::spawn(async move { request.into_body().data().await });
    turns().await;
    respond.send_reset(Reason::INTERNAL_ERROR);
    let error = within("data", body).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "stream error sent by user: unexpected internal error encountered");
    assert!(error.is_reset() && !error.is_remote() && !error.is_library() && !error.is_go_away());
    assert_eq!(error.reason(), Some(Reason::INTERNAL_ERROR));
    peer.expect(reset(1, Reason::INTERNAL_ERROR)).await;
}

#[tokio::test]
async fn the_body_tells_of_a_reset_by_the_peer() {
    let (request, mut respond, _ending, mut peer) = posted().await;
    let mut body = request.into_body();
    peer.send(data(1, "hello"));
    peer.send(reset(1, Reason::CANCEL));
    peer.idle().await;
    // What came before the reset is still there.
    assert!(!body.is_end_stream());
    assert_eq!(within("data", body.data()).await.unwrap().unwrap(), "hello");
    for _ in 0..2 {
        let error = within("data", body.data()).await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "stream error received: stream no longer needed");
        assert!(error.is_reset() && error.is_remote() && !error.is_library() && !error.is_go_away());
        assert_eq!(error.reason(), Some(Reason::CANCEL));
        assert!(error.get_io().is_none() && !error.is_io());
    }
    let error = within("trailers", body.trailers()).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::CANCEL));
    assert!(!body.is_end_stream());
    let error = respond.send_response(status(200), true).unwrap_err();
    assert_eq!(error.to_string(), "user error: unexpected frame type");
    peer.idle().await;
}

#[tokio::test]
async fn a_request_that_was_whole_outlives_a_reset() {
    let (request, mut respond, _ending, mut peer) = posted().await;
    peer.send(data(1, "hello"));
    peer.send(headers(1).field("number", "5").end_stream());
    peer.send(reset(1, Reason::NO_ERROR));
    peer.idle().await;
    let mut body = request.into_body();
    assert_eq!(read_all(&mut body).await.unwrap(), b"hello");
    let trailers = within("trailers", body.trailers()).await.unwrap();
    assert_eq!(trailers, Some(fields(&[("number", "5")])));
    assert!(body.is_end_stream());
    assert_eq!(poll_fn(|cx| respond.poll_reset(cx)).await.unwrap(), Reason::NO_ERROR);
    assert!(respond.send_response(status(200), true).is_err());
}

#[tokio::test]
async fn a_reset_by_the_peer_stops_the_response() {
    let (_request, mut respond, ending, mut peer) = posted().await;
    let mut send = respond.send_response(status(200), false).unwrap();
    peer.expect(response(1, 200)).await;
    send.send_data(vec![7; 100_000].into(), false).unwrap();
    for octets in [16_384, 16_384, 16_384, 16_383] {
        peer.expect(data(1, vec![7; octets])).await;
    }
    peer.send(reset(1, Reason::CANCEL));
    peer.idle().await;
    peer.send(window_update(0, 100_000));
    peer.send(window_update(1, 100_000));
    peer.idle().await;
    assert_eq!(send.send_data("more".into(), true).unwrap_err().to_string(), "user error: inactive stream");
    let error = send.send_trailers(fields(&[("a", "b")])).unwrap_err();
    assert_eq!(error.to_string(), "user error: unexpected frame type");
    assert!(poll_fn(|cx| send.poll_capacity(cx)).await.is_none());
    send.reserve_capacity(10);
    assert_eq!(send.capacity(), 0);
    assert_eq!(poll_fn(|cx| send.poll_reset(cx)).await.unwrap(), Reason::CANCEL);
    drop((send, respond));
    peer.idle().await;
    farewell(peer, ending).await;
}
