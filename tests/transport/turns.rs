//! One connection that has much to send leaves others of its thread their turn.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use millpond::Config;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::UnixStream,
};

use crate::{
    raw::{self, END_HEADERS, END_STREAM, GET, HEADERS, INITIAL_WINDOW_SIZE},
    world::{Incoming, run_here, serve, status, within},
};

/// A peer that asks for one body with windows as large as they come, and takes whatever is written at once. It counts
/// octets.
struct Greedy {
    asks: Vec<u8>,
    taken: Arc<AtomicUsize>,
}

impl AsyncRead for Greedy {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.asks.is_empty() {
            return Poll::Pending;
        }
        let most = self.asks.len().min(into.remaining());
        into.put_slice(&self.asks.drain(..most).collect::<Vec<_>>());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Greedy {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.taken.fetch_add(octets.len(), Relaxed);
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The others are a task that waits for a socket, which the runtime has to look at.
#[test]
fn much_to_write_leaves_others_their_turn() {
    const BODY: usize = 32 << 20;
    const BETWEEN: usize = 1 << 20;
    run_here(async {
        let taken = Arc::new(AtomicUsize::new(0));
        let asks = [
            raw::PREFACE,
            &raw::settings(&[(INITIAL_WINDOW_SIZE, 0x7fff_ffff)]),
            &raw::window_update(0, 0x7000_0000),
            &raw::frame(HEADERS, END_HEADERS | END_STREAM, 1, GET),
        ];
        let io = Greedy { asks: asks.concat(), taken: taken.clone() };
        let server = tokio::spawn(serve(io, Config::default(), |(_, mut respond): Incoming| async move {
            respond.send_response(status(200), false)?.send_data(vec![0; BODY].into(), true)
        }));
        let (mut ping, mut pong) = UnixStream::pair().unwrap();
        let (mut seen, mut most) = (0, 0);
        while seen < BODY {
            ping.write_all(&[0]).await.unwrap();
            // Room for more than comes: then the socket is asked only after the runtime has looked at it.
            assert_eq!(pong.read(&mut [0; 2]).await.unwrap(), 1);
            let now = taken.load(Relaxed);
            most = most.max(now - seen);
            seen = now;
        }
        assert!(most <= BETWEEN, "{most} octets between two turns of others");
        within("the rest does not come", || taken.load(Relaxed) > BODY).await;
        server.abort();
    });
}
