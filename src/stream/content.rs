//! The length of a message's content against its `content-length` (RFC 9113 §8.1.1, RFC 9110 §6.4.1, §8.6).
//!
//! Always true here: a message that ends with fewer or more DATA octets than it announced is malformed; one
//! that cannot have content (answers to HEAD, 204, 304) must have none, whatever it announced.

use http::{HeaderMap, Method, StatusCode, header::CONTENT_LENGTH};

use crate::error::Misdeed;

/// What is still expected of a message's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// No length was announced, or it means nothing here.
    Unknown,
    /// So many octets are still to come.
    Remaining(u64),
}

impl Content {
    /// What a request announces. A CONNECT request has no content; its DATA is the tunnel (RFC 9113 §8.5).
    pub(crate) fn of_request(method: &Method, headers: &HeaderMap) -> Result<Content, Misdeed> {
        if method == Method::CONNECT { Ok(Content::Unknown) } else { announced(headers) }
    }

    /// What a final response to a request with `method` announces.
    pub(crate) fn of_response(
        head: bool,
        connect: bool,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<Content, Misdeed> {
        let announced = announced(headers)?;
        if head || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
            return Ok(Content::Remaining(0));
        }
        // RFC 9110 §9.3.6: a successful CONNECT response has no content; what follows is the tunnel.
        if connect && status.is_success() { Ok(Content::Unknown) } else { Ok(announced) }
    }

    /// DATA octets (padding excluded) came.
    pub(crate) fn receive(&mut self, octets: u64) -> Result<(), Misdeed> {
        match self {
            Content::Unknown => Ok(()),
            Content::Remaining(left) => {
                *left = left.checked_sub(octets).ok_or(Misdeed::BodyLengthMismatch)?;
                Ok(())
            }
        }
    }

    /// The message ended.
    pub(crate) fn end(self) -> Result<(), Misdeed> {
        if let Content::Remaining(1..) = self { Err(Misdeed::BodyLengthMismatch) } else { Ok(()) }
    }
}

/// The value of content-length: digits only, and the same each time it is given (RFC 9110 §8.6).
fn announced(headers: &HeaderMap) -> Result<Content, Misdeed> {
    let mut found = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        let octets = value.as_bytes();
        if octets.is_empty() || !octets.iter().all(u8::is_ascii_digit) {
            return Err(Misdeed::BodyLengthMismatch);
        }
        let length = value
            .to_str()
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
            .ok_or(Misdeed::BodyLengthMismatch)?;
        if found.is_some_and(|other| other != length) {
            return Err(Misdeed::BodyLengthMismatch);
        }
        found = Some(length);
    }
    Ok(found.map_or(Content::Unknown, Content::Remaining))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (CONTENT_LENGTH, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn announced_lengths_are_held_to() {
        let mut content = Content::of_request(&Method::POST, &headers(&["5"])).unwrap();
        content.receive(3).unwrap();
        assert_eq!(content.end(), Err(Misdeed::BodyLengthMismatch));
        content.receive(2).unwrap();
        assert_eq!(content.end(), Ok(()));
        assert_eq!(content.receive(1), Err(Misdeed::BodyLengthMismatch));
    }

    #[test]
    fn odd_values_are_refused() {
        for odd in [&["-1"][..], &["+1"], &["1x"], &[""], &["1", "2"], &["99999999999999999999"]] {
            assert_eq!(announced(&headers(odd)), Err(Misdeed::BodyLengthMismatch), "{odd:?}");
        }
        assert_eq!(announced(&headers(&["7", "7"])), Ok(Content::Remaining(7)));
    }

    #[test]
    fn messages_without_content_have_none_whatever_they_announce() {
        let of = |head, connect, status: u16| {
            Content::of_response(head, connect, StatusCode::from_u16(status).unwrap(), &headers(&["9"]))
                .unwrap()
        };
        assert_eq!(of(true, false, 200), Content::Remaining(0));
        assert_eq!(of(false, false, 204), Content::Remaining(0));
        assert_eq!(of(false, false, 304), Content::Remaining(0));
        assert_eq!(of(false, false, 200), Content::Remaining(9));
        assert_eq!(of(false, true, 200), Content::Unknown);
        assert_eq!(of(false, true, 502), Content::Remaining(9));
    }
}
