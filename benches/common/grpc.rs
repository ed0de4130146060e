//! gRPC by tonic-generated code: [`millpond::Channel`] and [`millpond::Server`] against tonic's own transport.

use std::net::SocketAddr;

use bytes::Bytes;
use millpond_testkit::{
    conversation::Transport,
    echo::{Echo, EchoClient, EchoServer, EchoService, Msg, SERVER_STREAM_MESSAGES},
};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Request, Response, Status, Streaming,
    service::Routes,
    transport::{Endpoint, server::TcpIncoming},
};

use super::{
    BoxError, Bulk, CONNECTION_WINDOW, Client, MAX_STREAMS, Options, STREAM_WINDOW, Stack, Windows,
    expect_octets,
};

/// `millpond::Channel` and `millpond::Server`.
pub enum Millpond {}

/// tonic's own transport, over hyper and h2.
pub enum Tonic {}

/// The most octets of each message of a long stream.
const MESSAGE: usize = 1 << 20;

/// The message of a stream that is held.
const FEW: Bytes = Bytes::from_static(b"a few octets");

impl Stack for Millpond {
    type Client = EchoClient<millpond::Channel>;
    const NAME: &'static str = "millpond, gRPC";

    async fn serve(listener: TcpListener, options: Options) -> Result<(), BoxError> {
        let incoming = millpond::server::TcpIncoming::from(listener);
        let mut server = millpond::Server::builder().config(options.config());
        if options.spawn {
            server = server.poll_handlers_inline(false);
        }
        Ok(server.serve_with_incoming(incoming, routes()).await?)
    }

    async fn connect(addr: SocketAddr, options: Options) -> Result<Self::Client, BoxError> {
        let channel = millpond::Channel::from_shared(&format!("http://{addr}"))?.config(options.config());
        Ok(client(channel.connect().await?))
    }
}

impl Stack for Tonic {
    type Client = EchoClient<tonic::transport::Channel>;
    const NAME: &'static str = "tonic";

    async fn serve(listener: TcpListener, options: Options) -> Result<(), BoxError> {
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let mut server = tonic::transport::Server::builder();
        if options.windows == Windows::Equal {
            server = server
                .initial_stream_window_size(STREAM_WINDOW)
                .initial_connection_window_size(CONNECTION_WINDOW)
                .max_concurrent_streams(MAX_STREAMS);
        }
        Ok(server.add_routes(routes()).serve_with_incoming(incoming).await?)
    }

    async fn connect(addr: SocketAddr, options: Options) -> Result<Self::Client, BoxError> {
        let mut endpoint = Endpoint::from_shared(format!("http://{addr}"))?;
        if options.windows == Windows::Equal {
            endpoint = endpoint
                .initial_stream_window_size(STREAM_WINDOW)
                .initial_connection_window_size(CONNECTION_WINDOW);
        }
        Ok(client(endpoint.connect().await?))
    }
}

fn client<T: Transport>(transport: T) -> EchoClient<T> {
    EchoClient::new(transport).max_decoding_message_size(usize::MAX)
}

fn routes() -> Routes {
    Routes::new(EchoServer::new(Service).max_decoding_message_size(usize::MAX)).prepare()
}

impl<T: Transport> Client for EchoClient<T> {
    type Held = (mpsc::Sender<Msg>, Streaming<Msg>);

    async fn unary(&mut self, payload: Bytes) -> Result<(), BoxError> {
        let octets = payload.len();
        let answer = EchoClient::unary(self, Msg::from(payload)).await?;
        expect_octets(answer.into_inner().data.len(), octets)
    }

    async fn hold(&mut self) -> Result<Self::Held, BoxError> {
        let (send, messages) = mpsc::channel(1);
        send.send(Msg::from(FEW)).await?;
        let mut answers = self.bidi(ReceiverStream::new(messages)).await?.into_inner();
        let answer = answers.message().await?.ok_or("the stream ended")?;
        expect_octets(answer.data.len(), FEW.len())?;
        Ok((send, answers))
    }
}

impl<T: Transport> Bulk for EchoClient<T> {
    const OCTETS: usize = SERVER_STREAM_MESSAGES * MESSAGE;

    fn material(octets: usize) -> Bytes {
        vec![7; octets / SERVER_STREAM_MESSAGES].into()
    }

    async fn upload(&mut self, material: Bytes) -> Result<(), BoxError> {
        let expected = material.len() * SERVER_STREAM_MESSAGES;
        let messages = std::iter::repeat_n(Msg::from(material), SERVER_STREAM_MESSAGES);
        let answer = self.client_stream(tokio_stream::iter(messages)).await?.into_inner();
        let octets = <[u8; 8]>::try_from(&*answer.data).map_or(0, u64::from_be_bytes);
        expect_octets(octets as usize, expected)
    }

    async fn download(&mut self, octets: usize) -> Result<(), BoxError> {
        let message = octets / SERVER_STREAM_MESSAGES;
        let size = (message as u64).to_be_bytes();
        let mut answers = self.server_stream(Msg::from(Bytes::copy_from_slice(&size))).await?.into_inner();
        let mut came = 0;
        while let Some(answer) = answers.message().await? {
            came += answer.data.len();
        }
        expect_octets(came, message * SERVER_STREAM_MESSAGES)
    }
}

/// The echo service, but that a stream in one direction only has nothing to do with the other.
#[derive(Clone, Copy, Debug)]
struct Service;

#[tonic::async_trait]
impl Echo for Service {
    type ServerStreamStream = <EchoService as Echo>::ServerStreamStream;
    type BidiStream = <EchoService as Echo>::BidiStream;

    async fn unary(&self, request: Request<Msg>) -> Result<Response<Msg>, Status> {
        EchoService.unary(request).await
    }

    /// Messages of as many octets as the request says.
    async fn server_stream(
        &self,
        request: Request<Msg>,
    ) -> Result<Response<Self::ServerStreamStream>, Status> {
        let size = <[u8; 8]>::try_from(&*request.into_inner().data).map_or(0, u64::from_be_bytes);
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(MESSAGE);
        EchoService.server_stream(Request::new(Msg::from(Bytes::from(vec![7; size])))).await
    }

    /// Answers with how many octets came.
    async fn client_stream(&self, request: Request<Streaming<Msg>>) -> Result<Response<Msg>, Status> {
        let mut octets = 0;
        let mut messages = request.into_inner();
        while let Some(message) = messages.message().await? {
            octets += message.data.len() as u64;
        }
        Ok(Response::new(Msg::from(Bytes::copy_from_slice(&octets.to_be_bytes()))))
    }

    async fn bidi(&self, request: Request<Streaming<Msg>>) -> Result<Response<Self::BidiStream>, Status> {
        EchoService.bidi(request).await
    }
}
