//! The books balance, the limits hold, and those who wait are told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

use super::*;
use crate::config::{Config, ConfigBuilder};

const FLAT: usize = 13 << 10;

fn account(config: ConfigBuilder) -> Arc<Account> {
    Account::new(&config.build().unwrap()).unwrap()
}

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn without_a_limit_nothing_is_counted() {
    assert!(Account::new(&Config::default()).is_none());
    let mut charge = Charge::new(None);
    assert!(charge.grow(usize::MAX) && charge.grow(usize::MAX));
    assert_eq!((charge.octets(), charge.pressure()), (0, Pressure::None));
}

#[test]
fn the_budget_is_charged_in_steps_and_ends_at_zero() {
    let budget = MemoryBudget::new(1 << 20);
    let account = account(Config::builder().memory_budget(Some(budget.clone())));
    let held = || budget.stats().held;
    let mut charge = Charge::new(Some(account.clone()));
    for (octets, expected) in [(1, 1 << 10), (1_024, 2 << 10), (7_000, 8 << 10), (1_000, 16 << 10)] {
        assert!(charge.grow(octets));
        assert_eq!(held(), expected, "{octets}");
    }
    drop(charge.split_off(1));
    assert_eq!((held(), account.held(), charge.octets()), (1 << 10, 1, 1));
    let mut other = Charge::new(Some(account.clone()));
    assert!(other.grow_to(500) && other.grow_to(100));
    other.merge(charge);
    assert_eq!((other.octets(), account.held()), (501, 501));
    drop((other, account));
    assert_eq!((budget.stats().held, budget.stats().high_water), (0, 16 << 10));
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_no_trace() {
    let budget = MemoryBudget::new(64 << 10);
    let config = || Config::builder().memory_budget(Some(budget.clone()));
    let one = account(config());
    let mut charge = Charge::new(Some(one));
    assert!(!charge.grow((64 << 10) + 1) && !charge.grow(usize::MAX));
    assert_eq!(budget.stats().held, 0);
    assert!(charge.grow(64 << 10) && !charge.grow(1));
    // A connection that finds nothing left is made all the same, and may hold nothing.
    let two = account(config());
    let presence = two.enter(&config().build().unwrap());
    let mut other = Charge::new(Some(two.clone()));
    assert!(!other.grow(1));
    assert_eq!(budget.stats().held, budget.stats().limit);
    drop((charge, other, presence));
    assert_eq!(budget.stats().held, 0);
    let presence = two.enter(&config().build().unwrap());
    assert_eq!(budget.stats().held, FLAT);
    drop(presence);
    assert_eq!(budget.stats().held, 0);
}

#[test]
fn a_connection_has_a_limit_of_its_own() {
    let mut charge = Charge::new(Some(account(Config::builder().max_connection_memory(Some(1 << 20)))));
    let pressures: Vec<Pressure> = [70, 5, 10, 10, 4]
        .iter()
        .map(|hundredths| {
            assert!(charge.grow((1 << 20) / 100 * hundredths + 64));
            charge.pressure()
        })
        .collect();
    use Pressure::*;
    assert_eq!(pressures, [None, Streams, Windows, Connections, Connections]);
    assert!(!charge.grow(12 << 10));
}

#[test]
fn those_who_wait_hear_of_rise_and_relief_once() {
    let budget = MemoryBudget::new(100_000);
    let account = account(Config::builder().memory_budget(Some(budget.clone())));
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    let cx = Context::from_waker(&waker);
    let rings = || bell.0.swap(0, SeqCst);
    let mut waiter = Waiter::new(budget.clone());
    assert_eq!(waiter.poll_below(Pressure::Windows, &cx), Poll::Ready(()));
    assert_eq!(waiter.poll_reached(Pressure::Connections, &cx), Poll::Pending);
    let mut charge = Charge::new(Some(account));
    assert!(charge.grow(97_000));
    assert_eq!(rings(), 0, "charges are made under locks");
    budget.tell_of_charges();
    budget.tell_of_charges();
    assert_eq!(rings(), 1);
    assert_eq!(waiter.poll_reached(Pressure::Connections, &cx), Poll::Ready(()));
    let mut other = Waiter::new(budget.clone());
    assert_eq!(waiter.poll_below(Pressure::Windows, &cx), Poll::Pending);
    assert_eq!(other.poll_below(Pressure::Connections, &cx), Poll::Pending);
    // Asked again it stands in the list once.
    assert_eq!(other.poll_below(Pressure::Connections, &cx), Poll::Pending);
    drop(charge.split_off(88_000));
    assert_eq!(rings(), 1);
    assert_eq!(other.poll_below(Pressure::Connections, &cx), Poll::Ready(()));
    assert_eq!(waiter.poll_below(Pressure::Windows, &cx), Poll::Pending);
    drop(waiter);
    drop(charge);
    assert_eq!(rings(), 0, "one who has gone is not called");
}

#[test]
fn many_threads_never_exceed_it_and_end_at_zero() {
    let budget = MemoryBudget::new(256 << 10);
    let account = account(Config::builder().memory_budget(Some(budget.clone())));
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let (budget, account) = (&budget, &account);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed);
                let mut charges: Vec<Charge> = (0..8).map(|_| Charge::new(Some(account.clone()))).collect();
                for _ in 0..20_000 {
                    let at = random.usize(..8);
                    match random.bool() {
                        true => drop(charges[at].grow(random.usize(..20_000))),
                        false => drop({
                            let keep = random.usize(..=charges[at].octets());
                            charges[at].split_off(keep)
                        }),
                    }
                    assert!(budget.stats().held <= 256 << 10);
                }
            });
        }
    });
    drop(account);
    assert_eq!(budget.stats().held, 0);
    assert!(budget.stats().high_water > 200 << 10);
}
