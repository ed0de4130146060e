//! Fields that the tables of many connections hold alike, made once for each thread (RFC 7541 §2.3.2).
//!
//! A connection that wakes makes its decoder's table again. On most servers what the tables hold is the same few names and
//! values, so that to find them is cheaper than to check and copy them again, and they take no memory of their own.
//!
//! Always true here: what is given is equal to what is asked for, octet by octet; the fields that are kept are few and
//! short, whatever peers send; what comes once is not kept, and costs no allocation here; no credential is kept, so that
//! none outlives its connection or shows another by the time that waking takes (RFC 7541 §7.1).

use std::cell::RefCell;

use super::{
    entry::{Entry, Name},
    field::Field,
    hash,
};

/// Places of a thread.
const PLACES: usize = 64;

/// A field with more octets in its name and value is not kept.
const LONGEST: usize = 128;

#[derive(Clone, Default)]
struct Place {
    field: Option<Field>,
    /// The hash of the last one that belonged here and was not it: if it comes again, it takes over.
    stranger: u32,
}

thread_local! {
    static FIELDS: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
}

/// The entry of this name and value.
pub(super) fn entry(name: &[u8], value: &[u8]) -> Entry {
    let make = || Entry::new(Name::parse(name), value);
    if name.len() + value.len() > LONGEST || is_credential(name) {
        return make();
    }
    let hash = hash::of(name) ^ hash::of(value).rotate_left(16);
    // A thread that ends has none any more.
    let found = FIELDS.try_with(|fields| {
        let mut fields = fields.borrow_mut();
        fields.resize(PLACES, Place::default());
        let place = &mut fields[hash as usize % PLACES];
        match &place.field {
            Some(known) if known.name().as_bytes() == name && known.value() == value => {
                Entry::Valid(known.clone())
            }
            _ => {
                let entry = make();
                if std::mem::replace(&mut place.stranger, hash) == hash {
                    place.field = entry.clone().into_field();
                }
                entry
            }
        }
    });
    found.unwrap_or_else(|_| make())
}

fn is_credential(name: &[u8]) -> bool {
    matches!(name, b"authorization" | b"cookie" | b"proxy-authorization" | b"set-cookie")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(entry: &Entry) -> *const u8 {
        entry.field().unwrap().value().as_ptr()
    }

    #[test]
    fn short_fields_are_made_once() {
        let long = [b'v'; LONGEST];
        for (name, of_field, once) in
            [(&b"user-agent"[..], &b"x/1"[..], true), (b"cookie", b"a=1", false), (b"x-long", &long, false)]
        {
            let entries = [(); 4].map(|()| entry(name, of_field));
            assert!(entries.iter().all(|entry| *entry == Entry::new(Name::parse(name), of_field)));
            assert_ne!(value(&entries[0]), value(&entries[1]), "it came once");
            assert_eq!(value(&entries[2]) == value(&entries[3]), once);
        }
    }

    #[test]
    fn what_is_no_field_is_none() {
        for _ in 0..3 {
            assert!(matches!(entry(b"Upper", b"case"), Entry::Invalid(_)));
        }
    }

    #[test]
    fn all_are_told_apart_and_few_are_kept() {
        for n in 0..4_000 {
            let of_field = (n / 4).to_string();
            assert_eq!(entry(b"x-n", of_field.as_bytes()).field().unwrap().value(), of_field.as_bytes());
        }
        assert_eq!(FIELDS.with_borrow(Vec::len), PLACES);
    }

    #[test]
    fn what_comes_once_leaves_what_comes_often() {
        let often = [(); 3].map(|()| value(&entry(b"te", b"trailers")))[2];
        (0..1_000).for_each(|n| drop(entry(b"x-n", n.to_string().as_bytes())));
        assert_eq!(value(&entry(b"te", b"trailers")), often);
    }
}
