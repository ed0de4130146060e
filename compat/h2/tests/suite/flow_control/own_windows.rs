//! Our own windows, changed while the connection is up.

use super::super::super::h2::{Reason, client, server};
use super::*;

const LARGE: u32 = 2 << 20;

#[tokio::test]
async fn a_larger_connection_window_is_announced() {
    let (_client, mut connection, mut peer) = idle_client().await;
    connection.set_target_window_size(LARGE);
    connection.drive(peer.expect(window_update(0, LARGE - WINDOW as u32))).await;

    let (mut connection, mut peer) = idle_server().await;
    connection.set_target_window_size(LARGE);
    connection.drive(peer.expect(window_update(0, LARGE - WINDOW as u32))).await;
}

#[tokio::test]
async fn a_large_connection_window_can_be_built_in() {
    let (io, mut peer) = pipe();
    let (_client, connection) =
        client::Builder::new().initial_connection_window_size(LARGE).handshake::<_, Bytes>(io).await.unwrap();
    let _connection = tokio::spawn(connection);
    peer.expect_preface().await;
    peer.expect(settings(&[])).await;
    peer.expect(window_update(0, LARGE - WINDOW as u32)).await;

    let (io, mut peer) = pipe();
    peer.send_octets(PREFACE);
    peer.send(settings(&[]));
    let mut connection =
        server::Builder::new().initial_connection_window_size(LARGE).handshake::<_, Bytes>(io).await.unwrap();
    peer.expect(settings(&[])).await;
    let heard = connection.drive(async { [peer.next().await.unwrap(), peer.next().await.unwrap()] }).await;
    assert!(heard.contains(&window_update(0, LARGE - WINDOW as u32)), "{heard:?}");
}

#[tokio::test]
async fn a_little_more_is_not_worth_a_frame() {
    let half = WINDOW as u32 / 2;
    let (_client, mut connection, mut peer) = idle_client().await;
    connection.set_target_window_size(WINDOW as u32 + half - 1);
    connection.drive(peer.idle()).await;
    connection.set_target_window_size(WINDOW as u32 + half);
    connection.drive(peer.expect(window_update(0, half))).await;
}

#[tokio::test]
async fn data_in_use_does_not_count_against_a_larger_window() {
    let (mut client, mut connection, mut peer) = idle_client().await;
    let mut body = connection.drive(fetch(&mut client, &mut peer, 1, &[FRAME])).await;
    connection.drive(turns()).await;
    connection.set_target_window_size(LARGE);
    connection.drive(peer.expect(window_update(0, LARGE - WINDOW as u32))).await;
    peer.send(data(1, zeros(1)).end_stream());
    assert_eq!(connection.drive(read_all(&mut body)).await.unwrap().len(), FRAME + 1);
}

#[tokio::test]
async fn a_smaller_connection_window_keeps_credit_back() {
    let (mut client, mut connection, mut peer) = idle_client().await;
    connection.set_target_window_size(2 * FRAME as u32);
    let mut body =
        connection.drive(fetch(&mut client, &mut peer, 1, &[FRAME, FRAME, FRAME, FRAME - 1])).await;
    connection.set_target_window_size(FRAME as u32);
    for octets in [FRAME, FRAME, FRAME, FRAME - 1] {
        connection.drive(take(&mut body, octets)).await;
    }
    body.flow_control().release_capacity(3 * FRAME - 1).unwrap();
    connection.drive(peer.expect(window_update(1, 3 * FRAME as u32 - 1))).await;
    connection.drive(peer.idle()).await;
    body.flow_control().release_capacity(FRAME).unwrap();
    connection.drive(peer.expect(window_update(0, FRAME as u32))).await;
}

#[tokio::test]
async fn a_larger_stream_window_needs_no_window_update() {
    let (mut client, mut connection, mut peer) = idle_client().await;
    let double = 2 * WINDOW as u32;
    connection.set_target_window_size(double);
    connection.drive(peer.expect(window_update(0, double - WINDOW as u32))).await;
    let mut body = connection.drive(fetch(&mut client, &mut peer, 1, &[FRAME; 3])).await;
    for _ in 0..3 {
        connection.drive(take(&mut body, FRAME)).await;
    }
    connection.set_initial_window_size(double).unwrap();
    connection.drive(peer.expect(settings(&[(INITIAL_WINDOW_SIZE, double)]))).await;
    peer.send(settings_ack());
    peer.send(data(1, zeros(FRAME)));
    peer.send(data(1, zeros(FRAME)).end_stream());
    connection.drive(take(&mut body, FRAME)).await;
    connection.drive(take(&mut body, FRAME)).await;
    assert!(connection.drive(body.data()).await.is_none());
    connection.drive(peer.idle()).await;
}

#[tokio::test]
async fn a_smaller_stream_window_counts_from_its_acknowledgement() {
    let (mut client, mut connection, mut peer) = idle_client().await;
    let mut first = connection.drive(fetch(&mut client, &mut peer, 1, &[100])).await;
    let mut second = connection.drive(fetch(&mut client, &mut peer, 3, &[100])).await;
    let mut third = connection.drive(fetch(&mut client, &mut peer, 5, &[100])).await;
    for body in [&mut first, &mut second, &mut third] {
        connection.drive(take(body, 100)).await;
    }
    connection.set_initial_window_size(0).unwrap();
    connection.drive(peer.expect(settings(&[(INITIAL_WINDOW_SIZE, 0)]))).await;

    peer.send(data(1, zeros(100)).end_stream());
    connection.drive(take(&mut first, 100)).await;
    assert!(first.is_end_stream());

    peer.send(settings_ack());
    peer.send(data(3, zeros(1)));
    connection.drive(peer.expect(reset(3, Reason::FLOW_CONTROL_ERROR))).await;
    assert!(connection.drive(second.data()).await.unwrap().unwrap_err().is_reset());
    assert!(!second.is_end_stream());

    assert_eq!(third.flow_control().available_capacity(), -100);
    assert_eq!(third.flow_control().used_capacity(), 100);
    third.flow_control().release_capacity(100).unwrap();
    assert_eq!(third.flow_control().available_capacity(), 0);
    connection.drive(peer.expect(window_update(5, 100))).await;

    connection.set_initial_window_size(FRAME as u32).unwrap();
    connection.drive(peer.expect(settings(&[(INITIAL_WINDOW_SIZE, FRAME as u32)]))).await;
    peer.send(settings_ack());
    peer.send(data(5, zeros(FRAME)).end_stream());
    connection.drive(take(&mut third, FRAME)).await;
}

#[tokio::test]
async fn settings_wait_for_the_acknowledgement_of_those_before() {
    const PENDING: &str = "user error: sending SETTINGS before received previous ACK";
    let (io, mut peer) = pipe();
    let (_client, mut connection) = client::handshake(io).await.unwrap();
    assert_eq!(connection.set_initial_window_size(1).unwrap_err().to_string(), PENDING);
    connection.drive(peer.be_server(&[])).await;
    connection.drive(turns()).await;
    connection.set_initial_window_size(2).unwrap();
    assert_eq!(connection.set_initial_window_size(3).unwrap_err().to_string(), PENDING);
    connection.drive(peer.expect(settings(&[(INITIAL_WINDOW_SIZE, 2)]))).await;
    assert_eq!(connection.set_initial_window_size(4).unwrap_err().to_string(), PENDING);
    peer.send(settings_ack());
    connection.drive(turns()).await;
    connection.set_initial_window_size(5).unwrap();
    connection.drive(peer.expect(settings(&[(INITIAL_WINDOW_SIZE, 5)]))).await;
}

#[tokio::test]
async fn a_server_changes_its_stream_windows_too() {
    let (mut connection, mut peer) = idle_server().await;
    connection.drive(turns()).await;
    connection.set_initial_window_size(LARGE).unwrap();
    connection.drive(peer.expect(settings(&[(INITIAL_WINDOW_SIZE, LARGE)]))).await;
    peer.send(settings_ack());
    peer.send(request(1, "POST", URI));
    let (mut request, _answer) = within("a request", connection.accept()).await.unwrap().unwrap();
    assert_eq!(request.body_mut().flow_control().available_capacity(), LARGE as isize);
}

#[tokio::test]
async fn streams_have_the_first_window_until_ours_is_acknowledged() {
    let (io, mut peer) = pipe();
    let (mut client, connection) =
        client::Builder::new().initial_window_size(10).handshake::<_, Bytes>(io).await.unwrap();
    let _connection = tokio::spawn(connection);
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.send(settings(&[]));
    peer.expect_preface().await;
    peer.expect(settings(&[(INITIAL_WINDOW_SIZE, 10)])).await;
    // The request may come before or after the acknowledgement of our SETTINGS.
    let heard = [peer.next().await.unwrap(), peer.next().await.unwrap()];
    assert!(heard.contains(&settings_ack()), "{heard:?}");
    peer.send(response(1, 200));
    peer.send(data(1, zeros(100)));
    let mut body = within("the response", answer).await.unwrap().into_body();
    take(&mut body, 100).await;
    peer.send(settings_ack());
    peer.idle().await;
    assert_eq!(body.flow_control().available_capacity(), -90);
    peer.send(data(1, zeros(1)));
    peer.expect(reset(1, Reason::FLOW_CONTROL_ERROR)).await;
}
