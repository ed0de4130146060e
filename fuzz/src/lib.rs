//! The bodies of the fuzz targets, and their seeds. `tests/fuzz_corpus.rs` runs them as well, on the committed inputs.
//!
//! Each takes any octets and panics if something is not as it should be: the judges are ledgers and a second way to
//! the same result, not only the absence of panics.

mod connection;
mod frames;
mod hpack;
mod input;
pub mod seeds;

pub use connection::{client_connection, server_connection};
pub use frames::frame_reader;
pub use hpack::{hpack_decode, hpack_roundtrip};

/// Takes any octets; panics if something is not as it should be.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Target); 5] = [
    ("frame_reader", frame_reader),
    ("hpack_decode", hpack_decode),
    ("hpack_roundtrip", hpack_roundtrip),
    ("server_connection", server_connection),
    ("client_connection", client_connection),
];
