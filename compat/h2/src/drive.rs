//! What moves the octets of a connection, while its future or its `poll_accept` is polled.
//!
//! All that can be read is read and worked on before anything is written, as in h2. Always true here: the IO is opaque,
//! so it is lent a block for each read and the block is taken back if it finds nothing; no lock is held while the IO is
//! polled; the connection is over when its GOAWAY is written, or the socket has ended, and the socket is shut down.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use millpond::{
    Config,
    buffer::Block,
    driver::{Reader, Writer},
    readiness::ReadReady,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{Error, error::Cause, shared::Shared};

/// A connection's octets.
pub(crate) struct Driver<T> {
    io: Lent<T>,
    reader: Reader,
    writer: Writer,
    pub(crate) shared: Arc<Shared>,
    stage: Stage,
    /// How much DATA is taken from the streams before it is written.
    batch: usize,
    /// Other tasks had their turn since the last write.
    waited: bool,
}

enum Stage {
    Open,
    /// The last octets are written and the socket is shut down.
    Closing,
    Closed,
    /// The socket failed.
    Failed(Cause),
}

/// What is to be done in an open connection.
enum Next {
    Write,
    /// There is little to write, and others are about to add to it.
    Wait,
    Read,
    Sleep,
    Close,
}

/// What working on the connection led to.
enum Outcome {
    /// It ends in good order, or with a GOAWAY that stands among what is to be written.
    Close,
    Broken(io::Error),
}

/// Blocks read before what they caused is written.
const READS_BEFORE_WRITE: usize = 64;

/// At first only so much DATA is taken at once: one frame of the usual size.
const ONE_FRAME: usize = 16 << 10;

/// The most DATA that is taken from the streams at once. One frame while the socket is slow, as in h2, so that a reset
/// takes back the rest; twice as much after each such write that was taken whole.
const MAX_BATCH: usize = 256 << 10;

/// With so many streams there is a good chance that others are about to send as well: they get their turn before a small
/// write, so that one call to the system serves many of them. More than in millpond's own driver: with fewer, programs
/// see the order of frames that they know from h2.
pub(crate) const CROWD: usize = 32;

/// After so many octets, read and written, other tasks get their turn.
const YIELD_AFTER: usize = 1 << 20;

impl<T: AsyncRead + AsyncWrite + Unpin> Driver<T> {
    pub(crate) fn new(io: T, config: Arc<Config>, shared: Arc<Shared>) -> Self {
        let writer = Writer::new(shared.pool.clone(), io.is_write_vectored());
        Driver {
            io: Lent(io),
            reader: Reader::new(config),
            writer,
            shared,
            stage: Stage::Open,
            batch: ONE_FRAME,
            waited: false,
        }
    }

    /// Writes what `say` puts there, and flushes.
    pub(crate) fn poll_say(
        &mut self,
        cx: &mut Context<'_>,
        say: impl FnOnce(&Shared, &mut Writer),
    ) -> Poll<io::Result<()>> {
        say(&self.shared, &mut self.writer);
        while ready!(self.writer.poll_write(&mut self.io.0, cx))? {}
        Poll::Ready(Ok(()))
    }

    /// Reads octets straight from the IO, no more than `into` holds: the client's preface.
    pub(crate) fn poll_read_exact(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.io.poll_read(cx, into)
    }

    /// Works until there is nothing to do: ready when the connection is over.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            match &self.stage {
                Stage::Open => match ready!(self.poll_open(cx)) {
                    Outcome::Close => self.stage = Stage::Closing,
                    Outcome::Broken(error) => {
                        self.writer.clear();
                        self.reader.rest();
                        self.stage = Stage::Failed(Cause::io(&error));
                        self.shared.with(|inner| inner.fail(&error));
                    }
                },
                Stage::Closing => {
                    let written = match self.writer.poll_write(&mut self.io.0, cx) {
                        Poll::Ready(Ok(true)) => continue,
                        Poll::Ready(Ok(false)) => Ok(()),
                        Poll::Ready(Err(error)) => Err(error),
                        Poll::Pending => return Poll::Pending,
                    };
                    let closed = match written {
                        Ok(()) => ready!(Pin::new(&mut self.io.0).poll_shutdown(cx)),
                        Err(error) => Err(error),
                    };
                    self.writer.clear();
                    self.stage = match closed {
                        Ok(()) => Stage::Closed,
                        Err(error) => Stage::Failed(Cause::io(&error)),
                    };
                }
                Stage::Closed => {
                    return Poll::Ready(self.shared.look(|inner| inner.outcome().map_or(Ok(()), Err)));
                }
                Stage::Failed(cause) => return Poll::Ready(Err(cause.clone().into())),
            }
        }
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        let mut octets = 0;
        let mut drained = false;
        loop {
            for _ in 0..READS_BEFORE_WRITE {
                if drained {
                    break;
                }
                match self.reader.poll_read(&mut self.io, cx) {
                    Poll::Ready(Ok(Some(block))) => {
                        octets += block.len();
                        drained = !self.handle(block);
                    }
                    Poll::Ready(Ok(None)) => return Poll::Ready(self.handle_end()),
                    Poll::Ready(Err(error)) => return Poll::Ready(self.broken(error)),
                    Poll::Pending => drained = true,
                }
            }
            let next = self.next(cx, drained, octets < ONE_FRAME);
            self.waited = matches!(next, Next::Wait);
            match next {
                Next::Write => match self.poll_write(cx) {
                    Poll::Ready(Ok(written)) => octets += written,
                    Poll::Ready(Err(error)) => return Poll::Ready(self.broken(error)),
                    Poll::Pending if drained => {
                        self.shared.with(|inner| inner.sleep(cx, true));
                        return Poll::Pending;
                    }
                    Poll::Pending => {}
                },
                Next::Wait => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Next::Read => {}
                Next::Sleep => return Poll::Pending,
                Next::Close => {
                    self.reader.rest();
                    return Poll::Ready(Outcome::Close);
                }
            }
            if octets >= YIELD_AFTER {
                self.reader.rest();
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    /// What is to be done now. `drained`: there is nothing to read; `little`: not much was read or written before.
    fn next(&mut self, cx: &mut Context<'_>, drained: bool, little: bool) -> Next {
        // A frame that was begun is written first, unless the socket is quick.
        let room = self.writer.outbound().is_empty() || (self.batch > ONE_FRAME && self.writer.wants_more());
        let may_wait = drained && little && !self.waited && self.writer.is_idle();
        let (writer, batch) = (&mut self.writer, self.batch);
        self.shared.with(|inner| {
            inner.awake();
            if may_wait && inner.is_crowded() && inner.is_writable() {
                return Next::Wait;
            }
            loop {
                if room && inner.connection.wants_transmit() {
                    inner.connection.poll_transmit_some(Instant::now(), writer.outbound(), batch);
                }
                if !writer.is_idle() {
                    return Next::Write;
                }
                if inner.connection.failure().is_some() {
                    return Next::Close;
                }
                if !inner.closes_when_idle() || inner.has_streams() {
                    break;
                }
                inner.close();
            }
            if !drained {
                return Next::Read;
            }
            inner.sleep(cx, false);
            Next::Sleep
        })
    }

    /// Octets came. `false`: the connection has failed and wants no more.
    fn handle(&mut self, block: Block) -> bool {
        let now = Instant::now();
        let pool = &self.shared.pool;
        let (spare, alive) = self.shared.with(|inner| {
            inner.awake();
            inner.connection.handle_read(now, block);
            inner.settle(pool);
            (inner.connection.take_block(), inner.connection.failure().is_none())
        });
        self.reader.reclaim(spare);
        alive
    }

    /// The peer's last octet came.
    fn handle_end(&mut self) -> Outcome {
        self.reader.rest();
        let cut = self.shared.with(|inner| {
            let cut = !inner.connection.is_at_boundary();
            if !cut {
                inner.end();
            }
            cut
        });
        match cut {
            true => Outcome::Broken(io::Error::other("bytes remaining on stream")),
            false => Outcome::Close,
        }
    }

    /// The socket failed. One that ends without ceremony is nothing to complain of, if nobody waits for more.
    fn broken(&mut self, error: io::Error) -> Outcome {
        let unexpected = error.kind() == io::ErrorKind::UnexpectedEof;
        if unexpected && self.writer.is_idle() && self.shared.look(|inner| inner.may_end()) {
            self.shared.with(|inner| inner.fail(&error));
            self.writer.clear();
            return Outcome::Close;
        }
        Outcome::Broken(error)
    }

    /// Writes what was taken from the streams, or as much as the socket takes.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let octets = self.writer.outbound().octets();
        loop {
            match self.writer.poll_write(&mut self.io.0, cx) {
                Poll::Ready(Ok(true)) if !self.writer.outbound().is_empty() => {
                    // More may go along with the rest.
                    if self.batch > ONE_FRAME && self.writer.wants_more() {
                        return Poll::Ready(Ok(octets - self.writer.outbound().octets()));
                    }
                }
                Poll::Ready(Ok(true)) => {
                    if octets > self.batch {
                        self.batch = (self.batch * 2).min(MAX_BATCH);
                    }
                }
                Poll::Ready(Ok(false)) => {
                    self.writer.shed();
                    return Poll::Ready(Ok(octets));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.batch = ONE_FRAME;
                    return Poll::Pending;
                }
            }
        }
    }
}

impl<T> Drop for Driver<T> {
    fn drop(&mut self) {
        self.shared.with(|inner| inner.abandon());
    }
}

impl<T> std::fmt::Debug for Driver<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("shared", &self.shared).finish_non_exhaustive()
    }
}

/// IO that cannot tell whether it is readable: it is lent a block and gives it back.
struct Lent<T>(T);

impl<T: AsyncRead + Unpin> ReadReady for Lent<T> {
    fn poll_read_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(into);
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}
