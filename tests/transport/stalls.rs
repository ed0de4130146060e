//! Peers that do not read, and streams on which nothing moves.

use std::time::Duration;

use bytes::Bytes;
use millpond::{Config, Error, ErrorCode, Misdeed, client};
use tokio::sync::oneshot;

use crate::{
    raw::{
        END_HEADERS, END_STREAM, GET, HEADERS, INITIAL_WINDOW_SIZE, RST_STREAM, Raw, frame, window_update,
    },
    world::{
        Incoming, Pipe, Wire, World, get, no_content, on_every_wire, pattern, pool, post, quiet, run_paused,
        serve, status, within,
    },
};

const SHORT: Duration = Duration::from_millis(100);

/// It opens its windows wide, asks for much, and never reads an octet of it.
async fn a_peer_that_never_reads_is_given_up<W: Wire>() {
    let (client_io, server_io) = W::pair().await;
    let pool = pool();
    let config = Config::builder().write_timeout(Some(SHORT)).pool(pool.clone()).build().unwrap();
    let (heard, hears) = oneshot::channel();
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Some(heard)));
    let server = tokio::spawn(serve(server_io, config, move |(_, mut respond): crate::world::Incoming| {
        let heard = heard.clone();
        async move {
            let mut send = respond.send_response(status(200), false)?;
            let error = loop {
                if let Err(error) = std::future::poll_fn(|cx| send.poll_room(cx)).await {
                    break error;
                }
                send.send_data(pattern(64 << 10), false)?;
            };
            heard.lock().unwrap().take().unwrap().send(error).unwrap();
            Ok(())
        }
    }));
    let mut peer = Raw::client(client_io, &[(INITIAL_WINDOW_SIZE, 0x7fff_ffff)]).await;
    peer.send(&window_update(0, 0x7000_0000)).await;
    peer.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, GET)).await;
    assert_eq!(hears.await.unwrap().misdeed(), Some(Misdeed::WriteTimeout));
    let error = server.await.unwrap().unwrap_err();
    assert_eq!(error.misdeed(), Some(Misdeed::WriteTimeout));
    quiet(&pool).await;
    drop(peer);
}
on_every_wire!(a_peer_that_never_reads_is_given_up);

/// Slow is not stalled: one that takes a little now and then gets everything.
#[test]
fn a_peer_that_reads_slowly_is_not_given_up() {
    run_paused(async {
        let (client_io, server_io) = tokio::io::duplex(1 << 10);
        // Far more than one pause, less than all of them together.
        let config = Config::builder().write_timeout(Some(5 * SHORT)).build().unwrap();
        let server =
            tokio::spawn(serve(server_io, config, |(_, mut respond): crate::world::Incoming| async move {
                let mut send = respond.send_response(status(200), false)?;
                send.send_data(pattern(16 << 10), true)
            }));
        let mut peer = Raw::client(client_io, &[]).await;
        peer.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, GET)).await;
        let mut octets = vec![0; 1 << 10];
        for _ in 0..12 {
            tokio::time::sleep(SHORT).await;
            assert!(tokio::io::AsyncReadExt::read(&mut peer.io, &mut octets).await.unwrap() > 0);
        }
        assert!(!server.is_finished());
        server.abort();
    });
}

#[test]
fn a_server_cancels_a_stream_whose_window_stays_shut() {
    run_paused(async {
        let (client_io, server_io) = Pipe::pair().await;
        let pool = pool();
        let config = Config::builder().stream_idle_timeout(Some(SHORT)).pool(pool.clone()).build().unwrap();
        let (failed, failure) = oneshot::channel();
        let failed = std::sync::Arc::new(std::sync::Mutex::new(Some(failed)));
        let server =
            tokio::spawn(serve(server_io, config, move |(_, mut respond): crate::world::Incoming| {
                let failed = failed.clone();
                async move {
                    let mut send = respond.send_response(status(200), false)?;
                    send.send_data(pattern(200_000), true)?;
                    let code = std::future::poll_fn(|cx| send.poll_reset(cx)).await?;
                    failed.lock().unwrap().take().unwrap().send(code).unwrap();
                    Ok(())
                }
            }));
        let mut peer = Raw::client(client_io, &[(INITIAL_WINDOW_SIZE, 0)]).await;
        peer.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, GET)).await;
        assert_eq!(peer.expect(RST_STREAM).await.code(), ErrorCode::CANCEL);
        assert_eq!(failure.await.unwrap(), ErrorCode::CANCEL);
        quiet(&pool).await;
        drop(peer);
        let _ = server.await.unwrap();
    });
}

/// Answers with so many octets, and waits until the request is given up.
async fn answer(octets: usize, (request, mut respond): Incoming) -> Result<(), Error> {
    let mut send = respond.send_response(status(200), false)?;
    send.send_data(pattern(octets), true)?;
    assert!(request.into_body().data().await.unwrap().is_err());
    Ok(())
}

/// The reader sleeps; when it wakes it hears why, and is not told that the half it had was all.
#[test]
fn a_reader_that_sleeps_loses_its_stream_and_what_is_unread() {
    run_paused(async {
        let client = Config::builder().stream_idle_timeout(Some(SHORT));
        let world =
            World::with::<Pipe, _, _>(client, Config::builder(), |incoming| answer(100_000, incoming)).await;
        let mut send = world.send.clone().ready().await.unwrap();
        // The request stays open, so the stream lives though the answer is whole.
        let (response, stream) = send.send_request(post("/"), false).unwrap();
        let mut body = response.await.unwrap().into_body();
        let first: Bytes = body.data().await.unwrap().unwrap();
        within("the stream lives", || world.send.stats().streams == 0).await;
        let error = body.data().await.unwrap().map(drop).unwrap_err();
        assert_eq!(error.misdeed(), Some(Misdeed::StreamIdle));
        assert!(!body.is_end_stream());
        // The connection has the credit of what was dropped again, though the handles live.
        within("what was dropped is unread", || world.send.stats().unread == first.len() as u64).await;
        // What was taken before may still be released.
        body.flow_control().release_capacity(first.len()).unwrap();
        assert!(body.flow_control().release_capacity(1).is_err());
        drop((body, stream, send, first));
        world.finish().await;
    });
}

/// Fewer octets than are worth a WINDOW_UPDATE are movement all the same.
#[test]
fn a_reader_that_takes_an_octet_now_and_then_keeps_its_stream() {
    run_paused(async {
        let client = Config::builder().stream_idle_timeout(Some(10 * SHORT));
        let world =
            World::with::<Pipe, _, _>(client, Config::builder(), |incoming| answer(1_000, incoming)).await;
        let mut send = world.send.clone().ready().await.unwrap();
        let (response, stream) = send.send_request(post("/"), false).unwrap();
        let mut body = response.await.unwrap().into_body();
        let octets = body.data().await.unwrap().unwrap();
        for _ in 0..30 {
            tokio::time::sleep(SHORT).await;
            body.flow_control().release_capacity(1).unwrap();
        }
        assert!(body.data().await.is_none());
        assert_eq!(send.stats().streams, 1);
        drop((body, stream, send, octets));
        world.finish().await;
    });
}

/// A connection without streams may be silent for ever.
#[test]
fn an_idle_connection_is_left_alone() {
    run_paused(async {
        let options = || Config::builder().stream_idle_timeout(Some(SHORT)).write_timeout(Some(SHORT));
        let (client_io, server_io) = Pipe::pair().await;
        let server = tokio::spawn(serve(server_io, options().build().unwrap(), no_content));
        let (send, connection) = client::handshake(client_io, options().build().unwrap());
        let connection = tokio::spawn(connection);
        let mut sender = send.clone().ready().await.unwrap();
        sender.send_request(get("/"), true).unwrap().0.await.unwrap();
        tokio::time::sleep(3 * SHORT).await;
        sender.send_request(get("/"), true).unwrap().0.await.unwrap();
        drop((send, sender));
        connection.await.unwrap().unwrap();
        let _ = server.await.unwrap();
    });
}
