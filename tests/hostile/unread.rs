//! DATA that the application does not read, in frames of every size (CVE-2019-9518, RUSTSEC-2026-0258; RFC 9113 §5.2).
//!
//! Memory stays within 1.5 times the unread octets and a block (of `max_read_size`), whatever the size of the frames, and
//! nobody is punished for small ones. One stream holds at most `initial_stream_window_size`, all together at most
//! `initial_connection_window_size + max_unread` and a frame. One allocation for each frame at the most.

use bytes::Bytes;
use http::Request;
use millpond::{Config, ErrorCode, Server};

use crate::{
    attacker::{Attacker, ECHOED, request},
    client::ClientVictim,
    raw::{self, DATA, END_HEADERS, END_STREAM, HEADERS, OK, WINDOW_UPDATE},
    site::summary,
    world::{Honest, Victim, pattern, run},
};

/// `max_read_size` by default.
const BLOCK: usize = 64 << 10;

const WINDOW: usize = 65_535;

/// Octets of payload in each frame, and of padding.
const SIZES: [(&str, usize, u8); 6] = [
    ("DATA of 1 octet", 1, 0),
    ("DATA of 100 octets", 100, 0),
    ("DATA of 1,025 octets", 1_025, 0),
    ("DATA of 10,000 octets", 10_000, 0),
    ("DATA of 16,384 octets", 16_384, 0),
    ("DATA of 1 octet and 255 of padding", 1, 255),
];

/// Frames of one stream that fill the window, or, with padding, as far as credit comes back for it.
fn frames(stream: u32, body: &Bytes, size: usize, padding: u8) -> Vec<u8> {
    let mut octets = Vec::new();
    for piece in body.chunks(size) {
        let (flags, payload) = match padding {
            0 => (0, piece.to_vec()),
            _ => (8, [&[padding], piece, &vec![0; padding.into()]].concat()),
        };
        octets.extend(raw::frame(DATA, flags, stream, &payload));
    }
    octets
}

#[test]
fn a_server_holds_little_more_than_the_octets() {
    run(async {
        for (name, size, padding) in SIZES {
            let victim = Victim::start(Server::builder().initial_stream_window_size(WINDOW as u32));
            let honest = Honest::start(victim.address).await;
            let mut attacker = Attacker::client(victim.address).await;
            let body = pattern(if padding == 0 { WINDOW } else { 1_000 });
            let echo = attacker.begin_echo().await;
            let held = attacker.next_stream();
            let begun = victim.measure(&attacker);
            attacker.send(&request(held, 0, "POST", "/hold", &[])).await;
            attacker.send(&frames(held, &body, size, padding)).await;
            attacker.is_heard().await;
            attacker.end_echo(echo).await;
            let figures = victim.figures(name, &begun, &attacker);
            figures.holds_at_most(body.len() * 3 / 2 + BLOCK);
            figures.works_at_most(9 + size);
            // Nothing of it was acknowledged to the stream, beside padding and a few to the connection.
            let updates = attacker.seen().frames[usize::from(WINDOW_UPDATE)];
            assert!(updates <= 4 + body.len() * usize::from(padding) / (WINDOW / 2), "{updates} updates");
            attacker.is_served().await;
            victim.site.gate.send_replace(true);
            attacker.send(&raw::frame(DATA, END_STREAM, held, &[])).await;
            attacker.until("the sum", |seen| seen.ended.contains(&held)).await;
            assert_eq!(attacker.seen().data[&held], summary(&body).as_bytes());
            drop(attacker);
            honest.finish().await;
            victim.finish().await;
        }
    });
}

#[test]
fn a_client_holds_little_more_than_the_octets() {
    run(async {
        for (name, size, padding) in SIZES {
            let config = Config::builder().initial_stream_window_size(WINDOW as u32);
            let (open, gate) = tokio::sync::oneshot::channel::<()>();
            let victim = ClientVictim::start(config, async move |send: millpond::client::SendRequest| {
                let get = Request::get("http://pond.example/").body(()).unwrap();
                let (response, _) = send.ready().await.unwrap().send_request(get, true).unwrap();
                let mut body = response.await.unwrap().into_body();
                gate.await.unwrap();
                let mut octets = Vec::new();
                while let Some(piece) = body.data().await {
                    octets.extend(piece.unwrap());
                }
                octets
            })
            .await;
            let mut attacker = Attacker::server(&victim.listener).await;
            attacker.until("the request", |seen| seen.heads.contains_key(&1)).await;
            let body = pattern(if padding == 0 { WINDOW } else { 1_000 });
            let begun = victim.measure(&attacker);
            attacker.send(&raw::frame(HEADERS, END_HEADERS, 1, OK)).await;
            attacker.send(&frames(1, &body, size, padding)).await;
            attacker.is_heard().await;
            let figures = victim.figures(name, &begun, &attacker);
            figures.holds_at_most(body.len() * 3 / 2 + BLOCK);
            figures.works_at_most(9 + size);
            attacker.send(&raw::frame(DATA, END_STREAM, 1, &[])).await;
            open.send(()).unwrap();
            attacker.until("the end", |seen| seen.over).await;
            drop(attacker);
            let (octets, outcome) = victim.finish().await;
            assert!(octets == body);
            outcome.expect("the connection ends well");
        }
    });
}

/// Many streams: the connection's window is the ceiling, and the streams are all served in the end.
#[test]
fn all_streams_together_have_a_ceiling() {
    run(async {
        const MAX_UNREAD: usize = 200_000;
        const CONNECTION: usize = 100_000;
        let server = Server::builder()
            .initial_stream_window_size(WINDOW as u32)
            .initial_connection_window_size(CONNECTION as u32)
            .max_unread(MAX_UNREAD as u32);
        let victim = Victim::start(server);
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::client(victim.address).await;
        let begun = victim.measure(&attacker);
        // As a proper client it stays within the windows, of which it keeps the books.
        let (mut sent, mut allowed, mut updates) = (0, CONNECTION, 0);
        let streams: Vec<u32> = (0..20).map(|_| attacker.next_stream()).collect();
        for stream in &streams {
            attacker.send(&request(*stream, 0, "POST", "/hold", &[])).await;
        }
        'sending: loop {
            for stream in &streams {
                if sent + 1_025 > allowed {
                    attacker.is_heard().await;
                    let seen = attacker.seen();
                    if seen.credit == updates {
                        break 'sending;
                    }
                    // What came before the measurement brought the window from its initial size.
                    allowed = seen.credit + WINDOW;
                    updates = seen.credit;
                }
                attacker.send(&raw::frame(DATA, 0, *stream, &[7; 1_025])).await;
                sent += 1_025;
            }
        }
        assert!(sent > MAX_UNREAD && sent <= MAX_UNREAD + CONNECTION + 1_025, "{sent}");
        let figures = victim.figures("DATA on 20 streams that are not read", &begun, &attacker);
        figures.holds_at_most((MAX_UNREAD + CONNECTION) * 3 / 2 + 20 * 4_096 + BLOCK);
        victim.site.gate.send_replace(true);
        for stream in &streams {
            attacker.send(&raw::frame(DATA, END_STREAM, *stream, &[])).await;
        }
        attacker.until("the sums", |seen| streams.iter().all(|stream| seen.ended.contains(stream))).await;
        attacker.is_served().await;
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}

/// One octet more than the windows allow: of a stream, the stream's end; of the connection, the connection's.
#[test]
fn the_windows_are_held_to() {
    run(async {
        let server = Server::builder()
            .initial_stream_window_size(WINDOW as u32)
            .initial_connection_window_size(100_000)
            .max_unread(0);
        let victim = Victim::start(server);
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::client(victim.address).await;
        let first = attacker.next_stream();
        attacker.send(&request(first, 0, "POST", "/hold", &[])).await;
        attacker.send(&frames(first, &pattern(WINDOW), 16_384, 0)).await;
        attacker.is_heard().await;
        assert!(attacker.seen().resets.is_empty());
        attacker.send(&raw::frame(DATA, 0, first, &[1])).await;
        attacker.is_reset(first, ErrorCode::FLOW_CONTROL_ERROR).await;
        attacker.is_served().await;
        let (second, third) = (attacker.next_stream(), attacker.next_stream());
        attacker.send(&request(second, 0, "POST", "/hold", &[])).await;
        attacker.send(&request(third, 0, "POST", "/hold", &[])).await;
        attacker.send(&frames(second, &pattern(WINDOW), 16_384, 0)).await;
        attacker.is_heard().await;
        // The reset stream's octets came back; those of the echo are fewer than half a window.
        let left = WINDOW + attacker.seen().credit - (WINDOW + 1 + ECHOED + WINDOW);
        assert!(left < 40_000, "{left}");
        attacker.send(&frames(third, &pattern(left), 10_000, 0)).await;
        attacker.is_heard().await;
        assert!(attacker.seen().goaway.is_none());
        attacker.send(&raw::frame(DATA, 0, third, &[1])).await;
        attacker.is_cut_off(ErrorCode::FLOW_CONTROL_ERROR, "beyond").await;
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}
