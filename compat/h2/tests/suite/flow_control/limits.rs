//! Windows have limits (RFC 9113 §6.9.1): what happens to a peer that goes beyond.

use super::super::super::h2::{Reason, client, server};
use super::*;

const VIOLATED: &str = "flow-control protocol violated";

#[tokio::test]
async fn data_beyond_the_connection_window_ends_the_connection() {
    let (mut client, connection, mut peer) = client().await;
    let mut body = fetch(&mut client, &mut peer, 1, &[FRAME, FRAME, FRAME, FRAME - 1]).await;
    peer.send(data(1, zeros(128)).end_stream());
    peer.expect(goaway(0, Reason::FLOW_CONTROL_ERROR)).await;
    peer.expect_end().await;
    let error = failure(&mut body).await;
    assert_eq!(error.to_string(), format!("connection error detected: {VIOLATED}"));
    assert!(error.is_go_away() && error.is_library());
    let error = connection.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), format!("connection error detected: {VIOLATED}"));
}

#[tokio::test]
async fn data_beyond_the_stream_window_ends_the_stream() {
    let (mut client, connection, mut peer) =
        client_with(client::Builder::new().initial_window_size(FRAME as u32), &[]).await;
    let mut body = fetch(&mut client, &mut peer, 1, &[FRAME]).await;
    peer.send(data(1, zeros(16)).end_stream());
    peer.expect(reset(1, Reason::FLOW_CONTROL_ERROR)).await;
    let error = failure(&mut body).await;
    assert_eq!(error.to_string(), format!("stream error detected: {VIOLATED}"));
    assert!(error.is_reset() && error.is_library());
    drop(peer);
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_window_beyond_the_limit_ends_the_stream() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, stream) = open(&mut client, &mut peer, 1).await;
    peer.send(window_update(1, MAX_WINDOW));
    peer.expect(reset(1, Reason::FLOW_CONTROL_ERROR)).await;
    let error = within("an error", answer).await.unwrap_err();
    assert_eq!(error.to_string(), format!("stream error detected: {VIOLATED}"));
    assert_eq!(stream.capacity(), 0);
    let (_answer, mut stream) = open(&mut client, &mut peer, 3).await;
    stream.send_data("still here".into(), false).unwrap();
    peer.expect(data(3, "still here")).await;
}

#[tokio::test]
async fn a_connection_window_beyond_the_limit_ends_the_connection() {
    let (mut client, connection, mut peer) = client().await;
    let (answer, _stream) = open(&mut client, &mut peer, 1).await;
    peer.send(window_update(0, MAX_WINDOW));
    peer.expect(goaway(0, Reason::FLOW_CONTROL_ERROR)).await;
    peer.expect_end().await;
    let error = within("an error", answer).await.unwrap_err();
    assert_eq!(error.to_string(), format!("connection error detected: {VIOLATED}"));
    assert_eq!(connection.await.unwrap().unwrap_err().reason(), Some(Reason::FLOW_CONTROL_ERROR));
}

#[tokio::test]
async fn settings_that_lift_a_window_beyond_the_limit_end_the_connection() {
    let (mut client, connection, mut peer) = client().await;
    let _opened = open(&mut client, &mut peer, 1).await;
    peer.send(window_update(1, MAX_WINDOW - WINDOW as u32));
    peer.send(settings(&[(INITIAL_WINDOW_SIZE, WINDOW as u32 + 1)]));
    // Whether such SETTINGS are acknowledged is not said (RFC 9113 §6.5.3).
    let first = peer.next().await;
    if first != Some(goaway(0, Reason::FLOW_CONTROL_ERROR)) {
        assert_eq!(first, Some(settings_ack()));
        peer.expect(goaway(0, Reason::FLOW_CONTROL_ERROR)).await;
    }
    peer.expect_end().await;
    assert_eq!(connection.await.unwrap().unwrap_err().reason(), Some(Reason::FLOW_CONTROL_ERROR));
}

#[tokio::test]
async fn a_window_update_of_nothing_ends_the_connection() {
    let (_client, connection, mut peer) = client().await;
    peer.send(window_update(0, 0));
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    peer.expect_end().await;
    assert_eq!(connection.await.unwrap().unwrap_err().reason(), Some(Reason::PROTOCOL_ERROR));
}

#[tokio::test]
async fn a_window_update_of_an_idle_stream_ends_the_connection() {
    let (mut client, connection, mut peer) = client().await;
    let _opened = open(&mut client, &mut peer, 1).await;
    peer.send(window_update(3, 1));
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    peer.expect_end().await;
    assert_eq!(connection.await.unwrap().unwrap_err().reason(), Some(Reason::PROTOCOL_ERROR));
}

#[tokio::test]
async fn a_window_update_of_a_stream_that_is_not_open_yet_ends_the_connection() {
    let (client, connection, mut peer) =
        client_with(&client::Builder::new(), &[(MAX_CONCURRENT_STREAMS, 1)]).await;
    let _first = open(&mut client.clone(), &mut peer, 1).await;
    let _second = client.clone().send_request(post(URI), false).unwrap();
    peer.idle().await;
    peer.send(window_update(3, 1));
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    assert_eq!(connection.await.unwrap().unwrap_err().reason(), Some(Reason::PROTOCOL_ERROR));
}

#[tokio::test]
async fn the_resets_of_one_connection_are_counted() {
    let (mut connection, mut peer) =
        idle_server_with(server::Builder::new().max_local_error_reset_streams(Some(10)), &[]).await;
    let mut streams = Vec::new();
    for id in (1..=19).step_by(2) {
        peer.send(request(id, "GET", URI).end_stream());
        streams.push(within("a request", connection.accept()).await.unwrap().unwrap());
        peer.send(window_update(id, MAX_WINDOW - 2));
        connection.drive(peer.expect(reset(id, Reason::FLOW_CONTROL_ERROR))).await;
    }
    peer.send(request(21, "GET", URI).end_stream());
    peer.send(window_update(21, MAX_WINDOW - 2));
    let error = within("an error", connection.accept()).await.unwrap().unwrap_err();
    assert!(error.is_go_away() && error.is_library());
    assert_eq!(error.reason(), Some(Reason::ENHANCE_YOUR_CALM));
    peer.expect(goaway(21, Reason::ENHANCE_YOUR_CALM).debug("too_many_internal_resets")).await;
    peer.expect_end().await;
}

#[tokio::test]
async fn a_flood_of_empty_data_ends_the_connection() {
    let (mut client, connection, mut peer) = client().await;
    let _body = fetch(&mut client, &mut peer, 1, &[0; 100]).await;
    peer.idle().await;
    for _ in 0..2_000 {
        peer.send(data(1, ""));
    }
    peer.expect(goaway(0, Reason::ENHANCE_YOUR_CALM).debug("too_many_data_frames")).await;
    peer.expect_end().await;
    assert_eq!(connection.await.unwrap().unwrap_err().reason(), Some(Reason::ENHANCE_YOUR_CALM));
}

#[tokio::test]
async fn small_data_that_is_read_is_no_flood() {
    let (mut client, _connection, mut peer) = client().await;
    let mut body = fetch(&mut client, &mut peer, 1, &[]).await;
    for _ in 0..2_000 {
        peer.send(data(1, "."));
        take(&mut body, 1).await;
    }
    peer.idle().await;
}

#[tokio::test]
async fn a_large_connection_window_bears_more_small_data() {
    let (mut client, mut connection, mut peer) = idle_client().await;
    connection.set_target_window_size(2 << 20);
    connection.drive(peer.expect(window_update(0, (2 << 20) - WINDOW as u32))).await;
    let _body = connection.drive(fetch(&mut client, &mut peer, 1, &[1; 2_000])).await;
    connection.drive(peer.idle()).await;
}

#[tokio::test]
async fn small_data_that_is_dropped_with_its_stream_is_no_flood() {
    let (mut client, connection, mut peer) = client().await;
    for n in 0..400 {
        let id = 2 * n + 1;
        let handles = client.send_request(get(URI), true).unwrap();
        peer.expect(request(id, "GET", URI).end_stream()).await;
        peer.send(response(id, 200));
        peer.send(data(id, "."));
        turns().await;
        // Nobody has looked at the response.
        drop(handles);
        peer.expect(reset(id, Reason::CANCEL)).await;
    }
    assert!(!connection.is_finished());
}

#[tokio::test]
async fn frames_that_nobody_reads_are_as_large_as_they_are_however_they_are_cut() {
    let (mut requests, connection, mut peer) = server().await;
    peer.send(request(1, "POST", URI));
    let (request, _respond) = accepted(&mut requests).await;
    drop(request);
    let frame = data(1, vec![7; 300]).octets();
    for _ in 0..200 {
        peer.send_octets(&frame[..frame.len() - 1]);
        turns().await;
        peer.send_octets(&frame[frame.len() - 1..]);
        turns().await;
    }
    assert!(!connection.is_finished());
}
