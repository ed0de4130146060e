//! Field sections that are too large (RFC 9113 §10.5.1, RFC 6585 §5).

use http::{HeaderValue, Response, StatusCode};

use crate::support::bodies::empty;
use crate::support::hyper_pair::{Ends, request};
use crate::support::{BoxError, Gauge, reason, show, soon};

#[test]
fn a_request_with_too_large_a_head_gets_431() {
    show(async {
        let gauge = Gauge::default();
        let service = {
            let gauge = gauge.clone();
            move |_| {
                drop(gauge.enter());
                async { Ok::<_, BoxError>(Response::new(empty())) }
            }
        };
        let mut ends = Ends::new();
        ends.server.max_header_list_size(2000);
        let mut pair = ends.connect(service).await;
        let mut get = async |octets: usize| {
            let mut request = request("GET", "/", empty());
            let value = HeaderValue::try_from("v".repeat(octets)).expect("a value");
            request.headers_mut().insert("x-large", value);
            soon(pair.send.send_request(request)).await
        };
        assert_eq!(get(1000).await.expect("an answer").status(), StatusCode::OK);
        assert_eq!(gauge.most(), 1);
        for octets in [2000, 3000, 7000] {
            let status = get(octets).await.expect("an answer").status();
            assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "{octets}");
        }
        // The connection is as good as before.
        assert_eq!(get(1000).await.expect("an answer").status(), StatusCode::OK);
        pair
    });
}

#[test]
fn an_answer_with_too_large_a_head_is_an_error() {
    show(async {
        let service = |request: http::Request<hyper::body::Incoming>| async move {
            let octets = request.uri().path()[1..].parse()?;
            let large = "v".repeat(octets);
            Ok::<_, BoxError>(Response::builder().header("x-large", large).body(empty())?)
        };
        let mut ends = Ends::new();
        ends.client.max_header_list_size(2000);
        let mut pair = ends.connect(service).await;
        let mut get = async |path| soon(pair.send.send_request(request("GET", path, empty()))).await;
        assert!(get("/1000").await.is_ok());
        for path in ["/2000", "/7000"] {
            let error = get(path).await.expect_err("too large");
            assert_eq!(reason(&error), Some(h2::Reason::PROTOCOL_ERROR), "{path}: {error:?}");
        }
        assert!(get("/1000").await.is_ok());
        pair
    });
}

#[test]
fn a_head_beyond_all_measure_ends_the_connection() {
    show(async {
        let gauge = Gauge::default();
        let service = {
            let gauge = gauge.clone();
            move |_| {
                drop(gauge.enter());
                async { Ok::<_, BoxError>(Response::new(empty())) }
            }
        };
        let mut ends = Ends::new();
        ends.server.max_header_list_size(2000);
        let mut pair = ends.connect(service).await;
        let mut request = request("GET", "/", empty());
        let value = HeaderValue::try_from("v".repeat(20_000)).expect("a value");
        request.headers_mut().insert("x-large", value);
        let error = soon(pair.send.send_request(request)).await.expect_err("far too large");
        assert_eq!(reason(&error), Some(h2::Reason::ENHANCE_YOUR_CALM), "{error:?}");
        let error = soon(pair.server.ended).await.expect("no panic").expect_err("far too large");
        assert_eq!(reason(&error), Some(h2::Reason::ENHANCE_YOUR_CALM), "{error:?}");
        assert_eq!(gauge.most(), 0);
    });
}
