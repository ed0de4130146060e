//! The decoder's dynamic table (RFC 7541 §2.3.2, §4).
//!
//! Always true here: `octets` is the sum of the entries' sizes and at most `max`; memory is held only for
//! entries that exist or existed since the table was last empty.

use std::collections::VecDeque;

use super::entry::Entry;

#[derive(Debug)]
pub(super) struct DecoderTable {
    /// The oldest entry in front.
    entries: VecDeque<Entry>,
    octets: usize,
    max: usize,
}

impl DecoderTable {
    pub(super) const fn new(max: usize) -> Self {
        DecoderTable { entries: VecDeque::new(), octets: 0, max }
    }

    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entries, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Makes room for so many entries, exactly.
    pub(super) fn reserve(&mut self, entries: usize) {
        self.entries.reserve_exact(entries);
    }

    /// The entry at `position`, which counts from 0 for the newest.
    pub(super) fn get(&self, position: usize) -> Option<&Entry> {
        self.entries.get(self.entries.len().checked_sub(position + 1)?)
    }

    /// Changes the maximum size, which evicts what no longer fits (§4.3).
    pub(super) fn set_max(&mut self, max: usize) {
        let shrinks = max < self.max;
        self.max = max;
        if shrinks {
            self.evict(max);
            self.entries.shrink_to_fit();
        }
    }

    /// Whether an entry of this size will be held at all (§4.4).
    pub(super) fn fits(&self, octets: usize) -> bool {
        octets <= self.max
    }

    /// Adds an entry, for which others are evicted; one that does not fit empties the table (§4.4).
    pub(super) fn insert(&mut self, entry: Entry) {
        let octets = entry.octets();
        if !self.fits(octets) {
            return self.clear();
        }
        self.evict(self.max - octets);
        if self.entries.len() == self.entries.capacity() {
            // Growth by half, since idle connections keep this.
            self.entries.reserve_exact((self.entries.len() / 2).max(2));
        }
        self.entries.push_back(entry);
        self.octets += octets;
    }

    /// Drops all entries and their memory.
    pub(super) fn clear(&mut self) {
        self.entries = VecDeque::new();
        self.octets = 0;
    }

    /// Drops the oldest entries until at most `most` octets are left.
    fn evict(&mut self, most: usize) {
        while self.octets > most
            && let Some(entry) = self.entries.pop_front()
        {
            self.octets -= entry.octets();
        }
    }
}
