//! A stock hyper client and a stock hyper server on the two ends of one TCP connection.

use std::future::Future;
use std::pin::pin;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder as ClientBuilder, SendRequest};
use hyper::server::conn::http2::Builder as ServerBuilder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::bodies::Body;
use super::{BoxError, sockets, soon};

/// Both ends, connected.
pub(crate) struct Pair {
    pub(crate) send: SendRequest<Body>,
    pub(crate) client: JoinHandle<hyper::Result<()>>,
    pub(crate) server: Served,
}

/// A server of one connection.
pub(crate) struct Served {
    pub(crate) ended: JoinHandle<hyper::Result<()>>,
    /// Begins a graceful shutdown.
    pub(crate) stop: oneshot::Sender<()>,
}

/// How both ends are set up.
pub(crate) struct Ends {
    pub(crate) client: ClientBuilder<TokioExecutor>,
    pub(crate) server: ServerBuilder<TokioExecutor>,
}

impl Ends {
    /// With hyper's defaults, and a timer.
    pub(crate) fn new() -> Self {
        let mut client = ClientBuilder::new(TokioExecutor::new());
        client.timer(TokioTimer::new());
        let mut server = ServerBuilder::new(TokioExecutor::new());
        server.timer(TokioTimer::new());
        Self { client, server }
    }

    /// Connects them; the server answers with `service`.
    pub(crate) async fn connect<S, F>(&self, service: S) -> Pair
    where
        S: Fn(Request<Incoming>) -> F + Send + 'static,
        F: Future<Output = Result<Response<Body>, BoxError>> + Send + 'static,
    {
        let (client, server) = sockets().await;
        let server = self.serve(server, service);
        let (send, client) = self.call(client).await;
        Pair { send, client, server }
    }

    /// The server's end alone.
    pub(crate) fn serve<S, F>(&self, socket: TcpStream, service: S) -> Served
    where
        S: Fn(Request<Incoming>) -> F + Send + 'static,
        F: Future<Output = Result<Response<Body>, BoxError>> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let builder = self.server.clone();
        let ended = tokio::spawn(async move {
            let mut connection = pin!(builder.serve_connection(TokioIo::new(socket), service_fn(service)));
            tokio::select! {
                ended = connection.as_mut() => return ended,
                Ok(()) = stopped => connection.as_mut().graceful_shutdown(),
            }
            connection.await
        });
        Served { ended, stop }
    }

    /// The client's end alone.
    pub(crate) async fn call(&self, socket: TcpStream) -> (SendRequest<Body>, JoinHandle<hyper::Result<()>>) {
        let (send, connection) = self.client.handshake(TokioIo::new(socket)).await.expect("a connection");
        (send, tokio::spawn(connection))
    }
}

/// Hyper's defaults, and the body back as it comes, trailers too.
pub(crate) async fn echo_pair() -> Pair {
    Ends::new().connect(echo).await
}

/// Sends the body back as it comes, and its trailers.
pub(crate) async fn echo(request: Request<Incoming>) -> Result<Response<Body>, BoxError> {
    Ok(Response::new(request.into_body().map_err(Into::into).boxed_unsync()))
}

impl Pair {
    /// Posts a body, and gives the answer's.
    pub(crate) async fn post(&mut self, body: Body) -> Bytes {
        post(&mut self.send, body).await.expect("an answer")
    }

    /// Ends both sides from the client, and fails unless both end well.
    pub(crate) async fn close(self) {
        drop(self.send);
        soon(self.client).await.expect("it does not panic").expect("the client ends well");
        soon(self.server.ended).await.expect("it does not panic").expect("the server ends well");
    }
}

/// Posts a body, and gives the answer's.
pub(crate) async fn post(send: &mut SendRequest<Body>, body: Body) -> hyper::Result<Bytes> {
    soon(async {
        send.ready().await?;
        let answer = send.send_request(request("POST", "/", body)).await?;
        Ok(answer.into_body().collect().await?.to_bytes())
    })
    .await
}

/// A request to nobody in particular.
pub(crate) fn request(method: &str, path: &str, body: Body) -> Request<Body> {
    let uri = format!("http://localhost{path}");
    Request::builder().method(method).uri(uri).body(body).expect("a well-formed request")
}
