//! grpcio's client: a Python process that makes its own random calls and tells what became of them.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use millpond_testkit::{process, worker::Worker};

use crate::{
    BoxError,
    ledger::{Ledger, Outcome},
    path::Path,
    plan::{BOUND, Kind},
};

/// The process, and the paths that it calls on.
pub struct Foreign {
    worker: Arc<Mutex<Worker>>,
    paths: Vec<Path>,
}

impl Foreign {
    /// Starts it, with so many callers on each path.
    pub fn start(paths: Vec<Path>, callers: u16) -> io::Result<Foreign> {
        let mut command = process::grpcio_soak()?;
        command.arg(callers.to_string()).args(paths.iter().map(|path| path.address().to_string()));
        // Longer than the longest round.
        let worker = Worker::start(&mut command, 5 * BOUND)?;
        Ok(Foreign { worker: Arc::new(Mutex::new(worker)), paths })
    }

    pub fn paths(&self) -> &[Path] {
        &self.paths
    }

    /// One round of calls, noted in the ledger.
    pub async fn call_for(&self, time: Duration, seed: u64, ledger: &Ledger) -> Result<(), BoxError> {
        let begun = Instant::now();
        let answer = self.ask(format!("run {} {seed}", time.as_secs_f64())).await?;
        for said in answer.split('\t').filter(|said| !said.is_empty()) {
            self.note(said, begun, ledger).ok_or_else(|| format!("grpcio's client says {said:?}"))?;
        }
        Ok(())
    }

    /// Waits until each path carries a call.
    pub async fn settle(&self) -> Result<(), BoxError> {
        self.ask("settle".into()).await.map(drop)
    }

    async fn ask(&self, task: String) -> Result<String, BoxError> {
        let worker = self.worker.clone();
        let ask = move || worker.lock().unwrap_or_else(PoisonError::into_inner).ask(task);
        Ok(tokio::task::spawn_blocking(ask).await??)
    }

    /// `PATH KIND OUTCOME COUNT`, or `PATH KIND error BEGUN ENDED WORDS`.
    fn note(&self, said: &str, begun: Instant, ledger: &Ledger) -> Option<()> {
        let mut parts = said.splitn(4, ' ');
        let path = self.paths.get(parts.next()?.parse::<usize>().ok()?)?;
        let kind = Kind::named(parts.next()?)?;
        let (outcome, rest) = (parts.next()?, parts.next()?);
        if outcome != "error" {
            ledger.note(
                path.name(),
                kind,
                Outcome::named(outcome)?,
                rest.parse().ok()?,
                "says grpcio's client",
            );
            return Some(());
        }
        let mut parts = rest.splitn(3, ' ');
        let mut time = || Some(begun + Duration::from_millis(parts.next()?.parse().ok()?));
        let (from, to) = (time()?, time()?);
        // Its clock began when the task had come, a little later than ours.
        let explained = path.explains(from, to + Duration::from_secs(1));
        let outcome = if explained { Outcome::Faulted } else { Outcome::Unexplained };
        ledger.note(path.name(), kind, outcome, 1, parts.next()?);
        Some(())
    }
}
