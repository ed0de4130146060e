//! Clients and servers of every kind, on good and bad networks, for as long as one likes; then a verdict.
//!
//! ```text
//! cargo run --release --example soak -- --minutes 10
//! cargo run --release --example soak -- --minutes 0.2 --seed 7      the same choices again, if not the same timing
//! cargo run --release --example soak -- --require-peers             fails unless tests/peers/install.sh was run
//! ```
//!
//! The clients: `millpond::Channel` under a generated gRPC client and by plain HTTP, stock tonic, and grpcio. The
//! servers: `millpond::Server` under tonic and axum, stock tonic, and grpcio. Between them lie paths: straight ones;
//! ones on which the server ends each connection when it is a second old; ones through a proxy that splits, delays and
//! throttles; and ones through a proxy that refuses, closes, resets, half-closes and swallows, too. On each path some
//! callers make random calls, one after the other: of every kind, 0 to 4 MiB, some with a deadline, some given up at a
//! random moment, some that ask for an error, and now and then on a new connection. No call is compressed.
//!
//! Every few seconds all rest: no call is open, nothing is broken, each path shows that it carries a call, and what the
//! process holds then is compared with the rests before. A sample of what it holds while calls run is taken every
//! second. In the end everything is stopped, and the verdict says, line by line, what must hold:
//!
//! - Every call ended within its bound, with its own octets, with what it asked for (an error, a deadline, its end), or
//!   with an error at a time when the proxy broke a connection of that path. On other paths there is no excuse.
//! - The heap at rest does not grow after the first third of the run.
//! - No block is out at any rest or in the end, and all file descriptors are closed again.
//!
//! The last line is for machines: `soak: verdict=passed seed=... calls=...`. The exit code says it too.

mod faults;
mod foreign;
mod ledger;
mod path;
mod peers;
mod plan;
mod proxy;
mod sample;
mod servers;
mod traffic;
mod verdict;

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Parser;
use fastrand::Rng;
use millpond_testkit::{heap::CountingAllocator, open_files, process};
use tokio::task::JoinSet;

use self::{
    ledger::{Ledger, Outcome},
    peers::Peers,
    sample::{PATIENCE, Sample, Watch},
    verdict::{Evidence, Verdict},
};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[global_allocator]
static HEAP: CountingAllocator = CountingAllocator::new();

/// Makes random calls between all kinds of clients and servers, and judges what became of them.
#[derive(Parser)]
struct Flags {
    /// How long calls are made.
    #[arg(long, default_value_t = 1.0, value_parser = minutes)]
    minutes: f64,
    /// What all choices come from [default: another each time].
    #[arg(long)]
    seed: Option<u64>,
    /// Callers on each path.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    callers: u16,
    /// Fails without grpcio instead of going on without it.
    #[arg(long)]
    require_peers: bool,
}

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(minutes) if (0.05..=10_080.0).contains(&minutes) => Ok(minutes),
        _ => Err("0.05 to 10080".into()),
    }
}

fn main() -> Result<ExitCode, BoxError> {
    let flags = Flags::parse();
    let seed = flags.seed.unwrap_or_else(|| fastrand::u64(..));
    let ledger = Arc::new(Ledger::default());
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    // The first runtime of a process opens what stays open for signals.
    drop(runtime()?);
    let files_before = open_files();
    let runtime = runtime()?;
    let begun = Instant::now();
    let seen = runtime.block_on(soak(&flags, seed, &ledger))?;
    // Threads that wait for a child's output end when the child has.
    runtime.shutdown_timeout(PATIENCE);
    let files_after = settled(open_files, |files| *files <= files_before);

    println!("{}", ledger.table());
    let verdict = Verdict::of(&Evidence {
        seed,
        took: begun.elapsed(),
        ledger: &ledger,
        paths: seen.paths,
        faults: seen.faults,
        rests: &seen.rests,
        blocks_out: seen.blocks_out,
        files: (files_before, files_after),
    });
    println!("{verdict}");
    Ok(if verdict.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What there is to judge when all is stopped.
struct Seen {
    paths: usize,
    faults: u64,
    rests: Vec<Sample>,
    blocks_out: Vec<(&'static str, usize)>,
}

async fn soak(flags: &Flags, seed: u64, ledger: &Arc<Ledger>) -> Result<Seen, BoxError> {
    let mut rng = Rng::with_seed(seed);
    let grpcio = match process::grpcio() {
        Ok(_) => true,
        Err(why) if flags.require_peers => return Err(why.into()),
        Err(why) => {
            eprintln!("GOES ON WITHOUT GRPCIO: {why}");
            false
        }
    };
    let total = Duration::from_secs_f64(flags.minutes * 60.0);
    let round = (total / 12).clamp(Duration::from_secs(1), Duration::from_secs(15));
    let mut peers = Peers::start(grpcio, flags.callers, &mut rng).await?;
    let paths = peers.paths.len() + peers.foreign.as_ref().map_or(0, |foreign| foreign.paths().len());
    println!("seed {seed}; {paths} paths, {} callers on each, {round:.0?} between rests", flags.callers);

    // All at once: the books themselves must not grow while they are kept.
    let mut rests = Vec::with_capacity((total.as_secs_f64() / round.as_secs_f64()) as usize + 2);
    let watch = Watch::start(peers.pools.clone());
    let begun = Instant::now();
    while begun.elapsed() < total {
        call_for(round, &peers, flags.callers, &mut rng, ledger).await?;
        let most = watch.most();
        peers.calm(true);
        peers.settle(ledger).await;
        let sample = Sample::at_rest(&peers.pools).await;
        rests.push(sample);
        let calls: u64 = Outcome::ALL.map(|outcome| ledger.total(outcome)).iter().sum();
        println!("{:6.0?} {calls} calls; busy: {most}; at rest: {sample}", begun.elapsed());
        if sample.blocks_out > 0 {
            eprintln!("FAILURE: blocks do not come home; no more calls");
            break;
        }
    }
    drop(watch);

    let (faults, pools) = (peers.faults(), peers.pools.clone());
    if let Err(why) = peers.stop().await {
        ledger.complain(format!("not all could be stopped: {why}"));
    }
    let end = Sample::at_rest(&pools).await;
    println!("after the end: {end}");
    let blocks_out = pools.iter().map(|(whose, pool)| (*whose, pool.stats().blocks_out)).collect();
    Ok(Seen { paths, faults, rests, blocks_out })
}

/// A round of calls on every path, to the end of the last.
async fn call_for(
    time: Duration,
    peers: &Peers,
    callers: u16,
    rng: &mut Rng,
    ledger: &Arc<Ledger>,
) -> Result<(), BoxError> {
    peers.calm(false);
    let end = Instant::now() + time;
    let mut calling = JoinSet::new();
    for path in &peers.paths {
        for _ in 0..callers {
            let (path, ledger, rng) = (path.clone(), ledger.clone(), rng.fork());
            calling.spawn(async move { path.call_until(end, rng, &ledger).await });
        }
    }
    if let Some(foreign) = &peers.foreign {
        foreign.call_for(time, rng.u64(..), ledger).await?;
    }
    while let Some(caller) = calling.join_next().await {
        caller??;
    }
    Ok(())
}

/// Looks until what is seen is as wanted, for not too long.
fn settled<T>(look: impl Fn() -> T, wanted: impl Fn(&T) -> bool) -> T {
    let begun = Instant::now();
    loop {
        let seen = look();
        if wanted(&seen) || begun.elapsed() > PATIENCE {
            return seen;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
