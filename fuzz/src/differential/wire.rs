//! What was written to the peer, as text: frames in their order on each stream, but DATA joined and credit summed.

use std::collections::BTreeMap;

use millpond::{
    buffer::{BufferPool, Cursor},
    frame::{Frame, FrameReader, ReaderLimits},
    hpack::{Decoder, FieldLimits},
};

use super::seen::Seen;

/// The peer's ear.
pub struct Ear {
    reader: FrameReader,
    decoder: Decoder,
    /// DATA since the last other frame of a stream.
    data: BTreeMap<u32, (usize, bool)>,
}

impl Ear {
    pub fn new() -> Ear {
        let any = ReaderLimits {
            max_frame_size: (1 << 24) - 1,
            max_continuations: u32::MAX,
            max_field_block: usize::MAX / 2,
        };
        // Larger than any table that the peer may allow: sizes are followed, not limited.
        let mut decoder = Decoder::new(4_096);
        decoder.set_table_size_limit(1 << 30);
        Ear { reader: FrameReader::new(BufferPool::global(), any), decoder, data: BTreeMap::new() }
    }

    pub fn hear(&mut self, octets: &[u8], seen: &mut Seen) {
        let mut block = BufferPool::global().take(octets.len());
        block.append(octets);
        let mut cursor = Cursor::new(block);
        let mut credit: BTreeMap<u32, u64> = BTreeMap::new();
        while let Some(frame) = self.reader.next(&mut cursor).expect("well-formed frames") {
            match frame {
                Frame::DataStart { stream, length, .. } => {
                    self.data.entry(stream.value()).or_default().0 += length as usize;
                }
                Frame::Data { stream, last, end_stream, .. } => {
                    if last && end_stream {
                        self.data.entry(stream.value()).or_default().1 = true;
                    }
                }
                Frame::Headers { stream, block, end_stream, .. } => {
                    flush(&mut self.data, stream.value(), seen);
                    let mut text = format!("HEADERS{}", if end_stream { " end" } else { "" });
                    let limits = FieldLimits { max_octets: usize::MAX, max_fields: usize::MAX };
                    self.decoder
                        .decode(block, limits, &mut |field| text += &format!(" {field:?}"))
                        .expect("the peer can decode it");
                    seen.write(stream.value(), text);
                }
                Frame::WindowUpdate { stream, increment } => {
                    *credit.entry(stream.value()).or_default() += u64::from(increment);
                }
                Frame::Reset { stream, code } => {
                    flush(&mut self.data, stream.value(), seen);
                    seen.write(stream.value(), format!("RST_STREAM {code}"));
                }
                Frame::Ping { ack, payload } => seen.write(0, format!("PING {ack} {payload:?}")),
                Frame::SettingsAck => seen.write(0, "SETTINGS ACK".into()),
                Frame::Settings(settings) => {
                    let values: Vec<_> = settings.collect();
                    seen.write(0, format!("SETTINGS {values:?}"));
                }
                Frame::GoAway { last_stream, code, debug } => {
                    seen.write(0, format!("GOAWAY {last_stream} {code} {debug:?}"));
                }
                other => seen.write(0, format!("{other:?}")),
            }
        }
        let streams: Vec<u32> = self.data.keys().copied().collect();
        streams.into_iter().for_each(|stream| flush(&mut self.data, stream, seen));
        for (stream, octets) in credit {
            seen.write(stream, format!("credit {octets}"));
        }
    }
}

fn flush(data: &mut BTreeMap<u32, (usize, bool)>, stream: u32, seen: &mut Seen) {
    if let Some((octets, end)) = data.remove(&stream) {
        seen.write(stream, format!("DATA {octets}{}", if end { " end" } else { "" }));
    }
}
