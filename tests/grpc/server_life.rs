//! How our server and its connections end: shutdown, age, idleness (RFC 9113 §6.8).

use std::{
    collections::HashSet,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use millpond::{Body, ConnectInfo, Server};
use millpond_testkit::stock;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    raw::{self, Raw},
    tools::{call, h2_call},
    world::{Gate, Served, on_both_runtimes, pause, quiet, soon, within},
};

on_both_runtimes! {
    shutdown_lets_calls_finish
    shutdown_grace_cuts
    the_last_response_is_read_to_its_end
    an_aged_connection_is_replaced_without_a_failed_call
    age_grace_cuts
    an_idle_connection_ends
    a_client_that_vanishes_leaves_no_handler
    a_client_that_half_closes_gets_its_answer
}

fn get(address: SocketAddr, path: &str) -> Request<()> {
    Request::get(format!("http://{address}{path}")).body(()).unwrap()
}

/// Waits until the server has read all that was sent, and what it said before is read.
async fn settled(peer: &mut Raw<TcpStream>) {
    peer.send(&raw::frame(raw::PING, 0, 0, b"octets 8")).await;
    let pong = soon("the answer to a PING", peer.expect(raw::PING)).await;
    assert_eq!((pong.flags, pong.payload), (raw::ACK, b"octets 8".to_vec()));
}

async fn shutdown_lets_calls_finish() {
    let gate = Gate::new();
    let served = Served::start(Server::builder(), gate.service()).await;
    let address = served.address;
    let send = stock::h2_client(address).await.unwrap();
    let open = tokio::spawn({
        let send = send.clone();
        async move { h2_call(&send, get(address, "/open"), Bytes::new()).await }
    });
    gate.entered(1).await;
    let (ended, pool) = served.stop();
    // GOAWAY has come: the client opens nothing more, and nobody listens.
    let refused = async {
        while send.clone().ready().await.is_ok() {
            pause(5).await
        }
    };
    soon("no more requests", refused).await;
    soon("nobody listens", async {
        while TcpStream::connect(address).await.is_ok() {
            pause(5).await
        }
    })
    .await;
    assert!(!ended.is_finished() && gate.running() == 1);
    gate.permits.add_permits(1);
    assert_eq!(open.await.unwrap().unwrap().1, "/open");
    soon("serving ends", ended).await.unwrap().unwrap();
    quiet(&pool).await;
}

/// The server has written everything and is done; the client is slow, and still talks.
async fn the_last_response_is_read_to_its_end() {
    const OCTETS: usize = 1 << 20;
    let answer = Arc::new(tokio::sync::Notify::new());
    let told = answer.clone();
    let service = tower::service_fn(move |_: Request<Body>| {
        let told = told.clone();
        async move {
            told.notified().await;
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(vec![7; OCTETS]))))
        }
    });
    let served = Served::start(Server::builder(), service).await;
    let socket = TcpStream::connect(served.address).await.unwrap();
    let mut peer = Raw::client(socket, &[(raw::INITIAL_WINDOW_SIZE, OCTETS as u32)]).await;
    peer.send(&raw::frame(raw::WINDOW_UPDATE, 0, 0, &(OCTETS as u32).to_be_bytes())).await;
    peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, 1, raw::GET)).await;
    settled(&mut peer).await;
    let (ended, pool) = served.stop();
    let ping = soon("GOAWAY and PING", peer.expect(raw::PING)).await;
    peer.send(&raw::frame(raw::PING, raw::ACK, 0, &ping.payload)).await;
    soon("the real GOAWAY", peer.expect(raw::GOAWAY)).await;
    answer.notify_one();
    let mut octets = 0;
    for _ in 0..20 {
        pause(10).await;
        peer.send(&raw::frame(raw::PING, 0, 0, &[0; 8])).await;
    }
    while octets < OCTETS {
        octets += soon("the rest", peer.expect(raw::DATA)).await.payload.len();
    }
    drop(peer);
    soon("serving ends", ended).await.unwrap().unwrap();
    quiet(&pool).await;
}

async fn shutdown_grace_cuts() {
    let gate = Gate::new();
    let server = Server::builder().shutdown_grace(Duration::from_millis(100));
    let served = Served::start(server, gate.service()).await;
    let (address, (channel, client_pool)) = (served.address, served.channel());
    let channel = channel.connect().await.unwrap();
    let open = tokio::spawn(async move {
        let request = Request::get(format!("http://{address}/")).body(Empty::<Bytes>::new()).unwrap();
        call(&channel, request).await
    });
    gate.entered(1).await;
    let begun = Instant::now();
    let (ended, pool) = served.stop();
    soon("serving ends", ended).await.unwrap().unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(100));
    assert!(soon("the call ends", open).await.unwrap().unwrap_err().transport().is_some());
    gate.entered(0).await;
    quiet(&pool).await;
    quiet(&client_pool).await;
}

async fn an_aged_connection_is_replaced_without_a_failed_call() {
    let peers = Arc::new(Mutex::new(HashSet::new()));
    let seen = peers.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        seen.lock().unwrap().insert(request.extensions().get::<ConnectInfo>().unwrap().remote_addr());
        async {
            pause(20).await;
            Ok::<_, Infallible>(Response::new("done".to_owned()))
        }
    });
    let server = Server::builder().max_connection_age(Duration::from_millis(250));
    let served = Served::start(server, service).await;
    let (channel, pool) = served.channel();
    // One that stalled until its connection was nearly over must not take that for a connection lost at once.
    let backoff = Duration::from_millis(1);
    let begun = Instant::now();
    let channel = channel.reconnect_backoff(backoff, backoff).connect().await.unwrap();
    let callers = (0..8).map(|_| {
        let (channel, peers) = (channel.clone(), peers.clone());
        tokio::spawn(async move {
            // Until the third connection, however long this machine needs.
            let enough =
                || begun.elapsed() >= Duration::from_millis(1_200) && peers.lock().unwrap().len() >= 3;
            while !enough() {
                assert!(begun.elapsed() < Duration::from_secs(60), "{peers:?}");
                let answer = call(&channel, Request::get("/").body(Empty::<Bytes>::new()).unwrap()).await;
                assert_eq!(answer.unwrap().into_body(), "done");
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    // Each but the last lived for nine tenths of its age at least.
    let most = begun.elapsed().as_millis() / 225 + 1;
    assert!((3..=most).contains(&(peers.lock().unwrap().len() as u128)), "{most}: {peers:?}");
    drop(channel);
    served.finish().await;
    quiet(&pool).await;
}

async fn age_grace_cuts() {
    let gate = Gate::new();
    let server = Server::builder()
        .max_connection_age(Duration::from_millis(500))
        .max_connection_age_grace(Duration::from_millis(500));
    let served = Served::start(server, gate.service()).await;
    // Before there is a connection, whose age is counted from when it is accepted.
    let begun = Instant::now();
    let send = stock::h2_client(served.address).await.unwrap();
    let call = h2_call(&send, get(served.address, "/"), Bytes::new());
    soon("the call is cut", call).await.unwrap_err();
    // Nine tenths of the age at least, and all of the grace.
    assert!(begun.elapsed() >= Duration::from_millis(950), "{:?}", begun.elapsed());
    assert_eq!(*gate.begun.lock().unwrap(), ["/"], "the call was cut, not turned away");
    gate.entered(0).await;
    served.finish().await;
}

async fn an_idle_connection_ends() {
    let gate = Gate::new();
    let server = Server::builder().max_connection_idle(Duration::from_millis(500));
    let served = Served::start(server, gate.service()).await;
    let socket = TcpStream::connect(served.address).await.unwrap();
    let mut peer = Raw::client(socket, &[]).await;
    peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, 1, raw::GET)).await;
    gate.entered(1).await;
    pause(1_000).await;
    // A call is open: the connection is not idle, however quiet it is.
    let answered = Instant::now();
    gate.permits.add_permits(1);
    let mut goaways = Vec::new();
    while let Some(frame) = soon("the end", peer.next()).await {
        match frame.kind {
            raw::PING => peer.send(&raw::frame(raw::PING, raw::ACK, 0, &frame.payload)).await,
            raw::GOAWAY => goaways.push((frame.code(), frame.payload[..4].to_vec())),
            _ => assert!(goaways.is_empty()),
        }
    }
    assert!(answered.elapsed() >= Duration::from_millis(490));
    let no_error = millpond::ErrorCode::NO_ERROR;
    assert_eq!(goaways, [(no_error, vec![0x7f, 0xff, 0xff, 0xff]), (no_error, vec![0, 0, 0, 1])]);
    served.finish().await;
}

/// The process of a client dies: its system closes the socket, in good order, and no octet follows.
async fn a_client_that_vanishes_leaves_no_handler() {
    let gate = Gate::new();
    let server = Server::builder().half_close_grace(Duration::from_millis(200));
    let served = Served::start(server, gate.service()).await;
    let socket = TcpStream::connect(served.address).await.unwrap();
    let mut peer = Raw::client(socket, &[]).await;
    peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, 1, raw::GET)).await;
    gate.entered(1).await;
    // With octets left unread the system would reset the connection instead.
    settled(&mut peer).await;
    while tokio::time::timeout(Duration::from_millis(20), peer.next()).await.is_ok() {}
    let begun = Instant::now();
    drop(peer);
    within("the handler lives on", || gate.running() == 0).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "that was the default, not what is set");
    served.finish().await;
}

/// A client that has said all it has to say, and listens.
async fn a_client_that_half_closes_gets_its_answer() {
    let gate = Gate::new();
    let served = Served::start(Server::builder(), gate.service()).await;
    let socket = TcpStream::connect(served.address).await.unwrap();
    let mut peer = Raw::client(socket, &[]).await;
    peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, 1, raw::GET)).await;
    gate.entered(1).await;
    peer.io.shutdown().await.unwrap();
    pause(100).await;
    gate.permits.add_permits(1);
    let head = soon("the answer", peer.expect(raw::HEADERS)).await;
    assert_eq!(head.stream, 1);
    served.finish().await;
}
