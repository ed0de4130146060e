//! Whole connections, told by an independent encoder or read by an independent decoder
//! (`tests/data/hpack/make_stories.py`).

use std::{fmt::Write, fs, path::PathBuf};

use super::*;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/hpack").join(name)
}

/// Decodes every block of a file and compares; returns how many there were.
fn read(name: &str) -> usize {
    let text = fs::read_to_string(path(name)).expect("the stories are there");
    let mut decoder = Decoder::new(4096);
    let mut decoded = Vec::new().into_iter();
    let mut blocks = 0;
    for (number, line) in text.lines().enumerate() {
        let (word, rest) = line.split_once(' ').expect("a word and the rest");
        if word != "field" && word != "never" {
            assert_eq!(decoded.next(), None, "{name}:{number}");
        }
        match word {
            "story" => decoder = Decoder::new(4096),
            "setting" => decoder.set_table_size_limit(rest.parse().expect("octets")),
            "block" => {
                decoded = decode(&mut decoder, &octets(rest)).into_iter();
                blocks += 1;
            }
            _ => {
                let (field_name, value) = rest.split_once('\t').expect("a name and a value");
                let found = decoded.next().expect("another field");
                assert_eq!(found, field(field_name, value), "{name}:{number}");
                assert_eq!(is_sensitive(&found), word == "never", "{name}:{number}");
            }
        }
    }
    assert_eq!(decoded.next(), None);
    blocks
}

#[test]
fn blocks_of_an_independent_encoder_decode() {
    assert_eq!(read("theirs.story"), THEIR_BLOCKS);
}

const THEIR_BLOCKS: usize = 183;

/// What our encoder makes is kept in `ours.story`, which `make_stories.py check` reads with the independent
/// decoder. After a change that is meant, run this test with MILLPOND_WRITE_STORIES=1 and check the
/// file again.
#[test]
fn our_blocks_are_those_that_an_independent_decoder_has_read() {
    let story = our_story();
    if std::env::var_os("MILLPOND_WRITE_STORIES").is_some() {
        fs::write(path("ours.story"), &story).expect("writable");
    }
    assert_eq!(fs::read_to_string(path("ours.story")).expect("the story is there"), story);
    read("ours.story");
}

fn our_story() -> String {
    let mut story = String::new();
    let mut encoder = Encoder::new(8192);
    let mut tell = |setting: Option<u32>, fields: &[Field]| {
        if let Some(octets) = setting {
            encoder.set_peer_table_size(octets);
            writeln!(story, "setting {octets}").expect("a string takes all");
        }
        let block: String = encode(&mut encoder, fields).iter().map(|octet| format!("{octet:02x}")).collect();
        writeln!(story, "block {block}").expect("a string takes all");
        for field in fields {
            let word = if is_sensitive(field) { "never" } else { "field" };
            let value = str::from_utf8(field.value()).expect("text");
            writeln!(story, "{word} {}\t{value}", field.name()).expect("a string takes all");
        }
    };
    let settings = [None, None, Some(0), None, Some(120), Some(300), Some(4096), None, Some(65536), Some(64)];
    for (round, setting) in settings.into_iter().cycle().take(40).enumerate() {
        let mut fields = call(["/greet.Greeter/SayHello", "/clock.Clock/Now", "/"][round % 3]);
        fields.push(sensitive("x-password", "1234567890 secret"));
        fields.push(field(
            "x-request-id",
            &format!("{:016x}", (round as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        ));
        fields.push(field(&format!("x-name-{}", round % 4), &format!("value {}", round % 3)));
        fields.push(field("accept-encoding", ["gzip, deflate", "gzip"][round % 2]));
        fields.push(field("x-long", &"0123456789 {|}~ ".repeat(round).trim_end().replace("  ", " ")));
        tell(setting, &fields);
        let status = ["200", "404", "307", "418"][round % 4];
        tell(
            None,
            &[
                field(":status", status),
                field("content-length", &round.to_string()),
                field("grpc-status", "0"),
            ],
        );
    }
    format!("story our encoder\n{story}")
}

/// A field block is decoded whole; cut anywhere it is an error, or at the end of a field a shorter section.
#[test]
fn a_block_cut_anywhere_gives_no_more_than_its_whole_fields() {
    let fields = call("/greet.Greeter/SayHello");
    let block = encode(&mut Encoder::new(4096), &fields);
    let mut ends = 0;
    for cut in 0..block.len() {
        let mut found = Vec::new();
        let result = Decoder::new(4096).decode(&block[..cut], NO_LIMITS, &mut |field| found.push(field));
        assert_eq!(found, fields[..found.len()]);
        match result {
            Ok(decoded) => {
                assert_eq!(decoded.fields, found.len());
                ends += 1;
            }
            Err(misdeed) => assert_eq!(misdeed, Misdeed::BadFieldBlock),
        }
    }
    assert_eq!(ends, fields.len());
}
