//! What an idle connection of stock hyper and stock tonic costs on millpond and on the real h2: builds and runs `idle` of
//! both workspaces, then `owners`, and prints their figures side by side.
//!
//! ```text
//! cargo run --release --bin compare [-- --quick]
//! ```

use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use clap::Parser;
use millpond_testkit::table::Table;
use showcase::BoxError;
use showcase::builds::Build;

/// Compares what idle connections cost.
#[derive(Parser)]
struct Flags {
    /// A hundred connections and short rests: the heap hardly differs, RSS does.
    #[arg(long)]
    quick: bool,
    /// Connections of each pair.
    #[arg(long, default_value_t = 1000)]
    connections: u16,
    /// Fails when both sides together are above so many hundredths of what they are on h2.
    #[arg(long, default_value_t = 35.0)]
    at_most: f64,
}

/// A line of `idle`.
#[derive(Clone)]
struct Line {
    pair: String,
    side: String,
    state: String,
    heap: usize,
    rss: usize,
    blocks_out: usize,
}

fn main() -> Result<ExitCode, BoxError> {
    let flags = Flags::parse();
    let (connections, settle) = if flags.quick { (100, 500) } else { (flags.connections, 6000) };
    eprintln!("building both");
    let [facade, stock] = [Build::Facade.program("idle")?, Build::Stock.program("idle")?];
    let owners = Build::Facade.program("owners")?;
    let arguments = [format!("--connections={connections}"), format!("--settle={settle}")];
    eprintln!("{connections} connections of each pair on h2");
    let on_h2 = idle(&stock, "h2", &arguments)?;
    eprintln!("{connections} connections of each pair on millpond");
    let on_millpond = idle(&facade, "millpond", &arguments)?;

    println!(
        "octets for each idle connection, {connections} of them; each side in a process of its own, with one thread;\n\
         every crate with its defaults. Heap: live octets of the Rust allocator. Blocks of 16 KiB and more are mappings of\n\
         their own, which it does not see; RSS has what of them was touched.\n"
    );
    let mut table = Table::new([
        "pair",
        "side",
        "state",
        "heap on h2",
        "on millpond",
        "ratio",
        "RSS on h2",
        "on millpond",
        "ratio",
    ]);
    let (mut worst, mut blocks_out) = (0.0_f64, 0);
    // The lines of a state are the client's and the server's.
    for (ours, theirs) in on_millpond.chunks(2).zip(on_h2.chunks(2)) {
        let [mine, stock] = [ours, theirs].map(|sides| sides.iter().cloned().reduce(Line::and));
        let (Some(mine), Some(stock)) = (mine, stock) else { break };
        worst = worst.max(hundredths(mine.heap, stock.heap));
        blocks_out += mine.blocks_out;
        for (ours, theirs) in ours.iter().zip(theirs).chain([(&mine, &stock)]) {
            table.row(row(ours, theirs));
        }
    }
    println!("{table}");
    println!("blocks still out: {blocks_out}");
    println!("highest ratio of heaps, both sides: {worst:.1} %; at most {:.1} % is wanted\n", flags.at_most);

    let status = Command::new(owners).status()?;
    if !status.success() {
        return Err(io::Error::other("owners failed").into());
    }
    let good = blocks_out == 0 && worst <= flags.at_most;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs one build of `idle`, which must be the one that it should be.
fn idle(program: &Path, carrier: &str, arguments: &[String]) -> Result<Vec<Line>, BoxError> {
    let output = Command::new(program).args(arguments).stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8(output.stdout)?;
    let mut lines = text.lines();
    let head = lines.next().unwrap_or_default();
    if !head.starts_with(&format!("# on {carrier}:")) {
        return Err(format!("{} should be on {carrier}; it says {head:?}", program.display()).into());
    }
    let lines: Vec<Line> = lines.map(Line::parse).collect::<Option<_>>().ok_or("not a line of idle")?;
    // It fails for blocks that are out as well, which the table shows.
    if lines.is_empty() || (!output.status.success() && lines.iter().all(|line| line.blocks_out == 0)) {
        return Err(format!("{} ended with {}", program.display(), output.status).into());
    }
    Ok(lines)
}

fn hundredths(ours: usize, theirs: usize) -> f64 {
    100.0 * ours as f64 / theirs as f64
}

/// The same on both.
fn row(ours: &Line, theirs: &Line) -> [String; 9] {
    [
        ours.pair.clone(),
        ours.side.clone(),
        ours.state.clone(),
        theirs.heap.to_string(),
        ours.heap.to_string(),
        format!("{:.1} %", hundredths(ours.heap, theirs.heap)),
        theirs.rss.to_string(),
        ours.rss.to_string(),
        format!("{:.1} %", hundredths(ours.rss, theirs.rss)),
    ]
}

impl Line {
    /// This side and the other.
    fn and(self, other: Self) -> Self {
        Self {
            side: "both".to_owned(),
            heap: self.heap + other.heap,
            rss: self.rss + other.rss,
            blocks_out: self.blocks_out + other.blocks_out,
            ..self
        }
    }

    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.splitn(6, ' ');
        let (pair, side) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let mut figure = || parts.next()?.parse().ok();
        let (heap, rss, blocks_out) = (figure()?, figure()?, figure()?);
        Some(Self { pair, side, state: parts.next()?.to_owned(), heap, rss, blocks_out })
    }
}
