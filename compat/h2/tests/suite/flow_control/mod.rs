//! Flow control (RFC 9113 §5.2, §6.9): what may be sent, what is given back, and when the peer hears of it.

mod capacity;
mod capacity_polls;
mod limits;
mod own_windows;
mod peer_settings;
mod returned_credit;
mod window_updates;

use std::{
    future::poll_fn,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

use super::{
    super::h2::{self, RecvStream, SendStream, client::ResponseFuture},
    endpoint::*,
};
use crate::mock::*;

/// The window that every stream and the connection begin with (RFC 9113 §6.9.2).
pub(super) const WINDOW: usize = 65_535;
/// The largest frame that a peer takes unasked (RFC 9113 §4.2).
pub(super) const FRAME: usize = 16_384;
/// The largest window (RFC 9113 §6.9.1).
const MAX_WINDOW: u32 = (1 << 31) - 1;

pub(super) const URI: &str = "https://example.com/";

pub(super) fn zeros(octets: usize) -> Bytes {
    Bytes::from(vec![0; octets])
}

/// A request whose body is still to be sent; the peer has heard its HEADERS.
pub(super) async fn open(
    client: &mut SendRequest,
    peer: &mut Peer,
    id: u32,
) -> (ResponseFuture, SendStream<Bytes>) {
    let opened = client.send_request(post(URI), false).unwrap();
    peer.expect(request(id, "POST", URI)).await;
    opened
}

/// A request without a body and the body of its response, so far frames of these sizes.
async fn fetch(client: &mut SendRequest, peer: &mut Peer, id: u32, sizes: &[usize]) -> RecvStream {
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(id, "GET", URI).end_stream()).await;
    peer.send(response(id, 200));
    for octets in sizes {
        peer.send(data(id, zeros(*octets)));
    }
    within("the response", answer).await.unwrap().into_body()
}

/// Takes one chunk of this size.
#[track_caller]
fn take(body: &mut RecvStream, octets: usize) -> impl Future<Output = ()> {
    let chunk = within("data", body.data());
    async move { assert_eq!(chunk.await.expect("the body has ended").unwrap().len(), octets) }
}

/// Hears DATA frames of these sizes.
pub(super) async fn expect_data(peer: &mut Peer, id: u32, sizes: &[usize]) {
    for octets in sizes {
        peer.expect(data(id, zeros(*octets))).await;
    }
}

/// Hears as much as the first window allows.
pub(super) async fn expect_window(peer: &mut Peer, id: u32) {
    expect_data(peer, id, &[FRAME, FRAME, FRAME, FRAME - 1]).await;
}

/// Waits until so much can be sent. Being told of no capacity is a mistake.
pub(super) async fn capacity_of(stream: &mut SendStream<Bytes>, octets: usize) {
    let growth = async {
        while stream.capacity() < octets {
            let capacity = poll_fn(|cx| stream.poll_capacity(cx)).await;
            assert_ne!(capacity.expect("the stream is closed").unwrap(), 0);
            tokio::task::yield_now().await;
        }
    };
    within("capacity", growth).await;
}

/// What `poll_capacity` says now.
fn capacity_now(stream: &mut SendStream<Bytes>) -> Poll<Option<usize>> {
    stream.poll_capacity(&mut Context::from_waker(Waker::noop())).map(|capacity| capacity.map(Result::unwrap))
}

/// The answer of [`capacity_now`] when there is something to tell.
fn grown(capacity: usize) -> Poll<Option<usize>> {
    Poll::Ready(Some(capacity))
}

/// How the body ends, its data read and released.
async fn failure(body: &mut RecvStream) -> h2::Error {
    read_all(body).await.expect_err("the body ends well")
}
