//! What the process holds: heap, resident memory, blocks and file descriptors; while calls run, and at rest.
//!
//! Always true here: a sample at rest is taken when no call is open and every path has one connection, so that two of
//! them differ only by what was left behind.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use millpond::buffer::BufferPool;
use millpond_testkit::{open_files, rss, table::octets};
use tokio::{task::JoinHandle, time::sleep};

use crate::HEAP;

/// How long things may take to come home after the last call.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How long nothing may change until all is at rest: longer than anything that ends by itself takes for that, such as
/// [`HALF_CLOSE_GRACE`](crate::servers::HALF_CLOSE_GRACE) and the age of connections.
const QUIET: Duration = Duration::from_millis(1_200);

/// One look at the process.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub at: Instant,
    /// Octets of heap in use.
    pub live: usize,
    pub resident: Option<usize>,
    pub blocks_out: usize,
    pub files: Option<usize>,
}

impl Sample {
    fn take(pools: &[(&str, BufferPool)]) -> Sample {
        let blocks_out = pools.iter().map(|(_, pool)| pool.stats().blocks_out).sum();
        Sample {
            at: Instant::now(),
            live: HEAP.usage().live,
            resident: rss(),
            blocks_out,
            files: open_files(),
        }
    }

    /// Waits until blocks are home and nothing changes any more, not for ever.
    pub async fn at_rest(pools: &[(&str, BufferPool)]) -> Sample {
        let begun = Instant::now();
        let (mut sample, mut since) = (Sample::take(pools), begun);
        while since.elapsed() < QUIET && begun.elapsed() < PATIENCE {
            sleep(Duration::from_millis(50)).await;
            // What pools keep idle comes and goes: the second time all of it is freed.
            pools.iter().for_each(|(_, pool)| pool.trim());
            let next = Sample::take(pools);
            let same = next.live.abs_diff(sample.live) < 1024 && next.files == sample.files;
            if !same || next.blocks_out > 0 {
                since = Instant::now();
            }
            sample = next;
        }
        sample
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |count: Option<usize>, show: fn(usize) -> String| count.map_or("unknown".into(), show);
        write!(
            f,
            "{} KiB of heap, {} resident, {} blocks out, {} descriptors",
            self.live / 1024,
            known(self.resident, octets),
            self.blocks_out,
            known(self.files, |count| count.to_string()),
        )
    }
}

/// Looks every second, and remembers the most it saw.
pub struct Watch {
    most: Arc<Most>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Most {
    live: AtomicUsize,
    resident: AtomicUsize,
    blocks_out: AtomicUsize,
    idle: AtomicUsize,
    files: AtomicUsize,
}

impl Watch {
    pub fn start(pools: [(&'static str, BufferPool); 2]) -> Watch {
        let most = Arc::<Most>::default();
        let seen = most.clone();
        let task = tokio::spawn(async move {
            loop {
                let sample = Sample::take(&pools);
                seen.live.fetch_max(sample.live, Relaxed);
                seen.resident.fetch_max(sample.resident.unwrap_or(0), Relaxed);
                seen.blocks_out.fetch_max(sample.blocks_out, Relaxed);
                let idle = pools.iter().map(|(_, pool)| pool.stats().octets_idle).sum();
                seen.idle.fetch_max(idle, Relaxed);
                seen.files.fetch_max(sample.files.unwrap_or(0), Relaxed);
                sleep(Duration::from_secs(1)).await;
            }
        });
        Watch { most, task }
    }

    /// The most since the last time.
    pub fn most(&self) -> String {
        let take = |figure: &AtomicUsize| figure.swap(0, Relaxed);
        let most = &self.most;
        format!(
            "{} of heap, {} resident, {} blocks out, {} idle in the pools, {} descriptors",
            octets(take(&most.live)),
            octets(take(&most.resident)),
            take(&most.blocks_out),
            octets(take(&most.idle)),
            take(&most.files),
        )
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}
