//! The endpoint under test, ready to talk; the peer is in [`crate::mock`].
#![allow(dead_code, reason = "a kit: not every helper has a user at all times")]

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tokio::{sync::mpsc, task::JoinHandle};

use super::super::h2::{self, RecvStream, client, server};
use crate::mock::{Peer, Pipe, pipe, within};

pub type SendRequest = client::SendRequest<Bytes>;
pub type ClientConnection = client::Connection<Pipe, Bytes>;
pub type ServerConnection = server::Connection<Pipe, Bytes>;
pub type SendResponse = server::SendResponse<Bytes>;
/// How a connection that runs in its own task ended.
pub type Ending = JoinHandle<Result<(), h2::Error>>;

/// How the connection ended; it must do so soon.
#[track_caller]
pub fn ended(connection: Ending) -> impl Future<Output = Result<(), h2::Error>> {
    let ended = within("the connection's end", connection);
    async { ended.await.unwrap() }
}

/// A client and its peer, greetings exchanged; the connection runs in its own task.
pub async fn client() -> (SendRequest, Ending, Peer) {
    client_with(&client::Builder::new(), &[]).await
}

/// [`client`], built so, facing a server with these settings.
pub async fn client_with(builder: &client::Builder, settings: &[(u16, u32)]) -> (SendRequest, Ending, Peer) {
    let (io, mut peer) = pipe();
    let (client, connection) = builder.handshake(io).await.unwrap();
    let connection = tokio::spawn(connection);
    peer.be_server(settings).await;
    (client, connection, peer)
}

/// [`client_with`], the connection being in the test's hands: see [`Drive`].
pub async fn idle_client_with(
    builder: &client::Builder,
    settings: &[(u16, u32)],
) -> (SendRequest, ClientConnection, Peer) {
    let (io, mut peer) = pipe();
    let (client, mut connection) = builder.handshake(io).await.unwrap();
    connection.drive(peer.be_server(settings)).await;
    (client, connection, peer)
}

/// [`idle_client_with`], with the defaults.
pub async fn idle_client() -> (SendRequest, ClientConnection, Peer) {
    idle_client_with(&client::Builder::new(), &[]).await
}

/// The requests that a server accepts.
pub type Requests = mpsc::UnboundedReceiver<(Request<RecvStream>, SendResponse)>;

/// A server and its peer, greetings exchanged; the connection runs in its own task and accepts.
pub async fn server() -> (Requests, Ending, Peer) {
    server_with(&server::Builder::new(), &[]).await
}

/// [`server`], built so, facing a client with these settings.
pub async fn server_with(builder: &server::Builder, settings: &[(u16, u32)]) -> (Requests, Ending, Peer) {
    let (connection, peer) = idle_server_with(builder, settings).await;
    let (requests, ending) = accept_all(connection);
    (requests, ending, peer)
}

/// [`server_with`], the connection being in the test's hands: see [`Drive`].
pub async fn idle_server_with(
    builder: &server::Builder,
    settings: &[(u16, u32)],
) -> (ServerConnection, Peer) {
    let (io, mut peer) = pipe();
    let greeting = peer.be_client(settings);
    let mut connection = builder.handshake(io).await.unwrap();
    connection.drive(greeting).await;
    (connection, peer)
}

/// [`idle_server_with`], with the defaults.
pub async fn idle_server() -> (ServerConnection, Peer) {
    idle_server_with(&server::Builder::new(), &[]).await
}

/// Accepts in a task of its own until the connection ends.
pub fn accept_all(mut connection: ServerConnection) -> (Requests, Ending) {
    let (accepted, requests) = mpsc::unbounded_channel();
    let ending = tokio::spawn(async move {
        while let Some(request) = connection.accept().await {
            let _ = accepted.send(request?);
        }
        Ok(())
    });
    (requests, ending)
}

/// The next request.
#[track_caller]
pub fn accepted(requests: &mut Requests) -> impl Future<Output = (Request<RecvStream>, SendResponse)> {
    let request = within("a request", requests.recv());
    async { request.await.expect("the connection ended") }
}

/// A connection that makes progress only while the test asks for it.
#[allow(async_fn_in_trait, reason = "for these tests only")]
pub trait Drive {
    /// The output of `future`; the connection runs along and must not end.
    async fn drive<F: Future>(&mut self, future: F) -> F::Output;
}

impl Drive for ClientConnection {
    async fn drive<F: Future>(&mut self, future: F) -> F::Output {
        within("the future and its connection", async {
            tokio::select! {
                biased;
                output = future => output,
                ending = self => panic!("the connection ended: {ending:?}"),
            }
        })
        .await
    }
}

impl Drive for ServerConnection {
    /// Requests are not accepted meanwhile.
    async fn drive<F: Future>(&mut self, future: F) -> F::Output {
        within("the future and its connection", async {
            tokio::select! {
                biased;
                output = future => output,
                ending = std::future::poll_fn(|cx| self.poll_closed(cx)) => {
                    panic!("the connection ended: {ending:?}")
                }
            }
        })
        .await
    }
}

/// `GET` without a body.
pub fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

/// `POST`.
pub fn post(uri: &str) -> Request<()> {
    Request::post(uri).body(()).unwrap()
}

/// A response with this status and no fields.
pub fn status(code: u16) -> Response<()> {
    Response::builder().status(code).body(()).unwrap()
}

/// Field lines, for trailers.
pub fn fields(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let line = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    lines.iter().map(line).collect()
}

/// All the data of a message, its credit given back at once.
pub async fn read_all(body: &mut RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut octets = Vec::new();
    while let Some(chunk) = within("data", body.data()).await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        octets.extend_from_slice(&chunk);
    }
    Ok(octets)
}
