//! The connection of a channel: none, being made, standing, or lost and waiting to be tried again.
//!
//! Always true here: one attempt at a time; whoever waits is told of its outcome, or tries again if it comes to hear of it
//! only after the pause; after a failure there is a pause that doubles, with jitter, and calls made in it fail at once.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use crate::{
    adapter::{BoxError, CallError},
    handle::SendRequest,
};

use super::connect::Dial;

/// Makes and keeps the connection.
pub(super) struct Link {
    state: Mutex<State>,
    backoff: Backoff,
}

/// Longer than any process lives, and within the clock's range.
const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The pauses between attempts.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    pub(super) first: Duration,
    pub(super) longest: Duration,
}

struct State {
    dial: Option<Dial>,
    stage: Stage,
    /// Attempts that failed since a connection stood for a while.
    failures: u32,
}

enum Stage {
    Idle,
    Connecting { waiting: Vec<Waker> },
    Standing { sender: SendRequest, since: Instant },
    Pausing { until: Instant, error: Box<CallError> },
}

impl Link {
    pub(super) fn new(dial: Dial, backoff: Backoff) -> Arc<Self> {
        let state = State { dial: Some(dial), stage: Stage::Idle, failures: 0 };
        Arc::new(Link { state: Mutex::new(state), backoff })
    }

    /// Waits for a connection that takes requests; makes one if there is none.
    pub(super) fn poll_sender(self: &Arc<Self>, cx: &Context<'_>) -> Poll<Result<SendRequest, CallError>> {
        let mut state = self.lock();
        loop {
            let lost = match &mut state.stage {
                Stage::Standing { sender, .. } if !sender.is_closed() => {
                    return Poll::Ready(Ok(sender.clone()));
                }
                Stage::Connecting { waiting } => {
                    if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                        waiting.push(cx.waker().clone());
                    }
                    return Poll::Pending;
                }
                Stage::Pausing { until, error } if *until > Instant::now() => {
                    return Poll::Ready(Err((**error).clone()));
                }
                Stage::Standing { since, .. } => Some(since.elapsed()),
                Stage::Idle | Stage::Pausing { .. } => None,
            };
            match lost {
                // A peer that accepts and hangs up at once is as good as none: no hot loop.
                Some(lived) if lived < self.backoff.first => {
                    let error = CallError::connect("the connection was lost as soon as it was made");
                    self.pause(&mut state, error);
                    continue;
                }
                Some(_) => state.failures = 0,
                None => {}
            }
            state.stage = Stage::Connecting { waiting: vec![cx.waker().clone()] };
            let dial = state.dial.take();
            drop(state);
            self.dial(dial);
            return Poll::Pending;
        }
    }

    /// The connection that stands, if any.
    pub(super) fn current(&self) -> Option<SendRequest> {
        match &self.lock().stage {
            Stage::Standing { sender, .. } if !sender.is_closed() => Some(sender.clone()),
            _ => None,
        }
    }

    /// Begins an attempt. Not under the lock: its end may come at once.
    fn dial(self: &Arc<Self>, dial: Option<Dial>) {
        // The channel may be dropped meanwhile: then nobody wants the connection.
        let mut attempt = Attempt { link: Arc::downgrade(self), dial };
        tokio::spawn(async move {
            let Some(dial) = &mut attempt.dial else { return };
            let result = dial().await;
            attempt.end(result);
        });
    }

    fn dialled(&self, dial: Dial, result: Result<SendRequest, BoxError>) {
        let mut state = self.lock();
        state.dial = Some(dial);
        let waiting = match &mut state.stage {
            Stage::Connecting { waiting } => std::mem::take(waiting),
            _ => Vec::new(),
        };
        match result {
            Ok(sender) => {
                tracing::debug!("connected");
                state.stage = Stage::Standing { sender, since: Instant::now() };
            }
            Err(error) => {
                tracing::debug!(%error, "no connection");
                self.pause(&mut state, CallError::connect(error));
            }
        }
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn pause(&self, state: &mut State, error: CallError) {
        let pause = self.backoff.pause(state.failures);
        state.failures += 1;
        state.stage = Stage::Pausing { until: Instant::now() + pause, error: Box::new(error) };
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One attempt to connect. Dropped before its end (the connector panicked, the runtime shuts down) it failed.
struct Attempt {
    link: Weak<Link>,
    dial: Option<Dial>,
}

impl Attempt {
    fn end(&mut self, result: Result<SendRequest, BoxError>) {
        if let (Some(dial), Some(link)) = (self.dial.take(), self.link.upgrade()) {
            link.dialled(dial, result);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.end(Err("the attempt to connect was broken off".into()));
    }
}

impl Backoff {
    /// Doubles with each failure, up to the longest; a fifth more or less, so that clients do not come back in
    /// step.
    fn pause(&self, failures: u32) -> Duration {
        let doubled = self.first.saturating_mul(1 << failures.min(20)).min(self.longest).min(FAR);
        doubled.mul_f64(0.8 + 0.4 * fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(5) };
        let endless = Backoff { first: Duration::MAX, longest: Duration::MAX };
        assert!(Instant::now().checked_add(endless.pause(0)).is_some());
        for (failures, expected) in [(0, 100.0), (1, 200.0), (3, 800.0), (6, 5_000.0), (1_000, 5_000.0)] {
            let pause = backoff.pause(failures).as_secs_f64() * 1_000.0;
            assert!((expected * 0.8..=expected * 1.2).contains(&pause), "{failures}: {pause}");
        }
    }
}
