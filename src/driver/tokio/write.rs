//! Writing: many frames in one vectored write.
//!
//! For any driver, of this crate or not.
//!
//! Always true here: between flushes no block is held; a writer that is blocked moves a small rest out of a
//! large block.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::AsyncWrite;

use crate::buffer::{BufferPool, Outbound};

use super::read::again;

/// Slices in one vectored write: a frame of DATA takes two.
const SLICES: usize = 64;

/// Below so many octets more frames are asked for before the next write.
const LOW: usize = 64 << 10;

/// Writes what a connection has to say.
#[derive(Debug)]
pub struct Writer {
    outbound: Outbound,
    /// Something was written and not flushed; only buffering writers, TLS say, care.
    unflushed: bool,
    /// The last write found no room.
    blocked: bool,
}

impl Writer {
    /// A writer that takes its blocks from `pool`; `vectored` says whether the sink likes many slices in one call.
    pub fn new(pool: BufferPool, vectored: bool) -> Self {
        let mut outbound = Outbound::new(pool);
        outbound.set_vectored(vectored);
        Writer { outbound, unflushed: false, blocked: false }
    }

    /// Where [`Connection::poll_transmit`](crate::connection::Connection::poll_transmit) puts what is to be sent.
    pub fn outbound(&mut self) -> &mut Outbound {
        &mut self.outbound
    }

    /// Whether there is room for more frames.
    pub fn wants_more(&self) -> bool {
        self.outbound.is_empty() || (!self.blocked && self.outbound.octets() < LOW)
    }

    /// Octets that wait to be written.
    pub fn waiting(&self) -> usize {
        self.outbound.octets()
    }

    /// Nothing will be written for some time: what was kept for the next write goes.
    pub fn shed(&mut self) {
        self.outbound.shed();
    }

    /// Whether everything has left.
    pub fn is_idle(&self) -> bool {
        self.outbound.is_empty() && !self.unflushed
    }

    /// One write, or the flush after the last. `Ok(false)`: there is nothing to do.
    ///
    /// # Errors
    ///
    /// What the sink says; [`WriteZero`](io::ErrorKind::WriteZero) if it takes nothing any more.
    pub fn poll_write(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<bool>> {
        if self.outbound.is_empty() {
            if !self.unflushed {
                return Poll::Ready(Ok(false));
            }
            ready!(again(|| Pin::new(&mut *io).poll_flush(cx)))?;
            self.unflushed = false;
            return Poll::Ready(Ok(false));
        }
        let mut slices = [io::IoSlice::new(&[]); SLICES];
        let count = self.outbound.slices(&mut slices);
        let Poll::Ready(written) = again(|| Pin::new(&mut *io).poll_write_vectored(cx, &slices[..count]))
        else {
            self.blocked = true;
            self.outbound.settle();
            return Poll::Pending;
        };
        let written = written?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.blocked = false;
        self.unflushed = true;
        self.outbound.advance(written);
        Poll::Ready(Ok(true))
    }

    /// The socket is gone: what was not written is dropped.
    pub fn clear(&mut self) {
        self.outbound.clear();
        self.unflushed = false;
    }
}
