//! HEADERS (RFC 9113 §6.2), and CONTINUATION (§6.10) on the way out.
//!
//! ```text
//! [Pad Length (8)] [E (1) Stream Dependency (31) Weight (8)] Field Block Fragment (..) [Padding (..)]
//! ```
//!
//! Always true here: an error is a connection error, for a field block that is not decoded leaves the
//! compression state unknown (§4.2, §4.3). Exclusive bit and weight are dropped (§5.3.2).

use super::{Flags, Frame, FrameHeader, FrameType, MAX_FRAME_SIZE, MIN_MAX_FRAME_SIZE};
use crate::{
    buffer::Outbound,
    error::{Fault, Misdeed},
    stream_id::StreamId,
};

/// What one HEADERS frame carries.
pub(super) struct Headers<'a> {
    pub(super) depends_on: Option<StreamId>,
    pub(super) fragment: &'a [u8],
}

pub(super) fn check(header: &FrameHeader) -> Result<(), Fault> {
    if header.stream.is_connection() {
        return Err(Fault::connection(Misdeed::FrameOnConnection));
    }
    let pad_length = u32::from(header.flags.contains(Flags::PADDED));
    let priority = if header.flags.contains(Flags::PRIORITY) { 5 } else { 0 };
    if header.length < pad_length + priority {
        return Err(Fault::connection(Misdeed::FrameTooShort));
    }
    Ok(())
}

pub(super) fn parse<'a>(header: &FrameHeader, payload: &'a [u8]) -> Result<Headers<'a>, Fault> {
    const TOO_SHORT: Fault = Fault::connection(Misdeed::FrameTooShort);
    let mut fragment = payload;
    let mut padding = 0;
    if header.flags.contains(Flags::PADDED) {
        let (&pad_length, rest) = fragment.split_first().ok_or(TOO_SHORT)?;
        (padding, fragment) = (usize::from(pad_length), rest);
    }
    let mut depends_on = None;
    if header.flags.contains(Flags::PRIORITY) {
        let (&[d0, d1, d2, d3, _weight], rest) = fragment.split_first_chunk().ok_or(TOO_SHORT)?;
        // The identifier drops the exclusive bit.
        depends_on = Some(StreamId::new(u32::from_be_bytes([d0, d1, d2, d3])));
        fragment = rest;
    }
    // §6.2: padding longer than what is left for the fragment is an error.
    let octets = fragment.len().checked_sub(padding).ok_or(Fault::connection(Misdeed::PaddingTooLong))?;
    Ok(Headers { depends_on, fragment: &fragment[..octets] })
}

/// The frame of HEADERS with END_HEADERS.
pub(super) fn parse_whole<'a>(header: &FrameHeader, payload: &'a [u8]) -> Result<Frame<'a>, Fault> {
    let Headers { depends_on, fragment } = parse(header, payload)?;
    let end_stream = header.flags.contains(Flags::END_STREAM);
    Ok(Frame::Headers { stream: header.stream, end_stream, depends_on, block: fragment })
}

/// Whether CONTINUATION must follow (§6.2).
pub(super) fn opens_field_block(header: &FrameHeader) -> bool {
    header.kind == FrameType::HEADERS && !header.flags.contains(Flags::END_HEADERS)
}

/// Appends HEADERS, and CONTINUATION if the field block is longer than `max_frame_size` octets.
///
/// `encode` writes the field block into at most `bound` octets and returns how many it wrote. It writes
/// straight into the write block, behind room for the header.
pub fn encode(
    out: &mut Outbound,
    stream: StreamId,
    end_stream: bool,
    max_frame_size: u32,
    bound: usize,
    encode: impl FnOnce(&mut [u8]) -> usize,
) {
    const HEADER: usize = FrameHeader::OCTETS;
    let max = max_frame_size.clamp(MIN_MAX_FRAME_SIZE, MAX_FRAME_SIZE) as usize;
    let room = bound + HEADER * bound.div_ceil(max).max(1);
    let spare = &mut out.spare(room)[..room];
    let octets = encode(&mut spare[HEADER..HEADER + bound]).min(bound);
    let frames = octets.div_ceil(max).max(1);
    // The last fragment moves first, each far enough to the right for the headers before it.
    for index in (0..frames).rev() {
        let (start, end) = (index * max, octets.min((index + 1) * max));
        let at = start + HEADER * index;
        if index > 0 {
            spare.copy_within(HEADER + start..HEADER + end, HEADER + at);
        }
        let (kind, first_flags) = match index {
            0 => (FrameType::HEADERS, Flags::END_STREAM.when(end_stream)),
            _ => (FrameType::CONTINUATION, Flags::NONE),
        };
        let flags = first_flags | Flags::END_HEADERS.when(index + 1 == frames);
        let header = FrameHeader { length: (end - start) as u32, kind, flags, stream };
        spare[at..at + HEADER].copy_from_slice(&header.encode());
    }
    out.commit(octets + HEADER * frames);
}
