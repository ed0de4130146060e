//! Frames as a peer of any manners writes them, and what it may expect in return (RFC 9113 §4.1, §6).
//!
//! Always true here: nothing is passed over but SETTINGS, their acknowledgements and WINDOW_UPDATE, unless the test
//! asks for one of those; a wait that is too long fails and shows the conversation.

use std::{fmt::Write, panic::Location, time::Duration};

use millpond::{
    ErrorCode,
    hpack::{Decoder, FieldLimits},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub use crate::raw::{
    ACK, DATA, END_HEADERS, END_STREAM, Frame, GET, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS, OK, PING, POST, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, goaway,
    settings, window_update,
};

pub const PRIORITY: u8 = 2;
pub const PUSH_PROMISE: u8 = 5;
pub const CONTINUATION: u8 = 9;
pub const PRIORITY_UPDATE: u8 = 16;

pub const PADDED: u8 = 8;
pub const HAS_PRIORITY: u8 = 0x20;
/// END_STREAM and END_HEADERS.
pub const END: u8 = END_STREAM | END_HEADERS;

pub const HEADER_TABLE_SIZE: u16 = 1;
pub const ENABLE_PUSH: u16 = 2;
pub const MAX_FRAME_SIZE: u16 = 5;
pub const MAX_HEADER_LIST_SIZE: u16 = 6;
pub const ENABLE_CONNECT_PROTOCOL: u16 = 8;
pub const NO_RFC7540_PRIORITIES: u16 = 9;

/// A HEADERS frame whose field block is complete.
pub fn headers(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, flags | END_HEADERS, stream, block)
}

pub fn data(stream: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    frame(DATA, flags, stream, payload)
}

pub fn continuation(stream: u32, flags: u8, fragment: &[u8]) -> Vec<u8> {
    frame(CONTINUATION, flags, stream, fragment)
}

pub fn reset(stream: u32, code: ErrorCode) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &u32::from(code).to_be_bytes())
}

pub fn ping(payload: &[u8; 8]) -> Vec<u8> {
    frame(PING, 0, 0, payload)
}

pub fn settings_ack() -> Vec<u8> {
    frame(SETTINGS, ACK, 0, &[])
}

pub fn priority(stream: u32, depends_on: u32) -> Vec<u8> {
    frame(PRIORITY, 0, stream, &dependency(depends_on))
}

/// The five octets of a PRIORITY frame, or of a HEADERS frame with the PRIORITY flag.
pub fn dependency(on: u32) -> [u8; 5] {
    let [a, b, c, d] = on.to_be_bytes();
    [a, b, c, d, 15]
}

/// A literal field, not indexed, no Huffman code (RFC 7541 §6.2.2); names and values below 127 octets.
pub fn field(name: &str, value: &str) -> Vec<u8> {
    let mut octets = vec![0, name.len() as u8];
    octets.extend(name.as_bytes());
    octets.push(value.len() as u8);
    octets.extend(value.as_bytes());
    octets
}

/// A field block of these, each as [`field`].
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| field(name, value)).collect()
}

/// The block of a request for this path, and more fields.
pub fn request(method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let pseudo = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "pond.example")];
    [block(&pseudo), block(more)].concat()
}

/// A message as it came over the wire.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub trailers: Option<Vec<(String, String)>>,
}

impl Message {
    /// The value of the first field with this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn status(&self) -> &str {
        self.field(":status").expect("a response has a status")
    }
}

/// One end of a wire, in the hands of the test.
pub struct Peer {
    io: TcpStream,
    /// For the field sections of the endpoint under test, in order.
    decoder: Decoder,
    log: String,
    pings: u64,
}

impl Peer {
    pub fn new(io: TcpStream) -> Self {
        io.set_nodelay(true).unwrap();
        Peer { io, decoder: Decoder::new(4_096), log: String::new(), pings: 0 }
    }

    /// Writes these octets at once. That the endpoint has closed already is seen by what is read next.
    pub async fn send(&mut self, octets: impl AsRef<[u8]>) {
        let octets = octets.as_ref();
        let shown = &octets[..octets.len().min(64)];
        writeln!(self.log, "  -> {} octets {shown:02x?}", octets.len()).unwrap();
        let _ = self.io.write_all(octets).await;
    }

    /// Closes this peer's side of the wire; it still reads.
    pub async fn close(&mut self) {
        let _ = self.io.shutdown().await;
    }

    /// Exactly so many octets.
    pub async fn octets(&mut self, count: usize) -> Vec<u8> {
        let mut octets = vec![0; count];
        self.patiently("octets", async |io| io.read_exact(&mut octets).await).await.expect("the wire ended");
        octets
    }

    /// The next frame, whatever it is; `None` at the end of the wire.
    pub async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.patiently("a frame", async |io| io.read_exact(&mut head).await).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.patiently("the rest of a frame", async |io| io.read_exact(&mut payload).await).await?;
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        let frame = Frame { kind: head[3], flags: head[4], stream, payload };
        let shown = &frame.payload[..frame.payload.len().min(64)];
        writeln!(
            self.log,
            "  <- type {} flags {:#x} stream {stream} length {length} {shown:02x?}",
            frame.kind, frame.flags
        )
        .unwrap();
        Some(frame)
    }

    async fn patiently<T>(
        &mut self,
        what: &str,
        read: impl AsyncFnOnce(&mut TcpStream) -> std::io::Result<T>,
    ) -> Option<T> {
        match tokio::time::timeout(Duration::from_secs(60), read(&mut self.io)).await {
            Ok(read) => read.ok(),
            Err(_) => panic!("waited too long for {what}; so far:\n{}", self.log),
        }
    }

    /// The next frame but SETTINGS, acknowledgements of SETTINGS, and WINDOW_UPDATE.
    pub async fn next_of_note(&mut self) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if !matches!(frame.kind, SETTINGS | WINDOW_UPDATE) {
                return Some(frame);
            }
        }
    }

    /// The next frame of note is of this kind and on this stream.
    #[track_caller]
    pub fn expect(&mut self, kind: u8, stream: u32) -> impl Future<Output = Frame> {
        let caller = Location::caller();
        async move {
            let frame = self.next_of_note().await;
            match frame {
                Some(frame) if (frame.kind, frame.stream) == (kind, stream) => frame,
                other => panic!(
                    "{caller}: expected a frame of type {kind} on stream {stream}, got {other:?}; so far:\n{}",
                    self.log
                ),
            }
        }
    }

    /// The next frame of this kind on this stream; any others are passed over.
    pub async fn seek(&mut self, kind: u8, stream: u32) -> Frame {
        loop {
            match self.next().await {
                Some(frame) if (frame.kind, frame.stream) == (kind, stream) => return frame,
                Some(_) => {}
                None => panic!(
                    "the wire ended before a frame of type {kind} on stream {stream}; so far:\n{}",
                    self.log
                ),
            }
        }
    }

    /// The next frame of note is GOAWAY with this code. Gives the last stream identifier.
    #[track_caller]
    pub fn expect_goaway(&mut self, code: ErrorCode) -> impl Future<Output = u32> {
        self.expect_goaway_for(code, Location::caller())
    }

    async fn expect_goaway_for(&mut self, code: ErrorCode, caller: &Location<'_>) -> u32 {
        match self.next_of_note().await {
            Some(frame) if (frame.kind, frame.stream) == (GOAWAY, 0) => {
                let debug = String::from_utf8_lossy(&frame.payload[8..]);
                assert_eq!(frame.code(), code, "{caller}: {debug}; so far:\n{}", self.log);
                u32::from_be_bytes(frame.payload[..4].try_into().unwrap())
            }
            other => panic!("{caller}: expected GOAWAY ({code}), got {other:?}; so far:\n{}", self.log),
        }
    }

    /// A connection error (§5.4.1) with this code: GOAWAY, then the end of the wire. Gives the last stream identifier.
    #[track_caller]
    pub fn expect_connection_error(&mut self, code: ErrorCode) -> impl Future<Output = u32> {
        let caller = Location::caller();
        async move {
            let last = self.expect_goaway_for(code, caller).await;
            let after = self.next().await;
            assert!(after.is_none(), "{caller}: {after:?} after GOAWAY; so far:\n{}", self.log);
            last
        }
    }

    /// A stream error (§5.4.2) with this code, and the connection lives on.
    #[track_caller]
    pub fn expect_stream_error(&mut self, stream: u32, code: ErrorCode) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            match self.next_of_note().await {
                Some(frame) if (frame.kind, frame.stream) == (RST_STREAM, stream) => {
                    assert_eq!(frame.code(), code, "{caller}: so far:\n{}", self.log);
                }
                other => panic!(
                    "{caller}: expected RST_STREAM ({code}) on stream {stream}, got {other:?}; so far:\n{}",
                    self.log
                ),
            }
            self.expect_ping_ack().await;
        }
    }

    /// Nothing of note was said, and the connection is healthy: the answer to a PING comes next.
    #[track_caller]
    pub fn expect_ping_ack(&mut self) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            self.pings += 1;
            let payload = (0x0c0f_fee0_0000_0000 + self.pings).to_be_bytes();
            self.send(ping(&payload)).await;
            let frame = self.next_of_note().await;
            let expected = Frame { kind: PING, flags: ACK, stream: 0, payload: payload.to_vec() };
            assert_eq!(frame.as_ref(), Some(&expected), "{caller}: so far:\n{}", self.log);
        }
    }

    /// The wire ends, and nothing of note came before.
    #[track_caller]
    pub fn expect_end(&mut self) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let frame = self.next_of_note().await;
            assert!(frame.is_none(), "{caller}: expected the end, got {frame:?}; so far:\n{}", self.log);
        }
    }

    /// The whole message on this stream, to its END_STREAM; nothing else of note may come meanwhile. Informational
    /// responses come as messages of their own.
    #[track_caller]
    pub fn expect_message(&mut self, stream: u32) -> impl Future<Output = Message> {
        let caller = Location::caller();
        async move {
            let mut message: Option<Message> = None;
            loop {
                let frame = self.next_of_note().await;
                let Some(frame) = frame.filter(|frame| frame.stream == stream) else {
                    panic!("{caller}: expected a message on stream {stream}; so far:\n{}", self.log);
                };
                let end = frame.ends();
                match (frame.kind, &mut message) {
                    (HEADERS, None) => {
                        let fields = self.field_section(frame).await;
                        message = Some(Message { fields, ..Message::default() });
                    }
                    (HEADERS, Some(message)) => message.trailers = Some(self.field_section(frame).await),
                    (DATA, Some(message)) => message.body.extend(&frame.payload),
                    _ => {
                        panic!(
                            "{caller}: expected a message on {stream}, got {frame:?}; so far:\n{}",
                            self.log
                        )
                    }
                }
                let informational = message.as_ref().is_some_and(|message| {
                    message.field(":status").is_some_and(|status| status.starts_with('1'))
                });
                if end || informational {
                    return message.expect("begun above");
                }
            }
        }
    }

    /// The fields of a HEADERS frame and the CONTINUATION frames that follow it.
    pub async fn field_section(&mut self, first: Frame) -> Vec<(String, String)> {
        assert!(matches!(first.kind, HEADERS) && first.flags & (PADDED | HAS_PRIORITY) == 0, "{first:?}");
        let (mut block, mut flags) = (first.payload, first.flags);
        while flags & END_HEADERS == 0 {
            let next = self.next().await.expect("the wire ended in a field block");
            assert_eq!((next.kind, next.stream), (CONTINUATION, first.stream), "so far:\n{}", self.log);
            block.extend(next.payload);
            flags = next.flags;
        }
        let limits = FieldLimits { max_octets: 1 << 20, max_fields: 1 << 10 };
        let mut fields = Vec::new();
        let mut take = |field: millpond::hpack::Field| {
            fields.push((field.name().to_owned(), String::from_utf8_lossy(field.value()).into_owned()));
        };
        let decoded = self.decoder.decode(&block, limits, &mut take).expect("HPACK that can be decoded");
        assert_eq!(decoded.malformed, None, "so far:\n{}", self.log);
        fields
    }
}
