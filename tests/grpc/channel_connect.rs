//! How our channel comes to its connection, and to the next one.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Empty;
use millpond::{CallError, Channel, Server};
use millpond_testkit::{
    echo::{EchoClient, Msg},
    stock::HELLO,
};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tonic::Code;

use crate::{
    raw::{self, Raw},
    tools::call,
    world::{Served, channel_to, nobody, on_both_runtimes, pause, quiet, site, soon, within},
};

on_both_runtimes! {
    lazy_and_eager
    nobody_listens
    a_listener_that_never_accepts
    an_address_that_does_not_answer
    addresses_that_cannot_be
    the_server_restarts
    no_hot_loop_against_a_server_that_hangs_up
    connectors
    a_connector_that_panics
    many_callers_one_connection
}

fn get() -> Request<Empty<Bytes>> {
    Request::get("/").body(Empty::new()).unwrap()
}

/// As tonic sees it.
async fn unary(channel: &Channel) -> Result<(), tonic::Status> {
    EchoClient::new(channel.clone()).unary(Msg::default()).await.map(drop)
}

#[track_caller]
fn assert_no_connection(error: CallError) {
    assert!(error.is_connect() && error.is_unprocessed() && error.transport().is_none(), "{error:?}");
    let status = tonic::Status::from_error(Box::new(error));
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
}

async fn lazy_and_eager() {
    let served = Served::start(Server::builder(), site()).await;
    let (channel, pool) = served.channel();
    let lazy = channel.clone().connect_lazy().unwrap();
    pause(20).await;
    assert!(lazy.stats().is_none(), "no call, no connection");
    assert_eq!(call(&lazy, get()).await.unwrap().into_body(), HELLO);
    // The figures are those of the moment when the driver last went to sleep.
    within("no figures", || {
        lazy.stats().is_some_and(|stats| stats.send_window > 0 && stats.recv_window > 0 && stats.streams == 0)
    })
    .await;
    let eager = channel.connect().await.unwrap();
    assert!(eager.stats().is_some());
    unary(&eager).await.unwrap();
    drop((lazy, eager));
    served.finish().await;
    quiet(&pool).await;
}

async fn nobody_listens() {
    let (_socket, address) = nobody();
    let (channel, pool) = channel_to(address);
    assert_no_connection(channel.clone().connect().await.unwrap_err());
    let lazy = channel.connect_lazy().unwrap();
    assert_no_connection(soon("refused", call(&lazy, get())).await.unwrap_err());
    let status = soon("refused", unary(&lazy)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    quiet(&pool).await;
}

/// The system completes the TCP handshake, but no SETTINGS come (RFC 9113 §3.4).
async fn a_listener_that_never_accepts() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (channel, pool) = channel_to(listener.local_addr().unwrap());
    let channel = channel.handshake_timeout(Some(Duration::from_millis(100)));
    let channel = channel.connect_lazy().unwrap();
    let begun = Instant::now();
    let error = soon("an end", call(&channel, get())).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(10), "that was the default, not what is set");
    let status = tonic::Status::from_error(Box::new(error));
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    drop(channel);
    quiet(&pool).await;
}

async fn an_address_that_does_not_answer() {
    let connector = tower::service_fn(|_: Uri| std::future::pending::<io::Result<TcpStream>>());
    // The connector goes nowhere, whatever the address.
    let (channel, pool) = channel_to("127.0.0.1:1".parse().unwrap());
    let channel = channel.connect_timeout(Duration::from_millis(50));
    let begun = Instant::now();
    let error = soon("a timeout", channel.clone().connect_with_connector(connector)).await.unwrap_err();
    assert!(begun.elapsed() >= Duration::from_millis(50));
    assert!(error.to_string().contains("too long"), "{error}");
    assert_no_connection(error);
    quiet(&pool).await;
    // A listener whose queue is full does not answer.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let (channel, pool) = channel_to(listener.local_addr().unwrap());
    let channel = channel.connect_timeout(Duration::from_millis(100));
    let mut standing = Vec::new();
    let error = soon("a full queue", async {
        loop {
            match channel.clone().connect().await {
                Ok(channel) => standing.push(channel),
                Err(error) => return error,
            }
        }
    });
    assert_no_connection(error.await);
    drop(standing);
    quiet(&pool).await;
}

async fn addresses_that_cannot_be() {
    for (text, complaint) in [
        ("https://pond.example", "TLS needs a connector"),
        ("ftp://pond.example", "neither http nor unix"),
        ("/only/a/path", "no scheme"),
        ("unix:", "path"),
    ] {
        let builder = Channel::from_shared(text).unwrap();
        for error in [builder.clone().connect_lazy().err(), builder.connect().await.err()] {
            let error = error.unwrap_or_else(|| panic!("{text} was taken"));
            assert!(error.to_string().contains(complaint), "{text}: {error}");
        }
    }
    Channel::from_shared("http://pond example").unwrap_err();
    let bad = Channel::from_shared("http://pond.example").unwrap().max_frame_size(1).connect_lazy();
    assert!(bad.unwrap_err().to_string().contains("max_frame_size"));
    let unresolved = Channel::from_shared("http://pond.invalid").unwrap();
    let unresolved = unresolved.connect_timeout(Duration::from_secs(4));
    assert_no_connection(soon("no such host", unresolved.connect()).await.unwrap_err());
}

async fn the_server_restarts() {
    let served = Served::start(Server::builder(), site()).await;
    let (address, (channel, pool)) = (served.address, served.channel());
    let backoff = Duration::from_millis(10);
    let channel = channel.reconnect_backoff(backoff, backoff).connect().await.unwrap();
    for _ in 0..3 {
        call(&channel, get()).await.unwrap();
    }
    served.finish().await;
    within("the connection stands", || channel.stats().is_none()).await;
    assert_no_connection(soon("refused", call(&channel, get())).await.unwrap_err());
    let served = Served::start_at(address, Server::builder(), site()).await;
    let answer = soon("an answer", async {
        loop {
            if let Ok(answer) = call(&channel, get()).await {
                return answer;
            }
            pause(5).await;
        }
    });
    assert_eq!(answer.await.into_body(), HELLO);
    drop(channel);
    served.finish().await;
    quiet(&pool).await;
}

async fn no_hot_loop_against_a_server_that_hangs_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (channel, pool) = channel_to(listener.local_addr().unwrap());
    let accepted = Arc::new(Mutex::new(Vec::new()));
    let times = accepted.clone();
    let server = tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            // The pause begins when the client hears of the end, which is later.
            times.lock().unwrap().push(Instant::now());
            drop(socket);
        }
    });
    // A connection that stood for longer than the first pause counts as a good one, however it ended: so long that a
    // busy machine does not make one of them.
    let channel = channel.reconnect_backoff(Duration::from_secs(1), Duration::from_secs(10));
    let channel = channel.connect_lazy().unwrap();
    let begun = Instant::now();
    let failures = async |enough: &dyn Fn() -> bool| {
        while !enough() {
            let error = soon("a failure", call(&channel, get())).await.unwrap_err();
            assert_eq!(tonic::Status::from_error(Box::new(error)).code(), Code::Unavailable);
            pause(1).await;
        }
    };
    failures(&|| begun.elapsed() >= Duration::from_secs(1)).await;
    let count = accepted.lock().unwrap().len();
    assert!((1..=3).contains(&count), "{count} connections in a second");
    // Pauses of about 1 and 2 s, a fifth more or less: a connection that was lost at once is a failure, too.
    soon("the third connection", failures(&|| accepted.lock().unwrap().len() >= 3)).await;
    let times = accepted.lock().unwrap().clone();
    for (pair, least) in times.windows(2).zip([800, 1_600]) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(least), "{times:?}");
    }
    server.abort();
    drop(channel);
    quiet(&pool).await;
}

async fn connectors() {
    let served = Served::start(Server::builder(), site()).await;
    let address = served.address;
    let (_, pool) = served.channel();
    // TCP, for a URI that we could not connect to.
    let connector = tower::service_fn(move |uri: Uri| async move {
        assert_eq!(uri.scheme_str(), Some("https"));
        TcpStream::connect(address).await
    });
    let builder = Channel::from_shared("https://pond.example").unwrap().pool(pool.clone());
    let eager = builder.clone().connect_with_connector(connector).await.unwrap();
    assert_eq!(call(&eager, get()).await.unwrap().into_body(), HELLO);
    let lazy = builder.clone().connect_with_connector_lazy(connector).unwrap();
    unary(&lazy).await.unwrap();
    // One that fails says why.
    let failing = tower::service_fn(|_: Uri| async { Err::<TcpStream, _>(io::Error::other("no way there")) });
    let error = builder.connect_with_connector(failing).await.unwrap_err();
    assert!(error.to_string().contains("no way there"), "{error}");
    assert_no_connection(error);
    drop((eager, lazy));
    served.finish().await;
    quiet(&pool).await;
}

/// A connector is the user's code: its panic fails the attempt, and nobody waits for ever.
async fn a_connector_that_panics() {
    let served = Served::start(Server::builder(), site()).await;
    let address = served.address;
    let attempts = Arc::new(AtomicUsize::new(0));
    let count = attempts.clone();
    let connector = tower::service_fn(move |_: Uri| {
        let attempt = count.fetch_add(1, Ordering::SeqCst);
        assert!(attempt != 0, "in call, as asked");
        async move {
            assert!(attempt != 1, "in the future, as asked");
            TcpStream::connect(address).await
        }
    });
    let (channel, pool) = served.channel();
    // A caller that wakes up after the pause does not hear of the failure but tries again: no stall is so long.
    let backoff = Duration::from_millis(500);
    let channel = channel.reconnect_backoff(backoff, backoff);
    let channel = channel.connect_with_connector_lazy(connector).unwrap();
    let mut failed = Vec::new();
    let answer = soon("an answer", async {
        loop {
            match soon("an end", call(&channel, get())).await {
                Ok(answer) => return answer,
                Err(error) => assert_no_connection(error),
            }
            failed.push(attempts.load(Ordering::SeqCst));
            pause(5).await;
        }
    });
    assert_eq!(answer.await.into_body(), HELLO);
    failed.dedup();
    assert_eq!((failed, attempts.load(Ordering::SeqCst)), (vec![1, 2], 3));
    drop(channel);
    served.finish().await;
    quiet(&pool).await;
}

async fn many_callers_one_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (channel, pool) = channel_to(listener.local_addr().unwrap());
    let channel = channel.connect_lazy().unwrap();
    let callers = (0..50).map(|_| {
        let channel = channel.clone();
        tokio::spawn(async move { call(&channel, get()).await.map(drop) })
    });
    let callers: Vec<_> = callers.collect();
    let (socket, _) = soon("a connection", listener.accept()).await.unwrap();
    let mut peer = Raw::server(socket, &[]).await;
    let mut answered = 0;
    while answered < 50 {
        let frame = soon("requests", peer.next_of_stream()).await;
        assert!(frame.kind == raw::HEADERS && frame.ends(), "{frame:?}");
        peer.send(&raw::frame(raw::HEADERS, raw::END_HEADERS | raw::END_STREAM, frame.stream, raw::OK)).await;
        answered += 1;
    }
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert!(tokio::time::timeout(Duration::from_millis(30), listener.accept()).await.is_err());
    // The last clone closes the connection, in good order.
    drop(channel);
    soon("GOAWAY", peer.expect(raw::GOAWAY)).await;
    while soon("the end", peer.next()).await.is_some() {}
    quiet(&pool).await;
}
