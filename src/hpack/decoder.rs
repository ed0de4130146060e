//! The decoder (RFC 7541 §3, §6).
//!
//! Always true here: the table advances through the whole block, whatever its fields are worth, so that one
//! malformed message does no harm to the next; after an error it must not be used again.

use super::{
    DEFAULT_TABLE_SIZE, FIELD_OVERHEAD,
    decoder_table::DecoderTable,
    entry::{Entry, Name},
    field::Field,
    huffman, integer,
    section::{Decoded, FieldLimits, Section},
    static_table,
};
use crate::error::Misdeed;

/// Decodes field blocks, in the order in which they came.
///
/// One for each connection. Nothing is allocated before the first entry of its dynamic table.
#[derive(Debug)]
pub struct Decoder {
    pub(super) table: DecoderTable,
    /// The highest maximum size that an update may ask for.
    pub(super) limit: u32,
    /// The lowest limit since the last block, if it is below the size the table had: the next block begins
    /// with an update to this or less (RFC 7541 §4.2).
    pub(super) owed: Option<u32>,
}

impl Decoder {
    /// A decoder whose SETTINGS_HEADER_TABLE_SIZE will be announced as `table_size` octets.
    ///
    /// Until the peer acknowledges that, it may use the initial 4,096 octets (RFC 9113 §6.5.2): call
    /// [`set_table_size_limit`](Self::set_table_size_limit) when it does.
    pub fn new(table_size: u32) -> Self {
        Decoder {
            table: DecoderTable::new(DEFAULT_TABLE_SIZE as usize),
            limit: table_size.max(DEFAULT_TABLE_SIZE),
            owed: None,
        }
    }

    /// Our SETTINGS_HEADER_TABLE_SIZE of `octets` took effect: the peer acknowledged it.
    ///
    /// If that is lower than the current size, the next block must begin with a size update (RFC 7541 §4.2),
    /// else it is a `TableSizeUpdateMissing`.
    pub fn set_table_size_limit(&mut self, octets: u32) {
        self.limit = octets;
        if (octets as usize) < self.table.max() {
            self.owed = Some(octets);
            // The update can only confirm this, so memory need not wait for it.
            self.table.set_max(octets as usize);
        }
    }

    /// The size of the dynamic table, in octets as RFC 7541 §4.1 counts them.
    pub fn table_octets(&self) -> usize {
        self.table.octets()
    }

    /// Decodes one complete field block. Each valid field within the limits goes to `sink`, in order.
    ///
    /// # Errors
    ///
    /// `BadFieldBlock` or `TableSizeUpdateMissing`: a connection error (RFC 9113 §4.3); this decoder is of no
    /// use any more.
    pub fn decode(
        &mut self,
        block: &[u8],
        limits: FieldLimits,
        sink: &mut impl FnMut(Field),
    ) -> Result<Decoded, Misdeed> {
        let mut reader = Reader { rest: block };
        let mut scratch = Scratch { few: [0; FEW], many: Vec::new() };
        let mut section = Section::new(limits);
        self.update_size(&mut reader)?;
        while let Some(representation) = reader.representation() {
            match representation {
                Representation::Indexed => {
                    let entry = self.entry(reader.integer(7)?)?;
                    if section.count(entry.octets())
                        && section.accept(entry)
                        && let Entry::Valid(field) = entry
                    {
                        sink(field.clone());
                    }
                }
                Representation::Literal(kind) => {
                    if let Some(field) = self.literal(kind, &mut reader, &mut scratch, &mut section)? {
                        sink(field);
                    }
                }
                // Only allowed at the beginning (RFC 7541 §4.2).
                Representation::SizeUpdate => return Err(Misdeed::BadFieldBlock),
            }
        }
        Ok(section.decoded())
    }

    /// Takes the size updates at the beginning of a block (RFC 7541 §4.2, §6.3).
    fn update_size(&mut self, reader: &mut Reader<'_>) -> Result<(), Misdeed> {
        while let Some(representation) = reader.representation() {
            if representation != Representation::SizeUpdate {
                return if self.owed.is_some() { Err(Misdeed::TableSizeUpdateMissing) } else { Ok(()) };
            }
            let octets = reader.integer(5)?;
            if octets > self.limit {
                return Err(Misdeed::BadFieldBlock);
            }
            if self.owed.take().is_some_and(|owed| octets > owed) {
                return Err(Misdeed::TableSizeUpdateMissing);
            }
            self.table.set_max(octets as usize);
        }
        Ok(())
    }

    /// Decodes a literal (RFC 7541 §6.2); the field, if the application is to see it.
    fn literal(
        &mut self,
        kind: Literal,
        reader: &mut Reader<'_>,
        scratch: &mut Scratch,
        section: &mut Section,
    ) -> Result<Option<Field>, Misdeed> {
        let prefix = if kind == Literal::WithIndexing { 6 } else { 4 };
        let name = match reader.integer(prefix)? {
            // Neither the table nor the application will see it: it is counted, and costs nothing more.
            0 if kind != Literal::WithIndexing && section.is_too_large() => {
                let name = reader.string(scratch)?.len();
                section.count(name + reader.string(scratch)?.len() + FIELD_OVERHEAD);
                return Ok(None);
            }
            0 => Name::parse(reader.string(scratch)?),
            index => self.entry(index)?.name(),
        };
        let value = reader.string(scratch)?;
        let octets = name.octets() + value.len() + FIELD_OVERHEAD;
        let wanted = section.count(octets);
        let mut indexed = kind == Literal::WithIndexing;
        if indexed && !self.table.fits(octets) {
            self.table.clear();
            indexed = false;
        }
        if !wanted && !indexed {
            return Ok(None);
        }
        let entry = Entry::new(name, value);
        let accepted = wanted && section.accept(&entry);
        if !accepted {
            if indexed {
                self.table.insert(entry);
            }
            return Ok(None);
        }
        if indexed {
            self.table.insert(entry.clone());
        }
        Ok(entry.into_field().map(|mut field| {
            if kind == Literal::NeverIndexed
                && let Field::Header(_, value) = &mut field
            {
                value.set_sensitive(true);
            }
            field
        }))
    }

    /// The entry with `index` in the joint address space of both tables (RFC 7541 §2.3.3).
    fn entry(&self, index: u32) -> Result<&Entry, Misdeed> {
        let index = index as usize;
        let entry = match index.checked_sub(static_table::LEN + 1) {
            Some(position) => self.table.get(position),
            None => static_table::get(index),
        };
        entry.ok_or(Misdeed::BadFieldBlock)
    }
}

/// How the next instruction of a block is represented (RFC 7541 §6).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Representation {
    Indexed,
    Literal(Literal),
    SizeUpdate,
}

/// What becomes of a literal (RFC 7541 §6.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Literal {
    WithIndexing,
    WithoutIndexing,
    NeverIndexed,
}

/// The part of a field block that is not decoded yet.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// What comes next, told by the first bits of its first octet.
    fn representation(&self) -> Option<Representation> {
        let first = self.rest.first()?;
        Some(match first.leading_zeros() {
            0 => Representation::Indexed,
            1 => Representation::Literal(Literal::WithIndexing),
            2 => Representation::SizeUpdate,
            3 => Representation::Literal(Literal::NeverIndexed),
            _ => Representation::Literal(Literal::WithoutIndexing),
        })
    }

    fn integer(&mut self, prefix: u32) -> Result<u32, Misdeed> {
        let (value, octets) = integer::decode(self.rest, prefix).ok_or(Misdeed::BadFieldBlock)?;
        self.rest = &self.rest[octets..];
        Ok(value)
    }

    /// A string (RFC 7541 §5.2), in the block itself or, if it is Huffman-coded, in `scratch`.
    fn string<'s>(&mut self, scratch: &'s mut Scratch) -> Result<&'s [u8], Misdeed>
    where
        'a: 's,
    {
        let coded = self.rest.first().is_some_and(|first| first & 0x80 != 0);
        let octets = self.integer(7)? as usize;
        let (string, rest) = self.rest.split_at_checked(octets).ok_or(Misdeed::BadFieldBlock)?;
        self.rest = rest;
        if !coded {
            return Ok(string);
        }
        let out = scratch.room(huffman::longest(octets));
        let octets = huffman::decode(string, out).map_err(|huffman::Invalid| Misdeed::BadFieldBlock)?;
        Ok(&out[..octets])
    }
}

/// Strings up to this are decoded without an allocation.
const FEW: usize = 128;

/// Where Huffman-coded strings of one block are decoded to.
struct Scratch {
    few: [u8; FEW],
    many: Vec<u8>,
}

impl Scratch {
    fn room(&mut self, octets: usize) -> &mut [u8] {
        if octets <= FEW {
            return &mut self.few;
        }
        if self.many.len() < octets {
            self.many.resize(octets, 0);
        }
        &mut self.many
    }
}
