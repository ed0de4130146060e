//! What waits to be sent on one stream, in order: informational heads, the head, DATA, trailers
//! (RFC 9113 §8.1).
//!
//! Always true here: nothing follows the end; the octets of DATA are counted as they come and go; an empty queue is
//! one word and holds no memory, and one of a usual message, which has at most a head, one piece of DATA and trailers, is
//! one allocation; what is charged for DATA goes where the DATA goes.

use std::{collections::VecDeque, mem, sync::Arc};

use bytes::{Buf, Bytes};
use http::HeaderMap;

use crate::memory::{Account, Charge};

use super::message::Head;

/// The send queue of one stream.
#[derive(Debug, Default)]
pub struct SendQueue(Option<Box<Queued>>);

/// What is in a queue that is not empty.
#[derive(Debug)]
struct Queued {
    /// What comes first of all, if that is a head.
    head: Option<Head>,
    /// Then the first DATA, if there is nothing else before it; empty if none.
    data: Bytes,
    /// Then heads and DATA for which there was no place above.
    more: VecDeque<Item>,
    /// The last of all.
    trailers: Option<HeaderMap>,
    data_octets: usize,
    charge: Charge,
    end: bool,
}

/// One thing to send that has no place of its own.
#[derive(Debug)]
enum Item {
    Head(Box<Head>),
    Data(Bytes),
}

/// A field section to send.
#[derive(Debug)]
pub(crate) enum FieldSection {
    /// One that opens or answers: a request head, an informational or a final response head.
    Head(Head),
    /// The one that ends the stream.
    Trailers(HeaderMap),
}

impl FieldSection {
    /// Its fields, but for pseudo-header fields.
    pub(crate) fn into_fields(self) -> HeaderMap {
        match self {
            FieldSection::Head(Head::Request(request)) => request.into_parts().0.headers,
            FieldSection::Head(Head::Response(response)) => response.into_parts().0.headers,
            FieldSection::Trailers(trailers) => trailers,
        }
    }
}

impl SendQueue {
    /// An empty queue; takes no memory.
    pub const fn new() -> Self {
        SendQueue(None)
    }

    /// Whether there is nothing to send, not even END_STREAM.
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|queued| !queued.end && queued.has_no_items())
    }

    /// Whether the end of the stream is queued: nothing may follow.
    pub fn is_ended(&self) -> bool {
        self.0.as_ref().is_some_and(|queued| queued.end)
    }

    /// Octets of DATA queued.
    pub fn data_octets(&self) -> usize {
        self.0.as_ref().map_or(0, |queued| queued.data_octets)
    }

    /// Queues a head.
    pub fn push_head(&mut self, head: Head) {
        let queued = self.open();
        if queued.has_no_items() {
            queued.head = Some(head);
        } else {
            queued.push_more(Item::Head(Box::new(head)));
        }
    }

    /// Queues DATA; empty data takes no place.
    pub fn push_data(&mut self, data: Bytes) {
        if !data.is_empty() {
            self.push_frame(data);
        }
    }

    /// Queues DATA that is to be a frame of its own even if it is empty.
    pub fn push_frame(&mut self, data: Bytes) {
        let queued = self.open();
        queued.data_octets += data.len();
        if queued.data.is_empty() && queued.more.is_empty() && !data.is_empty() {
            queued.data = data;
        } else {
            queued.push_more(Item::Data(data));
        }
    }

    /// Queues trailers, which end the stream.
    pub fn push_trailers(&mut self, trailers: HeaderMap) {
        let queued = self.open();
        queued.trailers = Some(trailers);
        queued.end = true;
    }

    /// Ends the stream after what is queued: END_STREAM goes on the last frame, or on an empty DATA frame.
    pub fn push_end(&mut self) {
        self.0.get_or_insert_with(Queued::new).end = true;
    }

    /// Moves everything of `newer` behind what is queued here.
    pub(crate) fn append(&mut self, newer: &mut SendQueue) {
        if self.is_empty() {
            mem::swap(self, newer);
            return;
        }
        let Some(newer) = newer.0.take() else { return };
        if let Some(head) = newer.head {
            self.push_head(head);
        }
        self.push_data(newer.data);
        for item in newer.more {
            match item {
                Item::Head(head) => self.push_head(*head),
                Item::Data(data) => self.push_frame(data),
            }
        }
        let queued = self.open();
        queued.trailers = newer.trailers;
        queued.charge.merge(newer.charge);
        queued.end = newer.end;
    }

    /// Charges the DATA as far as it fits: what the application sends is never refused.
    pub(crate) fn charge(&mut self, account: &Arc<Account>) {
        let Some(queued) = &mut self.0 else { return };
        if queued.data_octets > 0 && !queued.charge.is_counted() {
            queued.charge = Charge::new(Some(account.clone()));
        }
        queued.charge.grow_towards(queued.data_octets);
    }

    /// What is charged for DATA that was taken out.
    pub(crate) fn take_surplus(&mut self) -> Charge {
        let Some(queued) = &mut self.0 else { return Charge::none() };
        let surplus = queued.charge.split_off(queued.data_octets);
        self.tidy();
        surplus
    }

    /// The head that comes next.
    pub(crate) fn first_head(&self) -> Option<&Head> {
        let queued = self.0.as_ref()?;
        match (&queued.head, queued.first_of_more()) {
            (Some(head), _) => Some(head),
            (None, Some(Item::Head(head))) => Some(head),
            _ => None,
        }
    }

    /// Whether a head or trailers come next.
    pub(crate) fn begins_with_section(&self) -> bool {
        let Some(queued) = &self.0 else { return false };
        let after_data = || match queued.first_of_more() {
            Some(item) => matches!(item, Item::Head(_)),
            None => queued.data.is_empty() && queued.trailers.is_some(),
        };
        queued.head.is_some() || after_data()
    }

    /// Whether DATA comes next that is not empty.
    pub(crate) fn begins_with_data(&self) -> bool {
        self.0.as_ref().is_some_and(|queued| {
            queued.head.is_none()
                && (!queued.data.is_empty()
                    || matches!(queued.first_of_more(), Some(Item::Data(data)) if !data.is_empty()))
        })
    }

    /// Takes the next head or trailers; the flag says that this ends the stream.
    pub(crate) fn pop_section(&mut self) -> Option<(FieldSection, bool)> {
        if !self.begins_with_section() {
            return None;
        }
        let queued = self.0.as_mut()?;
        let section = match queued.head.take() {
            Some(head) => FieldSection::Head(head),
            None => match queued.more.pop_front() {
                Some(Item::Head(head)) => FieldSection::Head(*head),
                _ => FieldSection::Trailers(queued.trailers.take()?),
            },
        };
        Some((section, self.after_pop()))
    }

    /// Takes DATA of at most `limit` octets from the front; the flag says that this ends the stream. A piece
    /// that does not fit is split without copying.
    pub(crate) fn pop_data(&mut self, limit: usize) -> Option<(Bytes, bool)> {
        let queued = self.0.as_mut().filter(|queued| queued.head.is_none())?;
        let in_more = queued.data.is_empty();
        let data = match in_more {
            false => &mut queued.data,
            true => match queued.more.front_mut()? {
                Item::Data(data) => data,
                Item::Head(_) => return None,
            },
        };
        if data.len() > limit {
            let part = data.copy_to_bytes(limit);
            queued.data_octets -= part.len();
            return Some((part, false));
        }
        let data = mem::take(data);
        if in_more {
            queued.more.pop_front();
        }
        queued.data_octets -= data.len();
        Some((data, self.after_pop()))
    }

    /// Takes DATA that is empty; the flag says that this ends the stream.
    pub(crate) fn pop_empty_data(&mut self) -> Option<bool> {
        let queued = self.0.as_mut().filter(|queued| queued.head.is_none())?;
        match queued.first_of_more() {
            Some(Item::Data(data)) if data.is_empty() => {
                queued.more.pop_front();
                Some(self.after_pop())
            }
            _ => None,
        }
    }

    /// Takes a lone END_STREAM, which needs an empty DATA frame.
    pub(crate) fn pop_end(&mut self) -> bool {
        self.0.as_ref().is_some_and(|queued| queued.has_no_items()) && self.after_pop()
    }

    /// Drops all from the first DATA on: nothing more will be said.
    pub(crate) fn keep_sections(&mut self) {
        let Some(queued) = &mut self.0 else { return };
        let first = queued.more.iter().position(|item| matches!(item, Item::Data(_)));
        let kept = if queued.data.is_empty() { first } else { Some(0) };
        if let Some(kept) = kept {
            queued.data = Bytes::new();
            queued.more.truncate(kept);
            queued.trailers = None;
            queued.end = false;
        }
        queued.data_octets = 0;
        queued.charge = Charge::none();
        self.tidy();
    }

    /// Drops everything: the stream was reset (the DATA is released at once).
    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }

    /// What is queued, to add to it.
    fn open(&mut self) -> &mut Queued {
        let queued = self.0.get_or_insert_with(Queued::new);
        debug_assert!(!queued.end, "nothing follows the end");
        queued
    }

    /// Says whether the end was reached, which is then consumed.
    fn after_pop(&mut self) -> bool {
        let Some(queued) = &mut self.0 else { return false };
        let ended = queued.has_no_items() && mem::take(&mut queued.end);
        self.tidy();
        ended
    }

    /// Lets go of the memory of an empty queue, unless something is still charged for what was taken out.
    fn tidy(&mut self) {
        if self
            .0
            .as_ref()
            .is_some_and(|queued| !queued.end && queued.has_no_items() && queued.charge.octets() == 0)
        {
            self.0 = None;
        }
    }
}

impl Queued {
    fn new() -> Box<Self> {
        Box::new(Queued {
            head: None,
            data: Bytes::new(),
            more: VecDeque::new(),
            trailers: None,
            data_octets: 0,
            charge: Charge::none(),
            end: false,
        })
    }

    fn has_no_items(&self) -> bool {
        self.head.is_none() && self.data.is_empty() && self.more.is_empty() && self.trailers.is_none()
    }

    /// What stands first behind the head, if no DATA has its place there.
    fn first_of_more(&self) -> Option<&Item> {
        self.more.front().filter(|_| self.data.is_empty())
    }

    #[cold]
    fn push_more(&mut self, item: Item) {
        self.more.push_back(item);
    }
}

#[cfg(test)]
mod tests {
    use http::Response;

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
        newer.push_trailers(HeaderMap::new());
        queue.append(&mut newer);
        assert!(newer.is_empty() && queue.is_ended());
        assert!(queue.pop_section().is_none());
        assert_eq!(queue.pop_data(9), Some((data("a"), false)));
        assert_eq!(queue.pop_data(9), Some((data("b"), false)));
        assert!(matches!(queue.pop_section(), Some((FieldSection::Trailers(_), true))));
        assert!(queue.is_empty());
    }

    #[test]
    fn whatever_is_queued_comes_in_its_order() {
        let informational = || Head::Response(Response::builder().status(103).body(()).unwrap());
        let head = || Head::Response(Response::new(()));
        let mut queue = SendQueue::new();
        queue.push_head(informational());
        queue.push_head(head());
        queue.push_data(data("a"));
        let mut newer = SendQueue::new();
        newer.push_data(data("bc"));
        newer.push_frame(Bytes::new());
        newer.push_data(data("d"));
        newer.push_trailers(HeaderMap::new());
        queue.append(&mut newer);
        assert!(newer.is_empty() && queue.is_ended());
        assert_eq!(queue.data_octets(), 4);
        for _ in 0..2 {
            assert!(queue.begins_with_section() && !queue.begins_with_data() && queue.first_head().is_some());
            assert!(queue.pop_data(9).is_none() && queue.pop_empty_data().is_none() && !queue.pop_end());
            assert!(matches!(queue.pop_section(), Some((FieldSection::Head(_), false))));
        }
        for expected in ["a", "bc"] {
            assert!(
                queue.begins_with_data() && queue.first_head().is_none() && queue.pop_section().is_none()
            );
            assert_eq!(queue.pop_data(9), Some((data(expected), false)));
        }
        assert!(!queue.begins_with_data() && !queue.begins_with_section());
        assert_eq!(queue.pop_empty_data(), Some(false));
        assert_eq!(queue.pop_data(9), Some((data("d"), false)));
        assert!(queue.begins_with_section());
        assert!(matches!(queue.pop_section(), Some((FieldSection::Trailers(_), true))));
        assert!(queue.is_empty());
    }

    #[test]
    fn sections_before_the_first_data_are_kept() {
        let head = || Head::Response(Response::new(()));
        let mut queue = SendQueue::new();
        queue.push_head(head());
        queue.push_head(head());
        queue.push_trailers(HeaderMap::new());
        queue.keep_sections();
        assert!(queue.is_ended());
        let mut queue = SendQueue::new();
        queue.push_head(head());
        queue.push_head(head());
        queue.push_data(data("a"));
        queue.push_trailers(HeaderMap::new());
        queue.keep_sections();
        assert!(!queue.is_ended() && queue.data_octets() == 0);
        assert!(
            queue.pop_section().is_some() && queue.pop_section().is_some() && queue.pop_section().is_none()
        );
        assert!(queue.is_empty());
    }
}
