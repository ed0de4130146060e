//! What a call costs with many streams, or many connections, open beside it.
//!
//! All sizes are there at once and take turns, so that a slow moment of the machine hits each.

use std::time::Duration;

use bytes::Bytes;
use millpond_testkit::{cpu_time, table::Table};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{
    STOCK_AT_MOST,
    common::{BoxError, Client, Options, Stack, raw, results::Results},
    hall::{self, Hall},
};

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Effort {
    rounds: usize,
    calls: usize,
    streams: &'static [usize],
    connections: &'static [usize],
}

impl Effort {
    /// To see that it works.
    pub fn quick() -> Self {
        Effort { rounds: 1, calls: 100, streams: &[0, 100], connections: &[1] }
    }

    /// To see what it costs.
    pub fn full(rounds: usize) -> Self {
        const SIZES: &[usize] = &[0, 1, 10, 100, 1_000, 10_000];
        const CONNECTIONS: &[usize] = &[1, 10, 100, 1_000, 10_000, 100_000];
        Effort { rounds, calls: 20_000, streams: SIZES, connections: CONNECTIONS }
    }
}

/// More streams than any of these opens.
const MAX_STREAMS: u32 = 20_000;

/// A unary call on a connection that has so many idle streams.
pub fn beside_streams(effort: Effort, results: &mut Results) -> Result<(), BoxError> {
    let ours = streams_of::<raw::Millpond>(effort)?;
    let h2 = streams_of::<raw::H2>(effort)?;
    let title = "processor time of a unary call, by idle streams on its connection";
    show(title, "streams", effort.streams, &[("millpond", ours), ("h2", h2)], results);
    Ok(())
}

fn streams_of<S: Stack>(effort: Effort) -> Result<Vec<Duration>, BoxError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let options = Options { max_streams: Some(MAX_STREAMS), ..Options::default() };
    let mut connections = Vec::new();
    for &streams in effort.streams {
        connections.push(runtime.block_on(hold::<S>(options, streams))?);
    }
    let mut rounds = vec![Vec::new(); connections.len()];
    for turn in 0..=effort.rounds {
        for ((client, _), times) in connections.iter_mut().zip(&mut rounds) {
            let time = call(&runtime, client, effort.calls)?;
            // What is used for the first time is not measured.
            if turn > 0 {
                times.push(time);
            }
        }
    }
    Ok(rounds.into_iter().map(median).collect())
}

/// A connection with so many idle streams.
async fn hold<S: Stack>(
    options: Options,
    streams: usize,
) -> Result<(S::Client, Vec<<S::Client as Client>::Held>), BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    tokio::spawn(async move {
        // The client notices, and says so.
        drop(S::serve(listener, options).await);
    });
    let mut client = S::connect(addr, options).await?;
    let mut held = Vec::with_capacity(streams);
    for _ in 0..streams {
        held.push(client.hold().await?);
    }
    Ok((client, held))
}

fn call<C: Client>(runtime: &Runtime, client: &mut C, calls: usize) -> Result<Duration, BoxError> {
    let clock = || cpu_time().ok_or("this system does not say what a process has used");
    let before = clock()?;
    runtime.block_on(async {
        for _ in 0..calls {
            client.unary(Bytes::from_static(&[7; 16])).await?;
        }
        Ok::<_, BoxError>(())
    })?;
    Ok((clock()? - before) / u32::try_from(calls)?)
}

/// A call on a server that has so many connections, always on the same and on any: ours, ours that rests after each
/// call, a stock one, and a loop that has no state. Gives how many blocks are still out.
pub fn beside_connections(effort: Effort, most: usize, results: &mut Results) -> Result<usize, BoxError> {
    const SUBJECTS: [&str; 4] = [hall::MILLPOND, hall::RESTING, hall::HYPER, hall::LOOP];
    let sizes: Vec<usize> =
        effort.connections.iter().copied().filter(|size| *size < most).chain([most]).collect();
    // By subject, then by size; a stock server does not hold the most.
    let mut halls = Vec::new();
    for subject in SUBJECTS {
        let mut of_subject = Vec::new();
        for &size in &sizes {
            let held = subject != hall::HYPER || size <= STOCK_AT_MOST;
            of_subject.push(if held { Some(full(subject, size)?) } else { None });
        }
        halls.push(of_subject);
    }
    let mut rounds = vec![vec![(Vec::new(), Vec::new()); sizes.len()]; SUBJECTS.len()];
    for turn in 0..=effort.rounds {
        for (halls, rounds) in halls.iter_mut().zip(&mut rounds) {
            for (hall, (one, any)) in halls.iter_mut().zip(rounds) {
                let Some(hall) = hall else { continue };
                let times = [hall.call(effort.calls, false)?, hall.call(effort.calls, true)?];
                if turn > 0 {
                    one.push(times[0]);
                    any.push(times[1]);
                }
            }
        }
    }
    let names =
        SUBJECTS.map(|subject| [format!("{subject}, the same connection"), format!("{subject}, any")]);
    let mut subjects = Vec::new();
    for (names, rounds) in names.iter().zip(rounds) {
        let (one, any): (Vec<_>, Vec<_>) =
            rounds.into_iter().map(|(one, any)| (median(one), median(any))).unzip();
        subjects.extend([(names[0].as_str(), one), (names[1].as_str(), any)]);
    }
    let title = "processor time of a call in the server, by open connections";
    show(title, "connections", &sizes, &subjects, results);
    let mut blocks_out = 0;
    for hall in halls.iter_mut().flatten().flatten() {
        blocks_out += hall.books()?.blocks_out;
    }
    Ok(blocks_out)
}

fn full(subject: &str, size: usize) -> Result<Hall, BoxError> {
    let mut hall = Hall::start_timed(subject)?;
    hall.add(size)?;
    Ok(hall)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn show(title: &str, unit: &str, sizes: &[usize], subjects: &[(&str, Vec<Duration>)], results: &mut Results) {
    let mut table = Table::new(
        [title.to_owned()]
            .into_iter()
            .chain(subjects.iter().flat_map(|(name, _)| [(*name).to_owned(), "to the first".to_owned()])),
    );
    for (index, size) in sizes.iter().enumerate() {
        // Zero: not measured.
        let micros =
            |times: &[Duration]| Some(times[index].as_secs_f64() * 1e6).filter(|micros| *micros > 0.0);
        let mut row = vec![format!("{size} {unit}")];
        for (_, times) in subjects {
            let shown =
                micros(times).zip(micros(times).map(|micros| micros / (times[0].as_secs_f64() * 1e6)));
            let [time, ratio] = shown.map_or_else(Default::default, |(time, ratio)| {
                [format!("{time:.2} µs"), format!("{ratio:.2}")]
            });
            row.extend([time, ratio]);
        }
        table.row(row);
        let figures = subjects.iter().filter_map(|(name, times)| Some((*name, micros(times)?)));
        results.add(title, format!("{size} {unit}"), "µs", figures);
    }
    println!("{table}");
}
