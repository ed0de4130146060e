//! One end of a connection and everything it said: the part that both harnesses share.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};

use crate::{
    buffer::{BufferPool, Outbound, PoolOptions},
    config::{Config, ConfigBuilder},
    connection::{Connection, Event, Side, StreamKey},
    error::{Error, ErrorCode, Fault, Misdeed},
    memory::Charge,
    stream::{Head, SendQueue},
    stream_id::StreamId,
};

/// One connection, its events as lines of text, and the octets it received.
pub(super) struct End {
    pub(super) conn: Connection,
    pub(super) now: Instant,
    pub(super) pool: BufferPool,
    /// Whether DATA is released as soon as it comes.
    pub(super) releases: bool,
    pub(super) received: BTreeMap<u32, Vec<u8>>,
    pub(super) errors: HashMap<u32, Error>,
    pub(super) capacity: HashMap<u32, u32>,
    out: Outbound,
    log: Vec<String>,
    keys: HashMap<u32, StreamKey>,
    ids: HashMap<StreamKey, u32>,
    /// Octets of DATA not released yet, by stream.
    held: HashMap<u32, usize>,
    /// What they are charged to the connection's account, as a driver would.
    charges: HashMap<u32, Charge>,
}

impl End {
    pub(super) fn new(side: Side, now: Instant, config: ConfigBuilder) -> End {
        let pool = BufferPool::new(PoolOptions { decay: None, ..PoolOptions::default() });
        let config: Arc<Config> = Arc::new(config.pool(pool.clone()).build().unwrap());
        End {
            conn: Connection::new(side, config, now),
            now,
            out: Outbound::new(pool.clone()),
            pool,
            releases: true,
            received: BTreeMap::new(),
            errors: HashMap::new(),
            capacity: HashMap::new(),
            log: Vec::new(),
            keys: HashMap::new(),
            ids: HashMap::new(),
            held: HashMap::new(),
            charges: HashMap::new(),
        }
    }

    /// One read from the socket.
    pub(super) fn read(&mut self, octets: &[u8]) {
        let mut block = self.pool.take(octets.len());
        block.append(octets);
        self.conn.handle_read(self.now, block);
        self.take_events();
        drop(self.conn.take_block());
    }

    /// Everything that is to be written now.
    pub(super) fn write(&mut self) -> Vec<u8> {
        let mut written = Vec::new();
        loop {
            self.take_events();
            self.conn.poll_transmit(self.now, &mut self.out);
            if self.out.is_empty() {
                break;
            }
            while !self.out.is_empty() {
                let mut slices = [std::io::IoSlice::new(&[]); 16];
                let count = self.out.slices(&mut slices);
                let before = written.len();
                slices[..count].iter().for_each(|slice| written.extend_from_slice(slice));
                self.out.advance(written.len() - before);
            }
        }
        self.take_events();
        self.conn.handle_written(0);
        written
    }

    /// Rests and wakes, if it can rest.
    pub(super) fn rest(&mut self) -> bool {
        let dormant = self.conn.rest(self.now);
        let rests = dormant.is_some();
        if let Some(dormant) = dormant {
            self.conn = dormant.wake(self.conn.core.config.clone(), self.now);
        }
        rests
    }

    pub(super) fn take_events(&mut self) {
        while let Some(event) = self.conn.poll_event() {
            self.note(event);
        }
    }

    /// The log since the last time, and clears it.
    pub(super) fn take_log(&mut self) -> Vec<String> {
        self.take_events();
        std::mem::take(&mut self.log)
    }

    pub(super) fn key(&self, id: u32) -> StreamKey {
        self.keys[&id]
    }

    pub(super) fn is_live(&self, id: u32) -> bool {
        self.keys.contains_key(&id)
    }

    pub(super) fn live(&self) -> Vec<u32> {
        let mut ids: Vec<u32> = self.keys.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Opens the next stream with this request; `end`: nothing follows the head.
    pub(super) fn open(&mut self, request: Request<()>, end: bool) -> u32 {
        self.try_open(request, end).unwrap()
    }

    /// The same, if there is memory for it.
    pub(super) fn try_open(&mut self, request: Request<()>, end: bool) -> Result<u32, Error> {
        let id = self.conn.next_stream_id().unwrap();
        let mut queue = SendQueue::new();
        queue.push_head(Head::Request(request));
        if end {
            queue.push_end();
        }
        let key = self.conn.open(id, &mut queue)?;
        self.name(id.value(), key);
        Ok(id.value())
    }

    pub(super) fn get(&mut self) -> u32 {
        self.open(get(), true)
    }

    pub(super) fn post(&mut self) -> u32 {
        self.open(Request::post("http://a/").body(()).unwrap(), false)
    }

    pub(super) fn respond(&mut self, id: u32, response: Response<()>, end: bool) {
        let mut queue = SendQueue::new();
        queue.push_head(Head::Response(response));
        if end {
            queue.push_end();
        }
        self.conn.send(self.key(id), &mut queue);
    }

    pub(super) fn data(&mut self, id: u32, octets: impl Into<Bytes>, end: bool) {
        let mut queue = SendQueue::new();
        queue.push_data(octets.into());
        if end {
            queue.push_end();
        }
        self.conn.send(self.key(id), &mut queue);
    }

    pub(super) fn trailers(&mut self, id: u32, trailers: HeaderMap) {
        let mut queue = SendQueue::new();
        queue.push_trailers(trailers);
        self.conn.send(self.key(id), &mut queue);
    }

    pub(super) fn reset(&mut self, id: u32, code: ErrorCode) {
        self.conn.reset(self.key(id), code);
        self.take_events();
    }

    /// The application lets go of the stream and of what it has not read.
    pub(super) fn abandon(&mut self, id: u32) {
        self.conn.abandon(self.key(id));
        self.discard(id);
        self.take_events();
    }

    /// Drops what is held of one stream.
    fn discard(&mut self, id: u32) {
        let unread = self.held.remove(&id).unwrap_or(0);
        self.charges.remove(&id);
        self.conn.release_connection(unread);
    }

    /// Keeps DATA, if it fits into the memory budget.
    fn keep(&mut self, key: StreamKey, id: u32, octets: usize) {
        let account = self.conn.account().cloned();
        let charge = self.charges.entry(id).or_insert_with(|| Charge::new(account));
        *self.held.entry(id).or_default() += octets;
        if !charge.grow(octets) {
            self.errors.insert(id, Fault::stream(StreamId::new(id), Misdeed::MemoryExhausted).into());
            self.discard(id);
            self.conn.fail_stream(key, Misdeed::MemoryExhausted);
        }
    }

    /// Releases everything held of one stream.
    pub(super) fn release(&mut self, id: u32) {
        self.charges.remove(&id);
        let octets = self.held.remove(&id).unwrap_or(0);
        self.release_some(id, octets);
    }

    /// Releases so much of what is held of one stream.
    pub(super) fn release_part(&mut self, id: u32, octets: usize) {
        *self.held.get_mut(&id).expect("something is held") -= octets;
        let charge = self.charges.get_mut(&id).expect("it is charged");
        drop(charge.split_off(charge.octets() - octets.min(charge.octets())));
        self.release_some(id, octets);
    }

    pub(super) fn release_all(&mut self) {
        let ids: Vec<u32> = self.held.keys().copied().collect();
        ids.into_iter().for_each(|id| self.release(id));
    }

    fn release_some(&mut self, id: u32, octets: usize) {
        if let Some(key) = self.keys.get(&id) {
            self.conn.release(*key, octets as u32);
        }
        self.conn.release_connection(octets);
    }

    /// No credit set aside, nothing unread, no stream, no block out.
    pub(super) fn check_ledgers(&mut self) {
        self.take_events();
        self.release_all();
        let core = &self.conn.core;
        assert_eq!(core.send_credit.assigned(), 0, "credit still set aside");
        assert_eq!(core.recv_credit.unread(), 0, "octets still unread");
        assert!(core.streams.is_empty(), "streams still in the table: {:?}", self.live());
        assert_eq!((core.local_streams, core.remote_streams), (0, 0), "streams still counted");
        assert!(core.data.is_none() && core.events.is_empty());
        assert!(self.keys.is_empty(), "streams that never closed: {:?}", self.live());
        assert!(self.out.is_empty());
        self.conn.handle_written(0);
        if self.conn.gathered() == 0 {
            assert_eq!(self.pool.stats().blocks_out, 0, "blocks are still out");
            let charged = self.conn.account().map_or(0, |account| account.held());
            assert_eq!(charged, 0, "octets still charged");
        }
    }

    /// The test has seen the end of this stream itself.
    pub(super) fn forget(&mut self, id: u32) {
        let key = self.keys.remove(&id);
        key.and_then(|key| self.ids.remove(&key));
    }

    fn name(&mut self, id: u32, key: StreamKey) {
        assert_eq!(self.keys.insert(id, key), None);
        assert_eq!(self.ids.insert(key, id), None, "the key was given twice");
    }

    fn note(&mut self, event: Event) {
        let end = |end: bool| if end { " end" } else { "" };
        let line = match event {
            Event::Request { key, stream, head, end_stream } => {
                self.name(stream.value(), key);
                format!("{stream} request {} {}{}", head.method(), head.uri(), end(end_stream))
            }
            Event::Informational { key, head } => {
                format!("{} informational {}", self.ids[&key], head.status().as_u16())
            }
            Event::Response { key, head, end_stream } => {
                format!("{} response {}{}", self.ids[&key], head.status().as_u16(), end(end_stream))
            }
            Event::Data { key, piece, end_stream, .. } => {
                let (id, octets) = (self.ids[&key], piece.len());
                self.received.entry(id).or_default().extend_from_slice(&piece.into_bytes());
                if self.releases {
                    self.release_some(id, octets);
                } else {
                    self.keep(key, id, octets);
                }
                format!("{id} data {octets}{}", end(end_stream))
            }
            Event::Trailers { key, trailers } => format!("{} trailers {}", self.ids[&key], fields(&trailers)),
            Event::Reset { key, error } => {
                let id = self.ids[&key];
                let cause = error
                    .misdeed()
                    .map_or_else(|| format!("{}", error.code()), |misdeed| format!("{misdeed:?}"));
                let unprocessed = if error.is_unprocessed() { " unprocessed" } else { "" };
                if error.discards_unread() {
                    self.discard(id);
                }
                self.errors.insert(id, error);
                format!("{id} reset {cause}{unprocessed}")
            }
            Event::Opened { key } => format!("{} opened", self.ids[&key]),
            Event::Sent { key, octets } => format!("{} sent {octets}", self.ids[&key]),
            Event::Capacity { key, octets } => {
                let id = self.ids[&key];
                *self.capacity.entry(id).or_default() += octets;
                format!("{id} capacity {octets}")
            }
            Event::Closed { key } => {
                let id = self.ids.remove(&key).expect("closed once");
                self.keys.remove(&id);
                format!("{id} closed")
            }
            Event::RemoteSettings { max_concurrent_streams: u32::MAX, .. } => "settings".to_owned(),
            Event::RemoteSettings { max_concurrent_streams, .. } => {
                format!("settings {max_concurrent_streams} streams")
            }
            Event::Pong => "pong".to_owned(),
            Event::GoAway { code, .. } => format!("goaway {code}"),
        };
        self.log.push(line);
    }
}

pub(super) fn get() -> Request<()> {
    Request::get("http://a/").body(()).unwrap()
}

pub(super) fn ok() -> Response<()> {
    Response::new(())
}

pub(super) fn fields(headers: &HeaderMap) -> String {
    let lines: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
    lines.join(",")
}

pub(super) fn id(value: u32) -> StreamId {
    StreamId::new(value)
}

pub(super) const SECOND: Duration = Duration::from_secs(1);
