//! Which measure is taken when, and that everything works again when the pressure is gone.

use std::{
    collections::BTreeSet,
    future::poll_fn,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use millpond::{Config, ErrorCode, MemoryBudget, Misdeed, Server, client, memory::Pressure, server};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use crate::{
    alone,
    raw::{
        DATA, END_HEADERS, END_STREAM, GET, GOAWAY, HEADERS, PING, POST, RST_STREAM, Raw, SETTINGS,
        WINDOW_UPDATE, frame,
    },
    world::{Others, run, run_here, within},
};

const LIMIT: usize = 4 << 20;

/// A server that answers with the octets that came, unless they are too many; how often its listener was asked; and the end of it.
struct World {
    address: SocketAddr,
    budget: MemoryBudget,
    others: Others,
    asked: Arc<AtomicUsize>,
    end: oneshot::Sender<()>,
    server: tokio::task::JoinHandle<()>,
}

impl World {
    async fn start() -> World {
        let budget = MemoryBudget::new(LIMIT);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let (counted, mut listener) = (asked.clone(), millpond::server::TcpIncoming::from(listener));
        let incoming = futures_util::stream::poll_fn(move |cx| {
            counted.fetch_add(1, Relaxed);
            futures_util::Stream::poll_next(std::pin::Pin::new(&mut listener), cx)
        });
        let service = tower::service_fn(async |request: Request<millpond::Body>| {
            let body = request.into_body().collect().await?.to_bytes();
            // More than the raw peers have a window for.
            let body = if body.len() > 100_000 { Bytes::new() } else { body };
            Ok::<_, millpond::CallError>(Response::new(Full::new(body)))
        });
        let (end, ended) = oneshot::channel::<()>();
        let server =
            Server::builder().initial_connection_window_size(256 << 10).memory_budget(Some(budget.clone()));
        let server = tokio::spawn(async move {
            server
                .serve_with_incoming_shutdown(incoming, service, async { drop(ended.await) })
                .await
                .unwrap();
        });
        World { address, others: Others::new(&budget), budget, asked, end, server }
    }

    async fn peer(&self) -> Raw<TcpStream> {
        Raw::client(TcpStream::connect(self.address).await.unwrap(), &[]).await
    }

    /// The server ends; nothing is charged any more.
    async fn finish(self) {
        self.end.send(()).unwrap();
        self.server.await.unwrap();
        drop(self.others);
        within("octets are charged still", || self.budget.stats().held == 0).await;
    }
}

/// A call on this stream is answered.
async fn call(peer: &mut Raw<TcpStream>, id: u32) {
    peer.send(&frame(HEADERS, END_HEADERS, id, POST)).await;
    peer.send(&frame(DATA, END_STREAM, id, b"some octets")).await;
    loop {
        let frame = peer.next().await.expect("the connection lives");
        assert_ne!(frame.kind, RST_STREAM);
        if frame.stream == id && frame.ends() {
            return;
        }
    }
}

/// The next frame of this kind; PINGs and SETTINGS are answered meanwhile.
async fn await_frame(peer: &mut Raw<TcpStream>, kind: u8) -> Option<crate::raw::Frame> {
    loop {
        let found = peer.next().await?;
        if found.kind == kind {
            return Some(found);
        }
        if matches!(found.kind, PING | SETTINGS) && found.flags == 0 {
            let payload = if found.kind == PING { &found.payload[..] } else { &[] };
            peer.send(&frame(found.kind, 1, 0, payload)).await;
        }
    }
}

#[test]
fn streams_are_refused_first_then_windows_then_connections() {
    let _alone = alone();
    run(async {
        let mut world = World::start().await;
        let mut busy = world.peer().await;
        call(&mut busy, 1).await;
        // An open stream keeps this connection from being idle.
        busy.send(&frame(HEADERS, END_HEADERS, 3, POST)).await;
        busy.send(&frame(PING, 0, 0, b"is open?")).await;
        busy.expect(PING).await;
        let mut idle = world.peer().await;
        call(&mut idle, 1).await;

        world.others.fill(78);
        assert_eq!(world.budget.pressure(), Pressure::Streams);
        busy.send(&frame(HEADERS, END_HEADERS | END_STREAM, 5, GET)).await;
        assert_eq!(await_frame(&mut busy, RST_STREAM).await.unwrap().code(), ErrorCode::REFUSED_STREAM);
        // Connections are still made.
        let mut late = world.peer().await;
        assert_eq!(await_frame(&mut late, SETTINGS).await.unwrap().stream, 0);

        world.others.fill(88);
        assert_eq!(world.budget.pressure(), Pressure::Windows);
        // More than half of the window, of which less is left than the small one that is kept now; the handler reads it.
        let before_data = world.budget.stats().held;
        for _ in 0..12 {
            busy.send(&frame(DATA, 0, 3, &[0; 16_384])).await;
        }
        busy.send(&frame(HEADERS, END_HEADERS | END_STREAM, 7, GET)).await;
        let mut before = BTreeSet::new();
        loop {
            let found = busy.next().await.unwrap();
            before.insert((found.kind, found.stream));
            if (found.kind, found.stream) == (RST_STREAM, 7) {
                break;
            }
        }
        assert!(!before.contains(&(WINDOW_UPDATE, 0)), "{before:?}");

        within("the handler does not read", || world.budget.stats().held <= before_data + (16 << 10)).await;
        world.others.fill(97);
        // Somebody of this server has to be awake to see it: here it is this stream.
        busy.send(&frame(DATA, 0, 3, &[0; 1])).await;
        assert_eq!(await_frame(&mut idle, GOAWAY).await.unwrap().code(), ErrorCode::NO_ERROR);
        assert!(await_frame(&mut idle, GOAWAY).await.is_some(), "the PING was answered");
        let asked = world.asked.load(Relaxed);
        let socket = TcpStream::connect(world.address).await.unwrap();
        let mut waiting = Raw::client(socket, &[]).await;
        let first = tokio::time::timeout(Duration::from_millis(300), waiting.next()).await;
        assert!(first.is_err(), "the system took it, the server does not");
        assert!(world.asked.load(Relaxed) <= asked + 1, "the listener is not asked over and over");

        world.others.fill(50);
        call(&mut waiting, 1).await;
        busy.send(&frame(DATA, END_STREAM, 3, &[])).await;
        while !busy.next().await.unwrap().ends() {}
        call(&mut busy, 9).await;
        drop((busy, idle, late, waiting));
        world.finish().await;
    });
}

#[test]
fn idle_connections_leave_by_the_dozen_and_only_as_many_as_must() {
    let _alone = alone();
    run(async {
        const PEERS: usize = 100;
        let mut world = World::start().await;
        let mut peers = Vec::new();
        for at in 0..PEERS {
            let mut peer = world.peer().await;
            match at % 3 == 0 {
                true => call(&mut peer, 1).await,
                false => drop(await_frame(&mut peer, SETTINGS).await),
            }
            peers.push(peer);
        }
        // All of them sleep.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let left = Arc::new(AtomicUsize::new(0));
        let watching: Vec<_> = peers
            .into_iter()
            .map(|mut peer| {
                let left = left.clone();
                tokio::spawn(async move {
                    while await_frame(&mut peer, GOAWAY).await.is_some() {}
                    left.fetch_add(1, Relaxed);
                })
            })
            .collect();
        world.others.fill(96);
        // The books say it; a connection of the process has to look at them.
        let io = tokio::io::duplex(1 << 10);
        let config = Config::builder().memory_budget(Some(world.budget.clone())).build().unwrap();
        let (_send, connection) = client::handshake(io.0, config);
        let looking = tokio::spawn(connection);
        within("idle connections stay", || left.load(Relaxed) >= 64).await;
        assert!(world.budget.pressure() < Pressure::Connections);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(left.load(Relaxed), 64);
        // Those that had done something are not among them.
        assert!(watching.iter().step_by(3).all(|peer| !peer.is_finished()));
        watching.iter().for_each(|peer| peer.abort());
        looking.abort();
        for peer in watching {
            let _ = peer.await;
        }
        let _ = looking.await;
        world.finish().await;
    });
}

/// The window of a connection is used up while memory is short and one of its readers sleeps. Others make room: the
/// window has to come back though nothing happens on this connection.
#[test]
fn a_connection_that_was_held_back_is_woken_when_there_is_room() {
    let _alone = alone();
    run(async {
        let budget = MemoryBudget::new(LIMIT);
        let mut others = Others::new(&budget);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = Config::builder()
            .initial_connection_window_size(65_535)
            .memory_budget(Some(budget.clone()))
            .build()
            .unwrap();
        let (asleep, sleeper) = oneshot::channel();
        let serving = tokio::spawn(async move {
            let mut connection = server::handshake(listener.accept().await.unwrap().0, config);
            asleep.send(connection.accept().await.unwrap().unwrap()).unwrap();
            while connection.accept().await.is_some() {}
        });
        let mut peer = Raw::client(TcpStream::connect(address).await.unwrap(), &[]).await;
        peer.send(&frame(HEADERS, END_HEADERS, 1, POST)).await;
        let sleeper = sleeper.await.unwrap();
        others.fill(86);
        for _ in 0..4 {
            peer.send(&frame(DATA, 0, 1, &[0; 16_000])).await;
        }
        peer.send(&frame(PING, 0, 0, b"12345678")).await;
        loop {
            let found = peer.next().await.unwrap();
            assert_ne!(found.kind, WINDOW_UPDATE);
            if found.kind == PING {
                break;
            }
        }
        others.fill(10);
        let update = peer.expect(WINDOW_UPDATE).await;
        assert_eq!((update.stream, &update.payload[..]), (0, &64_000_u32.to_be_bytes()[..]));
        drop((peer, sleeper));
        serving.await.unwrap();
        drop(others);
        within("octets are charged still", || budget.stats().held == 0).await;
    });
}

/// The variable sets one budget for all that has none of its own; nonsense sets none.
#[test]
fn the_environment_sets_the_budget_of_the_process() {
    let _alone = alone();
    for value in ["65536", "64 MiB", "0"] {
        let name = "measures::the_environment_sets_the_budget_of_the_process";
        crate::child::in_child(name, &[("MILLPOND_MEMORY_BUDGET", value)], || {
            run(async {
                let expected = std::env::var("MILLPOND_MEMORY_BUDGET").unwrap() == "65536";
                let (first, second) = (tokio::io::duplex(1 << 10), tokio::io::duplex(1 << 10));
                let (_send, _one) = client::handshake(first.0, Config::default());
                let (mut send, other) = client::handshake(second.0, Config::builder().build().unwrap());
                // With these there is no room for a stream.
                let more: Vec<_> = (0..4)
                    .map(|_| client::handshake(tokio::io::duplex(1 << 10).0, Config::default()))
                    .collect();
                tokio::spawn(other);
                let (response, _stream) =
                    send.send_request(Request::get("http://a/").body(()).unwrap(), true).unwrap();
                // What is not to come is not waited for as long as what is.
                let patience = if expected { 60_000 } else { 300 };
                let outcome = tokio::time::timeout(Duration::from_millis(patience), response).await;
                let refused =
                    matches!(&outcome, Ok(Err(error)) if error.misdeed() == Some(Misdeed::MemoryPressure));
                assert_eq!(refused, expected);
                drop(more);
            });
        });
    }
}

/// The client's side: responses that nobody reads cost their streams, and no more of a body is asked for than one
/// piece while memory is short.
#[test]
fn a_client_keeps_within_its_budget_too() {
    let _alone = alone();
    run_here(async {
        let world = World::start().await;
        let budget = MemoryBudget::new(1 << 20);
        let mut others = Others::new(&budget);
        let config = Config::builder().memory_budget(Some(budget.clone())).build().unwrap();
        let socket = TcpStream::connect(world.address).await.unwrap();
        let (send, connection) = client::handshake(socket, config);
        let connection = tokio::spawn(connection);
        let mut bodies = Vec::new();
        for _ in 0..20 {
            let mut send = send.clone().ready().await.unwrap();
            let request = Request::post("http://a/").body(()).unwrap();
            let (response, mut stream) = send.send_request(request, false).unwrap();
            // It may be refused at once; the response says so.
            let _ = stream.send_data(Bytes::from(vec![7; 100_000]), true);
            match response.await {
                Ok(response) => bodies.push(response.into_body()),
                Err(error) => assert!(
                    matches!(error.misdeed(), Some(Misdeed::MemoryPressure | Misdeed::MemoryExhausted)),
                    "{error}"
                ),
            }
            assert!(budget.stats().held <= 1 << 20);
        }
        // Three quarters of the budget, less one request, hold four that pin half more than they have octets.
        assert!(bodies.len() >= 4, "{}", bodies.len());
        // None was refused before there was a reason.
        assert!(budget.stats().high_water >= 3 << 18, "{:?}", budget.stats());
        let (mut whole, mut lost) = (0, 0);
        for mut body in bodies {
            let mut octets = 0;
            loop {
                match body.data().await {
                    Some(Ok(piece)) => {
                        octets += piece.len();
                        body.flow_control().release_capacity(piece.len()).unwrap();
                    }
                    Some(Err(error)) => {
                        assert_eq!(error.misdeed(), Some(Misdeed::MemoryExhausted));
                        lost += 1;
                        break;
                    }
                    None => {
                        assert_eq!(octets, 100_000);
                        whole += 1;
                        break;
                    }
                }
            }
        }
        assert!(whole > 0, "{whole} whole, {lost} lost");
        // There is room again.
        let mut ready = send.clone().ready().await.unwrap();
        let request = Request::post("http://a/").body(()).unwrap();
        let (response, mut stream) = ready.send_request(request, false).unwrap();
        within("the request is on its way", || send.stats().streams == 1).await;
        others.fill(88);
        stream.send_data(Bytes::from_static(b"a piece"), false).unwrap();
        let full = poll_fn(|cx| Poll::Ready(stream.poll_room(cx).is_pending())).await;
        assert!(full, "something waits to be sent");
        poll_fn(|cx| stream.poll_room(cx)).await.unwrap();
        stream.send_data(Bytes::new(), true).unwrap();
        assert!(response.await.is_ok());
        drop((send, ready, stream));
        connection.await.unwrap().unwrap();
        drop(others);
        within("octets are charged still", || budget.stats().held == 0).await;
        world.finish().await;
    });
}
