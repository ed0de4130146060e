//! URIs of Unix sockets for hyper's client.

use std::path::Path;

use http::Uri;

use crate::{adapter::target, error::Error};

/// A URI by which hyper's client reaches `path_and_query` at a Unix socket.
///
/// The client passes nothing but scheme and authority on to its connector, so the authority is the path of the socket
/// in hexadecimal digits, as the crate `hyperlocal` writes it.
///
/// ```
/// let uri = millpond::adapter::hyper::unix_uri("/tmp/x", "/containers?all=1")?;
/// assert_eq!(uri, "unix://2f746d702f78/containers?all=1");
/// # Ok::<(), millpond::Error>(())
/// ```
///
/// # Errors
///
/// [`Mistake::BadUri`](crate::error::Mistake::BadUri) if it cannot be written as a URI.
pub fn unix_uri(socket: impl AsRef<Path>, path_and_query: &str) -> Result<Uri, Error> {
    target::unix_uri(socket.as_ref(), path_and_query)
}
