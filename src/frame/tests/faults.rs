//! Every rule a frame can break by itself: which misdeed, how far it reaches.

use super::*;

/// Reads `wire` and then a PING in every way; gives the last thing seen before that PING, and whether it was
/// read.
fn fault(wire: &[u8], limits: ReaderLimits) -> (Fault, bool) {
    let mut seen = read_every_way(&[wire, &ping()].concat(), limits);
    let went_on = seen.last() == Some(&PING);
    if went_on {
        seen.pop();
    }
    match seen.pop() {
        Some(Seen::Fault(fault)) => (fault, went_on),
        other => panic!("no fault but {other:?}"),
    }
}

#[test]
fn connection_errors() {
    let open = raw(0x1, 0, 1, b"begun");
    let in_block = |frame: Vec<u8>| [open.clone(), frame].concat();
    let too_large = vec![0; 16_385];
    use Misdeed::*;
    let table = [
        // §6, RFC 9218 §7.1: stream 0 or another.
        ("DATA on stream 0", raw(0x0, 0, 0, b"x"), FrameOnConnection),
        ("empty DATA on stream 0", raw(0x0, 0, 0, b""), FrameOnConnection),
        ("HEADERS on stream 0", raw(0x1, END_HEADERS, 0, b"x"), FrameOnConnection),
        ("PRIORITY on stream 0", raw(0x2, 0, 0, b"\0\0\0\x03\x10"), FrameOnConnection),
        ("RST_STREAM on stream 0", raw(0x3, 0, 0, &[0; 4]), FrameOnConnection),
        ("SETTINGS on a stream", raw(0x4, 0, 1, b""), FrameOnStream),
        ("SETTINGS with ACK on a stream", raw(0x4, ACK, 1, b""), FrameOnStream),
        ("PING on a stream", raw(0x6, 0, 1, b"pingping"), FrameOnStream),
        ("GOAWAY on a stream", raw(0x7, 0, 1, &[0; 8]), FrameOnStream),
        ("PRIORITY_UPDATE on a stream", raw(0x10, 0, 1, b"\0\0\0\x01u=1"), FrameOnStream),
        ("PRIORITY_UPDATE of stream 0", raw(0x10, 0, 0, b"\x80\0\0\0u=1"), FrameOnConnection),
        // §4.2, §6: lengths.
        ("HEADERS without Pad Length", raw(0x1, END_HEADERS | PADDED, 1, b""), FrameTooShort),
        ("HEADERS without priority", raw(0x1, END_HEADERS | PRIORITY, 1, b"\0\0\0\0"), FrameTooShort),
        ("HEADERS without both", raw(0x1, END_HEADERS | PADDED | PRIORITY, 1, &[0; 5]), FrameTooShort),
        ("RST_STREAM of 3", raw(0x3, 0, 1, &[0; 3]), FrameTooShort),
        ("RST_STREAM of 5", raw(0x3, 0, 1, &[0; 5]), FrameTooShort),
        ("SETTINGS of 5", raw(0x4, 0, 0, &[0; 5]), SettingsLengthInvalid),
        ("SETTINGS of 7", raw(0x4, 0, 0, &[0; 7]), SettingsLengthInvalid),
        ("SETTINGS with ACK and payload", raw(0x4, ACK, 0, &[0; 6]), AckWithPayload),
        ("PING of 7", raw(0x6, 0, 0, &[0; 7]), FrameTooShort),
        ("PING of 9", raw(0x6, ACK, 0, &[0; 9]), FrameTooShort),
        ("GOAWAY of 7", raw(0x7, 0, 0, &[0; 7]), FrameTooShort),
        ("WINDOW_UPDATE of 3", raw(0x8, 0, 1, &[0; 3]), FrameTooShort),
        ("WINDOW_UPDATE of 5", raw(0x8, 0, 0, &[0; 5]), FrameTooShort),
        ("PRIORITY_UPDATE of 3", raw(0x10, 0, 0, &[0; 3]), FrameTooShort),
        // §4.2: the maximum.
        ("DATA too large", raw(0x0, 0, 1, &too_large), FrameTooLarge),
        ("HEADERS too large", raw(0x1, 0, 1, &too_large), FrameTooLarge),
        ("SETTINGS too large", raw(0x4, 0, 0, &vec![0; 16_386]), FrameTooLarge),
        ("GOAWAY too large", raw(0x7, 0, 0, &too_large), FrameTooLarge),
        ("unknown frame too large", raw(0xee, 0, 0, &too_large), FrameTooLarge),
        ("CONTINUATION too large", in_block(raw(0x9, 0, 1, &too_large)), FrameTooLarge),
        // §6.1, §6.2: padding.
        ("DATA of padding and more", raw(0x0, PADDED, 1, b"\x05abcd"), PaddingTooLong),
        ("DATA without room for padding", raw(0x0, PADDED, 1, b"\x01"), PaddingTooLong),
        ("HEADERS of padding and more", raw(0x1, END_HEADERS | PADDED, 1, b"\x05abcd"), PaddingTooLong),
        (
            "padding that reaches into priority",
            raw(0x1, END_HEADERS | PADDED | PRIORITY, 1, b"\x02\0\0\0\0\0x"),
            PaddingTooLong,
        ),
        ("padding in the first of two fragments", raw(0x1, PADDED, 1, b"\x02\0"), PaddingTooLong),
        // §6.6.
        ("PUSH_PROMISE", raw(0x5, END_HEADERS, 1, b"\0\0\0\x02x"), PushDisabled),
        ("PUSH_PROMISE on stream 0", raw(0x5, END_HEADERS, 0, b""), PushDisabled),
        // §4.3, §6.10: field blocks.
        ("CONTINUATION first", raw(0x9, END_HEADERS, 1, b"x"), ContinuationUnexpected),
        ("CONTINUATION on stream 0", raw(0x9, END_HEADERS, 0, b"x"), ContinuationUnexpected),
        (
            "CONTINUATION after END_HEADERS",
            [raw(0x1, END_HEADERS, 1, b"x"), raw(0x9, END_HEADERS, 1, b"x")].concat(),
            ContinuationUnexpected,
        ),
        ("another stream's CONTINUATION", in_block(raw(0x9, END_HEADERS, 3, b"x")), FieldBlockInterrupted),
        ("HEADERS in a field block", in_block(raw(0x1, END_HEADERS, 1, b"x")), FieldBlockInterrupted),
        ("DATA in a field block", in_block(raw(0x0, 0, 1, b"x")), FieldBlockInterrupted),
        ("RST_STREAM in a field block", in_block(raw(0x3, 0, 1, &[0; 4])), FieldBlockInterrupted),
        ("PING in a field block", in_block(ping()), FieldBlockInterrupted),
        ("an unknown frame in a field block", in_block(raw(0xee, 0, 1, b"x")), FieldBlockInterrupted),
    ];
    for (name, wire, misdeed) in table {
        assert_eq!(fault(&wire, ReaderLimits::default()), (Fault::connection(misdeed), false), "{name}");
    }
}

#[test]
fn stream_errors_leave_the_connection_readable() {
    let table = [
        ("PRIORITY of 4", raw(0x2, 0, 1, &[0; 4]), Misdeed::FrameTooShort),
        ("PRIORITY of 6", raw(0x2, 0, 1, &[0; 6]), Misdeed::FrameTooShort),
        ("empty PRIORITY", raw(0x2, 0, 1, b""), Misdeed::FrameTooShort),
        ("DATA without Pad Length", raw(0x0, PADDED | END_STREAM, 1, b""), Misdeed::FrameTooShort),
    ];
    for (name, wire, misdeed) in table {
        let expected = Fault::stream(StreamId::new(1), misdeed);
        assert_eq!(fault(&wire, ReaderLimits::default()), (expected, true), "{name}");
    }
}

/// However large frames of DATA may be: what is held until it is whole has a limit of its own.
#[test]
fn frames_that_are_held_have_a_limit() {
    let limits = ReaderLimits { max_frame_size: MAX_FRAME_SIZE, ..ReaderLimits::default() };
    let settings = |octets| raw(0x4, 0, 0, &vec![0; octets]);
    let goaway = |octets| raw(0x7, 0, 0, &vec![0; octets]);
    let update = |octets: usize| raw(0x10, 0, 0, &[&[0, 0, 0, 1][..], &vec![b' '; octets - 4]].concat());
    for within in [settings(16_380), goaway(16_384), update(16_384)] {
        assert_eq!(read_every_way(&[within, ping()].concat(), limits).last(), Some(&PING));
    }
    let table =
        [("SETTINGS", settings(16_386)), ("GOAWAY", goaway(16_385)), ("PRIORITY_UPDATE", update(16_385))];
    for (name, wire) in table {
        let expected = (Fault::connection(Misdeed::ControlFrameTooLarge), false);
        assert_eq!(fault(&wire, limits), expected, "{name}");
        // By its header alone.
        assert_eq!(fault(&wire[..9], limits), expected, "{name}");
    }
}

#[test]
fn field_blocks_have_limits() {
    let limits = ReaderLimits { max_continuations: 2, max_field_block: 20, ..ReaderLimits::default() };
    let headers = |octets| raw(0x1, 0, 1, &vec![b'h'; octets]);
    let more = |octets| raw(0x9, 0, 1, &vec![b'c'; octets]);
    let last = |octets| raw(0x9, END_HEADERS, 1, &vec![b'c'; octets]);

    let within = [headers(10), more(5), last(5), ping()].concat();
    let block = [[b'h'; 10], [b'c'; 10]].concat();
    assert_eq!(read_every_way(&within, limits), [Seen::headers(1, false, &block), PING]);

    let table = [
        ("HEADERS beyond the limit", headers(21), Misdeed::FieldBlockTooLarge),
        ("CONTINUATION beyond the limit", [headers(10), last(11)].concat(), Misdeed::FieldBlockTooLarge),
        ("the second beyond", [headers(10), more(5), last(6)].concat(), Misdeed::FieldBlockTooLarge),
        ("too many", [headers(1), more(1), more(1), last(1)].concat(), Misdeed::ContinuationFlood),
        ("too many empty ones", [headers(0), more(0), more(0), more(0)].concat(), Misdeed::ContinuationFlood),
    ];
    for (name, wire, misdeed) in table {
        assert_eq!(fault(&wire, limits), (Fault::connection(misdeed), false), "{name}");
    }
}

#[test]
fn the_maximum_frame_size_can_be_raised_between_frames() {
    let mut reading = Reading::new(ReaderLimits::default());
    reading.reader.set_max_frame_size(20_000);
    reading.feed(&raw(0x0, 0, 1, &[7; 20_000]));
    assert_eq!(reading.seen[1], Seen::data(1, &[7; 20_000], false));
    reading.feed(&raw(0x0, 0, 1, &[7; 20_001]));
    assert_eq!(reading.seen.last(), Some(&Seen::Fault(Fault::connection(Misdeed::FrameTooLarge))));
}

#[test]
fn a_fault_is_found_before_the_payload_comes() {
    // Nine octets are enough for everything that the header decides.
    let table = [
        (raw(0x6, 0, 0, &[0; 200]), Misdeed::FrameTooShort),
        (raw(0x1, END_HEADERS | PADDED | PRIORITY, 1, &[0; 5]), Misdeed::FrameTooShort),
        (raw(0x0, 0, 0, &[0; 200]), Misdeed::FrameOnConnection),
        (raw(0x7, 0, 0, &[0; 16_385]), Misdeed::FrameTooLarge),
        (raw(0x5, 0, 1, &[0; 200]), Misdeed::PushDisabled),
    ];
    for (wire, misdeed) in table {
        let seen = read([&wire[..9]], ReaderLimits::default());
        assert_eq!(seen, [Seen::Fault(Fault::connection(misdeed))]);
    }
}
