//! How a connection starts (RFC 9113 §3.4, §6.5).

use std::io;

use tokio::task::JoinHandle;

use super::super::super::h2::server::{Builder, handshake};
use super::*;

/// A handshake in its own task; the peer has said nothing yet.
fn start(builder: &Builder) -> (JoinHandle<Result<ServerConnection, h2::Error>>, Peer) {
    let (io, peer) = pipe();
    (tokio::spawn(builder.handshake(io)), peer)
}

#[tokio::test]
async fn the_server_speaks_first_and_waits_for_the_preface_only() {
    let (server, mut peer) = start(&Builder::new());
    peer.expect(settings(&[])).await;
    peer.send_octets(&PREFACE[..14]);
    peer.idle().await;
    assert!(!server.is_finished());
    peer.send_octets(&PREFACE[14..]);
    // The SETTINGS of the client have not come.
    let mut connection = within("the handshake", server).await.unwrap().unwrap();
    peer.send(settings(&[]));
    connection.drive(peer.expect(settings_ack())).await;
    peer.send(settings_ack());
    peer.close();
    assert!(within("the end", connection.accept()).await.is_none());
    peer.expect_end().await;
}

#[tokio::test]
async fn the_preface_may_come_octet_by_octet() {
    let (server, mut peer) = start(&Builder::new());
    for octet in PREFACE {
        assert!(!server.is_finished());
        peer.send_octets(&[*octet]);
        turns().await;
    }
    assert!(within("the handshake", server).await.unwrap().is_ok());
}

#[tokio::test]
async fn nothing_happens_before_the_first_poll() {
    let (io, mut peer) = pipe();
    let server = handshake(io);
    peer.idle().await;
    let server = tokio::spawn(server);
    peer.expect(settings(&[])).await;
    server.abort();
}

#[tokio::test]
async fn what_comes_right_after_the_preface_is_not_lost() {
    let (server, mut peer) = start(&Builder::new());
    peer.send_octets(PREFACE);
    peer.send(settings(&[]));
    peer.send(request(1, "GET", "https://example.com/").end_stream());
    let mut connection = within("the handshake", server).await.unwrap().unwrap();
    let (request, _respond) = within("a request", connection.accept()).await.unwrap().unwrap();
    assert_eq!(request.uri(), "https://example.com/");
}

#[tokio::test]
async fn another_preface_is_an_error() {
    let (server, mut peer) = start(&Builder::new());
    peer.send_octets(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    let error = within("the handshake", server).await.unwrap().unwrap_err();
    assert!(error.is_go_away() && error.is_library(), "{error:?}");
    assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR));
    assert_eq!(error.to_string(), "connection error detected: unspecific protocol error detected");
    peer.expect(settings(&[])).await;
    peer.expect_end().await;
}

#[tokio::test]
async fn the_end_of_the_wire_within_the_preface_is_an_error() {
    for octets in [0, 5, 23] {
        let (server, mut peer) = start(&Builder::new());
        peer.send_octets(&PREFACE[..octets]);
        drop(peer);
        let error = within("the handshake", server).await.unwrap().unwrap_err();
        assert!(error.is_io(), "{error:?}");
        assert_eq!(error.into_io().unwrap().kind(), io::ErrorKind::UnexpectedEof);
    }
}

#[tokio::test]
async fn a_broken_wire_is_an_error_of_the_handshake() {
    let (server, mut peer) = start(&Builder::new());
    peer.break_reads(io::ErrorKind::ConnectionReset);
    let error = within("the handshake", server).await.unwrap().unwrap_err();
    assert_eq!(error.get_io().unwrap().kind(), io::ErrorKind::ConnectionReset);

    let (io, mut peer) = pipe();
    peer.break_writes(io::ErrorKind::BrokenPipe);
    let error = within("the handshake", handshake(io)).await.unwrap_err();
    assert_eq!(error.get_io().unwrap().kind(), io::ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn settings_say_what_was_configured_and_nothing_else() {
    let mut builder = Builder::new();
    builder.header_table_size(10_000);
    builder.max_concurrent_streams(7);
    builder.initial_window_size(100_000);
    builder.max_frame_size(20_000);
    builder.max_header_list_size(30_000);
    builder.enable_connect_protocol();
    let (_server, mut peer) = start(&builder);
    let expected = [
        (HEADER_TABLE_SIZE, 10_000),
        (MAX_CONCURRENT_STREAMS, 7),
        (INITIAL_WINDOW_SIZE, 100_000),
        (MAX_FRAME_SIZE, 20_000),
        (MAX_HEADER_LIST_SIZE, 30_000),
        (ENABLE_CONNECT_PROTOCOL, 1),
    ];
    peer.expect(settings(&expected)).await;
}

#[tokio::test]
async fn any_header_table_size_serves() {
    // A table that has become smaller is announced (RFC 7541 §4.2).
    for (size, update) in [(0, &[0x20][..]), (10_000, &[])] {
        let mut builder = Builder::new();
        builder.header_table_size(size);
        let (mut requests, ending, mut peer) = server_with(&builder, &[]).await;
        let block = [update, &[0x82, 0x87, 0x84, 0x41, 1, b'a']].concat();
        peer.send(raw(HEADERS, END_STREAM | END_HEADERS, 1, block));
        let (request, mut respond) = accepted(&mut requests).await;
        assert_eq!(request.uri(), "https://a/");
        respond.send_response(status(200), true).unwrap();
        peer.expect(response(1, 200).end_stream()).await;
        farewell(peer, ending).await;
    }
}

#[tokio::test]
async fn the_initial_window_holds_from_its_acknowledgement_on() {
    let mut builder = Builder::new();
    builder.initial_window_size(1);
    let (io, mut peer) = pipe();
    peer.send_octets(PREFACE);
    peer.send(settings(&[]));
    let connection = builder.handshake(io).await.unwrap();
    let (mut requests, _ending) = accept_all(connection);
    peer.expect(settings(&[(INITIAL_WINDOW_SIZE, 1)])).await;
    peer.expect(settings_ack()).await;

    // RFC 9113 §6.9.2: until the client knows, it has the default.
    peer.send(request(1, "POST", "https://example.com/"));
    peer.send(data(1, "hello"));
    let (request1, mut respond) = accepted(&mut requests).await;
    let chunk = within("data", request1.into_body().data()).await.unwrap().unwrap();
    assert_eq!(chunk, "hello");
    respond.send_response(status(200), true).unwrap();
    drop(respond);
    peer.expect(response(1, 200).end_stream()).await;
    peer.expect(reset(1, Reason::NO_ERROR)).await;

    peer.send(settings_ack());
    peer.send(request(3, "POST", "https://example.com/"));
    peer.send(data(3, "he"));
    peer.expect(reset(3, Reason::FLOW_CONTROL_ERROR)).await;
    let (request3, _respond) = accepted(&mut requests).await;
    let error = within("data", request3.into_body().data()).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "stream error detected: flow-control protocol violated");
}

#[tokio::test]
async fn settings_follow_one_another_only_when_acknowledged() {
    let (io, mut peer) = pipe();
    peer.send_octets(PREFACE);
    peer.send(settings(&[]));
    let mut connection: ServerConnection = Builder::new().handshake(io).await.unwrap();
    connection.drive(peer.expect(settings(&[]))).await;
    connection.drive(peer.expect(settings_ack())).await;
    let waiting = "user error: sending SETTINGS before received previous ACK";
    assert_eq!(connection.set_initial_window_size(70_000).unwrap_err().to_string(), waiting);
    assert_eq!(connection.enable_connect_protocol().unwrap_err().to_string(), waiting);

    // The PING shows that what came before it has been heard.
    peer.send(settings_ack());
    peer.send(ping([1; 8]));
    connection.drive(peer.expect(pong([1; 8]))).await;
    connection.set_initial_window_size(70_000).unwrap();
    assert_eq!(connection.enable_connect_protocol().unwrap_err().to_string(), waiting);
    connection.drive(peer.expect(settings(&[(INITIAL_WINDOW_SIZE, 70_000)]))).await;
    assert_eq!(connection.enable_connect_protocol().unwrap_err().to_string(), waiting);
    connection.drive(peer.idle()).await;
}

#[tokio::test]
async fn the_connection_tells_how_many_streams_each_side_may_open() {
    let mut builder = Builder::new();
    builder.max_concurrent_streams(5);
    let (connection, _peer) = idle_server_with(&builder, &[(MAX_CONCURRENT_STREAMS, 3)]).await;
    assert_eq!(connection.max_concurrent_recv_streams(), 5);
    assert_eq!(connection.max_concurrent_send_streams(), 3);

    let (connection, _peer) = idle_server().await;
    assert_eq!(connection.max_concurrent_recv_streams(), usize::MAX);
    assert_eq!(connection.max_concurrent_send_streams(), usize::MAX);
}
