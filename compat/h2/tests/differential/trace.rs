//! What the applications of both sides saw, in order.
//!
//! Always true here: a trace holds nothing that an implementation is free to choose, such as the order in which events
//! of different streams come within a step, or how DATA is cut into chunks.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use crate::script::Side;

/// One direction of a stream as one side has it, or that side's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    pub side: Side,
    pub part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Connection,
    Receiving(u32),
    Sending(u32),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A call and its result.
    Called(&'static str, Result<String, Failure>),
    /// A call that could not be made: the handle was never there, or is gone.
    Skipped(&'static str),
    /// What was waited for has come.
    Came(&'static str, String),
    /// It has come as an error.
    Failed(&'static str, Failure),
    /// So many octets of the body, as they should be.
    Read(u64),
    /// So many octets were queued as capacity came.
    Pumped(u64),
    /// This side has queued the last it sends.
    Ended,
    /// What should never be seen.
    Wrong(String),
}

/// What an error tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub text: String,
    pub debug: String,
    pub reason: Option<u32>,
    pub io: Option<std::io::ErrorKind>,
    /// The answers of `is_io`, `is_go_away`, `is_reset`, `is_remote`, `is_library`.
    pub is: [bool; 5],
}

/// The events of each, with the steps that led to them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Trace {
    pub events: BTreeMap<Who, Vec<(usize, Event)>>,
}

/// Writes a trace.
#[derive(Clone, Debug, Default)]
pub struct Scribe {
    book: Rc<RefCell<Book>>,
}

#[derive(Debug, Default)]
struct Book {
    trace: Trace,
    step: usize,
    events: usize,
}

impl Scribe {
    /// What comes now is of this step.
    pub fn begin(&self, step: usize) {
        self.book.borrow_mut().step = step;
    }

    pub fn write(&self, who: Who, event: Event) {
        let book = &mut *self.book.borrow_mut();
        book.events += 1;
        let events = book.trace.events.entry(who).or_default();
        match (events.last_mut(), &event) {
            (Some((step, Event::Read(sum))), Event::Read(more)) if *step == book.step => *sum += more,
            (Some((step, Event::Pumped(sum))), Event::Pumped(more)) if *step == book.step => *sum += more,
            _ => events.push((book.step, event)),
        }
    }

    /// How often something was written.
    pub fn events(&self) -> usize {
        self.book.borrow().events
    }

    pub fn finish(self) -> Trace {
        std::mem::take(&mut self.book.borrow_mut().trace)
    }
}
