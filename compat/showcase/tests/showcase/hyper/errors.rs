//! What a user of hyper learns of a connection that fails (RFC 9113 §5.4).

use std::error::Error as _;

use h2::Reason;
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;

use crate::support::bodies::{empty, full};
use crate::support::hyper_pair::{Ends, echo, request};
use crate::support::{h2_error, pattern, raw, reason, show, sockets, soon};

/// A response head: `:status: 200` from the static table.
const RESPONSE: &[u8] = &[0x88];

/// END_HEADERS.
const END_HEADERS: u8 = 4;

/// What a client gets for a call, when the server does this once the request is there.
async fn against(
    talk: impl AsyncFnOnce(&mut tokio::net::TcpStream, u32),
) -> (hyper::Result<bytes::Bytes>, hyper::Result<()>) {
    let (client, server) = sockets().await;
    let (mut send, connection) = Ends::new().call(client).await;
    let mut server = raw::accept(server).await;
    let call = tokio::spawn(send.send_request(request("GET", "/", empty())));
    let (stream, _) = raw::read_until(&mut server, raw::HEADERS).await;
    talk(&mut server, stream).await;
    let result = match soon(call).await.expect("no panic") {
        Ok(answer) => soon(answer.into_body().collect()).await.map(|body| body.to_bytes()),
        Err(error) => Err(error),
    };
    drop(send);
    tokio::spawn(raw::listen_only(server));
    (result, soon(connection).await.expect("no panic"))
}

#[test]
fn a_reset_stream_gives_its_reason() {
    show(async {
        for code in
            [Reason::REFUSED_STREAM, Reason::ENHANCE_YOUR_CALM, Reason::INTERNAL_ERROR, Reason::from(77)]
        {
            let (result, connection) = against(async |server, stream| {
                let code = u32::from(code).to_be_bytes();
                raw::write(server, &raw::frame(raw::RST_STREAM, 0, stream, &code)).await;
            })
            .await;
            let error = result.expect_err("it was reset");
            assert_eq!(reason(&error), Some(code), "{error:?}");
            let cause = h2_error(&error).expect("h2 said so");
            assert!(
                cause.is_reset() && cause.is_remote() && !cause.is_go_away() && !cause.is_io(),
                "{cause:?}"
            );
            connection.expect("only the stream was reset");
        }
    });
}

#[test]
fn a_reset_in_the_body_gives_its_reason() {
    show(async {
        let (result, _) = against(async |server, stream| {
            raw::write(server, &raw::frame(raw::HEADERS, END_HEADERS, stream, RESPONSE)).await;
            let code = u32::from(Reason::INTERNAL_ERROR).to_be_bytes();
            raw::write(server, &raw::frame(raw::RST_STREAM, 0, stream, &code)).await;
        })
        .await;
        let error = result.expect_err("it was reset");
        assert_eq!(reason(&error), Some(Reason::INTERNAL_ERROR), "{error:?}");
    });
}

#[test]
fn a_goaway_that_leaves_the_call_out_gives_its_reason() {
    show(async {
        let (result, connection) = against(async |server, _| {
            let payload = [0_u32.to_be_bytes(), u32::from(Reason::ENHANCE_YOUR_CALM).to_be_bytes()].concat();
            raw::write(server, &raw::frame(raw::GOAWAY, 0, 0, &payload)).await;
        })
        .await;
        let error = result.expect_err("it will not be answered");
        assert_eq!(reason(&error), Some(Reason::ENHANCE_YOUR_CALM), "{error:?}");
        let cause = h2_error(&error).expect("h2 said so");
        assert!(cause.is_go_away() && cause.is_remote() && !cause.is_reset(), "{cause:?}");
        let error = connection.expect_err("the connection failed");
        assert_eq!(reason(&error), Some(Reason::ENHANCE_YOUR_CALM), "{error:?}");
    });
}

#[test]
fn a_connection_that_breaks_is_an_io_error() {
    show(async {
        let (result, _) = against(async |server, _| {
            server.shutdown().await.expect("a socket");
        })
        .await;
        let error = result.expect_err("it broke");
        // hyper takes the I/O error out of h2's.
        let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
        assert_eq!(cause.map(std::io::Error::kind), Some(std::io::ErrorKind::BrokenPipe), "{error:?}");
    });
}

#[test]
fn a_peer_that_speaks_nonsense_is_told() {
    show(async {
        let (result, _) = against(async |server, stream| {
            // DATA before the response head (RFC 9113 §8.1).
            raw::write(server, &raw::frame(0, 0, stream, b"early")).await;
        })
        .await;
        let error = result.expect_err("malformed");
        assert_eq!(reason(&error), Some(Reason::PROTOCOL_ERROR), "{error:?}");
        let cause = h2_error(&error).expect("h2 said so");
        assert!(!cause.is_remote() && !cause.is_io(), "{cause:?}");
    });
}

#[test]
fn a_client_that_is_none_is_told() {
    show(async {
        let (mut client, server) = sockets().await;
        let served = Ends::new().serve(server, echo);
        raw::write(&mut client, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        let error = soon(served.ended).await.expect("no panic").expect_err("no preface");
        assert!(error.is_parse_version_h2() || reason(&error) == Some(Reason::PROTOCOL_ERROR), "{error:?}");
    });
}

#[test]
fn a_client_that_leaves_before_its_preface_is_no_trouble() {
    show(async {
        let (client, server) = sockets().await;
        let served = Ends::new().serve(server, echo);
        drop(client);
        let ended = soon(served.ended).await.expect("no panic");
        assert!(ended.is_err());
        // A server for the next one is as good as new.
        let mut pair = Ends::new().connect(echo).await;
        assert_eq!(pair.post(full(pattern(100))).await, pattern(100));
        pair
    });
}
