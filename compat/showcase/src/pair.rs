//! The pairs that are measured: client and server of one stock crate, each with its defaults.

use std::net::SocketAddr;

use bytes::Bytes;
use clap::ValueEnum;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::SendRequest;
use millpond_testkit::echo::{self, EchoClient, Msg};
use millpond_testkit::stock::{self, Running};
use tokio::runtime::Handle;
use tonic::transport::Channel;

use crate::BoxError;

/// Which crate makes both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pair {
    /// hyper: POST, and the body back.
    Hyper,
    /// tonic: a unary call by generated code.
    Tonic,
}

/// One connection. Clones share it.
#[derive(Clone, Debug)]
pub enum Client {
    /// hyper's.
    Hyper(SendRequest<Full<Bytes>>),
    /// tonic's.
    Tonic(EchoClient<Channel>),
}

impl Pair {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Hyper, Self::Tonic];

    /// What tables and workers call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hyper => "hyper",
            Self::Tonic => "tonic",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Result<Self, BoxError> {
        Self::ALL.into_iter().find(|pair| pair.name() == name).ok_or_else(|| format!("no pair {name}").into())
    }

    /// Serves until the [`Running`] is dropped.
    pub fn serve(self, runtime: &Handle) -> std::io::Result<Running> {
        match self {
            Self::Hyper => stock::hyper_server(runtime),
            Self::Tonic => stock::tonic_server(runtime, echo::routes()),
        }
    }

    /// Makes one connection.
    pub async fn connect(self, addr: SocketAddr) -> Result<Client, BoxError> {
        Ok(match self {
            Self::Hyper => Client::Hyper(stock::hyper_client(addr).await?),
            Self::Tonic => Client::Tonic(EchoClient::new(stock::tonic_channel(addr).await?)),
        })
    }
}

impl Client {
    /// Sends `payload`, and fails unless as many octets come back.
    pub async fn call(&mut self, payload: Bytes) -> Result<(), BoxError> {
        let sent = payload.len();
        let came = match self {
            Self::Hyper(send) => {
                send.ready().await?;
                let request = Request::post("http://localhost/").body(Full::new(payload))?;
                let answer = send.send_request(request).await?.into_body().collect().await?.to_bytes();
                // The server greets who sends nothing.
                if answer == stock::HELLO { 0 } else { answer.len() }
            }
            Self::Tonic(client) => client.unary(Msg::from(payload)).await?.into_inner().data.len(),
        };
        if came == sent { Ok(()) } else { Err(format!("{came} octets came back for {sent}").into()) }
    }
}
