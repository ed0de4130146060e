//! Under tonic's channel.

use millpond::Connector;
use millpond_testkit::{
    conversation,
    echo::{self, EchoClient, Msg},
    stock,
};
use tokio::runtime::Handle;
use tonic::{Code, transport::Endpoint};

use crate::world::{chain, nobody, soon};

#[tokio::test]
async fn every_kind_of_call_over_tcp() {
    let server = stock::tonic_server(&Handle::current(), echo::gzip_routes()).unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{}", server.addr())).unwrap();
    let channel = endpoint.connect_with_connector(Connector::new()).await.unwrap();
    conversation::hold(channel).await.assert_passed();
    let lazy = endpoint.connect_with_connector_lazy(Connector::new());
    conversation::hold_gzip(lazy).await.assert_passed();
}

#[tokio::test]
#[cfg(unix)]
async fn every_kind_of_call_over_a_unix_socket() {
    use crate::world::SocketPath;
    use millpond::{Server, server::UnixIncoming};

    let path = SocketPath::new("endpoint");
    let incoming = UnixIncoming::bind(&path.0).unwrap();
    let server = tokio::spawn(Server::builder().serve_with_incoming(incoming, echo::gzip_routes()));
    let text = path.0.to_str().unwrap();
    let http = Endpoint::from_static("http://localhost");
    // tonic takes the path out of this one, and tells it no connector.
    let tonics_own = Endpoint::from_shared(format!("unix:{text}")).unwrap();
    let by_uri = Endpoint::from(format!("unix://localhost{text}").parse::<http::Uri>().unwrap())
        .origin(http::Uri::from_static("http://localhost"));
    for (endpoint, connector) in
        [(http, Connector::unix(&path.0)), (tonics_own, Connector::unix(&path.0)), (by_uri, Connector::new())]
    {
        let channel = endpoint.connect_with_connector(connector).await.unwrap();
        conversation::hold(channel).await.assert_passed();
    }
    server.abort();
}

#[tokio::test]
async fn a_refusal_is_unavailable_and_says_where() {
    let (_socket, address) = nobody();
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let error = soon("refused", endpoint.connect_with_connector(Connector::new())).await.unwrap_err();
    let told = chain(&error).iter().any(|error| error.to_string().contains(&address.to_string()));
    assert!(told, "{error:?}");
    let lazy = endpoint.connect_with_connector_lazy(Connector::new());
    let status = soon("refused", EchoClient::new(lazy).unary(Msg::default())).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
}
