//! The types themselves: what they are called, what they promise to the compiler.

use std::{error, fmt, io, mem};

use bytes::Bytes;

use super::{
    super::h2::{
        self, Error, FlowControl, Ping, PingPong, Pong, Reason, RecvStream, SendStream, StreamId, client,
        ext::Protocol, server,
    },
    endpoint::*,
};
use crate::mock::*;

#[test]
fn reasons_have_names_and_numbers() {
    let reasons = [
        (Reason::NO_ERROR, "NO_ERROR", "not a result of an error"),
        (Reason::PROTOCOL_ERROR, "PROTOCOL_ERROR", "unspecific protocol error detected"),
        (Reason::INTERNAL_ERROR, "INTERNAL_ERROR", "unexpected internal error encountered"),
        (Reason::FLOW_CONTROL_ERROR, "FLOW_CONTROL_ERROR", "flow-control protocol violated"),
        (Reason::SETTINGS_TIMEOUT, "SETTINGS_TIMEOUT", "settings ACK not received in timely manner"),
        (Reason::STREAM_CLOSED, "STREAM_CLOSED", "received frame when stream half-closed"),
        (Reason::FRAME_SIZE_ERROR, "FRAME_SIZE_ERROR", "frame with invalid size"),
        (Reason::REFUSED_STREAM, "REFUSED_STREAM", "refused stream before processing any application logic"),
        (Reason::CANCEL, "CANCEL", "stream no longer needed"),
        (Reason::COMPRESSION_ERROR, "COMPRESSION_ERROR", "unable to maintain the header compression context"),
        (
            Reason::CONNECT_ERROR,
            "CONNECT_ERROR",
            "connection established in response to a CONNECT request was reset or abnormally closed",
        ),
        (Reason::ENHANCE_YOUR_CALM, "ENHANCE_YOUR_CALM", "detected excessive load generating behavior"),
        (
            Reason::INADEQUATE_SECURITY,
            "INADEQUATE_SECURITY",
            "security properties do not meet minimum requirements",
        ),
        (Reason::HTTP_1_1_REQUIRED, "HTTP_1_1_REQUIRED", "endpoint requires HTTP/1.1"),
    ];
    for (number, (reason, name, description)) in (0..).zip(reasons) {
        assert_eq!(u32::from(reason), number);
        assert_eq!(Reason::from(number), reason);
        assert_eq!(format!("{reason:?}"), name);
        assert_eq!(reason.to_string(), description);
        assert_eq!(reason.description(), description);
    }
    let unknown = Reason::from(0xbad);
    assert_eq!(u32::from(unknown), 0xbad);
    assert_eq!(
        (unknown.to_string(), format!("{unknown:?}")),
        ("unknown reason".into(), "Reason(bad)".into())
    );
}

#[test]
fn a_reason_is_an_error() {
    let error = Error::from(Reason::HTTP_1_1_REQUIRED);
    assert_eq!(error.reason(), Some(Reason::HTTP_1_1_REQUIRED));
    assert_eq!(error.to_string(), "protocol error: endpoint requires HTTP/1.1");
    assert!(!error.is_io() && !error.is_go_away() && !error.is_reset());
    assert!(!error.is_remote() && !error.is_library());
    assert!(error.get_io().is_none() && error.into_io().is_none());
}

#[test]
fn protocols_are_strings() {
    const STATIC: Protocol = Protocol::from_static("websocket");
    let owned = Protocol::from("websocket");
    assert_eq!(STATIC, owned);
    assert_eq!(owned.clone().as_str(), "websocket");
    assert_eq!(AsRef::<[u8]>::as_ref(&owned), b"websocket");
    assert!(format!("{owned:?}").contains("websocket"));
    assert_ne!(owned, Protocol::from("connect-udp"));
}

#[tokio::test]
async fn stream_identifiers_are_numbers() {
    let (mut client, _connection, _peer) = client().await;
    let (answer, upload) = client.send_request(get("https://example.com/"), true).unwrap();
    assert_eq!(answer.stream_id(), upload.stream_id());
    assert_eq!(answer.stream_id().as_u32(), 1);
    assert_eq!(format!("{:?}", answer.stream_id()), "StreamId(1)");
}

#[test]
fn builders_have_defaults_and_copies() {
    fn check<T: Clone + Default + fmt::Debug>() {}
    check::<client::Builder>();
    check::<server::Builder>();
    let mut builder = client::Builder::new();
    builder.initial_window_size(1).clone().initial_window_size(2);
}

#[test]
fn everything_crosses_threads() {
    fn check<T: Send + Sync + fmt::Debug>() {}
    check::<client::Connection<Pipe>>();
    check::<client::ResponseFuture>();
    check::<client::SendRequest<Bytes>>();
    check::<client::ReadySendRequest<Bytes>>();
    check::<server::Connection<Pipe, Bytes>>();
    check::<server::SendResponse<Bytes>>();
    check::<SendStream<Bytes>>();
    check::<RecvStream>();
    check::<FlowControl>();
    check::<Error>();
    check::<Reason>();
    check::<StreamId>();
    fn send<T: Send>() {}
    send::<PingPong>();
    send::<Ping>();
    send::<Pong>();
}

#[test]
fn nothing_is_pinned_whatever_the_data_is() {
    /// Data that must not move.
    struct Pinned(#[allow(dead_code, reason = "never made")] std::marker::PhantomPinned);

    impl bytes::Buf for Pinned {
        fn remaining(&self) -> usize {
            0
        }
        fn chunk(&self) -> &[u8] {
            &[]
        }
        fn advance(&mut self, _: usize) {}
    }

    fn check<T: Unpin>() {}
    check::<client::SendRequest<Pinned>>();
    check::<SendStream<Pinned>>();
    check::<server::SendResponse<Pinned>>();
    check::<client::Connection<Pipe, Pinned>>();
    check::<server::Connection<Pipe, Pinned>>();
    check::<client::ResponseFuture>();
    check::<RecvStream>();
}

#[test]
fn a_body_is_small() {
    assert!(mem::size_of::<RecvStream>() <= 2 * mem::size_of::<usize>());
}

#[tokio::test]
async fn errors_of_the_wire_keep_their_text() {
    let (io, mut peer) = pipe();
    peer.break_writes(io::ErrorKind::TimedOut);
    let error: h2::Error = client::handshake(io).await.map(drop).unwrap_err();
    assert!(error.is_io());
    assert_eq!(error.to_string(), io::Error::from(io::ErrorKind::TimedOut).to_string());
    assert_eq!(error.into_io().unwrap().kind(), io::ErrorKind::TimedOut);

    fn check<T: error::Error>() {}
    check::<h2::Error>();
}

#[tokio::test]
async fn a_handshake_does_not_borrow_its_builder() {
    let (io, _peer) = pipe();
    let handshake = {
        let builder = client::Builder::new();
        builder.handshake::<_, Bytes>(io)
    };
    let (_client, _connection) = handshake.await.unwrap();
}
