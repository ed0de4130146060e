//! Plain handlers and their extractors.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Version};
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use http_body_util::BodyExt;
use hyper::client::conn::http2::SendRequest;
use tokio::task::JoinSet;

use super::{ALL, By, connect, serve};
use crate::support::bodies::{Body, empty, full, pieces};
use crate::support::hyper_pair::request;
use crate::support::{Gauge, pattern, show, soon};

fn router(calls: Gauge) -> Router {
    Router::new()
        .route("/hello/{name}", get(async |Path(name): Path<String>| format!("hello {name}")))
        .route("/octets", post(async |body: axum::body::Bytes| body))
        .route("/mirror", any(async |request: Request| request.into_body()))
        .route(
            "/head",
            any(async |headers: HeaderMap| (StatusCode::ACCEPTED, [("x-copy", headers["x-copy"].clone())])),
        )
        .route(
            "/calls",
            get(async |State(calls): State<Gauge>| {
                let _counted = calls.enter();
                calls.most().to_string().into_response()
            }),
        )
        .with_state(calls)
}

async fn call(
    send: &mut SendRequest<Body>,
    method: &str,
    path: &str,
    body: Body,
) -> (StatusCode, http_body_util::Collected<axum::body::Bytes>) {
    let answer = soon(send.send_request(request(method, path, body))).await.expect("an answer");
    assert_eq!(answer.version(), Version::HTTP_2);
    (answer.status(), soon(answer.into_body().collect()).await.expect("the body"))
}

#[test]
fn handlers_answer() {
    show(async {
        let mut held = Vec::new();
        for by in ALL {
            let addr = serve(by, router(Gauge::default())).await;
            let mut send = connect(addr).await;
            let (status, body) = call(&mut send, "GET", "/hello/pond", empty()).await;
            assert_eq!((status, &*body.to_bytes()), (StatusCode::OK, &b"hello pond"[..]), "{by:?}");
            let (status, _) = call(&mut send, "GET", "/nowhere", empty()).await;
            assert_eq!(status, StatusCode::NOT_FOUND);
            let (status, _) = call(&mut send, "PUT", "/hello/pond", full("octets")).await;
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
            // An extractor with a limit answers before it has read all.
            let (status, _) = call(&mut send, "POST", "/octets", full(pattern(5 << 20))).await;
            assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{by:?}");
            let mut copied = request("GET", "/head", empty());
            copied.headers_mut().insert("x-copy", "a value".parse().expect("a value"));
            let answer = soon(send.send_request(copied)).await.expect("an answer");
            assert_eq!(
                (answer.status(), &answer.headers()["x-copy"]),
                (StatusCode::ACCEPTED, &"a value".parse().unwrap())
            );
            let (_, body) = call(&mut send, "HEAD", "/hello/pond", empty()).await;
            assert!(body.to_bytes().is_empty());
            held.push(send);
        }
        held
    });
}

#[test]
fn bodies_of_every_size_come_back() {
    show(async {
        let mut held = Vec::new();
        for by in ALL {
            let mut send = connect(serve(by, router(Gauge::default())).await).await;
            for size in [0, 1, 16_384, 100_000, 1 << 20] {
                let (status, body) = call(&mut send, "POST", "/octets", full(pattern(size))).await;
                assert!(status == StatusCode::OK && body.to_bytes() == pattern(size), "{by:?}, {size}");
                let (_, body) = call(&mut send, "POST", "/mirror", full(pattern(size))).await;
                assert!(body.to_bytes() == pattern(size), "{by:?}, {size}");
            }
            let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), "17".parse().unwrap())]);
            let sent = pieces([pattern(10), pattern(50_000)], trailers.clone());
            let (_, body) = call(&mut send, "POST", "/mirror", sent).await;
            assert_eq!(body.trailers(), Some(&trailers));
            assert_eq!(body.to_bytes().len(), 50_010);
            held.push(send);
        }
        held
    });
}

#[test]
fn many_calls_share_the_connection() {
    show(async {
        let calls = Gauge::default();
        let send = connect(serve(By::Axum, router(calls.clone())).await).await;
        let mut set = JoinSet::new();
        for index in 0..200 {
            let mut send = send.clone();
            set.spawn(async move {
                let octets = pattern(index * 200);
                let (_, body) = call(&mut send, "POST", "/mirror", full(octets.clone())).await;
                assert!(body.to_bytes() == octets);
                let (status, _) = call(&mut send, "GET", "/calls", empty()).await;
                assert_eq!(status, StatusCode::OK);
            });
        }
        while let Some(call) = soon(set.join_next()).await {
            call.expect("an answer");
        }
        assert_eq!(calls.now(), 0);
        send
    });
}
