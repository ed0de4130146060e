//! What a response may be (RFC 9113 §8.1, §8.3.2).

use tokio_test::{assert_pending, task};

use super::{
    super::{
        super::h2::{Reason, client},
        endpoint::*,
    },
    URI,
};
use crate::mock::*;

/// The response, to this request without a body, of a server that says these frames; the server; the client.
macro_rules! answer {
    ($method:expr, $($frame:expr),+) => {{
        let (mut client, _connection, mut peer) = client().await;
        let request = http::Request::builder().method($method).uri(URI).body(()).unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        peer.expect(crate::mock::request(1, $method, URI).end_stream()).await;
        $(peer.send($frame);)+
        (within("the response", answer).await, peer, client)
    }};
}

#[tokio::test]
async fn status_fields_and_body_arrive() {
    let (answer, _peer, _client) = answer!(
        "GET",
        response(1, 404).field("server", "mock").field("a", "1").field("a", "2"),
        data(1, "no such"),
        data(1, "thing").end_stream()
    );
    let (head, mut body) = answer.unwrap().into_parts();
    assert_eq!(head.status, 404);
    assert_eq!(head.version, http::Version::HTTP_2);
    assert_eq!(head.headers["server"], "mock");
    assert!(head.headers.get_all("a").iter().eq(["1", "2"]));
    assert_eq!(read_all(&mut body).await.unwrap(), b"no suchthing");
    assert!(body.is_end_stream());
    assert_eq!(within("trailers", body.trailers()).await.unwrap(), None);
}

#[tokio::test]
async fn a_response_of_headers_alone_has_no_body() {
    let (answer, _peer, _client) = answer!("GET", response(1, 200).end_stream());
    let mut body = answer.unwrap().into_body();
    assert!(body.is_end_stream());
    assert!(body.data().await.is_none());
}

#[tokio::test]
async fn an_empty_last_frame_is_a_chunk() {
    let (answer, _peer, _client) = answer!("GET", response(1, 200), data(1, "").end_stream());
    let mut body = answer.unwrap().into_body();
    assert!(!body.is_end_stream());
    assert_eq!(within("data", body.data()).await.unwrap().unwrap(), "");
    assert!(body.is_end_stream());
    assert!(within("data", body.data()).await.is_none());
}

#[tokio::test]
async fn an_empty_frame_in_between_is_not() {
    let (answer, mut peer, _client) = answer!("GET", response(1, 200), data(1, ""));
    let mut body = answer.unwrap().into_body();
    let mut chunk = task::spawn(body.data());
    assert_pending!(chunk.poll());
    peer.send(data(1, ""));
    turns().await;
    assert!(!chunk.is_woken());
    peer.send(data(1, "hello"));
    assert_eq!(within("data", chunk).await.unwrap().unwrap(), "hello");
}

#[tokio::test]
async fn a_response_to_head_has_a_length_and_no_content() {
    let long = response(1, 200).field("content-length", "100");
    let (answer, _peer, _client) = answer!("HEAD", long.clone(), data(1, "").end_stream());
    let mut body = answer.unwrap().into_body();
    assert_eq!(within("data", body.data()).await.unwrap().unwrap(), "");

    let (answer, _peer, _client) = answer!("HEAD", long.clone().end_stream());
    assert!(answer.unwrap().body().is_end_stream());

    let (answer, mut peer, _client) = answer!("HEAD", long, data(1, "body").end_stream());
    let mut body = answer.unwrap().into_body();
    let error = within("data", body.data()).await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR));
    peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;
}

#[tokio::test]
async fn a_status_without_content_may_have_a_length() {
    for status in [204, 304] {
        let (answer, mut peer, _client) =
            answer!("GET", response(1, status).field("content-length", "100").end_stream());
        assert_eq!(answer.unwrap().status(), status);
        peer.idle().await;
    }
}

#[tokio::test]
async fn a_length_without_content_is_malformed() {
    let (answer, mut peer, _client) =
        answer!("GET", response(1, 200).field("content-length", "100").end_stream());
    let error = answer.unwrap_err();
    assert_eq!(error.to_string(), "stream error detected: unspecific protocol error detected");
    assert!(error.is_reset() && error.is_library() && !error.is_remote());
    // Both sides have ended the stream: there is nothing to reset.
    peer.idle().await;
}

#[tokio::test]
async fn content_must_be_as_long_as_announced() {
    let five = response(1, 200).field("content-length", "5");
    let (answer, mut peer, _client) = answer!("GET", five.clone(), data(1, "hello").end_stream());
    assert_eq!(read_all(answer.unwrap().body_mut()).await.unwrap(), b"hello");
    peer.idle().await;

    // Too short; the stream was closed by that.
    let (answer, mut peer, _client) = answer!("GET", five.clone(), data(1, "hell").end_stream());
    let error = read_all(answer.unwrap().body_mut()).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR));
    peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;

    // Too long.
    let (answer, mut peer, _client) = answer!("GET", five.clone(), data(1, "hello!"));
    let error = read_all(answer.unwrap().body_mut()).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR));
    peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;

    // Too short before trailers.
    let trailers = headers(1).field("checksum", "0").end_stream();
    let (answer, _peer, _client) = answer!("GET", five, data(1, "hell"), trailers);
    let error = read_all(answer.unwrap().body_mut()).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR));
}

#[tokio::test]
async fn a_length_is_one_number() {
    let lengths: [&[&str]; 4] = [&["5", "6"], &["five"], &["-5"], &["+5"]];
    for values in lengths {
        let head = values.iter().fold(response(1, 200), |head, value| head.field("content-length", value));
        let (answer, mut peer, _client) = answer!("GET", head);
        assert_eq!(answer.unwrap_err().reason(), Some(Reason::PROTOCOL_ERROR), "{values:?}");
        peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;
    }
    let twice = response(1, 200).field("content-length", "2").field("content-length", "2");
    let (answer, _peer, _client) = answer!("GET", twice, data(1, "ok").end_stream());
    assert_eq!(read_all(answer.unwrap().body_mut()).await.unwrap(), b"ok");
}

#[tokio::test]
async fn malformed_responses_reset_their_stream() {
    let malformed = [
        headers(1).field("server", "mock"),
        headers(1).field("server", "mock").field(":status", "200"),
        response(1, 200).field(":status", "200"),
        response(1, 200).field("connection", "close"),
        response(1, 200).field("transfer-encoding", "chunked"),
        response(1, 200).field("te", "gzip"),
    ];
    for head in malformed {
        let about = format!("{head:?}");
        let (answer, mut peer, _client) = answer!("GET", head);
        let error = answer.expect_err(&about);
        assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR), "{about}");
        assert!(error.is_reset() && error.is_library(), "{about}: {error}");
        peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;
        peer.idle().await;
    }
}

#[tokio::test]
async fn a_malformed_response_of_no_interest_resets_its_stream_only() {
    let (mut client, connection, mut peer) = client().await;
    let (_first, mut upload) = client.send_request(get(URI), false).unwrap();
    upload.send_data(vec![0; 65_534].into(), true).unwrap();
    let (second, mut second_upload) = client.send_request(get(URI), false).unwrap();
    let (third, mut third_upload) = client.send_request(get(URI), false).unwrap();
    for stream in [1, 3, 5] {
        while peer.next().await.unwrap() != request(stream, "GET", URI) {}
    }
    // One octet of the connection's window is left: one of these waits for more.
    second_upload.send_data(vec![0; 2].into(), true).unwrap();
    third_upload.send_data(vec![0; 1].into(), true).unwrap();
    drop((second, third, second_upload, third_upload));
    let pseudo_field_last = [0x90, 0x87];
    peer.send(raw(HEADERS, END_STREAM | END_HEADERS, 3, pseudo_field_last));
    turns().await;
    peer.close();
    ended(connection).await.unwrap();
}

#[tokio::test]
async fn a_response_larger_than_announced_is_refused() {
    let mut builder = client::Builder::new();
    builder.max_header_list_size(40);
    let (mut client, _connection, mut peer) = client_with(&builder, &[]).await;
    let (first, _) = client.send_request(get(URI), true).unwrap();
    let (second, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.expect(request(3, "GET", URI).end_stream()).await;
    // `:status: 200` counts for 42 octets.
    peer.send(response(1, 200).end_stream());
    peer.send(response(3, 200));
    // Stream 1 is closed on both sides: there is nothing to reset.
    peer.expect(reset(3, Reason::PROTOCOL_ERROR)).await;
    for answer in [first, second] {
        let error = within("a response", answer).await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR));
    }
    peer.idle().await;
}

#[tokio::test]
async fn a_response_may_come_before_the_request_is_complete() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, mut upload) = client.send_request(post(URI), false).unwrap();
    peer.expect(request(1, "POST", URI)).await;
    peer.send(response(1, 200));
    peer.send(data(1, "done").end_stream());
    let mut body = within("the response", answer).await.unwrap().into_body();
    assert_eq!(read_all(&mut body).await.unwrap(), b"done");
    upload.send_data("still here".into(), true).unwrap();
    peer.expect(data(1, "still here").end_stream()).await;
}
