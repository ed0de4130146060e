//! Calls and long bodies: our transport against the stock one, by turns, in one process.
//!
//! ```text
//! cargo bench --bench rpc -- [--quick] [--pair grpc] [--windows equal] [--threads 1] [--work 'unary 1024']
//! ```
//!
//! Two pairs: `grpc` is tonic-generated code on `millpond::Channel` and `millpond::Server` against the same code on
//! tonic's own transport; `raw` is our handles against h2. Client and server share the threads. Rounds of the two take
//! turns, so that a slow moment of the machine hits both.

mod common;

use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use millpond_testkit::{cpu_time, latency::Histogram, table::octets};
use tokio::{net::TcpListener, runtime::Runtime, task::JoinSet};

use common::{
    BoxError, Bulk, CONNECTION_WINDOW, MAX_STREAMS, Options, SEND_BUFFER, STREAM_WINDOW, Stack, Windows,
    grpc, raw,
};

/// Compares the rate of calls and of long bodies.
#[derive(Parser)]
struct Flags {
    /// One short round of everything: shows that the bench works, not how fast anything is.
    #[arg(long)]
    quick: bool,
    /// Rounds; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Milliseconds of each round.
    #[arg(long, default_value_t = 300)]
    millis: u64,
    /// Only this pair.
    #[arg(long, value_enum)]
    pair: Option<Pair>,
    /// Only these windows.
    #[arg(long, value_enum)]
    windows: Option<Windows>,
    /// Only this many threads: 1 or 2.
    #[arg(long)]
    threads: Option<usize>,
    /// Only work whose name begins so.
    #[arg(long, default_value = "")]
    work: String,
    /// Our server polls each handler on its connection's task first.
    #[arg(long)]
    inline: bool,
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Pair {
    Grpc,
    Raw,
}

/// What is done in a round.
#[derive(Clone, Copy)]
enum Work {
    Unary { octets: usize, in_flight: usize },
    Upload,
    Download,
}

const WORKS: [Work; 14] = {
    let mut works = [Work::Upload; 14];
    works[13] = Work::Download;
    let (sizes, flights) = ([0, 1 << 10, 64 << 10, 1 << 20], [1, 8, 64]);
    let mut at = 0;
    while at < 12 {
        works[at] = Work::Unary { octets: sizes[at / 3], in_flight: flights[at % 3] };
        at += 1;
    }
    works
};

impl Work {
    fn name(self) -> String {
        match self {
            Work::Unary { octets, in_flight } => format!("unary {octets}, {in_flight} in flight"),
            Work::Upload => "upload".to_owned(),
            Work::Download => "download".to_owned(),
        }
    }

    fn in_flight(self) -> usize {
        match self {
            Work::Unary { in_flight, .. } => in_flight,
            Work::Upload | Work::Download => 1,
        }
    }
}

fn main() -> Result<(), BoxError> {
    let mut flags = Flags::parse();
    if flags.quick {
        (flags.rounds, flags.millis) = (1, 5);
    }
    let [stream, connection, send] =
        [STREAM_WINDOW as usize, CONNECTION_WINDOW as usize, SEND_BUFFER].map(octets);
    println!(
        "{} rounds of {} ms each, by turns; rates are medians, times are of all rounds together.\n\
         equal: windows of {stream} for a stream and {connection} for a connection, on both sides of both stacks;\n\
         {send} of send queue for a stream and {MAX_STREAMS} streams at once, which stock clients and servers that\n\
         have no option have anyway.\n\
         defaults: each crate as it comes.\n\
         ratio: our rate to theirs, above 1 is better; cpu: our processor time for each call to theirs, below 1 is\n\
         better.",
        flags.rounds, flags.millis,
    );
    for windows in [Windows::Equal, Windows::Defaults] {
        for threads in [1, 2] {
            if flags.windows.is_some_and(|only| only != windows)
                || flags.threads.is_some_and(|only| only != threads)
            {
                continue;
            }
            let options = Options { windows, inline: flags.inline };
            if flags.pair != Some(Pair::Raw) {
                compare::<grpc::Millpond, grpc::Tonic>(&flags, options, threads)?;
            }
            if flags.pair != Some(Pair::Grpc) {
                compare::<raw::Millpond, raw::H2>(&flags, options, threads)?;
            }
        }
    }
    Ok(())
}

/// All work by both, in turns.
fn compare<A, B>(flags: &Flags, options: Options, threads: usize) -> Result<(), BoxError>
where
    A: Stack<Client: Bulk>,
    B: Stack<Client: Bulk>,
{
    let windows = format!("{:?}", options.windows).to_lowercase();
    println!("\n{} against {}, windows: {windows}, threads: {threads}", A::NAME, B::NAME);
    println!(
        "{:26} {:>11} {:>11} {:>6} {:>6}   {:>9} {:>9}   {:>9} {:>9}",
        "", "ours", "theirs", "ratio", "cpu", "our p50", "p99", "their p50", "p99"
    );
    let runtime = match threads {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        _ => tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?,
    };
    let ours = start::<A>(&runtime, options)?;
    let theirs = start::<B>(&runtime, options)?;
    let round = Duration::from_millis(flags.millis);
    for work in WORKS.into_iter().filter(|work| work.name().starts_with(&flags.work)) {
        // What is used for the first time is not measured.
        runtime.block_on(run(&ours, work, round / 5))?;
        runtime.block_on(run(&theirs, work, round / 5))?;
        let (mut a, mut b) = (Rounds::default(), Rounds::default());
        for turn in 0..flags.rounds {
            if turn % 2 == 0 {
                a.add(runtime.block_on(run(&ours, work, round))?);
                b.add(runtime.block_on(run(&theirs, work, round))?);
            } else {
                b.add(runtime.block_on(run(&theirs, work, round))?);
                a.add(runtime.block_on(run(&ours, work, round))?);
            }
        }
        let (our_rate, their_rate) = (a.rate(), b.rate());
        let cpu = match (a.cpu(), b.cpu()) {
            (Some(ours), Some(theirs)) => format!("{:.2}", ours / theirs),
            _ => "-".to_owned(),
        };
        println!(
            "{:26} {:>11} {:>11} {:>6.2} {cpu:>6}   {:>9.1?} {:>9.1?}   {:>9.1?} {:>9.1?}",
            work.name(),
            show::<A::Client>(work, our_rate),
            show::<B::Client>(work, their_rate),
            our_rate / their_rate,
            a.times.p50(),
            a.times.p99(),
            b.times.p50(),
            b.times.p99(),
        );
    }
    Ok(())
}

/// A server, and a connection to it.
fn start<S: Stack>(runtime: &Runtime, options: Options) -> Result<S::Client, BoxError> {
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        tokio::spawn(async move {
            // The client notices, and says so.
            drop(S::serve(listener, options).await);
        });
        S::connect(addr, options).await
    })
}

/// What a round gave.
struct Round {
    times: Histogram,
    took: Duration,
    cpu: Option<Duration>,
}

/// Calls for so long, and until the last has ended; at least one for each in flight.
async fn run<C: Bulk>(client: &C, work: Work, round: Duration) -> Result<Round, BoxError> {
    let material = match work {
        Work::Unary { octets, .. } => vec![7; octets].into(),
        Work::Upload => C::material(),
        Work::Download => bytes::Bytes::new(),
    };
    let cpu = cpu_time();
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..work.in_flight() {
        let (mut client, material, mut times) = (client.clone(), material.clone(), Histogram::new());
        callers.spawn(async move {
            loop {
                let call = Instant::now();
                match work {
                    Work::Unary { .. } => client.unary(material.clone()).await?,
                    Work::Upload => client.upload(material.clone()).await?,
                    Work::Download => client.download().await?,
                }
                times.record(call.elapsed());
                if begun.elapsed() >= round {
                    return Ok::<_, BoxError>(times);
                }
            }
        });
    }
    let mut times = Histogram::new();
    while let Some(caller) = callers.join_next().await {
        times.merge(&caller??);
    }
    let took = begun.elapsed();
    let cpu = cpu.zip(cpu_time()).map(|(before, now)| now.saturating_sub(before));
    Ok(Round { times, took, cpu })
}

/// All rounds of one side.
#[derive(Default)]
struct Rounds {
    rates: Vec<f64>,
    times: Histogram,
    cpu: Option<Duration>,
}

impl Rounds {
    fn add(&mut self, round: Round) {
        self.rates.push(round.times.count() as f64 / round.took.as_secs_f64());
        self.times.merge(&round.times);
        self.cpu = round.cpu.map(|cpu| cpu + self.cpu.unwrap_or_default());
    }

    /// Calls in a second: the median.
    fn rate(&mut self) -> f64 {
        self.rates.sort_by(f64::total_cmp);
        self.rates.get(self.rates.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// Seconds of processor time for each call, client and server together.
    fn cpu(&self) -> Option<f64> {
        Some(self.cpu?.as_secs_f64() / self.times.count() as f64)
    }
}

/// Calls in a second, or octets where those count.
fn show<C: Bulk>(work: Work, rate: f64) -> String {
    match work {
        Work::Unary { .. } => format!("{rate:.0}/s"),
        Work::Upload | Work::Download => format!("{}/s", octets((rate * C::OCTETS as f64) as usize)),
    }
}
