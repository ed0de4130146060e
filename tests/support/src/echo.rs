//! Generated client and server of `echo.Echo`, and the implementation that all tests, examples and benches call.
//!
//! The `bytes` fields are `Bytes` that share the received buffer. [`EchoService`] obeys the request metadata that
//! `proto/echo.proto` lists, as do the peers in other languages.

use std::iter::RepeatN;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tonic::codec::CompressionEncoding;
use tonic::metadata::{KeyAndValueRef, MetadataMap};
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::greeter::{GreeterServer, GreeterService};

pub use generated::Msg;
pub use generated::echo_client::EchoClient;
pub use generated::echo_server::{Echo, EchoServer};

#[expect(missing_docs, unreachable_pub, reason = "generated; proto/echo.proto says what there is")]
mod generated {
    tonic::include_proto!("echo");
}

/// How often `ServerStream` sends the message.
pub const SERVER_STREAM_MESSAGES: usize = 100;

/// The message of the status that `x-status` asks for; not ASCII, so that it must be percent-encoded.
pub const STATUS_MESSAGE: &str = "as asked: 100 % é";

/// Answers every call with what it was sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct EchoService;

/// [`EchoService`] ready to be served: messages of any size, no compression.
pub fn server() -> EchoServer<EchoService> {
    EchoServer::new(EchoService).max_decoding_message_size(usize::MAX).max_encoding_message_size(usize::MAX)
}

/// Echo and Greeter, for [`tonic::transport::Server::add_routes`] or any other server of a `tower::Service`.
pub fn routes() -> Routes {
    Routes::new(server()).add_service(GreeterServer::new(GreeterService)).prepare()
}

/// [`routes`] where Echo also speaks gzip: with every client that accepts it, so not for benches.
pub fn gzip_routes() -> Routes {
    let echo =
        server().accept_compressed(CompressionEncoding::Gzip).send_compressed(CompressionEncoding::Gzip);
    Routes::new(echo).add_service(GreeterServer::new(GreeterService)).prepare()
}

impl From<Bytes> for Msg {
    fn from(data: Bytes) -> Self {
        Self { data }
    }
}

#[tonic::async_trait]
impl Echo for EchoService {
    type ServerStreamStream = tokio_stream::Iter<RepeatN<Result<Msg, Status>>>;
    type BidiStream = Streaming<Msg>;

    async fn unary(&self, request: Request<Msg>) -> Result<Response<Msg>, Status> {
        if let Some(delay) = request.metadata().get("x-delay-ms") {
            let delay = delay.to_str().ok().and_then(|delay| delay.parse().ok());
            let delay = delay.ok_or_else(|| Status::invalid_argument("x-delay-ms is not a number"))?;
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        answer(request, |message| message)
    }

    async fn server_stream(
        &self,
        request: Request<Msg>,
    ) -> Result<Response<Self::ServerStreamStream>, Status> {
        answer(request, |message| {
            tokio_stream::iter(std::iter::repeat_n(Ok(message), SERVER_STREAM_MESSAGES))
        })
    }

    async fn client_stream(&self, mut request: Request<Streaming<Msg>>) -> Result<Response<Msg>, Status> {
        let mut joined = BytesMut::new();
        while let Some(message) = request.get_mut().message().await? {
            joined.extend_from_slice(&message.data);
        }
        answer(request, |_| joined.freeze().into())
    }

    async fn bidi(&self, request: Request<Streaming<Msg>>) -> Result<Response<Self::BidiStream>, Status> {
        answer(request, |messages| messages)
    }
}

/// The response to a request, with the metadata or the status that it asks for.
fn answer<T, U>(request: Request<T>, into_answer: impl FnOnce(T) -> U) -> Result<Response<U>, Status> {
    let (metadata, _, message) = request.into_parts();
    if let Some(code) = metadata.get("x-status") {
        return Err(Status::new(Code::from_bytes(code.as_encoded_bytes()), STATUS_MESSAGE));
    }
    let mut response = Response::new(into_answer(message));
    echo_metadata(&metadata, response.metadata_mut());
    Ok(response)
}

fn echo_metadata(from: &MetadataMap, to: &mut MetadataMap) {
    for entry in from.iter() {
        match entry {
            KeyAndValueRef::Ascii(key, value) if key.as_str().starts_with("x-echo") => {
                to.append(key.clone(), value.clone());
            }
            KeyAndValueRef::Binary(key, value) if key.as_str().starts_with("x-echo") => {
                to.append_bin(key.clone(), value.clone());
            }
            _ => {}
        }
    }
}
