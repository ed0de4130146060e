//! The driver on tokio: one future that reads, lets the connection work, and writes; and that rests when there is
//! nothing to do (RFC 9113 §9.1).
//!
//! Always true here: a connection that rests keeps its socket, what its handles share, and a [`Dormant`]; all else that
//! work needs is made when it wakes; it wakes for octets, for wishes of handles and for its deadline.

mod client;
#[cfg(all(test, loom))]
mod model;
mod read;
mod server;
#[cfg(all(test, unix, not(loom)))]
mod tests;
mod work;
mod write;

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use tokio::{io::AsyncWrite, time::Sleep};

use crate::{
    config::Config,
    connection::{Connection, Dormant, Side},
    handle::Shared,
    readiness::ReadReady,
};

use self::{read::again, work::Work};
use super::post::{Incoming, Post};

pub(crate) use client::handshake_shared as client_handshake_shared;
pub use client::{ClientConnection, handshake as client_handshake, handshake_with as client_handshake_with};
pub use read::Reader;
pub use server::{ServerConnection, handshake as server_handshake, handshake_with as server_handshake_with};
pub use write::Writer;

/// A connection with its socket.
pub(crate) struct Driver<T> {
    io: T,
    state: State,
    timer: Timer,
}

/// A connection, at work or at rest.
struct State {
    shared: Arc<Shared>,
    side: Side,
    vectored: bool,
    /// How often in a row it was woken too soon.
    short_rests: u8,
    /// When it last went to rest.
    rested: Instant,
    /// Unless it rests.
    work: Option<Box<Work>>,
    /// While it rests.
    dormant: Option<Dormant>,
}

/// After so many rests that were too short a connection is taken for a busy one: it waits before it rests again. The others
/// rest at once, so that of many that are used now and then few are awake at any time.
const SHORT_RESTS: u8 = 4;

/// An alarm, if one was set.
type Timer = Option<Pin<Box<Sleep>>>;

/// What a driver has to say.
pub(crate) enum Progress {
    /// New requests stand in [`Post::incoming`]. Poll again: the driver has not gone to sleep.
    Requests,
    /// The connection is over and its socket closed.
    Over,
}

impl<T: ReadReady + AsyncWrite + Unpin> Driver<T> {
    pub(crate) fn new(io: T, side: Side, config: Arc<Config>) -> Self {
        let vectored = io.is_write_vectored();
        Driver { io, state: State::new(side, vectored, config), timer: None }
    }

    /// The connection with its mailboxes. If it rests, it wakes.
    pub(crate) fn post(&mut self) -> &mut Post {
        &mut self.state.work().post
    }

    /// The next request that waits. There is none at rest.
    pub(crate) fn next_request(&mut self) -> Option<Incoming> {
        self.state.work.as_mut()?.post.incoming.pop_front()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.state.shared
    }

    /// Whether it sleeps, with nothing open and nothing to do, and keeps as little as it can.
    pub(crate) fn is_resting(&self) -> bool {
        self.state.dormant.is_some()
    }

    /// Works until there is nothing to do, or requests have come, or all is over.
    pub(crate) fn poll_drive(&mut self, cx: &mut Context<'_>) -> Poll<Progress> {
        if self.is_resting() {
            ready!(self.poll_called(cx));
        }
        let progress = self.state.work().poll(&mut self.io, &mut self.timer, cx);
        // Who it is that could call has just been told whom to wake, but for the timer.
        if progress.is_pending() && self.state.rest() {
            self.timer = None;
            if self.poll_deadline(cx).is_ready() {
                cx.waker().wake_by_ref();
            }
        }
        progress
    }

    /// Waits, at rest, until there is a reason to wake.
    fn poll_called(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.state.shared.rest(cx) || again(|| self.io.poll_read_ready(cx)).is_ready() {
            return Poll::Ready(());
        }
        self.poll_deadline(cx)
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let config = &self.state.shared.config;
        let deadline = self.state.dormant.as_ref().and_then(|dormant| dormant.poll_timeout(config));
        match deadline {
            Some(deadline) => at_the_latest(&mut self.timer, deadline).poll(cx),
            None => Poll::Pending,
        }
    }
}

impl State {
    fn new(side: Side, vectored: bool, config: Arc<Config>) -> Self {
        let now = now();
        let connection = Connection::new(side, config.clone(), now);
        let shared = Shared::new(config, side, connection.account().cloned());
        let work = Work::new(connection, shared.clone(), side, vectored, Duration::ZERO);
        let work = Some(Box::new(work));
        State { shared, side, vectored, short_rests: 0, rested: now, work, dormant: None }
    }

    fn work(&mut self) -> &mut Work {
        let State { shared, side, vectored, short_rests, rested, work, dormant } = self;
        work.get_or_insert_with(|| {
            let (config, now) = (shared.config.clone(), now());
            let connection = match dormant.take() {
                Some(dormant) => dormant.wake(config, now),
                None => Connection::new(*side, config, now),
            };
            let rest_after = shared.config.rest_after.unwrap_or_default();
            let short = now.saturating_duration_since(*rested) < rest_after;
            *short_rests = if short { short_rests.saturating_add(1) } else { 0 };
            let pause = if *short_rests < SHORT_RESTS { Duration::ZERO } else { rest_after };
            Box::new(Work::new(connection, shared.clone(), *side, *vectored, pause))
        })
    }

    /// Rests, if nothing has moved for long enough. Whether it does.
    fn rest(&mut self) -> bool {
        let now = now();
        self.dormant = self.work.as_mut().and_then(|work| work.rest(now));
        let rests = self.dormant.is_some();
        if rests {
            self.work = None;
            self.shared.shed();
            self.rested = now;
        }
        rests
    }
}

/// The timer, set to `deadline` unless it will fire before.
fn at_the_latest(timer: &mut Timer, deadline: Instant) -> Pin<&mut Sleep> {
    let deadline = tokio::time::Instant::from_std(deadline);
    let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
    if deadline < timer.deadline() {
        timer.as_mut().reset(deadline);
    }
    timer.as_mut()
}

/// The time on the runtime's clock, which tests may stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Drop for State {
    fn drop(&mut self) {
        self.work().end();
    }
}
