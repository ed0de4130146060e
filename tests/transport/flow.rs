//! Flow control as applications meet it (RFC 9113 §5.2, §6.9).

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use millpond::{Config, client, error::Mistake, handle::SendStream, server};

use crate::{
    raw::{self, DATA, END_HEADERS, HEADERS, INITIAL_WINDOW_SIZE, Raw, WINDOW_UPDATE},
    world::{
        Incoming, Pipe, Tcp, Wire, World, call, echo, get, pattern, pool, post, quiet, read_body, run_here,
        run_on_threads, settle, status, within,
    },
};

fn now<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

async fn capacity(send: &mut SendStream) -> usize {
    poll_fn(|cx| send.poll_capacity(cx)).await.unwrap().unwrap()
}

/// Answers with `octets` octets.
async fn big((_, mut respond): Incoming) -> Result<(), millpond::Error> {
    let mut send = respond.send_response(status(200), false)?;
    crate::world::send_body(&mut send, pattern(3 << 20), 10_000).await
}

#[test]
fn a_slow_reader_holds_its_window_and_no_more() {
    run_on_threads(async {
        let client = Config::builder().initial_stream_window_size(100_000);
        let world = World::with::<Tcp, _, _>(client, Config::builder(), big).await;
        let (response, _) = world.send.clone().send_request(get("/"), true).unwrap();
        let mut body = response.await.unwrap().into_body();
        let mut seen = 0;
        while let Some(piece) = body.data().await {
            let piece = piece.unwrap();
            seen += piece.len();
            if seen % 7 == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            let held = world.client_pool.stats().octets_out;
            assert!(held <= 100_000 * 3 / 2 + (128 << 10), "{held} octets are held");
            assert!(body.flow_control().used_capacity() <= 100_000);
            body.flow_control().release_capacity(piece.len()).unwrap();
        }
        assert_eq!(seen, 3 << 20);
        drop(body);
        world.finish().await;
    });
}

#[test]
fn the_peer_stops_at_the_window_until_it_is_released() {
    run_here(async {
        let client = Config::builder().initial_stream_window_size(50_000);
        let world = World::with::<Tcp, _, _>(client, Config::builder(), big).await;
        // The window of 50,000 holds once it is acknowledged.
        call(&world.send, get("/"), Bytes::new()).await.unwrap();
        let (response, _) = world.send.clone().send_request(get("/"), true).unwrap();
        let mut body = response.await.unwrap().into_body();
        within("the window is not filled", || world.send.stats().unread == 50_000).await;
        settle().await;
        let mut taken = 0;
        while let Poll::Ready(Some(piece)) = now(body.data()) {
            taken += piece.unwrap().len();
            settle().await;
        }
        assert_eq!((taken, body.flow_control().used_capacity()), (50_000, 50_000));
        assert_eq!(body.flow_control().available_capacity(), 0);
        let error = body.flow_control().release_capacity(50_001).unwrap_err();
        assert_eq!(error.mistake(), Some(Mistake::ReleasedTooMuch));
        body.flow_control().release_capacity(50_000).unwrap();
        assert!(body.data().await.unwrap().is_ok());
        drop(body);
        world.finish().await;
    });
}

#[test]
fn one_slow_stream_does_not_stall_the_others() {
    for max_unread in [0, 1 << 20] {
        run_on_threads(async move {
            let client = Config::builder()
                .initial_stream_window_size(60_000)
                .initial_connection_window_size(200_000)
                .max_unread(max_unread);
            let world = World::with::<Tcp, _, _>(client, Config::builder(), big).await;
            let (response, _) = world.send.clone().send_request(get("/"), true).unwrap();
            let mut slow = response.await.unwrap().into_body();
            let unread = slow.data().await.unwrap().unwrap();
            for _ in 0..3 {
                assert_eq!(call(&world.send, get("/"), Bytes::new()).await.unwrap().1.len(), 3 << 20);
            }
            slow.flow_control().release_capacity(unread.len()).unwrap();
            let rest = read_body(&mut slow).await.unwrap().0.len();
            assert_eq!(rest + unread.len(), 3 << 20);
            drop((slow, unread));
            world.finish().await;
        });
    }
}

/// With `max_unread = 0` unread octets count against the connection, so streams that nobody reads hold all of
/// it, and reading any of them lets it flow again.
#[test]
fn without_unread_allowance_the_connection_waits_for_its_readers() {
    run_on_threads(async {
        let client = Config::builder()
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(100_000)
            .max_unread(0);
        let world = World::with::<Tcp, _, _>(client, Config::builder(), big).await;
        let (response, _) = world.send.clone().send_request(get("/"), true).unwrap();
        let mut body = response.await.unwrap().into_body();
        settle().await;
        settle().await;
        assert!(world.send.stats().unread <= 100_000, "{:?}", world.send.stats());
        assert_eq!(read_body(&mut body).await.unwrap().0.len(), 3 << 20);
        drop(body);
        world.finish().await;
    });
}

#[test]
fn dropping_a_stream_returns_the_connections_credit() {
    run_on_threads(async {
        let client = Config::builder().initial_connection_window_size(100_000).max_unread(0);
        let world = World::with::<Tcp, _, _>(client, Config::builder(), big).await;
        for _ in 0..10 {
            let (response, _) = world.send.clone().send_request(get("/"), true).unwrap();
            let mut body = response.await.unwrap().into_body();
            let piece = body.data().await.unwrap().unwrap();
            drop(body);
            drop(piece);
        }
        assert_eq!(call(&world.send, get("/"), Bytes::new()).await.unwrap().1.len(), 3 << 20);
        within("octets count as unread", || world.send.stats().unread == 0).await;
        world.finish().await;
    });
}

/// One who sends on and reads no more: what the peer still has to say must not wait for a window that nobody opens.
#[test]
fn a_body_that_was_dropped_lets_the_peer_go_on() {
    static SAID_ALL: AtomicBool = AtomicBool::new(false);
    async fn talker(incoming: Incoming) -> Result<(), millpond::Error> {
        big(incoming).await?;
        SAID_ALL.store(true, Relaxed);
        Ok(())
    }
    run_here(async {
        let client = Config::builder().initial_stream_window_size(100_000);
        let world = World::with::<Pipe, _, _>(client, Config::builder(), talker).await;
        let (response, stream) = world.send.clone().send_request(post("/"), false).unwrap();
        let body = response.await.unwrap().into_body();
        within("the window is not full", || world.send.stats().unread == 100_000).await;
        drop(body);
        within("the peer is stuck", || SAID_ALL.load(Relaxed)).await;
        drop(stream);
        world.finish().await;
    });
}

/// A client of ours towards a raw peer that has given `window` octets to each stream.
async fn sender(window: u32) -> (client::SendRequest, SendStream, Raw<tokio::io::DuplexStream>) {
    let (client_io, server_io) = tokio::io::duplex(1 << 20);
    let (send, connection) = client::handshake(client_io, Config::default());
    tokio::spawn(connection);
    let mut peer = Raw::server(server_io, &[(INITIAL_WINDOW_SIZE, window)]).await;
    let (_response, stream) = send.clone().send_request(post("/"), false).unwrap();
    std::mem::forget(_response);
    peer.expect(HEADERS).await;
    settle().await;
    (send, stream, peer)
}

#[test]
fn capacity_is_what_the_window_allows_of_what_was_asked() {
    run_here(async {
        let (_send, mut stream, mut peer) = sender(1_000).await;
        assert_eq!(stream.capacity(), 0);
        assert!(now(poll_fn(|cx| stream.poll_capacity(cx))).is_pending());
        stream.reserve_capacity(400);
        assert_eq!((capacity(&mut stream).await, stream.capacity()), (400, 400));
        assert!(now(poll_fn(|cx| stream.poll_capacity(cx))).is_pending(), "only growth is news");
        stream.reserve_capacity(5_000);
        assert_eq!(capacity(&mut stream).await, 1_000);
        stream.send_data(pattern(600), false).unwrap();
        assert_eq!(stream.capacity(), 400);
        assert_eq!(peer.expect(DATA).await.payload.len(), 600);
        peer.send(&raw::window_update(1, 500)).await;
        assert_eq!(capacity(&mut stream).await, 900);
        // Less than there is gives the rest back.
        stream.reserve_capacity(100);
        assert_eq!(stream.capacity(), 100);
        stream.send_data(pattern(900), true).unwrap();
        assert_eq!(peer.expect(DATA).await.payload.len(), 900);
        assert!(poll_fn(|cx| stream.poll_capacity(cx)).await.is_none(), "nothing can be sent any more");
    });
}

/// What was set aside all at once is used in parts when the send queue is short.
#[test]
fn capacity_that_had_no_room_is_told_of_when_there_is() {
    run_here(async {
        let client = Config::builder().max_send_buffer_size(1_000);
        let world = World::with::<Tcp, _, _>(client, Config::builder(), echo).await;
        let (response, mut stream) = world.send.clone().send_request(post("/"), false).unwrap();
        let body = pattern(5_000);
        stream.reserve_capacity(body.len());
        let mut left = body.clone();
        while !left.is_empty() {
            let part = capacity(&mut stream).await.min(left.len());
            stream.send_data(left.split_to(part), left.is_empty()).unwrap();
        }
        assert_eq!(read_body(&mut response.await.unwrap().into_body()).await.unwrap().0, body);
        world.finish().await;
    });
}

/// A wish uttered before the request has left is heard.
#[test]
fn capacity_may_be_asked_for_at_once() {
    run_here(async {
        let world = World::start::<Tcp, _, _>(echo).await;
        let (response, mut stream) = world.send.clone().send_request(post("/"), false).unwrap();
        stream.reserve_capacity(5);
        assert_eq!(capacity(&mut stream).await, 5);
        stream.send_data(Bytes::from_static(b"hello"), true).unwrap();
        let mut body = response.await.unwrap().into_body();
        assert_eq!(read_body(&mut body).await.unwrap().0, b"hello");
        drop((stream, body));
        world.finish().await;
    });
}

#[test]
fn capacity_given_back_serves_another_stream() {
    run_here(async {
        let (send, mut first, mut peer) = sender(1 << 20).await;
        first.reserve_capacity(1 << 20);
        assert_eq!(capacity(&mut first).await, 65_535, "the connection's window is the limit");
        let (_response, mut second) = send.clone().send_request(post("/"), false).unwrap();
        peer.expect(HEADERS).await;
        second.reserve_capacity(1_000);
        settle().await;
        assert!(now(poll_fn(|cx| second.poll_capacity(cx))).is_pending());
        first.reserve_capacity(60_000);
        assert_eq!(capacity(&mut second).await, 1_000);
        // Gone with the stream, it serves the other.
        second.reserve_capacity(30_000);
        settle().await;
        first.send_reset(millpond::ErrorCode::CANCEL);
        crate::world::within("the credit is lost", || second.capacity() == 30_000).await;
    });
}

#[test]
fn data_needs_no_reservation() {
    run_here(async {
        let (_send, mut stream, mut peer) = sender(10_000).await;
        stream.send_data(pattern(25_000), true).unwrap();
        let mut got = peer.expect(DATA).await.payload;
        assert_eq!(got.len(), 10_000);
        peer.send(&raw::window_update(1, 1)).await;
        got.extend(peer.expect(DATA).await.payload);
        assert_eq!(got.len(), 10_001);
        peer.send(&raw::window_update(1, 14_999)).await;
        let last = peer.expect(DATA).await;
        assert!(last.ends());
        got.extend(last.payload);
        assert!(got == pattern(25_000));
    });
}

#[test]
fn room_comes_back_as_the_queue_empties() {
    run_here(async {
        let (client_io, server_io) = tokio::io::duplex(1 << 20);
        let config = Config::builder().max_send_buffer_size(20_000).build().unwrap();
        let (send, connection) = client::handshake(client_io, config);
        tokio::spawn(connection);
        let mut peer = Raw::server(server_io, &[]).await;
        let (_response, mut stream) = send.clone().send_request(post("/"), false).unwrap();
        peer.send(&raw::window_update(0, 1 << 20)).await;
        poll_fn(|cx| stream.poll_room(cx)).await.unwrap();
        stream.send_data(pattern(100_000), false).unwrap();
        settle().await;
        assert!(now(poll_fn(|cx| stream.poll_room(cx))).is_pending(), "34,465 octets wait");
        let waiting = tokio::spawn(async move {
            poll_fn(|cx| stream.poll_room(cx)).await.unwrap();
            stream
        });
        peer.send(&raw::window_update(1, 20_000)).await;
        let mut stream = waiting.await.unwrap();
        // The peer resets: whoever waits for room hears of it.
        stream.send_data(pattern(100_000), false).unwrap();
        let waiting = tokio::spawn(async move { poll_fn(|cx| stream.poll_room(cx)).await });
        settle().await;
        peer.send(&raw::frame(raw::RST_STREAM, 0, 1, &2_u32.to_be_bytes())).await;
        assert!(waiting.await.unwrap().unwrap_err().is_reset());
    });
}

/// Windows of one octet to a few: everything still arrives.
#[test]
fn tiny_windows() {
    for window in [1, 2, 1_000] {
        run_here(async move {
            let config = || Config::builder().initial_stream_window_size(window);
            let world = World::with::<Pipe, _, _>(config(), config(), echo).await;
            let sent = pattern(if window == 1_000 { 50_000 } else { 300 });
            let (_, body, _) = call(&world.send, post("/"), sent.clone()).await.unwrap();
            assert!(body == sent);
            world.finish().await;
        });
    }
}

/// Reads, and answers with the number of octets only at the end, so that nothing but releases moves the window.
async fn sink((request, mut respond): Incoming) -> Result<(), millpond::Error> {
    let octets = read_body(&mut request.into_body()).await?.0.len();
    let mut send = respond.send_response(status(200), false)?;
    send.send_data(octets.to_string().into(), true)
}

/// The window is lowered while data flows: what is released must still be announced in time.
#[test]
fn a_lowered_window_goes_on() {
    run_on_threads(async {
        let (client_io, server_io) = Tcp::pair().await;
        let pool = pool();
        let config = Config::builder().pool(pool.clone()).build().unwrap();
        let server = tokio::spawn(async move {
            let mut connection = server::handshake(server_io, config);
            connection.set_initial_window_size(20_000);
            while let Some(incoming) = connection.accept().await {
                tokio::spawn(sink(incoming.unwrap()));
            }
        });
        let (send, connection) = client::handshake(client_io, Config::default());
        let connection = tokio::spawn(connection);
        for _ in 0..3 {
            let (_, body, _) = call(&send, post("/"), pattern(2 << 20)).await.unwrap();
            assert_eq!(body, (2 << 20).to_string().as_bytes());
        }
        drop(send);
        connection.await.unwrap().unwrap();
        server.await.unwrap();
        quiet(&pool).await;
    });
}

/// What was released while half of the old window was still to come is announced for the sake of the new one.
#[test]
fn a_window_that_is_lowered_after_the_release_opens_again() {
    run_here(async {
        let (client_io, server_io) = tokio::io::duplex(1 << 20);
        let config = Config::builder().initial_stream_window_size(1_000).build().unwrap();
        let (send, mut connection) = client::handshake(client_io, config);
        let (lower, mut lowered) = tokio::sync::mpsc::channel(1);
        tokio::spawn(poll_fn(move |cx| {
            if let Poll::Ready(Some(octets)) = lowered.poll_recv(cx) {
                connection.set_initial_window_size(octets);
            }
            pin!(&mut connection).poll(cx)
        }));
        let mut peer = Raw::server(server_io, &[]).await;
        let (response, _) = send.clone().send_request(get("/"), true).unwrap();
        peer.expect(HEADERS).await;
        peer.send(&raw::frame(HEADERS, END_HEADERS, 1, &[0x88])).await;
        peer.send(&raw::frame(DATA, 0, 1, &[7; 400])).await;
        let mut body = response.await.unwrap().into_body();
        let piece = body.data().await.unwrap().unwrap();
        body.flow_control().release_capacity(piece.len()).unwrap();
        settle().await;
        lower.send(60).await.unwrap();
        // 1,000 - 400 - 940 is -340; from there to 60.
        let update = loop {
            let update = peer.expect(WINDOW_UPDATE).await;
            if update.stream == 1 {
                break update;
            }
        };
        assert_eq!(update.payload, 400_u32.to_be_bytes());
    });
}

#[test]
fn a_raised_window_is_announced() {
    run_here(async {
        let (client_io, server_io) = tokio::io::duplex(1 << 20);
        let config = Config::builder().initial_connection_window_size(65_535).build().unwrap();
        let (_send, mut connection) = client::handshake(client_io, config);
        connection.set_target_window_size(165_535);
        tokio::spawn(connection);
        let mut peer = Raw::server(server_io, &[]).await;
        let update = peer.expect(WINDOW_UPDATE).await;
        assert_eq!((update.stream, update.payload), (0, 100_000_u32.to_be_bytes().to_vec()));
    });
}

/// As an `http_body::Body` each frame is released when it is taken.
#[test]
fn a_body_releases_what_it_gives() {
    run_on_threads(async {
        use http_body_util::BodyExt;
        let client = Config::builder().initial_stream_window_size(10_000);
        let world = World::with::<Tcp, _, _>(client, Config::builder(), big).await;
        let (response, _) = world.send.clone().send_request(get("/"), true).unwrap();
        let body = response.await.unwrap().into_body().collect().await.unwrap();
        assert!(body.to_bytes() == pattern(3 << 20));
        world.finish().await;
    });
}

#[test]
fn an_overrun_of_the_window_is_the_streams_own_fault() {
    run_here(async {
        let (client_io, server_io) = tokio::io::duplex(1 << 20);
        let config = Config::builder().initial_stream_window_size(100).build().unwrap();
        let (mut send, connection) = client::handshake(client_io, config);
        tokio::spawn(connection);
        let mut peer = Raw::server(server_io, &[]).await;
        peer.expect(raw::SETTINGS).await;
        let (response, _stream) = send.send_request(post("/"), false).unwrap();
        peer.expect(HEADERS).await;
        peer.send(&raw::frame(HEADERS, END_HEADERS, 1, raw::OK)).await;
        let mut body = response.await.unwrap().into_body();
        peer.send(&raw::frame(DATA, 0, 1, &[0; 101])).await;
        let error = body.data().await.unwrap().unwrap_err();
        assert_eq!(error.code(), millpond::ErrorCode::FLOW_CONTROL_ERROR);
        assert!(!send.is_closed());
    });
}
