//! What a server spends on a request of h2load's: ours, nghttpd and hyper; a gRPC service on ours and on stock tonic.
//!
//! ```text
//! cargo bench --bench h2load -- [--quick] [--rounds 7] [--requests 200000]
//! ```
//!
//! Each server is a process of its own with one thread. What counts is its processor time, divided by the requests of a
//! round; rounds take turns, and the median counts. *The service alone* is the gRPC service called without a connection,
//! one request after the other: what no transport can save. Needs `h2load` and `nghttpd` (`tests/peers/install.sh`); what is
//! not installed is said, and is missing from the tables.

mod common;

use std::{
    convert::Infallible,
    fs,
    io::{self, Read},
    net::{SocketAddr, TcpListener as StdListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use clap::{Parser, Subcommand};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use millpond_testkit::{
    cpu_time, cpu_time_of, echo, grpc::echo_body, process::Peer, stock::HELLO, table::Table,
};
use tokio::net::TcpListener;
use tower::Service;

use common::{BoxError, Options, Stack, accept, grpc, results::Results};

/// Measures what servers spend on a request of h2load's.
#[derive(Parser)]
struct Flags {
    /// One round of few requests: shows that the bench works, not what anything costs.
    #[arg(long)]
    quick: bool,
    /// Rounds; the median counts.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Requests of each round.
    #[arg(long, default_value_t = 200_000)]
    requests: usize,
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    #[command(hide = true)]
    Serve { server: String },
}

/// What the tables call our servers that spawn each handler at once.
const SPAWNED: &str = "millpond, spawned";
const SPAWNED_GRPC: &str = "millpond, gRPC, spawned";
const NGHTTPD: &str = "nghttpd";
const HYPER: &str = "hyper";
const ALONE: &str = "the service alone";

/// The path of the gRPC call.
const UNARY: &str = "/echo.Echo/Unary";

/// Connections, and requests at once on each.
const SHAPES: [(usize, usize); 2] = [(1, 100), (100, 10)];

fn main() -> Result<(), BoxError> {
    let mut flags = Flags::parse();
    if let Some(Role::Serve { server }) = &flags.role {
        return serve(server);
    }
    if flags.quick {
        (flags.rounds, flags.requests) = (1, 2_000);
    }
    let mut results = Results::new("h2load", flags.quick);
    if !installed("h2load") {
        println!("NOT MEASURED: h2load is not installed (tests/peers/install.sh)");
        return Ok(results.write()?);
    }
    let folder = std::env::temp_dir().join(format!("millpond-h2load-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let outcome = measure(&flags, &folder, &mut results);
    fs::remove_dir_all(&folder)?;
    outcome?;
    Ok(results.write()?)
}

fn measure(flags: &Flags, folder: &Path, results: &mut Results) -> Result<(), BoxError> {
    fs::write(folder.join("index.html"), HELLO)?;
    let message = folder.join("message");
    fs::write(&message, echo_body(&[7; 16]))?;
    let mut hello = vec![ours("millpond")?, ours(SPAWNED)?, ours(HYPER)?];
    match installed(NGHTTPD) {
        true => hello.push(nghttpd(folder)?),
        false => println!("NOT MEASURED: nghttpd is not installed (tests/peers/install.sh)"),
    }
    let hello = Load { title: "GET /", servers: hello, path: "/", body: None, alone: None };
    compare(flags, &hello, results)?;
    drop(hello);
    let servers = [grpc::Millpond::NAME, SPAWNED_GRPC, grpc::Tonic::NAME].map(ours);
    let servers = servers.into_iter().collect::<Result<_, _>>()?;
    let alone = Some(service_alone(flags)?);
    let unary = Load { title: "unary gRPC of 16 octets", servers, path: UNARY, body: Some(message), alone };
    compare(flags, &unary, results)
}

/// What h2load does, and to whom.
struct Load {
    title: &'static str,
    servers: Vec<Server>,
    path: &'static str,
    body: Option<PathBuf>,
    /// What the service takes without a connection, in microseconds.
    alone: Option<f64>,
}

fn compare(flags: &Flags, load: &Load, results: &mut Results) -> Result<(), BoxError> {
    for (connections, streams) in SHAPES {
        let title = format!("{}, h2load -c {connections} -m {streams}", load.title);
        let mut rounds = vec![(Vec::new(), Vec::new()); load.servers.len()];
        for turn in 0..=flags.rounds {
            for (server, (cpu, rate)) in load.servers.iter().zip(&mut rounds) {
                let before = server.cpu()?;
                let requests_per_second = run(flags, load, server.addr, connections, streams)?;
                // What is used for the first time is not measured.
                if turn > 0 {
                    cpu.push((server.cpu()? - before).as_secs_f64() * 1e6 / flags.requests as f64);
                    rate.push(requests_per_second);
                }
            }
        }
        let figures: Vec<(&str, f64, f64)> = load
            .servers
            .iter()
            .zip(&mut rounds)
            .map(|(server, (cpu, rate))| (server.name, median(cpu), median(rate)))
            .collect();
        let mut table = Table::new([title.as_str(), "processor", "requests/s", "to the first"]);
        for (name, cpu, rate) in &figures {
            let ratio = figures[0].1 / cpu;
            table.row([
                (*name).to_owned(),
                format!("{cpu:.2} µs"),
                format!("{rate:.0}"),
                format!("{ratio:.2}"),
            ]);
        }
        if let Some(cpu) = load.alone {
            let ratio = figures[0].1 / cpu;
            table.row([ALONE.to_owned(), format!("{cpu:.2} µs"), "-".to_owned(), format!("{ratio:.2}")]);
        }
        println!("{table}");
        let cpu = figures.iter().map(|each| (each.0, each.1)).chain(load.alone.map(|cpu| (ALONE, cpu)));
        results.add(&title, "processor time of a request", "µs", cpu);
        results.add(&title, "requests", "calls/s", figures.iter().map(|each| (each.0, each.2)));
    }
    Ok(())
}

/// One run of h2load. All requests must succeed. Gives how many there were in a second.
fn run(
    flags: &Flags,
    load: &Load,
    addr: SocketAddr,
    connections: usize,
    streams: usize,
) -> Result<f64, BoxError> {
    let mut command = Command::new("h2load");
    for (flag, value) in [("-n", flags.requests), ("-c", connections), ("-m", streams)] {
        command.arg(flag).arg(value.to_string());
    }
    if let Some(body) = &load.body {
        command.args(["-H", "content-type: application/grpc", "-H", "te: trailers", "-d"]).arg(body);
    }
    let output = command.arg(format!("http://{addr}{}", load.path)).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !said.contains(&format!("status codes: {} 2xx", flags.requests)) {
        return Err(
            format!("h2load was not served: {said}{}", String::from_utf8_lossy(&output.stderr)).into()
        );
    }
    let rate = said.lines().find_map(|line| line.strip_prefix("finished in ")?.split(' ').nth(1));
    Ok(rate.ok_or("h2load does not say how fast it was")?.parse()?)
}

/// Microseconds of the processor that the gRPC service takes for a call. The requests are made beforehand.
fn service_alone(flags: &Flags) -> Result<f64, BoxError> {
    const BATCH: usize = 1_000;
    let (mut routes, message) = (echo::routes(), echo_body(&[7; 16]));
    let request = || {
        let body = tonic::body::Body::new(Full::new(message.clone()));
        let request =
            Request::post(UNARY).header("content-type", "application/grpc").header("te", "trailers");
        request.body(body)
    };
    let clock = || cpu_time().ok_or("this system does not say what a process has used");
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut rounds = Vec::new();
    for _ in 0..flags.rounds {
        let (mut spent, batches) = (Duration::ZERO, flags.requests.div_ceil(BATCH));
        for _ in 0..batches {
            let requests = (0..BATCH).map(|_| request()).collect::<Result<Vec<_>, _>>()?;
            let before = clock()?;
            runtime.block_on(async {
                for request in requests {
                    let answer = routes.call(request).await?.into_body().collect().await?;
                    let status = answer.trailers().and_then(|trailers| trailers.get("grpc-status"));
                    if status.is_none_or(|status| status != "0") {
                        return Err(format!("the service answers {status:?}").into());
                    }
                }
                Ok::<_, BoxError>(())
            })?;
            spent += clock()? - before;
        }
        rounds.push(spent.as_secs_f64() * 1e6 / (batches * BATCH) as f64);
    }
    Ok(median(&mut rounds))
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn installed(program: &str) -> bool {
    let run = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}

/// A server in a process of its own. Dropping it ends it.
struct Server {
    name: &'static str,
    addr: SocketAddr,
    process: Process,
}

enum Process {
    Ours(Peer),
    Foreign(Child),
}

impl Server {
    fn cpu(&self) -> Result<Duration, BoxError> {
        let id = match &self.process {
            Process::Ours(peer) => peer.id(),
            Process::Foreign(child) => child.id(),
        };
        Ok(cpu_time_of(id).ok_or("this system does not say what a process has used")?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Process::Foreign(child) = &mut self.process {
            // Both fail only for a child that is gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn ours(name: &'static str) -> Result<Server, BoxError> {
    let peer = Peer::start(Command::new(std::env::current_exe()?).args(["serve", name]))?;
    Ok(Server { name, addr: peer.addr(), process: Process::Ours(peer) })
}

fn nghttpd(folder: &Path) -> Result<Server, BoxError> {
    // It cannot choose a port by itself: this one was free just now.
    let addr = StdListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut command = Command::new(NGHTTPD);
    command.args(["--no-tls", "-a", "127.0.0.1", "-d"]).arg(folder).arg(addr.port().to_string());
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let server = Server { name: NGHTTPD, addr, process: Process::Foreign(child) };
    let begun = Instant::now();
    while TcpStream::connect(addr).is_err() {
        if begun.elapsed() > Duration::from_secs(10) {
            return Err("nghttpd does not listen".into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
}

/// The process of a server.
fn serve(server: &str) -> Result<(), BoxError> {
    // The parent holds the other end: it is gone when this ends.
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on {}", listener.local_addr()?);
        let spawned = Options { spawn: true, ..Options::default() };
        match server {
            "millpond" => hello(listener, false).await,
            SPAWNED => hello(listener, true).await,
            HYPER => hyper_hello(listener).await,
            grpc::Millpond::NAME => grpc::Millpond::serve(listener, Options::default()).await,
            SPAWNED_GRPC => grpc::Millpond::serve(listener, spawned).await,
            grpc::Tonic::NAME => grpc::Tonic::serve(listener, Options::default()).await,
            _ => Err(format!("there is no server {server}").into()),
        }
    })
}

async fn hello(listener: TcpListener, spawn: bool) -> Result<(), BoxError> {
    let service = tower::service_fn(async |_: Request<millpond::Body>| answer());
    let mut server = millpond::Server::builder();
    if spawn {
        server = server.poll_handlers_inline(false);
    }
    Ok(server.serve_with_incoming(millpond::server::TcpIncoming::from(listener), service).await?)
}

async fn hyper_hello(listener: TcpListener) -> Result<(), BoxError> {
    accept(listener, |socket| async {
        let service = hyper::service::service_fn(async |_: Request<hyper::body::Incoming>| answer());
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        Ok(server.serve_connection(TokioIo::new(socket), service).await?)
    })
    .await
}

fn answer() -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(HELLO))))
}
