//! Calls that nobody waits for any more: the server is told (CANCEL), and the connection lives on.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty, StreamBody};
use millpond::{Channel, ErrorCode, buffer::BufferPool};
use millpond_testkit::echo::{EchoClient, Msg};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_stream::wrappers::ReceiverStream;
use tower::{Service, ServiceExt};

use crate::{
    raw::{self, Raw},
    tools::call,
    world::{channel_to, on_both_runtimes, pause, quiet, soon},
};

on_both_runtimes! {
    before_the_first_poll
    in_flight
    while_the_request_streams
    while_the_response_streams
    the_response_while_the_request_streams
    a_whole_response_does_not_end_the_request
}

/// A channel, and the peer that it is connected to.
async fn connected() -> (Channel, Raw<TcpStream>, BufferPool) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (builder, pool) = channel_to(listener.local_addr().unwrap());
    let (channel, accepted) = tokio::join!(builder.connect(), listener.accept());
    (channel.unwrap(), Raw::server(accepted.unwrap().0, &[]).await, pool)
}

/// The peer answers one more call, and sees the channel leave.
async fn finish(channel: Channel, mut peer: Raw<TcpStream>, pool: BufferPool) {
    let request = Request::get("/").body(Empty::<Bytes>::new()).unwrap();
    let last = tokio::spawn(async move { call(&channel, request).await });
    let asked = soon("another call", peer.next_of_stream()).await;
    assert!(asked.kind == raw::HEADERS && asked.ends(), "{asked:?}");
    peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, asked.stream, raw::OK)).await;
    soon("the answer", last).await.unwrap().unwrap();
    while soon("the end", peer.next()).await.is_some() {}
    quiet(&pool).await;
}

async fn expect_cancel(peer: &mut Raw<TcpStream>, stream: u32) {
    let reset = soon("RST_STREAM", peer.expect(raw::RST_STREAM)).await;
    assert_eq!((reset.stream, reset.code()), (stream, ErrorCode::CANCEL));
}

fn get() -> Request<Empty<Bytes>> {
    Request::get("/").body(Empty::new()).unwrap()
}

async fn before_the_first_poll() {
    let (mut channel, peer, pool) = connected().await;
    for _ in 0..3 {
        let ready = ServiceExt::<Request<Empty<Bytes>>>::ready(&mut channel).await.unwrap();
        drop(ready.call(get()));
    }
    // The peer never hears of those.
    finish(channel, peer, pool).await;
}

async fn in_flight() {
    let (channel, mut peer, pool) = connected().await;
    let calling = tokio::spawn({
        let channel = channel.clone();
        async move { call(&channel, get()).await }
    });
    let asked = soon("the request", peer.next_of_stream()).await;
    calling.abort();
    expect_cancel(&mut peer, asked.stream).await;
    finish(channel, peer, pool).await;
}

/// A body of which one piece is there, and whose source lives on.
fn begun()
-> (impl http_body::Body<Data = Bytes, Error = std::convert::Infallible> + Send, mpsc::Sender<Frame>) {
    let (send, pieces) = mpsc::channel(4);
    send.try_send(Ok(http_body::Frame::data(Bytes::from_static(b"begun")))).unwrap();
    (StreamBody::new(ReceiverStream::new(pieces)), send)
}

type Frame = Result<http_body::Frame<Bytes>, std::convert::Infallible>;

async fn while_the_request_streams() {
    let (channel, mut peer, pool) = connected().await;
    let (body, source) = begun();
    let calling = tokio::spawn({
        let channel = channel.clone();
        async move { call(&channel, Request::post("/").body(body).unwrap()).await }
    });
    let piece = soon("the request", peer.expect(raw::DATA)).await;
    calling.abort();
    expect_cancel(&mut peer, piece.stream).await;
    soon("the body is dropped", source.closed()).await;
    finish(channel, peer, pool).await;
}

async fn while_the_response_streams() {
    let (channel, mut peer, pool) = connected().await;
    let calling = tokio::spawn(channel.clone().oneshot(get()));
    let asked = soon("the request", peer.next_of_stream()).await;
    peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS, asked.stream, raw::OK)).await;
    peer.send(&raw::frame(raw::DATA, 0, asked.stream, &[7; 1_000])).await;
    let mut body = calling.await.unwrap().unwrap().into_body();
    assert!(soon("a piece", body.frame()).await.unwrap().unwrap().is_data());
    drop(body);
    expect_cancel(&mut peer, asked.stream).await;
    finish(channel, peer, pool).await;
}

/// Nobody reads the answers, so the questions are of no use: gRPC calls it a cancelled call.
async fn the_response_while_the_request_streams() {
    let (channel, mut peer, pool) = connected().await;
    let (send, messages) = mpsc::channel(1);
    send.send(Msg::default()).await.unwrap();
    let calling = tokio::spawn({
        let mut client = EchoClient::new(channel.clone());
        async move { client.bidi(ReceiverStream::new(messages)).await.unwrap().into_inner() }
    });
    let asked = soon("the request", peer.next_of_stream()).await;
    // With `content-type: application/grpc`, not indexed, name index 31.
    let head = [&[0x88, 0x0f, 0x10, 16][..], b"application/grpc"].concat();
    peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS, asked.stream, &head)).await;
    let answers = calling.await.unwrap();
    pause(20).await;
    drop(answers);
    expect_cancel(&mut peer, asked.stream).await;
    soon("the request body is dropped", send.closed()).await;
    finish(channel, peer, pool).await;
}

/// RFC 9113 §8.1: a response may be whole before the request is.
async fn a_whole_response_does_not_end_the_request() {
    let (channel, mut peer, pool) = connected().await;
    let (body, source) = begun();
    let calling = tokio::spawn({
        let channel = channel.clone();
        async move { call(&channel, Request::post("/").body(body).unwrap()).await }
    });
    let piece = soon("the request", peer.expect(raw::DATA)).await;
    peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, piece.stream, raw::OK)).await;
    soon("the response", calling).await.unwrap().unwrap();
    source.send(Ok(http_body::Frame::data(Bytes::from_static(b"more")))).await.unwrap();
    assert_eq!(soon("more", peer.expect(raw::DATA)).await.payload, b"more");
    drop(source);
    assert!(soon("the end", peer.expect(raw::DATA)).await.ends());
    finish(channel, peer, pool).await;
}
