//! Streams that end while their data is half written.

use super::*;

/// A body of twice the initial window.
const LARGE: usize = 2 * 65_535;

/// A client whose wire takes no more than the start of the first DATA frame.
async fn stuck_client() -> (SendRequest, Ending, Peer, h2::client::ResponseFuture, SendStream<bytes::Bytes>) {
    let (mut client, ending, mut peer) = client().await;
    let (answer, mut send) = client.send_request(post(URI), false).unwrap();
    peer.expect(posted(1)).await;
    peer.allow_writes(128);
    send.send_data(vec![0; LARGE].into(), true).unwrap();
    turns().await;
    assert_eq!(peer.unread(), 128);
    (client, ending, peer, answer, send)
}

#[tokio::test]
async fn a_reset_by_the_peer_amid_a_data_frame() {
    let (mut client, ending, mut peer, answer, _send) = stuck_client().await;
    peer.send(response(1, 204).end_stream());
    peer.send(reset(1, Reason::CANCEL));
    let answer = within("the response", answer).await.unwrap();
    assert_eq!(answer.status(), 204);
    turns().await;
    peer.release_writes();
    // The frame that was begun is finished; no other follows.
    peer.expect(data(1, vec![0; 16_384])).await;
    peer.idle().await;
    let (_answer, _send) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(3)).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn an_error_of_the_connection_amid_a_data_frame() {
    let (_client, ending, mut peer, answer, _send) = stuck_client().await;
    // DATA without a stream.
    peer.send(raw(DATA, 0, 0, []));
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR));
    turns().await;
    assert!(!ending.is_finished(), "the GOAWAY has not left");
    peer.release_writes();
    peer.expect(data(1, vec![0; 16_384])).await;
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    peer.expect_end().await;
    failure(ending, Reason::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn a_reset_by_the_application_amid_a_data_frame() {
    let (client, ending, mut peer, answer, mut send) = stuck_client().await;
    send.send_reset(Reason::CANCEL);
    peer.send(response(1, 204).end_stream());
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.to_string(), "stream error sent by user: stream no longer needed");
    drop((send, client));
    turns().await;
    peer.release_writes();
    peer.expect(data(1, vec![0; 16_384])).await;
    peer.expect(reset(1, Reason::CANCEL)).await;
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn letting_go_amid_a_data_frame() {
    let (client, ending, mut peer, answer, send) = stuck_client().await;
    drop((answer, send));
    turns().await;
    peer.release_writes();
    peer.expect(data(1, vec![0; 16_384])).await;
    peer.expect(reset(1, Reason::CANCEL)).await;
    peer.idle().await;
    drop(client);
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn the_wire_ends_amid_a_data_frame() {
    let (_client, ending, mut peer, answer, _send) = stuck_client().await;
    peer.close();
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.to_string(), "stream closed because of a broken pipe");
    peer.release_writes();
    within("the end", ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn reading_goes_on_while_the_wire_takes_nothing() {
    let (_client, _ending, mut peer, answer, _send) = stuck_client().await;
    peer.send(response(1, 200));
    peer.send(data(1, "hello").end_stream());
    let mut body = answered(answer).await;
    assert_eq!(read_all(&mut body).await.unwrap(), b"hello");
}
