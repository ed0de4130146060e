//! Processor time: what a process has used, however busy the machine is with others.

use std::fs;
use std::time::Duration;

/// Processor time of all threads of this process that are alive; `None` where the system has no `schedstat`.
pub fn cpu_time() -> Option<Duration> {
    let mut nanos = 0;
    for thread in fs::read_dir("/proc/self/task").ok()? {
        let Ok(text) = fs::read_to_string(thread.ok()?.path().join("schedstat")) else {
            // It has ended since the directory was read.
            continue;
        };
        nanos += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanos))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn work_shows_and_sleep_does_not() {
        // Some kernels are built without it.
        let Some(before) = cpu_time() else { return };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(100) {
            std::hint::spin_loop();
        }
        let worked = cpu_time().expect("it was there just now");
        assert!(worked > before);
        std::thread::sleep(Duration::from_millis(100));
        assert!(cpu_time().expect("it was there just now") >= worked);
    }
}
