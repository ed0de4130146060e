//! Many at once, and both at once: crowds of slow peers, and two peers that send without end through sockets that take
//! little (grpc-go issue 9330).

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use millpond::{Config, Server, client};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    attacker::{Attacker, narrow, request},
    client::call,
    raw::{self, ACK, DATA, END_STREAM, HEADERS, PREFACE, SETTINGS},
    world::{Honest, Victim, pattern, pool, run, soon, within},
};

/// Ours against ours: every octet that is sent comes back, many streams at once.
#[test]
fn both_flood_each_other_through_small_sockets() {
    run(async {
        const CALLS: usize = 12;
        const SENT: usize = 150_000;
        let victim = Victim::start_narrow(Server::builder());
        let honest = Honest::start(victim.address).await;
        let pool = pool();
        let config = Config::builder().pool(pool.clone()).build().unwrap();
        let (send, connection) = client::handshake(narrow(victim.address).await, config);
        let connection = tokio::spawn(connection);
        let done = AtomicUsize::new(0);
        let calls = (0..CALLS).map(async |n| {
            let body = pattern(SENT + n);
            let (_, echo) = call(&send, "/echo", body.clone()).await.unwrap();
            assert!(echo == body);
            done.fetch_add(1, SeqCst);
        });
        soon("every echo", futures_util::future::join_all(calls)).await;
        assert_eq!(done.into_inner(), CALLS);
        drop(send);
        connection.await.unwrap().unwrap();
        within("blocks are out", || pool.stats().blocks_out == 0).await;
        honest.finish().await;
        victim.finish().await;
    });
}

/// A raw peer writes all it may before it reads anything. Ours cannot write meanwhile, and reads on.
#[test]
fn a_peer_that_reads_last_is_read_to_the_end() {
    run(async {
        const SENT: usize = 900_000;
        let victim = Victim::start_narrow(Server::builder());
        let honest = Honest::start(victim.address).await;
        let mut socket = narrow(victim.address).await;
        let body = pattern(SENT);
        let mut octets = [PREFACE, &raw::settings(&[(4, 1 << 30)]), &raw::window_update(0, 1 << 30)].concat();
        octets.extend(raw::frame(SETTINGS, ACK, 0, &[]));
        octets.extend(request(1, 0, "POST", "/echo", &[]));
        body.chunks(10_000).for_each(|piece| octets.extend(raw::frame(DATA, 0, 1, piece)));
        octets.extend(raw::frame(DATA, END_STREAM, 1, &[]));
        soon("it is read, although it cannot write", socket.write_all(&octets)).await.unwrap();
        // Now the answers, PING's among them.
        let mut attacker = Attacker::over(socket);
        attacker.is_heard().await;
        attacker.until("the echo", |seen| seen.ended.contains(&1)).await;
        assert!(attacker.seen().data[&1] == body);
        drop(attacker);
        honest.finish().await;
        victim.finish().await;
    });
}

/// Hundreds of connections that began something and stopped: what each of them holds.
#[test]
fn crowds_of_slow_peers() {
    run(async {
        const CROWD: usize = 300;
        /// A connection of its own: task, socket, state.
        const CONNECTION: usize = 5_120;
        let hello = || [PREFACE, &raw::settings(&[]), &raw::frame(SETTINGS, ACK, 0, &[])].concat();
        let post = || [hello(), request(1, 0, "POST", "/hold", &[])].concat();
        let crowds: [(&str, Vec<u8>, usize); 7] = [
            ("300 with nothing", Vec::new(), 0),
            ("300 with half a preface", PREFACE[..12].to_vec(), 0),
            ("300 that are idle", hello(), 0),
            (
                "300 with an unknown frame of 16,384 octets",
                [hello(), raw::frame(0xbe, 0, 0, &[0; 16_384])].concat(),
                0,
            ),
            (
                "300 with half a HEADERS frame",
                [hello(), raw::frame(HEADERS, 0, 1, &[0; 3_000])[..1_509].to_vec()].concat(),
                1_500,
            ),
            // The request is with a handler that waits for its body.
            (
                "300 with 9 octets of DATA",
                [post(), raw::frame(DATA, 0, 1, &[0; 9])[..9].to_vec()].concat(),
                HANDLER,
            ),
            (
                "300 with half a DATA frame",
                [post(), raw::frame(DATA, 0, 1, &[0; 9_000])[..4_509].to_vec()].concat(),
                HANDLER + 4_500,
            ),
        ];
        for (name, octets, kept) in crowds {
            let victim = Victim::start(Server::builder());
            let honest = Honest::start(victim.address).await;
            let mut first = Attacker::client(victim.address).await;
            let begun = victim.measure(&first);
            let mut crowd = Vec::new();
            for _ in 0..CROWD {
                let mut socket = TcpStream::connect(victim.address).await.unwrap();
                socket.write_all(&octets).await.unwrap();
                // SETTINGS and WINDOW_UPDATE tell that it is served; an ACK that what was sent has been read.
                let mut said = [0; 9];
                socket.read_exact(&mut said).await.unwrap();
                crowd.push(socket);
            }
            honest.finish().await;
            first.is_served().await;
            let out = || victim.pool.stats().octets_out;
            within("more is out than came", || out() <= CROWD * kept * 4 / 3).await;
            let figures = victim.figures(name, &begun, &first);
            println!("figure | server | {name} | held for each {}", figures.held / CROWD);
            assert!(figures.held <= CROWD * (CONNECTION + kept * 3 / 2), "{figures}");
            drop((crowd, first));
            victim.finish().await;
        }
    });
}

/// A stream, its request and its handler.
const HANDLER: usize = 3_072;

/// Every kind of nuisance at once, each from a connection of its own, while honest calls go on.
#[test]
fn all_at_once() {
    run(async {
        let victim = Victim::start(Server::builder());
        let honest = Honest::start(victim.address).await;
        let nuisances: [fn(u32) -> Vec<u8>; 6] = [
            |_| raw::frame(raw::PING, 0, 0, &[1; 8]),
            |_| raw::settings(&[(3, 1)]),
            |_| raw::window_update(0, 1),
            |_| raw::frame(0xbe, 0, 0, &[0; 500]),
            |id| {
                [request(id, 0, "POST", "/never", &[]), raw::frame(raw::RST_STREAM, 0, id, &[0; 4])].concat()
            },
            |id| [request(id, 0, "POST", "/never", &[]), raw::window_update(id, 0)].concat(),
        ];
        let attacks = (0..24).map(async |n| {
            let mut attacker = Attacker::client(victim.address).await;
            loop {
                let wave: Vec<u8> =
                    (0..100).flat_map(|_| nuisances[n % nuisances.len()](attacker.next_stream())).collect();
                if !attacker.send(&wave).await || attacker.seen().over {
                    break;
                }
            }
            attacker.is_cut_off(millpond::ErrorCode::ENHANCE_YOUR_CALM, "").await;
        });
        futures_util::future::join_all(attacks).await;
        let answer = tokio::spawn(plain_call(victim.address));
        assert!(soon("a call of a newcomer", answer).await.unwrap() == pattern(50));
        honest.finish().await;
        victim.finish().await;
    });
}

async fn plain_call(address: std::net::SocketAddr) -> Vec<u8> {
    let socket = TcpStream::connect(address).await.unwrap();
    let (send, connection) = client::handshake(socket, Config::default());
    tokio::spawn(connection);
    call(&send, "/echo", pattern(50)).await.unwrap().1
}
