//! TLS by tonic's own feature, which is rustls with ring.

use millpond_testkit::conversation;
use millpond_testkit::echo::{EchoClient, Msg, routes};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity, Server, ServerTlsConfig};

use super::serve;
use crate::support::certificates::{self, Authority};
use crate::support::{pattern, show, soon};

fn identity(identity: &certificates::Identity) -> Identity {
    Identity::from_pem(identity.pem(), identity.key_pem())
}

fn trusting(authority: &Authority) -> ClientTlsConfig {
    ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority.pem())).domain_name("pond.test")
}

async fn server(tls: ServerTlsConfig) -> Endpoint {
    let server = Server::builder().tls_config(tls).expect("a good configuration");
    let addr = serve(server, routes()).await;
    Endpoint::from_shared(format!("https://{addr}")).expect("a good authority")
}

#[test]
fn every_conversation_goes_well() {
    show(async {
        let authority = Authority::new();
        let endpoint =
            server(ServerTlsConfig::new().identity(identity(&authority.identity("pond.test")))).await;
        let endpoint = endpoint.tls_config(trusting(&authority)).expect("a good configuration");
        let channel = soon(endpoint.connect()).await.expect("a connection");
        conversation::hold(channel.clone()).await.assert_passed();
        channel
    });
}

#[test]
fn a_client_shows_a_certificate() {
    show(async {
        let authority = Authority::new();
        let tls = ServerTlsConfig::new()
            .identity(identity(&authority.identity("pond.test")))
            .client_ca_root(Certificate::from_pem(authority.pem()));
        let endpoint = server(tls).await;
        let known = trusting(&authority).identity(identity(&authority.identity("client.test")));
        let known = endpoint.clone().tls_config(known).expect("a good configuration");
        let mut client = EchoClient::new(soon(known.connect()).await.expect("a connection"));
        let answer = soon(client.unary(Msg::from(pattern(1 << 20)))).await.expect("an answer");
        assert!(answer.into_inner().data == pattern(1 << 20));

        let unknown = endpoint.tls_config(trusting(&authority)).expect("a good configuration").connect_lazy();
        soon(EchoClient::new(unknown).unary(Msg::default())).await.expect_err("it shows none");
        client
    });
}

#[test]
fn a_server_with_a_strange_certificate_is_refused() {
    show(async {
        let authority = Authority::new();
        let endpoint =
            server(ServerTlsConfig::new().identity(identity(&authority.identity("pond.test")))).await;
        let wrong = endpoint.clone().tls_config(trusting(&Authority::new())).expect("a good configuration");
        soon(wrong.connect()).await.expect_err("nobody vouches for it");
        let right = endpoint.tls_config(trusting(&authority)).expect("a good configuration");
        let mut client = EchoClient::new(soon(right.connect()).await.expect("a connection"));
        soon(client.unary(Msg::default())).await.expect("an answer");
        client
    });
}
