//! Programs that measure stock hyper and stock tonic, whatever h2 they were built on: millpond in this workspace, the
//! real h2 in `stock/`, from the same sources.
//!
//! - `idle`: what an idle connection costs, each side in a process of its own; `compare` runs both builds of it.
//! - `owners`: whose the live octets of an idle connection are.
//! - `rate`: calls in a second, by both builds in turns.

pub mod builds;
pub mod idle;
pub mod owners;
pub mod pair;
pub mod pool;
pub mod rate;

/// Any error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
