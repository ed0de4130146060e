//! Entering against finishing, in every order of their threads' steps (`docs/models.md`).
//!
//! Always true here: whoever enters is asked to end, and the last who leaves is heard.

use loom::future::block_on;

use crate::{
    buffer::{BufferPool, PoolOptions},
    config::Config,
    connection::{ConnectionStats, Side},
    sync::{explore, join, spawn},
};

use super::*;

fn connection() -> Arc<Shared> {
    let pool = BufferPool::new(PoolOptions { max_idle: 0, decay: None });
    let shared = Shared::new(Arc::new(Config::builder().pool(pool).build().unwrap()), Side::Server, None);
    shared.set_congested(shared.take_returned() > 0);
    shared
}

/// Leaves when it was asked to.
fn serve(connection: &Shared, entry: Entry) {
    block_on(poll_fn(|cx| {
        let mut ready = connection.lock();
        ready.driver_is_awake();
        if std::mem::take(&mut ready.wishes.shutdown) {
            return Poll::Ready(());
        }
        drop(ready);
        match connection.sleep(cx, ConnectionStats::default()) {
            true => Poll::Pending,
            // Asked between the two looks.
            false => Poll::Ready(()),
        }
    }));
    drop(entry);
}

#[test]
fn who_enters_while_all_are_asked_to_end_is_asked_too() {
    explore(3, || {
        let drain = Drain::new();
        let early = connection();
        let entry = drain.enter(&early);
        let late = {
            let drain = drain.clone();
            spawn(move || {
                let late = connection();
                let entry = drain.enter(&late);
                serve(&late, entry);
            })
        };
        let early = spawn(move || serve(&early, entry));
        block_on(drain.finish(None));
        join([early, late]);
        assert!(drain.lock().live.is_empty());
    });
}

#[test]
fn the_last_two_leave_at_once() {
    explore(3, || {
        let drain = Drain::new();
        let leaving = [0, 1].map(|_| {
            let entry = drain.enter(&connection());
            spawn(move || drop(entry))
        });
        block_on(drain.finish(None));
        assert!(drain.lock().live.is_empty(), "finished too early");
        join(leaving);
    });
}
