//! Letting go of any handle at any moment (RFC 9113 §5.4.2, §7, §8.1).

use std::{future::poll_fn, time::Duration};

use bytes::Bytes;
use millpond::{
    Config, ErrorCode, client,
    handle::{RecvStream, ResponseFuture, SendResponse, SendStream},
    server,
};
use tokio::{
    io::DuplexStream,
    sync::mpsc,
    task::{JoinHandle, JoinSet},
};

use crate::{
    HEAP,
    child::in_child,
    raw::{
        self, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, MAX_CONCURRENT_STREAMS, RST_STREAM, Raw,
    },
    world::{
        Incoming, Pipe, Tcp, Wire, World, call, echo, get, no_content, pattern, pool, post, quiet, run_here,
        run_on_threads, settle, status, within,
    },
};

/// A client of ours whose peer shows what it hears.
struct Client {
    send: client::SendRequest,
    connection: JoinHandle<Result<(), millpond::Error>>,
    peer: Raw<DuplexStream>,
    pool: millpond::buffer::BufferPool,
}

impl Client {
    /// The peer takes one stream at once.
    async fn start() -> Client {
        let (client_io, server_io) = tokio::io::duplex(1 << 20);
        let pool = pool();
        let config = Config::builder().pool(pool.clone()).build().unwrap();
        let (send, connection) = client::handshake(client_io, config);
        let connection = tokio::spawn(connection);
        let peer = Raw::server(server_io, &[(MAX_CONCURRENT_STREAMS, 1)]).await;
        within("no SETTINGS", || send.current_max_send_streams() == 1).await;
        Client { send, connection, peer, pool }
    }

    async fn request(&mut self, end: bool) -> (ResponseFuture, SendStream) {
        let mut send = self.send.clone().ready().await.unwrap();
        let request = send.send_request(post("/"), end).unwrap();
        self.peer.expect(HEADERS).await;
        request
    }

    /// The stream was cancelled, and its slot is free.
    async fn cancelled(mut self, stream: u32) {
        assert_eq!(reset_of(self.peer.next_of_stream().await), (stream, ErrorCode::CANCEL));
        let (response, _) = self.request(true).await;
        self.peer.send(&raw::frame(HEADERS, END_HEADERS | END_STREAM, stream + 2, raw::OK)).await;
        response.await.unwrap();
        drop(self.send);
        self.connection.await.unwrap().unwrap();
        quiet(&self.pool).await;
    }
}

fn reset_of(frame: Frame) -> (u32, ErrorCode) {
    assert_eq!(frame.kind, RST_STREAM, "{frame:?}");
    (frame.stream, frame.code())
}

#[test]
fn both_handles_before_the_response() {
    for end in [false, true] {
        run_here(async move {
            let mut client = Client::start().await;
            drop(client.request(end).await);
            client.cancelled(1).await;
        });
    }
}

#[test]
fn a_request_sent_without_asking_for_a_slot() {
    run_here(async {
        let mut client = Client::start().await;
        let mut send = client.send.clone();
        let request = send.send_request(post("/"), false).unwrap();
        client.peer.expect(HEADERS).await;
        drop((request, send));
        client.cancelled(1).await;
    });
}

#[test]
fn one_handle_alone_keeps_the_stream() {
    run_here(async {
        let mut client = Client::start().await;
        let (response, mut send) = client.request(false).await;
        client.peer.send(&raw::frame(HEADERS, END_HEADERS, 1, raw::OK)).await;
        drop(response);
        settle().await;
        send.send_data(Bytes::from_static(b"x"), false).unwrap();
        assert_eq!(client.peer.next_of_stream().await.payload, b"x");
        // Nobody reads, so what comes is discarded, and the window stays open.
        for _ in 0..3 {
            for _ in 0..40 {
                client.peer.send(&raw::frame(DATA, 0, 1, &[0; 16_000])).await;
            }
            while client.peer.expect(raw::WINDOW_UPDATE).await.stream != 1 {}
        }
        drop(send);
        client.cancelled(1).await;
    });
}

#[test]
fn a_response_that_came_and_was_never_looked_at() {
    run_here(async {
        let mut client = Client::start().await;
        let (response, send) = client.request(true).await;
        client.peer.send(&raw::frame(HEADERS, END_HEADERS, 1, raw::OK)).await;
        client.peer.send(&raw::frame(DATA, 0, 1, &[1; 10_000])).await;
        within("nothing came", || client.pool.stats().blocks_out > 0).await;
        drop((response, send));
        client.cancelled(1).await;
    });
}

#[test]
fn a_body_with_unread_data() {
    run_here(async {
        let mut client = Client::start().await;
        let (response, send) = client.request(true).await;
        drop(send);
        client.peer.send(&raw::frame(HEADERS, END_HEADERS, 1, raw::OK)).await;
        let body = response.await.unwrap().into_body();
        client.peer.send(&raw::frame(DATA, 0, 1, &[1; 10_000])).await;
        within("nothing came", || client.pool.stats().blocks_out > 0).await;
        drop(body);
        client.cancelled(1).await;
    });
}

#[test]
fn flow_control_alone_keeps_the_stream() {
    run_here(async {
        let mut client = Client::start().await;
        let (response, send) = client.request(true).await;
        drop(send);
        client.peer.send(&raw::frame(HEADERS, END_HEADERS, 1, raw::OK)).await;
        let mut body = response.await.unwrap().into_body();
        let flow = body.flow_control().clone();
        drop(body);
        settle().await;
        drop(flow);
        client.cancelled(1).await;
    });
}

#[test]
fn a_whole_response_leaves_nothing_to_cancel() {
    run_here(async {
        let mut client = Client::start().await;
        let (response, _) = client.request(true).await;
        client.peer.send(&raw::frame(HEADERS, END_HEADERS, 1, raw::OK)).await;
        client.peer.send(&raw::frame(DATA, END_STREAM, 1, &[1; 10_000])).await;
        let body = response.await.unwrap().into_body();
        drop(body);
        // The next frame of a stream is the next request.
        let mut send = client.send.clone().ready().await.unwrap();
        let (response, _) = send.send_request(get("/"), true).unwrap();
        let next = client.peer.next_of_stream().await;
        assert_eq!((next.kind, next.stream), (HEADERS, 3));
        client.peer.send(&raw::frame(HEADERS, END_HEADERS | END_STREAM, 3, raw::OK)).await;
        response.await.unwrap();
        drop((send, client.send));
        client.connection.await.unwrap().unwrap();
        quiet(&client.pool).await;
    });
}

#[test]
fn a_reset_of_ours_wakes_the_other_handles() {
    run_here(async {
        let mut client = Client::start().await;
        let (response, mut send) = client.request(false).await;
        let waiting = tokio::spawn(response);
        settle().await;
        send.send_reset(ErrorCode::INTERNAL_ERROR);
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!((error.code(), error.is_remote()), (ErrorCode::INTERNAL_ERROR, false));
        assert_eq!(reset_of(client.peer.next_of_stream().await), (1, ErrorCode::INTERNAL_ERROR));
        assert!(send.send_data(Bytes::new(), true).is_err());
    });
}

#[test]
fn a_reset_of_ours_wakes_a_reader() {
    run_here(async {
        let mut client = Client::start().await;
        let (response, mut send) = client.request(false).await;
        client.peer.send(&raw::frame(HEADERS, END_HEADERS, 1, raw::OK)).await;
        let mut body = response.await.unwrap().into_body();
        let waiting = tokio::spawn(async move { body.data().await });
        settle().await;
        send.send_reset(ErrorCode::CANCEL);
        assert!(waiting.await.unwrap().unwrap().is_err());
    });
}

#[test]
fn a_reset_of_the_peer_reaches_every_handle() {
    run_here(async {
        let mut client = Client::start().await;
        let (response, mut send) = client.request(false).await;
        client.peer.send(&raw::frame(HEADERS, END_HEADERS, 1, raw::OK)).await;
        let mut body = response.await.unwrap().into_body();
        let reset = tokio::spawn(async move {
            let reason = poll_fn(|cx| send.poll_reset(cx)).await;
            (send, reason)
        });
        settle().await;
        client.peer.send(&raw::frame(DATA, 0, 1, b"before")).await;
        client.peer.send(&raw::frame(RST_STREAM, 0, 1, &8_u32.to_be_bytes())).await;
        assert_eq!(body.data().await.unwrap().unwrap(), "before");
        assert_eq!(body.data().await.unwrap().unwrap_err().code(), ErrorCode::CANCEL);
        let (mut send, reason) = reset.await.unwrap();
        assert_eq!(reason.unwrap(), ErrorCode::CANCEL);
        assert!(send.send_data(Bytes::new(), true).unwrap_err().is_remote());
    });
}

/// A server of ours whose peer shows what it hears.
struct Server {
    peer: Raw<DuplexStream>,
    requests: mpsc::UnboundedReceiver<Incoming>,
    connection: JoinHandle<()>,
    pool: millpond::buffer::BufferPool,
}

impl Server {
    async fn start() -> Server {
        Self::with_places(1).await
    }

    /// It takes so many streams at once.
    async fn with_places(places: u32) -> Server {
        let (client_io, server_io) = tokio::io::duplex(1 << 20);
        let pool = pool();
        let config =
            Config::builder().pool(pool.clone()).max_concurrent_streams(Some(places)).build().unwrap();
        let (give, requests) = mpsc::unbounded_channel();
        let connection = tokio::spawn(async move {
            let mut connection = server::handshake(server_io, config);
            while let Some(Ok(incoming)) = connection.accept().await {
                give.send(incoming).unwrap();
            }
        });
        let mut peer = Raw::client(client_io, &[]).await;
        peer.expect(raw::SETTINGS).await;
        Server { peer, requests, connection, pool }
    }

    async fn request(&mut self, stream: u32, end: bool) -> (RecvStream, SendResponse) {
        let flags = END_HEADERS | if end { END_STREAM } else { 0 };
        self.peer.send(&raw::frame(HEADERS, flags, stream, raw::POST)).await;
        let (request, respond) = self.requests.recv().await.unwrap();
        (request.into_body(), respond)
    }

    /// The stream was reset with this code, and its slot is free.
    async fn reset(mut self, code: ErrorCode) {
        assert_eq!(reset_of(self.peer.expect(RST_STREAM).await), (1, code));
        let (_, mut respond) = self.request(3, true).await;
        respond.send_response(status(204), true).unwrap();
        let answer = self.peer.next_of_stream().await;
        assert_eq!((answer.kind, answer.stream), (HEADERS, 3));
        drop((self.peer, respond));
        self.connection.await.unwrap();
        quiet(&self.pool).await;
    }
}

#[test]
fn a_request_without_an_answer() {
    for end in [false, true] {
        run_here(async move {
            let mut server = Server::start().await;
            drop(server.request(1, end).await);
            server.reset(ErrorCode::CANCEL).await;
        });
    }
}

#[test]
fn an_answer_without_an_end() {
    run_here(async {
        let mut server = Server::start().await;
        let (body, mut respond) = server.request(1, true).await;
        let mut send = respond.send_response(status(200), false).unwrap();
        send.send_data(Bytes::from_static(b"half"), false).unwrap();
        settle().await;
        drop((body, respond, send));
        server.reset(ErrorCode::CANCEL).await;
    });
}

#[test]
fn an_early_answer_tells_the_client_to_stop() {
    run_here(async {
        let mut server = Server::start().await;
        let (body, mut respond) = server.request(1, false).await;
        server.peer.send(&raw::frame(DATA, 0, 1, &[5; 10_000])).await;
        drop(respond.send_response(status(413), true).unwrap());
        drop((body, respond));
        let head = server.peer.next_of_stream().await;
        assert!(head.kind == HEADERS && head.ends());
        server.reset(ErrorCode::NO_ERROR).await;
    });
}

/// The moment that the client has to end by itself begins when the request is let go of, however long ago anything came.
#[test]
fn a_client_has_a_moment_after_the_request_was_let_go_of() {
    run_here(async {
        let mut server = Server::with_places(8).await;
        let (body, mut respond) = server.request(1, false).await;
        drop(respond.send_response(status(200), true).unwrap());
        drop(respond);
        assert!(server.peer.next_of_stream().await.ends());
        tokio::time::pause();
        tokio::time::sleep(Duration::from_secs(10)).await;
        let let_go = tokio::time::Instant::now();
        drop(body);
        server.reset(ErrorCode::NO_ERROR).await;
        assert!(let_go.elapsed() >= Duration::from_secs(1));
    });
}

#[test]
fn a_refusal() {
    run_here(async {
        let mut server = Server::start().await;
        let (mut body, mut respond) = server.request(1, false).await;
        let reader = tokio::spawn(async move { body.data().await });
        settle().await;
        respond.send_reset(ErrorCode::REFUSED_STREAM);
        assert!(reader.await.unwrap().unwrap().is_err());
        assert!(respond.send_response(status(200), true).is_err());
        server.reset(ErrorCode::REFUSED_STREAM).await;
    });
}

#[test]
fn a_server_hears_that_the_client_has_gone() {
    run_here(async {
        let mut server = Server::start().await;
        let (body, mut respond) = server.request(1, true).await;
        let waiting = tokio::spawn(async move { poll_fn(|cx| respond.poll_reset(cx)).await });
        settle().await;
        server.peer.send(&raw::frame(RST_STREAM, 0, 1, &8_u32.to_be_bytes())).await;
        assert_eq!(waiting.await.unwrap().unwrap(), ErrorCode::CANCEL);
        drop(body);
        drop(server.peer);
        server.connection.await.unwrap();
    });
}

/// What was ended goes out whole, though nobody holds the stream any more.
#[test]
fn a_finished_answer_outlives_its_handles() {
    run_on_threads(async {
        let answer = |(_, mut respond): Incoming| async move {
            let mut send = respond.send_response(status(200), false)?;
            send.send_data(pattern(3 << 20), true)
        };
        let world = World::start::<Tcp, _, _>(answer).await;
        let (_, body, _) = call(&world.send, get("/"), Bytes::new()).await.unwrap();
        assert!(body == pattern(3 << 20));
        world.finish().await;
    });
}

/// The peer has not read the request when it is cancelled: nothing of a stream that was never begun may show.
#[test]
fn a_request_behind_a_full_socket() {
    run_here(async {
        let (client_io, server_io) = tokio::io::duplex(256);
        let pool = pool();
        let config = Config::builder().pool(pool.clone()).build().unwrap();
        let (send, connection) = client::handshake(client_io, config);
        let connection = tokio::spawn(connection);
        let mut peer = Raw::server(server_io, &[]).await;
        let (_first, mut stream) = send.clone().send_request(post("/"), false).unwrap();
        stream.send_data(pattern(50_000), false).unwrap();
        settle().await;
        for _ in 0..20 {
            let request = send.clone().send_request(post("/"), false).unwrap();
            settle().await;
            drop(request);
        }
        let last = send.clone().send_request(get("/"), true).unwrap();
        let mut begun = Vec::new();
        loop {
            let frame = peer.next_of_stream().await;
            match frame.kind {
                HEADERS => begun.push(frame.stream),
                kind => {
                    assert!(begun.contains(&frame.stream), "frame {kind} on idle stream {}", frame.stream)
                }
            }
            if frame.stream == 43 {
                break;
            }
        }
        drop((last, stream));
        connection.abort();
        let _ = connection.await;
        quiet(&pool).await;
    });
}

#[test]
fn others_live_on_when_streams_are_cancelled() {
    run_on_threads(async {
        let world = World::start::<Tcp, _, _>(echo).await;
        let survivor = {
            let send = world.send.clone();
            tokio::spawn(async move { call(&send, post("/"), pattern(2 << 20)).await.unwrap().1 })
        };
        for n in 0..200 {
            let mut send = world.send.clone().ready().await.unwrap();
            let (response, mut stream) = send.send_request(post("/"), false).unwrap();
            stream.send_data(pattern(n * 10), false).unwrap();
            if n % 2 == 0 {
                drop(response.await);
            }
        }
        assert!(survivor.await.unwrap() == pattern(2 << 20));
        world.finish().await;
    });
}

async fn cancel_at_random_points<W: Wire>(calls: usize) {
    let server = Config::builder().max_concurrent_streams(Some(50)).max_pending_accept_reset_streams(100_000);
    let world = World::with::<W, _, _>(Config::builder(), server, echo).await;
    let mut tasks = JoinSet::new();
    for n in 0..calls {
        while tasks.len() >= 100 {
            tasks.join_next().await.unwrap().unwrap();
        }
        let send = world.send.clone();
        tasks.spawn(async move {
            let patience = Duration::from_micros(fastrand(n) % 3_000);
            let call = call(&send, post("/"), pattern(n % 40_000));
            let _ = tokio::time::timeout(patience, call).await;
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let (_, body, _) = call(&world.send, post("/"), pattern(100_000)).await.unwrap();
    assert!(body == pattern(100_000));
    let stats = || world.send.stats();
    within("streams are left", || stats().streams == 0).await;
    world.finish().await;
}

/// A number that looks random and is the same in each run.
fn fastrand(n: usize) -> u64 {
    (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40
}

#[test]
fn ten_thousand_calls_cancelled_at_random_points() {
    run_on_threads(cancel_at_random_points::<Tcp>(10_000));
}

#[test]
fn calls_cancelled_at_random_points_in_a_pipe() {
    run_here(cancel_at_random_points::<Pipe>(2_000));
}

/// Live octets return to where they were: nothing holds a mailbox, a connection or a waker.
#[test]
fn nothing_is_left_on_the_heap() {
    in_child("cancel::nothing_is_left_on_the_heap", &[], || {
        run_here(async {
            let round = async || {
                let world = World::start::<Pipe, _, _>(echo).await;
                call(&world.send, post("/"), pattern(100_000)).await.unwrap();
                let mut send = world.send.clone().ready().await.unwrap();
                let (response, mut stream) = send.send_request(post("/"), false).unwrap();
                stream.send_data(pattern(1_000), false).unwrap();
                let mut body = response.await.unwrap().into_body();
                body.data().await.unwrap().unwrap();
                drop(body);
                drop(send.send_request(get("/"), true).unwrap());
                drop((send, stream));
                world.finish().await;

                // Cut off at work, with handles that outlive the connection.
                let world = World::start::<Pipe, _, _>(no_content).await;
                let (response, stream) = world.send.clone().send_request(post("/"), false).unwrap();
                settle().await;
                world.client.abort();
                let _ = world.client.await;
                let _ = world.server.await;
                drop((response, stream));
            };
            for _ in 0..5 {
                round().await;
            }
            let before = HEAP.usage().live;
            for _ in 0..30 {
                round().await;
            }
            let after = HEAP.usage().live;
            assert!(after <= before + 2_000, "{before} octets before, {after} after");
        });
    });
}

/// While a connection is being dropped, its handles speak on other threads.
#[test]
fn a_race_with_the_end_leaves_nothing_on_the_heap() {
    in_child("cancel::a_race_with_the_end_leaves_nothing_on_the_heap", &[], || {
        run_on_threads(async {
            let round = async || {
                let world = World::start::<Pipe, _, _>(echo).await;
                let (response, mut stream) = world.send.clone().send_request(post("/"), false).unwrap();
                let mut body = response.await.unwrap().into_body();
                let writer = tokio::task::spawn_blocking(move || {
                    stream.send_data(Bytes::from_static(b"x"), false).unwrap();
                    // Wishes that take no memory.
                    while stream.send_data(Bytes::new(), false).is_ok() {
                        stream.reserve_capacity(1);
                    }
                });
                let _ = body.data().await;
                world.client.abort();
                let _ = world.client.await;
                writer.await.unwrap();
                let _ = world.server.await;
            };
            for _ in 0..20 {
                round().await;
            }
            settle().await;
            let before = HEAP.usage().live;
            for _ in 0..200 {
                round().await;
            }
            // The last tasks end on the other thread; what tokio keeps for its threads varies.
            within("octets are left", || HEAP.usage().live <= before + 8_000).await;
        });
    });
}

#[test]
fn a_connection_error_reaches_every_handle_with_its_code() {
    run_here(async {
        let mut client = Client::start().await;
        let (response, mut send) = client.request(false).await;
        let waiting = tokio::spawn(response);
        settle().await;
        client.peer.send(&raw::frame(DATA, 0, 99, b"x")).await;
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!((error.code(), error.is_connection_error()), (ErrorCode::PROTOCOL_ERROR, true));
        assert!(send.send_data(Bytes::new(), true).unwrap_err().is_connection_error());
        assert_eq!(client.peer.expect(GOAWAY).await.code(), ErrorCode::PROTOCOL_ERROR);
        assert!(client.connection.await.unwrap().is_err());
        assert!(client.send.clone().ready().await.unwrap_err().is_connection_error());
    });
}
