//! Which streams count (RFC 9113 §5.1.2), and when a client's place is free again.

use super::*;

/// A client that may have one stream at a time.
async fn narrow_client() -> (SendRequest, Ending, Peer) {
    client_with(&h2::client::Builder::new(), &[(MAX_CONCURRENT_STREAMS, 1)]).await
}

/// The second request waits; `release` makes room for it.
async fn second_request_waits(
    release: impl AsyncFnOnce(&mut Peer, h2::client::ResponseFuture, SendStream<bytes::Bytes>),
) {
    let (mut client, ending, mut peer) = narrow_client().await;
    let (answer1, send1) = client.send_request(post(URI), false).unwrap();
    peer.expect(posted(1)).await;
    let mut client = within("readiness", client.ready()).await.unwrap();
    let (answer3, mut send3) = client.send_request(post(URI), false).unwrap();
    send3.send_data("x".into(), true).unwrap();
    peer.idle().await;
    release(&mut peer, answer1, send1).await;
    peer.expect(posted(3)).await;
    peer.expect(data(3, "x").end_stream()).await;
    peer.send(response(3, 200).end_stream());
    drop(answered(answer3).await);
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_stream_that_both_sides_end_makes_room() {
    second_request_waits(async |peer, answer, mut send| {
        peer.send(response(1, 200).end_stream());
        drop(answered(answer).await);
        peer.idle().await;
        send.send_data("end".into(), true).unwrap();
        peer.expect(data(1, "end").end_stream()).await;
    })
    .await;
}

#[tokio::test]
async fn an_explicit_reset_makes_room() {
    second_request_waits(async |peer, answer, mut send| {
        send.send_reset(Reason::CANCEL);
        peer.expect(reset(1, Reason::CANCEL)).await;
        let error = within("the response", answer).await.unwrap_err();
        assert_eq!(error.to_string(), "stream error sent by user: stream no longer needed");
    })
    .await;
}

#[tokio::test]
async fn an_explicit_reset_takes_the_queued_data_along() {
    second_request_waits(async |peer, _answer, mut send| {
        send.send_data(vec![7; 100_000].into(), true).unwrap();
        for octets in [16_384, 16_384, 16_384, 16_383] {
            peer.expect(data(1, vec![7; octets])).await;
        }
        send.send_reset(Reason::CANCEL);
        peer.expect(reset(1, Reason::CANCEL)).await;
        peer.send(window_update(0, 100_000));
    })
    .await;
}

#[tokio::test]
async fn letting_go_of_a_stream_makes_room() {
    second_request_waits(async |peer, answer, send| {
        drop(send);
        peer.idle().await;
        drop(answer);
        peer.expect(reset(1, Reason::CANCEL)).await;
    })
    .await;
}

#[tokio::test]
async fn letting_go_of_an_answered_stream_makes_room() {
    second_request_waits(async |peer, answer, send| {
        peer.send(response(1, 200).end_stream());
        drop(answered(answer).await);
        peer.idle().await;
        drop(send);
        peer.expect(reset(1, Reason::CANCEL)).await;
    })
    .await;
}

#[tokio::test]
async fn a_reset_by_the_server_makes_room() {
    second_request_waits(async |peer, answer, _send| {
        peer.send(reset(1, Reason::REFUSED_STREAM));
        let error = within("the response", answer).await.unwrap_err();
        let text = "stream error received: refused stream before processing any application logic";
        assert_eq!(error.to_string(), text);
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_failed_makes_room() {
    second_request_waits(async |peer, answer, _send| {
        peer.send(headers(1).field("no-status", "at all"));
        peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;
        within("the response", answer).await.unwrap_err();
    })
    .await;
}

#[tokio::test]
async fn streams_that_have_ended_leave_nothing_behind() {
    let (mut client, ending, mut peer) = narrow_client().await;
    let mut kept = Vec::new();
    for stream in (1..400).step_by(2) {
        client = within("readiness", client.ready()).await.unwrap();
        let (answer, _) = client.send_request(get(URI), true).unwrap();
        peer.expect(got(stream)).await;
        peer.send(response(stream, 200).end_stream());
        // Bodies that are held do not count.
        kept.push(answered(answer).await);
    }
    farewell(peer, ending).await;
}
