//! What a reader holds: octets that came, while they wait for more, and nothing else.

use super::*;

/// A reader of its own pool that was fed `blocks`, and no block is held by anyone else.
fn fed(blocks: &[&[u8]]) -> Reading {
    let mut reading = Reading::new(ReaderLimits::default());
    for block in blocks {
        reading.feed(block);
    }
    reading
}

fn octets_out(reading: &Reading) -> usize {
    reading.pool.stats().octets_out
}

#[test]
fn a_reader_is_small() {
    assert!(size_of::<FrameReader>() <= 80, "{}", size_of::<FrameReader>());
}

#[test]
fn a_stalled_data_frame_holds_nothing() {
    let wire = raw(0x0, 0, 1, &[7; 16_384]);
    for arrived in [1, 8, 9, 10, 5_000, 16_392] {
        let reading = fed(&[&wire[..arrived]]);
        assert_eq!((reading.reader.gathered(), octets_out(&reading)), (0, 0), "{arrived}");
        assert!(!reading.reader.is_at_boundary());
        assert!(!reading.reader.is_gathering());
    }
}

#[test]
fn half_a_headers_frame_holds_what_came() {
    let wire = raw(0x1, END_HEADERS, 1, &[7; 16_384]);
    for (arrived, held) in [(9, 0), (10, 256), (265, 256), (266, 384), (9 + 8_000, 8_192)] {
        let reading = fed(&[&wire[..arrived]]);
        assert_eq!((reading.reader.gathered(), octets_out(&reading)), (held, held), "{arrived}");
        assert!(reading.reader.is_gathering());
        assert!(!reading.reader.is_at_boundary());
    }
    // Octet by octet it is no more: `feed` compares with what came.
    let mut reading = Reading::new(ReaderLimits::default());
    wire.chunks(1).for_each(|octet| reading.feed(octet));
    assert!(reading.reader.is_at_boundary());
    assert_eq!(octets_out(&reading), 0);
}

#[test]
fn an_unknown_frame_is_never_held() {
    let wire = raw(0xee, 0, 1, &[7; 16_384]);
    let mut reading = Reading::new(ReaderLimits::default());
    for block in wire.chunks(1_000) {
        reading.feed(block);
        assert_eq!((reading.reader.gathered(), octets_out(&reading)), (0, 0));
    }
    assert!(reading.reader.is_at_boundary());
    assert_eq!(reading.seen, [Seen::Unknown { kind: 0xee, length: 16_384 }]);
}

#[test]
fn a_cut_headers_frame_and_a_reset_leave_nothing() {
    let wire = [raw(0x1, END_HEADERS, 1, &[7; 12_000]), raw(0x3, 0, 1, &[0; 4])].concat();
    for at in [1, 9, 10, 300, 12_008, 12_009, 12_010, 12_021] {
        let reading = fed(&[&wire[..at], &wire[at..]]);
        assert!(matches!(reading.seen[..], [Seen::Headers { .. }, Seen::Reset { .. }]));
        assert_eq!((reading.reader.gathered(), octets_out(&reading)), (0, 0), "{at}");
        assert!(reading.reader.is_at_boundary());
    }
}

#[test]
fn an_open_field_block_holds_what_came() {
    let wire = [raw(0x1, 0, 1, &[7; 300]), raw(0x9, 0, 1, &[8; 300])].concat();
    for (arrived, held) in [(309, 384), (318, 384), (402, 384), (403, 512), (618, 768)] {
        let mut reading = fed(&[&wire[..arrived]]);
        assert_eq!((reading.reader.gathered(), octets_out(&reading)), (held, held), "{arrived}");
        assert!(reading.reader.is_gathering());
        assert!(!reading.reader.is_at_boundary());
        reading.feed(&wire[arrived..]);
        reading.feed(&raw(0x9, END_HEADERS, 1, b""));
        assert_eq!((reading.reader.gathered(), octets_out(&reading)), (0, 0), "{arrived}");
        assert!(reading.reader.is_at_boundary() && !reading.reader.is_gathering());
    }
    // Headers were read, their block is open, and no octet of it has come.
    let reading = fed(&[&raw(0x1, 0, 1, b"")]);
    assert!(reading.reader.is_gathering() && !reading.reader.is_at_boundary());
    assert_eq!(reading.reader.gathered(), 0);
}

#[test]
fn a_connection_error_frees_what_was_held() {
    let reading = fed(&[&raw(0x1, 0, 1, &[7; 5_000]), &ping()]);
    assert!(matches!(reading.seen[..], [Seen::Fault(_)]));
    assert_eq!(octets_out(&reading), 0);
}

#[test]
fn whole_frames_need_no_block_of_their_own() {
    let wire = [raw(0x1, END_HEADERS, 1, &[7; 600]), raw(0x4, 0, 0, &[0; 600]), ping()].concat();
    let pool = BufferPool::new(PoolOptions::default());
    let mut reader = FrameReader::new(pool.clone(), ReaderLimits::default());
    let mut block = pool.take(wire.len());
    block.append(&wire);
    let mut cursor = Cursor::new(block);
    let taken = pool.stats().blocks_out;
    while reader.next(&mut cursor).expect("no fault").is_some() {
        assert_eq!((reader.gathered(), pool.stats().blocks_out), (0, taken));
    }
}

#[test]
fn a_field_block_beyond_the_classes_is_not_copied_again_for_every_octet() {
    let limits =
        ReaderLimits { max_frame_size: MAX_FRAME_SIZE, max_field_block: 8 << 20, ..ReaderLimits::default() };
    let wire = raw(0x1, END_HEADERS, 1, &vec![7; 4 << 20]);
    let mut reading = Reading::new(limits);
    let mut grown = 0;
    let mut held = 0;
    let mut cursor_free = |octets: &[u8], reading: &mut Reading| {
        let mut block = reading.pool.take(octets.len());
        block.append(octets);
        let mut cursor = Cursor::new(block);
        let whole = reading.reader.next(&mut cursor).expect("no fault").is_some();
        grown += usize::from(reading.reader.gathered() != held);
        held = reading.reader.gathered();
        whole
    };
    let whole = wire.chunks(4_096).filter(|octets| cursor_free(octets, &mut reading)).count();
    assert_eq!(whole, 1);
    // 4 KiB to 4 MiB: at most two steps each time it doubles, and fewer than four beyond 1 MiB.
    assert!(grown <= 28, "{grown}");
}
