//! Options of a [`Channel`], and the ways to connect it.

use std::{future::poll_fn, net::IpAddr, sync::Arc, time::Duration};

use http::{HeaderValue, Uri};

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
const USER_AGENT: &str = concat!("millpond/", env!("CARGO_PKG_VERSION"));

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
        let config = Arc::new(self.config.build()?);
        let user_agent = match self.user_agent {
            Some(own) => HeaderValue::try_from(format!("{own} {USER_AGENT}"))
                .map_err(|_| Error::from(Mistake::BadOption("user_agent: not a field value")))?,
            None => HeaderValue::from_static(USER_AGENT),
        };
        let mut origin = self.origin.unwrap_or_else(|| self.uri.clone()).into_parts();
        if origin.scheme.as_ref().is_none_or(|scheme| scheme.as_str() == "unix") {
            // gRPC names no host on a Unix socket; a name must stand in :authority all the same.
            origin.scheme = Some(http::uri::Scheme::HTTP);
            origin.authority = Some(http::uri::Authority::from_static("localhost"));
        }
        if origin.authority.is_none() {
            return Err(Error::from(Mistake::BadUri("no authority for requests")).into());
        }
        let enough = config.max_send_buffer_size;
        let settings = Settings {
            config,
            socket: self.socket,
            connect_timeout: self.connect_timeout,
            local_address: self.local_address,
        };
        let link = Link::new(dial(self.uri, settings), self.backoff);
        Ok(Channel::new(Arc::new(Shared { link, origin, user_agent, timeout: self.timeout, enough })))
    }
}

/// Waits until the channel's connection stands.
async fn connected(channel: Channel) -> Result<Channel, CallError> {
    poll_fn(|cx| channel.shared.link.poll_sender(cx)).await?;
    Ok(channel)
}
