//! What surrounds the service: layers, spans, connect info; and the ways to serve.

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response};
use http_body_util::Empty;
use millpond::{Body, Channel, ConnectInfo, Server, server::UnixIncoming};
use millpond_testkit::{
    conversation,
    echo::{self, Echo, EchoClient, EchoServer, Msg},
    stock::HELLO,
};
use tokio::net::{TcpListener, UnixStream};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::server::{TcpConnectInfo, UdsConnectInfo};
use tower::util::MapRequestLayer;
use tracing::{
    Id, Metadata, Subscriber,
    span::{Attributes, Record},
};

use crate::{
    tools::call,
    world::{Served, channel_to, on_both_runtimes, pool, quiet, site, soon},
};

on_both_runtimes! {
    the_first_layer_is_the_outermost
    tcp_peers_are_known
    unix_peers_are_known
    a_pipe_is_served
    a_stream_of_io_is_served
    one_lost_connection_does_not_end_the_stream_of_io
    axum_is_served
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    Request::get(path).body(Empty::new()).unwrap()
}

async fn the_first_layer_is_the_outermost() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let layer = |name: &'static str| {
        let order = order.clone();
        MapRequestLayer::new(move |request: Request<Body>| {
            order.lock().unwrap().push(name);
            request
        })
    };
    let server = Server::builder().layer(layer("first")).layer(layer("second"));
    let served = Served::start(server, site()).await;
    let (channel, pool) = served.channel();
    let channel = channel.connect().await.unwrap();
    call(&channel, get("/")).await.unwrap();
    assert_eq!(*order.lock().unwrap(), ["first", "second"]);
    drop(channel);
    served.finish().await;
    quiet(&pool).await;
}

/// A service of tonic that looks at who calls.
#[derive(Clone)]
struct Who(Arc<Mutex<Vec<String>>>);

#[tonic::async_trait]
impl Echo for Who {
    type ServerStreamStream = tonic::codec::Streaming<Msg>;
    type BidiStream = tonic::codec::Streaming<Msg>;

    async fn unary(&self, request: tonic::Request<Msg>) -> Result<tonic::Response<Msg>, tonic::Status> {
        let mut seen = self.0.lock().unwrap();
        seen.push(format!("{:?} {:?}", request.remote_addr(), request.local_addr()));
        let extensions = request.extensions();
        if let Some(info) = extensions.get::<TcpConnectInfo>() {
            seen.push(format!("{:?} {:?}", info.remote_addr(), info.local_addr()));
        }
        if let Some(info) = extensions.get::<UdsConnectInfo>() {
            seen.push(format!("{:?}", info.peer_cred.and_then(|credentials| credentials.pid())));
        }
        if let Some(ConnectInfo::Unix { process, .. }) = extensions.get::<ConnectInfo>() {
            seen.push(format!("{process:?}"));
        }
        Ok(tonic::Response::new(request.into_inner()))
    }

    async fn server_stream(
        &self,
        _: tonic::Request<Msg>,
    ) -> Result<tonic::Response<Self::ServerStreamStream>, tonic::Status> {
        Err(tonic::Status::unimplemented("not asked for"))
    }

    async fn client_stream(
        &self,
        _: tonic::Request<tonic::Streaming<Msg>>,
    ) -> Result<tonic::Response<Msg>, tonic::Status> {
        Err(tonic::Status::unimplemented("not asked for"))
    }

    async fn bidi(
        &self,
        request: tonic::Request<tonic::Streaming<Msg>>,
    ) -> Result<tonic::Response<Self::BidiStream>, tonic::Status> {
        Ok(tonic::Response::new(request.into_inner()))
    }
}

async fn tcp_peers_are_known() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let served = Served::start(Server::builder(), EchoServer::new(Who(seen.clone()))).await;
    let socket = tokio::net::TcpStream::connect(served.address).await.unwrap();
    let client = socket.local_addr().unwrap();
    let sockets = Arc::new(Mutex::new(Some(socket)));
    let connector = tower::service_fn(move |_: http::Uri| {
        let socket = sockets.lock().unwrap().take();
        async { socket.ok_or(io::Error::other("there is but one")) }
    });
    let (channel, pool) = served.channel();
    let channel = channel.connect_with_connector(connector).await.unwrap();
    EchoClient::new(channel).unary(Msg::default()).await.unwrap();
    let both = format!("{:?} {:?}", Some(client), Some(served.address));
    assert_eq!(*seen.lock().unwrap(), [both.clone(), both]);
    served.finish().await;
    quiet(&pool).await;
}

async fn unix_peers_are_known() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let name = format!("millpond-who-{}-{:?}", std::process::id(), std::thread::current().id());
    let path = std::env::temp_dir().join(name);
    let incoming = UnixIncoming::bind(&path).unwrap();
    let service = EchoServer::new(Who(seen.clone()));
    let server = tokio::spawn(Server::builder().serve_with_incoming(incoming, service));
    let mut client = EchoClient::new(Channel::unix(&path).connect().await.unwrap());
    client.unary(Msg::default()).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let process = format!("{:?}", Some(std::process::id()));
    assert_eq!(*seen.lock().unwrap(), ["None None".to_owned(), process.clone(), process]);
    server.abort();
}

async fn a_pipe_is_served() {
    let pool = pool();
    let info = Arc::new(Mutex::new(None));
    let seen = info.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        *seen.lock().unwrap() = request.extensions().get::<ConnectInfo>().cloned();
        async { Ok::<_, Infallible>(Response::new("piped".to_owned())) }
    });
    let (client, server) = tokio::io::duplex(1 << 10);
    let serving =
        tokio::spawn(Server::builder().pool(pool.clone()).serve_connection(server, service).unwrap());
    let (send, connection) = h2::client::handshake(client).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get("http://pond.example/").body(()).unwrap();
    assert_eq!(crate::tools::h2_call(&send, request, Bytes::new()).await.unwrap().1, "piped");
    assert_eq!(*info.lock().unwrap(), Some(ConnectInfo::Unknown));
    drop(send);
    connection.await.unwrap().unwrap();
    soon("the connection ends", serving).await.unwrap();
    quiet(&pool).await;
}

async fn a_stream_of_io_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().serve_with_incoming(TcpListenerStream::new(listener), echo::routes());
    let server = tokio::spawn(server);
    let (channel, pool) = channel_to(address);
    conversation::hold(channel.connect().await.unwrap()).await.assert_passed();
    quiet(&pool).await;
    server.abort();

    // Unix sockets out of thin air.
    let (ours, theirs) = UnixStream::pair().unwrap();
    let incoming = tokio_stream::iter([Ok::<_, Infallible>(theirs)]);
    let server = Server::builder().serve_with_incoming_shutdown(incoming, site(), std::future::ready(()));
    server.await.unwrap();
    drop(ours);
}

/// As when a TLS handshake fails: whoever accepts goes on.
async fn one_lost_connection_does_not_end_the_stream_of_io() {
    let (ours, theirs) = tokio::io::duplex(1 << 10);
    let lost = [io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionAborted, io::ErrorKind::TimedOut];
    let incoming = lost.into_iter().map(|kind| Err(kind.into())).chain([Ok(theirs)]);
    let incoming = tokio_stream::iter(incoming.collect::<Vec<io::Result<_>>>()).chain(stream::pending());
    let server = tokio::spawn(Server::builder().serve_with_incoming(incoming, site()));
    let (send, connection) = h2::client::handshake(ours).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get("http://pond.example/").body(()).unwrap();
    assert_eq!(crate::tools::h2_call(&send, request, Bytes::new()).await.unwrap().1, HELLO);
    drop(send);
    connection.await.unwrap().unwrap();
    server.abort();
    // Any other error is the end.
    let broken =
        tokio_stream::iter([io::Result::<tokio::io::DuplexStream>::Err(io::ErrorKind::Other.into())]);
    Server::builder().serve_with_incoming(broken, site()).await.unwrap_err();
}

async fn axum_is_served() {
    let served = Served::start(Server::builder(), site()).await;
    let (channel, pool) = served.channel();
    let channel = channel.connect().await.unwrap();
    assert_eq!(call(&channel, get("/")).await.unwrap().into_body(), HELLO);
    assert_eq!(
        call(&channel, get("/octets/70000")).await.unwrap().into_body(),
        conversation::pattern(70_000)
    );
    drop(channel);
    served.finish().await;
    quiet(&pool).await;
}

/// Counts how often spans are entered.
struct Spans(AtomicUsize);

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span()
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, _: &Id) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn handlers_run_in_their_span() {
    let spans = Arc::new(Spans(AtomicUsize::new(0)));
    // For this thread, on which everything of this test runs.
    let _default = tracing::subscriber::set_default(spans.clone());
    for inline in [false, true] {
        let before = spans.0.load(Ordering::SeqCst);
        let server = Server::builder().poll_handlers_inline(inline).trace_fn(|request| {
            assert_eq!(request.uri().path(), "/traced");
            assert!(request.extensions().get::<ConnectInfo>().is_some());
            tracing::info_span!("call")
        });
        let service =
            tower::service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(String::new())));
        let served = Served::start(server, service).await;
        let (channel, pool) = served.channel();
        let channel = channel.connect().await.unwrap();
        call(&channel, get("/traced")).await.unwrap();
        assert!(spans.0.load(Ordering::SeqCst) > before, "inline: {inline}");
        drop(channel);
        served.finish().await;
        quiet(&pool).await;
    }
}
