//! The `date` field (RFC 9110 §6.6.1): made once a second for each thread.

use std::{
    cell::RefCell,
    time::{Duration, Instant, SystemTime},
};

use http::HeaderValue;

thread_local! {
    static DATE: RefCell<Option<(Instant, HeaderValue)>> = const { RefCell::new(None) };
}

/// The time now, as an HTTP-date; at most a second old.
pub(super) fn now() -> Option<HeaderValue> {
    DATE.with_borrow_mut(|date| {
        let now = Instant::now();
        if let Some((made, value)) = date
            && now.duration_since(*made) < Duration::from_secs(1)
        {
            return Some(value.clone());
        }
        let value = HeaderValue::from_str(&httpdate::fmt_http_date(SystemTime::now())).ok()?;
        *date = Some((now, value.clone()));
        Some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_now() {
        let date = httpdate::parse_http_date(now().unwrap().to_str().unwrap()).unwrap();
        assert!(SystemTime::now().duration_since(date).unwrap() < Duration::from_secs(3));
    }
}
