//! What idle connections cost, each side in a process of its own.
//!
//! The parent starts two workers, further processes of its own program, which hold the clients and the servers. A few
//! connections warm both up before anything is counted: what a process needs once is not the cost of a connection.

use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use millpond_testkit::heap::CountingAllocator;
use millpond_testkit::rss;
use millpond_testkit::stock::Running;
use millpond_testkit::worker::{Worker, obey};
use tokio::runtime::Runtime;

use crate::BoxError;
use crate::pair::{Client, Pair};
use crate::pool;

/// The first argument of a worker; the pair's name follows.
pub const WORKER: &str = "worker";

/// How long a worker may take for one task.
const LIMIT: Duration = Duration::from_secs(120);

/// Connections that are made and used before anything is counted.
const WARM: usize = 8;

/// The sides, as the reports name them.
pub const SIDES: [&str; 2] = ["client", "server"];

/// What the connections have done when they are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing but the handshake.
    Fresh,
    /// One call with a few octets.
    Called,
    /// And one with 1 MiB up and down.
    Carried,
}

impl State {
    /// In the order in which a connection comes to them.
    pub const ALL: [Self; 3] = [Self::Fresh, Self::Called, Self::Carried];

    /// What tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fresh => "after the handshake",
            Self::Called => "after one call",
            Self::Carried => "after 1 MiB up and down",
        }
    }

    /// Octets of the call that leads to it.
    fn call(self) -> Option<usize> {
        match self {
            Self::Fresh => None,
            Self::Called => Some(16),
            Self::Carried => Some(1 << 20),
        }
    }
}

/// What a worker asks of its allocator.
pub trait Ledger: Sync {
    /// Octets allocated and not yet freed.
    fn live(&self) -> usize;

    /// From now on, remembers who allocates.
    fn record(&self) -> Result<(), BoxError> {
        Err("this allocator only counts".into())
    }

    /// What is live of all that was allocated since, a line for each owner.
    fn owners(&self) -> Result<String, BoxError> {
        Err("this allocator only counts".into())
    }
}

impl Ledger for CountingAllocator {
    fn live(&self) -> usize {
        self.usage().live
    }
}

/// What one process holds.
#[derive(Clone, Copy, Debug)]
struct Books {
    heap: usize,
    rss: usize,
    blocks_out: usize,
}

/// What one side holds for each connection, beyond what it held before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Live octets of the heap, those idle in the pool included.
    pub heap: usize,
    /// Resident octets of the process.
    pub rss: usize,
    /// Blocks of the pool in use: of all connections together.
    pub blocks_out: usize,
}

/// Both sides of many connections.
pub struct Connections {
    sides: [Worker; 2],
    before: [Books; 2],
    count: usize,
    settle: Duration,
}

impl Connections {
    /// Starts both workers, warms them up and makes the connections. Each count waits for `settle` first.
    pub fn start(pair: Pair, count: usize, settle: Duration) -> Result<Self, BoxError> {
        Self::start_and(pair, count, settle, |_| Ok(()))
    }

    /// The same, with something to do before the connections that count.
    pub fn start_and(
        pair: Pair,
        count: usize,
        settle: Duration,
        prepare: impl Fn(&mut Worker) -> Result<(), BoxError>,
    ) -> Result<Self, BoxError> {
        let mut sides = [worker(pair)?, worker(pair)?];
        let addr: SocketAddr = sides[1].ask("listen")?.parse()?;
        sides[0].ask(format_args!("connect {addr} {WARM}"))?;
        sides[0].ask("call 16")?;
        sides[0].ask("set aside")?;
        for side in &mut sides {
            prepare(side)?;
        }
        thread::sleep(settle);
        let before = [books(&mut sides[0])?, books(&mut sides[1])?];
        sides[0].ask(format_args!("connect {addr} {count}"))?;
        Ok(Self { sides, before, count, settle })
    }

    /// Brings every connection to this state, one after the other.
    pub fn bring_to(&mut self, state: State) -> Result<(), BoxError> {
        if let Some(octets) = state.call() {
            self.sides[0].ask(format_args!("call {octets}"))?;
        }
        Ok(())
    }

    /// Lets everything rest and counts: the client's side, the server's side.
    pub fn count(&mut self) -> Result<[Cost; 2], BoxError> {
        thread::sleep(self.settle);
        let each = |now: usize, before: usize| now.saturating_sub(before) / self.count;
        let mut costs = Vec::new();
        for (side, before) in self.sides.iter_mut().zip(self.before) {
            let now = books(side)?;
            costs.push(Cost {
                heap: each(now.heap, before.heap),
                rss: each(now.rss, before.rss),
                blocks_out: now.blocks_out,
            });
        }
        Ok([costs[0], costs[1]])
    }

    /// Asks both sides the same.
    pub fn ask(&mut self, task: &str) -> io::Result<[String; 2]> {
        let [client, server] = &mut self.sides;
        Ok([client.ask(task)?, server.ask(task)?])
    }
}

fn worker(pair: Pair) -> io::Result<Worker> {
    Worker::start(Command::new(std::env::current_exe()?).args([WORKER, pair.name()]), LIMIT)
}

fn books(worker: &mut Worker) -> Result<Books, BoxError> {
    let answer = worker.ask("count")?;
    let figures: Vec<usize> = answer.split(' ').map_while(|figure| figure.parse().ok()).collect();
    match figures[..] {
        [heap, rss, blocks_out] => Ok(Books { heap, rss, blocks_out }),
        _ => Err(format!("not the books: {answer}").into()),
    }
}

/// What a worker does: whatever its parent asks, until that is gone.
pub fn work(pair: &str, ledger: &'static impl Ledger) -> Result<(), BoxError> {
    // One thread moves all connections while this one waits for tasks.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let pair = Pair::named(pair)?;
    let mut side = Side { pair, ledger, runtime, warm: Vec::new(), clients: Vec::new(), server: None };
    Ok(obey(|task| side.perform(task))?)
}

/// One side of all connections, in a worker.
struct Side<L: 'static> {
    pair: Pair,
    ledger: &'static L,
    runtime: Runtime,
    warm: Vec<Client>,
    clients: Vec<Client>,
    server: Option<Running>,
}

impl<L: Ledger> Side<L> {
    fn perform(&mut self, task: &str) -> Result<String, BoxError> {
        match task.split(' ').collect::<Vec<_>>()[..] {
            ["listen"] => {
                let server = self.pair.serve(self.runtime.handle())?;
                let addr = server.addr().to_string();
                self.server = Some(server);
                return Ok(addr);
            }
            ["count"] => {
                let heap = self.ledger.live();
                let rss = rss().ok_or("this system does not say how much memory is resident")?;
                return Ok(format!("{heap} {rss} {}", pool::blocks_out()));
            }
            ["owners"] => return self.ledger.owners(),
            ["record"] => self.ledger.record()?,
            ["set", "aside"] => self.warm.append(&mut self.clients),
            ["connect", addr, count] => {
                let (addr, count) = (addr.parse()?, count.parse()?);
                self.clients.reserve_exact(count);
                for _ in 0..count {
                    let client = self.runtime.block_on(self.pair.connect(addr))?;
                    self.clients.push(client);
                }
            }
            ["call", octets] => {
                let payload = Bytes::from(vec![7; octets.parse()?]);
                for client in &mut self.clients {
                    self.runtime.block_on(client.call(payload.clone()))?;
                }
            }
            _ => return Err("not a task".into()),
        }
        Ok(String::new())
    }
}
