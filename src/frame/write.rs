//! Writing frames: every function appends one whole frame, or the header of DATA, to an [`Outbound`].
//!
//! Always true here: what is appended has a right length and is on a right stream; small frames go into the
//! tail write block, without allocation of their own.

use super::{Flags, FrameHeader, FrameType};
use crate::{buffer::Outbound, stream_id::StreamId};

pub use super::{
    data::encode_header as data_header,
    goaway::encode as goaway,
    headers::encode as headers,
    ping::encode as ping,
    priority_update::encode as priority_update,
    reset::encode as reset,
    settings::{encode as settings, encode_ack as settings_ack},
    window_update::encode as window_update,
};

/// Appends a frame whose payload is `parts`, one behind the other.
pub(super) fn frame(out: &mut Outbound, kind: FrameType, flags: Flags, stream: StreamId, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let octets = FrameHeader::OCTETS + length;
    let header = FrameHeader { length: length as u32, kind, flags, stream };
    let (head, mut rest) = out.spare(octets)[..octets].split_at_mut(FrameHeader::OCTETS);
    head.copy_from_slice(&header.encode());
    for part in parts {
        let (room, after) = rest.split_at_mut(part.len());
        room.copy_from_slice(part);
        rest = after;
    }
    out.commit(octets);
}
