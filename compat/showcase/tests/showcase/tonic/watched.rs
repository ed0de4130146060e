//! A service that tells what becomes of its calls.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use millpond_testkit::echo::{Echo, EchoServer, Msg};
use tokio::sync::mpsc;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::support::{Counted, Gauge, pattern};

/// Its methods wait for ever, or send for ever; while they do, they are counted.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    /// Handlers, and streams of answers, that are there.
    pub(super) alive: Gauge,
    /// How each stream of requests ended: the octets that came, and the code if it broke off.
    ended: mpsc::UnboundedSender<(usize, Option<Code>)>,
}

impl Watched {
    /// The service, and how its streams of requests end.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<(usize, Option<Code>)>) {
        let (ended, ends) = mpsc::unbounded_channel();
        (Self { alive: Gauge::default(), ended }, ends)
    }

    pub(super) fn routes(&self) -> Routes {
        Routes::new(EchoServer::new(self.clone())).prepare()
    }
}

#[tonic::async_trait]
impl Echo for Watched {
    type ServerStreamStream = Endless;
    type BidiStream = Endless;

    async fn unary(&self, _: Request<Msg>) -> Result<Response<Msg>, Status> {
        let _counted = self.alive.enter();
        std::future::pending().await
    }

    async fn server_stream(&self, _: Request<Msg>) -> Result<Response<Endless>, Status> {
        Ok(Response::new(Endless { octets: pattern(10_000), _counted: self.alive.enter() }))
    }

    async fn client_stream(&self, request: Request<Streaming<Msg>>) -> Result<Response<Msg>, Status> {
        let _counted = self.alive.enter();
        let mut messages = request.into_inner();
        let mut octets = 0;
        let end = loop {
            match messages.message().await {
                Ok(Some(message)) => octets += message.data.len(),
                Ok(None) => break None,
                Err(status) => break Some(status.code()),
            }
        };
        self.ended.send((octets, end)).map_err(|_| Status::internal("nobody asks"))?;
        Ok(Response::new(Msg::default()))
    }

    /// Reads nothing.
    async fn bidi(&self, request: Request<Streaming<Msg>>) -> Result<Response<Endless>, Status> {
        drop(request);
        Ok(Response::new(Endless { octets: pattern(10_000), _counted: self.alive.enter() }))
    }
}

/// Messages without end.
#[derive(Debug)]
pub(super) struct Endless {
    octets: Bytes,
    _counted: Counted,
}

impl Stream for Endless {
    type Item = Result<Msg, Status>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(Ok(Msg::from(self.octets.clone()))))
    }
}
