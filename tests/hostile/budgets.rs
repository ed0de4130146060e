//! What a connection may hold in all, when that is limited: `max_connection_memory`, whatever the peer tries.
//!
//! What does not fit costs its stream ENHANCE_YOUR_CALM, and near the limit new streams are refused; the connection lives,
//! and is as good as new once the application has read. Other connections do not notice. What our own application sends is
//! never refused: one handler may queue `max_send_buffer_size` at once, the others then one piece each.

use millpond::{ErrorCode, Server};
use tokio::io::AsyncWriteExt;

use crate::{
    attacker::{Attacker, literal, narrow, request},
    raw::{self, DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE},
    site::PIECE,
    world::{Honest, Victim, pattern, run, within},
};

const LIMIT: usize = 256 << 10;

fn server() -> Server {
    Server::builder().max_connection_memory(Some(LIMIT))
}

/// The stream of an honest request is refused or served; either way it is over soon.
async fn is_alive(attacker: &mut Attacker) {
    let stream = attacker.begin_echo().await;
    attacker.is_heard().await;
    let refused = attacker.seen().reset_of(stream);
    match refused {
        Some(code) => assert_eq!(code, ErrorCode::REFUSED_STREAM),
        None => attacker.end_echo(stream).await,
    }
    assert!(attacker.seen().goaway.is_none());
}

#[test]
fn unread_data_stays_within_the_budget() {
    run(async {
        let victim = Victim::start(server());
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::client(victim.address).await;
        let begun = victim.measure(&attacker);
        let streams: Vec<u32> = (0..20).map(|_| attacker.next_stream()).collect();
        for stream in &streams {
            attacker.send(&request(*stream, 0, "POST", "/hold", &[])).await;
        }
        // 1.8 MB, which the windows allow.
        let piece = pattern(9_000);
        for _ in 0..10 {
            for stream in &streams {
                attacker.send(&raw::frame(DATA, 0, *stream, &piece)).await;
            }
        }
        attacker.is_heard().await;
        is_alive(&mut attacker).await;
        let figures = victim.figures("unread DATA against a budget of 256 KiB", &begun, &attacker);
        // And two blocks that are being read when the limit is reached, and the handlers, which are the application's.
        figures.holds_at_most(LIMIT + (128 << 10) + 20 * 3_072);
        let allowed = [ErrorCode::ENHANCE_YOUR_CALM, ErrorCode::REFUSED_STREAM];
        {
            let seen = attacker.seen();
            assert!(!seen.resets.is_empty(), "as if there were no limit");
            assert!(seen.resets.iter().all(|(_, code)| allowed.contains(code)), "{:?}", seen.resets);
        }
        victim.site.gate.send_replace(true);
        for stream in &streams {
            attacker.send(&raw::frame(DATA, END_STREAM, *stream, &[])).await;
        }
        within("handlers wait", || victim.site.running() <= 1).await;
        attacker.is_heard().await;
        attacker.is_served().await;
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}

/// Trailers that nobody reads, of as many small fields as a table has just grown for: a few octets each on the wire.
#[test]
fn small_fields_stay_within_the_budget() {
    run(async {
        const LIMIT: usize = 4 << 20;
        const STREAMS: usize = 190;
        let victim = Victim::start(Server::builder().max_connection_memory(Some(LIMIT)));
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::client(victim.address).await;
        let begun = victim.measure(&attacker);
        let streams: Vec<u32> = (0..STREAMS).map(|_| attacker.next_stream()).collect();
        for stream in &streams {
            attacker.send(&request(*stream, 0, "POST", "/hold", &[])).await;
        }
        let mut trailers = Vec::new();
        (0..193).for_each(|n| literal(&mut trailers, format!("{n}").as_bytes(), b""));
        for stream in &streams {
            attacker.send(&raw::frame(HEADERS, END_HEADERS | END_STREAM, *stream, &trailers)).await;
        }
        attacker.is_heard().await;
        let figures = victim.figures("trailers of 193 fields against a budget of 4 MiB", &begun, &attacker);
        figures.holds_at_most(LIMIT + STREAMS * 3_072);
        assert!(figures.held > LIMIT / 2, "little is held: {figures}");
        assert!(!attacker.seen().resets.is_empty(), "as if there were no limit");
        victim.site.gate.send_replace(true);
        within("handlers wait", || victim.site.running() <= 1).await;
        attacker.is_served().await;
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}

/// All are asked for in one breath, before anything is held.
#[test]
fn what_a_deaf_peer_asks_for_stays_within_the_budget() {
    run(async {
        const STREAMS: usize = 100;
        let victim = Victim::start_narrow(server());
        let honest = Honest::start(victim.address).await;
        let mut witness = Attacker::client(victim.address).await;
        let begun = victim.measure(&witness);
        let mut deaf = narrow(victim.address).await;
        let mut octets =
            [PREFACE, &raw::settings(&[(4, 0x7fff_ffff)]), &raw::window_update(0, 1 << 30)].concat();
        (0..STREAMS as u32)
            .for_each(|n| octets.extend(request(2 * n + 1, END_STREAM, "GET", "/endless", &[])));
        deaf.write_all(&octets).await.unwrap();
        within("little is held", || victim.live() >= begun.live + LIMIT / 2).await;
        witness.is_served().await;
        honest.finish().await;
        let figures = victim.figures("100 endless answers against a budget of 256 KiB", &begun, &witness);
        // The first fills the budget, and a little more, with what it may queue at once.
        figures.holds_at_most(2 * LIMIT + STREAMS * (PIECE + 4_096));
        drop((deaf, witness));
        victim.finish().await;
    });
}
