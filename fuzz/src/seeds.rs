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
        "connection_ops" => operations(),
        "h2_differential" => conversations(),
        _ => Vec::new(),
    }
}

/// The peer's first SETTINGS, empty, and its acknowledgement of ours.
const SETTINGS: &[u8] = &[2, 0, 19, 7, 3];

/// What a peer says to the facade and to h2, and what their application does.
fn conversations() -> Vec<(&'static str, Vec<u8>)> {
    const HELLO: &[u8] = &[2, 0, 3];
    const RUN: &[u8] = &[31, 0];
    // END_STREAM or not, stream, which head.
    let head = |end: u8, stream: u8, which: u8| [4, end, stream, which];
    let data = |end: u8, stream: u8, octets: u8| [10, end, stream, octets];
    let with = |options: u8, parts: &[&[u8]]| [&[options], HELLO, &parts.concat()].concat();
    vec![
        ("call", with(0, &[&head(1, 1, 0), &[18, 0]])),
        ("answer_with_body", with(0, &[&head(1, 1, 6), &[19, 0, 22, 0, 4, 0, 23, 0, 0, 9]])),
        (
            "answer_with_trailers",
            with(0, &[&head(1, 1, 0), &[21, 0, 19, 0, 22, 0, 156, 63, 24, 0], &[13, 0, 255, 0, 0]]),
        ),
        ("upload", with(0, &[&head(0, 1, 1), &data(0, 1, 200), RUN, &data(9, 1, 50), &[18, 0]])),
        ("upload_with_trailers", with(4, &[&head(0, 1, 1), &data(0, 1, 99), &head(1, 1, 8), &[18, 0]])),
        ("length", with(0, &[&head(0, 1, 2), &data(1, 1, 3), &head(0, 3, 2), &data(1, 3, 4), RUN, &[18, 0]])),
        (
            "not_read",
            with(
                4,
                &[&head(0, 1, 1), RUN, &[27, 0, 0], &data(0, 1, 100), RUN, &[27, 0, 1], &data(1, 1, 100)],
            ),
        ),
        ("window_exceeded", with(4, &[&head(0, 1, 1), &data(0, 1, 101), RUN])),
        ("reset", with(0, &[&head(0, 1, 1), &[14, 1, 8], RUN, &head(1, 3, 0), &[25, 1, 2], &data(1, 1, 1)])),
        (
            "reset_by_us",
            with(
                12,
                &[&head(0, 1, 1), &[25, 0, 8], &data(0, 1, 9), &head(0, 3, 1), &[26, 1, 0], &data(0, 3, 9)],
            ),
        ),
        ("too_many", with(2, &[&head(0, 1, 1), &head(0, 3, 1), &head(0, 5, 1), RUN, &data(1, 5, 1)])),
        (
            "too_large",
            with(1, &[&[204, 1, 1, 0, 66, 0, 1, b'n', 0x3f], &[b'v'; 62], &head(1, 3, 3), &head(1, 5, 0)]),
        ),
        ("malformed", with(0, &[&head(1, 1, 10), &head(1, 3, 11), &head(1, 5, 0), &[18, 0, 0]])),
        ("continuation", with(0, &[&[9, 1, 1, 6, 4], &[18, 0]])),
        ("interrupted", with(0, &[&[1, 1, 0, 1, 1, 0x82], &[3], &head(1, 3, 0)])),
        ("tunnel", with(16, &[&head(0, 1, 5), &[19, 0], &data(0, 1, 30), &[22, 0, 0, 30], &data(1, 1, 30)])),
        (
            "settings",
            with(0, &[&[2, 3, 2, 0, 10, 0, 3, 0, 1, 15, 0, 0, 64, 0], &head(1, 1, 0), &[19, 0, 22, 0, 1, 0]]),
        ),
        ("ping_and_goaway", with(0, &[&[16, 0, 7, 16, 1, 7, 17, 0, 0], &head(1, 1, 0), &[18, 0]])),
        ("shutdown", with(0, &[&head(0, 1, 1), &[28, 0, 200, 16, 1, 11], &data(1, 1, 1), &[18, 0]])),
        ("abrupt", with(0, &[&head(0, 1, 1), &[28, 0, 2], &data(1, 1, 1)])),
        ("padding", with(0, &[&head(0, 1, 1), &[10, 9, 1, 9, 4, 10, 8, 1, 9, 9]])),
        ("idle_streams", with(0, &[&data(0, 1, 1)])),
        ("closed_streams", with(0, &[&head(1, 1, 0), &[18, 0], &data(0, 1, 1), &head(1, 1, 0)])),
        ("skipped_stream", with(0, &[&head(0, 9, 1), RUN, &data(0, 3, 1), RUN, &head(1, 5, 0)])),
        ("no_preface", vec![0x80, 0, 3, 1, 2, 3]),
        ("huge_frame", with(0, &[&[0, 9, 255, 0, 0, 0, 0, 0, 0, 0, 1]])),
        ("windows", with(8, &[&head(0, 1, 1), RUN, &[29, 0, 0, 9, 30, 0, 255, 255, 3], &data(1, 1, 100)])),
    ]
}

/// What the two ends of a connection do, by its number in the list of operations; those of the server have the
/// highest bit.
fn operations() -> Vec<(&'static str, Vec<u8>)> {
    const SETTLE: u8 = 20;
    const GET: &[u8] = &[0, 0x20];
    const ANSWER: &[u8] = &[0x82, 0x08, 0];
    let with = |options: [u8; 2], parts: &[&[u8]]| [&options[..], &parts.concat()].concat();
    // Three pieces of a body each way, then trailers.
    let post: &[u8] = &[0, 0x0e, 10, 0, 100, 0, 0, 7];
    let answer: &[u8] = &[0x83, 0x03, 100, 0, 100, 0, 1, 0, 0, 0x84, 0x05, 9, 9, 7, 0];
    let read: &[u8] = &[0x88, 0, 8, 0, 0x8a, 255, 255, 0, 10, 255, 255, 0];
    let both: &[&[u8]] = &[post, &[SETTLE], answer, &[SETTLE], read, &[SETTLE], read, &[SETTLE]];
    vec![
        ("call", with([0, 0], &[GET, &[SETTLE], ANSWER, &[SETTLE]])),
        ("bodies", with([0, 0], both)),
        ("bodies_h2", with([1, 1], both)),
        ("windows_of_zero", with([4, 5], both)),
        ("small_windows", with([0b11_0010, 0b1_0010], both)),
        ("one_at_a_time", with([0, 64], &[&[SETTLE], GET, GET, GET, &[SETTLE], ANSWER, &[SETTLE], ANSWER])),
        ("too_many_too_soon", with([0, 64], &[GET, GET, GET, &[17, 18, 255, 255, SETTLE]])),
        ("octet_by_octet", with([0, 0], &[GET, &[17], &[18, 0, 1].repeat(40), &[SETTLE], ANSWER])),
        (
            "small_socket",
            with([0, 1], &[post, &[16, 1, 0, 0, 30].repeat(9), &[18, 0, 9].repeat(5), &[SETTLE]]),
        ),
        ("reset", with([0, 0], &[post, &[SETTLE], answer, &[6, 8, 0, 0x86, 2, 0, SETTLE]])),
        (
            "reset_in_the_socket",
            with([0, 1], &[post, &[16, 64, 0, 0, 60, 6, 8, 0, 16, 255, 255, 255, 255, SETTLE]]),
        ),
        ("abandoned", with([0, 1], &[post, &[SETTLE], answer, &[7, 0, 0x87, 0, SETTLE]])),
        (
            "windows_change",
            with(
                [0, 1],
                &[post, &[13, 0, 9, 0, 0x8d, 0, 0, 0, SETTLE], answer, &[14, 1, 0, 4, 0x8d, 9, 9, 9], read],
            ),
        ),
        ("reserved", with([1, 0], &[post, &[11, 255, 255, 0, SETTLE, 12, 1, 0, 0, SETTLE], GET, &[SETTLE]])),
        ("pings", with([128, 128], &[&[SETTLE, 15, 0x8f, SETTLE], post, &[SETTLE, 21, 255, 6, SETTLE]])),
        ("silence", with([128, 128], &[GET, &[17, 21, 255, 11, SETTLE, 21, 255, 7, 0x91]])),
        ("shutdown", with([0, 0], &[post, &[SETTLE, 0x96, 17, 0x91, 18, 0, 9], GET, answer, &[SETTLE]])),
        ("shutdown_h2", with([1, 1], &[post, &[SETTLE, 22, 0x96], answer, &[SETTLE]])),
        ("abort", with([0, 0], &[post, &[SETTLE, 0x97, 121], answer, &[SETTLE]])),
        ("broken_socket", with([0, 0], &[post, &[SETTLE, 0x97, 122], &[SETTLE]])),
        ("cut_wire", with([0, 0], &[post, &[23, 123, 1, 0, SETTLE], answer])),
        ("informational", with([0, 0], &[GET, &[SETTLE, 0x85, 0, 0x85, 0, SETTLE], ANSWER])),
        ("tunnel", with([0, 0], &[&[0, 0x07, 3, 0], &[SETTLE], answer, &[SETTLE], read])),
        ("head", with([1, 0], &[&[0, 0x21], &[SETTLE], answer])),
    ]
}

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
