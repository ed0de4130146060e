//! The whole room: both directions together, against RFC 7541 Appendix C, and against an independent encoder.

use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::*;
use crate::error::Misdeed;

mod appendix_c;
mod malformed;
mod properties;
mod stories;

const NO_LIMITS: FieldLimits = FieldLimits { max_octets: usize::MAX, max_fields: usize::MAX };

/// Decodes a block that must be well-formed.
fn decode(decoder: &mut Decoder, block: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    let decoded = decoder.decode(block, NO_LIMITS, &mut |field| fields.push(field)).expect("decodes");
    assert_eq!(decoded.malformed, None);
    assert_eq!((decoded.fields, decoded.too_large), (fields.len(), false));
    assert_eq!(decoded.octets, fields.iter().map(Field::octets).sum::<usize>());
    fields
}

fn encode(encoder: &mut Encoder, fields: &[Field]) -> Vec<u8> {
    let bound = encoder.bound(fields.iter().map(borrowed));
    let mut out = vec![0; bound];
    let octets = encoder.encode(fields.iter().map(borrowed), &mut out);
    out.truncate(octets);
    out
}

fn borrowed(field: &Field) -> FieldRef<'_> {
    let text = |value| std::str::from_utf8(value).expect("text");
    match field {
        Field::Method(method) => FieldRef::Method(method),
        Field::Scheme(value) => FieldRef::Scheme(text(value)),
        Field::Authority(value) => FieldRef::Authority(text(value)),
        Field::Path(value) => FieldRef::Path(text(value)),
        Field::Protocol(value) => FieldRef::Protocol(text(value)),
        Field::Status(status) => FieldRef::Status(*status),
        Field::Header(name, value) => FieldRef::Header(name, value),
    }
}

/// A field by its name and value, as the application would make it.
fn field(name: &str, value: &str) -> Field {
    let octets = bytes::Bytes::copy_from_slice(value.as_bytes());
    match name {
        ":method" => Field::Method(value.parse::<Method>().expect("method")),
        ":scheme" => Field::Scheme(octets),
        ":authority" => Field::Authority(octets),
        ":path" => Field::Path(octets),
        ":protocol" => Field::Protocol(octets),
        ":status" => Field::Status(value.parse::<StatusCode>().expect("status")),
        _ => Field::Header(
            name.parse::<HeaderName>().expect("name"),
            HeaderValue::from_bytes(value.as_bytes()).expect("value"),
        ),
    }
}

fn sensitive(name: &str, value: &str) -> Field {
    let mut field = field(name, value);
    if let Field::Header(_, value) = &mut field {
        value.set_sensitive(true);
    }
    field
}

/// Whether a field came, or is to go, as a never-indexed literal.
fn is_sensitive(field: &Field) -> bool {
    matches!(field, Field::Header(_, value) if value.is_sensitive())
}

fn octets(hex: &str) -> Vec<u8> {
    let hex: Vec<u8> = hex.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    hex.chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex"))
        .collect()
}

fn call(path: &str) -> Vec<Field> {
    [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "greeter.example:50051"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "tonic/0.14"),
        ("grpc-accept-encoding", "identity,deflate,gzip"),
    ]
    .map(|(name, value)| field(name, value))
    .to_vec()
}

#[test]
fn a_repeated_call_takes_one_octet_a_field() {
    let (mut encoder, mut decoder) = (Encoder::new(4096), Decoder::new(4096));
    let fields = call("/greet.Greeter/SayHello");
    for _ in 0..2 {
        let block = encode(&mut encoder, &fields);
        assert_eq!(decode(&mut decoder, &block), fields);
    }
    assert_eq!(encode(&mut encoder, &fields).len(), fields.len());
}

#[test]
fn one_off_values_do_not_enter_the_table() {
    let mut encoder = Encoder::new(4096);
    for _ in 0..3 {
        encode(&mut encoder, &call("/greet.Greeter/SayHello"));
    }
    let before = encoder.table_octets();
    for id in 0..1000 {
        let mut fields = call("/greet.Greeter/SayHello");
        fields.push(field("x-request-id", &format!("{:032x}", id * 0x1234_5678_9abc_u64)));
        fields.push(field("content-length", &id.to_string()));
        fields.push(field("date", "Mon, 21 Oct 2013 20:13:21 GMT"));
        encode(&mut encoder, &fields);
    }
    assert_eq!(encoder.table_octets(), before);
}

#[test]
fn a_sensitive_value_is_never_indexed_even_if_the_table_has_it() {
    let (mut encoder, mut decoder) = (Encoder::new(4096), Decoder::new(4096));
    let open = field("user-agent", "known to the table");
    encode(&mut encoder, std::slice::from_ref(&open));
    let block = encode(&mut encoder, &[sensitive("user-agent", "known to the table")]);
    assert_eq!(block[0] & 0xf0, 0x10);
    let fields = decode(&mut decoder, &block);
    assert!(is_sensitive(&fields[0]) && fields[0] == open);
}

#[test]
fn nothing_is_held_until_a_field_is_indexed() {
    let (mut encoder, mut decoder) = (Encoder::new(4096), Decoder::new(4096));
    let fields = [field(":status", "200"), field("content-length", "5")];
    let block = encode(&mut encoder, &fields);
    assert_eq!(decode(&mut decoder, &block), fields);
    assert_eq!((encoder.table_octets(), decoder.table_octets()), (0, 0));
}

#[test]
fn idle_connections_keep_little() {
    // Octets, without what the values of entries point to.
    assert!(size_of::<Field>() <= 72);
    assert!(size_of::<entry::Entry>() <= 72);
    assert!(size_of::<Decoder>() <= 72);
    assert!(size_of::<Encoder>() <= 208);
}

#[test]
fn an_entry_above_half_of_the_table_is_not_indexed() {
    let mut encoder = Encoder::new(4096);
    for _ in 0..3 {
        encode(&mut encoder, &[field("user-agent", &"u".repeat(2100))]);
    }
    assert_eq!(encoder.table_octets(), 0);
}

#[test]
fn our_own_smaller_table_is_announced_once() {
    let mut encoder = Encoder::new(100);
    assert_eq!(encode(&mut encoder, &[]), [0x3f, 69]);
    assert_eq!(encode(&mut encoder, &[]), []);
    // The peer allows more than we use, and later less.
    encoder.set_peer_table_size(1000);
    assert_eq!(encode(&mut encoder, &[]), []);
    encoder.set_peer_table_size(10);
    assert_eq!(encode(&mut encoder, &[]), [0x2a]);
}

#[test]
fn the_lowest_and_the_last_setting_are_announced() {
    let mut encoder = Encoder::new(4096);
    for octets in [8192, 20, 4000, 30] {
        encoder.set_peer_table_size(octets);
    }
    assert_eq!(encode(&mut encoder, &[]), [0x34, 0x3e]);
    encoder.set_peer_table_size(10_000);
    // Our own choice is the cap: 4096 = 31 + 0x61 + 0x1f << 7.
    assert_eq!(encode(&mut encoder, &[]), [0x3f, 0xe1, 0x1f]);
}
