//! What our server does with more calls, or longer ones, than it takes.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use millpond::{Body, ErrorCode, Server};
use millpond_testkit::{
    conversation::pattern,
    echo::{self, EchoClient, Msg},
    stock,
};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use crate::{
    raw::{self, Raw},
    tools::h2_call,
    world::{Gate, Served, on_both_runtimes, pause, quiet, soon},
};

on_both_runtimes! {
    requests_above_the_limit_wait_in_order
    requests_above_the_limit_are_shed
    a_late_handler_is_dropped
    the_servers_timeout_wins_over_a_longer_grpc_timeout
    a_late_stream_is_reset
    grpc_timeout_cuts
    no_more_streams_than_said
}

fn get(path: &str) -> Request<()> {
    Request::get(format!("http://pond.example{path}")).body(()).unwrap()
}

fn grpc_request(timeout: Option<&str>) -> Request<()> {
    let request = Request::post("http://pond.example/a.B/C").header("content-type", "application/grpc");
    let request = match timeout {
        Some(timeout) => request.header("grpc-timeout", timeout),
        None => request,
    };
    request.body(()).unwrap()
}

async fn requests_above_the_limit_wait_in_order() {
    let gate = Gate::new();
    let served = Served::start(Server::builder().concurrency_limit_per_connection(2), gate.service()).await;
    let socket = TcpStream::connect(served.address).await.unwrap();
    let mut peer = Raw::client(socket, &[]).await;
    for call in 0..6 {
        // `:path: /N`, as a literal that is not indexed.
        let block = [0x82, 0x86, 0x04, 0x02, b'/', b'0' + call, 0x41, 0x01, b'a'];
        let stream = u32::from(call) * 2 + 1;
        peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, stream, &block)).await;
    }
    gate.entered(2).await;
    pause(30).await;
    assert_eq!(*gate.begun.lock().unwrap(), ["/0", "/1"]);
    gate.permits.add_permits(6);
    let mut ended = 0;
    while ended < 6 {
        ended += usize::from(soon("the answers", peer.next_of_stream()).await.ends());
    }
    assert_eq!(*gate.begun.lock().unwrap(), ["/0", "/1", "/2", "/3", "/4", "/5"]);
    assert_eq!(gate.most(), 2);
    drop(peer);
    served.finish().await;
}

async fn requests_above_the_limit_are_shed() {
    let gate = Gate::new();
    let server = Server::builder().concurrency_limit_per_connection(1).load_shed(true);
    let served = Served::start(server, gate.service()).await;
    let send = stock::h2_client(served.address).await.unwrap();
    let first = tokio::spawn({
        let send = send.clone();
        async move { h2_call(&send, get("/first"), Bytes::new()).await }
    });
    gate.entered(1).await;
    let (head, body, _) = h2_call(&send, get("/second"), Bytes::new()).await.unwrap();
    assert_eq!((head.status(), body.len()), (StatusCode::SERVICE_UNAVAILABLE, 0));
    let (head, ..) = h2_call(&send, grpc_request(None), Bytes::new()).await.unwrap();
    assert_eq!((head.status(), &head.headers()["grpc-status"]), (StatusCode::OK, &"8".parse().unwrap()));
    let channel = stock::tonic_channel(served.address).await.unwrap();
    // Another connection has a limit of its own.
    let other = tokio::spawn(async move { EchoClient::new(channel).unary(Msg::default()).await.map(drop) });
    gate.entered(2).await;
    gate.permits.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap().1, "/first");
    other.await.unwrap().unwrap_err();
    drop(send);
    served.finish().await;
}

async fn a_late_handler_is_dropped() {
    let gate = Gate::new();
    let served = Served::start(Server::builder().timeout(Duration::from_millis(100)), gate.service()).await;
    let send = stock::h2_client(served.address).await.unwrap();
    let (head, ..) = h2_call(&send, get("/"), Bytes::new()).await.unwrap();
    assert_eq!(head.status(), StatusCode::GATEWAY_TIMEOUT);
    gate.entered(0).await;
    let (head, ..) = h2_call(&send, grpc_request(None), Bytes::new()).await.unwrap();
    assert_eq!(head.headers()["grpc-status"], "4");
    gate.entered(0).await;
    drop(send);
    served.finish().await;
}

async fn the_servers_timeout_wins_over_a_longer_grpc_timeout() {
    let gate = Gate::new();
    let served = Served::start(Server::builder().timeout(Duration::from_millis(100)), gate.service()).await;
    let send = stock::h2_client(served.address).await.unwrap();
    let call = h2_call(&send, grpc_request(Some("1H")), Bytes::new());
    let (head, ..) = soon("the server's timeout", call).await.unwrap();
    assert_eq!(head.headers()["grpc-status"], "4");
    drop(send);
    served.finish().await;
}

async fn a_late_stream_is_reset() {
    let service = tower::service_fn(async |_: Request<Body>| {
        let (send, messages) = mpsc::channel(1);
        send.send(Ok::<_, Infallible>(http_body::Frame::data(Bytes::from_static(b"begun")))).await.unwrap();
        // Kept open, so that the body neither ends nor goes on.
        tokio::spawn(async move { send.closed().await });
        Ok::<_, Infallible>(Response::new(http_body_util::StreamBody::new(ReceiverStream::new(messages))))
    });
    // Time for the response to begin.
    let served = Served::start(Server::builder().timeout(Duration::from_secs(1)), service).await;
    let send = stock::h2_client(served.address).await.unwrap();
    let (response, _) = send.clone().ready().await.unwrap().send_request(get("/"), true).unwrap();
    let mut body = response.await.unwrap().into_body();
    assert_eq!(body.data().await.unwrap().unwrap(), "begun");
    let error = soon("the reset", body.data()).await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(h2::Reason::CANCEL));
    drop((send, body));
    served.finish().await;
}

async fn grpc_timeout_cuts() {
    let gate = Gate::new();
    let served = Served::start(Server::builder(), gate.service()).await;
    let send = stock::h2_client(served.address).await.unwrap();
    let (head, ..) = h2_call(&send, grpc_request(Some("50m")), Bytes::new()).await.unwrap();
    assert_eq!(head.headers()["grpc-status"], "4");
    gate.entered(0).await;
    // It means nothing to a call that is not gRPC.
    let mut plain = get("/");
    plain.headers_mut().insert("grpc-timeout", "1m".parse().unwrap());
    gate.permits.add_permits(1);
    assert_eq!(h2_call(&send, plain, Bytes::new()).await.unwrap().0.status(), StatusCode::OK);
    drop(send);
    served.finish().await;
    // Through tonic, on both sides.
    let served = Served::start(Server::builder(), echo::routes()).await;
    let (channel, pool) = served.channel();
    let mut client = EchoClient::new(channel.connect().await.unwrap());
    let mut request = tonic::Request::new(Msg::from(pattern(10)));
    request.metadata_mut().insert("x-delay-ms", "10000".parse().unwrap());
    request.metadata_mut().insert("grpc-timeout", "50m".parse().unwrap());
    let status = soon("the deadline", client.unary(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    drop(client);
    served.finish().await;
    quiet(&pool).await;
}

async fn no_more_streams_than_said() {
    let gate = Gate::new();
    let served = Served::start(Server::builder().max_concurrent_streams(Some(3)), gate.service()).await;
    let socket = TcpStream::connect(served.address).await.unwrap();
    let mut peer = Raw::client(socket, &[]).await;
    let said = peer.expect(raw::SETTINGS).await;
    let limit = [0, raw::MAX_CONCURRENT_STREAMS as u8, 0, 0, 0, 3];
    assert!(said.payload.chunks(6).any(|setting| setting == limit), "{said:?}");
    for stream in [1, 3, 5, 7] {
        peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, stream, raw::GET)).await;
    }
    let refused = soon("the refusal", peer.expect(raw::RST_STREAM)).await;
    assert_eq!((refused.stream, refused.code()), (7, ErrorCode::REFUSED_STREAM));
    gate.entered(3).await;
    gate.permits.add_permits(3);
    for _ in 0..3 {
        while !soon("the answers", peer.next_of_stream()).await.ends() {}
    }
    assert_eq!(gate.most(), 3);
    drop(peer);
    served.finish().await;
}
