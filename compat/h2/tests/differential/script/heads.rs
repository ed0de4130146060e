//! Heads and trailers of any size, described in few words, and how those that arrive are written down.

use std::fmt::Write;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri};

use crate::rng::Rng;

/// Fields: so many of this size, then those named.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    pub count: usize,
    pub size: usize,
    /// Equal salts give equal fields, which the peer's table may know.
    pub salt: u64,
    pub named: Vec<(&'static str, String)>,
}

impl Fields {
    pub fn map(&self) -> HeaderMap {
        let mut rng = Rng::new(self.salt);
        let mut map = HeaderMap::new();
        for n in 0..self.count {
            let name = match rng.below(5) {
                0 => HeaderName::from_static("cookie"),
                1 => HeaderName::from_static("user-agent"),
                _ => format!("x-{}-{n}", self.salt).parse().unwrap(),
            };
            let octets: String = (0..self.size).map(|_| char::from(rng.within(0x21..=0x7e) as u8)).collect();
            let mut value = HeaderValue::from_str(&octets).unwrap();
            value.set_sensitive(rng.chance(10));
            map.append(name, value);
        }
        for (name, value) in &self.named {
            map.append(*name, value.parse().unwrap());
        }
        map
    }
}

#[derive(Clone, Debug)]
pub struct RequestHead {
    pub method: &'static str,
    pub uri: &'static str,
    /// Says that the message is one of HTTP/2.
    pub version: bool,
    /// Of extended CONNECT.
    pub protocol: Option<&'static str>,
    pub fields: Fields,
    pub end: bool,
}

impl RequestHead {
    /// Without `protocol`, whose type is the implementation's.
    pub fn request(&self) -> Request<()> {
        let mut request = Request::new(());
        *request.method_mut() = self.method.parse().unwrap();
        *request.uri_mut() = Uri::from_static(self.uri);
        if self.version {
            *request.version_mut() = http::Version::HTTP_2;
        }
        *request.headers_mut() = self.fields.map();
        request
    }
}

#[derive(Clone, Debug)]
pub struct ResponseHead {
    pub status: u16,
    pub fields: Fields,
    pub end: bool,
}

impl ResponseHead {
    pub fn response(&self) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = self.status.try_into().unwrap();
        *response.headers_mut() = self.fields.map();
        response
    }
}

/// Marks a value that is sensitive.
pub const SENSITIVE: &str = "\u{a7}";

/// The fields in the order of their names; those of one name as they came.
pub fn show_fields(map: &HeaderMap) -> String {
    let mut names: Vec<_> = map.keys().collect();
    names.sort_by_key(|name| name.as_str());
    let mut text = String::new();
    for name in names {
        for value in map.get_all(name) {
            let secret = if value.is_sensitive() { SENSITIVE } else { "" };
            match value.as_bytes() {
                short if short.len() <= 20 => {
                    write!(text, " {name}:{secret}{}", String::from_utf8_lossy(short))
                }
                long => write!(text, " {name}:{secret}{}#{:x}", long.len(), hash(long)),
            }
            .unwrap();
        }
    }
    text
}

/// FNV-1a.
fn hash(octets: &[u8]) -> u64 {
    octets
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3))
}
