//! The victim's application.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use millpond::{Body, adapter::BoxError, server::HttpService};
use tokio::sync::watch;

use crate::world::pattern;

/// What the victim's application does: `/echo` sends back what comes, `/sum` reads all and then says how much and
/// which, `/hold` does so once the gate is open, `/octets/N` sends a pattern, `/endless` sends without end, `/never` does
/// not answer.
pub struct Site {
    started: AtomicUsize,
    running: AtomicUsize,
    most: AtomicUsize,
    unanswered: AtomicUsize,
    pub gate: watch::Sender<bool>,
}

/// Octets in each piece of `/endless`.
pub const PIECE: usize = 8 << 10;

type Answer = UnsyncBoxBody<Bytes, BoxError>;

/// Counts a handler for as long as it lives.
struct Running(Arc<Site>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

impl Site {
    pub fn new() -> Arc<Site> {
        Arc::new(Site {
            started: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            unanswered: AtomicUsize::new(0),
            gate: watch::Sender::new(false),
        })
    }

    pub fn service(self: &Arc<Self>) -> impl HttpService + use<> {
        let site = self.clone();
        tower::service_fn(move |request: Request<Body>| {
            site.started.fetch_add(1, SeqCst);
            let running = site.running.fetch_add(1, SeqCst) + 1;
            site.most.fetch_max(running, SeqCst);
            Site::handle(request, Running(site.clone()))
        })
    }

    /// How many handlers have begun.
    pub fn started(&self) -> usize {
        self.started.load(SeqCst)
    }

    pub fn running(&self) -> usize {
        self.running.load(SeqCst)
    }

    /// How many requests for `/never` came.
    pub fn unanswered(&self) -> usize {
        self.unanswered.load(SeqCst)
    }

    /// The most handlers that ran at once.
    pub fn most(&self) -> usize {
        self.most.load(SeqCst)
    }

    async fn handle(request: Request<Body>, running: Running) -> Result<Response<Answer>, Infallible> {
        let site = running.0.clone();
        let all = |octets: Bytes| Full::from(octets).map_err(|never| match never {}).boxed_unsync();
        let path = request.uri().path().to_owned();
        let answer = match path.as_str() {
            "/echo" => request.into_body().map_err(BoxError::from).boxed_unsync(),
            "/sum" => all(sum(request.into_body()).await),
            "/hold" => {
                let mut gate = site.gate.subscribe();
                let _ = gate.wait_for(|open| *open).await;
                all(sum(request.into_body()).await)
            }
            "/never" => {
                site.unanswered.fetch_add(1, SeqCst);
                std::future::pending().await
            }
            "/endless" => {
                // The handler is over when its body is dropped.
                let pieces = std::iter::repeat_with(move || {
                    let _ = &running;
                    Ok(Frame::data(pattern(PIECE)))
                });
                StreamBody::new(futures_util::stream::iter(pieces)).boxed_unsync()
            }
            _ => match path.strip_prefix("/octets/").and_then(|count| count.parse().ok()) {
                Some(count) => all(pattern(count)),
                None => {
                    let mut lost = Response::new(all(Bytes::new()));
                    *lost.status_mut() = StatusCode::NOT_FOUND;
                    return Ok(lost);
                }
            },
        };
        Ok(Response::new(answer))
    }
}

/// How many octets came, and a figure that says which; or what went wrong.
async fn sum(mut body: Body) -> Bytes {
    let (mut octets, mut mix) = (0, 0_u64);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                let data = frame.into_data().unwrap_or_default();
                octets += data.len();
                mix = mixed(mix, &data);
            }
            Err(error) => return error.to_string().into(),
        }
    }
    format!("{octets} {mix}").into()
}

pub fn summary(octets: &[u8]) -> String {
    format!("{} {}", octets.len(), mixed(0, octets))
}

fn mixed(mix: u64, octets: &[u8]) -> u64 {
    octets
        .iter()
        .fold(mix, |mix, octet| (mix.rotate_left(5) ^ u64::from(*octet)).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}
