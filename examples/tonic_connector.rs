//! tonic's own channel over a socket that our connector opens, by TCP and by a Unix socket.
//!
//! ```text
//! cargo run --release --example tonic_connector [-- http://127.0.0.1:50051]
//! ```
//!
//! It greets the server at this URL, or one of its own. The client is what `tonic-build` generates, the channel is
//! tonic's on hyper; only the connector is ours.

use std::{error::Error, time::Duration};

use clap::Parser;
use http::Uri;
use millpond::{
    Connector, Server,
    server::{ServeError, TcpIncoming},
};
use millpond_testkit::greeter::{GreeterClient, GreeterServer, GreeterService, HelloRequest};
use tokio::task::JoinHandle;
use tonic::{service::Routes, transport::Endpoint};

/// Greets by tonic's channel and our connector.
#[derive(Parser)]
struct Flags {
    /// The URL of a greeter, `http://HOST:PORT`; without it, one is started for the purpose.
    url: Option<Uri>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let connector = connector();
    if let Some(url) = Flags::parse().url {
        return greet("tcp", url, connector).await;
    }
    let tcp = TcpIncoming::bind("127.0.0.1:0".parse()?).await?;
    let url = format!("http://{}", tcp.local_addr()?).parse()?;
    let server: JoinHandle<Result<(), ServeError>> =
        tokio::spawn(Server::builder().serve_with_incoming(tcp, routes()));
    greet("tcp", url, connector).await?;
    server.abort();

    #[cfg(unix)]
    {
        let path = std::env::temp_dir().join(format!("millpond-connector-{}.sock", std::process::id()));
        let unix = millpond::server::UnixIncoming::bind(&path)?;
        let server = tokio::spawn(Server::builder().serve_with_incoming(unix, routes()));
        // The URI is no more than the origin of the requests.
        let greeted = greet("unix", Uri::from_static("http://localhost"), Connector::unix(&path)).await;
        server.abort();
        std::fs::remove_file(&path)?;
        greeted?;
    }
    Ok(())
}

/// Options of sockets are the connector's: tonic passes none of its own on.
fn connector() -> Connector {
    let mut connector = Connector::new();
    // Resolving the name counts, and no dead address keeps the others from their turn.
    connector.set_connect_timeout(Some(Duration::from_secs(10)));
    connector.set_happy_eyeballs_timeout(Some(Duration::from_millis(250)));
    // A peer that is gone is noticed while calls wait for it, and while none does.
    connector.set_tcp_user_timeout(Some(Duration::from_secs(20)));
    connector.set_keepalive(Some(Duration::from_secs(60)));
    // What waits here, not in the system, can still be reset or overtaken.
    connector.set_tcp_notsent_lowat(Some(64 << 10));
    connector
}

fn routes() -> axum::Router {
    Routes::new(GreeterServer::new(GreeterService)).prepare().into_axum_router()
}

async fn greet(socket: &str, url: Uri, connector: Connector) -> Result<(), Box<dyn Error>> {
    let channel = Endpoint::from(url).connect_with_connector(connector).await?;
    let reply = GreeterClient::new(channel).say_hello(HelloRequest { name: "miller".into() }).await?;
    println!("{socket}: {}", reply.into_inner().message);
    Ok(())
}
