//! Informational (1xx) responses (RFC 9113 §8.1, RFC 9110 §15.2).

use std::{future::poll_fn, pin::Pin};

use http::Response;
use tokio_test::{assert_pending, assert_ready, task};

use super::{
    super::h2::{self, Reason, client::ResponseFuture},
    endpoint::*,
};
use crate::mock::*;

const URI: &str = "https://example.com/";

/// The next informational response.
async fn next_hint(answer: &mut ResponseFuture) -> Option<Result<Response<()>, h2::Error>> {
    within("an informational response", poll_fn(|cx| answer.poll_informational(cx))).await
}

#[tokio::test]
async fn a_server_invites_the_body() {
    let (mut requests, _connection, mut peer) = server().await;
    peer.send(request(1, "POST", URI));
    let (request, mut answer) = accepted(&mut requests).await;
    answer.send_informational(status(100)).unwrap();
    peer.expect(response(1, 100)).await;
    peer.send(data(1, "the body").end_stream());
    assert_eq!(read_all(&mut request.into_body()).await.unwrap(), b"the body");
    answer.send_response(status(200), true).unwrap();
    peer.expect(response(1, 200).end_stream()).await;
    peer.idle().await;
}

#[tokio::test]
async fn a_server_sends_hints_with_fields() {
    let (mut requests, _connection, mut peer) = server().await;
    peer.send(request(1, "GET", URI).end_stream());
    let (_request, mut answer) = accepted(&mut requests).await;
    let link = "</style.css>; rel=preload; as=style";
    let hint = Response::builder().status(103).header("link", link).body(()).unwrap();
    answer.send_informational(hint).unwrap();
    peer.expect(response(1, 103).field("link", link)).await;
    answer.send_response(status(200), true).unwrap();
    peer.expect(response(1, 200).end_stream()).await;
}

#[tokio::test]
async fn a_server_sends_as_many_as_it_likes_in_order() {
    let (mut requests, _connection, mut peer) = server().await;
    peer.send(request(1, "POST", URI));
    let (_request, mut answer) = accepted(&mut requests).await;
    for code in [100, 102, 103, 103] {
        answer.send_informational(status(code)).unwrap();
    }
    let mut body = answer.send_response(status(200), false).unwrap();
    body.send_data("ok".into(), true).unwrap();
    for code in [100, 102, 103, 103, 200] {
        peer.expect(response(1, code)).await;
    }
    peer.expect(data(1, "ok").end_stream()).await;
}

#[tokio::test]
async fn a_server_sends_them_while_the_request_goes_on() {
    let (mut requests, _connection, mut peer) = server().await;
    peer.send(request(1, "POST", URI));
    let (request, mut answer) = accepted(&mut requests).await;
    let mut upload = request.into_body();
    answer.send_informational(status(100)).unwrap();
    peer.expect(response(1, 100)).await;
    peer.send(data(1, "one"));
    assert_eq!(within("data", upload.data()).await.unwrap().unwrap(), "one");
    answer.send_informational(status(103)).unwrap();
    peer.expect(response(1, 103)).await;
    peer.send(data(1, "two").end_stream());
    assert_eq!(within("data", upload.data()).await.unwrap().unwrap(), "two");
    answer.send_response(status(200), false).unwrap().send_data("done".into(), true).unwrap();
    peer.expect(response(1, 200)).await;
    peer.expect(data(1, "done").end_stream()).await;
}

#[tokio::test]
async fn a_server_refuses_other_statuses() {
    let (mut requests, _connection, mut peer) = server().await;
    peer.send(request(1, "GET", URI).end_stream());
    let (_request, mut answer) = accepted(&mut requests).await;
    for code in [200, 204, 304, 404, 500] {
        let error = answer.send_informational(status(code)).unwrap_err();
        assert_eq!(error.to_string(), "user error: invalid informational status code");
    }
    peer.idle().await;
    answer.send_response(status(200), true).unwrap();
    peer.expect(response(1, 200).end_stream()).await;
}

#[tokio::test]
async fn a_server_refuses_fields_of_a_connection() {
    let (mut requests, _connection, mut peer) = server().await;
    peer.send(request(1, "GET", URI).end_stream());
    let (_request, mut answer) = accepted(&mut requests).await;
    let hint = Response::builder().status(103).header("connection", "close").body(()).unwrap();
    let error = answer.send_informational(hint).unwrap_err();
    assert_eq!(error.to_string(), "user error: malformed headers");
    peer.idle().await;
}

#[tokio::test]
async fn a_client_need_not_look_at_them() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    let mut answer = task::spawn(answer);
    assert_pending!(answer.poll());
    peer.send(response(1, 100));
    peer.send(response(1, 103).field("link", "</a>"));
    turns().await;
    // They may have come with the response.
    assert!(answer.is_woken());
    assert_pending!(answer.poll());
    peer.send(response(1, 200).field("content-length", "2"));
    peer.send(data(1, "ok").end_stream());
    let answer = within("the response", answer).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(!answer.headers().contains_key("link"));
    assert_eq!(read_all(&mut answer.into_body()).await.unwrap(), b"ok");
}

#[tokio::test]
async fn a_client_goes_on_sending_after_them() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, mut upload) = client.send_request(post(URI), false).unwrap();
    peer.expect(request(1, "POST", URI)).await;
    peer.send(response(1, 103));
    peer.send(response(1, 200).field("content-length", "2"));
    let answer = within("the response", answer).await.unwrap();
    assert_eq!(answer.status(), 200);
    upload.send_data("hello".into(), true).unwrap();
    peer.expect(data(1, "hello").end_stream()).await;
    peer.send(data(1, "ok").end_stream());
    assert_eq!(read_all(&mut answer.into_body()).await.unwrap(), b"ok");
}

#[tokio::test]
async fn a_client_that_looks_sees_each_of_them() {
    let (mut client, _connection, mut peer) = client().await;
    let (mut answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(response(1, 100));
    peer.send(response(1, 103).field("link", "</a>"));
    let hint = next_hint(&mut answer).await.unwrap().unwrap();
    assert_eq!((hint.status().as_u16(), hint.headers().len()), (100, 0));
    let hint = next_hint(&mut answer).await.unwrap().unwrap();
    assert_eq!((hint.status().as_u16(), &hint.headers()["link"]), (103, &"</a>".parse().unwrap()));

    let mut waiting = task::spawn(poll_fn(|cx| answer.poll_informational(cx)));
    assert_pending!(waiting.poll());
    peer.send(response(1, 200));
    turns().await;
    assert!(waiting.is_woken());
    assert!(assert_ready!(waiting.poll()).is_none());
    drop(waiting);
    assert_eq!(within("the response", &mut answer).await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_response_says_that_no_more_will_come() {
    let (mut client, _connection, mut peer) = client().await;
    let (mut answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    // The stream stays open.
    peer.send(response(1, 200));
    assert!(next_hint(&mut answer).await.is_none());
    assert!(next_hint(&mut answer).await.is_none());
    let taken = within("the response", poll_fn(|cx| Pin::new(&mut answer).poll(cx))).await.unwrap();
    assert_eq!(taken.status(), 200);

    // Once the response is taken there is nothing to tell them from data to come.
    assert_pending!(task::spawn(poll_fn(|cx| answer.poll_informational(cx))).poll());
    peer.send(data(1, "a body").end_stream());
    let mut body = taken.into_body();
    assert_eq!(read_all(&mut body).await.unwrap(), b"a body");
    assert!(next_hint(&mut answer).await.is_none());
}

#[tokio::test]
async fn an_error_ends_the_wait_for_them() {
    let (mut client, _connection, mut peer) = client().await;
    let (mut answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    let mut waiting = task::spawn(poll_fn(|cx| answer.poll_informational(cx)));
    assert_pending!(waiting.poll());
    peer.send(reset(1, Reason::CANCEL));
    turns().await;
    assert!(waiting.is_woken());
    let error = assert_ready!(waiting.poll()).unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(Reason::CANCEL));
}

#[tokio::test]
async fn one_that_ends_the_stream_is_no_response() {
    let (mut client, _connection, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(response(1, 103).end_stream());
    let error = within("the response", answer).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR));
}

#[tokio::test]
async fn data_after_one_is_a_connection_error() {
    let (mut client, connection, mut peer) = client().await;
    let (_answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(response(1, 100));
    peer.send(data(1, "too early"));
    peer.expect(goaway(0, Reason::PROTOCOL_ERROR)).await;
    ended(connection).await.unwrap_err();
}
