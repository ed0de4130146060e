//! Large numbers: a million connections, a million streams, and what a call costs among them; and two threads for one.
//!
//! ```text
//! cargo bench --bench scale -- [--quick] [--full] [--part connections|streams|calls|threads]
//! ```
//!
//! - *connections*: a server process with connections that are not sockets, each having made a call ([`hall`]). What the
//!   connections themselves cost, without a server, is measured first and taken off. 100,000 of them; a million with
//!   `--full`.
//! - *streams*: idle streams with a gRPC head, 100 on each connection, over real sockets; 1,000 connections, or 10,000
//!   with `--full`.
//! - *calls*: processor time of a call with so many streams, or connections, open beside it.
//! - *threads*: calls in a second on many connections, with one thread and with two.

mod calls;
#[path = "../common/mod.rs"]
mod common;
mod hall;
mod script;
mod threads;

use std::{process::ExitCode, thread, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};
use millpond_testkit::{
    heap::CountingAllocator,
    table::{Table, octets},
};

use common::{
    BoxError,
    idle::{self, Pair, Subject},
    raw,
    results::Results,
};
use hall::Hall;

#[global_allocator]
static HEAP: CountingAllocator = CountingAllocator::new();

/// Measures what large numbers cost.
#[derive(Parser)]
struct Flags {
    /// Small numbers and one round: shows that the bench works, not what anything costs.
    #[arg(long)]
    quick: bool,
    /// A million connections, and a million streams on 10,000. Needs about 8 GiB of memory.
    #[arg(long)]
    full: bool,
    /// The most connections that are not sockets; 100,000 unless --full or --quick says otherwise.
    #[arg(long)]
    connections: Option<usize>,
    /// Rounds of calls; the median counts.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Only this part.
    #[arg(long, value_enum)]
    part: Option<Part>,
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Connections,
    Streams,
    Calls,
    Threads,
}

#[derive(Subcommand)]
enum Role {
    #[command(hide = true, name = idle::WORKER)]
    Worker { stack: String },
    #[command(hide = true, name = hall::HALL)]
    Hall {
        subject: String,
        /// Its calls are timed, and its heap is not counted.
        #[arg(long)]
        timed: bool,
    },
}

/// Stock servers hold tens of kilobytes for each connection: no more of those.
const STOCK_AT_MOST: usize = 10_000;

/// Connections that are made before anything is counted: what a process needs once is not theirs.
const WARM: usize = 8;

/// Idle streams on each connection.
const STREAMS: usize = 100;

fn main() -> Result<ExitCode, BoxError> {
    let flags = Flags::parse();
    match &flags.role {
        Some(Role::Worker { stack }) => {
            idle::work(stack, &HEAP)?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Role::Hall { subject, timed }) => {
            if *timed {
                HEAP.stop();
            }
            hall::work(subject, &HEAP)?;
            return Ok(ExitCode::SUCCESS);
        }
        None => {}
    }
    let most = flags.connections.unwrap_or(match (flags.quick, flags.full) {
        (true, _) => 1_000,
        (_, true) => 1_000_000,
        _ => 100_000,
    });
    let sizes: Vec<usize> =
        [1_000, 10_000, 100_000].into_iter().filter(|size| *size < most).chain([most]).collect();
    let mut results = Results::new("scale", flags.quick);
    let wanted = |part| flags.part.is_none_or(|only| only == part);
    let settle = if flags.quick { Duration::from_millis(100) } else { Duration::from_secs(6) };
    let mut blocks_out = 0;
    if wanted(Part::Connections) {
        blocks_out += connections(&sizes, settle, &mut results)?;
    }
    if wanted(Part::Streams) {
        let connections = match (flags.quick, flags.full) {
            (true, _) => 20,
            (_, true) => 10_000,
            _ => 1_000,
        };
        blocks_out += streams(connections, settle, &mut results)?;
    }
    if wanted(Part::Calls) {
        let calls = if flags.quick { calls::Effort::quick() } else { calls::Effort::full(flags.rounds) };
        calls::beside_streams(calls, &mut results)?;
        blocks_out += calls::beside_connections(calls, most, &mut results)?;
    }
    if wanted(Part::Threads) {
        let effort = match flags.quick {
            true => threads::Effort { rounds: 1, round: Duration::from_millis(20), connections: 4 },
            false => {
                threads::Effort { rounds: flags.rounds, round: Duration::from_millis(500), connections: 100 }
            }
        };
        threads::compare(effort, &mut results)?;
    }
    println!("blocks still out: {blocks_out}");
    results.write()?;
    Ok(if blocks_out == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What connections cost a server, by their number; each has made a call.
fn connections(sizes: &[usize], settle: Duration, results: &mut Results) -> Result<usize, BoxError> {
    let title = "a server's connections that are not sockets, after a call; octets for each";
    let mut table = Table::new([
        title,
        "heap",
        "RSS",
        "RSS of the process",
        "IO alone: heap",
        "RSS",
        "a call on any of them",
    ]);
    let mut blocks_out = 0;
    for &size in sizes {
        let mut measured = Vec::new();
        let nobody = measure(hall::NOBODY, size, settle)?;
        for subject in [hall::MILLPOND, hall::HYPER] {
            if subject != hall::MILLPOND && size > STOCK_AT_MOST {
                continue;
            }
            let cost = measure(subject, size, settle)?;
            table.row([
                format!("{subject}, {size}"),
                cost.heap.saturating_sub(nobody.heap).to_string(),
                cost.rss.saturating_sub(nobody.rss).to_string(),
                octets(cost.process),
                nobody.heap.to_string(),
                nobody.rss.to_string(),
                cost.call.map_or(String::new(), |call| format!("{call:.1?}")),
            ]);
            blocks_out += cost.blocks_out;
            measured.push((subject, cost));
        }
        let each = |of: fn(&Cost) -> usize| {
            let nobody = of(&nobody);
            measured.iter().map(move |(subject, cost)| (*subject, of(cost).saturating_sub(nobody) as f64))
        };
        results.add(title, format!("heap, {size} connections"), "octets", each(|cost| cost.heap));
        results.add(title, format!("RSS, {size} connections"), "octets", each(|cost| cost.rss));
        let whole = measured.iter().map(|(subject, cost)| (*subject, cost.process as f64));
        results.add(title, format!("RSS of the process, {size} connections"), "octets", whole);
        let io = [("IO alone", nobody.rss as f64)];
        results.add(title, format!("RSS of the IO, {size} connections"), "octets", io);
        eprintln!("{size} connections: done");
    }
    println!("{table}");
    Ok(blocks_out)
}

/// What each connection costs.
#[derive(Clone, Copy)]
struct Cost {
    heap: usize,
    rss: usize,
    process: usize,
    call: Option<Duration>,
    blocks_out: usize,
}

fn measure(subject: &str, size: usize, settle: Duration) -> Result<Cost, BoxError> {
    let mut hall = Hall::start(subject, WARM)?;
    let before = hall.books()?;
    hall.add(size)?;
    // It answers on any of them.
    let call = if subject == hall::NOBODY { None } else { Some(hall.call(size.min(1_000), true)?) };
    thread::sleep(settle);
    let now = hall.books()?;
    Ok(Cost {
        heap: now.heap.saturating_sub(before.heap) / size,
        rss: now.rss.saturating_sub(before.rss) / size,
        process: now.rss,
        call,
        blocks_out: now.blocks_out,
    })
}

/// What idle streams with a gRPC head cost, over sockets.
fn streams(connections: usize, settle: Duration, results: &mut Results) -> Result<usize, BoxError> {
    let title = format!("{} idle streams on {connections} connections", connections * STREAMS);
    let mut table =
        Table::new([title.as_str(), "client heap", "client RSS", "server heap", "server RSS", "RSS of both"]);
    let mut blocks_out = 0;
    let mut rows = Vec::new();
    for subject in [Subject::ours::<raw::Millpond>(true), Subject::stock::<raw::H2>()] {
        let mut pair = Pair::start(&subject, connections, settle)?;
        pair.hold(STREAMS)?;
        let costs = pair.count()?;
        let whole = pair.whole(Duration::ZERO)?.map(|books| books.rss);
        let each = |octets: usize| (octets / STREAMS).to_string();
        let [client, server] = costs;
        table.row([
            subject.name(),
            each(client.heap),
            each(client.rss),
            each(server.heap),
            each(server.rss),
            format!("{} + {}", octets(whole[0]), octets(whole[1])),
        ]);
        blocks_out += client.blocks_out + server.blocks_out;
        rows.push((subject.name(), costs, whole));
    }
    println!("{table}");
    for (side, name) in ["client", "server"].into_iter().enumerate() {
        let each = |of: fn(&idle::Cost) -> usize| {
            rows.iter().map(move |(subject, costs, _)| (subject.clone(), (of(&costs[side]) / STREAMS) as f64))
        };
        results.add(&title, format!("{name}, heap of each"), "octets", each(|cost| cost.heap));
        results.add(&title, format!("{name}, RSS of each"), "octets", each(|cost| cost.rss));
        let whole = rows.iter().map(|(subject, _, whole)| (subject.clone(), whole[side] as f64));
        results.add(&title, format!("{name}, RSS of the process"), "octets", whole);
    }
    Ok(blocks_out)
}
