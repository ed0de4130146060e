//! PRIORITY_UPDATE (RFC 9218 §7.1): `R (1) Prioritized Stream ID (31) Priority Field Value (..)`.
//!
//! Always true here: the frame is on stream 0, names another stream, and has at least four octets. That only
//! a client may send it is the connection's business, and so is the value.

use super::{Flags, Frame, FrameHeader, FrameType, write};
use crate::{
    buffer::Outbound,
    error::{Fault, Misdeed},
    stream_id::StreamId,
};

pub(super) fn check(header: &FrameHeader) -> Result<(), Fault> {
    if !header.stream.is_connection() {
        return Err(Fault::connection(Misdeed::FrameOnStream));
    }
    if header.length < 4 {
        return Err(Fault::connection(Misdeed::FrameTooShort));
    }
    Ok(())
}

pub(super) fn parse(payload: &[u8]) -> Result<Frame<'_>, Fault> {
    let (prioritized, value) =
        payload.split_first_chunk().ok_or(Fault::connection(Misdeed::FrameTooShort))?;
    let stream = StreamId::new(u32::from_be_bytes(*prioritized));
    if stream.is_connection() {
        return Err(Fault::connection(Misdeed::FrameOnConnection));
    }
    Ok(Frame::PriorityUpdate { stream, value })
}

/// Appends PRIORITY_UPDATE for `stream`.
pub fn encode(out: &mut Outbound, stream: StreamId, value: &[u8]) {
    let prioritized = stream.value().to_be_bytes();
    write::frame(out, FrameType::PRIORITY_UPDATE, Flags::NONE, StreamId::CONNECTION, &[&prioritized, value]);
}
