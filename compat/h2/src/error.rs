//! Errors with the predicates and the words of h2.
//!
//! Always true here: what a stream or a connection failed with is kept once, as a [`Cause`] that can be shared by all
//! who ask; an [`Error`] is made of it for each of them.

use std::{fmt, io, sync::Arc};

use bytes::Bytes;
use millpond::{Manners, error::Origin};

use crate::{Reason, StreamId};

/// Why a call, a stream or a connection failed.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
}

#[derive(Debug)]
#[expect(dead_code, reason = "the stream is shown by Debug")]
enum Kind {
    Reset(StreamId, Reason, Initiator),
    GoAway(Bytes, Reason, Initiator),
    Reason(Reason),
    User(UserError),
    Io(io::Error),
}

/// Who ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Initiator {
    User,
    Library,
    Remote,
}

/// Why a stream or a connection is over.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    Reset(StreamId, Reason, Initiator),
    GoAway(Bytes, Reason, Initiator),
    Io(io::ErrorKind, Option<Arc<str>>),
}

/// What the caller did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserError {
    InactiveStreamId,
    UnexpectedFrameType,
    PayloadTooBig,
    Rejected,
    ReleaseCapacityTooBig,
    OverflowedStreamId,
    MalformedHeaders,
    MissingUriSchemeAndAuthority,
    PollResetAfterSendResponse,
    SendPingWhilePending,
    SendSettingsWhilePending,
    PeerDisabledServerPush,
    InvalidInformationalStatusCode,
}

impl Error {
    /// The error code, if a frame carried one or [`From<Reason>`](Self#impl-From<Reason>-for-Error) gave it.
    pub fn reason(&self) -> Option<Reason> {
        match self.kind {
            Kind::Reset(_, reason, _) | Kind::GoAway(_, reason, _) | Kind::Reason(reason) => Some(reason),
            Kind::User(_) | Kind::Io(_) => None,
        }
    }

    /// Whether the socket failed.
    pub fn is_io(&self) -> bool {
        matches!(self.kind, Kind::Io(_))
    }

    /// The socket's error, if that is the cause.
    pub fn get_io(&self) -> Option<&io::Error> {
        match &self.kind {
            Kind::Io(error) => Some(error),
            _ => None,
        }
    }

    /// The socket's error, if that is the cause.
    pub fn into_io(self) -> Option<io::Error> {
        match self.kind {
            Kind::Io(error) => Some(error),
            _ => None,
        }
    }

    /// Whether a GOAWAY ended it, sent by either side.
    pub fn is_go_away(&self) -> bool {
        matches!(self.kind, Kind::GoAway(..))
    }

    /// Whether a RST_STREAM ended it, sent by either side.
    pub fn is_reset(&self) -> bool {
        matches!(self.kind, Kind::Reset(..))
    }

    /// Whether the frame that ended it came from the peer.
    pub fn is_remote(&self) -> bool {
        self.initiator() == Some(Initiator::Remote)
    }

    /// Whether this crate ended it, because the peer broke a rule.
    pub fn is_library(&self) -> bool {
        self.initiator() == Some(Initiator::Library)
    }

    fn initiator(&self) -> Option<Initiator> {
        match self.kind {
            Kind::Reset(_, _, initiator) | Kind::GoAway(_, _, initiator) => Some(initiator),
            _ => None,
        }
    }
}

impl Cause {
    /// The peer's end of the socket came, or ours was dropped.
    pub(crate) fn broken_pipe(what: &str) -> Self {
        Cause::Io(io::ErrorKind::BrokenPipe, Some(what.into()))
    }

    /// The same error for each of many.
    pub(crate) fn io(error: &io::Error) -> Self {
        Cause::Io(error.kind(), error.get_ref().map(|inner| inner.to_string().into()))
    }

    /// What the connection says of the stream `id`, or of itself. `by_user`: it was ended by the application.
    pub(crate) fn new(error: &millpond::Error, id: StreamId, by_user: bool) -> Self {
        if let Some(error) = error.get_io() {
            return Cause::io(error);
        }
        let initiator = match error.origin() {
            Origin::Peer if error.misdeed().is_none() => Initiator::Remote,
            Origin::Caller => Initiator::User,
            _ if by_user => Initiator::User,
            _ => Initiator::Library,
        };
        let code = error.misdeed().map_or_else(|| error.code(), |misdeed| Manners::H2.code(misdeed));
        let reason = Reason::from(code);
        if !error.is_connection_error() {
            return Cause::Reset(id, reason, initiator);
        }
        let debug = match error.misdeed() {
            Some(misdeed) => Manners::H2.goaway_debug(misdeed),
            None => error.debug_data().cloned().unwrap_or_default(),
        };
        Cause::GoAway(debug, reason, initiator)
    }

    /// The code of a RST_STREAM or GOAWAY.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match self {
            Cause::Reset(_, reason, _) | Cause::GoAway(_, reason, _) => Some(*reason),
            Cause::Io(..) => None,
        }
    }

    /// Whether the peer reset the stream.
    pub(crate) fn is_remote_reset(&self) -> bool {
        matches!(self, Cause::Reset(_, _, Initiator::Remote))
    }
}

impl From<Cause> for Error {
    fn from(cause: Cause) -> Self {
        let kind = match cause {
            Cause::Reset(id, reason, initiator) => Kind::Reset(id, reason, initiator),
            Cause::GoAway(debug, reason, initiator) => Kind::GoAway(debug, reason, initiator),
            Cause::Io(kind, Some(text)) => Kind::Io(io::Error::new(kind, &*text)),
            Cause::Io(kind, None) => Kind::Io(kind.into()),
        };
        Error { kind }
    }
}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        Error { kind: Kind::Reason(reason) }
    }
}

impl From<UserError> for Error {
    fn from(error: UserError) -> Self {
        Error { kind: Kind::User(error) }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Error { kind: Kind::Io(error) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = |initiator| match initiator {
            Initiator::User => "sent by user",
            Initiator::Library => "detected",
            Initiator::Remote => "received",
        };
        match &self.kind {
            Kind::Reset(_, reason, initiator) => write!(f, "stream error {}: {reason}", way(*initiator)),
            Kind::GoAway(debug, reason, initiator) => {
                write!(f, "connection error {}: {reason}", way(*initiator))?;
                if debug.is_empty() { Ok(()) } else { write!(f, " ({debug:?})") }
            }
            Kind::Reason(reason) => write!(f, "protocol error: {reason}"),
            Kind::User(error) => write!(f, "user error: {error}"),
            Kind::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UserError::InactiveStreamId => "inactive stream",
            UserError::UnexpectedFrameType => "unexpected frame type",
            UserError::PayloadTooBig => "payload too big",
            UserError::Rejected => "rejected",
            UserError::ReleaseCapacityTooBig => "release capacity too big",
            UserError::OverflowedStreamId => "stream ID overflowed",
            UserError::MalformedHeaders => "malformed headers",
            UserError::MissingUriSchemeAndAuthority => "request URI missing scheme and authority",
            UserError::PollResetAfterSendResponse => "poll_reset after send_response is illegal",
            UserError::SendPingWhilePending => "send_ping before received previous pong",
            UserError::SendSettingsWhilePending => "sending SETTINGS before received previous ACK",
            UserError::PeerDisabledServerPush => "sending PUSH_PROMISE to peer who disabled server push",
            UserError::InvalidInformationalStatusCode => "invalid informational status code",
        })
    }
}
