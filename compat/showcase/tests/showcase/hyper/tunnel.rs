//! CONNECT: a stream as a tunnel of octets (RFC 9113 §8.5).

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::bodies::empty;
use crate::support::hyper_pair::{Ends, Pair};
use crate::support::{BoxError, pattern, show, soon};

type Tunnel = TokioIo<hyper::upgrade::Upgraded>;

async fn dig(pair: &mut Pair) -> Tunnel {
    let mut request = Request::new(empty());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = "example.com:80".parse().expect("an authority");
    let answer = soon(pair.send.send_request(request)).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    TokioIo::new(soon(hyper::upgrade::on(answer)).await.expect("a tunnel"))
}

/// A server that sends everything back.
async fn mirror() -> Pair {
    let service = |request: Request<Incoming>| async move {
        assert_eq!(
            (request.method(), request.uri().to_string()),
            (&Method::CONNECT, "example.com:80".into())
        );
        tokio::spawn(async move {
            let mut tunnel = TokioIo::new(hyper::upgrade::on(request).await?);
            let (mut read, mut write) = tokio::io::split(&mut tunnel);
            tokio::io::copy(&mut read, &mut write).await?;
            write.shutdown().await?;
            Ok::<_, BoxError>(())
        });
        Ok::<_, BoxError>(Response::new(empty()))
    };
    Ends::new().connect(service).await
}

#[test]
fn octets_go_through() {
    show(async {
        let mut pair = mirror().await;
        let mut tunnel = dig(&mut pair).await;
        for size in [1, 1000, 50_000] {
            soon(tunnel.write_all(&pattern(size))).await.expect("room");
            let mut back = vec![0; size];
            soon(tunnel.read_exact(&mut back)).await.expect("they come back");
            assert!(back == pattern(size), "others came back");
        }
        (pair, tunnel)
    });
}

#[test]
fn both_directions_carry_much_at_once() {
    show(async {
        let mut pair = mirror().await;
        let (mut read, mut write) = tokio::io::split(dig(&mut pair).await);
        let writing = tokio::spawn(async move {
            write.write_all(&pattern(5 << 20)).await?;
            write.shutdown().await
        });
        let mut back = Vec::new();
        soon(read.read_to_end(&mut back)).await.expect("an end");
        assert!(back == pattern(5 << 20), "{} octets came back, or others", back.len());
        soon(writing).await.expect("no panic").expect("room");
        pair
    });
}

#[test]
fn a_dropped_tunnel_ends_the_other_side() {
    show(async {
        let (tell, mut told) = tokio::sync::mpsc::channel(1);
        let service = move |request: Request<Incoming>| {
            let tell = tell.clone();
            async move {
                tokio::spawn(async move {
                    let mut tunnel = TokioIo::new(hyper::upgrade::on(request).await?);
                    let octets = tunnel.read_u8().await?;
                    tunnel.write_u8(octets).await?;
                    tell.send(tunnel.read_u8().await.map_err(|error| error.kind())).await?;
                    Ok::<_, BoxError>(())
                });
                Ok::<_, BoxError>(Response::new(empty()))
            }
        };
        let mut pair = Ends::new().connect(service).await;
        let mut tunnel = dig(&mut pair).await;
        soon(tunnel.write_u8(17)).await.expect("room");
        assert_eq!(soon(tunnel.read_u8()).await.expect("an octet"), 17);
        drop(tunnel);
        // A tunnel that is dropped is reset with CANCEL, which hyper takes for its end.
        let end = soon(told.recv()).await.expect("it ended");
        assert_eq!(end.expect_err("an end"), std::io::ErrorKind::UnexpectedEof);
        pair
    });
}

#[test]
fn a_refused_tunnel_is_an_answer() {
    show(async {
        let service = |_: Request<Incoming>| async {
            Ok::<_, BoxError>(Response::builder().status(StatusCode::FORBIDDEN).body(empty())?)
        };
        let mut pair = Ends::new().connect(service).await;
        let mut request = Request::new(empty());
        *request.method_mut() = Method::CONNECT;
        *request.uri_mut() = "example.com:80".parse().expect("an authority");
        let answer = soon(pair.send.send_request(request)).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        pair
    });
}
