//! A connection in memory, of which the same calls always cost the same: for counting instructions.
//!
//! It can be asked whether it is readable, as a socket can, and takes vectored writes. Each direction holds at most
//! [`ROOM`] octets.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use millpond::{adapter::Connected, readiness::ReadReady};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Octets that are written and not yet read, at most.
const ROOM: usize = 256 << 10;

/// One end.
#[derive(Debug)]
pub struct Pipe {
    inbound: Arc<Mutex<Way>>,
    outbound: Arc<Mutex<Way>>,
}

/// What is on its way in one direction.
#[derive(Debug, Default)]
struct Way {
    octets: Vec<u8>,
    /// How many of these were read.
    read: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
    closed: bool,
}

impl Pipe {
    /// Two ends.
    pub fn pair() -> (Pipe, Pipe) {
        let ways: [Arc<Mutex<Way>>; 2] = Default::default();
        let [there, back] = ways;
        (Pipe { inbound: back.clone(), outbound: there.clone() }, Pipe { inbound: there, outbound: back })
    }

    /// Writes as much as there is room for.
    fn write<'a>(
        &self,
        cx: &mut Context<'_>,
        slices: impl Iterator<Item = &'a [u8]>,
    ) -> Poll<io::Result<usize>> {
        let mut way = lock(&self.outbound);
        if way.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let before = way.octets.len();
        for slice in slices {
            let room = ROOM - (way.octets.len() - way.read);
            way.octets.extend_from_slice(&slice[..slice.len().min(room)]);
        }
        let written = way.octets.len() - before;
        if written == 0 {
            way.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let reader = way.reader.take();
        drop(way);
        wake(reader);
        Poll::Ready(Ok(written))
    }

    fn close(&self) {
        for way in [&self.inbound, &self.outbound] {
            let mut way = lock(way);
            way.closed = true;
            let (reader, writer) = (way.reader.take(), way.writer.take());
            drop(way);
            wake(reader);
            wake(writer);
        }
    }
}

fn lock(way: &Mutex<Way>) -> MutexGuard<'_, Way> {
    way.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.close();
    }
}

impl Connected for Pipe {
    fn connect_info(&self, _: &mut http::Extensions) {}
}

impl tonic::transport::server::Connected for Pipe {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl ReadReady for Pipe {
    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut way = lock(&self.inbound);
        if way.closed || way.read < way.octets.len() {
            return Poll::Ready(Ok(()));
        }
        if !way.reader.as_ref().is_some_and(|reader| reader.will_wake(cx.waker())) {
            way.reader = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_read_ready(cx))?;
        let mut way = lock(&self.inbound);
        let waiting = &way.octets[way.read..];
        let octets = waiting.len().min(into.len());
        into[..octets].copy_from_slice(&waiting[..octets]);
        way.read += octets;
        if way.read == way.octets.len() {
            way.octets.clear();
            way.read = 0;
        }
        let writer = way.writer.take();
        drop(way);
        wake(writer);
        Poll::Ready(Ok(octets))
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let octets = ready!(ReadReady::poll_read(&mut *self, cx, into.initialize_unfilled()))?;
        into.advance(octets);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.write(cx, std::iter::once(octets))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, slices.iter().map(|slice| &**slice))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}
