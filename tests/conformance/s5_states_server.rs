//! The states of a stream, as a server keeps them (RFC 9113 §5.1).

use millpond::ErrorCode;

use crate::{
    wire::{
        END, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE, continuation, data, field, headers,
        priority, request, reset, window_update,
    },
    world::Client,
};

/// Stream 1 is half-closed (remote): the request is complete, and nobody answers.
async fn half_closed() -> Client {
    let mut client = Client::connect().await;
    client.send(headers(1, END, &request("GET", "/wait", &[]))).await;
    client
}

/// Stream 1 is closed: both sides have ended it.
async fn ended() -> Client {
    let mut client = Client::connect().await;
    client.send(headers(1, END, &request("GET", "/", &[]))).await;
    client.expect_message(1).await;
    client
}

/// Stream 1 is closed: the client has reset it.
async fn reset_by_peer() -> Client {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("POST", "/wait", &[]))).await;
    client.send(reset(1, ErrorCode::CANCEL)).await;
    client
}

/// Stream 1 is closed: the server has reset it, for an increment of zero.
async fn reset_by_server() -> Client {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("POST", "/wait", &[]))).await;
    client.send(window_update(1, 0)).await;
    client.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
    client
}

#[tokio::test]
async fn s5_1_idle_data_is_protocol_error() {
    let mut client = Client::connect().await;
    client.send(data(1, END_STREAM, b"test")).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s5_1_idle_reset_is_protocol_error() {
    let mut client = Client::connect().await;
    client.send(reset(1, ErrorCode::CANCEL)).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s5_1_idle_window_update_is_protocol_error() {
    let mut client = Client::connect().await;
    client.send(window_update(1, 100)).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s5_1_idle_continuation_is_protocol_error() {
    let mut client = Client::connect().await;
    client.send(continuation(1, END_HEADERS, &request("GET", "/", &[]))).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s5_1_idle_priority_is_accepted_and_opens_nothing() {
    let mut client = Client::connect().await;
    client.send([priority(3, 0), priority(1, 3)].concat()).await;
    client.expect_ping_ack().await;
    // Were 3 open now, 1 could not be opened any more.
    client.send(headers(1, END, &request("GET", "/", &[]))).await;
    assert_eq!(client.expect_message(1).await.status(), "200");
}

#[tokio::test]
async fn s5_1_idle_streams_of_the_server_are_idle() {
    for frame in [data(2, 0, b"test"), reset(2, ErrorCode::CANCEL), window_update(2, 1)] {
        let mut client = Client::connect().await;
        client.send(frame).await;
        client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    }
}

#[tokio::test]
async fn s5_1_idle_again_above_the_highest_stream() {
    for frame in [data(5, 0, b"test"), reset(5, ErrorCode::CANCEL), window_update(5, 1)] {
        let mut client = half_closed().await;
        client.send(headers(3, END, &request("GET", "/wait", &[]))).await;
        client.send(frame).await;
        client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    }
}

#[tokio::test]
async fn s5_1_open_accepts_every_frame() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("POST", "/", &[]))).await;
    client.send([priority(1, 0), window_update(1, 1), data(1, 0, b"body"), priority(1, 3)].concat()).await;
    client.send(headers(1, END, &field("x-trailer", "t"))).await;
    let message = client.expect_message(1).await;
    assert_eq!(message.body, b"body");
    assert_eq!(message.trailers.unwrap(), [("x-trailer".to_owned(), "t".to_owned())]);
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("POST", "/wait", &[]))).await;
    client.send(reset(1, ErrorCode::CANCEL)).await;
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s5_1_half_closed_remote_data_is_stream_closed() {
    let mut client = half_closed().await;
    client.send(data(1, END_STREAM, b"test")).await;
    client.expect_stream_error(1, ErrorCode::STREAM_CLOSED).await;
}

#[tokio::test]
async fn s5_1_half_closed_remote_empty_data_is_stream_closed() {
    let mut client = half_closed().await;
    client.send(data(1, 0, b"")).await;
    client.expect_stream_error(1, ErrorCode::STREAM_CLOSED).await;
}

#[tokio::test]
async fn s5_1_half_closed_remote_headers_is_stream_closed() {
    for block in [request("GET", "/", &[]), field("x-trailer", "t"), Vec::new()] {
        let mut client = half_closed().await;
        client.send(headers(1, END, &block)).await;
        client.expect_stream_error(1, ErrorCode::STREAM_CLOSED).await;
    }
}

#[tokio::test]
async fn s5_1_half_closed_remote_continuation_is_protocol_error() {
    let mut client = half_closed().await;
    client.send(continuation(1, END_HEADERS, &field("x-a", "b"))).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s5_1_half_closed_remote_window_update_and_priority_are_accepted() {
    let mut client = Client::connect_to(millpond::Server::builder(), &[(INITIAL_WINDOW_SIZE, 0)]).await;
    client.send(headers(1, END, &request("GET", "/", &[]))).await;
    client.expect(HEADERS, 1).await;
    client.send([priority(1, 0), window_update(1, 1)].concat()).await;
    let frame = client.next_of_note().await.unwrap();
    assert_eq!((frame.stream, frame.payload.as_slice(), frame.flags), (1, b"h".as_slice(), 0));
    client.send([priority(1, 0), window_update(1, 100)].concat()).await;
    let frame = client.next_of_note().await.unwrap();
    assert_eq!((frame.stream, frame.payload.as_slice()), (1, b"ello".as_slice()));
}

#[tokio::test]
async fn s5_1_half_closed_remote_reset_is_accepted() {
    let mut client = half_closed().await;
    client.send(reset(1, ErrorCode::CANCEL)).await;
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s5_1_closed_by_reset_data_is_stream_closed() {
    let mut client = reset_by_peer().await;
    client.send(data(1, END_STREAM, b"test")).await;
    client.expect_stream_error(1, ErrorCode::STREAM_CLOSED).await;
}

#[tokio::test]
async fn s5_1_closed_by_reset_headers_is_stream_closed() {
    for block in [request("GET", "/", &[]), field("x-trailer", "t")] {
        let mut client = reset_by_peer().await;
        client.send(headers(1, END, &block)).await;
        client.expect_stream_error(1, ErrorCode::STREAM_CLOSED).await;
    }
}

#[tokio::test]
async fn s5_1_closed_by_reset_continuation_is_protocol_error() {
    let mut client = reset_by_peer().await;
    client.send(continuation(1, END_HEADERS, &field("x-a", "b"))).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s5_1_closed_by_reset_other_frames_are_ignored() {
    let mut client = reset_by_peer().await;
    client.send([priority(1, 0), window_update(1, 1), reset(1, ErrorCode::CANCEL)].concat()).await;
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s5_1_closed_by_both_data_is_stream_closed() {
    let mut client = ended().await;
    client.send(data(1, END_STREAM, b"test")).await;
    client.expect_connection_error(ErrorCode::STREAM_CLOSED).await;
}

#[tokio::test]
async fn s5_1_closed_by_both_headers_is_stream_closed() {
    for block in [request("GET", "/", &[]), field("x-trailer", "t")] {
        let mut client = ended().await;
        client.send(headers(1, END, &block)).await;
        client.expect_connection_error(ErrorCode::STREAM_CLOSED).await;
    }
}

#[tokio::test]
async fn s5_1_closed_by_both_continuation_is_protocol_error() {
    let mut client = ended().await;
    client.send(continuation(1, END_HEADERS, &field("x-a", "b"))).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s5_1_closed_by_both_priority_window_update_and_reset_are_ignored() {
    let mut client = ended().await;
    client.send([priority(1, 0), window_update(1, 1), reset(1, ErrorCode::NO_ERROR)].concat()).await;
    client.expect_ping_ack().await;
    client.send(headers(3, END, &request("GET", "/", &[]))).await;
    client.expect_message(3).await;
}

#[tokio::test]
async fn s5_1_closed_by_us_what_crossed_the_reset_is_ignored() {
    let mut client = reset_by_server().await;
    client.send([data(1, 0, b"test"), window_update(1, 1), priority(1, 0)].concat()).await;
    client.send([headers(1, END, &field("x-trailer", "t")), reset(1, ErrorCode::CANCEL)].concat()).await;
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s5_1_closed_by_us_data_still_counts_for_the_connection() {
    let mut client = reset_by_server().await;
    // Far more than a window of the connection: it must be given back.
    let mut window = 2 << 20;
    for _ in 0..400 {
        while window < 16_384 {
            let update = client.seek(crate::wire::WINDOW_UPDATE, 0).await;
            window += u32::from_be_bytes(update.payload.try_into().unwrap());
        }
        client.send(data(1, 0, &[0; 16_384])).await;
        window -= 16_384;
    }
    client.expect_ping_ack().await;
}
