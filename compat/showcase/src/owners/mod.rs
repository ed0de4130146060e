//! Whose the live octets are: a backtrace for each allocation, and the first crate in it that makes connections.
//!
//! An allocation belongs to the innermost frame of one of [`OWNERS`], told by the source file, which is there for inlined
//! functions too. A task's memory is tokio's by that rule, although what fills it is the future that was spawned; so the
//! crate that asked for it is told as well.

mod allocator;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use crate::BoxError;
use crate::idle::Ledger;

pub use allocator::TracingAllocator;

/// The crates that something can belong to.
pub const OWNERS: [&str; 7] = ["h2", "millpond", "hyper", "hyper-util", "tonic", "tower", "tokio"];

/// What belongs to none of them: the program that measures, and the crates that it calls itself.
const NOBODY: &str = "the program";

/// Crates that only carry out what others ask for.
const SERVANTS: [&str; 2] = ["tokio", "hyper-util"];

/// What an allocator remembers.
#[derive(Debug, Default)]
pub struct Book {
    recording: AtomicBool,
    live: AtomicUsize,
    entries: Mutex<Option<HashMap<usize, Entry>>>,
}

/// One allocation.
#[derive(Debug)]
pub struct Entry {
    octets: usize,
    /// Return addresses, innermost first.
    stack: Vec<usize>,
}

/// What was allocated at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// One of [`OWNERS`], or nobody.
    pub owner: String,
    /// File and line of its function.
    pub line: String,
    /// Whom it served.
    pub on_behalf_of: String,
}

/// Live allocations and their octets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Amount {
    /// How many.
    pub allocations: usize,
    /// Of how many octets together.
    pub octets: usize,
}

impl Book {
    const fn new() -> Self {
        Self { recording: AtomicBool::new(false), live: AtomicUsize::new(0), entries: Mutex::new(None) }
    }

    fn allocated(&self, address: usize, octets: usize) {
        if address == 0 || !self.recording.load(Relaxed) {
            return;
        }
        allocator::enter(|| {
            let mut stack = Vec::new();
            backtrace::trace(|frame| {
                stack.push(frame.ip().addr());
                true
            });
            self.insert(address, Entry { octets, stack });
        });
    }

    fn released(&self, address: usize) -> Option<Entry> {
        if !self.recording.load(Relaxed) {
            return None;
        }
        let entry = allocator::enter(|| self.with(|entries| entries.remove(&address)))??;
        self.live.fetch_sub(entry.octets, Relaxed);
        Some(entry)
    }

    fn restore(&self, address: usize, entry: Entry) {
        allocator::enter(|| self.insert(address, entry));
    }

    fn insert(&self, address: usize, entry: Entry) {
        self.live.fetch_add(entry.octets, Relaxed);
        self.with(|entries| entries.insert(address, entry));
    }

    fn with<T>(&self, change: impl FnOnce(&mut HashMap<usize, Entry>) -> T) -> T {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        change(entries.get_or_insert_default())
    }

    /// What is live, by place.
    fn places(&self) -> HashMap<Place, Amount> {
        let mut frames = Frames::default();
        let mut places: HashMap<Place, Amount> = HashMap::new();
        self.with(|entries| {
            for entry in entries.values() {
                let amount = places.entry(frames.place(&entry.stack)).or_default();
                amount.allocations += 1;
                amount.octets += entry.octets;
            }
        });
        places
    }
}

impl Ledger for TracingAllocator {
    fn live(&self) -> usize {
        self.book.live.load(Relaxed)
    }

    fn record(&self) -> Result<(), BoxError> {
        self.book.recording.store(true, Relaxed);
        Ok(())
    }

    fn owners(&self) -> Result<String, BoxError> {
        let report = allocator::enter(|| {
            let places = self.book.places();
            let lines = places.iter().map(|(place, amount)| {
                let Place { owner, line, on_behalf_of } = place;
                format!("{owner}|{line}|{on_behalf_of}|{}|{}", amount.allocations, amount.octets)
            });
            lines.collect::<Vec<_>>().join(";")
        });
        // A copy that the allocator may see the end of.
        Ok(report.ok_or("called from inside the allocator")?.as_str().to_owned())
    }
}

/// Reads what [`Ledger::owners`] wrote.
pub fn parse(report: &str) -> Result<Vec<(Place, Amount)>, BoxError> {
    let line = |line: &str| match line.split('|').collect::<Vec<_>>()[..] {
        [owner, line, on_behalf_of, allocations, octets] => {
            let [owner, line, on_behalf_of] = [owner, line, on_behalf_of].map(str::to_owned);
            let amount = Amount { allocations: allocations.parse()?, octets: octets.parse()? };
            Ok((Place { owner, line, on_behalf_of }, amount))
        }
        _ => Err(format!("not an owner: {line}").into()),
    };
    report.split(';').filter(|part| !part.is_empty()).map(line).collect()
}

/// Where the functions of a return address stand, inlined ones too, innermost first.
#[derive(Default)]
struct Frames {
    lines: HashMap<usize, Vec<(&'static str, String)>>,
}

impl Frames {
    fn place(&mut self, stack: &[usize]) -> Place {
        let mut place =
            Place { owner: NOBODY.to_owned(), on_behalf_of: NOBODY.to_owned(), ..Place::default() };
        for address in stack {
            for (owner, line) in self.lines(*address) {
                if place.owner == NOBODY {
                    (place.owner, place.line) = ((*owner).to_owned(), line.clone());
                }
                if !SERVANTS.contains(owner) {
                    place.on_behalf_of = (*owner).to_owned();
                    return place;
                }
            }
        }
        place
    }

    /// Those that belong to an owner.
    fn lines(&mut self, address: usize) -> &[(&'static str, String)] {
        self.lines.entry(address).or_insert_with(|| {
            let mut lines = Vec::new();
            backtrace::resolve(std::ptr::without_provenance_mut(address), |symbol| {
                let (Some(file), Some(line)) = (symbol.filename(), symbol.lineno()) else { return };
                let Some((owner, file)) = file.to_str().and_then(owner_of) else { return };
                lines.push((owner, format!("{file}:{line}")));
            });
            lines
        })
    }
}

/// Whose a source file is, and its path in that crate.
fn owner_of(file: &str) -> Option<(&'static str, &str)> {
    let project = env!("CARGO_MANIFEST_DIR").trim_end_matches("/stock").strip_suffix("compat/showcase")?;
    if let Some(inside) = file.strip_prefix(project) {
        let inside = |folder| inside.strip_prefix(folder);
        return match inside("compat/h2/") {
            Some(file) => Some(("h2", file)),
            None => inside("src/").map(|_| ("millpond", file.trim_start_matches(project))),
        };
    }
    // `…/registry/src/INDEX/NAME-VERSION/src/…`
    let (_, inside) = file.split_once("/registry/src/")?;
    let (_, inside) = inside.split_once('/')?;
    let (name, file) = inside.split_once('/')?;
    let version =
        name.match_indices('-').find(|(at, _)| name[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    let name = &name[..version?.0];
    OWNERS.into_iter().find(|owner| *owner == name).map(|owner| (owner, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_tell_their_owner() {
        let registry = "/home/m/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f";
        let owned = |file: &str| {
            owner_of(&format!("{registry}/{file}")).map(|(owner, file)| (owner, file.to_owned()))
        };
        assert_eq!(owned("hyper-1.12.0/src/body/mod.rs"), Some(("hyper", "src/body/mod.rs".to_owned())));
        assert_eq!(owned("hyper-util-0.1.21/src/a.rs"), Some(("hyper-util", "src/a.rs".to_owned())));
        assert_eq!(owned("http-body-1.1.0/src/lib.rs"), None);
        assert_eq!(owner_of("/rustc/59807616e/library/alloc/src/boxed.rs"), None);
        let project =
            env!("CARGO_MANIFEST_DIR").trim_end_matches("/stock").trim_end_matches("compat/showcase");
        assert_eq!(owner_of(&format!("{project}compat/h2/src/share.rs")), Some(("h2", "src/share.rs")));
        assert_eq!(
            owner_of(&format!("{project}src/buffer/pool.rs")).map(|(owner, _)| owner),
            Some("millpond")
        );
        assert_eq!(owner_of(&format!("{project}compat/showcase/src/idle.rs")), None);
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let places = parse("h2|h2::f|hyper|2|300;tokio|tokio::g|the program|1|5").expect("two lines");
        assert_eq!(places.len(), 2);
        assert_eq!((places[0].0.owner.as_str(), places[0].1.octets), ("h2", 300));
        parse("h2|h2::f|hyper|2").expect_err("a field is missing");
        assert!(parse("").expect("nothing is live").is_empty());
    }

    #[test]
    fn the_book_forgets_what_is_released() {
        let book = Book::new();
        book.allocated(1, 10);
        assert!(book.places().is_empty(), "it does not record yet");
        book.recording.store(true, Relaxed);
        book.allocated(1, 10);
        book.allocated(2, 20);
        assert!(book.released(1).is_some_and(|entry| entry.octets == 10));
        assert!(book.released(1).is_none());
        let amounts: Vec<_> = book.places().into_values().collect();
        assert_eq!((amounts.len(), amounts[0].octets, book.live.load(Relaxed)), (1, 20, 20));
    }
}
