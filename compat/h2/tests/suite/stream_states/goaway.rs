//! GOAWAY as a client hears it (RFC 9113 §6.8).

use std::future::poll_fn;

use super::*;

#[tokio::test]
async fn streams_that_the_server_may_have_seen_go_on() {
    let (mut client, ending, mut peer) = client().await;
    let (answer1, _) = client.send_request(get(URI), true).unwrap();
    let (answer3, mut send3) = client.send_request(post(URI), false).unwrap();
    peer.expect(got(1)).await;
    peer.expect(posted(3)).await;
    peer.send(goaway(1, Reason::NO_ERROR));
    peer.send(response(1, 200));
    peer.send(data(1, vec![7; 16_384]).end_stream());

    let error = within("the response", answer3).await.unwrap_err();
    assert_eq!(error.to_string(), "connection error received: not a result of an error");
    assert!(error.is_go_away() && error.is_remote() && !error.is_library() && !error.is_reset());
    assert_eq!(error.reason(), Some(Reason::NO_ERROR));
    assert_eq!(poll_fn(|cx| send3.poll_reset(cx)).await.unwrap(), Reason::NO_ERROR);
    assert_eq!(send3.send_data("x".into(), true).unwrap_err().to_string(), "user error: inactive stream");

    let mut body = answered(answer1).await;
    assert_eq!(read_all(&mut body).await.unwrap(), [7; 16_384]);
    // The server has opened no stream.
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn nothing_new_is_asked_after_a_goaway() {
    let (mut client, ending, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(1)).await;
    peer.send(goaway(1, Reason::ENHANCE_YOUR_CALM).debug("enough"));
    peer.idle().await;
    let text = "connection error received: detected excessive load generating behavior (b\"enough\")";
    let error = client.send_request(get(URI), true).unwrap_err();
    assert_eq!(error.to_string(), text);
    assert!(error.is_go_away() && error.is_remote());
    let error = poll_fn(|cx| client.poll_ready(cx)).await.unwrap_err();
    assert_eq!(error.to_string(), text);

    peer.send(response(1, 200).end_stream());
    drop(answered(answer).await);
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    let error = within("the end", ending).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn a_second_goaway_may_exclude_more() {
    let (mut client, _ending, mut peer) = client().await;
    let (answer1, _) = client.send_request(get(URI), true).unwrap();
    let (answer3, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(1)).await;
    peer.expect(got(3)).await;
    peer.send(goaway((1 << 31) - 1, Reason::NO_ERROR));
    peer.idle().await;
    peer.send(goaway(1, Reason::INTERNAL_ERROR));
    let error = within("the response", answer3).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::INTERNAL_ERROR));
    peer.send(response(1, 200).end_stream());
    drop(answered(answer1).await);
}

#[tokio::test]
async fn a_second_goaway_must_not_exclude_less() {
    let (mut client, ending, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(1)).await;
    peer.send(goaway(1, Reason::NO_ERROR));
    peer.send(goaway(3, Reason::NO_ERROR));
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    peer.expect_end().await;
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.to_string(), "connection error detected: unspecific protocol error detected");
    failure(ending, Reason::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn an_excluded_stream_is_not_reset() {
    let (mut client, _ending, mut peer) = client().await;
    let (answer1, _send1) = client.send_request(post(URI), false).unwrap();
    let (answer3, mut send3) = client.send_request(post(URI), false).unwrap();
    peer.expect(posted(1)).await;
    peer.expect(posted(3)).await;
    send3.send_data(vec![7; 100_000].into(), true).unwrap();
    for octets in [16_384, 16_384, 16_384, 16_383] {
        peer.expect(data(3, vec![7; octets])).await;
    }
    peer.send(goaway(1, Reason::NO_ERROR));
    peer.send(window_update(0, 100_000));
    peer.idle().await;
    drop((answer3, send3));
    peer.idle().await;
    drop(answer1);
    peer.idle().await;
}

#[tokio::test]
async fn the_error_of_the_connection_is_that_of_its_streams() {
    let (mut client, ending, mut peer) = client().await;
    let (answer, mut send) = client.send_request(post(URI), false).unwrap();
    peer.expect(posted(1)).await;
    peer.send(data(0, "no stream"));
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    peer.expect_end().await;
    let text = "connection error detected: unspecific protocol error detected";
    assert_eq!(within("the response", answer).await.unwrap_err().to_string(), text);
    assert_eq!(poll_fn(|cx| send.poll_reset(cx)).await.unwrap(), Reason::PROTOCOL_ERROR);
    let error = client.send_request(get(URI), true).unwrap_err();
    assert_eq!(error.to_string(), text);
    failure(ending, Reason::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn the_wire_may_end_while_a_client_waits() {
    let (mut client, ending, mut peer) = client().await;
    let (answer, _send) = client.send_request(post(URI), false).unwrap();
    peer.expect(posted(1)).await;
    peer.close();
    peer.expect_end().await;
    let error = within("the response", answer).await.unwrap_err();
    assert!(error.is_io() && error.reason().is_none(), "{error:?}");
    assert_eq!(error.to_string(), "stream closed because of a broken pipe");
    let error = client.send_request(get(URI), true).unwrap_err();
    assert!(error.is_io(), "{error:?}");
    assert_eq!(error.to_string(), "connection closed because of a broken pipe");
    let error = poll_fn(|cx| client.poll_ready(cx)).await.unwrap_err();
    assert_eq!(error.to_string(), "connection closed because of a broken pipe");
    within("the end", ending).await.unwrap().unwrap();
}
