//! Error codes (RFC 9113 §7).

use millpond::ErrorCode;

use crate::{
    wire::{END, OK, data, goaway, headers, request, reset},
    world::{Client, Server},
};

/// Codes that no specification gives a meaning.
const UNKNOWN: [u32; 3] = [0x0e, 0xff, u32::MAX];

#[tokio::test]
async fn s7_reset_with_an_unknown_code_is_a_reset_like_any_other() {
    for code in UNKNOWN {
        let mut client = Client::connect().await;
        client.send(headers(1, 0, &request("POST", "/wait", &[]))).await;
        client.send(reset(1, ErrorCode::from(code))).await;
        client.expect_ping_ack().await;
        // The stream is closed indeed.
        client.send(data(1, 0, b"test")).await;
        client.expect_stream_error(1, ErrorCode::STREAM_CLOSED).await;
        let mut server = Server::accept().await;
        let call = server.get();
        server.expect_message(1).await;
        server.send(reset(1, ErrorCode::from(code))).await;
        assert_eq!(u32::from(call.reply().await.unwrap_err().code()), code);
        server.expect_ping_ack().await;
    }
}

#[tokio::test]
async fn s7_goaway_with_an_unknown_code_is_a_goaway_like_any_other() {
    for code in UNKNOWN {
        let mut client = Client::connect().await;
        client.send(goaway(0, ErrorCode::from(code))).await;
        client.expect_ping_ack().await;
        let mut server = Server::accept().await;
        let (first, second) = (server.get(), server.get());
        server.expect_message(1).await;
        server.expect_message(3).await;
        server.send([goaway(1, ErrorCode::from(code)), headers(1, END, OK)].concat()).await;
        assert_eq!(first.reply().await.unwrap().head.status(), 200);
        let error = second.reply().await.unwrap_err();
        assert_eq!((u32::from(error.code()), error.is_unprocessed()), (code, true));
        server.expect_end().await;
    }
}
