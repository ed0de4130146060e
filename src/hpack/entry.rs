//! What a table of the decoder holds, and how names and values become fields (RFC 9113 §8.2.1, §8.3).
//!
//! Always true here: an entry that RFC 9113 forbids keeps its place and its size, since later indexes
//! count it and later literals may borrow its name; it never becomes a [`Field`].

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::{FIELD_OVERHEAD, field::Field};
use crate::error::Misdeed;

/// One entry of the static or of a dynamic table, or a literal on its way to the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Valid(Field),
    /// Boxed: rare, and entries are to stay small.
    Invalid(Box<InvalidEntry>),
}

/// A name and a value that do not make a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InvalidEntry {
    name: Name,
    value_octets: usize,
    misdeed: Misdeed,
}

/// The name of an entry, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Method,
    Scheme,
    Authority,
    Path,
    Protocol,
    Status,
    Header(HeaderName),
    Invalid { octets: usize, misdeed: Misdeed },
}

impl Entry {
    pub(super) fn new(name: Name, value: &[u8]) -> Entry {
        field(name, value).map_or_else(
            |(name, misdeed)| {
                Entry::Invalid(Box::new(InvalidEntry { name, value_octets: value.len(), misdeed }))
            },
            Entry::Valid,
        )
    }

    /// The size of the entry (RFC 7541 §4.1).
    pub(super) fn octets(&self) -> usize {
        match self {
            Entry::Valid(field) => field.octets(),
            Entry::Invalid(invalid) => invalid.name.octets() + invalid.value_octets + FIELD_OVERHEAD,
        }
    }

    pub(super) fn name(&self) -> Name {
        match self {
            Entry::Valid(Field::Method(_)) => Name::Method,
            Entry::Valid(Field::Scheme(_)) => Name::Scheme,
            Entry::Valid(Field::Authority(_)) => Name::Authority,
            Entry::Valid(Field::Path(_)) => Name::Path,
            Entry::Valid(Field::Protocol(_)) => Name::Protocol,
            Entry::Valid(Field::Status(_)) => Name::Status,
            Entry::Valid(Field::Header(name, _)) => Name::Header(name.clone()),
            Entry::Invalid(invalid) => invalid.name.clone(),
        }
    }

    /// The field, or the rule that it breaks.
    pub(super) fn field(&self) -> Result<&Field, Misdeed> {
        match self {
            Entry::Valid(field) => Ok(field),
            Entry::Invalid(invalid) => Err(invalid.misdeed),
        }
    }

    pub(super) fn into_field(self) -> Option<Field> {
        match self {
            Entry::Valid(field) => Some(field),
            Entry::Invalid(_) => None,
        }
    }
}

impl Name {
    pub(super) fn parse(octets: &[u8]) -> Name {
        match octets {
            b":method" => Name::Method,
            b":scheme" => Name::Scheme,
            b":authority" => Name::Authority,
            b":path" => Name::Path,
            b":protocol" => Name::Protocol,
            b":status" => Name::Status,
            [b':', ..] => Name::Invalid { octets: octets.len(), misdeed: Misdeed::BadPseudoField },
            _ => header_name(octets).map_or(
                Name::Invalid { octets: octets.len(), misdeed: Misdeed::FieldNameInvalid },
                Name::Header,
            ),
        }
    }

    pub(super) fn octets(&self) -> usize {
        match self {
            Name::Method | Name::Scheme | Name::Status => 7,
            Name::Authority => 10,
            Name::Path => 5,
            Name::Protocol => 9,
            Name::Header(name) => name.as_str().len(),
            Name::Invalid { octets, .. } => *octets,
        }
    }
}

/// The field; or the name back, and the rule that is broken.
fn field(name: Name, value: &[u8]) -> Result<Field, (Name, Misdeed)> {
    let made = match name {
        // The name moves: cloning it would cost an allocation, which its first clone makes.
        Name::Header(name) => {
            return match header_value(value) {
                Ok(value) => Ok(Field::Header(name, value)),
                Err(misdeed) => Err((Name::Header(name), misdeed)),
            };
        }
        Name::Method => pseudo_value(value)
            .and_then(|value| Method::from_bytes(value).map_err(|_| Misdeed::BadPseudoField))
            .map(Field::Method),
        Name::Status => pseudo_value(value)
            .and_then(|value| StatusCode::from_bytes(value).map_err(|_| Misdeed::BadPseudoField))
            .map(Field::Status),
        Name::Scheme => pseudo_value(value).map(|value| Field::Scheme(Bytes::copy_from_slice(value))),
        Name::Authority => pseudo_value(value).map(|value| Field::Authority(Bytes::copy_from_slice(value))),
        Name::Path => pseudo_value(value).map(|value| Field::Path(Bytes::copy_from_slice(value))),
        Name::Protocol => pseudo_value(value).map(|value| Field::Protocol(Bytes::copy_from_slice(value))),
        Name::Invalid { misdeed, .. } => Err(misdeed),
    };
    made.map_err(|misdeed| (name, misdeed))
}

/// RFC 9113 §8.2.1: no white space at either end of a value.
fn is_padded(value: &[u8]) -> bool {
    let white = |octet: Option<&u8>| matches!(octet, Some(b' ' | b'\t'));
    white(value.first()) || white(value.last())
}

/// The same octets pass as in a regular value, so that nothing can be smuggled in the parts of a URI. What does not pass
/// makes a bad pseudo-header field: with the manners of h2, that is the end of the stream, and not of the connection.
fn pseudo_value(value: &[u8]) -> Result<&[u8], Misdeed> {
    let allowed = |&octet: &u8| (octet >= 0x20 && octet != 0x7f) || octet == b'\t';
    if !is_padded(value) && value.iter().all(allowed) { Ok(value) } else { Err(Misdeed::BadPseudoField) }
}

fn header_name(octets: &[u8]) -> Option<HeaderName> {
    // Names of gRPC are constants here: no allocation, and no reference count that connections share.
    Some(match octets {
        b"grpc-accept-encoding" => const { HeaderName::from_static("grpc-accept-encoding") },
        b"grpc-encoding" => const { HeaderName::from_static("grpc-encoding") },
        b"grpc-message" => const { HeaderName::from_static("grpc-message") },
        b"grpc-status" => const { HeaderName::from_static("grpc-status") },
        b"grpc-timeout" => const { HeaderName::from_static("grpc-timeout") },
        // `HeaderName` lets a quotation mark pass, which is not in a token (RFC 9110 §5.6.2).
        _ if octets.contains(&b'"') => return None,
        _ => HeaderName::from_lowercase(octets).ok()?,
    })
}

fn header_value(octets: &[u8]) -> Result<HeaderValue, Misdeed> {
    if is_padded(octets) {
        return Err(Misdeed::FieldValueInvalid);
    }
    // Constants again, for values that nearly every connection repeats.
    Ok(match octets {
        b"" => const { HeaderValue::from_static("") },
        b"0" => const { HeaderValue::from_static("0") },
        b"*/*" => const { HeaderValue::from_static("*/*") },
        b"gzip" => const { HeaderValue::from_static("gzip") },
        b"identity" => const { HeaderValue::from_static("identity") },
        b"trailers" => const { HeaderValue::from_static("trailers") },
        b"application/grpc" => const { HeaderValue::from_static("application/grpc") },
        b"application/json" => const { HeaderValue::from_static("application/json") },
        b"identity,deflate,gzip" => const { HeaderValue::from_static("identity,deflate,gzip") },
        b"application/grpc+proto" => const { HeaderValue::from_static("application/grpc+proto") },
        b"gzip,deflate,zstd,identity" => const { HeaderValue::from_static("gzip,deflate,zstd,identity") },
        b"identity, deflate, gzip" => const { HeaderValue::from_static("identity, deflate, gzip") },
        _ => HeaderValue::from_bytes(octets).map_err(|_| Misdeed::FieldValueInvalid)?,
    })
}
