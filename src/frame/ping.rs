//! PING (RFC 9113 §6.7): `Opaque Data (64)`.
//!
//! Always true here: the payload has eight octets and the frame is on stream 0.

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
    if header.length != 8 {
        return Err(Fault::connection(Misdeed::FrameTooShort));
    }
    Ok(())
}

pub(super) fn parse<'a>(header: &FrameHeader, payload: &[u8]) -> Result<Frame<'a>, Fault> {
    let payload = *payload.first_chunk().ok_or(Fault::connection(Misdeed::FrameTooShort))?;
    Ok(Frame::Ping { ack: header.flags.contains(Flags::ACK), payload })
}

/// Appends PING.
pub fn encode(out: &mut Outbound, ack: bool, payload: [u8; 8]) {
    write::frame(out, FrameType::PING, Flags::ACK.when(ack), StreamId::CONNECTION, &[&payload]);
}
