//! What became of the calls: counted by path, kind and outcome. Always true here: a call is counted once, and memory
//! does not grow with the number of calls.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use millpond_testkit::table::Table;

use crate::plan::Kind;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With the octets that belong to it.
    Replied,
    /// With the status that it asked for.
    Refused,
    /// Its caller gave it up.
    Cancelled,
    /// It had a deadline, and that came first.
    Deadline,
    /// With word that it was not begun, where the server ends connections: the caller may try again.
    TurnedAway,
    /// With an error that a fault of the proxy explains.
    Faulted,
    /// With an error that nothing explains.
    Unexplained,
    /// With octets that are not its own.
    Wrong,
    /// Not at all within the bound.
    Lost,
}

impl Outcome {
    pub const ALL: [Outcome; 9] = [
        Outcome::Replied,
        Outcome::Refused,
        Outcome::Cancelled,
        Outcome::Deadline,
        Outcome::TurnedAway,
        Outcome::Faulted,
        Outcome::Unexplained,
        Outcome::Wrong,
        Outcome::Lost,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Outcome::Replied => "replied",
            Outcome::Refused => "refused",
            Outcome::Cancelled => "cancelled",
            Outcome::Deadline => "deadline",
            Outcome::TurnedAway => "turned_away",
            Outcome::Faulted => "faulted",
            Outcome::Unexplained => "unexplained",
            Outcome::Wrong => "wrong",
            Outcome::Lost => "lost",
        }
    }

    pub fn named(name: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    fn is_failure(self) -> bool {
        matches!(self, Outcome::Unexplained | Outcome::Wrong | Outcome::Lost)
    }
}

/// One count for each outcome, in the order of [`Outcome::ALL`].
type Counts = [u64; Outcome::ALL.len()];

/// Failures that are shown in full.
const SHOWN: usize = 20;

/// The books, shared by all callers.
#[derive(Default)]
pub struct Ledger {
    counts: Mutex<BTreeMap<(String, Kind), Counts>>,
    failures: Mutex<Vec<String>>,
}

impl Ledger {
    /// Counts `count` calls; `words` tells of failures.
    pub fn note(&self, path: &str, kind: Kind, outcome: Outcome, count: u64, words: &str) {
        let mut counts = lock(&self.counts);
        counts.entry((path.to_owned(), kind)).or_default()[outcome as usize] += count;
        drop(counts);
        if outcome.is_failure() {
            self.complain(format!("{path}, {}: {}: {words}", kind.name(), outcome.name()));
        }
    }

    /// Remembers what went wrong, and says it at once.
    pub fn complain(&self, words: String) {
        let mut failures = lock(&self.failures);
        if failures.len() < SHOWN {
            eprintln!("FAILURE: {words}");
            failures.push(words);
        }
    }

    /// The first failures, in words.
    pub fn failures(&self) -> Vec<String> {
        lock(&self.failures).clone()
    }

    /// How many calls ended so.
    pub fn total(&self, outcome: Outcome) -> u64 {
        lock(&self.counts).values().map(|counts| counts[outcome as usize]).sum()
    }

    /// How many calls were made on each path.
    pub fn by_path(&self) -> BTreeMap<String, u64> {
        let mut paths = BTreeMap::new();
        for ((path, _), counts) in lock(&self.counts).iter() {
            *paths.entry(path.clone()).or_default() += counts.iter().sum::<u64>();
        }
        paths
    }

    /// All of it.
    pub fn table(&self) -> Table {
        let mut table = Table::new(["path, kind"].into_iter().chain(Outcome::ALL.map(Outcome::name)));
        for ((path, kind), counts) in lock(&self.counts).iter() {
            let cell = |count: &u64| if *count == 0 { String::from(".") } else { count.to_string() };
            let head = format!("{path}, {}", kind.name());
            table.row(std::iter::once(head).chain(counts.iter().map(cell)));
        }
        table
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
