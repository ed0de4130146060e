//! Our client and our server: every kind of call, over TCP, Unix sockets and an opaque pipe.

use millpond::{Channel, Server, server::UnixIncoming};
use millpond_testkit::{conversation, echo};

use crate::world::{Served, on_both_runtimes, pool, quiet, soon};

on_both_runtimes!(over_tcp over_tcp_inline over_tcp_without_pooling over_a_unix_socket over_a_pipe);

async fn every_kind_of_call(server: Server, pooling: bool) {
    let served = Served::start(server.read_buffer_pooling(pooling), echo::gzip_routes()).await;
    let (channel, pool) = served.channel();
    let channel = channel.read_buffer_pooling(pooling).connect().await.unwrap();
    conversation::hold(channel.clone()).await.assert_passed();
    conversation::hold_gzip(channel.clone()).await.assert_passed();
    drop(channel);
    served.finish().await;
    quiet(&pool).await;
}

async fn over_tcp() {
    every_kind_of_call(Server::builder(), true).await;
}

async fn over_tcp_inline() {
    every_kind_of_call(Server::builder().poll_handlers_inline(true), true).await;
}

async fn over_tcp_without_pooling() {
    every_kind_of_call(Server::builder(), false).await;
}

async fn over_a_unix_socket() {
    let name = format!("millpond-{}-{:?}.sock", std::process::id(), std::thread::current().id());
    let path = std::env::temp_dir().join(name);
    let incoming = UnixIncoming::bind(&path).unwrap();
    let (server_pool, client_pool) = (pool(), pool());
    let server = Server::builder().pool(server_pool.clone());
    let server = tokio::spawn(server.serve_with_incoming(incoming, echo::routes()));
    for channel in [
        Channel::unix(&path),
        Channel::from_shared(&format!("unix:{}", path.display())).unwrap(),
        Channel::builder(format!("unix://localhost{}", path.display()).parse().unwrap()),
    ] {
        let channel = channel.pool(client_pool.clone()).connect().await.unwrap();
        conversation::hold(channel).await.assert_passed();
    }
    std::fs::remove_file(&path).unwrap();
    quiet(&client_pool).await;
    quiet(&server_pool).await;
    server.abort();
}

/// A pipe that cannot say whether it is readable, given by a connector.
async fn over_a_pipe() {
    let (server_pool, client_pool) = (pool(), pool());
    let server = Server::builder().pool(server_pool.clone());
    let connector = tower::service_fn(move |uri: http::Uri| {
        assert_eq!(uri, "http://pond.example/");
        let (client, io) = tokio::io::duplex(4 << 10);
        tokio::spawn(server.clone().serve_connection(io, echo::routes()).unwrap());
        async { Ok::<_, std::io::Error>(client) }
    });
    let channel = Channel::from_shared("http://pond.example").unwrap().pool(client_pool.clone());
    let channel = soon("a connection", channel.connect_with_connector(connector)).await.unwrap();
    conversation::hold(channel).await.assert_passed();
    quiet(&client_pool).await;
    quiet(&server_pool).await;
}
