//! Extensible priorities (RFC 9218; RFC 9113 §5.3).

use millpond::{ErrorCode, Server as MillpondServer};

use crate::{
    s8_control::setting,
    wire::{
        DATA, END, GET, HAS_PRIORITY, HEADERS, INITIAL_WINDOW_SIZE, NO_RFC7540_PRIORITIES, PREFACE,
        PRIORITY_UPDATE, dependency, frame, headers, priority, request, settings, window_update,
    },
    world::{Client, Server},
};

fn update(stream: u32, value: &str) -> Vec<u8> {
    frame(PRIORITY_UPDATE, 0, 0, &[&stream.to_be_bytes(), value.as_bytes()].concat())
}

/// A client whose connection window is used up by the response on stream 1; the windows of streams are large.
async fn starved(server: MillpondServer) -> Client {
    let mut client = Client::connect_to(server, &[(INITIAL_WINDOW_SIZE, 1 << 20)]).await;
    client.send(headers(1, END, &request("GET", "/octets/65535", &[]))).await;
    assert_eq!(client.expect_message(1).await.body.len(), 65_535);
    client
}

/// Asks for a large response, and waits until its head has come and its body waits for the window.
async fn ask(client: &mut Client, stream: u32, priority: &[&str]) {
    let fields: Vec<_> = priority.iter().map(|value| ("priority", *value)).collect();
    client.send(headers(stream, END, &request("GET", "/octets/100000", &fields))).await;
    client.expect(HEADERS, stream).await;
}

/// Lets the server send one frame of DATA: which stream is served?
async fn served(client: &mut Client) -> u32 {
    client.send(window_update(0, 1_000)).await;
    let frame = client.next_of_note().await.unwrap();
    assert_eq!((frame.kind, frame.payload.len()), (DATA, 1_000));
    frame.stream
}

/// Which of two requests with these priority fields is served first?
async fn first(one: &[&str], other: &[&str]) -> u32 {
    let mut client = starved(MillpondServer::builder()).await;
    ask(&mut client, 3, one).await;
    ask(&mut client, 5, other).await;
    served(&mut client).await
}

#[tokio::test]
async fn s2_1_the_setting_is_0_or_1() {
    for value in [2, u32::MAX] {
        let mut client = Client::connect().await;
        client.send(settings(&[(NO_RFC7540_PRIORITIES, value)])).await;
        client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
        let mut server = Server::accept().await;
        server.send(settings(&[(NO_RFC7540_PRIORITIES, value)])).await;
        server.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    }
}

#[tokio::test]
async fn s2_1_a_server_says_in_its_first_settings_that_it_ignores_the_old_signals() {
    let mut client = Client::open(MillpondServer::builder()).await;
    client.send(PREFACE).await;
    let settings = client.next().await.unwrap();
    assert_eq!(setting(&settings.payload, NO_RFC7540_PRIORITIES), Some(1));
}

#[tokio::test]
async fn s2_1_a_change_of_the_setting_does_no_harm() {
    let mut client = Client::connect_to(MillpondServer::builder(), &[(NO_RFC7540_PRIORITIES, 1)]).await;
    client.send(settings(&[(NO_RFC7540_PRIORITIES, 0)])).await;
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s2_1_old_signals_of_a_client_that_does_not_use_them_are_ignored() {
    let mut client = Client::connect_to(MillpondServer::builder(), &[(NO_RFC7540_PRIORITIES, 1)]).await;
    client.send([priority(1, 1), priority(3, 0)].concat()).await;
    client.expect_ping_ack().await;
    client.send(headers(1, END | HAS_PRIORITY, &[&dependency(1), GET].concat())).await;
    assert_eq!(client.expect_message(1).await.body, b"hello");
}

#[tokio::test]
async fn s4_1_lower_urgency_is_served_first() {
    assert_eq!(first(&["u=5"], &["u=1"]).await, 5);
    assert_eq!(first(&["u=0"], &["u=7"]).await, 3);
    assert_eq!(first(&["u=7"], &["u=6"]).await, 5);
}

#[tokio::test]
async fn s4_1_the_default_urgency_is_3() {
    for unsaid in [&[][..], &[""], &["i"]] {
        assert_eq!(first(unsaid, &["u=2"]).await, 5);
        assert_eq!(first(&["u=4"], unsaid).await, 5);
    }
}

#[tokio::test]
async fn s4_2_what_is_not_incremental_is_served_one_by_one() {
    let mut client = starved(MillpondServer::builder()).await;
    ask(&mut client, 3, &["u=3"]).await;
    ask(&mut client, 5, &["u=3"]).await;
    for _ in 0..5 {
        assert_eq!(served(&mut client).await, 3);
    }
}

#[tokio::test]
async fn s4_2_what_is_incremental_shares() {
    let mut client = starved(MillpondServer::builder()).await;
    ask(&mut client, 3, &["i"]).await;
    ask(&mut client, 5, &["i=?1"]).await;
    let mut turns = Vec::new();
    for _ in 0..6 {
        turns.push(served(&mut client).await);
    }
    assert!([[3, 5].repeat(3), [5, 3].repeat(3)].contains(&turns), "{turns:?}");
}

#[tokio::test]
async fn s4_parameters_that_are_unknown_out_of_range_or_of_another_type_are_ignored() {
    for ignored in
        ["u=8", "u=-1", "u=1.0", "u=\"1\"", "u=?1", "u=tok", "x=1, y;z=?0", "foo=\"u=1, u=1\"", "urgency=1"]
    {
        assert_eq!(first(&[ignored], &["u=2"]).await, 5, "{ignored}");
        assert_eq!(first(&["u=4"], &[ignored]).await, 5, "{ignored}");
    }
    assert_eq!(first(&["u=3"], &["a=b, u=2;q=9, i;x, c=(1 2)"]).await, 5);
}

#[tokio::test]
async fn s5_lines_of_the_field_are_one_dictionary() {
    assert_eq!(first(&["u=3"], &["x=1", "u=2", "i"]).await, 5);
    assert_eq!(first(&["u=3"], &["u=5", "u=2"]).await, 5);
}

#[tokio::test]
async fn s5_a_field_that_is_no_dictionary_is_ignored() {
    for nonsense in [",", "u=2,", "U=2", "=", "?", "u=1,,i"] {
        assert_eq!(first(&["u=4"], &[nonsense]).await, 5, "{nonsense}");
        assert_eq!(first(&[nonsense], &["u=2"]).await, 5, "{nonsense}");
    }
}

#[tokio::test]
async fn s7_1_an_update_moves_a_response_under_way() {
    let mut client = starved(MillpondServer::builder()).await;
    ask(&mut client, 3, &["u=3"]).await;
    ask(&mut client, 5, &["u=3"]).await;
    assert_eq!(served(&mut client).await, 3);
    client.send(update(5, "u=1")).await;
    assert_eq!(served(&mut client).await, 5);
    client.send(update(3, "u=0")).await;
    assert_eq!(served(&mut client).await, 3);
    // What is left out has its default.
    client.send(update(3, "")).await;
    assert_eq!(served(&mut client).await, 5);
}

#[tokio::test]
async fn s7_1_an_update_for_an_idle_stream_is_kept_for_it_and_overrides_its_field() {
    let mut client = starved(MillpondServer::builder()).await;
    client.send([update(7, "u=6"), update(5, "u=4"), update(5, "u=1"), update(7, "u=0")].concat()).await;
    ask(&mut client, 3, &["u=2"]).await;
    ask(&mut client, 5, &["u=7"]).await;
    assert_eq!(served(&mut client).await, 5);
    ask(&mut client, 7, &[]).await;
    assert_eq!(served(&mut client).await, 7);
}

#[tokio::test]
async fn s7_1_idle_streams_with_a_priority_and_active_ones_are_within_the_limit() {
    let limited = || MillpondServer::builder().max_concurrent_streams(Some(3));
    let mut client = Client::connect_to(limited(), &[]).await;
    client.send(headers(1, END, &request("GET", "/wait", &[]))).await;
    client.send([update(3, "u=1"), update(5, "u=1"), update(3, "u=2"), update(5, "i")].concat()).await;
    client.expect_ping_ack().await;
    client.send(update(7, "u=1")).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;

    // Streams that were opened or passed over are idle no more.
    let mut client = Client::connect_to(limited(), &[]).await;
    client.send([update(1, "u=1"), update(3, "u=1"), update(5, "u=1")].concat()).await;
    client.send(headers(3, END, &request("GET", "/", &[]))).await;
    client.expect_message(3).await;
    client.send([update(7, "u=1"), update(9, "u=1")].concat()).await;
    client.expect_ping_ack().await;
    client.send(update(11, "u=1")).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s7_1_an_update_for_a_closed_stream_is_ignored() {
    let mut client = Client::connect().await;
    client.send(headers(5, END, GET)).await;
    client.expect_message(5).await;
    client.send([update(5, "u=1"), update(1, "u=1")].concat()).await;
    client.expect_ping_ack().await;
}

#[tokio::test]
async fn s7_1_an_update_comes_on_stream_0() {
    let mut client = Client::connect().await;
    client.send(frame(PRIORITY_UPDATE, 0, 1, b"\0\0\0\x01u=1")).await;
    client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn s7_1_an_update_names_a_stream_of_the_client() {
    for stream in [0, 2] {
        let mut client = Client::connect().await;
        client.send(update(stream, "u=1")).await;
        client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    }
}

#[tokio::test]
async fn s7_1_an_update_that_is_too_short_is_a_frame_size_error() {
    for payload in [&b""[..], b"\0\0\0"] {
        let mut client = Client::connect().await;
        client.send(frame(PRIORITY_UPDATE, 0, 0, payload)).await;
        client.expect_connection_error(ErrorCode::FRAME_SIZE_ERROR).await;
    }
}

#[tokio::test]
async fn s7_1_an_update_that_cannot_be_parsed_is_a_connection_error() {
    for value in ["u=1,,i", "U=1", "u=\u{e9}\u{301},\u{1}"] {
        let mut client = Client::connect().await;
        client.send(update(1, value)).await;
        client.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    }
}

#[tokio::test]
async fn s7_1_the_reserved_bit_and_the_flags_of_an_update_are_ignored() {
    let mut client = starved(MillpondServer::builder()).await;
    ask(&mut client, 3, &["u=3"]).await;
    ask(&mut client, 5, &["u=3"]).await;
    client.send(frame(PRIORITY_UPDATE, 0xff, 0, b"\x80\0\0\x05u=1")).await;
    assert_eq!(served(&mut client).await, 5);
}

#[tokio::test]
async fn s7_1_a_server_does_not_send_updates() {
    let mut server = Server::accept().await;
    let call = server.get();
    server.expect(HEADERS, 1).await;
    server.send(update(1, "u=1")).await;
    server.expect_connection_error(ErrorCode::PROTOCOL_ERROR).await;
    call.reply().await.unwrap_err();
}
