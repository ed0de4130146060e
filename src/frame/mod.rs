//! Frames: layout, limits, parsing and writing (RFC 9113 §4 and §6, RFC 9218 §7).
//!
//! One file per frame type, each with the same parts in the same order: the rules that the nine header octets
//! alone decide (`check`), `parse` of a whole payload, `encode`. [`FrameReader`] turns octets, cut anywhere,
//! into [`Frame`]s; [`mod@write`] appends frames to an [`Outbound`](crate::buffer::Outbound).
//!
//! Always true here: a [`Frame`] that comes out is well formed by itself: its length, flags, padding and the
//! choice between stream 0 and another are right. What needs memory of earlier frames (stream states,
//! windows, values of settings) is decided above. The one exception is the field block, joined here (§4.3,
//! §6.10).

use std::fmt;

use crate::{
    buffer::{Cursor, Piece},
    error::{ErrorCode, Fault},
    stream_id::StreamId,
};

mod data;
mod field_block;
mod goaway;
mod header;
mod headers;
mod ping;
mod priority;
mod priority_update;
mod push_promise;
mod reader;
mod reset;
mod settings;
mod window_update;
pub mod write;

#[cfg(test)]
mod tests;

pub use header::{Flags, FrameHeader, FrameType, MAX_FRAME_SIZE, MIN_MAX_FRAME_SIZE};
pub use reader::{FrameReader, ReaderLimits};
pub use settings::{SettingsRef, id as setting};

/// The octets a client sends first (RFC 9113 §3.4). Checked by the connection, not by [`FrameReader`].
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// One frame, or one step of a DATA frame, as [`FrameReader::next`] gives it.
///
/// Everything borrowed lies in the block just read, or in the reader if the frame was cut; nothing was copied
/// for a frame that lies in one block.
#[derive(Debug)]
pub enum Frame<'a> {
    /// The header of a DATA frame (RFC 9113 §6.1). Its [`Frame::Data`] follow, at least one.
    DataStart {
        /// The stream; never stream 0.
        stream: StreamId,
        /// Payload octets, padding included: what is to be charged to both windows now (§6.9.1).
        length: u32,
        /// Whether END_STREAM is set; the stream ends with the last [`Frame::Data`], not here.
        end_stream: bool,
    },
    /// Octets of a DATA frame that have arrived, without padding.
    Data {
        /// The stream; never stream 0.
        stream: StreamId,
        /// The octets. Empty only if the whole frame carries none; then `last` is set.
        payload: PieceRef<'a>,
        /// Whether the frame has no more octets (but maybe padding, which is dropped as it comes).
        last: bool,
        /// Whether these are the last octets of the stream; only together with `last`.
        end_stream: bool,
    },
    /// HEADERS (RFC 9113 §6.2), with the fragments of its CONTINUATION frames joined (§4.3).
    Headers {
        /// The stream; never stream 0.
        stream: StreamId,
        /// Whether END_STREAM is set.
        end_stream: bool,
        /// The stream dependency, if the deprecated priority fields are there (§5.3.2).
        depends_on: Option<StreamId>,
        /// The complete field block, still compressed.
        block: &'a [u8],
    },
    /// PRIORITY (RFC 9113 §6.3), deprecated.
    Priority {
        /// The stream; never stream 0.
        stream: StreamId,
        /// The stream dependency.
        depends_on: StreamId,
    },
    /// RST_STREAM (RFC 9113 §6.4).
    Reset {
        /// The stream; never stream 0.
        stream: StreamId,
        /// Why it was ended.
        code: ErrorCode,
    },
    /// SETTINGS without ACK (RFC 9113 §6.5). The values are not judged here.
    Settings(SettingsRef<'a>),
    /// SETTINGS with ACK (RFC 9113 §6.5.3).
    SettingsAck,
    /// PING (RFC 9113 §6.7).
    Ping {
        /// Whether this answers a PING.
        ack: bool,
        /// The opaque octets.
        payload: [u8; 8],
    },
    /// GOAWAY (RFC 9113 §6.8).
    GoAway {
        /// The highest stream that the sender may have acted on.
        last_stream: StreamId,
        /// Why the connection ends.
        code: ErrorCode,
        /// Opaque octets for a log, 16,376 at the most.
        debug: &'a [u8],
    },
    /// WINDOW_UPDATE (RFC 9113 §6.9).
    WindowUpdate {
        /// The stream, or stream 0 for the window of the connection.
        stream: StreamId,
        /// Octets to add, 31 bits. Zero is an error whose reach depends on the stream, so it is given as it
        /// is.
        increment: u32,
    },
    /// PRIORITY_UPDATE (RFC 9218 §7.1).
    PriorityUpdate {
        /// The stream that is meant; never stream 0.
        stream: StreamId,
        /// The priority field value, not yet parsed.
        value: &'a [u8],
    },
    /// A frame of a type that we do not know, to be ignored (RFC 9113 §4.1, §5.5). Given once, when its
    /// header was read; the payload is dropped as it comes.
    Unknown {
        /// The type octet.
        kind: u8,
        /// Payload octets.
        length: u32,
    },
}

/// Payload octets of DATA that still lie in the block just read.
///
/// Dropping it passes over the octets; [`take`](PieceRef::take) keeps them.
pub struct PieceRef<'a> {
    cursor: &'a mut Cursor,
    octets: usize,
}

impl<'a> PieceRef<'a> {
    /// The next `octets` of `cursor`, which has that many.
    fn new(cursor: &'a mut Cursor, octets: usize) -> Self {
        PieceRef { cursor, octets }
    }

    /// How many octets there are.
    pub fn len(&self) -> usize {
        self.octets
    }

    /// Whether there are none: only for a DATA frame without payload.
    pub fn is_empty(&self) -> bool {
        self.octets == 0
    }

    /// The octets, where they lie.
    pub fn as_slice(&self) -> &[u8] {
        &self.cursor.rest()[..self.octets]
    }

    /// Keeps the octets: small ones are copied out of the block, large ones share it.
    pub fn take(mut self) -> Piece {
        self.cursor.take_piece(std::mem::take(&mut self.octets))
    }
}

impl Drop for PieceRef<'_> {
    fn drop(&mut self) {
        self.cursor.skip(self.octets);
    }
}

impl fmt::Debug for PieceRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PieceRef({} octets)", self.octets)
    }
}

/// Judges a frame by its header alone, before any of its payload is held. After a stream error the frame is
/// to be passed over. CONTINUATION is judged by the reader, for it needs the open field block.
fn check(header: &FrameHeader) -> Result<(), Fault> {
    match header.kind {
        FrameType::DATA => data::check(header),
        FrameType::HEADERS => headers::check(header),
        FrameType::PRIORITY => priority::check(header),
        FrameType::RST_STREAM => reset::check(header),
        FrameType::SETTINGS => settings::check(header),
        FrameType::PUSH_PROMISE => push_promise::check(header),
        FrameType::PING => ping::check(header),
        FrameType::GOAWAY => goaway::check(header),
        FrameType::WINDOW_UPDATE => window_update::check(header),
        FrameType::PRIORITY_UPDATE => priority_update::check(header),
        _ => Ok(()),
    }
}

/// Parses a whole payload whose header passed [`check`]. DATA and CONTINUATION are never whole: the reader
/// passes their octets on as they come.
fn parse<'a>(header: &FrameHeader, payload: &'a [u8]) -> Result<Frame<'a>, Fault> {
    match header.kind {
        FrameType::HEADERS => headers::parse_whole(header, payload),
        FrameType::PRIORITY => priority::parse(header, payload),
        FrameType::RST_STREAM => reset::parse(header, payload),
        FrameType::SETTINGS => Ok(settings::parse(header, payload)),
        FrameType::PING => ping::parse(header, payload),
        FrameType::GOAWAY => goaway::parse(payload),
        FrameType::WINDOW_UPDATE => window_update::parse(header, payload),
        FrameType::PRIORITY_UPDATE => priority_update::parse(payload),
        kind => Ok(Frame::Unknown { kind: kind.value(), length: header.length }),
    }
}
