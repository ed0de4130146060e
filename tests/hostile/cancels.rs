//! Honest peers that cancel much: a limit is a rate that leaks, so a long life is no crime (CVE-2023-44487, h2 issue 856).
//!
//! Half of 100,000 calls on one connection are cancelled, at a constant pace, and it is never closed; 10,000 calls are
//! dropped wherever they happen to be, and every block of both sides comes home. With our client and with that of h2.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    task::Poll,
};

use bytes::Bytes;
use http::{Request, StatusCode};
use millpond::{Config, Server, buffer::BufferPool, client};
use tokio::{net::TcpStream, task::JoinHandle};

use crate::{
    client::call,
    world::{Honest, Victim, pattern, pool, run, soon, within},
};

const CALLS: usize = 100_000;
const BATCH: usize = 100;

/// A client that speaks to the victim over one connection.
trait Client: Clone {
    type Error: std::fmt::Debug;
    /// One call to the end of its answer. To drop the future is to cancel the call.
    fn call(
        &self,
        path: &str,
        body: Bytes,
    ) -> impl Future<Output = Result<(StatusCode, Vec<u8>), Self::Error>>;
}

impl Client for client::SendRequest {
    type Error = millpond::Error;
    async fn call(&self, path: &str, body: Bytes) -> Result<(StatusCode, Vec<u8>), millpond::Error> {
        call(self, path, body).await.map(|(head, octets)| (head.status(), octets))
    }
}

impl Client for h2::client::SendRequest<Bytes> {
    type Error = h2::Error;
    async fn call(&self, path: &str, body: Bytes) -> Result<(StatusCode, Vec<u8>), h2::Error> {
        let mut send = self.clone().ready().await?;
        let request = Request::post(format!("http://pond.example{path}")).body(()).unwrap();
        let (response, mut stream) = send.send_request(request, body.is_empty())?;
        if !body.is_empty() {
            stream.send_data(body, true)?;
        }
        let (head, mut body) = response.await?.into_parts();
        let mut octets = Vec::new();
        while let Some(piece) = body.data().await {
            let piece = piece?;
            body.flow_control().release_capacity(piece.len())?;
            octets.extend_from_slice(&piece);
        }
        Ok((head.status, octets))
    }
}

type Running = JoinHandle<bool>;

/// Our client, whose connection says in the end whether it ended well.
async fn ours(victim: &Victim) -> (client::SendRequest, Running, BufferPool) {
    let socket = TcpStream::connect(victim.address).await.unwrap();
    let pool = pool();
    let (send, connection) = client::handshake(socket, Config::builder().pool(pool.clone()).build().unwrap());
    (send, tokio::spawn(async { connection.await.is_ok() }), pool)
}

async fn of_h2(victim: &Victim) -> (h2::client::SendRequest<Bytes>, Running) {
    let socket = TcpStream::connect(victim.address).await.unwrap();
    let (send, connection) = h2::client::handshake(socket).await.unwrap();
    (send, tokio::spawn(async { connection.await.is_ok() }))
}

/// Every second call is cancelled once its request has certainly left.
async fn cancel_half(victim: &Victim, client: impl Client, calls: usize) {
    let mut served = 0;
    for _ in 0..calls / BATCH {
        let mut doomed: Vec<_> =
            (0..BATCH / 2).map(|_| Box::pin(client.call("/never", Bytes::new()))).collect();
        let asked = poll_fn(|cx| {
            for call in &mut doomed {
                assert!(call.as_mut().poll(cx).is_pending());
            }
            Poll::Ready(())
        });
        asked.await;
        let wanted = (0..BATCH / 2).map(|_| client.call("/octets/10", Bytes::new()));
        for answer in soon("the answers", futures_util::future::join_all(wanted)).await {
            let (status, octets) = answer.expect("an honest peer is served");
            assert!(status == StatusCode::OK && octets == pattern(10));
            served += 1;
        }
        // Requests are written in their order, so those of the doomed were, before the answers came.
        drop(doomed);
    }
    assert_eq!(served, calls / 2);
    within("a handler outlives its stream", || victim.site.running() == 0).await;
    assert_eq!(victim.site.unanswered(), calls / 2);
}

#[test]
fn half_of_a_hundred_thousand_calls_are_cancelled() {
    run(async {
        let victim = Victim::start(Server::builder());
        let honest = Honest::start(victim.address).await;
        let (send, connection, pool) = ours(&victim).await;
        cancel_half(&victim, send.clone(), CALLS).await;
        assert!(!send.is_closed());
        drop(send);
        assert!(connection.await.unwrap(), "it ends well, and only now");
        within("the client holds blocks", || pool.stats().blocks_out == 0).await;
        honest.finish().await;
        victim.finish().await;
    });
}

#[test]
fn half_of_the_calls_of_h2_are_cancelled() {
    run(async {
        let victim = Victim::start(Server::builder());
        let (send, connection) = of_h2(&victim).await;
        cancel_half(&victim, send, CALLS / 5).await;
        assert!(connection.await.unwrap(), "it ends well, and only now");
        victim.finish().await;
    });
}

/// Drops each call after fewer polls than that, as many as fate will have it; how many were over before.
async fn cancel_anywhere(client: &impl Client, calls: usize, most_polls: u32) -> usize {
    let (left, finished) = (AtomicUsize::new(calls), AtomicUsize::new(0));
    let body = pattern(8_000);
    let worker = |seed: u64| {
        let mut fate = fastrand::Rng::with_seed(seed);
        let (left, finished, body) = (&left, &finished, &body);
        async move {
            while left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
                let mut call = pin!(client.call("/echo", body.clone()));
                let mut patience = fate.u32(1..most_polls);
                let outcome = poll_fn(|cx| match call.as_mut().poll(cx) {
                    Poll::Ready(answer) => Poll::Ready(Some(answer)),
                    Poll::Pending => {
                        patience -= 1;
                        if patience == 0 { Poll::Ready(None) } else { Poll::Pending }
                    }
                });
                if let Some(answer) = soon("an answer", outcome).await {
                    assert!(answer.expect("an honest peer is served").1 == *body);
                    finished.fetch_add(1, SeqCst);
                }
            }
        }
    };
    futures_util::future::join_all((0..20).map(worker)).await;
    finished.into_inner()
}

#[test]
fn ten_thousand_calls_are_cancelled_anywhere() {
    run(async {
        const CALLS: usize = 10_000;
        for stock in [false, true] {
            // More than the allowance at once, and it is not the allowance that is looked at.
            let victim = Victim::start(Server::builder().max_pending_accept_reset_streams(CALLS));
            let honest = Honest::start(victim.address).await;
            let finished = if stock {
                let (send, connection) = of_h2(&victim).await;
                let finished = cancel_anywhere(&send, CALLS, 100).await;
                drop(send);
                assert!(connection.await.unwrap());
                finished
            } else {
                let (send, connection, pool) = ours(&victim).await;
                let finished = cancel_anywhere(&send, CALLS, 9).await;
                assert!(call(&send, "/echo", pattern(100)).await.unwrap().1 == pattern(100));
                drop(send);
                assert!(connection.await.unwrap());
                within("the client holds blocks", || pool.stats().blocks_out == 0).await;
                finished
            };
            println!("figure | cancelled anywhere | h2 {stock} | calls {CALLS} | finished {finished}");
            assert!(
                (CALLS / 100..CALLS - CALLS / 100).contains(&finished),
                "{finished} finished: not at any point"
            );
            honest.finish().await;
            victim.finish().await;
        }
    });
}
