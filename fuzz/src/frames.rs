//! Frames: whatever the octets and wherever they are cut, the same comes out.

use millpond::{
    buffer::{BufferPool, Cursor, PoolOptions},
    error::{Fault, Reach},
    frame::{Frame, FrameReader, ReaderLimits},
};

/// Any octets, read whole, in single octets, and cut where the first octet says, give the same frames and the same
/// error; between frames nothing is held, and of a cut frame no more than arrived, or the smallest block.
pub fn frame_reader(data: &[u8]) {
    let Some((&cut, octets)) = data.split_first() else { return };
    let pool = BufferPool::new(PoolOptions { decay: None, ..PoolOptions::default() });
    let whole = read(octets, octets.len().max(1), &pool);
    assert_eq!(whole, read(octets, 1, &pool), "cut into single octets");
    assert_eq!(whole, read(octets, usize::from(cut).max(1), &pool), "cut every {cut} octets");
    assert_eq!(pool.stats().blocks_out, 0, "blocks that did not come home");
}

/// What came out, with the pieces of a DATA frame joined.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Frame(String),
    Data { octets: Vec<u8>, last: bool, end_stream: bool },
    Fault(Fault),
}

fn read(octets: &[u8], step: usize, pool: &BufferPool) -> Vec<Seen> {
    let limits = ReaderLimits { max_field_block: 20_000, ..ReaderLimits::default() };
    let mut reader = FrameReader::new(pool.clone(), limits);
    let mut seen = Vec::new();
    for (index, part) in octets.chunks(step).enumerate() {
        let mut block = pool.take(part.len());
        assert_eq!(block.append(part), part.len());
        let mut cursor = Cursor::new(block);
        loop {
            let fault = match reader.next(&mut cursor) {
                Ok(Some(frame)) => {
                    note(&mut seen, frame);
                    continue;
                }
                Ok(None) => break,
                Err(fault) => fault,
            };
            seen.push(Seen::Fault(fault));
            if fault.reach == Reach::Connection {
                assert_eq!(reader.gathered(), 0, "held after a connection error");
                return seen;
            }
        }
        assert_eq!(cursor.remaining(), 0, "octets left over");
        let arrived = (index + 1) * step;
        let held = reader.gathered();
        assert!(held <= (arrived + arrived / 2).max(2 * 256), "{held} octets held for {arrived}");
        assert!(held == 0 || !reader.is_at_boundary(), "{held} octets held between frames");
    }
    seen
}

fn note(seen: &mut Vec<Seen>, frame: Frame<'_>) {
    let Frame::Data { payload, last, end_stream, .. } = frame else {
        return seen.push(Seen::Frame(format!("{frame:?}")));
    };
    match seen.last_mut() {
        Some(Seen::Data { octets, last: before, end_stream: ended }) if !*before => {
            octets.extend_from_slice(payload.as_slice());
            (*before, *ended) = (last, end_stream);
        }
        _ => seen.push(Seen::Data { octets: payload.as_slice().to_vec(), last, end_stream }),
    }
}
