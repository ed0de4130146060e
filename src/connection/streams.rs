//! The streams of one connection: the table, the way from identifier to place, and the queues that the
//! scheduler serves (RFC 9113 §5.1; RFC 9218 §10).
//!
//! Always true here: a stream stands in at most one send queue and at most once in the capacity queue; queues
//! are links inside the streams, so they take no memory and leaving one costs the same whatever its length;
//! an empty table holds the memory of a bounded number of streams, or none.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use slab::Slab;

use crate::{
    error::ErrorCode,
    memory::Charge,
    stream::{Content, Priority, RecvWindow, SendQueue, SendWindow, State},
    stream_id::StreamId,
};

/// Where a stream stands in its connection's table. Valid until [`Event::Closed`](super::Event::Closed) names
/// it; then it may stand for another stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamKey(pub(crate) u32);

impl StreamKey {
    /// A small number, dense from 0, to index a table beside this one.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One stream, as its connection sees it.
pub(super) struct Stream {
    pub(super) id: StreamId,
    pub(super) state: State,
    pub(super) priority: Priority,
    /// The request was HEAD: the response has no content.
    pub(super) head_request: bool,
    /// The request was CONNECT and no final response but a 2xx has come or gone: it is a tunnel, or may become one.
    pub(super) connect_request: bool,
    /// The first final head of the peer has come; what follows are trailers.
    pub(super) got_head: bool,
    /// The application has let go: what still comes is discarded.
    pub(super) abandoned: bool,
    /// The application never heard of it and never will: the answer is ours.
    pub(super) unannounced: bool,
    /// The peer has sent so much that it got more window.
    pub(super) is_long: bool,
    /// It counts against the limit of concurrent streams (§5.1.2). A request may do so before its head is
    /// written, which ends idle.
    pub(super) counted: bool,
    /// In which round of the watch for idle streams something last moved.
    pub(super) moved: u32,
    pub(super) send_window: SendWindow,
    pub(super) recv_window: RecvWindow,
    /// Connection credit set aside for this stream.
    pub(super) assigned: u32,
    /// Credit that the application asked for and has not got yet.
    pub(super) wanted: u32,
    /// Octets sent and not yet told to the application.
    pub(super) sent_unreported: u32,
    pub(super) content: Content,
    pub(super) queue: SendQueue,
    /// What is charged for it, apart from what is queued.
    pub(super) memory: Charge,
    /// The stream is to be reset with this code, once what is queued is written.
    pub(super) reset_code: Option<ErrorCode>,
    links: [Link; 2],
}

impl Stream {
    pub(super) fn new(id: StreamId, send_window: SendWindow, recv_window: RecvWindow) -> Self {
        Stream {
            id,
            state: State::Idle,
            priority: Priority::UNSIGNALLED,
            head_request: false,
            connect_request: false,
            got_head: false,
            abandoned: false,
            unannounced: false,
            is_long: false,
            counted: false,
            moved: 0,
            send_window,
            recv_window,
            assigned: 0,
            wanted: 0,
            sent_unreported: 0,
            content: Content::Unknown,
            queue: SendQueue::new(),
            memory: Charge::default(),
            reset_code: None,
            links: [Link::default(); 2],
        }
    }
}

impl Stream {
    /// The code of the reset that is all there is left to send.
    pub(super) fn reset_next(&self) -> Option<ErrorCode> {
        self.reset_code.filter(|_| self.queue.is_empty())
    }

    /// Whether anything can be sent at once, with the credit set aside for it.
    pub(super) fn is_sendable(&self) -> bool {
        match self.queue.begins_with_data() {
            true => self.assigned > 0 && self.send_window.available() > 0,
            false => !self.queue.is_empty() || self.reset_code.is_some(),
        }
    }

    /// Whether the application may still add to what is to be sent.
    pub(super) fn may_queue(&self) -> bool {
        self.reset_code.is_none()
            && (self.state.can_send() || self.state == State::Idle)
            && !self.queue.is_ended()
    }
}

/// A queue of streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    /// Requests that wait until the peer takes another stream (§5.1.2).
    Opening,
    /// Streams with a field section to send: first come, first served, as flow control does not hold them.
    Heads,
    /// Streams with DATA and stream window, by urgency (RFC 9218 §4.1).
    Data(u8),
    /// Streams that want connection credit set aside.
    Capacity,
}

impl Queue {
    const COUNT: usize = 11;

    fn index(self) -> usize {
        match self {
            Queue::Opening => 0,
            Queue::Heads => 1,
            Queue::Data(urgency) => 2 + usize::from(urgency.min(7)),
            Queue::Capacity => 10,
        }
    }

    /// The capacity queue has links of its own, since a stream may wait there and in a send queue.
    fn link(self) -> usize {
        usize::from(self == Queue::Capacity)
    }
}

const NOWHERE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Link {
    previous: u32,
    next: u32,
    queue: Option<Queue>,
}

impl Default for Link {
    fn default() -> Self {
        Link { previous: NOWHERE, next: NOWHERE, queue: None }
    }
}

#[derive(Clone, Copy)]
struct Ends {
    first: u32,
    last: u32,
}

/// The table of live streams.
pub(super) struct Streams {
    /// `None`: the stream is gone, but nobody was told, so that its place cannot be taken yet.
    table: Slab<Option<Stream>>,
    places: HashMap<StreamId, u32, BuildHasherDefault<IdHasher>>,
    queues: [Ends; Queue::COUNT],
    /// Places that are kept while no stream is there.
    kept: usize,
}

impl Streams {
    /// An empty table that keeps `kept` places when it is empty again.
    pub(super) fn new(kept: usize) -> Self {
        Streams {
            kept,
            table: Slab::new(),
            places: HashMap::default(),
            queues: [Ends { first: NOWHERE, last: NOWHERE }; Queue::COUNT],
        }
    }

    #[cfg(test)]
    pub(super) fn holds_no_memory(&self) -> bool {
        self.table.capacity() == 0 && self.places.capacity() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether every place is free, too.
    pub(super) fn is_vacant(&self) -> bool {
        self.table.is_empty()
    }

    pub(super) fn find(&self, id: StreamId) -> Option<StreamKey> {
        self.places.get(&id).map(|place| StreamKey(*place))
    }

    pub(super) fn insert(&mut self, stream: Stream) -> StreamKey {
        let id = stream.id;
        let place = self.table.insert(Some(stream)) as u32;
        self.places.insert(id, place);
        StreamKey(place)
    }

    pub(super) fn get(&self, key: StreamKey) -> Option<&Stream> {
        self.table.get(key.index())?.as_ref()
    }

    pub(super) fn get_mut(&mut self, key: StreamKey) -> Option<&mut Stream> {
        self.at(key.0)
    }

    /// Takes a stream out. Its place stays taken until [`free`](Self::free).
    pub(super) fn remove(&mut self, key: StreamKey) -> Option<Stream> {
        self.leave(key, 0);
        self.leave(key, 1);
        let stream = self.table.get_mut(key.index())?.take()?;
        self.places.remove(&stream.id);
        Some(stream)
    }

    /// The application knows that the stream is gone: its key may be used again.
    pub(super) fn free(&mut self, key: StreamKey) {
        if !matches!(self.table.get(key.index()), Some(None)) {
            return;
        }
        self.table.remove(key.index());
        self.shed(self.kept);
    }

    /// Quiescence: a table that once held many streams must not stay large. Gives its memory back if it is empty and has
    /// more than `kept` places.
    pub(super) fn shed(&mut self, kept: usize) {
        if self.table.is_empty() && self.table.capacity() > kept {
            self.table = Slab::new();
            self.places = HashMap::default();
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = StreamKey> + '_ {
        self.places.values().map(|place| StreamKey(*place))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (StreamKey, &mut Stream)> {
        self.table.iter_mut().filter_map(|(place, stream)| Some((StreamKey(place as u32), stream.as_mut()?)))
    }

    /// The queue that a stream stands in for sending, if any.
    pub(super) fn send_queue_of(&self, key: StreamKey) -> Option<Queue> {
        self.get(key)?.links[0].queue
    }

    /// Whether a stream stands in the queue for capacity.
    pub(super) fn waits_for_capacity(&self, key: StreamKey) -> bool {
        self.get(key).is_some_and(|stream| stream.links[Queue::Capacity.link()].queue.is_some())
    }

    /// Puts a stream at the end of `queue`, out of any other send queue.
    pub(super) fn push_back(&mut self, key: StreamKey, queue: Queue) {
        self.push(key, queue, false);
    }

    /// Puts a stream at the front of `queue`, out of any other send queue.
    pub(super) fn push_front(&mut self, key: StreamKey, queue: Queue) {
        self.push(key, queue, true);
    }

    pub(super) fn first(&self, queue: Queue) -> Option<StreamKey> {
        let first = self.queues[queue.index()].first;
        (first != NOWHERE).then_some(StreamKey(first))
    }

    pub(super) fn pop(&mut self, queue: Queue) -> Option<StreamKey> {
        let key = self.first(queue)?;
        self.leave(key, queue.link());
        Some(key)
    }

    /// The first stream with DATA, most urgent first.
    pub(super) fn pop_data(&mut self) -> Option<StreamKey> {
        let of_data = &self.queues[Queue::Data(0).index()..=Queue::Data(7).index()];
        let urgency = of_data.iter().position(|ends| ends.first != NOWHERE)?;
        self.pop(Queue::Data(urgency as u8))
    }

    /// Takes a stream out of the queue that it stands in for sending.
    pub(super) fn leave_send_queue(&mut self, key: StreamKey) {
        self.leave(key, 0);
    }

    fn push(&mut self, key: StreamKey, queue: Queue, front: bool) {
        let set = queue.link();
        self.leave(key, set);
        if self.get(key).is_none() {
            return;
        }
        let ends = &mut self.queues[queue.index()];
        let mut link = Link { queue: Some(queue), ..Link::default() };
        let neighbour = if front {
            link.next = ends.first;
            std::mem::replace(&mut ends.first, key.0)
        } else {
            link.previous = ends.last;
            std::mem::replace(&mut ends.last, key.0)
        };
        if neighbour == NOWHERE {
            *ends = Ends { first: key.0, last: key.0 };
        } else if let Some(stream) = self.at(neighbour) {
            *(if front { &mut stream.links[set].previous } else { &mut stream.links[set].next }) = key.0;
        }
        if let Some(stream) = self.at(key.0) {
            stream.links[set] = link;
        }
    }

    fn leave(&mut self, key: StreamKey, set: usize) {
        let Some(stream) = self.at(key.0) else { return };
        let Link { previous, next, queue } = std::mem::take(&mut stream.links[set]);
        let Some(queue) = queue else { return };
        match self.at(previous) {
            Some(stream) => stream.links[set].next = next,
            None => self.queues[queue.index()].first = next,
        }
        match self.at(next) {
            Some(stream) => stream.links[set].previous = previous,
            None => self.queues[queue.index()].last = previous,
        }
    }

    /// The stream at a place; none at [`NOWHERE`].
    fn at(&mut self, place: u32) -> Option<&mut Stream> {
        self.table.get_mut(place as usize)?.as_mut()
    }
}

/// Identifiers are dense odd or even numbers, at most `max_concurrent_streams` of them at once; one
/// multiplication by a number of this process spreads them, and a peer cannot aim at it.
#[derive(Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.write_u32(u32::from(*octet));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.0 = (self.0 ^ u64::from(value)).wrapping_mul(*MULTIPLIER).rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

static MULTIPLIER: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| fastrand::u64(..) | 1);

#[cfg(test)]
mod tests {
    use super::*;

    fn streams(count: u32) -> (Streams, Vec<StreamKey>) {
        let mut streams = Streams::new(0);
        let keys = (0..count)
            .map(|n| {
                streams.insert(Stream::new(
                    StreamId::new(2 * n + 1),
                    SendWindow::new(0),
                    RecvWindow::new(0, 0),
                ))
            })
            .collect();
        (streams, keys)
    }

    fn drain(streams: &mut Streams, queue: Queue) -> Vec<StreamKey> {
        std::iter::from_fn(|| streams.pop(queue)).collect()
    }

    #[test]
    fn queues_keep_their_order_when_streams_leave_from_anywhere() {
        let (mut streams, keys) = streams(5);
        keys.iter().for_each(|key| streams.push_back(*key, Queue::Heads));
        streams.leave_send_queue(keys[2]);
        streams.remove(keys[0]);
        streams.remove(keys[4]);
        streams.push_front(keys[2], Queue::Heads);
        assert_eq!(drain(&mut streams, Queue::Heads), [keys[2], keys[1], keys[3]]);
        assert_eq!(streams.first(Queue::Heads), None);
    }

    #[test]
    fn a_stream_is_in_one_send_queue_and_may_wait_for_capacity_as_well() {
        let (mut streams, keys) = streams(2);
        streams.push_back(keys[0], Queue::Heads);
        streams.push_back(keys[0], Queue::Capacity);
        streams.push_back(keys[0], Queue::Data(3));
        assert_eq!(streams.pop(Queue::Heads), None);
        assert_eq!(streams.pop(Queue::Capacity), Some(keys[0]));
        streams.push_back(keys[1], Queue::Data(0));
        assert_eq!(streams.pop_data(), Some(keys[1]));
        assert_eq!(streams.pop_data(), Some(keys[0]));
        assert_eq!(streams.pop_data(), None);
    }

    #[test]
    fn an_empty_table_holds_no_memory() {
        let (mut streams, keys) = streams(100);
        assert_eq!(streams.find(StreamId::new(3)), Some(keys[1]));
        keys.iter().for_each(|key| drop(streams.remove(*key)));
        assert!(streams.is_empty() && !streams.table.is_empty());
        keys.iter().for_each(|key| streams.free(*key));
        assert!(streams.holds_no_memory());
        assert!(streams.remove(keys[0]).is_none());
    }

    #[test]
    fn one_stream_is_small() {
        assert!(size_of::<Stream>() <= 128, "{}", size_of::<Stream>());
    }
}
