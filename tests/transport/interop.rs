//! With the `h2` crate at the other end, either way round.

use std::future::poll_fn;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use millpond::{Config, ErrorCode, client};
use tokio::task::JoinHandle;

use crate::world::{
    Incoming, Pipe, Tcp, Wire, call, echo, get, no_content, on_every_wire, pattern, pool, post, quiet,
    run_here, run_on_threads, serve, settle, status, within,
};

type Respond = h2::server::SendResponse<Bytes>;

/// An `h2` server that echoes, with small windows.
fn h2_server<T>(io: T, builder: h2::server::Builder) -> JoinHandle<Result<(), h2::Error>>
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        let mut connection = builder.handshake::<_, Bytes>(io).await?;
        while let Some(incoming) = connection.accept().await {
            let (request, respond) = incoming?;
            tokio::spawn(h2_echo(request, respond));
        }
        Ok(())
    })
}

async fn h2_echo(request: Request<h2::RecvStream>, mut respond: Respond) -> Result<(), h2::Error> {
    let mut body = request.into_body();
    let mut send = respond.send_response(Response::new(()), false)?;
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        h2_send(&mut send, piece).await?;
    }
    match body.trailers().await? {
        Some(trailers) => send.send_trailers(trailers),
        None => send.send_data(Bytes::new(), true),
    }
}

async fn h2_send(send: &mut h2::SendStream<Bytes>, mut data: Bytes) -> Result<(), h2::Error> {
    while !data.is_empty() {
        send.reserve_capacity(data.len());
        let Some(capacity) = poll_fn(|cx| send.poll_capacity(cx)).await else { return Ok(()) };
        let now = data.split_to(capacity?.min(data.len()));
        send.send_data(now, false)?;
    }
    Ok(())
}

/// A call by an `h2` client.
async fn h2_call(
    send: &h2::client::SendRequest<Bytes>,
    request: Request<()>,
    body: Bytes,
    trailers: Option<HeaderMap>,
) -> Result<(Response<()>, Vec<u8>, Option<HeaderMap>), h2::Error> {
    let mut send = send.clone().ready().await?;
    let (response, mut stream) = send.send_request(request, false)?;
    let sending = async {
        h2_send(&mut stream, body).await?;
        match trailers {
            Some(trailers) => stream.send_trailers(trailers),
            None => stream.send_data(Bytes::new(), true),
        }
    };
    let receiving = async {
        let (head, mut body) = response.await?.into_parts();
        let mut octets = Vec::new();
        while let Some(piece) = body.data().await {
            let piece = piece?;
            body.flow_control().release_capacity(piece.len())?;
            octets.extend_from_slice(&piece);
        }
        Ok((Response::from_parts(head, ()), octets, body.trailers().await?))
    };
    Ok(tokio::try_join!(sending, receiving)?.1)
}

fn trailers() -> HeaderMap {
    HeaderMap::from_iter([("x-end".parse().unwrap(), HeaderValue::from_static("yes"))])
}

const SIZES: [usize; 6] = [0, 1, 16_384, 65_536, 300_001, 2 << 20];

async fn our_client_calls_h2<W: Wire>() {
    for window in [1_000, 65_535, 1 << 20] {
        let (client_io, server_io) = W::pair().await;
        let mut builder = h2::server::Builder::new();
        builder.initial_window_size(window).initial_connection_window_size(window.max(65_535));
        let server = h2_server(server_io, builder);
        let pool = pool();
        let config = Config::builder().initial_stream_window_size(window).pool(pool.clone()).build().unwrap();
        let (send, connection) = client::handshake(client_io, config);
        let connection = tokio::spawn(connection);
        for octets in SIZES.into_iter().filter(|octets| *octets <= window as usize * 400) {
            let (head, body, _) = call(&send, post("/"), pattern(octets)).await.unwrap();
            assert!(head.status() == 200 && body == pattern(octets), "{octets} octets, window {window}");
        }
        let (response, mut stream) = send.clone().send_request(post("/"), false).unwrap();
        stream.send_data(Bytes::from_static(b"x"), false).unwrap();
        stream.send_trailers(trailers()).unwrap();
        let mut body = response.await.unwrap().into_body();
        assert_eq!(crate::world::read_body(&mut body).await.unwrap(), (b"x".to_vec(), Some(trailers())));
        drop((send, body, stream));
        connection.await.unwrap().unwrap();
        // What it wrote last may have met a closed socket.
        let _ = server.await.unwrap();
        quiet(&pool).await;
    }
}
on_every_wire!(our_client_calls_h2);

async fn h2_calls_our_server<W: Wire>() {
    for window in [1_000, 65_535, 1 << 20] {
        let (client_io, server_io) = W::pair().await;
        let pool = pool();
        let config = Config::builder().initial_stream_window_size(window).pool(pool.clone()).build().unwrap();
        let server = tokio::spawn(serve(server_io, config, echo));
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(window).enable_push(false);
        let (send, connection) = builder.handshake::<_, Bytes>(client_io).await.unwrap();
        let connection = tokio::spawn(connection);
        for octets in SIZES.into_iter().filter(|octets| *octets <= window as usize * 400) {
            let (head, body, _) = h2_call(&send, post("/"), pattern(octets), None).await.unwrap();
            assert!(head.status() == 200 && body == pattern(octets), "{octets} octets, window {window}");
        }
        let (_, body, end) =
            h2_call(&send, post("/"), Bytes::from_static(b"x"), Some(trailers())).await.unwrap();
        assert_eq!((body.as_slice(), end), (&b"x"[..], Some(trailers())));
        drop(send);
        connection.await.unwrap().unwrap();
        server.await.unwrap().unwrap();
        quiet(&pool).await;
    }
}
on_every_wire!(h2_calls_our_server);

#[test]
fn many_calls_of_our_client_at_once() {
    run_on_threads(async {
        let (client_io, server_io) = Tcp::pair().await;
        let mut builder = h2::server::Builder::new();
        builder.max_concurrent_streams(10);
        // What is sent before the limit is known may be refused.
        let config = Config::builder().initial_max_send_streams(10).build().unwrap();
        let server = h2_server(server_io, builder);
        let (send, connection) = client::handshake(client_io, config);
        let connection = tokio::spawn(connection);
        let calls =
            (0..300).map(|n| {
                let send = send.clone();
                async move {
                    assert!(call(&send, post("/"), pattern(n * 100)).await.unwrap().1 == pattern(n * 100))
                }
            });
        futures_util::future::join_all(calls).await;
        drop(send);
        connection.await.unwrap().unwrap();
        let _ = server.await.unwrap();
    });
}

#[test]
fn many_calls_of_h2_at_once() {
    run_on_threads(async {
        let (client_io, server_io) = Tcp::pair().await;
        let config = Config::builder().max_concurrent_streams(Some(10)).build().unwrap();
        let server = tokio::spawn(serve(server_io, config, echo));
        let mut builder = h2::client::Builder::new();
        builder.initial_max_send_streams(10);
        let (send, connection) = builder.handshake(client_io).await.unwrap();
        let connection = tokio::spawn(connection);
        let calls = (0..300).map(|n| {
            let send = send.clone();
            async move {
                assert!(
                    h2_call(&send, post("/"), pattern(n * 100), None).await.unwrap().1 == pattern(n * 100)
                );
            }
        });
        futures_util::future::join_all(calls).await;
        drop(send);
        connection.await.unwrap().unwrap();
        server.await.unwrap().unwrap();
    });
}

#[test]
fn informational_responses_of_ours_reach_h2() {
    run_here(async {
        let (client_io, server_io) = Tcp::pair().await;
        let server =
            tokio::spawn(serve(server_io, Config::default(), |(_, mut respond): Incoming| async move {
                respond.send_informational(status(103))?;
                respond.send_response(status(204), true).map(drop)
            }));
        let (mut send, connection) = h2::client::handshake::<_>(client_io).await.unwrap();
        let connection = tokio::spawn(connection);
        let (mut response, _): (_, h2::SendStream<Bytes>) = send.send_request(get("/"), true).unwrap();
        let early = poll_fn(|cx| response.poll_informational(cx)).await.unwrap().unwrap();
        assert_eq!(early.status(), 103);
        assert_eq!(response.await.unwrap().status(), 204);
        drop(send);
        connection.await.unwrap().unwrap();
        server.await.unwrap().unwrap();
    });
}

#[test]
fn resets_of_ours_reach_h2() {
    run_here(async {
        let (client_io, server_io) = Tcp::pair().await;
        let (seen, mut codes) = tokio::sync::mpsc::unbounded_channel();
        let server = tokio::spawn(async move {
            let mut connection = h2::server::handshake::<_>(server_io).await.unwrap();
            while let Some(Ok((_request, mut respond))) = connection.accept().await {
                let seen = seen.clone();
                let _: &Respond = &respond;
                tokio::spawn(async move {
                    seen.send(poll_fn(|cx| respond.poll_reset(cx)).await.unwrap()).unwrap();
                });
            }
        });
        let (send, connection) = client::handshake(client_io, Config::default());
        let connection = tokio::spawn(connection);
        let (response, mut stream) = send.clone().send_request(post("/"), false).unwrap();
        settle().await;
        stream.send_reset(ErrorCode::INTERNAL_ERROR);
        assert_eq!(codes.recv().await, Some(h2::Reason::INTERNAL_ERROR));
        drop((response, stream));
        let request = send.clone().send_request(get("/"), true).unwrap();
        settle().await;
        drop(request);
        assert_eq!(codes.recv().await, Some(h2::Reason::CANCEL));
        drop(send);
        connection.await.unwrap().unwrap();
        server.await.unwrap();
    });
}

#[test]
fn resets_of_h2_reach_our_server() {
    run_here(async {
        let (client_io, server_io) = Tcp::pair().await;
        let (seen, mut codes) = tokio::sync::mpsc::unbounded_channel();
        let server = tokio::spawn(serve(server_io, Config::default(), move |(_, mut respond): Incoming| {
            let seen = seen.clone();
            async move {
                seen.send(poll_fn(|cx| respond.poll_reset(cx)).await?).unwrap();
                Ok(())
            }
        }));
        let (mut send, connection) = h2::client::handshake::<_>(client_io).await.unwrap();
        let connection = tokio::spawn(connection);
        let (_response, mut stream): (_, h2::SendStream<Bytes>) =
            send.send_request(post("/"), false).unwrap();
        settle().await;
        stream.send_reset(h2::Reason::STREAM_CLOSED);
        assert_eq!(codes.recv().await, Some(ErrorCode::STREAM_CLOSED));
        drop((send, stream, _response));
        connection.await.unwrap().unwrap();
        server.await.unwrap().unwrap();
    });
}

#[test]
fn our_refusal_reaches_h2() {
    run_here(async {
        let (client_io, server_io) = Pipe::pair().await;
        let server =
            tokio::spawn(serve(server_io, Config::default(), |(_, mut respond): Incoming| async move {
                respond.send_reset(ErrorCode::REFUSED_STREAM);
                Ok(())
            }));
        let (send, connection) = h2::client::handshake(client_io).await.unwrap();
        let connection = tokio::spawn(connection);
        let error = h2_call(&send, get("/"), Bytes::new(), None).await.unwrap_err();
        assert_eq!(error.reason(), Some(h2::Reason::REFUSED_STREAM));
        drop(send);
        connection.await.unwrap().unwrap();
        server.await.unwrap().unwrap();
    });
}

#[test]
fn a_graceful_end_of_h2() {
    run_here(async {
        let (client_io, server_io) = Tcp::pair().await;
        let server = tokio::spawn(async move {
            let mut connection = h2::server::handshake::<_>(server_io).await.unwrap();
            let (request, respond) = connection.accept().await.unwrap().unwrap();
            connection.graceful_shutdown();
            tokio::spawn(h2_echo(request, respond));
            while connection.accept().await.is_some() {}
        });
        let (send, connection) = client::handshake(client_io, Config::default());
        let connection = tokio::spawn(connection);
        let (_, body, _) = call(&send, post("/"), pattern(500_000)).await.unwrap();
        assert_eq!(body.len(), 500_000);
        within("no GOAWAY", || send.is_closed()).await;
        assert!(call(&send, get("/"), Bytes::new()).await.unwrap_err().is_unprocessed());
        connection.await.unwrap().unwrap();
        server.await.unwrap();
    });
}

#[test]
fn a_graceful_end_of_ours() {
    run_here(async {
        let (client_io, server_io) = Tcp::pair().await;
        let server = tokio::spawn(async move {
            let mut connection = millpond::server::handshake(server_io, Config::default());
            let incoming = connection.accept().await.unwrap().unwrap();
            connection.graceful_shutdown();
            tokio::spawn(echo(incoming));
            while let Some(incoming) = connection.accept().await {
                tokio::spawn(no_content(incoming.unwrap()));
            }
        });
        let (send, connection) = h2::client::handshake(client_io).await.unwrap();
        let connection = tokio::spawn(connection);
        let (_, body, _) = h2_call(&send, post("/"), pattern(500_000), None).await.unwrap();
        assert_eq!(body.len(), 500_000);
        connection.await.unwrap().unwrap();
        server.await.unwrap();
    });
}

#[test]
fn an_abrupt_end_of_h2() {
    run_here(async {
        let (client_io, server_io) = Tcp::pair().await;
        let server = tokio::spawn(async move {
            let mut connection = h2::server::handshake::<_>(server_io).await.unwrap();
            let (_request, _respond): (_, Respond) = connection.accept().await.unwrap().unwrap();
            connection.abrupt_shutdown(h2::Reason::INADEQUATE_SECURITY);
            while connection.accept().await.is_some() {}
        });
        let (send, connection) = client::handshake(client_io, Config::default());
        let connection = tokio::spawn(connection);
        let error = call(&send, get("/"), Bytes::new()).await.unwrap_err();
        assert_eq!((error.code(), error.is_remote()), (ErrorCode::INADEQUATE_SECURITY, true));
        assert_eq!(connection.await.unwrap().unwrap_err().code(), ErrorCode::INADEQUATE_SECURITY);
        server.await.unwrap();
    });
}
