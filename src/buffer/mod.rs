//! Memory on loan: size classes, a pool of blocks, and the shapes in which octets pass through the house.
//!
//! A [`Block`] is taken from a [`BufferPool`], filled, read through with a [`Cursor`], and goes home when it is
//! dropped; [`Block::into_bytes`] shares it as [`Bytes`](bytes::Bytes), and it goes home with the last slice.
//! Payload travels as a [`Piece`], waits unread in a [`PieceQueue`], and leaves through [`Outbound`].
//! Nothing here knows of HTTP.
//!
//! Always true here: memory is initialised before anyone sees it; every block taken from a pool is counted out
//! until its memory is home or freed; giving back never waits and never fails; a crumb never holds a loaf
//! (whatever is small is copied out of what is large). All sizes are in octets.

mod block;
mod class;
mod cursor;
mod decay;
mod memory;
#[cfg(all(test, loom))]
mod model;
mod outbound;
mod piece;
mod pool;
mod queue;
mod rack;
mod shelf;
mod stats;

pub use block::Block;
pub use cursor::Cursor;
pub use outbound::Outbound;
pub use piece::Piece;
pub use pool::{BufferPool, PoolOptions};
pub use queue::PieceQueue;
pub use stats::{ClassStats, LargeStats, PoolStats};
