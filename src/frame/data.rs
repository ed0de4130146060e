//! DATA (RFC 9113 §6.1): `[Pad Length (8)] Data (..) [Padding (..)]`.
//!
//! Always true here: a DATA frame is never gathered. The reader passes its octets on as they come; only the
//! Pad Length octet is looked at. The payload is written by the connection, behind [`encode_header`].

use super::{Flags, FrameHeader, FrameType};
use crate::{
    buffer::Outbound,
    error::{Fault, Misdeed},
    stream_id::StreamId,
};

pub(super) fn check(header: &FrameHeader) -> Result<(), Fault> {
    if header.stream.is_connection() {
        return Err(Fault::connection(Misdeed::FrameOnConnection));
    }
    // §4.2: no state of the connection depends on this frame, so the error may stay with the stream.
    if header.flags.contains(Flags::PADDED) && header.length == 0 {
        return Err(Fault::stream(header.stream, Misdeed::FrameTooShort));
    }
    Ok(())
}

/// The payload octets, without padding, of a padded frame of `length` octets (at least one).
pub(super) fn unpadded_length(length: u32, pad_length: u8) -> Result<u32, Fault> {
    // §6.1: padding as long as the payload of the frame, or longer, is a connection error.
    let rest = length.checked_sub(1 + u32::from(pad_length));
    rest.ok_or(Fault::connection(Misdeed::PaddingTooLong))
}

/// Appends the header of a DATA frame; `length` octets of payload are to follow.
pub fn encode_header(out: &mut Outbound, stream: StreamId, length: u32, end_stream: bool) {
    let flags = Flags::END_STREAM.when(end_stream);
    out.put(&FrameHeader { length, kind: FrameType::DATA, flags, stream }.encode());
}
