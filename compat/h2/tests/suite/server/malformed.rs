//! Requests that are not well (RFC 9113 §8.1.1, §8.2, §8.3): their stream is reset, they are not accepted, the
//! connection goes on.

use super::*;

/// None of these requests is accepted; a good one is, afterwards.
async fn refuse_all(bad: Vec<Frame>) {
    let (mut requests, ending, mut peer) = server().await;
    let mut next = 1;
    for frame in bad {
        let Frame::Headers { fields, end_stream, .. } = frame else { panic!("{frame:?}") };
        peer.send(Frame::Headers { stream: next, fields, end_stream });
        peer.expect(reset(next, Reason::PROTOCOL_ERROR)).await;
        next += 2;
    }
    peer.send(request(next, "GET", "https://example.com/good").end_stream());
    let (request, mut respond) = accepted(&mut requests).await;
    assert_eq!(request.uri().path(), "/good");
    respond.send_response(status(200), true).unwrap();
    peer.expect(response(next, 200).end_stream()).await;
    assert!(requests.is_empty());
    farewell(peer, ending).await;
}

#[tokio::test]
async fn requests_without_a_method_or_a_scheme() {
    refuse_all(vec![
        headers(0).field(":scheme", "https").field(":authority", "a").field(":path", "/").end_stream(),
        headers(0).field(":method", "GET").field(":authority", "a").field(":path", "/").end_stream(),
        headers(0).field(":method", "GET").field(":path", "/"),
    ])
    .await;
}

#[tokio::test]
async fn requests_without_a_path() {
    let start = || headers(0).field(":method", "GET").field(":scheme", "https").field(":authority", "a");
    refuse_all(vec![start(), start().field(":path", "").end_stream()]).await;
}

#[tokio::test]
async fn pseudo_fields_that_do_not_parse() {
    let start = || headers(0).field(":method", "GET");
    refuse_all(vec![
        start().field(":scheme", "https").field(":authority", "not:a/good authority").field(":path", "/"),
        start().field(":scheme", "not good").field(":authority", "a").field(":path", "/").end_stream(),
        start().field(":scheme", "https").field(":authority", "a").field(":path", "/not good"),
    ])
    .await;
}

#[tokio::test]
async fn a_status_in_a_request() {
    let good = || request(0, "GET", "https://example.com/");
    refuse_all(vec![
        response(0, 200),
        response(0, 200).end_stream(),
        response(0, 128),
        good().field(":status", "200"),
        good().field(":status", "100").end_stream(),
    ])
    .await;
}

#[tokio::test]
async fn pseudo_fields_twice_or_late() {
    let good = || request(0, "GET", "https://example.com/");
    refuse_all(vec![
        good().field(":method", "GET").end_stream(),
        good().field(":path", "/other"),
        good().field(":authority", "example.com").end_stream(),
        headers(0)
            .field(":method", "GET")
            .field("accept", "*/*")
            .field(":scheme", "https")
            .field(":path", "/"),
    ])
    .await;
}

#[tokio::test]
async fn connection_specific_fields() {
    let lines = [
        ("connection", "foo"),
        ("keep-alive", "5"),
        ("proxy-connection", "bar"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "HTTP/2"),
        ("te", "gzip"),
    ];
    let bad = |(name, value)| request(0, "GET", "https://example.com/").field(name, value).end_stream();
    refuse_all(lines.into_iter().map(bad).collect()).await;
}

#[tokio::test]
async fn trailers_is_the_one_value_that_te_may_have() {
    let (mut requests, _ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/").field("te", "trailers").end_stream());
    let (request, _respond) = accepted(&mut requests).await;
    assert_eq!(request.headers()["te"], "trailers");
}

#[tokio::test]
async fn a_content_length_that_is_none() {
    let with = |value| request(0, "POST", "https://example.com/").field("content-length", value);
    refuse_all(vec![
        with("five"),
        with("-1"),
        with("99999999999999999999999"),
        with("5").field("content-length", "6"),
        with("5").end_stream(),
    ])
    .await;
}

#[tokio::test]
async fn a_content_length_may_be_said_twice() {
    let (mut requests, _ending, mut peer) = server().await;
    let fields = request(1, "POST", "https://example.com/").field("content-length", "5");
    peer.send(fields.field("content-length", "5"));
    peer.send(data(1, "hello").end_stream());
    let (request, _respond) = accepted(&mut requests).await;
    assert_eq!(read_all(&mut request.into_body()).await.unwrap(), b"hello");
}

#[tokio::test]
async fn a_body_of_another_length() {
    let ends = [
        ("4", data(1, "hello")),
        ("6", data(1, "hello").end_stream()),
        ("1", headers(1).field("number", "0").end_stream()),
    ];
    for (length, end) in ends {
        let (mut requests, ending, mut peer) = server().await;
        peer.send(request(1, "POST", "https://example.com/").field("content-length", length));
        // Accepted before the mistake.
        let (request, _respond) = accepted(&mut requests).await;
        peer.send(end);
        peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;
        let error = read_all(&mut request.into_body()).await.unwrap_err();
        assert!(error.is_reset() && error.is_library(), "{error:?}");
        assert_eq!(error.to_string(), "stream error detected: unspecific protocol error detected");
        farewell(peer, ending).await;
    }
}

#[tokio::test]
async fn a_body_of_another_length_before_the_request_is_accepted() {
    let (mut connection, mut peer) = idle_server().await;
    peer.send(request(1, "POST", "https://a.b/").field("content-length", "1"));
    peer.send(data(1, "hello").end_stream());
    connection.drive(peer.expect(reset(1, Reason::PROTOCOL_ERROR))).await;
    let (request, mut respond) = within("a request", connection.accept()).await.unwrap().unwrap();
    let error = read_all(&mut request.into_body()).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR));
    let error = respond.send_response(status(200), true).unwrap_err();
    assert_eq!(error.to_string(), "user error: unexpected frame type");
    connection.drive(peer.idle()).await;
}

#[tokio::test]
async fn a_stream_identifier_is_used_up_by_a_malformed_request() {
    let mut builder = h2::server::Builder::new();
    builder.max_concurrent_reset_streams(0);
    let (requests, _ending, mut peer) = server_with(&builder, &[]).await;
    let bad = headers(1).field(":method", "GET").field(":scheme", "https").field(":path", "/");
    peer.send(bad.field(":authority", "not:a/good authority").end_stream());
    peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    // That the stream is forgotten and so an error, or remembered and so ignored: both will do.
    turns().await;
    if peer.unread() > 0 {
        peer.expect(goaway(1, Reason::PROTOCOL_ERROR)).await;
    }
    assert!(requests.is_empty());
}

#[tokio::test]
async fn what_follows_a_malformed_request_on_its_stream_is_ignored() {
    let (requests, ending, mut peer) = server().await;
    let bad = headers(1).field(":method", "GET").field(":scheme", "https").field(":path", "/");
    peer.send(bad.field(":authority", "not:a/good authority"));
    peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;
    peer.send(data(1, "already under way"));
    peer.send(headers(1).field("number", "1").end_stream());
    peer.send(reset(1, Reason::CANCEL));
    peer.send(window_update(1, 1));
    peer.idle().await;
    assert!(requests.is_empty());
    farewell(peer, ending).await;
}

#[tokio::test]
async fn the_whole_repertoire_on_one_malformed_stream() {
    let (_requests, ending, mut peer) = server().await;
    peer.send(raw(0x87, 0xc1, 257, [5, 148, 5, 1, 0]));
    let fields = headers(4353).field(":method", "POST").field(":scheme", "https").field(":authority", "");
    peer.send(fields.end_stream());
    peer.send(reset(4353, 0x8387_0100u32));
    peer.send(headers(4353).field("a", "b"));
    peer.send(push_promise(4353, 2).target("GET", "https://example.com/"));
    peer.send(headers(4353).end_stream());
    drop(peer);
    // Whatever its end is, it comes, and is not a panic.
    let _ = within("the end of the connection", ending).await.unwrap();
}
