//! Options of a [`Connector`] that opens sockets, by the names that hyper-util's `HttpConnector` gives them.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use crate::adapter::TcpOptions;

use super::{Connector, Sockets};

/// Options of TCP sockets. What a system refuses is logged and left, but for what says which way the octets go: the
/// interface, the mark and the local address.
impl<R> Connector<Sockets<R>> {
    /// Whether URIs must have the scheme `http` (or `unix`). Switch it off if a connector around this one encrypts.
    /// Default true.
    pub fn enforce_http(&mut self, enforced: bool) {
        self.kind.enforce_http = enforced;
    }

    /// SO_KEEPALIVE: so long a silence before the system probes. Default off.
    pub fn set_keepalive(&mut self, time: Option<Duration>) {
        self.options().socket.keepalive = time;
    }

    /// Between two probes, if [`set_keepalive`](Self::set_keepalive) asks for them. Default: the system's.
    pub fn set_keepalive_interval(&mut self, interval: Option<Duration>) {
        self.options().socket.keepalive_interval = interval;
    }

    /// How many probes may fail, if [`set_keepalive`](Self::set_keepalive) asks for them. Default: the system's.
    pub fn set_keepalive_retries(&mut self, retries: Option<u32>) {
        self.options().socket.keepalive_retries = retries;
    }

    /// TCP_NODELAY: small writes are sent at once. Default true, unlike that of `HttpConnector`: HTTP/2 waits for
    /// answers to small frames.
    pub fn set_nodelay(&mut self, nodelay: bool) {
        self.options().socket.nodelay = nodelay;
    }

    /// SO_SNDBUF, in octets. Default: the system's, which may adapt it.
    pub fn set_send_buffer_size(&mut self, size: Option<usize>) {
        self.options().send_buffer_size = size;
    }

    /// SO_RCVBUF, in octets. Default: the system's, which may adapt it.
    pub fn set_recv_buffer_size(&mut self, size: Option<usize>) {
        self.options().recv_buffer_size = size;
    }

    /// The address to connect from; hosts are then reached by its family alone. Default: the system's choice.
    pub fn set_local_address(&mut self, address: Option<IpAddr>) {
        self.options().set_local_address(address);
    }

    /// The addresses to connect from, one for each family. Default: the system's choice.
    pub fn set_local_addresses(&mut self, ipv4: Ipv4Addr, ipv6: Ipv6Addr) {
        let options = self.options();
        (options.local_ipv4, options.local_ipv6) = (Some(ipv4), Some(ipv6));
    }

    /// How long one address of a host is tried alone: then the next begins, of the other family if there is one, and
    /// the first that stands wins (RFC 8305 §5, which asks for 10 ms at least). The next begins earlier if all before it have failed, or if the
    /// connect timeout would leave too little to the others. `None`: one after the other, in the resolver's order,
    /// each with its share of the connect timeout. Default 300 ms.
    pub fn set_happy_eyeballs_timeout(&mut self, pause: Option<Duration>) {
        self.options().happy_eyeballs = pause;
    }

    /// SO_REUSEADDR. Default false.
    pub fn set_reuse_address(&mut self, reuse: bool) -> &mut Self {
        self.options().reuse_address = reuse;
        self
    }

    /// The interface to connect by, by its name: SO_BINDTODEVICE or, where that is not, IP_BOUND_IF. On the systems
    /// that `HttpConnector` has it for. Default: the system's choice.
    #[cfg(any(
        target_os = "android",
        target_os = "fuchsia",
        target_os = "illumos",
        target_os = "ios",
        target_os = "linux",
        target_os = "macos",
        target_os = "solaris",
        target_os = "tvos",
        target_os = "visionos",
        target_os = "watchos",
    ))]
    pub fn set_interface<S: Into<String>>(&mut self, interface: S) -> &mut Self {
        self.options().interface = Some(interface.into());
        self
    }

    /// SO_MARK, which policy routing and packet filters can match; it takes a privilege. On Linux, Android and
    /// Fuchsia. Default: none.
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    pub fn set_mark(&mut self, mark: Option<u32>) {
        self.options().mark = mark;
    }

    /// TCP_USER_TIMEOUT: how long sent octets may wait for their acknowledgement (RFC 5482). Default: the system's.
    /// Ignored by systems other than Linux, Android and Fuchsia.
    pub fn set_tcp_user_timeout(&mut self, time: Option<Duration>) {
        self.options().user_timeout = time;
    }

    /// TCP_NOTSENT_LOWAT: the socket takes no more while so many octets wait in it that were not sent. What was not
    /// given to the socket can still be overtaken by a more urgent stream, or dropped with a reset one, and takes no
    /// memory of the system. Default: the system's, which is no limit as a rule. Ignored by systems other than Linux and Android.
    pub fn set_tcp_notsent_lowat(&mut self, octets: Option<u32>) {
        self.options().notsent_lowat = octets;
    }

    /// Our own copy, if clones share it.
    fn options(&mut self) -> &mut TcpOptions {
        Arc::make_mut(&mut self.kind.options)
    }
}
