//! What is counted: scripts of calls of any length, each on one thread, over connections in memory.

use std::{
    convert::Infallible,
    future::{Ready, poll_fn, ready},
    io,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use millpond::{
    Channel, Server,
    hpack::{Decoder, Encoder, FieldLimits, FieldRef},
};
use millpond_testkit::{
    conversation::Transport,
    echo::{self, EchoClient, Msg},
};
use tokio::task::JoinSet;
use tonic::transport::Endpoint;

use crate::common::{BoxError, Bulk, Client, Options, expect_octets, pipe::Pipe, raw};

/// A script.
#[derive(Clone, Copy)]
pub struct Script {
    /// What the counts call it: one of what it does.
    pub name: &'static str,
    /// How long the shorter run is; the longer adds `more`.
    pub first: usize,
    /// By how much the longer run is longer.
    pub more: usize,
    /// Of a stock peer: counted to compare with, and not checked.
    pub stock: bool,
    run: fn(usize) -> Result<(), BoxError>,
}

const fn ours(
    name: &'static str,
    first: usize,
    more: usize,
    run: fn(usize) -> Result<(), BoxError>,
) -> Script {
    Script { name, first, more, stock: false, run }
}

const fn stock(
    name: &'static str,
    first: usize,
    more: usize,
    run: fn(usize) -> Result<(), BoxError>,
) -> Script {
    Script { name, first, more, stock: true, run }
}

/// All of them.
pub const SCRIPTS: [Script; 16] = [
    ours("connection with one unary call", 20, 200, handshakes::<raw::Millpond>),
    stock("connection with one unary call, h2", 20, 200, handshakes::<raw::H2>),
    ours("unary call, both sides", 100, 1_000, |calls| unary::<raw::Millpond>(calls, 1, 0)),
    stock("unary call, both sides, h2", 100, 1_000, |calls| unary::<raw::H2>(calls, 1, 0)),
    ours("unary call, 64 at once", 640, 6_400, |calls| unary::<raw::Millpond>(calls, 64, 0)),
    stock("unary call, 64 at once, h2", 640, 6_400, |calls| unary::<raw::H2>(calls, 64, 0)),
    ours("unary call beside 1000 idle streams", 100, 1_000, |calls| unary::<raw::Millpond>(calls, 1, 1_000)),
    ours("gRPC call, Channel and Server", 100, 1_000, channel),
    stock("gRPC call, tonic", 100, 1_000, tonic),
    stock("gRPC call, no transport", 100, 1_000, no_transport),
    ours("GET, Server", 100, 1_000, get),
    ours("1 MiB up", 8, 16, |mib| body::<raw::Millpond>(mib, true)),
    stock("1 MiB up, h2", 8, 16, |mib| body::<raw::H2>(mib, true)),
    ours("1 MiB down", 8, 16, |mib| body::<raw::Millpond>(mib, false)),
    ours("head of a request, encoded and decoded again", 100, 1_000, |heads| hpack(heads, true)),
    ours("head of a request, encoded and decoded first", 100, 1_000, |heads| hpack(heads, false)),
];

impl Script {
    /// Does it so often.
    pub fn run(&self, length: usize) -> Result<(), BoxError> {
        (self.run)(length)
    }

    /// The script of this name.
    pub fn of(name: &str) -> Result<Script, BoxError> {
        let known = SCRIPTS.into_iter().find(|script| script.name == name);
        Ok(known.ok_or_else(|| format!("there is no script {name}"))?)
    }
}

/// Both ends of a connection that is made over a pipe.
pub trait Ends: 'static {
    /// The client's end.
    type Client: Bulk;

    /// Serves one connection.
    fn serve(pipe: Pipe, options: Options) -> impl Future<Output = Result<(), BoxError>> + Send + 'static;

    /// Begins one.
    fn connect(pipe: Pipe, options: Options) -> impl Future<Output = Result<Self::Client, BoxError>> + Send;
}

impl Ends for raw::Millpond {
    type Client = millpond::client::SendRequest;

    fn serve(pipe: Pipe, options: Options) -> impl Future<Output = Result<(), BoxError>> + Send + 'static {
        raw::Millpond::serve_over(pipe, options)
    }

    async fn connect(pipe: Pipe, options: Options) -> Result<Self::Client, BoxError> {
        raw::Millpond::connect_over(pipe, options).await
    }
}

impl Ends for raw::H2 {
    type Client = h2::client::SendRequest<Bytes>;

    fn serve(pipe: Pipe, options: Options) -> impl Future<Output = Result<(), BoxError>> + Send + 'static {
        raw::H2::serve_over(pipe, options)
    }

    async fn connect(pipe: Pipe, options: Options) -> Result<Self::Client, BoxError> {
        raw::H2::connect_over(pipe, options).await
    }
}

const FEW: Bytes = Bytes::from_static(&[7; 16]);

/// One thread, with a clock and without anything of the system's.
fn on_one_thread<T>(work: impl Future<Output = Result<T, BoxError>>) -> Result<T, BoxError> {
    tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(work)
}

async fn connected<E: Ends>(options: Options) -> Result<E::Client, BoxError> {
    let (near, far) = Pipe::pair();
    tokio::spawn(E::serve(far, options));
    E::connect(near, options).await
}

fn handshakes<E: Ends>(connections: usize) -> Result<(), BoxError> {
    on_one_thread(async {
        for _ in 0..connections {
            let (near, far) = Pipe::pair();
            let server = tokio::spawn(E::serve(far, Options::default()));
            let mut client = E::connect(near, Options::default()).await?;
            client.unary(FEW).await?;
            drop(client);
            server.await??;
        }
        Ok(())
    })
}

fn unary<E: Ends>(calls: usize, at_once: usize, idle: usize) -> Result<(), BoxError> {
    on_one_thread(async {
        let options = Options { max_streams: (idle > 0).then_some(2_000), ..Options::default() };
        let mut client = connected::<E>(options).await?;
        let mut held = Vec::new();
        for _ in 0..idle {
            held.push(client.hold().await?);
        }
        let mut callers = JoinSet::new();
        for _ in 0..at_once {
            let mut client = client.clone();
            callers.spawn(async move {
                for _ in 0..calls / at_once {
                    client.unary(FEW).await?;
                }
                Ok::<_, BoxError>(())
            });
        }
        while let Some(caller) = callers.join_next().await {
            caller??;
        }
        Ok(())
    })
}

fn body<E: Ends>(mib: usize, up: bool) -> Result<(), BoxError> {
    on_one_thread(async {
        let mut client = connected::<E>(Options::default()).await?;
        match up {
            true => client.upload(E::Client::material(mib << 20)).await,
            false => client.download(mib << 20).await,
        }
    })
}

fn channel(calls: usize) -> Result<(), BoxError> {
    on_one_thread(async {
        let (near, far) = Pipe::pair();
        // The date would change while this runs.
        let server = Server::builder().auto_date_header(false);
        tokio::spawn(server.serve_connection(far, echo::routes())?);
        let channel = Channel::from_shared("http://localhost")?;
        let channel = channel.connect_with_connector(tower::service_fn(once(near))).await?;
        echo_again(channel, calls).await
    })
}

fn tonic(calls: usize) -> Result<(), BoxError> {
    on_one_thread(async {
        let (near, far) = Pipe::pair();
        let far = tokio_stream::iter([Ok::<_, Infallible>(far)]);
        let mut server = tonic::transport::Server::builder();
        tokio::spawn(server.add_routes(echo::routes()).serve_with_incoming(far));
        let near = once(near);
        let connector = tower::service_fn(move |uri| {
            let near = near(uri);
            async { near.await.map(TokioIo::new) }
        });
        let channel = Endpoint::from_static("http://localhost").connect_with_connector(connector).await?;
        echo_again(channel, calls).await
    })
}

/// What is tonic's and the application's in both: the client calls the service.
fn no_transport(calls: usize) -> Result<(), BoxError> {
    on_one_thread(echo_again(echo::routes(), calls))
}

/// Connects once, to this.
fn once(near: Pipe) -> impl Fn(Uri) -> Ready<io::Result<Pipe>> + Clone + Send + 'static {
    let near = Arc::new(Mutex::new(Some(near)));
    move |_| {
        let near = near.lock().unwrap_or_else(PoisonError::into_inner).take();
        ready(near.ok_or_else(|| io::Error::other("one connection only")))
    }
}

async fn echo_again(transport: impl Transport, calls: usize) -> Result<(), BoxError> {
    let mut client = EchoClient::new(transport);
    for _ in 0..calls {
        let answer = client.unary(Msg::from(FEW)).await?;
        expect_octets(answer.into_inner().data.len(), FEW.len())?;
    }
    Ok(())
}

fn get(calls: usize) -> Result<(), BoxError> {
    on_one_thread(async {
        let (near, far) = Pipe::pair();
        let service = tower::service_fn(async |_: Request<millpond::Body>| {
            Ok::<_, Infallible>(Response::new(Full::new(FEW)))
        });
        // The date would change while this runs.
        let server = Server::builder().auto_date_header(false);
        tokio::spawn(server.serve_connection(far, service)?);
        let mut client = raw::Millpond::connect_over(near, Options::default()).await?;
        for _ in 0..calls {
            poll_fn(|cx| client.poll_ready(cx)).await?;
            let request = Request::get("http://localhost/").body(())?;
            let (response, _) = client.send_request(request, true)?;
            let response = response.await?;
            if response.status() != StatusCode::OK {
                return Err(response.status().as_str().into());
            }
            let (mut body, mut octets) = (response.into_body(), 0);
            while let Some(data) = body.data().await.transpose()? {
                octets += data.len();
                body.flow_control().release_capacity(data.len())?;
            }
            expect_octets(octets, FEW.len())?;
        }
        Ok(())
    })
}

/// The head of a unary call and what is read of it, with the tables that have grown so far, or with new ones.
fn hpack(heads: usize, again: bool) -> Result<(), BoxError> {
    const LIMITS: FieldLimits = FieldLimits { max_octets: 16 << 10, max_fields: 256 };
    let field = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    let regular = [
        field("te", "trailers"),
        field("content-type", "application/grpc"),
        field("user-agent", "tonic/0.14 millpond/0.1"),
    ];
    let (mut encoder, mut decoder) = (Encoder::new(4_096), Decoder::new(4_096));
    let mut block = [0; 1024];
    for _ in 0..heads {
        if !again {
            (encoder, decoder) = (Encoder::new(4_096), Decoder::new(4_096));
        }
        let pseudo = [
            FieldRef::Method(&Method::POST),
            FieldRef::Scheme("http"),
            FieldRef::Authority("127.0.0.1:50051"),
            FieldRef::Path("/echo.Echo/Unary"),
        ];
        let regular = regular.iter().map(|(name, value)| FieldRef::Header(name, value));
        let octets = encoder.encode(pseudo.into_iter().chain(regular), &mut block);
        let mut fields = 0;
        let read = decoder.decode(&block[..octets], LIMITS, &mut |field| {
            drop(std::hint::black_box(field));
            fields += 1;
        });
        read.map_err(|misdeed| format!("{misdeed:?}"))?;
        expect_octets(fields, 7)?;
    }
    Ok(())
}
