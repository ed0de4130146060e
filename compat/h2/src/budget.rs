//! The budget for small DATA frames that nobody reads, as h2 has it.
//!
//! A frame of few octets costs h2 more memory than its flow control accounts for, so what waits unread is bounded by a
//! budget. Here such frames are gathered and cost little, but a program that sets the budget, or meets its limit, sees
//! the same. Always true here: what is read pays back what it cost; a frame that ends its stream costs nothing.

/// Frames of so many octets or more cost nothing, and pay back what they have beyond.
const SMALL: usize = 256;

/// The least that the budget is, unless it was set.
const LEAST: usize = 25_600;

/// What may still be spent.
#[derive(Debug)]
pub(crate) struct Budget {
    max: usize,
    left: usize,
    /// Set by the application, so that it does not follow the window.
    is_set: bool,
}

impl Budget {
    /// A budget that was set, or follows the connection's window.
    pub(crate) fn new(set: Option<usize>, window: u32) -> Self {
        let max = set.unwrap_or_else(|| following(window));
        Budget { max, left: max, is_set: set.is_some() }
    }

    /// The connection's window is another.
    pub(crate) fn follow(&mut self, window: u32) {
        if !self.is_set {
            let spent = self.max - self.left;
            self.max = following(window);
            self.left = self.max.saturating_sub(spent);
        }
    }

    /// What a frame of `octets` that does not end its stream costs.
    pub(crate) fn cost(octets: usize) -> u32 {
        if octets == 0 { 0 } else { SMALL.saturating_sub(octets) as u32 }
    }

    /// Such a frame came. `false`: the budget is used up.
    pub(crate) fn spend(&mut self, octets: usize) -> bool {
        if octets >= SMALL {
            self.pay_back((octets - SMALL) as u32);
            return true;
        }
        match self.left.checked_sub(Self::cost(octets) as usize) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    /// Frames that cost so much were read, or dropped.
    pub(crate) fn pay_back(&mut self, cost: u32) {
        self.left = self.left.saturating_add(cost as usize).min(self.max);
    }
}

fn following(window: u32) -> usize {
    (window as usize / 2).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_pays_back_what_it_cost() {
        let mut budget = Budget::new(Some(1_000), 0);
        assert!((0..3).all(|_| budget.spend(1)));
        assert!(!budget.spend(1));
        budget.pay_back(Budget::cost(1));
        assert!(budget.spend(1) && !budget.spend(1));
        assert!(budget.spend(16_384) && budget.left == 1_000);
    }

    #[test]
    fn it_follows_the_window_unless_it_was_set() {
        let mut budget = Budget::new(None, 65_535);
        assert_eq!(budget.max, 32_767);
        budget.spend(1);
        budget.follow(1 << 20);
        assert_eq!((budget.max, budget.left), (1 << 19, (1 << 19) - 255));
        let mut budget = Budget::new(Some(7), 0);
        budget.follow(1 << 20);
        assert_eq!(budget.max, 7);
    }
}
