//! The connector itself: a tower service from a URI to IO.

use std::{
    fmt,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_util::{
    client::legacy::connect::dns::{GaiResolver, Name},
    rt::TokioIo,
};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::adapter::{BoxError, ConnectError, Deadline};
#[cfg(unix)]
use crate::adapter::{Target, connect_unix};

use super::{Io, Sockets};

/// Connects: a tower service from a URI to IO, for `hyper_util::client::legacy::Client` and
/// `tonic::transport::Endpoint::connect_with_connector`. The [module](super) says what it is good for.
///
/// | URI | connects to |
/// | --- | --- |
/// | `http://host`, `http://host:port` | the host, by TCP |
/// | `unix://localhost/path` | the Unix socket at this path. tonic keeps the path, hyper's client does not |
/// | `unix://2f70617468/`, see [`unix_uri`](super::unix_uri) | the Unix socket at `/path`, also with hyper's client |
///
/// It must be used within a tokio runtime with IO and time. `K` is what it connects by: [`Sockets`] or, if it was made by [`Connector::wrap`], another connector.
#[derive(Clone, Debug)]
pub struct Connector<K = Sockets> {
    pub(super) kind: K,
    connect_timeout: Option<Duration>,
}

/// What a [`Connector`] connects by if it wraps another connector.
#[derive(Clone, Debug)]
pub struct Wrapped<C>(C);

impl Connector {
    /// Opens sockets. Names of hosts are resolved by the system (`getaddrinfo`), on a thread where that may block.
    pub fn new() -> Self {
        Connector::new_with_resolver(GaiResolver::new())
    }

    /// Opens one Unix socket, whatever the URI says. On Linux, a path that begins with a zero octet is the name of an
    /// abstract socket.
    #[cfg(unix)]
    pub fn unix(path: impl Into<std::path::PathBuf>) -> Self {
        let mut connector = Connector::new();
        connector.kind.only = Some(path.into());
        connector
    }
}

impl Default for Connector {
    fn default() -> Self {
        Connector::new()
    }
}

impl<R> Connector<Sockets<R>> {
    /// Opens sockets. Names of hosts are resolved by a tower service from
    /// [`Name`] to an iterator of addresses, as hyper-util's `HttpConnector` takes it.
    ///
    /// Addresses are tried in its order, but for families taking turns. The port of an address counts if the URI has
    /// none and it is not zero.
    pub fn new_with_resolver(resolver: R) -> Self {
        Connector { kind: Sockets::new(resolver), connect_timeout: None }
    }
}

impl<C> Connector<Wrapped<C>> {
    /// Connects by another connector, and opens Unix sockets itself. The IO is that of the other connector, and says
    /// what it says of itself: that HTTP/2 was agreed on, for instance.
    pub fn wrap(connector: C) -> Self {
        Connector { kind: Wrapped(connector), connect_timeout: None }
    }
}

impl<K> Connector<K> {
    /// How long connecting may take, with all that belongs to it: resolving a name, every address, the TLS handshake
    /// of a connector inside. No address keeps the others from their turn within this time. Default: as long as the
    /// system tries.
    pub fn set_connect_timeout(&mut self, limit: Option<Duration>) {
        self.connect_timeout = limit;
    }
}

impl<R, A> Service<Uri> for Connector<Sockets<R>>
where
    R: Service<Name, Response = A, Error: Into<BoxError>, Future: Send + 'static>,
    A: Iterator<Item = SocketAddr>,
{
    type Response = Io<TokioIo<TcpStream>>;
    type Error = ConnectError;
    type Future = Connecting<TokioIo<TcpStream>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        let ready = self.kind.resolver.poll_ready(cx);
        ready.map_err(|error| ConnectError::new("the resolver".into(), error))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        self.kind.connect(&uri, Deadline::after(self.connect_timeout))
    }
}

impl<C> Service<Uri> for Connector<Wrapped<C>>
where
    C: Service<Uri, Response: 'static, Error: Into<BoxError>, Future: Send + 'static>,
{
    type Response = Io<C::Response>;
    type Error = ConnectError;
    type Future = Connecting<C::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        self.kind.0.poll_ready(cx).map_err(ConnectError::of)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let deadline = Deadline::after(self.connect_timeout);
        #[cfg(unix)]
        if let Ok(Target::Unix(path)) = Target::of_any(&uri) {
            return Connecting::unix(path, deadline);
        }
        let connecting = self.kind.0.call(uri);
        Connecting::new(deadline, async {
            let io = connecting.await.map_err(ConnectError::of)?;
            Ok(Io::new(io, |_| None))
        })
    }
}

/// The IO to come.
#[must_use = "futures do nothing unless polled"]
pub struct Connecting<T>(Pin<Box<dyn Future<Output = Result<Io<T>, ConnectError>> + Send>>);

impl<T: 'static> Connecting<T> {
    pub(super) fn new(
        deadline: Deadline,
        connecting: impl Future<Output = Result<Io<T>, ConnectError>> + Send + 'static,
    ) -> Self {
        Connecting(Box::pin(deadline.bound(connecting)))
    }

    pub(super) fn failed(error: impl Into<ConnectError>) -> Self {
        let error = error.into();
        Connecting(Box::pin(async { Err(error) }))
    }

    #[cfg(unix)]
    pub(super) fn unix(path: std::path::PathBuf, deadline: Deadline) -> Self {
        Connecting::new(deadline, async move { Ok(Io::unix(connect_unix(&path).await?)) })
    }
}

impl<T> Future for Connecting<T> {
    type Output = Result<Io<T>, ConnectError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<T> fmt::Debug for Connecting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting").finish_non_exhaustive()
    }
}
