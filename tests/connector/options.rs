//! Options, as the system has them on the socket; beside those of hyper-util's own connector.

use std::time::Duration;

use http::Uri;
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use millpond::{Connector, adapter::hyper::Sockets};
use socket2::SockRef;
use tokio::net::TcpStream;
use tower::ServiceExt;

use crate::world::{connect, listener, tcp};

/// What the system says of a socket.
fn options_of(socket: &TcpStream) -> Vec<(&'static str, String)> {
    let socket = SockRef::from(socket);
    let mut options = vec![
        ("TCP_NODELAY", format!("{:?}", socket.tcp_nodelay().unwrap())),
        ("SO_KEEPALIVE", format!("{:?}", socket.keepalive().unwrap())),
        ("SO_SNDBUF", format!("{:?}", socket.send_buffer_size().unwrap())),
        ("SO_RCVBUF", format!("{:?}", socket.recv_buffer_size().unwrap())),
        ("SO_REUSEADDR", format!("{:?}", socket.reuse_address().unwrap())),
    ];
    #[cfg(target_os = "linux")]
    options.extend([
        ("TCP_KEEPIDLE", format!("{:?}", socket.tcp_keepalive_time().unwrap())),
        ("TCP_KEEPINTVL", format!("{:?}", socket.tcp_keepalive_interval().unwrap())),
        ("TCP_KEEPCNT", format!("{:?}", socket.tcp_keepalive_retries().unwrap())),
        ("TCP_USER_TIMEOUT", format!("{:?}", socket.tcp_user_timeout().unwrap())),
        ("SO_BINDTODEVICE", format!("{:?}", socket.device().unwrap())),
    ]);
    options
}

/// The options of a socket that the connector opens, after `set`.
async fn ours(set: impl FnOnce(&mut Connector<Sockets>)) -> Vec<(&'static str, String)> {
    let (_listener, address) = listener().await;
    let mut connector = Connector::new();
    set(&mut connector);
    let io = connect(connector, &format!("http://{address}")).await.unwrap();
    options_of(tcp(&io))
}

/// The same of hyper-util's.
async fn theirs(set: impl FnOnce(&mut HttpConnector)) -> Vec<(&'static str, String)> {
    let (_listener, address) = listener().await;
    let mut connector = HttpConnector::new();
    set(&mut connector);
    let uri: Uri = format!("http://{address}").parse().unwrap();
    let io: TokioIo<TcpStream> = connector.oneshot(uri).await.unwrap();
    options_of(io.inner())
}

/// Calls the same methods on both kinds of connector: their sockets are the same. Those that are not as they were
/// without.
macro_rules! assert_same {
    ($(.$method:ident($($argument:expr),*))+) => {{
        let ours_set = ours(|connector| { $(connector.$method($($argument),*);)+ }).await;
        let theirs_set = theirs(|connector| { $(connector.$method($($argument),*);)+ }).await;
        assert_eq!(ours_set, theirs_set);
        let without = ours(|_| ()).await;
        let changed = ours_set.into_iter().filter(|option| !without.contains(option));
        changed.map(|(name, _)| name).collect::<Vec<_>>()
    }};
}

const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

#[tokio::test]
async fn defaults_are_those_of_hyper_util_but_for_nodelay() {
    let changed = assert_same!(.set_nodelay(false));
    assert_eq!(changed, ["TCP_NODELAY"]);
    let changed = assert_same!(.set_nodelay(true));
    assert_eq!(changed, [""; 0]);
}

#[tokio::test]
async fn options_have_the_names_and_the_meaning_that_hyper_util_gives_them() {
    let nodelay = "TCP_NODELAY";
    let changed = assert_same!(.set_nodelay(false) .set_keepalive(MINUTE));
    #[cfg(target_os = "linux")]
    assert_eq!(changed, [nodelay, "SO_KEEPALIVE", "TCP_KEEPIDLE"]);
    #[cfg(not(target_os = "linux"))]
    assert_eq!(changed, [nodelay, "SO_KEEPALIVE"]);
    let changed = assert_same!(.set_nodelay(true) .set_send_buffer_size(Some(20_000)));
    assert_eq!(changed, ["SO_SNDBUF"]);
    let changed = assert_same!(.set_nodelay(true) .set_recv_buffer_size(Some(20_000)));
    assert_eq!(changed, ["SO_RCVBUF"]);
    let changed = assert_same!(.set_nodelay(true) .set_reuse_address(true));
    assert_eq!(changed, ["SO_REUSEADDR"]);
    let changed = assert_same!(
        .set_nodelay(true)
        .enforce_http(false)
        .set_connect_timeout(MINUTE)
        .set_happy_eyeballs_timeout(MINUTE)
        .set_local_address(None)
        .set_local_addresses([127, 0, 0, 1].into(), std::net::Ipv6Addr::LOCALHOST)
    );
    assert_eq!(changed, [""; 0], "these concern connecting, not the socket");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn options_of_linux() {
    let changed = assert_same!(
        .set_nodelay(true)
        .set_keepalive(MINUTE)
        .set_keepalive_interval(Some(Duration::from_secs(7)))
        .set_keepalive_retries(Some(4))
        .set_tcp_user_timeout(Some(Duration::from_millis(12_345)))
        .set_interface("lo")
    );
    assert_eq!(
        changed,
        [
            "SO_KEEPALIVE",
            "TCP_KEEPIDLE",
            "TCP_KEEPINTVL",
            "TCP_KEEPCNT",
            "TCP_USER_TIMEOUT",
            "SO_BINDTODEVICE"
        ]
    );
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn unsent_octets_are_limited() {
    let (_listener, address) = listener().await;
    let mut connector = Connector::new();
    connector.set_tcp_notsent_lowat(Some(16_384));
    let io = connect(connector, &format!("http://{address}")).await.unwrap();
    assert_eq!(SockRef::from(tcp(&io)).tcp_notsent_lowat().unwrap(), 16_384);
}

/// Marks take a privilege, without which no unmarked socket goes out instead.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_mark_stands_or_fails() {
    let (_listener, address) = listener().await;
    let mut connector = Connector::new();
    connector.set_mark(Some(77));
    match connect(connector, &format!("http://{address}")).await {
        Ok(io) => assert_eq!(SockRef::from(tcp(&io)).mark().unwrap(), 77),
        Err(error) => {
            assert!(error.to_string().contains("marking"), "{error}");
            assert_eq!(error.io().unwrap().kind(), std::io::ErrorKind::PermissionDenied);
        }
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn an_interface_that_is_not_there_fails() {
    let (_listener, address) = listener().await;
    let mut connector = Connector::new();
    connector.set_interface("no-such-one");
    let error = connect(connector, &format!("http://{address}")).await.unwrap_err();
    assert!(error.to_string().contains("interface") && error.io().is_some(), "{error}");
}

#[tokio::test]
async fn clones_do_not_share_what_is_set_later() {
    let (_listener, address) = listener().await;
    let uri = format!("http://{address}");
    let connector = Connector::new();
    let mut changed = connector.clone();
    changed.set_nodelay(false);
    changed.set_connect_timeout(MINUTE);
    assert!(tcp(&connect(connector, &uri).await.unwrap()).nodelay().unwrap());
    assert!(!tcp(&connect(changed, &uri).await.unwrap()).nodelay().unwrap());
}
