//! DATA, HEADERS and CONTINUATION (RFC 9113 §6.1, §6.2, §6.10).

use millpond::ErrorCode;

use crate::{
    wire::{
        CONTINUATION, DATA, END, END_HEADERS, END_STREAM, HAS_PRIORITY, HEADERS, OK, PADDED, Peer,
        continuation, data, dependency, field, frame, headers, request,
    },
    world::{Client, Server, on_an_open_stream, on_both_sides},
};

async fn s6_1_data_on_stream_0_is_protocol_error(peer: &mut Peer) {
    peer.send(data(0, END_STREAM, b"test")).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_1_data_on_stream_0_is_protocol_error);

/// A payload with so much padding behind `content`.
fn padded(padding: u8, content: &[u8]) -> Vec<u8> {
    [&[padding], content, &vec![0; padding.into()]].concat()
}

#[tokio::test]
async fn s6_1_padding_is_dropped() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("POST", "/", &[("content-length", "8")]))).await;
    client.send(data(1, PADDED, &padded(255, b"some"))).await;
    client.send(data(1, PADDED, &padded(0, b"thin"))).await;
    // Nothing but padding; and octets of it that are not zero, which need not be looked at.
    client.send(data(1, PADDED, &padded(9, b""))).await;
    client.send(data(1, PADDED | END_STREAM, &[3, 1, 2, 3])).await;
    assert_eq!(client.expect_message(1).await.body, b"somethin");
    let mut server = Server::accept().await;
    let call = server.get();
    server.expect_message(1).await;
    server.send([headers(1, 0, OK), data(1, PADDED | END_STREAM, &padded(20, b"body"))].concat()).await;
    assert_eq!(call.reply().await.unwrap().body, b"body");
}

async fn s6_1_padding_as_long_as_the_payload_is_protocol_error(peer: &mut Peer) {
    // Five octets of payload, and all of them are said to be padding.
    peer.send(data(1, PADDED | END_STREAM, b"\x05test")).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_an_open_stream!(s6_1_padding_as_long_as_the_payload_is_protocol_error);

async fn s6_1_padding_longer_than_the_payload_is_protocol_error(peer: &mut Peer) {
    peer.send(data(1, PADDED | END_STREAM, b"\x06test")).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_an_open_stream!(s6_1_padding_longer_than_the_payload_is_protocol_error);

async fn s6_1_padding_that_is_all_there_is_is_accepted(peer: &mut Peer) {
    peer.send(data(1, PADDED, b"\x04test")).await;
    peer.expect_ping_ack().await;
}
on_an_open_stream!(s6_1_padding_that_is_all_there_is_is_accepted);

async fn s6_1_padding_counts_for_flow_control(peer: &mut Peer) {
    // More than both windows (the defaults of both sides): if it were not charged, or were not given back, the two
    // sides would not agree.
    let (mut connection, mut stream) = (2 << 20, 1 << 20);
    for _ in 0..10_000 {
        while connection < 257 || stream < 257 {
            let frame = peer.next().await.expect("a WINDOW_UPDATE");
            if frame.kind == crate::wire::WINDOW_UPDATE {
                let grown = u32::from_be_bytes(frame.payload.try_into().unwrap());
                *if frame.stream == 0 { &mut connection } else { &mut stream } += grown;
            }
        }
        peer.send(data(1, PADDED, &padded(255, b"x"))).await;
        connection -= 257;
        stream -= 257;
    }
}
on_an_open_stream!(s6_1_padding_counts_for_flow_control);

#[tokio::test]
async fn s6_2_headers_on_stream_0_is_protocol_error() {
    let mut client = Client::connect().await;
    client.send(headers(0, END_STREAM, &request("GET", "/", &[]))).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    let mut server = Server::accept().await;
    server.send(headers(0, END_STREAM, OK)).await;
    server.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s6_2_padding_and_priority_are_dropped() {
    let block = request("GET", "/", &[]);
    let mut client = Client::connect().await;
    client.send(headers(1, END_STREAM | PADDED, &padded(200, &block))).await;
    client.expect_message(1).await;
    let both = padded(7, &[dependency(0).as_slice(), &block].concat());
    client.send(headers(3, END_STREAM | PADDED | HAS_PRIORITY, &both)).await;
    client.expect_message(3).await;
    // Cut into CONTINUATION frames, which have no padding.
    let (first, rest) = block.split_at(7);
    client.send(frame(HEADERS, END_STREAM | PADDED, 5, &padded(30, first))).await;
    client.send(continuation(5, END_HEADERS | PADDED, rest)).await;
    client.expect_message(5).await;
    let mut server = Server::accept().await;
    let call = server.get();
    server.expect_message(1).await;
    let both = padded(7, &[dependency(0).as_slice(), OK].concat());
    server.send(headers(1, END_STREAM | PADDED | HAS_PRIORITY, &both)).await;
    assert_eq!(call.reply().await.unwrap().head.status(), 200);
}

#[tokio::test]
async fn s6_2_padding_longer_than_the_fragment_is_protocol_error() {
    let block = request("GET", "/", &[]);
    for too_long in [block.len() + 1, block.len() + 2, 255] {
        let mut client = Client::connect().await;
        client.send(headers(1, END_STREAM | PADDED, &[[too_long as u8].as_slice(), &block].concat())).await;
        client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    }
    let mut server = Server::accept().await;
    let _call = server.get();
    server.expect_message(1).await;
    server.send(headers(1, END_STREAM | PADDED, &[2, 0x88])).await;
    server.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s6_2_padding_that_leaves_no_room_for_priority_is_protocol_error() {
    let mut client = Client::connect().await;
    client.send(headers(1, END_STREAM | PADDED | HAS_PRIORITY, &[1, 0, 0, 0, 0, 15])).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s6_2_end_stream_holds_although_continuation_follows() {
    let mut client = Client::connect().await;
    client.send(frame(HEADERS, END_STREAM, 1, &request("POST", "/sink", &[]))).await;
    client.send(continuation(1, END_HEADERS, &field("x-a", "b"))).await;
    assert_eq!(client.expect_message(1).await.body, b"0");
}

#[tokio::test]
async fn s6_10_continuations_join_the_field_block() {
    let fields = [("x-one", "1"), ("x-two", "2"), ("x-three", "3")];
    let block = request("GET", "/fields", &fields);
    let mut client = Client::connect().await;
    // An empty first fragment, several small ones, and an empty last one.
    client.send(frame(HEADERS, END_STREAM, 1, &[])).await;
    for fragment in block.chunks(block.len() / 8 + 1) {
        client.send(continuation(1, 0, fragment)).await;
    }
    client.send(continuation(1, END_HEADERS, &[])).await;
    assert_eq!(client.expect_message(1).await.body, b"x-one: 1\nx-two: 2\nx-three: 3\n");
    let mut server = Server::accept().await;
    let call = server.get();
    server.expect_message(1).await;
    server
        .send([frame(HEADERS, END_STREAM, 1, &OK[..1]), continuation(1, 0, &field("x-a", "b"))].concat())
        .await;
    server.send(continuation(1, END_HEADERS, &field("x-c", "d"))).await;
    assert_eq!(call.reply().await.unwrap().head.headers()["x-c"], "d");
}

#[tokio::test]
async fn s6_10_continuations_join_trailers() {
    let mut client = Client::connect().await;
    client.send([headers(1, 0, &request("POST", "/", &[])), data(1, 0, b"body")].concat()).await;
    client.send(frame(HEADERS, END_STREAM, 1, &field("x-a", "b"))).await;
    client.send(continuation(1, END_HEADERS, &field("x-c", "d"))).await;
    assert_eq!(client.expect_message(1).await.trailers.unwrap().len(), 2);
}

async fn s6_10_continuation_on_stream_0_is_protocol_error(peer: &mut Peer) {
    peer.send(continuation(0, END_HEADERS, &[])).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_both_sides!(s6_10_continuation_on_stream_0_is_protocol_error);

async fn s6_10_continuation_on_stream_0_within_a_field_block_is_protocol_error(peer: &mut Peer) {
    peer.send([frame(HEADERS, END_STREAM, 1, &[]), continuation(0, END_HEADERS, &[])].concat()).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_an_open_stream!(s6_10_continuation_on_stream_0_within_a_field_block_is_protocol_error);

async fn s6_10_continuation_after_a_complete_field_block_is_protocol_error(peer: &mut Peer) {
    peer.send([headers(1, END_STREAM, &field("x-a", "b")), continuation(1, END_HEADERS, &[])].concat()).await;
    // The trailers may or may not have had an answer before that.
    peer.seek(crate::wire::GOAWAY, 0).await;
}
on_an_open_stream!(s6_10_continuation_after_a_complete_field_block_is_protocol_error);

#[tokio::test]
async fn s6_10_continuation_after_end_headers_is_protocol_error() {
    let mut client = Client::connect().await;
    client.send(headers(1, END, &request("GET", "/wait", &[]))).await;
    client.send(continuation(1, END_HEADERS, &field("x-a", "b"))).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    let mut client = Client::connect().await;
    client.send(frame(HEADERS, END_STREAM, 1, &request("GET", "/wait", &[]))).await;
    client.send(continuation(1, END_HEADERS, &field("x-a", "b"))).await;
    client.send(continuation(1, END_HEADERS, &field("x-a", "b"))).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

async fn s6_10_continuation_after_data_is_protocol_error(peer: &mut Peer) {
    peer.send([data(1, 0, b"data"), continuation(1, END_HEADERS, &field("x-a", "b"))].concat()).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_an_open_stream!(s6_10_continuation_after_data_is_protocol_error);

async fn s6_10_data_after_continuation_without_end_headers_is_protocol_error(peer: &mut Peer) {
    let begun = [frame(HEADERS, END_STREAM, 1, &[]), continuation(1, 0, &field("x-a", "b"))].concat();
    peer.send([begun, data(1, END_STREAM, b"data")].concat()).await;
    peer.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}
on_an_open_stream!(s6_10_data_after_continuation_without_end_headers_is_protocol_error);

#[tokio::test]
async fn s6_10_server_sends_a_large_field_block_in_one_piece() {
    let service = tower::service_fn(async |_: http::Request<millpond::Body>| {
        let response = http::Response::builder().header("x-long", "v&".repeat(20_000));
        Ok::<_, std::convert::Infallible>(response.body("body".to_owned()).unwrap())
    });
    let mut client = Client::connect_to_service(millpond::Server::builder(), service).await;
    client
        .send(
            [headers(1, END, &request("GET", "/", &[])), headers(3, END, &request("GET", "/", &[]))].concat(),
        )
        .await;
    let (mut open, mut answers) = (None, 0);
    while answers < 2 {
        let frame = client.next_of_note().await.unwrap();
        match (frame.kind, open) {
            (HEADERS, None) => open = Some(frame.stream),
            (CONTINUATION, Some(stream)) => assert_eq!(frame.stream, stream),
            (DATA, None) => answers += u32::from(frame.flags & END_STREAM != 0),
            other => panic!("{other:?}"),
        }
        open = open.filter(|_| frame.flags & END_HEADERS == 0);
    }
}
