//! The whole driver with its handles, in every order of their threads' steps (`docs/models.md`).
//!
//! The peer answers at once, within the driver's own thread, so that nothing but the handles can wake it. Always true
//! here: whatever the order, everybody hears what concerns him, what is given up is given up on the wire, and in the
//! end no block is out and nothing of the connection is left.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    io,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::Bytes;
use loom::{future::block_on, thread::JoinHandle};
use tokio::io::AsyncWrite;

use crate::{
    buffer::{BufferPool, PoolOptions},
    config::Config,
    connection::Side,
    error::Error,
    frame::{Flags, FrameHeader, FrameType},
    handle::{ResponseFuture, SendRequest, SendStream, Shared},
    readiness::ReadReady,
    stream_id::StreamId,
    sync::{explore, join, spawn},
};

use super::{Driver, Incoming, Progress};

/// What the peer says to a frame.
type Answer = fn(FrameHeader, &[u8]) -> Vec<u8>;

/// A socket, with the peer behind it.
struct Wire {
    arriving: VecDeque<u8>,
    answer: Answer,
    /// Octets of the preface that are still to come.
    preface: usize,
    unparsed: Vec<u8>,
    seen: Seen,
    closed: bool,
}

/// The frames that were written. No lock of the model: it is asked when all is over.
type Seen = Arc<std::sync::Mutex<Vec<FrameHeader>>>;

fn frame(kind: FrameType, flags: Flags, stream: u32, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader { length: payload.len() as u32, kind, flags, stream: StreamId::new(stream) };
    [&header.encode()[..], payload].concat()
}

fn settings(entries: &[u8]) -> Vec<u8> {
    frame(FrameType::SETTINGS, Flags::NONE, 0, entries)
}

/// A response that is not over.
fn begun(stream: u32) -> Vec<u8> {
    let head = frame(FrameType::HEADERS, Flags::END_HEADERS, stream, &[0x88]);
    [head, frame(FrameType::DATA, Flags::NONE, stream, b"abc")].concat()
}

fn ended(stream: u32) -> Vec<u8> {
    frame(FrameType::DATA, Flags::END_STREAM, stream, b"")
}

impl Wire {
    fn new(arriving: Vec<u8>, preface: usize, answer: Answer) -> (Wire, Seen) {
        let seen = Seen::default();
        let wire = Wire {
            arriving: arriving.into(),
            answer,
            preface,
            unparsed: Vec::new(),
            seen: seen.clone(),
            closed: false,
        };
        (wire, seen)
    }

    fn take_frames(&mut self) {
        let preface = self.preface.min(self.unparsed.len());
        self.unparsed.drain(..preface);
        self.preface -= preface;
        while let Some(octets) = self.unparsed.first_chunk() {
            let header = FrameHeader::parse(octets);
            let end = FrameHeader::OCTETS + header.length as usize;
            if self.unparsed.len() < end {
                return;
            }
            let frame: Vec<u8> = self.unparsed.drain(..end).collect();
            self.seen.lock().unwrap().push(header);
            self.arriving.extend((self.answer)(header, &frame[FrameHeader::OCTETS..]));
        }
    }
}

impl ReadReady for Wire {
    fn poll_read_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.arriving.is_empty() && !self.closed { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_read(&mut self, _: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(io::Read::read(&mut self.arriving, into))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.unparsed.extend_from_slice(octets);
        self.take_frames();
        if !self.arriving.is_empty() {
            // Who waits to read is the task that writes.
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.closed = true;
        Poll::Ready(Ok(()))
    }
}

/// What is left when all is over, to be looked at.
struct Rest {
    seen: Seen,
    pool: BufferPool,
    shared: Weak<Shared>,
}

impl Rest {
    /// How many frames of this kind were written.
    fn count(&self, kind: FrameType) -> usize {
        self.seen.lock().unwrap().iter().filter(|header| header.kind == kind).count()
    }

    #[track_caller]
    fn assert_nothing_left(&self) {
        let stats = self.pool.stats();
        assert_eq!((stats.blocks_out, stats.octets_out, self.pool.octets_held()), (0, 0, 0), "{stats:?}");
        assert!(self.shared.upgrade().is_none(), "something of the connection is left");
    }
}

/// A pool of which every counter was used once, and that keeps nothing: it has models of its own.
fn pool() -> BufferPool {
    let pool = BufferPool::new(PoolOptions { max_idle: 0, decay: None });
    assert_eq!((pool.stats().blocks_out, pool.octets_held(), pool.octets_far()), (0, 0, 0));
    pool
}

/// Our side of a connection, nothing of which is used for the first time by two threads.
fn driver(side: Side, wire: (Wire, Seen), rest_after: Duration) -> (Driver<Wire>, Rest) {
    let (wire, seen) = wire;
    let pool = pool();
    let config =
        Config::builder().pool(pool.clone()).initial_max_send_streams(1).rest_after(Some(rest_after));
    let driver = Driver::new(wire, side, Arc::new(config.build().unwrap()));
    let shared = driver.shared();
    shared.note_window(u32::MAX);
    shared.set_congested(shared.take_returned() > 0);
    let rest = Rest { seen, pool, shared: Arc::downgrade(shared) };
    (driver, rest)
}

fn client(answer: Answer) -> (SendRequest, Driver<Wire>, Rest) {
    client_that_rests(answer, LONG)
}

/// Longer than any model runs.
const LONG: Duration = Duration::from_secs(3_600);

fn client_that_rests(answer: Answer, after: Duration) -> (SendRequest, Driver<Wire>, Rest) {
    const PREFACE: usize = 24;
    // SETTINGS_MAX_CONCURRENT_STREAMS
    const ONE_STREAM: &[u8] = &[0, 3, 0, 0, 0, 1];
    let (driver, rest) = driver(Side::Client, Wire::new(settings(ONE_STREAM), PREFACE, answer), after);
    (SendRequest::new(driver.shared().clone()), driver, rest)
}

fn call(request: &mut SendRequest, end: bool) -> (ResponseFuture, SendStream) {
    request.send_request(http::Request::get("http://a/").body(()).unwrap(), end).unwrap()
}

/// Works until all is over, which is to end well.
fn finish(mut driver: Driver<Wire>) {
    block_on(poll_fn(|cx| {
        while let Progress::Requests = ready!(driver.poll_drive(cx)) {}
        Poll::Ready(())
    }));
    assert!(driver.post().outcome().is_none());
}

fn drive(driver: Driver<Wire>) -> JoinHandle<()> {
    spawn(move || finish(driver))
}

/// Explores with a thread that has a stack for a driver, within a runtime, for the timers.
fn check(preemptions: usize, model: fn()) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _inside = runtime.enter();
    explore(preemptions, move || join([spawn(model)]));
}

#[test]
fn a_call_is_answered() {
    fn answer(header: FrameHeader, _: &[u8]) -> Vec<u8> {
        match header.kind {
            FrameType::HEADERS => [begun(1), ended(1)].concat(),
            _ => Vec::new(),
        }
    }
    check(3, || {
        let (mut request, driver, rest) = client(answer);
        let driver = drive(driver);
        let (response, _) = call(&mut request, true);
        let mut body = block_on(response).unwrap().into_body();
        assert_eq!(block_on(body.data()).unwrap().unwrap(), "abc");
        assert!(block_on(body.data()).is_none());
        drop((body, request));
        join([driver]);
        assert_eq!(rest.count(FrameType::RST_STREAM), 0);
        rest.assert_nothing_left();
    });
}

#[test]
fn a_call_that_is_given_up_is_reset() {
    fn answer(header: FrameHeader, _: &[u8]) -> Vec<u8> {
        if header.kind == FrameType::HEADERS { begun(1) } else { Vec::new() }
    }
    check(3, || {
        let (mut request, driver, rest) = client(answer);
        let driver = drive(driver);
        let (response, send) = call(&mut request, false);
        drop(request);
        let writer = spawn(move || drop(send));
        let mut response = response;
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(answered) = Pin::new(&mut response).poll(&mut cx) {
            let _ = answered.unwrap().into_body().poll_data(&mut cx);
        }
        drop(response);
        join([writer, driver]);
        // It was given up before it began, or on the wire.
        assert_eq!(rest.count(FrameType::RST_STREAM), rest.count(FrameType::HEADERS));
        rest.assert_nothing_left();
    });
}

#[test]
fn both_halves_of_a_call_at_once() {
    fn answer(header: FrameHeader, _: &[u8]) -> Vec<u8> {
        match header.kind {
            FrameType::HEADERS => begun(1),
            FrameType::DATA if header.flags.contains(Flags::END_STREAM) => ended(1),
            _ => Vec::new(),
        }
    }
    check(1, || {
        let (mut request, driver, rest) = client(answer);
        let driver = drive(driver);
        let (response, mut send) = call(&mut request, false);
        drop(request);
        let writer = spawn(move || send.send_data(Bytes::from_static(b"abc"), true).unwrap());
        let mut body = block_on(response).unwrap().into_body();
        assert_eq!(block_on(body.data()).unwrap().unwrap(), "abc");
        assert!(block_on(body.data()).is_none());
        drop(body);
        join([writer, driver]);
        assert_eq!(rest.count(FrameType::RST_STREAM), 0);
        rest.assert_nothing_left();
    });
}

/// The driver goes while one waits for a response, one for a slot, and one for capacity; or before they do.
#[test]
fn everybody_hears_that_the_driver_is_gone() {
    check(2, || {
        let (mut request, mut driver, rest) = client(|_, _| Vec::new());
        let driver = spawn(move || {
            let mut cx = Context::from_waker(Waker::noop());
            assert!(driver.poll_drive(&mut cx).is_pending());
        });
        let head = http::Request::get("http://a/").body(()).unwrap();
        if let Ok((response, mut send)) = request.send_request(head, false) {
            let next = spawn(move || drop(block_on(request.ready()).unwrap_err()));
            send.reserve_capacity(1 << 20);
            let error: Error = block_on(response).unwrap_err();
            assert!(error.is_io() || error.is_unprocessed(), "{error:?}");
            while let Some(Ok(_)) = block_on(poll_fn(|cx| send.poll_capacity(cx))) {}
            drop(send);
            join([next]);
        } else {
            drop(request);
        }
        join([driver]);
        rest.assert_nothing_left();
    });
}

/// Two streams share the window of the connection: what one gives back the other gets, and not more.
#[test]
fn capacity_is_granted_once() {
    const WINDOW: usize = 65_535;
    fn answer(header: FrameHeader, _: &[u8]) -> Vec<u8> {
        // The window of streams is to be larger than that of the connection.
        match header.kind {
            FrameType::SETTINGS if !header.flags.contains(Flags::ACK) => {
                settings(&[0, 3, 0, 0, 0, 2, 0, 4, 0x7f, 0xff, 0xff, 0xff])
            }
            _ => Vec::new(),
        }
    }
    check(1, || {
        let (request, driver, rest) = client(answer);
        let mut requests = [request.clone(), request];
        let driver = drive(driver);
        let calls = requests.each_mut().map(|request| call(request, false));
        let [(response, mut one), (other, mut two)] = calls;
        drop(requests);
        one.reserve_capacity(WINDOW - 5);
        two.reserve_capacity(WINDOW);
        let first = spawn(move || {
            block_on(poll_fn(|cx| one.poll_capacity(cx))).unwrap().unwrap();
            one.reserve_capacity(0);
            assert_eq!(one.capacity(), 0);
            (one, response)
        });
        while two.capacity() < WINDOW {
            let granted = block_on(poll_fn(|cx| two.poll_capacity(cx))).unwrap().unwrap();
            assert!(granted <= WINDOW, "{granted} octets of a window of {WINDOW}");
        }
        drop((two, other));
        drop(first.join().unwrap());
        join([driver]);
        rest.assert_nothing_left();
    });
}

/// A call, and then the end, come to a connection that rests, or is about to.
#[test]
fn a_call_wakes_who_rests() {
    fn answer(header: FrameHeader, _: &[u8]) -> Vec<u8> {
        match (header.kind, header.flags) {
            (FrameType::SETTINGS, Flags::NONE) => frame(FrameType::SETTINGS, Flags::ACK, 0, &[]),
            (FrameType::HEADERS, _) => [begun(1), ended(1)].concat(),
            _ => Vec::new(),
        }
    }
    // Not of the model: it only tells whether the model is of any use.
    static RESTED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    check(3, || {
        let (mut request, mut driver, rest) = client_that_rests(answer, Duration::ZERO);
        let driver = spawn(move || {
            block_on(poll_fn(|cx| {
                let progress = driver.poll_drive(cx);
                RESTED.fetch_or(driver.is_resting(), std::sync::atomic::Ordering::Relaxed);
                progress.map(drop)
            }));
            assert!(driver.post().outcome().is_none());
        });
        let (response, _) = call(&mut request, true);
        let mut body = block_on(response).unwrap().into_body();
        assert_eq!(block_on(body.data()).unwrap().unwrap(), "abc");
        assert!(block_on(body.data()).is_none());
        drop((body, request));
        join([driver]);
        rest.assert_nothing_left();
    });
    assert!(RESTED.load(std::sync::atomic::Ordering::Relaxed));
}

/// The two halves of a request at a server go while octets of it arrive.
#[test]
fn a_request_that_is_let_go_is_reset() {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    // GET http a /
    const HEAD: &[u8] = &[0x82, 0x86, 0x84, 0x41, 1, b'a'];
    check(2, || {
        let head = frame(FrameType::HEADERS, Flags::END_HEADERS, 1, HEAD);
        let data = frame(FrameType::DATA, Flags::NONE, 1, b"abc");
        let arriving = [PREFACE, &settings(&[]), &head, &data].concat();
        let wire = Wire::new(arriving, 0, |header, payload| match header.kind {
            FrameType::PING => frame(FrameType::PING, Flags::ACK, 0, payload),
            _ => Vec::new(),
        });
        let (mut driver, rest) = driver(Side::Server, wire, LONG);
        let Incoming { body, respond, .. } = block_on(poll_fn(|cx| {
            let progress = ready!(driver.poll_drive(cx));
            assert!(matches!(progress, Progress::Requests));
            Poll::Ready(driver.post().incoming.pop_front().unwrap())
        }));
        let handlers = [spawn(move || drop(body)), spawn(move || drop(respond))];
        driver.post().connection.shutdown();
        finish(driver);
        join(handlers);
        assert_eq!(rest.count(FrameType::RST_STREAM), 1);
        rest.assert_nothing_left();
    });
}
