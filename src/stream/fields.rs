//! From messages to field lines, and the checks on what our own side wants to send (RFC 9113 §8.2, §8.3).
//!
//! Always true here: pseudo-header fields come before regular ones (§8.3); a head that passed [`check`] is one
//! that a correct peer accepts.

use http::{HeaderMap, Method, Request, StatusCode};

use crate::{error::Mistake, hpack::FieldRef};

use super::{
    message::{Head, is_connection_specific},
    protocol::Protocol,
};

/// The field lines of a head, pseudo-header fields first.
pub(crate) fn of_head(head: &Head) -> impl Iterator<Item = FieldRef<'_>> {
    let (pseudo, headers) = match head {
        Head::Request(request) => (request_pseudo_fields(request), request.headers()),
        Head::Response(response) => {
            ([Some(FieldRef::Status(response.status())), None, None, None, None], response.headers())
        }
    };
    pseudo.into_iter().flatten().chain(of_trailers(headers))
}

/// The field lines of trailers.
pub(crate) fn of_trailers(headers: &HeaderMap) -> impl Iterator<Item = FieldRef<'_>> {
    headers.iter().map(|(name, value)| FieldRef::Header(name, value))
}

fn request_pseudo_fields(request: &Request<()>) -> [Option<FieldRef<'_>>; 5] {
    let (method, uri) = (request.method(), request.uri());
    let protocol = request.extensions().get::<Protocol>();
    let authority = uri.authority().map(|authority| FieldRef::Authority(authority.as_str()));
    // §8.5: CONNECT carries no scheme and no path, unless it is extended (RFC 8441 §4).
    if *method == Method::CONNECT && protocol.is_none() {
        return [Some(FieldRef::Method(method)), authority, None, None, None];
    }
    let path = match uri.path_and_query().map(|path| path.as_str()) {
        // §8.3.1: an empty path is sent as "/", or as "*" for OPTIONS without a path.
        None | Some("") => {
            if *method == Method::OPTIONS {
                "*"
            } else {
                "/"
            }
        }
        Some(path) => path,
    };
    [
        Some(FieldRef::Method(method)),
        Some(FieldRef::Scheme(uri.scheme_str().unwrap_or("http"))),
        authority,
        Some(FieldRef::Path(path)),
        protocol.map(|protocol| FieldRef::Protocol(protocol.as_str())),
    ]
}

/// Whether HTTP/2 can carry this head.
///
/// # Errors
///
/// [`Mistake::BadHead`]: a request without an authority, a 101 response (RFC 9113 §8.6), or a field that
/// belongs to an HTTP/1.1 connection (§8.2.2).
pub fn check(head: &Head) -> Result<(), Mistake> {
    let headers = match head {
        Head::Request(request) => {
            if request.uri().authority().is_none() {
                return Err(Mistake::BadHead("a request needs a URI with an authority"));
            }
            request.headers()
        }
        Head::Response(response) => {
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                return Err(Mistake::BadHead("there is no 101 in HTTP/2 (RFC 9113 §8.6)"));
            }
            response.headers()
        }
    };
    check_headers(headers)
}

/// Whether HTTP/2 can carry these fields, of a head or of trailers.
///
/// # Errors
///
/// [`Mistake::BadHead`]: a field that belongs to an HTTP/1.1 connection (RFC 9113 §8.2.2).
pub fn check_headers(headers: &HeaderMap) -> Result<(), Mistake> {
    match headers.iter().any(|(name, value)| is_connection_specific(name, value)) {
        true => Err(Mistake::BadHead("connection-specific field (RFC 9113 §8.2.2)")),
        false => Ok(()),
    }
}

/// The size of a field section as SETTINGS_MAX_HEADER_LIST_SIZE counts it (RFC 9113 §6.5.2).
pub(crate) fn section_octets<'a>(fields: impl Iterator<Item = FieldRef<'a>>) -> usize {
    fields.map(|field| field.octets()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;

    fn names(request: Request<()>) -> Vec<String> {
        of_head(&Head::Request(request)).map(|field| format!("{field:?}")).collect()
    }

    #[test]
    fn pseudo_fields_come_first_and_connect_has_two() {
        let request = Request::get("http://a.b/c?d").header("x", "y").body(()).unwrap();
        let fields = names(request);
        assert_eq!(fields.len(), 5);
        assert!(
            fields[0].starts_with("Method") && fields[3].contains("/c?d") && fields[4].starts_with("Header")
        );
        let tunnel = Request::connect("a.b:443").body(()).unwrap();
        assert_eq!(names(tunnel).len(), 2);
    }

    #[test]
    fn an_empty_path_is_sent_as_a_slash() {
        let fields = names(Request::get("http://a.b").body(()).unwrap());
        assert!(fields[3].contains("\"/\""), "{fields:?}");
        let fields = names(Request::options("http://a.b").body(()).unwrap());
        assert!(fields[3].contains('/') || fields[3].contains('*'), "{fields:?}");
    }

    #[test]
    fn what_http2_cannot_carry_is_refused() {
        let refused = |head| check(&head).is_err();
        assert!(refused(Head::Request(Request::get("/only/path").body(()).unwrap())));
        assert!(refused(Head::Response(Response::builder().status(101).body(()).unwrap())));
        assert!(refused(Head::Response(Response::builder().header("connection", "close").body(()).unwrap())));
        assert!(!refused(Head::Response(Response::builder().status(103).body(()).unwrap())));
    }
}
