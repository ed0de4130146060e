//! Connecting by TCP to a host that may have several addresses (RFC 8305, "Happy Eyeballs").
//!
//! Addresses are tried one after the other, but the next does not wait for long: it begins when one has failed, or
//! after a pause while the others go on (§5). The first that stands wins, and the others are closed.
//!
//! Always true here: one socket at most for each address, and none outlives the future; where time is limited, every
//! address has its turn within it, if turns 10 ms apart are enough.

mod error;
mod options;
mod system;

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
    vec,
};

use tokio::{
    net::TcpStream,
    time::{Instant, Sleep},
};

pub use error::ConnectError;
pub(crate) use options::TcpOptions;

/// Attempts must not follow each other faster (RFC 8305 §5).
const LEAST_PACE: Duration = Duration::from_millis(10);

/// When connecting has taken too long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// So long from now, if there is a limit.
    pub(crate) fn after(limit: Option<Duration>) -> Self {
        Deadline(limit.and_then(|limit| Instant::now().checked_add(limit)))
    }

    /// The result of `connecting`, unless it comes too late.
    pub(crate) async fn bound<T, E: From<ConnectError>>(
        self,
        connecting: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let Some(deadline) = self.0 else { return connecting.await };
        let result = tokio::time::timeout_at(deadline, connecting).await;
        result.unwrap_or_else(|_| Err(ConnectError::too_long().into()))
    }

    /// An equal share of the time that is left.
    fn share(self, count: usize) -> Option<Duration> {
        let left = self.0?.saturating_duration_since(Instant::now());
        left.checked_div(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

/// Connects to one of the addresses of a host. Does not end at the deadline, but has tried all of them by then.
pub(crate) async fn connect_tcp(
    addresses: impl Iterator<Item = SocketAddr>,
    options: &TcpOptions,
    deadline: Deadline,
) -> Result<TcpStream, ConnectError> {
    let addresses = options.order(addresses);
    let share = deadline.share(addresses.len());
    let pace = match options.happy_eyeballs {
        Some(pace) => Some(share.map_or(pace, |share| share.min(pace)).max(LEAST_PACE)),
        None => share,
    };
    let race = Race {
        options,
        waiting: addresses.into_iter(),
        running: Vec::new(),
        pace,
        pause: None,
        failure: None,
    };
    race.await
}

/// Connects to a Unix socket.
#[cfg(unix)]
pub(crate) async fn connect_unix(path: &std::path::Path) -> Result<tokio::net::UnixStream, ConnectError> {
    let connected = tokio::net::UnixStream::connect(path).await;
    connected.map_err(|error| ConnectError::new(format!("connecting to {}", path.display()), error))
}

type Attempt = Pin<Box<dyn Future<Output = Result<TcpStream, ConnectError>> + Send>>;

/// Attempts at several addresses, of which one has to succeed.
struct Race<'a> {
    options: &'a TcpOptions,
    waiting: vec::IntoIter<SocketAddr>,
    running: Vec<Attempt>,
    /// How long until the next address has its turn, if no failure comes before.
    pace: Option<Duration>,
    pause: Option<Pin<Box<Sleep>>>,
    /// The first, which is that of the preferred address.
    failure: Option<ConnectError>,
}

impl Future for Race<'_> {
    type Output = Result<TcpStream, ConnectError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let count = self.running.len();
            if let Some(socket) = self.poll_running(cx) {
                return Poll::Ready(Ok(socket));
            }
            let failed = self.running.len() < count;
            let over = self.pause.as_mut().is_some_and(|pause| pause.as_mut().poll(cx).is_ready());
            if !failed && !over && count > 0 {
                return Poll::Pending;
            }
            let Some(address) = self.waiting.next() else {
                self.pause = None;
                return if self.running.is_empty() { Poll::Ready(Err(self.lost())) } else { Poll::Pending };
            };
            if over && self.options.happy_eyeballs.is_none() {
                self.running.clear();
                self.failure.get_or_insert_with(ConnectError::too_long);
            }
            self.begin(address);
        }
    }
}

impl Race<'_> {
    fn begin(&mut self, address: SocketAddr) {
        let socket = self.options.open(address);
        self.running.push(Box::pin(async move {
            let connected = socket?.connect(address).await;
            connected.map_err(|error| ConnectError::new(format!("connecting to {address}"), error))
        }));
        let another = self.waiting.len() > 0;
        self.pause = self.pace.filter(|_| another).map(|pace| Box::pin(tokio::time::sleep(pace)));
    }

    /// The socket of an attempt that succeeded. Attempts that failed are gone after it.
    fn poll_running(&mut self, cx: &mut Context<'_>) -> Option<TcpStream> {
        let mut at = 0;
        while let Some(attempt) = self.running.get_mut(at) {
            match attempt.as_mut().poll(cx) {
                Poll::Ready(Ok(socket)) => return Some(socket),
                Poll::Ready(Err(error)) => {
                    self.failure.get_or_insert(error);
                    drop(self.running.remove(at));
                }
                Poll::Pending => at += 1,
            }
        }
        None
    }

    fn lost(&mut self) -> ConnectError {
        let no_address = || io::Error::new(io::ErrorKind::NotFound, "the host has no address to connect to");
        self.failure.take().unwrap_or_else(|| no_address().into())
    }
}
