//! Field sections that cost more than they seem: CONTINUATION without end (VU#421664), many tiny fields, one huge one,
//! HPACK references that expand (CVE-2016-6581; RFC 7541 §7.3, RFC 9113 §10.5.1).
//!
//! A field block is at most `1.5 * max_header_list_size + 1,024` octets, compressed; beyond it the connection ends. A
//! section above `max_header_list_size`, or of more than `max_header_fields`, ends its stream and is not kept. Values from
//! the table are shared, so a reference costs the same however long the value is.

use bytes::Bytes;
use millpond::{Config, ErrorCode, Misdeed, Server};

use crate::{
    attacker::{Attacker, integer, literal, request},
    client::{ClientVictim, call},
    raw::{self, CONTINUATION, END_HEADERS, END_STREAM, HEADERS},
    world::{Honest, Victim, run, within},
};

/// `max_header_list_size` by default, and the field block that follows from it.
const LIST: usize = 16 << 10;
const BLOCK: usize = LIST * 3 / 2 + 1_024;
/// While a field block grows, the smaller one is held beside the larger, each a third larger than it need be.
const GATHERED: usize = BLOCK * 2 * 4 / 3;

/// What a field takes beside its octets, as they are counted on the wire.
const FIELD: usize = 192;

/// HEADERS and as many CONTINUATION frames as it takes.
fn headers(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    let mut frames = Vec::new();
    let mut chunks = block.chunks(16_384).peekable();
    let mut kind = HEADERS;
    while let Some(chunk) = chunks.next() {
        let last = if chunks.peek().is_none() { END_HEADERS } else { 0 };
        let flags = if kind == HEADERS { flags } else { 0 };
        frames.extend(raw::frame(kind, flags | last, stream, chunk));
        kind = CONTINUATION;
    }
    frames
}

#[test]
fn continuation_without_end() {
    run(async {
        for (name, payload, because) in [
            ("CONTINUATION of 0 octets", 0, "CONTINUATION"),
            ("CONTINUATION of 1 octet", 1, "CONTINUATION"),
            ("CONTINUATION of 1,000 octets", 1_000, "CONTINUATION"),
            ("CONTINUATION of 16,384 octets", 16_384, "beyond"),
        ] {
            let victim = Victim::start(Server::builder());
            let honest = Honest::start(victim.address).await;
            let mut attacker = Attacker::client(victim.address).await;
            attacker.is_served().await;
            let begun = victim.measure(&attacker);
            let stream = attacker.next_stream();
            attacker.send(&raw::frame(HEADERS, END_STREAM, stream, raw::GET)).await;
            // A literal that goes on for ever.
            let more = raw::frame(CONTINUATION, 0, stream, &vec![0; payload]);
            let more = more.repeat((16 << 10) / more.len() + 1);
            for _ in 0..(2 << 20) / more.len() {
                if !attacker.send(&more).await {
                    break;
                }
            }
            attacker.is_cut_off(ErrorCode::ENHANCE_YOUR_CALM, because).await;
            let figures = victim.figures(name, &begun, &attacker);
            figures.holds_at_most(GATHERED);
            figures.works_at_most(200);
            drop(attacker);
            honest.finish().await;
            victim.finish().await;
        }
    });
}

struct Bomb {
    name: &'static str,
    /// What follows the pseudo-fields.
    fields: Vec<u8>,
    /// What that is answered with; `None` if it is taken.
    misdeed: Option<Misdeed>,
}

/// A value of 4,000 octets, to be put into the table; then it is the newest entry, 62.
fn long_entry() -> Vec<u8> {
    let mut block = vec![0x40];
    for text in [&b"x-long"[..], &[b'v'; 4_000]] {
        integer(&mut block, 7, 0, text.len());
        block.extend(text);
    }
    block
}

fn bombs() -> Vec<Bomb> {
    let repeated = |piece: &[u8], octets: usize| piece.repeat(octets / piece.len());
    let mut distinct = Vec::new();
    (0..2_000_u32).for_each(|n| literal(&mut distinct, format!("n{n}").as_bytes(), b""));
    let mut huge = Vec::new();
    literal(&mut huge, b"huge", &[b'h'; 20_000]);
    // Huffman-coded: `0` takes five bits, so 25,000 octets are 40,000.
    let mut coded = vec![0, 1, b'c'];
    integer(&mut coded, 7, 0x80, 15_000);
    coded.resize(coded.len() + 15_000, 0);
    let mut thrash = Vec::new();
    (0..600_u32).for_each(|n| {
        let name = format!("t{n}");
        thrash.extend([0x40, name.len() as u8]);
        thrash.extend(name.as_bytes());
        thrash.push(0);
    });
    let too_large = Some(Misdeed::FieldSectionTooLarge);
    let bomb = |name, fields, misdeed| Bomb { name, fields, misdeed };
    vec![
        bomb("10,000 fields of 1 octet", repeated(&[0, 1, b'a', 0], 24_000), too_large),
        bomb("2,000 names", distinct, too_large),
        bomb("one field of 20,000 octets", huge, too_large),
        bomb("a field that Huffman expands", coded, too_large),
        bomb("24,000 references to a long value", [long_entry(), vec![0xbe; 20_000]].concat(), too_large),
        bomb("24,000 references to a static field", repeated(&[0x90], 24_000), too_large),
        bomb("a table that is turned over", thrash, too_large),
        bomb(
            "table size updates",
            [repeated(&[0x20, 0x3f, 0xe1, 0x1f], 20_000)].concat(),
            Some(Misdeed::BadFieldBlock),
        ),
        bomb("240 cookies", repeated(b"\x0f\x11\x03a=b", 240 * 6), None),
    ]
}

/// The stream alone ends, but for what HPACK itself forbids.
#[test]
fn header_bombs_for_a_server() {
    run(async {
        for Bomb { name, fields, misdeed } in bombs() {
            // What is taken costs an allocation for a field or so; what is too much costs nothing.
            let octets_per_allocation = if fields.len() < 5_000 { 4 } else { 16 };
            let victim = Victim::start(Server::builder());
            let honest = Honest::start(victim.address).await;
            let mut attacker = Attacker::client(victim.address).await;
            let echo = attacker.begin_echo().await;
            let begun = victim.measure(&attacker);
            let stream = attacker.next_stream();
            attacker.send(&headers(stream, END_STREAM, &[raw::GET, &fields].concat())).await;
            match misdeed {
                Some(Misdeed::FieldSectionTooLarge) => {
                    attacker.until("an answer", |seen| seen.ended.contains(&stream)).await;
                    let says_so = attacker.seen().heads[&stream].windows(3).any(|octets| octets == b"431");
                    assert!(says_so, "{:?}", attacker.seen().heads[&stream]);
                }
                None => attacker.until("an answer", |seen| seen.ended.contains(&stream)).await,
                _ => attacker.is_cut_off(ErrorCode::COMPRESSION_ERROR, "HPACK").await,
            }
            if misdeed != Some(Misdeed::BadFieldBlock) {
                // And as trailers.
                let stream = attacker.next_stream();
                attacker.send(&request(stream, 0, "POST", "/sum", &[])).await;
                attacker.send(&headers(stream, END_STREAM, &fields)).await;
                match misdeed {
                    Some(_) => attacker.is_reset(stream, ErrorCode::ENHANCE_YOUR_CALM).await,
                    None => attacker.until("an answer", |seen| seen.ended.contains(&stream)).await,
                }
                attacker.end_echo(echo).await;
                attacker.is_served().await;
            }
            let figures = victim.figures(name, &begun, &attacker);
            figures.holds_at_most(GATHERED + LIST + 4_096 * 4);
            figures.works_at_most(octets_per_allocation);
            drop(attacker);
            honest.finish().await;
            victim.finish().await;
        }
    });
}

#[test]
fn header_bombs_for_a_client() {
    run(async {
        for Bomb { name, fields, misdeed } in bombs() {
            // What is taken costs an allocation for a field or so; what is too much costs nothing.
            let octets_per_allocation = if fields.len() < 5_000 { 4 } else { 16 };
            let victim = ClientVictim::start(Config::builder(), async |send| {
                let attacked = call(&send, "/", Bytes::new()).await;
                (attacked, call(&send, "/", Bytes::new()).await)
            })
            .await;
            let mut attacker = Attacker::server(&victim.listener).await;
            attacker.until("the request", |seen| seen.heads.contains_key(&1)).await;
            let begun = victim.measure(&attacker);
            attacker.send(&headers(1, END_STREAM, &[raw::OK, &fields].concat())).await;
            if misdeed != Some(Misdeed::BadFieldBlock) {
                attacker.until("another request", |seen| seen.heads.contains_key(&3)).await;
                attacker.send(&raw::frame(HEADERS, END_HEADERS | END_STREAM, 3, raw::OK)).await;
            }
            attacker.until("the end", |seen| seen.over).await;
            let figures = victim.figures(name, &begun, &attacker);
            figures.holds_at_most(GATHERED + LIST + 4_096 * 4);
            figures.works_at_most(octets_per_allocation);
            drop(attacker);
            let ((attacked, next), outcome) = victim.finish().await;
            assert_eq!(attacked.err().and_then(|error| error.misdeed()), misdeed);
            let is_sound = misdeed != Some(Misdeed::BadFieldBlock);
            assert_eq!((next.is_ok(), outcome.is_ok()), (is_sound, is_sound));
        }
    });
}

/// Requests within the limits, as many as are taken, each with four references to a long value: shared, not copied.
#[test]
fn references_within_the_limits_are_shared() {
    run(async {
        let victim = Victim::start(Server::builder());
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::client(victim.address).await;
        let first = attacker.next_stream();
        attacker.send(&headers(first, END_STREAM, &[raw::GET, &long_entry()].concat())).await;
        let begun = victim.measure(&attacker);
        // `/hold` as a literal with an incremental name would push the long value out.
        let mut block = vec![0x83, 0x86, 0x01, 0x01, b'a', 0x04, 0x05];
        block.extend(b"/hold");
        block.extend([0xbe; 4]);
        for _ in 0..150 {
            let stream = attacker.next_stream();
            attacker.send(&headers(stream, END_STREAM, &block)).await;
        }
        within("the handlers run", || victim.site.running() >= 150).await;
        attacker.is_served().await;
        let figures = victim.figures("150 requests of 4 references to 4,000 octets", &begun, &attacker);
        // Copies would be 150 * 16,000 octets.
        figures.holds_at_most(150 * 3_072);
        victim.site.gate.send_replace(true);
        attacker.until("the answers", |seen| seen.ended.len() >= 152).await;
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}

/// As many requests as are taken, each with as large a section as is taken: what the application then holds.
#[test]
fn as_many_large_sections_as_are_taken() {
    run(async {
        let victim = Victim::start(Server::builder().max_concurrent_streams(Some(100)));
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::client(victim.address).await;
        let begun = victim.measure(&attacker);
        let value = "v".repeat(15_000);
        for _ in 0..99 {
            let stream = attacker.next_stream();
            attacker.send(&request(stream, END_STREAM, "GET", "/hold", &[("large", &value)])).await;
        }
        within("the handlers run", || victim.site.running() >= 99).await;
        attacker.is_served().await;
        let figures = victim.figures("99 requests of 15,000 octets", &begun, &attacker);
        figures.holds_at_most(100 * (LIST + 3_072) + GATHERED);
        victim.site.gate.send_replace(true);
        attacker.until("the answers", |seen| seen.ended.len() == 100).await;
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}

/// As many requests as are taken, each with as many small fields as a table has just grown for: a few octets each on the
/// wire.
#[test]
fn as_many_small_fields_as_are_taken() {
    run(async {
        const FIELDS: usize = 193;
        let victim = Victim::start(Server::builder().max_concurrent_streams(Some(100)));
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::client(victim.address).await;
        let begun = victim.measure(&attacker);
        let names: Vec<String> = (0..FIELDS).map(|n| format!("{n}")).collect();
        let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
        for _ in 0..99 {
            let stream = attacker.next_stream();
            attacker.send(&request(stream, END_STREAM, "GET", "/hold", &fields)).await;
        }
        within("the handlers run", || victim.site.running() >= 99).await;
        attacker.is_served().await;
        let figures = victim.figures("99 requests of 193 fields", &begun, &attacker);
        figures.holds_at_most(100 * (FIELDS * (35 + FIELD) + 3_072) + GATHERED);
        victim.site.gate.send_replace(true);
        attacker.until("the answers", |seen| seen.ended.len() == 100).await;
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}
