//! A peer that speaks frames, for what no proper endpoint would do (RFC 9113 §4.1).
#![allow(dead_code, reason = "each test binary needs a part of it")]

use millpond::ErrorCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// `:method: GET`, `:scheme: http`, `:path: /`, `:authority: a`.
pub const GET: &[u8] = &[0x82, 0x86, 0x84, 0x41, 0x01, b'a'];
/// `:method: POST`, `:scheme: http`, `:path: /`, `:authority: a`.
pub const POST: &[u8] = &[0x83, 0x86, 0x84, 0x41, 0x01, b'a'];
/// `:status: 200`.
pub const OK: &[u8] = &[0x88];

pub const MAX_CONCURRENT_STREAMS: u16 = 3;
pub const INITIAL_WINDOW_SIZE: u16 = 4;

#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn ends(&self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0
    }

    /// The code of a RST_STREAM or GOAWAY.
    pub fn code(&self) -> ErrorCode {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        ErrorCode::from(u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap()))
    }
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut octets = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    octets.extend([kind, flags]);
    octets.extend(stream.to_be_bytes());
    octets.extend(payload);
    octets
}

pub fn settings(values: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> = values
        .iter()
        .flat_map(|(id, value)| id.to_be_bytes().into_iter().chain(value.to_be_bytes()))
        .collect();
    frame(SETTINGS, 0, 0, &payload)
}

pub fn window_update(stream: u32, octets: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &octets.to_be_bytes())
}

pub fn goaway(last: u32, code: ErrorCode) -> Vec<u8> {
    let payload: Vec<u8> = last.to_be_bytes().into_iter().chain(u32::from(code).to_be_bytes()).collect();
    frame(GOAWAY, 0, 0, &payload)
}

/// The raw peer's end of a wire.
pub struct Raw<T> {
    pub io: T,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Raw<T> {
    /// A client that has sent its preface and SETTINGS.
    pub async fn client(io: T, values: &[(u16, u32)]) -> Self {
        let mut raw = Raw { io };
        raw.send(PREFACE).await;
        raw.send(&settings(values)).await;
        raw
    }

    /// A server that has read the preface and sent its SETTINGS.
    pub async fn server(io: T, values: &[(u16, u32)]) -> Self {
        let mut raw = Raw { io };
        let mut preface = [0; 24];
        raw.io.read_exact(&mut preface).await.unwrap();
        assert_eq!(preface, PREFACE);
        raw.send(&settings(values)).await;
        raw
    }

    pub async fn send(&mut self, octets: &[u8]) {
        self.io.write_all(octets).await.unwrap();
        self.io.flush().await.unwrap();
    }

    /// The next frame; SETTINGS are acknowledged on the way. `None` at the end of the wire.
    pub async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.io.read_exact(&mut head).await.ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.io.read_exact(&mut payload).await.ok()?;
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        let frame = Frame { kind: head[3], flags: head[4], stream, payload };
        if frame.kind == SETTINGS && frame.flags & ACK == 0 {
            // Our side may be closed already.
            let _ = self.io.write_all(&self::frame(SETTINGS, ACK, 0, &[])).await;
        }
        Some(frame)
    }

    /// The next frame of this kind; others are passed over.
    pub async fn expect(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.next().await.expect("the wire ended");
            if frame.kind == kind {
                return frame;
            }
        }
    }

    /// The next frame that concerns a stream, other than WINDOW_UPDATE.
    pub async fn next_of_stream(&mut self) -> Frame {
        loop {
            let frame = self.next().await.expect("the wire ended");
            if frame.stream != 0 && frame.kind != WINDOW_UPDATE {
                return frame;
            }
        }
    }
}
