//! The books of one connection, and the charges in them.

use std::{fmt, mem, sync::Arc};

use crate::{
    config::Config,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use super::{MemoryBudget, Pressure};

/// What a connection counts for by itself, beside its two HPACK tables, which count as full: its state, its task and
/// its socket, and [`PART_OF_A_FRAME`].
const CONNECTION: usize = (4 << 10) + PART_OF_A_FRAME;

/// So much of a frame that came in part is in the flat sum, so that a request that was cut on its way does not cost the
/// connection when nothing is left.
pub(crate) const PART_OF_A_FRAME: usize = 1 << 10;

/// From so many octets on a connection takes from the budget of its process in steps of as many; below in steps of
/// [`SMALL_STEP`].
const STEP: usize = 8 << 10;

const SMALL_STEP: usize = 1 << 10;

/// The books of one connection: made with it, if it has a limit or a share in a budget.
pub struct Account {
    held: AtomicUsize,
    limit: usize,
    budget: Option<MemoryBudget>,
}

/// What a connection counts for by itself, for as long as it lives.
pub(crate) struct Presence(Option<(MemoryBudget, usize)>);

impl Account {
    /// `None` if `config` sets no limit: then nothing is counted.
    pub fn new(config: &Config) -> Option<Arc<Self>> {
        if config.max_connection_memory.is_none() && config.memory_budget.is_none() {
            return None;
        }
        Some(Arc::new(Account {
            held: AtomicUsize::new(0),
            limit: config.max_connection_memory.unwrap_or(usize::MAX),
            budget: config.memory_budget.clone(),
        }))
    }

    /// Charges the budget for the connection itself. One that is made when nothing is left is not counted, and may hold
    /// nothing.
    pub(crate) fn enter(&self, config: &Config) -> Presence {
        let octets = CONNECTION + (config.header_table_size + config.encoder_table_size) as usize;
        let budget = self.budget.clone().filter(|budget| budget.take(octets));
        Presence(budget.map(|budget| (budget, octets)))
    }

    /// Octets that this connection is charged with, apart from the flat sum for itself.
    pub fn held(&self) -> usize {
        self.held.load(SeqCst)
    }

    /// What the connection's own limit and the budget ask for.
    pub fn pressure(&self) -> Pressure {
        self.own_pressure().max(self.shared_pressure())
    }

    /// What the connection's own limit asks for.
    pub(crate) fn own_pressure(&self) -> Pressure {
        Pressure::of(self.held(), self.limit)
    }

    /// What the budget asks for.
    fn shared_pressure(&self) -> Pressure {
        self.budget.as_ref().map_or(Pressure::None, MemoryBudget::pressure)
    }

    /// The budget that it has a share in.
    pub(crate) fn budget(&self) -> Option<&MemoryBudget> {
        self.budget.as_ref()
    }

    pub(crate) fn count_refused_stream(&self) {
        self.budget.iter().for_each(MemoryBudget::count_refused_stream);
    }

    pub(crate) fn count_dropped_stream(&self) {
        self.budget.iter().for_each(MemoryBudget::count_dropped_stream);
    }

    fn grow(&self, octets: usize) -> bool {
        let mut before = self.held();
        loop {
            let Some(after) = before.checked_add(octets).filter(|sum| *sum <= self.limit) else {
                return false;
            };
            // Taken before it is held, so that the budget is never exceeded.
            let more = in_steps(after) - in_steps(before);
            if let Some(budget) = self.budget.as_ref().filter(|_| more > 0)
                && !budget.take(more)
            {
                return false;
            }
            match self.held.compare_exchange_weak(before, after, SeqCst, SeqCst) {
                Ok(_) => return true,
                Err(now) => {
                    self.budget.iter().for_each(|budget| budget.give_silently(more));
                    before = now;
                }
            }
        }
    }

    fn shrink(&self, octets: usize) {
        let before = self.held.fetch_sub(octets, SeqCst);
        debug_assert!(octets <= before, "more released than was charged");
        self.give(in_steps(before) - in_steps(before - octets));
    }

    fn give(&self, octets: usize) {
        if let Some(budget) = self.budget.as_ref().filter(|_| octets > 0) {
            budget.give(octets);
        }
    }
}

/// What is taken from the budget of the process for so many octets: a function of them alone, so that the two sums
/// cannot drift apart.
fn in_steps(octets: usize) -> usize {
    let step = if octets < STEP { SMALL_STEP } else { STEP };
    octets.checked_next_multiple_of(step).unwrap_or(usize::MAX)
}

impl Drop for Account {
    fn drop(&mut self) {
        debug_assert_eq!(self.held(), 0, "charged and never released");
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if let Some((budget, octets)) = &self.0 {
            budget.give(*octets);
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("held", &self.held()).finish_non_exhaustive()
    }
}

/// Octets in an [`Account`], released when it is dropped; not under a lock, please, since that may wake tasks.
/// Without an account it counts nothing and everything fits.
#[derive(Debug, Default)]
pub struct Charge {
    account: Option<Arc<Account>>,
    octets: usize,
}

impl Charge {
    /// A charge of nothing.
    pub fn new(account: Option<Arc<Account>>) -> Self {
        Charge { account, octets: 0 }
    }

    /// A charge of nothing, without an account.
    pub const fn none() -> Self {
        Charge { account: None, octets: 0 }
    }

    /// Whether there are any books.
    pub fn is_counted(&self) -> bool {
        self.account.is_some()
    }

    /// Octets charged.
    pub fn octets(&self) -> usize {
        self.octets
    }

    /// What the account asks for.
    pub fn pressure(&self) -> Pressure {
        self.account.as_ref().map_or(Pressure::None, |account| account.pressure())
    }

    /// Charges so much more, or nothing and says `false` if it does not fit.
    pub fn grow(&mut self, octets: usize) -> bool {
        let Some(account) = &self.account else { return true };
        let fits = octets == 0 || account.grow(octets);
        if fits {
            self.octets += octets;
        }
        fits
    }

    /// Charges as much more as is wanting to `octets`; `false` if that does not fit. Never less than before.
    pub fn grow_to(&mut self, octets: usize) -> bool {
        self.grow(octets.saturating_sub(self.octets))
    }

    /// Charges as much as fits, within a kilobyte, of what is wanting to `octets`.
    pub fn grow_towards(&mut self, octets: usize) {
        let mut part = octets.saturating_sub(self.octets);
        while !self.grow(part.min(octets.saturating_sub(self.octets))) || self.octets < octets {
            part /= 2;
            if part < SMALL_STEP {
                return;
            }
        }
    }

    /// Takes out what is beyond `octets`, to be dropped where there is no lock.
    #[must_use = "is released when dropped"]
    pub fn split_off(&mut self, octets: usize) -> Charge {
        let surplus = self.octets.saturating_sub(octets);
        if surplus == 0 {
            return Charge::default();
        }
        self.octets -= surplus;
        Charge { account: self.account.clone(), octets: surplus }
    }

    /// Moves everything of `other`, which is of the same account if this is of any, in here.
    pub fn merge(&mut self, mut other: Charge) {
        match self.account {
            Some(_) => self.octets += mem::take(&mut other.octets),
            None => mem::swap(self, &mut other),
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if let Some(account) = self.account.as_ref().filter(|_| self.octets > 0) {
            account.shrink(self.octets);
        }
    }
}
