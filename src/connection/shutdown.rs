//! How a connection comes to its end: GOAWAY both ways, graceful shutdown, failure (RFC 9113 §5.4.1, §6.8).
//!
//! Always true here: the identifiers that we name in GOAWAY never increase; a graceful shutdown names the
//! highest identifier first and the real one when the peer must have seen that; after a failure one GOAWAY is
//! written and nothing else.

use bytes::Bytes;

use crate::{
    error::{Error, ErrorCode},
    stream_id::StreamId,
};

/// A GOAWAY to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GoAway {
    pub(super) last_stream: StreamId,
    pub(super) code: ErrorCode,
    pub(super) debug: Bytes,
}

/// What is known of the end.
#[derive(Default)]
pub(super) struct Shutdown {
    /// The last GOAWAY written or to be written.
    sent: Option<(StreamId, ErrorCode)>,
    /// The last stream that the peer's GOAWAY named.
    received: Option<StreamId>,
    /// Why everything is over.
    failure: Option<Error>,
    /// The peer sends no more (the socket's end of file).
    pub(super) eof: bool,
}

impl Shutdown {
    /// The GOAWAY to write: its identifier is never raised (§6.8). `None`: it was said already.
    pub(super) fn send(&mut self, last_stream: StreamId, code: ErrorCode, debug: Bytes) -> Option<GoAway> {
        let last_stream = self.sent.map_or(last_stream, |(sent, _)| sent.min(last_stream));
        if self.sent == Some((last_stream, code)) {
            return None;
        }
        self.sent = Some((last_stream, code));
        Some(GoAway { last_stream, code, debug })
    }

    /// The peer's GOAWAY. `false`: its identifier is above an earlier one, which is not allowed (§6.8).
    pub(super) fn receive(&mut self, last_stream: StreamId) -> bool {
        let allowed = self.received.is_none_or(|before| last_stream <= before);
        self.received = Some(last_stream);
        allowed
    }

    /// Everything is over, for this reason; the first reason stays.
    pub(super) fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    pub(super) fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Whether either side has said that no new streams are to be opened.
    pub(super) fn is_going_away(&self) -> bool {
        self.sent.is_some() || self.received.is_some()
    }

    /// The highest stream of the peer that we still take, if that is limited.
    pub(super) fn highest_accepted(&self) -> Option<StreamId> {
        self.sent.map(|(last, _)| last)
    }

    /// Whether our GOAWAY has said NO_ERROR with an identifier that is final.
    pub(super) fn is_final(&self) -> bool {
        self.sent.is_some_and(|(last, _)| last != StreamId::MAX)
    }

    /// Whether the peer lets us open streams (§6.8), and the socket too.
    pub(super) fn may_open(&self) -> bool {
        self.received.is_none() && !self.eof && self.failure.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_never_increase() {
        let mut shutdown = Shutdown::default();
        let mut send =
            |last, code| Some(shutdown.send(StreamId::new(last), code, Bytes::new())?.last_stream.value());
        assert_eq!(send(0x7fff_ffff, ErrorCode::NO_ERROR), Some(0x7fff_ffff));
        assert_eq!(send(5, ErrorCode::NO_ERROR), Some(5));
        assert_eq!(send(9, ErrorCode::NO_ERROR), None);
        assert_eq!(send(9, ErrorCode::INTERNAL_ERROR), Some(5));
        assert!(shutdown.is_final());
        assert!(shutdown.receive(StreamId::new(7)));
        assert!(shutdown.receive(StreamId::new(3)));
        assert!(!shutdown.receive(StreamId::new(5)));
    }
}
