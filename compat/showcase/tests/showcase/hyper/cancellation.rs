//! Messages that are given up by one side (RFC 9113 §5.4.2, §8.1).

use std::future::pending;
use std::sync::Arc;

use futures_util::FutureExt;
use h2::Reason;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::{Notify, mpsc};

use crate::support::bodies::{Body, empty, endless, fed, full};
use crate::support::hyper_pair::{Ends, Pair, echo_pair, request};
use crate::support::{BoxError, Gauge, pattern, reason, show, soon, until};

/// A server of which every handler waits for ever, and how many do.
async fn stuck() -> (Pair, Gauge) {
    let gauge = Gauge::default();
    let service = {
        let gauge = gauge.clone();
        move |request: Request<Incoming>| {
            let counted = gauge.enter();
            async move {
                let _waits = (counted, request);
                pending::<Result<Response<Body>, BoxError>>().await
            }
        }
    };
    (Ends::new().connect(service).await, gauge)
}

#[test]
fn a_dropped_call_is_dropped_at_the_server() {
    show(async {
        let (mut pair, handlers) = stuck().await;
        for body in [empty(), full(pattern(100)), fed().1] {
            let call = pair.send.send_request(request("POST", "/", body));
            let mut call = Box::pin(call);
            assert!(call.as_mut().now_or_never().is_none());
            until(|| handlers.now() == 1).await;
            drop(call);
            until(|| handlers.now() == 0).await;
        }
        pair
    });
}

#[test]
fn many_dropped_calls_leave_nothing_behind() {
    show(async {
        let (mut pair, handlers) = stuck().await;
        for _ in 0..20 {
            let calls: Vec<_> = (0..10)
                .map(|_| {
                    let call = pair.send.send_request(request("POST", "/", full(pattern(1000))));
                    tokio::spawn(call)
                })
                .collect();
            until(|| handlers.now() == 10).await;
            for call in calls {
                call.abort();
            }
            until(|| handlers.now() == 0).await;
        }
        assert_eq!(handlers.most(), 10);
        assert!(pair.send.is_ready());
        pair
    });
}

#[test]
fn a_dropped_answer_stops_the_server() {
    show(async {
        let gauge = Gauge::default();
        let service = {
            let gauge = gauge.clone();
            move |_| {
                let counted = gauge.enter();
                async move {
                    let body = endless(pattern(10_000), move || {
                        let _ = &counted;
                    });
                    Ok::<_, BoxError>(Response::new(body))
                }
            }
        };
        let mut pair = Ends::new().connect(service).await;
        for _ in 0..5 {
            let mut answer = soon(pair.send.send_request(request("GET", "/", empty())))
                .await
                .expect("an answer")
                .into_body();
            for _ in 0..10 {
                soon(answer.frame()).await.expect("more").expect("octets");
            }
            assert_eq!(gauge.now(), 1);
            drop(answer);
            until(|| gauge.now() == 0).await;
        }
        pair
    });
}

#[test]
fn a_request_that_breaks_off_is_an_error_at_the_server() {
    show(async {
        let (told, mut ends) = mpsc::channel(1);
        let service = move |request: Request<Incoming>| {
            let told = told.clone();
            async move {
                let end = request.into_body().collect().await.map(|body| body.to_bytes().len());
                told.send(end).await?;
                pending::<Result<Response<Body>, BoxError>>().await
            }
        };
        let mut pair = Ends::new().connect(service).await;
        let (mut feed, body) = fed();
        let call = tokio::spawn(pair.send.send_request(request("POST", "/", body)));
        feed.send_data(pattern(5000)).await.expect("it is read");
        feed.abort("no more".into());
        let at_server = soon(ends.recv()).await.expect("told").expect_err("it broke off");
        // An error that names no reason is an internal one.
        assert_eq!(reason(&at_server), Some(Reason::INTERNAL_ERROR), "{at_server:?}");
        let at_client = soon(call).await.expect("no panic").expect_err("it broke off");
        assert_eq!(reason(&at_client), Some(Reason::INTERNAL_ERROR), "{at_client:?}");
        pair
    });
}

#[test]
fn an_answer_that_breaks_off_is_an_error_at_the_client() {
    show(async {
        for given in [None, Some(Reason::CANCEL), Some(Reason::ENHANCE_YOUR_CALM), Some(Reason::NO_ERROR)] {
            let taken = Arc::new(Notify::new());
            let told = taken.clone();
            let service = move |_| {
                let told = told.clone();
                async move {
                    let (mut feed, body) = fed();
                    tokio::spawn(async move {
                        feed.send_data(pattern(5000)).await?;
                        // Only when the client has taken it all: a reset overtakes what was not sent.
                        told.notified().await;
                        feed.abort(match given {
                            Some(reason) => Box::new(h2::Error::from(reason)),
                            None => "no more".into(),
                        });
                        Ok::<_, BoxError>(())
                    });
                    Ok::<_, BoxError>(Response::new(body))
                }
            };
            let mut pair = Ends::new().connect(service).await;
            let answer = soon(pair.send.send_request(request("GET", "/", empty()))).await.expect("an answer");
            let mut answer = answer.into_body();
            let mut octets = Vec::new();
            while octets.len() < 5000 {
                let piece = soon(answer.frame()).await.expect("more").expect("octets");
                octets.extend(piece.into_data().expect("data"));
            }
            assert_eq!(octets, pattern(5000));
            taken.notify_one();
            let end = soon(answer.collect()).await;
            match given {
                // RFC 9113 §8.1: the rest of the request is not wanted, the answer stands.
                Some(Reason::NO_ERROR) => assert!(end.expect("an end").to_bytes().is_empty()),
                _ => {
                    let error = end.expect_err("it broke off");
                    assert_eq!(reason(&error), Some(given.unwrap_or(Reason::INTERNAL_ERROR)), "{error:?}");
                    assert!(
                        crate::support::h2_error(&error)
                            .is_some_and(|error| error.is_reset() && error.is_remote())
                    );
                }
            }
        }
    });
}

#[test]
fn a_service_that_fails_gives_its_reason() {
    show(async {
        let service = |request: Request<Incoming>| async move {
            Err::<Response<Body>, BoxError>(match request.uri().path() {
                "/refused" => Box::new(h2::Error::from(Reason::REFUSED_STREAM)),
                _ => "no luck".into(),
            })
        };
        let mut pair = Ends::new().connect(service).await;
        for (path, expected) in [("/refused", Reason::REFUSED_STREAM), ("/", Reason::INTERNAL_ERROR)] {
            let call = pair.send.send_request(request("POST", path, full(pattern(10))));
            let error = soon(call).await.expect_err("the service fails");
            assert_eq!(reason(&error), Some(expected), "{path}: {error:?}");
            assert!(!error.is_closed() && !error.is_canceled() && !error.is_timeout(), "{error:?}");
        }
        pair
    });
}

#[test]
fn an_early_answer_ends_the_request() {
    show(async {
        let service = |_| async { Ok::<_, BoxError>(Response::new(full("enough"))) };
        let mut pair = Ends::new().connect(service).await;
        for _ in 0..5 {
            let gauge = Gauge::default();
            let counted = gauge.enter();
            let upload = endless(pattern(10_000), move || {
                let _ = &counted;
            });
            let answer = soon(pair.send.send_request(request("POST", "/", upload))).await.expect("an answer");
            assert_eq!(soon(answer.into_body().collect()).await.expect("the body").to_bytes(), "enough");
            // RFC 9113 §8.1: RST_STREAM with NO_ERROR asks the client to stop, and is no error.
            until(|| gauge.now() == 0).await;
        }
        pair
    });
}

#[test]
fn a_request_goes_on_after_the_answer_has_begun() {
    show(async {
        let mut pair = echo_pair().await;
        let (mut feed, body) = fed();
        let answer = soon(pair.send.send_request(request("POST", "/", body))).await.expect("an answer");
        let answer = tokio::spawn(answer.into_body().collect());
        for _ in 0..50 {
            feed.send_data(pattern(10_000)).await.expect("it is read");
        }
        drop(feed);
        let body = soon(answer).await.expect("no panic").expect("the body").to_bytes();
        assert_eq!(body.len(), 500_000);
        pair
    });
}
