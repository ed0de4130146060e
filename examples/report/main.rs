//! Tables and charts of what the benches have found.
//!
//! ```text
//! cargo run --release --example report [-- --quick] [--docs FOLDER]
//! ```
//!
//! Reads `target/bench-results/*.json`, prints Markdown, puts it between the two markers of `docs/benchmarks.md`, and
//! draws `docs/charts/*.svg`. What a bench found with `--quick` says nothing, so it is left out unless `--quick` asks
//! for it.

mod charts;
mod markdown;
#[path = "../../benches/common/results.rs"]
#[allow(dead_code, reason = "the benches write what this reads")]
mod results;

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use clap::Parser;

use results::Results;

/// Makes tables and charts of what the benches have found.
#[derive(Parser)]
struct Flags {
    /// Also what was found with --quick: to see that this works.
    #[arg(long)]
    quick: bool,
    /// The folder with `benchmarks.md`, for the tables and the charts.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/docs"))]
    docs: PathBuf,
}

/// The benches, in the order of the report.
const BENCHES: [&str; 6] = ["idle_memory", "scale", "rpc", "h2load", "bulk", "ci_instructions"];

/// Around the report in `benchmarks.md`.
const BEGIN: &str = "<!-- report: begin -->\n";
const END: &str = "<!-- report: end -->\n";

fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::parse();
    let folder = results::folder()?;
    let mut found = Vec::new();
    for bench in BENCHES {
        match Results::read(&folder, bench)? {
            None => eprintln!("{bench}: no results (cargo bench --bench {bench})"),
            Some(results) if results.quick && !flags.quick => {
                eprintln!("{bench}: left out, its results are those of --quick");
            }
            Some(results) => found.push(results),
        }
    }
    if found.is_empty() {
        return Err("there is nothing to report".into());
    }
    let text: String = found.iter().map(markdown::section).collect();
    println!("{text}");
    replace(&flags.docs.join("benchmarks.md"), &text)?;
    let charts = flags.docs.join("charts");
    fs::create_dir_all(&charts)?;
    for drawn in charts::draw(&found, &charts)? {
        eprintln!("drawn: {}", drawn.display());
    }
    Ok(())
}

/// Puts the text between the markers.
fn replace(path: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    let old = fs::read_to_string(path)?;
    let parts = old.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| format!("{}: the markers are missing", path.display()))?;
    fs::write(path, format!("{before}{BEGIN}\n{text}{END}{after}"))?;
    eprintln!("written: {}", path.display());
    Ok(())
}
