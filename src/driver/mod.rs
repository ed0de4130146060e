//! Drivers: what moves octets between a socket, a [`Connection`](crate::connection::Connection) and its handles.
//!
//! Always true here: a driver is the sole owner of its connection, so there is no lock around it.

mod post;
pub(crate) mod tokio;

pub(crate) use post::Incoming;
