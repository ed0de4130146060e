//! A request and its response, from the first frame to the last.

use super::super::super::h2::client::Builder;
use super::*;

#[tokio::test]
async fn fields_only() {
    let (mut client, ending, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(1)).await;
    peer.send(response(1, 204).field("server", "mock").end_stream());
    let answer = within("the response", answer).await.unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.version(), http::Version::HTTP_2);
    assert_eq!(answer.headers()["server"], "mock");
    assert!(answer.body().is_end_stream());
    peer.idle().await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn data_both_ways() {
    let (mut client, ending, mut peer) = client().await;
    let (answer, mut send) = client.send_request(post(URI), false).unwrap();
    send.reserve_capacity(5);
    peer.expect(posted(1)).await;
    assert_eq!(send.capacity(), 5);
    send.send_data("hello".into(), true).unwrap();
    peer.expect(data(1, "hello").end_stream()).await;
    peer.send(response(1, 200));
    peer.send(data(1, "world").end_stream());
    let mut body = answered(answer).await;
    assert_eq!(within("data", body.data()).await.unwrap().unwrap(), "world");
    assert!(body.is_end_stream());
    assert!(within("the end", body.data()).await.is_none());
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_piece_of_data_for_each_frame() {
    let (mut client, ending, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(1)).await;
    // They come in one read.
    peer.send(response(1, 200));
    peer.send(data(1, "hello"));
    peer.send(data(1, "world").end_stream());
    let mut body = answered(answer).await;
    for piece in ["hello", "world"] {
        assert_eq!(within("data", body.data()).await.unwrap().unwrap(), piece);
    }
    assert!(within("the end", body.data()).await.is_none());
    assert!(within("the end", body.trailers()).await.unwrap().is_none());
    farewell(peer, ending).await;
}

#[tokio::test]
async fn an_exchange_that_has_ended_leaves_in_silence() {
    let (mut client, ending, mut peer) = client().await;
    let (answer, send) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(1)).await;
    peer.send(response(1, 204).end_stream());
    let answer = within("the response", answer).await.unwrap();
    drop((answer, send));
    peer.idle().await;
    // The connection lives as long as someone may ask for more.
    assert!(!ending.is_finished());
    drop(client);
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn the_body_of_a_response_keeps_the_connection() {
    let (mut client, ending, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(1)).await;
    peer.send(response(1, 200).end_stream());
    let body = answered(answer).await;
    drop(client);
    peer.idle().await;
    assert!(!ending.is_finished());
    drop(body);
    peer.expect(goaway(0, Reason::NO_ERROR)).await;
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_frame_larger_than_we_take_ends_the_connection() {
    let (mut client, ending, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(1)).await;
    peer.send(response(1, 200));
    let mut body = answered(answer).await;
    peer.send(data(1, vec![0; 16_385]).end_stream());
    peer.expect(goaway(0, Reason::FRAME_SIZE_ERROR)).await;
    peer.expect_end().await;
    let text = "connection error detected: frame with invalid size";
    let error = within("data", body.data()).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), text);
    assert!(error.is_go_away() && error.is_library() && !error.is_reset() && !error.is_remote());
    assert_eq!(failure(ending, Reason::FRAME_SIZE_ERROR).await.to_string(), text);
}

#[tokio::test]
async fn a_frame_of_an_unknown_type_is_not_larger_than_we_take_either() {
    let (_requests, ending, mut peer) = server().await;
    peer.send(raw(0x33, 0, 1, vec![0; 16_384]));
    peer.idle().await;
    peer.send(raw(0x33, 0, 1, vec![0; 16_385]));
    peer.expect(goaway(0, Reason::FRAME_SIZE_ERROR)).await;
    failure(ending, Reason::FRAME_SIZE_ERROR).await;
}

#[tokio::test]
async fn the_largest_frame_can_be_set() {
    let mut builder = Builder::new();
    builder.max_frame_size(2 * 16_384);
    let (mut client, ending, mut peer) = client_with(&builder, &[]).await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(1)).await;
    peer.send(response(1, 200));
    peer.send(data(1, vec![0; 16_385]).end_stream());
    let mut body = answered(answer).await;
    assert_eq!(read_all(&mut body).await.unwrap().len(), 16_385);
    farewell(peer, ending).await;
}

#[tokio::test]
async fn requests_need_not_wait_for_the_settings_of_the_server() {
    let (io, mut peer) = pipe();
    let (mut client, connection) = Builder::new().handshake(io).await.unwrap();
    let _: &SendRequest = &client;
    let (_answer, _) = client.send_request(get(URI), true).unwrap();
    let _ending = tokio::spawn(connection);
    peer.expect_preface().await;
    peer.expect(settings(&[])).await;
    peer.expect(got(1)).await;
}

#[tokio::test]
async fn the_handshake_of_a_client_says_no_more_than_the_preface() {
    let (io, mut peer) = pipe();
    let (_client, connection) = h2::client::handshake(io).await.unwrap();
    peer.expect_preface().await;
    peer.idle().await;
    let _ending = tokio::spawn(connection);
    peer.expect(settings(&[])).await;
}
