//! What applications hold: requests, responses, bodies, pings. They meet the driver through one letterbox for
//! each stream and one ready queue for each connection.
//!
//! Always true here: no handle knows the socket or the state machine; no lock is held while a waker is called
//! or code of the application runs; dropping any handle at any moment leaves nothing behind.

mod answer;
mod client;
mod mailbox;
#[cfg(all(test, loom))]
mod model;
mod ping;
mod recv_stream;
mod send_stream;
mod server;
mod shared;

pub use client::{ResponseFuture, SendRequest};
pub use ping::PingPong;
pub use recv_stream::{FlowControl, RecvStream};
pub use send_stream::SendStream;
pub use server::SendResponse;

pub(crate) use mailbox::{Delivered, Mailbox, State as MailboxState};
pub(crate) use shared::{Ping, Shared};
