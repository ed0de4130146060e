//! Flow-control windows and SETTINGS that move while data flows (RFC 9113 §5.2, §6.5.3, §6.9).
//!
//! A change holds for the victim from its acknowledgement on, in order with what it sends; a window below what is in
//! flight stops it until the window is positive again; no octet is lost. What overflows a window ends the stream or the
//! connection, whichever it belongs to.

use bytes::Bytes;
use http::Request;
use millpond::{Config, ErrorCode, Misdeed, Server, client::SendRequest};

use crate::{
    attacker::{Attacker, request},
    client::{ClientVictim, blames, call},
    raw::{self, DATA, END_HEADERS, END_STREAM, HEADERS, OK},
    world::{Honest, Victim, pattern, run},
};

const TABLE: u16 = 1;
const WINDOW: u16 = raw::INITIAL_WINDOW_SIZE;
const FRAME: u16 = 5;

/// What is changed in turn.
const CHANGES: [&[(u16, u32)]; 9] = [
    &[(WINDOW, 1_000)],
    &[(TABLE, 0), (WINDOW, 0)],
    &[(FRAME, 100_000), (WINDOW, 40_000)],
    &[(WINDOW, 10), (TABLE, 4_096)],
    &[(FRAME, 16_384)],
    &[(WINDOW, 65_535), (FRAME, 20_000)],
    &[(WINDOW, 1), (TABLE, 100)],
    &[(TABLE, 0), (TABLE, 50), (FRAME, 16_777_215)],
    &[(WINDOW, 70_000), (FRAME, 16_384)],
];

/// Below the SETTINGS that may come at once.
const TIMES: usize = 72;

#[test]
fn settings_change_while_a_server_sends_and_receives() {
    run(async {
        let victim = Victim::start(Server::builder());
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::client(victim.address).await;
        let body = pattern(1_000_000);
        let (echo, piece) = (attacker.next_stream(), body.len() / TIMES + 1);
        let begun = victim.measure(&attacker);
        attacker.send(&request(echo, 0, "POST", "/echo", &[])).await;
        let mut small = Vec::new();
        for (n, sent) in body.chunks(piece).enumerate() {
            attacker.change(CHANGES[n % CHANGES.len()]).await;
            attacker.send(&raw::frame(DATA, 0, echo, sent)).await;
            attacker.grant(echo, 9_000).await;
            let stream = attacker.next_stream();
            attacker.send(&request(stream, END_STREAM, "GET", "/octets/500", &[])).await;
            small.push(stream);
            if n % 7 == 0 {
                attacker.is_heard().await;
            }
        }
        attacker.send(&raw::frame(DATA, END_STREAM, echo, &[])).await;
        attacker.change(&[(WINDOW, 65_535)]).await;
        attacker.grant(echo, 1_000_000).await;
        attacker.until("the echo", |seen| seen.ended.contains(&echo)).await;
        attacker.until("the rest", |seen| small.iter().all(|stream| seen.ended.contains(stream))).await;
        let figures = victim.figures("SETTINGS while data flows", &begun, &attacker);
        // What the application has echoed and we could not send waits in the send queue.
        figures.holds_at_most((256 << 10) * 2 + 200 * 2_048);
        {
            let seen = attacker.seen();
            assert_eq!((&seen.ledger.complaint, seen.ledger.acknowledged), (&None, TIMES + 2));
            assert!(seen.data[&echo] == body);
            assert!(small.iter().all(|stream| seen.data[stream] == pattern(500)));
        }
        attacker.is_served().await;
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}

#[test]
fn settings_change_while_a_client_sends_and_receives() {
    run(async {
        let sent = pattern(400_000);
        let expected = sent.clone();
        let application = async move |send: SendRequest| {
            let large = call(&send, "/", sent.clone());
            let small = async {
                for _ in 0..TIMES / 2 {
                    let (_, body) = call(&send, "/", Bytes::from_static(b"small")).await?;
                    assert!(body.is_empty());
                }
                Ok(())
            };
            tokio::try_join!(large, small).map(|((_, body), ())| body == sent)
        };
        let victim = ClientVictim::start(Config::builder(), application).await;
        let mut attacker = Attacker::server(&victim.listener).await;
        attacker.until("the request", |seen| seen.heads.contains_key(&1)).await;
        attacker.send(&raw::frame(HEADERS, END_HEADERS, 1, OK)).await;
        let begun = victim.measure(&attacker);
        let (mut returned, mut answered) = (0, 1);
        for n in 0..TIMES {
            attacker.change(CHANGES[n % CHANGES.len()]).await;
            attacker.grant(1, 6_000).await;
            attacker.is_heard().await;
            returned = give_back(&mut attacker, returned).await;
            answered = answer(&mut attacker, answered).await;
        }
        attacker.change(&[(WINDOW, 65_535)]).await;
        attacker.grant(1, 1_000_000).await;
        while answered < TIMES as u32 + 1 || returned < expected.len() {
            attacker.is_heard().await;
            returned = give_back(&mut attacker, returned).await;
            answered = answer(&mut attacker, answered).await;
        }
        attacker.send(&raw::frame(DATA, END_STREAM, 1, &[])).await;
        attacker.until("the end", |seen| seen.over).await;
        victim.figures("SETTINGS while data flows", &begun, &attacker).holds_at_most(2 * 400_000);
        assert_eq!(attacker.seen().ledger.complaint, None);
        drop(attacker);
        let (same, outcome) = victim.finish().await;
        assert!(same.unwrap());
        outcome.unwrap();
    });
}

/// Sends back what has come on stream 1 since then.
async fn give_back(attacker: &mut Attacker, returned: usize) -> usize {
    let fresh = attacker.seen().data.get(&1).map_or_else(Vec::new, |data| data[returned..].to_vec());
    for piece in fresh.chunks(16_384) {
        attacker.send(&raw::frame(DATA, 0, 1, piece)).await;
    }
    returned + fresh.len()
}

/// Answers the small requests above this stream that are whole.
async fn answer(attacker: &mut Attacker, answered: u32) -> u32 {
    let next = answered + 2;
    if !attacker.seen().ended.contains(&next) {
        return answered;
    }
    attacker.send(&raw::frame(HEADERS, END_HEADERS | END_STREAM, next, OK)).await;
    next
}

/// SETTINGS that drive a stream's window above the largest (§6.9.2).
#[test]
fn settings_that_overflow_a_window() {
    run(async {
        let victim = Victim::start(Server::builder());
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::client(victim.address).await;
        let stream = attacker.next_stream();
        attacker.send(&request(stream, 0, "POST", "/never", &[])).await;
        attacker.send(&raw::window_update(stream, 0x7fff_ffff - 65_535)).await;
        attacker.is_heard().await;
        assert!(attacker.seen().resets.is_empty());
        attacker.send(&raw::settings(&[(WINDOW, 65_536)])).await;
        attacker.is_cut_off(ErrorCode::FLOW_CONTROL_ERROR, "2^31 - 1").await;
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}

/// One octet beyond the window that a client gave.
#[test]
fn a_client_holds_a_server_to_its_windows() {
    run(async {
        const LIMIT: usize = 10_000;
        for connection in [false, true] {
            let config = Config::builder()
                .initial_stream_window_size(if connection { 1 << 20 } else { LIMIT as u32 })
                .max_unread(0);
            let config = if connection { config.initial_connection_window_size(65_535) } else { config };
            let victim = ClientVictim::start(config, async |send: SendRequest| {
                let get = Request::get("http://pond.example/").body(()).unwrap();
                let (response, _) = send.clone().ready().await.unwrap().send_request(get, true).unwrap();
                let mut body = response.await.unwrap().into_body();
                let error = loop {
                    // Never released, so that no credit comes back.
                    if let Err(error) = body.data().await.expect("an error, not the end") {
                        break error;
                    }
                };
                drop(body);
                (error, call(&send, "/", Bytes::new()).await.is_ok())
            })
            .await;
            let mut attacker = Attacker::server(&victim.listener).await;
            attacker.until("the request", |seen| seen.heads.contains_key(&1)).await;
            attacker.send(&raw::frame(HEADERS, END_HEADERS, 1, OK)).await;
            let allowed = if connection { 65_535 } else { LIMIT };
            for piece in pattern(allowed).chunks(5_000) {
                attacker.send(&raw::frame(DATA, 0, 1, piece)).await;
            }
            attacker.is_heard().await;
            assert!(attacker.seen().resets.is_empty() && attacker.seen().goaway.is_none());
            attacker.send(&raw::frame(DATA, 0, 1, &[1])).await;
            if connection {
                attacker.is_cut_off(ErrorCode::FLOW_CONTROL_ERROR, "beyond").await;
            } else {
                attacker.is_reset(1, ErrorCode::FLOW_CONTROL_ERROR).await;
                attacker.until("another request", |seen| seen.heads.contains_key(&3)).await;
                attacker.send(&raw::frame(HEADERS, END_HEADERS | END_STREAM, 3, OK)).await;
                attacker.until("the end", |seen| seen.over).await;
            }
            drop(attacker);
            let ((error, next_is_well), outcome) = victim.finish().await;
            assert_eq!((error.misdeed(), next_is_well), (Some(Misdeed::WindowExceeded), !connection));
            if connection {
                blames(&outcome, Misdeed::WindowExceeded);
            } else {
                outcome.unwrap();
            }
        }
    });
}
