//! What an attack costs its victim, measured and judged.

use std::sync::atomic::Ordering::SeqCst;

use millpond::buffer::{BufferPool, ClassStats, PoolStats};
use millpond_testkit::heap::CountingAllocator;

use crate::{
    attacker::Attacker,
    world::{Victim, Watched},
};

/// What a victim may take at once beside what the attack is about: two blocks of `max_read_size` to read into, smaller ones
/// that came before, a connection, a stream or two, and the honest neighbour.
pub const ROOM: usize = 192 << 10;

/// What it may still hold of all that once it is quiet.
pub const REST: usize = 48 << 10;

/// Allocations for one call, generously: measured are 30 to 60.
pub const CALL: usize = 100;

/// What an attack cost its victim.
#[derive(Debug)]
pub struct Figures {
    /// Whether the victim is a server or a client.
    pub side: &'static str,
    pub name: &'static str,
    /// Octets that the attacker sent meanwhile.
    pub received: usize,
    /// Most octets at once, above what was live before: of heap, and of blocks that are mapped, idle ones too.
    pub peak: usize,
    /// Octets now, above what was live before, idle blocks apart: those are anybody's.
    pub held: usize,
    pub allocations: usize,
    /// Polls of the attacked connection.
    pub polls: usize,
    pub octets_back: usize,
    pub frames_back: usize,
    /// Of a server: handlers that were started. Of a client: honest calls that it made.
    pub calls: usize,
}

/// A measurement that has begun.
pub struct Measure {
    books: &'static CountingAllocator,
    pub live: usize,
    idle: usize,
    sent: usize,
    pub polls: usize,
    octets: usize,
    frames: usize,
    calls: usize,
}

impl Victim {
    /// Begins to measure what `attacker` costs.
    pub fn measure(&self, attacker: &Attacker) -> Measure {
        let watched = self.watched(attacker.address);
        Measure::begin(self.books, attacker, &watched, self.site.started(), &self.pool)
    }

    /// The figures, which are printed too.
    pub fn figures(&self, name: &'static str, begun: &Measure, attacker: &Attacker) -> Figures {
        let watched = self.watched(attacker.address);
        begun.end(("server", name), attacker, &watched, self.site.started(), &self.pool)
    }

    /// What the figures would say now of what it holds.
    pub fn held_since(&self, begun: &Measure) -> usize {
        begun.held(self.books.usage().live, &self.pool.stats())
    }
}

impl Measure {
    pub fn begin(
        books: &'static CountingAllocator,
        attacker: &Attacker,
        watched: &Watched,
        calls: usize,
        pool: &BufferPool,
    ) -> Measure {
        books.reset();
        let seen = attacker.seen();
        Measure {
            books,
            live: books.usage().live,
            idle: idle_on_heap(&pool.stats()),
            sent: attacker.sent,
            polls: watched.polls.load(SeqCst) as usize,
            octets: seen.octets,
            frames: seen.all_frames(),
            calls,
        }
    }

    fn held(&self, live: usize, books: &PoolStats) -> usize {
        let on_heap = (live - idle_on_heap(books)).saturating_sub(self.live - self.idle);
        on_heap + mapped(books, |class| class.blocks_out)
    }

    pub fn end(
        &self,
        (side, name): (&'static str, &'static str),
        attacker: &Attacker,
        watched: &Watched,
        calls: usize,
        pool: &BufferPool,
    ) -> Figures {
        let (usage, seen, books) = (self.books.usage(), attacker.seen(), pool.stats());
        let figures = Figures {
            side,
            name,
            received: attacker.sent - self.sent,
            peak: usage.peak.saturating_sub(self.live) + mapped(&books, |class| class.high_water),
            held: self.held(usage.live, &books),
            allocations: usage.allocations,
            polls: watched.polls.load(SeqCst) as usize - self.polls,
            octets_back: seen.octets - self.octets,
            frames_back: seen.all_frames() - self.frames,
            calls: calls - self.calls,
        };
        println!("{figures}");
        figures
    }
}

/// Octets of blocks that are not on the heap: those of 16 KiB and more have a mapping of their own. (Blocks above 1 MiB are
/// not in any class; nothing here comes near them.)
fn mapped(books: &PoolStats, blocks: impl Fn(&ClassStats) -> usize) -> usize {
    let mapped = books.classes.iter().filter(|class| class.capacity >= 16 << 10);
    mapped.map(|class| class.capacity * blocks(class)).sum()
}

/// Octets of blocks that are on the heap and idle.
pub fn idle_on_heap(books: &PoolStats) -> usize {
    books.octets_idle - mapped(books, |class| class.blocks_idle)
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "figure | {} | {} | received {} | peak {} | held {} | allocations {} | polls {} | back {} in {} frames | calls {}",
            self.side,
            self.name,
            self.received,
            self.peak,
            self.held,
            self.allocations,
            self.polls,
            self.octets_back,
            self.frames_back,
            self.calls
        )
    }
}

impl Figures {
    /// Memory stays within `bound` and the room for what is not the attack's, and so does what is held in the end.
    pub fn holds_at_most(&self, bound: usize) {
        assert!(self.peak <= bound + ROOM, "more than {bound} and the room: {self}");
        assert!(self.held <= bound + REST, "more than {bound} and the rest: {self}");
    }

    /// Work: one allocation for so many octets received, beside those of calls; and the polls that reading takes, one
    /// for every 1,024 octets, one for each frame sent back, and a few for each call.
    pub fn works_at_most(&self, octets_per_allocation: usize) {
        let calls = CALL * (self.calls + 2);
        assert!(self.allocations <= self.received / octets_per_allocation + calls, "{self}");
        assert!(self.polls <= self.received / 1_024 + self.frames_back + 10 * (self.calls + 2), "{self}");
    }
}
