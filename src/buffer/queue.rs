//! The unread DATA of one stream.
//!
//! Always true here: memory held is at most 1.5 times the unread octets plus one block, whatever the sizes of
//! the pieces and whenever they are popped. A *run* is what shares one block. Every run but the first (partly
//! popped) and the last (still growing) wastes at most a third of its block; when those two together would
//! break the bound, the first is copied out of its block.

use std::{collections::VecDeque, fmt, mem, ops::Range};

use bytes::Bytes;

use super::{
    block::Block,
    cursor::is_well_filled,
    piece::{Origin, Piece},
    pool::BufferPool,
};

/// Copied pieces below this are gathered, as an entry and an allocation for each would cost too much.
const CRUMB: usize = 2 * 1024;

/// A gathering block grows up to this.
const GATHERED_MAX: usize = 16 * 1024;

/// The unread DATA of one stream. No allocation when empty, nor for a single piece that shares no block.
#[derive(Default)]
pub struct PieceQueue {
    /// The only piece, an allocation of its own; empty if there are others, or none. Most messages are one piece.
    only: Bytes,
    unread: Option<Box<Unread>>,
}

impl PieceQueue {
    /// An empty queue.
    pub const fn new() -> Self {
        Self { only: Bytes::new(), unread: None }
    }

    /// Queues `piece` behind the others. What has to be copied goes to blocks of `pool`.
    pub fn push(&mut self, piece: Piece, pool: &BufferPool) {
        if piece.is_empty() {
            return;
        }
        if self.is_empty() && piece.origin.is_none() {
            self.only = piece.bytes;
            return;
        }
        let unread = self.unread.get_or_insert_with(|| Box::new(Unread::new(pool.clone())));
        if !self.only.is_empty() {
            unread.push(Piece { bytes: mem::take(&mut self.only), origin: None });
        }
        unread.push(piece);
    }

    /// The octets that have waited longest: a piece, or several small ones together.
    pub fn pop(&mut self) -> Option<Bytes> {
        if !self.only.is_empty() {
            return Some(mem::take(&mut self.only));
        }
        let unread = self.unread.as_mut()?;
        let octets = unread.pop();
        if unread.entries.is_empty() {
            self.unread = None;
        }
        octets
    }

    /// Octets not popped yet.
    pub fn unread(&self) -> usize {
        self.unread.as_ref().map_or(self.only.len(), |unread| unread.octets)
    }

    /// Octets of memory that they hold.
    pub fn held(&self) -> usize {
        self.unread.as_ref().map_or(self.only.len(), |unread| unread.held)
    }

    /// Octets of memory that the whole queue takes: what the octets hold, and its own tables.
    pub fn footprint(&self) -> usize {
        let tables = |unread: &Unread| size_of::<Unread>() + unread.entries.capacity() * ENTRY;
        self.unread.as_ref().map_or(self.only.len(), |unread| unread.held + tables(unread))
    }

    /// Whether everything was popped.
    pub fn is_empty(&self) -> bool {
        self.only.is_empty() && self.unread.is_none()
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.only = Bytes::new();
        self.unread = None;
    }
}

impl fmt::Debug for PieceQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PieceQueue").field("unread", &self.unread()).field("held", &self.held()).finish()
    }
}

/// What a queue that is not empty keeps.
struct Unread {
    entries: VecDeque<Entry>,
    octets: usize,
    held: usize,
    pool: BufferPool,
}

/// An entry, and about what the owner of shared octets takes.
const ENTRY: usize = size_of::<Entry>() + 64;

enum Entry {
    /// An allocation of its own, as large as its octets.
    Copied(Bytes),
    /// A slice of the block it arrived in.
    Shared(Bytes, Origin),
    /// Octets that were brought together in a block of our own.
    Gathered(Block),
}

impl Unread {
    fn new(pool: BufferPool) -> Self {
        Self { entries: VecDeque::new(), octets: 0, held: 0, pool }
    }

    fn push(&mut self, Piece { bytes, origin }: Piece) {
        self.octets += bytes.len();
        match origin {
            None if bytes.len() < CRUMB => self.push_crumb(bytes),
            None => self.push_entry(Entry::Copied(bytes)),
            Some(origin) => self.push_entry(Entry::Shared(bytes, origin)),
        }
    }

    fn push_crumb(&mut self, crumb: Bytes) {
        let earlier = match self.entries.back_mut() {
            Some(Entry::Gathered(block)) if block.spare_len() >= crumb.len() => {
                block.append(&crumb);
                return;
            }
            Some(Entry::Gathered(block)) if block.len() + crumb.len() <= GATHERED_MAX => block.filled(),
            Some(Entry::Copied(copied)) if copied.len() < CRUMB => copied,
            // A first crumb is kept as it is: most often no other follows before it is popped.
            _ => return self.push_entry(Entry::Copied(crumb)),
        };
        let mut block = self.pool.take((2 * (earlier.len() + crumb.len())).min(GATHERED_MAX));
        block.append(earlier);
        block.append(&crumb);
        self.replace_run(self.entries.len() - 1..self.entries.len(), Entry::Gathered(block));
        self.tighten();
    }

    fn push_entry(&mut self, entry: Entry) {
        let Some(last) = self.entries.back() else {
            self.held = entry.capacity();
            self.entries.push_back(entry);
            return;
        };
        if entry.shares_block_of(last) {
            self.entries.push_back(entry);
            return;
        }
        // The run that was last will not grow any more: from now on it may waste no more than a third.
        let (run, capacity) = (self.last_run(), last.capacity());
        if !is_well_filled(self.octets_in(run.clone()), capacity) {
            self.gather(run);
        }
        self.held += entry.capacity();
        self.entries.push_back(entry);
        self.tighten();
    }

    fn pop(&mut self) -> Option<Bytes> {
        let entry = self.entries.pop_front()?;
        self.octets -= entry.len();
        if !self.entries.front().is_some_and(|next| next.shares_block_of(&entry)) {
            self.held -= entry.capacity();
        }
        self.tighten();
        Some(entry.into_bytes())
    }

    /// Keeps the bound: the first run, of which some may be popped, gives up its block if it must.
    fn tighten(&mut self) {
        let capacity = |entry: Option<&Entry>| entry.map_or(0, Entry::capacity);
        let one_block = capacity(self.entries.front()).max(capacity(self.entries.back()));
        if self.held > self.octets + self.octets / 2 + one_block {
            self.gather(self.first_run());
        }
    }

    /// Copies a run to memory of the right size.
    fn gather(&mut self, run: Range<usize>) {
        let octets = self.octets_in(run.clone());
        let capacity = BufferPool::class_capacity(octets);
        let mut block =
            if is_well_filled(octets, capacity) { self.pool.take(octets) } else { Block::owned(octets) };
        for entry in self.entries.range(run.clone()) {
            block.append(entry.as_slice());
        }
        self.replace_run(run, Entry::Gathered(block));
    }

    fn replace_run(&mut self, run: Range<usize>, with: Entry) {
        self.held -= self.entries[run.start].capacity();
        self.held += with.capacity();
        self.entries[run.start] = with;
        self.entries.drain(run.start + 1..run.end);
    }

    fn octets_in(&self, run: Range<usize>) -> usize {
        self.entries.range(run).map(Entry::len).sum()
    }

    fn first_run(&self) -> Range<usize> {
        0..run_length(self.entries.iter())
    }

    fn last_run(&self) -> Range<usize> {
        let end = self.entries.len();
        end - run_length(self.entries.iter().rev())..end
    }
}

/// How many entries, from the first on, hold the same memory. A shared block has few of them, as none of its
/// pieces is small.
fn run_length<'a>(mut entries: impl Iterator<Item = &'a Entry>) -> usize {
    let Some(first) = entries.next() else { return 0 };
    1 + entries.take_while(|entry| entry.shares_block_of(first)).count()
}

impl Entry {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Copied(bytes) | Self::Shared(bytes, _) => bytes,
            Self::Gathered(block) => block.filled(),
        }
    }

    fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Octets of the memory it holds, alone or with others of its run.
    fn capacity(&self) -> usize {
        match self {
            Self::Copied(bytes) => bytes.len(),
            Self::Shared(_, origin) => origin.capacity,
            Self::Gathered(block) => block.capacity(),
        }
    }

    fn shares_block_of(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Shared(_, one), Self::Shared(_, two)) if one == two)
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Copied(bytes) | Self::Shared(bytes, _) => bytes,
            Self::Gathered(block) => block.into_bytes(),
        }
    }
}

#[cfg(test)]
mod tests;
