//! One copy of a configuration for the many connections that have the same.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::Config;

impl Config {
    /// This configuration, shared with whoever was last given an equal one: most programs have one for all their
    /// connections, and each would hold a copy.
    pub(crate) fn shared(self) -> Arc<Config> {
        static LAST: Mutex<Weak<Config>> = Mutex::new(Weak::new());
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = last.upgrade().filter(|last| **last == self) {
            return same;
        }
        let own = Arc::new(self);
        let before = std::mem::replace(&mut *last, Arc::downgrade(&own));
        drop(last);
        drop(before);
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::BufferPool;

    #[test]
    fn equal_ones_are_one_and_others_are_not() {
        let build = |octets| Config::builder().max_frame_size(octets).build().unwrap();
        let pool = BufferPool::new(Default::default());
        let first = build(20_001).shared();
        assert!(Arc::ptr_eq(&first, &build(20_001).shared()));
        let own_pool = Config::builder().max_frame_size(20_001).pool(pool).build().unwrap().shared();
        assert!(!Arc::ptr_eq(&first, &own_pool));
        assert!(!Arc::ptr_eq(&own_pool, &build(20_002).shared()));
    }
}
