//! HPACK: field compression (RFC 7541), and what RFC 9113 §8.2.1 and §8.3 ask of a single field line.
//!
//! [`Decoder`] turns a field block into [`Field`]s, [`Encoder`] turns [`FieldRef`]s into a field block.
//!
//! Always true here: a dynamic table never exceeds its maximum size and no memory is held before its first
//! entry; entries and fields never share the input's memory; decoding takes time and memory linear in the
//! block and in its limits, and whatever a peer sends ends in [`Decoded`] or in a misdeed of class
//! COMPRESSION_ERROR.
//!
//! Memory: for the six entries of a usual gRPC connection the decoder's table takes about 850 octets and the
//! encoder's about 400. However small the entries, the decoder's takes at most seven times what §4.1 counts.

mod decoder;
mod decoder_table;
mod dormant;
mod encoder;
mod encoder_table;
mod entry;
mod familiar;
mod field;
mod hash;
mod huffman;
mod huffman_table;
mod indexing;
mod integer;
mod section;
mod static_table;
#[cfg(test)]
mod tests;

pub use decoder::Decoder;
pub(crate) use dormant::{Packed, Unpacked};
pub use encoder::Encoder;
pub use field::{Field, FieldRef};
pub use section::{Decoded, FieldLimits};

/// The maximum size, in octets, of a dynamic table before any setting or update changes it: the initial value
/// of SETTINGS_HEADER_TABLE_SIZE (RFC 9113 §6.5.2).
pub const DEFAULT_TABLE_SIZE: u32 = 4096;

/// What a field counts beyond its name and value, in octets: in a table (RFC 7541 §4.1) and in a field
/// section (RFC 9113 §6.5.2).
const FIELD_OVERHEAD: usize = 32;
