//! Servers of ours, the site that they serve, and pools for both sides.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{
    extract::{Path, Request},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use http_body_util::BodyExt;
use millpond::{
    Server,
    buffer::{BufferPool, PoolOptions},
    server::{ServeError, TcpIncoming},
};
use millpond_testkit::echo;
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

use crate::{
    BoxError,
    plan::{BOUND, is_run, octets},
};

/// How long our servers keep handlers whose client has gone.
pub const HALF_CLOSE_GRACE: Duration = Duration::from_secs(1);

/// A server of ours on a port of its own.
pub struct Serving {
    pub address: SocketAddr,
    stop: oneshot::Sender<Infallible>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Serving {
    pub async fn start(server: Server, pool: BufferPool) -> Result<Serving, BoxError> {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?).await?;
        let address = incoming.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let server = server.pool(pool).half_close_grace(HALF_CLOSE_GRACE);
        let task = tokio::spawn(server.serve_with_incoming_shutdown(incoming, site(), stopped));
        Ok(Serving { address, stop, task })
    }

    /// Ends it when its connections have ended.
    pub async fn stop(self) -> Result<(), BoxError> {
        drop(self.stop);
        Ok(timeout(BOUND, self.task).await.map_err(|_| "a server does not end")???)
    }
}

/// A pool that has its free lists already: they are made when a class is first used that much, and kept.
pub fn pool() -> BufferPool {
    let pool = BufferPool::new(PoolOptions::default());
    let mut capacity = 0;
    while capacity < 1 << 20 {
        capacity = BufferPool::class_capacity(capacity + 1);
        drop((0..64).map(|_| pool.take(capacity)).collect::<Vec<_>>());
        // The first notes what was not needed, the second frees it.
        pool.trim();
        pool.trim();
    }
    pool
}

/// The echo service, and for plain HTTP what [`traffic::fetch`](crate::traffic::fetch) calls.
fn site() -> axum::Router {
    let echo = async |request: Request| Response::new(request.into_body());
    let octets = async |Path((start, count)): Path<(usize, usize)>| octets(start, count);
    echo::routes()
        .into_axum_router()
        .route("/echo", post(echo))
        .route("/octets/{start}/{count}", get(octets))
        .route("/sink/{start}", post(sink))
}

/// Compares what comes as it comes, and answers with the count.
async fn sink(Path(start): Path<usize>, request: Request) -> Result<String, (StatusCode, String)> {
    let (mut body, mut at) = (request.into_body(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        if !is_run(start, at, &data) {
            return Err((
                StatusCode::CONFLICT,
                format!("octet {at} and the {} from there are wrong", data.len()),
            ));
        }
        at += data.len();
    }
    Ok(at.to_string())
}
