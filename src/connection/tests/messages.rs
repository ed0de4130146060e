//! Messages: heads, informational responses, content and trailers (RFC 9113 §8.1, §8.5; RFC 9110).

use super::{
    end::{get, ok},
    raw::{GET, POST, Raw, block, frame, literal},
};
use crate::{
    config::{Config, Manners},
    connection::Side,
    error::ErrorCode,
    frame::FrameType,
};

fn asking(method: &str) -> Raw {
    let mut raw = Raw::client();
    let request =
        http::Request::builder().method(method).uri(if method == "CONNECT" { "a:1" } else { "http://a/" });
    raw.end.open(request.body(()).unwrap(), true);
    raw.take_answers();
    raw.end.take_log();
    raw
}

#[test]
fn informational_responses_come_before_the_final_one() {
    let mut raw = asking("GET");
    raw.status(1, false, "103");
    raw.status(1, false, "100");
    raw.status(1, false, "200");
    raw.data(1, 3, false);
    raw.headers(1, true, &[("x", "y")]);
    raw.hears([
        "1 informational 103",
        "1 informational 100",
        "1 response 200",
        "1 data 3",
        "1 trailers x=y",
        "1 closed",
    ]);
    raw.answers([]);
}

#[test]
fn an_informational_response_does_not_end_the_stream() {
    let mut raw = asking("GET");
    raw.status(1, true, "103");
    raw.answers(["RST_STREAM 1 PROTOCOL_ERROR"]);
    raw.hears(["1 reset InformationalEndsStream", "1 closed"]);
}

#[test]
fn there_is_no_101_in_http2() {
    let mut raw = asking("GET");
    raw.status(1, false, "101");
    raw.answers(["RST_STREAM 1 PROTOCOL_ERROR"]);
}

#[test]
fn data_before_the_response_is_malformed() {
    let mut raw = asking("GET");
    raw.data(1, 3, false);
    raw.answers(["RST_STREAM 1 PROTOCOL_ERROR"]);
    raw.hears(["1 reset MissingContentAfterEnd", "1 closed"]);
    let mut raw = asking("GET");
    raw.status(1, false, "100");
    raw.data(1, 0, true);
    raw.answers(["RST_STREAM 1 PROTOCOL_ERROR"]);
}

#[test]
fn content_length_is_held_to() {
    let with = |length: &'static str| [&POST[..], &[("content-length", length)]].concat();
    // (announced, octets sent, well-formed)
    for (length, octets, fits) in
        [("5", 5, true), ("5", 4, false), ("5", 6, false), ("0", 0, true), ("x", 0, false)]
    {
        let mut raw = Raw::server();
        raw.headers(1, false, &with(length));
        raw.data(1, octets, true);
        match fits {
            true => raw.answers([]),
            false => raw.answers(["RST_STREAM 1 PROTOCOL_ERROR"]),
        }
    }
    // At the end of the head, and at trailers.
    let mut raw = Raw::server();
    raw.headers(1, true, &with("1"));
    raw.headers(3, false, &with("5"));
    raw.data(3, 4, false);
    raw.headers(3, true, &[("a", "b")]);
    raw.answers(["RST_STREAM 1 PROTOCOL_ERROR", "RST_STREAM 3 PROTOCOL_ERROR"]);
    raw.hears(["3 request POST http://a/", "3 data 4", "3 reset BodyLengthMismatch", "3 closed"]);
    // Padding does not count.
    let mut raw = Raw::server();
    raw.headers(1, false, &with("5"));
    raw.frame(FrameType::DATA, 0x9, 1, &[&[3][..], b"abcde", &[0; 3]].concat());
    raw.hears(["1 request POST http://a/", "1 data 5 end"]);
}

#[test]
fn responses_without_content_may_announce_one_and_send_none() {
    for (method, status) in [("HEAD", "200"), ("GET", "204"), ("GET", "304")] {
        let mut raw = asking(method);
        raw.headers(1, true, &[(":status", status), ("content-length", "7")]);
        raw.hears([format!("1 response {status} end").as_str(), "1 closed"]);
        let mut raw = asking(method);
        raw.headers(1, false, &[(":status", status)]);
        raw.data(1, 1, true);
        raw.answers(["RST_STREAM 1 PROTOCOL_ERROR"]);
        // An end in an empty DATA frame is as good as any.
        let mut raw = asking(method);
        raw.headers(1, false, &[(":status", status)]);
        raw.data(1, 0, true);
        raw.hears([format!("1 response {status}").as_str(), "1 data 0 end", "1 closed"]);
    }
    let mut raw = asking("GET");
    raw.headers(1, true, &[(":status", "200"), ("content-length", "7")]);
    raw.answers(["RST_STREAM 1 PROTOCOL_ERROR"]);
}

#[test]
fn connect_opens_a_tunnel() {
    let mut raw = Raw::client();
    let request = http::Request::connect("a:1").body(()).unwrap();
    raw.end.open(request, false);
    raw.answers(["HEADERS 1 :method=CONNECT,:authority=a:1"]);
    raw.headers(1, false, &[(":status", "200")]);
    raw.data(1, 9, false);
    raw.end.data(1, "up", true);
    raw.answers(["DATA 1 2 end"]);
    raw.data(1, 0, true);
    raw.hears(["1 opened", "1 response 200", "1 data 9", "1 data 0 end", "1 closed"]);

    let mut raw = Raw::server();
    raw.headers(1, false, &[(":method", "CONNECT"), (":authority", "a:1"), ("content-length", "3")]);
    raw.data(1, 9, true);
    raw.hears(["1 request CONNECT a:1", "1 data 9 end"]);
}

#[test]
fn trailers_end_the_stream() {
    let mut raw = Raw::server();
    raw.post(1);
    raw.headers(1, false, &[("a", "b")]);
    raw.answers(["RST_STREAM 1 PROTOCOL_ERROR"]);
    raw.post(3);
    raw.headers(3, true, &[(":path", "/")]);
    raw.answers(["RST_STREAM 3 PROTOCOL_ERROR"]);
    raw.post(5);
    raw.headers(5, true, &[]);
    raw.hears([
        "1 request POST http://a/",
        "1 reset TrailersWithoutEnd",
        "1 closed",
        "3 request POST http://a/",
        "3 reset BadPseudoField",
        "3 closed",
        "5 request POST http://a/",
        "5 trailers ",
    ]);
    let mut raw = asking("GET");
    raw.status(1, false, "200");
    raw.status(1, false, "200");
    raw.answers(["RST_STREAM 1 PROTOCOL_ERROR"]);
}

#[test]
fn a_response_may_end_before_the_request_does() {
    let mut raw = Raw::client();
    let post = raw.end.post();
    raw.end.data(post, vec![0; 100_000], true);
    raw.take_answers();
    raw.status(1, true, "413");
    raw.reset(1, ErrorCode::NO_ERROR);
    raw.answers([]);
    let log = raw.end.take_log();
    assert_eq!(log[log.len() - 3..], ["1 response 413 end", "1 reset NO_ERROR", "1 closed"]);
}

#[test]
fn the_field_table_advances_whatever_becomes_of_the_stream() {
    let indexed: Vec<u8> = GET.iter().flat_map(|(name, value)| literal(0x40, name, value)).collect();
    let again: Vec<u8> = vec![0xc1, 0xc0, 0xbf, 0xbe];
    type Loss = fn(&mut Raw, &[u8]);
    let losses: [(&str, Loss); 4] = [
        ("refused", |raw, fields| raw.bytes(&frame(FrameType::HEADERS, 0x5, 3, fields))),
        ("malformed", |raw, fields| {
            raw.bytes(&frame(FrameType::HEADERS, 0x5, 3, &[fields, &block(&[("UPPER", "case")])].concat()));
        }),
        ("too large", |raw, fields| {
            let large = block(&[("large", &"x".repeat(300))]);
            raw.bytes(&frame(FrameType::HEADERS, 0x5, 3, &[&large, fields].concat()));
        }),
        ("reset before", |raw, fields| {
            raw.end.reset(1, ErrorCode::CANCEL);
            raw.bytes(&frame(FrameType::HEADERS, 0x5, 1, fields));
        }),
    ];
    for (what, lose) in losses {
        let mut raw = Raw::new(
            Side::Server,
            Config::builder().max_concurrent_streams(Some(1)).max_header_list_size(300),
        );
        raw.post(1);
        if what == "malformed" || what == "too large" {
            raw.reset(1, ErrorCode::CANCEL);
        }
        lose(&mut raw, &indexed);
        if raw.end.is_live(1) {
            raw.reset(1, ErrorCode::CANCEL);
        }
        raw.end.take_log();
        raw.bytes(&frame(FrameType::HEADERS, 0x5, 5, &again));
        assert_eq!(raw.end.take_log(), ["5 request GET http://a/ end"], "{what}");
    }
}

#[test]
fn a_field_block_that_cannot_be_decoded_ends_the_connection() {
    let mut raw = Raw::server();
    raw.bytes(&frame(FrameType::HEADERS, 0x5, 1, &[0xff; 8]));
    raw.is_over(0, ErrorCode::COMPRESSION_ERROR);
}

#[test]
fn a_large_head_is_split_and_joined() {
    use super::pair::{Cut, Pair};
    for cut in [Cut::Nowhere, Cut::Every(1), Cut::Every(10_000)] {
        let large = || Config::builder().max_header_list_size(1 << 20);
        let mut pair = Pair::new(large(), large(), cut);
        let value: String = (0..40_000).map(|n| char::from(b'a' + (n * 7 % 26) as u8)).collect();
        let mut request = get();
        request.headers_mut().insert("x-large", value.parse().unwrap());
        pair.client.open(request, true);
        pair.run();
        pair.server.respond(1, ok(), true);
        pair.run();
        let log = pair.client.take_log();
        assert_eq!(log[log.len() - 2..], ["1 response 200 end", "1 closed"]);
        assert!(pair.server.take_log().contains(&"1 request GET http://a/ end".to_owned()));
        pair.finish();
    }
}

#[test]
fn an_empty_end_of_the_body_is_told() {
    let mut raw = Raw::server();
    raw.post(1);
    raw.data(1, 4, false);
    raw.data(1, 0, false);
    raw.data(1, 0, true);
    raw.hears(["1 request POST http://a/", "1 data 4", "1 data 0 end"]);
}

#[test]
fn nobody_hears_of_a_request_that_is_answered_with_431() {
    for end in [true, false] {
        let small = Config::builder().manners(Manners::H2).max_header_list_size(200);
        let mut raw = Raw::new(Side::Server, small);
        let large = "x".repeat(200);
        raw.headers(1, end, &[&GET[..], &[("large", &large)]].concat());
        let answers = raw.take_answers();
        assert!(answers[0].contains("431"), "{answers:?}");
        assert_eq!(raw.end.take_log(), [""; 0]);
        raw.get(3);
        raw.hears(["3 request GET http://a/ end"]);
        raw.end.respond(3, ok(), true);
        raw.hears(["3 closed"]);
    }
}
