//! Compares what was seen over two pairings, and cuts a script down to what makes them differ.

use std::{fmt::Write, time::Duration};

use millpond::buffer::BufferPool;

use crate::{
    known::{is_more, level},
    run::{Pairing, run},
    script::{Options, Script},
    trace::{Event, Trace, Who},
};

/// What is wrong with a script over a pairing.
#[derive(Clone, Debug)]
pub struct Finding {
    pub pairing: Pairing,
    pub what: String,
}

/// Runs a script over all pairings; the first finding.
pub fn judge(script: &Script) -> Option<Finding> {
    let expected = run(script, Pairing::H2)?;
    Pairing::WITH_FACADE.into_iter().find_map(|pairing| look(script, &expected, pairing))
}

fn look(script: &Script, expected: &Trace, pairing: Pairing) -> Option<Finding> {
    let seen = run(script, pairing)?;
    let what = difference(script, expected, &seen, pairing).or_else(blocks_out);
    Some(Finding { pairing, what: what? })
}

/// Blocks that did not come home. The pool's housekeeper has some in hand for a moment at times.
fn blocks_out() -> Option<String> {
    let mut blocks = 0;
    for _ in 0..1_000 {
        blocks = BufferPool::global().stats().blocks_out;
        if blocks == 0 {
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Some(format!("{blocks} blocks are still out"))
}

/// Where the trace of h2 with itself and another one part; `None` if they are equal.
pub fn difference(script: &Script, expected: &Trace, seen: &Trace, pairing: Pairing) -> Option<String> {
    let mut all: Vec<&Who> = expected.events.keys().chain(seen.events.keys()).collect();
    all.sort();
    all.dedup();
    let mut parted: Vec<(usize, String)> = Vec::new();
    for who in all {
        let facade = pairing.has_facade(who.side);
        let [h2, seen] = [expected, seen].map(|trace| levelled(script, trace.events.get(who)));
        if let Some((left, right)) = part(&h2, &seen, facade) {
            let step = [h2.get(left), seen.get(right)].into_iter().flatten().map(|(step, _)| *step).min();
            let last = left.checked_sub(1).map(|last| &h2[last]);
            let mut text = format!("{who:?}, after {last:?}:\n");
            let _ = write!(text, "   with h2: {:?}\n   here:    {:?}", h2.get(left), seen.get(right));
            parted.push((step.unwrap_or(0), text));
        }
        let wrong = seen.iter().filter(|(_, event)| matches!(event, Event::Wrong(_)));
        parted.extend(wrong.map(|(step, event)| (*step, format!("{who:?}: {event:?}"))));
    }
    parted.sort();
    let text: Vec<_> = parted.into_iter().take(4).map(|(_, text)| text).collect();
    (!text.is_empty()).then(|| text.join("\n"))
}

type Events = Vec<(usize, Event)>;

fn levelled(script: &Script, events: Option<&Events>) -> Events {
    events.into_iter().flatten().map(|(step, event)| (*step, level(script, event.clone()))).collect()
}

/// Where they part, but for what the facade alone may have.
fn part(h2: &Events, seen: &Events, facade: bool) -> Option<(usize, usize)> {
    let (mut left, mut right) = (0, 0);
    while left < h2.len() || right < seen.len() {
        if h2.get(left) == seen.get(right) {
            left += 1;
        } else if !facade || !seen.get(right).is_some_and(|(_, event)| is_more(&seen[..right], event)) {
            return Some((left, right));
        }
        right += 1;
    }
    None
}

type Simplify = fn(&mut Script);

/// The smallest script that is found to differ over this pairing, by leaving out what can be left out.
pub fn minimise(script: &Script, finding: &Finding) -> (Script, Finding) {
    let mut best = (script.clone(), finding.clone());
    let try_one = |script: Script, best: &mut (Script, Finding)| {
        let found = run(&script, Pairing::H2).and_then(|expected| look(&script, &expected, finding.pairing));
        found.is_some_and(|found| {
            *best = (script, found);
            true
        })
    };
    let mut length = best.0.steps.len();
    while length > 0 {
        let mut start = 0;
        while start < best.0.steps.len() {
            let mut smaller = best.0.clone();
            smaller.steps.drain(start..(start + length).min(smaller.steps.len()));
            if !try_one(smaller, &mut best) {
                start += length;
            }
        }
        length /= 2;
    }
    for step in 0..best.0.steps.len() {
        let mut smaller = best.0.clone();
        smaller.steps[step].at_once = false;
        try_one(smaller, &mut best);
    }
    let simpler: [Simplify; 12] = [
        |script| script.client = Options::default(),
        |script| script.server = Options::default(),
        |script| script.client.max_header_list = None,
        |script| script.client.initial_max_send = None,
        |script| script.server.max_header_list = None,
        |script| script.server.max_concurrent = None,
        |script| script.lanes = Default::default(),
        |script| script.lanes[0] = Default::default(),
        |script| script.lanes[1] = Default::default(),
        |script| script.chained = false,
        |script| script.vectored = false,
        |script| script.streams_first = false,
    ];
    for simplify in simpler {
        let mut smaller = best.0.clone();
        simplify(&mut smaller);
        try_one(smaller, &mut best);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_found_and_what_may_differ_is_not() {
        let read = |octets| (3, Event::Read(octets));
        let reset = (4, Event::Came("reset", "8".into()));
        let h2 = vec![(1, Event::Ended), read(7)];
        let part = |seen: Events, facade| part(&h2, &seen, facade);
        assert_eq!(part(h2.clone(), true), None);
        assert_eq!(part(vec![(1, Event::Ended), read(8)], true), Some((1, 1)));
        assert_eq!(part(vec![(2, Event::Ended), read(7)], true), Some((0, 0)));
        assert_eq!(part(vec![(1, Event::Ended)], true), Some((1, 1)));
        assert_eq!(part(vec![(1, Event::Ended), read(7), read(7)], true), Some((2, 2)));
        // The third of the table.
        assert_eq!(part(vec![(1, Event::Ended), reset.clone(), read(7)], true), None);
        assert_eq!(part(vec![(1, Event::Ended), reset.clone(), read(7)], false), Some((1, 1)));
        assert_eq!(part(vec![reset, (1, Event::Ended), read(7)], true), Some((0, 0)));
    }
}
