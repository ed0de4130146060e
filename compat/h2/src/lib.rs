//! The public API of [`h2`](https://docs.rs/h2/0.4) 0.4, carried by [`millpond`]: put in the place of `h2` with one
//! line, under unmodified hyper, tonic, axum and reqwest.
//!
//! ```toml
//! [patch.crates-io]
//! h2 = { git = "<where millpond lives>" }
//! ```
//!
//! Names, signatures and meaning are those of `h2`, whose documentation holds here. [`is_millpond`] tells which of the
//! two a program runs on.
//!
//! # What is different
//!
//! - An idle connection holds no buffer: see [`millpond`].
//! - Server push is not there: `push_request` says what it says to a peer that has disabled push, promises never come,
//!   and PUSH_PROMISE is a connection error. As with `h2`, ENABLE_PUSH = 0 is sent only if `enable_push(false)` was
//!   called.
//! - Messages that RFC 9113 calls malformed and `h2` lets pass are refused: a request without `:path` or `:authority`, a
//!   `host` that differs from `:authority`, userinfo in it, DATA in a response that has no content (204, 304, to HEAD),
//!   trailers above the limit of a field section (`h2` leaves fields out). A request whose URI has an authority and
//!   nothing else is sent as `http` with the path `/`.
//! - A field block that is too large and comes in several frames is answered with 431, where `h2` may end the connection.
//! - `content-length` means nothing in messages of CONNECT and in informational ones (RFC 9110 §8.6, §9.3.6).
//! - Nothing is sent on a stream that was reset, informational responses neither. A PING of the application is not kept
//!   back by the one of a graceful shutdown. A frame that breaks a rule is refused before it is whole, and a
//!   WINDOW_UPDATE may come at another moment when a read ends within a frame.
//! - The first frame of a peer has to be SETTINGS, pseudo-header fields in trailers are refused, PRIORITY_UPDATE and
//!   SETTINGS_NO_RFC7540_PRIORITIES have to be well formed. What follows a malformed request on its stream is passed over,
//!   and a head where none may come ends the connection even if it is malformed. Of several rules that one frame breaks
//!   another may be named.
//! - After a GOAWAY new requests fail for that reason, even if the socket has failed since.
//! - Fields that came as never indexed (RFC 7541 §6.2.3) are marked sensitive.
//! - When writing fails, streams are told the socket's error at once; with `h2` they hear of a broken pipe later.
//! - A stream that both sides have ended hears of a reset that comes before its last octets are written.
//! - A field section far above `max_header_list_size` is refused before all of it has come.
//! - A request that is reset while it waits for its place, with DATA queued, sends that DATA before the reset only if the
//!   windows take all of it; with `h2` it waits for them.
//! - The place of a stream among the concurrent ones is free when the stream has ended, a little earlier than with `h2`,
//!   where its last frame must have been written. A reset by the peer that crosses ours changes no cause.
//! - After `set_initial_window_size` lowered a window, credit that was released is announced without waiting for the next
//!   release. `FlowControl::available_capacity` of a stream that has ended does not follow such changes.
//! - While thirty-two streams or more share a connection, a small write waits for one turn of the scheduler, so that it
//!   takes along what others are about to send.
//! - Limits on what a peer can make us do are rates that leak, not counts over the life of a connection; there are
//!   more of them (PING, SETTINGS, PRIORITY).
//!
//! Always true here: this crate has names and meanings, and no protocol: frames, states, windows and limits are
//! `millpond::connection`'s. Two limits of h2's are counted here, since only a facade knows what they are about: requests
//! that were reset before anyone accepted them, and small DATA frames that nobody has read.

#![deny(missing_docs, unsafe_code)]
#![warn(unreachable_pub)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

mod budget;
mod chunks;
pub mod client;
mod config;
mod drive;
mod error;
pub mod ext;
mod reason;
pub mod server;
mod share;
mod shared;
mod slot;

pub use error::Error;
pub use reason::Reason;
pub use share::{FlowControl, Ping, PingPong, Pong, RecvStream, SendStream, StreamId};

/// Whether this `h2` is millpond's: always true. The real one has no such function, so a program that calls it only
/// compiles when the patch took.
pub const fn is_millpond() -> bool {
    true
}
