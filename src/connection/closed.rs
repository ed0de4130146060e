//! What is still known of streams that are gone (RFC 9113 §5.1, "closed"; §5.1.1).
//!
//! Always true here: memory is taken only for streams that were reset and for identifiers that were skipped,
//! and both are bounded; a peer whose frames crossed our reset is never punished for it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::{config::Config, stream_id::StreamId};

/// How a stream that is gone came to its end, as far as it is still known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// We reset it, or may have: frames that crossed the reset are ignored.
    ResetByUs,
    /// The peer reset it: a further frame is a stream error (§5.1).
    ResetByPeer,
    /// Its identifier was skipped by the peer, which closed it unused (§5.1.1).
    Skipped,
    /// Both sides had ended it.
    Ended,
}

struct Reset {
    stream: StreamId,
    by_us: bool,
    /// A RST_STREAM of the peer's for it came as well.
    crossed: bool,
    /// When its RST_STREAM came or was written; `None` while it waits to be.
    at: Option<Instant>,
}

/// The memory of closed streams.
pub(super) struct Closed {
    max_resets: usize,
    keep: Duration,
    /// Whether the benefit of the doubt is given to streams that were forgotten because there were too many; if
    /// not, it is the new one that is not remembered.
    excuses: bool,
    /// Most connections reset nothing, and then there is nothing to know.
    known: Option<Box<Known>>,
}

#[derive(Default)]
pub(super) struct Known {
    resets: VecDeque<Reset>,
    /// Ranges of identifiers that the peer skipped: first and last.
    skipped: VecDeque<(StreamId, StreamId)>,
    /// Until when frames of forgotten streams are excused: since this, one of ours was forgotten because there
    /// were too many.
    forgotten: Option<Instant>,
    /// The same, for one whose RST_STREAM waits to be written.
    forgotten_unwritten: bool,
}

impl Closed {
    /// More gaps than this are forgotten, the oldest first; real clients leave none.
    const MAX_SKIPPED: usize = 16;

    pub(super) fn new(config: &Config) -> Self {
        Closed {
            max_resets: config.max_concurrent_reset_streams,
            keep: config.reset_stream_duration,
            excuses: !config.manners.answers_for_forgotten_streams(),
            known: None,
        }
    }

    /// All that is known, to be put back when the connection wakes.
    pub(super) fn take_known(&mut self) -> Option<Box<Known>> {
        self.known.take()
    }

    pub(super) fn put_known(&mut self, known: Option<Box<Known>>) {
        self.known = known;
    }

    /// A stream was reset. If `by_us`, its time begins when that is [written](Self::written).
    pub(super) fn reset(&mut self, stream: StreamId, by_us: bool, now: Instant) {
        self.expire(now);
        let known = self.known.get_or_insert_default();
        if !self.excuses {
            // Until it is written it is known in any case: what crosses it does no harm.
            if by_us || known.resets.len() < self.max_resets {
                known.resets.push_back(Reset { stream, by_us, crossed: false, at: (!by_us).then_some(now) });
            }
            return;
        }
        while known.resets.len() >= self.max_resets {
            match known.resets.pop_front() {
                Some(oldest) if oldest.by_us => known.forgotten_unwritten = true,
                Some(_) => {}
                None => {
                    // Nothing is to be remembered at all.
                    known.forgotten_unwritten |= by_us;
                    return;
                }
            }
        }
        known.resets.push_back(Reset { stream, by_us, crossed: false, at: (!by_us).then_some(now) });
    }

    /// A RST_STREAM of the peer's came for a stream that is gone: whether it crosses one of ours, which it can but once.
    pub(super) fn is_crossed_by(&mut self, stream: StreamId) -> bool {
        let resets = self.known.iter_mut().flat_map(|known| &mut known.resets);
        let mut ours = resets.filter(|reset| reset.stream == stream && reset.by_us);
        ours.next().is_some_and(|reset| !std::mem::replace(&mut reset.crossed, true))
    }

    /// The RST_STREAMs that waited are written.
    pub(super) fn written(&mut self, now: Instant) {
        let Some(known) = &mut self.known else { return };
        for reset in known.resets.iter_mut().filter(|reset| reset.at.is_none()) {
            reset.at = Some(now);
        }
        if !self.excuses {
            known.resets.truncate(self.max_resets);
        }
        if std::mem::take(&mut known.forgotten_unwritten) {
            known.forgotten = Some(now);
        }
    }

    /// The peer opened `opened` while `expected` was next: what lies between was skipped.
    pub(super) fn skip(&mut self, expected: StreamId, opened: StreamId) {
        if expected >= opened {
            return;
        }
        let known = self.known.get_or_insert_default();
        if known.skipped.len() == Self::MAX_SKIPPED {
            known.skipped.pop_front();
        }
        known.skipped.push_back((expected, StreamId::new(opened.value() - 2)));
    }

    /// What is known of a stream that is in the table no more.
    pub(super) fn past(&mut self, stream: StreamId, now: Instant) -> Past {
        self.expire(now);
        let Some(known) = &self.known else { return Past::Ended };
        if let Some(reset) = known.resets.iter().find(|reset| reset.stream == stream) {
            return if reset.by_us { Past::ResetByUs } else { Past::ResetByPeer };
        }
        if known.skipped.iter().any(|(first, last)| (*first..=*last).contains(&stream)) {
            return Past::Skipped;
        }
        if known.forgotten_unwritten || known.forgotten.is_some() { Past::ResetByUs } else { Past::Ended }
    }

    /// Forgets what is too old; gives memory back when nothing is left.
    pub(super) fn expire(&mut self, now: Instant) {
        let keep = self.keep;
        let Some(known) = &mut self.known else { return };
        let old = |at: Instant| now.saturating_duration_since(at) >= keep;
        while known.resets.front().is_some_and(|reset| reset.at.is_some_and(old)) {
            known.resets.pop_front();
        }
        known.forgotten = known.forgotten.filter(|at| !old(*at));
        let nothing = known.skipped.is_empty() && known.forgotten.is_none() && !known.forgotten_unwritten;
        if known.resets.is_empty() && nothing {
            self.known = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(value: u32) -> StreamId {
        StreamId::new(value)
    }

    #[test]
    fn each_past_is_told_apart() {
        let (mut closed, now) = (Closed::new(&Config::default()), Instant::now());
        closed.reset(id(1), true, now);
        closed.reset(id(3), false, now);
        closed.skip(id(5), id(9));
        assert_eq!(closed.past(id(1), now), Past::ResetByUs);
        assert_eq!(closed.past(id(3), now), Past::ResetByPeer);
        assert_eq!(closed.past(id(5), now), Past::Skipped);
        assert_eq!(closed.past(id(7), now), Past::Skipped);
        assert_eq!(closed.past(id(9), now), Past::Ended);
    }

    #[test]
    fn resets_are_forgotten_in_time_and_never_pile_up() {
        let (mut closed, now) = (Closed::new(&Config::default()), Instant::now());
        for n in 0..1_000 {
            closed.reset(id(2 * n + 1), true, now);
        }
        assert_eq!(closed.known.as_ref().unwrap().resets.len(), 50);
        // Too many to remember: the benefit of the doubt for a while.
        assert_eq!(closed.past(id(1), now), Past::ResetByUs);
        let later = now + Duration::from_secs(3_600);
        assert_eq!(closed.past(id(1), later), Past::ResetByUs);
        closed.written(now);
        let later = now + Duration::from_secs(31);
        assert_eq!(closed.past(id(1), later), Past::Ended);
        assert!(closed.known.is_none());
    }

    #[test]
    fn without_excuses_the_new_one_is_forgotten_once_it_is_written() {
        let config = Config::builder().manners(crate::Manners::H2).max_concurrent_reset_streams(1);
        let (mut closed, now) = (Closed::new(&config.build().unwrap()), Instant::now());
        closed.reset(id(1), true, now);
        closed.reset(id(3), true, now);
        assert_eq!(closed.past(id(3), now), Past::ResetByUs);
        closed.written(now);
        assert_eq!((closed.past(id(1), now), closed.past(id(3), now)), (Past::ResetByUs, Past::Ended));
    }

    #[test]
    fn consecutive_identifiers_leave_no_gap() {
        let mut closed = Closed::new(&Config::default());
        closed.skip(id(3), id(3));
        assert!(closed.known.is_none());
    }
}
