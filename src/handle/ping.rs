//! PINGs of the application: round trips on demand (RFC 9113 §6.7).

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use crate::error::Error;

use super::shared::Shared;

/// Sends PINGs and waits for their answers; one at a time on a connection.
pub struct PingPong(Arc<Shared>);

impl PingPong {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        PingPong(shared)
    }

    /// Sends a PING.
    ///
    /// # Errors
    ///
    /// [`Mistake::PingInFlight`](crate::error::Mistake::PingInFlight) while one is in flight, or why the
    /// connection is over.
    pub fn send_ping(&mut self) -> Result<(), Error> {
        self.0.send_ping()
    }

    /// Waits for the answer.
    ///
    /// # Errors
    ///
    /// Why the connection is over.
    pub fn poll_pong(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_pong(cx)
    }

    /// Sends a PING and waits for the answer.
    ///
    /// # Errors
    ///
    /// As [`send_ping`](Self::send_ping) and [`poll_pong`](Self::poll_pong).
    pub async fn ping(&mut self) -> Result<(), Error> {
        self.send_ping()?;
        poll_fn(|cx| self.poll_pong(cx)).await
    }
}

impl std::fmt::Debug for PingPong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PingPong").finish_non_exhaustive()
    }
}
