//! axum over HTTP/2 without TLS, by prior knowledge (RFC 9113 §3.3).

mod handlers;
mod streams;
mod websocket;

use std::net::SocketAddr;

use axum::Router;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;

use crate::support::bodies::Body;
use crate::support::hyper_pair::Ends;
use crate::support::{listener, soon};

/// Ways to serve a router.
#[derive(Clone, Copy, Debug)]
enum By {
    /// [`axum::serve`].
    Axum,
    /// hyper-util's builder, which tells the version by the preface.
    Auto,
    /// hyper's own, HTTP/2 only.
    Hyper,
}

const ALL: [By; 3] = [By::Axum, By::Auto, By::Hyper];

/// Serves until the runtime ends.
async fn serve(by: By, router: Router) -> SocketAddr {
    let listener = listener().await;
    let addr = listener.local_addr().expect("it is bound");
    match by {
        By::Axum => drop(tokio::spawn(axum::serve(listener, router).into_future())),
        By::Auto | By::Hyper => drop(tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("descriptors are left");
                let (socket, service) = (TokioIo::new(socket), TowerToHyperService::new(router.clone()));
                let exec = TokioExecutor::new();
                // The client tells how it went.
                if let By::Auto = by {
                    let mut builder = auto::Builder::new(exec);
                    builder.http2().enable_connect_protocol();
                    tokio::spawn(async move {
                        drop(builder.serve_connection_with_upgrades(socket, service).await);
                    });
                } else {
                    let mut builder = hyper::server::conn::http2::Builder::new(exec);
                    builder.enable_connect_protocol();
                    tokio::spawn(async move { drop(builder.serve_connection(socket, service).await) });
                }
            }
        })),
    }
    addr
}

/// A stock hyper connection to it.
async fn connect(addr: SocketAddr) -> SendRequest<Body> {
    let socket = soon(TcpStream::connect(addr)).await.expect("it listens");
    Ends::new().call(socket).await.0
}
