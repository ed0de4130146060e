//! Peers that begin something and do not go on: what is held for them, and until when (RFC 9113 §3.4, §6.5.3, §10.5).
//!
//! Of DATA and unknown frames nothing is held but the frame's header; of a field block, and of other frames, what came, in
//! the smallest block that holds it, until `header_read_timeout`; `handshake_timeout` and `settings_timeout` end the rest.
//! Time passes only where a test is about time.

use std::time::Duration;

use bytes::Bytes;
use millpond::{Config, ErrorCode, Misdeed, Server};

use crate::{
    attacker::{Attacker, request},
    client::{ClientVictim, blames, call},
    raw::{self, ACK, DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS},
    site::PIECE,
    world::{Honest, Victim, pattern, run, within},
};

/// What the victim is asked to wait at most, where it is to lose patience. Its honest neighbour has no more, so on a busy
/// machine less would not do.
const SHORT: Duration = Duration::from_secs(1);

/// The stalls that nobody minds: what is sent and not gone on with, on stream 3, after which all goes on.
fn harmless() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let headers = raw::frame(HEADERS, END_HEADERS, 3, raw::POST);
    let data = raw::frame(DATA, END_STREAM, 3, &pattern(10_000));
    let unknown = raw::frame(0xbe, 0, 0, &[1; 16_384]);
    let cut = |at: usize| ([&headers, &data[..at]].concat(), data[at..].to_vec());
    let (nine, rest_of_nine) = cut(9);
    let (some, rest_of_some) = cut(5_000);
    let (four, rest_of_four) = cut(4);
    vec![
        ("9 octets of DATA", nine, rest_of_nine),
        ("4 octets of DATA", four, rest_of_four),
        ("half a DATA frame", some, rest_of_some),
        ("an unknown frame of 16,384 octets", unknown.clone(), [headers.clone(), data.clone()].concat()),
        (
            "half an unknown frame",
            unknown[..8_000].to_vec(),
            [unknown[8_000..].to_vec(), headers.clone(), data.clone()].concat(),
        ),
        ("half a PING", raw::frame(6, 0, 0, &[1; 8])[..13].to_vec(), [&[1; 4][..], &headers, &data].concat()),
    ]
}

#[test]
fn nothing_is_held_for_them() {
    run(async {
        for (name, begin, end) in harmless() {
            let victim = Victim::start(Server::builder());
            // What its thread keeps for all connections, once one has rested and woken, is not the attack's.
            Honest::start(victim.address).await.finish().await;
            within("the first connection is open", || victim.open_connections() == 0).await;
            let mut attacker = Attacker::client(victim.address).await;
            let stream = attacker.next_stream();
            attacker.send(&request(stream, END_STREAM, "GET", "/octets/10", &[])).await;
            attacker.until("an answer", |seen| seen.ended.contains(&stream)).await;
            assert_eq!(attacker.next_stream(), 3);
            within("blocks are out", || victim.pool.stats().blocks_out == 0).await;
            let begun = victim.measure(&attacker);
            attacker.send(&begin).await;
            // No answer tells that it was read: reading it is what the heap and the polls tell.
            within("it is not read", || victim.polls(&attacker) > begun.polls).await;
            let most = match name {
                // The application has not read it.
                "half a DATA frame" => 5_000 * 3 / 2,
                // The smallest block.
                "half a PING" => 256,
                _ => 0,
            };
            let honest = Honest::start(victim.address).await;
            honest.finish().await;
            within("the honest connection is open", || victim.open_connections() == 1).await;
            within("blocks are out", || victim.pool.stats().octets_out <= most).await;
            let figures = victim.figures(name, &begun, &attacker);
            assert!(figures.held <= most + (8 << 10), "{figures}");
            figures.works_at_most(9);
            attacker.send(&end).await;
            attacker.until("an answer", |seen| seen.ended.contains(&3)).await;
            attacker.is_served().await;
            drop(attacker);
            victim.finish().await;
        }
    });
}

/// 12,000 octets of HEADERS, and then RST_STREAM: nothing is left of them.
#[test]
fn headers_and_then_a_reset() {
    run(async {
        // A connection that rested before is awake behind: what that takes is not the question here.
        let victim = Victim::start(Server::builder().rest_after(None));
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::client(victim.address).await;
        attacker.is_served().await;
        let begun = victim.measure(&attacker);
        let large = "v".repeat(12_000);
        for _ in 0..20 {
            let stream = attacker.next_stream();
            attacker.send(&request(stream, 0, "POST", "/never", &[("large", &large)])).await;
            attacker.is_heard().await;
            attacker.send(&raw::frame(raw::RST_STREAM, 0, stream, &[0, 0, 0, 8])).await;
            attacker.is_heard().await;
        }
        within("handlers outlive their streams", || victim.site.running() <= 1).await;
        attacker.is_served().await;
        honest.finish().await;
        within("blocks are out", || victim.pool.stats().blocks_out == 0).await;
        let figures = victim.figures("12,000 octets of HEADERS and RST_STREAM", &begun, &attacker);
        figures.holds_at_most(2 * 12_000);
        assert!(figures.held <= 8 << 10, "{figures}");
        drop(attacker);
        victim.finish().await;
    });
}

/// Half a field block is held, and not longer than said.
#[test]
fn half_a_field_block() {
    run(async {
        for (name, octets, announced) in [
            ("9 octets of HEADERS", 0, 16_000),
            ("half a HEADERS frame", 8_000, 16_000),
            ("HEADERS alone", 0, 0),
        ] {
            for in_time in [true, false] {
                let patience = if in_time { Duration::from_secs(3_600) } else { SHORT };
                // One that rests may be on its way to it when it is measured.
                let server = Server::builder().header_read_timeout(Some(patience)).rest_after(None);
                let victim = Victim::start(server);
                let honest = Honest::start(victim.address).await;
                let mut attacker = Attacker::client(victim.address).await;
                attacker.is_served().await;
                let stream = attacker.next_stream();
                // A literal that fills the frame.
                let mut block = [raw::GET, &[0, 1, b'x']].concat();
                let value = announced.max(1_000) - block.len() - 3;
                crate::attacker::integer(&mut block, 7, 0, value);
                block.resize(announced.max(1_000), b'v');
                let whole = match announced {
                    0 => [
                        raw::frame(HEADERS, END_STREAM, stream, &[]),
                        raw::frame(9, END_HEADERS, stream, &block),
                    ]
                    .concat(),
                    _ => raw::frame(HEADERS, END_STREAM | END_HEADERS, stream, &block),
                };
                let (begin, end) = whole.split_at(9 + octets);
                honest.finish().await;
                within("the honest connection is open", || victim.open_connections() == 1).await;
                // And the runtime has let go of its socket.
                attacker.is_heard().await;
                victim.settles().await;
                let begun = victim.measure(&attacker);
                attacker.send(begin).await;
                if in_time {
                    within("it is not read", || victim.polls(&attacker) > begun.polls).await;
                    within("it is not held", || victim.held_since(&begun) >= octets).await;
                    within("more is held than came", || victim.pool.stats().octets_out <= octets * 4 / 3)
                        .await;
                    let figures = victim.figures(name, &begun, &attacker);
                    assert!(figures.held <= octets * 4 / 3 + 2_048, "{figures}");
                    attacker.send(end).await;
                    attacker.until("an answer", |seen| seen.ended.contains(&stream)).await;
                    attacker.is_served().await;
                } else {
                    attacker.is_cut_off(ErrorCode::ENHANCE_YOUR_CALM, "not finished in time").await;
                }
                drop(attacker);
                victim.finish().await;
            }
        }
    });
}

/// Half of a frame that is held until it is whole: no more of it than has come, and not for ever.
#[test]
fn half_a_goaway() {
    run(async {
        for in_time in [true, false] {
            let patience = if in_time { Duration::from_secs(3_600) } else { SHORT };
            let server = Server::builder().header_read_timeout(Some(patience)).rest_after(None);
            let victim = Victim::start(server);
            let honest = Honest::start(victim.address).await;
            let mut attacker = Attacker::client(victim.address).await;
            attacker.is_served().await;
            honest.finish().await;
            within("the honest connection is open", || victim.open_connections() == 1).await;
            // And the runtime has let go of its socket.
            attacker.is_heard().await;
            victim.settles().await;
            let whole = raw::frame(raw::GOAWAY, 0, 0, &[0; 16_384]);
            let octets = 12_000;
            let (begin, end) = whole.split_at(9 + octets);
            let begun = victim.measure(&attacker);
            attacker.send(begin).await;
            if in_time {
                within("it is not held", || victim.held_since(&begun) >= octets).await;
                within("more is held than came", || victim.pool.stats().octets_out <= octets * 4 / 3).await;
                let figures = victim.figures("half a GOAWAY frame", &begun, &attacker);
                assert!(figures.held <= octets * 4 / 3 + 2_048, "{figures}");
                attacker.send(end).await;
                attacker.is_served().await;
            } else {
                attacker.is_cut_off(ErrorCode::ENHANCE_YOUR_CALM, "not finished in time").await;
            }
            drop(attacker);
            victim.finish().await;
        }
    });
}

/// Half a preface, a preface alone, nothing at all.
#[test]
fn a_handshake_that_stops() {
    run(async {
        for octets in [0, 1, 12, 23, 24, 24 + 5, 24 + 9 + 3] {
            let victim = Victim::start(Server::builder().handshake_timeout(Some(SHORT)));
            let honest = Honest::start(victim.address).await;
            let mut attacker = Attacker::silent_client(victim.address).await;
            let begun = victim.measure(&attacker);
            let hello = [PREFACE, &raw::settings(&[(4, 100)])].concat();
            attacker.send(&hello[..octets]).await;
            attacker.is_cut_off(ErrorCode::PROTOCOL_ERROR, "did not arrive in time").await;
            if octets == 12 {
                let figures = victim.figures("half a preface", &begun, &attacker);
                figures.holds_at_most(0);
                figures.works_at_most(9);
            }
            drop(attacker);
            honest.finish().await;
            victim.finish().await;
        }
    });
}

#[test]
fn settings_that_nobody_acknowledges() {
    run(async {
        let victim = Victim::start(Server::builder().settings_timeout(Some(SHORT)));
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::silent_client(victim.address).await;
        attacker.send(PREFACE).await;
        attacker.send(&raw::settings(&[])).await;
        // Work is done meanwhile, and does not stand for the acknowledgement.
        let stream = attacker.begin_echo().await;
        attacker.end_echo(stream).await;
        attacker.is_cut_off(ErrorCode::SETTINGS_TIMEOUT, "not acknowledged in time").await;
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}

/// What a client does with a server that stops.
#[test]
fn a_client_loses_patience_too() {
    run(async {
        type Talk = (&'static str, ErrorCode, Misdeed);
        let talks: [Talk; 3] = [
            ("nothing", ErrorCode::PROTOCOL_ERROR, Misdeed::HandshakeTimeout),
            ("no ACK", ErrorCode::SETTINGS_TIMEOUT, Misdeed::SettingsNotAcknowledged),
            ("half a HEADERS frame", ErrorCode::ENHANCE_YOUR_CALM, Misdeed::HeadersTimeout),
        ];
        for (talk, code, misdeed) in talks {
            let config = Config::builder();
            let config = match misdeed {
                Misdeed::HandshakeTimeout => config.handshake_timeout(Some(SHORT)),
                Misdeed::HeadersTimeout => config.header_read_timeout(Some(SHORT)),
                _ => config.settings_timeout(Some(SHORT)),
            };
            let application = async |send| call(&send, "/", Bytes::new()).await;
            let victim = ClientVictim::start(config, application).await;
            let mut attacker = Attacker::silent_server(&victim.listener).await;
            if talk != "nothing" {
                attacker.send(&raw::settings(&[])).await;
            }
            if talk.starts_with("half") {
                attacker.send(&raw::frame(SETTINGS, ACK, 0, &[])).await;
                attacker.until("the request", |seen| seen.heads.contains_key(&1)).await;
                attacker.send(&raw::frame(HEADERS, END_HEADERS, 1, &[0x88; 100])[..50]).await;
            }
            attacker.is_cut_off(code, "in time").await;
            drop(attacker);
            let (answer, outcome) = victim.finish().await;
            assert!(answer.is_err());
            blames(&outcome, misdeed);
        }
    });
}

/// No window at all, and as many requests as are taken, each for more than anybody would keep.
#[test]
fn no_window_and_a_full_queue_of_requests() {
    run(async {
        const STREAMS: usize = 100;
        const SENT: usize = 16 << 10;
        let server =
            Server::builder().max_concurrent_streams(Some(STREAMS as u32 + 1)).max_send_buffer_size(SENT);
        let victim = Victim::start(server);
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::silent_client(victim.address).await;
        attacker.send(PREFACE).await;
        attacker.introduce(&[(raw::INITIAL_WINDOW_SIZE, 0)]).await;
        let begun = victim.measure(&attacker);
        let streams: Vec<u32> = (0..STREAMS).map(|_| attacker.next_stream()).collect();
        for stream in &streams {
            attacker.send(&request(*stream, END_STREAM, "GET", "/endless", &[])).await;
        }
        attacker.until("the heads", |seen| seen.heads.len() == STREAMS).await;
        attacker.is_heard().await;
        let figures = victim.figures("100 streams without a window", &begun, &attacker);
        // A piece of the body is asked for as long as there is room, so one piece more than the limit.
        figures.holds_at_most(STREAMS * (SENT + PIECE + 4_096));
        assert!(attacker.seen().data.is_empty());
        figures.works_at_most(2);
        // A window for one of them, and it moves; the others wait.
        attacker.send(&raw::window_update(streams[7], 40_000)).await;
        attacker
            .until("DATA", |seen| seen.data.get(&streams[7]).is_some_and(|data| data.len() == 40_000))
            .await;
        assert_eq!(attacker.seen().data.len(), 1);
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}
