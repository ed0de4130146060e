//! Requests that were answered before they ended, and that nobody reads any more (RFC 9113 §8.1).
//!
//! A server may then ask by RST_STREAM with NO_ERROR that the rest be not sent. Ours lets the client end by itself
//! first: most requests end right behind their head, and what is malformed in the rest is judged like the rest of any
//! request. It asks when a moment has passed, when the client sends so much that it needs more window (at once if it
//! did before), when too many linger, and when the connection is to end.
//!
//! Always true here: only open streams linger, in the order of their time, and they take a small part of the places
//! that the client has (§5.1.2).

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::error::ErrorCode;

use super::{StreamKey, core::Core};

/// Long enough for what is on its way, short enough that a place is not missed.
const MOMENT: Duration = Duration::from_secs(1);

/// As many linger at once, but no more than an eighth of the places.
const MOST: u32 = 16;

/// The streams that linger, and until when.
#[derive(Default)]
#[expect(clippy::box_collection, reason = "rare, and a connection is to stay small")]
pub(super) struct Lingering(Option<Box<VecDeque<(StreamKey, Instant)>>>);

impl Lingering {
    pub(super) fn contains(&self, key: StreamKey) -> bool {
        self.iter().any(|(other, _)| *other == key)
    }

    /// When the first is to be asked to end.
    pub(super) fn until(&self) -> Option<Instant> {
        self.iter().next().map(|(_, until)| *until)
    }

    /// The stream is gone.
    pub(super) fn forget(&mut self, key: StreamKey) {
        if let Some(streams) = &mut self.0 {
            streams.retain(|(other, _)| *other != key);
            if streams.is_empty() {
                self.0 = None;
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = &(StreamKey, Instant)> {
        self.0.iter().flat_map(|streams| streams.iter())
    }

    fn pop(&mut self) -> Option<StreamKey> {
        let (key, _) = self.0.as_mut()?.pop_front()?;
        Some(key)
    }
}

impl Core {
    /// Everything was sent on a stream whose request goes on, and nobody reads it.
    pub(super) fn linger(&mut self, key: StreamKey) {
        let most = self.config.max_concurrent_streams.map_or(MOST, |places| MOST.min(places / 8)) as usize;
        let is_long = self.streams.get(key).is_some_and(|stream| stream.is_long);
        let at_once = self.config.manners.ends_early_answers_at_once();
        let waits = !(is_long || at_once || self.shutdown.is_going_away());
        let until = self.now.checked_add(MOMENT).filter(|_| waits && most > 0);
        let Some(until) = until else { return self.reset_stream(key, ErrorCode::NO_ERROR) };
        while self.lingering.iter().count() >= most {
            self.end_first_lingering();
        }
        self.lingering.0.get_or_insert_default().push_back((key, until));
    }

    /// Those whose time has passed are asked to end.
    pub(super) fn end_lingering(&mut self) {
        while self.lingering.until().is_some_and(|until| until <= self.now) {
            self.end_first_lingering();
        }
    }

    /// All are asked to end.
    pub(super) fn end_all_lingering(&mut self) {
        while self.lingering.until().is_some() {
            self.end_first_lingering();
        }
    }

    fn end_first_lingering(&mut self) {
        if let Some(key) = self.lingering.pop() {
            self.reset_stream(key, ErrorCode::NO_ERROR);
        }
    }
}
