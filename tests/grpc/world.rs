//! What these tests share: runtimes, pools whose books are read, our server, and the site that every peer visits.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    extract::{Path, Request},
    response::Response,
    routing::{get, post},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use millpond::{
    Body, Channel, ChannelBuilder, Server,
    buffer::{BufferPool, PoolOptions},
    server::{HttpService, ServeError, TcpIncoming},
};
use millpond_testkit::{conversation, echo, stock::HELLO};
use tokio::{
    net::TcpSocket,
    sync::{Semaphore, oneshot},
    task::JoinHandle,
};
use tower_layer::Layer;

/// One test on each kind of runtime.
macro_rules! on_both_runtimes {
    ($($name:ident)+) => {
        $(mod $name {
            #[test]
            fn current_thread() {
                crate::world::run_here(super::$name());
            }
            #[test]
            fn multi_thread() {
                crate::world::run_on_threads(super::$name());
            }
        })+
    };
}
pub(crate) use on_both_runtimes;

/// No test may hang: it fails after this.
const PATIENCE: Duration = Duration::from_secs(120);

/// No step of one may, either. Long, for a busy machine may stall for seconds, and no test waits for this.
const STEP: Duration = Duration::from_secs(60);

pub fn run_here(test: impl Future<Output = ()>) {
    run(tokio::runtime::Builder::new_current_thread(), test);
}

pub fn run_on_threads(test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2);
    run(builder, test);
}

fn run(mut builder: tokio::runtime::Builder, test: impl Future<Output = ()>) {
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.expect("the test hangs") });
}

/// A pool that is asked for its books at the end.
pub fn pool() -> BufferPool {
    BufferPool::new(PoolOptions { decay: None, ..PoolOptions::default() })
}

/// Waits until nothing is out, as it must be once all is quiet.
pub async fn quiet(pool: &BufferPool) {
    within("blocks are still out", || pool.stats().blocks_out == 0).await;
}

/// Waits until something holds, or fails with `what`.
pub async fn within(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < STEP, "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// What must be over some time.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(STEP, future).await.unwrap_or_else(|_| panic!("{what}: not in {STEP:?}"))
}

pub async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// Our server on a port of its own, with a pool of its own.
pub struct Served {
    pub address: SocketAddr,
    pub pool: BufferPool,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Served {
    pub async fn start<L, S>(server: Server<L>, service: S) -> Served
    where
        L: Layer<S, Service: HttpService> + Send + 'static,
        S: Send + 'static,
    {
        Self::start_at("127.0.0.1:0".parse().unwrap(), server, service).await
    }

    pub async fn start_at<L, S>(address: SocketAddr, server: Server<L>, service: S) -> Served
    where
        L: Layer<S, Service: HttpService> + Send + 'static,
        S: Send + 'static,
    {
        let incoming = TcpIncoming::bind(address).await.unwrap();
        let address = incoming.local_addr().unwrap();
        let pool = pool();
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let server = server.pool(pool.clone());
        let task = tokio::spawn(server.serve_with_incoming_shutdown(incoming, service, stopped));
        Served { address, pool, stop, task }
    }

    /// A channel to it, with a pool of its own.
    pub fn channel(&self) -> (ChannelBuilder, BufferPool) {
        channel_to(self.address)
    }

    /// Asks it to end, and gives the task that does.
    pub fn stop(self) -> (JoinHandle<Result<(), ServeError>>, BufferPool) {
        // Fails only if serving is over, which the task will tell.
        let _ = self.stop.send(());
        (self.task, self.pool)
    }

    /// It ends in good order and holds nothing.
    pub async fn finish(self) {
        let (task, pool) = self.stop();
        soon("the server ends", task).await.unwrap().unwrap();
        quiet(&pool).await;
    }
}

pub fn channel_to(address: SocketAddr) -> (ChannelBuilder, BufferPool) {
    let pool = pool();
    (Channel::from_shared(&format!("http://{address}")).unwrap().pool(pool.clone()), pool)
}

/// The echo service, and for plain HTTP: `GET /`, `POST /echo` (back as it comes), `POST /sink` (the count, once
/// all is read), `GET /octets/N`.
pub fn site() -> axum::Router {
    let echo = async |request: Request| Response::new(request.into_body());
    let sink = async |request: Request| match request.into_body().collect().await {
        Ok(body) => body.to_bytes().len().to_string(),
        Err(error) => error.to_string(),
    };
    let octets = async |Path(count): Path<usize>| conversation::pattern(count);
    echo::gzip_routes()
        .into_axum_router()
        .route("/", get(async || Bytes::from_static(HELLO)))
        .route("/echo", post(echo))
        .route("/sink", post(sink))
        .route("/octets/{count}", get(octets))
}

/// An address where nobody listens: its port is taken as long as the socket lives, and no other test gets it.
pub fn nobody() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Handlers that wait until they are let go, and are counted.
#[derive(Clone)]
pub struct Gate {
    /// A permit for each handler that may answer.
    pub permits: Arc<Semaphore>,
    /// The paths of requests, in the order in which handlers began.
    pub begun: Arc<Mutex<Vec<String>>>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

/// Counts a handler for as long as it lives.
pub struct Running(Arc<AtomicUsize>);

impl Gate {
    pub fn new() -> Gate {
        Gate {
            permits: Arc::new(Semaphore::new(0)),
            begun: Arc::default(),
            running: Arc::default(),
            most: Arc::default(),
        }
    }

    /// How many handlers live.
    pub fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// The most that lived at once.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// A handler begins.
    pub fn enter(&self, path: &str) -> Running {
        self.begun.lock().unwrap().push(path.to_owned());
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        Running(self.running.clone())
    }

    pub async fn entered(&self, count: usize) {
        within("handlers have not begun", || self.running() == count).await;
    }

    /// Answers with the path, one request for each permit.
    pub fn service(&self) -> impl HttpService + use<> {
        let gate = self.clone();
        tower::service_fn(move |request: http::Request<Body>| {
            let running = gate.enter(request.uri().path());
            let permits = gate.permits.clone();
            async move {
                permits.acquire().await.unwrap().forget();
                drop(running);
                Ok::<_, Infallible>(http::Response::new(request.uri().path().to_owned()))
            }
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
