//! RST_STREAM (RFC 9113 §6.4): `Error Code (32)`.
//!
//! Always true here: the payload has four octets and the frame is on a stream.

use super::{Flags, Frame, FrameHeader, FrameType, write};
use crate::{
    buffer::Outbound,
    error::{ErrorCode, Fault, Misdeed},
    stream_id::StreamId,
};

pub(super) fn check(header: &FrameHeader) -> Result<(), Fault> {
    if header.stream.is_connection() {
        return Err(Fault::connection(Misdeed::FrameOnConnection));
    }
    if header.length != 4 {
        return Err(Fault::connection(Misdeed::FrameTooShort));
    }
    Ok(())
}

pub(super) fn parse<'a>(header: &FrameHeader, payload: &[u8]) -> Result<Frame<'a>, Fault> {
    let code = payload.first_chunk().ok_or(Fault::connection(Misdeed::FrameTooShort))?;
    Ok(Frame::Reset { stream: header.stream, code: ErrorCode::from(u32::from_be_bytes(*code)) })
}

/// Appends RST_STREAM.
pub fn encode(out: &mut Outbound, stream: StreamId, code: ErrorCode) {
    write::frame(out, FrameType::RST_STREAM, Flags::NONE, stream, &[&code.value().to_be_bytes()]);
}
