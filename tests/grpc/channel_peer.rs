//! What our channel makes of a server that refuses, goes away or breaks (RFC 9113 §6.8, §7, §8.7), as its users
//! and tonic see it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use millpond::{CallError, Channel, ErrorCode, buffer::BufferPool};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tonic::Code;

use crate::{
    raw::{self, Raw},
    tools::call,
    world::{channel_to, on_both_runtimes, pause, quiet, soon},
};

on_both_runtimes! {
    a_reset_is_the_status_that_grpc_says
    goaway_sorts_the_calls
    goaway_with_an_error_fails_all
    a_broken_connection_is_unavailable
    a_broken_response_is_unavailable
    calls_that_wait_for_a_stream_move_to_the_next_connection
    an_answer_before_goaway_counts
}

/// A listener whose connections are spoken to by hand.
struct Script {
    listener: TcpListener,
    channel: Channel,
    pool: BufferPool,
}

impl Script {
    async fn start() -> Script {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (builder, pool) = channel_to(listener.local_addr().unwrap());
        let backoff = Duration::from_millis(1);
        let channel = builder.reconnect_backoff(backoff, backoff).connect_lazy().unwrap();
        Script { listener, channel, pool }
    }

    async fn accept(&self, settings: &[(u16, u32)]) -> Raw<TcpStream> {
        let (socket, _) = soon("a connection", self.listener.accept()).await.unwrap();
        Raw::server(socket, settings).await
    }

    fn call(&self) -> JoinHandle<Result<(), CallError>> {
        let channel = self.channel.clone();
        tokio::spawn(async move { call(&channel, get()).await.map(drop) })
    }

    /// After a connection was lost: the pause before the next one may have to pass first.
    fn call_again(&self) -> JoinHandle<Result<(), CallError>> {
        let channel = self.channel.clone();
        tokio::spawn(async move {
            let begun = Instant::now();
            loop {
                match call(&channel, get()).await {
                    Err(error) if error.is_connect() && begun.elapsed() < Duration::from_secs(30) => {
                        pause(1).await
                    }
                    ended => return ended.map(drop),
                }
            }
        })
    }

    async fn finish(self) {
        drop(self.channel);
        quiet(&self.pool).await;
    }
}

fn get() -> Request<Empty<Bytes>> {
    Request::get("/").body(Empty::new()).unwrap()
}

async fn request(peer: &mut Raw<TcpStream>) -> u32 {
    let frame = soon("a request", peer.next_of_stream()).await;
    assert!(frame.kind == raw::HEADERS && frame.ends(), "{frame:?}");
    frame.stream
}

async fn answer(peer: &mut Raw<TcpStream>, stream: u32) {
    peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, stream, raw::OK)).await;
}

/// The peer closes in good order. With octets left unread the system would reset the connection, and what was
/// sent last could be lost.
async fn hang_up(mut peer: Raw<TcpStream>) {
    peer.io.shutdown().await.unwrap();
    while soon("the end", peer.next()).await.is_some() {}
}

async fn failure(call: JoinHandle<Result<(), CallError>>) -> (CallError, Code) {
    let error = soon("a failure", call).await.unwrap().unwrap_err();
    let status = tonic::Status::from_error(Box::new(error.clone()));
    (error, status.code())
}

async fn a_reset_is_the_status_that_grpc_says() {
    let script = Script::start().await;
    let first = script.call();
    let mut peer = script.accept(&[]).await;
    let stream = request(&mut peer).await;
    answer(&mut peer, stream).await;
    first.await.unwrap().unwrap();
    for (code, expected) in [
        (ErrorCode::NO_ERROR, Code::Internal),
        (ErrorCode::PROTOCOL_ERROR, Code::Internal),
        (ErrorCode::INTERNAL_ERROR, Code::Internal),
        (ErrorCode::REFUSED_STREAM, Code::Unavailable),
        (ErrorCode::CANCEL, Code::Cancelled),
        (ErrorCode::ENHANCE_YOUR_CALM, Code::ResourceExhausted),
        (ErrorCode::INADEQUATE_SECURITY, Code::PermissionDenied),
    ] {
        let call = script.call();
        let stream = request(&mut peer).await;
        peer.send(&raw::frame(raw::RST_STREAM, 0, stream, &u32::from(code).to_be_bytes())).await;
        let (error, status) = failure(call).await;
        assert_eq!((error.code(), status), (Some(code), expected));
        assert_eq!(error.is_unprocessed(), code == ErrorCode::REFUSED_STREAM, "{error:?}");
    }
    drop(peer);
    script.finish().await;
}

async fn goaway_sorts_the_calls() {
    let script = Script::start().await;
    let first = script.call();
    let mut peer = script.accept(&[]).await;
    assert_eq!(request(&mut peer).await, 1);
    let second = script.call();
    assert_eq!(request(&mut peer).await, 3);
    peer.send(&raw::goaway(1, ErrorCode::NO_ERROR)).await;
    let (error, status) = failure(second).await;
    assert!(error.is_unprocessed() && error.transport().unwrap().is_go_away(), "{error:?}");
    assert_eq!(status, Code::Unavailable);
    // A call that comes now goes to another connection; the old one finishes what it has.
    let third = script.call_again();
    let mut other = script.accept(&[]).await;
    let stream = request(&mut other).await;
    answer(&mut other, stream).await;
    third.await.unwrap().unwrap();
    assert!(!first.is_finished());
    answer(&mut peer, 1).await;
    first.await.unwrap().unwrap();
    while soon("the old connection ends", peer.next()).await.is_some() {}
    drop(other);
    script.finish().await;
}

async fn goaway_with_an_error_fails_all() {
    let script = Script::start().await;
    for (code, expected) in [
        (ErrorCode::ENHANCE_YOUR_CALM, Code::ResourceExhausted),
        (ErrorCode::INTERNAL_ERROR, Code::Internal),
        (ErrorCode::NO_ERROR, Code::Unavailable),
    ] {
        let first = script.call_again();
        let mut peer = script.accept(&[]).await;
        assert_eq!(request(&mut peer).await, 1);
        // It may have been processed, so nothing says that it may be sent again.
        peer.send(&raw::goaway(1, code)).await;
        hang_up(peer).await;
        let (error, status) = failure(first).await;
        assert!(!error.is_unprocessed(), "{error:?}");
        assert_eq!(status, expected, "{code}: {error:?}");
    }
    script.finish().await;
}

async fn a_broken_connection_is_unavailable() {
    let script = Script::start().await;
    for reset in [false, true] {
        let call = script.call_again();
        let mut peer = script.accept(&[]).await;
        request(&mut peer).await;
        if reset {
            peer.io.set_zero_linger().unwrap();
        }
        drop(peer);
        let (error, status) = failure(call).await;
        assert!(error.transport().unwrap().is_io() && !error.is_unprocessed(), "{error:?}");
        assert_eq!(status, Code::Unavailable);
    }
    script.finish().await;
}

/// The connection breaks in the middle of a response.
async fn a_broken_response_is_unavailable() {
    let script = Script::start().await;
    let call = script.call();
    let mut peer = script.accept(&[]).await;
    let stream = request(&mut peer).await;
    peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS, stream, raw::OK)).await;
    peer.send(&raw::frame(raw::DATA, 0, stream, &[7; 1_000])).await;
    // Half of another frame.
    peer.send(&raw::frame(raw::DATA, 0, stream, &[7; 1_000])[..500]).await;
    drop(peer);
    assert_eq!(failure(call).await.1, Code::Unavailable);
    script.finish().await;
}

async fn calls_that_wait_for_a_stream_move_to_the_next_connection() {
    let script = Script::start().await;
    let first = script.call();
    let mut peer = script.accept(&[(raw::MAX_CONCURRENT_STREAMS, 1)]).await;
    // The request and the acknowledgement of the limit, which holds from then on; either may come first.
    let (mut asked, mut limited) = (false, false);
    while !(asked && limited) {
        let frame = soon("a request, and that the limit holds", peer.next()).await.unwrap();
        asked |= frame.kind == raw::HEADERS && frame.stream == 1 && frame.ends();
        limited |= frame.kind == raw::SETTINGS && frame.flags == raw::ACK;
    }
    let waiting: Vec<_> = (0..5).map(|_| script.call()).collect();
    pause(20).await;
    assert!(waiting.iter().all(|call| !call.is_finished()));
    peer.send(&raw::goaway(1, ErrorCode::NO_ERROR)).await;
    // They have not been sent, so none fails.
    let mut other = script.accept(&[]).await;
    for _ in 0..5 {
        let stream = request(&mut other).await;
        answer(&mut other, stream).await;
    }
    for call in waiting {
        soon("an answer", call).await.unwrap().unwrap();
    }
    answer(&mut peer, 1).await;
    soon("the first answer", first).await.unwrap().unwrap();
    drop((peer, other));
    script.finish().await;
}

async fn an_answer_before_goaway_counts() {
    let script = Script::start().await;
    let call = script.call();
    let mut peer = script.accept(&[]).await;
    let stream = request(&mut peer).await;
    let answer = raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, stream, raw::OK);
    peer.send(&[answer, raw::goaway(stream, ErrorCode::NO_ERROR)].concat()).await;
    hang_up(peer).await;
    soon("the answer", call).await.unwrap().unwrap();
    script.finish().await;
}
