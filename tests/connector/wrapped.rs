//! Another connector inside, and another around.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection, HttpConnector, HttpInfo},
    rt::TokioIo,
};
use millpond::{
    Connector,
    adapter::{BoxError, ConnectError},
};
use tokio::io::DuplexStream;
use tonic::transport::Endpoint;
use tower::{Service, ServiceExt};

use crate::world::{Site, chain, client, connect, nobody, post, serve};

/// IO of somebody else's making, which says that HTTP/2 was agreed on, and something else.
#[derive(Debug)]
struct Pipe(TokioIo<DuplexStream>);

#[derive(Clone, Debug, PartialEq)]
struct Grain(&'static str);

impl Connection for Pipe {
    fn connected(&self) -> Connected {
        Connected::new().negotiated_h2().extra(Grain("rye"))
    }
}

impl Read for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl Write for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A server at the other end of each.
fn pipes() -> impl Service<Uri, Response = Pipe, Error = io::Error, Future: Send + 'static> + Clone {
    tower::service_fn(async |uri: Uri| {
        let (near, far) = tokio::io::duplex(1 << 12);
        tokio::spawn(serve(TokioIo::new(far), uri.to_string()));
        Ok(Pipe(TokioIo::new(near)))
    })
}

#[tokio::test]
async fn the_io_inside_passes_through_and_says_what_it_is() {
    // HTTP/2 comes of what the IO says, not of the client.
    let client = client(Connector::wrap(pipes()), false);
    let large = "flour".repeat(20_000);
    let (parts, text) = post(&client, "https://pond.example:7/", &large).await;
    assert_eq!(text, format!("HTTP/2.0 https://pond.example:7/ {large}"));
    assert_eq!(parts.extensions.get(), Some(&Grain("rye")));
    assert!(parts.extensions.get::<HttpInfo>().is_none());

    let io = connect(Connector::wrap(pipes()), "https://pond.example").await.unwrap();
    assert!(io.get_ref().is_some_and(|pipe| !pipe.is_write_vectored()) && !io.is_write_vectored());
}

#[tokio::test]
async fn hyper_utils_own_connector_inside() {
    let site = Site::start().await;
    for http2 in [true, false] {
        let client = client(Connector::wrap(HttpConnector::new()), http2);
        let (parts, text) = post(&client, &format!("http://{}", site.address), "grist").await;
        let info: &HttpInfo = parts.extensions.get().unwrap();
        assert!(text.contains(&info.local_addr().to_string()), "{text}");
    }
}

#[tokio::test]
async fn another_connector_around() {
    let site = Site::start().await;
    let mut inner = Connector::new();
    inner.enforce_http(false);
    // As one does that encrypts: it is asked for one scheme and connects by the IO of another.
    let around = tower::service_fn(move |uri: Uri| inner.clone().oneshot(uri));
    let (parts, text) = post(&client(around, true), &format!("https://{}", site.address), "").await;
    assert!(text.starts_with("HTTP/2.0 127.0.0.1:"), "{text}");
    assert!(parts.extensions.get::<HttpInfo>().is_some());
}

/// tonic asks less of IO than hyper-util's client: it need not say what it is.
#[tokio::test]
async fn tonic_takes_any_io_inside() {
    let mute = tower::service_fn(async |_: Uri| Ok::<_, io::Error>(TokioIo::new(tokio::io::duplex(1).0)));
    let endpoint = Endpoint::from_static("http://pond.example");
    drop(endpoint.connect_with_connector_lazy(Connector::wrap(mute)));
}

#[tokio::test]
#[cfg(unix)]
async fn unix_sockets_beside_the_connector_inside() {
    use crate::world::SocketPath;

    let path = SocketPath::new("wrapped");
    let _site = Site::start_unix(&path);
    let uri = millpond::adapter::hyper::unix_uri(&path.0, "/").unwrap().to_string();
    let client = client(Connector::wrap(pipes()), true);
    assert_eq!(post(&client, &uri, "").await.1, "HTTP/2.0 unix ");
    assert_eq!(post(&client, "http://a.b/", "").await.1, "HTTP/2.0 http://a.b/ ");
    let io = connect(Connector::wrap(pipes()), &uri).await.unwrap();
    assert!(io.get_ref().is_none() && io.get_unix().is_some() && io.is_write_vectored());
}

#[tokio::test]
async fn the_connector_inside_has_a_limit_of_time() {
    let silent = tower::service_fn(async |_: Uri| std::future::pending::<io::Result<Pipe>>().await);
    let mut connector = Connector::wrap(silent);
    connector.set_connect_timeout(Some(Duration::from_millis(50)));
    let error = connect(connector, "https://pond.example").await.unwrap_err();
    assert_eq!(error.io().unwrap().kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn errors_from_inside_are_told_as_they_are() {
    let failing =
        tower::service_fn(async |_: Uri| Err::<Pipe, BoxError>("the certificate has expired".into()));
    let error = connect(Connector::wrap(failing), "https://pond.example").await.unwrap_err();
    assert_eq!(error.to_string(), "the certificate has expired");
    assert!(error.io().is_none());

    // One of ours stays one.
    let (_socket, address) = nobody();
    let error = connect(Connector::wrap(Connector::new()), &format!("http://{address}")).await.unwrap_err();
    let ours = chain(&error).into_iter().filter(|error| error.is::<ConnectError>()).count();
    assert_eq!((ours, error.io().unwrap().kind()), (1, io::ErrorKind::ConnectionRefused));
}
