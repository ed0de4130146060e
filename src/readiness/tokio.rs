//! Readiness on tokio: its sockets are asked first; anything else that is `AsyncRead` is lent a block.
//!
//! Always true here: a wrapped socket is never read behind its wrapper's back, so a TLS stream, say, counts as
//! one that cannot tell.

use std::{
    any::Any,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::ReadReady;

/// Any tokio IO as a source that can be asked, if it is a socket of tokio's, and as an opaque one otherwise.
#[derive(Debug)]
pub struct Source<T>(T);

impl<T> Source<T> {
    /// Wraps an IO object.
    pub fn new(io: T) -> Self {
        Source(io)
    }

    /// The IO object.
    pub fn get_ref(&self) -> &T {
        &self.0
    }

    /// The IO object back.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: AsyncRead + Unpin + 'static> ReadReady for Source<T> {
    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A comparison of type identifiers, which the compiler folds: each `T` keeps one branch.
        let io: &dyn Any = &self.0;
        if let Some(socket) = io.downcast_ref::<TcpStream>() {
            return socket.poll_read_ready(cx);
        }
        #[cfg(unix)]
        if let Some(socket) = io.downcast_ref::<tokio::net::UnixStream>() {
            return socket.poll_read_ready(cx);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        debug_assert!(!into.is_empty(), "an empty buffer would look like the end");
        let mut buffer = ReadBuf::new(into);
        // Not `try_read`: tokio's `poll_read` notes a short read and saves the probe that would find nothing.
        match Pin::new(&mut self.0).poll_read(cx, &mut buffer) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(buffer.filled().len())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Source<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::poll_fn, task::Waker};
    use tokio::{io::AsyncWriteExt, net::TcpListener};

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (client, listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn a_quiet_socket_is_not_ready_and_one_with_octets_is() {
        let (mut client, server) = pair().await;
        let mut source = Source::new(server);
        let mut cx = Context::from_waker(Waker::noop());
        // A new socket may say ready once; the read then finds nothing, and the next question waits.
        if source.poll_read_ready(&mut cx).is_ready() {
            assert!(source.poll_read(&mut cx, &mut [0; 8]).is_pending());
        }
        assert!(source.poll_read_ready(&mut cx).is_pending());
        client.write_all(b"abc").await.unwrap();
        poll_fn(|cx| source.poll_read_ready(cx)).await.unwrap();
        let mut octets = [0; 8];
        assert_eq!(poll_fn(|cx| source.poll_read(cx, &mut octets)).await.unwrap(), 3);
        // The short read has told tokio that the socket is empty: no probe.
        assert!(source.poll_read_ready(&mut cx).is_pending());
    }

    #[tokio::test]
    async fn the_end_is_zero_octets() {
        let (client, server) = pair().await;
        drop(client);
        let mut source = Source::new(server);
        poll_fn(|cx| source.poll_read_ready(cx)).await.unwrap();
        assert_eq!(poll_fn(|cx| source.poll_read(cx, &mut [0; 8])).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn an_opaque_source_is_always_worth_trying() {
        let (_client, server) = tokio::io::duplex(64);
        let mut source = Source::new(server);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(source.poll_read_ready(&mut cx).is_ready());
        assert!(source.poll_read(&mut cx, &mut [0; 8]).is_pending());
    }
}
