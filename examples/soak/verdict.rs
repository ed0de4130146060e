//! What all of it means: one line for each thing that must hold, and one line for machines.

use std::{fmt, time::Duration};

use millpond_testkit::{table::octets, trend};

use crate::{
    ledger::{Ledger, Outcome},
    sample::Sample,
};

/// What the heap may seem to have grown by, from the end of the warm-up to the end of the run. Two rests differ by some
/// 40 KiB, since stock tonic's connections, which are in this process too, keep more or less of each burst; over the
/// few samples of a short run that is a doubt of 50 KiB in the growth, and this is four times as much. A minute's run
/// then sees a leak of ten octets for each call, half an hour's one octet for every three calls.
const TOLERANCE: usize = 192 * 1024;

/// Samples at rest, after the warm-up, that it takes to speak of growth.
const ENOUGH: usize = 4;

/// What was seen.
pub struct Evidence<'a> {
    pub seed: u64,
    pub took: Duration,
    pub ledger: &'a Ledger,
    /// Paths that exist, whether calls were made there or not.
    pub paths: usize,
    pub faults: u64,
    /// Samples at rest.
    pub rests: &'a [Sample],
    /// Blocks that are out after the end, and whose they are.
    pub blocks_out: Vec<(&'static str, usize)>,
    /// Descriptors before the beginning and after the end.
    pub files: (Option<usize>, Option<usize>),
}

/// A thing that must hold.
struct Check {
    holds: bool,
    words: String,
}

/// How the heap grew.
struct Growth {
    /// Octets in a minute.
    slope: f64,
    tolerance: f64,
    samples: usize,
}

/// The judgement.
pub struct Verdict {
    checks: Vec<Check>,
    summary: String,
}

impl Verdict {
    pub fn of(evidence: &Evidence<'_>) -> Verdict {
        let ledger = evidence.ledger;
        let mut checks = Vec::new();
        let mut check = |holds: bool, words: String| checks.push(Check { holds, words });

        let by_path = ledger.by_path();
        let silent = evidence.paths - by_path.len();
        check(
            silent == 0 && evidence.paths > 0,
            format!("{} paths, {silent} of them without calls", evidence.paths),
        );
        check(evidence.faults > 0, format!("{} connections were broken on purpose", evidence.faults));
        for (outcome, words) in [
            (Outcome::Lost, "had no end within the bound"),
            (Outcome::Wrong, "brought octets that are not their own"),
            (Outcome::Unexplained, "failed for no reason that is ours"),
        ] {
            let count = ledger.total(outcome);
            check(count == 0, format!("{count} calls {words}"));
        }
        let failures = ledger.failures().len();
        check(failures == 0, format!("{failures} failures are told above"));

        let growth = Growth::of(evidence.rests);
        match &growth {
            Some(growth) => check(growth.slope <= growth.tolerance, growth.to_string()),
            None => check(true, "growth of the heap: not judged, the run is too short".into()),
        }
        let held = evidence.rests.iter().filter(|sample| sample.blocks_out > 0).count();
        check(held == 0, format!("{held} of {} rests with a block out", evidence.rests.len()));
        let files: Vec<_> = evidence.rests.iter().filter_map(|sample| sample.files).collect();
        let (warm, rest) = files.split_at(warm_up(files.len()));
        if let (Some(first), Some(last)) = (warm.iter().max(), rest.iter().min()) {
            let words = format!("descriptors at rest: at most {first} in the warm-up, later at least {last}");
            check(last <= first, words);
        }
        for (whose, count) in &evidence.blocks_out {
            check(*count == 0, format!("{count} blocks of the {whose} out after the end"));
        }
        let (before, after) = evidence.files;
        check(before >= after, format!("descriptors before and after: {before:?}, {after:?}"));

        let mut summary = format!("seed={} seconds={:.0}", evidence.seed, evidence.took.as_secs_f64());
        let calls: u64 = by_path.values().sum();
        summary += &format!(" calls={calls}");
        for outcome in Outcome::ALL {
            summary += &format!(" {}={}", outcome.name(), ledger.total(outcome));
        }
        let blocks: usize = evidence.blocks_out.iter().map(|(_, count)| count).sum();
        summary += &format!(" faults={} failures={failures} blocks_out={blocks}", evidence.faults);
        if let Some(growth) = growth {
            let Growth { slope, tolerance, .. } = growth;
            summary += &format!(" heap_octets_per_minute={slope:.0} tolerance={tolerance:.0}");
        }
        let passed = if checks.iter().all(|check| check.holds) { "passed" } else { "failed" };
        Verdict { checks, summary: format!("soak: verdict={passed} {summary}") }
    }

    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Check { holds, words } in &self.checks {
            writeln!(f, "{} {words}", if *holds { "  ok  " } else { "FAILED" })?;
        }
        write!(f, "{}", self.summary)
    }
}

impl Growth {
    /// By the samples after the first third; `None` if they are few.
    fn of(rests: &[Sample]) -> Option<Growth> {
        let judged = &rests[warm_up(rests.len())..];
        let (first, last) = (judged.first()?, judged.last()?);
        let minutes = |sample: &Sample| (sample.at - first.at).as_secs_f64() / 60.0;
        let points: Vec<_> = judged.iter().map(|sample| (minutes(sample), sample.live as f64)).collect();
        let slope = trend::slope(&points).filter(|_| judged.len() >= ENOUGH)?;
        Some(Growth { slope, tolerance: TOLERANCE as f64 / minutes(last), samples: judged.len() })
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Growth { slope, tolerance, samples } = self;
        write!(
            f,
            "the heap at rest grows by {slope:.0} octets per minute (least squares, {samples} samples after the \
             warm-up); {tolerance:.0} are tolerated, which is {} in all",
            octets(TOLERANCE)
        )
    }
}

/// How many of the samples are of the warm-up.
fn warm_up(samples: usize) -> usize {
    samples.div_ceil(3)
}
