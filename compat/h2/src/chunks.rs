//! The unread DATA of one stream, given out as it was framed (RFC 9113 §6.1).
//!
//! h2 gives the payload of one DATA frame at a time; here octets arrive in pieces that follow the reads, and what is
//! small is gathered. So the ends of frames are noted beside them. Always true here: an unfinished frame is not given
//! out; so many small frames that the notes would weigh more than the octets are given out together.

use std::collections::VecDeque;

use bytes::Bytes;
use millpond::buffer::{Block, BufferPool, Piece, PieceQueue};

use crate::budget::Budget;

/// Beyond so many frames that wait, further small ones are joined.
const MAX_NOTES: usize = 64;

/// What frames are joined to at the most, in octets.
const JOINED: u32 = 16 << 10;

/// The unread DATA of one stream. Takes no memory when empty.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    pieces: PieceQueue,
    waiting: Option<Box<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// The whole frames, the oldest first.
    frames: VecDeque<Frame>,
    /// What is left of the piece that was popped last.
    front: Bytes,
    /// Octets of the frame that is not whole yet.
    unfinished: u32,
}

/// A whole frame, or several small ones joined.
#[derive(Debug)]
struct Frame {
    octets: u32,
    /// What it cost of the [`Budget`].
    cost: u32,
}

/// How a piece ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The frame goes on.
    Nothing,
    Frame,
    Stream,
}

impl Chunks {
    /// Adds octets of a frame. The length of the frame if it is whole.
    pub(crate) fn push(&mut self, piece: Piece, end: End, pool: &BufferPool) -> Option<usize> {
        let waiting = self.waiting.get_or_insert_default();
        waiting.unfinished += piece.len() as u32;
        self.pieces.push(piece, pool);
        if end == End::Nothing {
            return None;
        }
        let octets = std::mem::take(&mut waiting.unfinished);
        let cost = if end == End::Stream { 0 } else { Budget::cost(octets as usize) };
        let joins = waiting.frames.len() >= MAX_NOTES;
        match waiting.frames.back_mut().filter(|last| joins && last.octets + octets <= JOINED) {
            Some(last) => (last.octets, last.cost) = (last.octets + octets, last.cost + cost),
            None => waiting.frames.push_back(Frame { octets, cost }),
        }
        Some(octets as usize)
    }

    /// The payload of the next whole frame, and what it cost of the budget.
    pub(crate) fn pop(&mut self, pool: &BufferPool) -> Option<(Bytes, u32)> {
        let waiting = self.waiting.as_mut()?;
        let Frame { octets, cost } = waiting.frames.pop_front()?;
        let octets = octets as usize;
        if waiting.front.is_empty() && octets > 0 {
            waiting.front = self.pieces.pop().unwrap_or_default();
        }
        let chunk = match waiting.front.len() >= octets {
            true => waiting.front.split_to(octets),
            false => gather(&mut waiting.front, &mut self.pieces, octets, pool),
        };
        if waiting.frames.is_empty() && waiting.front.is_empty() && waiting.unfinished == 0 {
            self.waiting = None;
        }
        Some((chunk, cost))
    }

    /// Octets of a frame that is not whole yet.
    pub(crate) fn unfinished(&self) -> u32 {
        self.waiting.as_ref().map_or(0, |waiting| waiting.unfinished)
    }

    /// Whether no whole frame waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.as_ref().is_none_or(|waiting| waiting.frames.is_empty())
    }

    /// Drops everything: how many octets of whole frames, and what they cost of the budget.
    pub(crate) fn clear(&mut self) -> (u32, u32) {
        let dropped = std::mem::take(self);
        let frames = dropped.waiting.map(|waiting| waiting.frames).unwrap_or_default();
        frames.iter().fold((0, 0), |(octets, cost), frame| (octets + frame.octets, cost + frame.cost))
    }
}

/// One frame out of several pieces.
fn gather(front: &mut Bytes, pieces: &mut PieceQueue, octets: usize, pool: &BufferPool) -> Bytes {
    let mut block: Block = pool.take(octets);
    while block.len() < octets {
        if front.is_empty() {
            match pieces.pop() {
                Some(piece) => *front = piece,
                None => break,
            }
        }
        let part = front.split_to(front.len().min(octets - block.len()));
        block.append(&part);
    }
    block.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(chunks: &mut Chunks, octets: &[u8], end: bool) {
        let end = if end { End::Frame } else { End::Nothing };
        chunks.push(Piece::copied(octets), end, &BufferPool::global());
    }

    fn pop(chunks: &mut Chunks) -> Option<Bytes> {
        chunks.pop(&BufferPool::global()).map(|(chunk, _)| chunk)
    }

    #[test]
    fn frames_come_out_as_they_went_in() {
        let mut chunks = Chunks::default();
        assert!(chunks.pop(&BufferPool::global()).is_none());
        push(&mut chunks, b"hello", true);
        push(&mut chunks, b"wor", false);
        assert_eq!(pop(&mut chunks).unwrap(), "hello");
        assert!(chunks.is_empty() && pop(&mut chunks).is_none());
        push(&mut chunks, b"ld", true);
        push(&mut chunks, b"", true);
        assert_eq!(pop(&mut chunks).unwrap(), "world");
        assert_eq!(pop(&mut chunks).unwrap(), "");
        assert!(pop(&mut chunks).is_none() && chunks.waiting.is_none());
    }

    #[test]
    fn very_many_small_frames_are_joined_and_none_is_lost() {
        let mut chunks = Chunks::default();
        (0..10_000u32).for_each(|n| push(&mut chunks, &n.to_be_bytes(), true));
        let (mut frames, mut octets) = (0, Vec::new());
        while let Some(chunk) = pop(&mut chunks) {
            frames += 1;
            octets.extend_from_slice(&chunk);
        }
        assert!((64..80).contains(&frames), "{frames}");
        assert_eq!(octets, (0..10_000u32).flat_map(u32::to_be_bytes).collect::<Vec<u8>>());
    }

    #[test]
    fn large_frames_in_any_pieces() {
        let octets: Vec<u8> = (0..40_000u32).map(|n| n as u8).collect();
        for cut in [1, 700, 2_048, 9_000, 16_384] {
            let mut chunks = Chunks::default();
            for frame in octets.chunks(16_384) {
                let parts = frame.chunks(cut).count();
                frame.chunks(cut).enumerate().for_each(|(n, part)| push(&mut chunks, part, n + 1 == parts));
            }
            for frame in octets.chunks(16_384) {
                assert_eq!(pop(&mut chunks).unwrap(), frame, "cut at {cut}");
            }
            assert!(chunks.waiting.is_none());
        }
    }
}
