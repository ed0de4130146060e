//! Malformed messages are stream errors (RFC 9113 §8.1.1, §8.2, §8.3), each by its name.

use super::raw::{GET, Raw};
use crate::{config::Config, connection::Side, error::Misdeed};

/// The field section opens no stream; the stream is reset, and the connection is well.
#[track_caller]
fn refused(fields: &[(&str, &str)], misdeed: Misdeed) {
    let mut raw = Raw::server();
    raw.headers(1, true, fields);
    raw.answers([format!("RST_STREAM 1 {}", misdeed.code()).as_str()]);
    raw.hears([]);
    raw.get(3);
    raw.hears(["3 request GET http://a/ end"]);
    raw.is_well();
}

/// The same as trailers, where the application hears the name.
#[track_caller]
fn refused_trailers(fields: &[(&str, &str)], misdeed: Misdeed) {
    let mut raw = Raw::server();
    raw.post(1);
    raw.headers(1, true, fields);
    raw.answers([format!("RST_STREAM 1 {}", misdeed.code()).as_str()]);
    raw.hears(["1 request POST http://a/", format!("1 reset {misdeed:?}").as_str(), "1 closed"]);
}

fn with<'a>(field: (&'a str, &'a str)) -> Vec<(&'a str, &'a str)> {
    [&GET[..], &[field]].concat()
}

#[test]
fn field_names() {
    for name in ["Upper", "", "with space", "tab\t", "nul\0", "colon:", "emoji\u{1f642}", "cr\r"] {
        refused(&with((name, "x")), Misdeed::FieldNameInvalid);
        refused_trailers(&[(name, "x")], Misdeed::FieldNameInvalid);
    }
}

#[test]
fn field_values() {
    for value in ["nul\0", "cr\r", "lf\n", " leading", "trailing ", "\ttab"] {
        refused(&with(("x", value)), Misdeed::FieldValueInvalid);
        refused_trailers(&[("x", value)], Misdeed::FieldValueInvalid);
    }
}

#[test]
fn connection_specific_fields() {
    for (name, value) in [
        ("connection", "keep-alive"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "close"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
        ("te", "trailers, gzip"),
    ] {
        refused(&with((name, value)), Misdeed::ConnectionSpecificField);
        refused_trailers(&[(name, value)], Misdeed::ConnectionSpecificField);
    }
    let mut raw = Raw::server();
    raw.headers(1, true, &with(("te", "trailers")));
    raw.hears(["1 request GET http://a/ end"]);
}

#[test]
fn pseudo_fields() {
    let without = |name| GET.iter().copied().filter(|(other, _)| *other != name).collect::<Vec<_>>();
    for missing in [":method", ":scheme", ":path"] {
        refused(&without(missing), Misdeed::BadPseudoField);
    }
    for extra in [(":path", "/"), (":status", "200"), (":unknown", "x"), (":method", "GET"), (":", "x")] {
        refused(&with(extra), Misdeed::BadPseudoField);
        refused_trailers(&[extra], Misdeed::BadPseudoField);
    }
    refused(&[&[("x", "y")], &GET[..]].concat(), Misdeed::BadPseudoField);
    refused(&[GET[0], GET[1], GET[2], ("x", "y"), GET[3]], Misdeed::BadPseudoField);
    refused(&[GET[0], GET[1], GET[2], (":path", "")], Misdeed::BadPseudoField);
    refused(&[(":method", "BAD METHOD"), GET[1], GET[2], GET[3]], Misdeed::BadPseudoField);
    refused(&[GET[0], GET[1], (":authority", "me@a"), GET[3]], Misdeed::BadPseudoField);
    refused(&with(("host", "other")), Misdeed::BadPseudoField);
}

#[test]
fn responses() {
    let cases: [(&[(&str, &str)], &str); 7] = [
        (&[("x", "y")], "MissingStatus"),
        (&[(":status", "200"), (":status", "200")], "BadPseudoField"),
        (&[(":status", "200"), (":path", "/")], "BadPseudoField"),
        (&[("x", "y"), (":status", "200")], "BadPseudoField"),
        (&[(":status", "20")], "BadPseudoField"),
        (&[(":status", "abc")], "BadPseudoField"),
        (&[(":status", "099")], "BadPseudoField"),
    ];
    for (fields, misdeed) in cases {
        let mut raw = Raw::client();
        raw.end.get();
        raw.take_answers();
        raw.headers(1, false, fields);
        raw.answers(["RST_STREAM 1 PROTOCOL_ERROR"]);
        raw.hears(["1 opened", &format!("1 reset {misdeed}"), "1 closed"]);
        raw.is_well();
    }
}

#[test]
fn many_cookie_crumbs_are_joined_in_little_time() {
    let mut raw = Raw::new(
        Side::Server,
        Config::builder().max_header_list_size(1 << 22).max_header_fields(32_768).max_frame_size(1 << 20),
    );
    let mut fields = GET.to_vec();
    fields.resize(32_000, ("cookie", "crumb=1"));
    raw.headers(1, true, &fields);
    raw.hears(["1 request GET http://a/ end"]);
}
