//! How a connection comes to its end: GOAWAY both ways, graceful shutdown, failure (RFC 9113 §5.4.1, §6.8).
//!
//! Always true here: the identifiers that we name in GOAWAY never increase; a graceful shutdown names the
//! highest identifier first and the real one when the peer must have seen that; after a failure one GOAWAY is
//! written and nothing else.

use std::io;

use bytes::Bytes;

use crate::{
    error::{Error, ErrorCode, Fault, Misdeed, Origin},
    stream::State,
    stream_id::StreamId,
};

use super::{Event, Side, StreamKey, control::ControlFrame, core::Core, ping::Purpose};

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
    /// Why everything is over. Boxed: once in the life of a connection.
    failure: Option<Box<Error>>,
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
        self.failure.get_or_insert_with(|| Box::new(error));
    }

    pub(super) fn failure(&self) -> Option<&Error> {
        self.failure.as_deref()
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

impl Core {
    /// The peer's last octet has come. A server may still answer what the peer had ended (a half-closed socket);
    /// the rest can never be completed. A client has nobody left to call.
    pub(super) fn handle_eof(&mut self, truncated: bool) {
        self.shutdown.eof = true;
        let client = self.side == Side::Client;
        let broken: Vec<StreamKey> = self
            .streams
            .iter_mut()
            .filter(|(_, stream)| client || stream.state.can_recv() || stream.state == State::Idle)
            .map(|(key, _)| key)
            .collect();
        let error = || Error::from(io::Error::from(io::ErrorKind::UnexpectedEof));
        if truncated && self.streams.is_empty() {
            self.fail_silently(error());
        }
        for key in broken {
            self.cut_stream(key, error());
        }
    }

    /// After the peer's last octet no WINDOW_UPDATE can come: a stream that needs one can never be finished.
    pub(super) fn cut_stuck_streams(&mut self) {
        let credit = self.send_credit.available() > 0 || self.send_credit.assigned() > 0;
        let stuck: Vec<StreamKey> = self
            .streams
            .iter_mut()
            .filter(|(_, stream)| {
                let data = stream.queue.begins_with_data();
                let blocked = stream.send_window.available() == 0 || !credit;
                (data || stream.wanted > 0) && blocked
            })
            .map(|(key, _)| key)
            .collect();
        for key in stuck {
            self.cut_stream(key, io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }

    /// A graceful end (§6.8): a server names the highest identifier, then, once the peer has answered a PING,
    /// the real one. A client opens all streams itself, so it has only one to name.
    pub(super) fn begin_shutdown(&mut self) {
        if self.shutdown.highest_accepted().is_some() || self.shutdown.failure().is_some() {
            return;
        }
        self.end_all_lingering();
        if self.side == Side::Server && self.remote.received && !self.shutdown.eof {
            tracing::debug!(streams = self.streams.len(), "graceful shutdown begins");
            self.send_goaway(StreamId::MAX);
            self.ping(Purpose::Shutdown);
        } else {
            self.finish_shutdown();
        }
    }

    pub(super) fn finish_shutdown(&mut self) {
        self.pings.give_up(Purpose::Shutdown);
        self.send_goaway(self.last_stream());
    }

    /// The identifier that a GOAWAY of ours names (§6.8).
    pub(super) fn last_stream(&self) -> StreamId {
        if self.config.manners.names_last_processed() { self.last_processed } else { self.highest_remote }
    }

    /// The peer's GOAWAY (§6.8): streams above `last_stream`, and those that are not sent yet, were not processed
    /// and may be tried elsewhere.
    pub(super) fn handle_goaway(
        &mut self,
        last_stream: StreamId,
        code: ErrorCode,
        opaque: &[u8],
    ) -> Result<Event, Fault> {
        if !self.shutdown.receive(last_stream) {
            return Err(Fault::connection(Misdeed::GoAwayIncreased));
        }
        tracing::debug!(last_stream = last_stream.value(), %code, debug = %opaque.escape_ascii(), "GOAWAY received");
        // §6.8: only for a log; a kilobyte is enough for that.
        let debug = Bytes::copy_from_slice(&opaque[..opaque.len().min(1_024)]);
        let waits = !self.config.manners.opens_after_goaway();
        let refused: Vec<StreamKey> = self
            .streams
            .keys()
            .filter(|key| {
                self.streams.get(*key).is_some_and(|stream| {
                    let unsent = waits && stream.state == State::Idle;
                    self.is_local(stream.id) && (stream.id > last_stream || unsent)
                })
            })
            .collect();
        for key in refused {
            self.end_stream_with(key, Error::unprocessed(Origin::Peer, code, debug.clone()));
        }
        Ok(Event::GoAway { code, debug })
    }

    pub(super) fn is_finished(&self) -> bool {
        if self.shutdown.failure().is_some() {
            return self.control.is_empty();
        }
        let no_more_streams = match self.side {
            Side::Client => self.shutdown.is_going_away(),
            Side::Server => self.shutdown.is_final(),
        };
        self.streams.is_empty() && (self.shutdown.eof || (no_more_streams && self.control.is_empty()))
    }

    fn send_goaway(&mut self, last_stream: StreamId) {
        if let Some(goaway) = self.shutdown.send(last_stream, ErrorCode::NO_ERROR, Bytes::new()) {
            self.control.push(ControlFrame::GoAway(Box::new(goaway)));
        }
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
