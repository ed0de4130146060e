//! PRIORITY (RFC 9113 §6.3): `E (1) Stream Dependency (31) Weight (8)`. Deprecated: read, never written.
//!
//! Always true here: the payload has five octets; the exclusive bit and the weight are dropped.

use super::{Frame, FrameHeader};
use crate::{
    error::{Fault, Misdeed},
    stream_id::StreamId,
};

pub(super) fn check(header: &FrameHeader) -> Result<(), Fault> {
    if header.stream.is_connection() {
        return Err(Fault::connection(Misdeed::FrameOnConnection));
    }
    if header.length != 5 {
        return Err(Fault::stream(header.stream, Misdeed::FrameTooShort));
    }
    Ok(())
}

pub(super) fn parse<'a>(header: &FrameHeader, payload: &[u8]) -> Result<Frame<'a>, Fault> {
    let &[d0, d1, d2, d3, _weight] =
        payload.first_chunk().ok_or(Fault::stream(header.stream, Misdeed::FrameTooShort))?;
    let depends_on = StreamId::new(u32::from_be_bytes([d0, d1, d2, d3]));
    Ok(Frame::Priority { stream: header.stream, depends_on })
}
