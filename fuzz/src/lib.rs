//! The bodies of the fuzz targets, and their seeds. `tests/fuzz_corpus.rs` runs them as well, on the committed inputs.
//!
//! Each takes any octets and panics if something is not as it should be: the judges are ledgers and a second way to
//! the same result, not only the absence of panics.

mod connection;
mod differential;
mod frames;
mod hpack;
mod input;
mod operations;
pub mod seeds;

pub use connection::{client_connection, server_connection};
pub use differential::h2_differential;
pub use frames::frame_reader;
pub use hpack::{hpack_decode, hpack_roundtrip};
pub use operations::connection_ops;

/// Takes any octets; panics if something is not as it should be.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Target); 7] = [
    ("frame_reader", frame_reader),
    ("hpack_decode", hpack_decode),
    ("hpack_roundtrip", hpack_roundtrip),
    ("server_connection", server_connection),
    ("client_connection", client_connection),
    ("connection_ops", connection_ops),
    ("h2_differential", h2_differential),
];
