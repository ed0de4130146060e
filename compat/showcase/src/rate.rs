//! Calls in a second on one connection, client and server in one process, in a worker that does one round after the
//! other as it is told.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use millpond_testkit::cpu_time;
use millpond_testkit::stock::Running;
use millpond_testkit::worker::obey;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::BoxError;
use crate::pair::{Client, Pair};

/// What is done in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// By which crate.
    pub pair: Pair,
    /// Threads of the runtime: 1 is a current-thread runtime.
    pub threads: usize,
    /// Octets up, and down.
    pub octets: usize,
    /// Calls at once.
    pub in_flight: usize,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Round {
    /// Calls in a second.
    pub rate: f64,
    /// Processor time of a call, both sides together, in nanoseconds; `None` where the system does not say.
    pub cpu: Option<f64>,
}

impl Cell {
    /// All of them: 0 B to 1 MiB, 1 to 64 at once.
    pub fn all() -> impl Iterator<Item = Self> {
        let works = [0, 1 << 10, 64 << 10, 1 << 20]
            .into_iter()
            .flat_map(|octets| [1, 8, 64].map(|in_flight| (octets, in_flight)));
        Pair::ALL.into_iter().flat_map(|pair| [1, 2].map(|threads| (pair, threads))).flat_map(
            move |(pair, threads)| {
                works.clone().map(move |(octets, in_flight)| Self { pair, threads, octets, in_flight })
            },
        )
    }

    fn parse(text: &str) -> Result<Self, BoxError> {
        let mut parts = text.split(' ');
        let mut next = || parts.next().ok_or("a cell has four parts");
        let pair = Pair::named(next()?)?;
        Ok(Self { pair, threads: next()?.parse()?, octets: next()?.parse()?, in_flight: next()?.parse()? })
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.pair.name(), self.threads, self.octets, self.in_flight)
    }
}

impl Round {
    /// Reads what a worker answered.
    pub fn parse(text: &str) -> Result<Self, BoxError> {
        let (rate, cpu) = text.split_once(' ').ok_or("a round has two parts")?;
        Ok(Self { rate: rate.parse()?, cpu: cpu.parse().ok() })
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cpu {
            Some(cpu) => write!(f, "{} {cpu}", self.rate),
            None => write!(f, "{} -", self.rate),
        }
    }
}

/// What a worker does: a round for every `CELL MILLIS`, until its parent is gone.
pub fn work() -> Result<(), BoxError> {
    let mut benches: Vec<Bench> = Vec::new();
    Ok(obey(|task| {
        let (cell, millis) = task.rsplit_once(' ').ok_or("not a task")?;
        let (cell, time) = (Cell::parse(cell)?, Duration::from_millis(millis.parse()?));
        let known = benches.iter().position(|bench| (bench.pair, bench.threads) == (cell.pair, cell.threads));
        let at = match known {
            Some(at) => at,
            None => {
                benches.push(Bench::start(cell.pair, cell.threads)?);
                benches.len() - 1
            }
        };
        benches[at].round(cell, time).map(|round| round.to_string())
    })?)
}

/// A server and a connection to it, on a runtime of their own.
struct Bench {
    pair: Pair,
    threads: usize,
    client: Client,
    _server: Running,
    runtime: Runtime,
}

impl Bench {
    fn start(pair: Pair, threads: usize) -> Result<Self, BoxError> {
        let runtime = match threads {
            1 => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
            _ => tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?,
        };
        let server = pair.serve(runtime.handle())?;
        let client = runtime.block_on(pair.connect(server.addr()))?;
        Ok(Self { pair, threads, client, _server: server, runtime })
    }

    /// Calls for so long, and until the last has ended; at least one for each in flight.
    fn round(&self, cell: Cell, time: Duration) -> Result<Round, BoxError> {
        let payload = Bytes::from(vec![7; cell.octets]);
        let cpu = cpu_time();
        let begun = Instant::now();
        let calls = self.runtime.block_on(async {
            let mut callers = JoinSet::new();
            for _ in 0..cell.in_flight {
                let (mut client, payload) = (self.client.clone(), payload.clone());
                callers.spawn(async move {
                    let mut calls = 0_u64;
                    loop {
                        client.call(payload.clone()).await?;
                        calls += 1;
                        if begun.elapsed() >= time {
                            return Ok::<_, BoxError>(calls);
                        }
                    }
                });
            }
            let mut calls = 0;
            while let Some(caller) = callers.join_next().await {
                calls += caller??;
            }
            Ok::<_, BoxError>(calls)
        })?;
        let took = begun.elapsed();
        let cpu = cpu.zip(cpu_time()).map(|(before, now)| now.saturating_sub(before));
        Ok(Round {
            rate: calls as f64 / took.as_secs_f64(),
            cpu: cpu.map(|cpu| cpu.as_nanos() as f64 / calls as f64),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_and_rounds_are_read_as_they_were_written() {
        let cells: Vec<_> = Cell::all().collect();
        assert_eq!(cells.len(), 48);
        for cell in cells {
            assert_eq!(Cell::parse(&cell.to_string()).expect("a cell"), cell);
        }
        for round in [Round { rate: 1234.5, cpu: Some(17.0) }, Round { rate: 0.5, cpu: None }] {
            assert_eq!(Round::parse(&round.to_string()).expect("a round"), round);
        }
        Cell::parse("tonic 1 2").expect_err("a part is missing");
    }
}
