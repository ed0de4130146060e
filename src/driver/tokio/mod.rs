//! The driver on tokio: one future that reads, lets the connection work, and writes.
//!
//! Always true here: a block is taken only when the socket is readable and is home before the poll ends, unless
//! octets in it are still in use; reading goes on while the writer is blocked (two peers that stop reading when
//! they cannot write wait for each other for ever); the write block is released after each flush and on error.

mod client;
mod read;
mod server;
mod write;

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use tokio::{io::AsyncWrite, time::Sleep};

use crate::{
    config::Config,
    connection::{Connection, Side},
    error::{Error, ErrorCode},
    handle::Shared,
    readiness::ReadReady,
};

use super::post::Post;

pub(crate) use client::handshake_shared as client_handshake_shared;
pub use client::{ClientConnection, handshake as client_handshake, handshake_with as client_handshake_with};
pub use read::Reader;
pub use server::{ServerConnection, handshake as server_handshake, handshake_with as server_handshake_with};
pub use write::Writer;

/// A connection with its socket.
pub(crate) struct Driver<T> {
    io: T,
    post: Post,
    reader: Reader,
    writer: Writer,
    timer: Option<Pin<Box<Sleep>>>,
    stage: Stage,
    /// Runs while a free slot for a request was offered and not taken.
    idle_slot: Option<Pin<Box<Sleep>>>,
    /// Octets read since other tasks could last run.
    unyielded: usize,
}

/// What a driver has to say.
pub(crate) enum Progress {
    /// New requests stand in [`Post::incoming`]. Poll again: the driver has not gone to sleep.
    Requests,
    /// The connection is over and its socket closed.
    Over,
}

/// How far the end is.
enum Stage {
    Running,
    /// The connection has failed: its GOAWAY is written, if the peer takes it in time.
    Leaving,
    /// All is written: the socket's write side closes.
    Closing,
    /// The peer may still be sending; if the socket were closed now, the system would answer with a reset, and
    /// our GOAWAY, or the end of the last response, could be lost on its way. So what comes is dropped until the
    /// peer closes, or for a moment.
    Lingering,
    Done,
}

/// How long each of these stages may last: a peer that does not read must not hold what is over.
const LINGER: Duration = Duration::from_millis(500);

/// The same after a graceful end: the rest of the last response may still be in the system's hands.
const LINGER_IN_GOOD_ORDER: Duration = Duration::from_secs(2);

/// How long one who waited for a slot may take to come when it is called, before the next is called as well.
const SLOT_OFFER: Duration = Duration::from_millis(50);

/// How often a driver looks for work in one poll: a peer and handles that are always busy must not keep other
/// tasks from running.
const ROUNDS: usize = 64;

/// After so many octets the readers of the streams get their turn: while what they are given is still in the
/// processor's cache, and before it piles up.
const YIELD_AFTER: usize = 256 << 10;

/// How many blocks are read before what they caused is written.
const READS_BEFORE_WRITE: usize = 4;

impl<T: ReadReady + AsyncWrite + Unpin> Driver<T> {
    pub(crate) fn new(io: T, side: Side, config: Arc<Config>) -> Self {
        let shared = Shared::new(config.clone(), side);
        let connection = Connection::new(side, config.clone(), now());
        let writer = Writer::new(config.pool.clone(), io.is_write_vectored());
        Driver {
            io,
            post: Post::new(connection, shared, side),
            reader: Reader::new(config),
            writer,
            timer: None,
            stage: Stage::Running,
            idle_slot: None,
            unyielded: 0,
        }
    }

    pub(crate) fn post(&mut self) -> &mut Post {
        &mut self.post
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.post.shared
    }

    /// Works until there is nothing to do, or requests have come, or all is over.
    pub(crate) fn poll_drive(&mut self, cx: &mut Context<'_>) -> Poll<Progress> {
        loop {
            match self.stage {
                Stage::Running => {
                    if let Progress::Requests = ready!(self.poll_run(cx)) {
                        return Poll::Ready(Progress::Requests);
                    }
                }
                Stage::Leaving => {
                    // The peer may read only when what it writes is taken.
                    let _ = self.reader.poll_discard(&mut self.io, cx);
                    self.poll_write(cx, now());
                    let written = self.writer.is_idle() && self.post.connection.is_finished();
                    if !written && !self.is_late(cx) {
                        return Poll::Pending;
                    }
                    self.enter(if written { Stage::Closing } else { Stage::Done });
                }
                Stage::Closing => {
                    // An error here means that the socket is gone, which is what was wanted.
                    let closed = Pin::new(&mut self.io).poll_shutdown(cx).is_ready();
                    if !closed && !self.is_late(cx) {
                        return Poll::Pending;
                    }
                    let peer_may_send = !self.reader.is_ended();
                    self.enter(if closed && peer_may_send { Stage::Lingering } else { Stage::Done });
                }
                Stage::Lingering => {
                    let over = self.reader.poll_discard(&mut self.io, cx).is_ready();
                    if !over && !self.is_late(cx) {
                        return Poll::Pending;
                    }
                    self.enter(Stage::Done);
                }
                Stage::Done => return Poll::Ready(Progress::Over),
            }
        }
    }

    /// The next stage towards the end.
    fn enter(&mut self, stage: Stage) {
        self.timer = None;
        if let Stage::Done = stage {
            self.writer.clear();
        } else {
            let failed = self.post.connection.failure().is_some();
            let limit = if failed { LINGER } else { LINGER_IN_GOOD_ORDER };
            self.timer = Some(Box::pin(tokio::time::sleep(limit)));
        }
        self.stage = stage;
    }

    /// Whether this stage has lasted long enough.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        self.timer.as_mut().is_none_or(|timer| timer.as_mut().poll(cx).is_ready())
    }

    fn poll_run(&mut self, cx: &mut Context<'_>) -> Poll<Progress> {
        let waiting = self.post.incoming.len();
        for _ in 0..ROUNDS {
            let now = now();
            let mut busy = self.post.collect();
            let mut reads = 0;
            while reads < READS_BEFORE_WRITE && self.poll_read(cx, now) {
                reads += 1;
                busy = true;
            }
            self.post.wake();
            busy |= self.poll_write(cx, now);
            self.post.wake();
            let failed = self.post.connection.failure().is_some();
            if failed || (self.writer.is_idle() && self.post.connection.is_finished()) {
                self.finish();
                self.enter(if failed { Stage::Leaving } else { Stage::Closing });
                return Poll::Ready(Progress::Over);
            }
            busy |= self.poll_timer(cx, now);
            if self.post.is_unused() && !self.post.connection.is_going_away() {
                self.post.connection.shutdown();
                continue;
            }
            if self.post.incoming.len() > waiting {
                self.reader.rest();
                return Poll::Ready(Progress::Requests);
            }
            if !busy && self.post.sleep(cx) {
                if self.poll_idle_slot(cx) {
                    continue;
                }
                self.unyielded = 0;
                return Poll::Pending;
            }
            if self.unyielded >= YIELD_AFTER {
                break;
            }
        }
        self.unyielded = 0;
        self.reader.rest();
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads one block, if there is anything to read, and lets the connection work on it.
    fn poll_read(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        if self.reader.is_ended() || self.post.connection.is_read_closed() {
            return false;
        }
        match self.reader.poll_read(&mut self.io, cx) {
            Poll::Ready(Ok(Some(block))) => {
                self.unyielded += block.len();
                self.post.connection.handle_read(now, block);
                self.post.deliver();
                self.reader.reclaim(self.post.connection.take_block());
                true
            }
            Poll::Ready(Ok(None)) => {
                self.post.connection.handle_eof(now);
                self.post.deliver();
                self.reader.rest();
                true
            }
            Poll::Ready(Err(error)) => {
                self.fail(error);
                true
            }
            Poll::Pending => false,
        }
    }

    /// Writes until there is nothing to write or the socket is full. Whether anything was written.
    fn poll_write(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let mut wrote = false;
        loop {
            if self.writer.wants_more() {
                self.post.connection.poll_transmit(now, self.writer.outbound());
                self.post.deliver();
            }
            match self.writer.poll_write(&mut self.io, cx) {
                Poll::Ready(Ok(false)) => return wrote,
                Poll::Ready(Ok(true)) => wrote = true,
                Poll::Ready(Err(error)) => {
                    self.fail(error);
                    return true;
                }
                Poll::Pending => return wrote,
            }
        }
    }

    /// Keeps the timer at the connection's next deadline. An earlier alarm is left alone, since deadlines move
    /// with every read: when it fires, it is set anew.
    fn poll_timer(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let Some(deadline) = self.post.connection.poll_timeout() else {
            self.timer = None;
            return false;
        };
        if deadline <= now {
            self.post.connection.handle_timeout(now);
            self.post.deliver();
            return true;
        }
        let deadline = tokio::time::Instant::from_std(deadline);
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if deadline < timer.deadline() {
            timer.as_mut().reset(deadline);
        }
        if timer.as_mut().poll(cx).is_ready() {
            timer.as_mut().reset(deadline);
            return true;
        }
        false
    }

    /// Watches a free slot that was offered and not taken; when it has been for too long the next who waits is
    /// called. Whether that was so.
    fn poll_idle_slot(&mut self, cx: &mut Context<'_>) -> bool {
        if self.post.side == Side::Server || !self.post.shared.has_idle_slot() {
            self.idle_slot = None;
            return false;
        }
        let timer = self.idle_slot.get_or_insert_with(|| Box::pin(tokio::time::sleep(SLOT_OFFER)));
        if timer.as_mut().poll(cx).is_pending() {
            return false;
        }
        self.idle_slot = None;
        self.post.shared.call_next();
        true
    }

    fn fail(&mut self, error: io::Error) {
        tracing::debug!(%error, "connection broken");
        self.writer.clear();
        self.post.connection.handle_io_error(error);
        self.post.deliver();
    }

    /// Whoever still waits hears why the connection is over.
    fn finish(&mut self) {
        let error = self.post.outcome().unwrap_or_else(|| {
            Error::unprocessed(crate::error::Origin::Us, ErrorCode::NO_ERROR, bytes::Bytes::new())
        });
        self.post.end(&error);
        self.reader.rest();
    }
}

/// The time on the runtime's clock, which tests may stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl<T> Drop for Driver<T> {
    fn drop(&mut self) {
        let error = match self.post.outcome() {
            Some(error) => error,
            None => io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was dropped").into(),
        };
        self.post.end(&error);
    }
}
