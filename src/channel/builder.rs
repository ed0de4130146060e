//! Options of a [`Channel`], and the ways to connect it.

use std::{future::poll_fn, net::IpAddr, sync::Arc, time::Duration};

use http::{
    HeaderValue, Uri,
    uri::{Authority, Scheme},
};

use crate::{
    adapter::{CallError, SocketOptions, Target},
    config::{Config, ConfigBuilder, forward_options},
    error::{Error, Mistake},
};

use super::{
    Channel, Connect, Shared,
    connect::{Dial, Settings, by_scheme, with_connector},
    link::{Backoff, Link},
};

/// Gathers the options of a [`Channel`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ChannelBuilder {
    uri: Uri,
    /// Where to connect to, without a connector.
    target: Result<Target, Error>,
    config: ConfigBuilder,
    socket: SocketOptions,
    origin: Option<Uri>,
    user_agent: Option<String>,
    timeout: Option<Duration>,
    connect_timeout: Option<Duration>,
    local_address: Option<IpAddr>,
    backoff: Backoff,
}

/// Our own part of the user agent.
pub(super) const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("millpond/", env!("CARGO_PKG_VERSION")));

impl ChannelBuilder {
    pub(super) fn new(uri: Uri, target: Result<Target, Error>) -> Self {
        ChannelBuilder {
            uri,
            target,
            config: Config::builder(),
            socket: SocketOptions::default(),
            origin: None,
            user_agent: None,
            timeout: None,
            connect_timeout: None,
            local_address: None,
            backoff: Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(30) },
        }
    }

    forward_options!();

    /// Replaces all options of the connection at once.
    pub fn config(mut self, config: ConfigBuilder) -> Self {
        self.config = config;
        self
    }

    /// The scheme and authority that requests carry, if not those of the URI to connect to.
    pub fn origin(mut self, origin: Uri) -> Self {
        self.origin = Some(origin);
        self
    }

    /// What stands before ours in `user-agent`.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// How long a call may take, response body included; a shorter `grpc-timeout` of the call wins. Default:
    /// as long as it takes.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How long connecting may take. Default: as long as the system tries.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// The pause after the first failure to connect, and the longest; it doubles between them, with jitter.
    /// Default 100 ms and 30 s.
    pub fn reconnect_backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.backoff = Backoff { first, longest };
        self
    }

    /// TCP_NODELAY. Default true.
    pub fn tcp_nodelay(mut self, on: bool) -> Self {
        self.socket.nodelay = on;
        self
    }

    /// SO_KEEPALIVE: so long a silence before the system probes. Default off.
    pub fn tcp_keepalive(mut self, time: Option<Duration>) -> Self {
        self.socket.keepalive = time;
        self
    }

    /// Between two probes of SO_KEEPALIVE. Default: the system's.
    pub fn tcp_keepalive_interval(mut self, interval: Option<Duration>) -> Self {
        self.socket.keepalive_interval = interval;
        self
    }

    /// How many probes of SO_KEEPALIVE may fail. Default: the system's.
    pub fn tcp_keepalive_retries(mut self, retries: Option<u32>) -> Self {
        self.socket.keepalive_retries = retries;
        self
    }

    /// The address to connect from. Default: the system's choice.
    pub fn local_address(mut self, address: Option<IpAddr>) -> Self {
        self.local_address = address;
        self
    }

    /// Connects now.
    ///
    /// # Errors
    ///
    /// A bad option or URI, or why no connection could be made.
    pub async fn connect(self) -> Result<Channel, CallError> {
        connected(self.connect_lazy()?).await
    }

    /// Connects with the first call. Must be called within a tokio runtime when that comes, not before.
    ///
    /// # Errors
    ///
    /// A bad option or URI.
    pub fn connect_lazy(self) -> Result<Channel, CallError> {
        let target = self.target.clone()?;
        self.build(|_, settings| by_scheme(target, settings))
    }

    /// Connects now, by a connector: any tower service from the URI to IO, for TLS or tunnels, say.
    ///
    /// # Errors
    ///
    /// A bad option or URI, or why no connection could be made.
    pub async fn connect_with_connector(self, connector: impl Connect) -> Result<Channel, CallError> {
        connected(self.connect_with_connector_lazy(connector)?).await
    }

    /// Connects with the first call, by a connector.
    ///
    /// # Errors
    ///
    /// A bad option or URI.
    pub fn connect_with_connector_lazy(self, connector: impl Connect) -> Result<Channel, CallError> {
        self.build(|uri, settings| with_connector(uri, connector, settings))
    }

    fn build(self, dial: impl FnOnce(Uri, Settings) -> Dial) -> Result<Channel, CallError> {
        let config = self.config.build()?.shared();
        let joined =
            |own: String| HeaderValue::try_from([own.as_bytes(), b" ", USER_AGENT.as_bytes()].concat());
        let user_agent = self.user_agent.map(joined).transpose();
        let user_agent =
            user_agent.map_err(|_| Error::from(Mistake::BadOption("user_agent: not a field value")))?;
        let user_agent = user_agent.map(Box::new);
        let origin = self.origin.unwrap_or_else(|| self.uri.clone()).into_parts();
        let (scheme, authority) = match (origin.scheme, origin.authority) {
            (Some(scheme), Some(authority)) if scheme.as_str() != "unix" => (scheme, authority),
            (Some(scheme), None) if scheme.as_str() != "unix" => {
                return Err(Error::from(Mistake::BadUri("no authority for requests")).into());
            }
            // gRPC names no host on a Unix socket; a name must stand in :authority all the same.
            _ => (Scheme::HTTP, Authority::from_static("localhost")),
        };
        let socket = (self.socket, self.local_address);
        let socket = (socket != Default::default()).then(|| Box::new(socket));
        let settings = Settings { config, socket, connect_timeout: self.connect_timeout };
        let link = Link::new(dial(self.uri, settings), self.backoff);
        Ok(Channel::new(Arc::new(Shared { link, scheme, authority, user_agent, timeout: self.timeout })))
    }
}

/// Waits until the channel's connection stands.
async fn connected(channel: Channel) -> Result<Channel, CallError> {
    poll_fn(|cx| channel.shared.link.poll_sender(cx)).await?;
    Ok(channel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_sockets_are_those_that_were_asked_for() {
        let (second, retries) = (Some(Duration::from_secs(1)), Some(3));
        let address = Some(IpAddr::from([127, 0, 0, 1]));
        let builder = Channel::builder(Uri::from_static("http://a"))
            .tcp_nodelay(false)
            .tcp_keepalive(second)
            .tcp_keepalive_interval(second)
            .tcp_keepalive_retries(retries)
            .local_address(address);
        assert!(!builder.socket.nodelay);
        assert_eq!((builder.socket.keepalive, builder.socket.keepalive_interval), (second, second));
        assert_eq!(builder.socket.keepalive_retries, retries);
        assert_eq!(builder.local_address, address);
    }

    #[test]
    fn a_user_agent_that_is_no_field_value_is_refused() {
        let builder = Channel::builder(Uri::from_static("http://a")).user_agent("two\nlines");
        let error = builder.connect_lazy().unwrap_err();
        assert!(error.to_string().contains("user_agent"), "{error}");
    }
}
