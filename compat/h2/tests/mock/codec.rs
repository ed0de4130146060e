//! Frames to octets and back (RFC 9113 §4.1, §6).
//!
//! Fields go out as literals without indexing (RFC 7541 §6.2.2), so that what a test sends is plain.

use bytes::Bytes;
use millpond::{
    ErrorCode,
    hpack::{Decoder, FieldLimits},
};

use super::frame::*;

/// The largest payload that we send in one frame, and the one every endpoint takes (RFC 9113 §4.2).
const FRAME_SIZE: usize = 16_384;

/// A frame as it is on the wire.
pub(super) struct Parts {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Bytes,
}

impl Parts {
    /// The first frame in `octets`, and how many octets it takes.
    pub fn parse(octets: &[u8]) -> Option<(Self, usize)> {
        let head = octets.get(..9)?;
        let end = 9 + u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let payload = Bytes::copy_from_slice(octets.get(9..end)?);
        Some((Parts { kind: head[3], flags: head[4], stream: number(&head[5..]), payload }, end))
    }

    /// The frame; `fields` decodes a field block.
    pub fn read(self, fields: impl FnOnce(&[u8]) -> Vec<(String, String)>) -> Frame {
        let Parts { kind, flags, stream, payload } = self;
        let end_stream = flags & END_STREAM != 0;
        match (kind, payload.len()) {
            (DATA, _) if flags & PADDED == 0 => Frame::Data { stream, data: payload, end_stream },
            (HEADERS, _) if flags & (PADDED | 0x20) == 0 => {
                Frame::Headers { stream, fields: fields(&payload), end_stream }
            }
            (PUSH_PROMISE, 4..) if flags & PADDED == 0 => {
                Frame::PushPromise { stream, promised: number(&payload), fields: fields(&payload[4..]) }
            }
            (RST_STREAM, 4) => Frame::Reset { stream, code: ErrorCode::from(number(&payload)) },
            (SETTINGS, 0) if stream == 0 && flags == ACK => Frame::SettingsAck,
            (SETTINGS, octets) if stream == 0 && flags == 0 && octets % 6 == 0 => {
                let value = |entry: &[u8]| (u16::from_be_bytes([entry[0], entry[1]]), number(&entry[2..]));
                Frame::Settings(payload.chunks(6).map(value).collect())
            }
            (PING, 8) if stream == 0 => {
                Frame::Ping { ack: flags & ACK != 0, opaque: payload[..].try_into().unwrap() }
            }
            (GOAWAY, 8..) if stream == 0 => Frame::GoAway {
                last: number(&payload),
                code: ErrorCode::from(number(&payload[4..])),
                debug: payload.slice(8..),
            },
            (WINDOW_UPDATE, 4) => Frame::WindowUpdate { stream, increment: number(&payload) },
            _ => Frame::Raw { kind, flags, stream, payload },
        }
    }
}

fn number(octets: &[u8]) -> u32 {
    u32::from_be_bytes(octets[..4].try_into().unwrap())
}

/// The octets of a frame.
pub(super) fn write(frame: &Frame) -> Vec<u8> {
    let flag = |end_stream: &bool| u8::from(*end_stream) * END_STREAM;
    match frame {
        Frame::Data { stream, data, end_stream } => octets(DATA, flag(end_stream), *stream, data),
        Frame::Headers { stream, fields, end_stream } => {
            field_block(HEADERS, flag(end_stream), *stream, &block(fields))
        }
        Frame::PushPromise { stream, promised, fields } => {
            field_block(PUSH_PROMISE, 0, *stream, &[&promised.to_be_bytes()[..], &block(fields)].concat())
        }
        Frame::Reset { stream, code } => octets(RST_STREAM, 0, *stream, &u32::from(*code).to_be_bytes()),
        Frame::Settings(values) => {
            let entry = |(id, value): &(u16, u32)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat();
            octets(SETTINGS, 0, 0, &values.iter().flat_map(entry).collect::<Vec<_>>())
        }
        Frame::SettingsAck => octets(SETTINGS, ACK, 0, &[]),
        Frame::Ping { ack, opaque } => octets(PING, u8::from(*ack) * ACK, 0, opaque),
        Frame::GoAway { last, code, debug } => {
            let payload = [&last.to_be_bytes()[..], &u32::from(*code).to_be_bytes(), debug].concat();
            octets(GOAWAY, 0, 0, &payload)
        }
        Frame::WindowUpdate { stream, increment } => {
            octets(WINDOW_UPDATE, 0, *stream, &increment.to_be_bytes())
        }
        Frame::Raw { kind, flags, stream, payload } => octets(*kind, *flags, *stream, payload),
    }
}

fn octets(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut octets = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    octets.extend([kind, flags]);
    octets.extend(stream.to_be_bytes());
    octets.extend(payload);
    octets
}

/// HEADERS or PUSH_PROMISE, and the CONTINUATION frames that the block needs (RFC 9113 §6.10).
fn field_block(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut parts = payload.chunks(FRAME_SIZE).collect::<Vec<_>>();
    let last = parts.pop().unwrap_or_default();
    let mut kinds = [kind].into_iter().chain([CONTINUATION].into_iter().cycle());
    let mut flags = [flags].into_iter().chain([0].into_iter().cycle());
    let mut next =
        |end: u8, part: &[u8]| octets(kinds.next().unwrap(), flags.next().unwrap() | end, stream, part);
    let mut wire = parts.into_iter().flat_map(|part| next(0, part)).collect::<Vec<_>>();
    wire.extend(next(END_HEADERS, last));
    wire
}

/// The field block of these fields.
pub(super) fn block(fields: &[(String, String)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            length(text.len(), &mut block);
            block.extend(text.as_bytes());
        }
    }
    block
}

/// The length of a string literal (RFC 7541 §5.1, §5.2), without Huffman coding.
fn length(octets: usize, block: &mut Vec<u8>) {
    let Some(mut rest) = octets.checked_sub(127) else {
        return block.push(octets as u8);
    };
    block.push(127);
    while rest >= 128 {
        block.push(rest as u8 | 128);
        rest >>= 7;
    }
    block.push(rest as u8);
}

/// The fields of a block that the endpoint has sent.
pub(super) fn decode(decoder: &mut Decoder, block: &[u8]) -> Vec<(String, String)> {
    let limits = FieldLimits { max_octets: usize::MAX, max_fields: usize::MAX };
    let mut fields = Vec::new();
    let mut add = |name: &str, value: &[u8]| {
        fields.push((name.to_owned(), String::from_utf8_lossy(value).into_owned()));
    };
    let decoded = decoder.decode(block, limits, &mut |field| add(field.name(), field.value()));
    let decoded = decoded.expect("the endpoint sent a field block that no decoder understands");
    assert_eq!(decoded.malformed, None, "the endpoint sent malformed fields; the good ones are {fields:?}");
    fields
}
