//! Reading: wait until the socket is readable, then take a block, then read.
//!
//! For any driver, of this crate or not.
//!
//! Always true here: no block outlives the poll that took it, unless pieces of it are unread, or pooling is
//! off; blocks begin small and follow what comes, so a PING costs no large one.

use std::{
    io,
    sync::Arc,
    task::{Context, Poll, ready},
};

use crate::{buffer::Block, config::Config, readiness::ReadReady};

/// What a connection begins to read with: enough for a request head or a small response.
const FIRST_READ: usize = 1_024;

/// The one buffer of a connection without pooling.
const OWNED_BUFFER: usize = 16 << 10;

/// How often [`Reader::poll_discard`] reads in one poll: a peer that goes on sending must not keep other tasks from
/// running.
const DISCARDS: usize = 64;

/// Reads blocks that follow what comes: small ones for small frames, larger ones after full reads.
#[derive(Debug)]
pub struct Reader {
    config: Arc<Config>,
    /// The capacity of the next block.
    octets: usize,
    /// The last read left much of its block empty.
    was_short: bool,
    ended: bool,
    /// For the next read of this poll; or, without pooling, for ever.
    spare: Option<Block>,
}

impl Reader {
    /// A reader with the pool and the sizes of `config`. It takes no memory.
    pub fn new(config: Arc<Config>) -> Self {
        Reader { config, octets: FIRST_READ, was_short: false, ended: false, spare: None }
    }

    /// Whether the source has ended or failed: no read is of use any more.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Reads one block, to be given to [`Connection::handle_read`](crate::connection::Connection::handle_read);
    /// `None` at the end of the source. Pending: there is nothing to read, and no block is held.
    ///
    /// # Errors
    ///
    /// What the source says. Not to be polled again then.
    pub fn poll_read(
        &mut self,
        io: &mut impl ReadReady,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Block>>> {
        let pooling = self.config.read_buffer_pooling;
        if pooling {
            match again(|| io.poll_read_ready(cx)) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.spare = None;
                    return Poll::Pending;
                }
            }
        }
        let mut block = self.take_block(pooling);
        match again(|| io.poll_read(cx, block.spare_mut())) {
            Poll::Ready(Ok(0)) => {
                self.ended = true;
                Poll::Ready(Ok(None))
            }
            Poll::Ready(Ok(octets)) => {
                block.commit(octets);
                self.adapt(octets, block.capacity());
                Poll::Ready(Ok(Some(block)))
            }
            Poll::Ready(Err(error)) => {
                self.ended = true;
                Poll::Ready(Err(error))
            }
            Poll::Pending => {
                // Lent and not used: pooled it goes home now.
                self.spare = (!pooling).then_some(block);
                Poll::Pending
            }
        }
    }

    /// After the connection has worked: a block that nothing shares
    /// ([`Connection::take_block`](crate::connection::Connection::take_block)) may serve again.
    pub fn reclaim(&mut self, block: Option<Block>) {
        if let Some(block) = block {
            let useful = !self.config.read_buffer_pooling || block.capacity() >= self.octets;
            self.spare = useful.then_some(block);
        }
    }

    /// The poll ends, or nothing will be read any more: what was kept for the next read goes home.
    pub fn rest(&mut self) {
        if self.config.read_buffer_pooling {
            self.spare = None;
        }
    }

    /// Drops what still comes, so much in one poll and no more. Ready at the end.
    pub fn poll_discard(&mut self, io: &mut impl ReadReady, cx: &mut Context<'_>) -> Poll<()> {
        let mut octets = [0; 4_096];
        for _ in 0..DISCARDS {
            if ready!(again(|| io.poll_read_ready(cx))).is_err() {
                return Poll::Ready(());
            }
            match ready!(again(|| io.poll_read(cx, &mut octets))) {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Poll::Ready(()),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn take_block(&mut self, pooling: bool) -> Block {
        match self.spare.take() {
            Some(block) => block,
            None if pooling => self.config.pool.take(self.octets),
            None => Block::owned(OWNED_BUFFER),
        }
    }

    /// A full block: there is more, so the next is larger. Two in a row less than a quarter full: smaller.
    fn adapt(&mut self, octets: usize, capacity: usize) {
        if octets == capacity {
            self.octets = (capacity * 4).min(self.config.max_read_size);
            self.was_short = false;
            self.spare = None;
        } else if octets < capacity / 4 {
            if self.was_short {
                self.octets = (capacity / 2).max(FIRST_READ);
            }
            self.was_short = !self.was_short;
        } else {
            self.was_short = false;
        }
    }
}

/// Makes a call again when a signal has interrupted it.
pub(super) fn again<R>(mut call: impl FnMut() -> Poll<io::Result<R>>) -> Poll<io::Result<R>> {
    loop {
        match call() {
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
