//! Stock tonic, hyper and h2 as clients of our server, and as servers of our channel.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use millpond::Server;
use millpond_testkit::{
    conversation::{self, SIZES, pattern},
    echo::{self, EchoClient, Msg},
    grpc,
    stock::{self, HELLO},
};
use tokio::runtime::Handle;

use crate::{
    tools,
    world::{Served, channel_to, on_both_runtimes, quiet, site},
};

on_both_runtimes! {
    tonic_calls_our_server
    hyper_calls_our_server
    h2_calls_our_server
    our_channel_calls_tonic
    our_channel_calls_hyper
    our_channel_calls_h2
}

async fn tonic_calls_our_server() {
    let served = Served::start(Server::builder(), echo::gzip_routes()).await;
    let channel = stock::tonic_channel(served.address).await.unwrap();
    conversation::hold(channel.clone()).await.assert_passed();
    conversation::hold_gzip(channel).await.assert_passed();
    served.finish().await;
}

async fn hyper_calls_our_server() {
    let served = Served::start(Server::builder(), site()).await;
    let mut send = stock::hyper_client::<Full<Bytes>>(served.address).await.unwrap();
    let origin = format!("http://{}", served.address);
    for size in SIZES {
        let body = Full::new(grpc::echo_body(&pattern(size)));
        let request = grpc::request(served.address, "/echo.Echo/Unary", body);
        let answer = send.send_request(request).await.unwrap().collect().await.unwrap();
        assert_eq!(answer.trailers().unwrap()["grpc-status"], "0");
        assert_eq!(grpc::echo_data(answer.to_bytes()).unwrap(), [pattern(size)]);

        let request = Request::post(format!("{origin}/echo")).body(Full::new(pattern(size))).unwrap();
        let answer = send.send_request(request).await.unwrap().collect().await.unwrap();
        assert_eq!(answer.to_bytes(), pattern(size));
    }
    let answer = send.send_request(Request::get(origin).body(Full::default()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.collect().await.unwrap().to_bytes(), HELLO);
    drop(send);
    served.finish().await;
}

async fn h2_calls_our_server() {
    let served = Served::start(Server::builder(), site()).await;
    let send = stock::h2_client(served.address).await.unwrap();
    for size in SIZES {
        let request = grpc::request(served.address, "/echo.Echo/Unary", ());
        let (head, body, trailers) =
            tools::h2_call(&send, request, grpc::echo_body(&pattern(size))).await.unwrap();
        assert_eq!(head.status(), StatusCode::OK);
        assert_eq!(trailers.unwrap()["grpc-status"], "0");
        assert_eq!(grpc::echo_data(body).unwrap(), [pattern(size)]);
    }
    let request = Request::get(format!("http://{}/octets/100000", served.address)).body(()).unwrap();
    let (_, body, trailers) = tools::h2_call(&send, request, Bytes::new()).await.unwrap();
    assert_eq!((body, trailers), (pattern(100_000), None));
    drop(send);
    served.finish().await;
}

async fn our_channel_calls_tonic() {
    let server = stock::tonic_server(&Handle::current(), echo::gzip_routes()).unwrap();
    let (channel, pool) = channel_to(server.addr());
    let channel = channel.connect().await.unwrap();
    conversation::hold(channel.clone()).await.assert_passed();
    conversation::hold_gzip(channel.clone()).await.assert_passed();
    drop(channel);
    quiet(&pool).await;
}

async fn our_channel_calls_hyper() {
    our_channel_calls(&stock::hyper_server(&Handle::current()).unwrap()).await;
}

async fn our_channel_calls_h2() {
    our_channel_calls(&stock::h2_server(&Handle::current()).unwrap()).await;
}

/// A server that knows `Unary` only, and plain HTTP.
async fn our_channel_calls(server: &stock::Running) {
    let (channel, pool) = channel_to(server.addr());
    let channel = channel.connect().await.unwrap();
    let calls = SIZES.into_iter().chain((0..64).map(|index| index * 1_000)).map(|size| {
        let mut client = EchoClient::new(channel.clone()).max_decoding_message_size(usize::MAX);
        tokio::spawn(async move {
            let answer = client.unary(Msg::from(pattern(size))).await.unwrap();
            assert!(answer.into_inner().data == pattern(size), "{size} octets came back changed");
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    for (size, expected) in [(0, Bytes::from_static(HELLO)), (5 << 20, pattern(5 << 20))] {
        let request = Request::post("/any").body(Full::new(pattern(size))).unwrap();
        let answer = tools::call(&channel, request).await.unwrap();
        assert_eq!(answer.into_body(), expected);
    }
    // A body with trailers.
    let trailers = HeaderMap::from_iter([("x-end".parse().unwrap(), "1".parse().unwrap())]);
    let body = Full::new(pattern(1_000)).with_trailers(std::future::ready(Some(Ok(trailers))));
    let answer = tools::call(&channel, Request::post("/any").body(body).unwrap()).await.unwrap();
    assert_eq!(answer.into_body(), pattern(1_000));
    drop(channel);
    quiet(&pool).await;
}
