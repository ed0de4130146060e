//! What is held while nothing happens: nothing.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use millpond::{
    Config, client,
    readiness::{ReadReady, Source},
    server,
};
use tokio::{
    io::AsyncWrite,
    net::{TcpStream, UnixStream},
};

use crate::{
    HEAP,
    child::in_child,
    raw::{self, DATA, END_HEADERS, HEADERS, POST, Raw},
    world::{
        Pipe, Tcp, Unix, Wire, World, call, echo, get, no_content, on_every_wire, pattern, pool, post, quiet,
        run_here, serve, settle,
    },
};

async fn an_idle_connection_holds_no_block<W: Wire>() {
    let world = World::start::<W, _, _>(echo).await;
    call(&world.send, get("/"), Bytes::new()).await.unwrap();
    quiet(&world.client_pool).await;
    quiet(&world.server_pool).await;
    call(&world.send, post("/"), pattern(1 << 20)).await.unwrap();
    quiet(&world.client_pool).await;
    quiet(&world.server_pool).await;
    // A stream is open on both sides and silent.
    let (response, mut stream) = world.send.clone().send_request(post("/"), false).unwrap();
    let mut body = response.await.unwrap().into_body();
    stream.send_data(Bytes::from_static(b"ping"), false).unwrap();
    assert_eq!(body.data().await.unwrap().unwrap(), "ping");
    quiet(&world.client_pool).await;
    quiet(&world.server_pool).await;
    drop((stream, body));
    world.finish().await;
}
on_every_wire!(an_idle_connection_holds_no_block);

async fn a_stalled_frame_holds_no_block<W: Wire>() {
    let (client_io, server_io) = W::pair().await;
    let pool = pool();
    let config = Config::builder().pool(pool.clone()).build().unwrap();
    let server = tokio::spawn(serve(server_io, config, echo));
    let mut peer = Raw::client(client_io, &[]).await;
    peer.send(&raw::frame(HEADERS, END_HEADERS, 1, POST)).await;
    peer.expect(HEADERS).await;
    peer.send(&raw::frame(DATA, 0, 1, &[7; 16_000])[..9]).await;
    settle().await;
    assert_eq!(pool.stats().blocks_out, 0, "nine octets of DATA hold {:?}", pool.stats());
    peer.send(&[7; 100]).await;
    assert_eq!(peer.expect(DATA).await.payload, [7; 100]);
    quiet(&pool).await;
    drop(peer);
    let _ = server.await.unwrap();
    quiet(&pool).await;
}
on_every_wire!(a_stalled_frame_holds_no_block);

/// A TCP or Unix socket that counts what is asked of it.
struct Counted<T> {
    io: Source<T>,
    reads: Arc<Reads>,
}

#[derive(Default)]
struct Reads {
    found: AtomicUsize,
    nothing: AtomicUsize,
}

impl<T> ReadReady for Counted<T>
where
    Source<T>: ReadReady,
{
    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_read_ready(cx)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let read = self.io.poll_read(cx, into);
        let count = if read.is_pending() { &self.reads.nothing } else { &self.reads.found };
        count.fetch_add(1, Ordering::Relaxed);
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Counted<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

async fn no_read_finds_nothing<T>(client_io: T, server_io: T)
where
    T: tokio::io::AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let [by_client, by_server]: [Arc<Reads>; 2] = Default::default();
    let counted = Counted { io: Source::new(server_io), reads: by_server.clone() };
    let server = tokio::spawn(async move {
        let mut connection = server::handshake_with(counted, Config::default());
        while let Some(incoming) = connection.accept().await {
            tokio::spawn(no_content(incoming.unwrap()));
        }
    });
    let counted = Counted { io: Source::new(client_io), reads: by_client.clone() };
    let (send, connection) = client::handshake_with(counted, Config::default());
    let connection = tokio::spawn(connection);
    for _ in 0..100 {
        call(&send, get("/"), Bytes::new()).await.unwrap();
        tokio::task::yield_now().await;
    }
    for (reads, side) in [(&by_client, "client"), (&by_server, "server")] {
        let (found, nothing) = (reads.found.load(Ordering::Relaxed), reads.nothing.load(Ordering::Relaxed));
        // A new socket may say once that it is readable and not be.
        assert!(found >= 90 && nothing <= 1, "{side}: {found} reads found something, {nothing} nothing");
    }
    drop(send);
    connection.await.unwrap().unwrap();
    server.await.unwrap();
}

#[test]
fn no_read_of_tcp_finds_nothing() {
    run_here(async {
        let (client_io, server_io) = Tcp::pair().await;
        no_read_finds_nothing::<TcpStream>(client_io, server_io).await;
    });
}

#[test]
fn no_read_of_a_unix_socket_finds_nothing() {
    run_here(async {
        let (client_io, server_io) = Unix::pair().await;
        no_read_finds_nothing::<UnixStream>(client_io, server_io).await;
    });
}

#[cfg(target_os = "linux")]
/// Octets of address space, for buffers that have mappings of their own.
fn mapped() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').next().unwrap().parse::<usize>().unwrap() * 4_096
}

#[cfg(target_os = "linux")]
/// Octets that an idle pair of connections adds to the heap and to the mappings.
async fn idle_cost(config: impl Fn() -> Config) -> (usize, usize) {
    const PAIRS: usize = 20;
    let begin = async |count: usize| {
        let mut kept = Vec::new();
        for _ in 0..count {
            let (client_io, server_io) = Tcp::pair().await;
            let server = tokio::spawn(serve(server_io, config(), no_content));
            let (send, connection) = client::handshake(client_io, config());
            let connection = tokio::spawn(connection);
            call(&send, get("/"), Bytes::new()).await.unwrap();
            kept.push((send, connection, server));
        }
        settle().await;
        kept
    };
    let warm = begin(PAIRS).await;
    let before = (HEAP.usage().live, mapped());
    let kept = begin(PAIRS).await;
    let after = (HEAP.usage().live, mapped());
    for (send, connection, server) in warm.into_iter().chain(kept) {
        drop(send);
        connection.await.unwrap().unwrap();
        server.await.unwrap().unwrap();
    }
    ((after.0 - before.0) / PAIRS, after.1.saturating_sub(before.1) / PAIRS)
}

#[cfg(target_os = "linux")]
const OWNED: usize = 2 * (16 << 10);

#[cfg(target_os = "linux")]
#[test]
fn an_idle_connection_costs_little() {
    in_child("idle::an_idle_connection_costs_little", &[], || {
        run_here(async {
            let (heap, mapped) = idle_cost(Config::default).await;
            assert!(
                heap < 3_000 && mapped < OWNED,
                "an idle pair of connections costs {heap} + {mapped} octets"
            );
        });
    });
}

#[cfg(target_os = "linux")]
#[test]
fn without_pooling_each_connection_keeps_one_buffer() {
    in_child("idle::without_pooling_each_connection_keeps_one_buffer", &[], || {
        run_here(async {
            let off = || Config::builder().read_buffer_pooling(false).build().unwrap();
            let (_, mapped) = idle_cost(off).await;
            assert!((OWNED..OWNED * 3 / 2).contains(&mapped), "{mapped} octets");
        });
    });
}

#[cfg(target_os = "linux")]
#[test]
fn the_environment_wins_over_code() {
    let off = [("MILLPOND_READ_BUFFER_POOLING", "off")];
    in_child("idle::the_environment_wins_over_code", &off, || {
        run_here(async {
            let on = || Config::builder().read_buffer_pooling(true).build().unwrap();
            let (_, mapped) = idle_cost(on).await;
            assert!((OWNED..OWNED * 3 / 2).contains(&mapped), "{mapped} octets");
            // No read takes a block of the pool.
            let pool = pool();
            let config = || Config::builder().read_buffer_pooling(true).pool(pool.clone());
            let (client_io, server_io) = Tcp::pair().await;
            let server = tokio::spawn(serve(server_io, config().build().unwrap(), no_content));
            let mut peer = Raw::client(client_io, &[]).await;
            peer.expect(raw::SETTINGS).await;
            let takes = || pool.stats().hits + pool.stats().misses;
            settle().await;
            let before = takes();
            // Frames that are not answered.
            for _ in 0..10 {
                peer.send(&raw::window_update(0, 1)).await;
                settle().await;
            }
            assert_eq!(takes(), before);
            drop(peer);
            let _ = server.await.unwrap();
        });
    });
}

#[test]
fn without_pooling_all_works_the_same() {
    run_here(async {
        let off = || Config::builder().read_buffer_pooling(false);
        let world = World::with::<Tcp, _, _>(off(), off(), echo).await;
        for octets in [0, 1, 5_000, 500_000] {
            let (_, body, _) = call(&world.send, post("/"), pattern(octets)).await.unwrap();
            assert!(body == pattern(octets));
        }
        world.finish().await;
        let world = World::with::<Pipe, _, _>(off(), off(), echo).await;
        let (_, body, _) = call(&world.send, post("/"), pattern(500_000)).await.unwrap();
        assert!(body == pattern(500_000));
        world.finish().await;
    });
}

/// A small read takes a small block, even after a large one.
#[test]
fn a_ping_costs_no_large_block() {
    run_here(async {
        let (client_io, server_io) = Tcp::pair().await;
        let pool = pool();
        let config = Config::builder().pool(pool.clone()).build().unwrap();
        let server = tokio::spawn(serve(server_io, config, no_content));
        let mut peer = Raw::client(client_io, &[]).await;
        for _ in 0..20 {
            peer.send(&raw::frame(raw::PING, 0, 0, &[1; 8])).await;
            peer.expect(raw::PING).await;
        }
        let largest = pool.stats().classes.last().unwrap().capacity;
        assert!(largest <= 1_024, "{largest}");
        drop(peer);
        let _ = server.await.unwrap();
        quiet(&pool).await;
    });
}
