//! A connection between an odd peer and a restless application.
//!
//! The input chooses what either does next. The judges: every frame that we write is well formed, within the peer's
//! windows, and decodes with the peer's table; credit given is credit announced; unread octets, streams and their
//! events agree with a ledger kept here; when nothing is unread the pool misses nothing but a frame that was cut.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io::IoSlice,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use millpond::{
    Config, ErrorCode, Manners, StreamId,
    buffer::{BufferPool, Cursor, Outbound, PieceQueue, PoolOptions},
    connection::{Connection, Event, Head, SendQueue, Side, StreamKey},
    error::Reach,
    frame::{Frame, FrameHeader, FrameReader, PREFACE, ReaderLimits, setting},
    hpack::{Decoder, FieldLimits},
};

use super::input::Input;

/// A server, and any peer behind the connection preface.
pub fn server_connection(data: &[u8]) {
    World::new(Side::Server, data).run();
}

/// A client, and any peer.
pub fn client_connection(data: &[u8]) {
    World::new(Side::Client, data).run();
}

struct World<'a> {
    side: Side,
    connection: Connection,
    pool: BufferPool,
    now: Instant,
    input: Input<'a>,
    streams: BTreeMap<usize, Stream>,
    /// Octets of DATA delivered and not released.
    unread: u64,
    theirs: Theirs,
    ours: Ours,
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
}

/// What the peer has sent.
struct Theirs {
    reader: FrameReader,
    /// Octets of DATA frames, padding included.
    data: i64,
    /// WINDOW_UPDATE, by stream.
    credit: BTreeMap<StreamId, i64>,
    highest_initial_window: i64,
    /// The table sizes of each SETTINGS that we have not acknowledged.
    table_sizes: VecDeque<Vec<u32>>,
}

/// What we have written.
struct Ours {
    reader: FrameReader,
    decoder: Decoder,
    preface: Vec<u8>,
    /// Octets of DATA, by stream; stream 0 has the sum.
    data: BTreeMap<StreamId, i64>,
    /// WINDOW_UPDATE for the connection.
    credit: i64,
    reset: BTreeSet<StreamId>,
}

const INITIAL_WINDOW: i64 = 65_535;

/// A block for the largest frame that the peer may send, header included.
const LARGEST_BLOCK: usize = BufferPool::class_capacity(16_384 + FrameHeader::OCTETS);

impl<'a> World<'a> {
    fn new(side: Side, data: &'a [u8]) -> Self {
        let pool = BufferPool::new(PoolOptions { decay: None, ..PoolOptions::default() });
        let mut input = Input(data);
        let options = input.octet();
        let manners = if options & 0b100_1000 == 0b100_0000 { Manners::H2 } else { Manners::Own };
        let config = Config::builder()
            .pool(pool.clone())
            .max_concurrent_streams(Some(8))
            .initial_stream_window_size([65_535, 1_000, 0, 1 << 20][usize::from(options & 3)])
            .initial_connection_window_size(if options & 4 == 0 { 65_535 } else { 200_000 })
            .max_unread(if options & 8 == 0 { 0 } else { 50_000 })
            .adaptive_window(options & 16 != 0)
            .enable_connect_protocol(options & 32 != 0)
            .max_concurrent_reset_streams(if options & 64 == 0 { 50 } else { 0 })
            .keep_alive_interval((options & 128 != 0).then_some(Duration::from_secs(5)))
            .max_header_list_size(4_096)
            .manners(manners)
            .build()
            .expect("options in range");
        let now = Instant::now();
        let any = ReaderLimits {
            max_frame_size: (1 << 24) - 1,
            max_continuations: u32::MAX,
            max_field_block: usize::MAX / 2,
        };
        let reader = || FrameReader::new(BufferPool::global(), any);
        World {
            side,
            connection: Connection::new(side, Arc::new(config), now),
            pool,
            now,
            input,
            streams: BTreeMap::new(),
            unread: 0,
            theirs: Theirs {
                reader: reader(),
                data: 0,
                credit: BTreeMap::new(),
                highest_initial_window: INITIAL_WINDOW,
                table_sizes: VecDeque::new(),
            },
            ours: Ours {
                reader: reader(),
                decoder: Decoder::new(4_096),
                preface: if side == Side::Client { PREFACE.to_vec() } else { Vec::new() },
                data: BTreeMap::new(),
                credit: 0,
                reset: BTreeSet::new(),
            },
        }
    }

    fn run(mut self) {
        if self.side == Side::Server {
            self.read(PREFACE);
        }
        self.transmit();
        while !self.input.is_empty() {
            self.step();
            self.check();
        }
        self.finish();
    }

    fn step(&mut self) {
        let choice = self.input.octet();
        match choice % 20 {
            0 => {
                let octets = self.input.some();
                self.receive(octets);
            }
            // A frame with a right length, and anything else.
            1 => {
                let (kind, flags, stream) = (self.input.octet(), self.input.octet(), self.input.octet());
                let payload = self.input.some();
                self.receive_frame(kind, flags, stream.into(), payload);
            }
            2 => self.receive_settings(),
            3 => self.receive_frame(0x4, 0x1, 0, &[]),
            // HEADERS that open or answer; the fields are right more often than not.
            4..=6 => {
                let (flags, stream) = (0x4 | (self.input.octet() & 1), self.input.octet());
                let extra = if choice > 200 { self.input.some() } else { &[] };
                let head: &[u8] = match (self.side, choice % 20) {
                    (Side::Server, 4) => b"\x83\x86\x84\x41\x01a",
                    (Side::Server, 5) => b"\x82\x87\x84\x01\x01b\x0f\x0d\x013",
                    (Side::Server, _) => b"\x00\x05trail\x01x",
                    (Side::Client, 4) => b"\x88",
                    (Side::Client, 5) => b"\x08\x03103",
                    (Side::Client, _) => b"\x48\x03302\x0f\x0d\x013",
                };
                self.receive_frame(0x1, flags, stream.into(), &[head, extra].concat());
            }
            7 | 8 => {
                let (flags, stream) = (self.input.octet() & 0x9, self.input.octet());
                let length =
                    if choice % 20 == 7 { self.input.octet().into() } else { self.input.number() % 16_385 };
                self.receive_frame(0x0, flags, stream.into(), &vec![0; length]);
            }
            9 => {
                let stream = self.input.octet();
                let increment = (self.input.number() as u32) << (self.input.octet() % 16);
                self.receive_frame(0x8, 0, stream.into(), &increment.to_be_bytes());
            }
            10 => {
                let (stream, code) = (self.input.octet(), u32::from(self.input.octet()));
                self.receive_frame(0x3, 0, stream.into(), &code.to_be_bytes());
            }
            11 => self.open(),
            12..=14 => self.send(),
            15 => self.take(),
            16 => self.let_go(),
            17 => {
                let octets = self.input.number() as u32;
                let (grow, Some(key)) = (self.input.octet() & 1 == 0, self.pick()) else { return };
                match grow {
                    true => self.connection.reserve(key, octets),
                    false => self.connection.give_back(key, octets),
                }
                self.drain();
            }
            18 => self.wait(),
            _ => self.control(),
        }
    }

    fn receive_frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let header = FrameHeader {
            length: payload.len() as u32,
            kind: kind.into(),
            flags: millpond::frame::Flags::from(flags),
            stream: StreamId::new(stream),
        };
        let octets = [&header.encode()[..], payload].concat();
        self.receive(&octets);
    }

    fn receive_settings(&mut self) {
        let mut payload = Vec::new();
        for _ in 0..self.input.octet() % 4 {
            let id = [1, 3, 4, 5, 6, 8][usize::from(self.input.octet() % 6)];
            let value = (self.input.number() as u32) << (self.input.octet() % 16);
            payload.extend_from_slice(&u16::to_be_bytes(id));
            payload.extend_from_slice(&value.to_be_bytes());
        }
        self.receive_frame(0x4, 0, 0, &payload);
    }

    /// Octets from the peer, and our book of them.
    fn receive(&mut self, octets: &[u8]) {
        if octets.is_empty() || self.connection.is_read_closed() {
            return;
        }
        self.read(octets);
        if self.connection.failure().is_none() {
            self.theirs.note(octets, &self.connection);
        }
    }

    fn read(&mut self, octets: &[u8]) {
        let mut block = self.pool.take(octets.len());
        assert_eq!(block.append(octets), octets.len());
        self.connection.handle_read(self.now, block);
        self.drain();
        drop(self.connection.take_block());
    }

    fn drain(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            self.handle(event);
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Request { key, end_stream, .. } => {
                assert_eq!(self.side, Side::Server, "a request for a client");
                let stream = Stream::new(key, false);
                assert!(self.streams.insert(key.index(), stream).is_none(), "a key that is in use");
                let stream = self.stream(key);
                (stream.got_head, stream.got_end) = (true, end_stream);
            }
            Event::Informational { key, .. } => assert!(!self.stream(key).got_head, "103 after 200"),
            Event::Response { key, end_stream, .. } => {
                let stream = self.stream(key);
                assert!(!stream.got_head && !stream.failed, "a second response");
                (stream.got_head, stream.got_end) = (true, end_stream);
            }
            Event::Data { key, piece, end_stream, .. } => {
                self.unread += piece.len() as u64;
                let pool = self.pool.clone();
                let stream = self.stream(key);
                assert!(stream.got_head && !stream.got_end && !stream.failed, "DATA out of place");
                assert!(!stream.abandoned, "DATA that nobody wants");
                stream.pieces.push(piece, &pool);
                stream.got_end = end_stream;
            }
            Event::Trailers { key, .. } => {
                let stream = self.stream(key);
                assert!(stream.got_head && !stream.got_end && !stream.failed, "trailers out of place");
                stream.got_end = true;
            }
            Event::Reset { key, .. } => {
                let stream = self.stream(key);
                assert!(!std::mem::replace(&mut stream.failed, true), "failed twice");
            }
            Event::Closed { key } => {
                let stream = self.streams.remove(&key.index()).expect("a stream is closed once");
                self.release_connection(stream.pieces.unread());
            }
            Event::Opened { key } | Event::Sent { key, .. } | Event::Capacity { key, .. } => {
                self.stream(key);
            }
            _ => {}
        }
    }

    fn stream(&mut self, key: StreamKey) -> &mut Stream {
        self.streams.get_mut(&key.index()).expect("an event for a stream that is known")
    }

    /// A stream that the application still holds.
    fn pick(&mut self) -> Option<StreamKey> {
        let held: Vec<StreamKey> =
            self.streams.values().filter(|stream| !stream.abandoned).map(|stream| stream.key).collect();
        let choice = usize::from(self.input.octet());
        held.get(choice % held.len().max(1)).copied()
    }

    /// The application makes a request.
    fn open(&mut self) {
        let choice = self.input.octet();
        if self.side == Side::Server {
            return;
        }
        let Some(id) = self.connection.next_stream_id() else { return };
        let method = ["GET", "HEAD", "POST", "CONNECT"][usize::from(choice & 3)];
        let uri = if choice & 3 == 3 { "a:1" } else { "http://a/" };
        let request = Request::builder().method(method).uri(uri).body(()).expect("a good request");
        let mut queue = SendQueue::new();
        queue.push_head(Head::Request(request));
        let end = self.body(&mut queue, choice >> 2);
        if let Ok(key) = self.connection.open(id, &mut queue) {
            let mut stream = Stream::new(key, true);
            stream.sent_end = end;
            assert!(self.streams.insert(key.index(), stream).is_none(), "a key that is in use");
        }
        self.drain();
    }

    /// The application answers, or sends more.
    fn send(&mut self) {
        let choice = self.input.octet();
        let Some(key) = self.pick() else { return };
        let stream = self.stream(key);
        if stream.sent_end || stream.failed {
            return;
        }
        let mut queue = SendQueue::new();
        if !stream.sent_head {
            let status = if choice & 0x80 == 0 { 200 } else { 103 };
            stream.sent_head = status == 200;
            let response = Response::builder().status(status).body(()).expect("a good response");
            queue.push_head(Head::Response(response));
        }
        if self.stream(key).sent_head {
            let end = self.body(&mut queue, choice);
            self.stream(key).sent_end = end;
        }
        self.connection.send(key, &mut queue);
        self.drain();
    }

    /// Some of a body, and maybe its end. Whether that.
    fn body(&mut self, queue: &mut SendQueue, choice: u8) -> bool {
        for _ in 0..choice & 3 {
            queue.push_data(Bytes::from(vec![0; self.input.number()]));
        }
        match choice >> 2 & 3 {
            0 => return false,
            1 => {
                let field =
                    (HeaderName::from_static("x-end"), HeaderValue::from(u16::from(self.input.octet())));
                queue.push_trailers(HeaderMap::from_iter([field]));
            }
            _ => queue.push_end(),
        }
        true
    }

    /// The application reads.
    fn take(&mut self) {
        let Some(key) = self.pick() else { return };
        let Some(octets) = self.stream(key).pieces.pop() else { return };
        self.connection.release(key, octets.len() as u32);
        self.release_connection(octets.len());
        self.drain();
    }

    fn let_go(&mut self) {
        let code = u32::from(self.input.octet());
        let Some(key) = self.pick() else { return };
        if code & 1 == 0 {
            self.connection.reset(key, ErrorCode::from(code));
        } else {
            let unread = self.stream(key).pieces.unread();
            self.stream(key).abandoned = true;
            self.stream(key).pieces.clear();
            self.release_connection(unread);
            self.connection.abandon(key);
        }
        self.drain();
    }

    fn release_connection(&mut self, octets: usize) {
        self.unread = self.unread.checked_sub(octets as u64).expect("released what was delivered");
        self.connection.release_connection(octets);
    }

    fn wait(&mut self) {
        self.now += Duration::from_millis(u64::from(self.input.octet()) << (self.input.octet() % 12));
        if self.connection.poll_timeout().is_some_and(|at| at <= self.now) {
            self.connection.handle_timeout(self.now);
            self.drain();
        }
    }

    fn control(&mut self) {
        let choice = self.input.octet();
        match choice % 8 {
            0 => self.connection.shutdown(),
            1 => drop(self.connection.ping()),
            2 => self.connection.set_target_window_size((self.input.number() as u32) << (choice >> 4)),
            3 => self.connection.set_initial_window_size((self.input.number() as u32) << (choice >> 4)),
            4 if choice > 200 => self.connection.abort(ErrorCode::CANCEL),
            5 if choice > 200 && !self.connection.is_read_closed() => self.connection.handle_eof(self.now),
            _ => self.transmit(),
        }
        self.drain();
    }

    /// Writes all there is, as a peer with room would let us.
    fn transmit(&mut self) {
        let mut out = Outbound::new(self.pool.clone());
        while self.connection.poll_transmit(self.now, &mut out) {
            self.drain();
            while !out.is_empty() {
                let mut slices = [IoSlice::new(&[]); 8];
                let count = out.slices(&mut slices);
                let mut octets = Vec::new();
                slices[..count].iter().for_each(|slice| octets.extend_from_slice(slice));
                out.advance(octets.len());
                let failed = self.connection.failure().is_some();
                self.ours.note(&octets, &mut self.theirs, failed);
            }
        }
        self.drain();
        if self.connection.failure().is_some() {
            return;
        }
        // All that was announced is written now, so the books can be compared.
        let stats = self.connection.stats();
        let window = INITIAL_WINDOW + self.ours.credit - self.theirs.data;
        assert_eq!(i64::from(stats.recv_window), window.max(0), "the window that we give");
        let credit = self.theirs.credit.get(&StreamId::CONNECTION).unwrap_or(&0);
        let window = INITIAL_WINDOW + credit - self.ours.data.get(&StreamId::CONNECTION).unwrap_or(&0);
        assert_eq!(i64::from(stats.send_window), window, "the window that we have");
    }

    fn check(&self) {
        let stats = self.connection.stats();
        assert_eq!(stats.unread, self.unread, "unread octets");
        // An answer of 431 is the connection's own; the application does not hear of its stream, which may linger.
        let unheard = stats.streams.checked_sub(self.streams.len()).expect("streams that were never closed");
        assert!(unheard == 0 || self.side == Side::Server, "{unheard} streams that nobody heard of");
        for stream in self.streams.values() {
            let (held, unread) = (stream.pieces.held(), stream.pieces.unread());
            assert!(held <= unread + unread / 2 + LARGEST_BLOCK, "{held} octets held for {unread}");
        }
        let held: usize = self.streams.values().map(|stream| stream.pieces.held()).sum();
        let (out, cut) = (self.pool.stats().octets_out, self.connection.gathered());
        assert!(out <= held + cut, "{out} octets are out, {held} are unread and {cut} wait for their frame");
    }

    fn finish(mut self) {
        self.transmit();
        if !self.connection.is_read_closed() {
            self.connection.handle_eof(self.now);
            self.drain();
        }
        let keys: Vec<StreamKey> = self.streams.values().map(|stream| stream.key).collect();
        for key in keys {
            self.connection.reset(key, ErrorCode::CANCEL);
            self.drain();
        }
        assert!(self.streams.is_empty(), "streams that were never closed");
        self.transmit();
        self.check();
        assert_eq!(self.unread, 0);
        assert!(self.connection.poll_timeout().is_none(), "a deadline when nothing can come");
        drop(self.connection);
        assert_eq!(self.pool.stats().blocks_out, 0, "blocks that did not come home");
    }
}

impl Stream {
    fn new(key: StreamKey, sent_head: bool) -> Self {
        Stream {
            key,
            got_head: false,
            got_end: false,
            failed: false,
            sent_head,
            sent_end: false,
            abandoned: false,
            pieces: PieceQueue::new(),
        }
    }
}

impl Theirs {
    /// Octets that the connection has taken without a connection error.
    fn note(&mut self, octets: &[u8], connection: &Connection) {
        let mut block = BufferPool::global().take(octets.len());
        block.append(octets);
        let mut cursor = Cursor::new(block);
        loop {
            match self.reader.next(&mut cursor) {
                Ok(None) => return,
                Ok(Some(Frame::DataStart { length, .. })) => self.data += i64::from(length),
                Ok(Some(Frame::WindowUpdate { stream, increment })) => {
                    *self.credit.entry(stream).or_default() += i64::from(increment);
                }
                Ok(Some(Frame::Settings(settings))) => {
                    let windows = settings.filter(|(id, _)| *id == setting::INITIAL_WINDOW_SIZE);
                    let highest = windows.map(|(_, octets)| i64::from(octets)).max().unwrap_or(0);
                    self.highest_initial_window = self.highest_initial_window.max(highest);
                    let sizes = settings.filter(|(id, _)| *id == setting::HEADER_TABLE_SIZE);
                    self.table_sizes.push_back(sizes.map(|(_, octets)| octets).collect());
                }
                Ok(Some(_)) => {}
                Err(fault) if fault.reach == Reach::Connection => {
                    panic!("{fault:?} was not noticed: {:?}", connection.failure())
                }
                Err(_) => {}
            }
        }
    }
}

impl Ours {
    /// Octets that we have written.
    fn note(&mut self, octets: &[u8], theirs: &mut Theirs, failed: bool) {
        let preface = self.preface.len().min(octets.len());
        assert_eq!(self.preface.drain(..preface).collect::<Vec<u8>>(), &octets[..preface]);
        let mut block = BufferPool::global().take(octets.len());
        block.append(&octets[preface..]);
        let mut cursor = Cursor::new(block);
        while let Some(frame) = self.reader.next(&mut cursor).expect("we write well-formed frames") {
            match frame {
                Frame::DataStart { stream, length, .. } => {
                    assert!(!self.reset.contains(&stream), "DATA after RST_STREAM on {stream}");
                    *self.data.entry(StreamId::CONNECTION).or_default() += i64::from(length);
                    let sent = self.data.entry(stream).or_default();
                    *sent += i64::from(length);
                    let allowed = theirs.highest_initial_window + theirs.credit.get(&stream).unwrap_or(&0);
                    assert!(*sent <= allowed, "{sent} octets on {stream}, {allowed} are allowed");
                }
                Frame::Headers { stream, block, .. } => {
                    assert!(!self.reset.contains(&stream), "HEADERS after RST_STREAM on {stream}");
                    let limits = FieldLimits { max_octets: usize::MAX, max_fields: usize::MAX };
                    let decoded =
                        self.decoder.decode(block, limits, &mut drop).expect("the peer can decode it");
                    assert_eq!(decoded.malformed, None);
                }
                Frame::WindowUpdate { stream, increment } => {
                    assert!(increment > 0 && !self.reset.contains(&stream), "WINDOW_UPDATE on {stream}");
                    if stream.is_connection() {
                        self.credit += i64::from(increment);
                    }
                }
                Frame::Reset { stream, .. } => {
                    self.reset.insert(stream);
                }
                Frame::SettingsAck => {
                    let sizes = theirs.table_sizes.pop_front();
                    // Of a read in which the connection failed nothing is in the books, though frames before the one
                    // that was wrong may be answered.
                    assert!(sizes.is_some() || failed, "an acknowledgement of no SETTINGS");
                    sizes.into_iter().flatten().for_each(|octets| self.decoder.set_table_size_limit(octets));
                }
                _ => {}
            }
        }
    }
}
