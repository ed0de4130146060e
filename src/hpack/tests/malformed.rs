//! What a peer may do wrong: blocks that cannot be decoded, fields that are not valid, sections that are too
//! large.

use super::{entry::Name, *};

fn run(decoder: &mut Decoder, block: &[u8], limits: FieldLimits) -> (Result<Decoded, Misdeed>, Vec<Field>) {
    let mut fields = Vec::new();
    let result = decoder.decode(block, limits, &mut |field| fields.push(field));
    (result, fields)
}

/// A literal with new name: 0x40 with indexing, 0x00 without, 0x10 never.
fn literal(kind: u8, name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    for string in [name, value] {
        let mut length = [0; integer::LONGEST];
        let octets = integer::encode(string.len() as u32, 7, 0, &mut length);
        out.extend_from_slice(&length[..octets]);
        out.extend_from_slice(string);
    }
    out
}

#[test]
fn blocks_that_cannot_be_decoded() {
    for hex in [
        "80",                   // index 0
        "be",                   // index 62, the dynamic table being empty
        "ff ff ff ff ff ff 00", // index too large
        "7e 00",                // literal, name index 62
        "82 20",                // size update after a field
        "3f e2 1f",             // size update to 4097
        "40 01",                // ends before the name
        "40 01 61",             // ends before the value
        "40 01 61 05 61",       // ends inside the value
        "40 81 ff 00",          // Huffman: a whole octet of padding
        "00 84 ff ff ff ff 00", // Huffman: EOS
        "00 ff ff ff ff ff 0f", // a length beyond all blocks
    ] {
        let (result, fields) = run(&mut Decoder::new(4096), &octets(hex), NO_LIMITS);
        assert_eq!(result, Err(Misdeed::BadFieldBlock), "{hex}");
        assert!(fields.len() <= 1, "{hex}");
    }
}

#[test]
fn a_lower_setting_must_be_confirmed_by_an_update() {
    let start = || {
        let mut decoder = Decoder::new(4096);
        run(&mut decoder, &literal(0x40, b"a", b"b"), NO_LIMITS).0.expect("decodes");
        decoder.set_table_size_limit(100);
        decoder.set_table_size_limit(20);
        decoder.set_table_size_limit(4096);
        decoder
    };
    for (hex, expected) in [
        ("82", Err(Misdeed::TableSizeUpdateMissing)),
        ("3f 45 82", Err(Misdeed::TableSizeUpdateMissing)), // 100 is not the lowest
        ("3f e1 1f 34 82", Err(Misdeed::TableSizeUpdateMissing)), // 4096 before 20
        ("34 82", Ok(1)),
        ("20 82", Ok(1)),
        ("34 3f e1 1f 82", Ok(1)),                       // 20, then 4096
        ("34 3f e2 1f 82", Err(Misdeed::BadFieldBlock)), // 4097
    ] {
        let mut decoder = start();
        assert_eq!(decoder.table_octets(), 0, "memory is given back at once");
        let (result, _) = run(&mut decoder, &octets(hex), NO_LIMITS);
        assert_eq!(result.map(|decoded| decoded.fields), expected, "{hex}");
    }
}

#[test]
fn a_higher_setting_needs_no_update() {
    let mut decoder = Decoder::new(65536);
    decoder.set_table_size_limit(65536);
    assert_eq!(decode(&mut decoder, &octets("82")), [field(":method", "GET")]);
    assert_eq!(decode(&mut decoder, &octets("3f e1 ff 03 82")), [field(":method", "GET")]);
}

#[test]
fn until_the_setting_is_acknowledged_the_initial_size_holds() {
    let mut decoder = Decoder::new(0);
    decode(&mut decoder, &literal(0x40, b"a", b"b"));
    assert_eq!(decoder.table_octets(), 34);
}

#[test]
fn fields_that_are_not_valid() {
    let cases: &[(&[u8], &[u8], Misdeed)] = &[
        (b"", b"v", Misdeed::FieldNameInvalid),
        (b"Upper", b"v", Misdeed::FieldNameInvalid),
        (b"a b", b"v", Misdeed::FieldNameInvalid),
        (b"a\"b", b"v", Misdeed::FieldNameInvalid),
        (b"a:b", b"v", Misdeed::FieldNameInvalid),
        (b"a\0b", b"v", Misdeed::FieldNameInvalid),
        (b"a\x7f", b"v", Misdeed::FieldNameInvalid),
        (b"n\xc3\xa4me", b"v", Misdeed::FieldNameInvalid),
        (b"a", b"\0", Misdeed::FieldValueInvalid),
        (b"a", b"x\ry", Misdeed::FieldValueInvalid),
        (b"a", b"x\ny", Misdeed::FieldValueInvalid),
        (b"a", b" x", Misdeed::FieldValueInvalid),
        (b"a", b"x\t", Misdeed::FieldValueInvalid),
        (b"a", b" ", Misdeed::FieldValueInvalid),
        (b":path", b"/\r\n", Misdeed::BadPseudoField),
        (b":authority", b"a\0", Misdeed::BadPseudoField),
        (b":scheme", b" http", Misdeed::BadPseudoField),
        (b":protocol", b"x\x7f", Misdeed::BadPseudoField),
        (b":method", b"G T", Misdeed::BadPseudoField),
        (b":method", b"", Misdeed::BadPseudoField),
        (b":status", b"20", Misdeed::BadPseudoField),
        (b":status", b"2000", Misdeed::BadPseudoField),
        (b":status", b"099", Misdeed::BadPseudoField),
        (b":status", b"+20", Misdeed::BadPseudoField),
        (b":unknown", b"v", Misdeed::BadPseudoField),
        (b":", b"v", Misdeed::BadPseudoField),
        (b":Path", b"/", Misdeed::BadPseudoField),
    ];
    for (name, value, misdeed) in cases {
        for kind in [0x00, 0x10, 0x40] {
            let mut decoder = Decoder::new(4096);
            let block = [&octets("82")[..], &literal(kind, name, value), &literal(kind, b"z", b"y")].concat();
            let (result, fields) = run(&mut decoder, &block, NO_LIMITS);
            let decoded = result.expect("the table is intact");
            assert_eq!(
                decoded.malformed,
                Some(*misdeed),
                "{:?}: {:?}",
                name.escape_ascii(),
                value.escape_ascii()
            );
            assert_eq!(decoded.fields, 3);
            assert_eq!(fields, [field(":method", "GET"), field("z", "y")]);
            let size = name.len() + value.len() + 32 + 34;
            assert_eq!(decoder.table_octets(), if kind == 0x40 { size } else { 0 });
            if kind == 0x40 {
                // The entry keeps its place, is as bad by its index, and lends its name.
                assert_eq!(decode(&mut decoder, &octets("be")), [field("z", "y")]);
                let (again, _) = run(&mut decoder, &octets("bf"), NO_LIMITS);
                assert_eq!(again.expect("the table is intact").malformed, Some(*misdeed));
                let (lent, fields) = run(&mut decoder, &octets("0f 30 03 32 30 30"), NO_LIMITS);
                let lent = lent.expect("the table is intact");
                assert_eq!(lent.octets, name.len() + 3 + 32);
                let name_is_bad = matches!(Name::parse(name), Name::Invalid { .. });
                assert_eq!(fields.is_empty(), name_is_bad);
                assert_eq!(lent.malformed.is_some(), name_is_bad);
            }
        }
    }
}

#[test]
fn pseudo_header_fields_come_first_and_once() {
    for (hex, sunk) in [
        ("82 82", 1),    // :method twice
        ("82 83", 1),    // the same with another value
        ("88 89", 1),    // :status twice
        ("82 90 84", 2), // :path after a regular field
        ("90 88", 1),    // :status in trailers
    ] {
        let (result, fields) = run(&mut Decoder::new(4096), &octets(hex), NO_LIMITS);
        assert_eq!(result.expect("decodes").malformed, Some(Misdeed::BadPseudoField), "{hex}");
        assert_eq!(fields.len(), sunk, "{hex}");
    }
}

#[test]
fn the_first_misdeed_is_told() {
    let block = [literal(0, b"a", b"\n"), literal(0, b"A", b"")].concat();
    let (result, _) = run(&mut Decoder::new(4096), &block, NO_LIMITS);
    assert_eq!(result.expect("decodes").malformed, Some(Misdeed::FieldValueInvalid));
}

#[test]
fn limits_hold_to_the_octet_and_the_table_goes_on() {
    let block = [literal(0x40, b"a", b"b"), literal(0x40, b"c", b"d"), literal(0x40, b"e", b"f")].concat();
    for (max_octets, max_fields, sunk) in
        [(102, 3, 3), (101, 3, 2), (68, 3, 2), (67, 3, 1), (0, 3, 0), (102, 2, 2), (102, 0, 0)]
    {
        let mut decoder = Decoder::new(4096);
        let (result, fields) = run(&mut decoder, &block, FieldLimits { max_octets, max_fields });
        let decoded = result.expect("decodes");
        assert_eq!((decoded.octets, decoded.fields), (102, 3));
        assert_eq!((fields.len(), decoded.too_large), (sunk, sunk < 3));
        assert_eq!(decoder.table_octets(), 102);
        assert_eq!(decode(&mut decoder, &octets("c0")), [field("a", "b")]);
    }
}

#[test]
fn a_bomb_of_indexes_stays_within_the_limits() {
    let mut decoder = Decoder::new(4096);
    decode(&mut decoder, &literal(0x40, b"bomb", &[b'b'; 4000]));
    let limits = FieldLimits { max_octets: 16384, max_fields: 100 };
    let (result, fields) = run(&mut decoder, &[0xbe; 16384], limits);
    let decoded = result.expect("decodes");
    assert_eq!((decoded.octets, decoded.too_large), (16384 * 4036, true));
    assert_eq!(fields.len(), 4);
}

#[test]
fn an_entry_larger_than_the_table_empties_it() {
    let mut decoder = Decoder::new(4096);
    decode(&mut decoder, &literal(0x40, b"a", b"b"));
    let large = decode(&mut decoder, &literal(0x40, b"c", &[b'd'; 4064]));
    assert_eq!(large[0].value().len(), 4064);
    assert_eq!(decoder.table_octets(), 0);
    decode(&mut decoder, &literal(0x40, b"c", &[b'd'; 4063]));
    assert_eq!(decoder.table_octets(), 4096);
}

/// The name may be that of an entry which the new one pushes out (RFC 7541 §4.4).
#[test]
fn a_name_may_come_from_the_entry_that_is_evicted() {
    let mut decoder = Decoder::new(4096);
    decode(&mut decoder, &literal(0x40, b"name", &[b'v'; 4000]));
    let mut block = vec![0x7e, 0x7f, 0xa1, 0x1e];
    block.extend([b'w'; 4000]);
    let fields = decode(&mut decoder, &block);
    assert_eq!((fields[0].name(), fields[0].value().len()), ("name", 4000));
    assert_eq!(decode(&mut decoder, &[0xbe]), fields);
}
