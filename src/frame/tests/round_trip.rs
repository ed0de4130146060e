//! Every frame type, written and read.

use super::*;

fn id(value: u32) -> StreamId {
    StreamId::new(value)
}

/// Reads `wire` with default limits in every way, followed by a PING that must be read too.
fn seen(wire: impl Into<Vec<u8>>) -> Vec<Seen> {
    let mut wire = wire.into();
    wire.extend(ping());
    let mut seen = read_every_way(&wire, ReaderLimits::default());
    assert_eq!(seen.pop(), Some(PING));
    seen
}

#[test]
fn data() {
    let wire = written(|out| {
        write::data_header(out, id(1), 5, false);
        out.put(b"hello");
        write::data_header(out, id(3), 0, false);
        write::data_header(out, id(1), 1, true);
        out.put(b"!");
        write::data_header(out, id(3), 0, true);
    });
    let start = |stream, length, end_stream| Seen::DataStart { stream, length, end_stream };
    assert_eq!(
        seen(wire),
        [
            start(1, 5, false),
            Seen::data(1, b"hello", false),
            start(3, 0, false),
            Seen::data(3, b"", false),
            start(1, 1, true),
            Seen::data(1, b"!", true),
            start(3, 0, true),
            Seen::data(3, b"", true),
        ]
    );
}

#[test]
fn data_with_padding_counts_it_and_drops_it() {
    let wire = [
        raw(0x0, PADDED, 1, b"\x03abc\0\0\0"),
        raw(0x0, PADDED | END_STREAM, 1, b"\x00z"),
        raw(0x0, PADDED, 3, b"\x02\0\0"),
        raw(0x0, PADDED | END_STREAM, 3, b"\0"),
    ];
    assert_eq!(
        seen(wire.concat()),
        [
            Seen::DataStart { stream: 1, length: 7, end_stream: false },
            Seen::data(1, b"abc", false),
            Seen::DataStart { stream: 1, length: 2, end_stream: true },
            Seen::data(1, b"z", true),
            Seen::DataStart { stream: 3, length: 3, end_stream: false },
            Seen::data(3, b"", false),
            Seen::DataStart { stream: 3, length: 1, end_stream: true },
            Seen::data(3, b"", true),
        ]
    );
}

#[test]
fn data_that_nobody_takes_is_passed_over() {
    let wire = [raw(0x0, PADDED, 1, b"\x01ab\0"), ping()].concat();
    for size in 1..=wire.len() {
        let mut reading = Reading::new(ReaderLimits::default());
        for octets in wire.chunks(size) {
            let mut block = reading.pool.take(octets.len());
            block.append(octets);
            let mut cursor = Cursor::new(block);
            while let Some(frame) = reading.reader.next(&mut cursor).expect("no fault") {
                match frame {
                    Frame::DataStart { .. } | Frame::Data { .. } => drop(frame),
                    other => reading.seen.push(other.into()),
                }
            }
        }
        assert_eq!(reading.seen, [PING]);
    }
}

#[test]
fn headers() {
    let wire = written(|out| {
        write::headers(out, id(1), false, 16_384, 10, |room| {
            assert_eq!(room.len(), 10);
            room[..5].copy_from_slice(b"block");
            5
        });
        write::headers(out, id(3), true, 16_384, 0, |_| 0);
    });
    assert_eq!(seen(wire), [Seen::headers(1, false, b"block"), Seen::headers(3, true, b"")]);
}

#[test]
fn headers_with_padding_and_priority() {
    let wire = [
        raw(0x1, END_HEADERS | PADDED, 1, b"\x02block\0\0"),
        raw(0x1, END_HEADERS | PRIORITY, 3, b"\x80\0\0\x01\x10block"),
        raw(0x1, END_HEADERS | END_STREAM | PADDED | PRIORITY, 5, b"\x01\0\0\0\x05\x10block\0"),
        raw(0x1, END_HEADERS | PADDED | PRIORITY, 7, b"\x01\0\0\0\0\x10\0"),
    ];
    let with = |stream, end_stream, depends_on, block: &[u8]| Seen::Headers {
        stream,
        end_stream,
        depends_on: Some(depends_on),
        block: block.to_vec(),
    };
    assert_eq!(
        seen(wire.concat()),
        [
            Seen::headers(1, false, b"block"),
            with(3, false, 1, b"block"),
            with(5, true, 5, b"block"),
            with(7, false, 0, b""),
        ]
    );
}

#[test]
fn continuation_joins() {
    let wire = [
        raw(0x1, END_STREAM | PADDED | PRIORITY, 1, b"\x02\0\0\0\x07\x10one \0\0"),
        raw(0x9, 0, 1, b"two "),
        raw(0x9, 0, 1, b""),
        raw(0x9, END_HEADERS, 1, b"three"),
        raw(0x1, 0, 3, b""),
        raw(0x9, END_HEADERS, 3, b""),
        raw(0x1, 0, 5, b""),
        raw(0x9, END_HEADERS, 5, b"late"),
    ];
    let first =
        Seen::Headers { stream: 1, end_stream: true, depends_on: Some(7), block: b"one two three".to_vec() };
    assert_eq!(seen(wire.concat()), [first, Seen::headers(3, false, b""), Seen::headers(5, false, b"late")]);
}

#[test]
fn long_field_blocks_are_split_and_joined() {
    let max = MIN_MAX_FRAME_SIZE as usize;
    for octets in [0, 1, max - 1, max, max + 1, 2 * max, 2 * max + 1, 3 * max - 1] {
        for slack in [0, 1, max] {
            let block: Vec<u8> = (0..octets).map(|n| (n % 251) as u8).collect();
            let wire = written(|out| {
                write::headers(out, id(1), true, MIN_MAX_FRAME_SIZE, octets + slack, |room| {
                    room.fill(0xaa);
                    room[..octets].copy_from_slice(&block);
                    octets
                });
                write::ping(out, false, *b"pingping");
            });
            assert_eq!(wire.len(), octets + 9 * octets.div_ceil(max).max(1) + 17);
            let seen = read(wire.chunks(5_000), ReaderLimits::default());
            assert_eq!(seen, [Seen::headers(1, true, &block), PING]);
        }
    }
}

#[test]
fn a_long_field_block_survives_every_cut() {
    let block = vec![7; 40_000];
    let wire = written(|out| {
        write::headers(out, id(1), false, 0, 40_000, |room| {
            room.copy_from_slice(&block);
            40_000
        })
    });
    assert_eq!(seen(wire), [Seen::headers(1, false, &block)]);
}

#[test]
fn priority() {
    let wire = [raw(0x2, 0, 1, b"\x80\0\0\x03\xff"), raw(0x2, 0xff, 3, b"\0\0\0\0\0")];
    assert_eq!(
        seen(wire.concat()),
        [Seen::Priority { stream: 1, depends_on: 3 }, Seen::Priority { stream: 3, depends_on: 0 }]
    );
}

#[test]
fn reset() {
    let wire = written(|out| {
        write::reset(out, id(1), ErrorCode::CANCEL);
        write::reset(out, StreamId::MAX, ErrorCode::from(0xdead_beef));
    });
    assert_eq!(
        seen(wire),
        [
            Seen::Reset { stream: 1, code: ErrorCode::CANCEL },
            Seen::Reset { stream: 0x7fff_ffff, code: ErrorCode::from(0xdead_beef) }
        ]
    );
}

#[test]
fn settings() {
    let entries =
        [(setting::MAX_FRAME_SIZE, 20_000), (0xffff, u32::MAX), (setting::MAX_FRAME_SIZE, 30_000), (0, 0)];
    let wire = written(|out| {
        write::settings(out, &entries);
        write::settings(out, &[]);
        write::settings_ack(out);
    });
    assert_eq!(seen(wire), [Seen::Settings(entries.to_vec()), Seen::Settings(vec![]), Seen::SettingsAck]);
}

#[test]
fn pings() {
    let wire = written(|out| {
        write::ping(out, false, *b"12345678");
        write::ping(out, true, [0xff; 8]);
    });
    assert_eq!(
        seen(wire),
        [Seen::Ping { ack: false, payload: *b"12345678" }, Seen::Ping { ack: true, payload: [0xff; 8] }]
    );
}

#[test]
fn goaway() {
    let wire = written(|out| {
        write::goaway(out, StreamId::MAX, ErrorCode::NO_ERROR, b"");
        write::goaway(out, id(7), ErrorCode::ENHANCE_YOUR_CALM, b"too_many_pings");
    });
    let away = |last_stream, code, debug: &[u8]| Seen::GoAway { last_stream, code, debug: debug.to_vec() };
    assert_eq!(
        seen(wire),
        [
            away(0x7fff_ffff, ErrorCode::NO_ERROR, b""),
            away(7, ErrorCode::ENHANCE_YOUR_CALM, b"too_many_pings")
        ]
    );
}

#[test]
fn goaway_never_exceeds_what_every_peer_accepts() {
    let wire = written(|out| write::goaway(out, id(1), ErrorCode::NO_ERROR, &[b'x'; 20_000]));
    let debug = vec![b'x'; 16_384 - 8];
    assert_eq!(seen(wire), [Seen::GoAway { last_stream: 1, code: ErrorCode::NO_ERROR, debug }]);
}

#[test]
fn window_update() {
    let mut wire = written(|out| {
        write::window_update(out, StreamId::CONNECTION, 1);
        write::window_update(out, id(1), 0x7fff_ffff);
    });
    // Zero is given as it is, the reserved bit is dropped.
    wire.extend(raw(0x8, 0, 1, &[0x80, 0, 0, 0]));
    let update = |stream, increment| Seen::WindowUpdate { stream, increment };
    assert_eq!(seen(wire), [update(0, 1), update(1, 0x7fff_ffff), update(1, 0)]);
}

#[test]
fn priority_update() {
    let mut wire = written(|out| write::priority_update(out, id(5), b"u=1, i"));
    wire.extend(raw(0x10, 0, 0, &[0x80, 0, 0, 1]));
    let update = |stream, value: &[u8]| Seen::PriorityUpdate { stream, value: value.to_vec() };
    assert_eq!(seen(wire), [update(5, b"u=1, i"), update(1, b"")]);
}

#[test]
fn unknown_frames_stream_past() {
    let wire = [raw(0xa, 0xff, 1, b""), raw(0xff, 0xff, 0, b"anything"), raw(0xb, 0, 9, &[1; 300])];
    let unknown = |kind, length| Seen::Unknown { kind, length };
    assert_eq!(seen(wire.concat()), [unknown(0xa, 0), unknown(0xff, 8), unknown(0xb, 300)]);
}

#[test]
fn unknown_flags_and_the_reserved_bit_mean_nothing() {
    let mut wire = raw(0x6, 0xfe, 0, b"pingping");
    wire[5] |= 0x80;
    assert_eq!(seen(wire), [PING]);
}
