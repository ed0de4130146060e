//! The budgets in every order of their threads' steps (`docs/models.md`).
//!
//! Always true here: whatever the order, no limit is exceeded, the sum is zero at the end, and who waits for a pressure
//! that has come is woken.

use std::{future::poll_fn, sync::Arc};

use loom::future::block_on;

use crate::{
    config::Config,
    sync::{explore, join, spawn},
};

use super::{budget::Waiter, *};

const LIMIT: usize = 10 << 10;

/// A budget of which everything was used once.
fn budget() -> MemoryBudget {
    let budget = MemoryBudget::new(LIMIT);
    assert!(budget.take(LIMIT));
    budget.give_silently(LIMIT);
    budget.tell_of_charges();
    assert_eq!(budget.stats().held, 0);
    budget
}

fn account(budget: &MemoryBudget) -> Arc<Account> {
    let config = Config::builder().memory_budget(Some(budget.clone())).build().unwrap();
    let account = Account::new(&config).unwrap();
    assert_eq!(account.held(), 0);
    account
}

#[test]
fn two_who_charge_one_account_never_exceed_the_budget() {
    explore(3, || {
        let budget = budget();
        let account = account(&budget);
        let users = [5 << 10, 7 << 10].map(|octets| {
            let (mut charge, budget) = (Charge::new(Some(account.clone())), budget.clone());
            spawn(move || {
                let fits = charge.grow(octets);
                assert!(budget.stats().held <= LIMIT);
                drop(charge.split_off(1));
                fits
            })
        });
        let fit = users.map(|user| user.join().unwrap());
        assert!(fit.contains(&true), "both were refused");
        assert_eq!((account.held(), budget.stats().held), (0, 0));
    });
}

#[test]
fn who_waits_for_room_is_woken() {
    explore(3, || {
        let budget = budget();
        assert!(budget.take(LIMIT));
        let waiter = {
            let mut waiter = Waiter::new(budget.clone());
            spawn(move || block_on(poll_fn(|cx| waiter.poll_below(Pressure::Streams, cx))))
        };
        let giver = {
            let budget = budget.clone();
            spawn(move || budget.give(LIMIT / 2))
        };
        budget.give(LIMIT / 2);
        join([waiter, giver]);
    });
}

/// Charges are made under locks, and told of later.
#[test]
fn who_waits_for_pressure_is_woken() {
    explore(3, || {
        let budget = budget();
        let waiter = {
            let mut waiter = Waiter::new(budget.clone());
            spawn(move || block_on(poll_fn(|cx| waiter.poll_reached(Pressure::Connections, cx))))
        };
        let takers = [0, 1].map(|_| {
            let budget = budget.clone();
            spawn(move || {
                assert!(budget.take(LIMIT / 2));
                budget.tell_of_charges();
            })
        });
        join(takers);
        join([waiter]);
    });
}
