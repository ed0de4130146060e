//! A call to be made, drawn at random: its kind, its octets, its pauses and its end.

use std::{sync::LazyLock, time::Duration};

use bytes::Bytes;
use fastrand::Rng;
use futures_util::{Stream, StreamExt, stream};
use millpond_testkit::{conversation, echo::SERVER_STREAM_MESSAGES};
use tokio::time::sleep;
use tonic::{Code, Status, metadata::MetadataValue};

/// No call may take longer, however bad its path is.
pub const BOUND: Duration = Duration::from_secs(60);

/// Most octets that a call sends or gets.
const LARGEST: usize = 4 << 20;

/// Where the octets of a message may begin in the pattern.
const STARTS: usize = 251;

static PATTERN: LazyLock<Bytes> = LazyLock::new(|| conversation::pattern(LARGEST + STARTS));

/// So many octets of the pattern, from its octet `start` on.
pub fn octets(start: usize, count: usize) -> Bytes {
    PATTERN.slice(start..start + count)
}

/// Whether what came to a server is a run of the pattern from `start` on.
pub fn is_run(start: usize, at: usize, data: &[u8]) -> bool {
    start + at + data.len() <= PATTERN.len() && PATTERN[start + at..][..data.len()] == *data
}

/// What is called: `echo.Echo` by gRPC, or the site of [`servers`](crate::servers) by plain HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Unary,
    ClientStream,
    ServerStream,
    Bidi,
    /// A unary call that asks for an error: trailers alone.
    Status,
    Get,
    Echo,
    Sink,
}

impl Kind {
    pub const GRPC: [Kind; 5] =
        [Kind::Unary, Kind::ClientStream, Kind::ServerStream, Kind::Bidi, Kind::Status];
    pub const HTTP: [Kind; 3] = [Kind::Get, Kind::Echo, Kind::Sink];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Unary => "unary",
            Kind::ClientStream => "client-stream",
            Kind::ServerStream => "server-stream",
            Kind::Bidi => "bidi",
            Kind::Status => "status",
            Kind::Get => "get",
            Kind::Echo => "echo",
            Kind::Sink => "sink",
        }
    }

    pub fn named(name: &str) -> Option<Kind> {
        Kind::GRPC.into_iter().chain(Kind::HTTP).find(|kind| kind.name() == name)
    }
}

/// A call to be made.
#[derive(Clone, Debug)]
pub struct Plan {
    pub kind: Kind,
    /// When its caller gives it up.
    pub cancel: Option<Duration>,
    /// Its `grpc-timeout`.
    pub deadline: Option<Duration>,
    /// How long the answer is to wait; unary only.
    delay: Option<Duration>,
    pub start: usize,
    /// Octets of each message.
    size: usize,
    pub messages: usize,
    /// Up to which time to pause between messages, and between the pieces that are read.
    pub pause: Duration,
}

impl Plan {
    pub fn draw(rng: &mut Rng, kinds: &[Kind]) -> Plan {
        let kind = kinds[rng.usize(..kinds.len())];
        let total = match rng.u8(..100) {
            0..10 => 0,
            10..60 => rng.usize(1..1_000),
            60..92 => rng.usize(1..64 << 10),
            92..99 => rng.usize(1..1 << 20),
            _ => rng.usize(1..=LARGEST),
        };
        let messages = match kind {
            Kind::ServerStream => SERVER_STREAM_MESSAGES,
            Kind::ClientStream | Kind::Bidi | Kind::Echo | Kind::Sink => rng.usize(1..=20),
            _ => 1,
        };
        let mut plan = Plan {
            kind,
            cancel: None,
            deadline: None,
            delay: None,
            start: rng.usize(..STARTS),
            size: total / messages,
            messages,
            pause: Duration::from_millis(if rng.u8(..5) == 0 { rng.u64(1..10) } else { 0 }),
        };
        match rng.u8(..100) {
            // As likely within the first tenth of a millisecond as within the last tenths of a second.
            0..10 => {
                let most = 1 << rng.u32(1..19);
                plan.cancel = Some(Duration::from_micros(rng.u64(..most)));
            }
            10..15 if kind != Kind::Status && Kind::GRPC.contains(&kind) => {
                plan.deadline = Some(Duration::from_millis(rng.u64(1..200)));
                plan.delay = rng.bool().then(|| Duration::from_millis(400));
            }
            _ => {}
        }
        plan
    }

    /// A small call, to see whether a path stands.
    pub fn probe(kind: Kind) -> Plan {
        let (size, messages, pause) = (1_000, 1, Duration::ZERO);
        Plan { kind, cancel: None, deadline: None, delay: None, start: 0, size, messages, pause }
    }

    /// Whether this is how the call's own deadline ends it. Stock tonic, client and server, calls that a cancellation.
    pub fn is_deadline(&self, status: &Status, took: Duration) -> bool {
        matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled)
            && self.deadline.is_some_and(|deadline| took >= deadline)
    }

    /// The octets that each message carries: together one run of the pattern.
    pub fn message(&self, index: usize) -> Bytes {
        octets(self.start + index * self.size, self.size)
    }

    pub fn all(&self) -> Bytes {
        octets(self.start, self.messages * self.size)
    }

    /// The messages, with pauses between them.
    pub fn outgoing(&self) -> impl Stream<Item = Bytes> + Send + 'static + use<> {
        let plan = self.clone();
        stream::iter(0..self.messages).then(move |index| {
            let (message, pause) = (plan.message(index), plan.pause);
            async move {
                rest(pause).await;
                message
            }
        })
    }

    pub fn request<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        if let Some(deadline) = self.deadline {
            request.set_timeout(deadline);
        }
        if let Some(delay) = self.delay {
            request.metadata_mut().insert("x-delay-ms", MetadataValue::from(delay.as_millis() as u64));
        }
        if self.kind == Kind::Status {
            request.metadata_mut().insert("x-status", MetadataValue::from(Code::ResourceExhausted as i32));
        }
        request
    }
}

/// A pause, if it is one.
pub async fn rest(pause: Duration) {
    if !pause.is_zero() {
        sleep(pause).await;
    }
}
