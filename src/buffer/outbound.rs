//! Octets on their way out: blocks that were written into, and shared payload between them.
//!
//! Always true here: octets leave in the order they were put; what is fully written is dropped at once; when
//! nothing is left to write, no memory is held but places for few segments, until they are shed. A block sits with
//! the last segment that was written into it, so that a frame header after shared payload goes to the same block as
//! the one before.

use std::{collections::VecDeque, fmt, io};

use bytes::{Buf, Bytes};

use super::{block::Block, pool::BufferPool};

/// The first write block is at least this large, each further one twice as large as the one before.
const FIRST_BLOCK: usize = 1024;

/// Write blocks grow up to this, unless more contiguous room is asked for.
const LAST_BLOCK: usize = 16 * 1024;

/// Payload up to this is copied: that costs less than a segment of its own.
const COPIED_TO: usize = 1024;

/// Places for so many segments are kept when all is written: what a small write takes.
const PLACES: usize = 4;

/// Octets on their way out, to be written with vectored writes. No allocation when new, or [shed](Self::shed).
pub struct Outbound {
    segments: VecDeque<Segment>,
    octets: usize,
    vectored: bool,
    pool: BufferPool,
}

enum Segment {
    Written(Written),
    Shared(Bytes),
}

/// A range of a write block.
struct Written {
    /// None if a later segment was written into the same block: then the next block that follows is meant.
    block: Option<Block>,
    from: usize,
    to: usize,
}

impl Outbound {
    /// Nothing to write; write blocks will come from `pool`.
    pub const fn new(pool: BufferPool) -> Self {
        Self { segments: VecDeque::new(), octets: 0, vectored: true, pool }
    }

    /// Whether the writer takes several slices at once (the default).
    ///
    /// If not, all payload is copied, so that each slice is one large write (and one large TLS record).
    pub fn set_vectored(&mut self, vectored: bool) {
        self.vectored = vectored;
    }

    /// Contiguous room for `at_least` octets, to be filled from the front and [committed](Self::commit) next.
    /// Initialised, but with whatever an earlier user left in it.
    pub fn spare(&mut self, at_least: usize) -> &mut [u8] {
        self.room(at_least, at_least)
    }

    /// The first `octets` of what [`spare`](Self::spare) gave are to be written.
    pub fn commit(&mut self, octets: usize) {
        let Some(tail) = self.tail() else {
            debug_assert!(octets == 0, "committed without room");
            return;
        };
        let is_last = tail + 1 == self.segments.len();
        let Segment::Written(written) = &mut self.segments[tail] else { return };
        let Some(block) = &mut written.block else { return };
        let before = block.len();
        block.commit(octets);
        let after = block.len();
        self.octets += after - before;
        if is_last {
            written.to = after;
        } else if after > before {
            let block = written.block.take();
            self.segments.push_back(Segment::Written(Written { block, from: before, to: after }));
        }
    }

    /// Copies `octets`.
    pub fn put(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            let room = self.room(1, octets.len().min(LAST_BLOCK));
            let now = octets.len().min(room.len());
            room[..now].copy_from_slice(&octets[..now]);
            self.commit(now);
            octets = &octets[now..];
        }
    }

    /// Shares `octets`, or copies them if they are few or the writer takes one slice at a time.
    pub fn put_bytes(&mut self, octets: Bytes) {
        if octets.len() <= COPIED_TO || !self.vectored {
            self.put(&octets);
        } else {
            self.octets += octets.len();
            self.segments.push_back(Segment::Shared(octets));
        }
    }

    /// Octets still to be written.
    pub fn octets(&self) -> usize {
        self.octets
    }

    /// Whether nothing is left to be written.
    pub fn is_empty(&self) -> bool {
        self.octets == 0
    }

    /// Fills `out` with what is to be written next; returns how many slices that took.
    pub fn slices<'a>(&'a self, out: &mut [io::IoSlice<'a>]) -> usize {
        let mut blocks = self.segments.iter().filter_map(Segment::block);
        let mut block = blocks.next();
        let mut filled = 0;
        for segment in &self.segments {
            if filled == out.len() {
                break;
            }
            let octets = match (segment, block) {
                (Segment::Shared(octets), _) => octets,
                (Segment::Written(written), Some(holder)) => {
                    if written.block.is_some() {
                        block = blocks.next();
                    }
                    &holder.filled()[written.from..written.to]
                }
                (Segment::Written(_), None) => &[],
            };
            if !octets.is_empty() {
                out[filled] = io::IoSlice::new(octets);
                filled += 1;
            }
        }
        filled
    }

    /// `written` octets, counted from the front, were written.
    pub fn advance(&mut self, mut written: usize) {
        debug_assert!(written <= self.octets, "more was written than there was");
        self.octets = self.octets.saturating_sub(written);
        if self.octets == 0 {
            return self.clear();
        }
        while let Some(segment) = self.segments.front_mut() {
            if written < segment.len() {
                return segment.skip(written);
            }
            written -= segment.len();
            self.segments.pop_front();
        }
    }

    /// The writer is blocked and may be for long: a small rest in a large block moves to a small one.
    pub fn settle(&mut self) {
        if self.octets == 0 {
            return self.clear();
        }
        self.drop_unused_block();
        // Only the first segment can be partly written: a small rest of payload lets go of the whole.
        if let Some(first) = self.segments.front_mut()
            && let Segment::Shared(rest) = first
            && rest.len() <= COPIED_TO
        {
            let mut block = self.pool.take(rest.len());
            block.append(rest);
            *first = Segment::Written(Written { from: 0, to: block.len(), block: Some(block) });
        }
        let mut start = 0;
        for at in 0..self.segments.len() {
            if self.segments[at].block().is_some() {
                self.settle_block(start, at);
                start = at + 1;
            }
        }
        self.segments.shrink_to_fit();
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.segments.clear();
        if self.segments.capacity() > PLACES {
            self.segments = VecDeque::new();
        }
        self.octets = 0;
    }

    /// Gives the last memory back, if nothing is left to write.
    pub fn shed(&mut self) {
        if self.is_empty() {
            self.segments = VecDeque::new();
        }
    }

    /// Moves the block that sits with the segment `last`, into which nothing before `first` was written.
    fn settle_block(&mut self, first: usize, last: usize) {
        let group = || first..=last;
        let rest = self.segments.range(group()).map(Segment::written_len).sum::<usize>();
        let Some(large) = self.segments[last].block() else { return };
        if BufferPool::class_capacity(rest) > large.capacity() / 2 {
            return;
        }
        let mut small = self.pool.take(rest);
        for segment in self.segments.range(group()) {
            if let Segment::Written(written) = segment {
                small.append(&large.filled()[written.from..written.to]);
            }
        }
        let mut at = 0;
        for segment in self.segments.range_mut(group()) {
            if let Segment::Written(written) = segment {
                (written.from, written.to) = (at, at + written.to - written.from);
                at = written.to;
            }
        }
        if let Segment::Written(written) = &mut self.segments[last] {
            written.block = Some(small);
        }
    }

    /// Room for `at_least` octets in the last write block, or else in a new one that holds `wanted`.
    fn room(&mut self, at_least: usize, wanted: usize) -> &mut [u8] {
        let tail = match self.tail() {
            Some(tail) if self.segments[tail].spare_len() >= at_least.max(1) => tail,
            _ => self.add_block(at_least.max(wanted)),
        };
        match &mut self.segments[tail] {
            Segment::Written(Written { block: Some(block), .. }) => block.spare_mut(),
            _ => &mut [],
        }
    }

    fn add_block(&mut self, wanted: usize) -> usize {
        let before = self.tail().and_then(|tail| self.segments[tail].block()).map_or(0, Block::capacity);
        self.drop_unused_block();
        let block = self.pool.take((2 * before).clamp(FIRST_BLOCK, LAST_BLOCK).max(wanted));
        self.segments.push_back(Segment::Written(Written { block: Some(block), from: 0, to: 0 }));
        self.segments.len() - 1
    }

    /// Drops the last block if room was made in it and never used.
    fn drop_unused_block(&mut self) {
        if self.segments.back().is_some_and(|last| last.len() == 0) {
            self.segments.pop_back();
        }
    }

    /// The segment with the last write block, unless more than one shared payload follows it.
    fn tail(&self) -> Option<usize> {
        let end = self.segments.len();
        (end.saturating_sub(2)..end).rev().find(|&at| self.segments[at].block().is_some())
    }
}

impl Segment {
    fn block(&self) -> Option<&Block> {
        match self {
            Self::Written(written) => written.block.as_ref(),
            Self::Shared(_) => None,
        }
    }

    fn spare_len(&self) -> usize {
        self.block().map_or(0, Block::spare_len)
    }

    fn len(&self) -> usize {
        match self {
            Self::Written(_) => self.written_len(),
            Self::Shared(octets) => octets.len(),
        }
    }

    fn written_len(&self) -> usize {
        match self {
            Self::Written(written) => written.to - written.from,
            Self::Shared(_) => 0,
        }
    }

    fn skip(&mut self, octets: usize) {
        match self {
            Self::Written(written) => written.from += octets,
            Self::Shared(rest) => rest.advance(octets),
        }
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("octets", &self.octets)
            .field("segments", &self.segments.len())
            .field("vectored", &self.vectored)
            .finish()
    }
}

#[cfg(test)]
mod tests;
