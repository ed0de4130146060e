//! Books of the memory that connections hold for their peers and applications, and the measures when it is too much.
//!
//! A [`MemoryBudget`] is a process's, or any part's that shares it. Each connection with a limit has one [`Account`];
//! what it holds is in [`Charge`]s. Always true here: a charge is the only way in, and dropping it, or part of it, the
//! only way out, so that the sum is zero at the end; a budget never holds more than its limit; it is charged before
//! the memory is kept; nothing here is touched by connections without a limit; no waker is called under a lock.

mod account;
mod budget;
#[cfg(all(test, loom))]
mod model;

pub use account::{Account, Charge};
pub(crate) use account::{PART_OF_A_FRAME, Presence};
pub(crate) use budget::Waiter;
pub use budget::{BudgetStats, MemoryBudget};

/// Which measures a budget asks for: each includes those before it. What does not fit into the whole of it is refused
/// at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    /// None: less than 75 % is held.
    None,
    /// From 75 %: no new streams.
    Streams,
    /// From 85 %: windows shrink, and no more of a body is asked for while some of it waits to be sent.
    Windows,
    /// From 95 %: no new connections, and those without a stream are asked to leave.
    Connections,
}

impl Pressure {
    /// Each measure, and the hundredths of the limit from which on it is taken.
    const STEPS: [(Pressure, usize); 3] =
        [(Pressure::Streams, 75), (Pressure::Windows, 85), (Pressure::Connections, 95)];

    /// What so many octets of `limit` ask for.
    fn of(held: usize, limit: usize) -> Pressure {
        let reached = Self::STEPS.iter().rev().find(|(_, part)| held >= threshold(limit, *part));
        reached.map_or(Pressure::None, |(pressure, _)| *pressure)
    }
}

/// A part of a limit, without overflow.
fn threshold(limit: usize, hundredths: usize) -> usize {
    limit / 100 * hundredths + limit % 100 * hundredths / 100
}

#[cfg(test)]
mod tests;
