//! Sockets for a [`Connector`](super::Connector): from a URI to the addresses of its host, or to a path.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use http::Uri;
use hyper_util::{
    client::legacy::connect::dns::{GaiResolver, Name},
    rt::TokioIo,
};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::{
    adapter::{BoxError, ConnectError, ConnectInfo, Deadline, Target, TcpOptions, connect_tcp},
    error::Error,
};

use super::{Connecting, Io};

/// What a [`Connector`](super::Connector) connects by if it wraps no other: sockets of its own, with a resolver `R` for
/// the names of hosts.
#[derive(Clone)]
pub struct Sockets<R = GaiResolver> {
    pub(super) options: Arc<TcpOptions>,
    pub(super) enforce_http: bool,
    /// The Unix socket that all calls go to, whatever their URI.
    #[cfg(unix)]
    pub(super) only: Option<std::path::PathBuf>,
    pub(super) resolver: R,
}

impl<R> Sockets<R> {
    pub(super) fn new(resolver: R) -> Self {
        Sockets {
            options: Arc::default(),
            enforce_http: true,
            #[cfg(unix)]
            only: None,
            resolver,
        }
    }

    fn target(&self, uri: &Uri) -> Result<Target, Error> {
        #[cfg(unix)]
        if let Some(path) = &self.only {
            return Target::unix(path.clone());
        }
        if self.enforce_http { Target::of(uri) } else { Target::of_any(uri) }
    }
}

impl<R, A> Sockets<R>
where
    R: Service<Name, Response = A, Error: Into<BoxError>, Future: Send + 'static>,
    A: Iterator<Item = SocketAddr>,
{
    /// Begins to connect. The resolver must be ready.
    pub(super) fn connect(&mut self, uri: &Uri, deadline: Deadline) -> Connecting<TokioIo<TcpStream>> {
        match self.target(uri) {
            Err(error) => Connecting::failed(error),
            #[cfg(unix)]
            Ok(Target::Unix(path)) => Connecting::unix(path, deadline),
            // A port that stands in the URI wins over that of the resolver.
            Ok(Target::Tcp { host, port }) => self.connect_tcp(host, port, uri.port().is_some(), deadline),
        }
    }

    fn connect_tcp(
        &mut self,
        host: String,
        port: u16,
        explicit: bool,
        deadline: Deadline,
    ) -> Connecting<TokioIo<TcpStream>> {
        let resolving = match (host.parse::<IpAddr>(), Name::from_str(&host)) {
            (Ok(address), _) => Ok(address),
            (_, Ok(name)) => Err(self.resolver.call(name)),
            (_, Err(error)) => {
                return Connecting::failed(ConnectError::new(format!("resolving {host}"), error));
            }
        };
        let options = self.options.clone();
        Connecting::new(deadline, async move {
            let addresses = match resolving {
                Ok(address) => vec![SocketAddr::new(address, port)],
                Err(resolving) => {
                    let addresses = resolving.await;
                    let addresses =
                        addresses.map_err(|error| ConnectError::new(format!("resolving {host}"), error))?;
                    let with_port = |mut address: SocketAddr| {
                        if explicit || address.port() == 0 {
                            address.set_port(port);
                        }
                        address
                    };
                    addresses.map(with_port).collect()
                }
            };
            let socket = connect_tcp(addresses.into_iter(), &options, deadline).await?;
            Ok(Io::new(TokioIo::new(socket), |io| Some(ConnectInfo::of_tcp(io.inner()))))
        })
    }
}

impl<R> fmt::Debug for Sockets<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sockets").field("options", &self.options).finish_non_exhaustive()
    }
}
