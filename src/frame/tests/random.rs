//! Random frames and random octets, cut at random.

use proptest::{collection::vec, prelude::*};

use super::*;

/// A well-formed frame on the wire, and what is to be seen of it.
type Exchange = (Vec<u8>, Vec<Seen>);

fn octets(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..=most)
}

fn stream() -> impl Strategy<Value = u32> {
    1..=StreamId::MAX.value()
}

fn data() -> impl Strategy<Value = Exchange> {
    (stream(), octets(700), any::<bool>(), proptest::option::of(octets(255))).prop_map(
        |(stream, payload, end_stream, padding)| {
            let end = if end_stream { END_STREAM } else { 0 };
            let wire = match padding {
                Some(padding) => {
                    raw(0x0, end | PADDED, stream, &[&[padding.len() as u8], &payload[..], &padding].concat())
                }
                None => raw(0x0, end, stream, &payload),
            };
            let length = (wire.len() - 9) as u32;
            (
                wire,
                vec![
                    Seen::DataStart { stream, length, end_stream },
                    Seen::data(stream, &payload, end_stream),
                ],
            )
        },
    )
}

fn headers() -> impl Strategy<Value = Exchange> {
    let extras =
        (any::<bool>(), proptest::option::of(0_u32..=0x7fff_ffff), proptest::option::of(octets(255)));
    (stream(), octets(700), extras, vec(octets(300), 0..4)).prop_map(
        |(stream, first, (end_stream, depends_on, padding), more)| {
            let mut flags = if end_stream { END_STREAM } else { 0 };
            let mut payload = Vec::new();
            if let Some(padding) = &padding {
                flags |= PADDED;
                payload.push(padding.len() as u8);
            }
            if let Some(depends_on) = depends_on {
                flags |= PRIORITY;
                payload.extend(depends_on.to_be_bytes());
                payload.push(16);
            }
            payload.extend(&first);
            payload.extend(padding.iter().flatten());
            let ends = |index| if index == more.len() { END_HEADERS } else { 0 };
            let mut wire = raw(0x1, flags | ends(0), stream, &payload);
            for (index, fragment) in more.iter().enumerate() {
                wire.extend(raw(0x9, ends(index + 1), stream, fragment));
            }
            let block = [first, more.concat()].concat();
            (wire, vec![Seen::Headers { stream, end_stream, depends_on, block }])
        },
    )
}

fn other() -> impl Strategy<Value = Exchange> {
    let id = StreamId::new;
    prop_oneof![
        (stream(), 0_u32..=0x7fff_ffff).prop_map(|(stream, depends_on)| {
            let payload = [&depends_on.to_be_bytes()[..], &[0]].concat();
            (raw(0x2, 0, stream, &payload), Seen::Priority { stream, depends_on })
        }),
        (stream(), any::<u32>()).prop_map(move |(stream, code)| {
            let code = ErrorCode::from(code);
            (written(|out| write::reset(out, id(stream), code)), Seen::Reset { stream, code })
        }),
        vec(any::<(u16, u32)>(), 0..9)
            .prop_map(|entries| { (written(|out| write::settings(out, &entries)), Seen::Settings(entries)) }),
        Just(()).prop_map(|()| (written(write::settings_ack), Seen::SettingsAck)),
        any::<(bool, [u8; 8])>().prop_map(|(ack, payload)| {
            (written(|out| write::ping(out, ack, payload)), Seen::Ping { ack, payload })
        }),
        (stream(), any::<u32>(), octets(400)).prop_map(move |(last_stream, code, debug)| {
            let code = ErrorCode::from(code);
            let wire = written(|out| write::goaway(out, id(last_stream), code, &debug));
            (wire, Seen::GoAway { last_stream, code, debug })
        }),
        (0..=0x7fff_ffff_u32, 1..=0x7fff_ffff_u32).prop_map(move |(stream, increment)| {
            let wire = written(|out| write::window_update(out, id(stream), increment));
            (wire, Seen::WindowUpdate { stream, increment })
        }),
        (stream(), octets(40)).prop_map(move |(stream, value)| {
            let wire = written(|out| write::priority_update(out, id(stream), &value));
            (wire, Seen::PriorityUpdate { stream, value })
        }),
        (0x11..=0xff_u8, any::<(u8, u32)>(), octets(700)).prop_map(|(kind, (flags, stream), payload)| {
            let length = payload.len() as u32;
            (raw(kind, flags, stream, &payload), Seen::Unknown { kind, length })
        }),
    ]
    .prop_map(|(wire, seen)| (wire, vec![seen]))
}

/// Frames that are nearly right: a sensible header before too little or too much of anything.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    (0..=0x11_u8, any::<u8>(), 0..4_u32, octets(20))
        .prop_map(|(kind, flags, stream, payload)| raw(kind, flags, stream, &payload))
}

/// Cuts `wire` into blocks of these sizes, over and over.
fn cut<'a>(mut wire: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut blocks = Vec::new();
    for size in sizes.iter().cycle() {
        if wire.is_empty() {
            break;
        }
        let (block, rest) = wire.split_at((*size).min(wire.len()));
        blocks.push(block);
        wire = rest;
    }
    blocks
}

/// Small sizes as often as large ones.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![1..12_usize, 1..2_000_usize], 1..40)
}

proptest! {
    #[test]
    fn any_frames_are_read_however_they_are_cut(
        exchanges in vec(prop_oneof![data(), headers(), other()], 0..20),
        sizes in sizes(),
    ) {
        let (wires, seen): (Vec<_>, Vec<_>) = exchanges.into_iter().unzip();
        prop_assert_eq!(read(cut(&wires.concat(), &sizes), ReaderLimits::default()), seen.concat());
    }

    #[test]
    fn any_octets_are_judged_the_same_however_they_are_cut(
        frames in vec(prop_oneof![9 => nearly(), 1 => octets(40)], 0..20),
        sizes in sizes(),
    ) {
        let limits = ReaderLimits { max_frame_size: 16_384, max_continuations: 2, max_field_block: 30 };
        let wire = frames.concat();
        prop_assert_eq!(read(cut(&wire, &sizes), limits), read([&wire[..]], limits));
    }
}
