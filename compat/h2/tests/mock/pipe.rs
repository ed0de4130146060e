//! The wire: octets each way without bound, and the faults that a test asks for.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The endpoint's end.
#[derive(Debug)]
pub struct Pipe(pub(super) Arc<Mutex<Wire>>);

/// What both ends share.
#[derive(Debug, Default)]
pub(super) struct Wire {
    /// From the peer to the endpoint.
    pub inbound: Vec<u8>,
    /// No more octets will come to the endpoint.
    pub inbound_ended: bool,
    /// What a read gives once `inbound` is empty.
    pub read_fault: Option<io::ErrorKind>,
    pub reader: Option<Waker>,

    /// From the endpoint to the peer.
    pub outbound: Vec<u8>,
    /// The endpoint has shut its side down, or is gone.
    pub outbound_ended: bool,
    /// What the next write gives.
    pub write_fault: Option<io::ErrorKind>,
    /// The octets that may still be written; `None` is no limit.
    pub allowance: Option<usize>,
    pub writer: Option<Waker>,
    /// How many writes took octets.
    pub writes: usize,

    /// The peer, waiting for `outbound`.
    pub peer: Option<Waker>,
    /// Nobody will read `outbound`.
    pub peer_gone: bool,
}

impl Wire {
    pub fn wake_endpoint(&mut self) {
        for waker in [self.reader.take(), self.writer.take()].into_iter().flatten() {
            waker.wake();
        }
    }

    fn wake_peer(&mut self) {
        if let Some(waker) = self.peer.take() {
            waker.wake();
        }
    }
}

impl Pipe {
    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().unwrap()
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        assert!(buf.remaining() > 0, "a read into an empty buffer");
        let mut wire = self.wire();
        if !wire.inbound.is_empty() {
            let octets = buf.remaining().min(wire.inbound.len());
            buf.put_slice(&wire.inbound[..octets]);
            wire.inbound.drain(..octets);
            return Poll::Ready(Ok(()));
        }
        if let Some(kind) = wire.read_fault {
            return Poll::Ready(Err(kind.into()));
        }
        if wire.inbound_ended {
            return Poll::Ready(Ok(()));
        }
        wire.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let mut wire = self.wire();
        if let Some(kind) = wire.write_fault {
            return Poll::Ready(Err(kind.into()));
        }
        if wire.peer_gone {
            return Poll::Ready(Ok(octets.len()));
        }
        let taken = octets.len().min(wire.allowance.unwrap_or(usize::MAX));
        if taken == 0 && !octets.is_empty() {
            wire.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        wire.allowance = wire.allowance.map(|left| left - taken);
        wire.outbound.extend_from_slice(&octets[..taken]);
        wire.writes += 1;
        wire.wake_peer();
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut wire = self.wire();
        wire.outbound_ended = true;
        wire.wake_peer();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // A test that fails with the lock held has said why already.
        if let Ok(mut wire) = self.0.lock() {
            wire.outbound_ended = true;
            wire.wake_peer();
        }
    }
}
