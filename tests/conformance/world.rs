//! The two worlds of a conversation: a raw [`Client`] that faces our server, and a raw [`Server`] that faces our client.
//!
//! Always true here: both speak over TCP sockets of their own, with the real driver at the other end; what a test does not
//! send was not sent, but for the preface exchange of [`Client::connect`] and [`Server::accept`].

use std::{
    convert::Infallible,
    future::{pending, ready},
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use millpond::{Body, Config, ConfigBuilder, Error, client, server::HttpService};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::wire::{PREFACE, Peer, SETTINGS, settings, settings_ack};

/// The test is the client; our server is at the other end. A [`Peer`] to the wire.
pub struct Client {
    peer: Peer,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Client {
    /// Connected, prefaces exchanged and SETTINGS acknowledged on both sides.
    pub async fn connect() -> Client {
        Self::connect_to(millpond::Server::builder(), &[]).await
    }

    /// As [`connect`](Self::connect), to a server with these options, and with these SETTINGS of ours.
    pub async fn connect_to(server: millpond::Server, values: &[(u16, u32)]) -> Client {
        let mut client = Self::open(server).await;
        client.greet(values).await;
        client
    }

    /// Connected; nothing was sent.
    pub async fn open(server: millpond::Server) -> Client {
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let peer = serve(server, site(seen.clone())).await;
        Client { peer, seen }
    }

    /// As [`connect`](Self::connect), to a service of the test's own.
    pub async fn connect_to_service(server: millpond::Server, service: impl HttpService) -> Client {
        let mut client = Client { peer: serve(server, service).await, seen: Arc::default() };
        client.greet(&[]).await;
        client
    }

    async fn greet(&mut self, values: &[(u16, u32)]) {
        self.peer.send([PREFACE, &settings(values)].concat()).await;
        self.peer.exchange_settings().await;
    }

    /// Method and path of the requests that reached the application, in order.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(server: millpond::Server, service: impl HttpService) -> Peer {
    let (ours, theirs) = sockets().await;
    tokio::spawn(server.serve_connection(theirs, service).unwrap());
    Peer::new(ours)
}

/// A rule for both: the test with each of our server and our client at the other end, in modules of its name.
macro_rules! on_both_sides {
    ($name:ident) => {
        mod $name {
            #[tokio::test]
            async fn server() {
                let mut client = crate::world::Client::connect().await;
                super::$name(&mut *client).await;
            }
            #[tokio::test]
            async fn client() {
                let mut server = crate::world::Server::accept().await;
                super::$name(&mut *server).await;
            }
        }
    };
}
pub(crate) use on_both_sides;

/// As [`on_both_sides`], with stream 1 open: no message is complete, and our side says nothing of its own.
macro_rules! on_an_open_stream {
    ($name:ident) => {
        mod $name {
            #[tokio::test]
            async fn server() {
                let mut client = crate::world::Client::connect().await;
                client.send(crate::wire::headers(1, 0, &crate::wire::request("POST", "/wait", &[]))).await;
                super::$name(&mut *client).await;
            }
            #[tokio::test]
            async fn client() {
                let mut server = crate::world::Server::accept().await;
                let call = server.post();
                server.expect(crate::wire::HEADERS, 1).await;
                server.send(crate::wire::headers(1, 0, crate::wire::OK)).await;
                super::$name(&mut *server).await;
                drop(call);
            }
        }
    };
}
pub(crate) use on_an_open_stream;

/// What our server serves:
///
/// - `/wait` never answers, and never reads;
/// - `/sink` reads all, then answers with the count;
/// - `/octets/N` answers with so many octets;
/// - `/fields` answers with the fields as they came, a line each;
/// - any other POST answers with the body and the trailers it got, once it has them all;
/// - anything else answers `hello`.
fn site(seen: Arc<Mutex<Vec<String>>>) -> impl HttpService {
    tower::service_fn(move |request: Request<Body>| {
        seen.lock().unwrap().push(format!("{} {}", request.method(), request.uri().path()));
        async move {
            let (head, body) = request.into_parts();
            let mut trailers = None;
            let content = match head.uri.path() {
                "/wait" => {
                    let _held = body;
                    pending().await
                }
                "/sink" => match body.collect().await {
                    Ok(all) => Bytes::from(all.to_bytes().len().to_string()),
                    Err(error) => return Err(error.to_string()),
                },
                "/fields" => {
                    let line = |(name, value): (_, &http::HeaderValue)| {
                        format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
                    };
                    Bytes::from(head.headers.iter().map(line).collect::<String>())
                }
                path => match path.strip_prefix("/octets/") {
                    Some(count) => Bytes::from(vec![b'o'; count.parse().expect("a number")]),
                    None if head.method == http::Method::POST => match body.collect().await {
                        Ok(all) => {
                            trailers = all.trailers().cloned();
                            all.to_bytes()
                        }
                        Err(error) => return Err(error.to_string()),
                    },
                    None => Bytes::from_static(b"hello"),
                },
            };
            let trailers = ready(trailers.map(Ok::<HeaderMap, Infallible>));
            Ok::<_, String>(Response::new(Full::new(content).with_trailers(trailers)))
        }
    })
}

/// The test is the server; our client is at the other end. A [`Peer`] to the wire.
pub struct Server {
    peer: Peer,
    send: Option<client::SendRequest>,
    connection: JoinHandle<Result<(), Error>>,
}

impl Server {
    /// Connected, prefaces exchanged and SETTINGS acknowledged on both sides.
    pub async fn accept() -> Server {
        Self::accept_from(Config::builder(), &[]).await
    }

    /// As [`accept`](Self::accept), from a client with these options, and with these SETTINGS of ours.
    pub async fn accept_from(config: ConfigBuilder, values: &[(u16, u32)]) -> Server {
        let mut server = Self::open(config).await;
        assert_eq!(server.octets(PREFACE.len()).await, PREFACE);
        server.send(settings(values)).await;
        server.peer.exchange_settings().await;
        server
    }

    /// Connected; nothing was read or sent.
    pub async fn open(config: ConfigBuilder) -> Server {
        let (theirs, ours) = sockets().await;
        let (send, connection) = client::handshake(theirs, config.build().unwrap());
        Server { peer: Peer::new(ours), send: Some(send), connection: tokio::spawn(connection) }
    }

    /// The application sends a GET.
    pub fn get(&self) -> Call {
        self.call(Request::get("http://pond.example/").body(()).unwrap(), Some(b""))
    }

    /// The application sends a POST whose body never ends.
    pub fn post(&self) -> Call {
        self.call(Request::post("http://pond.example/").body(()).unwrap(), None)
    }

    /// The application sends a request with this body, or with one that never ends.
    pub fn call(&self, request: Request<()>, body: Option<&[u8]>) -> Call {
        let mut send = self.send.clone().expect("the application has let go");
        let (head, mut stream) = send.send_request(request, body == Some(b"")).expect("a request");
        if let Some(body) = body.filter(|body| !body.is_empty()) {
            stream.send_data(Bytes::copy_from_slice(body), true).expect("room for the body");
        }
        Call(tokio::spawn(async move {
            let _held = (send, stream);
            let (head, mut body) = head.await?.into_parts();
            let mut reply = Reply { head: Response::from_parts(head, ()), body: Vec::new(), trailers: None };
            while let Some(piece) = body.data().await {
                let piece = piece?;
                body.flow_control().release_capacity(piece.len())?;
                reply.body.extend_from_slice(&piece);
            }
            reply.trailers = body.trailers().await?;
            Ok(reply)
        }))
    }

    /// The application sends a POST whose body never ends, and does not care for the response.
    pub fn call_and_keep_sending(&self) -> Call {
        let request = Request::post("http://pond.example/").body(()).unwrap();
        let (head, stream) = self.sender().send_request(request, false).expect("a request");
        Call(tokio::spawn(async move {
            let _held = (head, stream);
            pending().await
        }))
    }

    /// The handle of the application.
    pub fn sender(&self) -> client::SendRequest {
        self.send.clone().expect("the application has let go")
    }

    /// The application will send no more.
    pub fn let_go(&mut self) {
        self.send = None;
    }

    /// How our client's connection ended.
    pub async fn outcome(self) -> Result<(), Error> {
        self.connection.await.unwrap()
    }
}

/// A call of the application behind our client.
pub struct Call(JoinHandle<Result<Reply, Error>>);

/// What the application got.
#[derive(Debug)]
pub struct Reply {
    pub head: Response<()>,
    pub body: Vec<u8>,
    pub trailers: Option<HeaderMap>,
}

impl Call {
    /// The whole response, or why there is none.
    pub async fn reply(self) -> Result<Reply, Error> {
        self.0.await.unwrap()
    }

    /// The application loses interest.
    pub async fn cancel(self) {
        self.0.abort();
        let _ = self.0.await;
    }
}

impl Peer {
    /// Reads the endpoint's first SETTINGS and the acknowledgement of ours, and acknowledges.
    async fn exchange_settings(&mut self) {
        let first = self.next().await.expect("the wire ended before SETTINGS");
        assert_eq!((first.kind, first.flags, first.stream), (SETTINGS, 0, 0), "{first:?}");
        self.send(settings_ack()).await;
        self.expect_ping_ack().await;
    }
}

async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
    let theirs = theirs.unwrap().0;
    // As a connector would: else each answer waits for the acknowledgement of the one before.
    theirs.set_nodelay(true).unwrap();
    (ours.unwrap(), theirs)
}

impl Deref for Client {
    type Target = Peer;
    fn deref(&self) -> &Peer {
        &self.peer
    }
}

impl DerefMut for Client {
    fn deref_mut(&mut self) -> &mut Peer {
        &mut self.peer
    }
}

impl Deref for Server {
    type Target = Peer;
    fn deref(&self) -> &Peer {
        &self.peer
    }
}

impl DerefMut for Server {
    fn deref_mut(&mut self) -> &mut Peer {
        &mut self.peer
    }
}
