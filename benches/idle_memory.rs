//! What an idle connection and an idle stream cost: live heap and resident memory, each side in a process of its own.
//!
//! ```text
//! cargo bench --bench idle_memory -- [--quick] [--connections N]
//! ```

mod common;

use std::{fmt, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use millpond_testkit::{heap::CountingAllocator, table::Table};

use common::{
    BoxError, grpc, hyper,
    idle::{self, Cost, Pair, Subject},
    raw,
};

#[global_allocator]
static HEAP: CountingAllocator = CountingAllocator::new();

/// Measures what idle connections and streams cost.
#[derive(Parser)]
struct Flags {
    /// Connections; a tenth of them where each holds 100 streams.
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u16).range(10..=19_000))]
    connections: u16,
    /// A hundred connections and short rests: shows that the bench works, not what connections cost.
    #[arg(long)]
    quick: bool,
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    #[command(hide = true, name = idle::WORKER)]
    Worker { stack: String },
}

const SUBJECTS: [Subject; 7] = [
    Subject::ours::<raw::Millpond>(true),
    Subject::ours::<raw::Millpond>(false),
    Subject::stock::<raw::H2>(),
    Subject::stock::<hyper::Hyper>(),
    Subject::ours::<grpc::Millpond>(true),
    Subject::ours::<grpc::Millpond>(false),
    Subject::stock::<grpc::Tonic>(),
];

/// Calls that each connection makes at once.
const BURST: usize = 100;

/// Streams that each connection holds in the end.
const STREAMS: usize = 100;

fn main() -> Result<ExitCode, BoxError> {
    let flags = Flags::parse();
    if let Some(Role::Worker { stack }) = flags.role {
        return idle::work(&stack, &HEAP).map(|()| ExitCode::SUCCESS);
    }
    let (connections, settle) = match flags.quick {
        true => (100, Duration::from_millis(100)),
        // The pool gives back what it did not need twice in a row, every 2 s.
        false => (usize::from(flags.connections), Duration::from_secs(6)),
    };
    println!(
        "octets for each connection; one process with one thread for each side; every crate with its defaults;\n\
         calls are made one connection after the other; counted after {settle:?} of rest.\n\
         Heap: live octets of the Rust allocator. Blocks of 16 KiB and more are mappings of their own, which it does\n\
         not see; RSS has what of them was touched. Idle in pools: octets of both processes together.\n\
         gRPC rows include tonic's own buffers for each stream (its codecs); hyper's server has a task for each stream;\n\
         the other raw rows have nothing above the transport.\n"
    );
    let mut report = Report::default();
    for subject in &SUBJECTS {
        let mut pair = Pair::start(subject, connections, settle)?;
        report.add("fresh", subject, pair.count()?);
        pair.call(16)?;
        report.add("after a call with 16 octets up and down", subject, pair.count()?);
        pair.burst(BURST)?;
        report.add("after 100 such calls at once", subject, pair.count()?);
        pair.call(1 << 20)?;
        report.add("after a call with 1 MiB up and down", subject, pair.count()?);
        drop(pair);
        let mut pair = Pair::start(subject, connections / 10, settle)?;
        pair.hold(1)?;
        let one = pair.count()?;
        report.add("with one idle stream, open both ways", subject, one);
        pair.hold(STREAMS - 1)?;
        let all = pair.count()?;
        report.add("with 100 idle streams, open both ways", subject, all);
        let more = |side: usize| Cost {
            heap: all[side].heap.saturating_sub(one[side].heap) / (STREAMS - 1),
            rss: all[side].rss.saturating_sub(one[side].rss) / (STREAMS - 1),
            ..all[side]
        };
        report.add("each of these streams after the first", subject, [more(0), more(1)]);
        eprintln!("{}: done", subject.name());
    }
    println!("{report}");
    Ok(if report.blocks_out == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One table for each state.
#[derive(Default)]
struct Report {
    states: Vec<(&'static str, Table)>,
    blocks_out: usize,
}

impl Report {
    fn add(&mut self, state: &'static str, subject: &Subject, costs: [Cost; 2]) {
        let at = self.states.iter().position(|(name, _)| *name == state).unwrap_or_else(|| {
            self.states.push((state, idle::table()));
            self.states.len() - 1
        });
        self.states[at].1.row(idle::row(subject, costs));
        self.blocks_out += costs.iter().map(|side| side.blocks_out).sum::<usize>();
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (state, table) in &self.states {
            writeln!(f, "{state}\n{table}")?;
        }
        write!(f, "blocks still out: {}", self.blocks_out)
    }
}
