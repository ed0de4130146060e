//! Making a connection: TCP, Unix socket, or the user's own connector.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::Uri;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream, lookup_host},
};
use tower_service::Service;

use crate::{
    adapter::{BoxError, SocketOptions},
    config::Config,
    driver::tokio::{ClientConnection, client_handshake_shared},
    error::{Error, Mistake},
    handle::SendRequest,
    readiness::ReadReady,
};

/// What makes a connection: any tower service from a URI to IO. Every such service is one.
pub trait Connector: Send + 'static {
    /// The IO.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// The IO to come.
    type Future: Future<Output = Result<Self::Io, BoxError>> + Send + 'static;

    /// Begins to connect.
    fn connect(&mut self, uri: Uri) -> Self::Future;
}

impl<S, IO> Connector for S
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
pub(super) fn with_connector(uri: Uri, mut connector: impl Connector, settings: Settings) -> Dial {
    Box::new(move || {
        let (connecting, config) = (connector.connect(uri.clone()), settings.config.clone());
        let connecting = async move { Ok(start(connecting.await?, config)) };
        settings.limit(connecting)
    })
}

/// A dial by the scheme of the URI.
pub(super) fn by_scheme(target: Target, settings: Settings) -> Dial {
    Box::new(move || {
        let (config, options, local) =
            (settings.config.clone(), settings.socket.clone(), settings.local_address);
        match &target {
            Target::Tcp { host, port } => {
                let (host, port) = (host.clone(), *port);
                settings.limit(async move {
                    let socket = connect_tcp(&host, port, local).await?;
                    options.apply(&socket);
                    Ok(start(socket, config))
                })
            }
            #[cfg(unix)]
            Target::Unix(path) => {
                let path = path.clone();
                settings.limit(async move { Ok(start(tokio::net::UnixStream::connect(path).await?, config)) })
            }
        }
    })
}

/// What concerns every dial.
pub(super) struct Settings {
    pub(super) config: Arc<Config>,
    pub(super) socket: SocketOptions,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) local_address: Option<std::net::IpAddr>,
}

impl Settings {
    fn limit(
        &self,
        connecting: impl Future<Output = Result<SendRequest, BoxError>> + Send + 'static,
    ) -> Connecting {
        let Some(limit) = self.connect_timeout else { return Box::pin(connecting) };
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(result) => result,
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "connecting took too long").into()),
            }
        })
    }
}

/// Where to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Tcp {
        host: String,
        port: u16,
    },
    #[cfg(unix)]
    Unix(std::path::PathBuf),
}

impl Target {
    /// Reads `http://host:port`, `unix:/path` and `unix:///path`.
    pub(super) fn of(uri: &Uri) -> Result<Self, Error> {
        match uri.scheme_str() {
            #[cfg(unix)]
            Some("unix") => {
                // As `unix://localhost/path`: the authority says nothing.
                Self::unix(uri.path().into())
            }
            Some("http") => {
                let host = uri.host().filter(|host| !host.is_empty()).ok_or(Mistake::BadUri("no host"))?;
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                Ok(Target::Tcp { host, port: uri.port_u16().unwrap_or(80) })
            }
            Some("https") => Err(Mistake::BadUri("TLS needs a connector of its own").into()),
            Some(_) => Err(Mistake::BadUri("the scheme is neither http nor unix").into()),
            None => Err(Mistake::BadUri("no scheme").into()),
        }
    }

    #[cfg(unix)]
    pub(super) fn unix(path: std::path::PathBuf) -> Result<Self, Error> {
        // Without a name it is the root directory at best.
        match path.file_name() {
            Some(_) => Ok(Target::Unix(path)),
            None => Err(Mistake::BadUri("a Unix socket needs a path").into()),
        }
    }
}

/// Every address of the host in turn.
async fn connect_tcp(host: &str, port: u16, local: Option<std::net::IpAddr>) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in lookup_host((host, port)).await? {
        let connected = match local {
            None => TcpStream::connect(address).await,
            Some(local) if local.is_ipv4() != address.is_ipv4() => continue,
            Some(local) => {
                let socket = if local.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
                socket.bind((local, 0).into())?;
                socket.connect(address).await
            }
        };
        match connected {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn target(uri: &'static str) -> Result<Target, String> {
        Target::of(&Uri::from_static(uri)).map_err(|error| error.to_string())
    }

    #[test]
    fn targets_are_read_from_uris() {
        assert_eq!(target("http://a.b:81/c"), Ok(Target::Tcp { host: "a.b".into(), port: 81 }));
        assert_eq!(target("http://[::1]"), Ok(Target::Tcp { host: "::1".into(), port: 80 }));
        #[cfg(unix)]
        assert_eq!(target("unix://localhost/tmp/x"), Ok(Target::Unix("/tmp/x".into())));
        assert!(target("https://a.b").unwrap_err().contains("TLS"));
        assert!(target("/only/path").unwrap_err().contains("no scheme"));
        assert!(target("ftp://a.b").unwrap_err().contains("scheme"));
    }
}
