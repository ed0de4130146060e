//! What the tests share: a runtime, a budget of which others hold a part, and waiting.

use std::{future::Future, sync::Arc, time::Duration};

use millpond::{
    Config, MemoryBudget,
    memory::{Account, Charge},
};

/// No test may hang: it fails after this.
const PATIENCE: Duration = Duration::from_secs(100);

pub fn run(test: impl Future<Output = ()>) {
    run_on(tokio::runtime::Builder::new_multi_thread().worker_threads(2), test);
}

/// On one thread: between two waits of the test nothing else happens.
pub fn run_here(test: impl Future<Output = ()>) {
    run_on(&mut tokio::runtime::Builder::new_current_thread(), test);
}

fn run_on(builder: &mut tokio::runtime::Builder, test: impl Future<Output = ()>) {
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.expect("the test hangs") });
    runtime.shutdown_timeout(Duration::from_secs(10));
}

/// Waits until something holds, or fails with `what` after half a minute.
pub async fn within(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{what}");
}

/// Others in the process who hold a part of the budget.
pub struct Others {
    budget: MemoryBudget,
    account: Arc<Account>,
    charges: Vec<Charge>,
}

impl Others {
    pub fn new(budget: &MemoryBudget) -> Self {
        let config = Config::builder().memory_budget(Some(budget.clone())).build().unwrap();
        Others { account: Account::new(&config).unwrap(), budget: budget.clone(), charges: Vec::new() }
    }

    /// Holds so much that the whole is so many hundredths of the limit.
    pub fn fill(&mut self, hundredths: usize) {
        self.charges.clear();
        let stats = self.budget.stats();
        let mut charge = Charge::new(Some(self.account.clone()));
        assert!(charge.grow((stats.limit / 100 * hundredths).saturating_sub(stats.held)));
        self.charges.push(charge);
    }
}
