//! Octets on their way from one side to the other.

use bytes::BytesMut;

/// Always true here: octets arrive in order and none twice; behind a cut there is the end, and nothing else.
#[derive(Default)]
pub struct Wire {
    octets: BytesMut,
    /// How many more it takes.
    room: Option<usize>,
}

impl Wire {
    pub fn put(&mut self, octets: &[u8]) {
        let room = self.room.unwrap_or(usize::MAX).min(octets.len());
        self.octets.extend_from_slice(&octets[..room]);
        self.room = self.room.map(|left| left - room);
    }

    /// What arrives next; nothing if there is nothing under way.
    pub fn take(&mut self, at_most: usize) -> Option<BytesMut> {
        let count = at_most.min(self.octets.len());
        (count > 0).then(|| self.octets.split_to(count))
    }

    /// Breaks after so many octets more.
    pub fn cut(&mut self, octets: usize) {
        let kept = octets.min(self.octets.len());
        self.octets.truncate(kept);
        self.room = Some(self.room.unwrap_or(usize::MAX).min(octets - kept));
    }

    /// Nothing more is sent; what is under way arrives.
    pub fn end(&mut self) {
        self.room = Some(0);
    }

    /// Whether it is cut: what is not yet under way may never arrive.
    pub fn is_over(&self) -> bool {
        self.room.is_some()
    }

    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }
}
