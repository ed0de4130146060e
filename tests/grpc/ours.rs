//! Our client and our server, over TCP and Unix sockets.

use millpond::{
    Channel, Server,
    buffer::{BufferPool, PoolOptions},
    server::{TcpIncoming, UnixIncoming},
};
use millpond_testkit::{conversation, echo};

#[tokio::test]
async fn every_kind_of_call_over_tcp() {
    let pool = BufferPool::new(PoolOptions::default());
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = incoming.local_addr().unwrap();
    tokio::spawn(Server::builder().pool(pool.clone()).serve_with_incoming(incoming, echo::routes()));
    let channel = Channel::from_shared(&format!("http://{address}"))
        .unwrap()
        .pool(pool.clone())
        .connect()
        .await
        .unwrap();
    let verdict = conversation::hold(channel).await;
    println!("{verdict:?}");
}

#[tokio::test]
async fn every_kind_of_call_over_a_unix_socket() {
    let path = std::env::temp_dir().join(format!("millpond-{}.sock", std::process::id()));
    let incoming = UnixIncoming::bind(&path).unwrap();
    tokio::spawn(Server::builder().serve_with_incoming(incoming, echo::routes()));
    let channel = Channel::unix(&path).connect().await.unwrap();
    let verdict = conversation::hold(channel).await;
    std::fs::remove_file(&path).unwrap();
    println!("{verdict:?}");
}
