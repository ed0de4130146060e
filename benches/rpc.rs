//! Calls and long bodies: our transport against the stock one, by turns, in one process.
//!
//! ```text
//! cargo bench --bench rpc -- [--quick] [--pair grpc] [--windows equal] [--threads 1] [--work 'unary 1024']
//! ```
//!
//! Three pairs: `grpc` is tonic-generated code on `millpond::Channel` and `millpond::Server` against the same code on
//! tonic's own transport; `raw` is our handles against h2; `pooling`, which must be asked for, is our handles with
//! pooled read buffers against the same with one buffer for each connection. Client and server share the threads.
//! Rounds of the two take turns, so that a slow moment of the machine hits both.

mod common;

use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use millpond_testkit::{cpu_time, latency::Histogram, table::octets};
use tokio::{net::TcpListener, runtime::Runtime, task::JoinSet};

use common::{
    BoxError, Bulk, CONNECTION_WINDOW, MAX_STREAMS, Options, SEND_BUFFER, STREAM_WINDOW, Stack, Windows,
    grpc, raw, results::Results,
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
    /// Our server spawns each handler at once.
    #[arg(long)]
    spawn: bool,
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Pair {
    Grpc,
    Raw,
    Pooling,
}

/// What is done in a round.
#[derive(Clone, Copy)]
enum Work {
    /// So many calls at once on each of so many connections.
    Unary {
        octets: usize,
        connections: usize,
        in_flight: usize,
    },
    Upload,
    Download,
}

/// The most connections of any work.
const CONNECTIONS: usize = 100;

fn works() -> Vec<Work> {
    let unary = |octets, connections, in_flight| Work::Unary { octets, connections, in_flight };
    let mut works = Vec::new();
    for octets in [0, 1 << 10, 64 << 10, 1 << 20] {
        works.extend([1, 8, 64].map(|in_flight| unary(octets, 1, in_flight)));
    }
    works.extend([unary(0, CONNECTIONS, 10), unary(1 << 10, CONNECTIONS, 10), Work::Upload, Work::Download]);
    works
}

impl Work {
    fn name(self) -> String {
        match self {
            Work::Unary { octets, connections: 1, in_flight } => {
                format!("unary {octets}, {in_flight} in flight")
            }
            Work::Unary { octets, connections, in_flight } => {
                format!("unary {octets}, {connections} x {in_flight}")
            }
            Work::Upload => "upload".to_owned(),
            Work::Download => "download".to_owned(),
        }
    }

    fn connections(self) -> usize {
        match self {
            Work::Unary { connections, .. } => connections,
            Work::Upload | Work::Download => 1,
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
    let mut results = Results::new("rpc", flags.quick);
    for windows in [Windows::Equal, Windows::Defaults] {
        for threads in [1, 2] {
            if flags.windows.is_some_and(|only| only != windows)
                || flags.threads.is_some_and(|only| only != threads)
            {
                continue;
            }
            let options = Options { windows, spawn: flags.spawn, ..Options::default() };
            let both = Setting { flags: &flags, windows, threads };
            let wanted = |pair| flags.pair.map_or(pair != Pair::Pooling, |only| only == pair);
            if wanted(Pair::Grpc) {
                let sides = [(grpc::Millpond::NAME, options), (grpc::Tonic::NAME, options)];
                compare::<grpc::Millpond, grpc::Tonic>(both, sides, &mut results)?;
            }
            if wanted(Pair::Raw) {
                let sides = [(raw::Millpond::NAME, options), (raw::H2::NAME, options)];
                compare::<raw::Millpond, raw::H2>(both, sides, &mut results)?;
            }
            if wanted(Pair::Pooling) {
                let off = Options { pooling: false, ..options };
                let sides = [(raw::Millpond::NAME, options), ("millpond, pooling off", off)];
                compare::<raw::Millpond, raw::Millpond>(both, sides, &mut results)?;
            }
        }
    }
    Ok(results.write()?)
}

/// What both of a pair have in common.
#[derive(Clone, Copy)]
struct Setting<'a> {
    flags: &'a Flags,
    windows: Windows,
    threads: usize,
}

/// All work by both, in turns.
fn compare<A, B>(
    Setting { flags, windows, threads }: Setting<'_>,
    [(our_name, our_options), (their_name, their_options)]: [(&str, Options); 2],
    results: &mut Results,
) -> Result<(), BoxError>
where
    A: Stack<Client: Bulk>,
    B: Stack<Client: Bulk>,
{
    let windows = format!("{windows:?}").to_lowercase();
    let title = format!("{our_name} against {their_name}, windows: {windows}, threads: {threads}");
    println!("\n{title}");
    println!(
        "{:26} {:>11} {:>11} {:>6} {:>6}   {:>9} {:>9}   {:>9} {:>9}",
        "", "ours", "theirs", "ratio", "cpu", "our p50", "p99", "their p50", "p99"
    );
    let runtime = match threads {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        _ => tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?,
    };
    let ours = start::<A>(&runtime, our_options)?;
    let theirs = start::<B>(&runtime, their_options)?;
    let round = Duration::from_millis(flags.millis);
    for work in works().into_iter().filter(|work| work.name().starts_with(&flags.work)) {
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
        let row = |ours: f64, theirs: f64| [(our_name, ours), (their_name, theirs)];
        let name = work.name();
        match work {
            Work::Unary { .. } => results.add(&title, &name, "calls/s", row(our_rate, their_rate)),
            Work::Upload | Work::Download => {
                let [ours, theirs] =
                    [our_rate * A::Client::OCTETS as f64, their_rate * B::Client::OCTETS as f64];
                results.add(&title, &name, "octets/s", row(ours, theirs));
            }
        }
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        results.add(&title, format!("{name}, p50"), "µs", row(micros(a.times.p50()), micros(b.times.p50())));
        results.add(&title, format!("{name}, p99"), "µs", row(micros(a.times.p99()), micros(b.times.p99())));
        if let (Some(ours), Some(theirs)) = (a.cpu(), b.cpu()) {
            results.add(&title, format!("{name}, processor"), "µs", row(ours * 1e6, theirs * 1e6));
        }
    }
    Ok(())
}

/// A server, and connections to it.
fn start<S: Stack>(runtime: &Runtime, options: Options) -> Result<Vec<S::Client>, BoxError> {
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        tokio::spawn(async move {
            // The client notices, and says so.
            drop(S::serve(listener, options).await);
        });
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            clients.push(S::connect(addr, options).await?);
        }
        Ok(clients)
    })
}

/// What a round gave.
struct Round {
    times: Histogram,
    took: Duration,
    cpu: Option<Duration>,
}

/// Calls for so long, and until the last has ended; at least one for each in flight.
async fn run<C: Bulk>(clients: &[C], work: Work, round: Duration) -> Result<Round, BoxError> {
    let material = match work {
        Work::Unary { octets, .. } => vec![7; octets].into(),
        Work::Upload => C::material(C::OCTETS),
        Work::Download => bytes::Bytes::new(),
    };
    let cpu = cpu_time();
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    let each = clients.iter().take(work.connections());
    for client in each.flat_map(|client| std::iter::repeat_n(client, work.in_flight())) {
        let (mut client, material, mut times) = (client.clone(), material.clone(), Histogram::new());
        callers.spawn(async move {
            loop {
                let call = Instant::now();
                match work {
                    Work::Unary { .. } => client.unary(material.clone()).await?,
                    Work::Upload => client.upload(material.clone()).await?,
                    Work::Download => client.download(C::OCTETS).await?,
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
