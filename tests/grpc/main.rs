//! gRPC and plain HTTP/2 through [`millpond::Channel`] and [`millpond::Server`]: with each other, with stock
//! crates, and with foreign peers.
//!
//! Tests of peers that are other programs are ignored unless asked for, since the programs may be missing:
//! `tests/peers/install.sh` installs them, `cargo test --test grpc -- --include-ignored` runs them, and then a
//! missing one is a failure.

#![allow(unreachable_pub, reason = "a test binary has no surface")]

mod channel_bodies;
mod channel_calls;
mod channel_cancel;
mod channel_connect;
mod channel_peer;
mod foreign;
mod ours;
mod programs;
mod proxies;
#[path = "../common/raw.rs"]
mod raw;
mod server_calls;
mod server_failures;
mod server_inline;
mod server_life;
mod server_limits;
mod server_messages;
mod server_timers;
mod stock;
mod tools;
mod world;
