//! The little of gRPC that a transport must know: deadlines, and answers given in a service's stead ("gRPC over
//! HTTP2", Requests and Responses).

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Response, header::CONTENT_TYPE};

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// Whether a request or response is gRPC.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// The time that `grpc-timeout` gives: at most eight digits and a unit. `None` without one, or if it cannot be
/// understood.
pub(crate) fn deadline_of(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(GRPC_TIMEOUT)?.as_bytes();
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let amount = digits.iter().fold(0, |amount: u64, digit| amount * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'H' => Duration::from_secs(amount * 3_600),
        b'M' => Duration::from_secs(amount * 60),
        b'S' => Duration::from_secs(amount),
        b'm' => Duration::from_millis(amount),
        b'u' => Duration::from_micros(amount),
        b'n' => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// The shorter of two times that may be limited.
pub(crate) fn shorter(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    one.into_iter().chain(other).min()
}

/// An answer without a body that carries a gRPC status.
pub(crate) fn trailers_only(code: u8, message: &'static str) -> Response<()> {
    let mut response = Response::new(());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", HeaderValue::from(u16::from(code)));
    headers.insert("grpc-message", HeaderValue::from_static(message));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadline(value: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", HeaderValue::from_static(value));
        deadline_of(&headers)
    }

    #[test]
    fn every_unit_and_no_nonsense() {
        assert_eq!(deadline("2H"), Some(Duration::from_secs(7_200)));
        assert_eq!(deadline("3M"), Some(Duration::from_secs(180)));
        assert_eq!(deadline("42S"), Some(Duration::from_secs(42)));
        assert_eq!(deadline("13m"), Some(Duration::from_millis(13)));
        assert_eq!(deadline("2u"), Some(Duration::from_micros(2)));
        assert_eq!(deadline("82n"), Some(Duration::from_nanos(82)));
        assert_eq!(deadline("99999999H"), Some(Duration::from_secs(99_999_999 * 3_600)));
        for odd in ["", "S", "5", "123456789S", "-1S", "1s", "1.5S"] {
            assert_eq!(deadline(odd), None, "{odd:?}");
        }
        assert_eq!(deadline_of(&HeaderMap::new()), None);
    }

    #[test]
    fn the_shorter_limit_wins() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(shorter(seconds(1), seconds(2)), seconds(1));
        assert_eq!(shorter(None, seconds(2)), seconds(2));
        assert_eq!(shorter(None, None), None);
    }

    #[test]
    fn an_answer_with_a_status() {
        let response = trailers_only(4, "too late");
        assert!(is_grpc(response.headers()));
        assert_eq!(response.headers()["grpc-status"], "4");
    }
}
