//! SETTINGS (RFC 9113 §6.5): any number of `Identifier (16) Value (32)`.
//!
//! Always true here: the payload is a multiple of six octets, and empty with ACK. Values are judged by the
//! connection, for unknown settings must be ignored (§6.5.2) and known ones take effect in order (§6.5.3).

use super::{Flags, Frame, FrameHeader, FrameType, write};
use crate::{
    buffer::Outbound,
    error::{Fault, Misdeed},
    stream_id::StreamId,
};

/// The settings of one frame, in order, as (identifier, value).
#[derive(Clone, Copy, Debug)]
pub struct SettingsRef<'a> {
    /// A multiple of six octets.
    payload: &'a [u8],
}

impl Iterator for SettingsRef<'_> {
    type Item = (u16, u32);

    fn next(&mut self) -> Option<(u16, u32)> {
        let (&[i0, i1, v0, v1, v2, v3], rest) = self.payload.split_first_chunk()?;
        self.payload = rest;
        Some((u16::from_be_bytes([i0, i1]), u32::from_be_bytes([v0, v1, v2, v3])))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.payload.len() / ENTRY;
        (left, Some(left))
    }
}

impl ExactSizeIterator for SettingsRef<'_> {}

/// Identifiers of settings.
pub mod id {
    /// SETTINGS_HEADER_TABLE_SIZE (RFC 9113 §6.5.2).
    pub const HEADER_TABLE_SIZE: u16 = 0x1;
    /// SETTINGS_ENABLE_PUSH (RFC 9113 §6.5.2).
    pub const ENABLE_PUSH: u16 = 0x2;
    /// SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113 §6.5.2).
    pub const MAX_CONCURRENT_STREAMS: u16 = 0x3;
    /// SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113 §6.5.2).
    pub const INITIAL_WINDOW_SIZE: u16 = 0x4;
    /// SETTINGS_MAX_FRAME_SIZE (RFC 9113 §6.5.2).
    pub const MAX_FRAME_SIZE: u16 = 0x5;
    /// SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113 §6.5.2).
    pub const MAX_HEADER_LIST_SIZE: u16 = 0x6;
    /// SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 §3).
    pub const ENABLE_CONNECT_PROTOCOL: u16 = 0x8;
    /// SETTINGS_NO_RFC7540_PRIORITIES (RFC 9218 §2.1).
    pub const NO_RFC7540_PRIORITIES: u16 = 0x9;
}

pub(super) fn check(header: &FrameHeader) -> Result<(), Fault> {
    if !header.stream.is_connection() {
        return Err(Fault::connection(Misdeed::FrameOnStream));
    }
    if header.flags.contains(Flags::ACK) && header.length != 0 {
        return Err(Fault::connection(Misdeed::AckWithPayload));
    }
    if !(header.length as usize).is_multiple_of(ENTRY) {
        return Err(Fault::connection(Misdeed::SettingsLengthInvalid));
    }
    Ok(())
}

pub(super) fn parse<'a>(header: &FrameHeader, payload: &'a [u8]) -> Frame<'a> {
    match header.flags.contains(Flags::ACK) {
        true => Frame::SettingsAck,
        false => Frame::Settings(SettingsRef { payload }),
    }
}

/// Appends SETTINGS with these (identifier, value) entries, in order.
pub fn encode(out: &mut Outbound, entries: &[(u16, u32)]) {
    let length = entries.len() * ENTRY;
    let header = FrameHeader {
        length: length as u32,
        kind: FrameType::SETTINGS,
        flags: Flags::NONE,
        stream: StreamId::CONNECTION,
    };
    out.put(&header.encode());
    for (id, value) in entries {
        let ([i0, i1], [v0, v1, v2, v3]) = (id.to_be_bytes(), value.to_be_bytes());
        out.put(&[i0, i1, v0, v1, v2, v3]);
    }
}

/// Appends SETTINGS with ACK.
pub fn encode_ack(out: &mut Outbound) {
    write::frame(out, FrameType::SETTINGS, Flags::ACK, StreamId::CONNECTION, &[]);
}

/// Octets of one setting.
const ENTRY: usize = 6;
