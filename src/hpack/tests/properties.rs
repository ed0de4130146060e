//! Properties over random fields, settings and octets.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// The decoder's side changes its setting, and the other side acknowledges.
    Setting(u32),
    Section(Vec<Field>),
    /// Both sides rest.
    Rest,
}

fn pack(encoder: &Encoder, decoder: &Decoder) -> Box<[u8]> {
    let mut packed = Packed::new();
    assert!(packed.tables(encoder, decoder), "only valid fields came");
    packed.put(Box::default())
}

fn table_size() -> impl Strategy<Value = u32> {
    select(vec![0, 31, 40, 64, 100, 200, 256, 1000, 4096, 5000, 65536])
}

fn header() -> impl Strategy<Value = Field> {
    let names =
        ["te", "user-agent", "content-length", "cookie", "authorization", "x-a", "x-b", "accept-encoding"];
    let name = prop_oneof![select(names.to_vec()).prop_map(str::to_owned), "[a-z0-9_.-]{1,40}"];
    let value = prop_oneof![
        select(vec!["", "0", "1", "trailers", "gzip, deflate", "a value that repeats and repeats"])
            .prop_map(|value| value.as_bytes().to_vec()),
        vec(prop_oneof![Just(b' '), 0x21..=0x7e_u8, 0x80..=0xff_u8], 0..60),
        vec(0x61..=0x7a_u8, 100..300),
    ];
    (name, value, prop::bool::weighted(0.1)).prop_map(|(name, value, sensitive)| {
        let mut value = HeaderValue::from_bytes(value.trim_ascii()).expect("visible");
        value.set_sensitive(sensitive);
        Field::Header(name.parse().expect("a token"), value)
    })
}

fn section() -> impl Strategy<Value = Vec<Field>> {
    let request = ("[A-Z]{1,20}|GET|POST", "/[a-c?]{0,3}", "[a-z.]{0,10}", "http|https|other|").prop_map(
        |(method, path, authority, scheme)| {
            [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)]
                .iter()
                .map(|(name, value)| field(name, value))
                .collect::<Vec<_>>()
        },
    );
    let response = (100..1000_u32).prop_map(|status| vec![field(":status", &status.to_string())]);
    let connect = Just(vec![field(":method", "CONNECT"), field(":protocol", "websocket")]);
    (prop_oneof![request, response, connect, Just(vec![])], vec(header(), 0..12)).prop_map(
        |(mut fields, headers)| {
            fields.extend(headers);
            fields
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => table_size().prop_map(Step::Setting),
        3 => section().prop_map(Step::Section),
        1 => Just(Step::Rest),
    ]
}

proptest! {
    #[test]
    fn whatever_is_encoded_decodes(chosen in table_size(), steps in vec(step(), 1..40)) {
        let (mut encoder, mut decoder) = (Encoder::new(chosen), Decoder::new(4096));
        // Does not rest, and says the same.
        let mut restless = Encoder::new(chosen);
        let mut setting = 4096;
        for step in steps {
            match step {
                Step::Setting(octets) => {
                    setting = octets;
                    encoder.set_peer_table_size(octets);
                    restless.set_peer_table_size(octets);
                    decoder.set_table_size_limit(octets);
                }
                Step::Section(fields) => {
                    let block = encode(&mut encoder, &fields);
                    prop_assert_eq!(&block, &encode(&mut restless, &fields));
                    let decoded = decode(&mut decoder, &block);
                    prop_assert_eq!(&decoded, &fields);
                    for (field, decoded) in fields.iter().zip(&decoded) {
                        prop_assert!(is_sensitive(decoded) || !is_sensitive(field));
                    }
                    prop_assert_eq!(encoder.table_octets(), decoder.table_octets());
                    prop_assert!(encoder.table_octets() <= chosen.min(setting) as usize);
                }
                Step::Rest => {
                    let packed = pack(&encoder, &decoder);
                    (encoder, decoder) = Unpacked::new(&packed).tables(chosen);
                    prop_assert_eq!(pack(&encoder, &decoder), packed);
                }
            }
        }
    }

    #[test]
    fn random_octets_do_no_harm(blocks in vec(vec(any::<u8>(), 0..200), 1..8), limit in table_size()) {
        survive(&blocks, limit)?;
    }

    #[test]
    fn damaged_blocks_do_no_harm(
        sections in vec((section(), any::<prop::sample::Index>(), any::<u8>()), 1..8),
        limit in table_size(),
    ) {
        let mut encoder = Encoder::new(4096);
        let blocks: Vec<_> = sections
            .iter()
            .map(|(fields, at, octet)| {
                let mut block = encode(&mut encoder, fields);
                if !block.is_empty() {
                    *at.get_mut(&mut block) = *octet;
                }
                block
            })
            .collect();
        survive(&blocks, limit)?;
    }
}

/// Feeds blocks until one is refused, and looks at the bounds.
fn survive(blocks: &[Vec<u8>], limit: u32) -> Result<(), TestCaseError> {
    let mut decoder = Decoder::new(limit);
    let limits = FieldLimits { max_octets: 500, max_fields: 6 };
    for block in blocks {
        let mut fields = Vec::new();
        let result = decoder.decode(block, limits, &mut |field| fields.push(field));
        prop_assert!(decoder.table_octets() <= limit.max(4096) as usize);
        let octets = fields.iter().map(Field::octets).sum::<usize>();
        prop_assert!(octets <= limits.max_octets && fields.len() <= limits.max_fields);
        match result {
            Ok(decoded) => {
                prop_assert!(decoded.too_large || decoded.malformed.is_some() || decoded.octets == octets);
                prop_assert_eq!(
                    decoded.too_large,
                    decoded.octets > limits.max_octets || decoded.fields > limits.max_fields
                );
            }
            Err(misdeed) => {
                prop_assert_eq!(misdeed.code(), crate::error::ErrorCode::COMPRESSION_ERROR);
                break;
            }
        }
    }
    Ok(())
}
