//! The `:protocol` pseudo-header field of extended CONNECT (RFC 8441 §4).

use std::{fmt, sync::Arc};

/// The protocol that an extended CONNECT request asks for, `websocket` say. It travels in the extensions of
/// the request, both ways.
#[derive(Clone, PartialEq, Eq)]
pub struct Protocol(Name);

#[derive(Clone)]
enum Name {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Protocol {
    /// A protocol whose name is known when compiling.
    pub const fn from_static(name: &'static str) -> Self {
        Protocol(Name::Static(name))
    }

    /// The name as it stands in the field.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Name {
    fn as_str(&self) -> &str {
        match self {
            Name::Static(name) => name,
            Name::Shared(name) => name,
        }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Name {}

impl From<&str> for Protocol {
    fn from(name: &str) -> Self {
        Protocol(Name::Shared(name.into()))
    }
}

impl AsRef<[u8]> for Protocol {
    fn as_ref(&self) -> &[u8] {
        self.as_str().as_bytes()
    }
}

impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}
