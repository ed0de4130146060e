//! URIs that lead nowhere, names without an address, and refusals.

use std::{io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper_util::client::legacy::connect::dns::Name;
use millpond::{Connector, adapter::ConnectError};

use crate::world::{chain, client, connect, listener, nobody, peer, resolver, soon};

async fn error_of(uri: &str) -> ConnectError {
    connect(Connector::new(), uri).await.unwrap_err()
}

#[tokio::test]
async fn a_refusal_names_the_address() {
    let (_socket, address) = nobody();
    let error = error_of(&format!("http://{address}/")).await;
    assert_eq!(error.io().unwrap().kind(), io::ErrorKind::ConnectionRefused);
    assert!(error.to_string().starts_with(&format!("connecting to {address}: ")), "{error}");
}

#[tokio::test]
async fn of_several_refusals_the_first_is_told() {
    let nobodies = [nobody(), nobody(), nobody()];
    let addresses = nobodies.each_ref().map(|(_, address)| *address);
    for pause in [Some(Duration::from_secs(60)), None] {
        let mut connector = Connector::new_with_resolver(resolver(addresses));
        connector.set_happy_eyeballs_timeout(pause);
        let error = connect(connector, "http://pond.example").await.unwrap_err();
        assert!(error.to_string().contains(&addresses[0].to_string()), "{error}");
    }
}

#[tokio::test]
async fn uris_that_cannot_be() {
    for (uri, complaint) in [
        ("https://pond.example/", "TLS needs a connector"),
        ("ftp://pond.example/", "neither http nor unix"),
        ("pond.example", "no scheme"),
        ("/only/a/path", "no scheme"),
        ("http://:80/", "no host"),
    ] {
        let error = error_of(uri).await;
        assert!(error.to_string().contains(complaint), "{uri}: {error}");
        assert!(error.io().is_none());
    }
}

#[tokio::test]
async fn other_schemes_if_they_may_be() {
    let (_listener, address) = listener().await;
    let mut connector = Connector::new();
    connector.enforce_http(false);
    for scheme in ["https", "ftp", "http"] {
        let io = connect(connector.clone(), &format!("{scheme}://{address}")).await.unwrap();
        assert_eq!(peer(&io), address);
    }
    let error = connect(connector, "pond.example").await.unwrap_err();
    assert!(error.to_string().contains("no scheme"), "{error}");
}

#[tokio::test]
#[cfg(unix)]
async fn unix_sockets_that_are_not_there() {
    let path = crate::world::SocketPath::new("nobody");
    let text = path.0.to_str().unwrap();
    for (connector, uri) in [
        (Connector::new(), format!("unix://localhost{text}")),
        (Connector::new(), millpond::adapter::hyper::unix_uri(&path.0, "/").unwrap().to_string()),
        (Connector::unix(&path.0), "http://pond.example".into()),
    ] {
        let error = connect(connector, &uri).await.unwrap_err();
        assert_eq!(error.io().unwrap().kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains(text), "{error}");
    }
    for uri in ["unix://localhost/", "unix://localhost", "unix://2f/"] {
        let error = error_of(uri).await;
        assert!(error.to_string().contains("a Unix socket needs a path"), "{uri}: {error}");
    }
    // A file that is no socket.
    std::fs::write(&path.0, "").unwrap();
    let error = connect(Connector::unix(&path.0), "http://pond.example").await.unwrap_err();
    assert_eq!(error.io().unwrap().kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn names_without_an_address() {
    let mut connector = Connector::new();
    connector.set_connect_timeout(Some(Duration::from_secs(4)));
    let error = connect(connector, "http://pond.invalid").await.unwrap_err();
    // The system's resolver may be slow to say so.
    let text = error.to_string();
    assert!(text.contains("resolving pond.invalid: ") || text.contains("too long"), "{text}");
    assert!(error.io().is_some());

    let error = connect(Connector::new_with_resolver(resolver([])), "http://pond.example").await.unwrap_err();
    assert!(error.to_string().contains("no address"), "{error}");
}

#[tokio::test]
async fn resolvers_that_fail() {
    type Addresses = std::vec::IntoIter<SocketAddr>;
    let failing = tower::service_fn(async |_: Name| Err::<Addresses, _>(io::Error::other("the pond is dry")));
    let error = connect(Connector::new_with_resolver(failing), "http://pond.example").await.unwrap_err();
    assert_eq!(error.to_string(), "resolving pond.example: the pond is dry");
    assert_eq!(error.io().unwrap().kind(), io::ErrorKind::Other);

    let silent = tower::service_fn(async |_: Name| std::future::pending::<io::Result<Addresses>>().await);
    let mut connector = Connector::new_with_resolver(silent);
    connector.set_connect_timeout(Some(Duration::from_millis(50)));
    let error = connect(connector, "http://pond.example").await.unwrap_err();
    assert_eq!(error.io().unwrap().kind(), io::ErrorKind::TimedOut, "{error}");

    /// Never ready.
    #[derive(Clone)]
    struct Broken;
    impl tower::Service<Name> for Broken {
        type Response = Addresses;
        type Error = io::Error;
        type Future = std::future::Ready<io::Result<Addresses>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<io::Result<()>> {
            std::task::Poll::Ready(Err(io::Error::other("broken")))
        }

        fn call(&mut self, _: Name) -> Self::Future {
            unreachable!("it is not ready")
        }
    }
    let error = connect(Connector::new_with_resolver(Broken), "http://pond.example").await.unwrap_err();
    assert_eq!(error.to_string(), "the resolver: broken");
}

#[tokio::test]
async fn hyper_util_calls_them_errors_of_connecting() {
    let (_socket, address) = nobody();
    let client = client(Connector::new(), true);
    for uri in [format!("http://{address}/"), "ftp://pond.example/".into()] {
        let request = Request::get(uri).body(Full::<Bytes>::default()).unwrap();
        let error = soon("refused", client.request(request)).await.unwrap_err();
        assert!(error.is_connect(), "{error:?}");
        assert!(chain(&error).iter().any(|error| error.is::<ConnectError>()), "{error:?}");
    }
}
