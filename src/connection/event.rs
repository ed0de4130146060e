//! What a connection tells its driver (RFC 9113 §8.1 for the order of a message's parts).
//!
//! Always true here: for each stream a head comes before DATA, DATA before trailers, and
//! [`Event::Closed`] last.

use bytes::Bytes;
use http::{HeaderMap, Request, Response};

use crate::{
    buffer::Piece,
    error::{Error, ErrorCode},
    stream_id::StreamId,
};

use super::StreamKey;

/// One thing that happened. Drain them with [`Connection::poll_event`](super::Connection::poll_event).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A peer opened a stream with a request.
    Request {
        /// The stream's place.
        key: StreamKey,
        /// Its identifier.
        stream: StreamId,
        /// The request head; an extended CONNECT has its [`Protocol`](crate::Protocol) in the extensions.
        head: Box<Request<()>>,
        /// Whether nothing follows.
        end_stream: bool,
    },
    /// An informational (1xx) response came; the final one follows.
    Informational {
        /// The stream's place.
        key: StreamKey,
        /// The response head.
        head: Box<Response<()>>,
    },
    /// The final response head came.
    Response {
        /// The stream's place.
        key: StreamKey,
        /// The response head.
        head: Response<()>,
        /// Whether nothing follows.
        end_stream: bool,
    },
    /// Octets of the body came. They count as unread until [`release`](super::Connection::release) and
    /// [`release_connection`](super::Connection::release_connection) are told.
    Data {
        /// The stream's place.
        key: StreamKey,
        /// The octets; empty only at the end of the stream.
        piece: Piece,
        /// Whether the DATA frame has no more of them.
        end_frame: bool,
        /// Whether nothing follows.
        end_stream: bool,
    },
    /// Trailers came; nothing follows.
    Trailers {
        /// The stream's place.
        key: StreamKey,
        /// The fields.
        trailers: HeaderMap,
    },
    /// The stream failed: reset by either side, malformed, idle, or turned away by GOAWAY. [`Event::Closed`] follows.
    /// If the error [`discards_unread`](Error::discards_unread), drop what is unread of it and
    /// [`release_connection`](super::Connection::release_connection) it.
    Reset {
        /// The stream's place.
        key: StreamKey,
        /// Why.
        error: Error,
    },
    /// A request left the queue for MAX_CONCURRENT_STREAMS and is on its way.
    Opened {
        /// The stream's place.
        key: StreamKey,
    },
    /// So many octets of DATA went out since this was last said.
    Sent {
        /// The stream's place.
        key: StreamKey,
        /// Octets of DATA.
        octets: usize,
    },
    /// Connection credit was set aside for a stream that had asked with [`reserve`](super::Connection::reserve).
    Capacity {
        /// The stream's place.
        key: StreamKey,
        /// Octets more than before.
        octets: u32,
    },
    /// The stream is gone and its key may be used again.
    Closed {
        /// The stream's place.
        key: StreamKey,
    },
    /// The peer's first or a later SETTINGS took effect: how many streams we may have open at once.
    RemoteSettings {
        /// SETTINGS_MAX_CONCURRENT_STREAMS; `u32::MAX` if the peer sets no limit.
        max_concurrent_streams: u32,
        /// Whether extended CONNECT may be used (RFC 8441 §3).
        enable_connect_protocol: bool,
    },
    /// The answer to the application's PING came.
    Pong,
    /// The peer sent GOAWAY: no new streams. Those it will not process are reset with an error that
    /// [`is_unprocessed`](Error::is_unprocessed).
    GoAway {
        /// Why.
        code: ErrorCode,
        /// Opaque octets.
        debug: Bytes,
    },
}
