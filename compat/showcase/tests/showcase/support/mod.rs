//! What the conversations stand on.

pub(crate) mod bodies;
pub(crate) mod certificates;
pub(crate) mod hyper_pair;
mod quiet;
pub(crate) mod raw;

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

/// Any error.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How long a conversation may take; none needs a tenth of it, unless the machine is busy.
const LIMIT: Duration = Duration::from_secs(180);

/// How long a step of one may take: less, so that it is the step that fails.
const STEP: Duration = Duration::from_secs(120);

/// Holds one conversation on a runtime of its own.
///
/// What it returns is what rests: connections, clients, servers. The pool must be quiet while they are there, and after
/// they are gone.
pub(crate) fn show<K>(talk: impl Future<Output = K>) {
    // One at a time: the pool is the process's.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let pool = quiet::Watch::begin();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads can be started");
    let held = runtime.block_on(async { tokio::time::timeout(LIMIT, talk).await }).expect("it ends in time");
    pool.expect_quiet("while connections rest");
    runtime.block_on(async { drop(held) });
    runtime.shutdown_timeout(Duration::from_secs(5));
    pool.expect_quiet("after all is gone");
    pool.expect_used();
}

/// Fails unless `what` comes within a time that is ample for it.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(STEP, what).await.expect("it comes soon")
}

/// Waits until `holds` does; fails when it does not in ample time.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    soon(async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Octets that tell when any are lost, doubled or moved.
pub(crate) use millpond_testkit::conversation::pattern;

/// A listener on a port that the system chooses.
pub(crate) async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}

/// Both ends of a TCP connection.
pub(crate) async fn sockets() -> (TcpStream, TcpStream) {
    let listener = listener().await;
    let addr = listener.local_addr().expect("it is bound");
    let (client, server) = tokio::join!(TcpStream::connect(addr), listener.accept());
    let (client, (server, _)) = (client.expect("it listens"), server.expect("a connection"));
    client.set_nodelay(true).expect("a socket");
    server.set_nodelay(true).expect("a socket");
    (client, server)
}

/// The error in the chain of causes that h2 made.
pub(crate) fn h2_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a h2::Error> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
}

/// The reason that the chain of causes gives.
pub(crate) fn reason(error: &(dyn std::error::Error + 'static)) -> Option<h2::Reason> {
    h2_error(error).and_then(h2::Error::reason)
}

/// Counts what is there now, and the most that ever was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauge(Arc<(AtomicUsize, AtomicUsize)>);

/// One that a [`Gauge`] counts, while it lives.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Gauge {
    pub(crate) fn enter(&self) -> Counted {
        let now = self.0.0.fetch_add(1, Relaxed) + 1;
        self.0.1.fetch_max(now, Relaxed);
        Counted(self.clone())
    }

    pub(crate) fn now(&self) -> usize {
        self.0.0.load(Relaxed)
    }

    pub(crate) fn most(&self) -> usize {
        self.0.1.load(Relaxed)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.0.fetch_sub(1, Relaxed);
    }
}
