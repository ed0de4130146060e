//! WINDOW_UPDATE (RFC 9113 §6.9): `R (1) Window Size Increment (31)`.
//!
//! Always true here: the payload has four octets. Stream 0 means the connection, so any stream is right.

use super::{Flags, Frame, FrameHeader, FrameType, write};
use crate::{
    buffer::Outbound,
    error::{Fault, Misdeed},
    stream_id::StreamId,
};

pub(super) fn check(header: &FrameHeader) -> Result<(), Fault> {
    if header.length != 4 {
        return Err(Fault::connection(Misdeed::FrameTooShort));
    }
    Ok(())
}

pub(super) fn parse<'a>(header: &FrameHeader, payload: &[u8]) -> Result<Frame<'a>, Fault> {
    let increment = payload.first_chunk().ok_or(Fault::connection(Misdeed::FrameTooShort))?;
    Ok(Frame::WindowUpdate {
        stream: header.stream,
        increment: u32::from_be_bytes(*increment) & INCREMENT_MASK,
    })
}

/// Appends WINDOW_UPDATE; `increment` is 1 to 2^31 - 1 octets.
pub fn encode(out: &mut Outbound, stream: StreamId, increment: u32) {
    debug_assert!((1..=INCREMENT_MASK).contains(&increment));
    write::frame(out, FrameType::WINDOW_UPDATE, Flags::NONE, stream, &[&increment.to_be_bytes()]);
}

/// §6.9: the reserved bit is ignored.
const INCREMENT_MASK: u32 = 0x7fff_ffff;
