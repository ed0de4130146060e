//! Where a URI leads: a TCP host or a Unix socket.
//!
//! The scheme `unix` is that of gRPC's name resolution. `http::Uri` has no form for `unix:/path`, so it is written
//! with an authority that says nothing; and since hyper's client keeps of a URI nothing but scheme and authority, the
//! authority may be the path itself, in hexadecimal digits.
//!
//! Always true here: nothing is resolved or opened.

use http::Uri;

use crate::error::{Error, Mistake};

/// Where to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Tcp {
        host: String,
        port: u16,
    },
    #[cfg(unix)]
    Unix(std::path::PathBuf),
}

impl Target {
    /// Reads `http://host:port`, `unix://localhost/path` and `unix://<path in hexadecimal digits>/`.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Error> {
        match uri.scheme_str() {
            None | Some("http" | "unix") => Self::of_any(uri),
            Some("https") => Err(Mistake::BadUri("TLS needs a connector of its own").into()),
            Some(_) => Err(Mistake::BadUri("the scheme is neither http nor unix").into()),
        }
    }

    /// The same, and a host of any other scheme: for those who put TLS on top.
    pub(crate) fn of_any(uri: &Uri) -> Result<Self, Error> {
        let default_port = match uri.scheme_str() {
            None => return Err(Mistake::BadUri("no scheme").into()),
            #[cfg(unix)]
            Some("unix") => return Self::unix(socket_of(uri)),
            #[cfg(not(unix))]
            Some("unix") => return Err(Mistake::BadUri("this system has no Unix sockets").into()),
            Some("https") => 443,
            Some(_) => 80,
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(Mistake::BadUri("no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Target::Tcp { host, port: uri.port_u16().unwrap_or(default_port) })
    }

    #[cfg(unix)]
    pub(crate) fn unix(path: std::path::PathBuf) -> Result<Self, Error> {
        // Without a name it is the root directory at best.
        match path.file_name() {
            Some(_) => Ok(Target::Unix(path)),
            None => Err(Mistake::BadUri("a Unix socket needs a path").into()),
        }
    }
}

/// A URI that leads to a Unix socket also when nothing but its scheme and authority is kept.
#[cfg(all(unix, feature = "hyper"))]
pub(crate) fn unix_uri(socket: &std::path::Path, path_and_query: &str) -> Result<Uri, Error> {
    use std::{fmt::Write, os::unix::ffi::OsStrExt};

    Target::unix(socket.into())?;
    let mut authority = String::new();
    for octet in socket.as_os_str().as_bytes() {
        write!(authority, "{octet:02x}").map_err(|_| Mistake::BadUri("the path is too long"))?;
    }
    let uri = Uri::builder().scheme("unix").authority(authority).path_and_query(path_and_query);
    uri.build().map_err(|_| Mistake::BadUri("not a path and query").into())
}

#[cfg(unix)]
fn socket_of(uri: &Uri) -> std::path::PathBuf {
    use std::os::unix::ffi::OsStringExt;

    let named_by_authority = || {
        let octets = hexadecimal(uri.host().filter(|host| uri.path() == "/" && !host.is_empty())?)?;
        Some(std::ffi::OsString::from_vec(octets).into())
    };
    named_by_authority().unwrap_or_else(|| uri.path().into())
}

#[cfg(unix)]
fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    let (pairs, odd) = digits.as_bytes().as_chunks();
    if !odd.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(value(high)? << 4 | value(low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(uri: &'static str) -> Result<Target, String> {
        Target::of(&Uri::from_static(uri)).map_err(|error| error.to_string())
    }

    fn tcp(host: &str, port: u16) -> Result<Target, String> {
        Ok(Target::Tcp { host: host.into(), port })
    }

    #[test]
    fn targets_are_read_from_uris() {
        assert_eq!(target("http://a.b:81/c"), tcp("a.b", 81));
        assert_eq!(target("http://[::1]"), tcp("::1", 80));
        assert!(target("https://a.b").unwrap_err().contains("TLS"));
        assert!(target("/only/path").unwrap_err().contains("no scheme"));
        assert!(target("ftp://a.b").unwrap_err().contains("scheme"));
        assert!(target("http://:80/").unwrap_err().contains("no host"));
    }

    #[test]
    fn any_scheme_may_do() {
        let any = |uri| Target::of_any(&Uri::from_static(uri)).map_err(|error| error.to_string());
        assert_eq!(any("https://a.b"), tcp("a.b", 443));
        assert_eq!(any("https://a.b:1"), tcp("a.b", 1));
        assert_eq!(any("ftp://a.b"), tcp("a.b", 80));
        assert!(any("a.b").unwrap_err().contains("no scheme"));
    }

    #[test]
    #[cfg(unix)]
    fn unix_sockets_stand_in_the_path_or_the_authority() {
        let unix = |path: &str| Ok(Target::Unix(path.into()));
        assert_eq!(target("unix://localhost/tmp/x"), unix("/tmp/x"));
        assert_eq!(target("unix://2f746d702f78/"), unix("/tmp/x"));
        assert_eq!(target("unix://2F746D702F78:0"), unix("/tmp/x"));
        assert_eq!(target("unix://2f746d702f78/tmp/y"), unix("/tmp/y"));
        for nothing in ["unix://localhost/", "unix://2f746/", "unix://2f/", "unix://+f+f/"] {
            assert!(target(nothing).unwrap_err().contains("path"), "{nothing}");
        }
    }

    #[test]
    #[cfg(all(unix, feature = "hyper"))]
    fn a_unix_uri_leads_back_to_its_socket() {
        for socket in ["/tmp/x", "relative", "/with space/ä%", "\0abstract"] {
            let uri = unix_uri(socket.as_ref(), "/call?x=1").unwrap();
            assert_eq!(uri.path_and_query().map(|path| path.as_str()), Some("/call?x=1"));
            // As hyper's client passes it on.
            let mut parts = uri.into_parts();
            parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
            let target = Target::of(&Uri::from_parts(parts).unwrap());
            assert_eq!(target.unwrap(), Target::Unix(socket.into()));
        }
        assert!(unix_uri("/".as_ref(), "/").is_err());
        assert!(unix_uri("/tmp/x".as_ref(), "no slash").is_err());
    }
}
