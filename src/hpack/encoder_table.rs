//! The encoder's dynamic table (RFC 7541 §2.3.2, §4), with a fast search.
//!
//! Always true here: `size` is the sum of the entries' sizes and at most `max`; `hashes` and `slots` are
//! parallel, the oldest entry in front; the names and values stand in `octets` in the same order.

use std::collections::VecDeque;

use super::FIELD_OVERHEAD;

#[derive(Debug)]
pub(super) struct EncoderTable {
    /// Apart from the slots, so that a search reads few cache lines, several hashes at a time.
    hashes: VecDeque<EntryHash>,
    slots: VecDeque<Slot>,
    octets: Vec<u8>,
    /// How many octets at the front of `octets` belong to entries that are gone.
    gone: usize,
    /// How many octets were ever taken off the front of `octets`, modulo 2^32.
    base: u32,
    size: usize,
    max: usize,
}

/// The hash of an entry: its upper half is of the name, its lower half of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryHash(pub(super) u32);

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Where the name begins, `base` included; the value follows it.
    start: u32,
    name_octets: u32,
    value_octets: u32,
}

impl EntryHash {
    pub(super) fn new(name: u32, value: u32) -> Self {
        EntryHash(name << 16 | (value & 0xffff))
    }
}

impl EncoderTable {
    pub(super) const fn new(max: usize) -> Self {
        EncoderTable {
            hashes: VecDeque::new(),
            slots: VecDeque::new(),
            octets: Vec::new(),
            gone: 0,
            base: 0,
            size: 0,
            max,
        }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The entries, name and value, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.slots.iter().map(|slot| self.name_and_value(slot))
    }

    /// Makes room for so many entries with so many octets in their names and values, exactly.
    pub(super) fn reserve(&mut self, entries: usize, octets: usize) {
        self.hashes.reserve_exact(entries);
        self.slots.reserve_exact(entries);
        self.octets.reserve_exact(octets);
    }

    /// The position of an entry with this name and value, which have this hash; 0 is the newest.
    pub(super) fn find(&self, hash: EntryHash, name: &[u8], value: &[u8]) -> Option<usize> {
        self.search(hash.0, u32::MAX, |slot| {
            let (slot_name, slot_value) = self.name_and_value(slot);
            slot_name == name && slot_value == value
        })
    }

    /// The position of an entry with this name; 0 is the newest.
    pub(super) fn find_name(&self, hash: EntryHash, name: &[u8]) -> Option<usize> {
        self.search(hash.0, 0xffff_0000, |slot| self.name_and_value(slot).0 == name)
    }

    /// Changes the maximum size, which evicts what no longer fits (§4.3).
    pub(super) fn set_max(&mut self, max: usize) {
        let shrinks = max < self.max;
        self.max = max;
        if shrinks {
            self.evict(max);
            self.compact();
            self.hashes.shrink_to_fit();
            self.slots.shrink_to_fit();
            self.octets.shrink_to_fit();
        }
    }

    /// Adds an entry that is no larger than the maximum size; others are evicted for it (§4.4).
    pub(super) fn insert(&mut self, hash: EntryHash, name: &[u8], value: &[u8]) {
        let size = name.len() + value.len() + FIELD_OVERHEAD;
        debug_assert!(size <= self.max);
        self.evict(self.max - size);
        if self.gone > self.octets.len() / 2 {
            self.compact();
        }
        self.hashes.push_back(hash);
        self.slots.push_back(Slot {
            start: self.base.wrapping_add(self.octets.len() as u32),
            name_octets: name.len() as u32,
            value_octets: value.len() as u32,
        });
        self.octets.extend_from_slice(name);
        self.octets.extend_from_slice(value);
        self.size += size;
    }

    fn name_and_value(&self, slot: &Slot) -> (&[u8], &[u8]) {
        let start = slot.start.wrapping_sub(self.base) as usize;
        let both = &self.octets[start..][..(slot.name_octets + slot.value_octets) as usize];
        both.split_at(slot.name_octets as usize)
    }

    /// The position of an entry whose hash is `wanted` in the bits of `mask`, and which is the `same`.
    fn search(&self, wanted: u32, mask: u32, same: impl Fn(&Slot) -> bool) -> Option<usize> {
        let wanted = wanted & mask;
        let (front, back) = self.hashes.as_slices();
        let mut before = 0;
        for chunk in front.chunks(CHUNK).chain(back.chunks(CHUNK)) {
            // Without an early exit, so that the compiler compares many at a time; few are looked at one by one.
            if chunk.len() < CHUNK || chunk.iter().fold(false, |any, hash| any | (hash.0 & mask == wanted)) {
                let entries = chunk.iter().zip(before..);
                for (_, entry) in entries.filter(|(hash, _)| hash.0 & mask == wanted) {
                    if same(&self.slots[entry]) {
                        return Some(self.slots.len() - 1 - entry);
                    }
                }
            }
            before += chunk.len();
        }
        None
    }

    /// Drops the oldest entries until the size is at most `most`.
    fn evict(&mut self, most: usize) {
        while self.size > most
            && let Some(slot) = self.slots.pop_front()
        {
            self.hashes.pop_front();
            let octets = (slot.name_octets + slot.value_octets) as usize;
            self.gone += octets;
            self.size -= octets + FIELD_OVERHEAD;
        }
    }

    /// Moves what is left to the front.
    fn compact(&mut self) {
        self.octets.drain(..self.gone);
        self.base = self.base.wrapping_add(self.gone as u32);
        self.gone = 0;
    }
}

/// How many hashes are compared at a time.
const CHUNK: usize = 16;
