//! A socket that counts what it asks the system for.
//!
//! Always true here: a call to the system is counted once, and nothing else is. tokio remembers what it knows about a
//! socket, and does not ask the system while it knows that the answer is no; so before a read or write that may find
//! nothing this asks tokio whether it would go to the system at all.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    task::{Context, Poll, ready},
};

use millpond::readiness::ReadReady;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    task::coop,
};

/// What all counted sockets of clients have done.
pub static CLIENT: Counts = Counts::new();

/// What all counted sockets of servers have done.
pub static SERVER: Counts = Counts::new();

/// What sockets have done.
#[derive(Debug)]
pub struct Counts {
    reads: AtomicUsize,
    in_vain: AtomicUsize,
    idle: AtomicUsize,
    writes: AtomicUsize,
    blocked: AtomicUsize,
    largest_read: AtomicUsize,
    largest_write: AtomicUsize,
}

/// [`Counts`] at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// `recv` that found something, or the end.
    pub reads: usize,
    /// `recv` that found nothing.
    pub in_vain: usize,
    /// How often the reader went to sleep after it had read something.
    pub idle: usize,
    /// `send` or `writev` that took something.
    pub writes: usize,
    /// The same that took nothing.
    pub blocked: usize,
    /// Octets of the largest buffer that was read into.
    pub largest_read: usize,
    /// The most octets that one write was given.
    pub largest_write: usize,
}

impl Counts {
    const fn new() -> Self {
        Counts {
            reads: AtomicUsize::new(0),
            in_vain: AtomicUsize::new(0),
            idle: AtomicUsize::new(0),
            writes: AtomicUsize::new(0),
            blocked: AtomicUsize::new(0),
            largest_read: AtomicUsize::new(0),
            largest_write: AtomicUsize::new(0),
        }
    }

    /// What was counted since this was last asked.
    pub fn take(&self) -> Tally {
        let take = |count: &AtomicUsize| count.swap(0, Relaxed);
        Tally {
            reads: take(&self.reads),
            in_vain: take(&self.in_vain),
            idle: take(&self.idle),
            writes: take(&self.writes),
            blocked: take(&self.blocked),
            largest_read: take(&self.largest_read),
            largest_write: take(&self.largest_write),
        }
    }
}

/// A socket that counts. It can be asked whether it is readable, as the bare one can.
#[derive(Debug)]
pub struct Counted {
    socket: TcpStream,
    counts: &'static Counts,
    /// tokio may know that there is nothing to read.
    dry: bool,
    /// tokio may know that there is no room to write.
    full: bool,
    /// It has read since it last slept.
    awake: bool,
}

impl Counted {
    /// Wraps a socket.
    pub fn new(socket: TcpStream, counts: &'static Counts) -> Self {
        Counted { socket, counts, dry: true, full: true, awake: false }
    }

    fn note(&self, count: impl FnOnce(&Counts) -> &AtomicUsize) {
        count(self.counts).fetch_add(1, Relaxed);
    }

    fn sleep(&mut self) {
        if std::mem::take(&mut self.awake) {
            self.note(|counts| &counts.idle);
        }
    }

    fn read(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Out of budget tokio says "later" before it asks anyone.
        if !coop::has_budget_remaining() {
            return Pin::new(&mut self.socket).poll_read(cx, into);
        }
        let (room, before) = (into.remaining(), into.filled().len());
        self.counts.largest_read.fetch_max(room, Relaxed);
        let read = Pin::new(&mut self.socket).poll_read(cx, into);
        if read.is_pending() {
            self.dry = true;
            self.note(|counts| &counts.in_vain);
            self.sleep();
        } else {
            // After a short read tokio knows that there is no more.
            self.dry = into.filled().len() - before < room;
            self.awake = true;
            self.note(|counts| &counts.reads);
        }
        read
    }

    /// Writes, if tokio would ask the system at all.
    fn write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: usize,
        write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.full {
            ready!(self.socket.poll_write_ready(cx))?;
        }
        if !coop::has_budget_remaining() {
            return write(Pin::new(&mut self.socket), cx);
        }
        self.counts.largest_write.fetch_max(octets, Relaxed);
        let written = write(Pin::new(&mut self.socket), cx);
        match &written {
            Poll::Pending => {
                self.full = true;
                self.note(|counts| &counts.blocked);
            }
            Poll::Ready(taken) => {
                self.full = taken.as_ref().is_ok_and(|taken| *taken < octets);
                self.note(|counts| &counts.writes);
            }
        }
        written
    }
}

impl ReadReady for Counted {
    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ready = self.socket.poll_read_ready(cx);
        if ready.is_pending() {
            self.sleep();
        }
        self.dry = ready.is_pending();
        ready
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.dry {
            ready!(self.poll_read_ready(cx))?;
        }
        let mut buffer = ReadBuf::new(into);
        ready!(self.read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.dry {
            ready!(ReadReady::poll_read_ready(&mut *self, cx))?;
        }
        self.read(cx, into)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.write(cx, octets.len(), |socket, cx| socket.poll_write(cx, octets))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let octets = slices.iter().map(|slice| slice.len()).sum();
        self.write(cx, octets, |socket, cx| socket.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
