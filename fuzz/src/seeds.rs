//! The seeds: one small input for each thing that a fuzzer should not have to find by itself.

/// Every seed of a target: its name and its octets.
pub fn of(target: &str) -> Vec<(&'static str, Vec<u8>)> {
    match target {
        "frame_reader" => frames(),
        "hpack_decode" => blocks(),
        "hpack_roundtrip" => vec![
            ("one_field", vec![16, 0, 1, 0, 3, b'a', b'b', b'c']),
            ("repeated", [16, 0, 2, 0x85, 60, 2, 3, b'v', b'a', b'l'].repeat(4)),
            ("table_sizes", [4, 2, 1, 64, 3, 0x80, 0, 7, 2, 9, 9, 5, 1, 1].repeat(5)),
            ("sensitive", [16, 0, 2, 0x21, 4, b'p', b'a', b's', b's', 0x33, 1, 1, 2, 7, 7].repeat(3)),
        ],
        "server_connection" => vec![
            ("request_and_answer", [&[0][..], SETTINGS, &[4, 1, 1, 12, 9, 0, 19, 7]].concat()),
            (
                "upload",
                [&[12][..], SETTINGS, &[4, 0, 1, 7, 0, 1, 200, 8, 1, 1, 64, 0, 15, 0, 15, 0, 12, 5, 0]]
                    .concat(),
            ),
            (
                "stream_window",
                [&[1][..], SETTINGS, &[4, 0, 1, 8, 0, 1, 3, 232, 15, 0, 8, 0, 1, 3, 232]].concat(),
            ),
            (
                "download",
                [
                    &[0][..],
                    SETTINGS,
                    &[4, 1, 1, 12, 9, 255, 255, 19, 7, 9, 0, 255, 255, 0, 9, 1, 255, 255, 0, 19, 7],
                ]
                .concat(),
            ),
            ("reserve", [&[0][..], SETTINGS, &[4, 1, 1, 17, 16, 0, 0, 0, 17, 1, 0, 1, 0, 12, 0, 0]].concat()),
            (
                "rapid_reset",
                [&[0][..], SETTINGS, &[4, 1, 1, 10, 1, 8, 4, 1, 3, 10, 3, 8, 4, 1, 5, 10, 5, 8]].concat(),
            ),
            (
                "crossing_reset",
                [&[0][..], SETTINGS, &[4, 0, 1, 16, 2, 0, 7, 0, 1, 9, 19, 7, 7, 1, 1, 9]].concat(),
            ),
            (
                "shutdown",
                [
                    &[0][..],
                    SETTINGS,
                    &[
                        4, 0, 1, 19, 0, 19, 7, 1, 6, 1, 0, 8, 0x0b, 0x7b, 0xa2, 0xf0, 0x8b, 0x9b, 0xfe, 0x54,
                        19, 7, 4, 1, 3,
                    ],
                ]
                .concat(),
            ),
            (
                "small_window",
                [&[0][..], &[2, 1, 2, 0, 4, 0], &[3, 4, 1, 1, 12, 9, 1, 0, 19, 7, 2, 1, 2, 1, 0, 0, 19, 7]]
                    .concat(),
            ),
            (
                "table_size",
                [
                    &[0][..],
                    &[2, 2, 0, 0, 100, 0, 0, 16, 0, 0],
                    &[4, 1, 1, 12, 8, 19, 7, 4, 1, 3, 12, 8, 19, 7],
                ]
                .concat(),
            ),
            ("silence", [&[128][..], SETTINGS, &[18, 255, 11, 18, 255, 11, 19, 7]].concat()),
            (
                "cut_headers",
                [
                    &[0][..],
                    SETTINGS,
                    &[0, 12, 0, 0, 6, 1, 4, 0, 0, 0, 1, 0x83, 0x86, 0x84, 0, 3, 0x41, 1, b'a'],
                ]
                .concat(),
            ),
            (
                "continuation",
                [&[0][..], SETTINGS, &[1, 1, 0, 1, 3, 0x83, 0x86, 0x84, 1, 9, 4, 1, 3, 0x41, 1, b'a']]
                    .concat(),
            ),
            ("end_of_file", [&[0][..], SETTINGS, &[4, 1, 1, 19, 205, 12, 9, 0, 3]].concat()),
        ],
        "client_connection" => vec![
            ("request_and_answer", [&[0][..], SETTINGS, &[11, 0x20, 4, 1, 1, 19, 7]].concat()),
            (
                "download",
                [
                    &[12][..],
                    SETTINGS,
                    &[11, 0x20, 19, 7, 4, 0, 1, 8, 0, 1, 60, 0, 15, 0, 8, 1, 1, 60, 0, 15, 0],
                ]
                .concat(),
            ),
            (
                "upload",
                [
                    &[0][..],
                    SETTINGS,
                    &[11, 6, 255, 255, 255, 255, 19, 7, 9, 0, 255, 255, 1, 9, 1, 255, 255, 1, 19, 7, 4, 1, 1],
                ]
                .concat(),
            ),
            ("informational", [&[0][..], SETTINGS, &[11, 0x20, 19, 7, 5, 0, 1, 4, 1, 1]].concat()),
            (
                "stream_limit",
                [
                    &[0][..],
                    &[2, 1, 1, 0, 1, 0],
                    &[11, 0x20, 11, 0x20, 11, 0x20, 19, 7, 4, 1, 1, 19, 7, 4, 1, 3],
                ]
                .concat(),
            ),
            (
                "goaway",
                [
                    &[0][..],
                    SETTINGS,
                    &[11, 0x20, 11, 0x20, 19, 7, 1, 7, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 4, 1, 1],
                ]
                .concat(),
            ),
            ("refused", [&[0][..], SETTINGS, &[11, 0x20, 19, 7, 10, 1, 7]].concat()),
            ("connect", [&[0][..], SETTINGS, &[11, 3, 19, 7, 4, 0, 1, 7, 0, 1, 50, 15, 0]].concat()),
            ("cancel", [&[0][..], SETTINGS, &[11, 0, 19, 7, 16, 1, 0, 4, 0, 1, 7, 1, 1, 9]].concat()),
        ],
        _ => Vec::new(),
    }
}

/// The peer's first SETTINGS, empty, and its acknowledgement of ours.
const SETTINGS: &[u8] = &[2, 0, 19, 7, 3];

fn frames() -> Vec<(&'static str, Vec<u8>)> {
    let with = |cut: u8, octets: &[u8]| [&[cut][..], octets].concat();
    vec![
        ("data", with(3, b"\0\0\x05\0\x01\0\0\0\x01hello")),
        ("data_padded", with(2, b"\0\0\x08\0\x09\0\0\0\x01\x02hello\0\0")),
        ("data_empty", with(1, b"\0\0\0\0\x01\0\0\0\x03")),
        ("headers", with(4, b"\0\0\x03\x01\x05\0\0\0\x01\x82\x86\x84")),
        ("headers_priority", with(4, b"\0\0\x08\x01\x25\0\0\0\x01\0\0\0\x03\x10\x82\x86\x84")),
        (
            "continuation",
            with(
                5,
                b"\0\0\x01\x01\0\0\0\0\x01\x82\0\0\x01\x09\0\0\0\0\x01\x86\0\0\x01\x09\x04\0\0\0\x01\x84",
            ),
        ),
        ("priority", with(6, b"\0\0\x05\x02\0\0\0\0\x03\0\0\0\x01\x0f")),
        ("reset", with(7, b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08")),
        (
            "settings",
            with(2, b"\0\0\x0c\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\0\0\xff\xff\0\0\0\x04\x01\0\0\0\0"),
        ),
        ("push_promise", with(2, b"\0\0\x04\x05\x04\0\0\0\x01\0\0\0\x02")),
        ("ping", with(9, b"\0\0\x08\x06\0\0\0\0\0pingping\0\0\x08\x06\x01\0\0\0\0pingping")),
        ("goaway", with(8, b"\0\0\x0a\x07\0\0\0\0\0\0\0\0\x01\0\0\0\0by")),
        ("window_update", with(3, b"\0\0\x04\x08\0\0\0\0\0\0\0\xff\xff\0\0\x04\x08\0\0\0\0\x01\0\0\0\0")),
        ("priority_update", with(3, b"\0\0\x07\x10\0\0\0\0\0\0\0\0\x01u=3")),
        ("unknown", with(3, b"\0\0\x05\xbb\0\0\0\0\x01hello\0\0\x08\x06\0\0\0\0\0pingping")),
        ("too_large", with(3, b"\x01\0\0\0\0\0\0\0\x01")),
        ("stream_error_then_more", with(3, b"\0\0\x03\x08\0\0\0\0\x01abc\0\0\x08\x06\0\0\0\0\0pingping")),
    ]
}

fn blocks() -> Vec<(&'static str, Vec<u8>)> {
    let block = |octets: &[u8]| [&[0, octets.len() as u8][..], octets].concat();
    // RFC 7541, appendix C.
    let first = b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
    let second = b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf";
    vec![
        ("appendix_c_4", [block(first), block(second)].concat()),
        ("size_updates", [block(first), [0xf1, 4, 0x3f, 0xe1, 0x03, 0x82].to_vec(), block(b"\x82")].concat()),
        ("update_missing", [block(first), [0xf0, 1, 0x82].to_vec()].concat()),
        ("never_indexed", block(b"\x10\x08password\x06secret")),
        ("bad_name", block(b"\x00\x01A\x01a\x82")),
        ("pseudo_late", block(b"\x00\x01a\x01a\x82")),
        ("integer_overflow", block(b"\xff\xff\xff\xff\xff\x7f")),
        ("expanding", block(&[&b"\x40\x01a\x40"[..], &[b'v'; 64], &[0xbe; 60]].concat())),
    ]
}
