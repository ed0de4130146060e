//! Errors and results, written down.

use super::h2::{Error, StreamId};
use crate::trace::{Event, Failure};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure {
            text: error.to_string(),
            debug: format!("{error:?}"),
            reason: error.reason().map(u32::from),
            io: error.get_io().map(std::io::Error::kind),
            is: [error.is_io(), error.is_go_away(), error.is_reset(), error.is_remote(), error.is_library()],
        }
    }
}

pub(super) fn called(what: &'static str, result: Result<String, Error>) -> Event {
    Event::Called(what, result.map_err(Failure::from))
}

/// What was waited for.
pub(super) fn came(what: &'static str, result: Result<String, Error>) -> Event {
    match result {
        Ok(value) => Event::Came(what, value),
        Err(error) => Event::Failed(what, error.into()),
    }
}

pub(super) fn number(id: StreamId) -> String {
    id.as_u32().to_string()
}
