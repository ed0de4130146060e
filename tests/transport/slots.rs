//! How many requests at once (RFC 9113 §5.1.2): who waits, in which order, and what frees a slot.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use millpond::{Config, client, error::Mistake};
use tokio::sync::Semaphore;

use crate::{
    raw::{self, HEADERS, MAX_CONCURRENT_STREAMS, OK, Raw},
    world::{
        Incoming, Pipe, Tcp, Wire, World, call, get, pool, post, quiet, run_here, run_on_threads, settle,
        status,
    },
};

/// A waker that counts.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A server that takes `streams` at once and answers one request for each permit.
async fn gated<W: Wire>(streams: u32) -> (World, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let answer = {
        let gate = gate.clone();
        move |(_, mut respond): Incoming| {
            let gate = gate.clone();
            async move {
                gate.acquire().await.unwrap().forget();
                respond.send_response(status(204), true).map(drop)
            }
        }
    };
    let server = Config::builder().max_concurrent_streams(Some(streams));
    let world = World::with::<W, _, _>(Config::builder(), server, answer).await;
    // The limit is known once the first answer has come.
    gate.add_permits(1);
    call(&world.send, get("/"), Bytes::new()).await.unwrap();
    (world, gate)
}

#[test]
fn waiting_requests_are_served_in_order() {
    run_here(async {
        let (world, gate) = gated::<Tcp>(1).await;
        let mut first = world.send.clone().ready().await.unwrap();
        let (response, _) = first.send_request(get("/"), true).unwrap();
        let mut waiting: Vec<_> = (0..5).map(|_| Box::pin(world.send.clone().ready())).collect();
        let counters: Vec<Arc<Counter>> = (0..5).map(|_| Arc::default()).collect();
        for (waiter, counter) in waiting.iter_mut().zip(&counters) {
            let waker = Waker::from(counter.clone());
            assert!(waiter.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        // The first of them goes: its turn passes on.
        drop(waiting.remove(0));
        gate.add_permits(1);
        response.await.unwrap();
        crate::world::within("nobody was called", || counters[1].0.load(Ordering::SeqCst) == 1).await;
        let calls: Vec<usize> = counters.iter().map(|counter| counter.0.load(Ordering::SeqCst)).collect();
        assert_eq!(calls, [0, 1, 0, 0, 0], "one slot, one call");
        // Called, and gone before it looked: the next one is called.
        drop(waiting.remove(0));
        assert_eq!(counters[2].0.load(Ordering::SeqCst), 1);
        let mut noop = Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(third)) = waiting.remove(0).as_mut().poll(&mut noop) else { panic!("no slot") };
        // Holding a slot unused, and gone: the next one is called.
        drop(third);
        assert_eq!(counters[3].0.load(Ordering::SeqCst), 1);
        drop((waiting, first));
        world.finish().await;
    });
}

#[test]
fn one_that_is_called_and_does_not_come_holds_nobody_up() {
    run_here(async {
        let (world, gate) = gated::<Tcp>(1).await;
        let mut first = world.send.clone().ready().await.unwrap();
        let (response, _) = first.send_request(get("/"), true).unwrap();
        // It asks once, is called, and is kept.
        let mut kept = world.send.clone();
        let mut noop = Context::from_waker(Waker::noop());
        assert!(kept.poll_ready(&mut noop).is_pending());
        let next = tokio::spawn(world.send.clone().ready());
        settle().await;
        gate.add_permits(1);
        response.await.unwrap();
        let patience = std::time::Duration::from_secs(2);
        let next = tokio::time::timeout(patience, next).await.expect("the next waits for ever");
        drop((next.unwrap().unwrap(), kept, first));
        world.finish().await;
    });
}

#[test]
fn one_request_without_a_slot_may_wait_for_it() {
    run_here(async {
        let (mut world, gate) = gated::<Tcp>(1).await;
        let (first, _) = world.send.send_request(get("/"), true).unwrap();
        let mut other = world.send.clone();
        let (second, _) = other.send_request(get("/"), true).unwrap();
        settle().await;
        let error = other.send_request(get("/"), true).unwrap_err();
        assert_eq!(error.mistake(), Some(Mistake::NotReady));
        assert!(
            pin!(poll_fn(|cx| other.poll_ready(cx)))
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        gate.add_permits(2);
        assert_eq!(first.await.unwrap().status(), 204);
        assert_eq!(second.await.unwrap().status(), 204);
        poll_fn(|cx| other.poll_ready(cx)).await.unwrap();
        drop(other);
        world.finish().await;
    });
}

#[test]
fn a_request_that_waits_for_a_slot_is_cancelled_without_a_word() {
    for order in [[0, 1], [1, 0]] {
        run_here(async move {
            let (client_io, server_io) = tokio::io::duplex(64 << 10);
            let pool = pool();
            let (mut send, connection) =
                client::handshake(client_io, Config::builder().pool(pool.clone()).build().unwrap());
            let connection = tokio::spawn(connection);
            let mut peer = Raw::server(server_io, &[(MAX_CONCURRENT_STREAMS, 1)]).await;
            let (first, _) = send.send_request(get("/"), true).unwrap();
            assert_eq!(peer.next_of_stream().await.stream, 1);
            peer.send(&raw::frame(HEADERS, raw::END_HEADERS | raw::END_STREAM, 1, OK)).await;
            first.await.unwrap();
            let mut calls: Vec<_> = (0..2)
                .map(|_| {
                    let mut send = send.clone();
                    Some((send.send_request(get("/"), true).unwrap(), send))
                })
                .collect();
            let opened = peer.next_of_stream().await;
            assert_eq!((opened.kind, opened.stream), (HEADERS, 3));
            settle().await;
            // Both are dropped before the driver runs.
            for at in order {
                drop(calls[at].take());
            }
            let reset = peer.next_of_stream().await;
            assert_eq!((reset.kind, reset.stream), (raw::RST_STREAM, 3));
            // The other one was never begun: the next frame is of the next request.
            let (response, _) = send.send_request(get("/"), true).unwrap();
            let next = peer.next_of_stream().await;
            assert_eq!((next.kind, next.stream), (HEADERS, 7));
            peer.send(&raw::frame(HEADERS, raw::END_HEADERS | raw::END_STREAM, 7, OK)).await;
            response.await.unwrap();
            drop(send);
            connection.await.unwrap().unwrap();
            quiet(&pool).await;
        });
    }
}

#[test]
fn dropping_a_request_without_a_slot_frees_its_sender() {
    run_here(async {
        let (world, gate) = gated::<Tcp>(1).await;
        let (first, _) = world.send.clone().send_request(get("/"), true).unwrap();
        let mut other = world.send.clone();
        drop(other.send_request(get("/"), true).unwrap());
        // `other` is ready for a request as soon as there is a slot.
        let ready = tokio::spawn(async move { other.ready().await.map(drop) });
        settle().await;
        gate.add_permits(1);
        first.await.unwrap();
        ready.await.unwrap().unwrap();
        world.finish().await;
    });
}

#[test]
fn resetting_a_request_without_a_slot_frees_its_sender() {
    run_here(async {
        let (world, gate) = gated::<Tcp>(1).await;
        let (first, _) = world.send.clone().send_request(get("/"), true).unwrap();
        settle().await;
        let mut other = world.send.clone();
        let (second, mut stream) = other.send_request(get("/"), false).unwrap();
        let waiting = tokio::spawn(second);
        let ready = tokio::spawn(async move { other.ready().await.map(drop) });
        settle().await;
        stream.send_reset(millpond::ErrorCode::CANCEL);
        assert!(waiting.await.unwrap().unwrap_err().is_reset());
        gate.add_permits(1);
        first.await.unwrap();
        ready.await.unwrap().unwrap();
        drop(stream);
        world.finish().await;
    });
}

#[test]
fn a_freed_slot_lets_the_next_request_go() {
    run_on_threads(async {
        let (world, gate) = gated::<Tcp>(1).await;
        for round in 0..50 {
            let mut send = world.send.clone().ready().await.unwrap();
            let (response, stream) = send.send_request(get("/"), round % 2 == 0).unwrap();
            if round % 3 == 0 {
                settle().await;
            }
            drop((response, stream));
        }
        // Each of those that reached the server waits for a permit that nobody will read of.
        gate.add_permits(51);
        call(&world.send, get("/"), Bytes::new()).await.unwrap();
        world.finish().await;
    });
}

#[test]
fn the_peer_lowers_and_raises_the_limit() {
    run_here(async {
        let (client_io, server_io) = Pipe::pair().await;
        let pool = pool();
        let (send, connection) =
            client::handshake(client_io, Config::builder().pool(pool.clone()).build().unwrap());
        let connection = tokio::spawn(connection);
        let mut peer = Raw::server(server_io, &[(MAX_CONCURRENT_STREAMS, 3)]).await;
        peer.expect(raw::SETTINGS).await;
        crate::world::within("no SETTINGS", || send.current_max_send_streams() == 3).await;
        let start = async || {
            let mut send = send.clone().ready().await.unwrap();
            send.send_request(get("/"), true).unwrap()
        };
        let (one, two, three) = (start().await, start().await, start().await);
        for stream in [1, 3, 5] {
            assert_eq!(peer.expect(HEADERS).await.stream, stream);
        }
        let waiter = tokio::spawn(send.clone().ready());
        peer.send(&raw::settings(&[(MAX_CONCURRENT_STREAMS, 1)])).await;
        for stream in [1, 3] {
            peer.send(&raw::frame(HEADERS, raw::END_HEADERS | raw::END_STREAM, stream, OK)).await;
        }
        one.0.await.unwrap();
        two.0.await.unwrap();
        settle().await;
        assert!(!waiter.is_finished(), "one is open, and one is the limit");
        peer.send(&raw::settings(&[(MAX_CONCURRENT_STREAMS, 2)])).await;
        let mut send_again = waiter.await.unwrap().unwrap();
        let four = send_again.send_request(get("/"), true).unwrap();
        assert_eq!(peer.expect(HEADERS).await.stream, 7);
        for stream in [5, 7] {
            peer.send(&raw::frame(HEADERS, raw::END_HEADERS | raw::END_STREAM, stream, OK)).await;
        }
        three.0.await.unwrap();
        four.0.await.unwrap();
        drop((send, send_again));
        connection.await.unwrap().unwrap();
        quiet(&pool).await;
    });
}

/// A limit of nought is a pause, not an end.
#[test]
fn no_slot_at_all_until_the_peer_says_so() {
    run_here(async {
        let (client_io, server_io) = Pipe::pair().await;
        let (send, connection) = client::handshake(client_io, Config::default());
        let connection = tokio::spawn(connection);
        let mut peer = Raw::server(server_io, &[(MAX_CONCURRENT_STREAMS, 0)]).await;
        crate::world::within("no SETTINGS", || send.current_max_send_streams() == 0).await;
        let waiter = tokio::spawn(send.clone().ready());
        settle().await;
        assert!(!waiter.is_finished());
        peer.send(&raw::settings(&[(MAX_CONCURRENT_STREAMS, 1)])).await;
        drop(waiter.await.unwrap().unwrap());
        drop(send);
        connection.await.unwrap().unwrap();
    });
}

/// A task that sends a body and one that asks for the next slot wait on the same stream: both are called.
#[test]
fn a_waiting_body_does_not_hide_a_waiting_sender() {
    run_here(async {
        let (world, gate) = gated::<Tcp>(1).await;
        let (first, _) = world.send.clone().send_request(get("/"), true).unwrap();
        let mut other = world.send.clone();
        let (second, mut body) = other.send_request(post("/"), false).unwrap();
        let ready = tokio::spawn(async move { other.ready().await.map(drop) });
        settle().await;
        body.reserve_capacity(10);
        let capacity = tokio::spawn(async move {
            let got = poll_fn(|cx| body.poll_capacity(cx)).await;
            body.send_data(Bytes::new(), true).unwrap();
            got
        });
        settle().await;
        gate.add_permits(2);
        first.await.unwrap();
        assert_eq!(capacity.await.unwrap().unwrap().unwrap(), 10);
        second.await.unwrap();
        ready.await.unwrap().unwrap();
        world.finish().await;
    });
}

/// The limit of the first SETTINGS meets requests that were sent before it was known.
#[test]
fn requests_sent_too_early_wait_in_the_queue() {
    run_here(async {
        let (client_io, server_io) = tokio::io::duplex(64 << 10);
        let (send, connection) = client::handshake(client_io, Config::default());
        let connection = tokio::spawn(connection);
        let responses: Vec<_> =
            (0..5).map(|_| send.clone().send_request(get("/"), true).unwrap().0).collect();
        let mut peer = Raw::server(server_io, &[(MAX_CONCURRENT_STREAMS, 1)]).await;
        let answers = tokio::spawn(async move {
            for _ in 0..5 {
                let request = peer.next_of_stream().await;
                peer.send(&raw::frame(HEADERS, raw::END_HEADERS | raw::END_STREAM, request.stream, OK)).await;
            }
            peer
        });
        for response in responses {
            response.await.unwrap();
        }
        drop(answers.await.unwrap());
        drop(send);
        let _ = connection.await.unwrap();
    });
}
