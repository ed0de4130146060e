//! What an idle connection of stock hyper and stock tonic costs, on the h2 of this build: a line for each pair, side and
//! state, for people and for `compare`.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use millpond_testkit::heap::CountingAllocator;
use showcase::idle::{self, Connections, SIDES, State};
use showcase::pair::Pair;
use showcase::{BoxError, pool};

#[global_allocator]
static HEAP: CountingAllocator = CountingAllocator::new();

/// Measures what idle connections cost.
#[derive(Parser)]
struct Flags {
    /// Connections of each pair.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u16).range(10..=9_000))]
    connections: u16,
    /// Milliseconds of rest before each count; the pool gives back what it did not need twice in a row, every 2 s.
    #[arg(long, default_value_t = 6000)]
    settle: u64,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    #[command(hide = true, name = idle::WORKER)]
    Worker { pair: String },
}

fn main() -> Result<ExitCode, BoxError> {
    let flags = Flags::parse();
    if let Some(Role::Worker { pair }) = flags.role {
        return idle::work(&pair, &HEAP).map(|()| ExitCode::SUCCESS);
    }
    println!("# on {}: pair, side, heap, RSS, blocks out, state", pool::carrier());
    let mut blocks_out = 0;
    for pair in Pair::ALL {
        let settle = Duration::from_millis(flags.settle);
        let mut connections = Connections::start(pair, usize::from(flags.connections), settle)?;
        for state in State::ALL {
            connections.bring_to(state)?;
            for (side, cost) in SIDES.into_iter().zip(connections.count()?) {
                let (pair, state) = (pair.name(), state.name());
                println!("{pair} {side} {} {} {} {state}", cost.heap, cost.rss, cost.blocks_out);
                blocks_out += cost.blocks_out;
            }
        }
    }
    if blocks_out > 0 {
        eprintln!("blocks are still out: {blocks_out}");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
