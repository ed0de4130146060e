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
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf, join},
    net::UnixStream,
};

use crate::{
    raw::{self, END_HEADERS, END_STREAM, GET, HEADERS, INITIAL_WINDOW_SIZE},
    world::{Incoming, Taker, run_here, serve, status, within},
};

/// A peer that asks for a body, and opens the connection's window by so much with each read, up to a bound.
struct Asks {
    first: Option<Vec<u8>>,
    window: usize,
    granted: usize,
    taken: Arc<AtomicUsize>,
}

const BODY: usize = 32 << 20;

/// Octets that may be on their way before the peer waits.
const AHEAD: usize = 200_000;

impl AsyncRead for Asks {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let says = match self.first.take() {
            Some(first) => first,
            None if self.granted < self.taken.load(Relaxed) + AHEAD => {
                self.granted += self.window;
                raw::window_update(0, self.window as u32)
            }
            None => {
                // Nothing more to say, or not before more was taken, which does not take long.
                if self.granted < BODY {
                    cx.waker().wake_by_ref();
                }
                return Poll::Pending;
            }
        };
        into.put_slice(&says);
        Poll::Ready(Ok(()))
    }
}

/// The others are a task that waits for a socket, which the runtime has to look at.
fn others_have_their_turn(window: usize) {
    const BETWEEN: usize = 1 << 20;
    run_here(async {
        let asks = [
            raw::PREFACE,
            &raw::settings(&[(INITIAL_WINDOW_SIZE, 0x7fff_ffff)]),
            &raw::frame(HEADERS, END_HEADERS | END_STREAM, 1, GET),
        ];
        let taken = Arc::new(AtomicUsize::new(0));
        let asks = Asks { first: Some(asks.concat()), window, granted: 65_535, taken: taken.clone() };
        let io = join(asks, Taker(taken.clone()));
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

#[test]
fn one_large_window_leaves_others_their_turn() {
    others_have_their_turn(0x7000_0000);
}

/// Each look at the socket finds less to write than is enough for a turn, and more to read.
#[test]
fn a_window_that_opens_bit_by_bit_leaves_others_their_turn() {
    others_have_their_turn(30_000);
}
