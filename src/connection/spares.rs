//! Header maps that were sent, kept to take the fields of what comes (RFC 9113 §8.1): some for each thread, whatever
//! connections it serves, so that no connection has memory for them.
//!
//! Always true here: a map that is kept is empty; there are few, and each is small.

use std::cell::RefCell;

use http::HeaderMap;

/// So many on a thread.
const MOST: usize = 64;

/// So many of them as long as connections go to rest.
const FEW: usize = 4;

/// A map with room for more fields than this is not kept.
const MAX_FIELDS: usize = 12;

thread_local! {
    static MAPS: RefCell<Vec<HeaderMap>> = const { RefCell::new(Vec::new()) };
}

/// An empty map.
pub(super) fn take() -> HeaderMap {
    // A thread that ends has none any more.
    let kept = MAPS.try_with(|maps| maps.borrow_mut().pop());
    kept.ok().flatten().unwrap_or_default()
}

/// The fields of `map` were written.
pub(super) fn put(mut map: HeaderMap) {
    // What a map takes for values of a name that it has already is in no capacity: with such values it is not kept.
    if !(1..=MAX_FIELDS).contains(&map.capacity()) || map.len() > map.keys_len() {
        return;
    }
    // Octets that the application lent run its code when they are dropped: that is over before the list is open.
    map.clear();
    let _ = MAPS.try_with(|maps| {
        let mut maps = maps.borrow_mut();
        if maps.len() < MOST {
            maps.push(map);
        }
    });
}

/// A connection goes to rest. If the others do as well, a burst is over: half of the maps are enough, and soon a few are.
pub(super) fn shed() {
    let surplus = MAPS.try_with(|maps| {
        let mut maps = maps.borrow_mut();
        let enough = FEW.max(maps.len() / 2);
        if maps.len() > enough { maps.split_off(enough) } else { Vec::new() }
    });
    drop(surplus);
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn map(fields: usize) -> HeaderMap {
        let name = |n| HeaderName::try_from(format!("x-{n}")).unwrap();
        (0..fields).map(|n| (name(n), HeaderValue::from_static("value"))).collect()
    }

    #[test]
    fn few_small_maps_are_kept_and_none_has_a_field_of_another_message() {
        // A thread of its own: what the others keep is not counted here.
        let kept = std::thread::spawn(|| {
            for fields in [0, 3, 100, 5].into_iter().chain(std::iter::repeat_n(4, MOST)) {
                put(map(fields));
            }
            (0..=MOST).map(|_| take()).collect::<Vec<_>>()
        });
        let kept = kept.join().unwrap();
        let (last, kept) = kept.split_last().unwrap();
        assert!(kept.iter().all(|map| map.is_empty() && map.capacity() > 0 && map.get("x-0").is_none()));
        assert_eq!(last.capacity(), 0);
    }

    #[test]
    fn few_are_left_when_all_rest() {
        let kept = std::thread::spawn(|| {
            (0..MOST).for_each(|_| put(map(4)));
            (0..10).for_each(|_| shed());
            std::iter::repeat_with(take).take_while(|map| map.capacity() > 0).count()
        });
        assert_eq!(kept.join().unwrap(), FEW);
    }

    #[test]
    fn room_for_repeated_fields_is_not_kept() {
        let kept = std::thread::spawn(|| {
            let mut lines = map(1);
            for _ in 0..1_000 {
                lines.append("x-0", HeaderValue::from_static("again"));
            }
            put(lines);
            take().capacity()
        });
        assert_eq!(kept.join().unwrap(), 0);
    }

    #[test]
    fn what_a_field_does_when_it_is_dropped_may_be_to_send_another() {
        struct Owner;
        impl AsRef<[u8]> for Owner {
            fn as_ref(&self) -> &[u8] {
                b"value"
            }
        }
        impl Drop for Owner {
            fn drop(&mut self) {
                put(map(2));
                drop(take());
            }
        }
        let mut lent = map(1);
        let value = bytes::Bytes::from_owner(Owner);
        lent.insert("lent", HeaderValue::from_maybe_shared(value).unwrap());
        put(lent);
        assert!(take().is_empty());
    }
}
