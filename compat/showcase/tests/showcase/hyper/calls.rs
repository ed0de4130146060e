//! Messages there and back (RFC 9113 §8.1).

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::task::JoinSet;

use crate::support::bodies::{empty, fed, full, pieces};
use crate::support::hyper_pair::{Ends, echo_pair, request};
use crate::support::{BoxError, pattern, reason, show, sockets, soon};

#[test]
fn bodies_of_every_size_come_back() {
    show(async {
        let mut pair = echo_pair().await;
        for size in [0, 1, 1000, 16_384, 16_385, 70_000, 1 << 20, 5 << 20] {
            assert!(
                pair.post(full(pattern(size))).await == pattern(size),
                "{size} octets came back as others"
            );
        }
        pair
    });
}

#[test]
fn both_ends_end_well() {
    show(async {
        let mut pair = echo_pair().await;
        pair.post(full("some")).await;
        pair.close().await;
    });
}

#[test]
fn many_calls_share_the_connection() {
    show(async {
        let pair = echo_pair().await;
        let mut calls = JoinSet::new();
        for index in 0..100 {
            let mut send = pair.send.clone();
            calls.spawn(async move {
                send.ready().await?;
                let answer = send.send_request(request("POST", "/", full(pattern(index * 3000)))).await?;
                let body = answer.into_body().collect().await?.to_bytes();
                assert!(body == pattern(index * 3000), "call {index} got another's octets");
                Ok::<_, hyper::Error>(())
            });
        }
        soon(async {
            while let Some(call) = calls.join_next().await {
                call.expect("no panic").expect("an answer");
            }
        })
        .await;
        pair
    });
}

#[test]
fn trailers_go_both_ways() {
    show(async {
        let mut pair = echo_pair().await;
        for body in [vec![], vec![pattern(10)], vec![pattern(1000), pattern(100_000)]] {
            let trailers = HeaderMap::from_iter([
                (HeaderName::from_static("x-sum"), HeaderValue::from_static("17")),
                (HeaderName::from_static("x-odd"), HeaderValue::from_bytes(b"\xff\x80 ~").expect("a value")),
            ]);
            let sent = pieces(body.clone(), trailers.clone());
            let answer = soon(pair.send.send_request(request("POST", "/", sent))).await.expect("an answer");
            let answer = soon(answer.into_body().collect()).await.expect("the body");
            assert_eq!(answer.trailers(), Some(&trailers));
            assert!(answer.to_bytes() == body.concat(), "other octets came back");
        }
        pair
    });
}

#[test]
fn heads_come_whole() {
    show(async {
        let service = async |request: http::Request<hyper::body::Incoming>| {
            assert_eq!(request.version(), Version::HTTP_2);
            assert_eq!(request.uri(), "http://localhost/a/b?c=%20d");
            let mut response = Response::builder().status(StatusCode::IM_A_TEAPOT).body(empty())?;
            *response.headers_mut() = request.headers().clone();
            Ok::<_, BoxError>(response)
        };
        let mut pair = Ends::new().connect(service).await;
        let mut headers = HeaderMap::new();
        for index in 0..100 {
            let name = HeaderName::try_from(format!("x-name-{}", index % 70)).expect("a name");
            headers.append(name, HeaderValue::try_from("v".repeat(index)).expect("a value"));
        }
        headers.append("cookie", HeaderValue::from_static("a=1"));
        headers.append("cookie", HeaderValue::from_static("b=2"));
        let mut secret = HeaderValue::from_static("secret");
        secret.set_sensitive(true);
        headers.insert("authorization", secret);
        // Twice: the second time the tables know them.
        for _ in 0..2 {
            let mut request = request("GET", "/a/b?c=%20d", empty());
            *request.headers_mut() = headers.clone();
            let mut answer = soon(pair.send.send_request(request)).await.expect("an answer");
            assert_eq!((answer.status(), answer.version()), (StatusCode::IM_A_TEAPOT, Version::HTTP_2));
            answer.headers_mut().remove("date").expect("hyper's own");
            for name in headers.keys() {
                let [sent, came] =
                    [&headers, answer.headers()].map(|all| all.get_all(name).iter().collect::<Vec<_>>());
                assert_eq!(came, sent, "{name}");
            }
            assert_eq!(answer.headers().len(), headers.len());
        }
        pair
    });
}

#[test]
fn an_answer_without_content_ends_with_its_head() {
    show(async {
        let service = async |request: http::Request<hyper::body::Incoming>| {
            assert!(request.body().is_end_stream());
            let response = match request.method().as_str() {
                "HEAD" => Response::builder().header("content-length", 1000).body(empty())?,
                _ => Response::builder().status(StatusCode::NO_CONTENT).body(empty())?,
            };
            Ok::<_, BoxError>(response)
        };
        let mut pair = Ends::new().connect(service).await;
        for method in ["HEAD", "GET", "DELETE"] {
            let answer =
                soon(pair.send.send_request(request(method, "/", empty()))).await.expect("an answer");
            assert!(answer.body().is_end_stream(), "{method}");
            assert_eq!(soon(answer.into_body().collect()).await.expect("no body").to_bytes(), Bytes::new());
        }
        pair
    });
}

#[test]
fn pieces_come_as_they_are_sent() {
    show(async {
        let mut pair = echo_pair().await;
        let (mut feed, body) = fed();
        let mut answer = soon(pair.send.send_request(request("POST", "/", body))).await.expect("an answer");
        for size in [1, 10, 10_000, 1] {
            feed.send_data(pattern(size)).await.expect("it is read");
            let mut came = 0;
            while came < size {
                let frame = soon(answer.frame()).await.expect("more").expect("a frame");
                came += frame.into_data().expect("octets").len();
            }
            assert_eq!(came, size);
        }
        drop(feed);
        assert_eq!(soon(answer.collect()).await.expect("an end").to_bytes(), Bytes::new());
        pair
    });
}

#[test]
fn lengths_are_said_and_kept() {
    show(async {
        let service = async |request: http::Request<hyper::body::Incoming>| {
            let said = request.headers().get("content-length").cloned();
            let mut response = Response::new(pieces([pattern(10)], HeaderMap::new()));
            match request.uri().path() {
                "/kept" => assert_eq!(said, Some(HeaderValue::from_static("1000"))),
                "/short" => {
                    drop(response.headers_mut().insert("content-length", HeaderValue::from_static("5")))
                }
                _ => drop(response.headers_mut().insert("content-length", HeaderValue::from_static("11"))),
            }
            Ok::<_, BoxError>(response)
        };
        let mut pair = Ends::new().connect(service).await;
        let mut call = async |path, body| {
            let answer = soon(pair.send.send_request(request("POST", path, body))).await;
            soon(answer.expect("an answer").into_body().collect()).await.map(|body| body.to_bytes())
        };
        assert_eq!(call("/kept", full(pattern(1000))).await.expect("no length was said"), pattern(10));
        // RFC 9113 §8.1.1: a content-length that is not the sum of the DATA payloads makes a message malformed.
        for path in ["/short", "/long"] {
            let error = call(path, empty()).await.expect_err("malformed");
            assert_eq!(reason(&error), Some(h2::Reason::PROTOCOL_ERROR), "{path}: {error:?}");
        }
        pair
    });
}

#[test]
fn informational_responses_are_passed_over() {
    show(async {
        let (client, server) = sockets().await;
        tokio::spawn(async move {
            let mut connection = h2::server::handshake(server).await.expect("a client");
            while let Some(call) = connection.accept().await {
                let (_, mut respond) = call.expect("a request");
                for status in [StatusCode::PROCESSING, StatusCode::EARLY_HINTS] {
                    let mut response = Response::new(());
                    *response.status_mut() = status;
                    respond.send_informational(response).expect("it may be sent");
                }
                let mut body = respond.send_response(Response::new(()), false).expect("it may be sent");
                body.send_data(pattern(10), true).expect("it may be sent");
            }
        });
        let (mut send, connection) = Ends::new().call(client).await;
        let answer = soon(send.send_request(request("GET", "/", empty()))).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(soon(answer.into_body().collect()).await.expect("the body").to_bytes(), pattern(10));
        (send, connection)
    });
}

#[test]
fn answers_may_come_in_any_order() {
    show(async {
        let (first, wait) = tokio::sync::watch::channel(false);
        let service = move |request: http::Request<hyper::body::Incoming>| {
            let mut wait = wait.clone();
            async move {
                if request.uri().path() == "/slow" {
                    wait.wait_for(|go| *go).await?;
                }
                Ok::<_, BoxError>(Response::new(full(request.uri().path().to_owned())))
            }
        };
        let pair = Ends::new().connect(service).await;
        let get = |path| {
            let mut send = pair.send.clone();
            async move {
                let answer = send.send_request(request("GET", path, empty())).await.expect("an answer");
                answer.into_body().collect().await.expect("the body").to_bytes()
            }
        };
        let slow = tokio::spawn(join_all([get("/slow"), get("/slow"), get("/slow")]));
        for _ in 0..10 {
            assert_eq!(soon(get("/fast")).await, "/fast");
        }
        assert!(!slow.is_finished());
        first.send(true).expect("they wait");
        assert_eq!(soon(slow).await.expect("no panic"), ["/slow", "/slow", "/slow"]);
        pair
    });
}
