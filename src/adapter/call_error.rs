//! Why a call failed, for those who make calls and those who answer them.

use std::{error, fmt, sync::Arc};

use crate::error::{Error, ErrorCode};

/// Any error.
pub type BoxError = Box<dyn error::Error + Send + Sync>;

/// Why a call, or the body of one, failed. Cheap to clone.
///
/// With the feature `tonic` a `tonic::Status` with the right code stands in its source chain, where tonic looks
/// for it.
#[derive(Clone)]
pub struct CallError {
    kind: Kind,
    #[cfg(feature = "tonic")]
    status: Box<::tonic::Status>,
}

#[derive(Clone)]
enum Kind {
    /// The stream or the connection failed.
    Transport(Error),
    /// There is no connection and none could be made.
    Connect(Arc<BoxError>),
    /// The call took longer than it may.
    DeadlineExceeded,
    /// The body to be sent failed.
    Body(Arc<BoxError>),
}

impl CallError {
    /// The error of the stream or the connection, if that is the cause.
    pub fn transport(&self) -> Option<&Error> {
        match &self.kind {
            Kind::Transport(error) => Some(error),
            _ => None,
        }
    }

    /// The code of RFC 9113 §7, if the stream or the connection failed with one.
    pub fn code(&self) -> Option<ErrorCode> {
        self.transport().map(Error::code)
    }

    /// Whether no connection could be made.
    pub fn is_connect(&self) -> bool {
        matches!(self.kind, Kind::Connect(_))
    }

    /// Whether the call took longer than `timeout` or its `grpc-timeout` field allows.
    pub fn is_deadline_exceeded(&self) -> bool {
        matches!(self.kind, Kind::DeadlineExceeded)
    }

    /// Whether the request was certainly not processed, so that it may be sent again even if it is not
    /// idempotent: no connection, REFUSED_STREAM, or turned away by GOAWAY (RFC 9113 §8.7).
    pub fn is_unprocessed(&self) -> bool {
        self.is_connect() || self.transport().is_some_and(Error::is_unprocessed)
    }

    pub(crate) fn connect(error: impl Into<BoxError>) -> Self {
        Self::new(Kind::Connect(Arc::new(error.into())))
    }

    pub(crate) fn deadline_exceeded() -> Self {
        Self::new(Kind::DeadlineExceeded)
    }

    pub(crate) fn body(error: impl Into<BoxError>) -> Self {
        Self::new(Kind::Body(Arc::new(error.into())))
    }

    #[cfg(not(feature = "tonic"))]
    fn new(kind: Kind) -> Self {
        CallError { kind }
    }

    #[cfg(feature = "tonic")]
    fn new(kind: Kind) -> Self {
        let words = kind.to_string();
        let status = match &kind {
            Kind::Transport(error) => ::tonic::Status::new(super::tonic::code_of(error), words),
            Kind::Connect(_) => ::tonic::Status::unavailable(words),
            Kind::DeadlineExceeded => ::tonic::Status::deadline_exceeded(words),
            Kind::Body(error) => {
                super::tonic::status_in(&***error).unwrap_or_else(|| ::tonic::Status::internal(words))
            }
        };
        CallError { kind, status: Box::new(status) }
    }
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self::new(Kind::Transport(error))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Transport(error) => error.fmt(f),
            Kind::Connect(error) => write!(f, "no connection: {error}"),
            Kind::DeadlineExceeded => f.write_str("deadline exceeded"),
            Kind::Body(error) => write!(f, "the body to be sent failed: {error}"),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl fmt::Debug for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallError({})", self.kind)
    }
}

impl error::Error for CallError {
    #[cfg(feature = "tonic")]
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&*self.status)
    }

    #[cfg(not(feature = "tonic"))]
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.kind {
            Kind::Transport(error) => Some(error),
            Kind::Connect(error) | Kind::Body(error) => Some(&***error),
            Kind::DeadlineExceeded => None,
        }
    }
}
