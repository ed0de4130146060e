//! Calls in a second through stock hyper and stock tonic, on millpond and on the real h2, by turns.
//!
//! ```text
//! cargo run --release --bin rate [-- --quick] [--pair tonic] [--threads 1] [--octets 1024] [--in-flight 8]
//! ```
//!
//! Each build has a process of its own, and one of them works at a time: rounds of the two take turns, in changing order,
//! so that a slow moment of the machine hits both.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use clap::{Parser, Subcommand};
use millpond_testkit::table::{Table, octets};
use millpond_testkit::worker::Worker;
use showcase::BoxError;
use showcase::builds::Build;
use showcase::pair::Pair;
use showcase::rate::{self, Cell, Round};

/// Compares rates of calls.
#[derive(Parser)]
struct Flags {
    /// One short round of everything: shows that it works, not how fast anything is.
    #[arg(long)]
    quick: bool,
    /// Rounds of each build; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Milliseconds of each round.
    #[arg(long, default_value_t = 200)]
    millis: u64,
    /// Only this pair.
    #[arg(long, value_enum)]
    pair: Option<Pair>,
    /// Only this many threads: 1 or 2.
    #[arg(long)]
    threads: Option<usize>,
    /// Only calls of so many octets.
    #[arg(long)]
    octets: Option<usize>,
    /// Only so many calls at once.
    #[arg(long)]
    in_flight: Option<usize>,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    #[command(hide = true)]
    Worker,
}

impl Flags {
    fn wants(&self, cell: Cell) -> bool {
        self.pair.is_none_or(|only| only == cell.pair)
            && self.threads.is_none_or(|only| only == cell.threads)
            && self.octets.is_none_or(|only| only == cell.octets)
            && self.in_flight.is_none_or(|only| only == cell.in_flight)
    }
}

fn main() -> Result<(), BoxError> {
    let mut flags = Flags::parse();
    if let Some(Role::Worker) = flags.role {
        return rate::work();
    }
    if flags.quick {
        (flags.rounds, flags.millis) = (1, 5);
    }
    eprintln!("building both");
    let mut ours = worker(&Build::Facade.program("rate")?)?;
    let mut theirs = worker(&Build::Stock.program("rate")?)?;
    println!(
        "one connection, client and server in one process; {} rounds of {} ms each, by turns; rates are medians.\n\
         ratio: the rate on millpond to that on h2, above 1 is better; cpu: processor time of a call, below 1 is better.\n",
        flags.rounds, flags.millis
    );
    let mut table =
        Table::new(["pair", "threads", "octets", "in flight", "on h2", "on millpond", "ratio", "cpu"]);
    let mut ratios = Vec::new();
    for cell in Cell::all().filter(|cell| flags.wants(*cell)) {
        let (mine, stock) = turns(&mut ours, &mut theirs, cell, &flags)?;
        let ratio = mine.rate / stock.rate;
        ratios.push(ratio);
        let cpu =
            mine.cpu.zip(stock.cpu).map_or("-".to_owned(), |(mine, stock)| format!("{:.2}", mine / stock));
        table.row([
            cell.pair.name().to_owned(),
            cell.threads.to_string(),
            octets(cell.octets),
            cell.in_flight.to_string(),
            format!("{:.0}/s", stock.rate),
            format!("{:.0}/s", mine.rate),
            format!("{ratio:.2}"),
            cpu,
        ]);
    }
    println!("{table}");
    ratios.sort_by(f64::total_cmp);
    if let [lowest, .., highest] = ratios[..] {
        let median = ratios[ratios.len() / 2];
        println!("{} ratios: lowest {lowest:.2}, median {median:.2}, highest {highest:.2}", ratios.len());
    }
    Ok(())
}

fn worker(program: &Path) -> io::Result<Worker> {
    // Even a short round is 64 calls of a mebibyte: slow without optimization, on a busy machine.
    Worker::start(Command::new(program).arg("worker"), Duration::from_secs(600))
}

/// All rounds of one cell, and the median of each build.
fn turns(
    ours: &mut Worker,
    theirs: &mut Worker,
    cell: Cell,
    flags: &Flags,
) -> Result<(Round, Round), BoxError> {
    let round = |worker: &mut Worker, millis: u64| -> Result<Round, BoxError> {
        Round::parse(&worker.ask(format_args!("{cell} {millis}"))?)
    };
    // What is used for the first time is not measured.
    round(ours, flags.millis / 5)?;
    round(theirs, flags.millis / 5)?;
    let (mut mine, mut stock) = (Vec::new(), Vec::new());
    for turn in 0..flags.rounds.max(1) {
        if turn % 2 == 0 {
            mine.push(round(ours, flags.millis)?);
            stock.push(round(theirs, flags.millis)?);
        } else {
            stock.push(round(theirs, flags.millis)?);
            mine.push(round(ours, flags.millis)?);
        }
    }
    Ok((median(mine), median(stock)))
}

/// The medians of rate and processor time.
fn median(mut rounds: Vec<Round>) -> Round {
    let middle = rounds.len() / 2;
    rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    let rate = rounds[middle].rate;
    let mut cpu: Vec<f64> = rounds.iter().filter_map(|round| round.cpu).collect();
    cpu.sort_by(f64::total_cmp);
    Round { rate, cpu: cpu.get(cpu.len() / 2).copied() }
}
