//! Frames that cost the peer little: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, unknown types, empty DATA, GOAWAY
//! (CVE-2019-9512, -9515, -9518; RFC 9113 §10.5).
//!
//! Each within its allowance does no harm; beyond it the connection ends with ENHANCE_YOUR_CALM and says why. Nothing
//! that came is kept, so memory is the room alone; no frame is answered by more than one.

use bytes::Bytes;
use millpond::{Config, ErrorCode, Server};

use crate::{
    attacker::{Attacker, request},
    client::{ClientVictim, call},
    figures::Figures,
    raw::{self, ACK, DATA, GOAWAY, PING, SETTINGS, WINDOW_UPDATE},
    world::{Honest, Victim, run},
};

/// PRIORITY and PRIORITY_UPDATE (RFC 9218 §7.1).
const PRIORITY: u8 = 2;
const PRIORITY_UPDATE: u8 = 16;

struct Flood {
    name: &'static str,
    /// The frame; stream 1 is open.
    frame: Vec<u8>,
    /// How many may come at once.
    allowance: usize,
    because: &'static str,
}

fn floods() -> Vec<Flood> {
    let flood = |name, frame, allowance, because| Flood { name, frame, allowance, because };
    vec![
        flood("PING", raw::frame(PING, 0, 0, &[7; 8]), 100, "PING"),
        flood("PING ACK", raw::frame(PING, ACK, 0, &[7; 8]), 100, "PING"),
        flood("SETTINGS", raw::settings(&[]), 100, "SETTINGS"),
        flood("SETTINGS of table size", raw::settings(&[(1, 0), (1, 4_096)]), 100, "SETTINGS"),
        flood("SETTINGS ACK", raw::frame(SETTINGS, ACK, 0, &[]), 100, "SETTINGS"),
        flood("PRIORITY", raw::frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 9]), 1_000, "PRIORITY"),
        flood("PRIORITY of idle streams", raw::frame(PRIORITY, 0, 901, &[0; 5]), 1_000, "PRIORITY"),
        flood("PRIORITY_UPDATE", raw::frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\x01u=1"), 1_000, "PRIORITY"),
        flood("WINDOW_UPDATE", raw::window_update(0, 1), 10_000, "WINDOW_UPDATE"),
        flood("WINDOW_UPDATE of a stream", raw::window_update(1, 1), 10_000, "WINDOW_UPDATE"),
        flood("empty DATA", raw::frame(DATA, 0, 1, &[]), 1_000, "empty"),
        flood("DATA of padding", raw::frame(DATA, 8, 1, &[1, 0]), 1_000, "empty"),
        flood("unknown frames", raw::frame(0xbe, 0, 0, &[]), 1_000, "unknown"),
        flood("unknown frames of 1,000 octets", raw::frame(0xbe, 255, 1, &[1; 1_000]), 1_000, "unknown"),
        flood("GOAWAY", raw::goaway(0, ErrorCode::NO_ERROR), 100, "GOAWAY"),
    ]
}

#[test]
fn floods_end_with_enhance_your_calm() {
    run(async {
        for flood in floods() {
            let victim = Victim::start(Server::builder());
            let honest = Honest::start(victim.address).await;
            let mut attacker = Attacker::client(victim.address).await;
            // Stream 1 is begun before and ended during the attack.
            let open = attacker.begin_echo().await;
            let begun = victim.measure(&attacker);
            attacker.send(&flood.frame.repeat(flood.allowance / 2)).await;
            if flood.name != "GOAWAY" {
                attacker.end_echo(open).await;
                attacker.is_served().await;
            }
            // Some are about a stream that is open.
            let other = if open == 1 { request(101, 0, "POST", "/echo", &[]) } else { Vec::new() };
            attacker.send(&other).await;
            let frame = on_stream(&flood.frame, 101);
            attacker.send(&frame.repeat(flood.allowance * 3)).await;
            attacker.is_cut_off(ErrorCode::ENHANCE_YOUR_CALM, flood.because).await;
            let figures = victim.figures(flood.name, &begun, &attacker);
            figures.holds_at_most(0);
            figures.works_at_most(9);
            answers_at_most(&figures, flood.allowance);
            drop(attacker);
            honest.finish().await;
            victim.finish().await;
        }
    });
}

/// The same done to a client, which waits for its answer meanwhile.
#[test]
fn a_client_ends_floods_as_well() {
    run(async {
        let informational = raw::frame(raw::HEADERS, raw::END_HEADERS, 1, &[0x08, 3, b'1', b'0', b'3']);
        let informational =
            Flood { name: "103", frame: informational, allowance: 1_000, because: "informational" };
        for flood in floods().into_iter().chain([informational]) {
            // It sends no priorities to a client, and a client has not got empty DATA before a response.
            if flood.name == "PRIORITY_UPDATE" {
                continue;
            }
            let application = async |send| call(&send, "/", Bytes::new()).await;
            let victim = ClientVictim::start(Config::builder(), application).await;
            let mut attacker = Attacker::server(&victim.listener).await;
            attacker.until("the request", |seen| seen.heads.contains_key(&1)).await;
            if flood.name.contains("DATA") {
                attacker.send(&raw::frame(raw::HEADERS, raw::END_HEADERS, 1, raw::OK)).await;
            }
            let begun = victim.measure(&attacker);
            attacker.send(&flood.frame.repeat(flood.allowance * 3)).await;
            attacker.is_cut_off(ErrorCode::ENHANCE_YOUR_CALM, flood.because).await;
            let figures = victim.figures(flood.name, &begun, &attacker);
            figures.holds_at_most(0);
            figures.works_at_most(9);
            answers_at_most(&figures, flood.allowance);
            drop(attacker);
            let (answer, outcome) = victim.finish().await;
            let said = outcome.unwrap_err();
            assert_eq!(said.code(), ErrorCode::ENHANCE_YOUR_CALM);
            // A GOAWAY tells that the request was not processed.
            assert!(answer.is_err_and(|error| error.misdeed() == said.misdeed() || error.is_unprocessed()));
        }
    });
}

/// Those within the allowance, each by one frame, and those of the honest streams.
fn answers_at_most(figures: &Figures, allowance: usize) {
    // While it lasts a tenth comes back each second.
    assert!(figures.frames_back <= allowance * 2 + 20, "{figures}");
    assert!(figures.calls <= 3 + Honest::MOST + 2, "{figures}");
}

/// The same frame for this stream, if it is one of stream 1.
fn on_stream(frame: &[u8], stream: u32) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let payload = frame.split_off(9);
    if frame[5..9] == [0, 0, 0, 1] {
        frame[5..9].copy_from_slice(&stream.to_be_bytes());
    }
    frame.extend(payload);
    frame
}

/// Spread over time, and among useful work, they do no harm: a budget leaks and is earned back.
#[test]
fn what_is_earned_is_no_flood() {
    run(async {
        let victim = Victim::start(Server::builder());
        let mut attacker = Attacker::client(victim.address).await;
        let begun = victim.measure(&attacker);
        for _ in 0..40 {
            let stream = attacker.begin_echo().await;
            // More than the allowance in all: each DATA frame, either way, earns one PING and two WINDOW_UPDATEs.
            attacker.send(&raw::frame(PING, 0, 0, &[1; 8]).repeat(3)).await;
            attacker.send(&raw::frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]).repeat(255)).await;
            attacker.end_echo(stream).await;
        }
        attacker.is_served().await;
        victim.figures("earned PING and WINDOW_UPDATE", &begun, &attacker).holds_at_most(0);
        assert_eq!(attacker.seen().frames[usize::from(GOAWAY)], 0);
        drop(attacker);
        victim.finish().await;
    });
}
