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
mod turn;
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
    moment::Moment,
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

/// A connection, at work or at rest. Each octet counts: the task of a client is an allocation of 256 octets with 112
/// here, and of 384 with more, since tokio aligns tasks to 128.
struct State {
    shared: Arc<Shared>,
    phase: Phase,
    /// When it last went to rest.
    rested: Moment,
    /// How often in a row it was woken too soon.
    short_rests: u8,
    side: Side,
    vectored: bool,
}

enum Phase {
    Work(Box<Work>),
    Rest(Dormant),
    /// On its way from one to the other.
    Between,
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
        match &mut self.state.phase {
            Phase::Work(work) => work.post.incoming.pop_front(),
            _ => None,
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.state.shared
    }

    /// Whether it sleeps, with nothing open and nothing to do, and keeps as little as it can.
    pub(crate) fn is_resting(&self) -> bool {
        matches!(self.state.phase, Phase::Rest(_))
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
        let Phase::Rest(dormant) = &self.state.phase else { return Poll::Pending };
        match dormant.poll_timeout(config) {
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
        let phase = Phase::Work(Box::new(work));
        State { shared, phase, rested: Moment::of(now), short_rests: 0, side, vectored }
    }

    /// Wakes it, if it rests.
    #[inline]
    fn work(&mut self) -> &mut Work {
        if !matches!(self.phase, Phase::Work(_)) {
            self.wake();
        }
        match &mut self.phase {
            Phase::Work(work) => work,
            _ => unreachable!("it was woken just now"),
        }
    }

    #[cold]
    fn wake(&mut self) {
        let (config, now) = (self.shared.config.clone(), now());
        let rest_after = config.rest_after.unwrap_or_default();
        let connection = match std::mem::replace(&mut self.phase, Phase::Between) {
            Phase::Rest(dormant) => dormant.wake(config, now),
            _ => Connection::new(self.side, config, now),
        };
        let short = Moment::of(now).since(self.rested) < rest_after;
        self.short_rests = if short { self.short_rests.saturating_add(1) } else { 0 };
        let pause = if self.short_rests < SHORT_RESTS { Duration::ZERO } else { rest_after };
        let work = Work::new(connection, self.shared.clone(), self.side, self.vectored, pause);
        self.phase = Phase::Work(Box::new(work));
    }

    /// Rests, if nothing has moved for long enough. Whether it does.
    fn rest(&mut self) -> bool {
        let Phase::Work(work) = &mut self.phase else { return true };
        let now = now();
        let Some(dormant) = work.rest(now) else { return false };
        self.phase = Phase::Rest(dormant);
        self.shared.shed();
        self.rested = Moment::of(now);
        true
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
