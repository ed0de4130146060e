//! Errors: who caused them, how far they reach, and the code that goes on the wire (RFC 9113 §5.4, §7).
//!
//! Always true here: an [`Error`] names its origin, its reach and its code; [`Error::code`] and
//! [`Misdeed::code`] are the only map from an error to a wire code; every rule a peer can break has a
//! [`Misdeed`] of its own, which log lines and tests quote.

use std::{fmt, io, sync::Arc};

use bytes::Bytes;

use crate::stream_id::StreamId;

mod code;
mod misdeed;

pub use code::ErrorCode;
pub use misdeed::Misdeed;

/// Why a stream or a connection failed.
///
/// Cheap to clone. Says who caused it ([`Error::origin`]), how far it reaches
/// ([`Error::is_connection_error`]) and which RFC 9113 §7 code belongs to it ([`Error::code`]).
#[derive(Clone)]
pub struct Error(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// The peer broke a rule, or went beyond a limit of ours; we answered with RST_STREAM or GOAWAY.
    Misdeed(Fault),
    /// A RST_STREAM ended the stream.
    Reset { origin: Origin, code: ErrorCode },
    /// A GOAWAY ended the connection, or left this stream unprocessed.
    GoAway { origin: Origin, code: ErrorCode, debug: Bytes, unprocessed: bool },
    /// The socket failed.
    Io(Arc<io::Error>),
    /// The caller asked for something that cannot be.
    Caller(Mistake),
}

/// Who caused an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The other endpoint, by what it sent.
    Peer,
    /// This crate, by a decision of its own (a timeout, a limit, a shutdown).
    Us,
    /// The application, by a call it made.
    Caller,
    /// The socket or the operating system.
    Io,
}

/// How far an [`Error`] reaches (RFC 9113 §5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// One stream; the connection and its other streams live on (§5.4.2).
    Stream(StreamId),
    /// The whole connection (§5.4.1).
    Connection,
}

/// A rule broken by the peer, and how far the consequence reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which rule.
    pub misdeed: Misdeed,
    /// Stream or connection.
    pub reach: Reach,
}

impl Fault {
    /// A connection error (RFC 9113 §5.4.1).
    pub const fn connection(misdeed: Misdeed) -> Self {
        Fault { misdeed, reach: Reach::Connection }
    }

    /// A stream error (RFC 9113 §5.4.2).
    pub const fn stream(id: StreamId, misdeed: Misdeed) -> Self {
        Fault { misdeed, reach: Reach::Stream(id) }
    }
}

/// What the caller asked for that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// An option is outside its range; the text names it.
    BadOption(&'static str),
    /// The request or response head cannot be sent over HTTP/2; the text says why.
    BadHead(&'static str),
    /// Data or trailers after the end of the stream.
    AfterEnd,
    /// The stream was reset or the connection is gone, so nothing can be sent on it.
    Inactive,
    /// More capacity released than was received.
    ReleasedTooMuch,
    /// A request was sent although `poll_ready` had not said that there is room.
    NotReady,
    /// All 2^30 stream identifiers of this connection are used (RFC 9113 §5.1.1).
    OutOfStreamIds,
    /// A ping of the application is still waiting for its answer.
    PingInFlight,
    /// The URI names no host or a scheme that cannot be connected to.
    BadUri(&'static str),
}

impl Error {
    /// Who caused this.
    pub fn origin(&self) -> Origin {
        match &self.0 {
            Kind::Misdeed(fault) if fault.misdeed.is_our_decision() => Origin::Us,
            Kind::Misdeed(_) => Origin::Peer,
            Kind::Reset { origin, .. } | Kind::GoAway { origin, .. } => *origin,
            Kind::Io(_) => Origin::Io,
            Kind::Caller(_) => Origin::Caller,
        }
    }

    /// Whether the whole connection is lost (RFC 9113 §5.4.1). If not, it is one stream (§5.4.2) or, for a
    /// mistake of the caller, nothing but the call itself.
    pub fn is_connection_error(&self) -> bool {
        match &self.0 {
            Kind::Misdeed(fault) => fault.reach == Reach::Connection,
            Kind::Reset { .. } | Kind::Caller(_) => false,
            Kind::GoAway { .. } | Kind::Io(_) => true,
        }
    }

    /// The RFC 9113 §7 code that was, or would be, put on the wire for this error. The only map from an
    /// error to a code.
    pub fn code(&self) -> ErrorCode {
        match &self.0 {
            Kind::Misdeed(fault) => fault.misdeed.code(),
            Kind::Reset { code, .. } | Kind::GoAway { code, .. } => *code,
            Kind::Io(_) => ErrorCode::INTERNAL_ERROR,
            Kind::Caller(_) => ErrorCode::INTERNAL_ERROR,
        }
    }

    /// The rule that the peer broke, when that is the cause.
    pub fn misdeed(&self) -> Option<Misdeed> {
        match &self.0 {
            Kind::Misdeed(fault) => Some(fault.misdeed),
            _ => None,
        }
    }

    /// What the caller did wrong, when that is the cause.
    pub fn mistake(&self) -> Option<Mistake> {
        match &self.0 {
            Kind::Caller(mistake) => Some(*mistake),
            _ => None,
        }
    }

    /// Whether a RST_STREAM ended the stream (sent by either side).
    pub fn is_reset(&self) -> bool {
        match &self.0 {
            Kind::Reset { .. } => true,
            Kind::Misdeed(fault) => matches!(fault.reach, Reach::Stream(_)),
            _ => false,
        }
    }

    /// Whether a GOAWAY ended the connection or turned this stream away (sent by either side).
    pub fn is_go_away(&self) -> bool {
        match &self.0 {
            Kind::GoAway { .. } => true,
            Kind::Misdeed(fault) => fault.reach == Reach::Connection,
            _ => false,
        }
    }

    /// Whether the socket failed.
    pub fn is_io(&self) -> bool {
        matches!(self.0, Kind::Io(_))
    }

    /// Whether the frame that ended it came from the peer, rather than being sent by us.
    pub fn is_remote(&self) -> bool {
        matches!(self.0, Kind::Reset { origin: Origin::Peer, .. } | Kind::GoAway { origin: Origin::Peer, .. })
    }

    /// Whether the peer says that it did not process the request, or it was never sent, so that it may be sent again on another
    /// connection even if it is not idempotent (RFC 9113 §8.7).
    pub fn is_unprocessed(&self) -> bool {
        match &self.0 {
            Kind::Reset { code, .. } => *code == ErrorCode::REFUSED_STREAM,
            Kind::GoAway { unprocessed, .. } => *unprocessed,
            // On our side the request was not sent.
            Kind::Misdeed(fault) => fault.misdeed == Misdeed::MemoryPressure,
            _ => false,
        }
    }

    /// Whether what is unread of the stream is lost with it, because its memory, or the time it may take, is what the
    /// stream was ended for.
    pub fn discards_unread(&self) -> bool {
        matches!(self.misdeed(), Some(Misdeed::MemoryExhausted | Misdeed::StreamIdle))
    }

    /// The socket's error, when that is the cause.
    pub fn get_io(&self) -> Option<&io::Error> {
        match &self.0 {
            Kind::Io(error) => Some(error),
            _ => None,
        }
    }

    /// The opaque data of the GOAWAY that ended the connection, if any (RFC 9113 §6.8).
    pub fn debug_data(&self) -> Option<&Bytes> {
        match &self.0 {
            Kind::GoAway { debug, .. } => Some(debug),
            _ => None,
        }
    }

    pub(crate) fn reset(origin: Origin, code: ErrorCode) -> Self {
        Error(Kind::Reset { origin, code })
    }

    pub(crate) fn go_away(origin: Origin, code: ErrorCode, debug: Bytes) -> Self {
        Error(Kind::GoAway { origin, code, debug, unprocessed: false })
    }

    /// A stream above the last identifier of a GOAWAY: certainly not processed (RFC 9113 §6.8).
    pub(crate) fn unprocessed(origin: Origin, code: ErrorCode, debug: Bytes) -> Self {
        Error(Kind::GoAway { origin, code, debug, unprocessed: true })
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Error(Kind::Misdeed(fault))
    }
}

impl From<Mistake> for Error {
    fn from(mistake: Mistake) -> Self {
        Error(Kind::Caller(mistake))
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Error(Kind::Io(Arc::new(error)))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Misdeed(Fault { misdeed, reach: Reach::Connection }) => {
                write!(f, "connection error {}: {misdeed}", misdeed.code())
            }
            Kind::Misdeed(Fault { misdeed, reach: Reach::Stream(id) }) => {
                write!(f, "stream {id} error {}: {misdeed}", misdeed.code())
            }
            Kind::Reset { origin: Origin::Peer, code } => write!(f, "stream reset by the peer: {code}"),
            Kind::Reset { code, .. } => write!(f, "stream reset: {code}"),
            Kind::GoAway { origin, code, debug, unprocessed } => {
                match origin {
                    Origin::Peer => write!(f, "connection ended by the peer: {code}")?,
                    _ => write!(f, "connection ended: {code}")?,
                }
                if !debug.is_empty() {
                    write!(f, " ({})", debug.escape_ascii())?;
                }
                if *unprocessed { f.write_str("; the request was not processed") } else { Ok(()) }
            }
            Kind::Io(error) => write!(f, "connection broken: {error}"),
            Kind::Caller(mistake) => mistake.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Io(error) => Some(&**error),
            _ => None,
        }
    }
}

impl std::error::Error for Mistake {}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mistake::BadOption(what) => write!(f, "bad option: {what}"),
            Mistake::BadHead(why) => write!(f, "cannot be sent over HTTP/2: {why}"),
            Mistake::AfterEnd => f.write_str("the stream has already ended"),
            Mistake::Inactive => f.write_str("the stream is no longer active"),
            Mistake::ReleasedTooMuch => f.write_str("more capacity released than was received"),
            Mistake::NotReady => f.write_str("poll_ready has not said that a request may be sent"),
            Mistake::OutOfStreamIds => f.write_str("stream identifiers of this connection are used up"),
            Mistake::PingInFlight => f.write_str("a ping is already in flight"),
            Mistake::BadUri(why) => write!(f, "cannot connect to this URI: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predicates_follow_origin_and_reach() {
        let reset = Error::reset(Origin::Peer, ErrorCode::REFUSED_STREAM);
        assert!(reset.is_reset() && reset.is_remote() && reset.is_unprocessed() && !reset.is_go_away());
        let away = Error::go_away(Origin::Peer, ErrorCode::NO_ERROR, Bytes::new());
        assert!(away.is_go_away() && away.is_connection_error() && !away.is_unprocessed());
        assert!(Error::unprocessed(Origin::Peer, ErrorCode::NO_ERROR, Bytes::new()).is_unprocessed());
        let fault: Error = Fault::stream(StreamId::new(3), Misdeed::WindowExceeded).into();
        assert!(fault.is_reset() && !fault.is_remote());
        assert_eq!(fault.code(), ErrorCode::FLOW_CONTROL_ERROR);
    }

    #[test]
    fn words_name_stream_and_code() {
        let fault: Error = Fault::stream(StreamId::new(3), Misdeed::WindowExceeded).into();
        assert_eq!(
            fault.to_string(),
            "stream 3 error FLOW_CONTROL_ERROR: DATA beyond the advertised flow-control window"
        );
        let away = Error::go_away(Origin::Peer, ErrorCode::ENHANCE_YOUR_CALM, Bytes::from_static(b"a\n"));
        assert_eq!(away.to_string(), "connection ended by the peer: ENHANCE_YOUR_CALM (a\\n)");
    }

    #[test]
    fn an_error_is_small() {
        assert!(std::mem::size_of::<Error>() <= 48);
    }
}
