//! tonic's own channel and server, with generated code.

mod calls;
mod cancellation;
mod deadlines;
mod life;
mod tls;
mod watched;

use std::net::SocketAddr;

use millpond_testkit::echo::EchoClient;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};

use crate::support::{listener, soon};

/// A server with these options, until the runtime ends.
async fn serve(mut server: Server, routes: Routes) -> SocketAddr {
    let listener = listener().await;
    let addr = listener.local_addr().expect("it is bound");
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    tokio::spawn(server.add_routes(routes).serve_with_incoming(incoming));
    addr
}

/// A client with the defaults.
async fn client(addr: SocketAddr) -> EchoClient<Channel> {
    connect(endpoint(addr)).await
}

async fn connect(endpoint: Endpoint) -> EchoClient<Channel> {
    let channel = soon(endpoint.connect()).await.expect("a connection");
    EchoClient::new(channel).max_decoding_message_size(usize::MAX)
}

fn endpoint(addr: SocketAddr) -> Endpoint {
    Endpoint::from_shared(format!("http://{addr}")).expect("an address is a good authority")
}
