//! The pool before and after a conversation. On the real h2 there is none, and nothing is looked at.

/// The pool at the beginning of a conversation.
pub(crate) struct Watch {
    #[cfg(feature = "facade")]
    takes: u64,
}

#[cfg(not(feature = "facade"))]
impl Watch {
    pub(crate) fn begin() -> Self {
        Self {}
    }

    pub(crate) fn expect_quiet(&self, _when: &str) {}

    pub(crate) fn expect_used(&self) {}
}

#[cfg(feature = "facade")]
impl Watch {
    pub(crate) fn begin() -> Self {
        Self { takes: takes() }
    }

    /// Fails unless every block comes home within a time that is ample for the last octets in flight.
    #[track_caller]
    pub(crate) fn expect_quiet(&self, when: &str) {
        const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
        let begun = std::time::Instant::now();
        loop {
            let stats = millpond::buffer::BufferPool::global().stats();
            if stats.blocks_out == 0 && stats.octets_out == 0 && stats.large.blocks_out == 0 {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{when}, blocks are out: {stats:#?}");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    /// Fails unless blocks were taken: the conversation went over millpond.
    #[track_caller]
    pub(crate) fn expect_used(&self) {
        assert!(takes() > self.takes, "the conversation did not touch the pool");
    }
}

#[cfg(feature = "facade")]
fn takes() -> u64 {
    let stats = millpond::buffer::BufferPool::global().stats();
    stats.hits + stats.misses
}
