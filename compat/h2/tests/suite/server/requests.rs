//! Requests that are well, and their responses (RFC 9113 §8).

use std::sync::Arc;

use bytes::Bytes;

use super::*;

#[tokio::test]
async fn a_request_is_accepted_and_answered() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/a?b=c").field("accept", "*/*").end_stream());
    let (request, mut respond) = accepted(&mut requests).await;
    assert_eq!(request.method(), "GET");
    assert_eq!(request.uri(), "https://example.com/a?b=c");
    assert_eq!(request.version(), http::Version::HTTP_2);
    assert_eq!(request.headers().len(), 1);
    assert_eq!(request.headers()["accept"], "*/*");
    assert!(request.body().is_end_stream());
    assert_eq!(request.body().stream_id().as_u32(), 1);
    assert_eq!(respond.stream_id().as_u32(), 1);
    respond.send_response(status(200), true).unwrap();
    peer.expect(response(1, 200).end_stream()).await;
    drop((request, respond));
    peer.idle().await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn bodies_and_trailers_go_both_ways() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "POST", "https://example.com/"));
    let (request, mut respond) = accepted(&mut requests).await;
    let mut body = request.into_body();
    assert!(!body.is_end_stream());
    peer.send(data(1, "all that "));
    peer.send(data(1, "was said"));
    peer.send(headers(1).field("number", "17").end_stream());
    assert_eq!(read_all(&mut body).await.unwrap(), b"all that was said");
    assert!(!body.is_end_stream(), "the trailers wait");
    let trailers = within("trailers", body.trailers()).await.unwrap().unwrap();
    assert_eq!(trailers, fields(&[("number", "17")]));
    assert!(body.is_end_stream());

    let answer = http::Response::builder().status(201).header("server", "mill").body(()).unwrap();
    let mut send = respond.send_response(answer, false).unwrap();
    send.send_data("goes on ".into(), false).unwrap();
    send.send_data("and ends".into(), false).unwrap();
    send.send_trailers(fields(&[("number", "16")])).unwrap();
    peer.expect(response(1, 201).field("server", "mill")).await;
    peer.expect(data(1, "goes on ")).await;
    peer.expect(data(1, "and ends")).await;
    peer.expect(headers(1).field("number", "16").end_stream()).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn requests_are_accepted_in_order_and_answered_in_any() {
    let (mut requests, ending, mut peer) = server().await;
    for stream in [1, 3, 7] {
        peer.send(request(stream, "GET", &format!("https://example.com/{stream}")).end_stream());
    }
    let mut waiting = Vec::new();
    for stream in [1, 3, 7] {
        let (request, respond) = accepted(&mut requests).await;
        assert_eq!(request.uri().path(), format!("/{stream}"));
        waiting.push(respond);
    }
    for stream in [7, 3, 1] {
        waiting.pop().unwrap().send_response(status(204), true).unwrap();
        peer.expect(response(stream, 204).end_stream()).await;
    }
    farewell(peer, ending).await;
}

#[tokio::test]
async fn accepting_drives_the_connection() {
    let (mut connection, mut peer) = idle_server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (_, mut respond) = within("a request", connection.accept()).await.unwrap().unwrap();
    respond.send_response(status(200), true).unwrap();
    peer.idle().await;
    // Nobody polled until now.
    let (_requests, ending) = accept_all(connection);
    peer.expect(response(1, 200).end_stream()).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn the_end_stays_the_end() {
    let (mut connection, mut peer) = idle_server().await;
    peer.close();
    for _ in 0..2 {
        assert!(within("the end", connection.accept()).await.is_none());
        std::future::poll_fn(|cx| connection.poll_closed(cx)).await.unwrap();
    }
    peer.expect_end().await;
}

#[tokio::test]
async fn requests_wait_while_the_connection_is_only_driven() {
    let (mut connection, mut peer) = idle_server().await;
    peer.send(request(1, "GET", "https://example.com/1").end_stream());
    peer.send(request(3, "GET", "https://example.com/3").end_stream());
    peer.send(ping([1; 8]));
    connection.drive(peer.expect(pong([1; 8]))).await;
    for path in ["/1", "/3"] {
        let (request, mut respond) = within("a request", connection.accept()).await.unwrap().unwrap();
        assert_eq!(request.uri().path(), path);
        respond.send_response(status(200), true).unwrap();
    }
}

#[tokio::test]
async fn an_authority_is_not_required() {
    let (mut requests, ending, mut peer) = server().await;
    let fields = headers(1).field(":method", "GET").field(":scheme", "http").field(":path", "/just-a-path");
    peer.send(fields.end_stream());
    let (request, mut respond) = accepted(&mut requests).await;
    assert_eq!(request.uri(), "/just-a-path");
    assert_eq!(request.uri().scheme(), None);
    assert_eq!(request.uri().authority(), None);
    respond.send_response(status(200), true).unwrap();
    peer.expect(response(1, 200).end_stream()).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn options_may_ask_about_the_server_itself() {
    let (mut requests, _ending, mut peer) = server().await;
    let fields = headers(1).field(":method", "OPTIONS").field(":scheme", "http").field(":path", "*");
    peer.send(fields.end_stream());
    let (request, _respond) = accepted(&mut requests).await;
    assert_eq!(request.uri(), "*");
}

#[tokio::test]
async fn a_response_may_carry_its_request_in_the_extensions() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (request, mut respond) = accepted(&mut requests).await;
    let mut answer = status(200);
    // The last handle of the body goes with the extensions.
    answer.extensions_mut().insert(Arc::new(request));
    respond.send_response(answer, true).unwrap();
    peer.expect(response(1, 200).end_stream()).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_stream_has_one_response() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (_, mut respond) = accepted(&mut requests).await;
    let mut send = respond.send_response(status(200), false).unwrap();
    let error = respond.send_response(status(200), true).unwrap_err();
    assert_eq!(error.to_string(), "user error: unexpected frame type");
    send.send_data(Bytes::new(), true).unwrap();
    peer.expect(response(1, 200)).await;
    peer.expect(data(1, "").end_stream()).await;
    let error = respond.send_response(status(200), true).unwrap_err();
    assert_eq!(error.to_string(), "user error: unexpected frame type");
    farewell(peer, ending).await;
}

#[tokio::test]
async fn nothing_follows_the_end_of_a_response() {
    let (mut requests, _ending, mut peer) = server().await;
    peer.send(request(1, "POST", "https://example.com/"));
    peer.send(request(3, "GET", "https://example.com/").end_stream());
    let mut bodies = Vec::new();
    for (stream, refusal) in [(1, "user error: unexpected frame type"), (3, "user error: inactive stream")] {
        let (request, mut respond) = accepted(&mut requests).await;
        bodies.push(request.into_body());
        let mut send = respond.send_response(status(200), true).unwrap();
        peer.expect(response(stream, 200).end_stream()).await;
        assert_eq!(send.send_data("more".into(), false).unwrap_err().to_string(), refusal);
        let error = send.send_trailers(fields(&[("a", "b")])).unwrap_err();
        assert_eq!(error.to_string(), "user error: unexpected frame type");
        peer.idle().await;
    }
}

#[tokio::test]
async fn connection_specific_fields_are_refused_before_anything_is_said() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (_, mut respond) = accepted(&mut requests).await;
    let lines = [
        ("connection", "close"),
        ("keep-alive", "5"),
        ("proxy-connection", "close"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
    ];
    for (name, value) in lines {
        let answer = http::Response::builder().header(name, value).body(()).unwrap();
        let error = respond.send_response(answer, true).unwrap_err();
        assert_eq!(error.to_string(), "user error: malformed headers", "{name}");
    }
    let answer = http::Response::builder().header("te", "trailers").body(()).unwrap();
    respond.send_response(answer, true).unwrap();
    peer.expect(response(1, 200).field("te", "trailers").end_stream()).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn nothing_is_pushed_to_a_client_that_wants_no_push() {
    let builder = h2::server::Builder::new();
    let (mut requests, ending, mut peer) = server_with(&builder, &[(ENABLE_PUSH, 0)]).await;
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let (_, mut respond) = accepted(&mut requests).await;
    let error = respond.push_request(get("https://example.com/style.css")).unwrap_err();
    let text = "user error: sending PUSH_PROMISE to peer who disabled server push";
    assert_eq!(error.to_string(), text);
    respond.send_response(status(200), true).unwrap();
    peer.expect(response(1, 200).end_stream()).await;
    farewell(peer, ending).await;
}
