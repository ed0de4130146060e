//! Field blocks in several frames, and the state that they share (RFC 9113 §4.3, §6.10; RFC 7541).

use super::{
    super::{
        super::h2::{Reason, client},
        endpoint::*,
    },
    URI, asked,
};
use crate::mock::*;

/// More fields than fit in one frame.
fn many() -> Vec<(String, String)> {
    (0..20).map(|n| (format!("field-{n}"), "x".repeat(1_000 + n))).chain([huge()]).collect()
}

/// A field that does not fit in one frame.
fn huge() -> (String, String) {
    ("huge".to_owned(), "y".repeat(40_000))
}

fn with(head: Frame, fields: &[(String, String)]) -> Frame {
    fields.iter().fold(head, |head, (name, value)| head.field(name, value))
}

#[tokio::test]
async fn a_large_response_is_read_from_its_parts() {
    let (_client, answer, _connection, mut peer) = asked().await;
    peer.send(with(response(1, 200), &many()).end_stream());
    let answer = within("the response", answer).await.unwrap();
    assert_eq!(answer.headers().len(), many().len());
    for (name, value) in many() {
        assert_eq!(answer.headers()[&name], value);
    }
}

#[tokio::test]
async fn a_block_may_be_cut_anywhere() {
    let block = with(response(1, 200).field("server", "mock"), &[]).octets()[9..].to_vec();
    for cut in 0..=block.len() {
        let (_client, answer, _connection, mut peer) = asked().await;
        peer.send(raw(HEADERS, END_STREAM, 1, &block[..cut]));
        peer.send(raw(CONTINUATION, 0, 1, []));
        peer.send(raw(CONTINUATION, END_HEADERS, 1, &block[cut..]));
        let answer = within("the response", answer).await.unwrap();
        assert_eq!(answer.headers()["server"], "mock", "cut at {cut}");
        assert!(answer.body().is_end_stream());
    }
}

#[tokio::test]
async fn a_large_request_is_cut_into_frames() {
    let (mut client, _connection, mut peer) = client().await;
    let mut request = http::Request::get(URI);
    for (name, value) in many() {
        request = request.header(name, value);
    }
    let (answer, _) = client.send_request(request.body(()).unwrap(), true).unwrap();
    peer.expect(with(crate::mock::request(1, "GET", URI), &many()).end_stream()).await;
    assert!(peer.fragments().len() > 1);
    assert!(peer.fragments().iter().all(|octets| *octets <= 16_384), "{:?}", peer.fragments());
    peer.send(response(1, 204).end_stream());
    assert_eq!(within("the response", answer).await.unwrap().status(), 204);
}

#[tokio::test]
async fn nothing_comes_between_the_frames_of_a_block() {
    let (mut client, _connection, mut peer) = client().await;
    let (name, value) = huge();
    for stream in [1, 3, 5] {
        let request = http::Request::post(URI).header(&name, &value).body(()).unwrap();
        let (answer, mut upload) = client.send_request(request, false).unwrap();
        upload.send_data("hello".into(), true).unwrap();
        drop(answer);
        peer.send(ping([stream; 8]));
    }
    // The peer fails if a block is interrupted.
    let mut blocks = 0;
    while blocks < 3 {
        blocks += usize::from(matches!(peer.next().await, Some(Frame::Headers { .. })));
    }
}

#[tokio::test]
async fn a_block_must_not_be_interrupted() {
    for frame in [ping([0; 8]), data(1, "hello"), raw(0x55, 0, 0, []), response(1, 200)] {
        let (_client, answer, connection, mut peer) = asked().await;
        peer.send(raw(HEADERS, 0, 1, [0x88]));
        peer.send(frame);
        peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
        within("the response", answer).await.unwrap_err();
        ended(connection).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_continuation_continues_something() {
    let (_client, answer, connection, mut peer) = asked().await;
    peer.send(raw(CONTINUATION, END_HEADERS, 1, [0x88]));
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    within("the response", answer).await.unwrap_err();
    ended(connection).await.unwrap_err();

    let (_client, answer, connection, mut peer) = asked().await;
    peer.send(raw(HEADERS, 0, 1, [0x88]));
    peer.send(raw(CONTINUATION, END_HEADERS, 3, []));
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    within("the response", answer).await.unwrap_err();
    ended(connection).await.unwrap_err();
}

#[tokio::test]
async fn too_many_continuations_are_an_attack() {
    let mut builder = client::Builder::new();
    builder.max_header_list_size(16_384);
    let (mut client, connection, mut peer) = client_with(&builder, &[]).await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(raw(HEADERS, 0, 1, [0x88]));
    for _ in 0..200 {
        peer.send(raw(CONTINUATION, 0, 1, []));
    }
    let Some(Frame::GoAway { code, .. }) = peer.next().await else { panic!("no GOAWAY") };
    assert_eq!(Reason::from(u32::from(code)), Reason::ENHANCE_YOUR_CALM);
    within("the response", answer).await.unwrap_err();
    ended(connection).await.unwrap_err();
}

#[tokio::test]
async fn an_entry_is_known_in_later_blocks() {
    let (mut client, _connection, mut peer) = client().await;
    // `:status: 200`; a new entry `a: b`, and in the second block its index.
    for block in [&[0x88, 0x40, 1, b'a', 1, b'b'][..], &[0x88, 0xbe]] {
        let (answer, _) = client.send_request(get(URI), true).unwrap();
        let Some(Frame::Headers { stream, .. }) = peer.next().await else { panic!("no request") };
        peer.send(raw(HEADERS, END_STREAM | END_HEADERS, stream, block));
        assert_eq!(within("the response", answer).await.unwrap().headers()["a"], "b");
    }
}

#[tokio::test]
async fn a_block_that_cannot_be_decoded_ends_the_connection() {
    let no_such_index = [0xff, 0x40];
    let (_client, answer, connection, mut peer) = asked().await;
    peer.send(raw(HEADERS, END_STREAM | END_HEADERS, 1, no_such_index));
    // The RFC has COMPRESSION_ERROR, `h2` PROTOCOL_ERROR.
    let Some(Frame::GoAway { last: 0, code, .. }) = peer.next().await else { panic!("no GOAWAY") };
    let code = Reason::from(u32::from(code));
    assert!([Reason::COMPRESSION_ERROR, Reason::PROTOCOL_ERROR].contains(&code), "{code:?}");
    assert_eq!(within("the response", answer).await.unwrap_err().reason(), Some(code));
    assert_eq!(ended(connection).await.unwrap_err().reason(), Some(code));
}

#[tokio::test]
async fn the_table_is_as_large_as_the_peer_likes() {
    for size in [0, 1, 100, 4_096, 100_000] {
        let (mut client, _connection, mut peer) = client().await;
        let request = || http::Request::get(URI).header("a-name", "a value").body(()).unwrap();
        let expected =
            |stream| crate::mock::request(stream, "GET", URI).field("a-name", "a value").end_stream();
        let _first = client.send_request(request(), true).unwrap();
        peer.expect(expected(1)).await;
        // From the acknowledgement on, the peer's decoder insists on that.
        peer.send(settings(&[(HEADER_TABLE_SIZE, size)]));
        peer.expect(settings_ack()).await;
        let _second = client.send_request(request(), true).unwrap();
        let _third = client.send_request(request(), true).unwrap();
        peer.expect(expected(3)).await;
        peer.expect(expected(5)).await;
    }
}

#[tokio::test]
async fn our_table_is_as_large_as_announced() {
    let mut builder = client::Builder::new();
    builder.enable_push(false).header_table_size(10_000);
    let (io, mut peer) = pipe();
    let (mut client, connection): (SendRequest, ClientConnection) = builder.handshake(io).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(peer.be_server(&[]).await, [(HEADER_TABLE_SIZE, 10_000), (ENABLE_PUSH, 0)]);
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    // An update of the size to 10,000, then `:status: 200`.
    peer.send(raw(HEADERS, END_STREAM | END_HEADERS, 1, [0x3f, 0xf1, 0x4d, 0x88]));
    within("the response", answer).await.unwrap();
    peer.idle().await;
}
