//! Stock hyper, both ends, HTTP/2 only.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Either, Full, combinators::WithTrailers};
use hyper::{
    body::{Body, Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use super::{BoxError, Client, Options, Stack, accept, expect_octets, raw::trailers, socket};

/// The hyper crate.
pub enum Hyper {}

/// The message of a stream that is held.
const FEW: Bytes = Bytes::from_static(b"a few octets");

impl Stack for Hyper {
    type Client = Connection;
    const NAME: &'static str = "hyper";

    async fn serve(listener: TcpListener, _: Options) -> Result<(), BoxError> {
        accept(listener, |socket| async {
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            Ok(server.serve_connection(TokioIo::new(socket), service_fn(answer)).await?)
        })
        .await
    }

    async fn connect(addr: SocketAddr, _: Options) -> Result<Connection, BoxError> {
        let socket = TokioIo::new(socket(addr).await?);
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), socket).await?;
        tokio::spawn(connection);
        Ok(Connection(sender))
    }
}

/// The client's end.
#[derive(Clone)]
pub struct Connection(hyper::client::conn::http2::SendRequest<Upload>);

impl Client for Connection {
    type Held = Incoming;

    async fn unary(&mut self, payload: Bytes) -> Result<(), BoxError> {
        let octets = payload.len();
        let body = Upload { data: Some(payload), stays_open: false };
        self.0.ready().await?;
        let answer = self.0.send_request(request("/echo.Echo/Unary", body)).await?;
        expect_octets(answer.into_body().collect().await?.to_bytes().len(), octets)
    }

    async fn hold(&mut self) -> Result<Incoming, BoxError> {
        let body = Upload { data: Some(FEW), stays_open: true };
        self.0.ready().await?;
        let mut answer = self.0.send_request(request("/echo.Echo/Bidi", body)).await?.into_body();
        let frame = answer.frame().await.ok_or("the stream ended")??;
        expect_octets(frame.data_ref().map_or(0, Bytes::len), FEW.len())?;
        Ok(answer)
    }
}

fn request(path: &str, body: Upload) -> Request<Upload> {
    millpond_testkit::grpc::request("localhost", path, body)
}

/// A body that comes in one piece, and then ends or does not.
pub struct Upload {
    data: Option<Bytes>,
    stays_open: bool,
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.data.take() {
            Some(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
            None if self.stays_open => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}

/// The body once it has come, or, for a stream that is held, as it comes.
async fn answer(request: Request<Incoming>) -> Result<Response<Answer>, hyper::Error> {
    let held = request.uri().path().ends_with("/Bidi");
    let body = request.into_body();
    Ok(Response::new(if held {
        Either::Right(body)
    } else {
        let whole = Full::new(body.collect().await?.to_bytes());
        Either::Left(whole.with_trailers(ready(Some(Ok(trailers())))))
    }))
}

type Answer = Either<WithTrailers<Full<Bytes>, Ready<Option<Result<HeaderMap, Infallible>>>>, Incoming>;
