//! From field lines to messages: the rules for pseudo-header fields and for what HTTP/2 forbids
//! (RFC 9113 §8.2.2, §8.3; RFC 8441 §4).
//!
//! Always true here: a head that comes out is well-formed; the first rule broken is kept and named; nothing
//! here depends on the order in which regular fields come.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
    header::{COOKIE, HOST},
    uri::{Authority, PathAndQuery, Scheme},
};

use crate::{error::Misdeed, hpack::Field};

use super::protocol::Protocol;

/// The head of a request or a response, to be sent.
#[derive(Debug)]
pub enum Head {
    /// A request head.
    Request(Request<()>),
    /// An informational or final response head.
    Response(Response<()>),
}

impl Head {
    /// Whether it is a final response that grants nothing: to CONNECT, one that opens no tunnel.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Head::Request(_) => false,
            Head::Response(response) => {
                !response.status().is_success() && !response.status().is_informational()
            }
        }
    }
}

/// Gathers the field lines of one field section. What is taken of it leaves it empty: it is not moved about, being large.
#[derive(Default)]
pub(crate) struct Section {
    method: Option<Method>,
    scheme: Option<Bytes>,
    authority: Option<Bytes>,
    path: Option<Bytes>,
    protocol: Option<Bytes>,
    status: Option<StatusCode>,
    headers: HeaderMap,
    /// The crumbs of a cookie, if there are more than one.
    cookie: Vec<u8>,
    fault: Option<Misdeed>,
    /// Whether the crumbs are handed on as they came.
    keeps_crumbs: bool,
}

impl Section {
    /// An empty one, with an empty map; `joins_cookies` says whether the crumbs of a cookie become one field.
    pub(crate) fn new(joins_cookies: bool, headers: HeaderMap) -> Self {
        Section { headers, keeps_crumbs: !joins_cookies, ..Section::default() }
    }

    /// Takes the next field line. HPACK has seen to it that pseudo-header fields come first and once.
    pub(crate) fn add(&mut self, field: Field) {
        match field {
            Field::Method(method) => self.method = Some(method),
            Field::Scheme(scheme) => self.scheme = Some(scheme),
            Field::Authority(authority) => self.authority = Some(authority),
            Field::Path(path) => self.path = Some(path),
            Field::Protocol(protocol) => self.protocol = Some(protocol),
            Field::Status(status) => self.status = Some(status),
            Field::Header(name, value) => self.add_header(name, value),
        }
    }

    fn add_header(&mut self, name: HeaderName, value: HeaderValue) {
        if is_connection_specific(&name, &value) {
            self.fault.get_or_insert(Misdeed::ConnectionSpecificField);
            return;
        }
        // §8.2.3: crumbs of a cookie are joined before a generic HTTP application sees them.
        if name == COOKIE
            && !self.keeps_crumbs
            && let Some(first) = self.headers.get_mut(COOKIE)
        {
            if self.cookie.is_empty() {
                self.cookie.extend_from_slice(first.as_bytes());
            }
            self.cookie.extend_from_slice(b"; ");
            self.cookie.extend_from_slice(value.as_bytes());
            first.set_sensitive(first.is_sensitive() || value.is_sensitive());
            return;
        }
        // HeaderMap holds 32,768 entries at the most; `Config::max_header_fields` is the real limit.
        if self.headers.try_append(name, value).is_err() {
            self.fault.get_or_insert(Misdeed::FieldSectionTooLarge);
        }
    }

    /// Whether no field is one that HTTP/2 forbids, whatever the fields amount to together.
    pub(crate) fn has_sound_fields(&self) -> bool {
        self.fault.is_none()
    }

    /// The regular fields are complete: the first fault, if any.
    fn finish(&mut self) -> Result<(), Misdeed> {
        if !self.cookie.is_empty()
            && let Some(first) = self.headers.get_mut(COOKIE)
        {
            let joined = HeaderValue::from_maybe_shared(Bytes::from(std::mem::take(&mut self.cookie)));
            let mut joined = joined.map_err(|_| Misdeed::FieldValueInvalid)?;
            joined.set_sensitive(first.is_sensitive());
            *first = joined;
        }
        self.fault.map_or(Ok(()), Err)
    }

    /// A request head (§8.3.1).
    pub(crate) fn take_request(&mut self) -> Result<Request<()>, Misdeed> {
        self.finish()?;
        let (Some(method), None) = (self.method.take(), self.status) else {
            return Err(Misdeed::BadPseudoField);
        };
        let mut uri = http::uri::Parts::default();
        if let Some(authority) = self.authority.take() {
            uri.authority = Some(parse_authority(authority)?);
        }
        let tunnel = method == Method::CONNECT && self.protocol.is_none();
        if tunnel {
            // §8.5: only :method and :authority.
            if self.scheme.is_some() || self.path.is_some() || uri.authority.is_none() {
                return Err(Misdeed::BadPseudoField);
            }
        } else {
            let (Some(scheme), Some(path)) = (self.scheme.take(), self.path.take()) else {
                return Err(Misdeed::BadPseudoField);
            };
            let asterisk = path.as_ref() == b"*" && method == Method::OPTIONS;
            if !path.starts_with(b"/") && !asterisk {
                return Err(Misdeed::BadPseudoField);
            }
            uri.path_and_query =
                Some(PathAndQuery::from_maybe_shared(path).map_err(|_| Misdeed::BadPseudoField)?);
            uri.scheme = Some(Scheme::try_from(scheme.as_ref()).map_err(|_| Misdeed::BadPseudoField)?);
        }
        check_host(&uri, &self.headers)?;
        // `Uri` has no scheme without an authority.
        if uri.authority.is_none() {
            uri.scheme = None;
        }

        let mut request = Request::new(());
        if let Some(protocol) = self.protocol.take() {
            // RFC 8441 §4.
            if method != Method::CONNECT || uri.authority.is_none() || protocol.is_empty() {
                return Err(Misdeed::BadPseudoField);
            }
            let protocol = std::str::from_utf8(&protocol).map_err(|_| Misdeed::BadPseudoField)?;
            request.extensions_mut().insert(Protocol::from(protocol));
        }
        *request.method_mut() = method;
        *request.uri_mut() = Uri::from_parts(uri).map_err(|_| Misdeed::BadPseudoField)?;
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = std::mem::take(&mut self.headers);
        Ok(request)
    }

    /// A response head, informational or final (§8.3.2).
    pub(crate) fn take_response(&mut self) -> Result<Response<()>, Misdeed> {
        self.finish()?;
        let Some(status) = self.status else { return Err(Misdeed::MissingStatus) };
        // §8.6: there is no 101 in HTTP/2.
        if self.has_request_fields() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Misdeed::BadPseudoField);
        }
        let mut response = Response::new(());
        *response.status_mut() = status;
        *response.version_mut() = Version::HTTP_2;
        *response.headers_mut() = std::mem::take(&mut self.headers);
        Ok(response)
    }

    /// Trailers: no pseudo-header field at all (§8.1).
    pub(crate) fn take_trailers(&mut self) -> Result<HeaderMap, Misdeed> {
        self.finish()?;
        match self.status.is_some() || self.has_request_fields() {
            true => Err(Misdeed::BadPseudoField),
            false => Ok(std::mem::take(&mut self.headers)),
        }
    }

    fn has_request_fields(&self) -> bool {
        self.method.is_some()
            || self.scheme.is_some()
            || self.authority.is_some()
            || self.path.is_some()
            || self.protocol.is_some()
    }
}

/// §8.2.2: fields that belong to one HTTP/1.1 connection; TE may only say "trailers".
pub(crate) fn is_connection_specific(name: &HeaderName, value: &HeaderValue) -> bool {
    // By its text and not by the names that `http` has: six comparisons of a length, for most names.
    match name.as_str() {
        "te" => value.as_bytes() != b"trailers",
        "connection" | "keep-alive" | "proxy-connection" | "transfer-encoding" | "upgrade" => true,
        _ => false,
    }
}

/// §8.3.1: no userinfo.
fn parse_authority(octets: Bytes) -> Result<Authority, Misdeed> {
    let authority = Authority::from_maybe_shared(octets).map_err(|_| Misdeed::BadPseudoField)?;
    if authority.as_str().bytes().any(|octet| octet == b'@') {
        Err(Misdeed::BadPseudoField)
    } else {
        Ok(authority)
    }
}

/// §8.3.1: a Host that names another entity than :authority is malformed; two Hosts are as well.
fn check_host(uri: &http::uri::Parts, headers: &HeaderMap) -> Result<(), Misdeed> {
    let mut hosts = headers.get_all(HOST).iter();
    let Some(host) = hosts.next() else { return Ok(()) };
    let scheme = uri.scheme.as_ref().map(Scheme::as_str);
    let differs = uri
        .authority
        .as_ref()
        .is_some_and(|authority| !is_same_entity(scheme, authority.as_str().as_bytes(), host.as_bytes()));
    if differs || hosts.next().is_some() { Err(Misdeed::BadPseudoField) } else { Ok(()) }
}

/// Whether two authorities name the same entity: case does not matter, nor does the default port of the scheme
/// (§8.3.1; RFC 3986 §6.2.2.1, §6.2.3).
pub(super) fn is_same_entity(scheme: Option<&str>, one: &[u8], other: &[u8]) -> bool {
    let default: &[u8] = match scheme {
        Some("http") => b":80",
        Some("https") => b":443",
        _ => b":",
    };
    fn without<'a>(port: &[u8], authority: &'a [u8]) -> &'a [u8] {
        authority.strip_suffix(port).or(authority.strip_suffix(b":")).unwrap_or(authority)
    }
    without(default, one).eq_ignore_ascii_case(without(default, other))
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
