//! gRPC through HAProxy and nginx: the proxy is a client of our server, and a server of our channel.

use std::{net::SocketAddr, process::Command};

use millpond::Server;
use millpond_testkit::{conversation, stock};

use crate::{
    tools::{Daemon, Directory},
    world::{Served, channel_to, quiet, site},
};

/// Every conversation through the proxy, by our channel and by stock tonic.
async fn holds_conversations(name: &str, command: impl Fn(&Directory, u16, SocketAddr) -> Command) {
    let served = Served::start(Server::builder(), site()).await;
    let directory = Directory::new(name);
    let proxy = Daemon::start(|port| command(&directory, port, served.address)).await;
    let (channel, pool) = channel_to(proxy.address);
    let channel = channel.connect().await.unwrap();
    conversation::hold(channel.clone()).await.assert_passed();
    drop(channel);
    quiet(&pool).await;
    let channel = stock::tonic_channel(proxy.address).await.unwrap();
    conversation::hold(channel).await.assert_passed();
    drop(proxy);
    served.finish().await;
}

#[tokio::test]
#[ignore = "needs tests/peers/install.sh"]
async fn haproxy() {
    holds_conversations("haproxy", |directory, port, upstream| {
        // With small buffers HAProxy 2.6 ends the connection when trailers do not fit behind the data.
        let config = format!(
            "global\n  maxconn 1000\n  tune.bufsize 131072\n\
             defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n\
             frontend front\n  bind 127.0.0.1:{port} proto h2\n  default_backend back\n\
             backend back\n  server ours {upstream} proto h2\n"
        );
        let mut command = Command::new("haproxy");
        command.args(["-q", "-db", "-f", &directory.write("config", config)]);
        command
    })
    .await;
}

#[tokio::test]
#[ignore = "needs tests/peers/install.sh"]
async fn nginx() {
    holds_conversations("nginx", |directory, port, upstream| {
        let here = directory.path();
        let config = format!(
            "daemon off; master_process off; pid {here}/pid; error_log stderr error;\n\
             events {{ worker_connections 1000; }}\n\
             http {{\n\
               access_log off; client_body_temp_path {here}/body; proxy_temp_path {here}/proxy;\n\
               fastcgi_temp_path {here}/fastcgi; uwsgi_temp_path {here}/uwsgi; scgi_temp_path {here}/scgi;\n\
               upstream ours {{ server {upstream}; keepalive 8; }}\n\
               server {{\n\
                 listen 127.0.0.1:{port} http2; client_max_body_size 0; grpc_buffer_size 32k;\n\
                 http2_max_field_size 32k; http2_max_header_size 64k; large_client_header_buffers 4 32k;\n\
                 location / {{ grpc_pass grpc://ours; }}\n\
               }}\n\
             }}\n"
        );
        let mut command = Command::new("nginx");
        command.args(["-p", &here, "-e", "stderr", "-c", &directory.write("config", config)]);
        command
    })
    .await;
}
