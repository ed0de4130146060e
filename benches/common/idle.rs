//! What idle connections cost, each side in a process of its own.
//!
//! The parent starts two workers, further processes of its own program, which hold the clients and the servers. Before
//! anything is counted a few connections warm both up: what a process needs once is not the cost of a connection.

use std::{io, net::SocketAddr, process::Command, thread, time::Duration};

use bytes::Bytes;
use millpond::buffer::BufferPool;
use millpond_testkit::{
    heap::{CountingAllocator, give_back_free_pages},
    rss,
    table::{Table, octets},
    worker::{Worker, obey},
};
use tokio::{net::TcpListener, runtime::Runtime, task::JoinSet};

use super::{BoxError, Client, Options, Stack, grpc, hyper, raw};

/// The name of the hidden sub-command that makes a process a worker; the stack's name follows.
pub const WORKER: &str = "worker";

/// How long a worker may take for one task.
const LIMIT: Duration = Duration::from_secs(600);

/// Connections that are made and used before anything is counted.
const WARM: usize = 8;

/// The variable that turns pooling off.
const POOLING: &str = "MILLPOND_READ_BUFFER_POOLING";

/// A stack, and whether it pools its read buffers.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    stack: &'static str,
    pooling: Option<bool>,
}

impl Subject {
    /// Ours: raw handles or gRPC, with pooling on or off.
    pub const fn ours<S: Stack>(pooling: bool) -> Self {
        Subject { stack: S::NAME, pooling: Some(pooling) }
    }

    /// A stock one.
    pub const fn stock<S: Stack>() -> Self {
        Subject { stack: S::NAME, pooling: None }
    }

    /// What the tables call it.
    pub fn name(&self) -> String {
        match self.pooling {
            Some(false) => format!("{}, pooling off", self.stack),
            _ => self.stack.to_owned(),
        }
    }

    /// Whether it has blocks to count.
    fn is_ours(&self) -> bool {
        self.pooling.is_some()
    }
}

/// What one process holds.
#[derive(Clone, Copy, Debug)]
pub struct Books {
    /// Live octets of the heap, those idle in the pool included.
    pub heap: usize,
    /// Resident octets.
    pub rss: usize,
    blocks_out: usize,
    pool_idle: usize,
}

/// What one side holds for each connection, beyond what it held before.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Live octets of the heap, those idle in the pool included.
    pub heap: usize,
    /// Resident octets of the process.
    pub rss: usize,
    /// Blocks of the pool in use: of all connections together.
    pub blocks_out: usize,
    /// Octets idle in the pool, of all connections together.
    pub pool_idle: usize,
}

/// The head of a table of costs.
pub fn table() -> Table {
    Table::new(["", "client heap", "client RSS", "server heap", "server RSS", "blocks out", "idle in pools"])
}

/// A row of it.
pub fn row(subject: &Subject, [client, server]: [Cost; 2]) -> Vec<String> {
    let mut row = vec![subject.name()];
    row.extend([client.heap, client.rss, server.heap, server.rss].map(|each| each.to_string()));
    if subject.is_ours() {
        row.push((client.blocks_out + server.blocks_out).to_string());
        row.push(octets(client.pool_idle + server.pool_idle));
    }
    row
}

/// Both sides, connected.
pub struct Pair {
    client: Worker,
    server: Worker,
    before: [Books; 2],
    connections: usize,
    settle: Duration,
}

impl Pair {
    /// Starts both workers, warms them up and makes the connections. Each count waits for `settle` first.
    pub fn start(subject: &Subject, connections: usize, settle: Duration) -> io::Result<Self> {
        let [mut client, mut server] = [start(subject)?, start(subject)?];
        let addr: SocketAddr = server.ask("listen")?.parse().map_err(io::Error::other)?;
        client.ask(format_args!("connect {addr} {WARM}"))?;
        client.ask("unary 0")?;
        client.ask("set aside")?;
        let before = [books(&mut client)?, books(&mut server)?];
        client.ask(format_args!("connect {addr} {connections}"))?;
        Ok(Pair { client, server, before, connections, settle })
    }

    /// Has every connection make one call with `octets` up and down, one connection after the other.
    pub fn call(&mut self, octets: usize) -> io::Result<()> {
        self.client.ask(format_args!("unary {octets}")).map(drop)
    }

    /// Has every connection make so many small calls at once, one connection after the other.
    pub fn burst(&mut self, calls: usize) -> io::Result<()> {
        self.client.ask(format_args!("burst {calls}")).map(drop)
    }

    /// Has all connections make one call with `octets` up and down at once.
    pub fn storm(&mut self, octets: usize) -> io::Result<()> {
        self.client.ask(format_args!("storm {octets}")).map(drop)
    }

    /// The same on the few connections that were set aside: what a process needs once for such calls it has then.
    pub fn rehearse(&mut self, octets: usize) -> io::Result<()> {
        self.client.ask(format_args!("rehearse {octets}")).map(drop)
    }

    /// Lets everything rest and says what both processes hold: the client's side, the server's side.
    pub fn whole(&mut self, rest: Duration) -> io::Result<[Books; 2]> {
        thread::sleep(rest);
        Ok([books(&mut self.client)?, books(&mut self.server)?])
    }

    /// The same when the allocators have given back what is free, where the C library can do that.
    pub fn trimmed(&mut self, rest: Duration) -> io::Result<[Books; 2]> {
        thread::sleep(rest);
        for side in [&mut self.client, &mut self.server] {
            side.ask("trim")?;
        }
        self.whole(Duration::ZERO)
    }

    /// Has every connection open so many more streams, which stay open.
    pub fn hold(&mut self, streams: usize) -> io::Result<()> {
        self.client.ask(format_args!("hold {streams}")).map(drop)
    }

    /// Lets everything rest and counts: the client's side, the server's side.
    pub fn count(&mut self) -> io::Result<[Cost; 2]> {
        thread::sleep(self.settle);
        let now = [books(&mut self.client)?, books(&mut self.server)?];
        let each = |now: usize, before: usize| now.saturating_sub(before) / self.connections;
        Ok([0, 1].map(|side| {
            let (now, before) = (now[side], self.before[side]);
            Cost {
                heap: each(now.heap, before.heap),
                rss: each(now.rss, before.rss),
                blocks_out: now.blocks_out,
                pool_idle: now.pool_idle,
            }
        }))
    }
}

fn start(subject: &Subject) -> io::Result<Worker> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([WORKER, subject.stack]);
    // Whatever the parent's environment says, each subject is what its name says.
    match subject.pooling {
        Some(false) => command.env(POOLING, "off"),
        _ => command.env_remove(POOLING),
    };
    Worker::start(&mut command, LIMIT)
}

fn books(worker: &mut Worker) -> io::Result<Books> {
    let answer = worker.ask("count")?;
    let figures: Vec<usize> = answer.split(' ').map_while(|figure| figure.parse().ok()).collect();
    match figures[..] {
        [heap, rss, blocks_out, pool_idle] => Ok(Books { heap, rss, blocks_out, pool_idle }),
        _ => Err(io::Error::other(format!("not the books: {answer}"))),
    }
}

/// What a worker does: whatever its parent asks, until that is gone.
pub fn work(stack: &str, heap: &'static CountingAllocator) -> Result<(), BoxError> {
    match stack {
        raw::Millpond::NAME => Side::<raw::Millpond>::new(heap)?.work(),
        raw::H2::NAME => Side::<raw::H2>::new(heap)?.work(),
        hyper::Hyper::NAME => Side::<hyper::Hyper>::new(heap)?.work(),
        grpc::Millpond::NAME => Side::<grpc::Millpond>::new(heap)?.work(),
        grpc::Tonic::NAME => Side::<grpc::Tonic>::new(heap)?.work(),
        _ => Err(format!("there is no stack {stack}").into()),
    }
}

/// One side of all connections, in a worker.
struct Side<S: Stack> {
    heap: &'static CountingAllocator,
    runtime: Runtime,
    warm: Vec<S::Client>,
    clients: Vec<S::Client>,
    held: Vec<<S::Client as Client>::Held>,
}

impl<S: Stack> Side<S> {
    fn new(heap: &'static CountingAllocator) -> io::Result<Self> {
        // One thread moves all connections while this one waits for tasks.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Side { heap, runtime, warm: Vec::new(), clients: Vec::new(), held: Vec::new() })
    }

    fn work(mut self) -> Result<(), BoxError> {
        Ok(obey(|task| self.perform(task))?)
    }

    fn perform(&mut self, task: &str) -> Result<String, BoxError> {
        match task.split(' ').collect::<Vec<_>>()[..] {
            ["listen"] => return self.listen(),
            ["count"] => return self.count(),
            ["trim"] => drop(give_back_free_pages()),
            ["set", "aside"] => self.warm.append(&mut self.clients),
            ["connect", addr, count] => {
                let (addr, count) = (addr.parse()?, count.parse()?);
                self.clients.reserve_exact(count);
                for _ in 0..count {
                    let client = self.runtime.block_on(S::connect(addr, Options::default()))?;
                    self.clients.push(client);
                }
            }
            ["unary", octets] => {
                let payload = Bytes::from(vec![7; octets.parse()?]);
                for client in &mut self.clients {
                    self.runtime.block_on(client.unary(payload.clone()))?;
                }
            }
            ["burst", calls] => {
                let calls: usize = calls.parse()?;
                for client in &self.clients {
                    self.runtime.block_on(burst(client, calls))?;
                }
            }
            [which @ ("storm" | "rehearse"), octets] => {
                let clients = if which == "storm" { &self.clients } else { &self.warm };
                let payload = Bytes::from(vec![7; octets.parse()?]);
                self.runtime.block_on(storm(clients, payload))?;
            }
            ["hold", streams] => {
                let streams: usize = streams.parse()?;
                self.held.reserve_exact(self.clients.len() * streams);
                for client in &mut self.clients {
                    for _ in 0..streams {
                        self.held.push(self.runtime.block_on(client.hold())?);
                    }
                }
            }
            _ => return Err("not a task".into()),
        }
        Ok(String::new())
    }

    fn listen(&self) -> Result<String, BoxError> {
        let listener = self.runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let addr = listener.local_addr()?;
        self.runtime.spawn(async {
            // The clients notice, and say so.
            drop(S::serve(listener, Options::default()).await);
        });
        Ok(addr.to_string())
    }

    fn count(&self) -> Result<String, BoxError> {
        let heap = self.heap.usage().live;
        let rss = rss().ok_or("this system does not say how much memory is resident")?;
        let pool = BufferPool::global().stats();
        Ok(format!("{heap} {rss} {} {}", pool.blocks_out, pool.octets_idle))
    }
}

async fn burst<C: Client>(client: &C, calls: usize) -> Result<(), BoxError> {
    let mut callers = JoinSet::new();
    for _ in 0..calls {
        let mut client = client.clone();
        callers.spawn(async move { client.unary(Bytes::from_static(&[7; 16])).await });
    }
    while let Some(caller) = callers.join_next().await {
        caller??;
    }
    Ok(())
}

async fn storm<C: Client>(clients: &[C], payload: Bytes) -> Result<(), BoxError> {
    let mut callers = JoinSet::new();
    for client in clients {
        let (mut client, payload) = (client.clone(), payload.clone());
        callers.spawn(async move { client.unary(payload).await });
    }
    while let Some(caller) = callers.join_next().await {
        caller??;
    }
    Ok(())
}
