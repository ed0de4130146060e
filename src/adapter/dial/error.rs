//! Why no connection was made.

use std::{error, fmt, io};

use crate::{adapter::BoxError, error::Error};

/// Why no connection was made: a URI that leads nowhere, a name without address, a refusal, a limit of time.
pub struct ConnectError {
    /// What was tried, unless the error says so itself.
    what: Option<String>,
    error: BoxError,
}

impl ConnectError {
    pub(crate) fn new(what: String, error: impl Into<BoxError>) -> Self {
        ConnectError { what: Some(what), error: error.into() }
    }

    pub(crate) fn too_long() -> Self {
        io::Error::new(io::ErrorKind::TimedOut, "connecting took too long").into()
    }

    /// An error of somebody else's connector, which may have asked us in turn.
    #[cfg(feature = "hyper")]
    pub(crate) fn of(error: impl Into<BoxError>) -> Self {
        match error.into().downcast() {
            Ok(own) => *own,
            Err(error) => ConnectError { what: None, error },
        }
    }

    /// The error of the system, if that is the cause; [`io::ErrorKind::TimedOut`] also where a limit was ours.
    pub fn io(&self) -> Option<&io::Error> {
        let mut cause: Option<&(dyn error::Error + 'static)> = Some(&*self.error);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref() {
                return Some(error);
            }
            cause = error.source();
        }
        None
    }
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        ConnectError { what: None, error: error.into() }
    }
}

impl From<Error> for ConnectError {
    fn from(error: Error) -> Self {
        ConnectError { what: None, error: error.into() }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Some(what) => write!(f, "{what}: {}", self.error),
            None => self.error.fmt(f),
        }
    }
}

impl fmt::Debug for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectError({self})")
    }
}

impl error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&*self.error)
    }
}
