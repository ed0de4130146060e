//! A socket in memory: what comes is put there, what is written is kept.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Both ends of it.
#[derive(Clone, Default)]
pub struct Pipe(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    incoming: Vec<u8>,
    read: usize,
    ended: bool,
    outgoing: Vec<u8>,
    reader: Option<Waker>,
}

impl Pipe {
    /// The peer sends this.
    pub fn bring(&self, octets: &[u8]) {
        let mut inner = self.0.borrow_mut();
        inner.incoming.extend_from_slice(octets);
        inner.wake();
    }

    /// The peer sends nothing more.
    pub fn end(&self) {
        let mut inner = self.0.borrow_mut();
        inner.ended = true;
        inner.wake();
    }

    /// What was written since the last time.
    pub fn fetch(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.borrow_mut().outgoing)
    }
}

impl Inner {
    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.0.borrow_mut();
        let count = to.remaining().min(inner.incoming.len() - inner.read);
        if count == 0 && !inner.ended {
            inner.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let read = inner.read;
        to.put_slice(&inner.incoming[read..read + count]);
        inner.read += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().outgoing.extend_from_slice(octets);
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
