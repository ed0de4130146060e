//! What the operating system says a process occupies: resident memory, mappings and stacks included, and descriptors.

/// Octets of memory that this process occupies; `None` where the system has no `/proc`.
pub fn rss() -> Option<usize> {
    read("/proc/self/smaps_rollup", "Rss:").or_else(|| read("/proc/self/status", "VmRSS:"))
}

/// Octets of memory that another process of ours occupies, a peer's for example.
pub fn rss_of(process: u32) -> Option<usize> {
    read(&format!("/proc/{process}/smaps_rollup"), "Rss:")
        .or_else(|| read(&format!("/proc/{process}/status"), "VmRSS:"))
}

/// File descriptors that this process has open; `None` where the system has no `/proc`.
pub fn open_files() -> Option<usize> {
    // The directory that is read here is open, too.
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1))
}

/// The value of a line such as `Rss:     1234 kB`. `smaps_rollup` is exact; `status` may lag by some pages for each
/// processor.
fn read(file: &str, label: &str) -> Option<usize> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(label))?;
    let kilobytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn touched_memory_shows() {
        const OCTETS: usize = 64 << 20;
        let before = rss().expect("Linux has /proc");
        let touched = std::hint::black_box(vec![1_u8; OCTETS]);
        let after = rss().expect("Linux has /proc");
        assert!(after >= before + OCTETS / 2, "{before} -> {after}");
        drop(touched);
        assert!(rss_of(std::process::id()).is_some_and(|octets| octets > 0));
    }

    #[test]
    fn open_files_are_counted() {
        let file = || std::fs::File::open("/dev/null").expect("it can be read");
        let files: Vec<_> = (0..100).map(|_| file()).collect();
        assert!(open_files().expect("Linux has /proc") >= files.len());
    }
}
