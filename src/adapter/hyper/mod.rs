//! A connector for programs that stay with hyper's client or tonic's channel (feature `hyper`).
//!
//! [`Connector`] opens the socket, hyper speaks HTTP over it: give it to `hyper_util::client::legacy::Client`, or to
//! `tonic::transport::Endpoint::connect_with_connector`.
//!
//! # What it saves, and what not
//!
//! By itself it saves **no memory of HTTP**. The buffers of a connection, tens of kilobytes, are in hyper and in the
//! `h2` crate, above the socket, where a connector does not reach. They go when the package `compat/h2` stands in for
//! the `h2` crate: then no idle HTTP/2 connection holds a buffer, whichever connector opened its socket. (hyper hands
//! the socket on in a wrapper that cannot say whether it is readable; it is lent a block for each read, and the block
//! comes back if there is nothing.) Or leave hyper's client for [`Channel`](crate::Channel).
//!
//! What it adds to `hyper_util::client::legacy::connect::HttpConnector` is at the socket:
//!
//! | | here | `HttpConnector` |
//! | --- | --- | --- |
//! | addresses of a host | the next begins after a pause while all others go on, families in turn (RFC 8305) | one after the other in each of two families; the second family begins after a pause |
//! | `set_connect_timeout` | for everything, the resolver too | for each address its share; not for the resolver |
//! | Unix sockets | by URI, or one for all calls ([`Connector::unix`]) | no |
//! | `TCP_NOTSENT_LOWAT`: fewer octets wait in the system, out of reach of priorities and resets | [`set_tcp_notsent_lowat`](Connector::set_tcp_notsent_lowat) | no |
//! | `TCP_NODELAY` | on, as HTTP/2 wants it | off |
//! | `set_reuse_address` | before the socket is bound, where it counts | after |
//! | errors | the first address and why | why |
//!
//! All other options of `HttpConnector` are here under their names, resolvers are the same services, and responses
//! carry the same `HttpInfo`, beside a [`ConnectInfo`](crate::ConnectInfo).
//!
//! # With hyper's client
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use http_body_util::Empty;
//! use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//!
//! let mut connector = millpond::Connector::new();
//! connector.set_connect_timeout(Some(Duration::from_secs(5)));
//! let client = Client::builder(TokioExecutor::new()).http2_only(true).build(connector);
//! let request = http::Request::get("http://127.0.0.1:8080/").body(Empty::<bytes::Bytes>::new())?;
//! println!("{}", client.request(request).await?.status());
//! # Ok(())
//! # }
//! ```
//!
//! # With tonic
//!
//! ```no_run
//! # async fn example() -> Result<(), tonic::transport::Error> {
//! let endpoint = tonic::transport::Endpoint::from_static("http://127.0.0.1:50051");
//! let channel = endpoint.connect_with_connector(millpond::Connector::new()).await?;
//! # drop(channel);
//! # Ok(())
//! # }
//! ```
//!
//! The options of sockets are those of the connector: tonic does not pass on its own (`tcp_nodelay` and so on). An
//! `Endpoint` made from `unix:/path` tells no connector where that is: use [`Connector::unix`] with it.
//!
//! # TLS
//!
//! Put it around the connector or into it. A connector that encrypts, as that of hyper-rustls does, may be made around
//! this one, after `enforce_http(false)`. Or [`Connector::wrap`] one that is finished, to give it a limit of time that
//! the TLS handshake counts in, and Unix sockets beside.

mod connector;
mod io;
mod options;
mod sockets;

#[cfg(unix)]
mod unix;

pub use connector::{Connecting, Connector, Wrapped};
pub use io::Io;
pub use sockets::Sockets;
#[cfg(unix)]
pub use unix::unix_uri;
