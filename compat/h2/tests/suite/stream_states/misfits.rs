//! Frames that no proper peer sends in this state (RFC 9113 §5.1, §5.1.1, §6).

use super::*;

/// A server hears this and gives the connection up, having served these streams.
async fn server_gives_up(conversation: Vec<Frame>, last: u32) {
    server_answers(conversation, &[goaway(last, Reason::PROTOCOL_ERROR)]).await;
}

/// A client with one request under way hears this and gives the connection up.
async fn client_gives_up(conversation: Vec<Frame>) {
    client_answers(conversation, &[goaway(0, Reason::PROTOCOL_ERROR)]).await;
}

/// A server hears this and answers with one of these.
async fn server_answers(conversation: Vec<Frame>, answers: &[Frame]) {
    let (_requests, ending, peer) = server().await;
    answer(conversation, answers, ending, peer).await;
}

/// A client with one request under way hears this and answers with one of these.
async fn client_answers(conversation: Vec<Frame>, answers: &[Frame]) {
    let (mut client, ending, mut peer) = client().await;
    let (_answer, _send) = client.send_request(post(URI), false).unwrap();
    peer.expect(posted(1)).await;
    answer(conversation, answers, ending, peer).await;
}

async fn answer(conversation: Vec<Frame>, answers: &[Frame], ending: Ending, mut peer: Peer) {
    let told = format!("{conversation:?}");
    for frame in conversation {
        peer.send(frame);
    }
    let heard = peer.next().await.unwrap();
    assert!(answers.contains(&heard), "after {told}\nexpected one of {answers:?}\n   heard {heard:?}");
    if let Frame::GoAway { code, .. } = heard {
        peer.expect_end().await;
        failure(ending, Reason::from(u32::from(code))).await;
    } else {
        farewell(peer, ending).await;
    }
}

#[tokio::test]
async fn frames_that_need_a_stream_on_none() {
    for frame in [data(0, "hello"), got(0), reset(0, Reason::CANCEL), raw(PRIORITY, 0, 0, [0, 0, 0, 1, 5])] {
        server_gives_up(vec![frame], 0).await;
    }
}

#[tokio::test]
async fn frames_of_the_connection_on_a_stream() {
    let frames = [
        raw(SETTINGS, 0, 1, []),
        raw(SETTINGS, ACK, 1, []),
        raw(PING, 0, 1, [0; 8]),
        raw(GOAWAY, 0, 1, [0; 8]),
    ];
    for frame in frames {
        server_gives_up(vec![frame], 0).await;
    }
}

#[tokio::test]
async fn frames_on_a_stream_that_nobody_has_opened() {
    for frame in [data(3, "hello"), reset(3, Reason::CANCEL), window_update(3, 10)] {
        server_gives_up(vec![got(1), frame.clone()], 1).await;
        client_gives_up(vec![frame]).await;
    }
}

#[tokio::test]
async fn a_client_opens_odd_streams_only_and_upwards_only() {
    server_gives_up(vec![got(2)], 0).await;
    server_gives_up(vec![got(5), got(3)], 5).await;
}

#[tokio::test]
async fn a_server_opens_no_stream() {
    client_gives_up(vec![response(2, 200)]).await;
    client_gives_up(vec![response(3, 200)]).await;
    server_gives_up(vec![posted(1), push_promise(1, 2).target("GET", URI)], 1).await;
}

/// RFC 9113 §5.1 asks for an error of the stream here, `h2` has one of the connection.
#[tokio::test]
async fn more_after_the_end_of_a_request() {
    let errors = [reset(1, Reason::STREAM_CLOSED), goaway(1, Reason::PROTOCOL_ERROR)];
    server_answers(vec![got(1), headers(1).field("number", "2").end_stream()], &errors).await;
    server_answers(vec![got(1), data(1, "more")], &errors).await;
}

#[tokio::test]
async fn data_before_the_response() {
    let errors = [reset(1, Reason::PROTOCOL_ERROR), goaway(0, Reason::PROTOCOL_ERROR)];
    client_answers(vec![data(1, "hello")], &errors).await;
}

#[tokio::test]
async fn a_field_block_is_not_interrupted() {
    let start = || raw(HEADERS, END_STREAM, 1, [0x82, 0x87, 0x84]);
    for frame in
        [ping([1; 8]), data(1, ""), raw(0x33, 0, 1, []), got(3), raw(CONTINUATION, END_HEADERS, 3, [])]
    {
        server_gives_up(vec![start(), frame], 0).await;
    }
    server_gives_up(vec![raw(CONTINUATION, END_HEADERS, 1, [0x82, 0x87, 0x84])], 0).await;
}

#[tokio::test]
async fn padding_longer_than_its_frame() {
    server_gives_up(vec![posted(1), raw(DATA, PADDED, 1, [5, 1, 1, 1, 1])], 1).await;
    server_gives_up(vec![raw(HEADERS, PADDED | END_HEADERS, 1, [9, 0x82])], 0).await;
    let errors = [goaway(0, Reason::PROTOCOL_ERROR), goaway(0, Reason::FRAME_SIZE_ERROR)];
    server_answers(vec![raw(HEADERS, PADDED | END_HEADERS, 1, [])], &errors).await;
}

#[tokio::test]
async fn padding_is_not_part_of_the_message() {
    let (mut requests, _ending, mut peer) = server().await;
    peer.send(raw(HEADERS, PADDED | END_HEADERS, 1, [2, 0x82, 0x87, 0x84, 0x41, 1, b'a', 0, 0]));
    let (request, _respond) = accepted(&mut requests).await;
    peer.send(raw(DATA, PADDED | END_STREAM, 1, b"\x03hello\0\0\0"));
    assert_eq!(read_all(&mut request.into_body()).await.unwrap(), b"hello");
}

#[tokio::test]
async fn settings_that_cannot_be() {
    server_gives_up(vec![settings(&[(ENABLE_PUSH, 2)])], 0).await;
    server_gives_up(vec![settings(&[(MAX_FRAME_SIZE, 16_383)])], 0).await;
    server_gives_up(vec![settings(&[(MAX_FRAME_SIZE, 1 << 24)])], 0).await;
    server_gives_up(vec![settings(&[(ENABLE_CONNECT_PROTOCOL, 2)])], 0).await;
}

#[tokio::test]
async fn unknown_frames_and_settings_are_ignored() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(settings(&[(0xbeef, 1)]));
    peer.expect(settings_ack()).await;
    peer.send(raw(0x33, 0xff, 0, [1, 2, 3]));
    peer.send(raw(0x33, 0xff, 7, [1, 2, 3]));
    peer.send(raw(PRIORITY, 0, 9, [0, 0, 0, 1, 5]));
    peer.send(got(1));
    let (_request, mut respond) = accepted(&mut requests).await;
    respond.send_response(status(200), true).unwrap();
    peer.expect(response(1, 200).end_stream()).await;
    farewell(peer, ending).await;
}

#[tokio::test]
async fn trailers_end_their_stream() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(posted(1));
    let (request, _respond) = accepted(&mut requests).await;
    peer.send(headers(1).field("number", "1"));
    peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;
    let error = within("data", request.into_body().data()).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "stream error detected: unspecific protocol error detected");
    farewell(peer, ending).await;
}

/// RFC 7540 §5.3.1 has an error of the stream, on a stream that the client has yet to open: `h2` resets it and uses
/// its identifier up. RFC 9113 has an error of the connection, as for any stream that a server opens.
#[tokio::test]
async fn a_response_to_nothing_that_depends_on_itself() {
    let (mut client, ending, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(1)).await;
    peer.send(response(1, 200).end_stream());
    drop(answered(answer).await);
    peer.send(raw(HEADERS, END_STREAM | END_HEADERS | 0x20, 3, [0, 0, 0, 3, 2, 0x88]));
    let heard = peer.next().await.unwrap();
    if heard == goaway(0, Reason::PROTOCOL_ERROR) {
        failure(ending, Reason::PROTOCOL_ERROR).await;
        return;
    }
    assert_eq!(heard, reset(3, Reason::PROTOCOL_ERROR));
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(5)).await;
    peer.send(response(5, 200).end_stream());
    drop(answered(answer).await);
    farewell(peer, ending).await;
}

#[tokio::test]
async fn a_response_needs_a_status() {
    let (mut client, ending, mut peer) = client().await;
    let (answer, _send) = client.send_request(get(URI), true).unwrap();
    peer.expect(got(1)).await;
    peer.send(headers(1).field("server", "mock"));
    peer.expect(reset(1, Reason::PROTOCOL_ERROR)).await;
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.to_string(), "stream error detected: unspecific protocol error detected");
    assert!(error.is_reset() && error.is_library());
    farewell(peer, ending).await;
}
