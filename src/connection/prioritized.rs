//! PRIORITY_UPDATE, also for streams that are still to be opened (RFC 9218 §7.1).
//!
//! Always true here: what is remembered is of idle streams, and of no more than [`Prioritized::MOST`]; no memory is
//! held when nothing is remembered.

use http::{HeaderMap, HeaderName};

use crate::{
    error::{Fault, Misdeed},
    stream::Priority,
    stream_id::StreamId,
};

use super::{Side, core::Core, inbound::Outcome, limits::Cheap};

/// RFC 9218 §5.
const PRIORITY: HeaderName = HeaderName::from_static("priority");

/// The latest priority of each stream that the client has spoken of and not opened.
#[derive(Default)]
pub(super) struct Prioritized(Vec<(StreamId, Priority)>);

impl Prioritized {
    /// More are not remembered, however many streams may be open at once.
    const MOST: usize = 256;

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The stream is opened, and those below it can be no more (RFC 9113 §5.1.1).
    pub(super) fn open(&mut self, stream: StreamId) -> Option<Priority> {
        let found = self.0.iter().find(|(other, _)| *other == stream).map(|(_, priority)| *priority);
        self.0.retain(|(other, _)| *other > stream);
        if self.0.is_empty() {
            self.0 = Vec::new();
        }
        found
    }
}

/// What a request says of its own priority (RFC 9218 §5); the lines of a dictionary are one (RFC 8941 §4.2).
pub(super) fn of_request(headers: &HeaderMap) -> Option<Priority> {
    let mut lines = headers.get_all(PRIORITY).iter().map(|value| value.as_bytes());
    let first = lines.next()?;
    let rest: Vec<&[u8]> = lines.collect();
    if rest.is_empty() {
        Priority::parse(first)
    } else {
        Priority::parse(&[&[first], &rest[..]].concat().join(&b','))
    }
}

impl Core {
    /// Only clients send it; of streams that are closed it says nothing.
    pub(super) fn handle_priority_update(&mut self, id: StreamId, value: &[u8]) -> Outcome {
        self.charge(Cheap::Priority)?;
        if self.side == Side::Client || !id.is_client_initiated() {
            return Err(Fault::connection(Misdeed::FrameOnIdleStream));
        }
        let Some(priority) = Priority::parse(value) else {
            return Err(Fault::connection(Misdeed::BadPriorityFieldValue));
        };
        if let Some(key) = self.streams.find(id)
            && let Some(stream) = self.streams.get_mut(key)
        {
            stream.priority = priority;
            if self.streams.send_queue_of(key).is_some() {
                self.streams.leave_send_queue(key);
                self.schedule(key);
            }
        } else if self.is_idle(id) && !self.config.manners.disregards_priorities() {
            self.prioritize_idle(id, priority)?;
        }
        Ok(None)
    }

    fn prioritize_idle(&mut self, id: StreamId, priority: Priority) -> Result<(), Fault> {
        let known = &mut self.prioritized.0;
        if let Some((_, latest)) = known.iter_mut().find(|(other, _)| *other == id) {
            *latest = priority;
            return Ok(());
        }
        // Such streams and those that are open are together no more than may be open at once.
        let taken = known.len() + self.remote_streams as usize;
        if self.config.max_concurrent_streams.is_some_and(|max| taken >= max as usize) {
            // A client that has not acknowledged our SETTINGS may not know of the limit.
            let knows = self.local.is_settled();
            return if knows { Err(Fault::connection(Misdeed::PrioritizedTooMany)) } else { Ok(()) };
        }
        if known.len() < Prioritized::MOST {
            known.push((id, priority));
        }
        Ok(())
    }
}
