//! A driver at work: it reads, lets the connection work, and writes.
//!
//! Always true here: a block is taken only when the socket is readable and is home before the poll ends, unless
//! octets in it are still in use; reading goes on while the writer is blocked (two peers that stop reading when
//! they cannot write wait for each other for ever); the write block is released after each flush and on error.

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
    connection::{Connection, Dormant, Side},
    error::{Error, ErrorCode, Misdeed, Origin},
    handle::Shared,
    readiness::ReadReady,
};

use super::{
    Progress, Reader, Timer, Writer, at_the_latest, now,
    turn::{self, Turns},
};
use crate::driver::post::Post;

/// A connection with all that work needs.
pub(super) struct Work {
    pub(super) post: Post,
    reader: Reader,
    writer: Writer,
    stage: Stage,
    /// Runs while a free slot for a request was offered and not taken.
    idle_slot: Option<Pin<Box<Sleep>>>,
    /// Octets read and written since other tasks could last run.
    read: usize,
    written: usize,
    turns: Turns,
    /// When anything was last read, written or wished for.
    moved: Option<Instant>,
    /// How long it waits after that before it rests.
    pause: Duration,
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

/// What came of writing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrote {
    Nothing,
    Some,
    /// So much that others are to have their turn, whatever is left.
    Enough,
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

/// After so many octets others get their turn: the readers of the streams while what they are given is still in the
/// processor's cache, and before it piles up; and, where they share a thread, those who read what was written.
const YIELD_AFTER: usize = 256 << 10;

/// Less than this is a small write, or a small read before it.
const LITTLE: usize = 16 << 10;

/// How many blocks are read before what they caused is written.
const READS_BEFORE_WRITE: usize = 4;

impl Work {
    pub(super) fn new(
        connection: Connection,
        shared: Arc<Shared>,
        side: Side,
        vectored: bool,
        pause: Duration,
    ) -> Self {
        let config = shared.config.clone();
        let writer = Writer::new(config.pool.clone(), vectored);
        Work {
            post: Post::new(connection, shared, side),
            reader: Reader::new(config),
            writer,
            stage: Stage::Running,
            idle_slot: None,
            read: 0,
            written: 0,
            turns: Turns::default(),
            moved: None,
            pause,
        }
    }

    /// Works until there is nothing to do, or requests have come, or all is over.
    pub(super) fn poll<T>(&mut self, io: &mut T, timer: &mut Timer, cx: &mut Context<'_>) -> Poll<Progress>
    where
        T: ReadReady + AsyncWrite + Unpin,
    {
        loop {
            match self.stage {
                Stage::Running => {
                    if let Progress::Requests = ready!(self.poll_run(io, timer, cx)) {
                        return Poll::Ready(Progress::Requests);
                    }
                }
                Stage::Leaving => {
                    // The peer may read only when what it writes is taken.
                    let _ = self.reader.poll_discard(io, cx);
                    if let Wrote::Enough = self.poll_write(io, cx, now()) {
                        self.pause();
                        return turn::of_all(cx);
                    }
                    let written = self.writer.is_idle() && self.post.connection.is_finished();
                    if !written && !is_late(timer, cx) {
                        return Poll::Pending;
                    }
                    self.enter(if written { Stage::Closing } else { Stage::Done }, timer);
                }
                Stage::Closing => {
                    // An error here means that the socket is gone, which is what was wanted.
                    let closed = Pin::new(&mut *io).poll_shutdown(cx).is_ready();
                    if !closed && !is_late(timer, cx) {
                        return Poll::Pending;
                    }
                    let peer_may_send = !self.reader.is_ended();
                    self.enter(if closed && peer_may_send { Stage::Lingering } else { Stage::Done }, timer);
                }
                Stage::Lingering => {
                    let over = self.reader.poll_discard(io, cx).is_ready();
                    if !over && !is_late(timer, cx) {
                        return Poll::Pending;
                    }
                    self.enter(Stage::Done, timer);
                }
                Stage::Done => return Poll::Ready(Progress::Over),
            }
        }
    }

    /// What is left to be kept, if nothing is open or under way, and nothing has moved for long enough.
    pub(super) fn rest(&mut self, now: Instant) -> Option<Dormant> {
        if self.is_to_rest(now) { self.post.connection.rest(now) } else { None }
    }

    fn is_to_rest(&self, now: Instant) -> bool {
        self.may_rest() && self.rest_at().is_none_or(|at| at <= now)
    }

    /// Whether it may rest, as far as is known here.
    fn may_rest(&self) -> bool {
        self.post.shared.config.rests()
            && matches!(self.stage, Stage::Running)
            && self.post.is_empty()
            && self.writer.is_idle()
            && self.idle_slot.is_none()
    }

    /// Until when it waits before it rests. Not at all, if nothing has moved since it woke.
    fn rest_at(&self) -> Option<Instant> {
        self.moved?.checked_add(self.pause)
    }

    /// The next stage towards the end.
    fn enter(&mut self, stage: Stage, timer: &mut Timer) {
        *timer = None;
        if let Stage::Done = stage {
            self.writer.clear();
        } else {
            let failed = self.post.connection.failure().is_some();
            let limit = if failed { LINGER } else { LINGER_IN_GOOD_ORDER };
            *timer = Some(Box::pin(tokio::time::sleep(limit)));
        }
        self.stage = stage;
    }

    fn poll_run<T>(&mut self, io: &mut T, timer: &mut Timer, cx: &mut Context<'_>) -> Poll<Progress>
    where
        T: ReadReady + AsyncWrite + Unpin,
    {
        let waiting = self.post.incoming.len();
        for _ in 0..ROUNDS {
            let now = now();
            let mut moved = self.post.collect(now);
            let mut reads = 0;
            while reads < READS_BEFORE_WRITE && self.poll_read(io, cx, now) {
                reads += 1;
                moved = true;
            }
            let drained = reads < READS_BEFORE_WRITE;
            self.post.wake();
            let had_turn = self.turns.end();
            if !had_turn
                && self.post.incoming.len() == waiting
                && self.may_wait()
                && self.turns.begin(self.post.open())
            {
                self.pause();
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let wrote = self.poll_write(io, cx, now);
            moved |= wrote != Wrote::Nothing;
            if moved {
                self.moved = Some(now);
            }
            self.post.wake();
            let failed = self.post.connection.failure().is_some();
            if failed || (self.writer.is_idle() && self.post.connection.is_finished()) {
                self.finish();
                self.enter(if failed { Stage::Leaving } else { Stage::Closing }, timer);
                return Poll::Ready(Progress::Over);
            }
            let due = self.poll_timer(timer, cx, now);
            if self.post.is_unused() && !self.post.connection.is_going_away() {
                self.post.connection.shutdown();
                continue;
            }
            if self.post.incoming.len() > waiting {
                self.reader.rest();
                return Poll::Ready(Progress::Requests);
            }
            if wrote == Wrote::Enough {
                self.pause();
                return turn::of_all(cx);
            }
            // Read to the end, and written what that caused: a second look would find nothing but what a waker tells of.
            let settled =
                drained && !due && !(self.writer.is_idle() && self.post.connection.wants_transmit());
            if (settled || !(moved || due)) && self.post.sleep(cx, self.is_to_rest(now)) {
                if self.poll_idle_slot(cx) {
                    continue;
                }
                if self.post.is_empty() && !self.post.shared.config.rests() {
                    self.writer.shed();
                }
                self.pause();
                return Poll::Pending;
            }
            if self.read >= YIELD_AFTER {
                break;
            }
        }
        self.pause();
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The poll ends and other tasks can run.
    fn pause(&mut self) {
        (self.read, self.written) = (0, 0);
        self.reader.rest();
    }

    /// Reads one block, if there is anything to read, and lets the connection work on it.
    fn poll_read(&mut self, io: &mut impl ReadReady, cx: &mut Context<'_>, now: Instant) -> bool {
        if self.reader.is_ended() || self.post.connection.is_read_closed() {
            return false;
        }
        match self.reader.poll_read(io, cx) {
            Poll::Ready(Ok(Some(block))) => {
                self.read += block.len();
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

    /// Whether there is little to write, which can wait for others to add to it.
    fn may_wait(&self) -> bool {
        let connection = &self.post.connection;
        self.read < LITTLE
            && self.writer.is_idle()
            && connection.wants_transmit()
            && connection.failure().is_none()
    }

    /// Writes until there is nothing to write or the socket is full, or until others are to have their turn.
    fn poll_write(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
        now: Instant,
    ) -> Wrote {
        let mut wrote = Wrote::Nothing;
        loop {
            if self.writer.wants_more() {
                self.post.connection.poll_transmit(now, self.writer.outbound());
                self.post.deliver();
            }
            let before = self.writer.waiting();
            match self.writer.poll_write(io, cx) {
                Poll::Ready(Ok(more)) => {
                    let waiting = self.writer.waiting();
                    self.post.connection.handle_written(waiting);
                    if !more {
                        return wrote;
                    }
                    wrote = Wrote::Some;
                    self.written += before - waiting;
                    if self.written >= YIELD_AFTER && turn::is_for_all() {
                        return Wrote::Enough;
                    }
                }
                Poll::Ready(Err(error)) => {
                    self.fail(error);
                    return Wrote::Some;
                }
                Poll::Pending => {
                    self.post.connection.handle_blocked(now, self.writer.waiting());
                    return wrote;
                }
            }
        }
    }

    /// Keeps the timer at the next deadline, of the connection or for its rest. An earlier alarm is left alone, since
    /// deadlines move with every read: when it fires, it is set anew. While streams are open it is kept though there
    /// is no deadline, since one who sends much waits for the socket again and again.
    fn poll_timer(&mut self, timer: &mut Timer, cx: &mut Context<'_>, now: Instant) -> bool {
        let deadline = self.post.connection.poll_timeout();
        if deadline.is_some_and(|deadline| deadline <= now) {
            self.post.connection.handle_timeout(now);
            self.post.deliver();
            let failure = self.post.connection.failure();
            if failure.is_some_and(|error| error.misdeed() == Some(Misdeed::WriteTimeout)) {
                self.writer.clear();
                self.post.connection.handle_written(0);
            }
            return true;
        }
        let rest_at = self.rest_at().filter(|at| *at > now && self.may_rest());
        let Some(deadline) = deadline.into_iter().chain(rest_at).min() else {
            if self.post.connection.is_idle() {
                *timer = None;
            }
            return false;
        };
        let mut timer = at_the_latest(timer, deadline);
        if timer.as_mut().poll(cx).is_ready() {
            timer.reset(tokio::time::Instant::from_std(deadline));
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
        let error = self
            .post
            .outcome()
            .unwrap_or_else(|| Error::unprocessed(Origin::Us, ErrorCode::NO_ERROR, bytes::Bytes::new()));
        self.post.end(&error);
        self.reader.rest();
    }

    /// The driver is dropped.
    pub(super) fn end(&mut self) {
        let error = match self.post.outcome() {
            Some(error) => error,
            None => io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was dropped").into(),
        };
        self.post.end(&error);
    }
}

/// Whether a stage has lasted long enough.
fn is_late(timer: &mut Timer, cx: &mut Context<'_>) -> bool {
    timer.as_mut().is_none_or(|timer| timer.as_mut().poll(cx).is_ready())
}
