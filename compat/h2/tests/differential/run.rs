//! Runs a script over a pairing: one thread, every step until all is quiet.
//!
//! Always true here: what is polled, and in what order, depends on the script and on wake-ups alone; and nothing waits
//! for a poll that nobody asked for. h2 does forget to wake at times (credit that one stream gives back to another), so
//! both connections are polled once more when all is quiet; for the facade that has to be in vain.

use std::{
    cell::RefCell,
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::Rc,
};

use crate::{
    on_h2, on_millpond,
    pipe::Wires,
    script::{Act, Do, Script, Side, What},
    trace::{Event, Part, Scribe, Trace, Who},
};

/// Streams by identifier, as the script counts them.
pub type Ids = Rc<RefCell<HashMap<u32, u32>>>;

/// One side.
pub trait Party {
    fn act(&mut self, stream: u32, act: &Act);
    fn connection(&mut self, act: &Do);
    /// Polls what was woken, once; says whether there was any.
    fn turn(&mut self, streams_first: bool) -> bool;
    fn nudge_connection(&self);
    fn nudge_streams(&self);
    fn is_facade(&self) -> bool;
}

/// Who is the client and who is the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    H2,
    FacadeClient,
    FacadeServer,
    Facade,
}

impl Pairing {
    pub const WITH_FACADE: [Pairing; 3] = [Pairing::FacadeClient, Pairing::FacadeServer, Pairing::Facade];

    /// Whether this side is the facade's.
    pub fn has_facade(self, side: Side) -> bool {
        match side {
            Side::Client => matches!(self, Pairing::FacadeClient | Pairing::Facade),
            Side::Server => matches!(self, Pairing::FacadeServer | Pairing::Facade),
        }
    }
}

/// More turns than any script needs.
const TURNS: usize = 2_000_000;

struct Stage<'a> {
    script: &'a Script,
    wires: Wires,
    scribe: Scribe,
    parties: [Box<dyn Party>; 2],
    turns: usize,
}

/// What both applications saw; `None` if h2 tripped over an assertion of its own, which it has in debug builds only.
pub fn run(script: &Script, pairing: Pairing) -> Option<Trace> {
    let failure = match catch_unwind(AssertUnwindSafe(|| play(script, pairing))) {
        Ok(trace) => return Some(trace),
        Err(failure) => failure,
    };
    match failure.downcast_ref::<&str>() {
        Some(text) if LEFT_BEHIND.contains(text) => None,
        _ => resume_unwind(failure),
    }
}

/// A stream that a server has answered whole and let go of, blocked by its window, stays behind when the connection
/// goes.
const LEFT_BEHIND: [&str; 1] = ["assertion failed: !self.has_streams()"];

fn play(script: &Script, pairing: Pairing) -> Trace {
    let (wires, scribe, ids) = (Wires::new(script), Scribe::default(), Ids::default());
    let party = |side: Side| {
        let (pipe, scribe, ids) = (wires.end(side, script.vectored), scribe.clone(), ids.clone());
        match pairing.has_facade(side) {
            true => on_millpond::endpoint::party(side, script, pipe, scribe, ids),
            false => on_h2::endpoint::party(side, script, pipe, scribe, ids),
        }
    };
    let parties = Side::BOTH.map(party);
    let mut stage = Stage { script, wires: wires.clone(), scribe: scribe.clone(), parties, turns: TURNS };
    stage.settle();
    for (number, step) in script.steps.iter().enumerate() {
        scribe.begin(number);
        match &step.what {
            What::Stream(side, stream, act) => stage.parties[side.index()].act(*stream, act),
            What::Connection(side, act) => stage.parties[side.index()].connection(act),
            What::Wire(side, act) => wires.apply(*side, act),
        }
        if !step.at_once {
            stage.settle();
        }
    }
    stage.settle();
    drop(stage);
    scribe.finish()
}

impl Stage<'_> {
    /// Runs until all is quiet.
    fn settle(&mut self) {
        self.quiet();
        for side in Side::BOTH {
            self.nudge(side, "the connection was not woken", |party| party.nudge_connection());
            self.nudge(side, "a stream was not woken", |party| party.nudge_streams());
        }
    }

    fn quiet(&mut self) {
        while self.parties.iter_mut().fold(false, |ran, party| party.turn(self.script.streams_first) | ran) {
            self.turns = self.turns.saturating_sub(1);
            if self.turns == 0 {
                return self.wrong(Side::Client, "never quiet");
            }
        }
    }

    /// Polls what was not woken; in the facade that changes nothing.
    fn nudge(&mut self, side: Side, wrong: &str, nudge: impl FnOnce(&dyn Party)) {
        let before = (self.wires.taken(side), self.scribe.events());
        let party = &mut self.parties[side.index()];
        nudge(&**party);
        party.turn(self.script.streams_first);
        let changed = before != (self.wires.taken(side), self.scribe.events());
        if changed && party.is_facade() {
            self.wrong(side, wrong);
        }
        self.quiet();
    }

    fn wrong(&self, side: Side, what: &str) {
        self.scribe.write(Who { side, part: Part::Connection }, Event::Wrong(what.into()));
    }
}
