//! Peers that are slow or silent, and a system without file descriptors.

use std::time::{Duration, Instant};

use millpond::Server;
use millpond_testkit::stock::HELLO;
use tokio::{io::AsyncReadExt, net::TcpStream};

use crate::{
    raw::{self, Raw},
    tools::output,
    world::{Gate, Served, on_both_runtimes, pause, pool, quiet, site, soon},
};

on_both_runtimes! {
    a_silent_client_is_given_up
    half_a_field_block_is_given_up
    a_client_that_answers_no_ping_is_given_up
}

/// After so many milliseconds, as was set, and before so many seconds, which is the default of what was set.
#[track_caller]
fn between(begun: Instant, milliseconds: u64, seconds: u64) {
    let limits = Duration::from_millis(milliseconds)..Duration::from_secs(seconds);
    assert!(limits.contains(&begun.elapsed()), "{:?} is not within {limits:?}", begun.elapsed());
}

async fn a_silent_client_is_given_up() {
    let server = Server::builder().handshake_timeout(Some(Duration::from_millis(100)));
    let served = Served::start(server, site()).await;
    for said in [&b""[..], b"PRI * HTTP/2.0\r\n"] {
        let begun = Instant::now();
        let mut socket = TcpStream::connect(served.address).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut socket, said).await.unwrap();
        let mut heard = Vec::new();
        soon("the end", socket.read_to_end(&mut heard)).await.unwrap();
        between(begun, 90, 10);
    }
    served.finish().await;
}

async fn half_a_field_block_is_given_up() {
    let server = Server::builder().header_read_timeout(Some(Duration::from_millis(100)));
    let served = Served::start(server, site()).await;
    let mut peer = Raw::client(TcpStream::connect(served.address).await.unwrap(), &[]).await;
    let begun = Instant::now();
    // No END_HEADERS.
    peer.send(&raw::frame(raw::HEADERS, raw::END_STREAM, 1, raw::GET)).await;
    // Nothing else may be sent now, not even an acknowledgement.
    let mut heard = Vec::new();
    soon("the end", peer.io.read_to_end(&mut heard)).await.unwrap();
    assert!(heard.ends_with(b"not finished in time"), "{heard:?}");
    between(begun, 90, 30);
    drop(peer);
    served.finish().await;
}

fn with_keep_alive(interval: u64, timeout: u64) -> Server {
    Server::builder()
        .keep_alive_interval(Some(Duration::from_millis(interval)))
        .keep_alive_timeout(Duration::from_millis(timeout))
        .keep_alive_while_idle(true)
}

async fn a_client_that_answers_no_ping_is_given_up() {
    let gate = Gate::new();
    // Long enough that the call begins before the end, though this machine be busy.
    let served = Served::start(with_keep_alive(500, 1_000), gate.service()).await;
    let begun = Instant::now();
    let mut peer = Raw::client(TcpStream::connect(served.address).await.unwrap(), &[]).await;
    peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, 1, raw::GET)).await;
    gate.entered(1).await;
    soon("a PING", peer.expect(raw::PING)).await;
    while soon("the end", peer.next()).await.is_some() {}
    between(begun, 1_490, 20);
    gate.entered(0).await;
    drop(peer);
    served.finish().await;
}

/// By a clock that stands still while anybody works, and goes on to the next alarm when nobody does: however long the
/// answers take on a busy machine, they are in time.
#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_lives() {
    let (gate, pool) = (Gate::new(), pool());
    let (io, socket) = tokio::io::duplex(1 << 16);
    let server = with_keep_alive(60, 100).pool(pool.clone());
    let served = tokio::spawn(server.serve_connection(socket, gate.service()).unwrap());
    let begun = tokio::time::Instant::now();
    let mut peer = Raw::client(io, &[]).await;
    for _ in 0..5 {
        let ping = soon("a PING", peer.expect(raw::PING)).await;
        assert_eq!(ping.flags, 0);
        peer.send(&raw::frame(raw::PING, raw::ACK, 0, &ping.payload)).await;
    }
    // One PING after the other, and longer than a client lives that answers none.
    assert!((300..400).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    gate.permits.add_permits(1);
    peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, 1, raw::GET)).await;
    assert_eq!(soon("the answer", peer.expect(raw::DATA)).await.payload, b"/");
    drop(peer);
    soon("serving ends", served).await.unwrap();
    quiet(&pool).await;
}

const FEW_DESCRIPTORS: &str = "MILLPOND_TEST_FEW_DESCRIPTORS";

/// The listener waits until there are descriptors again. In a process of its own, with a limit of its own.
#[tokio::test]
async fn a_server_without_descriptors_recovers() {
    if std::env::var_os(FEW_DESCRIPTORS).is_none() {
        let own = std::env::current_exe().unwrap().display().to_string();
        let test = "server_timers::a_server_without_descriptors_recovers";
        // So many more than are open here: who runs the tests may have left us some of his.
        let limit = "$(($(ls /dev/fd | sort -n | tail -n 1) + 29))";
        let script = format!("ulimit -n {limit}; {FEW_DESCRIPTORS}=1 exec \"$0\" --exact {test}");
        assert!(output("sh", &["-c", &script, &own]).await.contains("1 passed"));
        return;
    }
    let served = Served::start(Server::builder(), site()).await;
    let mut sockets = Vec::new();
    // Both ends are in this process: the client's side uses up what the server's would need.
    while let Ok(socket) = TcpStream::connect(served.address).await {
        sockets.push(socket);
        pause(1).await;
    }
    assert!(sockets.len() > 5);
    pause(100).await;
    sockets.clear();
    let url = format!("http://{}/", served.address);
    let channel = millpond::Channel::from_shared(&url).unwrap();
    let channel = channel.reconnect_backoff(Duration::from_millis(10), Duration::from_millis(10));
    let channel = soon("a connection", async {
        loop {
            if let Ok(channel) = channel.clone().connect().await {
                return channel;
            }
            pause(10).await;
        }
    });
    let request = http::Request::get("/").body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
    let channel = channel.await;
    let answer = crate::tools::call(&channel, request);
    assert_eq!(soon("an answer", answer).await.unwrap().into_body(), HELLO);
}
