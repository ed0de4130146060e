//! Stock endpoints to compare with and to talk to: servers of tonic, hyper and bare h2, and clients of the same.
//!
//! Every endpoint keeps the defaults of its crate, but for `TCP_NODELAY`, which all set. Servers listen on a port of
//! 127.0.0.1 that the system chooses, and run in-process on the runtime they are given; `stock_peer server` runs them
//! in a process of their own.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint};

use crate::grpc;

/// What the hyper and h2 servers answer when there is nothing to send back.
pub const HELLO: &[u8] = b"hello, world\n";

type BoxError = Box<dyn Error + Send + Sync>;

/// A server in this process. Dropping it stops it: tonic's lets open calls finish, the others cut every connection.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    _stop: oneshot::Sender<Infallible>,
}

impl Running {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// Serves gRPC with stock tonic: [`echo::routes`](crate::echo::routes), or others.
pub fn tonic_server(runtime: &Handle, routes: Routes) -> io::Result<Running> {
    start(runtime, |listener, stopped| async {
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let stopped = async { drop(stopped.await) };
        let server = tonic::transport::Server::builder().add_routes(routes);
        // An error here is that of the accept loop; whoever calls the server sees it end.
        drop(server.serve_with_incoming_shutdown(incoming, stopped).await);
    })
}

/// Serves with stock hyper, HTTP/2 only: reads each request to its end and sends its body back, or [`HELLO`] if it was
/// empty. A gRPC request gets gRPC trailers too, which makes this a server of `echo.Echo/Unary`.
pub fn hyper_server(runtime: &Handle) -> io::Result<Running> {
    start(runtime, |listener, stopped| {
        accept(listener, stopped, |socket| async {
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            Ok(server.serve_connection(TokioIo::new(socket), service_fn(hyper_answer)).await?)
        })
    })
}

/// Serves with bare h2 what [`hyper_server`] serves.
pub fn h2_server(runtime: &Handle) -> io::Result<Running> {
    start(runtime, |listener, stopped| {
        accept(listener, stopped, |socket| async {
            let mut connection = h2::server::handshake(socket).await?;
            let mut calls = JoinSet::new();
            while let Some(call) = connection.accept().await {
                let (request, respond) = call?;
                calls.spawn(h2_answer(request, respond));
                while calls.try_join_next().is_some() {}
            }
            Ok(())
        })
    })
}

/// A stock tonic channel, connected.
pub async fn tonic_channel(addr: SocketAddr) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_shared(format!("http://{addr}"))?.connect().await
}

/// A stock hyper connection that speaks HTTP/2, driven by a task of the current runtime.
pub async fn hyper_client<B>(addr: SocketAddr) -> Result<hyper::client::conn::http2::SendRequest<B>, BoxError>
where
    B: Body<Data: Send, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    let socket = TokioIo::new(connect(addr).await?);
    let (send, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), socket).await?;
    // The user of a broken connection learns it from its calls.
    tokio::spawn(async { drop(connection.await) });
    Ok(send)
}

/// A bare h2 connection, driven by a task of the current runtime.
pub async fn h2_client(addr: SocketAddr) -> Result<h2::client::SendRequest<Bytes>, BoxError> {
    let (send, connection) = h2::client::handshake(connect(addr).await?).await?;
    tokio::spawn(async { drop(connection.await) });
    Ok(send)
}

/// Listens, and serves in a task until the [`Running`] is dropped.
fn start<S, F>(runtime: &Handle, serve: S) -> io::Result<Running>
where
    S: FnOnce(TcpListener, oneshot::Receiver<Infallible>) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let addr = listener.local_addr()?;
    let listener = {
        let _inside = runtime.enter();
        TcpListener::from_std(listener)?
    };
    let (stop, stopped) = oneshot::channel();
    runtime.spawn(serve(listener, stopped));
    Ok(Running { addr, _stop: stop })
}

/// Accepts until stopped, each connection in a task that ends with this one.
async fn accept<S, F>(listener: TcpListener, mut stopped: oneshot::Receiver<Infallible>, serve: S)
where
    S: Fn(TcpStream) -> F,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            // A connection that ends badly is its client's to report.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                // Accepting fails when descriptors run out; the connections that end will free some.
                let Ok((socket, _)) = accepted else {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                if socket.set_nodelay(true).is_ok() {
                    connections.spawn(serve(socket));
                }
            }
        }
    }
}

async fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(addr).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

async fn hyper_answer(
    request: Request<Incoming>,
) -> Result<Response<impl Body<Data = Bytes, Error = Infallible>>, hyper::Error> {
    let (response, trailers) = answer_head(&request);
    let body = answer_body(request.into_body().collect().await?.to_bytes());
    let trailers = std::future::ready(trailers.map(Ok));
    Ok(response.map(|()| Full::new(body).with_trailers(trailers)))
}

async fn h2_answer(
    request: Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<Bytes>,
) -> Result<(), BoxError> {
    let (response, trailers) = answer_head(&request);
    let mut body = request.into_body();
    let mut received = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        received.push(data);
    }
    let mut send = respond.send_response(response, false)?;
    send.send_data(answer_body(join(received)), trailers.is_none())?;
    if let Some(trailers) = trailers {
        send.send_trailers(trailers)?;
    }
    Ok(())
}

/// The head of the response, and the trailers that gRPC wants.
fn answer_head<B>(request: &Request<B>) -> (Response<()>, Option<HeaderMap>) {
    let mut response = Response::new(());
    let content_type = request.headers().get(header::CONTENT_TYPE);
    if content_type.is_none_or(|value| !value.as_bytes().starts_with(grpc::CONTENT_TYPE.as_bytes())) {
        return (response, None);
    }
    let content_type = HeaderValue::from_static(grpc::CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    let status = (HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"));
    (response, Some(HeaderMap::from_iter([status])))
}

fn answer_body(received: Bytes) -> Bytes {
    if received.is_empty() { Bytes::from_static(HELLO) } else { received }
}

fn join(mut pieces: Vec<Bytes>) -> Bytes {
    match pieces.len() {
        0 | 1 => pieces.pop().unwrap_or_default(),
        _ => pieces.concat().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::greeter::{GreeterClient, GreeterServer, GreeterService, HelloRequest};
    use crate::{conversation, echo};

    #[tokio::test]
    async fn tonic_with_tonic() {
        let server = tonic_server(&Handle::current(), echo::gzip_routes()).expect("a port");
        let channel = tonic_channel(server.addr()).await.expect("a connection");
        conversation::hold(channel.clone()).await.assert_passed();
        conversation::hold_gzip(channel.clone()).await.assert_passed();
        let hello = HelloRequest { name: "miller".into() };
        let reply = GreeterClient::new(channel).say_hello(hello).await.expect("a greeting");
        assert_eq!(reply.into_inner().message, "Hello miller!");
    }

    #[tokio::test]
    async fn failed_conversations_are_told() {
        let no_echo = Routes::new(GreeterServer::new(GreeterService));
        let server = tonic_server(&Handle::current(), no_echo).expect("a port");
        let channel = tonic_channel(server.addr()).await.expect("a connection");
        let tally = conversation::hold(channel).await;
        assert_eq!(tally.passed, 1, "only an unknown method is as it should be: {tally}");
        assert!(
            tally.to_string().ends_with(&format!("1 passed, {} failed", tally.failures.len())),
            "{tally}"
        );
    }

    async fn exchange(addr: SocketAddr, body: Bytes) -> (Bytes, Option<HeaderMap>) {
        let mut by_h2 = h2_client(addr).await.expect("a connection").ready().await.expect("a free stream");
        let request = grpc::request(addr, "/echo.Echo/Unary", ());
        let (response, mut send) = by_h2.send_request(request, false).expect("sent");
        send.send_data(body.clone(), true).expect("sent");
        let mut answer = response.await.expect("a response").into_body();
        let mut received = Vec::new();
        while let Some(data) = answer.data().await {
            received.push(data.expect("the body"));
            let taken = received.last().map_or(0, Bytes::len);
            answer.flow_control().release_capacity(taken).expect("no more than received");
        }
        let trailers = answer.trailers().await.expect("trailers");

        let mut by_hyper = hyper_client(addr).await.expect("a connection");
        let request = grpc::request(addr, "/echo.Echo/Unary", Full::new(body));
        let answer =
            by_hyper.send_request(request).await.expect("a response").collect().await.expect("the body");
        assert_eq!(answer.trailers(), trailers.as_ref());
        assert_eq!(answer.to_bytes(), join(received.clone()));
        (join(received), trailers)
    }

    #[tokio::test]
    async fn hyper_and_h2_answer_raw_grpc() {
        let here = Handle::current();
        for server in [hyper_server(&here).expect("a port"), h2_server(&here).expect("a port")] {
            for size in conversation::SIZES {
                let sent = conversation::pattern(size);
                let (body, trailers) = exchange(server.addr(), grpc::echo_body(&sent)).await;
                assert_eq!(grpc::echo_data(body).expect("whole messages"), [sent]);
                assert_eq!(trailers.expect("trailers")["grpc-status"], "0");
            }
            assert_eq!(exchange(server.addr(), Bytes::new()).await.0, HELLO);
        }
    }

    #[tokio::test]
    async fn a_dropped_server_is_gone() {
        let here = Handle::current();
        let tonic = tonic_server(&here, echo::routes()).expect("a port");
        for server in [tonic, hyper_server(&here).expect("a port"), h2_server(&here).expect("a port")] {
            let addr = server.addr();
            connect(addr).await.expect("it listens");
            drop(server);
            let gone = async { while connect(addr).await.is_ok() {} };
            tokio::time::timeout(Duration::from_secs(10), gone).await.expect("it stops");
        }
    }
}
