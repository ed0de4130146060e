//! Handles without anything above them: `millpond::{client, server}` against h2.
//!
//! Both speak the same words, so one macro writes both, and the work is equal to the letter: a request head as gRPC
//! has it, DATA, a response head, DATA, trailers; capacity released as DATA is taken.

use std::{future::poll_fn, net::SocketAddr};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tokio::net::{TcpListener, TcpStream};

use super::{
    BoxError, Bulk, CONNECTION_WINDOW, Client, MAX_STREAMS, Options, SEND_BUFFER, STREAM_WINDOW, Stack,
    Windows, accept, expect_octets, socket,
};

/// `millpond::client` and `millpond::server`.
pub enum Millpond {}

/// The h2 crate.
pub enum H2 {}

/// Octets of a long body.
const LONG: usize = 64 << 20;

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
    /// A long body comes.
    pub const SOURCE: &str = "/echo.Echo/ServerStream";

    /// The one that is meant.
    pub fn of(uri: &http::Uri) -> &'static str {
        let known = [HOLD, SINK, SOURCE].into_iter().find(|path| *path == uri.path());
        known.unwrap_or(ECHO)
    }
}

macro_rules! endpoints {
    (
        $stack:ident $name:literal:
        $request:ty, $respond:ty, $recv:ty, $send:ty,
        connect = $connect:path, handshake = $handshake:path
    ) => {
        impl Stack for $stack {
            type Client = $request;
            const NAME: &'static str = $name;

            async fn serve(listener: TcpListener, options: Options) -> Result<(), BoxError> {
                let long = Bytes::from(vec![7; LONG]);
                accept(listener, move |socket| {
                    let long = long.clone();
                    async move {
                        let mut connection = $handshake(socket, options).await?;
                        let mut held = Vec::new();
                        while let Some(call) = connection.accept().await {
                            let (request, mut respond) = call?;
                            if path::of(request.uri()) == path::HOLD {
                                // No task for it: what it costs is the transport alone.
                                let mut send = respond.send_response(response(), false)?;
                                send.send_data(Bytes::from_static(FEW), false)?;
                                held.push((request.into_body(), send));
                                continue;
                            }
                            // A client that fails reports it itself.
                            tokio::spawn(Self::answer(request, respond, long.clone()));
                        }
                        Ok(())
                    }
                })
                .await
            }

            async fn connect(addr: SocketAddr, options: Options) -> Result<$request, BoxError> {
                $connect(socket(addr).await?, options).await
            }
        }

        impl $stack {
            async fn answer(
                request: Request<$recv>,
                mut respond: $respond,
                long: Bytes,
            ) -> Result<(), BoxError> {
                // The head is not kept: it would be most of what a held stream costs.
                let path = path::of(request.uri());
                let mut body = request.into_body();
                let mut pieces = Vec::new();
                let mut send = match path {
                    path::SOURCE => {
                        pieces.push(long);
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

            fn material() -> Bytes {
                vec![7; LONG].into()
            }

            async fn upload(&mut self, material: Bytes) -> Result<(), BoxError> {
                expect_octets($stack::exchange(self, path::SINK, material).await?, 0)
            }

            async fn download(&mut self) -> Result<(), BoxError> {
                expect_octets($stack::exchange(self, path::SOURCE, EMPTY_MESSAGE).await?, LONG)
            }
        }
    };
}

endpoints! {
    Millpond "millpond":
    millpond::client::SendRequest, millpond::server::SendResponse,
    millpond::handle::RecvStream, millpond::handle::SendStream,
    connect = connect_millpond, handshake = handshake_millpond
}

endpoints! {
    H2 "h2":
    h2::client::SendRequest<Bytes>, h2::server::SendResponse<Bytes>,
    h2::RecvStream, h2::SendStream<Bytes>,
    connect = connect_h2, handshake = handshake_h2
}

async fn connect_millpond(
    socket: TcpStream,
    options: Options,
) -> Result<millpond::client::SendRequest, BoxError> {
    let (sender, connection) = millpond::client::handshake(socket, options.config().build()?);
    tokio::spawn(connection);
    Ok(sender)
}

async fn handshake_millpond(
    socket: TcpStream,
    options: Options,
) -> Result<millpond::server::Connection<millpond::readiness::Source<TcpStream>>, BoxError> {
    Ok(millpond::server::handshake(socket, options.config().build()?))
}

async fn connect_h2(socket: TcpStream, options: Options) -> Result<h2::client::SendRequest<Bytes>, BoxError> {
    let mut builder = h2::client::Builder::new();
    if options.windows == Windows::Equal {
        builder
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buffer_size(SEND_BUFFER);
    }
    let (sender, connection) = builder.handshake(socket).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn handshake_h2(
    socket: TcpStream,
    options: Options,
) -> Result<h2::server::Connection<TcpStream, Bytes>, BoxError> {
    let mut builder = h2::server::Builder::new();
    if options.windows == Windows::Equal {
        builder
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buffer_size(SEND_BUFFER)
            .max_concurrent_streams(MAX_STREAMS);
    }
    Ok(builder.handshake(socket).await?)
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
