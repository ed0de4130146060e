//! A process with a server and any number of connections that are not sockets.
//!
//! The parent asks for connections, for calls and for the books. Everything runs on one thread.

use std::{
    convert::Infallible,
    future::{poll_fn, ready},
    io,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use millpond::{Config, ConfigBuilder, Server, buffer::BufferPool, readiness::ReadReady};
use millpond_testkit::{
    cpu_time,
    heap::CountingAllocator,
    rss,
    worker::{Worker, obey},
};
use tokio::{io::AsyncWriteExt, runtime::Runtime, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    common::{BoxError, raw},
    script::{self, End, Script, Wire},
};

/// The name of the hidden sub-command; the subject's name follows.
pub const HALL: &str = "hall";

/// The flag of one whose calls are timed.
const TIMED: &str = "--timed";

/// No server: the connections alone.
pub const NOBODY: &str = "IO alone";

/// `millpond::Server`.
pub const MILLPOND: &str = "millpond";

/// The same, where each connection rests after each call, whatever its number.
pub const RESTING: &str = "millpond, at rest before each";

/// Stock hyper.
pub const HYPER: &str = "hyper";

/// A task for each connection that reads and writes what a server would, and looks at none of it.
pub const LOOP: &str = "a loop";

/// How long one task may take.
const LIMIT: Duration = Duration::from_secs(900);

/// How long one batch of calls may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Calls that are made at once while connections are added.
const BATCH: usize = 1_000;

/// A hall, seen from the parent.
pub struct Hall(Worker);

/// What a hall holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Books {
    /// Live octets of the heap.
    pub heap: usize,
    /// Resident octets of the process.
    pub rss: usize,
    /// Blocks of the pool that are out.
    pub blocks_out: usize,
}

impl Hall {
    /// Starts the process, with so many connections to warm it up.
    pub fn start(subject: &str, warm: usize) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut hall = Hall(Worker::start(command.args([HALL, subject]), LIMIT)?);
        hall.add(warm)?;
        Ok(hall)
    }

    /// Starts the process for calls that are timed: its heap is not counted.
    pub fn start_timed(subject: &str) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        Ok(Hall(Worker::start(command.args([HALL, subject, TIMED]), LIMIT)?))
    }

    /// Makes so many more connections, each of which makes a call.
    pub fn add(&mut self, connections: usize) -> io::Result<()> {
        self.0.ask(format_args!("add {connections}")).map(drop)
    }

    /// Makes so many calls, one after the other, on the same connection or on any. Gives the processor time of each.
    pub fn call(&mut self, calls: usize, any: bool) -> io::Result<Duration> {
        let which = if any { "any" } else { "one" };
        let nanos = self.0.ask(format_args!("call {calls} {which}"))?.parse().map_err(io::Error::other)?;
        Ok(Duration::from_nanos(nanos))
    }

    /// What it holds.
    pub fn books(&mut self) -> io::Result<Books> {
        let answer = self.0.ask("count")?;
        let figures: Vec<usize> = answer.split(' ').map_while(|figure| figure.parse().ok()).collect();
        match figures[..] {
            [heap, rss, blocks_out] => Ok(Books { heap, rss, blocks_out }),
            _ => Err(io::Error::other(format!("not the books: {answer}"))),
        }
    }
}

/// What the process does.
pub fn work(subject: &str, heap: &'static CountingAllocator) -> Result<(), BoxError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (door, ends) = mpsc::channel(BATCH);
    match subject {
        NOBODY => {}
        MILLPOND => drop(runtime.spawn(millpond(ends, Config::builder()))),
        RESTING => {
            let config = Config::builder().rest_after(Some(Duration::ZERO));
            runtime.spawn(millpond(ends, config));
        }
        HYPER => drop(runtime.spawn(hyper(ends))),
        LOOP => drop(runtime.spawn(echo_script(ends))),
        _ => return Err(format!("there is no server {subject}").into()),
    }
    let served = subject != NOBODY;
    let inside =
        Inside { heap, runtime, door, served, script: Script::new(), ends: Vec::new(), wires: Vec::new() };
    inside.work()
}

async fn millpond(ends: mpsc::Receiver<End>, config: ConfigBuilder) {
    let ends = tokio_stream::StreamExt::map(ReceiverStream::new(ends), Ok::<End, Infallible>);
    let service = tower::service_fn(async |_: Request<millpond::Body>| Ok::<_, Infallible>(answer()));
    // Clients notice, and say so.
    drop(Server::builder().config(config).serve_with_incoming(ends, service).await);
}

async fn hyper(mut ends: mpsc::Receiver<End>) {
    while let Some(end) = ends.recv().await {
        let service = hyper::service::service_fn(async |_: Request<hyper::body::Incoming>| {
            Ok::<_, Infallible>(answer())
        });
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        tokio::spawn(server.serve_connection(TokioIo::new(end), service));
    }
}

/// What a connection costs that has no state: it answers whatever comes with three frames.
async fn echo_script(mut ends: mpsc::Receiver<End>) {
    while let Some(mut end) = ends.recv().await {
        tokio::spawn(async move {
            let mut octets = [0; 512];
            loop {
                poll_fn(|cx| end.poll_read_ready(cx)).await?;
                poll_fn(|cx| ReadReady::poll_read(&mut end, cx, &mut octets)).await?;
                end.write_all(script::ANSWER).await?;
            }
            #[expect(unreachable_code, reason = "says what errors are")]
            Ok::<_, io::Error>(())
        });
    }
}

/// An empty message.
fn answer() -> Response<impl http_body::Body<Data = Bytes, Error = Infallible>> {
    let body = Full::new(Bytes::from_static(&[0; 5]));
    let trailers = ready(Some(Ok::<HeaderMap, Infallible>(raw::trailers())));
    let mut response = Response::new(body.with_trailers(trailers));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

struct Inside {
    heap: &'static CountingAllocator,
    runtime: Runtime,
    door: mpsc::Sender<End>,
    served: bool,
    script: Script,
    /// Kept where there is no server.
    ends: Vec<End>,
    wires: Vec<Arc<Wire>>,
}

impl Inside {
    fn work(mut self) -> Result<(), BoxError> {
        Ok(obey(|task| self.perform(task))?)
    }

    fn perform(&mut self, task: &str) -> Result<String, BoxError> {
        match task.split(' ').collect::<Vec<_>>()[..] {
            ["count"] => {
                let rss = rss().ok_or("this system does not say how much memory is resident")?;
                let blocks_out = BufferPool::global().stats().blocks_out;
                return Ok(format!("{} {rss} {blocks_out}", self.heap.usage().live));
            }
            ["add", count] => self.add(count.parse()?)?,
            ["call", count, which] => return self.call(count.parse()?, which == "any"),
            _ => return Err("not a task".into()),
        }
        Ok(String::new())
    }

    fn add(&mut self, count: usize) -> Result<(), BoxError> {
        let Inside { runtime, door, script, ends, wires, served, .. } = self;
        wires.reserve_exact(count);
        if !*served {
            ends.reserve_exact(count);
        }
        runtime.block_on(async {
            let mut left = count;
            while left > 0 {
                let batch = left.min(BATCH);
                let first = wires.len();
                for _ in 0..batch {
                    let (wire, end) = Wire::new();
                    wires.push(wire);
                    if *served {
                        door.send(end).await?;
                    } else {
                        ends.push(end);
                    }
                }
                if *served {
                    wires[first..].iter().for_each(|wire| wire.call(script));
                    for wire in &wires[first..] {
                        answered(wire, 1).await?;
                        wire.acknowledge();
                    }
                    for wire in &wires[first..] {
                        while !wire.is_read() {
                            // Fails if the server has let go of it.
                            wire.answered()?;
                            tokio::task::yield_now().await;
                        }
                    }
                }
                left -= batch;
            }
            Ok(())
        })
    }

    fn call(&mut self, count: usize, any: bool) -> Result<String, BoxError> {
        let Inside { runtime, script, wires, .. } = self;
        // Always the same sequence, so that all sizes are asked alike.
        let mut random = fastrand::Rng::with_seed(7);
        let before = cpu_time().ok_or("this system does not say what a process has used")?;
        runtime.block_on(async {
            for _ in 0..count {
                let wire = &wires[if any { random.usize(..wires.len()) } else { 0 }];
                let calls = wire.answered()?;
                wire.call(script);
                answered(wire, calls + 1).await?;
            }
            Ok::<_, BoxError>(())
        })?;
        let took = cpu_time().ok_or("this system does not say what a process has used")? - before;
        Ok((took.as_nanos() / count.max(1) as u128).to_string())
    }
}

/// Waits until so many calls were answered.
async fn answered(wire: &Wire, calls: u32) -> Result<(), BoxError> {
    let mut begun = None;
    while wire.answered()? < calls {
        if begun.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            return Err("a call was not answered".into());
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}
