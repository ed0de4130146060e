//! What the benches and the greeter share: stacks to compare, and the way idle memory is measured.
//!
//! A [`Stack`] is both ends of a connection in one implementation: ours, or a stock one. Everything above it is
//! generic, so that what is compared does the same work by the same code.

#![allow(dead_code, unreachable_pub, reason = "each program is a crate of its own and uses its part")]

pub mod counted;
pub mod grpc;
pub mod hyper;
pub mod idle;
pub mod pipe;
pub mod plain;
pub mod raw;
pub mod results;

use std::{error::Error, future::Future, net::SocketAddr};

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};

/// Any error.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Both ends of a connection, in one implementation of HTTP/2.
pub trait Stack: 'static {
    /// The client's end.
    type Client: Client;

    /// What the tables call it.
    const NAME: &'static str;

    /// Serves what [`Client`] asks for, until it is dropped.
    fn serve(listener: TcpListener, options: Options) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// Makes one connection.
    fn connect(
        addr: SocketAddr,
        options: Options,
    ) -> impl Future<Output = Result<Self::Client, BoxError>> + Send;
}

/// One connection. Clones share it.
pub trait Client: Clone + Send + 'static {
    /// Keeps a stream open.
    type Held: Send;

    /// Sends `payload` and reads an answer with the same octets.
    fn unary(&mut self, payload: Bytes) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// Opens a stream in both directions, sends a few octets, reads them back, and leaves it so.
    fn hold(&mut self) -> impl Future<Output = Result<Self::Held, BoxError>> + Send;
}

/// A connection that also carries long bodies.
pub trait Bulk: Client {
    /// How many octets go in one direction in a call, at most.
    const OCTETS: usize;

    /// What [`Bulk::upload`] sends, once or several times, so that it is so many octets together.
    fn material(octets: usize) -> Bytes;

    /// Sends `material`, as often as belongs to it, and reads a short answer.
    fn upload(&mut self, material: Bytes) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// Sends a short request and reads so many octets.
    fn download(&mut self, octets: usize) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// How both ends of a connection are set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Windows and buffers.
    pub windows: Windows,
    /// Whether our server spawns each handler at once, which stock servers do, though it need not.
    pub spawn: bool,
    /// Whether ours pools its read buffers, or keeps one for each connection.
    pub pooling: bool,
    /// Streams that a client may have open, if not what the windows say.
    pub max_streams: Option<u32>,
}

/// Windows and buffers of both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Windows {
    /// [`STREAM_WINDOW`], [`CONNECTION_WINDOW`], [`SEND_BUFFER`] and [`MAX_STREAMS`] wherever there is an option.
    Equal,
    /// As each crate comes.
    Defaults,
}

/// The flow-control window of each stream, in octets.
pub const STREAM_WINDOW: u32 = 1 << 20;

/// The flow-control window of the connection, in octets.
pub const CONNECTION_WINDOW: u32 = 2 << 20;

/// Octets in the send queue of a stream before its source is not asked for more; the default of h2 and hyper.
pub const SEND_BUFFER: usize = 400 << 10;

/// Streams that a client may have open.
pub const MAX_STREAMS: u32 = 200;

impl Default for Options {
    fn default() -> Self {
        Options { windows: Windows::Defaults, spawn: false, pooling: true, max_streams: None }
    }
}

impl Options {
    /// Our own options.
    pub fn config(self) -> millpond::ConfigBuilder {
        let config = millpond::Config::builder().read_buffer_pooling(self.pooling);
        let config = match self.windows {
            Windows::Defaults => config,
            Windows::Equal => config
                .initial_stream_window_size(STREAM_WINDOW)
                .initial_connection_window_size(CONNECTION_WINDOW)
                .max_send_buffer_size(SEND_BUFFER)
                .max_concurrent_streams(Some(MAX_STREAMS)),
        };
        match self.max_streams {
            Some(streams) => config.max_concurrent_streams(Some(streams)).initial_max_send_streams(streams),
            None => config,
        }
    }
}

/// A connected socket, with TCP_NODELAY as all stacks have it.
pub async fn socket(addr: SocketAddr) -> Result<TcpStream, BoxError> {
    let socket = TcpStream::connect(addr).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// Accepts for ever, each connection in a task.
pub async fn accept<F>(listener: TcpListener, serve: impl Fn(TcpStream) -> F) -> Result<(), BoxError>
where
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        // A client that fails reports it itself.
        tokio::spawn(serve(socket));
    }
}

/// Fails unless as many octets came as were expected.
pub fn expect_octets(came: usize, expected: usize) -> Result<(), BoxError> {
    if came == expected { Ok(()) } else { Err(format!("{came} octets came instead of {expected}").into()) }
}
