//! reqwest on millpond: nothing here but the manifest knows of it.
//!
//! Starts a stock hyper server behind rustls, with a certificate made on the spot, and calls it with stock reqwest: a
//! request, an upload and a download that stream, fifty requests at once. Then it shows what the pool holds while the
//! connection rests.
//!
//! ```text
//! cargo run --example reqwest_facade
//! ```

#[path = "../tests/showcase/support/certificates.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod certificates;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, future::try_join_all, stream};
use http_body_util::{BodyExt, combinators::BoxBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use certificates::Authority;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    println!("this program's h2 is millpond: {}", h2::is_millpond());
    let authority = Authority::new();
    let addr = serve(&authority).await?;

    rustls::crypto::ring::default_provider().install_default().map_err(|_| "there is a provider already")?;
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(authority.pem().as_bytes())?])
        .resolve("pond.test", addr)
        .build()?;
    let url = format!("https://pond.test:{}/", addr.port());

    let answer = client.post(&url).body("over the pond").send().await?;
    println!("{:?}, {}: {}", answer.version(), answer.status(), answer.text().await?);

    const PIECE: Bytes = Bytes::from_static(&[7; 50_000]);
    let pieces = stream::iter((0..200).map(|_| Ok::<_, Infallible>(PIECE)));
    let answer = client.post(&url).body(reqwest::Body::wrap_stream(pieces)).send().await?;
    let mut octets = answer.bytes_stream();
    let mut came = 0;
    while let Some(piece) = octets.next().await {
        came += piece?.len();
    }
    println!("{came} octets up and down, as a stream");

    let calls = (0..50).map(|index| client.post(&url).body(format!("call {index}")).send());
    let answers = try_join_all(calls).await?;
    println!("{} answers to calls at once", answers.len());
    drop(answers);

    for _ in 0..100 {
        if blocks_out() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("blocks that the resting connection holds: {}", blocks_out());
    if came != 200 * PIECE.len() || blocks_out() > 0 {
        return Err("that should be 10000000 octets and no block".into());
    }
    Ok(())
}

fn blocks_out() -> usize {
    millpond::buffer::BufferPool::global().stats().blocks_out
}

/// Sends everything back, to whoever agrees on `h2`.
async fn serve(authority: &Authority) -> Result<SocketAddr, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let tls = TlsAcceptor::from(authority.identity("pond.test").server_config(&["h2"]));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                let socket = TokioIo::new(tls.accept(socket).await?);
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                server.serve_connection(socket, service_fn(echo)).await?;
                Ok::<_, BoxError>(())
            });
        }
    });
    Ok(addr)
}

async fn echo(
    request: http::Request<Incoming>,
) -> Result<http::Response<BoxBody<Bytes, hyper::Error>>, Infallible> {
    Ok(http::Response::new(request.into_body().boxed()))
}
