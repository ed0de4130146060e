//! Handles without anything above them: `millpond::{client, server}` against h2.
//!
//! Both speak the same words, so one macro writes both, and the work is equal to the letter: a request head as gRPC
//! has it, DATA, a response head, DATA, trailers; capacity released as DATA is taken.

use std::{
    future::poll_fn,
    net::SocketAddr,
    sync::LazyLock,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use millpond::readiness::{ReadReady, Source};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};

use super::{
    BoxError, Bulk, CONNECTION_WINDOW, Client, MAX_STREAMS, Options, SEND_BUFFER, STREAM_WINDOW, Stack,
    Windows, accept,
    counted::{CLIENT, Counted, SERVER},
    expect_octets, socket,
};

/// `millpond::client` and `millpond::server`.
pub enum Millpond {}

/// The h2 crate.
pub enum H2 {}

/// The most octets of a long body.
pub const LONG: usize = 64 << 20;

/// The long body: made when it is first asked for, so that it is in no one's memory of idle connections.
static LONG_BODY: LazyLock<Bytes> = LazyLock::new(|| vec![7; LONG].into());

/// The prefix of a gRPC message without octets. A DATA frame without any is not sent: h2 closes connections on which
/// too many come.
const EMPTY_MESSAGE: Bytes = Bytes::from_static(&[0; 5]);

/// The message of a stream that is held.
const FEW: &[u8] = b"a few octets";

mod path {
    /// The body comes back once it has come to its end.
    pub const ECHO: &str = "/echo.Echo/Unary";
    /// The body comes back as it comes.
    pub const HOLD: &str = "/echo.Echo/Bidi";
    /// The body is read and dropped.
    pub const SINK: &str = "/echo.Echo/ClientStream";
    /// As many octets come as the body of the request says.
    pub const SOURCE: &str = "/echo.Echo/ServerStream";

    /// The one that is meant.
    pub fn of(uri: &http::Uri) -> &'static str {
        let known = [HOLD, SINK, SOURCE].into_iter().find(|path| *path == uri.path());
        known.unwrap_or(ECHO)
    }
}

macro_rules! endpoints {
    (
        $stack:ident over $($bound:path),+;
        $request:ty, $respond:ty, $recv:ty, $send:ty,
        connect = $connect:path, handshake = $handshake:path
    ) => {
        impl $stack {
            /// Begins a connection over any IO.
            pub async fn connect_over<T>(io: T, options: Options) -> Result<$request, BoxError>
            where
                T: $($bound +)+ Unpin + Send + 'static,
            {
                $connect(io, options).await
            }

            /// Serves one connection over any IO, to its end.
            pub async fn serve_over<T>(io: T, options: Options) -> Result<(), BoxError>
            where
                T: $($bound +)+ Unpin + Send + 'static,
            {
                let mut connection = $handshake(io, options).await?;
                let (mut unread, mut held) = (Vec::new(), Vec::new());
                while let Some(call) = poll_fn(|cx| {
                    let call = connection.poll_accept(cx);
                    if call.is_pending() {
                        unread.retain_mut(|stream| match Self::read_few(stream, cx) {
                            Poll::Ready(stream) => {
                                held.extend(stream);
                                false
                            }
                            Poll::Pending => true,
                        });
                    }
                    call
                })
                .await
                {
                    let (request, mut respond) = call?;
                    if path::of(request.uri()) == path::HOLD {
                        // No task for it: what it costs is the transport alone.
                        let mut send = respond.send_response(response(), false)?;
                        send.send_data(Bytes::from_static(FEW), false)?;
                        unread.push(Some((request.into_body(), send)));
                        continue;
                    }
                    // A client that fails reports it itself.
                    tokio::spawn(Self::answer(request, respond));
                }
                Ok(())
            }

            /// Reads what a client sends on a stream that is held, so that nothing unread is counted as the stream's.
            /// Gives the stream when that has come; nothing if it was lost.
            fn read_few(
                stream: &mut Option<($recv, $send)>,
                cx: &mut Context<'_>,
            ) -> Poll<Option<($recv, $send)>> {
                if let Some((body, _)) = stream {
                    match ready!(body.poll_data(cx)) {
                        Some(Ok(data)) => {
                            // It can only fail for a stream that is lost.
                            drop(body.flow_control().release_capacity(data.len()));
                        }
                        _ => *stream = None,
                    }
                }
                Poll::Ready(stream.take())
            }

            async fn answer(request: Request<$recv>, mut respond: $respond) -> Result<(), BoxError> {
                // The head is not kept: it would be most of what a held stream costs.
                let path = path::of(request.uri());
                let mut body = request.into_body();
                let mut pieces = Vec::new();
                let mut send = match path {
                    path::SOURCE => {
                        let mut asked = Vec::new();
                        while let Some(data) = Self::next(&mut body).await? {
                            asked.extend_from_slice(&data);
                        }
                        pieces.push(long(&asked)?);
                        respond.send_response(response(), false)?
                    }
                    path::SINK => {
                        while Self::next(&mut body).await?.is_some() {}
                        respond.send_response(response(), false)?
                    }
                    _ => {
                        while let Some(data) = Self::next(&mut body).await? {
                            pieces.push(data);
                        }
                        respond.send_response(response(), false)?
                    }
                };
                for piece in pieces {
                    send.send_data(piece, false)?;
                }
                send.send_trailers(trailers())?;
                Ok(())
            }

            async fn next(body: &mut $recv) -> Result<Option<Bytes>, BoxError> {
                let Some(data) = body.data().await.transpose()? else { return Ok(None) };
                body.flow_control().release_capacity(data.len())?;
                Ok(Some(data))
            }

            /// One request with its whole body, and how many octets came back.
            async fn exchange(sender: &mut $request, path: &str, payload: Bytes) -> Result<usize, BoxError> {
                poll_fn(|cx| sender.poll_ready(cx)).await?;
                let (response, mut send) = sender.send_request(request(path), false)?;
                send.send_data(payload, true)?;
                let mut body = response.await?.into_body();
                let mut octets = 0;
                while let Some(data) = Self::next(&mut body).await? {
                    octets += data.len();
                }
                body.trailers().await?.ok_or("no trailers")?;
                Ok(octets)
            }
        }

        impl Client for $request {
            type Held = ($send, $recv);

            async fn unary(&mut self, payload: Bytes) -> Result<(), BoxError> {
                let payload = if payload.is_empty() { EMPTY_MESSAGE } else { payload };
                let octets = payload.len();
                expect_octets($stack::exchange(self, path::ECHO, payload).await?, octets)
            }

            async fn hold(&mut self) -> Result<($send, $recv), BoxError> {
                poll_fn(|cx| self.poll_ready(cx)).await?;
                let (response, mut send) = self.send_request(request(path::HOLD), false)?;
                send.send_data(Bytes::from_static(FEW), false)?;
                let mut body = response.await?.into_body();
                let mut octets = 0;
                while octets < FEW.len() {
                    octets += $stack::next(&mut body).await?.ok_or("the stream ended")?.len();
                }
                Ok((send, body))
            }
        }

        impl Bulk for $request {
            const OCTETS: usize = LONG;

            fn material(octets: usize) -> Bytes {
                body(octets)
            }

            async fn upload(&mut self, material: Bytes) -> Result<(), BoxError> {
                expect_octets($stack::exchange(self, path::SINK, material).await?, 0)
            }

            async fn download(&mut self, octets: usize) -> Result<(), BoxError> {
                let asked = Bytes::copy_from_slice(&(octets as u64).to_be_bytes());
                expect_octets($stack::exchange(self, path::SOURCE, asked).await?, octets)
            }
        }
    };
}

endpoints! {
    Millpond over ReadReady, AsyncWrite;
    millpond::client::SendRequest, millpond::server::SendResponse,
    millpond::handle::RecvStream, millpond::handle::SendStream,
    connect = connect_millpond, handshake = handshake_millpond
}

endpoints! {
    H2 over AsyncRead, AsyncWrite;
    h2::client::SendRequest<Bytes>, h2::server::SendResponse<Bytes>,
    h2::RecvStream, h2::SendStream<Bytes>,
    connect = connect_h2, handshake = handshake_h2
}

/// A [`Stack`] of these endpoints, over a socket or what wraps it.
macro_rules! stack {
    ($stack:ident $name:literal: $endpoints:ident, $client:ty; client = $near:expr, server = $far:expr) => {
        impl Stack for $stack {
            type Client = $client;
            const NAME: &'static str = $name;

            async fn serve(listener: TcpListener, options: Options) -> Result<(), BoxError> {
                accept(listener, move |socket| $endpoints::serve_over($far(socket), options)).await
            }

            async fn connect(addr: SocketAddr, options: Options) -> Result<$client, BoxError> {
                $endpoints::connect_over($near(socket(addr).await?), options).await
            }
        }
    };
}

stack! {
    Millpond "millpond": Millpond, millpond::client::SendRequest;
    client = Source::new, server = Source::new
}

stack! {
    H2 "h2": H2, h2::client::SendRequest<Bytes>;
    client = std::convert::identity, server = std::convert::identity
}

/// [`Millpond`] over sockets that count.
pub enum CountedMillpond {}

/// [`H2`] over sockets that count.
pub enum CountedH2 {}

stack! {
    CountedMillpond "millpond": Millpond, millpond::client::SendRequest;
    client = |socket| Counted::new(socket, &CLIENT), server = |socket| Counted::new(socket, &SERVER)
}

stack! {
    CountedH2 "h2": H2, h2::client::SendRequest<Bytes>;
    client = |socket| Counted::new(socket, &CLIENT), server = |socket| Counted::new(socket, &SERVER)
}

async fn connect_millpond<T>(io: T, options: Options) -> Result<millpond::client::SendRequest, BoxError>
where
    T: ReadReady + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = millpond::client::handshake_with(io, options.config().build()?);
    tokio::spawn(connection);
    Ok(sender)
}

async fn handshake_millpond<T>(io: T, options: Options) -> Result<millpond::server::Connection<T>, BoxError>
where
    T: ReadReady + AsyncWrite + Unpin,
{
    Ok(millpond::server::handshake_with(io, options.config().build()?))
}

async fn connect_h2<T>(io: T, options: Options) -> Result<h2::client::SendRequest<Bytes>, BoxError>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = h2::client::Builder::new();
    if options.windows == Windows::Equal {
        builder
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buffer_size(SEND_BUFFER);
    }
    if let Some(streams) = options.max_streams {
        builder.initial_max_send_streams(streams as usize);
    }
    let (sender, connection) = builder.handshake(io).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn handshake_h2<T>(io: T, options: Options) -> Result<h2::server::Connection<T, Bytes>, BoxError>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = h2::server::Builder::new();
    if options.windows == Windows::Equal {
        builder
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buffer_size(SEND_BUFFER)
            .max_concurrent_streams(MAX_STREAMS);
    }
    if let Some(streams) = options.max_streams {
        builder.max_concurrent_streams(streams);
    }
    Ok(builder.handshake(io).await?)
}

/// As much of the long body as a request asks for.
fn long(asked: &[u8]) -> Result<Bytes, BoxError> {
    let octets = usize::try_from(u64::from_be_bytes(asked.try_into()?))?;
    Ok(body(octets))
}

/// A long body of so many octets, at most [`LONG`]; all share the memory.
pub fn body(octets: usize) -> Bytes {
    LONG_BODY.slice(..octets.min(LONG))
}

fn request(path: &str) -> Request<()> {
    millpond_testkit::grpc::request("localhost", path, ())
}

fn response() -> Response<()> {
    let mut response = Response::new(());
    let grpc = HeaderValue::from_static(millpond_testkit::grpc::CONTENT_TYPE);
    response.headers_mut().insert(http::header::CONTENT_TYPE, grpc);
    response
}

/// What ends every answer.
pub fn trailers() -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))])
}
