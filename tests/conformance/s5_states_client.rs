//! The states of a stream, as a client keeps them (RFC 9113 §5.1).

use millpond::{Config, ErrorCode};

use crate::{
    wire::{
        DATA, END, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE, OK, WINDOW_UPDATE, continuation,
        data, field, headers, priority, reset, window_update,
    },
    world::{Call, Server},
};

/// Stream 1 is half-closed (local): the client waits for the response.
async fn half_closed_local() -> (Server, Call) {
    let mut server = Server::accept().await;
    let call = server.get();
    server.expect_message(1).await;
    (server, call)
}

/// Stream 1 is half-closed (remote): the response is complete, the request is not.
async fn half_closed_remote() -> (Server, Call) {
    let mut server = Server::accept().await;
    let call = server.call_and_keep_sending();
    server.expect(HEADERS, 1).await;
    server.send(headers(1, END, OK)).await;
    server.expect_ping_ack().await;
    (server, call)
}

/// Stream 1 is closed: both sides have ended it.
async fn ended() -> Server {
    let (mut server, call) = half_closed_local().await;
    server.send(headers(1, END, OK)).await;
    call.reply().await.unwrap();
    server
}

/// Stream 1 is closed: the server has reset it.
async fn reset_by_peer() -> Server {
    let (mut server, call) = half_closed_local().await;
    server.send(reset(1, ErrorCode::INTERNAL_ERROR)).await;
    assert_eq!(call.reply().await.unwrap_err().code(), ErrorCode::INTERNAL_ERROR);
    server
}

/// Stream 1 is closed: the client has cancelled it.
async fn cancelled() -> Server {
    let (mut server, call) = half_closed_local().await;
    call.cancel().await;
    server.expect_stream_error(1, ErrorCode::CANCEL).await;
    server
}

#[tokio::test]
async fn s5_1_client_idle_frames_are_protocol_error() {
    let idle = [
        headers(1, END, OK),
        data(1, END_STREAM, b"test"),
        reset(1, ErrorCode::CANCEL),
        window_update(1, 100),
        continuation(1, END_HEADERS, OK),
    ];
    for frame in idle {
        let mut server = Server::accept().await;
        server.send(frame).await;
        server.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
        assert!(server.outcome().await.is_err());
    }
}

#[tokio::test]
async fn s5_1_client_idle_streams_of_the_server_are_idle() {
    // Push is off (§8.4), so the server has no stream.
    let idle = [
        headers(2, END, OK),
        data(2, END_STREAM, b"test"),
        reset(2, ErrorCode::CANCEL),
        window_update(2, 100),
    ];
    for frame in idle {
        let mut server = Server::accept().await;
        server.send(frame).await;
        server.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    }
}

#[tokio::test]
async fn s5_1_client_idle_priority_is_accepted() {
    let mut server = Server::accept().await;
    server.send([priority(1, 0), priority(2, 0)].concat()).await;
    server.expect_ping_ack().await;
    let call = server.get();
    server.expect_message(1).await;
    server.send(headers(1, END, OK)).await;
    call.reply().await.unwrap();
}

#[tokio::test]
async fn s5_1_client_half_closed_local_accepts_every_frame() {
    let (mut server, call) = half_closed_local().await;
    server.send([priority(1, 0), window_update(1, 1), headers(1, 0, OK), priority(1, 3)].concat()).await;
    server.send([data(1, 0, b"body"), headers(1, END, &field("x-trailer", "t"))].concat()).await;
    let reply = call.reply().await.unwrap();
    assert_eq!(
        (reply.body.as_slice(), &reply.trailers.unwrap()["x-trailer"]),
        (b"body".as_slice(), &"t".parse().unwrap())
    );
    reset_by_peer().await.expect_ping_ack().await;
}

#[tokio::test]
async fn s5_1_client_half_closed_remote_data_is_stream_closed() {
    let (mut server, _call) = half_closed_remote().await;
    server.send(data(1, END_STREAM, b"test")).await;
    server.expect_stream_error(1, ErrorCode::STREAM_CLOSED).await;
}

#[tokio::test]
async fn s5_1_client_half_closed_remote_headers_is_stream_closed() {
    let (mut server, _call) = half_closed_remote().await;
    server.send(headers(1, END, &field("x-trailer", "t"))).await;
    server.expect_stream_error(1, ErrorCode::STREAM_CLOSED).await;
}

#[tokio::test]
async fn s5_1_client_half_closed_remote_continuation_is_protocol_error() {
    let (mut server, _call) = half_closed_remote().await;
    server.send(continuation(1, END_HEADERS, &field("x-a", "b"))).await;
    server.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s5_1_client_half_closed_remote_other_frames_are_accepted() {
    let mut server = Server::accept_from(Config::builder(), &[(INITIAL_WINDOW_SIZE, 0)]).await;
    let request = http::Request::post("http://pond.example/").body(()).unwrap();
    let _call = server.call(request, Some(b"body"));
    server.expect(HEADERS, 1).await;
    server.send([headers(1, END, OK), priority(1, 0), window_update(1, 2)].concat()).await;
    assert_eq!(server.expect(DATA, 1).await.payload, b"bo");
    server.send(reset(1, ErrorCode::NO_ERROR)).await;
    server.expect_ping_ack().await;
}

#[tokio::test]
async fn s5_1_client_closed_by_reset_headers_and_data_are_stream_closed() {
    for frame in [headers(1, END, OK), data(1, END_STREAM, b"test")] {
        let mut server = reset_by_peer().await;
        server.send(frame).await;
        server.expect_stream_error(1, ErrorCode::STREAM_CLOSED).await;
    }
}

#[tokio::test]
async fn s5_1_client_closed_by_reset_other_frames_are_ignored() {
    let mut server = reset_by_peer().await;
    server.send([priority(1, 0), window_update(1, 1), reset(1, ErrorCode::CANCEL)].concat()).await;
    server.expect_ping_ack().await;
}

#[tokio::test]
async fn s5_1_client_closed_by_both_headers_and_data_are_stream_closed() {
    for frame in [headers(1, END, OK), data(1, END_STREAM, b"test")] {
        let mut server = ended().await;
        server.send(frame).await;
        server.expect_connection_error(ErrorCode::STREAM_CLOSED).await;
    }
}

#[tokio::test]
async fn s5_1_client_closed_by_both_other_frames_are_ignored() {
    let mut server = ended().await;
    server.send([priority(1, 0), window_update(1, 1), reset(1, ErrorCode::NO_ERROR)].concat()).await;
    server.expect_ping_ack().await;
}

#[tokio::test]
async fn s5_1_client_closed_by_us_what_crossed_the_reset_is_ignored() {
    let mut server = cancelled().await;
    server.send([headers(1, 0, OK), data(1, 0, b"late"), window_update(1, 1), priority(1, 0)].concat()).await;
    server.send([headers(1, END, &field("x-trailer", "t")), reset(1, ErrorCode::CANCEL)].concat()).await;
    server.expect_ping_ack().await;
}

#[tokio::test]
async fn s5_1_client_closed_by_us_data_still_counts_for_the_connection() {
    let mut server = cancelled().await;
    server.send(headers(1, 0, OK)).await;
    let mut window = 2 << 20;
    for _ in 0..400 {
        while window < 16_384 {
            let update = server.seek(WINDOW_UPDATE, 0).await;
            window += u32::from_be_bytes(update.payload.try_into().unwrap());
        }
        server.send(data(1, 0, &[0; 16_384])).await;
        window -= 16_384;
    }
    server.expect_ping_ack().await;
}
