//! WINDOW_UPDATE frames: credit is announced when it is worth half of what the peer has left.

use super::*;

#[tokio::test]
async fn released_credit_is_announced_for_the_connection_then_the_stream() {
    let (mut client, _connection, mut peer) = client().await;
    let mut body = fetch(&mut client, &mut peer, 1, &[FRAME; 3]).await;
    for _ in 0..3 {
        take(&mut body, FRAME).await;
    }
    body.flow_control().release_capacity(2 * FRAME).unwrap();
    peer.expect(window_update(0, 2 * FRAME as u32)).await;
    peer.expect(window_update(1, 2 * FRAME as u32)).await;
    peer.send(data(1, zeros(FRAME)).end_stream());
    take(&mut body, FRAME).await;
    peer.idle().await;
}

#[tokio::test]
async fn a_little_credit_is_not_worth_a_frame() {
    let (mut client, _connection, mut peer) = client().await;
    let mut body = fetch(&mut client, &mut peer, 1, &[]).await;
    peer.send(data(1, zeros(16)).end_stream());
    assert!(!body.is_end_stream());
    take(&mut body, 16).await;
    body.flow_control().release_capacity(16).unwrap();
    assert!(within("the end", body.data()).await.is_none());
    peer.idle().await;
}

#[tokio::test]
async fn half_of_what_the_peer_has_left_is_enough() {
    let (mut client, _connection, mut peer) = client().await;
    // 43 690 are left after 21 845: half of them is 21 845.
    let mut body = fetch(&mut client, &mut peer, 1, &[FRAME, 5_461]).await;
    take(&mut body, FRAME).await;
    take(&mut body, 5_461).await;
    body.flow_control().release_capacity(21_844).unwrap();
    peer.idle().await;
    body.flow_control().release_capacity(1).unwrap();
    peer.expect(window_update(0, 21_845)).await;
    peer.expect(window_update(1, 21_845)).await;
}

#[tokio::test]
async fn more_data_makes_old_credit_of_the_connection_worth_a_frame() {
    let (mut client, _connection, mut peer) = client().await;
    let mut body = fetch(&mut client, &mut peer, 1, &[FRAME]).await;
    take(&mut body, FRAME).await;
    body.flow_control().release_capacity(FRAME).unwrap();
    peer.idle().await;
    peer.send(data(1, zeros(FRAME)));
    peer.expect(window_update(0, FRAME as u32)).await;
    peer.idle().await;
    body.flow_control().release_capacity(0).unwrap();
    peer.expect(window_update(1, FRAME as u32)).await;
}

#[tokio::test]
async fn streams_are_announced_in_the_order_of_release() {
    let (mut client, _connection, mut peer) =
        client_with(h2::client::Builder::new().initial_window_size(100), &[]).await;
    let mut bodies = Vec::new();
    for id in [1, 3, 5] {
        bodies.push(fetch(&mut client, &mut peer, id, &[50]).await);
    }
    peer.idle().await;
    for n in [1, 2, 0] {
        take(&mut bodies[n], 50).await;
        bodies[n].flow_control().release_capacity(50).unwrap();
    }
    for id in [3, 5, 1] {
        peer.expect(window_update(id, 50)).await;
    }
    peer.idle().await;
}

#[tokio::test]
async fn a_release_from_another_task_wakes_the_connection() {
    let (mut client, _connection, mut peer) = client().await;
    let mut first = fetch(&mut client, &mut peer, 1, &[]).await;
    let mut second = fetch(&mut client, &mut peer, 3, &[]).await;
    peer.send(data(1, zeros(FRAME)).end_stream());
    peer.send(data(3, zeros(FRAME)).end_stream());
    take(&mut first, FRAME).await;
    take(&mut second, FRAME).await;
    peer.idle().await;
    first.flow_control().release_capacity(FRAME).unwrap();
    peer.expect(window_update(0, FRAME as u32)).await;
    peer.idle().await;
    drop(second);
}

#[tokio::test]
async fn a_stream_that_has_ended_needs_no_window() {
    let (mut client, _connection, mut peer) = client().await;
    let mut body = fetch(&mut client, &mut peer, 1, &[FRAME; 3]).await;
    peer.send(data(1, "").end_stream());
    for _ in 0..3 {
        take(&mut body, FRAME).await;
    }
    body.flow_control().release_capacity(3 * FRAME).unwrap();
    peer.expect(window_update(0, 3 * FRAME as u32)).await;
    peer.idle().await;
}

#[tokio::test]
async fn more_than_was_received_cannot_be_released() {
    const TOO_BIG: &str = "user error: release capacity too big";
    let (mut client, _connection, mut peer) = client().await;
    let mut body = fetch(&mut client, &mut peer, 1, &[100]).await;
    take(&mut body, 100).await;
    let credit = body.flow_control();
    assert_eq!((credit.available_capacity(), credit.used_capacity()), (WINDOW as isize - 100, 100));
    assert_eq!(credit.release_capacity(101).unwrap_err().to_string(), TOO_BIG);
    assert_eq!(credit.release_capacity(MAX_WINDOW as usize + 1).unwrap_err().to_string(), TOO_BIG);
    assert_eq!(credit.used_capacity(), 100);
    credit.release_capacity(60).unwrap();
    assert_eq!((credit.available_capacity(), credit.used_capacity()), (WINDOW as isize - 40, 40));
    assert_eq!(credit.release_capacity(41).unwrap_err().to_string(), TOO_BIG);
    credit.release_capacity(40).unwrap();
    assert_eq!((credit.available_capacity(), credit.used_capacity()), (WINDOW as isize, 0));
}

#[tokio::test]
async fn credit_can_be_released_before_the_data_is_read() {
    let (mut client, _connection, mut peer) = client().await;
    let mut body = fetch(&mut client, &mut peer, 1, &[FRAME; 3]).await;
    peer.idle().await;
    body.flow_control().release_capacity(3 * FRAME).unwrap();
    peer.expect(window_update(0, 3 * FRAME as u32)).await;
    peer.expect(window_update(1, 3 * FRAME as u32)).await;
    for _ in 0..3 {
        take(&mut body, FRAME).await;
    }
    drop(body);
    peer.expect(reset(1, h2::Reason::CANCEL)).await;
    peer.idle().await;
}

#[tokio::test]
async fn padding_is_not_data() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(response(1, 200).field("content-length", "100"));
    peer.send(padded(1, 100, 5, END_STREAM));
    let mut body = within("the response", answer).await.unwrap().into_body();
    assert_eq!(within("the body", read_all(&mut body)).await.unwrap().len(), 100);
}

#[tokio::test]
async fn padding_is_released_at_once() {
    let (mut client, _connection, mut peer) = client().await;
    let mut body = fetch(&mut client, &mut peer, 1, &[]).await;
    peer.send(padded(1, 10, 255, 0));
    take(&mut body, 10).await;
    assert_eq!(body.flow_control().used_capacity(), 10);
    assert_eq!(body.flow_control().available_capacity(), WINDOW as isize - 10);
    // 256 octets of each frame are padding; with 85 frames the half of the window is reached.
    for _ in 1..85 {
        peer.send(padded(1, 0, 255, 0));
    }
    peer.idle().await;
    peer.send(padded(1, 0, 255, 0));
    peer.expect(window_update(0, 86 * 256)).await;
    peer.expect(window_update(1, 86 * 256)).await;
}

#[tokio::test]
async fn more_padding_than_frame_ends_the_connection() {
    let (mut client, _connection, mut peer) = client().await;
    let _body = fetch(&mut client, &mut peer, 1, &[]).await;
    peer.send(raw(DATA, PADDED, 1, [5, 0, 0, 0, 0]));
    peer.expect(goaway(0, h2::Reason::PROTOCOL_ERROR)).await;
}

#[tokio::test]
async fn empty_data_is_told_only_if_it_is_the_last() {
    let (mut client, _connection, mut peer) = client().await;
    let mut body = fetch(&mut client, &mut peer, 1, &[0, 5, 0]).await;
    peer.send(data(1, "").end_stream());
    take(&mut body, 5).await;
    assert!(!body.is_end_stream());
    take(&mut body, 0).await;
    assert!(body.is_end_stream());
    assert!(within("the end", body.data()).await.is_none());
}

/// A DATA frame with padding (RFC 9113 §6.1).
fn padded(id: u32, octets: usize, padding: u8, flags: u8) -> Frame {
    let payload = [&[padding][..], &zeros(octets), &zeros(padding.into())].concat();
    raw(DATA, PADDED | flags, id, payload)
}
