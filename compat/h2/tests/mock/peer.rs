//! The peer: what it says and what it expects to hear.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    sync::{Arc, Mutex, MutexGuard},
    task::Poll,
    time::Duration,
};

use millpond::hpack::{DEFAULT_TABLE_SIZE, Decoder};

use super::{
    codec::{self, Parts},
    frame::*,
    pipe::{Pipe, Wire},
};

/// How long we wait for what must come: a busy machine may stall for seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Turns that everyone else gets before a silence counts as one.
const TURNS: usize = 32;

/// A new wire: the endpoint's end and the peer at the other.
pub fn pipe() -> (Pipe, Peer) {
    let wire = Arc::new(Mutex::new(Wire::default()));
    let peer = Peer {
        wire: wire.clone(),
        decoder: Decoder::new(DEFAULT_TABLE_SIZE),
        unacknowledged: VecDeque::new(),
        fragments: Vec::new(),
    };
    (Pipe(wire), peer)
}

/// The output of a future that must be ready soon.
#[track_caller]
pub fn within<F: Future>(what: &str, future: F) -> impl Future<Output = F::Output> {
    let place = std::panic::Location::caller();
    async move {
        let Ok(output) = tokio::time::timeout(PATIENCE, future).await else {
            panic!("{place}: waited in vain for {what}");
        };
        output
    }
}

/// Lets all other tasks do what they can do without us.
pub async fn turns() {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
}

/// A peer that does exactly what the test says.
#[derive(Debug)]
pub struct Peer {
    wire: Arc<Mutex<Wire>>,
    decoder: Decoder,
    /// HEADER_TABLE_SIZE in each SETTINGS that the endpoint has not acknowledged.
    unacknowledged: VecDeque<Option<u32>>,
    fragments: Vec<usize>,
}

impl Peer {
    /// Opens the connection as a server, with these settings; gives the client's.
    #[track_caller]
    pub fn be_server(&mut self, values: &[(u16, u32)]) -> impl Future<Output = Vec<(u16, u32)>> {
        self.send(settings(values));
        let preface = self.expect_preface();
        let place = std::panic::Location::caller();
        async move {
            preface.await;
            self.acknowledge(place).await
        }
    }

    /// Opens the connection as a client, with these settings; gives the server's.
    #[track_caller]
    pub fn be_client(&mut self, values: &[(u16, u32)]) -> impl Future<Output = Vec<(u16, u32)>> {
        self.send_octets(PREFACE);
        self.send(settings(values));
        self.acknowledge(std::panic::Location::caller())
    }

    /// Hears the endpoint's SETTINGS, acknowledges them, hears its acknowledgement of ours.
    async fn acknowledge(&mut self, place: &std::panic::Location<'_>) -> Vec<(u16, u32)> {
        let values = match self.next().await {
            Some(Frame::Settings(values)) => values,
            other => panic!("{place}: expected SETTINGS, heard {other:?}"),
        };
        self.send(settings_ack());
        assert_eq!(self.next().await, Some(settings_ack()), "{place}");
        values
    }

    /// Hears the client connection preface.
    #[track_caller]
    pub fn expect_preface(&self) -> impl Future<Output = ()> + use<> {
        let wire = self.wire.clone();
        within("the client preface", async move {
            let preface = poll_fn(|cx| {
                let mut wire = wire.lock().unwrap();
                if wire.outbound.len() >= PREFACE.len() {
                    return Poll::Ready(wire.outbound.drain(..PREFACE.len()).collect::<Vec<_>>());
                }
                assert!(!wire.outbound_ended, "the wire ended in the preface: {:?}", wire.outbound);
                wire.peer = Some(cx.waker().clone());
                Poll::Pending
            });
            assert_eq!(preface.await, PREFACE);
        })
    }

    /// Says a frame.
    pub fn send(&mut self, frame: Frame) {
        if let Frame::Settings(values) = &frame {
            let size = values.iter().rev().find(|(id, _)| *id == HEADER_TABLE_SIZE);
            self.unacknowledged.push_back(size.map(|(_, octets)| *octets));
        }
        self.send_octets(&codec::write(&frame));
    }

    /// Says octets of any kind.
    pub fn send_octets(&mut self, octets: &[u8]) {
        let mut wire = self.wire();
        wire.inbound.extend_from_slice(octets);
        wire.wake_endpoint();
    }

    /// Hears this frame, and no other before it.
    #[track_caller]
    pub fn expect(&mut self, frame: Frame) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        let next = self.next();
        async move {
            let heard = next.await;
            let same = heard.as_ref().is_some_and(|heard| heard.canonical() == frame.canonical());
            assert!(same, "{place}:\nexpected {frame:?}\n   heard {}", Heard(heard));
        }
    }

    /// Hears the end of the wire, and nothing before it.
    #[track_caller]
    pub fn expect_end(&mut self) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        let next = self.next();
        async move {
            let heard = next.await;
            assert!(heard.is_none(), "{place}:\nexpected the end\n   heard {}", Heard(heard));
        }
    }

    /// Hears nothing, although everyone had a chance to speak.
    #[track_caller]
    pub fn idle(&mut self) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            turns().await;
            if self.unread() > 0 {
                let heard = self.next().await;
                panic!("{place}:\nexpected silence\n   heard {}", Heard(heard));
            }
        }
    }

    /// The next frame; `None` is the end of the wire.
    #[track_caller]
    pub fn next(&mut self) -> impl Future<Output = Option<Frame>> {
        within("a frame", poll_fn(|cx| self.poll_next(cx)))
    }

    fn poll_next(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Option<Frame>> {
        let mut wire = self.wire.lock().unwrap();
        let Some((parts, fragments, octets)) = whole(&wire.outbound) else {
            if wire.outbound_ended {
                assert!(wire.outbound.is_empty(), "the wire ended within a frame: {:?}", wire.outbound);
                return Poll::Ready(None);
            }
            wire.peer = Some(cx.waker().clone());
            return Poll::Pending;
        };
        wire.outbound.drain(..octets);
        drop(wire);
        if !fragments.is_empty() {
            self.fragments = fragments;
        }
        let frame = parts.read(|block| codec::decode(&mut self.decoder, block));
        if frame == Frame::SettingsAck
            && let Some(octets) = self.unacknowledged.pop_front().flatten()
        {
            self.decoder.set_table_size_limit(octets);
        }
        Poll::Ready(Some(frame))
    }

    /// The payload sizes of the frames, HEADERS and CONTINUATION, that carried the last field block.
    pub fn fragments(&self) -> &[usize] {
        &self.fragments
    }

    /// The octets that the endpoint has written and we have not heard.
    pub fn unread(&self) -> usize {
        self.wire().outbound.len()
    }

    /// How many times the endpoint has written.
    pub fn writes(&self) -> usize {
        self.wire().writes
    }

    /// From now on the endpoint's writes are pending.
    pub fn hold_writes(&mut self) {
        self.allow_writes(0);
    }

    /// The endpoint may write this many octets more; then its writes are pending.
    pub fn allow_writes(&mut self, octets: usize) {
        let mut wire = self.wire();
        wire.allowance = Some(octets);
        wire.wake_endpoint();
    }

    /// The endpoint may write as it likes.
    pub fn release_writes(&mut self) {
        let mut wire = self.wire();
        wire.allowance = None;
        wire.wake_endpoint();
    }

    /// From now on the endpoint's writes fail.
    pub fn break_writes(&mut self, kind: io::ErrorKind) {
        let mut wire = self.wire();
        wire.write_fault = Some(kind);
        wire.wake_endpoint();
    }

    /// The endpoint's reads fail after what has been sent.
    pub fn break_reads(&mut self, kind: io::ErrorKind) {
        let mut wire = self.wire();
        wire.read_fault = Some(kind);
        wire.wake_endpoint();
    }

    /// Ends our side: the endpoint reads the end of the wire. We can still listen.
    pub fn close(&mut self) {
        let mut wire = self.wire();
        wire.inbound_ended = true;
        wire.wake_endpoint();
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // A test that fails with the lock held has said why already.
        if let Ok(mut wire) = self.wire.lock() {
            wire.inbound_ended = true;
            wire.peer_gone = true;
            wire.wake_endpoint();
        }
    }
}

/// The first frame in `octets`, its field block joined; the sizes of the block's parts; the octets it takes.
fn whole(octets: &[u8]) -> Option<(Parts, Vec<usize>, usize)> {
    let (mut parts, mut taken) = Parts::parse(octets)?;
    if !matches!(parts.kind, HEADERS | PUSH_PROMISE) {
        return Some((parts, Vec::new(), taken));
    }
    let mut fragments = vec![parts.payload.len()];
    let mut payload = parts.payload.to_vec();
    while parts.flags & END_HEADERS == 0 {
        let (more, size) = Parts::parse(&octets[taken..])?;
        assert_eq!((more.kind, more.stream), (CONTINUATION, parts.stream), "within a field block");
        parts.flags |= more.flags & END_HEADERS;
        fragments.push(more.payload.len());
        payload.extend_from_slice(&more.payload);
        taken += size;
    }
    parts.payload = payload.into();
    Some((parts, fragments, taken))
}

/// What was heard, in words.
struct Heard(Option<Frame>);

impl std::fmt::Display for Heard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(frame) => write!(f, "{frame:?}"),
            None => f.write_str("the end of the wire"),
        }
    }
}
