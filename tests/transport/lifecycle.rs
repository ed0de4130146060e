//! How connections begin and end: end of file, resets, half-closed sockets, interruptions.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use millpond::{Config, client, readiness::ReadReady, server};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf},
    net::TcpStream,
};

use crate::{
    raw::{self, DATA, END_HEADERS, END_STREAM, HEADERS, POST, Raw},
    world::{
        Pipe, Tcp, Wire, World, call, echo, get, no_content, pattern, pool, post, quiet, read_body, run_here,
        run_on_threads, serve, status,
    },
};

#[test]
fn the_end_of_file_ends_what_waits() {
    run_here(async {
        let (client_io, server_io) = Tcp::pair().await;
        let (mut send, connection) = client::handshake(client_io, Config::default());
        let connection = tokio::spawn(connection);
        let (response, _stream) = send.send_request(post("/"), false).unwrap();
        let mut peer = Raw::server(server_io, &[]).await;
        peer.expect(HEADERS).await;
        drop(peer);
        let error = response.await.unwrap_err();
        assert!(error.is_io(), "{error}");
        let _ = connection.await.unwrap();
        assert!(send.clone().ready().await.is_err());
        assert!(send.is_closed());
    });
}

#[test]
fn a_tcp_reset_in_the_middle_of_a_frame_is_an_io_error_for_all() {
    run_here(async {
        let (client_io, server_io) = Tcp::pair().await;
        let pool = pool();
        let (mut send, connection) =
            client::handshake(client_io, Config::builder().pool(pool.clone()).build().unwrap());
        let connection = tokio::spawn(connection);
        let (response, stream) = send.send_request(post("/"), false).unwrap();
        let mut peer = Raw::server(server_io, &[]).await;
        peer.expect(HEADERS).await;
        peer.send(&raw::frame(HEADERS, END_HEADERS, 1, raw::OK)).await;
        let mut body = response.await.unwrap().into_body();
        peer.send(&raw::frame(DATA, 0, 1, &[7; 1_000])[..500]).await;
        assert_eq!(body.data().await.unwrap().unwrap().len(), 491);
        // With the option a close is a reset, whatever is on its way.
        socket2::SockRef::from(&peer.io).set_linger(Some(std::time::Duration::ZERO)).unwrap();
        drop(peer);
        assert!(body.data().await.unwrap().unwrap_err().is_io());
        assert!(connection.await.unwrap().unwrap_err().is_io());
        drop((stream, body));
        quiet(&pool).await;
    });
}

async fn half_closed<W: Wire>() {
    let (client_io, server_io) = W::pair().await;
    let pool = pool();
    let config = Config::builder().pool(pool.clone()).build().unwrap();
    let server =
        tokio::spawn(serve(server_io, config, |(request, mut respond): crate::world::Incoming| async move {
            let (octets, _) = read_body(&mut request.into_body()).await?;
            // The end of file comes before the answer.
            crate::world::settle().await;
            let mut send = respond.send_response(status(200), false)?;
            send.send_data(octets.into(), true)
        }));
    let mut peer = Raw::client(client_io, &[]).await;
    peer.send(&raw::frame(HEADERS, END_HEADERS, 1, POST)).await;
    peer.send(&raw::frame(DATA, END_STREAM, 1, b"all of it")).await;
    peer.io.shutdown().await.unwrap();
    assert_eq!(peer.expect(HEADERS).await.stream, 1);
    let data = peer.expect(DATA).await;
    assert_eq!((data.payload.as_slice(), data.ends()), (&b"all of it"[..], true));
    while peer.next().await.is_some() {}
    server.await.unwrap().unwrap();
    quiet(&pool).await;
}
crate::world::on_every_wire!(half_closed);

/// IO whose every other call is interrupted by a signal.
struct Interrupted {
    io: DuplexStream,
    calls: usize,
}

impl Interrupted {
    fn interrupt(&mut self) -> io::Result<()> {
        self.calls += 1;
        if self.calls % 2 == 1 { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}

impl ReadReady for Interrupted {
    fn poll_read_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.interrupt())
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        self.interrupt()?;
        let mut buffer = ReadBuf::new(into);
        Pin::new(&mut self.io).poll_read(cx, &mut buffer).map_ok(|()| buffer.filled().len())
    }
}

impl AsyncWrite for Interrupted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.interrupt()?;
        Pin::new(&mut self.io).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.interrupt()?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[test]
fn an_interrupted_call_is_made_again() {
    run_here(async {
        let (client_io, server_io) = tokio::io::duplex(1 << 10);
        let server = tokio::spawn(serve(server_io, Config::default(), echo));
        let io = Interrupted { io: client_io, calls: 0 };
        let (send, connection) = client::handshake_with(io, Config::default());
        let connection = tokio::spawn(connection);
        let sent = pattern(100_000);
        let (_, body, _) = call(&send, post("/"), sent.clone()).await.unwrap();
        assert!(body == sent);
        drop(send);
        connection.await.unwrap().unwrap();
        server.await.unwrap().unwrap();
    });
}

/// IO that accepts nothing.
struct NoRoom(DuplexStream);

impl AsyncRead for NoRoom {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for NoRoom {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(0))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn a_write_of_nothing_is_an_error() {
    run_here(async {
        let (client_io, _peer) = tokio::io::duplex(64);
        let (mut send, connection) = client::handshake(NoRoom(client_io), Config::default());
        let (response, _) = send.send_request(get("/"), true).unwrap();
        let error = connection.await.unwrap_err();
        assert_eq!(error.get_io().unwrap().kind(), io::ErrorKind::WriteZero);
        assert!(response.await.is_err());
    });
}

/// IO that writes down what is read.
struct Recorded {
    io: DuplexStream,
    read: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for Recorded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buffer);
        self.read.lock().unwrap().extend_from_slice(&buffer.filled()[before..]);
        read
    }
}

impl AsyncWrite for Recorded {
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

/// What each side reads in a conversation of three calls.
async fn record() -> (Vec<u8>, Vec<u8>) {
    let (client_io, server_io) = tokio::io::duplex(64 << 10);
    let heard: [Arc<Mutex<Vec<u8>>>; 2] = Default::default();
    let client_io = Recorded { io: client_io, read: heard[0].clone() };
    let server_io = Recorded { io: server_io, read: heard[1].clone() };
    let server = tokio::spawn(serve(server_io, Config::default(), echo));
    let (send, connection) = client::handshake(client_io, Config::default());
    let connection = tokio::spawn(connection);
    three_calls(&send).await.unwrap();
    drop(send);
    connection.await.unwrap().unwrap();
    server.await.unwrap().unwrap();
    let [by_client, by_server] = heard.map(|octets| std::mem::take(&mut *octets.lock().unwrap()));
    (by_client, by_server)
}

async fn three_calls(send: &client::SendRequest) -> Result<(), millpond::Error> {
    call(send, get("/"), Bytes::new()).await?;
    let mut request = post("/");
    request.headers_mut().insert("x-trailer", "t".parse().unwrap());
    call(send, request, pattern(300)).await?;
    call(send, get("/"), Bytes::new()).await?;
    Ok(())
}

#[test]
fn a_client_survives_a_peer_that_closes_at_any_octet() {
    run_here(async {
        let (script, _) = record().await;
        let pool = pool();
        for cut in 0..script.len() {
            let (client_io, peer) = tokio::io::duplex(64 << 10);
            let (mut from_client, mut peer) = tokio::io::split(peer);
            let config = Config::builder().pool(pool.clone()).build().unwrap();
            let (send, connection) = client::handshake(client_io, config);
            let discard =
                tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut tokio::io::sink()).await });
            let connection = tokio::spawn(connection);
            let calls = tokio::spawn(async move { three_calls(&send).await });
            // The frames are the answers to requests that must be open by then.
            let mut sent = 0;
            while sent < cut {
                let now = (cut - sent).min(37);
                let _ = peer.write_all(&script[sent..sent + now]).await;
                sent += now;
                tokio::task::yield_now().await;
                if calls.is_finished() || connection.is_finished() {
                    break;
                }
            }
            peer.shutdown().await.unwrap();
            let _ = calls.await.unwrap();
            let _ = connection.await.unwrap();
            let _ = discard.await.unwrap();
        }
        quiet(&pool).await;
    });
}

#[test]
fn a_server_survives_a_peer_that_closes_at_any_octet() {
    run_on_threads(async {
        let (_, script) = record().await;
        let pool = pool();
        for cut in 0..script.len() {
            let (mut peer, server_io) = tokio::io::duplex(64 << 10);
            let config = Config::builder().pool(pool.clone()).build().unwrap();
            let server = tokio::spawn(serve(server_io, config, echo));
            peer.write_all(&script[..cut]).await.unwrap();
            drop(peer);
            let _ = server.await.unwrap();
        }
        quiet(&pool).await;
    });
}

/// Ends whatever lives in the runtime.
fn live_connections_die_with_their_runtime(threads: bool) {
    let mut builder = match threads {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = builder.enable_all().build().unwrap();
    let (world, held) = runtime.block_on(async {
        let world = World::start::<Tcp, _, _>(echo).await;
        let (response, mut send) = world.send.clone().send_request(post("/"), false).unwrap();
        send.send_data(pattern(50_000), false).unwrap();
        let mut body = response.await.unwrap().into_body();
        let first = body.data().await.unwrap().unwrap();
        (world, (send, body, first))
    });
    drop(runtime);
    let (mut send, body, first) = held;
    assert!(send.send_data(Bytes::from_static(b"x"), true).is_err());
    drop((send, body, first));
    let World { send, client, server, client_pool, server_pool } = world;
    assert!(send.is_closed());
    drop((client, server));
    assert_eq!((client_pool.stats().blocks_out, server_pool.stats().blocks_out), (0, 0));
}

#[test]
fn live_connections_die_with_a_runtime_of_one_thread() {
    live_connections_die_with_their_runtime(false);
}

#[test]
fn live_connections_die_with_a_runtime_of_many_threads() {
    live_connections_die_with_their_runtime(true);
}

#[test]
fn a_connection_that_is_never_polled_leaves_nothing() {
    run_here(async {
        let (client_io, _peer) = Pipe::pair().await;
        let pool = pool();
        let (mut send, connection) =
            client::handshake(client_io, Config::builder().pool(pool.clone()).build().unwrap());
        let (response, _stream) = send.send_request(post("/"), false).unwrap();
        drop(connection);
        assert!(response.await.is_err());
        assert!(send.send_request(get("/"), true).is_err());
        assert_eq!(pool.stats().blocks_out, 0);
    });
}

#[test]
fn a_connection_dropped_at_work_ends_its_streams() {
    run_here(async {
        let world = World::start::<Tcp, _, _>(echo).await;
        let (response, mut send) = world.send.clone().send_request(post("/"), false).unwrap();
        send.send_data(pattern(1_000), false).unwrap();
        let mut body = response.await.unwrap().into_body();
        body.data().await.unwrap().unwrap();
        world.client.abort();
        let error = loop {
            match body.data().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => break error,
                None => panic!("a body that was cut looks whole"),
            }
        };
        assert!(error.is_io(), "{error}");
        assert!(send.send_data(Bytes::new(), true).is_err());
        drop((send, body));
        let _ = world.server.await.unwrap();
        quiet(&world.client_pool).await;
        quiet(&world.server_pool).await;
    });
}

#[test]
fn a_server_connection_dropped_at_work_ends_its_streams() {
    run_here(async {
        let (client_io, server_io) = Tcp::pair().await;
        let pool = pool();
        let config = Config::builder().pool(pool.clone()).build().unwrap();
        let (mut send, connection) = client::handshake(client_io, Config::default());
        let connection = tokio::spawn(connection);
        let (response, _stream) = send.send_request(post("/"), false).unwrap();
        let mut server = server::handshake::<TcpStream>(server_io, config);
        let (request, mut respond) = server.accept().await.unwrap().unwrap();
        drop(server);
        assert!(respond.send_response(status(200), true).is_err());
        assert!(request.into_body().data().await.unwrap().is_err());
        assert!(response.await.is_err());
        let _ = connection.await.unwrap();
        drop(respond);
        quiet(&pool).await;
    });
}

/// The last sender goes while an answer is on its way: the answer still arrives.
#[test]
fn the_last_sender_may_go_before_the_answer() {
    run_here(async {
        let mut world = World::start::<Tcp, _, _>(echo).await;
        let (response, mut stream) = world.send.send_request(post("/"), false).unwrap();
        let World { send, client, server, .. } = world;
        drop(send);
        let mut body = response.await.unwrap().into_body();
        stream.send_data(Bytes::from_static(b"late"), true).unwrap();
        assert_eq!(read_body(&mut body).await.unwrap().0, b"late");
        drop((body, stream));
        client.await.unwrap().unwrap();
        server.await.unwrap().unwrap();
    });
}

#[test]
fn thousands_of_connections_come_and_go() {
    run_on_threads(async {
        let accepted = Arc::new(AtomicUsize::new(0));
        for _ in 0..300 {
            let world = World::start::<Tcp, _, _>(no_content).await;
            call(&world.send, get("/"), Bytes::new()).await.unwrap();
            accepted.fetch_add(1, Ordering::Relaxed);
            world.finish().await;
        }
        assert_eq!(accepted.load(Ordering::Relaxed), 300);
    });
}
