//! The state of an encoder and a decoder as octets, for connections that rest: names and values one behind the other
//! (RFC 7541 §2.3.2), with nothing between them but their lengths.
//!
//! Always true here: what is unpacked is what was packed, entry for entry and in the same order, so that both ends'
//! tables stay the same; a decoder that holds an entry whose octets are gone is not packed.

use super::{
    Decoder, Encoder,
    decoder_table::DecoderTable,
    encoder_table::{EncoderTable, EntryHash},
    entry::Entry,
    familiar, hash,
    indexing::Sightings,
    integer,
};

/// Octets that are being packed: both tables, and numbers.
pub(crate) struct Packed(Vec<u8>);

/// Room for what most connections have to keep.
const USUAL: usize = 512;

impl Packed {
    pub(crate) fn new() -> Self {
        Packed(Vec::with_capacity(USUAL))
    }

    /// Packs both. `false`: the decoder cannot be, and what was packed is of no use.
    pub(crate) fn tables(&mut self, encoder: &Encoder, decoder: &Decoder) -> bool {
        self.encoder(encoder);
        self.decoder(decoder)
    }

    /// What was packed, with zeros behind it. In `place` if it fits in there, and that is not much too large; else in a
    /// new string, with room for a few entries more. So a connection that wakes and rests again leaves the same hole in
    /// the heap as before, and what lies around it can be given back.
    pub(crate) fn put(self, place: Box<[u8]>) -> Box<[u8]> {
        let octets = self.0.len();
        let mut place = match place {
            place if (octets..=octets * 2).contains(&place.len()) => place,
            _ => vec![0; (octets + octets / 4).next_multiple_of(32)].into_boxed_slice(),
        };
        let (packed, rest) = place.split_at_mut(octets);
        packed.copy_from_slice(&self.0);
        rest.fill(0);
        place
    }

    fn encoder(&mut self, encoder: &Encoder) {
        self.number(encoder.peer);
        self.number(encoder.peer_lowest);
        self.number(encoder.table.max() as u32);
        let (hashes, replace) = encoder.sightings.parts();
        self.number(hashes.clone().count() as u32);
        self.number(u32::from(replace));
        for hash in hashes {
            self.0.extend_from_slice(&hash.to_le_bytes());
        }
        self.number(encoder.table.len() as u32);
        self.number(encoder.table.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() as u32);
        encoder.table.iter().for_each(|(name, value)| self.entry(name, value));
    }

    fn decoder(&mut self, decoder: &Decoder) -> bool {
        self.number(decoder.limit);
        self.number(decoder.owed.map_or(0, |octets| octets + 1));
        self.number(decoder.table.max() as u32);
        self.number(decoder.table.len() as u32);
        decoder.table.iter().all(|entry| match entry {
            Entry::Valid(field) => {
                self.entry(field.name().as_bytes(), field.value());
                true
            }
            Entry::Invalid(_) => false,
        })
    }

    fn entry(&mut self, name: &[u8], value: &[u8]) {
        self.number(name.len() as u32);
        self.number(value.len() as u32);
        self.0.extend_from_slice(name);
        self.0.extend_from_slice(value);
    }

    pub(crate) fn number(&mut self, value: u32) {
        let mut octets = [0; integer::LONGEST];
        let length = integer::encode(value, 8, 0, &mut octets);
        self.0.extend_from_slice(&octets[..length]);
    }
}

/// What is left to unpack. It was packed here, so nothing is missing; if it were, it would be taken for empty.
pub(crate) struct Unpacked<'a>(&'a [u8]);

impl<'a> Unpacked<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Unpacked(octets)
    }

    /// An encoder whose owner chose at most `chosen` octets for its table, and a decoder.
    pub(crate) fn tables(&mut self, chosen: u32) -> (Encoder, Decoder) {
        (self.encoder(chosen), self.decoder())
    }

    fn encoder(&mut self, chosen: u32) -> Encoder {
        let (peer, peer_lowest) = (self.number(), self.number());
        let mut table = EncoderTable::new(self.number() as usize);
        let (count, replace) = (self.number(), self.number() != 0);
        let hashes = (0..count).map(|_| self.take(4).try_into().map_or(0, u32::from_le_bytes));
        let sightings = Sightings::of_parts(hashes, replace);
        let (count, octets) = (self.number(), self.number());
        table.reserve(count as usize, octets as usize);
        for _ in 0..count {
            let (name, value) = self.entry();
            table.insert(EntryHash::new(hash::of(name), hash::of(value)), name, value);
        }
        Encoder { table, sightings, chosen, peer, peer_lowest }
    }

    fn decoder(&mut self) -> Decoder {
        let (limit, owed) = (self.number(), self.number().checked_sub(1));
        let mut table = DecoderTable::new(self.number() as usize);
        let count = self.number();
        table.reserve(count as usize);
        for _ in 0..count {
            let (name, value) = self.entry();
            table.insert(familiar::entry(name, value));
        }
        Decoder { table, limit, owed }
    }

    fn entry(&mut self) -> (&'a [u8], &'a [u8]) {
        let (name, value) = (self.number() as usize, self.number() as usize);
        (self.take(name), self.take(value))
    }

    pub(crate) fn number(&mut self) -> u32 {
        let (value, octets) = integer::decode(self.0, 8).unwrap_or_default();
        self.take(octets);
        value
    }

    fn take(&mut self, octets: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at_checked(octets).unwrap_or_default();
        self.0 = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;
    use crate::hpack::{FieldLimits, FieldRef};

    const LIMITS: FieldLimits = FieldLimits { max_octets: 1_000, max_fields: 10 };

    fn pack(encoder: &Encoder, decoder: &Decoder) -> Option<Vec<u8>> {
        let mut packed = Packed::new();
        packed.tables(encoder, decoder).then_some(packed.0)
    }

    #[test]
    fn a_debt_of_a_size_update_is_kept() {
        let mut decoder = Decoder::new(4_096);
        decoder.set_table_size_limit(100);
        let (_, mut decoder) = Unpacked(&pack(&Encoder::new(0), &decoder).unwrap()).tables(0);
        assert!(decoder.decode(&[0x82], LIMITS, &mut drop).is_err());
    }

    #[test]
    fn a_table_with_an_entry_that_is_no_field_is_not_packed() {
        let mut decoder = Decoder::new(4_096);
        decoder.decode(b"\x40\x01A\x01b", LIMITS, &mut drop).unwrap();
        assert!(pack(&Encoder::new(0), &decoder).is_none());
    }

    #[test]
    fn the_tables_of_a_usual_connection_are_small() {
        let (mut encoder, mut decoder) = (Encoder::new(4_096), Decoder::new(4_096));
        let value = HeaderValue::from_static;
        let request = [
            (HeaderName::from_static("te"), value("trailers")),
            (HeaderName::from_static("content-type"), value("application/grpc")),
            (HeaderName::from_static("user-agent"), value("tonic/0.14.9 millpond/0.1.0")),
        ];
        let fields = || {
            let headers = request.iter().map(|(name, value)| FieldRef::Header(name, value));
            headers.chain([FieldRef::Authority("127.0.0.1:50051")])
        };
        let mut block = vec![0; encoder.bound(fields())];
        let octets = encoder.encode(fields(), &mut block);
        decoder.decode(&block[..octets], LIMITS, &mut drop).unwrap();
        let one_way = pack(&encoder, &Decoder::new(4_096)).unwrap();
        assert!(one_way.len() <= 150, "{}", one_way.len());
        assert!(pack(&encoder, &decoder).unwrap().len() < 2 * one_way.len());
    }

    #[test]
    fn what_is_packed_again_stays_where_it_was() {
        let packed = |octets| Packed(vec![7; octets]);
        let first = packed(100).put(Box::default());
        assert_eq!((first.len(), first[..100].iter().all(|octet| *octet == 7)), (128, true));
        let place = first.as_ptr();
        let second = packed(120).put(first);
        assert_eq!(second.as_ptr(), place);
        let third = packed(64).put(second);
        assert_eq!((third.as_ptr(), &third[63..66]), (place, &[7, 0, 0][..]));
        // Too large, and too small.
        assert_eq!(packed(63).put(third).len(), 96);
        assert_eq!(packed(129).put(vec![0; 128].into()).len(), 192);
    }
}
