//! HPACK: what a peer may send, and what our own encoder sends.

use http::{HeaderName, HeaderValue, Method, StatusCode};
use millpond::{
    Misdeed,
    hpack::{Decoder, Encoder, Field, FieldLimits, FieldRef},
};

use super::input::Input;

const LIMITS: FieldLimits = FieldLimits { max_octets: 2_000, max_fields: 20 };

/// Any field blocks: no field that RFC 9113 forbids and none beyond the limits comes out, the table keeps to its
/// size, and only a misdeed of HPACK's is an error.
pub fn hpack_decode(data: &[u8]) {
    let mut input = Input(data);
    let mut decoder = Decoder::new(4_096);
    let mut limit = 4_096;
    while !input.is_empty() {
        // A setting that is acknowledged now and then.
        let choice = input.octet();
        if choice >= 0xf0 {
            limit = usize::from(choice & 0x0f) * 512;
            decoder.set_table_size_limit(limit as u32);
        }
        let (mut octets, mut fields) = (0, 0);
        let block = input.some();
        let decoded = decoder.decode(block, LIMITS, &mut |field| {
            (octets, fields) = (octets + field.octets(), fields + 1);
            check(&field);
        });
        assert!(
            octets <= LIMITS.max_octets && fields <= LIMITS.max_fields,
            "{octets} octets in {fields} fields"
        );
        assert!(decoder.table_octets() <= limit, "a table of {}", decoder.table_octets());
        match decoded {
            Ok(decoded) => {
                assert!(decoded.octets >= octets && decoded.fields >= fields);
                if !decoded.too_large && decoded.malformed.is_none() {
                    assert_eq!((decoded.octets, decoded.fields), (octets, fields), "fields were lost");
                }
            }
            Err(misdeed) => {
                assert!(matches!(misdeed, Misdeed::BadFieldBlock | Misdeed::TableSizeUpdateMissing));
                return;
            }
        }
    }
}

/// RFC 9113 §8.2.1.
fn check(field: &Field) {
    let Field::Header(name, value) = field else { return };
    assert!(!name.as_str().contains(|c: char| c.is_ascii_uppercase() || c == ':'), "{name}");
    assert!(!value.as_bytes().iter().any(|octet| b"\0\r\n".contains(octet)), "{value:?}");
}

/// Any fields and any changes of the table size: the decoder gives what the encoder was given, and their tables agree.
pub fn hpack_roundtrip(data: &[u8]) {
    let mut input = Input(data);
    let mut encoder = Encoder::new(u32::from(input.octet()) * 256);
    let mut decoder = Decoder::new(4_096);
    while !input.is_empty() {
        for _ in 0..input.octet() % 3 {
            let octets = u32::from(input.octet()) * 64;
            encoder.set_peer_table_size(octets);
            decoder.set_table_size_limit(octets);
        }
        let fields: Vec<Field> = (0..input.octet() % 8).map(|index| field(&mut input, index)).collect();
        let mut block = vec![0; encoder.bound(fields.iter().map(borrowed))];
        let octets = encoder.encode(fields.iter().map(borrowed), &mut block);
        let mut decoded = Vec::new();
        let limits = FieldLimits { max_octets: usize::MAX, max_fields: usize::MAX };
        let result = decoder.decode(&block[..octets], limits, &mut |field| decoded.push(field));
        let result = result.expect("what our encoder wrote can be decoded");
        assert_eq!(result.malformed, None);
        assert_eq!(decoded, fields);
        assert_eq!(encoder.table_octets(), decoder.table_octets(), "the tables differ");
        let sensitive = |field: &Field| matches!(field, Field::Header(_, value) if value.is_sensitive());
        for (was, is) in fields.iter().zip(&decoded) {
            assert!(!sensitive(was) || sensitive(is), "{was:?} was indexed");
        }
    }
}

/// A pseudo-header field for the first of a section, or a regular field with a common or a random name.
fn field(input: &mut Input<'_>, index: u8) -> Field {
    const NAMES: [&str; 8] = [
        "accept",
        "authorization",
        "content-type",
        "cookie",
        "date",
        "grpc-status",
        "user-agent",
        "x-request-id",
    ];
    let choice = input.octet();
    let text = |octets: &[u8]| octets.iter().map(|octet| char::from(b'a' + octet % 26)).collect::<String>();
    if index == 0 && choice & 0x80 != 0 {
        return match choice & 7 {
            0 => Field::Method(Method::from_bytes(input.some()).unwrap_or(Method::POST)),
            1 => Field::Scheme("http".into()),
            2 => Field::Path(format!("/{}", text(input.some())).into()),
            3 => Field::Authority(text(input.some()).into()),
            4 => Field::Protocol(text(input.some()).into()),
            _ => Field::Status(
                StatusCode::from_u16(100 + input.number() as u16 % 500).unwrap_or(StatusCode::OK),
            ),
        };
    }
    let name = match choice & 0x10 {
        0 => HeaderName::from_static(NAMES[usize::from(choice & 7)]),
        _ => HeaderName::try_from(format!("x-{}", text(input.some()))).expect("letters make a name"),
    };
    let value = HeaderValue::from_bytes(input.some().trim_ascii());
    let mut value = value.unwrap_or(HeaderValue::from_static("a value"));
    value.set_sensitive(choice & 0x20 != 0);
    Field::Header(name, value)
}

fn borrowed(field: &Field) -> FieldRef<'_> {
    let text = |octets| std::str::from_utf8(octets).expect("made of text");
    match field {
        Field::Method(method) => FieldRef::Method(method),
        Field::Scheme(scheme) => FieldRef::Scheme(text(scheme)),
        Field::Authority(authority) => FieldRef::Authority(text(authority)),
        Field::Path(path) => FieldRef::Path(text(path)),
        Field::Protocol(protocol) => FieldRef::Protocol(text(protocol)),
        Field::Status(status) => FieldRef::Status(*status),
        Field::Header(name, value) => FieldRef::Header(name, value),
    }
}
