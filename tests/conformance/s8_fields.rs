//! Fields: their names and values, those of a connection, pseudo-header fields (RFC 9113 §8.2, §8.3, §10.3).

use http::{HeaderName, HeaderValue, Request};
use millpond::ErrorCode;

use crate::{
    wire::{END, END_STREAM, HEADERS, Message, Peer, RST_STREAM, block, headers, request},
    world::{Client, Server},
};

const METHOD: (&str, &str) = (":method", "GET");
const SCHEME: (&str, &str) = (":scheme", "http");
const PATH: (&str, &str) = (":path", "/");
const AUTHORITY: (&str, &str) = (":authority", "pond.example");

/// A literal field of any octets, not indexed, no Huffman code.
fn raw(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0, name.len() as u8], name, &[value.len() as u8], value].concat()
}

/// Each of these blocks is a malformed request: a stream error, and the application does not see it.
async fn are_malformed_requests(blocks: impl IntoIterator<Item = Vec<u8>>) {
    let mut client = Client::connect().await;
    for (stream, block) in (1..).step_by(2).zip(blocks) {
        client.send(headers(stream, END_STREAM, &block)).await;
        is_reset(&mut client, stream, &block).await;
    }
    client.expect_ping_ack().await;
    assert_eq!(client.seen(), Vec::<String>::new());
}

/// Each of these blocks is a malformed response: a stream error, and the application does not see it.
async fn are_malformed_responses(blocks: impl IntoIterator<Item = Vec<u8>>) {
    let mut server = Server::accept().await;
    for (stream, block) in (1..).step_by(2).zip(blocks) {
        let call = server.get();
        server.expect(HEADERS, stream).await;
        server.send(headers(stream, END_STREAM, &block)).await;
        is_reset(&mut server, stream, &block).await;
        call.reply().await.unwrap_err();
    }
    server.expect_ping_ack().await;
}

/// One PING at the end of all shows that the connection lives: so many would be a flood.
async fn is_reset(peer: &mut Peer, stream: u32, block: &[u8]) {
    let frame = peer.expect(RST_STREAM, stream).await;
    assert_eq!(frame.code(), ErrorCode::PROTOCOL_ERROR, "{}", block.escape_ascii());
}

/// A request with one more field, and a response with it, are malformed.
async fn are_malformed_fields(fields: impl IntoIterator<Item = Vec<u8>> + Clone) {
    let before = |before: Vec<u8>| move |field: Vec<u8>| [before.clone(), field].concat();
    are_malformed_requests(fields.clone().into_iter().map(before(request("GET", "/", &[])))).await;
    are_malformed_responses(fields.into_iter().map(before(block(&[(":status", "200")])))).await;
}

/// The answer to a request with these pseudo-header and other fields.
async fn answer(fields: &[(&str, &str)]) -> Message {
    let mut client = Client::connect().await;
    client.send(headers(1, END, &block(fields))).await;
    client.expect_message(1).await
}

/// What our client sends for this request.
async fn sent(request: Request<()>) -> Vec<(String, String)> {
    let mut server = Server::accept().await;
    let _call = server.call(request, Some(b""));
    let head = server.expect(HEADERS, 1).await;
    server.field_section(head).await
}

fn value<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

#[tokio::test]
async fn s8_2_1_names_have_no_upper_case() {
    are_malformed_fields([raw(b"X-Test", b"a"), raw(b"x-tesT", b"a"), raw(b"Z", b"")]).await;
}

#[tokio::test]
async fn s8_2_1_names_have_no_forbidden_octet_anywhere() {
    let forbidden = (0..=0x20).chain(0x7f..=0xff).chain([b':']);
    are_malformed_fields(forbidden.clone().map(|octet| raw(&[b'x', octet, b'y'], b"a")).collect::<Vec<_>>())
        .await;
    are_malformed_fields(forbidden.map(|octet| raw(&[b'x', octet], b"a")).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn s8_2_1_names_are_tokens_and_not_empty() {
    let delimiters = b"\"(),/;<=>?@[\\]{}".iter().map(|octet| raw(&[b'x', *octet], b"a"));
    are_malformed_fields(delimiters.chain([raw(b"", b"a")]).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn s8_2_1_values_have_no_nul_cr_or_lf_anywhere() {
    let values = [0, b'\r', b'\n'].into_iter().flat_map(|octet| {
        [
            vec![octet],
            vec![octet, b'a'],
            vec![b'a', octet],
            vec![b'a', octet, b'b'],
            vec![b'a', b'\r', octet, b'b'],
        ]
    });
    are_malformed_fields(values.map(|value| raw(b"x", &value)).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn s8_2_1_values_neither_begin_nor_end_with_white_space() {
    let values = [&b" a"[..], b"a ", b"\ta", b"a\t", b" ", b"\t", b" a "];
    are_malformed_fields(values.map(|value| raw(b"x", value))).await;
    // Those that are combined, or that have a meaning of their own, as well.
    are_malformed_fields([raw(b"cookie", b"a=b "), raw(b"te", b" trailers"), raw(b"content-length", b"0 ")])
        .await;
}

#[tokio::test]
async fn s8_2_1_values_have_no_other_control_octet() {
    let controls = (1..9).chain(0x0b..0x20).chain([0x7f]).filter(|octet| *octet != b'\r');
    are_malformed_fields(controls.map(|octet| raw(b"x", &[b'a', octet, b'b'])).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn s8_2_1_what_is_not_forbidden_passes() {
    let mut client = Client::connect().await;
    let odd = [raw(b"!#$%&'*+-.^_`|~0a", b""), raw(b"x", b"a \t\x80\xff\"b")].concat();
    client.send(headers(1, END, &[request("GET", "/fields", &[]), odd].concat())).await;
    let answer = client.expect_message(1).await;
    let text = String::from_utf8(answer.body).unwrap();
    assert!(
        text.contains("!#$%&'*+-.^_`|~0a: \n") && text.contains("x: a \t\u{fffd}\u{fffd}\"b\n"),
        "{text}"
    );
}

#[tokio::test]
async fn s8_2_names_are_sent_in_lower_case() {
    let request = Request::get("http://pond.example/").header("X-UPPER", "Case").body(()).unwrap();
    assert_eq!(value(&sent(request).await, "x-upper"), Some("Case"));
}

#[tokio::test]
async fn s8_2_2_connection_specific_fields_are_malformed() {
    let fields = [
        ("connection", "close"),
        ("connection", "keep-alive"),
        ("connection", ""),
        ("proxy-connection", "keep-alive"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("transfer-encoding", "identity"),
        ("upgrade", "h2c"),
    ];
    are_malformed_fields(fields.map(|field| block(&[field]))).await;
}

#[tokio::test]
async fn s8_2_2_te_says_trailers_or_nothing() {
    let wrong = ["gzip", "trailers, deflate", "trailers;q=1", ""];
    are_malformed_fields(wrong.map(|value| block(&[("te", value)]))).await;
    are_malformed_requests([request("GET", "/", &[("te", "trailers"), ("te", "deflate")])]).await;
    assert_eq!(answer(&[METHOD, SCHEME, PATH, AUTHORITY, ("te", "trailers")]).await.body, b"hello");
}

#[tokio::test]
async fn s8_2_2_a_client_sends_no_connection_specific_field() {
    let server = Server::accept().await;
    for (name, value) in [
        ("connection", "close"),
        ("proxy-connection", "close"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
    ] {
        let request = Request::get("http://pond.example/").header(name, value).body(()).unwrap();
        let error = server.sender().send_request(request, true).unwrap_err();
        assert!(error.mistake().is_some(), "{name}: {error}");
    }
}

#[tokio::test]
async fn s8_2_3_crumbs_of_a_cookie_are_joined() {
    let crumbs = [("cookie", "a=b"), ("x-between", "1"), ("cookie", "c=d; e=f"), ("cookie", "g=h")];
    let fields = [&[METHOD, SCHEME, (":path", "/fields"), AUTHORITY], &crumbs[..]].concat();
    let text = String::from_utf8(answer(&fields).await.body).unwrap();
    assert!(text.contains("cookie: a=b; c=d; e=f; g=h\n"), "{text}");
    assert_eq!(text.matches("cookie").count(), 1, "{text}");
}

#[tokio::test]
async fn s8_3_undefined_pseudo_fields_are_malformed() {
    let unknown = [(":test", "a"), (":", "a"), (":Method", "GET"), (":host", "a"), ("::method", "GET")];
    are_malformed_requests(unknown.map(|field| block(&[METHOD, SCHEME, PATH, AUTHORITY, field]))).await;
    are_malformed_responses(unknown.map(|field| block(&[(":status", "200"), field]))).await;
}

#[tokio::test]
async fn s8_3_pseudo_fields_of_responses_are_malformed_in_requests_and_the_other_way() {
    are_malformed_requests([block(&[METHOD, SCHEME, PATH, AUTHORITY, (":status", "200")])]).await;
    let of_requests = [METHOD, SCHEME, PATH, AUTHORITY, (":protocol", "websocket")];
    are_malformed_responses(of_requests.map(|field| block(&[(":status", "200"), field]))).await;
}

#[tokio::test]
async fn s8_3_pseudo_fields_come_before_regular_ones() {
    let regular = ("x-test", "a");
    are_malformed_requests([
        block(&[regular, METHOD, SCHEME, PATH, AUTHORITY]),
        block(&[METHOD, SCHEME, regular, PATH, AUTHORITY]),
        block(&[METHOD, SCHEME, PATH, regular, AUTHORITY]),
    ])
    .await;
    are_malformed_responses([block(&[regular, (":status", "200")])]).await;
}

#[tokio::test]
async fn s8_3_pseudo_fields_may_come_in_any_order() {
    assert_eq!(answer(&[PATH, AUTHORITY, METHOD, SCHEME]).await.body, b"hello");
}

#[tokio::test]
async fn s8_3_pseudo_fields_come_once() {
    let all = [METHOD, SCHEME, PATH, AUTHORITY];
    are_malformed_requests(all.map(|twice| block(&[&all[..], &[twice]].concat()))).await;
    are_malformed_requests([block(&[METHOD, (":method", "POST"), SCHEME, PATH, AUTHORITY])]).await;
    are_malformed_responses([block(&[(":status", "200"), (":status", "200")])]).await;
}

#[tokio::test]
async fn s8_3_1_method_scheme_and_path_are_required() {
    are_malformed_requests([
        block(&[SCHEME, PATH, AUTHORITY]),
        block(&[METHOD, PATH, AUTHORITY]),
        block(&[METHOD, SCHEME, AUTHORITY]),
        block(&[AUTHORITY]),
        Vec::new(),
    ])
    .await;
}

#[tokio::test]
async fn s8_3_1_path_is_not_empty_and_begins_with_a_slash() {
    let paths = ["", "pond", "?a=b", "*", "http://pond.example/"];
    are_malformed_requests(paths.map(|path| block(&[METHOD, SCHEME, (":path", path), AUTHORITY]))).await;
}

#[tokio::test]
async fn s8_3_1_options_may_ask_for_the_asterisk() {
    assert_eq!(answer(&[(":method", "OPTIONS"), SCHEME, (":path", "*"), AUTHORITY]).await.status(), "200");
    assert_eq!(answer(&[(":method", "OPTIONS"), SCHEME, (":path", "/a"), AUTHORITY]).await.status(), "200");
}

#[tokio::test]
async fn s8_3_1_any_token_is_a_method_and_any_scheme_is_one() {
    assert_eq!(answer(&[(":method", "X-MOW"), SCHEME, PATH, AUTHORITY]).await.status(), "200");
    assert_eq!(answer(&[METHOD, (":scheme", "coap+tcp"), PATH, AUTHORITY]).await.status(), "200");
}

#[tokio::test]
async fn s8_3_1_authority_may_be_left_out() {
    assert_eq!(answer(&[METHOD, SCHEME, PATH]).await.status(), "200");
    assert_eq!(answer(&[METHOD, SCHEME, PATH, ("host", "pond.example")]).await.status(), "200");
}

#[tokio::test]
async fn s8_3_1_authority_has_no_userinfo() {
    let authorities = ["me@pond.example", "me:secret@pond.example:80", "@pond.example"];
    are_malformed_requests(authorities.map(|name| block(&[METHOD, SCHEME, PATH, (":authority", name)])))
        .await;
}

#[tokio::test]
async fn s8_3_1_host_that_names_another_entity_is_malformed() {
    let others = ["mill.example", "pond.example:81", "pond.example.", "", "me@pond.example"];
    are_malformed_requests(others.map(|host| request("GET", "/", &[("host", host)]))).await;
    are_malformed_requests([request("GET", "/", &[("host", "pond.example"), ("host", "pond.example")])])
        .await;
}

#[tokio::test]
async fn s8_3_1_host_is_compared_after_normalization() {
    for (scheme, authority, host) in [
        ("http", "pond.example", "pond.example"),
        ("http", "pond.example", "POND.example"),
        ("http", "pond.example", "pond.example:80"),
        ("https", "pond.example:443", "pond.example"),
        ("http", "pond.example:", "pond.example"),
        ("http", "[::1]:80", "[::1]"),
    ] {
        let fields = [METHOD, (":scheme", scheme), PATH, (":authority", authority), ("host", host)];
        assert_eq!(answer(&fields).await.status(), "200", "{fields:?}");
    }
    are_malformed_requests([
        block(&[METHOD, (":scheme", "https"), PATH, AUTHORITY, ("host", "pond.example:80")]),
        block(&[METHOD, (":scheme", "coap"), PATH, AUTHORITY, ("host", "pond.example:80")]),
    ])
    .await;
}

#[tokio::test]
async fn s8_3_1_a_client_sends_what_the_uri_says_and_no_userinfo() {
    let fields = sent(Request::get("https://me:secret@pond.example:8443?q").body(()).unwrap()).await;
    let expected = [METHOD, (":scheme", "https"), (":authority", "pond.example:8443"), (":path", "/?q")];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn s8_3_1_a_client_sends_a_slash_for_an_empty_path_and_an_asterisk_for_options() {
    let fields = sent(Request::get("http://pond.example").body(()).unwrap()).await;
    assert_eq!(value(&fields, ":path"), Some("/"));
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(http::uri::Scheme::HTTP);
    uri.authority = Some("pond.example".parse().unwrap());
    uri.path_and_query = Some("*".parse().unwrap());
    let request = Request::options(http::Uri::from_parts(uri).unwrap()).body(()).unwrap();
    assert_eq!(value(&sent(request).await, ":path"), Some("*"));
}

#[tokio::test]
async fn s8_3_1_a_client_does_not_send_a_host_that_differs() {
    let server = Server::accept().await;
    let request = Request::get("http://pond.example/").header("host", "mill.example").body(()).unwrap();
    assert!(server.sender().send_request(request, true).unwrap_err().mistake().is_some());
    let request = Request::get("http://pond.example/").header("host", "pond.example").body(()).unwrap();
    assert_eq!(value(&sent(request).await, "host"), Some("pond.example"));
}

#[tokio::test]
async fn s8_3_1_a_client_names_the_authority() {
    let server = Server::accept().await;
    let error = server.sender().send_request(Request::get("/path").body(()).unwrap(), true).unwrap_err();
    assert!(error.mistake().is_some(), "{error}");
}

#[tokio::test]
async fn s8_3_2_status_is_required_and_has_three_digits() {
    are_malformed_responses([block(&[("x-test", "a")]), Vec::new()]).await;
    let wrong = ["", "20", "2000", "abc", "099", "-20", "20a"];
    are_malformed_responses(wrong.map(|status| block(&[(":status", status)]))).await;
}

#[tokio::test]
async fn s8_3_2_any_status_of_three_digits_passes() {
    let mut server = Server::accept().await;
    for (stream, status) in [(1, "200"), (3, "299"), (5, "499"), (7, "599"), (9, "999")] {
        let call = server.get();
        server.expect(HEADERS, stream).await;
        server.send(headers(stream, END_STREAM, &block(&[(":status", status)]))).await;
        assert_eq!(call.reply().await.unwrap().head.status().as_str(), status);
    }
}

#[tokio::test]
async fn s8_3_2_a_server_sends_status_first_and_no_other_pseudo_field() {
    let answer = answer(&[METHOD, SCHEME, PATH, AUTHORITY]).await;
    assert_eq!(answer.fields[0], (":status".to_owned(), "200".to_owned()));
    assert!(answer.fields[1..].iter().all(|(name, _)| !name.starts_with(':')), "{answer:?}");
}

#[tokio::test]
async fn s10_3_pseudo_fields_cannot_smuggle_what_would_split_a_request_line() {
    let smuggled = [&b"\r\n"[..], b"\n", b"\r", b"\0", b" ", b"\t", b"\x7f"];
    let mut blocks = Vec::new();
    for octets in smuggled {
        for (name, before) in [(":method", "GET"), (":scheme", "http"), (":path", "/a"), (":authority", "a")]
        {
            let pseudo = [METHOD, SCHEME, PATH, AUTHORITY].into_iter().filter(|(other, _)| *other != name);
            let pseudo = block(&pseudo.collect::<Vec<_>>());
            blocks.push(
                [pseudo.clone(), raw(name.as_bytes(), &[before.as_bytes(), octets, b"b"].concat())].concat(),
            );
            blocks.push([pseudo, raw(name.as_bytes(), &[before.as_bytes(), octets].concat())].concat());
        }
    }
    are_malformed_requests(blocks).await;
}

#[tokio::test]
async fn s10_3_authority_is_a_host_and_a_port() {
    let authorities =
        ["pond.example/path", "pond.example?q", "pond.example#f", "pond example", "a\\b", "[::1"];
    are_malformed_requests(authorities.map(|name| block(&[METHOD, SCHEME, PATH, (":authority", name)])))
        .await;
}

#[tokio::test]
async fn s10_3_a_client_cannot_be_made_to_send_what_would_split_a_message() {
    for octet in ["\r", "\n", "\0"] {
        assert!(HeaderValue::from_str(&format!("a{octet}b")).is_err());
        assert!(HeaderName::from_bytes(format!("a{octet}b").as_bytes()).is_err());
        assert!(format!("http://pond.example/a{octet}b").parse::<http::Uri>().is_err());
    }
}
