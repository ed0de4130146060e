//! The facade and the real `h2` in each other's place: the same random scripts over the pairings h2-h2, facade-h2,
//! h2-facade and facade-facade (client first), over a wire in memory; what the applications of both sides see has to be
//! the same in all of them.
//!
//! - [`script`]: what happens, from a seed. [`pipe`]: the wire. [`endpoint`](on_h2::endpoint): one side, mounted once
//!   for each implementation. [`run`]: one script over one pairing. [`trace`]: what was seen. [`judge`]: the verdict.
//! - `DIFFERENTIAL_SCRIPTS=10000` runs so many scripts, `DIFFERENTIAL_FIRST=20000` from this seed on;
//!   `DIFFERENTIAL_SEED=17` runs that one. What is found is cut down to the steps that matter.
//!
//! After every script the pool has all its blocks back.
#![allow(clippy::duplicate_mod, reason = "one application, two implementations")]

mod body;
mod executor;
mod judge;
mod known;
mod pipe;
mod rng;
mod run;
mod script;
mod trace;

#[path = "."]
mod on_h2 {
    pub(crate) use real_h2 as h2;
    pub(crate) const FACADE: bool = false;
    #[path = "endpoint/mod.rs"]
    pub(crate) mod endpoint;
}

#[path = "."]
mod on_millpond {
    pub(crate) use ::h2;
    pub(crate) const FACADE: bool = true;
    #[path = "endpoint/mod.rs"]
    pub(crate) mod endpoint;
}

use std::fmt::Write;

use judge::{difference, judge, minimise};
use run::{Pairing, run};
use script::Script;

/// After so many findings it is enough.
const ENOUGH: usize = 5;

fn variable(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is a number, not {value:?}")))
}

fn seeds() -> std::ops::Range<u64> {
    match variable("DIFFERENTIAL_SEED") {
        Some(seed) => seed..seed + 1,
        None => {
            let first = variable("DIFFERENTIAL_FIRST").unwrap_or(0);
            first..first + variable("DIFFERENTIAL_SCRIPTS").unwrap_or(60)
        }
    }
}

/// One test, since the pool is the process's: nobody else may have blocks of it.
#[test]
fn all_pairings_see_the_same() {
    let (mut findings, mut text) = (0, String::new());
    for seed in seeds() {
        let script = Script::new(seed);
        let Some(finding) = judge(&script) else { continue };
        let (smallest, least) = minimise(&script, &finding);
        if known::is_excused(&smallest) {
            continue;
        }
        findings += 1;
        let _ = writeln!(text, "\nDIFFERENTIAL_SEED={seed} cargo test -p h2@0.4.99 --test differential");
        let _ = writeln!(text, "{:?}: {}\n{}", least.pairing, least.what, show(&smallest));
        if findings == ENOUGH {
            break;
        }
    }
    assert!(findings == 0, "{text}\nNot counted:\n{}", known::list());
}

/// A script, one step in a line.
fn show(script: &Script) -> String {
    let Script { client, server, lanes, vectored, chained, streams_first, steps } = script;
    let mut text = format!("  {client:?}\n  {server:?}\n  {lanes:?}\n");
    let _ = writeln!(text, "  vectored {vectored}, chained {chained}, streams first {streams_first}");
    for (number, step) in steps.iter().enumerate() {
        let at_once = if step.at_once { " (and at once)" } else { "" };
        let _ = writeln!(text, "  {number:3} {:?}{at_once}", step.what);
    }
    text
}

/// Two runs of one script give the same, and so does a run over a wide wire, of a script for a narrow one: whatever
/// differs is not for chance to explain.
#[test]
fn scripts_are_exact() {
    for seed in seeds() {
        let script = Script::new(seed);
        let Some(first) = run(&script, Pairing::H2) else { continue };
        let mut other = script.clone();
        other.lanes.iter_mut().for_each(|lane| (lane.capacity, lane.read, lane.write) = (None, None, None));
        for again in [&script, &other] {
            let again = run(again, Pairing::H2).expect("h2 was sound in the first run");
            if let Some(what) = difference(&script, &first, &again, Pairing::H2) {
                panic!("DIFFERENTIAL_SEED={seed}: two runs of h2 differ\n{what}\n{}", show(&script));
            }
        }
    }
}
