//! Hosts with several addresses, some of which are dead (RFC 8305).

use std::{
    net::{Ipv6Addr, SocketAddr},
    time::{Duration, Instant},
};

use millpond::{Connector, adapter::ConnectError};
use tokio::net::TcpListener;

use crate::world::{Silent, Socket, connect, listener, local, nobody, nobody_v6, peer, resolver, tcp};

const URI: &str = "http://pond.example/";

/// Connects to a host with these addresses; and how long it took.
async fn to(
    addresses: &[SocketAddr],
    pause: Option<u64>,
    limit: Option<u64>,
) -> (Result<Socket, ConnectError>, Duration) {
    let mut connector = Connector::new_with_resolver(resolver(addresses.to_vec()));
    connector.set_happy_eyeballs_timeout(pause.map(Duration::from_millis));
    connector.set_connect_timeout(limit.map(Duration::from_millis));
    let begun = Instant::now();
    (connect(connector, URI).await, begun.elapsed())
}

/// That it was not too long, `connect` sees to: no system gives up an address that is silent so soon.
fn at_least(elapsed: Duration, milliseconds: u64) {
    assert!(elapsed >= Duration::from_millis(milliseconds), "{elapsed:?}");
}

#[tokio::test]
async fn the_next_begins_after_a_pause() {
    let (silent, (_listener, address)) = (Silent::new().await, listener().await);
    let (io, elapsed) = to(&[silent.address, address], Some(60), None).await;
    assert_eq!(peer(&io.unwrap()), address);
    at_least(elapsed, 60);
    // Two that are silent are two pauses.
    let (io, elapsed) = to(&[silent.address, silent.address, address], Some(60), None).await;
    assert_eq!(peer(&io.unwrap()), address);
    at_least(elapsed, 120);
}

#[tokio::test]
async fn the_next_begins_at_once_after_a_refusal() {
    let ((_listener, address), (_socket, nobody)) = (listener().await, nobody());
    for pause in [Some(60_000), None] {
        let (io, _) = to(&[nobody, nobody, nobody, address], pause, None).await;
        assert_eq!(peer(&io.unwrap()), address);
    }
}

#[tokio::test]
async fn the_preferred_address_wins_if_it_answers_in_time() {
    let ((_first, first), (_second, second)) = (listener().await, listener().await);
    for pause in [Some(5_000), None] {
        let (io, _) = to(&[first, second], pause, None).await;
        assert_eq!(peer(&io.unwrap()), first);
    }
}

#[tokio::test]
async fn the_other_family_stands_in() {
    // There may be no IPv6 at all here, which is a dead address, too.
    let (_listener, address) = listener().await;
    let ((_socket, dead), (_other, nobody)) = (nobody_v6(), nobody());
    for pause in [Some(60_000), None] {
        let (io, _) = to(&[dead, dead, address], pause, None).await;
        assert_eq!(peer(&io.unwrap()), address);
    }
    let (error, _) = to(&[dead, nobody], Some(10), None).await;
    assert!(error.unwrap_err().to_string().contains(&dead.to_string()), "the first is the one to tell");
}

#[tokio::test]
async fn a_slow_address_may_still_win() {
    let (mut silent, (_socket, nobody)) = (Silent::new().await, nobody());
    let addresses = [silent.address, nobody, nobody];
    let connecting = tokio::spawn(async move { to(&addresses, Some(20), None).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!connecting.is_finished(), "one attempt still stands");
    silent.relent().await;
    let (io, _) = connecting.await.unwrap();
    assert_eq!(peer(&io.unwrap()), silent.address);
}

#[tokio::test]
async fn every_address_has_its_share_of_the_time() {
    let (silent, (_listener, address)) = (Silent::new().await, listener().await);
    for pause in [Some(60_000), None] {
        let (io, elapsed) = to(&[silent.address, silent.address, address], pause, Some(3_000)).await;
        assert_eq!(peer(&io.unwrap()), address);
        at_least(elapsed, 1_990);
    }
}

#[tokio::test]
async fn without_happy_eyeballs_there_is_one_attempt_at_a_time() {
    let (mut first, second) = (Silent::new().await, Silent::new().await);
    let addresses = [first.address, second.address];
    let connecting = tokio::spawn(async move { to(&addresses, None, Some(1_600)).await });
    // A second after its first SYN it would be asked again.
    tokio::time::sleep(Duration::from_millis(900)).await;
    first.relent().await;
    let (error, _) = connecting.await.unwrap();
    assert_eq!(error.unwrap_err().io().unwrap().kind(), std::io::ErrorKind::TimedOut);
    assert!(!first.is_called(Duration::ZERO).await);
}

#[tokio::test]
async fn the_time_is_limited() {
    let silent = Silent::new().await;
    for (addresses, pause) in [(1, Some(10)), (3, Some(10)), (1, None), (3, None)] {
        let (error, elapsed) = to(&vec![silent.address; addresses], pause, Some(150)).await;
        let error = error.unwrap_err();
        assert_eq!(error.io().unwrap().kind(), std::io::ErrorKind::TimedOut, "{error}");
        at_least(elapsed, 150);
    }
}

#[tokio::test]
async fn attempts_that_lost_are_closed() {
    let (mut silent, (_listener, address)) = (Silent::new().await, listener().await);
    let (io, _) = to(&[silent.address, address], Some(20), None).await;
    assert_eq!(peer(&io.unwrap()), address);
    // Its SYN was not answered in time, and is not sent again.
    silent.relent().await;
    assert!(!silent.is_called(Duration::from_millis(1_500)).await);
}

#[tokio::test]
async fn the_port_of_the_uri_wins_over_that_of_the_resolver() {
    let ((_listener, address), (_socket, nobody)) = (listener().await, nobody());
    let uri = format!("http://pond.example:{}/", address.port());
    for resolved in [nobody, local(0)] {
        let connector = Connector::new_with_resolver(resolver([resolved]));
        assert_eq!(peer(&connect(connector, &uri).await.unwrap()), address);
    }
    let connector = Connector::new_with_resolver(resolver([address]));
    assert_eq!(peer(&connect(connector, URI).await.unwrap()), address);
    // Neither has one: that of the scheme.
    for (uri, port) in [(URI, ":80"), ("https://pond.example", ":443")] {
        let mut connector = Connector::new_with_resolver(resolver([local(0)]));
        connector.enforce_http(false);
        match connect(connector, uri).await {
            Ok(io) => assert!(peer(&io).to_string().ends_with(port)),
            Err(error) => assert!(error.to_string().contains(&format!("127.0.0.1{port}: ")), "{error}"),
        }
    }
}

#[tokio::test]
async fn literals_ask_no_resolver() {
    let ((_listener, address), (_socket, nobody)) = (listener().await, nobody());
    let connector = Connector::new_with_resolver(resolver([nobody]));
    assert_eq!(peer(&connect(connector.clone(), &format!("http://{address}")).await.unwrap()), address);
    match TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await {
        Ok(listener) => {
            let address = listener.local_addr().unwrap();
            assert_eq!(peer(&connect(connector, &format!("http://{address}")).await.unwrap()), address);
        }
        Err(_) => drop(connect(connector, "http://[::1]:1/").await.unwrap_err()),
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn the_local_address_is_as_set() {
    let (listener, address) = listener().await;
    let own = std::net::Ipv4Addr::new(127, 0, 0, 3);
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()));
    let mut by_one = Connector::new_with_resolver(resolver([v6, address]));
    by_one.set_local_address(Some(own.into()));
    let mut by_two = Connector::new_with_resolver(resolver([address]));
    by_two.set_local_addresses(own, Ipv6Addr::LOCALHOST);
    for io in [connect(by_one.clone(), URI).await, connect(by_two, URI).await] {
        assert_eq!(tcp(&io.unwrap()).local_addr().unwrap().ip(), own);
        assert_eq!(listener.accept().await.unwrap().1.ip(), own);
    }
    // The other family is left out.
    by_one.set_local_address(Some(Ipv6Addr::LOCALHOST.into()));
    by_one.set_happy_eyeballs_timeout(None);
    let error = connect(by_one.clone(), URI).await.unwrap_err();
    assert!(error.to_string().contains(&v6.to_string()), "{error}");
    // One that is not ours.
    by_one.set_local_address(Some([192, 0, 2, 77].into()));
    let error = connect(by_one.clone(), URI).await.unwrap_err();
    assert_eq!(error.io().unwrap().kind(), std::io::ErrorKind::AddrNotAvailable);
    assert!(error.to_string().contains("binding"), "{error}");
    by_one.set_local_address(None);
    assert_ne!(tcp(&connect(by_one, URI).await.unwrap()).local_addr().unwrap().ip(), own);
}
