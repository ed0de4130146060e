//! Waiting until there is something to read, before any buffer is taken.
//!
//! A transport that reads into a buffer it already holds must hold one for every idle connection. The
//! [`ReadReady`] seam turns that around: wait, then take a block, then read.
//!
//! Always true here: a source that has nothing to read costs no memory; nothing here is particular to one
//! operating system.

#[cfg(feature = "tokio")]
mod tokio;

use std::{
    io,
    task::{Context, Poll},
};

#[cfg(feature = "tokio")]
pub use self::tokio::Source;

/// A source of octets that can say whether a read would find something.
pub trait ReadReady {
    /// Waits until a read is worth trying. May be `Ready` although a read then finds nothing; a source that
    /// cannot tell says `Ready` always, and is read by lending it a block and taking it back.
    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Reads into `into`, which is not empty. `Ok(0)` is the end of the stream. On `Pending` the task is woken
    /// when it is worth trying again.
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>>;
}
