//! Options of sockets that not every system has, or has by another name.
//!
//! Always true here: a system that lacks an option says so by [`io::ErrorKind::Unsupported`].

use std::{io, net::SocketAddr, time::Duration};

use socket2::SockRef;

/// TCP_USER_TIMEOUT.
pub(super) fn set_user_timeout(socket: &SockRef<'_>, time: Duration) -> io::Result<()> {
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    return socket.set_tcp_user_timeout(Some(time));
    #[cfg(not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")))]
    unsupported((socket, time))
}

/// TCP_NOTSENT_LOWAT.
pub(super) fn set_notsent_lowat(socket: &SockRef<'_>, size: u32) -> io::Result<()> {
    #[cfg(any(target_os = "android", target_os = "linux"))]
    return socket.set_tcp_notsent_lowat(size);
    #[cfg(not(any(target_os = "android", target_os = "linux")))]
    unsupported((socket, size))
}

/// SO_MARK.
pub(super) fn set_mark(socket: &SockRef<'_>, mark: u32) -> io::Result<()> {
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    return socket.set_mark(mark);
    #[cfg(not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")))]
    unsupported((socket, mark))
}

/// SO_BINDTODEVICE, by the name of the interface.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
pub(super) fn bind_to(socket: &SockRef<'_>, interface: &str, _: SocketAddr) -> io::Result<()> {
    socket.bind_device(Some(interface.as_bytes()))
}

/// IP_BOUND_IF and IPV6_BOUND_IF, by the index of the interface.
#[cfg(any(
    target_os = "illumos",
    target_os = "ios",
    target_os = "macos",
    target_os = "solaris",
    target_os = "tvos",
    target_os = "visionos",
    target_os = "watchos",
))]
pub(super) fn bind_to(socket: &SockRef<'_>, interface: &str, address: SocketAddr) -> io::Result<()> {
    let index = Some(index_of(interface)?);
    match address {
        SocketAddr::V4(_) => socket.bind_device_by_index_v4(index),
        SocketAddr::V6(_) => socket.bind_device_by_index_v6(index),
    }
}

#[cfg(not(any(
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
)))]
pub(super) fn bind_to(socket: &SockRef<'_>, interface: &str, address: SocketAddr) -> io::Result<()> {
    unsupported((socket, interface, address))
}

/// The index of an interface: as the zone of a scoped address (RFC 4007 §11.2), which the system reads, so that no
/// function of C has to be called for it.
#[cfg(any(
    all(test, target_os = "linux"),
    target_os = "illumos",
    target_os = "ios",
    target_os = "macos",
    target_os = "solaris",
    target_os = "tvos",
    target_os = "visionos",
    target_os = "watchos",
))]
fn index_of(interface: &str) -> io::Result<std::num::NonZeroU32> {
    use std::net::ToSocketAddrs;

    let scope = |address| match address {
        SocketAddr::V6(address) => std::num::NonZeroU32::new(address.scope_id()),
        SocketAddr::V4(_) => None,
    };
    let mut scoped = (format!("fe80::1%{interface}").as_str(), 0).to_socket_addrs()?;
    scoped.find_map(scope).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such interface"))
}

/// The answer of a system that lacks an option, whatever was asked.
#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn unsupported<T>(_: T) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn an_interface_has_the_index_that_the_system_tells() {
        let told = std::fs::read_to_string("/sys/class/net/lo/ifindex").unwrap();
        assert_eq!(index_of("lo").unwrap().to_string(), told.trim());
        index_of("no-such-one").unwrap_err();
    }
}
