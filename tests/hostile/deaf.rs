//! Peers that do not read what they ask for (CVE-2019-9517), and streams on which nothing moves (CVE-2016-1546).
//!
//! While a peer takes nothing, a stream holds what its send queue takes (`max_send_buffer_size`, and the piece that
//! exceeded it), the connection what one turn of the writer does. After `write_timeout` the connection is given up, after
//! `stream_idle_timeout` a stream is; both are stopped clocks for a peer that goes on, however slowly.

use std::time::{Duration, Instant};

use bytes::Bytes;
use millpond::{Config, ErrorCode, Misdeed, Server, client::SendRequest};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    attacker::{Attacker, narrow, request},
    client::{ClientVictim, blames, call},
    raw::{self, ACK, DATA, END_STREAM, PING, PREFACE, SETTINGS},
    site::PIECE,
    world::{Honest, Victim, run, within},
};

/// How long a stream or a write may stand still. The honest neighbour has no more.
const SHORT: Duration = Duration::from_secs(2);
const STREAMS: usize = 50;
const SENT: usize = 32 << 10;
/// What the writer takes from the streams before it waits for the socket: 64 KiB of what is ready, in whole frames, after
/// a turn of up to 256 KiB.
const WRITER: usize = 320 << 10;

fn hello() -> Vec<u8> {
    let settings = raw::settings(&[(raw::INITIAL_WINDOW_SIZE, 0x7fff_ffff)]);
    [PREFACE, &settings, &raw::window_update(0, 0x7000_0000), &raw::frame(SETTINGS, ACK, 0, &[])].concat()
}

/// It opens its windows wide, asks for what has no end on many streams, and never reads an octet.
#[test]
fn a_peer_that_never_reads() {
    run(async {
        let server = Server::builder().max_send_buffer_size(SENT).write_timeout(Some(2 * SHORT));
        let victim = Victim::start_narrow(server);
        let honest = Honest::start(victim.address).await;
        let mut witness = Attacker::client(victim.address).await;
        let begun = victim.measure(&witness);
        let mut deaf: TcpStream = narrow(victim.address).await;
        let requests =
            (0..STREAMS as u32).flat_map(|n| request(2 * n + 1, END_STREAM, "GET", "/endless", &[]));
        deaf.write_all(&[hello(), requests.collect()].concat()).await.unwrap();
        within("the handlers do not run", || victim.site.running() >= STREAMS).await;
        // Until every queue is full.
        within("less is held than asked for", || victim.live() >= begun.live + STREAMS * SENT).await;
        witness.is_served().await;
        let figures = victim.figures("50 streams of a peer that never reads", &begun, &witness);
        figures.holds_at_most(STREAMS * (SENT + PIECE + 4_096) + WRITER);
        // Given up: handlers, streams and blocks go, though the peer still holds its socket.
        within("the handlers run on", || victim.site.running() == 0).await;
        within("it is not given up", || victim.open_connections() == 2).await;
        witness.is_served().await;
        honest.finish().await;
        drop((deaf, witness));
        victim.finish().await;
    });
}

/// It makes us answer and never reads the answers: cut off by the budget, long before any timeout.
#[test]
fn a_peer_that_pings_and_never_reads() {
    run(async {
        let floods: [fn(u32) -> Vec<u8>; 4] = [
            |_| raw::frame(PING, 0, 0, &[3; 8]),
            |_| raw::settings(&[]),
            |n| [request(2 * n + 1, 0, "POST", "/never", &[]), raw::window_update(2 * n + 1, 0)].concat(),
            |n| request(2 * n + 1, END_STREAM, "GET", "/missing", &[]),
        ];
        for (name, flood) in
            ["deaf PING", "deaf SETTINGS", "deaf provoked resets", "deaf requests"].into_iter().zip(floods)
        {
            let server =
                Server::builder().write_timeout(Some(SHORT)).max_concurrent_streams(Some(STREAMS as u32));
            let victim = Victim::start_narrow(server);
            let honest = Honest::start(victim.address).await;
            let mut witness = Attacker::client(victim.address).await;
            let begun = victim.measure(&witness);
            let mut deaf = narrow(victim.address).await;
            deaf.write_all(&hello()).await.unwrap();
            let mut sent = 0;
            while deaf.write_all(&flood(sent)).await.is_ok() {
                sent += 1;
                assert!(sent < 2_000_000, "nobody minds");
            }
            within("it is not given up", || victim.open_connections() == 2).await;
            witness.is_served().await;
            let figures = victim.figures(name, &begun, &witness);
            println!("figure | server | {name} | frames {sent}");
            // 1,024 frames to answer, and a stream's state for each that waits.
            figures.holds_at_most((24 << 10) + STREAMS * 4_096);
            honest.finish().await;
            drop((deaf, witness));
            victim.finish().await;
        }
    });
}

/// Streams that stand still are cancelled, and nothing else is.
#[test]
fn streams_that_stand_still() {
    run(async {
        let server = Server::builder().max_send_buffer_size(SENT).stream_idle_timeout(Some(SHORT));
        let victim = Victim::start(server);
        let honest = Honest::start(victim.address).await;
        let mut attacker = Attacker::silent_client(victim.address).await;
        attacker.send(PREFACE).await;
        attacker.introduce(&[(raw::INITIAL_WINDOW_SIZE, 0)]).await;
        let (begun, since) = (victim.measure(&attacker), Instant::now());
        let streams: Vec<u32> = (0..STREAMS).map(|_| attacker.next_stream()).collect();
        for stream in &streams {
            attacker.send(&request(*stream, END_STREAM, "GET", "/endless", &[])).await;
        }
        // And some whose body the application does not read.
        let unread: Vec<u32> = (0..5).map(|_| attacker.next_stream()).collect();
        for stream in &unread {
            attacker.send(&request(*stream, 0, "POST", "/hold", &[])).await;
            attacker.send(&raw::frame(DATA, 0, *stream, &[1; 10_000])).await;
        }
        // One that moves, little as it is, lives.
        let living = attacker.next_stream();
        attacker.send(&request(living, 0, "POST", "/sum", &[])).await;
        while streams.iter().chain(&unread).any(|stream| attacker.seen().reset_of(*stream).is_none()) {
            attacker.send(&raw::frame(DATA, 0, living, b"x")).await;
            tokio::time::sleep(SHORT / 30).await;
        }
        within("handlers outlive their streams", || victim.site.running() <= 2).await;
        let figures = victim.figures("streams that stand still", &begun, &attacker);
        figures.holds_at_most(STREAMS * (SENT + PIECE + 4_096) + 5 * 15_000);
        assert!(figures.held < 60_000, "{figures}");
        assert!(since.elapsed() >= SHORT, "sooner than said");
        let codes: Vec<ErrorCode> = attacker.seen().resets.iter().map(|(_, code)| *code).collect();
        assert!(codes.iter().all(|code| *code == ErrorCode::CANCEL), "{codes:?}");
        attacker.change(&[(raw::INITIAL_WINDOW_SIZE, 65_535)]).await;
        attacker.send(&raw::frame(DATA, END_STREAM, living, b"x")).await;
        attacker.until("the sum", |seen| seen.ended.contains(&living)).await;
        attacker.is_served().await;
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}

/// A client whose server takes the request and not its body.
#[test]
fn a_server_that_never_reads() {
    run(async {
        let config = Config::builder().write_timeout(Some(SHORT)).max_send_buffer_size(SENT);
        let application = async |send: SendRequest| call(&send, "/", Bytes::from(vec![7; 50_000_000])).await;
        let victim = ClientVictim::start(config, application).await;
        let (mut socket, _) = victim.listener.accept().await.unwrap();
        let settings = raw::settings(&[(raw::INITIAL_WINDOW_SIZE, 0x7fff_ffff)]);
        socket.write_all(&[settings, raw::window_update(0, 0x7000_0000)].concat()).await.unwrap();
        let (answer, outcome) = victim.finish().await;
        assert!(answer.is_err());
        blames(&outcome, Misdeed::WriteTimeout);
        drop(socket);
    });
}
