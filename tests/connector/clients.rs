//! Under hyper-util's client, over both versions of HTTP and both kinds of socket.

use std::time::Duration;

use hyper_util::client::legacy::connect::HttpInfo;
use millpond::{ConnectInfo, Connector};

use crate::world::{Site, client, post};

#[tokio::test]
async fn both_versions_over_tcp() {
    let site = Site::start().await;
    for (http2, version) in [(true, "HTTP/2.0"), (false, "HTTP/1.1")] {
        let client = client(Connector::new(), http2);
        let uri = format!("http://{}/path?query", site.address);
        let (parts, text) = post(&client, &uri, "grist").await;
        let info: &HttpInfo = parts.extensions.get().expect("as hyper-util's own connector tells");
        assert_eq!(info.remote_addr(), site.address);
        let (local_addr, remote_addr) = (Some(info.local_addr()), Some(info.remote_addr()));
        assert_eq!(parts.extensions.get(), Some(&ConnectInfo::Tcp { local_addr, remote_addr }));
        assert_eq!(text, format!("{version} {} grist", info.local_addr()));
        // The connection is used again, and large bodies pass both ways.
        let large = "flour".repeat(100_000);
        let (again, text) = post(&client, &uri, &large).await;
        assert_eq!(again.extensions.get::<HttpInfo>().unwrap().local_addr(), info.local_addr());
        assert!(text.ends_with(&large));
    }
}

#[tokio::test]
async fn a_name_is_resolved_by_the_system() {
    let site = Site::start().await;
    let client = client(Connector::new(), true);
    let (_, text) = post(&client, &format!("http://localhost:{}/", site.port()), "").await;
    assert!(text.starts_with("HTTP/2.0 127.0.0.1:"), "{text}");
}

#[tokio::test]
async fn a_lost_connection_is_made_again() {
    let site = Site::start().await;
    let client = client(Connector::new(), true);
    let uri = format!("http://{}/", site.address);
    let (first, _) = post(&client, &uri, "").await;
    let address = site.address;
    drop(site);
    let listener = loop {
        match tokio::net::TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    tokio::spawn(async move {
        let (socket, peer) = listener.accept().await.unwrap();
        crate::world::serve(hyper_util::rt::TokioIo::new(socket), peer.to_string()).await;
    });
    let (second, _) = post(&client, &uri, "").await;
    let local = |parts: &http::response::Parts| parts.extensions.get::<HttpInfo>().unwrap().local_addr();
    assert_ne!(local(&first), local(&second));
}

#[tokio::test]
#[cfg(unix)]
async fn both_versions_over_a_unix_socket() {
    use crate::world::SocketPath;
    use millpond::adapter::hyper::unix_uri;

    let path = SocketPath::new("clients");
    let _site = Site::start_unix(&path);
    let by_uri = unix_uri(&path.0, "/path?query").unwrap().to_string();
    for (http2, version) in [(true, "HTTP/2.0"), (false, "HTTP/1.1")] {
        for (connector, uri) in
            [(Connector::new(), &*by_uri), (Connector::unix(&path.0), "http://pond.example/")]
        {
            let client = client(connector, http2);
            let (parts, text) = post(&client, uri, "grist").await;
            assert_eq!(text, format!("{version} unix grist"));
            let info = parts.extensions.get::<ConnectInfo>();
            assert!(matches!(info, Some(ConnectInfo::Unix { .. })), "{info:?}");
            #[cfg(target_os = "linux")]
            assert_eq!(info, Some(&ConnectInfo::Unix { process: Some(std::process::id() as i32) }));
        }
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn an_abstract_unix_socket() {
    let name = format!("\0millpond-connector-{}", std::process::id());
    let listener = tokio::net::UnixListener::bind(&name).unwrap();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        crate::world::serve(hyper_util::rt::TokioIo::new(socket), "abstract".into()).await;
    });
    let (_, text) = post(&client(Connector::unix(name), true), "http://pond.example/", "").await;
    assert_eq!(text, "HTTP/2.0 abstract ");
}

#[tokio::test]
async fn several_slices_are_one_write() {
    use hyper::rt::Write;
    use std::{io::IoSlice, pin::Pin};
    use tokio::io::AsyncReadExt;

    let (listener, address) = crate::world::listener().await;
    let mut io = crate::world::connect(Connector::new(), &format!("http://{address}")).await.unwrap();
    assert!(io.is_write_vectored());
    let slices = [IoSlice::new(b"mill"), IoSlice::new(b""), IoSlice::new(b"pond")];
    let written =
        std::future::poll_fn(|cx| Pin::new(&mut io).poll_write_vectored(cx, &slices)).await.unwrap();
    assert_eq!(written, 8);
    std::future::poll_fn(|cx| Pin::new(&mut io).poll_shutdown(cx)).await.unwrap();
    let mut received = String::new();
    listener.accept().await.unwrap().0.read_to_string(&mut received).await.unwrap();
    assert_eq!(received, "millpond");
}
