//! Connections that end at every possible octet: closed, half-closed, reset (RFC 9113 §5.4, §9.1).
//!
//! What had come whole is answered if the peer still reads; a message that was cut is never taken for a whole one; and
//! nothing is left behind, however many connections go that way.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use millpond::{Channel, Config, Server, client};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::ServiceExt;

use crate::{
    attacker::{Attacker, request},
    client::call,
    figures::REST,
    raw::{self, ACK, DATA, END_HEADERS, END_STREAM, HEADERS, OK, PREFACE, SETTINGS},
    world::{Honest, Victim, pattern, pool, run, soon, within},
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Close,
    HalfClose,
    /// The system sends a RST instead of a FIN, and drops what it had not sent.
    Reset,
}

impl End {
    const ALL: [End; 3] = [End::Close, End::HalfClose, End::Reset];

    /// Ends the socket so; after half a close all that still comes is read.
    async fn of(self, mut socket: TcpStream) -> Vec<u8> {
        let mut rest = Vec::new();
        match self {
            End::Close => {}
            End::HalfClose => {
                socket.shutdown().await.unwrap();
                // A victim that has more to say when it closes may cut it off.
                let _ = soon("the end", socket.read_to_end(&mut rest)).await;
            }
            End::Reset => socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap(),
        }
        rest
    }
}

/// How many streams end in these frames.
fn ended(mut octets: &[u8]) -> usize {
    let mut ended = 0;
    while octets.len() >= 9 {
        let length = u32::from_be_bytes([0, octets[0], octets[1], octets[2]]) as usize;
        ended += usize::from(octets[3] <= HEADERS && octets[4] & END_STREAM != 0);
        octets = octets.get(9 + length..).unwrap_or_default();
    }
    ended
}

/// A client's side of a conversation; how many requests are whole after how many octets.
fn conversation() -> (Vec<u8>, Vec<usize>) {
    let body = pattern(60);
    let mut octets = [PREFACE, &raw::settings(&[(3, 7)]), &raw::frame(SETTINGS, ACK, 0, &[])].concat();
    let mut whole = Vec::new();
    octets.extend(request(1, 0, "POST", "/echo", &[("content-length", "60")]));
    octets.extend(raw::frame(raw::PING, 0, 0, &[9; 8]));
    octets.extend(raw::frame(DATA, 0, 1, &body[..25]));
    octets.extend(request(3, END_STREAM, "GET", "/octets/30", &[]));
    whole.push(octets.len());
    octets.extend(raw::frame(DATA, 8, 1, &[&[3][..], &body[25..], &[0; 3]].concat()));
    octets.extend(raw::frame(0xbe, 0, 0, &[1; 10]));
    octets.extend(raw::frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\0\x01t\x01v"));
    whole.push(octets.len());
    octets.extend(raw::window_update(0, 10));
    (octets, whole)
}

#[test]
fn a_server_is_left_at_every_octet() {
    run(async {
        let victim = Victim::start_patient(Server::builder());
        let honest = Honest::start(victim.address).await;
        let (octets, whole) = conversation();
        let mut idle = 0;
        // The first time is for what the runtime and the pool keep ready.
        for end in [End::HalfClose, End::Close, End::HalfClose, End::Reset] {
            for first in (0..=octets.len()).step_by(20) {
                let cuts = (first..octets.len().min(first + 20)).map(async |at| {
                    let mut socket = TcpStream::connect(victim.address).await.unwrap();
                    socket.write_all(&octets[..at]).await.unwrap();
                    let heard = end.of(socket).await;
                    if end == End::HalfClose {
                        let complete = whole.iter().filter(|whole| **whole <= at).count();
                        assert_eq!(ended(&heard), complete, "cut at {at}");
                    }
                });
                futures_util::future::join_all(cuts).await;
            }
            within("connections are still open", || victim.open_connections() == 1).await;
            if idle == 0 {
                idle = victim.live();
            }
        }
        let (left, cuts) = (victim.live().saturating_sub(idle), 3 * octets.len());
        honest.finish().await;
        within("connections are still open", || victim.open_connections() == 0).await;
        within("blocks are out", || victim.pool.stats().blocks_out == 0).await;
        println!("figure | server | cut at every octet | connections {cuts} | left {left}");
        assert!(left <= REST, "{left} octets are left of {cuts} connections");
        victim.finish().await;
    });
}

/// While the victim sends, after so many octets of it.
#[test]
fn a_server_is_left_while_it_sends() {
    run(async {
        let victim = Victim::start(Server::builder());
        let honest = Honest::start(victim.address).await;
        for end in End::ALL {
            for taken in [0, 1, 9, 100, 10_000, 16_393, 60_000] {
                let mut socket = TcpStream::connect(victim.address).await.unwrap();
                let hello = [
                    PREFACE.to_vec(),
                    raw::settings(&[(4, 0x7fff_ffff)]),
                    raw::window_update(0, 1 << 30),
                    request(1, END_STREAM, "GET", "/octets/2000000", &[]),
                    request(3, END_STREAM, "GET", "/endless", &[]),
                ];
                socket.write_all(&hello.concat()).await.unwrap();
                let mut octets = vec![0; taken];
                socket.read_exact(&mut octets).await.unwrap();
                if end != End::HalfClose {
                    end.of(socket).await;
                } else {
                    // It may go on to send, and that without end; but it learns when nobody is there.
                    socket.shutdown().await.unwrap();
                    let mut more = vec![0; 100_000];
                    let _ = socket.read_exact(&mut more).await;
                }
            }
        }
        honest.finish().await;
        victim.finish().await;
    });
}

/// A server's side: its answer to a request, whole after so many octets.
fn answer() -> (Vec<u8>, usize) {
    let body = pattern(60);
    let mut octets = [raw::settings(&[]), raw::frame(SETTINGS, ACK, 0, &[])].concat();
    octets.extend(raw::frame(HEADERS, END_HEADERS, 1, &[0x08, 3, b'1', b'0', b'3']));
    octets.extend(raw::frame(HEADERS, END_HEADERS, 1, OK));
    octets.extend(raw::frame(DATA, 0, 1, &body[..25]));
    octets.extend(raw::frame(raw::PING, 0, 0, &[9; 8]));
    octets.extend(raw::frame(DATA, 8, 1, &[&[3][..], &body[25..], &[0; 3]].concat()));
    octets.extend(raw::frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\0\x01t\x01v"));
    let whole = octets.len();
    octets.extend(raw::window_update(0, 10));
    (octets, whole)
}

/// Accepts, takes the preface and more, and sends so many octets of the answer.
async fn answer_in_part(listener: &TcpListener, octets: &[u8], end: End) {
    let (mut socket, _) = soon("a connection", listener.accept()).await.unwrap();
    let mut hello = [0; 24 + 9];
    socket.read_exact(&mut hello).await.unwrap();
    socket.write_all(octets).await.unwrap();
    if end == End::Reset {
        // A reset drops what the other side has not read, so that is another cut, wherever it falls.
        tokio::task::yield_now().await;
    }
    end.of(socket).await;
}

#[test]
fn a_client_is_left_at_every_octet() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let pool = pool();
        let (octets, whole) = answer();
        for end in End::ALL {
            for at in 0..=octets.len() {
                let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
                let config = Config::builder().pool(pool.clone()).build().unwrap();
                let (send, connection) = client::handshake(socket, config);
                let connection = tokio::spawn(connection);
                let calling = async {
                    let answer = call(&send, "/", Bytes::new()).await;
                    drop(send);
                    answer
                };
                let (answer, ()) =
                    tokio::join!(soon("an answer", calling), answer_in_part(&listener, &octets[..at], end));
                match answer {
                    Ok((_, body)) => assert!(at >= whole && body == pattern(60), "{end:?} at {at}: {body:?}"),
                    Err(error) => assert!(at < whole || end == End::Reset, "{end:?} at {at}: {error}"),
                }
                let _ = soon("the connection's end", connection).await.unwrap();
            }
        }
        within("blocks are out", || pool.stats().blocks_out == 0).await;
    });
}

/// A channel does not take the end for silence: the next call has a connection that works.
#[test]
fn a_channel_connects_again_after_every_cut() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let pool = pool();
        let channel = Channel::from_shared(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let short = Duration::from_millis(1);
        let channel = channel.pool(pool.clone()).reconnect_backoff(short, short).connect_lazy().unwrap();
        let get = async || {
            let (head, body) = loop {
                let request = Request::get("/").body(Empty::<Bytes>::new()).unwrap();
                match channel.clone().oneshot(request).await {
                    // What was lost as soon as it was made is not made again at once.
                    Err(error) if error.is_connect() => tokio::time::sleep(short).await,
                    answer => break answer?.into_parts(),
                }
            };
            Ok::<_, millpond::adapter::BoxError>((head.status, body.collect().await?.to_bytes()))
        };
        let (octets, whole) = answer();
        for end in [End::Close, End::Reset] {
            for at in 0..whole {
                let (cut, ()) =
                    tokio::join!(soon("an answer", get()), answer_in_part(&listener, &octets[..at], end));
                assert!(cut.is_err(), "{end:?} at {at}: {cut:?}");
                let good = async {
                    let mut server = Attacker::server(&listener).await;
                    server.until("the request", |seen| seen.ended.contains(&1)).await;
                    server.send(&raw::frame(HEADERS, END_HEADERS, 1, OK)).await;
                    server.send(&raw::frame(DATA, END_STREAM, 1, b"whole")).await;
                    server
                };
                let (answer, server) = tokio::join!(soon("an answer", get()), good);
                let (status, body) = answer.unwrap();
                assert_eq!((status, &body[..]), (StatusCode::OK, &b"whole"[..]));
                drop(server);
                // Nobody calls, and it learns of the end all the same.
                within("the channel holds on to what is over", || channel.stats().is_none()).await;
            }
        }
        drop(channel);
        within("blocks are out", || pool.stats().blocks_out == 0).await;
    });
}
