//! What waits to be sent on one stream, in order: informational heads, the head, DATA, trailers
//! (RFC 9113 §8.1).
//!
//! Always true here: nothing follows the end; the octets of DATA are counted as they come and go; an emptied
//! queue holds no memory.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};
use http::HeaderMap;

use super::message::Head;

/// One thing to send.
#[derive(Debug)]
pub(crate) enum SendItem {
    /// A field section that opens or answers: request head, informational or final response head.
    Head(Box<Head>),
    /// Octets of the body.
    Data(Bytes),
    /// The field section that ends the stream.
    Trailers(Box<HeaderMap>),
}

/// The send queue of one stream.
#[derive(Debug, Default)]
pub struct SendQueue {
    items: VecDeque<SendItem>,
    data_octets: usize,
    end: bool,
}

impl SendQueue {
    /// An empty queue; takes no memory.
    pub const fn new() -> Self {
        SendQueue { items: VecDeque::new(), data_octets: 0, end: false }
    }

    /// Whether there is nothing to send, not even END_STREAM.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && !self.end
    }

    /// Whether the end of the stream is queued: nothing may follow.
    pub fn is_ended(&self) -> bool {
        self.end
    }

    /// Octets of DATA queued.
    pub fn data_octets(&self) -> usize {
        self.data_octets
    }

    /// Queues a head.
    pub fn push_head(&mut self, head: Box<Head>) {
        debug_assert!(!self.end);
        self.items.push_back(SendItem::Head(head));
    }

    /// Queues DATA; empty data takes no place.
    pub fn push_data(&mut self, data: Bytes) {
        debug_assert!(!self.end);
        if !data.is_empty() {
            self.data_octets += data.len();
            self.items.push_back(SendItem::Data(data));
        }
    }

    /// Queues DATA that is to be a frame of its own even if it is empty.
    pub fn push_frame(&mut self, data: Bytes) {
        debug_assert!(!self.end);
        self.data_octets += data.len();
        self.items.push_back(SendItem::Data(data));
    }

    /// Queues trailers, which end the stream.
    pub fn push_trailers(&mut self, trailers: Box<HeaderMap>) {
        debug_assert!(!self.end);
        self.items.push_back(SendItem::Trailers(trailers));
        self.end = true;
    }

    /// Ends the stream after what is queued: END_STREAM goes on the last frame, or on an empty DATA frame.
    pub fn push_end(&mut self) {
        self.end = true;
    }

    /// Moves everything of `newer` behind what is queued here.
    pub(crate) fn append(&mut self, newer: &mut SendQueue) {
        if self.items.is_empty() && !self.end {
            std::mem::swap(self, newer);
            return;
        }
        debug_assert!(!self.end);
        self.items.append(&mut newer.items);
        self.data_octets += std::mem::take(&mut newer.data_octets);
        self.end |= std::mem::take(&mut newer.end);
        newer.items = VecDeque::new();
    }

    /// What comes next.
    pub(crate) fn front(&self) -> Option<&SendItem> {
        self.items.front()
    }

    /// Takes the next head or trailers; the flag says that this ends the stream.
    pub(crate) fn pop_section(&mut self) -> Option<(SendItem, bool)> {
        if !matches!(self.items.front(), Some(SendItem::Head(_) | SendItem::Trailers(_))) {
            return None;
        }
        let section = self.items.pop_front()?;
        Some((section, self.after_pop()))
    }

    /// Takes DATA of at most `limit` octets from the front; the flag says that this ends the stream. A piece
    /// that does not fit is split without copying.
    pub(crate) fn pop_data(&mut self, limit: usize) -> Option<(Bytes, bool)> {
        let Some(SendItem::Data(data)) = self.items.front_mut() else { return None };
        if data.len() > limit {
            let part = data.copy_to_bytes(limit);
            self.data_octets -= part.len();
            return Some((part, false));
        }
        let Some(SendItem::Data(data)) = self.items.pop_front() else { return None };
        self.data_octets -= data.len();
        Some((data, self.after_pop()))
    }

    /// Takes DATA that is empty; the flag says that this ends the stream.
    pub(crate) fn pop_empty_data(&mut self) -> Option<bool> {
        match self.items.front() {
            Some(SendItem::Data(data)) if data.is_empty() => {
                self.items.pop_front();
                Some(self.after_pop())
            }
            _ => None,
        }
    }

    /// Takes a lone END_STREAM, which needs an empty DATA frame.
    pub(crate) fn pop_end(&mut self) -> bool {
        self.items.is_empty() && std::mem::take(&mut self.end)
    }

    /// Drops all from the first DATA on: nothing more will be said.
    pub(crate) fn keep_sections(&mut self) {
        let kept = self.items.iter().take_while(|item| !matches!(item, SendItem::Data(_))).count();
        self.end &= kept == self.items.len();
        self.items.truncate(kept);
        self.data_octets = 0;
    }

    /// Drops everything: the stream was reset (the DATA is released at once).
    pub(crate) fn clear(&mut self) {
        *self = SendQueue::new();
    }

    /// Gives the memory back when empty; says whether the end was reached, which is then consumed.
    fn after_pop(&mut self) -> bool {
        if !self.items.is_empty() {
            return false;
        }
        self.items = VecDeque::new();
        std::mem::take(&mut self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn data_is_split_at_the_limit_and_the_end_goes_with_the_last_part() {
        let mut queue = SendQueue::new();
        queue.push_data(data("abcde"));
        queue.push_end();
        assert_eq!(queue.data_octets(), 5);
        assert_eq!(queue.pop_data(3), Some((data("abc"), false)));
        assert_eq!(queue.pop_data(3), Some((data("de"), true)));
        assert_eq!((queue.data_octets(), queue.is_empty(), queue.pop_end()), (0, true, false));
    }

    #[test]
    fn a_late_end_needs_a_frame_of_its_own() {
        let mut queue = SendQueue::new();
        queue.push_data(data("a"));
        assert_eq!(queue.pop_data(9), Some((data("a"), false)));
        queue.push_end();
        assert!(!queue.is_empty());
        assert_eq!(queue.pop_data(9), None);
        assert!(queue.pop_end());
        assert!(queue.is_empty());
    }

    #[test]
    fn trailers_end_the_stream_and_follow_the_data() {
        let mut queue = SendQueue::new();
        queue.push_data(data("a"));
        let mut newer = SendQueue::new();
        newer.push_data(data("b"));
        newer.push_trailers(Box::default());
        queue.append(&mut newer);
        assert!(newer.is_empty() && queue.is_ended());
        assert!(queue.pop_section().is_none());
        assert_eq!(queue.pop_data(9), Some((data("a"), false)));
        assert_eq!(queue.pop_data(9), Some((data("b"), false)));
        assert!(matches!(queue.pop_section(), Some((SendItem::Trailers(_), true))));
        assert!(queue.is_empty());
    }
}
