//! Our client as the victim of a hostile server, on a thread of its own as in `world.rs`.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use bytes::Bytes;
use http::{Request, Response};
use millpond::{ConfigBuilder, Error, Misdeed, Server, buffer::BufferPool, client, client::SendRequest};
use millpond_testkit::heap::CountingAllocator;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use crate::{
    attacker::Attacker,
    figures::{Figures, Measure},
    world::{Counted, Honest, Victim, Watched, pattern, pool, soon, within},
};

/// What the application's part came to, and why the connection ended.
pub type Ended<T> = (T, Result<(), Error>);

/// A client with one connection to the attacker and one to an honest server.
pub struct ClientVictim<T> {
    pub listener: TcpListener,
    pub pool: BufferPool,
    pub books: &'static CountingAllocator,
    watched: Arc<Watched>,
    calls: Arc<AtomicUsize>,
    thread: thread::JoinHandle<Ended<T>>,
    honest: Victim,
}

impl<T: Send + 'static> ClientVictim<T> {
    /// The application speaks to the attacker through what it is given. It hears of [`Self::listener`]'s connection only.
    pub async fn start<A>(config: ConfigBuilder, application: A) -> Self
    where
        A: AsyncFnOnce(SendRequest) -> T + Send + 'static,
    {
        let honest = Victim::start(Server::builder());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, other) = (listener.local_addr().unwrap(), honest.address);
        let (pool, watched, calls) = (pool(), Arc::<Watched>::default(), Arc::<AtomicUsize>::default());
        let config = config.pool(pool.clone()).build().unwrap();
        let (started, ready) = std::sync::mpsc::channel();
        let (seen, counted) = (watched.clone(), calls.clone());
        let thread = thread::spawn(move || {
            let books = CountingAllocator::keep_account_of_this_thread();
            started.send(books).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (send, driver) = client::handshake(connected(address).await, config.clone());
                let driver = tokio::spawn(Counted::new(driver, seen));
                let (neighbour, connection) = client::handshake(connected(other).await, config);
                let connection = tokio::spawn(connection);
                let done = Notify::new();
                let attacked = async {
                    let outcome = application(send).await;
                    done.notify_one();
                    outcome
                };
                let (outcome, ()) = tokio::join!(attacked, honest_calls(&neighbour, &counted, &done));
                drop(neighbour);
                connection.await.unwrap().expect("the honest connection ends well");
                (outcome, driver.await.unwrap())
            })
        });
        ClientVictim { listener, pool, books: ready.recv().unwrap(), watched, calls, thread, honest }
    }

    pub fn measure(&self, attacker: &Attacker) -> Measure {
        Measure::begin(self.books, attacker, &self.watched, self.calls.load(SeqCst), &self.pool)
    }

    pub fn figures(&self, name: &'static str, begun: &Measure, attacker: &Attacker) -> Figures {
        begun.end(("client", name), attacker, &self.watched, self.calls.load(SeqCst), &self.pool)
    }

    /// The application is done: what came of it. The honest calls are too, and every block is home.
    pub async fn finish(self) -> Ended<T> {
        let thread = tokio::task::spawn_blocking(move || self.thread.join());
        let ended = soon("the client ends", thread).await.unwrap().expect("the client does not panic");
        assert!(self.watched.over.load(SeqCst));
        within("blocks are still out", || self.pool.stats().blocks_out == 0).await;
        self.honest.finish().await;
        ended
    }
}

/// The connection failed for this.
pub fn blames(outcome: &Result<(), Error>, misdeed: Misdeed) {
    let error = outcome.as_ref().expect_err("the connection fails");
    assert_eq!(error.misdeed(), Some(misdeed), "{error}");
}

async fn connected(address: std::net::SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).await.unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

async fn honest_calls(send: &SendRequest, calls: &AtomicUsize, done: &Notify) {
    for _ in 0..Honest::MOST {
        calls.fetch_add(1, SeqCst);
        let (_, body) =
            soon("an honest call", call(send, "/echo", pattern(2_000))).await.expect("it is served");
        assert!(body == pattern(2_000), "an honest answer is right");
        if tokio::time::timeout(std::time::Duration::from_millis(3), done.notified()).await.is_ok() {
            done.notify_one();
            break;
        }
    }
    done.notified().await;
    calls.fetch_add(1, SeqCst);
    let last = soon("the last honest call", call(send, "/echo", pattern(2_000))).await;
    assert!(last.expect("it is served").1 == pattern(2_000));
}

/// One call, to the end of the answer.
pub async fn call(send: &SendRequest, path: &str, body: Bytes) -> Result<(Response<()>, Vec<u8>), Error> {
    let mut send = send.clone().ready().await?;
    let request = Request::post(format!("http://pond.example{path}")).body(()).unwrap();
    let (response, mut stream) = send.send_request(request, body.is_empty())?;
    let sending = async {
        let mut left = body;
        while !left.is_empty() {
            poll_fn(|cx| stream.poll_room(cx)).await?;
            let piece = left.split_to(left.len().min(16 << 10));
            stream.send_data(piece, left.is_empty())?;
        }
        Ok::<(), Error>(())
    };
    let receiving = async {
        let (head, mut body) = response.await?.into_parts();
        let mut octets = Vec::new();
        while let Some(piece) = body.data().await {
            let piece = piece?;
            body.flow_control().release_capacity(piece.len())?;
            octets.extend_from_slice(&piece);
        }
        body.trailers().await?;
        Ok::<_, Error>((Response::from_parts(head, ()), octets))
    };
    let (sent, received) = tokio::join!(sending, receiving);
    // An answer may be whole although what was sent was not wanted.
    let received = received?;
    sent?;
    Ok(received)
}
