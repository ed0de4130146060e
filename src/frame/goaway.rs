//! GOAWAY (RFC 9113 §6.8): `R (1) Last-Stream-ID (31) Error Code (32) Additional Debug Data (..)`.
//!
//! Always true here: the payload has at least eight octets and the frame is on stream 0.

use super::{Flags, Frame, FrameHeader, FrameType, MIN_MAX_FRAME_SIZE, write};
use crate::{
    buffer::Outbound,
    error::{ErrorCode, Fault, Misdeed},
    stream_id::StreamId,
};

pub(super) fn check(header: &FrameHeader) -> Result<(), Fault> {
    if !header.stream.is_connection() {
        return Err(Fault::connection(Misdeed::FrameOnStream));
    }
    if header.length < 8 {
        return Err(Fault::connection(Misdeed::FrameTooShort));
    }
    Ok(())
}

pub(super) fn parse(payload: &[u8]) -> Result<Frame<'_>, Fault> {
    let (&[s0, s1, s2, s3, c0, c1, c2, c3], debug) =
        payload.split_first_chunk().ok_or(Fault::connection(Misdeed::FrameTooShort))?;
    Ok(Frame::GoAway {
        last_stream: StreamId::new(u32::from_be_bytes([s0, s1, s2, s3])),
        code: ErrorCode::from(u32::from_be_bytes([c0, c1, c2, c3])),
        debug,
    })
}

/// Appends GOAWAY. Debug data is cut where the frame would become larger than every peer must accept (§4.2).
pub fn encode(out: &mut Outbound, last_stream: StreamId, code: ErrorCode, debug: &[u8]) {
    let debug = &debug[..debug.len().min(MIN_MAX_FRAME_SIZE as usize - 8)];
    let (last, code) = (last_stream.value().to_be_bytes(), code.value().to_be_bytes());
    write::frame(out, FrameType::GOAWAY, Flags::NONE, StreamId::CONNECTION, &[&last, &code, debug]);
}
