//! An HTTP/2 transport whose idle connections hold no buffer.
#![deny(missing_docs, unsafe_code)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod buffer;
mod config;
pub mod connection;
mod env;
pub mod error;
pub mod frame;
pub mod hpack;
mod stream;
mod stream_id;

pub use config::{Config, ConfigBuilder};
pub use error::{Error, ErrorCode, Misdeed};
pub use stream::Protocol;
pub use stream_id::StreamId;
