//! One side: its connection, its socket, and its application, which is honest: it says nothing that it may not.

use std::{
    collections::BTreeMap,
    io::{self, IoSlice},
    sync::Arc,
    time::Instant,
};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use millpond::{
    ConfigBuilder, ErrorCode, Manners, Misdeed,
    buffer::{BufferPool, Outbound, PieceQueue, PoolOptions},
    connection::{Connection, Event, Head, SendQueue, Side, StreamKey},
};

use super::{
    ledger::{Ledger, content},
    wire::Wire,
};

pub struct End {
    side: Side,
    manners: Manners,
    pub connection: Connection,
    pool: BufferPool,
    out: Outbound,
    /// What was written to the socket and has not arrived.
    pub wire: Wire,
    streams: BTreeMap<u32, Stream>,
    ids: BTreeMap<usize, u32>,
    /// Octets of DATA delivered and not released.
    unread: u64,
    /// The application, or its machine, has ended the connection.
    pub excused: bool,
    /// Time has passed while something was under way.
    stalled: bool,
    heard_settings: bool,
    /// The largest block that octets came in, or may have been gathered in.
    largest_block: usize,
}

/// What the application knows of a stream.
struct Stream {
    key: StreamKey,
    got_head: bool,
    got_end: bool,
    failed: bool,
    sent_head: bool,
    sent_end: bool,
    abandoned: bool,
    pieces: PieceQueue,
    /// Octets that came out of the queue, and those of them that were not released.
    read: usize,
    taken: usize,
}

/// What is sent after a head.
pub struct Body {
    pub pieces: Vec<usize>,
    pub trailers: Option<u16>,
    pub end: bool,
}

const TRAILER: HeaderName = HeaderName::from_static("x-end");

impl End {
    pub fn new(side: Side, manners: Manners, now: Instant, config: ConfigBuilder) -> Self {
        let pool = BufferPool::new(PoolOptions { decay: None, ..PoolOptions::default() });
        let config = config.manners(manners).pool(pool.clone()).build().expect("options in range");
        End {
            side,
            manners,
            connection: Connection::new(side, Arc::new(config), now),
            out: Outbound::new(pool.clone()),
            pool,
            wire: Wire::default(),
            streams: BTreeMap::new(),
            ids: BTreeMap::new(),
            unread: 0,
            excused: false,
            stalled: false,
            heard_settings: false,
            largest_block: BufferPool::class_capacity(16_384),
        }
    }

    pub fn side(&self) -> Side {
        self.side
    }

    fn peer(&self) -> Side {
        if self.side == Side::Client { Side::Server } else { Side::Client }
    }

    /// Nothing more is read here.
    pub fn is_over(&self) -> bool {
        self.connection.is_read_closed()
    }

    /// Streams that the application holds.
    pub fn held(&self) -> Vec<u32> {
        self.streams.iter().filter(|(_, stream)| !stream.abandoned).map(|(id, _)| *id).collect()
    }

    /// Streams that are not closed.
    pub fn held_by_connection(&self) -> Vec<u32> {
        self.streams.keys().copied().collect()
    }

    pub fn has(&self, id: u32) -> bool {
        self.streams.contains_key(&id)
    }

    pub fn queued(&self, id: u32) -> usize {
        self.connection.queued(self.streams[&id].key)
    }

    /// Whether nothing is to be said, on the way, or awaited.
    pub fn is_quiet(&self) -> bool {
        let said = self.out.is_empty() && !self.connection.wants_transmit() && self.heard_settings;
        said && self.connection.is_settled() && self.wire.is_empty() && !self.wire.is_over()
    }

    pub fn open(&mut self, method: &'static str, body: Body, ledger: &mut Ledger) {
        let Some(id) = self.connection.next_stream_id() else { return };
        let uri = if method == "CONNECT" { "a:1".to_owned() } else { format!("http://a/{id}") };
        let request = Request::builder().method(method).uri(uri).body(()).expect("a good request");
        let mut queue = SendQueue::new();
        queue.push_head(Head::Request(request));
        if self.connection.is_going_away() || self.is_over() {
            assert!(self.connection.open(id, &mut queue).is_err(), "a stream on a connection that ends");
            return self.drain(ledger);
        }
        let stream = id;
        let id = stream.value();
        ledger.open(id, method, !self.heard_settings);
        let end = self.say(id, method, body, &mut queue, ledger);
        let key = self.connection.open(stream, &mut queue).expect("nothing forbids it");
        self.insert(id, key);
        let stream = self.stream(id);
        (stream.sent_head, stream.sent_end) = (true, end);
        self.drain(ledger);
    }

    /// Sends more; the server begins with its response.
    pub fn send(&mut self, id: u32, body: Body, ledger: &mut Ledger) {
        let stream = self.stream(id);
        if stream.sent_end || stream.failed {
            return;
        }
        let mut queue = SendQueue::new();
        if !std::mem::replace(&mut stream.sent_head, true) {
            queue.push_head(Head::Response(Response::new(())));
        }
        let method = ledger.talk(id).method;
        self.stream(id).sent_end = self.say(id, method, body, &mut queue, ledger);
        let key = self.stream(id).key;
        self.connection.send(key, &mut queue);
        self.drain(ledger);
    }

    pub fn send_informational(&mut self, id: u32, ledger: &mut Ledger) {
        let stream = self.stream(id);
        if stream.sent_head || stream.failed {
            return;
        }
        let head = Response::builder().status(103).body(()).expect("a good response");
        let (key, mut queue) = (stream.key, SendQueue::new());
        queue.push_head(Head::Response(head));
        self.connection.send(key, &mut queue);
        self.drain(ledger);
    }

    /// Queues a body as far as the message may have one. Whether it ends.
    fn say(&self, id: u32, method: &str, mut body: Body, queue: &mut SendQueue, ledger: &mut Ledger) -> bool {
        let talk = ledger.talk(id);
        if method == "HEAD" && self.side == Side::Server {
            body.pieces.clear();
        }
        // §8.5: a tunnel has DATA and nothing else.
        body.trailers = body.trailers.filter(|_| method != "CONNECT");
        for octets in body.pieces {
            queue.push_data(talk.say(self.side, id, octets));
        }
        if body.end {
            talk.say_end(self.side, body.trailers);
            match body.trailers {
                Some(value) => {
                    let fields = HeaderMap::from_iter([(TRAILER, HeaderValue::from(value))]);
                    queue.push_trailers(fields);
                }
                None => queue.push_end(),
            }
        }
        body.end
    }

    pub fn reset(&mut self, id: u32, code: ErrorCode, ledger: &mut Ledger) {
        ledger.talk(id).cut_short();
        let key = self.stream(id).key;
        self.connection.reset(key, code);
        self.drain(ledger);
    }

    pub fn abandon(&mut self, id: u32, ledger: &mut Ledger) {
        ledger.talk(id).cut_short();
        let stream = self.stream(id);
        stream.abandoned = true;
        let (key, octets) = (stream.key, stream.pieces.unread() + std::mem::take(&mut stream.taken));
        stream.pieces.clear();
        self.release_connection(octets);
        self.connection.abandon(key);
        self.drain(ledger);
    }

    /// The application reads; credit returns later. Whether there was anything.
    pub fn take(&mut self, id: u32, ledger: &mut Ledger) -> bool {
        let peer = self.peer();
        let stream = self.stream(id);
        let Some(octets) = stream.pieces.pop() else { return false };
        let expected = content(peer, id, stream.read, octets.len());
        assert!(octets == expected, "other octets than were sent on stream {id}");
        stream.read += octets.len();
        stream.taken += octets.len();
        self.drain(ledger);
        true
    }

    pub fn release(&mut self, id: u32, octets: usize, ledger: &mut Ledger) {
        let stream = self.stream(id);
        let (key, octets) = (stream.key, octets.min(stream.taken));
        stream.taken -= octets;
        self.connection.release(key, octets as u32);
        self.release_connection(octets);
        self.drain(ledger);
    }

    fn release_connection(&mut self, octets: usize) {
        self.unread = self.unread.checked_sub(octets as u64).expect("released what was delivered");
        self.connection.release_connection(octets);
    }

    pub fn reserve(&mut self, id: u32, octets: u32, grow: bool, ledger: &mut Ledger) {
        let key = self.stream(id).key;
        match grow {
            true => self.connection.reserve(key, octets),
            false => self.connection.give_back(key, octets),
        }
        self.drain(ledger);
    }

    /// The application reads all, sends the end of all, and keeps no credit. Whether there was anything to do.
    pub fn complete(&mut self, ledger: &mut Ledger) -> bool {
        let mut any = false;
        for id in self.held() {
            while self.has(id) && self.take(id, ledger) {
                any = true;
            }
            if self.has(id) {
                self.release(id, usize::MAX, ledger);
            }
            if self.has(id) {
                self.reserve(id, 0, true, ledger);
            }
            if self.has(id) {
                self.reserve(id, u32::MAX, false, ledger);
            }
            if self.streams.get(&id).is_some_and(|stream| !stream.sent_end && !stream.failed) {
                self.send(id, Body { pieces: Vec::new(), trailers: None, end: true }, ledger);
                any = true;
            }
        }
        any
    }

    /// The connection says what it has to say, about so much of it.
    pub fn append(&mut self, now: Instant, enough: usize, ledger: &mut Ledger) -> bool {
        let any = self.connection.poll_transmit_some(now, &mut self.out, enough);
        self.drain(ledger);
        any
    }

    /// The socket takes so many octets.
    pub fn write(&mut self, at_most: usize, ledger: &mut Ledger) -> bool {
        let (before, mut left) = (self.out.octets(), at_most);
        while left > 0 && !self.out.is_empty() {
            let mut slices = [IoSlice::new(&[]); 8];
            let count = self.out.slices(&mut slices);
            let mut octets = Vec::new();
            slices[..count].iter().for_each(|slice| octets.extend_from_slice(slice));
            octets.truncate(left);
            self.wire.put(&octets);
            self.out.advance(octets.len());
            left -= octets.len();
        }
        let written = before > self.out.octets();
        // A writer that is blocked.
        self.out.settle();
        self.drain(ledger);
        if self.out.is_empty() && self.connection.is_finished() {
            self.wire.end();
        }
        written
    }

    pub fn read(&mut self, now: Instant, octets: &[u8], ledger: &mut Ledger) {
        if self.is_over() {
            return;
        }
        let mut block = self.pool.take(octets.len());
        assert_eq!(block.append(octets), octets.len());
        self.largest_block = self.largest_block.max(block.capacity());
        self.connection.handle_read(now, block);
        self.drain(ledger);
        drop(self.connection.take_block());
    }

    /// Whether that was new.
    pub fn end_of_file(&mut self, now: Instant, ledger: &mut Ledger) -> bool {
        let new = !self.is_over();
        if new {
            self.connection.handle_eof(now);
            self.drain(ledger);
        }
        new
    }

    pub fn break_socket(&mut self, ledger: &mut Ledger) {
        self.excused = true;
        self.connection.handle_io_error(io::ErrorKind::BrokenPipe.into());
        self.out.clear();
        self.wire.end();
        self.drain(ledger);
    }

    pub fn pass(&mut self, now: Instant, quiet: bool, ledger: &mut Ledger) {
        self.stalled |= !quiet;
        if self.connection.poll_timeout().is_some_and(|at| at <= now) {
            self.connection.handle_timeout(now);
            self.drain(ledger);
        }
    }

    pub fn drain(&mut self, ledger: &mut Ledger) {
        while let Some(event) = self.connection.poll_event() {
            self.handle(event, ledger);
        }
    }

    fn handle(&mut self, event: Event, ledger: &mut Ledger) {
        let (peer, over, pool) = (self.peer(), self.is_over(), self.pool.clone());
        match event {
            Event::Request { key, stream, head, end_stream } => {
                assert_eq!(self.side, Side::Server, "a request for a client");
                let (id, talk) = (stream.value(), ledger.talk(stream.value()));
                assert_eq!(head.method(), talk.method);
                if head.method() != Method::CONNECT {
                    assert_eq!(*head.uri(), *format!("http://a/{id}"));
                }
                if end_stream {
                    talk.hear(peer, 0, true);
                }
                self.insert(id, key);
                let stream = self.stream(id);
                (stream.got_head, stream.got_end) = (true, end_stream);
            }
            Event::Informational { key, head } => {
                assert_eq!(head.status(), 103);
                assert!(!self.of(key).1.got_head, "103 after 200");
            }
            Event::Response { key, head, end_stream } => {
                assert_eq!(head.status(), 200);
                let (id, stream) = self.of(key);
                assert!(!stream.got_head && !stream.failed, "a second response");
                (stream.got_head, stream.got_end) = (true, end_stream);
                if end_stream {
                    ledger.talk(id).hear(peer, 0, true);
                }
            }
            Event::Data { key, piece, end_stream, .. } => {
                self.unread += piece.len() as u64;
                let (id, stream) = self.of(key);
                assert!(stream.got_head && !stream.got_end && !stream.failed, "DATA out of place");
                assert!(!stream.abandoned, "DATA that nobody wants");
                stream.got_end = end_stream;
                ledger.talk(id).hear(peer, piece.len(), end_stream);
                stream.pieces.push(piece, &pool);
            }
            Event::Trailers { key, trailers } => {
                let (id, stream) = self.of(key);
                assert!(stream.got_head && !stream.got_end && !stream.failed, "trailers out of place");
                stream.got_end = true;
                let value = trailers[TRAILER].to_str().expect("digits").parse().expect("digits");
                ledger.talk(id).hear_trailers(peer, value);
            }
            Event::Reset { key, error } => {
                let (id, stream) = self.of(key);
                assert!(!std::mem::replace(&mut stream.failed, true), "failed twice");
                ledger.talk(id).hear_failure(&error, over);
            }
            Event::Closed { key } => {
                let id = self.ids.remove(&key.index()).expect("a stream is closed once");
                let stream = self.streams.remove(&id).expect("a stream is closed once");
                self.release_connection(stream.pieces.unread() + stream.taken);
            }
            Event::Opened { key } | Event::Sent { key, .. } | Event::Capacity { key, .. } => {
                self.of(key);
            }
            Event::RemoteSettings { .. } => self.heard_settings = true,
            _ => {}
        }
    }

    fn insert(&mut self, id: u32, key: StreamKey) {
        let stream = Stream {
            key,
            got_head: false,
            got_end: false,
            failed: false,
            sent_head: false,
            sent_end: false,
            abandoned: false,
            pieces: PieceQueue::new(),
            read: 0,
            taken: 0,
        };
        assert!(self.streams.insert(id, stream).is_none(), "stream {id} twice");
        assert!(self.ids.insert(key.index(), id).is_none(), "a key that is in use");
    }

    fn stream(&mut self, id: u32) -> &mut Stream {
        self.streams.get_mut(&id).expect("a stream that is held")
    }

    fn of(&mut self, key: StreamKey) -> (u32, &mut Stream) {
        let id = *self.ids.get(&key.index()).expect("an event for a stream that is known");
        (id, self.stream(id))
    }

    /// The books of this side.
    pub fn check(&self) {
        let stats = self.connection.stats();
        assert_eq!(stats.unread, self.unread, "unread octets");
        assert_eq!(stats.streams, self.streams.len(), "streams");
        for stream in self.streams.values() {
            let (octets, unread) = (stream.pieces.held(), stream.pieces.unread());
            assert!(octets <= unread + unread / 2 + self.largest_block, "{octets} octets held for {unread}");
        }
        let Some(failure) = self.connection.failure().filter(|_| !self.excused) else { return };
        match failure.misdeed() {
            // The application may ask so often that its peer calls it a flood.
            Some(Misdeed::PingFlood | Misdeed::SettingsFlood) => {}
            Some(
                Misdeed::HandshakeTimeout
                | Misdeed::HeadersTimeout
                | Misdeed::KeepaliveTimeout
                | Misdeed::SettingsNotAcknowledged
                // Of a stream whose reset was forgotten before the peer had heard of it.
                | Misdeed::DataAfterEnd
                | Misdeed::DataOnClosedStream
                | Misdeed::HeadersAfterEnd,
            ) => assert!(self.stalled, "{:?} does not wait: {failure}", self.side),
            // As h2: trailers of a request that it refused.
            Some(Misdeed::StreamIdDecreased) if self.manners == Manners::H2 => {}
            Some(_) => panic!("{:?} accuses an honest peer: {failure}", self.side),
            None => assert!(self.is_over(), "{failure}"),
        }
    }

    /// The pool misses only what is unread, and what waits for its frame.
    pub fn check_pool(&self) {
        if self.out.is_empty() {
            let held: usize = self.streams.values().map(|stream| stream.pieces.held()).sum();
            let (out, cut) = (self.pool.stats().octets_out, self.connection.gathered());
            assert!(
                out <= held + cut,
                "{out} octets are out, {held} are unread and {cut} wait for their frame"
            );
        }
    }

    /// The socket is closed on both sides; what is left of the application lets go.
    pub fn finish(mut self, now: Instant, ledger: &mut Ledger) {
        self.end_of_file(now, ledger);
        for id in self.held_by_connection() {
            if self.has(id) {
                self.reset(id, ErrorCode::CANCEL, ledger);
            }
        }
        while self.append(now, usize::MAX, ledger) | self.write(usize::MAX, ledger) {}
        self.check();
        assert!(self.streams.is_empty(), "streams that were never closed");
        assert_eq!(self.unread, 0);
        assert!(self.connection.poll_timeout().is_none(), "a deadline when nothing can come");
        drop(self.connection);
        assert_eq!(self.pool.stats().blocks_out, 0, "blocks that did not come home");
    }
}
