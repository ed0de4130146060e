//! Messages and frames that are wrong: what smuggles requests past a proxy (RFC 9113 §8.2, §8.3, §10.3), and frames where
//! they do not belong (§5.1, §6).
//!
//! A malformed message ends its stream and never reaches a handler; a frame that cannot be explained by any state ends the
//! connection. Either costs one frame back.

use bytes::Bytes;
use millpond::{Config, ErrorCode, Misdeed, Server};

use crate::{
    attacker::{Attacker, literal, request},
    client::{ClientVictim, blames, call},
    raw::{
        self, ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS,
    },
    world::{Honest, Victim, run},
};

type Fields = &'static [(&'static [u8], &'static [u8])];

/// Regular fields that are wrong anywhere.
const BAD_FIELDS: [Fields; 29] = [
    &[(b"Upper", b"x")],
    &[(b"uppeR", b"x")],
    &[(b"", b"x")],
    &[(b"with space", b"x")],
    &[(b" leading", b"x")],
    &[(b"colon:inside", b"x")],
    &[(b":unknown", b"x")],
    &[(b":", b"x")],
    &[(b"null\0inside", b"x")],
    &[(b"line\ninside", b"x")],
    &[(b"line\rinside", b"x")],
    &[(b"delete\x7f", b"x")],
    &[(b"\xc3\xa4", b"x")],
    &[(b"x", b"null\0inside")],
    &[(b"x", b"line\ninside")],
    &[(b"x", b"line\rinside")],
    &[(b"x", b"smuggled\r\n\r\nGET / HTTP/1.1")],
    &[(b"x", b"\n")],
    &[(b"x", b" leading")],
    &[(b"x", b"trailing\t")],
    &[(b"connection", b"close")],
    &[(b"connection", b"x-secret")],
    &[(b"keep-alive", b"timeout=5")],
    &[(b"proxy-connection", b"keep-alive")],
    &[(b"transfer-encoding", b"chunked")],
    &[(b"transfer-encoding", b"identity")],
    &[(b"upgrade", b"h2c")],
    &[(b"te", b"gzip")],
    &[(b"te", b"trailers, deflate")],
];

/// Lengths that are wrong for a message without content, or wrong in themselves.
const BAD_LENGTHS: [Fields; 9] = [
    &[(b"content-length", b"1")],
    &[(b"content-length", b"-1")],
    &[(b"content-length", b"+0")],
    &[(b"content-length", b"0x0")],
    &[(b"content-length", b"")],
    &[(b"content-length", b"0, 0")],
    &[(b"content-length", b"0"), (b"content-length", b"1")],
    &[(b"content-length", b"1"), (b"content-length", b"0")],
    &[(b"content-length", b"18446744073709551616")],
];

const METHOD: (&[u8], &[u8]) = (b":method", b"GET");
const SCHEME: (&[u8], &[u8]) = (b":scheme", b"http");
const PATH: (&[u8], &[u8]) = (b":path", b"/");
const AUTHORITY: (&[u8], &[u8]) = (b":authority", b"a");

/// Whole request heads whose pseudo-fields are wrong.
const BAD_HEADS: [Fields; 24] = [
    &[],
    &[(b"x", b"y")],
    &[SCHEME, PATH, AUTHORITY],
    &[METHOD, PATH, AUTHORITY],
    &[METHOD, SCHEME, AUTHORITY],
    &[METHOD, METHOD, SCHEME, PATH, AUTHORITY],
    &[METHOD, SCHEME, SCHEME, PATH, AUTHORITY],
    &[METHOD, SCHEME, PATH, PATH, AUTHORITY],
    &[METHOD, SCHEME, PATH, AUTHORITY, AUTHORITY],
    &[METHOD, SCHEME, PATH, AUTHORITY, (b":status", b"200")],
    &[METHOD, SCHEME, PATH, (b"x", b"y"), AUTHORITY],
    &[METHOD, SCHEME, (b"x", b"y"), PATH],
    &[METHOD, SCHEME, (b":path", b""), AUTHORITY],
    &[METHOD, SCHEME, (b":path", b"no-slash"), AUTHORITY],
    &[METHOD, SCHEME, (b":path", b"*"), AUTHORITY],
    &[METHOD, SCHEME, (b":path", b"/a b"), AUTHORITY],
    &[METHOD, SCHEME, (b":path", b"/a\r\nb"), AUTHORITY],
    &[(b":method", b""), SCHEME, PATH, AUTHORITY],
    &[(b":method", b"GE T"), SCHEME, PATH, AUTHORITY],
    &[METHOD, (b":scheme", b"ht tp"), PATH, AUTHORITY],
    &[METHOD, SCHEME, PATH, (b":authority", b"user@a")],
    &[METHOD, SCHEME, PATH, AUTHORITY, (b"host", b"b")],
    &[(b":method", b"CONNECT"), SCHEME, PATH, AUTHORITY],
    &[(b":method", b"CONNECT"), (b":protocol", b"websocket"), SCHEME, PATH, AUTHORITY],
];

fn block(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    fields.iter().for_each(|(name, value)| literal(&mut block, name, value));
    block
}

#[test]
fn malformed_requests_never_reach_a_handler() {
    run(async {
        let victim = Victim::start(Server::builder());
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::client(victim.address).await;
        let echo = attacker.begin_echo().await;
        let begun = victim.measure(&attacker);
        let good = [METHOD, SCHEME, PATH, AUTHORITY];
        let with_bad_fields = BAD_FIELDS.iter().chain(&BAD_LENGTHS).map(|fields| [&good, *fields].concat());
        let heads = BAD_HEADS.iter().map(|head| head.to_vec());
        let mut streams = 0;
        for head in with_bad_fields.chain(heads) {
            let stream = attacker.next_stream();
            attacker.send(&raw::frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(&head))).await;
            attacker
                .until(&format!("{head:?}"), |seen| {
                    seen.reset_of(stream).is_some() || seen.ended.contains(&stream)
                })
                .await;
            assert_eq!(attacker.seen().reset_of(stream), Some(ErrorCode::PROTOCOL_ERROR), "{head:?}");
            streams += 1;
        }
        // As trailers, where pseudo-fields have no place at all.
        let mut handlers = 0;
        for fields in BAD_FIELDS.iter().chain([&[METHOD] as Fields, &[(b":status", b"200")]].iter()) {
            let stream = attacker.next_stream();
            attacker.send(&request(stream, 0, "POST", "/never", &[])).await;
            attacker.send(&raw::frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(fields))).await;
            attacker.is_reset(stream, ErrorCode::PROTOCOL_ERROR).await;
            handlers += 1;
        }
        attacker.end_echo(echo).await;
        attacker.is_served().await;
        let figures = victim.figures("malformed requests", &begun, &attacker);
        figures.holds_at_most(0);
        figures.works_at_most(4);
        assert!(figures.frames_back <= streams + handlers + 10, "{figures}");
        // The echoes, and those whose head was right; `/never` alone counts the latter.
        assert_eq!(attacker.seen().heads.len(), 2);
        assert!(victim.site.unanswered() <= handlers);
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}

#[test]
fn malformed_responses_never_reach_the_caller() {
    run(async {
        let status: (&[u8], &[u8]) = (b":status", b"200");
        let heads: [Fields; 12] = [
            &[],
            &[(b"x", b"y")],
            &[(b":status", b"")],
            &[(b":status", b"20")],
            &[(b":status", b"2000")],
            &[(b":status", b"abc")],
            &[(b":status", b"101")],
            &[(b":status", b"200"), (b":status", b"200")],
            &[(b":status", b"200"), PATH],
            &[(b"x", b"y"), (b":status", b"200")],
            &[(b":status", b"204"), (b":status", b"500")],
            // Informational, and the end.
            &[(b":status", b"103")],
        ];
        let with_bad_fields =
            BAD_FIELDS.iter().chain(&BAD_LENGTHS).map(|fields| [&[status], *fields].concat());
        let wrong: Vec<_> = with_bad_fields.chain(heads.iter().map(|head| head.to_vec())).collect();
        let calls = wrong.len();
        let victim = ClientVictim::start(Config::builder(), async move |send| {
            for _ in 0..calls {
                let error = call(&send, "/", Bytes::new()).await.unwrap_err();
                assert!(error.misdeed().is_some() && !error.is_connection_error(), "{error}");
            }
            call(&send, "/", Bytes::new()).await.unwrap().0.status().as_u16()
        })
        .await;
        let mut attacker = Attacker::server(&victim.listener).await;
        let begun = victim.measure(&attacker);
        for (at, head) in wrong.iter().enumerate() {
            let stream = 2 * at as u32 + 1;
            attacker.until("a request", |seen| seen.heads.contains_key(&stream)).await;
            attacker.send(&raw::frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(head))).await;
            attacker.is_reset(stream, ErrorCode::PROTOCOL_ERROR).await;
        }
        let stream = 2 * calls as u32 + 1;
        attacker.until("a request", |seen| seen.heads.contains_key(&stream)).await;
        attacker.send(&raw::frame(HEADERS, END_HEADERS | END_STREAM, stream, raw::OK)).await;
        attacker.until("the end", |seen| seen.over).await;
        victim.figures("malformed responses", &begun, &attacker).holds_at_most(0);
        drop(attacker);
        let (status, outcome) = victim.finish().await;
        assert_eq!(status, 200);
        outcome.unwrap();
    });
}

/// Frames that end the connection: what is sent while stream 1 is open and the next to be opened is 3.
fn misplaced() -> Vec<(Vec<u8>, Misdeed)> {
    let get = |stream| raw::frame(HEADERS, END_HEADERS | END_STREAM, stream, raw::GET);
    let data = |stream| raw::frame(DATA, 0, stream, b"x");
    let oversized = || vec![0x40, 0x01, 0, 6, 0, 0, 0, 0, 0];
    use Misdeed::*;
    vec![
        (get(0), FrameOnConnection),
        (data(0), FrameOnConnection),
        (raw::frame(RST_STREAM, 0, 0, &[0; 4]), FrameOnConnection),
        (raw::frame(2, 0, 0, &[0; 5]), FrameOnConnection),
        (raw::frame(CONTINUATION, 0, 0, &[]), ContinuationUnexpected),
        (raw::frame(SETTINGS, 0, 1, &[]), FrameOnStream),
        (raw::frame(PING, 0, 1, &[0; 8]), FrameOnStream),
        (raw::frame(GOAWAY, 0, 1, &[0; 8]), FrameOnStream),
        (get(2), EvenStreamId),
        (data(2), EvenStreamId),
        ([get(7), get(5)].concat(), StreamIdDecreased),
        ([get(7), data(3)].concat(), StreamIdDecreased),
        (data(9), FrameOnIdleStream),
        (raw::window_update(9, 1), FrameOnIdleStream),
        (raw::frame(RST_STREAM, 0, 9, &[0; 4]), FrameOnIdleStream),
        (raw::window_update(0, 0), WindowUpdateZero),
        (raw::window_update(0, 0x7fff_ffff), WindowOverflow),
        (raw::frame(8, 0, 0, &[0; 3]), FrameTooShort),
        (raw::frame(PING, 0, 0, &[0; 7]), FrameTooShort),
        (raw::frame(RST_STREAM, 0, 1, &[0; 3]), FrameTooShort),
        (raw::frame(GOAWAY, 0, 0, &[0; 7]), FrameTooShort),
        (raw::frame(SETTINGS, 0, 0, &[0; 5]), SettingsLengthInvalid),
        (raw::frame(SETTINGS, ACK, 0, &[0; 6]), AckWithPayload),
        (raw::settings(&[(4, 0x8000_0000)]), SettingsWindowInvalid),
        (raw::settings(&[(5, 16_383)]), SettingsValueInvalid),
        (raw::settings(&[(5, 1 << 24)]), SettingsValueInvalid),
        (raw::settings(&[(2, 2)]), SettingsValueInvalid),
        (raw::frame(5, END_HEADERS, 1, &[0, 0, 0, 2, 0x82]), PushDisabled),
        (raw::frame(DATA, 8, 1, &[5, 0]), PaddingTooLong),
        (raw::frame(HEADERS, END_HEADERS | 8, 3, &[9, 0x82]), PaddingTooLong),
        (oversized(), FrameTooLarge),
        ([raw::frame(HEADERS, 0, 3, raw::GET), data(1)].concat(), FieldBlockInterrupted),
        (
            [raw::frame(HEADERS, 0, 3, raw::GET), raw::frame(CONTINUATION, 4, 1, &[])].concat(),
            FieldBlockInterrupted,
        ),
        (raw::frame(HEADERS, 5, 3, &[0x80]), BadFieldBlock),
        (raw::frame(HEADERS, 5, 3, &[0xff, 0xff, 0xff, 0xff, 0xff]), BadFieldBlock),
        (raw::frame(HEADERS, 5, 3, &[0x3f, 0xff, 0x7f]), BadFieldBlock),
    ]
}

#[test]
fn misplaced_frames_end_the_connection() {
    run(async {
        let victim = Victim::start(Server::builder());
        let honest = Honest::start(victim.address).await;
        for (frames, misdeed) in misplaced() {
            let mut attacker = Attacker::client(victim.address).await;
            attacker.begin_echo().await;
            let begun = victim.measure(&attacker);
            attacker.send(&frames).await;
            attacker.is_cut_off(misdeed.code(), &misdeed.to_string()).await;
            if misdeed == Misdeed::FrameTooLarge {
                victim.figures("a frame of 4 MiB, announced", &begun, &attacker).holds_at_most(0);
            }
        }
        honest.finish().await;
        victim.finish().await;
    });
}

/// The same for a client, where they mean the same.
#[test]
fn misplaced_frames_end_a_client_too() {
    run(async {
        for (frames, misdeed) in misplaced() {
            use Misdeed::*;
            // Streams of the peer do not exist here, so these are other rules, below.
            if matches!(misdeed, EvenStreamId | StreamIdDecreased | BadFieldBlock) {
                continue;
            }
            let victim =
                ClientVictim::start(Config::builder(), async |send| call(&send, "/", Bytes::new()).await)
                    .await;
            let mut attacker = Attacker::server(&victim.listener).await;
            attacker.until("the request", |seen| seen.heads.contains_key(&1)).await;
            attacker.send(&raw::frame(HEADERS, END_HEADERS, 1, raw::OK)).await;
            attacker.send(&frames).await;
            attacker.is_cut_off(misdeed.code(), &misdeed.to_string()).await;
            drop(attacker);
            let (answer, outcome) = victim.finish().await;
            assert!(answer.is_err());
            blames(&outcome, misdeed);
        }
    });
}

/// After GOAWAY of ours what the peer opens above it is passed over; what it had open goes on.
#[test]
fn frames_after_goaway() {
    run(async {
        let server = Server::builder().max_connection_age(std::time::Duration::from_millis(200));
        let victim = Victim::start(server);
        let mut attacker = Attacker::client(victim.address).await;
        let echo = attacker.begin_echo().await;
        attacker.until("GOAWAY and PING", |seen| seen.goaway.is_some() && seen.ping.is_some()).await;
        // The first names the highest identifier; once its PING is answered the second names the real one.
        let ping = attacker.seen().ping.clone().unwrap();
        attacker.send(&raw::frame(PING, ACK, 0, &ping)).await;
        attacker
            .until("the second GOAWAY", |seen| seen.goaway.as_ref().is_some_and(|(last, ..)| *last == 1))
            .await;
        let begun = victim.measure(&attacker);
        let late = attacker.next_stream();
        for _ in 0..200 {
            attacker.send(&request(late, 0, "POST", "/echo", &[])).await;
            attacker.send(&raw::frame(DATA, END_STREAM, late, &[1; 1_000])).await;
        }
        attacker.end_echo(echo).await;
        attacker.until("the end", |seen| seen.over).await;
        let figures = victim.figures("streams after GOAWAY", &begun, &attacker);
        figures.holds_at_most(0);
        figures.works_at_most(20);
        assert_eq!((figures.calls, attacker.seen().resets.len()), (0, 0), "{figures}");
        drop(attacker);
        victim.finish().await;
    });
}
