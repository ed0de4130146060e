//! Calls in a second on many connections: one thread, and two.

use std::time::{Duration, Instant};

use bytes::Bytes;
use millpond_testkit::table::Table;
use tokio::{net::TcpListener, runtime::Runtime, task::JoinSet};

use crate::common::{BoxError, Client, Options, Stack, grpc, raw, results::Results};

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Rounds; the median counts.
    pub rounds: usize,
    /// How long each is.
    pub round: Duration,
    /// Connections.
    pub connections: usize,
}

/// Calls at once on each connection.
const IN_FLIGHT: usize = 10;

/// Every stack with one thread and with two, by turns.
pub fn compare(effort: Effort, results: &mut Results) -> Result<(), BoxError> {
    let connections = effort.connections;
    let title = format!("unary calls of 16 octets on {connections} connections, {IN_FLIGHT} at once on each");
    let mut table = Table::new([title.as_str(), "1 thread", "2 threads", "ratio"]);
    let rows = [
        scale::<raw::Millpond>(effort)?,
        scale::<raw::H2>(effort)?,
        scale::<grpc::Millpond>(effort)?,
        scale::<grpc::Tonic>(effort)?,
    ];
    for (name, [one, two]) in &rows {
        table.row([
            (*name).to_owned(),
            format!("{one:.0}/s"),
            format!("{two:.0}/s"),
            format!("{:.2}", two / one),
        ]);
    }
    println!("{table}");
    let figures = |of: fn(&[f64; 2]) -> f64| rows.iter().map(move |(name, rates)| (*name, of(rates)));
    results.add(&title, "1 thread", "calls/s", figures(|rates| rates[0]));
    results.add(&title, "2 threads", "calls/s", figures(|rates| rates[1]));
    results.add(&title, "2 threads to 1", "ratio", figures(|rates| rates[1] / rates[0]));
    Ok(())
}

fn scale<S: Stack>(effort: Effort) -> Result<(&'static str, [f64; 2]), BoxError> {
    let mut sides = Vec::new();
    for threads in [1, 2] {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
        let clients = runtime.block_on(start::<S>(effort.connections))?;
        sides.push((runtime, clients, Vec::new()));
    }
    for turn in 0..=effort.rounds {
        for (runtime, clients, rates) in &mut sides {
            let rate = run(runtime, clients, effort.round)?;
            // What is used for the first time is not measured.
            if turn > 0 {
                rates.push(rate);
            }
        }
    }
    let rates = sides.into_iter().map(|(_, _, mut rates)| {
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
    });
    let rates: Vec<f64> = rates.collect();
    Ok((S::NAME, [rates[0], rates[1]]))
}

async fn start<S: Stack>(connections: usize) -> Result<Vec<S::Client>, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    tokio::spawn(async move {
        // The clients notice, and say so.
        drop(S::serve(listener, Options::default()).await);
    });
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(S::connect(addr, Options::default()).await?);
    }
    Ok(clients)
}

/// Calls in a second.
fn run<C: Client>(runtime: &Runtime, clients: &[C], round: Duration) -> Result<f64, BoxError> {
    let mut callers = JoinSet::new();
    let begun = Instant::now();
    for client in clients.iter().flat_map(|client| std::iter::repeat_n(client, IN_FLIGHT)) {
        let mut client = client.clone();
        let calls = async move {
            let mut calls = 0_usize;
            while begun.elapsed() < round {
                client.unary(Bytes::from_static(&[7; 16])).await?;
                calls += 1;
            }
            Ok::<_, BoxError>(calls)
        };
        callers.spawn_on(calls, runtime.handle());
    }
    let calls = runtime.block_on(async {
        let mut calls = 0;
        while let Some(caller) = callers.join_next().await {
            calls += caller??;
        }
        Ok::<_, BoxError>(calls)
    })?;
    Ok(calls as f64 / begun.elapsed().as_secs_f64())
}
