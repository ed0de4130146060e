//! A simulation of two ends and the network between them, with faults: no socket, no real time, and the same each time
//! for the same seed.
//!
//! A seed makes a [`Script`](script::Script): options of both sides (small windows, few streams, short queues, pooling
//! on and off), what the network does (small socket buffers, pieces of any size, delays, stalls, a truncated or a cut
//! connection), the calls (bodies, trailers, priorities, informational responses, extended CONNECT; how they are paced,
//! read, released, reset, and where their handles are dropped), and what is done to a connection as a whole (windows,
//! PING, graceful and abrupt ends). [`World`](world::World) plays it with the real drivers and handles, each task
//! polled by an [`executor`] of our own when it was woken, in an order that the seed chooses, on a clock that is moved
//! only when nothing else can run.
//!
//! What must hold:
//!
//! - *No lost wake-up*: whenever no task is woken, each is polled once more; nothing may get on.
//! - *Everything ends*: when nothing moves any more, those that hold something back let go; then nobody may wait.
//! - *Credit* ([`watch`]): from the frames alone, no window is exceeded and none is larger than it should be; at the
//!   end all of it is back.
//! - *Memory*: blocks out stay within what unread data may hold; at the end all are home and nothing that was to be
//!   sent is held.
//! - *Queues*: of a message whose sender waits for room or capacity no more is held than a send queue takes.
//! - *Messages* ([`ledger`]): each octet arrives once, in order; an end that is seen is an end that was sent, with
//!   everything before it; what nobody spoiled arrives whole.
//!
//! `SIMULATION_SCRIPTS` says how many scripts are played and `SIMULATION_FIRST` from which seed on; `SIMULATION_SEED`
//! plays one and tells what happens in it.

mod body;
mod client;
mod control;
mod executor;
mod ledger;
mod network;
mod parts;
mod script;
mod server;
mod watch;
mod world;

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use script::Script;
use world::World;

/// How many scripts a plain `cargo test` plays.
const SCRIPTS: u64 = 300;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

#[test]
fn random_scripts_end_as_they_should() {
    play_all("random_scripts", &|seed, trace| {
        let script = Script::new(seed);
        if trace {
            eprintln!("{script:#?}");
        }
        World::play(script, seed, trace);
    });
}

#[test]
fn connections_say_of_themselves_what_is_so() {
    play_all("connections_say", &parts::play);
}

/// Plays what the environment asks for, on all processors.
fn play_all(test: &str, play: &(dyn Fn(u64, bool) + Sync)) {
    if let Some(seed) = number("SIMULATION_SEED") {
        return play(seed, true);
    }
    let first = number("SIMULATION_FIRST").unwrap_or(0);
    let end = first + number("SIMULATION_SCRIPTS").unwrap_or(SCRIPTS);
    let next = AtomicU64::new(first);
    let failures = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while failures.lock().unwrap().len() < ENOUGH {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= end {
                        return;
                    }
                    if let Err(why) = catch_unwind(AssertUnwindSafe(|| play(seed, false))) {
                        failures.lock().unwrap().push((seed, complaint(&*why)));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    for (seed, why) in &failures {
        eprintln!("{why}\n    SIMULATION_SEED={seed} cargo test --test simulation {test}");
    }
    assert!(failures.is_empty(), "scripts fail");
}

/// So many failures are enough to look at.
const ENOUGH: usize = 10;

fn complaint(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(why), _) => why.clone(),
        (_, Some(why)) => (*why).to_owned(),
        _ => "a panic without a word".to_owned(),
    }
}
