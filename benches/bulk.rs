//! Long bodies against a plain copy loop, and how often each transport asks the system.
//!
//! ```text
//! cargo bench --bench bulk -- [--quick] [--threads 1] [--rounds 7]
//! ```
//!
//! The copy loop sends the same octets over a socket of the same runtime, without HTTP: it writes as much and reads as
//! much at once as ours did at most. What is left to it is the price of HTTP/2. Rounds take turns.

mod common;

use std::time::{Duration, Instant};

use clap::Parser;
use millpond_testkit::{
    cpu_time,
    table::{Table, octets},
};
use tokio::{net::TcpListener, runtime::Runtime, task::JoinSet};

use common::{
    BoxError, Bulk, Client, Options, Stack, Windows,
    counted::{CLIENT, SERVER, Tally},
    grpc,
    plain::{self, Plain},
    raw,
    results::Results,
};

/// Compares long bodies with a copy loop, and counts calls to the system.
#[derive(Parser)]
struct Flags {
    /// One round of everything with short bodies: shows that the bench works, not how fast anything is.
    #[arg(long)]
    quick: bool,
    /// Rounds; the median counts.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Milliseconds of each round.
    #[arg(long, default_value_t = 300)]
    millis: u64,
    /// Only this many threads: 1 or 2.
    #[arg(long)]
    threads: Option<usize>,
    #[arg(long, hide = true)]
    bench: bool,
}

/// Octets of raw bodies.
const SIZES: [usize; 6] = [16 << 10, 64 << 10, 256 << 10, 1 << 20, 8 << 20, 64 << 20];

/// The payload of a full DATA frame.
const FRAME: usize = 16 << 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Direction::Up => "up",
            Direction::Down => "down",
        }
    }
}

fn main() -> Result<(), BoxError> {
    let mut flags = Flags::parse();
    if flags.quick {
        (flags.rounds, flags.millis) = (1, 5);
    }
    let mut results = Results::new("bulk", flags.quick);
    let sizes = if flags.quick { &SIZES[..3] } else { &SIZES };
    let buffers = count(&flags, &mut results)?;
    println!(
        "{} rounds of {} ms, by turns; medians. The copy loop writes {} and reads {} at once, as ours did at most.",
        flags.rounds,
        flags.millis,
        octets(buffers.write),
        octets(buffers.read),
    );
    for threads in [1, 2].into_iter().filter(|threads| flags.threads.is_none_or(|only| only == *threads)) {
        compare(&flags, threads, buffers, sizes, &mut results)?;
    }
    Ok(results.write()?)
}

fn runtime(threads: usize) -> Result<Runtime, BoxError> {
    Ok(match threads {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        _ => tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?,
    })
}

/// A server in a task of this runtime, and a connection to it.
async fn start<S: Stack>(options: Options) -> Result<S::Client, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    tokio::spawn(async move {
        // The client notices, and says so.
        drop(S::serve(listener, options).await);
    });
    S::connect(addr, options).await
}

/// Windows that do not bound what one connection can carry.
fn wide() -> Options {
    Options { windows: Windows::Equal, ..Options::default() }
}

fn compare(
    flags: &Flags,
    threads: usize,
    buffers: plain::Buffers,
    sizes: &[usize],
    results: &mut Results,
) -> Result<(), BoxError> {
    let runtime = runtime(threads)?;
    let title = format!("long bodies, threads: {threads}");
    println!("\n{title}");
    let (ours, h2, grpc, tonic, plain) = runtime.block_on(async {
        Ok::<_, BoxError>((
            start::<raw::Millpond>(wide()).await?,
            start::<raw::H2>(wide()).await?,
            start::<grpc::Millpond>(wide()).await?,
            start::<grpc::Tonic>(wide()).await?,
            Plain::start(buffers).await?,
        ))
    })?;
    let mut table =
        Table::new(["", "millpond", "of copying", "h2", "ratio", "copying", "processor", "h2", "copying"]);
    let mut grpc_table =
        Table::new(["", "millpond, gRPC", "of copying", "tonic", "ratio", "processor", "tonic"]);
    for direction in [Direction::Up, Direction::Down] {
        for &size in sizes {
            let mut rounds = [(); 3].map(|()| Rounds::default());
            for turn in 0..=flags.rounds {
                let round = Duration::from_millis(flags.millis);
                let measured = runtime.block_on(async {
                    Ok::<_, BoxError>([
                        carry(&ours, direction, size, round).await?,
                        carry(&h2, direction, size, round).await?,
                        carry(&plain, direction, size, round).await?,
                    ])
                })?;
                // What is used for the first time is not measured.
                if turn > 0 {
                    rounds.iter_mut().zip(measured).for_each(|(rounds, round)| rounds.add(round));
                }
            }
            let [ours, h2, plain] = rounds;
            let what = format!("raw {} {}", octets(size), direction.name());
            table.row([
                what.clone(),
                rate(&ours),
                share(&ours, &plain),
                rate(&h2),
                format!("{:.2}", ours.rate() / h2.rate()),
                rate(&plain),
                ours.processor(),
                h2.processor(),
                plain.processor(),
            ]);
            let figures = [("millpond", ours.rate()), ("h2", h2.rate()), ("plain TCP copy", plain.rate())];
            results.add(&title, what, "octets/s", figures);
        }
        let size = <grpc::Millpond as Stack>::Client::full(flags.quick);
        let mut rounds = [(); 3].map(|()| Rounds::default());
        for turn in 0..=flags.rounds {
            let round = Duration::from_millis(flags.millis);
            let measured = runtime.block_on(async {
                Ok::<_, BoxError>([
                    carry(&grpc, direction, size, round).await?,
                    carry(&tonic, direction, size, round).await?,
                    carry(&plain, direction, size.min(plain::MOST), round).await?,
                ])
            })?;
            if turn > 0 {
                rounds.iter_mut().zip(measured).for_each(|(rounds, round)| rounds.add(round));
            }
        }
        let [ours, tonic, plain] = rounds;
        let what = format!("100 messages of {} {}", octets(size / 100), direction.name());
        grpc_table.row([
            what.clone(),
            rate(&ours),
            share(&ours, &plain),
            rate(&tonic),
            format!("{:.2}", ours.rate() / tonic.rate()),
            ours.processor(),
            tonic.processor(),
        ]);
        let figures =
            [("millpond, gRPC", ours.rate()), ("tonic", tonic.rate()), ("plain TCP copy", plain.rate())];
        results.add(format!("{title}, gRPC"), what, "octets/s", figures);
    }
    println!("{table}\n{grpc_table}");
    Ok(())
}

/// A client that can be told to be brief.
trait Full: Bulk {
    /// Octets of a gRPC stream.
    fn full(quick: bool) -> usize {
        if quick { Self::OCTETS / 100 } else { Self::OCTETS }
    }
}

impl<C: Bulk> Full for C {}

/// What a round gave.
struct Round {
    octets: usize,
    took: Duration,
    cpu: Option<Duration>,
}

/// Bodies of this size one after the other for so long; at least one.
async fn carry<C: Bulk>(
    client: &C,
    direction: Direction,
    size: usize,
    round: Duration,
) -> Result<Round, BoxError> {
    let mut client = client.clone();
    let material = C::material(if direction == Direction::Up { size } else { 0 });
    let mut octets = 0;
    let cpu = cpu_time();
    let begun = Instant::now();
    while octets == 0 || begun.elapsed() < round {
        match direction {
            Direction::Up => client.upload(material.clone()).await?,
            Direction::Down => client.download(size).await?,
        }
        octets += size;
    }
    let took = begun.elapsed();
    let cpu = cpu.zip(cpu_time()).map(|(before, now)| now.saturating_sub(before));
    Ok(Round { octets, took, cpu })
}

/// All rounds of one subject.
#[derive(Default)]
struct Rounds {
    rates: Vec<f64>,
    octets: usize,
    cpu: Option<Duration>,
}

impl Rounds {
    fn add(&mut self, round: Round) {
        self.rates.push(round.octets as f64 / round.took.as_secs_f64());
        self.rates.sort_by(f64::total_cmp);
        self.octets += round.octets;
        self.cpu = round.cpu.map(|cpu| cpu + self.cpu.unwrap_or_default());
    }

    /// Octets in a second: the median.
    fn rate(&self) -> f64 {
        self.rates.get(self.rates.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// Processor time for each MiB, client and server together.
    fn processor(&self) -> String {
        let mib = self.octets as f64 / f64::from(1 << 20);
        self.cpu.map_or("-".to_owned(), |cpu| format!("{:.0} µs/MiB", cpu.as_secs_f64() * 1e6 / mib))
    }
}

fn rate(rounds: &Rounds) -> String {
    format!("{}/s", octets(rounds.rate() as usize))
}

fn share(ours: &Rounds, plain: &Rounds) -> String {
    format!("{:.0} %", ours.rate() / plain.rate() * 100.0)
}

/// Counts calls to the system, and says how much ours reads and writes at once.
fn count(flags: &Flags, results: &mut Results) -> Result<plain::Buffers, BoxError> {
    // On one thread, so that the counts do not depend on who is faster.
    let runtime = runtime(1)?;
    let (ours, h2) = runtime.block_on(async {
        let ours = start::<raw::CountedMillpond>(wide()).await?;
        Ok::<_, BoxError>((ours, start::<raw::CountedH2>(wide()).await?))
    })?;
    let body = if flags.quick { 8 << 20 } else { 64 << 20 };
    let mut buffers = plain::Buffers { read: FRAME, write: FRAME };
    let title = "calls to the system for each full DATA frame";
    let mut table = Table::new([title, "recv", "h2", "writev", "h2"]);
    for direction in [Direction::Up, Direction::Down] {
        let frames = (body / FRAME) as f64;
        let [(our_read, our_write), (h2_read, h2_write)] = [
            runtime.block_on(count_body(&ours, direction, body))?,
            runtime.block_on(count_body(&h2, direction, body))?,
        ];
        buffers.read = buffers.read.max(our_read.largest_read);
        buffers.write = buffers.write.max(our_write.largest_write);
        let reads = [our_read, h2_read].map(|tally| (tally.reads + tally.in_vain) as f64 / frames);
        let writes = [our_write, h2_write].map(|tally| (tally.writes + tally.blocked) as f64 / frames);
        let name = direction.name();
        table.row([
            format!("{} {name}", octets(body)),
            format!("{:.3}", reads[0]),
            format!("{:.3}", reads[1]),
            format!("{:.3}", writes[0]),
            format!("{:.3}", writes[1]),
        ]);
        let pair = |[ours, h2]: [f64; 2]| [("millpond", ours), ("h2", h2)];
        results.add(title, format!("recv, {name}"), "calls", pair(reads));
        results.add(title, format!("writev, {name}"), "calls", pair(writes));
    }
    println!("{table}");
    count_calls(flags, &runtime, &ours, &h2, results)?;
    Ok(buffers)
}

fn begin_counting() {
    CLIENT.take();
    SERVER.take();
}

/// What the receiver and the sender of a long body did.
async fn count_body<C: Bulk>(
    client: &C,
    direction: Direction,
    size: usize,
) -> Result<(Tally, Tally), BoxError> {
    carry(client, direction, size, Duration::ZERO).await?;
    begin_counting();
    carry(client, direction, size, Duration::ZERO).await?;
    let (client, server) = (CLIENT.take(), SERVER.take());
    Ok(if direction == Direction::Up { (server, client) } else { (client, server) })
}

fn count_calls<A: Client, B: Client>(
    flags: &Flags,
    runtime: &Runtime,
    ours: &A,
    h2: &B,
    results: &mut Results,
) -> Result<(), BoxError> {
    let title = "calls to the system for each unary call of 16 octets";
    let mut table = Table::new([title, "recv", "of these in vain", "for each sleep", "writev"]);
    let calls = if flags.quick { 64 } else { 6_400 };
    for in_flight in [1, 8, 64] {
        let ours = runtime.block_on(count_unary(ours, in_flight, calls))?;
        let h2 = runtime.block_on(count_unary(h2, in_flight, calls))?;
        let calls = (calls / in_flight * in_flight) as f64;
        for (side, name) in ["client", "server"].into_iter().enumerate() {
            let pair = |of: fn(&Tally) -> f64| [("millpond", of(&ours[side])), ("h2", of(&h2[side]))];
            let what = format!("{name}, {in_flight} in flight");
            for (subject, tally) in [("millpond", ours[side]), ("h2", h2[side])] {
                table.row([
                    format!("{subject}, {what}"),
                    format!("{:.3}", (tally.reads + tally.in_vain) as f64 / calls),
                    format!("{:.3}", tally.in_vain as f64 / calls),
                    format!("{:.3}", tally.in_vain as f64 / tally.idle.max(1) as f64),
                    format!("{:.3}", (tally.writes + tally.blocked) as f64 / calls),
                ]);
            }
            let each = |figures: [(&'static str, f64); 2]| figures.map(|(name, count)| (name, count / calls));
            let reads = pair(|tally| (tally.reads + tally.in_vain) as f64);
            results.add(title, format!("recv, {what}"), "calls", each(reads));
            let writes = pair(|tally| (tally.writes + tally.blocked) as f64);
            results.add(title, format!("writev, {what}"), "calls", each(writes));
            let in_vain = pair(|tally| tally.in_vain as f64 / tally.idle.max(1) as f64);
            results.add(title, format!("recv in vain for each sleep, {what}"), "calls", in_vain);
        }
    }
    println!("{table}");
    Ok(())
}

/// What clients and servers did for so many calls, so many at once.
async fn count_unary<C: Client>(client: &C, in_flight: usize, calls: usize) -> Result<[Tally; 2], BoxError> {
    let mut last = [Tally::default(); 2];
    // The first time is not counted.
    for _ in 0..2 {
        begin_counting();
        let mut callers = JoinSet::new();
        for _ in 0..in_flight {
            let mut client = client.clone();
            callers.spawn(async move {
                for _ in 0..calls / in_flight {
                    client.unary(bytes::Bytes::from_static(&[7; 16])).await?;
                }
                Ok::<_, BoxError>(())
            });
        }
        while let Some(caller) = callers.join_next().await {
            caller??;
        }
        last = [CLIENT.take(), SERVER.take()];
    }
    Ok(last)
}
