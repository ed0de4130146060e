//! Trailers (RFC 9113 §8.1).

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake},
};

use http::HeaderMap;

use super::super::h2::{RecvStream, SendStream};
use super::endpoint::*;
use crate::mock::*;

const URI: &str = "https://example.com/";

/// How often a task was woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A client that has asked for something and has heard the start of the answer.
async fn answered() -> (RecvStream, SendRequest, Ending, Peer) {
    let (mut client, ending, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    peer.send(response(1, 200));
    let answer = within("the response", answer).await.unwrap();
    (answer.into_body(), client, ending, peer)
}

/// A client whose request goes on.
async fn asking() -> (SendStream<bytes::Bytes>, SendRequest, Peer) {
    let (mut client, _ending, mut peer) = client().await;
    let (answer, send) = client.send_request(post(URI), false).unwrap();
    peer.expect(request(1, "POST", URI)).await;
    drop(answer);
    (send, client, peer)
}

#[tokio::test]
async fn trailers_without_data() {
    let (mut body, client, ending, mut peer) = answered().await;
    peer.send(headers(1).field("status", "ok").end_stream());
    assert!(within("the end", body.data()).await.is_none());
    assert!(!body.is_end_stream());
    // They stay until they are taken.
    assert!(within("the end", body.data()).await.is_none());
    let trailers = within("trailers", body.trailers()).await.unwrap().unwrap();
    assert_eq!(trailers, fields(&[("status", "ok")]));
    assert!(body.is_end_stream());
    assert!(within("trailers", body.trailers()).await.unwrap().is_none());
    drop((body, client));
    peer.expect(goaway(0, 0u32)).await;
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn trailers_after_data() {
    let (mut body, _client, _ending, mut peer) = answered().await;
    peer.send(data(1, "hello"));
    peer.send(data(1, "world"));
    peer.send(
        headers(1).field("status", "ok").field("set-cookie", "a").field("set-cookie", "b").end_stream(),
    );
    assert_eq!(read_all(&mut body).await.unwrap(), b"helloworld");
    let trailers = within("trailers", body.trailers()).await.unwrap().unwrap();
    assert_eq!(trailers["status"], "ok");
    assert_eq!(trailers.get_all("set-cookie").iter().collect::<Vec<_>>(), ["a", "b"]);
}

#[tokio::test]
async fn trailers_that_come_late() {
    let (mut body, _client, _ending, mut peer) = answered().await;
    peer.send(data(1, "hello"));
    assert_eq!(within("data", body.data()).await.unwrap().unwrap(), "hello");
    let trailers = tokio::spawn(async move { body.trailers().await });
    peer.idle().await;
    assert!(!trailers.is_finished());
    peer.send(headers(1).field("status", "ok").end_stream());
    let trailers = within("trailers", trailers).await.unwrap().unwrap();
    assert_eq!(trailers, Some(fields(&[("status", "ok")])));
}

#[tokio::test]
async fn a_message_may_end_without_trailers() {
    let (mut body, _client, _ending, mut peer) = answered().await;
    let trailers = tokio::spawn(async move { body.trailers().await });
    peer.idle().await;
    assert!(!trailers.is_finished());
    peer.send(data(1, "").end_stream());
    peer.idle().await;
    // The last piece of data, although it is empty, is first.
    assert!(!trailers.is_finished());
    trailers.abort();

    let (mut body, _client, _ending, mut peer) = answered().await;
    peer.send(data(1, "hello").end_stream());
    assert_eq!(read_all(&mut body).await.unwrap(), b"hello");
    assert_eq!(within("trailers", body.trailers()).await.unwrap(), None);
}

#[tokio::test]
async fn taking_the_data_wakes_who_waits_for_trailers() {
    let (mut body, _client, _ending, mut peer) = answered().await;
    peer.send(data(1, "hello world"));
    peer.send(headers(1).field("status", "ok").end_stream());
    peer.idle().await;
    let wakes = Arc::new(Wakes::default());
    let waker = wakes.clone().into();
    let mut cx = Context::from_waker(&waker);
    assert!(body.poll_trailers(&mut cx).is_pending());
    assert_eq!(wakes.0.load(Ordering::SeqCst), 0);
    let chunk = within("data", poll_fn(|cx| body.poll_data(cx))).await.unwrap().unwrap();
    assert_eq!(chunk, "hello world");
    assert!(within("the end", poll_fn(|cx| body.poll_data(cx))).await.is_none());
    assert!(wakes.0.load(Ordering::SeqCst) > 0);
    let trailers = match body.poll_trailers(&mut cx) {
        Poll::Ready(trailers) => trailers.unwrap(),
        Poll::Pending => panic!("woken for nothing"),
    };
    assert_eq!(trailers, Some(fields(&[("status", "ok")])));
}

#[tokio::test]
async fn a_reset_wakes_who_waits_for_trailers() {
    let (mut body, _client, _ending, mut peer) = answered().await;
    let mut trailers = pin!(body.trailers());
    tokio::select! {
        biased;
        trailers = &mut trailers => panic!("{trailers:?}"),
        () = peer.idle() => {}
    }
    peer.send(reset(1, 8u32));
    let error = within("trailers", trailers).await.unwrap_err();
    assert_eq!(error.to_string(), "stream error received: stream no longer needed");
}

#[tokio::test]
async fn trailers_right_after_the_request() {
    let (mut client, _ending, mut peer) = client().await;
    let (answer, mut send) = client.send_request(post(URI), false).unwrap();
    send.send_trailers(fields(&[("zomg", "hello")])).unwrap();
    peer.expect(request(1, "POST", URI)).await;
    peer.expect(headers(1).field("zomg", "hello").end_stream()).await;
    peer.send(response(1, 200));
    peer.send(data(1, "hello world").end_stream());
    let mut body = within("the response", answer).await.unwrap().into_body();
    assert_eq!(read_all(&mut body).await.unwrap(), b"hello world");
    assert_eq!(within("trailers", body.trailers()).await.unwrap(), None);
}

#[tokio::test]
async fn trailers_of_no_field() {
    let (mut send, _client, mut peer) = asking().await;
    send.send_trailers(HeaderMap::new()).unwrap();
    peer.expect(headers(1).end_stream()).await;
    peer.send(response(1, 200));
    peer.send(headers(1).end_stream());
    peer.idle().await;
}

#[tokio::test]
async fn trailers_wait_for_the_data_before_them() {
    let (mut send, _client, mut peer) = asking().await;
    send.send_data(vec![7; 65_545].into(), false).unwrap();
    send.send_trailers(fields(&[("zomg", "hello")])).unwrap();
    for octets in [16_384, 16_384, 16_384, 16_383] {
        peer.expect(data(1, vec![7; octets])).await;
    }
    peer.idle().await;
    peer.send(window_update(0, 100));
    peer.idle().await;
    peer.send(window_update(1, 100));
    peer.expect(data(1, [7; 10])).await;
    peer.expect(headers(1).field("zomg", "hello").end_stream()).await;
    peer.idle().await;
}

#[tokio::test]
async fn trailers_need_no_window() {
    let (mut client, _ending, mut peer) =
        client_with(&super::super::h2::client::Builder::new(), &[(INITIAL_WINDOW_SIZE, 0)]).await;
    let (_answer, mut send) = client.send_request(post(URI), false).unwrap();
    send.reserve_capacity(100);
    send.send_trailers(fields(&[("zomg", "hello")])).unwrap();
    peer.expect(request(1, "POST", URI)).await;
    peer.expect(headers(1).field("zomg", "hello").end_stream()).await;
    assert!(poll_fn(|cx| send.poll_capacity(cx)).await.is_none());
}

#[tokio::test]
async fn nothing_follows_trailers() {
    let (mut send, _client, mut peer) = asking().await;
    send.send_trailers(HeaderMap::new()).unwrap();
    let error = send.send_trailers(HeaderMap::new()).unwrap_err();
    assert_eq!(error.to_string(), "user error: unexpected frame type");
    let error = send.send_data("more".into(), true).unwrap_err();
    assert_eq!(error.to_string(), "user error: unexpected frame type");
    peer.expect(headers(1).end_stream()).await;
    peer.idle().await;
}

#[tokio::test]
async fn refused_trailers_do_not_end_the_stream() {
    let (mut send, _client, mut peer) = asking().await;
    let lines = [
        ("connection", "close"),
        ("keep-alive", "5"),
        ("proxy-connection", "close"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
    ];
    for line in lines {
        let error = send.send_trailers(fields(&[line])).unwrap_err();
        assert_eq!(error.to_string(), "user error: malformed headers", "{line:?}");
    }
    send.send_data("hello".into(), false).unwrap();
    send.send_trailers(fields(&[("te", "trailers")])).unwrap();
    peer.expect(data(1, "hello")).await;
    peer.expect(headers(1).field("te", "trailers").end_stream()).await;
}

#[tokio::test]
async fn trailers_of_both_sides_on_one_stream() {
    let (mut requests, ending, mut peer) = server().await;
    peer.send(request(1, "POST", URI));
    let (request, mut respond) = accepted(&mut requests).await;
    let mut send = respond.send_response(status(200), false).unwrap();
    peer.send(headers(1).field("from", "client").end_stream());
    let trailers = within("trailers", request.into_body().trailers()).await.unwrap();
    assert_eq!(trailers, Some(fields(&[("from", "client")])));
    send.send_trailers(fields(&[("from", "server")])).unwrap();
    drop((send, respond));
    peer.expect(response(1, 200)).await;
    peer.expect(headers(1).field("from", "server").end_stream()).await;
    peer.idle().await;
    peer.close();
    peer.expect_end().await;
    within("the end", ending).await.unwrap().unwrap();
}
