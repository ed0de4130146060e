//! Pings, deadlines and ends: keepalive, handshake, GOAWAY (RFC 9113 §3.4, §6.7, §6.8).

use std::{future::poll_fn, time::Duration};

use bytes::Bytes;
use millpond::{Config, ErrorCode, Misdeed, client, error::Mistake, server};

use crate::{
    raw::{self, END_HEADERS, END_STREAM, GOAWAY, HEADERS, MAX_CONCURRENT_STREAMS, PING, Raw},
    world::{
        Pipe, Tcp, Wire, World, call, echo, get, no_content, pattern, pool, post, quiet, read_body, run_here,
        run_on_threads, run_paused, settle, status, within,
    },
};

const SHORT: Duration = Duration::from_millis(60);

#[test]
fn a_ping_is_answered_and_measures_the_round_trip() {
    run_here(async {
        let (client_io, server_io) = Tcp::pair().await;
        let server = tokio::spawn(crate::world::serve(server_io, Config::default(), no_content));
        let (send, mut connection) = client::handshake(client_io, Config::default());
        let mut ping = connection.ping_pong();
        let mut other = connection.ping_pong();
        let connection = tokio::spawn(connection);
        assert_eq!(send.stats().rtt, None);
        ping.send_ping().unwrap();
        assert_eq!(other.send_ping().unwrap_err().mistake(), Some(Mistake::PingInFlight));
        poll_fn(|cx| ping.poll_pong(cx)).await.unwrap();
        ping.ping().await.unwrap();
        within("no round trip", || send.stats().rtt.is_some()).await;
        assert!(send.stats().rtt.unwrap() < Duration::from_secs(1));
        drop(send);
        connection.await.unwrap().unwrap();
        server.await.unwrap().unwrap();
        assert!(ping.ping().await.is_err());
    });
}

#[test]
fn a_ping_that_waits_hears_of_the_end() {
    run_here(async {
        let (client_io, server_io) = Pipe::pair().await;
        let (_send, mut connection) = client::handshake(client_io, Config::default());
        let mut ping = connection.ping_pong();
        tokio::spawn(connection);
        let waiting = tokio::spawn(async move { ping.ping().await });
        let mut peer = Raw::server(server_io, &[]).await;
        peer.expect(PING).await;
        drop(peer);
        assert!(waiting.await.unwrap().is_err());
    });
}

/// A peer that says GOAWAY still answers, and its streams still want to know whether it lives.
#[test]
fn pings_go_on_after_goaway() {
    run_here(async {
        let (client_io, server_io) = Pipe::pair().await;
        let (mut send, mut connection) = client::handshake(client_io, Config::default());
        let mut ping = connection.ping_pong();
        tokio::spawn(connection);
        let mut peer = Raw::server(server_io, &[]).await;
        let (_response, _stream) = send.send_request(post("/"), false).unwrap();
        peer.expect(HEADERS).await;
        ping.send_ping().unwrap();
        let sent = peer.expect(PING).await;
        peer.send(&raw::goaway(1, ErrorCode::NO_ERROR)).await;
        within("no GOAWAY", || send.is_closed()).await;
        peer.send(&raw::frame(PING, raw::ACK, 0, &sent.payload)).await;
        poll_fn(|cx| ping.poll_pong(cx)).await.unwrap();
        ping.send_ping().unwrap();
        let sent = peer.expect(PING).await;
        peer.send(&raw::frame(PING, raw::ACK, 0, &sent.payload)).await;
        poll_fn(|cx| ping.poll_pong(cx)).await.unwrap();
    });
}

#[test]
fn keepalive_gives_up_a_peer_that_does_not_answer() {
    run_paused(async {
        let (client_io, server_io) = Pipe::pair().await;
        let config = Config::builder().keep_alive_interval(Some(SHORT)).keep_alive_timeout(SHORT);
        let (mut send, connection) = client::handshake(client_io, config.build().unwrap());
        let connection = tokio::spawn(connection);
        let mut peer = Raw::server(server_io, &[]).await;
        let (response, _stream) = send.send_request(post("/"), false).unwrap();
        peer.expect(PING).await;
        let error = response.await.unwrap_err();
        assert_eq!(error.misdeed(), Some(Misdeed::KeepaliveTimeout));
        assert_eq!(peer.expect(GOAWAY).await.code(), Misdeed::KeepaliveTimeout.code());
        assert!(connection.await.unwrap().is_err());
    });
}

/// It does not read either: there is no room for a PING, nor for a GOAWAY.
#[test]
fn keepalive_gives_up_a_peer_that_does_not_read() {
    run_paused(async {
        let (client_io, server_io) = tokio::io::duplex(512);
        let pool = pool();
        let config = Config::builder()
            .keep_alive_interval(Some(SHORT))
            .keep_alive_timeout(SHORT)
            .pool(pool.clone())
            .build()
            .unwrap();
        let (mut send, connection) = client::handshake(client_io, config);
        let connection = tokio::spawn(connection);
        let peer = Raw::server(server_io, &[]).await;
        let (response, mut stream) = send.send_request(post("/"), false).unwrap();
        stream.send_data(pattern(50_000), true).unwrap();
        let begun = tokio::time::Instant::now();
        let error = response.await.unwrap_err();
        assert_eq!(error.misdeed(), Some(Misdeed::KeepaliveTimeout));
        assert!(begun.elapsed() < Duration::from_millis(500), "streams hear of it at once");
        assert!(connection.await.unwrap().is_err(), "and the connection soon after");
        assert!(begun.elapsed() < Duration::from_secs(3));
        drop((peer, stream));
        quiet(&pool).await;
    });
}

#[test]
fn keepalive_spares_a_peer_that_answers() {
    run_paused(async {
        let client = Config::builder()
            .keep_alive_interval(Some(SHORT))
            .keep_alive_timeout(SHORT)
            .keep_alive_while_idle(true);
        let world = World::with::<Pipe, _, _>(client, Config::builder(), no_content).await;
        tokio::time::sleep(SHORT * 6).await;
        assert!(world.send.stats().rtt.is_some(), "PINGs were sent while idle");
        call(&world.send, get("/"), Bytes::new()).await.unwrap();
        quiet(&world.client_pool).await;
        world.finish().await;
    });
}

#[test]
fn keepalive_leaves_an_idle_connection_alone() {
    run_paused(async {
        let client = Config::builder().keep_alive_interval(Some(SHORT)).keep_alive_timeout(SHORT);
        let world = World::with::<Pipe, _, _>(client, Config::builder(), no_content).await;
        call(&world.send, get("/"), Bytes::new()).await.unwrap();
        tokio::time::sleep(SHORT * 4).await;
        assert_eq!(world.send.stats().rtt, None);
        world.finish().await;
    });
}

#[test]
fn a_handshake_has_a_time_limit() {
    run_paused(async {
        for octets in [0, 10, 24] {
            let (mut client_io, server_io) = Pipe::pair().await;
            let config = Config::builder().handshake_timeout(Some(SHORT)).build().unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut client_io, &raw::PREFACE[..octets]).await.unwrap();
            let mut connection = server::handshake(server_io, config);
            let error = connection.accept().await.unwrap().unwrap_err();
            assert_eq!(error.misdeed(), Some(Misdeed::HandshakeTimeout));
            assert!(connection.accept().await.is_none());
        }
        let (client_io, _peer) = Pipe::pair().await;
        let config = Config::builder().handshake_timeout(Some(SHORT)).build().unwrap();
        let (_send, connection) = client::handshake(client_io, config);
        assert_eq!(connection.await.unwrap_err().misdeed(), Some(Misdeed::HandshakeTimeout));
    });
}

#[test]
fn a_graceful_end_finishes_what_is_open() {
    run_on_threads(async {
        let (client_io, server_io) = Tcp::pair().await;
        let pool = pool();
        let config = Config::builder().pool(pool.clone()).build().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            let mut connection = server::handshake(server_io, config);
            let mut stopped = std::pin::pin!(stopped);
            let mut asked = false;
            loop {
                tokio::select! {
                    incoming = connection.accept() => match incoming {
                        Some(incoming) => drop(tokio::spawn(echo(incoming.unwrap()))),
                        None => return,
                    },
                    _ = &mut stopped, if !asked => {
                        asked = true;
                        connection.graceful_shutdown();
                    }
                }
            }
        });
        let (send, connection) = client::handshake(client_io, Config::default());
        let connection = tokio::spawn(connection);
        let (response, mut stream) = send.clone().send_request(post("/"), false).unwrap();
        let mut body = response.await.unwrap().into_body();
        stop.send(()).unwrap();
        within("no GOAWAY", || send.is_closed()).await;
        let error = send.clone().ready().await.unwrap_err();
        assert!(error.is_go_away() && error.is_unprocessed(), "{error}");
        stream.send_data(pattern(200_000), true).unwrap();
        assert!(read_body(&mut body).await.unwrap().0 == pattern(200_000));
        drop((stream, body));
        connection.await.unwrap().unwrap();
        server.await.unwrap();
        quiet(&pool).await;
    });
}

#[test]
fn an_abrupt_end_names_its_code() {
    run_here(async {
        let (client_io, server_io) = Tcp::pair().await;
        let (mut send, connection) = client::handshake(client_io, Config::default());
        let connection = tokio::spawn(connection);
        let (response, _stream) = send.send_request(post("/"), false).unwrap();
        let mut server = server::handshake(server_io, Config::default());
        let (_, mut respond) = server.accept().await.unwrap().unwrap();
        server.abrupt_shutdown(ErrorCode::ENHANCE_YOUR_CALM);
        let error = server.accept().await.unwrap().unwrap_err();
        assert_eq!((error.code(), error.is_remote()), (ErrorCode::ENHANCE_YOUR_CALM, false));
        assert!(server.accept().await.is_none());
        assert!(respond.send_response(status(200), true).is_err());
        let error = response.await.unwrap_err();
        assert_eq!((error.code(), error.is_remote()), (ErrorCode::ENHANCE_YOUR_CALM, true));
        assert!(connection.await.unwrap().unwrap_err().is_go_away());
    });
}

/// What the peer's GOAWAY leaves out was not processed and may be tried elsewhere; what it names is finished.
#[test]
fn goaway_parts_the_processed_from_the_rest() {
    run_here(async {
        let (client_io, server_io) = tokio::io::duplex(64 << 10);
        let (send, connection) = client::handshake(client_io, Config::default());
        let connection = tokio::spawn(connection);
        let mut peer = Raw::server(server_io, &[(MAX_CONCURRENT_STREAMS, 2)]).await;
        within("no SETTINGS", || send.current_max_send_streams() == 2).await;
        let mut requests: Vec<_> =
            (0..4).map(|_| send.clone().send_request(get("/"), true).unwrap().0).collect();
        for _ in 0..2 {
            peer.expect(HEADERS).await;
        }
        let waiter = tokio::spawn(send.clone().ready());
        settle().await;
        peer.send(&raw::goaway(1, ErrorCode::NO_ERROR)).await;
        assert!(waiter.await.unwrap().unwrap_err().is_unprocessed());
        for request in requests.split_off(1) {
            assert!(request.await.unwrap_err().is_unprocessed());
        }
        let error = send.clone().send_request(get("/"), true).unwrap_err();
        assert!(error.is_unprocessed());
        peer.send(&raw::frame(HEADERS, END_HEADERS | END_STREAM, 1, raw::OK)).await;
        requests.remove(0).await.unwrap();
        connection.await.unwrap().unwrap();
    });
}

/// §6.8: after GOAWAY no stream is opened, not even one that was waiting and whose identifier is low enough.
#[test]
fn a_graceful_goaway_turns_waiting_requests_away() {
    run_here(async {
        let (client_io, server_io) = tokio::io::duplex(64 << 10);
        let (send, connection) = client::handshake(client_io, Config::default());
        let connection = tokio::spawn(connection);
        let mut peer = Raw::server(server_io, &[(MAX_CONCURRENT_STREAMS, 1)]).await;
        within("no SETTINGS", || send.current_max_send_streams() == 1).await;
        let open = send.clone().send_request(get("/"), true).unwrap().0;
        let waiting = send.clone().send_request(get("/"), true).unwrap().0;
        peer.expect(HEADERS).await;
        settle().await;
        peer.send(&raw::goaway(0x7fff_ffff, ErrorCode::NO_ERROR)).await;
        assert!(waiting.await.unwrap_err().is_unprocessed());
        peer.send(&raw::frame(HEADERS, END_HEADERS | END_STREAM, 1, raw::OK)).await;
        open.await.unwrap();
        connection.await.unwrap().unwrap();
    });
}

/// A request that never left may be tried elsewhere, whatever the connection died of.
#[test]
fn a_request_that_never_left_may_be_tried_again() {
    run_here(async {
        let (client_io, server_io) = tokio::io::duplex(64 << 10);
        let (send, connection) = client::handshake(client_io, Config::default());
        let connection = tokio::spawn(connection);
        let mut peer = Raw::server(server_io, &[(MAX_CONCURRENT_STREAMS, 1)]).await;
        within("no SETTINGS", || send.current_max_send_streams() == 1).await;
        let open = send.clone().send_request(get("/"), true).unwrap().0;
        let waiting = send.clone().send_request(get("/"), true).unwrap().0;
        peer.expect(HEADERS).await;
        settle().await;
        drop(peer);
        assert!(!open.await.unwrap_err().is_unprocessed());
        assert!(waiting.await.unwrap_err().is_unprocessed());
        let _ = connection.await.unwrap();
    });
}
