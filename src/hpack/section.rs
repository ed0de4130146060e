//! The field section that a block decodes to: its size, its limits and the order of its fields
//! (RFC 9113 §6.5.2, §8.3).
//!
//! Always true here: what has gone over a limit stays over it; only the first misdeed is kept.

use super::{entry::Entry, field::Field};
use crate::error::Misdeed;

/// How much of a field section is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldLimits {
    /// The most octets, counted as RFC 9113 §6.5.2 does: name, value and 32 for each field.
    pub max_octets: usize,
    /// The most field lines.
    pub max_fields: usize,
}

/// What [`Decoder::decode`](super::Decoder::decode) found in a field block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The uncompressed size, counted as RFC 9113 §6.5.2 does, of the whole block.
    pub octets: usize,
    /// The field lines of the whole block.
    pub fields: usize,
    /// Whether a limit was exceeded. The field that did so and all later ones were not passed on, nor looked
    /// at.
    pub too_large: bool,
    /// The first rule that a field breaks and that makes the message malformed (RFC 9113 §8.1.1), the field
    /// itself not being passed on: `FieldNameInvalid`, `FieldValueInvalid` or `BadPseudoField` (unknown,
    /// repeated, after a regular field, or a value without the syntax of a method or a status).
    pub malformed: Option<Misdeed>,
}

/// The gate between the decoder and the application.
pub(super) struct Section {
    limits: FieldLimits,
    decoded: Decoded,
    /// A bit for each pseudo-header field seen, and [`REGULAR`].
    seen: u8,
}

const REGULAR: u8 = 0x80;

impl Section {
    pub(super) fn new(limits: FieldLimits) -> Self {
        Section { limits, decoded: Decoded::default(), seen: 0 }
    }

    /// Counts a field of this size; whether it is within the limits.
    pub(super) fn count(&mut self, octets: usize) -> bool {
        let decoded = &mut self.decoded;
        decoded.octets = decoded.octets.saturating_add(octets);
        decoded.fields += 1;
        decoded.too_large |=
            decoded.octets > self.limits.max_octets || decoded.fields > self.limits.max_fields;
        !decoded.too_large
    }

    /// Whether a limit was exceeded.
    pub(super) fn is_too_large(&self) -> bool {
        self.decoded.too_large
    }

    /// Whether the next field may be passed on: it is valid and in its place.
    pub(super) fn accept(&mut self, entry: &Entry) -> bool {
        let verdict = entry.field().and_then(|field| self.place(field));
        if let Err(misdeed) = verdict {
            self.decoded.malformed.get_or_insert(misdeed);
        }
        verdict.is_ok()
    }

    pub(super) fn decoded(self) -> Decoded {
        self.decoded
    }

    /// RFC 9113 §8.3: pseudo-header fields come first, each of them once.
    fn place(&mut self, field: &Field) -> Result<(), Misdeed> {
        let bit = match field {
            Field::Header(..) => {
                self.seen |= REGULAR;
                return Ok(());
            }
            Field::Method(_) => 1,
            Field::Scheme(_) => 1 << 1,
            Field::Authority(_) => 1 << 2,
            Field::Path(_) => 1 << 3,
            Field::Protocol(_) => 1 << 4,
            Field::Status(_) => 1 << 5,
        };
        if self.seen & (bit | REGULAR) != 0 {
            return Err(Misdeed::BadPseudoField);
        }
        self.seen |= bit;
        Ok(())
    }
}
