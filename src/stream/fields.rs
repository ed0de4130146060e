//! From messages to field lines, and the checks on what our own side wants to send (RFC 9113 §8.2, §8.3).
//!
//! Always true here: pseudo-header fields come before regular ones (§8.3); a head that passed [`check`] is one
//! that a correct peer accepts.

use http::{HeaderMap, Method, Request, StatusCode, Uri, header::HOST, uri::Authority};

use crate::{error::Mistake, hpack::FieldRef};

use super::{
    message::{Head, is_connection_specific, is_same_entity},
    protocol::Protocol,
};

/// The field lines of one field section.
pub(crate) struct Fields<'a> {
    pseudo: [Option<FieldRef<'a>>; 5],
    headers: &'a HeaderMap,
}

impl<'a> Fields<'a> {
    /// One after the other, pseudo-header fields first; as often as wanted.
    pub(crate) fn iter(&self) -> impl Iterator<Item = FieldRef<'a>> {
        let headers = self.headers.iter().map(|(name, value)| FieldRef::Header(name, value));
        self.pseudo.iter().flatten().copied().chain(headers)
    }

    /// The size of the field section as SETTINGS_MAX_HEADER_LIST_SIZE counts it (RFC 9113 §6.5.2).
    pub(crate) fn octets(&self) -> usize {
        self.iter().map(|field| field.octets()).sum()
    }

    /// What the section takes in memory at the most: as its octets are counted on the wire, and the entries of a table.
    /// The map of fields doubles when it is full, so there may be two places of some 104 octets for each field.
    pub(crate) fn memory(&self) -> usize {
        const ENTRY: usize = 192;
        self.iter().map(|field| field.octets() + ENTRY).sum()
    }
}

/// The field lines of a head.
pub(crate) fn of_head(head: &Head) -> Fields<'_> {
    match head {
        Head::Request(request) => of_request(request),
        Head::Response(response) => Fields {
            pseudo: [Some(FieldRef::Status(response.status())), None, None, None, None],
            headers: response.headers(),
        },
    }
}

/// The field lines of a request.
pub(crate) fn of_request(request: &Request<()>) -> Fields<'_> {
    Fields { pseudo: request_pseudo_fields(request), headers: request.headers() }
}

/// The field lines of trailers.
pub(crate) fn of_trailers(headers: &HeaderMap) -> Fields<'_> {
    Fields { pseudo: [None; 5], headers }
}

fn request_pseudo_fields(request: &Request<()>) -> [Option<FieldRef<'_>>; 5] {
    let (method, uri) = (request.method(), request.uri());
    let protocol = request.extensions().get::<Protocol>();
    let authority = uri.authority().map(|authority| FieldRef::Authority(without_userinfo(authority)));
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

/// §8.3.1: the userinfo is not to be sent.
fn without_userinfo(authority: &Authority) -> &str {
    let authority = authority.as_str();
    // Octet by octet: an authority is short, and a search made for long texts takes longer to begin.
    authority.bytes().rposition(|octet| octet == b'@').map_or(authority, |at| &authority[at + 1..])
}

impl Head {
    /// The head of a request as HTTP/2 has it: a URI of a query alone gets its slash (RFC 9113 §8.3.1).
    ///
    /// # Errors
    ///
    /// As `check_head`.
    pub fn of_request(mut request: Request<()>) -> Result<Head, Mistake> {
        if let Some(path) = request.uri().path_and_query().filter(|path| path.as_str().starts_with('?')) {
            let path = format!("/{}", path.as_str()).parse().map_err(|_| BAD_PATH)?;
            let mut parts = std::mem::take(request.uri_mut()).into_parts();
            parts.path_and_query = Some(path);
            *request.uri_mut() = Uri::from_parts(parts).map_err(|_| BAD_PATH)?;
        }
        let head = Head::Request(request);
        check(&head).map(|()| head)
    }
}

const BAD_PATH: Mistake = Mistake::BadHead("a path begins with a slash (RFC 9113 §8.3.1)");

/// Whether HTTP/2 can carry this head.
///
/// # Errors
///
/// [`Mistake::BadHead`]: a request without an authority, with a path that does not begin with a slash, with a Host
/// that names another entity (RFC 9113 §8.3.1), with two Hosts, or with a protocol although it is not CONNECT
/// (RFC 8441 §4); a 101 response (RFC 9113 §8.6); or a field that belongs to an HTTP/1.1 connection (§8.2.2).
pub fn check(head: &Head) -> Result<(), Mistake> {
    let headers = match head {
        Head::Request(request) => {
            check_request(request)?;
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

fn check_request(request: &Request<()>) -> Result<(), Mistake> {
    let (method, uri) = (request.method(), request.uri());
    let Some(authority) = uri.authority() else {
        return Err(Mistake::BadHead("a request needs a URI with an authority"));
    };
    if *method != Method::CONNECT {
        if request.extensions().get::<Protocol>().is_some() {
            return Err(Mistake::BadHead("only CONNECT takes a protocol (RFC 8441 §4)"));
        }
        let is_sound = |path: &str| path.starts_with('/') || (path == "*" && *method == Method::OPTIONS);
        if uri.path_and_query().is_some_and(|path| !is_sound(path.as_str())) {
            return Err(BAD_PATH);
        }
    }
    let scheme = uri.scheme_str();
    let mut hosts = request.headers().get_all(HOST).iter();
    let Some(host) = hosts.next() else { return Ok(()) };
    if !is_same_entity(scheme, without_userinfo(authority).as_bytes(), host.as_bytes()) {
        return Err(Mistake::BadHead("the Host differs from the authority of the URI (RFC 9113 §8.3.1)"));
    }
    match hosts.next() {
        Some(_) => Err(Mistake::BadHead("more than one Host (RFC 9110 §7.2)")),
        None => Ok(()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;

    fn names(request: Request<()>) -> Vec<String> {
        of_head(&Head::Request(request)).iter().map(|field| format!("{field:?}")).collect()
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
    fn a_query_alone_gets_its_slash_and_userinfo_stays_at_home() {
        let request = Request::get("http://me:secret@a.b?c").body(()).unwrap();
        let Head::Request(request) = Head::of_request(request).unwrap() else { panic!("a request") };
        let fields = names(request);
        assert!(fields[2].contains("\"a.b\"") && fields[3].contains("\"/?c\""), "{fields:?}");
    }

    #[test]
    fn what_http2_cannot_carry_is_refused() {
        let refused = |head| check(&head).is_err();
        assert!(refused(Head::Request(Request::get("/only/path").body(()).unwrap())));
        assert!(refused(Head::Request(Request::get("http://a.b?c").body(()).unwrap())));
        let host =
            |host| Head::Request(Request::get("http://a.b:80/").header("host", host).body(()).unwrap());
        assert!(refused(host("b.c")) && refused(host("a.b:81")) && !refused(host("A.b")));
        let protocol = |method| {
            let request = Request::builder().method(method).uri("http://a.b/");
            Head::Request(request.extension(Protocol::from_static("websocket")).body(()).unwrap())
        };
        assert!(refused(protocol("GET")) && !refused(protocol("CONNECT")));
        assert!(refused(Head::Response(Response::builder().status(101).body(()).unwrap())));
        assert!(refused(Head::Response(Response::builder().header("connection", "close").body(()).unwrap())));
        assert!(!refused(Head::Response(Response::builder().status(103).body(()).unwrap())));
    }

    #[test]
    fn a_host_is_compared_with_what_is_sent_and_there_is_but_one() {
        let head = |hosts: &[&str]| {
            let request = Request::get("https://me:secret@a.b/");
            let request = hosts.iter().fold(request, |request, host| request.header(HOST, *host));
            Head::Request(request.body(()).unwrap())
        };
        check(&head(&["a.b"])).unwrap();
        check(&head(&["A.B:443"])).unwrap();
        assert!(check(&head(&["me:secret@a.b"])).is_err());
        assert!(check(&head(&["a.b", "a.b"])).is_err(), "a peer refuses two");
    }
}
