//! reqwest over TLS that agrees on `h2` (RFC 7301), and without TLS by prior knowledge.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use reqwest::{Body, Client};
use rustls::crypto::ring;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::support::bodies::{self, endless};
use crate::support::certificates::Authority;
use crate::support::hyper_pair::echo;
use crate::support::{BoxError, Gauge, listener, pattern, show, soon, until};

/// A stock hyper server behind rustls.
struct Server {
    addr: SocketAddr,
    accepted: Arc<AtomicUsize>,
    sources: Gauge,
    authority: Authority,
}

impl Server {
    async fn start() -> Self {
        let listener = listener().await;
        let authority = Authority::new();
        let tls = TlsAcceptor::from(authority.identity("pond.test").server_config(&["h2"]));
        let server = Self {
            addr: listener.local_addr().expect("it is bound"),
            accepted: Arc::default(),
            sources: Gauge::default(),
            authority,
        };
        let (accepted, sources) = (server.accepted.clone(), server.sources.clone());
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("descriptors are left");
                accepted.fetch_add(1, Relaxed);
                let (tls, sources) = (tls.clone(), sources.clone());
                tokio::spawn(async move {
                    let socket = TokioIo::new(tls.accept(socket).await?);
                    let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    let service = service_fn(move |request| answer(request, sources.clone()));
                    builder.serve_connection(socket, service).await?;
                    Ok::<_, BoxError>(())
                });
            }
        });
        server
    }

    /// A client that trusts it, and finds it by its name.
    fn client(&self) -> Client {
        self.authority_client(self.addr)
    }

    /// A client that trusts its authority, and finds the name there.
    fn authority_client(&self, addr: SocketAddr) -> Client {
        let authority = reqwest::Certificate::from_pem(self.authority.pem().as_bytes());
        client_builder()
            .tls_certs_only([authority.expect("a certificate")])
            .resolve("pond.test", addr)
            .build()
            .expect("a good configuration")
    }

    fn url(&self, path: &str) -> String {
        format!("https://pond.test:{}{path}", self.addr.port())
    }
}

/// reqwest as it comes, but for the cryptography.
fn client_builder() -> reqwest::ClientBuilder {
    // It fails when it was done before.
    drop(ring::default_provider().install_default());
    Client::builder()
}

async fn answer(request: Request<Incoming>, sources: Gauge) -> Result<Response<bodies::Body>, BoxError> {
    match request.uri().path() {
        "/source" => {
            let counted = sources.enter();
            let body = endless(pattern(10_000), move || {
                let _ = &counted;
            });
            Ok(Response::new(body))
        }
        "/slow" => std::future::pending().await,
        _ => echo(request).await,
    }
}

#[test]
fn bodies_of_every_size_come_back() {
    show(async {
        let server = Server::start().await;
        let client = server.client();
        for size in [0, 1, 1000, 100_000, 4 << 20] {
            let call = client.post(server.url("/")).body(pattern(size)).send();
            let answer = soon(call).await.expect("an answer");
            assert_eq!(answer.version(), Version::HTTP_2);
            assert!(soon(answer.bytes()).await.expect("the body") == pattern(size), "{size}");
        }
        assert_eq!(server.accepted.load(Relaxed), 1);
        (server, client)
    });
}

#[test]
fn bodies_stream_both_ways() {
    show(async {
        let server = Server::start().await;
        let client = server.client();
        let pieces = stream::iter((0..100).map(|_| Ok::<_, Infallible>(pattern(50_000))));
        let call = client.post(server.url("/")).body(Body::wrap_stream(pieces)).send();
        let answer = soon(call).await.expect("an answer");
        let mut came = 0;
        let mut octets = answer.bytes_stream();
        while let Some(piece) = soon(octets.next()).await {
            came += piece.expect("octets").len();
        }
        assert_eq!(came, 100 * 50_000);
        (server, client)
    });
}

#[test]
fn an_answer_that_is_dropped_stops_the_server() {
    show(async {
        let server = Server::start().await;
        let client = server.client();
        for _ in 0..3 {
            let answer = soon(client.get(server.url("/source")).send()).await.expect("an answer");
            let mut octets = answer.bytes_stream();
            for _ in 0..20 {
                soon(octets.next()).await.expect("more").expect("octets");
            }
            assert_eq!(server.sources.now(), 1);
            drop(octets);
            until(|| server.sources.now() == 0).await;
        }
        (server, client)
    });
}

#[test]
fn many_calls_share_the_connection() {
    show(async {
        let server = Server::start().await;
        let client = server.client();
        soon(client.get(server.url("/")).send()).await.expect("an answer");
        let mut calls = JoinSet::new();
        for index in 0..100 {
            let call = client.post(server.url("/")).body(pattern(index * 1000)).send();
            calls.spawn(async move {
                assert!(call.await?.bytes().await? == pattern(index * 1000));
                Ok::<_, reqwest::Error>(())
            });
        }
        while let Some(call) = soon(calls.join_next()).await {
            call.expect("no panic").expect("an answer");
        }
        assert_eq!(server.accepted.load(Relaxed), 1);
        (server, client)
    });
}

#[test]
fn a_timeout_is_one() {
    show(async {
        let server = Server::start().await;
        let client = server.client();
        for _ in 0..3 {
            let call =
                client.post(server.url("/slow")).body("some").timeout(Duration::from_millis(50)).send();
            let error = soon(call).await.expect_err("it takes for ever");
            assert!(error.is_timeout(), "{error:?}");
        }
        let answer = soon(client.post(server.url("/")).body("some").send()).await.expect("an answer");
        assert_eq!(soon(answer.bytes()).await.expect("the body"), Bytes::from_static(b"some"));
        assert_eq!(server.accepted.load(Relaxed), 1);
        (server, client)
    });
}

#[test]
fn a_server_that_nobody_vouches_for_is_refused() {
    show(async {
        let (server, other) = (Server::start().await, Server::start().await);
        let client = server.client();
        soon(client.get(server.url("/")).send()).await.expect("an answer");
        // The same name, but another address and another authority.
        let astray = server.authority_client(other.addr);
        let error = soon(astray.get(other.url("/")).send()).await.expect_err("nobody vouches for it");
        assert!(error.is_connect(), "{error:?}");
        (server, other, client)
    });
}

#[test]
fn prior_knowledge_needs_no_tls() {
    show(async {
        let listener = listener().await;
        let addr = listener.local_addr().expect("it is bound");
        tokio::spawn(async move {
            let (socket, _) = listener.accept().await.expect("a client");
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            drop(builder.serve_connection(TokioIo::new(socket), service_fn(echo)).await);
        });
        let client = client_builder().http2_prior_knowledge().build().expect("a good configuration");
        let answer = soon(client.post(format!("http://{addr}/")).body(pattern(300_000)).send()).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.version(), Version::HTTP_2);
        assert!(soon(answer.bytes()).await.expect("the body") == pattern(300_000));
        client
    });
}
