//! What can be set on a TCP socket before it connects.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use socket2::SockRef;
use tokio::net::TcpSocket;

use crate::adapter::SocketOptions;

use super::{ConnectError, system};

/// Options of TCP sockets that connect, and how they are tried.
#[derive(Clone, Debug)]
pub(crate) struct TcpOptions {
    pub(crate) socket: SocketOptions,
    pub(crate) send_buffer_size: Option<usize>,
    pub(crate) recv_buffer_size: Option<usize>,
    pub(crate) reuse_address: bool,
    pub(crate) user_timeout: Option<Duration>,
    pub(crate) notsent_lowat: Option<u32>,
    pub(crate) local_ipv4: Option<Ipv4Addr>,
    pub(crate) local_ipv6: Option<Ipv6Addr>,
    pub(crate) interface: Option<String>,
    pub(crate) mark: Option<u32>,
    /// How long one address is tried alone; `None`: until it has failed.
    pub(crate) happy_eyeballs: Option<Duration>,
}

impl Default for TcpOptions {
    fn default() -> Self {
        TcpOptions {
            socket: SocketOptions::default(),
            send_buffer_size: None,
            recv_buffer_size: None,
            reuse_address: false,
            user_timeout: None,
            notsent_lowat: None,
            local_ipv4: None,
            local_ipv6: None,
            interface: None,
            mark: None,
            // RFC 8305 §8 recommends 250 ms; the connectors of hyper wait 300.
            happy_eyeballs: Some(Duration::from_millis(300)),
        }
    }
}

impl TcpOptions {
    /// The address to connect from, and with it the only family.
    pub(crate) fn set_local_address(&mut self, address: Option<IpAddr>) {
        (self.local_ipv4, self.local_ipv6) = match address {
            Some(IpAddr::V4(address)) => (Some(address), None),
            Some(IpAddr::V6(address)) => (None, Some(address)),
            None => (None, None),
        };
    }

    /// The addresses that can be reached, in the order in which to try them: families in turn, beginning with that
    /// of the first (RFC 8305 §4), unless they are not to compete.
    pub(crate) fn order(&self, addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
        let only_one = self.local_ipv4.is_some() != self.local_ipv6.is_some();
        let family = self.local_ipv4.is_some();
        let mut addresses = addresses.filter(|address| !only_one || address.is_ipv4() == family).peekable();
        let Some(first) = addresses.peek().map(SocketAddr::is_ipv4) else { return Vec::new() };
        if self.happy_eyeballs.is_none() {
            return addresses.collect();
        }
        let (preferred, fallback): (Vec<_>, Vec<_>) =
            addresses.partition(|address| address.is_ipv4() == first);
        let (mut preferred, mut fallback) = (preferred.into_iter(), fallback.into_iter());
        let mut order = Vec::new();
        loop {
            let two = [preferred.next(), fallback.next()];
            if two == [None, None] {
                return order;
            }
            order.extend(two.into_iter().flatten());
        }
    }

    /// A socket for `address`, bound, with every option. What a system refuses is logged and left, since a connection
    /// works without; but not what says which way the octets go.
    pub(super) fn open(&self, address: SocketAddr) -> Result<TcpSocket, ConnectError> {
        let failed = |doing: &'static str| {
            move |error| ConnectError::new(format!("{doing} a socket for {address}"), error)
        };
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = socket.map_err(failed("opening"))?;
        let options = SockRef::from(&socket);
        self.socket.apply(&socket);
        if self.reuse_address {
            left("SO_REUSEADDR", options.set_reuse_address(true));
        }
        if let Some(size) = self.send_buffer_size {
            left("SO_SNDBUF", options.set_send_buffer_size(size));
        }
        if let Some(size) = self.recv_buffer_size {
            left("SO_RCVBUF", options.set_recv_buffer_size(size));
        }
        if let Some(time) = self.user_timeout {
            left("TCP_USER_TIMEOUT", system::set_user_timeout(&options, time));
        }
        if let Some(size) = self.notsent_lowat {
            left("TCP_NOTSENT_LOWAT", system::set_notsent_lowat(&options, size));
        }
        if let Some(mark) = self.mark {
            system::set_mark(&options, mark).map_err(failed("marking"))?;
        }
        if let Some(interface) = &self.interface {
            system::bind_to(&options, interface, address).map_err(failed("choosing the interface of"))?;
        }
        let local = match address {
            SocketAddr::V4(_) => self.local_ipv4.map(IpAddr::V4),
            SocketAddr::V6(_) => self.local_ipv6.map(IpAddr::V6),
        };
        if let Some(local) = local {
            socket.bind((local, 0).into()).map_err(failed("binding"))?;
        }
        Ok(socket)
    }
}

fn left(option: &str, result: io::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(%error, option, "option refused");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(options: &TcpOptions, addresses: &[&str]) -> Vec<String> {
        let addresses = addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 1));
        options.order(addresses).iter().map(|address| address.ip().to_string()).collect()
    }

    #[test]
    fn families_take_turns_beginning_with_the_first() {
        let mut options = TcpOptions::default();
        let mixed = ["::1", "::2", "::3", "1.1.1.1", "2.2.2.2"];
        assert_eq!(order(&options, &mixed), ["::1", "1.1.1.1", "::2", "2.2.2.2", "::3"]);
        assert_eq!(order(&options, &["1.1.1.1", "2.2.2.2", "::1"]), ["1.1.1.1", "::1", "2.2.2.2"]);
        assert_eq!(order(&options, &["2.2.2.2", "1.1.1.1"]), ["2.2.2.2", "1.1.1.1"]);
        assert_eq!(order(&options, &[]), [""; 0]);
        options.happy_eyeballs = None;
        assert_eq!(order(&options, &mixed), mixed);
    }

    #[test]
    fn a_local_address_of_one_family_leaves_that_family() {
        let mut options = TcpOptions::default();
        let mixed = ["::1", "1.1.1.1", "::2"];
        options.set_local_address(Some([127, 0, 0, 1].into()));
        assert_eq!(order(&options, &mixed), ["1.1.1.1"]);
        options.set_local_address(Some(Ipv6Addr::LOCALHOST.into()));
        assert_eq!(order(&options, &mixed), ["::1", "::2"]);
        options.local_ipv4 = Some(Ipv4Addr::LOCALHOST);
        assert_eq!(order(&options, &mixed), ["::1", "1.1.1.1", "::2"]);
        options.set_local_address(None);
        assert_eq!((options.local_ipv4, options.local_ipv6), (None, None));
    }
}
