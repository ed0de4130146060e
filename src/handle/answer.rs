//! The final response head and the trailers that wait for the application (RFC 9113 §8.1).
//!
//! Always true here: both have one allocation, since a short answer comes whole; once they are taken there is none.

use http::{HeaderMap, Response};

use crate::stream::of_trailers;

/// Head and trailers, as far as they have come and were not taken. Of a request there are only trailers.
#[derive(Default)]
pub(crate) struct Answer(Option<Box<Parts>>);

#[derive(Default)]
struct Parts {
    head: Option<Response<()>>,
    trailers: Option<HeaderMap>,
}

impl Answer {
    pub(crate) fn put_head(&mut self, head: Response<()>) {
        self.0.get_or_insert_default().head = Some(head);
    }

    pub(crate) fn put_trailers(&mut self, trailers: HeaderMap) {
        self.0.get_or_insert_default().trailers = Some(trailers);
    }

    pub(crate) fn head(&self) -> Option<&Response<()>> {
        self.0.as_ref()?.head.as_ref()
    }

    pub(crate) fn trailers(&self) -> Option<&HeaderMap> {
        self.0.as_ref()?.trailers.as_ref()
    }

    pub(crate) fn take_head(&mut self) -> Option<Response<()>> {
        self.take(|parts| parts.head.take())
    }

    pub(crate) fn take_trailers(&mut self) -> Option<HeaderMap> {
        self.take(|parts| parts.trailers.take())
    }

    /// Octets of memory that they take.
    pub(super) fn footprint(&self) -> usize {
        let Some(parts) = &self.0 else { return 0 };
        let fields = [parts.head.as_ref().map(Response::headers), parts.trailers.as_ref()];
        size_of::<Parts>()
            + fields.into_iter().flatten().map(|fields| of_trailers(fields).memory()).sum::<usize>()
    }

    fn take<T>(&mut self, part: impl FnOnce(&mut Parts) -> Option<T>) -> Option<T> {
        let parts = self.0.as_mut()?;
        let taken = part(parts);
        if parts.head.is_none() && parts.trailers.is_none() {
            self.0 = None;
        }
        taken
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn parts_are_taken_one_by_one_and_leave_nothing() {
        let mut answer = Answer::default();
        assert!(answer.take_head().is_none() && answer.footprint() == 0);
        answer.put_head(Response::new(()));
        answer.put_trailers(HeaderMap::new());
        assert!(answer.footprint() >= size_of::<Response<()>>() + size_of::<HeaderMap>());
        assert!(answer.take_head().is_some() && answer.take_head().is_none());
        assert!(answer.trailers().is_some() && answer.take_trailers().is_some());
        assert!(answer.0.is_none() && answer.footprint() == 0);
    }
}
