//! One connection against hand-written frames: the peer sends this, we answer that, and nothing else is sent.

use std::time::{Duration, Instant};

use super::end::{End, SECOND};
use crate::{
    buffer::{BufferPool, Cursor, Outbound},
    config::{Config, ConfigBuilder},
    connection::Side,
    error::ErrorCode,
    frame::{Flags, Frame, FrameHeader, FrameReader, FrameType, PREFACE, ReaderLimits, write},
    hpack::{Decoder, Field, FieldLimits},
};

use super::end::id;

/// The peer's side of the conversation, and the connection under test.
pub(super) struct Raw {
    pub(super) end: End,
    /// Each read brings at most so many octets.
    pub(super) read_size: usize,
    pub(super) payload: Vec<u8>,
    reader: FrameReader,
    decoder: Decoder,
    preface_seen: bool,
    said: Vec<String>,
}

impl Raw {
    /// Nothing was said yet.
    pub(super) fn silent(side: Side, config: ConfigBuilder) -> Raw {
        let limits =
            ReaderLimits { max_frame_size: 1 << 24, max_field_block: 1 << 24, max_continuations: 1 << 16 };
        Raw {
            end: End::new(side, Instant::now(), config),
            read_size: usize::MAX,
            payload: Vec::new(),
            reader: FrameReader::new(BufferPool::global(), limits),
            decoder: Decoder::new(4_096),
            preface_seen: side == Side::Server,
            said: Vec::new(),
        }
    }

    /// After both prefaces and both acknowledgements.
    pub(super) fn new(side: Side, config: ConfigBuilder) -> Raw {
        Raw::greeted(side, config, &[])
    }

    /// The same; the peer's SETTINGS say this.
    pub(super) fn greeted(side: Side, config: ConfigBuilder, settings: &[(u16, u32)]) -> Raw {
        let mut raw = Raw::silent(side, config);
        let mut greeting = Vec::new();
        if side == Side::Server {
            greeting.extend_from_slice(PREFACE);
        }
        greeting.extend(octets(|out| write::settings(out, settings)));
        greeting.extend(octets(write::settings_ack));
        raw.flush();
        raw.bytes(&greeting);
        raw.take_answers();
        raw.end.take_log();
        raw
    }

    pub(super) fn server() -> Raw {
        Raw::new(Side::Server, Config::builder())
    }

    pub(super) fn client() -> Raw {
        Raw::new(Side::Client, Config::builder())
    }

    /// The peer sends these octets.
    pub(super) fn bytes(&mut self, octets: &[u8]) {
        for part in octets.chunks(self.read_size) {
            if self.end.conn.is_read_closed() {
                return;
            }
            self.end.read(part);
            self.flush();
        }
    }

    /// The peer sends what `make` writes.
    pub(super) fn send(&mut self, make: impl FnOnce(&mut Outbound)) {
        self.bytes(&octets(make));
    }

    /// The peer sends any frame at all.
    pub(super) fn frame(&mut self, kind: FrameType, flags: u8, stream: u32, payload: &[u8]) {
        self.bytes(&frame(kind, flags, stream, payload));
    }

    pub(super) fn headers(&mut self, stream: u32, end: bool, fields: &[(&str, &str)]) {
        self.bytes(&headers(stream, end, fields));
    }

    pub(super) fn get(&mut self, stream: u32) {
        self.headers(stream, true, &GET);
    }

    pub(super) fn post(&mut self, stream: u32) {
        self.headers(stream, false, &POST);
    }

    pub(super) fn status(&mut self, stream: u32, end: bool, status: &str) {
        self.headers(stream, end, &[(":status", status)]);
    }

    pub(super) fn data(&mut self, stream: u32, length: usize, end: bool) {
        self.frame(FrameType::DATA, u8::from(end), stream, &vec![b'x'; length]);
    }

    pub(super) fn settings(&mut self, settings: &[(u16, u32)]) {
        self.send(|out| write::settings(out, settings));
    }

    pub(super) fn window_update(&mut self, stream: u32, increment: u32) {
        self.frame(FrameType::WINDOW_UPDATE, 0, stream, &increment.to_be_bytes());
    }

    pub(super) fn reset(&mut self, stream: u32, code: ErrorCode) {
        self.send(|out| write::reset(out, id(stream), code));
    }

    pub(super) fn goaway(&mut self, last: u32, code: ErrorCode) {
        self.send(|out| write::goaway(out, id(last), code, b""));
    }

    pub(super) fn ping(&mut self, ack: bool, payload: &[u8; 8]) {
        self.send(|out| write::ping(out, ack, *payload));
    }

    pub(super) fn eof(&mut self) {
        self.end.conn.handle_eof(self.end.now);
        self.flush();
    }

    /// Time passes; timers fire when they are due.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.end.now + time;
        while let Some(due) = self.end.conn.poll_timeout().filter(|due| *due <= until) {
            self.end.now = self.end.now.max(due);
            self.end.conn.handle_timeout(self.end.now);
            self.flush();
        }
        self.end.now = until;
    }

    /// We say nothing but this.
    #[track_caller]
    pub(super) fn answers<const N: usize>(&mut self, expected: [&str; N]) {
        assert_eq!(self.take_answers(), expected);
    }

    /// The application hears nothing but this.
    #[track_caller]
    pub(super) fn hears<const N: usize>(&mut self, expected: [&str; N]) {
        self.flush();
        assert_eq!(self.end.take_log(), expected);
    }

    /// The connection is alive: a PING is answered, and nothing else is said.
    #[track_caller]
    pub(super) fn is_well(&mut self) {
        self.pass(SECOND);
        self.ping(false, b"are you?");
        self.answers(["PING ack are you?"]);
    }

    /// The connection is over: one GOAWAY with this identifier and code, and nothing else.
    #[track_caller]
    pub(super) fn is_over(&mut self, last: u32, code: ErrorCode) {
        self.answers([format!("GOAWAY {last} {code}").as_str()]);
        assert!(self.end.conn.failure().is_some());
        assert!(self.end.conn.is_finished());
        assert_eq!(self.end.conn.poll_timeout(), None);
    }

    pub(super) fn take_answers(&mut self) -> Vec<String> {
        self.flush();
        std::mem::take(&mut self.said)
    }

    /// Reads what the connection has to say.
    pub(super) fn flush(&mut self) {
        let mut written = &self.end.write()[..];
        if written.is_empty() {
            return;
        }
        if !self.preface_seen {
            written = written.strip_prefix(PREFACE).expect("the preface comes first");
            self.preface_seen = true;
        }
        let mut block = BufferPool::global().take(written.len());
        block.append(written);
        let mut cursor = Cursor::new(block);
        while let Some(frame) = self.reader.next(&mut cursor).expect("we write well-formed frames") {
            if let Some(line) = describe(frame, &mut self.decoder, &mut self.payload) {
                self.said.push(line);
            }
        }
        assert!(self.reader.is_at_boundary());
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.flush();
        for live in self.end.live() {
            if self.end.is_live(live) {
                self.end.reset(live, ErrorCode::CANCEL);
            }
        }
        self.flush();
        self.end.check_ledgers();
    }
}

pub(super) const GET: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")];
pub(super) const POST: [(&str, &str); 4] =
    [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/")];

pub(super) fn octets(make: impl FnOnce(&mut Outbound)) -> Vec<u8> {
    let mut out = Outbound::new(BufferPool::global());
    make(&mut out);
    let mut octets = Vec::new();
    while !out.is_empty() {
        let mut slices = [std::io::IoSlice::new(&[]); 8];
        let count = out.slices(&mut slices);
        let before = octets.len();
        slices[..count].iter().for_each(|slice| octets.extend_from_slice(slice));
        out.advance(octets.len() - before);
    }
    octets
}

pub(super) fn frame(kind: FrameType, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let header =
        FrameHeader { length: payload.len() as u32, kind, flags: Flags::from(flags), stream: id(stream) };
    [&header.encode(), payload].concat()
}

pub(super) fn headers(stream: u32, end: bool, fields: &[(&str, &str)]) -> Vec<u8> {
    let flags = Flags::END_HEADERS | Flags::END_STREAM.when(end);
    frame(FrameType::HEADERS, flags.bits(), stream, &block(fields))
}

/// A field block of literals without indexing: any octets may stand in it (RFC 7541 §6.2.2).
pub(super) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| literal(0x00, name, value)).collect()
}

/// One literal with a new name; `kind` is 0x00, or 0x40 to index it.
pub(super) fn literal(kind: u8, name: &str, value: &str) -> Vec<u8> {
    let mut octets = vec![kind];
    for text in [name, value] {
        let mut length = text.len();
        if length < 127 {
            octets.push(length as u8);
        } else {
            octets.push(127);
            length -= 127;
            while length >= 128 {
                octets.push(length as u8 | 0x80);
                length >>= 7;
            }
            octets.push(length as u8);
        }
        octets.extend_from_slice(text.as_bytes());
    }
    octets
}

/// A frame in one line. DATA is told once, when it is whole; its octets go to `payload`.
fn describe(frame: Frame<'_>, decoder: &mut Decoder, payload: &mut Vec<u8>) -> Option<String> {
    let end = |end: bool| if end { " end" } else { "" };
    Some(match frame {
        Frame::DataStart { stream, length, end_stream } => {
            format!("DATA {stream} {length}{}", end(end_stream))
        }
        Frame::Data { payload: octets, .. } => {
            payload.extend_from_slice(octets.as_slice());
            return None;
        }
        Frame::Headers { stream, end_stream, block, .. } => {
            let mut fields = Vec::new();
            let limits = FieldLimits { max_octets: usize::MAX, max_fields: usize::MAX };
            let sink = &mut |field: Field| {
                fields.push(format!("{}={}", field.name(), String::from_utf8_lossy(field.value())));
            };
            let decoded = decoder.decode(block, limits, sink).expect("we write blocks that can be decoded");
            assert_eq!(decoded.malformed, None);
            format!("HEADERS {stream} {}{}", fields.join(","), end(end_stream))
        }
        Frame::Priority { stream, .. } => format!("PRIORITY {stream}"),
        Frame::Reset { stream, code } => format!("RST_STREAM {stream} {code}"),
        Frame::Settings(settings) => format!("SETTINGS {:?}", settings.collect::<Vec<_>>()),
        Frame::SettingsAck => "SETTINGS ack".to_owned(),
        Frame::Ping { ack, payload } => {
            let text = String::from_utf8_lossy(&payload).into_owned();
            format!("PING {}{text}", if ack { "ack " } else { "" })
        }
        Frame::GoAway { last_stream, code, .. } => format!("GOAWAY {last_stream} {code}"),
        Frame::WindowUpdate { stream, increment } => format!("WINDOW_UPDATE {stream} {increment}"),
        Frame::PriorityUpdate { stream, .. } => format!("PRIORITY_UPDATE {stream}"),
        Frame::Unknown { kind, .. } => panic!("we sent a frame of type {kind}"),
    })
}
