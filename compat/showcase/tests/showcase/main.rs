//! Released crates, unmodified, on whatever h2 this workspace gives them: conversations over real sockets.
//!
//! `compat/showcase` runs them on millpond, `compat/showcase/stock` the same files on the real h2, which shows that they
//! say what h2 does. Every test is bounded in time, runs alone, and ends with a look at the pool: not one block may be
//! out, first while its connections rest, then after they are gone. [`support::show`] sees to all of that.

mod axum;
#[cfg(feature = "facade")]
mod facade;
mod hyper;
mod pool;
mod reqwest;
mod support;
mod tonic;
