//! Frames as a test writes them down (RFC 9113 §6).

use std::fmt;

use bytes::Bytes;
use http::Uri;
use millpond::ErrorCode;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PUSH_PROMISE: u8 = 5;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;

pub const HEADER_TABLE_SIZE: u16 = 1;
pub const ENABLE_PUSH: u16 = 2;
pub const MAX_CONCURRENT_STREAMS: u16 = 3;
pub const INITIAL_WINDOW_SIZE: u16 = 4;
pub const MAX_FRAME_SIZE: u16 = 5;
pub const MAX_HEADER_LIST_SIZE: u16 = 6;
pub const ENABLE_CONNECT_PROTOCOL: u16 = 8;

/// The client connection preface, without its SETTINGS (RFC 9113 §3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame; a field block is whole, whatever CONTINUATION frames carried it.
#[derive(Clone, PartialEq, Eq)]
pub enum Frame {
    Data { stream: u32, data: Bytes, end_stream: bool },
    Headers { stream: u32, fields: Vec<(String, String)>, end_stream: bool },
    PushPromise { stream: u32, promised: u32, fields: Vec<(String, String)> },
    Reset { stream: u32, code: ErrorCode },
    Settings(Vec<(u16, u32)>),
    SettingsAck,
    Ping { ack: bool, opaque: [u8; 8] },
    GoAway { last: u32, code: ErrorCode, debug: Bytes },
    WindowUpdate { stream: u32, increment: u32 },
    Raw { kind: u8, flags: u8, stream: u32, payload: Bytes },
}

pub fn data(stream: u32, octets: impl AsRef<[u8]>) -> Frame {
    Frame::Data { stream, data: Bytes::copy_from_slice(octets.as_ref()), end_stream: false }
}

/// A HEADERS frame without fields; trailers, for example, add theirs with [`Frame::field`].
pub fn headers(stream: u32) -> Frame {
    Frame::Headers { stream, fields: Vec::new(), end_stream: false }
}

/// HEADERS with the pseudo-header fields of a request for this URI (RFC 9113 §8.3.1).
pub fn request(stream: u32, method: &str, uri: &str) -> Frame {
    headers(stream).target(method, uri)
}

/// HEADERS with `:status`.
pub fn response(stream: u32, status: u16) -> Frame {
    headers(stream).field(":status", &status.to_string())
}

/// PUSH_PROMISE without fields; see [`Frame::target`] and [`Frame::field`].
pub fn push_promise(stream: u32, promised: u32) -> Frame {
    Frame::PushPromise { stream, promised, fields: Vec::new() }
}

pub fn reset(stream: u32, code: impl Into<u32>) -> Frame {
    Frame::Reset { stream, code: ErrorCode::from(code.into()) }
}

/// SETTINGS, in this order.
pub fn settings(values: &[(u16, u32)]) -> Frame {
    Frame::Settings(values.to_vec())
}

pub fn settings_ack() -> Frame {
    Frame::SettingsAck
}

pub fn ping(opaque: [u8; 8]) -> Frame {
    Frame::Ping { ack: false, opaque }
}

pub fn pong(opaque: [u8; 8]) -> Frame {
    Frame::Ping { ack: true, opaque }
}

pub fn goaway(last: u32, code: impl Into<u32>) -> Frame {
    Frame::GoAway { last, code: ErrorCode::from(code.into()), debug: Bytes::new() }
}

pub fn window_update(stream: u32, increment: u32) -> Frame {
    Frame::WindowUpdate { stream, increment }
}

/// Any frame at all.
pub fn raw(kind: u8, flags: u8, stream: u32, payload: impl AsRef<[u8]>) -> Frame {
    Frame::Raw { kind, flags, stream, payload: Bytes::copy_from_slice(payload.as_ref()) }
}

impl Frame {
    /// With the flag END_STREAM.
    pub fn end_stream(mut self) -> Self {
        match &mut self {
            Frame::Data { end_stream, .. } | Frame::Headers { end_stream, .. } => *end_stream = true,
            other => panic!("{other:?} ends no stream"),
        }
        self
    }

    /// With one more field line.
    pub fn field(mut self, name: &str, value: &str) -> Self {
        match &mut self {
            Frame::Headers { fields, .. } | Frame::PushPromise { fields, .. } => {
                fields.push((name.to_owned(), value.to_owned()));
            }
            other => panic!("{other:?} has no fields"),
        }
        self
    }

    /// With the pseudo-header fields of a request.
    pub fn target(self, method: &str, uri: &str) -> Self {
        let uri: Uri = uri.parse().unwrap();
        let mut frame = self.field(":method", method);
        if let Some(scheme) = uri.scheme_str() {
            frame = frame.field(":scheme", scheme);
        }
        if let Some(authority) = uri.authority() {
            frame = frame.field(":authority", authority.as_str());
        }
        match uri.path_and_query() {
            Some(path) => frame.field(":path", path.as_str()),
            None => frame,
        }
    }

    /// With additional debug data (GOAWAY only).
    pub fn debug(mut self, text: &str) -> Self {
        match &mut self {
            Frame::GoAway { debug, .. } => *debug = Bytes::copy_from_slice(text.as_bytes()),
            other => panic!("{other:?} has no debug data"),
        }
        self
    }

    /// The frame on the wire.
    pub fn octets(&self) -> Vec<u8> {
        super::codec::write(self)
    }

    /// The same frame as far as a peer can tell: the order of field names says nothing.
    pub fn canonical(&self) -> Self {
        let mut frame = self.clone();
        if let Frame::Headers { fields, .. } | Frame::PushPromise { fields, .. } = &mut frame {
            fields.sort_by(|a, b| a.0.cmp(&b.0));
        }
        frame
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |end: &bool| if *end { " END_STREAM" } else { "" };
        match self {
            Frame::Data { stream, data, end_stream } if data.len() > 64 => {
                let start = data.slice(..16);
                write!(f, "DATA {stream}{} {} octets: {start:?}..", end(end_stream), data.len())
            }
            Frame::Data { stream, data, end_stream } => {
                write!(f, "DATA {stream}{} {data:?}", end(end_stream))
            }
            Frame::Headers { stream, fields, end_stream } => {
                write!(f, "HEADERS {stream}{} {fields:.80?}", end(end_stream))
            }
            Frame::PushPromise { stream, promised, fields } => {
                write!(f, "PUSH_PROMISE {stream} of {promised} {fields:?}")
            }
            Frame::Reset { stream, code } => write!(f, "RST_STREAM {stream} {code:?}"),
            Frame::Settings(values) => write!(f, "SETTINGS {values:?}"),
            Frame::SettingsAck => f.write_str("SETTINGS ACK"),
            Frame::Ping { ack, opaque } => {
                write!(f, "PING{} {opaque:?}", if *ack { " ACK" } else { "" })
            }
            Frame::GoAway { last, code, debug } => write!(f, "GOAWAY {last} {code:?} {debug:?}"),
            Frame::WindowUpdate { stream, increment } => write!(f, "WINDOW_UPDATE {stream} {increment}"),
            Frame::Raw { kind, flags, stream, payload } => {
                write!(f, "frame of type {kind}, flags {flags:#x}, stream {stream}, payload {payload:?}")
            }
        }
    }
}
