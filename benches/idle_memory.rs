//! What an idle connection and an idle stream cost: live heap and resident memory, each side in a process of its own.
//!
//! ```text
//! cargo bench --bench idle_memory -- [--quick] [--connections N] [--subject millpond] [--part idle|storm]
//! ```

mod common;

use std::{fmt, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};
use millpond_testkit::{
    heap::CountingAllocator,
    table::{Table, octets},
};

use common::{
    BoxError, grpc, hyper,
    idle::{self, Books, Cost, Pair, Subject},
    raw,
    results::Results,
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
    /// Only those whose name begins so.
    #[arg(long, default_value = "")]
    subject: String,
    /// Only this part: connections and streams that are idle, or what a process holds after a storm.
    #[arg(long)]
    part: Option<Part>,
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Idle,
    Storm,
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

/// Streams that each connection opens at once, with a call in each, and closes.
const BURST: usize = 64;

/// Streams that each connection holds in the end.
const STREAMS: usize = 100;

/// Connections that move a [`LONG`] message up and down, all at once.
const STORM: usize = 2_000;

/// Octets of a long message.
const LONG: usize = 1 << 20;

fn main() -> Result<ExitCode, BoxError> {
    let flags = Flags::parse();
    if let Some(Role::Worker { stack }) = flags.role {
        return idle::work(&stack, &HEAP).map(|()| ExitCode::SUCCESS);
    }
    let (connections, storm) = match flags.quick {
        true => (100, 20),
        false => (usize::from(flags.connections), STORM),
    };
    let [settle, long_settle] = match flags.quick {
        true => [Duration::from_millis(100); 2],
        // The pool gives back what it did not need twice in a row, every 2 s.
        false => [6, 10].map(Duration::from_secs),
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
    for subject in SUBJECTS.iter().filter(|subject| subject.name().starts_with(&flags.subject)) {
        if flags.part != Some(Part::Storm) {
            report.measure_idle(subject, connections, settle)?;
        }
        if flags.part != Some(Part::Idle) {
            let mut pair = Pair::start(subject, storm, settle)?;
            pair.call(16)?;
            pair.rehearse(LONG)?;
            let before = pair.trimmed(long_settle)?;
            pair.storm(LONG)?;
            let later = pair.whole(long_settle)?;
            report.storms.push((*subject, [before, later, pair.trimmed(Duration::ZERO)?]));
        }
        eprintln!("{}: done", subject.name());
    }
    println!("{report}");
    report.write(flags.quick, storm)?;
    Ok(if report.blocks_out == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a connection of each subject costs on both sides.
type Costs = Vec<(Subject, [Cost; 2])>;

/// One table for each state.
#[derive(Default)]
struct Report {
    states: Vec<(&'static str, Costs)>,
    /// Both sides before the storm, some time after it, and when free pages went back to the system.
    storms: Vec<(Subject, [[Books; 2]; 3])>,
    blocks_out: usize,
}

impl Report {
    fn add(&mut self, state: &'static str, subject: &Subject, costs: [Cost; 2]) {
        let at = self.states.iter().position(|(name, _)| *name == state).unwrap_or_else(|| {
            self.states.push((state, Vec::new()));
            self.states.len() - 1
        });
        self.states[at].1.push((*subject, costs));
        self.blocks_out += costs.iter().map(|side| side.blocks_out).sum::<usize>();
    }

    /// Connections in one state after another, then streams.
    fn measure_idle(
        &mut self,
        subject: &Subject,
        connections: usize,
        settle: Duration,
    ) -> Result<(), BoxError> {
        let mut pair = Pair::start(subject, connections, settle)?;
        self.add("fresh", subject, pair.count()?);
        pair.call(16)?;
        self.add("after a call with 16 octets up and down", subject, pair.count()?);
        pair.call(LONG)?;
        self.add("after another with 1 MiB up and down", subject, pair.count()?);
        pair.burst(BURST)?;
        self.add("after 64 streams at once, opened and closed", subject, pair.count()?);
        drop(pair);
        let mut pair = Pair::start(subject, connections / 10, settle)?;
        pair.hold(1)?;
        let one = pair.count()?;
        self.add("with one idle stream, open both ways", subject, one);
        pair.hold(STREAMS - 1)?;
        let all = pair.count()?;
        self.add("with 100 idle streams, open both ways", subject, all);
        let more = |side: usize| Cost {
            heap: all[side].heap.saturating_sub(one[side].heap) / (STREAMS - 1),
            rss: all[side].rss.saturating_sub(one[side].rss) / (STREAMS - 1),
            ..all[side]
        };
        self.add("each of these streams after the first", subject, [more(0), more(1)]);
        Ok(())
    }

    fn write(&self, quick: bool, storm: usize) -> Result<(), BoxError> {
        let mut results = Results::new("idle_memory", quick);
        for (state, costs) in &self.states {
            let table = format!("idle connection, {state}");
            for (side, name) in SIDES.into_iter().enumerate() {
                let each = |of: fn(&Cost) -> usize| {
                    costs.iter().map(move |(subject, costs)| (subject.name(), of(&costs[side]) as f64))
                };
                results.add(&table, format!("{name}, heap"), "octets", each(|cost| cost.heap));
                results.add(&table, format!("{name}, RSS"), "octets", each(|cost| cost.rss));
            }
        }
        if self.storms.is_empty() {
            return Ok(results.write()?);
        }
        let table =
            format!("process with {storm} connections, before and after 1 MiB up and down on all at once");
        for (side, name) in SIDES.into_iter().enumerate() {
            for (when, what) in ["before", "later", "trimmed"].into_iter().enumerate() {
                let each = |of: fn(&Books) -> usize| {
                    let storms = self.storms.iter();
                    storms.map(move |(subject, books)| (subject.name(), of(&books[when][side]) as f64))
                };
                if what != "trimmed" {
                    results.add(&table, format!("{name}, heap {what}"), "octets", each(|books| books.heap));
                }
                results.add(&table, format!("{name}, RSS {what}"), "octets", each(|books| books.rss));
            }
        }
        Ok(results.write()?)
    }
}

const SIDES: [&str; 2] = ["client", "server"];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (state, costs) in &self.states {
            let mut table = idle::table();
            for (subject, costs) in costs {
                table.row(idle::row(subject, *costs));
            }
            writeln!(f, "{state}\n{table}")?;
        }
        let sides = SIDES.map(|side| {
            [
                format!("{side} heap"),
                "later".to_owned(),
                format!("{side} RSS"),
                "later".to_owned(),
                String::new(),
                "trimmed".to_owned(),
                String::new(),
            ]
        });
        let mut table = Table::new([String::new()].into_iter().chain(sides.into_iter().flatten()));
        for (subject, books) in &self.storms {
            let mut row = vec![subject.name()];
            for side in [0, 1] {
                let [before, after, trimmed] = books.map(|books| books[side]);
                let more = |rss: usize| format!("{:+.0} %", rss as f64 / before.rss as f64 * 100.0 - 100.0);
                row.extend([before.heap, after.heap, before.rss, after.rss].map(octets));
                row.extend([more(after.rss), octets(trimmed.rss), more(trimmed.rss)]);
            }
            table.row(row);
        }
        if self.storms.is_empty() {
            return write!(f, "blocks still out: {}", self.blocks_out);
        }
        writeln!(f, "each process before all connections move 1 MiB up and down at once, and a rest later")?;
        writeln!(f, "{table}")?;
        write!(f, "blocks still out: {}", self.blocks_out)
    }
}
