//! What the facade holds, and when it lets go of it: not one block of the pool may stay out.
//!
//! One test alone, for the pool is the whole process's.

use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, server};
use http::Response;
use millpond::buffer::BufferPool;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// `:method: POST`, `:path: /`, `:scheme: https`, `:authority: a`.
const POST: &[u8] = &[0x83, 0x84, 0x87, 0x41, 0x01, b'a'];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut octets = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    octets.extend([kind, flags]);
    octets.extend(stream.to_be_bytes());
    octets.extend(payload);
    octets
}

fn blocks_out() -> usize {
    BufferPool::global().stats().blocks_out
}

/// A server with one request in hand, and much that nobody has accepted or read.
async fn laden_server() -> (server::Connection<DuplexStream, Bytes>, impl Sized, DuplexStream) {
    let (io, mut peer) = duplex(1 << 22);
    let mut builder = server::Builder::new();
    builder.initial_connection_window_size(1 << 24);
    peer.write_all(PREFACE).await.unwrap();
    peer.write_all(&frame(4, 0, 0, &[])).await.unwrap();
    peer.write_all(&frame(4, 1, 0, &[])).await.unwrap();
    for stream in (1..60).step_by(2) {
        peer.write_all(&frame(1, 4, stream, POST)).await.unwrap();
        for _ in 0..3 {
            peer.write_all(&frame(0, 0, stream, &[1; 16_384])).await.unwrap();
        }
    }
    // And a frame that stops in its middle.
    peer.write_all(&frame(0, 0, 59, &[1; 16_383])[..9_000]).await.unwrap();
    let mut connection = builder.handshake(io).await.unwrap();
    let first = connection.accept().await.unwrap().unwrap();
    let rest = std::future::poll_fn(|cx| connection.poll_closed(cx));
    assert!(tokio::time::timeout(Duration::from_millis(50), rest).await.is_err());
    assert!(blocks_out() > 10, "nothing is held: this test would see nothing");
    (connection, first, peer)
}

#[tokio::test]
async fn nothing_stays_out() {
    // The connection goes first: what nobody has accepted goes with it, whatever handles live on.
    let (connection, first, _peer) = laden_server().await;
    let before = blocks_out();
    drop(connection);
    assert!(blocks_out() * 10 < before, "{} of {before} blocks are out", blocks_out());
    drop(first);
    assert_eq!(blocks_out(), 0);

    // The handles go first: what they held goes with them.
    let (mut connection, first, mut peer) = laden_server().await;
    drop(first);
    while let Ok(Some(Ok((request, mut respond)))) =
        tokio::time::timeout(Duration::from_millis(50), connection.accept()).await
    {
        let mut body = request.into_body();
        let octets = body.data().await.unwrap().unwrap();
        match u32::from(body.stream_id()) % 3 {
            0 => respond.send_reset(Reason::INTERNAL_ERROR),
            1 => drop(respond.send_response(Response::new(()), true).unwrap()),
            _ => {}
        }
        drop((octets, body));
    }
    assert_eq!(blocks_out(), 0);
    let mut heard = Vec::new();
    drop(connection);
    peer.read_to_end(&mut heard).await.unwrap();
    assert_eq!(blocks_out(), 0);
}
