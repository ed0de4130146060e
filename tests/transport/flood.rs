//! Two peers that send without end through small socket buffers must not wait for each other.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use millpond::{Config, ErrorCode, client, server};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf, join};

use crate::{
    raw::{self, PING, Raw},
    world::{
        Pipe, Taker, Unix, Wire, World, call, echo, no_content, pattern, pool, post, quiet, run_on_threads,
        serve,
    },
};

/// Both directions at once, many streams, 8 KiB in the socket.
async fn flood<W: Wire>() {
    let world = World::start::<W, _, _>(echo).await;
    let calls = (0..16).map(|n| {
        let send = world.send.clone();
        async move {
            let sent = pattern(600_000 + n);
            let (_, body, _) = call(&send, post("/"), sent.clone()).await.unwrap();
            assert!(body == sent);
        }
    });
    futures_util::future::join_all(calls).await;
    world.finish().await;
}
crate::world::on_every_wire!(flood);

#[test]
fn small_socket_buffers() {
    run_on_threads(async {
        // Not TCP, whose zero-window probes take a fifth of a second each.
        let (client_io, server_io) = Unix::pair().await;
        for io in [&client_io, &server_io] {
            let socket = socket2::SockRef::from(io);
            socket.set_send_buffer_size(4 << 10).unwrap();
            socket.set_recv_buffer_size(4 << 10).unwrap();
        }
        let pool = pool();
        let config = || Config::builder().pool(pool.clone()).build().unwrap();
        let server = tokio::spawn(serve(server_io, config(), echo));
        let (send, connection) = client::handshake(client_io, config());
        let connection = tokio::spawn(connection);
        let calls = (0..8).map(|_| {
            let send = send.clone();
            async move { assert!(call(&send, post("/"), pattern(300_000)).await.unwrap().1.len() == 300_000) }
        });
        futures_util::future::join_all(calls).await;
        drop(send);
        connection.await.unwrap().unwrap();
        server.await.unwrap().unwrap();
        quiet(&pool).await;
    });
}

/// A peer that sends frames to answer and reads none of the answers is cut off, and holds little until then.
#[test]
fn a_peer_that_pings_and_never_reads_is_cut_off() {
    run_on_threads(async {
        let (mut peer, server_io) = Pipe::pair().await;
        let pool = pool();
        let config = Config::builder().pool(pool.clone()).build().unwrap();
        let server = tokio::spawn(serve(server_io, config, no_content));
        peer.write_all(raw::PREFACE).await.unwrap();
        peer.write_all(&raw::settings(&[])).await.unwrap();
        let ping = raw::frame(PING, 0, 0, &[3; 8]);
        let mut sent = 0;
        while peer.write_all(&ping).await.is_ok() {
            sent += 1;
            assert!(sent < 100_000, "nobody minds");
            assert!(pool.stats().octets_out < 256 << 10);
        }
        assert!(server.await.unwrap().is_err());
        quiet(&pool).await;
    });
}

/// Each side keeps reading while its own writer is blocked.
#[test]
fn reading_goes_on_while_the_writer_is_blocked() {
    run_on_threads(async {
        let (client_io, server_io) = tokio::io::duplex(2 << 10);
        let (mut send, connection) = client::handshake(client_io, Config::default());
        tokio::spawn(connection);
        let mut peer = Raw::server(server_io, &[]).await;
        let (response, mut stream) = send.send_request(post("/"), false).unwrap();
        stream.send_data(pattern(60_000), false).unwrap();
        // The peer does not read, and sends: the head must come through.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS, 1, raw::OK)).await;
        let mut body = response.await.unwrap().into_body();
        for _ in 0..10 {
            peer.send(&raw::frame(raw::DATA, 0, 1, &[1; 1_000])).await;
        }
        let mut got = 0;
        while got < 10_000 {
            got += poll_fn(|cx| body.poll_data(cx)).await.unwrap().unwrap().len();
        }
    });
}

/// A peer that is always faster than we, over IO that never says that it is somebody else's turn. It counts reads.
struct Endless(Arc<AtomicUsize>);

impl AsyncRead for Endless {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let reads = self.0.fetch_add(1, Relaxed);
        assert!(reads < 10_000, "one poll reads for ever");
        let preface = match reads {
            0 => [raw::PREFACE, &raw::settings(&[])].concat(),
            _ => raw::frame(PING, 1, 0, &[0; 8]).repeat(into.remaining() / 17),
        };
        into.put_slice(&preface[..preface.len().min(into.remaining())]);
        Poll::Ready(Ok(()))
    }
}

/// The connection fails, and what still comes is dropped, a little at a time, and not for ever.
#[test]
fn a_flood_after_the_end_leaves_others_their_turn() {
    run_on_threads(async {
        let reads = Arc::new(AtomicUsize::new(0));
        let mut connection =
            server::handshake(join(Endless(reads.clone()), Taker::default()), Config::default());
        let error = poll_fn(|cx| {
            // After the preface it is only the reads of one poll that count.
            reads.fetch_min(1, Relaxed);
            connection.poll_accept(cx)
        })
        .await
        .unwrap()
        .unwrap_err();
        assert_eq!(error.code(), ErrorCode::ENHANCE_YOUR_CALM);
        poll_fn(|cx| {
            reads.fetch_min(1, Relaxed);
            connection.poll_accept(cx).map(|end| assert!(end.is_none()))
        })
        .await;
    });
}
