//! The static table (RFC 7541 Appendix A), for the decoder by index and for the encoder by name.
//!
//! Always true here: everything is a constant; a clone of an entry allocates nothing.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use super::{entry::Entry, field::Field, hash};

/// How many entries there are; dynamic indexes begin above (§2.3.3).
pub(super) const LEN: usize = 61;

/// The entry with `index`, which counts from 1.
pub(super) fn get(index: usize) -> Option<&'static Entry> {
    ENTRIES.get(index.checked_sub(1)?)
}

/// The lowest index of a regular field with this name, which has this hash.
pub(super) fn index_of_name(name: &str, hash: u32) -> Option<usize> {
    let mut slot = hash as usize % SLOTS;
    loop {
        let index = usize::from(NAME_SLOTS[slot]);
        if index == 0 {
            return None;
        }
        if NAMES[index - FIRST_REGULAR] == name {
            return Some(index);
        }
        slot = (slot + 1) % SLOTS;
    }
}

/// The index of the first entry that is no pseudo-header field.
const FIRST_REGULAR: usize = 15;
/// A power of two, large enough that a look rarely takes more than one step.
const SLOTS: usize = 256;

/// An open-addressed hash table over [`NAMES`]: indexes, 0 for an empty slot.
static NAME_SLOTS: [u8; SLOTS] = {
    let mut slots = [0; SLOTS];
    let mut i = 0;
    while i < NAMES.len() {
        let mut slot = hash::of(NAMES[i].as_bytes()) as usize % SLOTS;
        while slots[slot] != 0 {
            slot = (slot + 1) % SLOTS;
        }
        slots[slot] = (i + FIRST_REGULAR) as u8;
        i += 1;
    }
    slots
};

const fn pseudo(field: Field) -> Entry {
    Entry::Valid(field)
}

const fn regular(name: HeaderName, value: &'static str) -> Entry {
    Entry::Valid(Field::Header(name, HeaderValue::from_static(value)))
}

static ENTRIES: [Entry; LEN] = [
    pseudo(Field::Authority(Bytes::new())),
    pseudo(Field::Method(Method::GET)),
    pseudo(Field::Method(Method::POST)),
    pseudo(Field::Path(Bytes::from_static(b"/"))),
    pseudo(Field::Path(Bytes::from_static(b"/index.html"))),
    pseudo(Field::Scheme(Bytes::from_static(b"http"))),
    pseudo(Field::Scheme(Bytes::from_static(b"https"))),
    pseudo(Field::Status(StatusCode::OK)),
    pseudo(Field::Status(StatusCode::NO_CONTENT)),
    pseudo(Field::Status(StatusCode::PARTIAL_CONTENT)),
    pseudo(Field::Status(StatusCode::NOT_MODIFIED)),
    pseudo(Field::Status(StatusCode::BAD_REQUEST)),
    pseudo(Field::Status(StatusCode::NOT_FOUND)),
    pseudo(Field::Status(StatusCode::INTERNAL_SERVER_ERROR)),
    regular(header::ACCEPT_CHARSET, ""),
    regular(header::ACCEPT_ENCODING, "gzip, deflate"),
    regular(header::ACCEPT_LANGUAGE, ""),
    regular(header::ACCEPT_RANGES, ""),
    regular(header::ACCEPT, ""),
    regular(header::ACCESS_CONTROL_ALLOW_ORIGIN, ""),
    regular(header::AGE, ""),
    regular(header::ALLOW, ""),
    regular(header::AUTHORIZATION, ""),
    regular(header::CACHE_CONTROL, ""),
    regular(header::CONTENT_DISPOSITION, ""),
    regular(header::CONTENT_ENCODING, ""),
    regular(header::CONTENT_LANGUAGE, ""),
    regular(header::CONTENT_LENGTH, ""),
    regular(header::CONTENT_LOCATION, ""),
    regular(header::CONTENT_RANGE, ""),
    regular(header::CONTENT_TYPE, ""),
    regular(header::COOKIE, ""),
    regular(header::DATE, ""),
    regular(header::ETAG, ""),
    regular(header::EXPECT, ""),
    regular(header::EXPIRES, ""),
    regular(header::FROM, ""),
    regular(header::HOST, ""),
    regular(header::IF_MATCH, ""),
    regular(header::IF_MODIFIED_SINCE, ""),
    regular(header::IF_NONE_MATCH, ""),
    regular(header::IF_RANGE, ""),
    regular(header::IF_UNMODIFIED_SINCE, ""),
    regular(header::LAST_MODIFIED, ""),
    regular(header::LINK, ""),
    regular(header::LOCATION, ""),
    regular(header::MAX_FORWARDS, ""),
    regular(header::PROXY_AUTHENTICATE, ""),
    regular(header::PROXY_AUTHORIZATION, ""),
    regular(header::RANGE, ""),
    regular(header::REFERER, ""),
    regular(header::REFRESH, ""),
    regular(header::RETRY_AFTER, ""),
    regular(header::SERVER, ""),
    regular(header::SET_COOKIE, ""),
    regular(header::STRICT_TRANSPORT_SECURITY, ""),
    regular(header::TRANSFER_ENCODING, ""),
    regular(header::USER_AGENT, ""),
    regular(header::VARY, ""),
    regular(header::VIA, ""),
    regular(header::WWW_AUTHENTICATE, ""),
];

/// The names of the regular entries, in order.
#[rustfmt::skip]
const NAMES: [&str; LEN - FIRST_REGULAR + 1] = [
    "accept-charset", "accept-encoding", "accept-language", "accept-ranges", "accept",
    "access-control-allow-origin", "age", "allow", "authorization", "cache-control", "content-disposition",
    "content-encoding", "content-language", "content-length", "content-location", "content-range",
    "content-type", "cookie", "date", "etag", "expect", "expires", "from", "host", "if-match",
    "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "last-modified", "link",
    "location", "max-forwards", "proxy-authenticate", "proxy-authorization", "range", "referer", "refresh",
    "retry-after", "server", "set-cookie", "strict-transport-security", "transfer-encoding", "user-agent",
    "vary", "via", "www-authenticate",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_regular_name_is_found_by_its_hash() {
        for index in FIRST_REGULAR..=LEN {
            let Some(Entry::Valid(Field::Header(name, _))) = get(index) else { panic!("entry {index}") };
            assert_eq!(name.as_str(), NAMES[index - FIRST_REGULAR]);
            assert_eq!(index_of_name(name.as_str(), hash::of(name.as_str().as_bytes())), Some(index));
        }
        assert_eq!(index_of_name("te", hash::of(b"te")), None);
    }

    #[test]
    fn the_ends_of_the_table() {
        assert!(get(0).is_none() && get(LEN + 1).is_none());
        assert!(matches!(get(1), Some(Entry::Valid(Field::Authority(value))) if value.is_empty()));
        assert!(
            matches!(get(LEN), Some(Entry::Valid(Field::Header(name, _))) if name == header::WWW_AUTHENTICATE)
        );
    }
}
