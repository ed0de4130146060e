//! Serving: any tower service over HTTP/2, on TCP, Unix sockets, or any other IO.
//!
//! [`Server`] is what most users call; [`handshake`] and [`Connection`] are its parts, for those who accept
//! requests themselves.

mod connection;
mod date;
mod drain;
mod handler;
mod incoming;

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use http::{Request, Response};
use http_body::Body as HttpBody;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_layer::{Identity, Layer, Stack};
use tower_service::Service;

pub use crate::{
    driver::tokio::{
        ServerConnection as Connection, server_handshake as handshake,
        server_handshake_with as handshake_with,
    },
    handle::SendResponse,
};
pub use incoming::TcpIncoming;
#[cfg(unix)]
pub use incoming::UnixIncoming;

use crate::{
    adapter::{Body, BoxError, Connected, SocketOptions},
    config::{Config, ConfigBuilder, forward_options},
    error::Error,
};

use self::{
    connection::Serving,
    drain::{Drain, Gate},
    handler::TraceFn,
    incoming::is_of_one_connection,
};

/// Serves HTTP/2 with prior knowledge.
///
/// ```no_run
/// # async fn example() -> Result<(), millpond::server::ServeError> {
/// use http_body_util::Full;
/// use millpond::{Body, Server};
///
/// let hello = tower::service_fn(async |_request: http::Request<Body>| {
///     Ok::<_, std::convert::Infallible>(http::Response::new(Full::new(bytes::Bytes::from("hello\n"))))
/// });
/// Server::builder().max_concurrent_streams(Some(1_000)).serve("127.0.0.1:8080".parse().unwrap(), hello).await
/// # }
/// ```
///
/// Each connection gets a clone of the service, each request a task. A handler that panics resets its stream
/// with INTERNAL_ERROR; a peer that resets a stream drops its handler, one that closes the connection, or its
/// side of it, drops all.
#[derive(Clone)]
#[must_use]
pub struct Server<L = Identity> {
    config: ConfigBuilder,
    options: Options,
    layer: L,
}

/// What concerns connections and calls, above the protocol.
#[derive(Clone, Default)]
pub(crate) struct Options {
    socket: SocketOptions,
    max_connection_age: Option<Duration>,
    max_connection_age_grace: Option<Duration>,
    max_connection_idle: Option<Duration>,
    shutdown_grace: Option<Duration>,
    half_close_grace: Duration,
    concurrency_limit: Option<usize>,
    load_shed: bool,
    timeout: Option<Duration>,
    no_date: bool,
    /// Not said: where all tasks share one thread.
    poll_handlers_inline: Option<bool>,
    trace_fn: Option<TraceFn>,
}

/// Why serving ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// An option is out of its range.
    Config(Error),
    /// The socket could not be bound.
    Bind(io::Error),
    /// The stream of connections failed.
    Incoming(BoxError),
}

impl Server {
    /// A server with the defaults.
    pub fn builder() -> Self {
        let options = Options { half_close_grace: Duration::from_secs(5), ..Options::default() };
        Server { config: Config::builder(), options, layer: Identity::new() }
    }
}

impl<L> Server<L> {
    forward_options!();

    /// Replaces all options of connections at once.
    pub fn config(mut self, config: ConfigBuilder) -> Self {
        self.config = config;
        self
    }

    /// TCP_NODELAY on the sockets that [`serve`](Self::serve) accepts; a listener of your own has options of its
    /// own ([`TcpIncoming::with_options`]). Default true.
    pub fn tcp_nodelay(mut self, on: bool) -> Self {
        self.options.socket.nodelay = on;
        self
    }

    /// SO_KEEPALIVE on the sockets that [`serve`](Self::serve) accepts: so long a silence before the system probes. Default off.
    pub fn tcp_keepalive(mut self, time: Option<Duration>) -> Self {
        self.options.socket.keepalive = time;
        self
    }

    /// Between two probes of SO_KEEPALIVE. Default: the system's.
    pub fn tcp_keepalive_interval(mut self, interval: Option<Duration>) -> Self {
        self.options.socket.keepalive_interval = interval;
        self
    }

    /// How many probes of SO_KEEPALIVE may fail. Default: the system's.
    pub fn tcp_keepalive_retries(mut self, retries: Option<u32>) -> Self {
        self.options.socket.keepalive_retries = retries;
        self
    }

    /// After about this time a connection is asked to end (RFC 9113 §6.8); a tenth more or less, so that
    /// connections made together do not leave together. Default none.
    pub fn max_connection_age(mut self, age: Duration) -> Self {
        self.options.max_connection_age = Some(age);
        self
    }

    /// How long a connection that was asked to end for its age may take to finish its calls; then they are cut.
    /// Default: as long as they take.
    pub fn max_connection_age_grace(mut self, grace: Duration) -> Self {
        self.options.max_connection_age_grace = Some(grace);
        self
    }

    /// After so long without an open stream a connection is asked to end. Default none.
    pub fn max_connection_idle(mut self, idle: Duration) -> Self {
        self.options.max_connection_idle = Some(idle);
        self
    }

    /// How long connections may take to finish their calls when the server shuts down; then they are cut.
    /// Default: as long as they take.
    pub fn shutdown_grace(mut self, grace: Duration) -> Self {
        self.options.shutdown_grace = Some(grace);
        self
    }

    /// How long handlers may still answer a peer that has closed its side of the socket. Default 5 s: a client
    /// that half-closes after its last request gets its answers, and handlers of one that died end soon.
    pub fn half_close_grace(mut self, grace: Duration) -> Self {
        self.options.half_close_grace = grace;
        self
    }

    /// How many handlers of one connection run at once, until the last octet of their responses; more requests wait. Default: as many as
    /// `max_concurrent_streams`.
    pub fn concurrency_limit_per_connection(mut self, limit: usize) -> Self {
        self.options.concurrency_limit = Some(limit.max(1));
        self
    }

    /// Whether requests above the concurrency limit are answered at once (gRPC: RESOURCE_EXHAUSTED, else 503)
    /// instead of waiting. Default false.
    pub fn load_shed(mut self, on: bool) -> Self {
        self.options.load_shed = on;
        self
    }

    /// How long a call may take, whatever its `grpc-timeout` says. One that takes longer is answered
    /// DEADLINE_EXCEEDED (gRPC) or 504, or reset with CANCEL when its head was already sent. Default none.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Whether responses without a `date` field get one (RFC 9110 §6.6.1). Default true, as hyper.
    pub fn auto_date_header(mut self, on: bool) -> Self {
        self.options.no_date = !on;
        self
    }

    /// Whether a handler is polled once on the connection's own task before it gets a task of its own. A
    /// handler that is ready at once then costs no task and no wake-up. The price: until its first `.await`
    /// that waits, a handler holds up the other streams of its connection, and handlers of one connection do
    /// not run in parallel. After 64 of them other tasks have their turn. Default: on in a runtime that has one
    /// thread for all tasks ([`RuntimeFlavor::CurrentThread`](tokio::runtime::RuntimeFlavor::CurrentThread)), where a
    /// handler holds up the others in any case; off in others.
    pub fn poll_handlers_inline(mut self, on: bool) -> Self {
        self.options.poll_handlers_inline = Some(on);
        self
    }

    /// The span in which each handler runs.
    pub fn trace_fn(mut self, span: impl Fn(&Request<()>) -> tracing::Span + Send + Sync + 'static) -> Self {
        self.options.trace_fn = Some(Arc::new(span));
        self
    }

    /// Puts a tower layer around the service. As in tonic, the one added first is the outermost.
    pub fn layer<M>(self, layer: M) -> Server<Stack<M, L>> {
        Server { config: self.config, options: self.options, layer: Stack::new(layer, self.layer) }
    }

    /// Binds a TCP socket and serves until the listener fails.
    ///
    /// # Errors
    ///
    /// [`ServeError`]: a bad option, or the address cannot be bound.
    pub async fn serve<S>(self, address: SocketAddr, service: S) -> Result<(), ServeError>
    where
        L: Layer<S>,
        L::Service: HttpService,
    {
        self.serve_with_shutdown(address, service, std::future::pending()).await
    }

    /// As [`serve`](Self::serve), until `signal` is ready; then no connection is accepted, those that are open
    /// finish their calls, and this returns when the last has closed.
    ///
    /// # Errors
    ///
    /// As [`serve`](Self::serve).
    pub async fn serve_with_shutdown<S>(
        self,
        address: SocketAddr,
        service: S,
        signal: impl Future<Output = ()>,
    ) -> Result<(), ServeError>
    where
        L: Layer<S>,
        L::Service: HttpService,
    {
        let incoming = TcpIncoming::bind(address).await.map_err(ServeError::Bind)?;
        let incoming = incoming.with_options(self.options.socket.clone());
        self.serve_with_incoming_shutdown(incoming, service, signal).await
    }

    /// Serves connections that come from a stream: a listener of this crate, of tokio, TLS, or anything else. An
    /// [`io::Error`] that is one connection's, such as a reset, is passed over; any other ends the serving.
    ///
    /// # Errors
    ///
    /// [`ServeError`]: a bad option, or the stream failed.
    pub async fn serve_with_incoming<I, IO, E, S>(self, incoming: I, service: S) -> Result<(), ServeError>
    where
        I: Stream<Item = Result<IO, E>>,
        IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
        E: Into<BoxError>,
        L: Layer<S>,
        L::Service: HttpService,
    {
        self.serve_with_incoming_shutdown(incoming, service, std::future::pending()).await
    }

    /// As [`serve_with_incoming`](Self::serve_with_incoming), until `signal` is ready; then as
    /// [`serve_with_shutdown`](Self::serve_with_shutdown).
    ///
    /// # Errors
    ///
    /// As [`serve_with_incoming`](Self::serve_with_incoming).
    pub async fn serve_with_incoming_shutdown<I, IO, E, S>(
        self,
        incoming: I,
        service: S,
        signal: impl Future<Output = ()>,
    ) -> Result<(), ServeError>
    where
        I: Stream<Item = Result<IO, E>>,
        IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
        E: Into<BoxError>,
        L: Layer<S>,
        L::Service: HttpService,
    {
        let config = self.config.build().map_err(ServeError::Config)?.shared();
        let options = Arc::new(self.options);
        let service = self.layer.layer(service);
        let drain = Drain::new();
        {
            let (mut incoming, mut signal) = (std::pin::pin!(incoming), std::pin::pin!(signal));
            let mut gate = config.memory_budget.clone().map(Gate::new);
            loop {
                let next = std::future::poll_fn(|cx| {
                    if signal.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(None);
                    }
                    if let Some(gate) = &mut gate {
                        ready!(gate.poll_open(&drain, cx));
                    }
                    incoming.as_mut().poll_next(cx)
                });
                match next.await {
                    Some(Ok(io)) => {
                        let serving =
                            Serving::new(io, service.clone(), config.clone(), options.clone(), &drain);
                        tokio::spawn(serving);
                    }
                    Some(Err(error)) => {
                        let error = error.into();
                        if !error.downcast_ref().is_some_and(is_of_one_connection) {
                            return Err(ServeError::Incoming(error));
                        }
                        tracing::debug!(%error, "connection lost before it was served");
                    }
                    None => break,
                }
            }
        }
        drain.finish(options.shutdown_grace).await;
        Ok(())
    }

    /// Serves one connection, to its end. The future is to be spawned or awaited; dropping it closes the socket.
    ///
    /// # Errors
    ///
    /// A bad option.
    pub fn serve_connection<IO, S>(
        self,
        io: IO,
        service: S,
    ) -> Result<impl Future<Output = ()> + Send + use<L, IO, S>, Error>
    where
        IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
        L: Layer<S>,
        L::Service: HttpService,
    {
        let config = self.config.build()?.shared();
        Ok(Serving::new(io, self.layer.layer(service), config, Arc::new(self.options), &Drain::new()))
    }
}

impl<L> std::fmt::Debug for Server<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("config", &self.config).finish_non_exhaustive()
    }
}

/// A service that [`Server`] can serve: from requests with our [`Body`] to responses with any body. Every tower
/// service of that form is one; `tonic::service::Routes` and `axum::Router` are.
pub trait HttpService: Clone + Send + 'static {
    /// The body of its responses.
    type ResponseBody: HttpBody<Data: Send, Error: Into<BoxError>> + Send + 'static;
    /// What it fails with; the stream is reset then.
    type Error: Into<BoxError>;
    /// The response to come.
    type Future: Future<Output = Result<Response<Self::ResponseBody>, Self::Error>> + Send + 'static;

    /// As [`Service::poll_ready`].
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>>;

    /// As [`Service::call`].
    fn call(&mut self, request: Request<Body>) -> Self::Future;
}

impl<S, B> HttpService for S
where
    S: Service<Request<Body>, Response = Response<B>, Error: Into<BoxError>, Future: Send + 'static>,
    S: Clone + Send + 'static,
    B: HttpBody<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type ResponseBody = B;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Service::poll_ready(self, cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Service::call(self, request)
    }
}

impl std::fmt::Display for ServeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ServeError::Config(error) => error.fmt(f),
            ServeError::Bind(error) => write!(f, "cannot bind: {error}"),
            ServeError::Incoming(error) => write!(f, "no more connections: {error}"),
        }
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ServeError::Config(error) => Some(error),
            ServeError::Bind(error) => Some(error),
            ServeError::Incoming(error) => Some(&**error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_sockets_are_those_that_were_asked_for() {
        let (second, retries) = (Some(Duration::from_secs(1)), Some(3));
        let server = Server::builder()
            .tcp_nodelay(false)
            .tcp_keepalive(second)
            .tcp_keepalive_interval(second)
            .tcp_keepalive_retries(retries);
        let socket = &server.options.socket;
        assert!(!socket.nodelay);
        assert_eq!((socket.keepalive, socket.keepalive_interval), (second, second));
        assert_eq!(socket.keepalive_retries, retries);
    }

    #[test]
    fn errors_say_what_failed_and_why() {
        use std::error::Error as _;
        let taken = || io::Error::from(io::ErrorKind::AddrInUse);
        let bad = Config::builder().max_header_fields(0).build().unwrap_err();
        for (error, text) in [
            (ServeError::Config(bad), "max_header_fields"),
            (ServeError::Bind(taken()), "cannot bind: "),
            (ServeError::Incoming(taken().into()), "no more connections: "),
        ] {
            assert!(error.to_string().contains(text), "{error}");
            let source = error.source().unwrap().to_string();
            assert!(error.to_string().ends_with(&source), "{error}: {source}");
        }
    }
}
