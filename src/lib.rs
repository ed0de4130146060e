//! An HTTP/2 transport whose idle connections hold no buffer.
#![deny(missing_docs, unsafe_code)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

#[cfg(feature = "tokio")]
pub mod adapter;
pub mod buffer;
#[cfg(feature = "tokio")]
mod channel;
mod config;
pub mod connection;
#[cfg(feature = "tokio")]
mod driver;
mod env;
pub mod error;
pub mod frame;
pub mod handle;
pub mod hpack;
pub mod readiness;
#[cfg(feature = "tokio")]
pub mod server;
mod stream;
mod stream_id;

#[cfg(feature = "tokio")]
pub use adapter::{Body, CallError, ConnectInfo};
#[cfg(feature = "tokio")]
pub use channel::{CallFuture, Channel, ChannelBuilder, Connector};
pub use config::{Config, ConfigBuilder};
pub use error::{Error, ErrorCode, Misdeed};
#[cfg(feature = "tokio")]
pub use server::Server;
pub use stream::Protocol;
pub use stream_id::StreamId;

/// A client's side of one connection, as parts: for those who do not want [`Channel`].
#[cfg(feature = "tokio")]
pub mod client {
    pub use crate::driver::tokio::{
        ClientConnection as Connection, client_handshake as handshake,
        client_handshake_with as handshake_with,
    };
    pub use crate::handle::{ResponseFuture, SendRequest};
}
