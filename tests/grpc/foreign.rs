//! gRPC stacks in other languages: the C core by Python, and grpc-js on Node's HTTP/2.

use std::{io, process::Command, time::Duration};

use millpond::Server;
use millpond_testkit::{
    conversation,
    process::{Peer, grpc_js, grpcio, run_client},
};

use crate::world::{Served, channel_to, quiet, site};

async fn calls_our_server(peer: fn() -> io::Result<Command>) {
    let served = Served::start(Server::builder(), site()).await;
    let mut command = peer().unwrap();
    command.args(["client", &served.address.to_string(), "--require-gzip"]);
    let verdict = tokio::task::spawn_blocking(move || run_client(&mut command, Duration::from_secs(100)));
    verdict.await.unwrap().unwrap().assert_passed();
    served.finish().await;
}

async fn our_channel_calls(peer: fn() -> io::Result<Command>) {
    let mut command = peer().unwrap();
    command.arg("server");
    let peer = tokio::task::spawn_blocking(move || Peer::start(&mut command)).await.unwrap().unwrap();
    let (channel, pool) = channel_to(peer.addr());
    let channel = channel.connect().await.unwrap();
    conversation::hold(channel.clone()).await.assert_passed();
    drop(channel);
    quiet(&pool).await;
}

#[tokio::test]
#[ignore = "needs tests/peers/install.sh"]
async fn grpcio_calls_our_server() {
    calls_our_server(grpcio).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs tests/peers/install.sh"]
async fn grpcio_calls_our_server_on_threads() {
    calls_our_server(grpcio).await;
}

#[tokio::test]
#[ignore = "needs tests/peers/install.sh"]
async fn our_channel_calls_grpcio() {
    our_channel_calls(grpcio).await;
}

#[tokio::test]
#[ignore = "needs tests/peers/install.sh"]
async fn grpc_js_calls_our_server() {
    calls_our_server(grpc_js).await;
}

#[tokio::test]
#[ignore = "needs tests/peers/install.sh"]
async fn our_channel_calls_grpc_js() {
    our_channel_calls(grpc_js).await;
}
