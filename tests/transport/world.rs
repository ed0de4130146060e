//! Two endpoints, the wires between them, and what most tests do with them.

use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use millpond::{
    Config, ConfigBuilder, Error,
    buffer::{BufferPool, PoolOptions},
    client, server,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::{TcpListener, TcpStream, UnixStream},
    task::JoinHandle,
};

pub type Incoming = (Request<millpond::handle::RecvStream>, server::SendResponse);

/// What lies between two endpoints.
pub trait Wire: 'static {
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    fn pair() -> impl Future<Output = (Self::Io, Self::Io)> + Send;
}

pub enum Tcp {}
pub enum Unix {}
/// An opaque pipe: it cannot say whether it is readable.
pub enum Pipe {}

impl Wire for Tcp {
    type Io = TcpStream;
    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (client, server) = (client.unwrap(), server.unwrap().0);
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        (client, server)
    }
}

impl Wire for Unix {
    type Io = UnixStream;
    async fn pair() -> (UnixStream, UnixStream) {
        UnixStream::pair().unwrap()
    }
}

impl Wire for Pipe {
    type Io = DuplexStream;
    async fn pair() -> (DuplexStream, DuplexStream) {
        tokio::io::duplex(8 << 10)
    }
}

/// One test on each kind of wire and runtime.
macro_rules! on_every_wire {
    ($name:ident) => {
        mod $name {
            use crate::world::{Pipe, Tcp, Unix, run_here, run_on_threads};
            #[test]
            fn tcp() {
                run_here(super::$name::<Tcp>());
            }
            #[test]
            fn tcp_on_threads() {
                run_on_threads(super::$name::<Tcp>());
            }
            #[test]
            fn unix_on_threads() {
                run_on_threads(super::$name::<Unix>());
            }
            #[test]
            fn pipe() {
                run_here(super::$name::<Pipe>());
            }
        }
    };
}
pub(crate) use on_every_wire;

/// No test may hang: it fails after this.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn run_here(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.expect("the test hangs") });
}

/// On a clock that goes on when there is nothing else to do: what is about time takes none, and no stall of the machine
/// shows. For wires without sockets.
pub fn run_paused(test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.expect("the test hangs") });
}

pub fn run_on_threads(test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.expect("the test hangs") });
}

/// Takes whatever is written at once, and counts the octets: it never says that it is somebody else's turn.
#[derive(Default)]
pub struct Taker(pub Arc<AtomicUsize>);

impl AsyncWrite for Taker {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.0.fetch_add(octets.len(), Relaxed);
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A pool that is asked for its books at the end.
pub fn pool() -> BufferPool {
    BufferPool::new(PoolOptions { decay: None, ..PoolOptions::default() })
}

/// Waits until nothing is out, as it must be once all is quiet.
pub async fn quiet(pool: &BufferPool) {
    within("blocks are still out", || pool.stats().blocks_out == 0).await;
}

/// Waits until something holds, or fails with `what` after a minute.
pub async fn within(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..30_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("{what}");
}

/// Lets everything that is ready run.
pub async fn settle() {
    tokio::time::sleep(Duration::from_millis(30)).await;
}

/// A client and a server that speak over one wire.
pub struct World {
    pub send: client::SendRequest,
    pub client: JoinHandle<Result<(), Error>>,
    pub server: JoinHandle<Result<(), Error>>,
    pub client_pool: BufferPool,
    pub server_pool: BufferPool,
}

impl World {
    /// The server gives each request to `handler`, in a task of its own.
    pub async fn start<W, H, F>(handler: H) -> World
    where
        W: Wire,
        H: Fn(Incoming) -> F + Clone + Send + 'static,
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        Self::with::<W, H, F>(Config::builder(), Config::builder(), handler).await
    }

    pub async fn with<W, H, F>(client: ConfigBuilder, server: ConfigBuilder, handler: H) -> World
    where
        W: Wire,
        H: Fn(Incoming) -> F + Clone + Send + 'static,
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let (client_io, server_io) = W::pair().await;
        let (client_pool, server_pool) = (pool(), pool());
        let server =
            tokio::spawn(serve(server_io, server.pool(server_pool.clone()).build().unwrap(), handler));
        let (send, connection) =
            client::handshake(client_io, client.pool(client_pool.clone()).build().unwrap());
        World { send, client: tokio::spawn(connection), server, client_pool, server_pool }
    }

    /// The client lets go: both sides must end well and hold nothing.
    pub async fn finish(self) {
        drop(self.send);
        self.client.await.unwrap().expect("the client's connection ends well");
        // What the server wrote last may have met a closed socket.
        if let Err(error) = self.server.await.unwrap() {
            assert!(error.is_io(), "{error}");
        }
        quiet(&self.client_pool).await;
        quiet(&self.server_pool).await;
    }
}

pub async fn serve<T, H, F>(io: T, config: Config, handler: H) -> Result<(), Error>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
    H: Fn(Incoming) -> F,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let mut connection = server::handshake(io, config);
    while let Some(incoming) = connection.accept().await {
        tokio::spawn(handler(incoming?));
    }
    Ok(())
}

/// Answers with the request's body, piece by piece, and its `x-trailer` as a trailer.
pub async fn echo((request, mut respond): Incoming) -> Result<(), Error> {
    let trailer = request.headers().get("x-trailer").cloned();
    let mut body = request.into_body();
    let mut send = respond.send_response(Response::new(()), false)?;
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        poll_fn(|cx| send.poll_room(cx)).await?;
        send.send_data(piece, false)?;
    }
    let trailers = body.trailers().await?;
    match trailer.map(|value| HeaderMap::from_iter([("x-trailer".parse().unwrap(), value)])).or(trailers) {
        Some(trailers) => send.send_trailers(trailers),
        None => send.send_data(Bytes::new(), true),
    }
}

/// Answers 204 at once.
pub async fn no_content((_, mut respond): Incoming) -> Result<(), Error> {
    respond.send_response(status(204), true).map(drop)
}

pub fn status(code: u16) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}

pub fn get(path: &str) -> Request<()> {
    Request::get(format!("http://pond.example{path}")).body(()).unwrap()
}

pub fn post(path: &str) -> Request<()> {
    Request::post(format!("http://pond.example{path}")).body(()).unwrap()
}

/// Octets that differ from their neighbours, so that misplaced ones are seen.
pub fn pattern(octets: usize) -> Bytes {
    (0..octets).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// Sends `body` in pieces of `piece` octets, waiting for room.
pub async fn send_body(
    send: &mut millpond::handle::SendStream,
    mut body: Bytes,
    piece: usize,
) -> Result<(), Error> {
    loop {
        poll_fn(|cx| send.poll_room(cx)).await?;
        let now = body.split_to(piece.min(body.len()));
        send.send_data(now, body.is_empty())?;
        if body.is_empty() {
            return Ok(());
        }
    }
}

/// The whole body and its trailers, released as it is read.
pub async fn read_body(
    body: &mut millpond::handle::RecvStream,
) -> Result<(Vec<u8>, Option<HeaderMap>), Error> {
    let mut octets = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        octets.extend_from_slice(&piece);
    }
    Ok((octets, body.trailers().await?))
}

/// One call, as soon as there is a slot: its head, body and trailers.
pub async fn call(
    send: &client::SendRequest,
    request: Request<()>,
    body: Bytes,
) -> Result<(Response<()>, Vec<u8>, Option<HeaderMap>), Error> {
    let mut send = send.clone().ready().await?;
    let (response, mut stream) = send.send_request(request, body.is_empty())?;
    let sending = async {
        if !body.is_empty() {
            send_body(&mut stream, body, 10_000).await?;
        }
        Ok::<(), Error>(())
    };
    let receiving = async {
        let (head, mut body) = response.await?.into_parts();
        let (octets, trailers) = read_body(&mut body).await?;
        Ok((Response::from_parts(head, ()), octets, trailers))
    };
    let (_, received): ((), _) = tokio::try_join!(sending, receiving)?;
    Ok(received)
}
