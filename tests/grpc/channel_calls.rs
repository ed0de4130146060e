//! What a call of our channel carries, costs and waits for.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use millpond::{Body, Channel, Server};
use millpond_testkit::{
    conversation::pattern,
    echo::{self, EchoClient, Msg},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tower::{Service, ServiceExt};

use crate::{
    tools::call,
    world::{Gate, Served, on_both_runtimes, pause, quiet, site, soon, within},
};

on_both_runtimes! {
    origin_and_user_agent
    a_thousand_calls_through_ten_streams
    a_call_ends_in_time
    a_response_stream_ends_in_time
    a_response_that_never_pauses_ends_in_time
    a_slot_that_is_not_used_is_given_back
    a_call_without_poll_ready_is_refused
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    Request::get(path).body(Empty::new()).unwrap()
}

async fn origin_and_user_agent() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = seen.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let agent = request.headers()["user-agent"].to_str().unwrap().to_owned();
        heard.lock().unwrap().push((request.uri().to_string(), agent));
        async { Ok::<_, Infallible>(Response::new(String::new())) }
    });
    let served = Served::start(Server::builder(), service).await;
    let (builder, pool) = served.channel();
    let plain = builder.clone().connect().await.unwrap();
    let named = builder
        .origin("https://mill.example:81".parse().unwrap())
        .user_agent("wheel/2")
        .connect()
        .await
        .unwrap();
    call(&plain, get("/a?b=c")).await.unwrap();
    call(&plain, get("http://ignored.example/a")).await.unwrap();
    call(&named, get("/")).await.unwrap();
    let mut own = get("/");
    own.headers_mut().insert("user-agent", HeaderValue::from_static("miller"));
    call(&named, own).await.unwrap();
    let ours = concat!("millpond/", env!("CARGO_PKG_VERSION"));
    let address = served.address;
    let expected = [
        (format!("http://{address}/a?b=c"), ours.to_owned()),
        (format!("http://{address}/a"), ours.to_owned()),
        ("https://mill.example:81/".to_owned(), format!("wheel/2 {ours}")),
        ("https://mill.example:81/".to_owned(), format!("miller wheel/2 {ours}")),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
    let bad = Channel::from_shared("http://pond.example").unwrap().user_agent("a\nb").connect_lazy();
    assert!(bad.unwrap_err().to_string().contains("user_agent"));
    drop((plain, named));
    served.finish().await;
    quiet(&pool).await;
}

async fn a_thousand_calls_through_ten_streams() {
    let gate = Gate::new();
    let served = Served::start(Server::builder().max_concurrent_streams(Some(10)), gate.service()).await;
    let (channel, pool) = served.channel();
    let channel = channel.connect().await.unwrap();
    // Until the first SETTINGS have come a channel may open more than ten, which are then refused.
    gate.permits.add_permits(1_001);
    call(&channel, get("/first")).await.unwrap();
    let calls = (0..1_000).map(|index| {
        let channel = channel.clone();
        tokio::spawn(async move {
            let path = format!("/{index}");
            assert_eq!(call(&channel, get(&path)).await.unwrap().into_body(), path);
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    assert!((1..=10).contains(&gate.most()), "{}", gate.most());
    within("streams are left", || channel.stats().is_some_and(|stats| stats.streams == 0)).await;
    drop(channel);
    served.finish().await;
    quiet(&pool).await;
}

async fn a_response_that_never_pauses_ends_in_time() {
    let service = tower::service_fn(async |_: Request<Body>| {
        let octets = Bytes::from_static(&[7; 16_384]);
        let endless = stream::repeat_with(move || Ok::<_, Infallible>(Frame::data(octets.clone())));
        Ok::<_, Infallible>(Response::new(StreamBody::new(endless)))
    });
    let served = Served::start(Server::builder(), service).await;
    let (builder, pool) = served.channel();
    // Time for the response to begin.
    let channel = builder.timeout(Duration::from_secs(1)).connect().await.unwrap();
    let mut body = channel.oneshot(get("/")).await.unwrap().into_body();
    let begun = Instant::now();
    let error = loop {
        assert!(begun.elapsed() < Duration::from_secs(60));
        match soon("more of the body", body.frame()).await.unwrap() {
            Ok(frame) => drop(frame),
            Err(error) => break error,
        }
    };
    assert!(error.is_deadline_exceeded(), "{error:?}");
    drop(body);
    served.finish().await;
    quiet(&pool).await;
}

async fn a_call_ends_in_time() {
    let gate = Gate::new();
    let served = Served::start(Server::builder(), gate.service()).await;
    let (builder, pool) = served.channel();
    let short = builder.clone().timeout(Duration::from_millis(100)).connect().await.unwrap();
    let long = builder.timeout(Duration::from_secs(3_600)).connect().await.unwrap();
    let begun = Instant::now();
    let error = soon("the deadline", call(&short, get("/"))).await.unwrap_err();
    assert!(error.is_deadline_exceeded() && !error.is_unprocessed(), "{error:?}");
    assert!(begun.elapsed() >= Duration::from_millis(99));
    assert_eq!(tonic::Status::from_error(Box::new(error)).code(), Code::DeadlineExceeded);
    gate.entered(0).await;
    // A shorter one of the call wins, a longer one does not; the server would act on it too, so it is plain HTTP.
    // The other one is an hour, which nobody waits for: that this ends at all tells which of the two it was.
    for (channel, timeout, least) in [(&long, "20m", 19), (&short, "1H", 99)] {
        let mut request = get("/");
        request.headers_mut().insert("grpc-timeout", HeaderValue::from_static(timeout));
        let begun = Instant::now();
        let error = soon("the deadline", call(channel, request)).await.unwrap_err();
        assert!(error.is_deadline_exceeded());
        assert!(begun.elapsed() >= Duration::from_millis(least), "{timeout}: {:?}", begun.elapsed());
        gate.entered(0).await;
    }
    drop((short, long));
    served.finish().await;
    quiet(&pool).await;
}

/// The response has begun; the rest of it does not come.
async fn a_response_stream_ends_in_time() {
    let served = Served::start(Server::builder(), echo::routes()).await;
    let (builder, pool) = served.channel();
    // Time for the response to begin.
    let channel = builder.timeout(Duration::from_secs(2)).connect().await.unwrap();
    let (send, messages) = mpsc::channel(1);
    send.send(Msg::from(pattern(1_000))).await.unwrap();
    let mut client = EchoClient::new(channel.clone());
    let mut answers = client.bidi(ReceiverStream::new(messages)).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().data, pattern(1_000));
    let status = soon("the deadline", answers.message()).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    // The request ends with it, though its source lives on.
    soon("the request body is dropped", send.closed()).await;
    within("a stream is left", || channel.stats().is_some_and(|stats| stats.streams == 0)).await;
    drop((channel, client));
    served.finish().await;
    quiet(&pool).await;
}

async fn a_slot_that_is_not_used_is_given_back() {
    let served = Served::start(Server::builder().max_concurrent_streams(Some(1)), site()).await;
    let (builder, pool) = served.channel();
    let channel = builder.initial_max_send_streams(1).connect().await.unwrap();
    call(&channel, get("/")).await.unwrap();
    for _ in 0..3 {
        let mut ready = channel.clone();
        let slot = std::future::poll_fn(|cx| Service::<Request<Empty<Bytes>>>::poll_ready(&mut ready, cx));
        soon("a slot", slot).await.unwrap();
        let waiting = tokio::spawn({
            let channel = channel.clone();
            async move { call(&channel, get("/")).await }
        });
        pause(10).await;
        assert!(!waiting.is_finished());
        drop(ready);
        soon("the slot passes on", waiting).await.unwrap().unwrap();
    }
    drop(channel);
    served.finish().await;
    quiet(&pool).await;
}

async fn a_call_without_poll_ready_is_refused() {
    let served = Served::start(Server::builder(), site()).await;
    let (builder, pool) = served.channel();
    let mut channel = builder.connect().await.unwrap();
    let error = channel.call(get("/")).await.unwrap_err();
    assert!(error.to_string().contains("poll_ready"), "{error}");
    drop(channel);
    served.finish().await;
    quiet(&pool).await;
}

/// A call whose body is there at once costs no task: neither the call nor its response.
#[tokio::test]
async fn a_unary_call_spawns_nothing() {
    // The server runs elsewhere, so that every task of this runtime is the client's.
    let (give, address) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = std::thread::spawn(move || {
        crate::world::run_here(async {
            let served = Served::start(Server::builder(), site()).await;
            give.send(served.address).unwrap();
            let _ = stopped.await;
            served.finish().await;
        });
    });
    let (builder, pool) = crate::world::channel_to(address.recv().unwrap());
    let channel = builder.connect().await.unwrap();
    let mut client = EchoClient::new(channel.clone()).max_decoding_message_size(usize::MAX);
    client.unary(Msg::from(pattern(10))).await.unwrap();
    let metrics = tokio::runtime::Handle::current().metrics();
    let alive = metrics.num_alive_tasks();
    assert_eq!(alive, 1, "the driver");
    for size in [0, 1_000, 200_000] {
        // Watched at every poll: a task that is spawned and gone again would be seen while it lives.
        let call = client.unary(Msg::from(pattern(size)));
        let mut call = std::pin::pin!(call);
        let answer = std::future::poll_fn(|cx| {
            let polled = call.as_mut().poll(cx);
            assert_eq!(metrics.num_alive_tasks(), alive, "{size}");
            polled
        });
        assert_eq!(answer.await.unwrap().into_inner().data.len(), size);
        let echo = Request::post("/echo").body(Full::new(pattern(size))).unwrap();
        let response = channel.clone().oneshot(echo).await.unwrap();
        assert_eq!(metrics.num_alive_tasks(), alive, "{size}");
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes().len(), size);
    }
    drop((client, channel));
    quiet(&pool).await;
    stop.send(()).unwrap();
    tokio::task::spawn_blocking(|| server.join()).await.unwrap().unwrap();
}
