//! When a connection writes at once, and when it lets others add to what it writes.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use h2::{SendStream, client};
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio_test::{assert_pending, task};

/// Counts writes.
struct Counting(DuplexStream, Arc<AtomicUsize>);

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        self.1.fetch_add(1, Relaxed);
        Pin::new(&mut self.0).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// How many writes carry the octets of two streams, of `streams` that are open; the second sends after the connection was
/// polled once.
async fn writes_for_two(streams: usize) -> usize {
    let (io, mut peer) = duplex(1 << 20);
    let writes = Arc::new(AtomicUsize::new(0));
    // SETTINGS, and the acknowledgement of the client's.
    peer.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0]).await.unwrap();
    let (mut sender, connection) = client::handshake(Counting(io, writes.clone())).await.unwrap();
    let mut connection = task::spawn(connection);
    let mut open: Vec<(_, SendStream<Bytes>)> = (0..streams)
        .map(|_| {
            let request = Request::post("http://pond.example/").body(()).unwrap();
            sender.send_request(request, false).unwrap()
        })
        .collect();
    assert_pending!(connection.poll());
    while connection.is_woken() {
        assert_pending!(connection.poll());
    }
    let before = writes.load(Relaxed);
    open[0].1.send_data(Bytes::from_static(b"first"), false).unwrap();
    assert!(connection.is_woken());
    assert_pending!(connection.poll());
    open[1].1.send_data(Bytes::from_static(b"second"), false).unwrap();
    assert!(connection.is_woken());
    assert_pending!(connection.poll());
    assert!(!connection.is_woken());
    writes.load(Relaxed) - before
}

#[tokio::test]
async fn a_small_write_of_a_crowd_waits_for_one_turn() {
    assert_eq!(writes_for_two(31).await, 2);
    assert_eq!(writes_for_two(32).await, 1);
}
