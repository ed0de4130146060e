//! Messages: their framing, their content, and those that are malformed (RFC 9113 §8.1).

use bytes::Bytes;
use http::{HeaderMap, Request};
use millpond::ErrorCode;

use crate::{
    wire::{
        DATA, END, END_STREAM, HEADERS, OK, PADDED, POST, RST_STREAM, block, continuation, data, frame,
        headers, request, reset,
    },
    world::{Client, Server},
};

#[tokio::test]
async fn s8_1_a_request_is_headers_data_and_trailers() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("POST", "/", &[]))).await;
    client.send([data(1, 0, b"still "), data(1, 0, b"water")].concat()).await;
    client.send(headers(1, END_STREAM, &block(&[("x-depth", "3")]))).await;
    let answer = client.expect_message(1).await;
    assert_eq!((answer.status(), &answer.body[..]), ("200", &b"still water"[..]));
    assert_eq!(answer.trailers, Some(vec![("x-depth".to_owned(), "3".to_owned())]));
}

#[tokio::test]
async fn s8_1_a_request_may_have_trailers_and_no_data() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, POST)).await;
    client.send(headers(1, END_STREAM, &block(&[("x-depth", "3")]))).await;
    let answer = client.expect_message(1).await;
    assert_eq!((answer.status(), answer.body.len()), ("200", 0));
}

#[tokio::test]
async fn s8_1_end_stream_on_headers_holds_when_continuation_follows() {
    let mut client = Client::connect().await;
    let block = request("GET", "/", &[("x-long", "way")]);
    let (first, rest) = block.split_at(20);
    client.send(frame(HEADERS, END_STREAM, 1, first)).await;
    client
        .send([continuation(1, 0, &rest[..5]), continuation(1, END & !END_STREAM, &rest[5..])].concat())
        .await;
    assert_eq!(client.expect_message(1).await.body, b"hello");
}

#[tokio::test]
async fn s8_1_trailers_may_go_on_in_continuation() {
    let mut client = Client::connect().await;
    client.send([headers(1, 0, POST), data(1, 0, b"a")].concat()).await;
    let trailers = block(&[("x-depth", "3")]);
    client
        .send([frame(HEADERS, END_STREAM, 1, &trailers[..4]), continuation(1, 4, &trailers[4..])].concat())
        .await;
    assert!(client.expect_message(1).await.trailers.is_some());
}

#[tokio::test]
async fn s8_1_an_empty_data_frame_may_end_a_request() {
    let mut client = Client::connect().await;
    client.send([headers(1, 0, POST), data(1, 0, b"pond"), data(1, END_STREAM, b"")].concat()).await;
    assert_eq!(client.expect_message(1).await.body, b"pond");
}

#[tokio::test]
async fn s8_1_a_response_comes_on_the_stream_of_its_request() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, POST)).await;
    client.send(headers(7, 0, POST)).await;
    client.send(data(7, END_STREAM, b"seven")).await;
    assert_eq!(client.expect_message(7).await.body, b"seven");
    client.send(data(1, END_STREAM, b"one")).await;
    assert_eq!(client.expect_message(1).await.body, b"one");
}

#[tokio::test]
async fn s8_1_second_headers_without_end_stream_are_malformed() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("POST", "/sink", &[]))).await;
    client.send(data(1, 0, b"data")).await;
    client.send(headers(1, 0, &block(&[("x-more", "to come")]))).await;
    client.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;

    let mut server = Server::accept().await;
    let call = server.get();
    server.expect(HEADERS, 1).await;
    server.send([headers(1, 0, OK), headers(1, 0, &block(&[("x-more", "to come")]))].concat()).await;
    server.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
    call.reply().await.unwrap_err();
}

#[tokio::test]
async fn s8_1_pseudo_fields_in_trailers_are_malformed() {
    let pseudo = [":method", ":scheme", ":path", ":authority", ":protocol", ":status", ":x"];
    let mut client = Client::connect().await;
    let mut server = Server::accept().await;
    for (stream, name) in (1..).step_by(2).zip(pseudo) {
        let value = if name == ":status" { "200" } else { "/a" };
        client.send(headers(stream, 0, &request("POST", "/sink", &[]))).await;
        client
            .send([data(stream, 0, b"data"), headers(stream, END_STREAM, &block(&[(name, value)]))].concat())
            .await;
        client.expect_stream_error(stream, ErrorCode::PROTOCOL_ERROR).await;

        let call = server.get();
        server.expect(HEADERS, stream).await;
        server.send(headers(stream, 0, OK)).await;
        server
            .send([data(stream, 0, b"data"), headers(stream, END_STREAM, &block(&[(name, value)]))].concat())
            .await;
        server.expect_stream_error(stream, ErrorCode::PROTOCOL_ERROR).await;
        call.reply().await.unwrap_err();
    }
}

#[tokio::test]
async fn s8_1_fields_of_trailers_are_held_to_the_same_rules() {
    let wrong = [("X-Upper", "a"), ("connection", "close"), ("x", "a\nb"), ("te", "gzip")];
    let mut client = Client::connect().await;
    for (stream, field) in (1..).step_by(2).zip(wrong) {
        client.send(headers(stream, 0, &request("POST", "/sink", &[]))).await;
        client.send(headers(stream, END_STREAM, &block(&[field]))).await;
        client.expect_stream_error(stream, ErrorCode::PROTOCOL_ERROR).await;
    }
}

#[tokio::test]
async fn s8_1_interim_responses_come_before_the_final_one() {
    let mut server = Server::accept().await;
    let call = server.get();
    server.expect(HEADERS, 1).await;
    for status in ["100", "103", "103", "199"] {
        server.send(headers(1, 0, &block(&[(":status", status), ("x-hint", "a")]))).await;
    }
    server.send([headers(1, 0, OK), data(1, END_STREAM, b"final")].concat()).await;
    let reply = call.reply().await.unwrap();
    assert_eq!((reply.head.status().as_u16(), &reply.body[..]), (200, &b"final"[..]));
    assert!(reply.head.headers().is_empty());
}

#[tokio::test]
async fn s8_1_an_interim_response_with_end_stream_is_malformed() {
    let mut server = Server::accept().await;
    let call = server.get();
    server.expect(HEADERS, 1).await;
    server.send(headers(1, END_STREAM, &block(&[(":status", "103")]))).await;
    server.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
    call.reply().await.unwrap_err();
}

#[tokio::test]
async fn s8_1_an_interim_response_after_the_final_one_is_malformed() {
    let mut server = Server::accept().await;
    for (stream, flags) in [(1, 0), (3, END_STREAM)] {
        let call = server.get();
        server.expect(HEADERS, stream).await;
        server
            .send([headers(stream, 0, OK), headers(stream, flags, &block(&[(":status", "103")]))].concat())
            .await;
        server.expect_stream_error(stream, ErrorCode::PROTOCOL_ERROR).await;
        call.reply().await.unwrap_err();
    }
}

#[tokio::test]
async fn s8_1_data_before_the_final_response_is_malformed() {
    let mut server = Server::accept().await;
    for (stream, before) in [(1, &[][..]), (3, &headers(3, 0, &block(&[(":status", "100")])))] {
        let call = server.get();
        server.expect(HEADERS, stream).await;
        server.send([before, &data(stream, END_STREAM, b"too soon")].concat()).await;
        server.expect_stream_error(stream, ErrorCode::PROTOCOL_ERROR).await;
        call.reply().await.unwrap_err();
    }
}

#[tokio::test]
async fn s8_1_a_client_sends_headers_data_and_trailers() {
    let mut server = Server::accept().await;
    let request = Request::post("http://pond.example/mill?wheel=1").header("x-depth", "3").body(()).unwrap();
    let (_response, mut body) = server.sender().send_request(request, false).unwrap();
    body.send_data(Bytes::from_static(b"water"), false).unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("x-end", "yes".parse().unwrap());
    body.send_trailers(trailers).unwrap();
    let message = server.expect_message(1).await;
    assert_eq!(message.body, b"water");
    assert_eq!(message.field(":path"), Some("/mill?wheel=1"));
    assert_eq!(message.field("x-depth"), Some("3"));
    assert_eq!(message.trailers, Some(vec![("x-end".to_owned(), "yes".to_owned())]));
}

#[tokio::test]
async fn s8_1_every_request_of_a_client_takes_a_stream_of_its_own() {
    let mut server = Server::accept().await;
    for stream in [1, 3, 5] {
        let call = server.get();
        assert!(server.expect(HEADERS, stream).await.ends());
        server.send(headers(stream, END_STREAM, OK)).await;
        call.reply().await.unwrap();
    }
}

#[tokio::test]
async fn s8_1_a_server_that_answered_early_asks_for_an_end_with_no_error() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("PUT", "/", &[]))).await;
    assert_eq!(client.expect_message(1).await.body, b"hello");
    client.expect_stream_error(1, ErrorCode::NO_ERROR).await;
    // What was on its way does no harm.
    client.send(data(1, END_STREAM, b"too late")).await;
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s8_1_1_the_rest_of_a_request_that_was_answered_early_is_judged_as_well() {
    let wrong = [
        data(1, END_STREAM, b"too long"),
        headers(1, END_STREAM, &block(&[(":method", "PUT")])),
        headers(1, 0, &block(&[("x-more", "to come")])),
        headers(1, END_STREAM, &block(&[("X-Upper", "a")])),
    ];
    for wrong in wrong {
        let mut client = Client::connect().await;
        client.send(headers(1, 0, &request("PUT", "/", &[("content-length", "1")]))).await;
        assert_eq!(client.expect_message(1).await.body, b"hello");
        client.send(wrong).await;
        client.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
    }
    // One that ends well ends without a word.
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("PUT", "/", &[("content-length", "1")]))).await;
    assert_eq!(client.expect_message(1).await.body, b"hello");
    client.send(data(1, END_STREAM, b"1")).await;
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s8_1_a_client_keeps_a_response_that_was_complete_before_a_reset_with_no_error() {
    let mut server = Server::accept().await;
    let call = server.post();
    server.expect(HEADERS, 1).await;
    let answer = [headers(1, 0, OK), data(1, END_STREAM, b"enough"), reset(1, ErrorCode::NO_ERROR)].concat();
    server.send(answer).await;
    let reply = call.reply().await.unwrap();
    assert_eq!((reply.head.status().as_u16(), &reply.body[..]), (200, &b"enough"[..]));
    server.expect_ping_ack().await;
}

/// Requests on one connection, each as its frames on stream 1; all malformed for their content.
async fn are_malformed_requests(conversations: &[&[(u8, &[u8])]], announced: &[(&str, &str)]) {
    for frames in conversations {
        let mut client = Client::connect().await;
        let first =
            headers(1, if frames.is_empty() { END_STREAM } else { 0 }, &request("POST", "/sink", announced));
        client.send(first).await;
        for (flags, payload) in *frames {
            client.send(data(1, *flags, payload)).await;
        }
        client.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
    }
}

#[tokio::test]
async fn s8_1_1_content_length_that_differs_is_a_stream_error() {
    let conversations: [&[(u8, &[u8])]; 6] = [
        &[],
        &[(END_STREAM, b"")],
        &[(END_STREAM, b"four")],
        &[(END_STREAM, b"sixsix")],
        &[(0, b"one"), (END_STREAM, b"two")],
        &[(0, b"one"), (0, b""), (END_STREAM, b"t")],
    ];
    are_malformed_requests(&conversations, &[("content-length", "5")]).await;
}

#[tokio::test]
async fn s8_1_1_content_length_is_checked_when_trailers_end_the_message() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("POST", "/sink", &[("content-length", "5")]))).await;
    client.send([data(1, 0, b"four"), headers(1, END_STREAM, &block(&[("x-a", "b")]))].concat()).await;
    client.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s8_1_1_content_length_that_is_no_number_is_a_stream_error() {
    for value in ["", "-4", "+4", "4x", "0x4", "4 ", "4, 5", "18446744073709551617"] {
        are_malformed_requests(&[&[(END_STREAM, b"four")]], &[("content-length", value)]).await;
    }
    are_malformed_requests(&[&[(END_STREAM, b"four")]], &[("content-length", "4"), ("content-length", "5")])
        .await;
}

#[tokio::test]
async fn s8_1_1_content_length_that_is_the_sum_of_all_data_is_right() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("POST", "/", &[("content-length", "5")]))).await;
    client.send([data(1, 0, b"on"), data(1, 0, b""), data(1, END_STREAM, b"ion")].concat()).await;
    assert_eq!(client.expect_message(1).await.body, b"onion");
}

#[tokio::test]
async fn s8_1_1_padding_is_no_content() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, &request("POST", "/", &[("content-length", "3")]))).await;
    client.send(frame(DATA, PADDED | END_STREAM, 1, b"\x04sea\0\0\0\0")).await;
    assert_eq!(client.expect_message(1).await.body, b"sea");
}

#[tokio::test]
async fn s8_1_1_a_malformed_request_does_not_reach_the_application_and_harms_no_other() {
    let mut client = Client::connect().await;
    client.send(headers(1, 0, POST)).await;
    client.send(headers(3, END_STREAM, &request("GET", "/", &[("content-length", "1")]))).await;
    client.send(headers(5, END_STREAM, &block(&[(":method", "GET")]))).await;
    for stream in [3, 5] {
        let frame = client.expect(RST_STREAM, stream).await;
        assert_eq!(frame.code(), ErrorCode::PROTOCOL_ERROR);
    }
    client.send(data(1, END_STREAM, b"unharmed")).await;
    assert_eq!(client.expect_message(1).await.body, b"unharmed");
    assert_eq!(client.seen(), ["POST /"]);
}

#[tokio::test]
async fn s8_1_1_a_client_does_not_accept_a_response_of_another_length() {
    let five = block(&[(":status", "200"), ("content-length", "5")]);
    let endings = [
        headers(1, END_STREAM, &five),
        [headers(1, 0, &five), data(1, END_STREAM, b"four")].concat(),
        [headers(1, 0, &five), data(1, 0, b"sixsix")].concat(),
        [headers(1, 0, &five), data(1, 0, b"four"), headers(1, END_STREAM, &block(&[("x-a", "b")]))].concat(),
    ];
    for ending in endings {
        let mut server = Server::accept().await;
        let call = server.get();
        server.expect(HEADERS, 1).await;
        server.send(ending).await;
        server.expect_stream_error(1, ErrorCode::PROTOCOL_ERROR).await;
        call.reply().await.unwrap_err();
    }
}

#[tokio::test]
async fn s8_1_1_responses_without_content_may_announce_a_length() {
    let mut server = Server::accept().await;
    for (stream, method, status) in [(1, "HEAD", "200"), (3, "GET", "204"), (5, "GET", "304")] {
        let request = Request::builder().method(method).uri("http://pond.example/").body(()).unwrap();
        let call = server.call(request, Some(b""));
        server.expect(HEADERS, stream).await;
        let head = block(&[(":status", status), ("content-length", "12")]);
        // An empty DATA frame is no content either.
        match method {
            "HEAD" => server.send([headers(stream, 0, &head), data(stream, END_STREAM, b"")].concat()).await,
            _ => server.send(headers(stream, END_STREAM, &head)).await,
        }
        let reply = call.reply().await.unwrap();
        assert_eq!(reply.head.status().as_str(), status);
        assert_eq!(reply.head.headers()["content-length"], "12");
    }
}

#[tokio::test]
async fn s8_1_1_responses_without_content_must_have_none() {
    let mut server = Server::accept().await;
    for (stream, method, status) in [(1, "HEAD", "200"), (3, "GET", "204"), (5, "GET", "304")] {
        let request = Request::builder().method(method).uri("http://pond.example/").body(()).unwrap();
        let call = server.call(request, Some(b""));
        server.expect(HEADERS, stream).await;
        let head = headers(stream, 0, &block(&[(":status", status)]));
        server.send([head, data(stream, END_STREAM, b"surplus")].concat()).await;
        server.expect_stream_error(stream, ErrorCode::PROTOCOL_ERROR).await;
        call.reply().await.unwrap_err();
    }
}

#[tokio::test]
async fn s8_1_1_a_server_sends_no_content_in_answer_to_head() {
    let mut client = Client::connect().await;
    client.send(headers(1, END_STREAM, &request("HEAD", "/", &[]))).await;
    let head = client.expect(HEADERS, 1).await;
    assert!(head.ends(), "{head:?}");
    client.expect_ping_ack().await;
}
