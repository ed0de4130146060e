//! The victim and the honest neighbour.
//!
//! Always true here: a victim runs on a thread of its own, so what that thread allocates is the victim's; nothing of
//! weight is handed from thread to thread; at the end of a test every block is home and no handler lives.

use std::{
    collections::HashMap,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    thread,
    time::Duration,
};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use millpond::{
    Channel, Server,
    buffer::{BufferPool, PoolOptions},
};
pub use millpond_testkit::conversation::pattern;
use millpond_testkit::heap::CountingAllocator;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
    task::JoinHandle,
};
use tower::ServiceExt;

use crate::{attacker::Attacker, figures::idle_on_heap, site::Site};

/// No wait may be without end: the test fails after this.
pub const PATIENCE: Duration = Duration::from_secs(180);

pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(4 * PATIENCE, test).await.expect("the test hangs") });
}

pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: not in time"))
}

/// Waits until something holds that tells nobody.
pub async fn within(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    soon(what, waiting).await;
}

/// A pool that is asked for its books at the end.
pub fn pool() -> BufferPool {
    BufferPool::new(PoolOptions { decay: None, ..PoolOptions::default() })
}

/// What is known of one connection's driver.
#[derive(Default)]
pub struct Watched {
    pub polls: AtomicU64,
    pub over: AtomicBool,
}

/// A driver whose polls are counted.
pub struct Counted<F> {
    driver: Option<Pin<Box<F>>>,
    watched: Arc<Watched>,
}

impl<F> Counted<F> {
    pub fn new(driver: F, watched: Arc<Watched>) -> Self {
        Counted { driver: Some(Box::pin(driver)), watched }
    }
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let driver = self.driver.as_mut().expect("it was not dropped");
        let polled = driver.as_mut().poll(cx);
        // Who sees the count sees what was done.
        self.watched.polls.fetch_add(1, SeqCst);
        polled
    }
}

impl<F> Drop for Counted<F> {
    fn drop(&mut self) {
        // Whoever sees that it is over counts nothing of it any more.
        self.driver = None;
        self.watched.over.store(true, SeqCst);
    }
}

/// How long a victim waits for a peer that closed its side, unless a test is about answers to one.
const GRACE: Duration = Duration::from_millis(200);

/// More connections than this are forgotten when they are over.
const MOST_REMEMBERED: usize = 100;

type Connections = Arc<Mutex<HashMap<SocketAddr, Arc<Watched>>>>;

/// Our server on a thread of its own, with a pool of its own.
pub struct Victim {
    pub address: SocketAddr,
    pub pool: BufferPool,
    pub site: Arc<Site>,
    pub books: &'static CountingAllocator,
    connections: Connections,
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Victim {
    pub fn start(server: Server) -> Victim {
        Self::with(server, None, GRACE)
    }

    /// It waits as long as it takes for peers that closed their side.
    pub fn start_patient(server: Server) -> Victim {
        Self::with(server, None, PATIENCE)
    }

    /// Its sockets take little, either way.
    pub fn start_narrow(server: Server) -> Victim {
        Self::with(server, Some(8 << 10), GRACE)
    }

    fn with(server: Server, socket_buffers: Option<u32>, grace: Duration) -> Victim {
        let (pool, connections) = (pool(), Connections::default());
        let site = Site::new();
        let server = server.half_close_grace(grace).pool(pool.clone());
        let (stop, stopped) = oneshot::channel();
        let (started, ready) = std::sync::mpsc::channel();
        let serving = serve(server, &site, connections.clone(), stopped);
        let thread = thread::spawn(move || {
            let books = CountingAllocator::keep_account_of_this_thread();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let socket = TcpSocket::new_v4().unwrap();
                if let Some(octets) = socket_buffers {
                    // Those that are accepted inherit it.
                    socket.set_send_buffer_size(octets).unwrap();
                    socket.set_recv_buffer_size(octets).unwrap();
                }
                socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
                let listener = socket.listen(1_024).unwrap();
                started.send((listener.local_addr().unwrap(), books)).unwrap();
                serving(listener).await;
            });
        });
        let (address, books) = ready.recv().unwrap();
        Victim { address, pool, site, books, connections, stop, thread }
    }

    /// Octets of heap now, without idle blocks.
    pub fn live(&self) -> usize {
        self.books.usage().live - idle_on_heap(&self.pool.stats())
    }

    /// Waits until its heap stays as it is: an answer is seen before the poll that wrote it has given back what it can.
    pub async fn settles(&self) {
        let (mut live, mut same) = (0, 0);
        within("the heap does not settle", || {
            let now = self.live();
            same = if now == live { same + 1 } else { 0 };
            live = now;
            same >= 5
        })
        .await;
    }

    /// How often the driver of the attacked connection was polled.
    pub fn polls(&self, attacker: &Attacker) -> usize {
        self.watched(attacker.address).polls.load(SeqCst) as usize
    }

    pub fn open_connections(&self) -> usize {
        let connections = self.connections.lock().unwrap();
        connections.values().filter(|watched| !watched.over.load(SeqCst)).count()
    }

    pub fn watched(&self, peer: SocketAddr) -> Arc<Watched> {
        self.connections.lock().unwrap().entry(peer).or_default().clone()
    }

    /// Once all peers have gone: every connection ends, no handler is left, every block is home.
    pub async fn finish(self) {
        within("connections are still open", || self.open_connections() == 0).await;
        within("handlers still run", || self.site.running() == 0).await;
        within("blocks are still out", || self.pool.stats().blocks_out == 0).await;
        self.stop.send(()).unwrap();
        let thread = tokio::task::spawn_blocking(move || self.thread.join());
        soon("the server's thread ends", thread).await.unwrap().expect("the server did not panic");
    }
}

fn serve(
    server: Server,
    site: &Arc<Site>,
    connections: Connections,
    mut stopped: oneshot::Receiver<()>,
) -> impl AsyncFnOnce(TcpListener) + Send + use<> {
    let service = site.service();
    async move |listener: TcpListener| {
        loop {
            let (socket, peer) = tokio::select! {
                accepted = listener.accept() => accepted.unwrap(),
                _ = &mut stopped => return,
            };
            socket.set_nodelay(true).unwrap();
            let watched = {
                let mut connections = connections.lock().unwrap();
                if connections.len() >= MOST_REMEMBERED {
                    connections.retain(|_, watched| !watched.over.load(SeqCst));
                }
                connections.entry(peer).or_default().clone()
            };
            let driver = server.clone().serve_connection(socket, service.clone()).unwrap();
            tokio::spawn(Counted::new(driver, watched));
        }
    }
}

/// An honest client of the same victim: calls one after another, and looks at every answer.
pub struct Honest {
    calls: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
    pool: BufferPool,
}

impl Honest {
    /// At most so many calls.
    pub const MOST: usize = 40;

    pub async fn start(address: SocketAddr) -> Honest {
        let (calls, stop, pool) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default(), pool());
        let channel = Channel::from_shared(&format!("http://{address}")).unwrap().pool(pool.clone());
        let channel = channel.connect().await.unwrap();
        call(&channel).await;
        let task = tokio::spawn({
            let (calls, stop) = (calls.clone(), stop.clone());
            async move {
                while !stop.load(SeqCst) && calls.load(SeqCst) < Self::MOST {
                    call(&channel).await;
                    calls.fetch_add(1, SeqCst);
                    tokio::time::sleep(Duration::from_millis(3)).await;
                }
                while !stop.load(SeqCst) {
                    tokio::time::sleep(Duration::from_millis(3)).await;
                }
                // One after the attack in any case.
                call(&channel).await;
            }
        });
        Honest { calls, stop, task, pool }
    }

    /// All its calls were answered, some of them during the attack.
    pub async fn finish(self) {
        within("no honest call got through", || self.calls.load(SeqCst) > 0).await;
        self.stop.store(true, SeqCst);
        soon("the last honest call", self.task).await.unwrap();
        within("the honest client holds blocks", || self.pool.stats().blocks_out == 0).await;
    }
}

async fn call(channel: &Channel) {
    let body = pattern(2_000);
    let request = Request::post("/echo").body(Full::<Bytes>::from(body.clone())).unwrap();
    let response =
        soon("an honest call", channel.clone().oneshot(request)).await.expect("an honest call is served");
    assert_eq!(response.status(), StatusCode::OK);
    let answer =
        soon("an honest answer", response.into_body().collect()).await.expect("an honest answer comes");
    assert!(answer.to_bytes() == body, "an honest answer is right");
}
