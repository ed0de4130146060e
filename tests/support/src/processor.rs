//! Processor time: what a process has used, however busy the machine is with others.

use std::fs;
use std::time::Duration;

/// Processor time of all threads this process ever had; `None` where the system does not say.
#[cfg(unix)]
pub fn cpu_time() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
}

/// Processor time of all threads this process ever had; `None` where the system does not say.
#[cfg(not(unix))]
pub fn cpu_time() -> Option<Duration> {
    None
}

/// Processor time of those threads of another process of ours, a server's for example, that are alive; `None` where the
/// system has no `schedstat`. Of a thread that runs, what it has used since the last tick of the system is missing.
pub fn cpu_time_of(process: u32) -> Option<Duration> {
    let mut nanos = None;
    for thread in fs::read_dir(format!("/proc/{process}/task")).ok()? {
        let Ok(text) = fs::read_to_string(thread.ok()?.path().join("schedstat")) else {
            // It has ended since the directory was read.
            continue;
        };
        *nanos.get_or_insert(0) += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    nanos.map(Duration::from_nanos)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::time::{ClockId, clock_gettime};
    use std::time::Instant;

    /// The other tests run beside this one: what is compared holds whatever they use, and when their threads end.
    #[test]
    fn work_shows_and_goes_to_the_thread_that_did_it() {
        let before = cpu_time().expect("Linux says");
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(100) {
            std::hint::spin_loop();
        }
        let mine = clock_gettime(ClockId::ThreadCPUTime);
        let mine = Duration::new(mine.tv_sec.try_into().unwrap(), mine.tv_nsec.try_into().unwrap());
        assert!(mine > Duration::ZERO);
        assert!(cpu_time().expect("it was there just now") > before);
        // A thread that runs is brought to book when it gives way.
        std::thread::yield_now();
        // Some kernels are built without it.
        let Some(alive) = cpu_time_of(std::process::id()) else { return };
        assert!(alive >= mine, "{alive:?} is less than the {mine:?} of this thread alone");
    }
}
