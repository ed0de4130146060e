//! Writing: many frames in one vectored write.
//!
//! Always true here: between flushes nothing is held; a writer that is blocked moves a small rest out of a
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

pub(super) struct Writer {
    outbound: Outbound,
    /// Something was written and not flushed; only buffering writers, TLS say, care.
    unflushed: bool,
    /// The last write found no room.
    blocked: bool,
}

impl Writer {
    pub(super) fn new(pool: BufferPool, vectored: bool) -> Self {
        let mut outbound = Outbound::new(pool);
        outbound.set_vectored(vectored);
        Writer { outbound, unflushed: false, blocked: false }
    }

    pub(super) fn outbound(&mut self) -> &mut Outbound {
        &mut self.outbound
    }

    /// Whether there is room for more frames.
    pub(super) fn wants_more(&self) -> bool {
        self.outbound.is_empty() || (!self.blocked && self.outbound.octets() < LOW)
    }

    /// Whether everything has left.
    pub(super) fn is_idle(&self) -> bool {
        self.outbound.is_empty() && !self.unflushed
    }

    /// One write, or the flush after the last. `Ok(false)`: there is nothing to do.
    pub(super) fn poll_write(
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

    /// The socket is gone.
    pub(super) fn clear(&mut self) {
        self.outbound.clear();
        self.unflushed = false;
    }
}
