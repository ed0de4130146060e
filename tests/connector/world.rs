//! Servers to connect to, addresses where nobody answers, and resolvers that know them.

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connect, dns::Name},
    },
    rt::{TokioExecutor, TokioIo},
};
use millpond::adapter::{ConnectError, hyper::Io};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
};
use tower::{Service, ServiceExt};

/// A client as hyper-util makes it.
pub type HyperClient<C> = Client<C, Full<Bytes>>;

pub type Socket = Io<TokioIo<TcpStream>>;

/// What must be over some time: a busy machine may stall for seconds.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let patience = Duration::from_secs(60);
    tokio::time::timeout(patience, future).await.unwrap_or_else(|_| panic!("{what}: not in {patience:?}"))
}

/// Asks a connector once.
pub async fn connect<C, T>(connector: C, uri: &str) -> Result<Io<T>, ConnectError>
where
    C: Service<Uri, Response = Io<T>, Error = ConnectError>,
{
    soon("an end of connecting", connector.oneshot(uri.parse().unwrap())).await
}

/// The TCP socket of a connection.
pub fn tcp(io: &Socket) -> &TcpStream {
    io.get_ref().expect("TCP").inner()
}

pub fn peer(io: &Socket) -> SocketAddr {
    tcp(io).peer_addr().unwrap()
}

/// A resolver that knows one host.
pub fn resolver(
    addresses: impl IntoIterator<Item = SocketAddr>,
) -> impl Service<Name, Response = std::vec::IntoIter<SocketAddr>, Error = io::Error, Future: Send> + Clone {
    let addresses: Vec<_> = addresses.into_iter().collect();
    tower::service_fn(move |name: Name| {
        assert_eq!(name.as_str(), "pond.example");
        std::future::ready(Ok(addresses.clone().into_iter()))
    })
}

/// A listener on a port of the system's choice.
pub async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// An address where nobody listens: its port is taken as long as the socket lives, and no other test gets it.
pub fn nobody() -> (TcpSocket, SocketAddr) {
    bound(TcpSocket::new_v4(), Ipv4Addr::LOCALHOST.into()).unwrap()
}

/// The same by IPv6; without a socket if there is no IPv6 here.
pub fn nobody_v6() -> (Option<TcpSocket>, SocketAddr) {
    match bound(TcpSocket::new_v6(), Ipv6Addr::LOCALHOST.into()) {
        Ok((socket, address)) => (Some(socket), address),
        Err(_) => (None, (Ipv6Addr::LOCALHOST, 1).into()),
    }
}

/// A socket that is bound and does not listen.
fn bound(socket: io::Result<TcpSocket>, ip: IpAddr) -> io::Result<(TcpSocket, SocketAddr)> {
    let socket = socket?;
    socket.bind((ip, 0).into())?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// An address that does not answer: its queue is full.
pub struct Silent {
    pub address: SocketAddr,
    listener: TcpListener,
    queue: Vec<TcpStream>,
}

impl Silent {
    pub async fn new() -> Silent {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        let patience = Duration::from_millis(100);
        while let Ok(connected) = tokio::time::timeout(patience, TcpStream::connect(address)).await {
            queue.push(connected.unwrap());
        }
        Silent { address, listener, queue }
    }

    /// Answers from now on.
    pub async fn relent(&mut self) {
        for _ in self.queue.drain(..) {
            self.listener.accept().await.unwrap();
        }
    }

    /// Whether somebody connects, now that it answers.
    pub async fn is_called(&self, within: Duration) -> bool {
        tokio::time::timeout(within, self.listener.accept()).await.is_ok()
    }
}

/// A place for a Unix socket, gone with it.
#[cfg(unix)]
pub struct SocketPath(pub std::path::PathBuf);

#[cfg(unix)]
impl SocketPath {
    pub fn new(name: &str) -> SocketPath {
        SocketPath(
            std::env::temp_dir().join(format!("millpond-connector-{}-{name}.sock", std::process::id())),
        )
    }
}

#[cfg(unix)]
impl Drop for SocketPath {
    fn drop(&mut self) {
        // It may never have been bound.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A hyper server for both versions of HTTP: answers with the version, the peer and the body of the request. Dropping
/// it cuts every connection.
pub struct Site {
    pub address: SocketAddr,
    _accepting: JoinSet<()>,
}

impl Site {
    pub async fn start() -> Site {
        let (listener, address) = listener().await;
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, peer)) = listener.accept().await {
                connections.spawn(serve(TokioIo::new(socket), peer.to_string()));
            }
        });
        Site { address, _accepting: accepting }
    }

    #[cfg(unix)]
    pub fn start_unix(path: &SocketPath) -> JoinSet<()> {
        let listener = tokio::net::UnixListener::bind(&path.0).unwrap();
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(serve(TokioIo::new(socket), "unix".into()));
            }
        });
        accepting
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Serves one connection: HTTP/2 if it begins with its preface, HTTP/1.1 otherwise.
pub async fn serve(io: impl hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static, peer: String) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let peer = peer.clone();
        async move {
            let version = request.version();
            let body = request.into_body().collect().await?.to_bytes();
            let text = format!("{version:?} {peer} {}", String::from_utf8_lossy(&body));
            Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from(text))))
        }
    });
    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    // Clients cut their connections when they are done.
    let _ = server.serve_connection(io, answer).await;
}

/// A client that speaks HTTP/2 with prior knowledge, or HTTP/1.1.
pub fn client<C: Connect + Clone>(connector: C, http2: bool) -> HyperClient<C> {
    Client::builder(TokioExecutor::new()).http2_only(http2).build(connector)
}

/// Posts to a [`Site`]: the response, and its text.
pub async fn post<C>(client: &HyperClient<C>, uri: &str, body: &str) -> (http::response::Parts, String)
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let request = Request::post(uri).body(Full::from(body.to_owned())).unwrap();
    let response = soon("a response", client.request(request)).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = soon("its body", body.collect()).await.unwrap().to_bytes();
    (parts, String::from_utf8(text.to_vec()).unwrap())
}

/// An error and what caused it, the outermost first.
pub fn chain<'a>(error: &'a (dyn std::error::Error + 'static)) -> Vec<&'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source()).collect()
}

pub fn local(port: u16) -> SocketAddr {
    (IpAddr::from(Ipv4Addr::LOCALHOST), port).into()
}
