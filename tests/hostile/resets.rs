//! Streams opened and reset without end: by the peer (rapid reset, CVE-2023-44487), or by us because the peer provokes it
//! (MadeYouReset, CVE-2025-8671).
//!
//! Each has an allowance that leaks and is earned back by streams that end well: `max_pending_accept_reset_streams` and
//! `max_local_error_reset_streams`. A reset stream's handler is dropped when its task comes to run, so between two turns of
//! the runtime as many may be left as the allowance: memory is allowance times [`HANDLER`]. What is remembered of reset
//! streams is at most `max_concurrent_reset_streams`.

use millpond::{ErrorCode, Server};

use crate::{
    attacker::{Attacker, request},
    raw::{self, DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, WINDOW_UPDATE},
    world::{Honest, Victim, run, within},
};

/// Octets for a stream, its task and its handler, of ours.
const HANDLER: usize = 2_048;

/// Of each stream: enough for the honest ones.
const WINDOW: usize = 4_000;

/// The smallest request.
fn get(stream: u32, flags: u8) -> Vec<u8> {
    raw::frame(HEADERS, END_HEADERS | flags, stream, raw::GET)
}

fn never(stream: u32, flags: u8) -> Vec<u8> {
    request(stream, flags, "POST", "/never", &[])
}

fn reset(stream: u32) -> Vec<u8> {
    raw::frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())
}

#[test]
fn rapid_reset() {
    run(async {
        const ALLOWANCE: usize = 200;
        for (name, open) in
            [("rapid reset", get as fn(u32, u8) -> Vec<u8>), ("rapid reset of handlers that wait", never)]
        {
            let victim = Victim::start(Server::builder().max_pending_accept_reset_streams(ALLOWANCE));
            let honest = Honest::start(victim.address).await;
            let mut attacker = Attacker::client(victim.address).await;
            let echo = attacker.begin_echo().await;
            let begun = victim.measure(&attacker);
            for _ in 0..ALLOWANCE / 2 {
                let stream = attacker.next_stream();
                attacker.send(&[open(stream, END_STREAM), reset(stream)].concat()).await;
            }
            attacker.end_echo(echo).await;
            attacker.is_served().await;
            let streams = 3 * ALLOWANCE;
            let wave: Vec<u8> = (0..streams)
                .flat_map(|_| {
                    let stream = attacker.next_stream();
                    [open(stream, END_STREAM), reset(stream)].concat()
                })
                .collect();
            attacker.send(&wave).await;
            attacker.is_cut_off(ErrorCode::ENHANCE_YOUR_CALM, "CVE-2023-44487").await;
            let figures = victim.figures(name, &begun, &attacker);
            figures.holds_at_most(ALLOWANCE * HANDLER);
            assert!(figures.calls <= ALLOWANCE + ALLOWANCE / 2 + Honest::MOST + 5, "{figures}");
            figures.works_at_most(3);
            within("handlers outlive their streams", || victim.site.running() <= 2).await;
            drop(attacker);
            honest.finish().await;
            victim.finish().await;
        }
    });
}

/// Frames about this stream.
type Frames = fn(u32) -> Vec<u8>;

/// A way to make us reset a stream: what is sent to open it and what then breaks a rule, and the code that it gets.
struct Provocation {
    name: &'static str,
    frames: Frames,
    code: ErrorCode,
}

fn provocations() -> Vec<Provocation> {
    let ways: [(&'static str, Frames, ErrorCode); 16] = [
        (
            "WINDOW_UPDATE of 0",
            |id| [never(id, END_STREAM), raw::window_update(id, 0)].concat(),
            ErrorCode::PROTOCOL_ERROR,
        ),
        (
            "window overflow",
            |id| [never(id, END_STREAM), raw::window_update(id, 0x7fff_ffff)].concat(),
            ErrorCode::FLOW_CONTROL_ERROR,
        ),
        (
            "DATA after END_STREAM",
            |id| [never(id, END_STREAM), raw::frame(DATA, 0, id, b"x")].concat(),
            ErrorCode::STREAM_CLOSED,
        ),
        (
            "HEADERS after END_STREAM",
            |id| [never(id, END_STREAM), never(id, END_STREAM)].concat(),
            ErrorCode::STREAM_CLOSED,
        ),
        (
            "trailers without END_STREAM",
            |id| [never(id, 0), never(id, 0)].concat(),
            ErrorCode::PROTOCOL_ERROR,
        ),
        (
            "trailers with a pseudo-field",
            |id| [never(id, 0), never(id, END_STREAM)].concat(),
            ErrorCode::PROTOCOL_ERROR,
        ),
        (
            "more DATA than content-length",
            |id| [announced(id, 0), raw::frame(DATA, 0, id, b"1234")].concat(),
            ErrorCode::PROTOCOL_ERROR,
        ),
        (
            "less DATA than content-length",
            |id| [announced(id, 0), raw::frame(DATA, END_STREAM, id, b"12")].concat(),
            ErrorCode::PROTOCOL_ERROR,
        ),
        ("no DATA of content-length", |id| announced(id, END_STREAM), ErrorCode::PROTOCOL_ERROR),
        (
            "DATA beyond the window",
            |id| [never(id, 0), raw::frame(DATA, 0, id, &[0; WINDOW + 1])].concat(),
            ErrorCode::FLOW_CONTROL_ERROR,
        ),
        (
            "dependence on itself",
            |id| [never(id, 0), raw::frame(2, 0, id, &[id.to_be_bytes().as_slice(), &[0]].concat())].concat(),
            ErrorCode::PROTOCOL_ERROR,
        ),
        (
            "PRIORITY of 4 octets",
            |id| [never(id, 0), raw::frame(2, 0, id, &[0; 4])].concat(),
            ErrorCode::FRAME_SIZE_ERROR,
        ),
        (
            "DATA without its Pad Length",
            |id| [never(id, 0), raw::frame(DATA, 8, id, &[])].concat(),
            ErrorCode::FRAME_SIZE_ERROR,
        ),
        (
            "upper case",
            |id| request(id, END_STREAM, "GET", "/", &[("Upper", "x")]),
            ErrorCode::PROTOCOL_ERROR,
        ),
        ("no :path", |id| raw::frame(HEADERS, 5, id, &[0x82, 0x86]), ErrorCode::PROTOCOL_ERROR),
        (
            "too large a trailer section",
            |id| {
                [
                    never(id, 0),
                    raw::frame(HEADERS, 5, id, &[b"\0\x01x\x7f\xd1\x0e".as_slice(), &[b'y'; 2_000]].concat()),
                ]
                .concat()
            },
            ErrorCode::ENHANCE_YOUR_CALM,
        ),
    ];
    ways.into_iter().map(|(name, frames, code)| Provocation { name, frames, code }).collect()
}

/// A request that announces three octets.
fn announced(stream: u32, flags: u8) -> Vec<u8> {
    request(stream, flags, "POST", "/never", &[("content-length", "3")])
}

#[test]
fn made_you_reset() {
    run(async {
        const ALLOWANCE: usize = 100;
        for way in provocations() {
            let server = Server::builder()
                .max_local_error_reset_streams(Some(ALLOWANCE))
                .initial_stream_window_size(WINDOW as u32)
                .max_header_list_size(1_000);
            let victim = Victim::start(server);
            let honest = Honest::start(victim.address).await;
            let mut attacker = Attacker::client(victim.address).await;
            let echo = attacker.begin_echo().await;
            let begun = victim.measure(&attacker);
            for _ in 0..ALLOWANCE / 2 {
                let stream = attacker.next_stream();
                attacker.send(&(way.frames)(stream)).await;
                attacker.is_reset(stream, way.code).await;
            }
            within("handlers outlive their streams", || victim.site.running() <= 2).await;
            attacker.end_echo(echo).await;
            attacker.is_served().await;
            let wave: Vec<u8> =
                (0..3 * ALLOWANCE).flat_map(|_| (way.frames)(attacker.next_stream())).collect();
            attacker.send(&wave).await;
            attacker.is_cut_off(ErrorCode::ENHANCE_YOUR_CALM, "CVE-2025-8671").await;
            let figures = victim.figures(way.name, &begun, &attacker);
            figures.holds_at_most(ALLOWANCE * HANDLER);
            figures.works_at_most(3);
            assert!(figures.calls <= ALLOWANCE + ALLOWANCE / 2 + Honest::MOST + 5, "{figures}");
            assert!(figures.frames_back <= 2 * ALLOWANCE + 20, "{figures}");
            drop(attacker);
            honest.finish().await;
            victim.finish().await;
        }
    });
}

/// Streams above `max_concurrent_streams` are refused, and refusing them without end is provoked as well.
#[test]
fn streams_above_the_limit() {
    run(async {
        const ALLOWANCE: usize = 100;
        let server =
            Server::builder().max_concurrent_streams(Some(10)).max_local_error_reset_streams(Some(ALLOWANCE));
        let victim = Victim::start(server);
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::client(victim.address).await;
        let echo = attacker.begin_echo().await;
        let begun = victim.measure(&attacker);
        let wave: Vec<u8> =
            (0..9 + ALLOWANCE).flat_map(|_| never(attacker.next_stream(), END_STREAM)).collect();
        attacker.send(&wave).await;
        attacker.until("refusals", |seen| seen.resets.len() == ALLOWANCE).await;
        assert!(attacker.seen().resets.iter().all(|(_, code)| *code == ErrorCode::REFUSED_STREAM));
        attacker.end_echo(echo).await;
        let wave: Vec<u8> =
            (0..3 * ALLOWANCE).flat_map(|_| never(attacker.next_stream(), END_STREAM)).collect();
        attacker.send(&wave).await;
        attacker.is_cut_off(ErrorCode::ENHANCE_YOUR_CALM, "CVE-2025-8671").await;
        let figures = victim.figures("streams above the limit", &begun, &attacker);
        figures.holds_at_most(10 * HANDLER);
        figures.works_at_most(10);
        assert!(victim.site.most() <= 11, "{figures}");
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}

/// Frames for streams that were reset cost their octets and nothing else, however many come.
#[test]
fn frames_for_what_was_reset() {
    run(async {
        let victim = Victim::start(Server::builder());
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::client(victim.address).await;
        let gone = attacker.next_stream();
        attacker.send(&(provocations()[0].frames)(gone)).await;
        attacker.is_reset(gone, ErrorCode::PROTOCOL_ERROR).await;
        let begun = victim.measure(&attacker);
        let data = raw::frame(DATA, 0, gone, &[1; 1_000]);
        for _ in 0..100 {
            // They count against the connection's window, which is given back.
            attacker.send(&data.repeat(60)).await;
            attacker.send(&never(gone, 0)).await;
            attacker.send(&raw::frame(WINDOW_UPDATE, 0, gone, &[0, 0, 0, 1])).await;
        }
        attacker.is_served().await;
        let figures = victim.figures("frames for a stream that was reset", &begun, &attacker);
        figures.holds_at_most(0);
        figures.works_at_most(1_000);
        assert!(figures.frames_back <= 40, "{figures}");
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}
