//! Instructions and allocations of fixed scripts of calls, against what is committed in `counts.json`.
//!
//! ```text
//! cargo bench --bench ci_instructions [-- --check | --write | --list | --spread]
//! ```
//!
//! Each script runs twice under callgrind, and longer the second time; the difference is what one call costs, without
//! what comes before it. Nothing in a script depends on time, on the network or on threads. `--check` fails if a count
//! has grown by more than 3 % over the committed one, or a call by half an allocation; `--write` commits to what is counted now; `--list` names every
//! place that allocates in a unary call; `--spread` counts three times and shows how far apart the counts are.
//!
//! Places are named by the line tables of the program, so the build needs `CARGO_PROFILE_BENCH_DEBUG=line-tables-only`.
//! Compilers count differently: `counts.json` says which one it was, and with any other a growth is told and no failure.

mod allocations;
#[path = "../common/mod.rs"]
mod common;
mod script;
mod valgrind;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use clap::{Parser, Subcommand};
use millpond_testkit::table::Table;
use serde::{Deserialize, Serialize};

use allocations::Side;
use common::{BoxError, results::Results};
use script::{SCRIPTS, Script};

/// Counts instructions and allocations.
#[derive(Parser)]
struct Flags {
    /// Fail if a count has grown by more than 3 %.
    #[arg(long)]
    check: bool,
    /// Write the counts down, to be committed.
    #[arg(long, conflicts_with = "check")]
    write: bool,
    /// Name every place that allocates in a unary call.
    #[arg(long)]
    list: bool,
    /// Count everything three times.
    #[arg(long)]
    spread: bool,
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    #[command(hide = true)]
    Run { script: String, length: usize },
    #[command(hide = true, name = allocations::RUN)]
    Allocations { calls: usize },
}

/// How much a count may grow.
const ALLOWED: f64 = 1.03;

/// By how many allocations a call may grow: which thread comes first moves a fraction of one from place to place.
const ALLOWED_ALLOCATIONS: f64 = 0.5;

/// What is committed.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Counts {
    /// The compiler that it was counted with.
    compiler: String,
    /// Instructions of one of what each script does.
    instructions: BTreeMap<String, u64>,
    /// The same of stock peers, which are not checked.
    stock: BTreeMap<String, u64>,
    /// Heap allocations of a unary call in the transport.
    allocations: BTreeMap<String, f64>,
}

fn main() -> Result<ExitCode, BoxError> {
    let flags = Flags::parse();
    match flags.role {
        Some(Role::Run { script, length }) => {
            Script::of(&script)?.run(length)?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Role::Allocations { calls }) => {
            allocations::run(calls)?;
            return Ok(ExitCode::SUCCESS);
        }
        None => {}
    }
    if flags.spread {
        spread()?;
        return Ok(ExitCode::SUCCESS);
    }
    let places = allocations::places()?;
    if flags.list {
        list(&places);
        return Ok(ExitCode::SUCCESS);
    }
    let mut now = Counts { compiler: compiler()?, ..Counts::default() };
    for (name, side) in [("client", Side::Client), ("server", Side::Server)] {
        now.allocations.insert(name.to_owned(), allocations::in_transport(&places, side));
    }
    // A check is of ours alone.
    for script in SCRIPTS.iter().filter(|script| !(flags.check && script.stock)) {
        let counts = if script.stock { &mut now.stock } else { &mut now.instructions };
        counts.insert(script.name.to_owned(), count(script)?);
    }
    if flags.write {
        let mut text = serde_json::to_string_pretty(&now)?;
        text.push('\n');
        fs::write(file(), text)?;
    }
    let committed: Counts = serde_json::from_slice(&fs::read(file())?)?;
    let grown = show(&now, &committed);
    if !flags.check {
        results(&now).write()?;
        return Ok(ExitCode::SUCCESS);
    }
    if grown.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if now.compiler != committed.compiler {
        // It says nothing of the code. CI looks for this line.
        println!("NOT CHECKED: {} is not {}, which counts.json is of", now.compiler, committed.compiler);
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("grown: {}", grown.join("; "));
    eprintln!("if that is meant, commit what `cargo bench --bench ci_instructions -- --write` writes");
    Ok(ExitCode::FAILURE)
}

/// Instructions of one of what the script does.
fn count(script: &Script) -> Result<u64, BoxError> {
    let run = |length: usize| valgrind::instructions(&["run", script.name, &length.to_string()]);
    let (few, many) = (run(script.first)?, run(script.first + script.more)?);
    Ok(many.saturating_sub(few) / script.more as u64)
}

/// Prints both, and gives what has grown, or is not committed.
fn show(now: &Counts, committed: &Counts) -> Vec<String> {
    let mut table = Table::new(["", "now", "committed", "ratio"]);
    let mut grown = Vec::new();
    let mut compare = |name: String, now: f64, committed: Option<f64>, most: Option<f64>| {
        let ratio = committed.map(|committed| now / committed);
        if most.is_some_and(|most| now > most) {
            grown.push(name.clone());
        }
        let show = |figure: Option<f64>, digits| figure.map_or("-".to_owned(), |it| format!("{it:.digits$}"));
        let digits = if now < 100.0 { 2 } else { 0 };
        table.row([name, show(Some(now), digits), show(committed, digits), show(ratio, 3)]);
    };
    for (counts, old, checked) in
        [(&now.instructions, &committed.instructions, true), (&now.stock, &committed.stock, false)]
    {
        for (name, count) in counts {
            let old = old.get(name).map(|count| *count as f64);
            // What is not committed has grown from nothing.
            compare(name.clone(), *count as f64, old, checked.then(|| old.unwrap_or(0.0) * ALLOWED));
        }
    }
    for (side, count) in &now.allocations {
        let name = format!("allocations of a unary call, {side}");
        let old = committed.allocations.get(side).copied();
        compare(name, *count, old, Some(old.unwrap_or(0.0) + ALLOWED_ALLOCATIONS));
    }
    println!("{table}");
    grown
}

fn results(now: &Counts) -> Results {
    let mut results = Results::new("ci_instructions", false);
    for (name, count) in &now.instructions {
        let mut figures = vec![("millpond", *count as f64)];
        for (stock, subject) in [(format!("{name}, h2"), "h2"), ("gRPC call, tonic".to_owned(), "tonic")] {
            let same = subject == "h2" || name.starts_with("gRPC call");
            figures.extend(now.stock.get(&stock).filter(|_| same).map(|count| (subject, *count as f64)));
        }
        results.add("instructions", name, "instructions", figures);
    }
    for (side, count) in &now.allocations {
        results.add(
            "allocations of a unary call in the transport",
            side,
            "allocations",
            [("millpond", *count)],
        );
    }
    results
}

fn list(places: &[allocations::Place]) {
    for side in [Side::Client, Side::Server] {
        for (transport, whose) in [(true, "in the transport"), (false, "of the bench")] {
            let these = || places.iter().filter(|place| place.side == side && place.transport == transport);
            let sum: f64 = these().map(|place| place.times).sum();
            println!("{side:?}, {whose}: {sum:.2} allocations for each unary call");
            // What happens once, or now and then, is not of a call.
            let often = these().filter(|place| place.times >= 0.01);
            often.for_each(|place| println!("  {:5.2}  {}", place.times, place.name()));
        }
    }
}

fn spread() -> Result<(), BoxError> {
    let mut table = Table::new(["", "least", "most", "spread"]);
    for script in &SCRIPTS {
        let counts = [count(script)?, count(script)?, count(script)?];
        let (least, most) = (counts.iter().min().unwrap_or(&0), counts.iter().max().unwrap_or(&0));
        let spread = (*most as f64 / *least as f64 - 1.0) * 100.0;
        table.row([script.name.to_owned(), least.to_string(), most.to_string(), format!("{spread:.3} %")]);
    }
    println!("{table}");
    Ok(())
}

fn compiler() -> Result<String, BoxError> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/ci_instructions/counts.json")
}
