//! Drivers: what moves octets between a socket, a [`Connection`](crate::connection::Connection) and its handles.
//!
//! For a driver of your own around the public [`connection`](crate::connection) there are the two halves that touch
//! the socket: [`Reader`], which holds no block while nothing comes, and [`Writer`].
//!
//! Always true here: a driver is the sole owner of its connection, so there is no lock around it.

mod post;
pub(crate) mod tokio;

pub(crate) use post::Incoming;
pub use tokio::{Reader, Writer};
