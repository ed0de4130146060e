//! What a connection and its handles share, behind one lock, as in h2.
//!
//! A handle's call goes straight to the connection, so that its effect on capacity, windows and errors can be seen when
//! the call returns. Always true here: after each call the events of the connection are drained; no waker is called
//! under the lock; the task of the connection is woken when there is something to write, and only then; a slot lives
//! as long as the connection knows its stream, or a handle, or the queue of requests.

mod calls;
mod events;
mod wakers;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::Request;
use millpond::{
    Config, ErrorCode,
    buffer::BufferPool,
    connection::{Connection, Side},
};
use slab::Slab;

use self::wakers::Wakers;
use crate::{
    Error, Reason, StreamId,
    budget::Budget,
    config::Options,
    drive::CROWD,
    error::{Cause, Initiator, UserError},
    slot::{Head, Slot, register},
};

/// The lock.
#[derive(Debug)]
pub(crate) struct Shared {
    inner: Mutex<Inner>,
    pub(crate) pool: BufferPool,
}

/// What is behind it.
pub(crate) struct Inner {
    pub(crate) connection: Connection,
    side: Side,
    slots: Slab<Slot>,
    /// Slots by [`StreamKey::index`].
    places: Vec<u32>,
    /// Requests to be accepted.
    accept: VecDeque<u32>,
    /// How many of them the peer has reset since.
    reset_unaccepted: usize,
    max_reset_unaccepted: usize,
    max_send_buffer: u32,
    pub(crate) budget: Budget,
    /// `SendRequest`s and handles of streams.
    refs: usize,
    next_id: Option<millpond::StreamId>,
    pub(crate) max_send_streams: usize,
    max_recv_streams: usize,
    pub(crate) extended_connect: bool,
    /// Why no request can be sent any more.
    over: Option<Cause>,
    /// Whether the connection's failure stands there.
    failed: bool,
    /// What the peer's GOAWAY said.
    pub(crate) goaway: Option<(Bytes, Reason)>,
    /// The application has ended the connection.
    by_user: bool,
    ping: Ping,
    ponged: Option<Waker>,
    /// The connection's task, and whether it sleeps.
    task: Option<Waker>,
    asleep: bool,
    wakers: Wakers,
    /// The task must look, whether or not there is something to write.
    wake_task: bool,
    /// The socket takes no more for now: it will wake the task itself.
    blocked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ping {
    None,
    InFlight,
    Answered,
    Gone,
}

/// A stream's error when the socket has ended, or the connection was dropped.
const STREAM_BROKEN: &str = "stream closed because of a broken pipe";
/// A new request's.
const CONNECTION_BROKEN: &str = "connection closed because of a broken pipe";

impl Shared {
    pub(crate) fn new(side: Side, config: Arc<Config>, options: &Options) -> Arc<Self> {
        let pool = BufferPool::global();
        // Time only moves budgets here; the driver gives it with each read and write.
        let connection = Connection::new(side, config, std::time::Instant::now());
        Arc::new(Shared {
            inner: Mutex::new(Inner {
                next_id: match side {
                    Side::Client => Some(millpond::StreamId::new(options.first_stream)),
                    Side::Server => None,
                },
                connection,
                side,
                slots: Slab::new(),
                places: Vec::new(),
                accept: VecDeque::new(),
                reset_unaccepted: 0,
                max_reset_unaccepted: options.max_pending_accept_reset_streams,
                max_send_buffer: u32::try_from(options.max_send_buffer_size).unwrap_or(u32::MAX),
                budget: Budget::new(options.data_frame_budget, options.connection_window.unwrap_or(65_535)),
                refs: 0,
                // A server may send none, without push, until the client has said otherwise.
                max_send_streams: if side == Side::Server { 0 } else { options.initial_max_send_streams },
                max_recv_streams: options
                    .settings
                    .max_concurrent_streams
                    .map_or(usize::MAX, |max| max as usize),
                extended_connect: false,
                over: None,
                failed: false,
                goaway: None,
                by_user: false,
                ping: Ping::None,
                ponged: None,
                task: None,
                asleep: false,
                wakers: Wakers::default(),
                wake_task: false,
                blocked: false,
            }),
            pool,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks, and changes nothing that anyone waits for.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&mut Inner) -> R) -> R {
        look(&mut self.lock())
    }

    /// Works under the lock; then the events are drained and whoever is concerned is woken.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut Inner) -> R) -> R {
        let mut inner = self.lock();
        let result = work(&mut inner);
        inner.settle(&self.pool);
        let wakers = inner.wakers.take();
        // A task that is awake looks before it sleeps.
        let task = match inner.asleep && (inner.wake_task || inner.is_writable()) {
            true => {
                inner.awake();
                inner.task.clone()
            }
            false => None,
        };
        drop(inner);
        if let Some(wakers) = wakers {
            wakers.wake();
        }
        task.into_iter().for_each(Waker::wake);
        result
    }
}

/// The connection itself.
impl Inner {
    /// Why the connection failed or was ended, as its own future says it; `None` if it ended well.
    pub(crate) fn outcome(&mut self) -> Option<Error> {
        let failure = self.connection.failure().cloned();
        if let Some((debug, reason)) = self.goaway.take()
            && reason != Reason::NO_ERROR
        {
            return Some(Cause::GoAway(debug, reason, Initiator::Remote).into());
        }
        if self.by_user {
            return None;
        }
        match Cause::new(&failure?, StreamId::ZERO, false) {
            // A socket that failed is told apart by the driver; this one has only ended.
            Cause::GoAway(_, Reason::NO_ERROR, _) | Cause::Io(..) => None,
            // What was wrong in detail is said to the streams.
            Cause::GoAway(_, reason, initiator) => {
                Some(Cause::GoAway(Bytes::new(), reason, initiator).into())
            }
            other => Some(other.into()),
        }
    }

    /// The octets of the socket have ended between two frames, or the connection is dropped.
    pub(crate) fn end(&mut self) {
        self.over.get_or_insert_with(|| Cause::broken_pipe(CONNECTION_BROKEN));
        let error = std::io::Error::new(std::io::ErrorKind::BrokenPipe, STREAM_BROKEN);
        self.connection.handle_io_error(error);
    }

    /// The socket failed.
    pub(crate) fn fail(&mut self, error: &std::io::Error) {
        self.over.get_or_insert_with(|| Cause::io(error));
        let same = match Cause::io(error) {
            Cause::Io(kind, Some(text)) => std::io::Error::new(kind, &*text),
            _ => error.kind().into(),
        };
        self.connection.handle_io_error(same);
    }

    /// Nobody drives the connection any more: what waits for a PING hears of it.
    pub(crate) fn abandon(&mut self) {
        self.end();
        self.ping = Ping::Gone;
        self.wakers.extend(self.ponged.take());
        self.reset_unaccepted = 0;
        // Requests that nobody will accept now.
        for place in std::mem::take(&mut self.accept) {
            if let Some(slot) = self.slots.get_mut(place as usize) {
                slot.unaccepted = false;
                self.forget_unused(place);
            }
        }
    }

    /// The application ends the connection at once.
    pub(crate) fn abort(&mut self, reason: Reason) {
        self.by_user = true;
        self.connection.abort(reason.into());
        self.wake_task = true;
    }

    /// The connection is of no use any more: GOAWAY, and that is it.
    pub(crate) fn close(&mut self) {
        self.connection.abort(ErrorCode::NO_ERROR);
    }

    pub(crate) fn has_streams(&self) -> bool {
        self.connection.concurrent_streams() != (0, 0) || self.connection.has_resets()
    }

    /// Whether many streams share the connection, and it goes on.
    pub(crate) fn is_crowded(&self) -> bool {
        self.slots.len() >= CROWD && self.connection.failure().is_none()
    }

    /// Whether a client's connection can still be of use.
    pub(crate) fn is_used(&self) -> bool {
        self.has_streams() || self.refs > 0
    }

    /// How many streams the connection or a handle knows.
    #[cfg(feature = "unstable")]
    pub(crate) fn wired_streams(&self) -> usize {
        self.slots.len()
    }

    /// How many streams the peer may have open at once.
    pub(crate) fn max_recv_streams(&self) -> usize {
        self.max_recv_streams
    }

    /// Whether it ends with its last stream.
    pub(crate) fn closes_when_idle(&self) -> bool {
        self.goaway.is_some() || self.connection.is_last_stream_named()
    }

    /// Whether nobody can complain if the socket ends without ceremony: a server, or a client whose peer has said
    /// goodbye.
    pub(crate) fn may_end(&self) -> bool {
        let goodbye = matches!(&self.goaway, Some((_, Reason::NO_ERROR)));
        self.side == Side::Server || goodbye
    }

    /// Whether there is something to write, and a socket that takes it.
    pub(crate) fn is_writable(&self) -> bool {
        !self.blocked && self.connection.wants_transmit()
    }

    /// The task sleeps until something is to be written.
    pub(crate) fn sleep(&mut self, cx: &Context<'_>, blocked: bool) {
        self.blocked = blocked;
        self.asleep = true;
        register(&mut self.task, cx);
    }

    /// The task is awake: nobody needs to wake it.
    pub(crate) fn awake(&mut self) {
        self.asleep = false;
        self.wake_task = false;
        self.blocked = false;
    }

    /// Quiescence: what once held many streams must not stay large.
    fn shrink(&mut self) {
        (self.slots, self.places, self.accept) = (Slab::new(), Vec::new(), VecDeque::new());
    }

    /// The next request, and the slot of its stream.
    pub(crate) fn next_request(&mut self) -> Option<(u32, Request<()>)> {
        loop {
            let place = self.accept.pop_front()?;
            let Some(slot) = self.slots.get_mut(place as usize) else { continue };
            slot.unaccepted = false;
            if slot.is_remote_reset() {
                self.reset_unaccepted -= 1;
            }
            if let Some(Head::Request(head)) = slot.head.take() {
                return Some((place, *head));
            }
        }
    }

    pub(crate) fn set_target_window_size(&mut self, octets: u32) {
        self.connection.set_target_window_size(octets);
        self.budget.follow(octets);
    }

    pub(crate) fn set_initial_window_size(&mut self, octets: u32) -> Result<(), UserError> {
        self.check_settled()?;
        self.connection.set_initial_window_size(octets);
        Ok(())
    }

    pub(crate) fn enable_connect_protocol(&mut self) -> Result<(), UserError> {
        self.check_settled()?;
        self.connection.enable_connect_protocol();
        Ok(())
    }

    fn check_settled(&self) -> Result<(), UserError> {
        if self.connection.is_settled() { Ok(()) } else { Err(UserError::SendSettingsWhilePending) }
    }

    pub(crate) fn send_ping(&mut self) -> Result<(), Error> {
        match self.ping {
            Ping::None => {
                self.ping = Ping::InFlight;
                self.connection.ping();
                Ok(())
            }
            Ping::Gone => Err(Cause::Io(std::io::ErrorKind::BrokenPipe, None).into()),
            Ping::InFlight | Ping::Answered => Err(UserError::SendPingWhilePending.into()),
        }
    }

    pub(crate) fn poll_pong(&mut self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        match self.ping {
            Ping::Answered => {
                self.ping = Ping::None;
                Poll::Ready(Ok(()))
            }
            Ping::Gone => Poll::Ready(Err(Cause::Io(std::io::ErrorKind::BrokenPipe, None).into())),
            Ping::None | Ping::InFlight => {
                register(&mut self.ponged, cx);
                Poll::Pending
            }
        }
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("streams", &self.slots.len())
            .field("refs", &self.refs)
            .finish_non_exhaustive()
    }
}

const NOWHERE: u32 = u32::MAX;
