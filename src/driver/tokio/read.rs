//! Reading: wait until the socket is readable, then take a block, then read.
//!
//! Always true here: no block outlives the poll that took it, unless pieces of it are unread, or pooling is
//! off; blocks begin small and follow what comes, so a PING costs no large one.

use std::{
    io,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use crate::{buffer::Block, config::Config, connection::Connection, readiness::ReadReady};

/// What a connection begins to read with: enough for a request head or a small response.
const FIRST_READ: usize = 1_024;

/// The one buffer of a connection without pooling.
const OWNED_BUFFER: usize = 16 << 10;

pub(super) struct Reader {
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
    pub(super) fn new(config: Arc<Config>) -> Self {
        Reader { config, octets: FIRST_READ, was_short: false, ended: false, spare: None }
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Reads one block into the connection; gives the octets read, 0 at the end. Pending: there is nothing to
    /// read, and no block is held.
    pub(super) fn poll_read(
        &mut self,
        io: &mut impl ReadReady,
        cx: &mut Context<'_>,
        connection: &mut Connection,
        now: Instant,
    ) -> Poll<io::Result<usize>> {
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
                connection.handle_eof(now);
                Poll::Ready(Ok(0))
            }
            Poll::Ready(Ok(octets)) => {
                block.commit(octets);
                self.adapt(octets, block.capacity());
                connection.handle_read(now, block);
                Poll::Ready(Ok(octets))
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

    /// After the connection has worked: the block may serve again.
    pub(super) fn reclaim(&mut self, connection: &mut Connection) {
        if let Some(block) = connection.take_block() {
            let useful = !self.config.read_buffer_pooling || block.capacity() >= self.octets;
            self.spare = useful.then_some(block);
        }
    }

    /// The poll ends, or nothing will be read any more.
    pub(super) fn rest(&mut self) {
        if self.config.read_buffer_pooling {
            self.spare = None;
        }
    }

    /// Drops what still comes. Ready at the end.
    pub(super) fn poll_discard(&mut self, io: &mut impl ReadReady, cx: &mut Context<'_>) -> Poll<()> {
        let mut octets = [0; 4_096];
        loop {
            if ready!(again(|| io.poll_read_ready(cx))).is_err() {
                return Poll::Ready(());
            }
            match ready!(again(|| io.poll_read(cx, &mut octets))) {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Poll::Ready(()),
            }
        }
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
