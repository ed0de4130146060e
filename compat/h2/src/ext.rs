//! What travels in a request's extensions: the protocol of extended CONNECT (RFC 8441 §4).

pub use millpond::Protocol;
