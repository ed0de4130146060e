//! Making a connection: TCP, Unix socket, or the user's own connector.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::Uri;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::lookup_host,
};
use tower_service::Service;

#[cfg(unix)]
use crate::adapter::connect_unix;
use crate::{
    adapter::{BoxError, ConnectError, Deadline, SocketOptions, Target, TcpOptions, connect_tcp},
    config::Config,
    driver::tokio::{ClientConnection, client_handshake_shared},
    handle::SendRequest,
    readiness::ReadReady,
};

/// What makes a connection: any tower service from a URI to IO. Every such service is one.
pub trait Connect: Send + 'static {
    /// The IO.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// The IO to come.
    type Future: Future<Output = Result<Self::Io, BoxError>> + Send + 'static;

    /// Begins to connect.
    fn connect(&mut self, uri: Uri) -> Self::Future;
}

impl<S, IO> Connect for S
where
    S: Service<Uri, Response = IO, Error: Into<BoxError>, Future: Send + 'static> + Clone + Send + 'static,
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Io = IO;
    type Future = Pin<Box<dyn Future<Output = Result<IO, BoxError>> + Send>>;

    fn connect(&mut self, uri: Uri) -> Self::Future {
        let mut service = self.clone();
        Box::pin(async move {
            std::future::poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
            service.call(uri).await.map_err(Into::into)
        })
    }
}

type Connecting = Pin<Box<dyn Future<Output = Result<SendRequest, BoxError>> + Send>>;

/// Connects and starts the driver: what a channel keeps of its connector, whatever its type.
pub(super) type Dial = Box<dyn FnMut() -> Connecting + Send>;

/// A dial by the user's connector.
pub(super) fn with_connector(uri: Uri, mut connector: impl Connect, settings: Settings) -> Dial {
    Box::new(move || {
        let (connecting, config) = (connector.connect(uri.clone()), settings.config.clone());
        let connecting = async move { Ok(start(connecting.await?, config)) };
        settings.limit(connecting)
    })
}

/// A dial by the scheme of the URI.
pub(super) fn by_scheme(target: Target, settings: Settings) -> Dial {
    Box::new(move || {
        let config = settings.config.clone();
        match &target {
            Target::Tcp { host, port } => {
                let (host, port, options) = (host.clone(), *port, settings.tcp_options());
                let deadline = Deadline::after(settings.connect_timeout);
                settings.limit(async move {
                    let addresses = lookup_host((&*host, port)).await;
                    let addresses =
                        addresses.map_err(|error| ConnectError::new(format!("resolving {host}"), error))?;
                    Ok(start(connect_tcp(addresses, &options, deadline).await?, config))
                })
            }
            #[cfg(unix)]
            Target::Unix(path) => {
                let path = path.clone();
                settings.limit(async move { Ok(start(connect_unix(&path).await?, config)) })
            }
        }
    })
}

/// What concerns every dial.
pub(super) struct Settings {
    pub(super) config: Arc<Config>,
    pub(super) connect_timeout: Option<Duration>,
    /// What few channels have: options of the socket, and the address to connect from.
    pub(super) socket: Option<Box<(SocketOptions, Option<std::net::IpAddr>)>>,
}

impl Settings {
    fn tcp_options(&self) -> TcpOptions {
        let mut options = TcpOptions::default();
        if let Some((socket, local_address)) = self.socket.as_deref() {
            options.socket = socket.clone();
            options.set_local_address(*local_address);
        }
        options
    }

    fn limit(
        &self,
        connecting: impl Future<Output = Result<SendRequest, BoxError>> + Send + 'static,
    ) -> Connecting {
        Box::pin(Deadline::after(self.connect_timeout).bound(connecting))
    }
}

/// Starts the driver of a new connection.
fn start(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, config: Arc<Config>) -> SendRequest {
    let (sender, connection) = client_handshake_shared(io, config);
    tokio::spawn(Driving(connection));
    sender
}

/// A connection that says in the log why it ended. A type of its own, since an `async` block that awaits its
/// capture keeps room for it twice, and this future lives as long as the connection.
struct Driving<T>(ClientConnection<T>);

impl<T: ReadReady + AsyncWrite + Unpin> Future for Driving<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Err(error) = ready!(Pin::new(&mut self.0).poll(cx)) {
            tracing::debug!(%error, "connection ended");
        }
        Poll::Ready(())
    }
}
