//! Header maps that were sent, kept to take the fields of what comes (RFC 9113 §8.1).
//!
//! Always true here: a map that is kept is empty; there are few, and each is small; a connection that does not rest, and so
//! has no moment to give them back, keeps none.

use http::HeaderMap;

/// So many: a client gets one head and maybe trailers for each head that it sends.
const MOST: usize = 2;

/// A map with room for more fields than this is not kept.
const MAX_FIELDS: usize = 12;

/// Maps to be used again.
#[derive(Default)]
pub(super) struct Spares {
    maps: Vec<HeaderMap>,
    keeps: bool,
}

impl Spares {
    /// None yet; `keeps` says whether there will be any.
    pub(super) fn new(keeps: bool) -> Self {
        Spares { maps: Vec::new(), keeps }
    }

    /// An empty map.
    pub(super) fn take(&mut self) -> HeaderMap {
        self.maps.pop().unwrap_or_default()
    }

    /// The fields of `map` were written.
    pub(super) fn put(&mut self, mut map: HeaderMap) {
        if self.keeps && self.maps.len() < MOST && (1..=MAX_FIELDS).contains(&map.capacity()) {
            map.clear();
            self.maps.push(map);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Instant};

    use http::{HeaderName, HeaderValue};

    use super::*;
    use crate::{
        config::Config,
        connection::{Side, core::Core},
    };

    fn map(fields: usize) -> HeaderMap {
        let name = |n| HeaderName::try_from(format!("x-{n}")).unwrap();
        (0..fields).map(|n| (name(n), HeaderValue::from_static("value"))).collect()
    }

    #[test]
    fn few_small_maps_are_kept_and_none_has_a_field_of_another_message() {
        let mut spares = Spares::new(true);
        for fields in [0, 3, 100, 5, 4] {
            spares.put(map(fields));
        }
        assert_eq!(spares.maps.len(), MOST);
        for _ in 0..MOST {
            let map = spares.take();
            assert!(map.is_empty() && map.capacity() > 0 && map.get("x-0").is_none());
        }
        assert_eq!(spares.take().capacity(), 0);
    }

    #[test]
    fn a_connection_that_does_not_rest_keeps_none() {
        let [resting, awake] = [Config::builder(), Config::builder().rest_after(None)];
        for (config, keeps) in
            [(resting.clone(), true), (awake, false), (resting.read_buffer_pooling(false), false)]
        {
            let config = Arc::new(config.build().unwrap());
            let mut core = Core::new(Side::Server, config, Instant::now());
            core.spares.put(map(3));
            assert_eq!(core.spares.take().capacity() > 0, keeps);
        }
    }
}
