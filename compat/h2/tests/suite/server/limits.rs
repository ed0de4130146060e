//! Limits on what a client may ask of a server (RFC 9113 §5.1.2, §6.5.2, §10.5).

use super::super::super::h2::server::Builder;
use super::*;

fn simple(stream: u32) -> Frame {
    request(stream, "GET", "https://example.com/").end_stream()
}

/// A field block of this many fields, each of 1032 octets as SETTINGS_MAX_HEADER_LIST_SIZE counts.
fn list(stream: u32, kilo: usize) -> Frame {
    let fields = (0..kilo).map(|number| (format!("x-{number:08}"), "v".repeat(990)));
    fields.fold(request(stream, "GET", "https://example.com/"), |frame, (name, value)| {
        frame.field(&name, &value)
    })
}

#[tokio::test]
async fn a_stream_too_many_is_refused() {
    let mut builder = Builder::new();
    builder.max_concurrent_streams(1);
    let (mut requests, ending, mut peer) = server_with(&builder, &[]).await;
    peer.send(request(1, "POST", "https://example.com/"));
    peer.send(request(3, "POST", "https://example.com/"));
    peer.send(data(1, "hello").end_stream());
    peer.expect(reset(3, Reason::REFUSED_STREAM)).await;
    let (request, mut respond) = accepted(&mut requests).await;
    assert_eq!(read_all(&mut request.into_body()).await.unwrap(), b"hello");
    respond.send_response(status(200), true).unwrap();
    peer.expect(response(1, 200).end_stream()).await;
    assert!(requests.is_empty());

    // Handles of a stream that has ended do not count.
    peer.send(simple(5));
    let (_, mut respond5) = accepted(&mut requests).await;
    respond5.send_response(status(200), true).unwrap();
    peer.expect(response(5, 200).end_stream()).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_stream_makes_room_when_both_sides_have_ended_it() {
    let mut builder = Builder::new();
    builder.max_concurrent_streams(1);
    let (mut requests, ending, mut peer) = server_with(&builder, &[]).await;
    peer.send(request(1, "POST", "https://example.com/"));
    let (_body, mut respond) = accepted(&mut requests).await;
    respond.send_response(status(200), true).unwrap();
    peer.expect(response(1, 200).end_stream()).await;
    peer.send(simple(3));
    peer.expect(reset(3, Reason::REFUSED_STREAM)).await;
    peer.send(data(1, "").end_stream());
    peer.send(simple(5));
    let (_, mut respond) = accepted(&mut requests).await;
    respond.send_response(status(200), true).unwrap();
    peer.expect(response(5, 200).end_stream()).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_stream_that_the_peer_resets_makes_room_at_once() {
    let mut builder = Builder::new();
    builder.max_concurrent_streams(1);
    let (mut connection, mut peer) = idle_server_with(&builder, &[]).await;
    for stream in [1, 3, 5] {
        peer.send(simple(stream));
        peer.send(reset(stream, Reason::CANCEL));
    }
    connection.drive(peer.idle()).await;
    // They are accepted all the same.
    for stream in [1, 3, 5] {
        let (request, _) = within("a request", connection.accept()).await.unwrap().unwrap();
        assert_eq!(request.body().stream_id().as_u32(), stream);
    }
}

#[tokio::test]
async fn streams_reset_before_they_are_accepted_have_a_limit() {
    let mut builder = Builder::new();
    builder.max_pending_accept_reset_streams(20);
    let (mut connection, mut peer) = idle_server_with(&builder, &[]).await;
    for stream in (1..100).step_by(2) {
        peer.send(simple(stream));
        peer.send(reset(stream, Reason::PROTOCOL_ERROR));
    }
    let error = std::future::poll_fn(|cx| connection.poll_closed(cx));
    let error = within("the end", error).await.unwrap_err();
    assert!(error.is_go_away() && error.is_library(), "{error:?}");
    assert_eq!(error.reason(), Some(Reason::ENHANCE_YOUR_CALM));
    // The one that was too many is the last that counts.
    peer.expect(goaway(41, Reason::ENHANCE_YOUR_CALM).debug("too_many_resets")).await;
    peer.expect_end().await;
    let error = within("the end", connection.accept()).await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(Reason::ENHANCE_YOUR_CALM));
}

#[tokio::test]
async fn twenty_is_that_limit_unless_said_otherwise() {
    let (mut connection, mut peer) = idle_server().await;
    for stream in (1..=39).step_by(2) {
        peer.send(simple(stream));
        peer.send(reset(stream, Reason::CANCEL));
    }
    connection.drive(peer.idle()).await;
    peer.send(simple(41));
    peer.send(reset(41, Reason::CANCEL));
    let ending = tokio::spawn(async move { connection.accept().await });
    peer.expect(goaway(41, Reason::ENHANCE_YOUR_CALM).debug("too_many_resets")).await;
    let error = within("the end", ending).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(Reason::ENHANCE_YOUR_CALM));
}

#[tokio::test]
async fn accepting_streams_that_were_reset_makes_room_for_more() {
    let mut builder = Builder::new();
    builder.max_pending_accept_reset_streams(6);
    let (mut connection, mut peer) = idle_server_with(&builder, &[]).await;
    for first in [1, 11, 21] {
        let streams = (first..first + 10).step_by(2);
        for stream in streams.clone() {
            peer.send(simple(stream));
            peer.send(reset(stream, Reason::CANCEL));
        }
        connection.drive(peer.idle()).await;
        for stream in streams {
            let (request, _) = within("a request", connection.accept()).await.unwrap().unwrap();
            assert_eq!(request.body().stream_id().as_u32(), stream);
        }
    }
    connection.drive(peer.idle()).await;
}

#[tokio::test]
async fn streams_reset_after_they_are_accepted_have_none() {
    let (mut requests, ending, mut peer) = server().await;
    let mut held = Vec::new();
    for stream in (1..400).step_by(2) {
        peer.send(simple(stream));
        held.push(accepted(&mut requests).await);
        peer.send(reset(stream, Reason::CANCEL));
    }
    peer.idle().await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn resets_that_a_client_provokes_have_a_limit() {
    let mut builder = Builder::new();
    builder.max_local_error_reset_streams(Some(3));
    let (_requests, ending, mut peer) = server_with(&builder, &[]).await;
    for stream in [1, 3, 5] {
        peer.send(simple(stream).field("connection", "close"));
        peer.expect(reset(stream, Reason::PROTOCOL_ERROR)).await;
    }
    peer.send(simple(7).field("connection", "close"));
    peer.expect(goaway(0, Reason::ENHANCE_YOUR_CALM).debug("too_many_internal_resets")).await;
    peer.expect_end().await;
    let error = failure(ending, Reason::ENHANCE_YOUR_CALM).await;
    assert_eq!(error.to_string(), "connection error detected: detected excessive load generating behavior");
}

#[tokio::test]
async fn refused_streams_count_towards_that_limit() {
    let mut builder = Builder::new();
    builder.max_concurrent_streams(0);
    builder.max_local_error_reset_streams(Some(2));
    let (_requests, ending, mut peer) = server_with(&builder, &[]).await;
    for stream in [1, 3] {
        peer.send(simple(stream));
        peer.expect(reset(stream, Reason::REFUSED_STREAM)).await;
    }
    peer.send(simple(5));
    peer.expect(goaway(0, Reason::ENHANCE_YOUR_CALM).debug("too_many_internal_resets")).await;
    peer.expect_end().await;
    failure(ending, Reason::ENHANCE_YOUR_CALM).await;
}

#[tokio::test]
async fn resets_by_the_application_do_not_count() {
    let mut builder = Builder::new();
    builder.max_local_error_reset_streams(Some(3));
    let (mut requests, ending, mut peer) = server_with(&builder, &[]).await;
    for stream in [1, 3, 5, 7, 9, 11] {
        peer.send(simple(stream));
        let (_request, mut respond) = accepted(&mut requests).await;
        if stream % 4 == 1 {
            respond.send_reset(Reason::INTERNAL_ERROR);
            peer.expect(reset(stream, Reason::INTERNAL_ERROR)).await;
        } else {
            drop((_request, respond));
            peer.expect(reset(stream, Reason::CANCEL)).await;
        }
    }
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_field_section_too_large_is_answered_with_431() {
    let mut builder = Builder::new();
    builder.max_header_list_size(64);
    let (requests, ending, mut peer) = server_with(&builder, &[]).await;
    peer.send(simple(1).field("some-header", "some-value"));
    peer.expect(response(1, 431).end_stream()).await;
    peer.idle().await;
    assert!(requests.is_empty());
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_request_whose_fields_were_too_large_is_not_heard_to_its_end() {
    let mut builder = Builder::new();
    builder.max_header_list_size(1024);
    let (mut requests, ending, mut peer) = server_with(&builder, &[]).await;
    peer.send(list(1, 2));
    peer.expect(response(1, 431).end_stream()).await;
    peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;
    peer.send(data(1, "already under way").end_stream());
    peer.idle().await;
    assert!(requests.is_empty());
    // What the limit allows is welcome.
    peer.send(simple(3));
    let (_request, mut respond) = accepted(&mut requests).await;
    respond.send_response(status(200), true).unwrap();
    peer.expect(response(3, 200).end_stream()).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_field_section_four_times_too_large_ends_the_connection() {
    let mut builder = Builder::new();
    builder.max_header_list_size(64);
    let (_requests, ending, mut peer) = server_with(&builder, &[]).await;
    peer.send(simple(1).field("x-abuse", &"a".repeat(200)));
    peer.expect(goaway(0, Reason::ENHANCE_YOUR_CALM).debug("header_list_way_too_large")).await;
    peer.expect_end().await;
    failure(ending, Reason::ENHANCE_YOUR_CALM).await;
}

#[tokio::test]
async fn continuation_frames_have_a_limit() {
    let mut builder = Builder::new();
    builder.max_header_list_size(32 * 1024);
    let (_requests, ending, mut peer) = server_with(&builder, &[]).await;
    peer.send(raw(HEADERS, END_STREAM, 1, [0x82, 0x87, 0x84]));
    for _ in 0..5 {
        peer.send(raw(CONTINUATION, 0, 1, b"\x00\x01a\x01b"));
    }
    peer.idle().await;
    for _ in 0..20 {
        peer.send(raw(CONTINUATION, 0, 1, b"\x00\x01a\x01b"));
    }
    peer.expect(goaway(0, Reason::ENHANCE_YOUR_CALM).debug("too_many_continuations")).await;
    peer.expect_end().await;
    failure(ending, Reason::ENHANCE_YOUR_CALM).await;
}

#[tokio::test]
async fn continuation_frames_full_of_octets_have_a_limit_too() {
    let mut builder = Builder::new();
    builder.max_header_list_size(32 * 1024);
    let (_requests, ending, mut peer) = server_with(&builder, &[]).await;
    let names = ["a", "c", "e", "g", "i", "k", "m", "o", "y"];
    let start = request(1, "GET", "https://example.com/");
    peer.send(names.iter().fold(start, |frame, name| frame.field(&name.repeat(10_000), &"v".repeat(10_000))));
    // Whether it is the number of frames or their octets that was too much may differ.
    match peer.next().await {
        Some(Frame::GoAway { last: 0, code, .. }) => assert_eq!(u32::from(code), 11),
        other => panic!("expected GOAWAY, heard {other:?}"),
    }
    peer.expect_end().await;
    failure(ending, Reason::ENHANCE_YOUR_CALM).await;
}

#[tokio::test]
async fn a_field_section_may_need_many_frames() {
    let (mut requests, _ending, mut peer) = server().await;
    peer.send(list(1, 100).end_stream());
    let (request, _respond) = accepted(&mut requests).await;
    assert_eq!(request.headers().len(), 100);
}
