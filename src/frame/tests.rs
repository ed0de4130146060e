//! Conversations with [`FrameReader`]: every input is cut at every offset, and must read the same.

use std::io::IoSlice;

use super::*;
use crate::{
    buffer::{BufferPool, Outbound, PoolOptions},
    error::{Misdeed, Reach},
};

mod faults;
mod memory;
mod random;
mod round_trip;

/// A [`Frame`] or [`Fault`], owned; the pieces of one DATA frame are one.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    DataStart { stream: u32, length: u32, end_stream: bool },
    Data { stream: u32, payload: Vec<u8>, last: bool, end_stream: bool },
    Headers { stream: u32, end_stream: bool, depends_on: Option<u32>, block: Vec<u8> },
    Priority { stream: u32, depends_on: u32 },
    Reset { stream: u32, code: ErrorCode },
    Settings(Vec<(u16, u32)>),
    SettingsAck,
    Ping { ack: bool, payload: [u8; 8] },
    GoAway { last_stream: u32, code: ErrorCode, debug: Vec<u8> },
    WindowUpdate { stream: u32, increment: u32 },
    PriorityUpdate { stream: u32, value: Vec<u8> },
    Unknown { kind: u8, length: u32 },
    Fault(Fault),
}

impl Seen {
    fn data(stream: u32, payload: &[u8], end_stream: bool) -> Seen {
        Seen::Data { stream, payload: payload.to_vec(), last: true, end_stream }
    }

    fn headers(stream: u32, end_stream: bool, block: &[u8]) -> Seen {
        Seen::Headers { stream, end_stream, depends_on: None, block: block.to_vec() }
    }
}

impl From<Frame<'_>> for Seen {
    fn from(frame: Frame<'_>) -> Seen {
        match frame {
            Frame::DataStart { stream, length, end_stream } => {
                Seen::DataStart { stream: stream.value(), length, end_stream }
            }
            Frame::Data { stream, payload, last, end_stream } => {
                assert!(last || !payload.is_empty(), "an empty piece that is not the last");
                assert!(last || !end_stream, "END_STREAM before the last piece");
                let (len, seen) = (payload.len(), payload.as_slice().to_vec());
                let payload = payload.take().into_bytes().to_vec();
                assert_eq!((len, seen), (payload.len(), payload.clone()));
                Seen::Data { stream: stream.value(), payload, last, end_stream }
            }
            Frame::Headers { stream, end_stream, depends_on, block } => Seen::Headers {
                stream: stream.value(),
                end_stream,
                depends_on: depends_on.map(StreamId::value),
                block: block.to_vec(),
            },
            Frame::Priority { stream, depends_on } => {
                Seen::Priority { stream: stream.value(), depends_on: depends_on.value() }
            }
            Frame::Reset { stream, code } => Seen::Reset { stream: stream.value(), code },
            Frame::Settings(settings) => {
                assert_eq!(settings.len(), settings.count());
                Seen::Settings(settings.collect())
            }
            Frame::SettingsAck => Seen::SettingsAck,
            Frame::Ping { ack, payload } => Seen::Ping { ack, payload },
            Frame::GoAway { last_stream, code, debug } => {
                Seen::GoAway { last_stream: last_stream.value(), code, debug: debug.to_vec() }
            }
            Frame::WindowUpdate { stream, increment } => {
                Seen::WindowUpdate { stream: stream.value(), increment }
            }
            Frame::PriorityUpdate { stream, value } => {
                Seen::PriorityUpdate { stream: stream.value(), value: value.to_vec() }
            }
            Frame::Unknown { kind, length } => Seen::Unknown { kind, length },
        }
    }
}

/// Reads blocks one after the other and keeps the books.
struct Reading {
    pool: BufferPool,
    reader: FrameReader,
    seen: Vec<Seen>,
    /// Octets since the last frame boundary outside a field block.
    pending: usize,
    failed: bool,
}

impl Reading {
    fn new(limits: ReaderLimits) -> Self {
        let pool = BufferPool::new(PoolOptions::default());
        let reader = FrameReader::new(pool.clone(), limits);
        Reading { pool, reader, seen: Vec::new(), pending: 0, failed: false }
    }

    /// Feeds one block of exactly these octets. Stops at a connection error.
    fn feed(&mut self, octets: &[u8]) {
        if self.failed {
            return;
        }
        let mut block = self.pool.take(octets.len());
        assert_eq!(block.append(octets), octets.len());
        let mut cursor = Cursor::new(block);
        loop {
            let next = self.reader.next(&mut cursor).map(|frame| frame.map(Seen::from));
            match next {
                Ok(None) => break,
                Ok(Some(seen)) => match (seen, self.seen.last_mut()) {
                    (
                        Seen::Data { payload: more, last: now, end_stream: ends, .. },
                        Some(Seen::Data { payload, last: last @ false, end_stream, .. }),
                    ) => {
                        payload.extend(more);
                        (*last, *end_stream) = (now, ends);
                    }
                    (seen, _) => self.seen.push(seen),
                },
                Err(fault) => {
                    self.seen.push(Seen::Fault(fault));
                    if fault.reach == Reach::Connection {
                        self.failed = true;
                        assert_eq!(self.reader.gathered(), 0);
                        assert_eq!(self.reader.next(&mut cursor).expect_err("it stays failed"), fault);
                        return;
                    }
                }
            }
        }
        assert_eq!(cursor.remaining(), 0, "octets were left behind");
        self.pending += octets.len();
        if self.reader.is_at_boundary() {
            self.pending = 0;
            assert_eq!(self.reader.gathered(), 0, "held between frames");
        }
        assert!(self.reader.gathered() <= BufferPool::class_capacity(self.pending), "held more than came");
    }
}

/// What a wire that arrives in these blocks gives.
fn read<'a>(blocks: impl IntoIterator<Item = &'a [u8]>, limits: ReaderLimits) -> Vec<Seen> {
    let mut reading = Reading::new(limits);
    for block in blocks {
        reading.feed(block);
    }
    reading.seen
}

/// What `wire` gives, after cutting it in two at every offset and into blocks of every size: always the same.
fn read_every_way(wire: &[u8], limits: ReaderLimits) -> Vec<Seen> {
    let whole = read([wire], limits);
    // A long wire is cut at every offset near its ends and at some between.
    let worth_it =
        |at: &usize| wire.len() < 600 || *at < 64 || *at > wire.len() - 64 || at.is_multiple_of(997);
    for at in (0..=wire.len()).filter(worth_it) {
        let (front, back) = wire.split_at(at);
        assert_eq!(read([front, back], limits), whole, "cut at {at}");
        assert_eq!(read([front, &[], back], limits), whole, "cut at {at}, with an empty block");
    }
    for size in (1..=wire.len()).filter(worth_it) {
        assert_eq!(read(wire.chunks(size), limits), whole, "in blocks of {size}");
    }
    whole
}

/// The octets that `fill` writes.
fn written(fill: impl FnOnce(&mut Outbound)) -> Vec<u8> {
    let mut out = Outbound::new(BufferPool::new(PoolOptions::default()));
    fill(&mut out);
    let mut wire = Vec::new();
    while !out.is_empty() {
        let mut slices = [IoSlice::new(&[]); 8];
        let count = out.slices(&mut slices);
        let before = wire.len();
        slices[..count].iter().for_each(|slice| wire.extend_from_slice(slice));
        out.advance(wire.len() - before);
    }
    wire
}

/// A frame of any kind, right or wrong.
fn raw(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader {
        length: payload.len() as u32,
        kind: kind.into(),
        flags: flags.into(),
        stream: StreamId::new(stream),
    };
    [&header.encode(), payload].concat()
}

fn ping() -> Vec<u8> {
    raw(0x6, 0, 0, b"pingping")
}

const PING: Seen = Seen::Ping { ack: false, payload: *b"pingping" };

const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
