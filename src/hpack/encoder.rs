//! The encoder (RFC 7541 §3, §6).
//!
//! Always true here: its dynamic table is never larger than the peer's setting and our own choice allow, and
//! a change of the maximum size is announced before the first field that relies on it (§4.2).

use http::Method;

use super::{
    DEFAULT_TABLE_SIZE, FIELD_OVERHEAD,
    encoder_table::{EncoderTable, EntryHash},
    field::FieldRef,
    hash, huffman,
    indexing::{Rule, Sightings, rule},
    integer, static_table,
};

/// Encodes field sections; the blocks must reach the peer in the same order.
///
/// One for each connection. Nothing is allocated before the first entry of its dynamic table.
#[derive(Debug)]
pub struct Encoder {
    /// Its maximum size is the one that the peer knows of.
    pub(super) table: EncoderTable,
    pub(super) sightings: Sightings,
    /// Our own choice of a maximum size.
    pub(super) chosen: u32,
    /// The peer's setting, and the lowest one since the last block.
    pub(super) peer: u32,
    pub(super) peer_lowest: u32,
}

impl Encoder {
    /// An encoder whose dynamic table takes at most `table_size` octets, even if the peer allows more.
    pub fn new(table_size: u32) -> Self {
        Encoder {
            table: EncoderTable::new(DEFAULT_TABLE_SIZE as usize),
            sightings: Sightings::new(),
            chosen: table_size,
            peer: DEFAULT_TABLE_SIZE,
            peer_lowest: DEFAULT_TABLE_SIZE,
        }
    }

    /// The peer's SETTINGS_HEADER_TABLE_SIZE is `octets`. The lowest and the last one since the previous
    /// block are announced in the next (RFC 7541 §4.2).
    pub fn set_peer_table_size(&mut self, octets: u32) {
        self.peer = octets;
        self.peer_lowest = self.peer_lowest.min(octets);
    }

    /// The size of the dynamic table, in octets as RFC 7541 §4.1 counts them.
    pub fn table_octets(&self) -> usize {
        self.table.size()
    }

    /// An upper bound of the octets that these fields take when encoded, size updates included.
    pub fn bound<'a>(&self, fields: impl Iterator<Item = FieldRef<'a>>) -> usize {
        let size_updates = 2 * integer::LONGEST;
        fields.fold(size_updates, |octets, field| {
            // One octet or an index, and the lengths of two strings.
            octets + 3 * integer::LONGEST + field.octets() - FIELD_OVERHEAD
        })
    }

    /// Encodes a field section into `out`, of at least [`bound`](Self::bound) octets; returns how many it
    /// took.
    ///
    /// # Panics
    ///
    /// If `out` is shorter than the block.
    pub fn encode<'a>(&mut self, fields: impl Iterator<Item = FieldRef<'a>>, out: &mut [u8]) -> usize {
        let mut out = Writer { out, at: 0 };
        self.announce_size(&mut out);
        fields.for_each(|field| self.encode_field(&field, &mut out));
        out.at
    }

    /// Announces what changed since the last block: the lowest maximum size, then the last (RFC 7541 §4.2).
    fn announce_size(&mut self, out: &mut Writer<'_>) {
        let last = self.chosen.min(self.peer);
        let lowest = self.chosen.min(self.peer_lowest);
        self.peer_lowest = self.peer;
        for size in [lowest, last] {
            let known = self.table.max();
            if (size as usize) < known || (size == last && size as usize != known) {
                out.integer(size, 5, 0x20);
                self.table.set_max(size as usize);
            }
        }
    }

    fn encode_field(&mut self, field: &FieldRef<'_>, out: &mut Writer<'_>) {
        let value = field.value();
        // The static index of the name, if there is one.
        let name_index = match *field {
            FieldRef::Method(&Method::GET) => return out.indexed(2),
            FieldRef::Method(&Method::POST) => return out.indexed(3),
            FieldRef::Method(_) => Some(2),
            FieldRef::Scheme("http") => return out.indexed(6),
            FieldRef::Scheme("https") => return out.indexed(7),
            FieldRef::Scheme(_) => Some(6),
            FieldRef::Path("/") => return out.indexed(4),
            FieldRef::Path("/index.html") => return out.indexed(5),
            FieldRef::Path(_) => Some(4),
            FieldRef::Authority(_) => Some(1),
            FieldRef::Status(status) => match status.as_u16() {
                200 => return out.indexed(8),
                204 => return out.indexed(9),
                206 => return out.indexed(10),
                304 => return out.indexed(11),
                400 => return out.indexed(12),
                404 => return out.indexed(13),
                500 => return out.indexed(14),
                _ => Some(8),
            },
            FieldRef::Protocol(_) | FieldRef::Header(..) => None,
        };
        let name = field.name();
        let name_hash = hash::of(name.as_bytes());
        let value_hash = hash::of(value);
        let hash = EntryHash::new(name_hash, value_hash);
        let sensitive = matches!(field, FieldRef::Header(_, value) if value.is_sensitive());
        if !sensitive && let Some(position) = self.table.find(hash, name.as_bytes(), value) {
            return out.indexed(dynamic_index(position));
        }
        let name_index = name_index.or_else(|| static_table::index_of_name(name, name_hash));
        if name_index == Some(ACCEPT_ENCODING) && value == b"gzip, deflate" && !sensitive {
            return out.indexed(ACCEPT_ENCODING);
        }
        let name_index = name_index
            .or_else(|| self.table.find_name(hash, name.as_bytes()).map(dynamic_index))
            .unwrap_or(0);
        let rule = if sensitive { Rule::Never } else { rule(name, value) };
        // What takes more than half of the table would push out too much.
        let fits = field.octets() <= self.table.max() / 2;
        let indexed = fits
            && match rule {
                Rule::Always => true,
                Rule::Repeated => self.sightings.again(name_hash, value_hash),
                Rule::Without | Rule::Never => false,
            };
        match (indexed, rule) {
            (true, _) => out.integer(name_index as u32, 6, 0x40),
            (false, Rule::Never) => out.integer(name_index as u32, 4, 0x10),
            (false, _) => out.integer(name_index as u32, 4, 0x00),
        }
        if name_index == 0 {
            out.string(name.as_bytes());
        }
        out.string(value);
        if indexed {
            self.table.insert(hash, name.as_bytes(), value);
        }
    }
}

/// Of the one regular entry of the static table that has a value.
const ACCEPT_ENCODING: usize = 16;

/// The index of the entry at `position` of the dynamic table (RFC 7541 §2.3.3).
fn dynamic_index(position: usize) -> usize {
    static_table::LEN + 1 + position
}

struct Writer<'o> {
    out: &'o mut [u8],
    at: usize,
}

impl Writer<'_> {
    fn indexed(&mut self, index: usize) {
        self.integer(index as u32, 7, 0x80);
    }

    fn integer(&mut self, value: u32, prefix: u32, flags: u8) {
        self.at += integer::encode(value, prefix, flags, &mut self.out[self.at..]);
    }

    /// A string (RFC 7541 §5.2), Huffman-coded if that is shorter.
    fn string(&mut self, octets: &[u8]) {
        let coded = huffman::encoded_len(octets);
        if coded < octets.len() {
            self.integer(coded as u32, 7, 0x80);
            huffman::encode(octets, &mut self.out[self.at..self.at + coded]);
            self.at += coded;
        } else {
            self.integer(octets.len() as u32, 7, 0);
            self.out[self.at..self.at + octets.len()].copy_from_slice(octets);
            self.at += octets.len();
        }
    }
}
