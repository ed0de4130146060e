//! One field line, decoded or to encode: a pseudo-header field (RFC 9113 §8.3) or a regular one.
//!
//! Always true here: the name and the value of a decoded [`Field`] are valid (RFC 9113 §8.2.1); its memory is
//! its own, or that of equal ones.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::FIELD_OVERHEAD;

/// One decoded field line. Pseudo-header fields are apart from regular ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `:method`.
    Method(Method),
    /// `:scheme`.
    Scheme(Bytes),
    /// `:authority`.
    Authority(Bytes),
    /// `:path`.
    Path(Bytes),
    /// `:protocol` (RFC 8441 §4).
    Protocol(Bytes),
    /// `:status`.
    Status(StatusCode),
    /// A regular field. Its value is sensitive if it came as a never-indexed literal (RFC 7541 §6.2.3).
    Header(HeaderName, HeaderValue),
}

impl Field {
    /// The name, with the colon of a pseudo-header field.
    pub fn name(&self) -> &str {
        match self {
            Field::Method(_) => ":method",
            Field::Scheme(_) => ":scheme",
            Field::Authority(_) => ":authority",
            Field::Path(_) => ":path",
            Field::Protocol(_) => ":protocol",
            Field::Status(_) => ":status",
            Field::Header(name, _) => name.as_str(),
        }
    }

    /// The value's octets.
    pub fn value(&self) -> &[u8] {
        match self {
            Field::Method(method) => method.as_str().as_bytes(),
            Field::Scheme(value) | Field::Authority(value) | Field::Path(value) | Field::Protocol(value) => {
                value
            }
            Field::Status(status) => status.as_str().as_bytes(),
            Field::Header(_, value) => value.as_bytes(),
        }
    }

    /// The size of the field as RFC 9113 §6.5.2 and RFC 7541 §4.1 count it: name, value and 32 octets.
    pub fn octets(&self) -> usize {
        self.name().len() + self.value().len() + FIELD_OVERHEAD
    }
}

/// One field line to encode, borrowed.
#[derive(Clone, Copy, Debug)]
pub enum FieldRef<'a> {
    /// `:method`.
    Method(&'a Method),
    /// `:scheme`.
    Scheme(&'a str),
    /// `:authority`.
    Authority(&'a str),
    /// `:path`.
    Path(&'a str),
    /// `:protocol` (RFC 8441 §4).
    Protocol(&'a str),
    /// `:status`.
    Status(StatusCode),
    /// A regular field. A sensitive value is encoded as a never-indexed literal (RFC 7541 §6.2.3).
    Header(&'a HeaderName, &'a HeaderValue),
}

impl<'a> FieldRef<'a> {
    /// The name, with the colon of a pseudo-header field.
    pub fn name(&self) -> &'a str {
        match self {
            FieldRef::Method(_) => ":method",
            FieldRef::Scheme(_) => ":scheme",
            FieldRef::Authority(_) => ":authority",
            FieldRef::Path(_) => ":path",
            FieldRef::Protocol(_) => ":protocol",
            FieldRef::Status(_) => ":status",
            FieldRef::Header(name, _) => name.as_str(),
        }
    }

    /// The value's octets.
    pub fn value(&self) -> &[u8] {
        match self {
            FieldRef::Method(method) => method.as_str().as_bytes(),
            FieldRef::Scheme(value)
            | FieldRef::Authority(value)
            | FieldRef::Path(value)
            | FieldRef::Protocol(value) => value.as_bytes(),
            FieldRef::Status(status) => status.as_str().as_bytes(),
            FieldRef::Header(_, value) => value.as_bytes(),
        }
    }

    /// The size of the field as RFC 9113 §6.5.2 and RFC 7541 §4.1 count it: name, value and 32 octets.
    pub fn octets(&self) -> usize {
        self.name().len() + self.value().len() + FIELD_OVERHEAD
    }
}
