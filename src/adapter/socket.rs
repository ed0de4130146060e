//! Options of sockets, and who is at their other end.

use std::{any::Any, fmt, net::SocketAddr, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// Options of TCP sockets, accepted or connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketOptions {
    /// TCP_NODELAY: small writes are sent at once. Default true.
    pub nodelay: bool,
    /// SO_KEEPALIVE: so long a silence before the system probes. Default off.
    pub keepalive: Option<Duration>,
    /// Between two probes. Default: the system's.
    pub keepalive_interval: Option<Duration>,
    /// How many probes may fail. Default: the system's.
    pub keepalive_retries: Option<u32>,
}

impl Default for SocketOptions {
    fn default() -> Self {
        SocketOptions { nodelay: true, keepalive: None, keepalive_interval: None, keepalive_retries: None }
    }
}

impl SocketOptions {
    /// Sets them. What a system refuses is logged and left: a connection works without.
    pub(crate) fn apply<'s>(&self, socket: impl Into<SockRef<'s>>) {
        let socket = socket.into();
        if let Err(error) = socket.set_tcp_nodelay(self.nodelay) {
            tracing::debug!(%error, "TCP_NODELAY refused");
        }
        let Some(time) = self.keepalive else { return };
        let mut keepalive = TcpKeepalive::new().with_time(time);
        if let Some(interval) = self.keepalive_interval {
            keepalive = keepalive.with_interval(interval);
        }
        if let Some(retries) = self.keepalive_retries {
            keepalive = keepalive.with_retries(retries);
        }
        if let Err(error) = socket.set_tcp_keepalive(&keepalive) {
            tracing::debug!(%error, "SO_KEEPALIVE refused");
        }
    }
}

/// Who is at the other end of a connection: an extension of each request that a [`Server`](crate::Server) gives
/// to its service, and of each response that hyper's client gets over a socket of a `Connector` (feature `hyper`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectInfo {
    /// A TCP socket.
    Tcp {
        /// Our own address.
        local_addr: Option<SocketAddr>,
        /// The peer's address.
        remote_addr: Option<SocketAddr>,
    },
    /// A Unix socket.
    Unix {
        /// The peer's process, if the system tells.
        process: Option<i32>,
    },
    /// Anything else.
    #[default]
    Unknown,
}

impl ConnectInfo {
    pub(crate) fn of_tcp(socket: &TcpStream) -> Self {
        ConnectInfo::Tcp { local_addr: socket.local_addr().ok(), remote_addr: socket.peer_addr().ok() }
    }

    #[cfg(unix)]
    pub(crate) fn of_unix(credentials: Option<tokio::net::unix::UCred>) -> Self {
        ConnectInfo::Unix { process: credentials.and_then(|credentials| credentials.pid()) }
    }

    /// Puts it where services look for it.
    fn put(&self, extensions: &mut http::Extensions) {
        #[cfg(feature = "tonic")]
        if let ConnectInfo::Tcp { local_addr, remote_addr } = *self {
            extensions.insert(::tonic::transport::server::TcpConnectInfo { local_addr, remote_addr });
        }
        extensions.insert(self.clone());
    }

    /// The peer's address, if it is a TCP peer.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        match self {
            ConnectInfo::Tcp { remote_addr, .. } => *remote_addr,
            _ => None,
        }
    }
}

/// What each request of a connection gets to know of its peer, in as few octets as it takes.
pub(crate) enum PeerInfo {
    Known(Box<ConnectInfo>),
    /// Of IO that is not of ours to know.
    Other(http::Extensions),
}

impl PeerInfo {
    pub(crate) fn of<T: Connected + 'static>(io: &T) -> Self {
        // A comparison of type identifiers, which the compiler folds.
        match (io as &dyn Any).downcast_ref::<TcpStream>() {
            Some(socket) => PeerInfo::Known(Box::new(ConnectInfo::of_tcp(socket))),
            None => {
                let mut extensions = http::Extensions::new();
                io.connect_info(&mut extensions);
                PeerInfo::Other(extensions)
            }
        }
    }

    /// Puts it into the extensions of a request.
    pub(crate) fn put(&self, extensions: &mut http::Extensions) {
        match self {
            PeerInfo::Known(info) => info.put(extensions),
            PeerInfo::Other(other) => extensions.extend(other.clone()),
        }
    }
}

impl fmt::Debug for PeerInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeerInfo::Known(info) => info.fmt(f),
            PeerInfo::Other(extensions) => extensions.get::<ConnectInfo>().fmt(f),
        }
    }
}

/// IO that knows who is at its other end.
///
/// Implement it for a type of your own around a TLS stream, say:
///
/// ```
/// use millpond::adapter::Connected;
///
/// struct Tls<T>(T); // and `AsyncRead` and `AsyncWrite`, by those of `T`
///
/// impl<T: Connected> Connected for Tls<T> {
///     fn connect_info(&self, extensions: &mut http::Extensions) {
///         self.0.connect_info(extensions);
///     }
/// }
/// ```
pub trait Connected {
    /// Puts what it knows into the extensions of a request. Called once for a connection; each request gets a
    /// clone.
    fn connect_info(&self, extensions: &mut http::Extensions);
}

impl Connected for TcpStream {
    fn connect_info(&self, extensions: &mut http::Extensions) {
        ConnectInfo::of_tcp(self).put(extensions);
    }
}

#[cfg(unix)]
impl Connected for tokio::net::UnixStream {
    fn connect_info(&self, extensions: &mut http::Extensions) {
        let credentials = self.peer_cred().ok();
        extensions.insert(ConnectInfo::of_unix(credentials));
        #[cfg(feature = "tonic")]
        extensions.insert(::tonic::transport::server::UdsConnectInfo {
            peer_addr: self.peer_addr().ok().map(std::sync::Arc::new),
            peer_cred: credentials,
        });
    }
}

impl Connected for tokio::io::DuplexStream {
    fn connect_info(&self, extensions: &mut http::Extensions) {
        extensions.insert(ConnectInfo::Unknown);
    }
}
