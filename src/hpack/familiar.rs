//! Fields that the tables of many connections hold alike, made once for each thread (RFC 7541 §2.3.2).
//!
//! A connection that wakes makes its decoder's table again. On most servers what the tables hold is the same few names and
//! values, so that to find them is cheaper than to check and copy them again, and they take no memory of their own.
//!
//! Always true here: what is given is equal to what is asked for, octet by octet; the fields that are kept are few and
//! short, whatever peers send.

use std::cell::RefCell;

use super::{
    entry::{Entry, Name},
    field::Field,
    hash,
};

/// Places of a thread. One that was taken is taken over by the next field that belongs there.
const PLACES: usize = 64;

/// A field with more octets in its name and value is not kept.
const LONGEST: usize = 128;

thread_local! {
    static FIELDS: RefCell<Vec<Option<Field>>> = const { RefCell::new(Vec::new()) };
}

/// The entry of this name and value.
pub(super) fn entry(name: &[u8], value: &[u8]) -> Entry {
    let make = || Entry::new(Name::parse(name), value);
    if name.len() + value.len() > LONGEST {
        return make();
    }
    let place = (hash::of(name) ^ hash::of(value).rotate_left(16)) as usize % PLACES;
    // A thread that ends has none any more.
    let found = FIELDS.try_with(|fields| {
        let mut fields = fields.borrow_mut();
        fields.resize(PLACES, None);
        match &mut fields[place] {
            Some(known) if known.name().as_bytes() == name && known.value() == value => {
                Entry::Valid(known.clone())
            }
            unknown => {
                let entry = make();
                *unknown = entry.clone().into_field();
                entry
            }
        }
    });
    found.unwrap_or_else(|_| make())
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
            [(&b"user-agent"[..], &b"x/1"[..], true), (b":path", b"/", true), (b"x-long", &long, false)]
        {
            let entries = [(); 2].map(|()| entry(name, of_field));
            assert_eq!(entries[0], Entry::new(Name::parse(name), of_field));
            assert_eq!(entries[0], entries[1]);
            assert_eq!(value(&entries[0]) == value(&entries[1]), once);
        }
    }

    #[test]
    fn what_is_no_field_is_none() {
        for _ in 0..2 {
            assert!(matches!(entry(b"Upper", b"case"), Entry::Invalid(_)));
        }
    }

    #[test]
    fn all_are_told_apart_and_few_are_kept() {
        for round in 0..2 {
            for n in 0..1_000 {
                let of_field = n.to_string();
                assert_eq!(entry(b"x-n", of_field.as_bytes()).field().unwrap().value(), of_field.as_bytes());
            }
            assert_eq!(FIELDS.with_borrow(Vec::len), PLACES, "{round}");
        }
    }
}
