//! What all handles of one connection share with its driver: the ready queue, the slots for requests, and the
//! wishes that concern the whole connection.
//!
//! Always true here: the ready queue holds at most one entry for each live stream, and none once the driver is
//! gone, since a mailbox and the queue hold each other; the driver is woken once, when it sleeps; no waker is
//! called under the lock; a slot that is freed reaches one that waits.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use crate::{
    config::Config,
    connection::{ConnectionStats, Side},
    error::{Error, ErrorCode, Mistake},
    memory::{Account, Pressure},
    stream_id::StreamId,
    sync::{
        Mutex, MutexGuard,
        atomic::{
            AtomicBool, AtomicU32, AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
};

use super::mailbox::{Mailbox, register};

/// One for each connection.
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    /// The connection's books, if its memory is limited.
    pub(crate) account: Option<Arc<Account>>,
    ready: Mutex<Ready>,
    /// Octets that handles released, as far as the driver has not fetched them.
    returned: AtomicUsize,
    /// Whether the peer is held back until octets are released: then the driver is woken for them.
    congested: AtomicBool,
    /// The smallest window that streams had so far: half of it, released, is worth telling the peer.
    smallest_window: AtomicU32,
}

/// What the driver fetches.
pub(crate) struct Ready {
    pub(crate) queue: Vec<Arc<Mailbox>>,
    pub(crate) wishes: Wishes,
    /// How many `SendRequest`s there are.
    pub(crate) senders: u32,
    figures: Figures,
    /// Whether the peer takes extended CONNECT.
    pub(crate) extended_connect: bool,
    /// How many streams the peer lets us open.
    pub(crate) max_streams: u32,
    driver: Option<Waker>,
    slots: Slots,
    next_id: Option<StreamId>,
    /// Why no request can be sent any more. Boxed, as all that idle connections do not have.
    over: Option<Box<Error>>,
    /// Whether nobody will look at the queue any more.
    gone: bool,
    pong: Option<Box<Waker>>,
}

/// Figures as the driver last saw them: [`ConnectionStats`], in fewer octets.
#[derive(Default)]
struct Figures {
    streams: u32,
    send_window: u32,
    recv_window: u32,
    /// In microseconds; 0 if it is not known.
    rtt: u32,
    unread: u64,
    octets_received: u64,
    octets_sent: u64,
}

/// What was wished of the connection as a whole.
#[derive(Default)]
pub(crate) struct Wishes {
    pub(crate) shutdown: bool,
    /// The last `SendRequest` was dropped.
    pub(crate) unused: bool,
    pub(crate) abort: Option<ErrorCode>,
    pub(crate) ping: Ping,
}

/// The application's PING.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ping {
    #[default]
    None,
    Wanted,
    InFlight,
    Answered,
}

/// How many requests may still be sent (RFC 9113 §5.1.2), and who waits for that.
struct Slots {
    /// Below zero after the peer lowered its limit, or when requests were queued without asking.
    free: i64,
    waiting: Option<Box<Waiting>>,
    next_ticket: u64,
}

/// In the order in which they are called, with their tickets. None is held when it is empty.
type Waiting = VecDeque<(u64, Waker)>;

impl Shared {
    pub(crate) fn new(config: Arc<Config>, side: Side, account: Option<Arc<Account>>) -> Arc<Self> {
        let max_streams = config.initial_max_send_streams;
        Arc::new(Shared {
            ready: Mutex::new(Ready {
                queue: Vec::new(),
                wishes: Wishes::default(),
                senders: 0,
                figures: Figures::default(),
                extended_connect: false,
                max_streams,
                driver: None,
                slots: Slots { free: i64::from(max_streams), waiting: None, next_ticket: 1 },
                next_id: (side == Side::Client).then_some(StreamId::new(1)),
                over: None,
                gone: false,
                pong: None,
            }),
            smallest_window: AtomicU32::new(config.initial_stream_window_size),
            config,
            account,
            returned: AtomicUsize::new(0),
            congested: AtomicBool::new(false),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Ready> {
        // Wakers are called outside, so nothing in here can panic half-way.
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a mailbox with wishes in the queue and wakes the driver if it sleeps.
    pub(super) fn push(&self, mailbox: Arc<Mailbox>) {
        // One that comes too late is dropped, and not under the lock.
        let _late = self.wish(|ready| match ready.gone {
            true => Some(mailbox),
            false => {
                ready.queue.push(mailbox);
                None
            }
        });
    }

    /// Changes something that the driver must hear of.
    pub(crate) fn wish<R>(&self, change: impl FnOnce(&mut Ready) -> R) -> R {
        let mut ready = self.lock();
        let result = change(&mut ready);
        let driver = ready.driver.take();
        drop(ready);
        if let Some(driver) = driver {
            driver.wake();
        }
        result
    }

    /// A request goes out: takes the next identifier, which it says, and, unless one was taken before, a slot.
    pub(super) fn open(&self, mailbox: &Arc<Mailbox>, has_slot: bool) -> Result<StreamId, Error> {
        self.wish(|ready| {
            if let Some(over) = ready.over() {
                return Err(over);
            }
            let id = ready.next_id.ok_or(Mistake::OutOfStreamIds)?;
            ready.next_id = id.next();
            if !has_slot {
                ready.slots.free -= 1;
            }
            let mut state = mailbox.lock();
            state.id = id;
            state.queued = true;
            drop(state);
            ready.queue.push(mailbox.clone());
            Ok(id)
        })
    }

    /// Octets were released: connection credit.
    pub(super) fn give_back(&self, octets: usize) {
        if octets == 0 {
            return;
        }
        // Sequentially consistent, as in `set_congested` and `sleep`: either we see that the driver wants to
        // know, or it sees what we returned.
        self.returned.fetch_add(octets, SeqCst);
        if self.congested.load(SeqCst) {
            self.wish(|_| ());
        }
    }

    /// The driver fetches what was released.
    pub(crate) fn take_returned(&self) -> usize {
        if self.returned.load(Relaxed) == 0 { 0 } else { self.returned.swap(0, SeqCst) }
    }

    /// The driver says whether it must be woken for releases. What was released just before is fetched by the
    /// look that follows.
    pub(crate) fn set_congested(&self, congested: bool) {
        if self.congested.load(Relaxed) != congested {
            self.congested.store(congested, SeqCst);
        }
    }

    /// How many octets of a body may wait to be sent before its source is not asked for more: one piece, while
    /// memory is short.
    pub(super) fn max_send_buffer(&self) -> usize {
        match &self.account {
            Some(account) if account.pressure() >= Pressure::Windows => 1,
            _ => self.config.max_send_buffer_size,
        }
    }

    /// The window of streams is to change.
    pub(crate) fn note_window(&self, octets: u32) {
        self.smallest_window.fetch_min(octets, Relaxed);
    }

    pub(super) fn smallest_window(&self) -> u32 {
        self.smallest_window.load(Relaxed)
    }

    /// The driver is about to sleep and leaves its figures: `false` if there is something to do first.
    pub(crate) fn sleep(&self, cx: &Context<'_>, stats: ConnectionStats) -> bool {
        let mut ready = self.lock();
        ready.figures = stats.into();
        if ready.has_work() || (self.congested.load(SeqCst) && self.returned.load(SeqCst) > 0) {
            return false;
        }
        register(&mut ready.driver, cx);
        true
    }

    /// Nothing is kept for wishes to come.
    pub(crate) fn shed(&self) {
        let mut ready = self.lock();
        if ready.queue.is_empty() {
            ready.queue = Vec::new();
        }
    }

    /// The driver goes on sleeping: `false` if there is something to do first.
    pub(crate) fn rest(&self, cx: &Context<'_>) -> bool {
        let mut ready = self.lock();
        if ready.has_work() {
            return false;
        }
        register(&mut ready.driver, cx);
        true
    }

    /// How many octets went over a connection whose driver sleeps and has no stream; `None` if it has anything to do, or
    /// was asked to end.
    pub(crate) fn idle_work(&self) -> Option<u64> {
        let ready = self.lock();
        let idle = ready.driver.is_some() && ready.figures.streams == 0 && !ready.has_work();
        idle.then(|| ready.figures.octets_received + ready.figures.octets_sent)
    }

    /// Figures as the driver last saw them.
    pub(super) fn stats(&self) -> ConnectionStats {
        (&self.lock().figures).into()
    }

    /// Waits for a slot for a request (RFC 9113 §5.1.2). `ticket` is 0 unless waiting.
    pub(super) fn poll_slot(&self, cx: &Context<'_>, ticket: &mut u64) -> Poll<Result<(), Error>> {
        let mut ready = self.lock();
        if let Some(over) = ready.over() {
            return Poll::Ready(Err(over));
        }
        if ready.slots.free > 0 {
            ready.slots.free -= 1;
            let ticket = std::mem::take(ticket);
            ready.slots.leave(ticket);
            return Poll::Ready(Ok(()));
        }
        ready.slots.wait(cx, ticket);
        Poll::Pending
    }

    /// A `SendRequest` goes: its slot, if it holds one, and its turn, if it was called, pass on.
    pub(super) fn leave_slots(&self, holds_slot: bool, ticket: u64) {
        if !holds_slot && ticket == 0 {
            return;
        }
        // The driver hears of it, for it watches over slots that nobody takes.
        let next = self.wish(|ready| {
            if holds_slot {
                ready.slots.free += 1;
            }
            ready.slots.leave(ticket);
            ready.slots.next()
        });
        next.into_iter().for_each(Waker::wake);
    }

    /// Whether a slot is free and somebody waits who was not called for it: one who was called has not come yet.
    pub(crate) fn has_idle_slot(&self) -> bool {
        let ready = self.lock();
        ready.slots.free > 0 && ready.slots.waiting.is_some()
    }

    /// Who was called does not come (it is kept, and asks no more): the next is called.
    pub(crate) fn call_next(&self) {
        let next = self.lock().slots.next();
        next.into_iter().for_each(Waker::wake);
    }

    /// Streams ended: their slots are free.
    pub(crate) fn free_slots(&self, count: usize) {
        if count == 0 {
            return;
        }
        let mut ready = self.lock();
        ready.slots.free += count as i64;
        let woken: Vec<Waker> = (0..count).map_while(|_| ready.slots.next()).collect();
        drop(ready);
        woken.into_iter().for_each(Waker::wake);
    }

    /// The peer's SETTINGS say how many streams it takes.
    pub(crate) fn set_remote_settings(&self, max_streams: u32, extended_connect: bool) {
        let mut ready = self.lock();
        ready.extended_connect = extended_connect;
        ready.slots.free += i64::from(max_streams) - i64::from(ready.max_streams);
        ready.max_streams = max_streams;
        let free = ready.slots.free.max(0) as usize;
        let woken: Vec<Waker> = (0..free).map_while(|_| ready.slots.next()).collect();
        drop(ready);
        woken.into_iter().for_each(Waker::wake);
    }

    /// No request can be sent any more; what was begun goes on.
    pub(crate) fn end(&self, error: Error) {
        let mut ready = self.lock();
        ready.over.get_or_insert_with(|| Box::new(error));
        let waiting = ready.slots.waiting.take();
        drop(ready);
        waiting.into_iter().flat_map(|waiting| *waiting).for_each(|(_, waker)| waker.wake());
    }

    /// The driver goes, and takes what is left in the queue.
    pub(crate) fn close(&self, error: Error) -> Vec<Arc<Mailbox>> {
        self.end(error);
        let mut ready = self.lock();
        ready.gone = true;
        let (left, pong, _driver) =
            (std::mem::take(&mut ready.queue), ready.pong.take(), ready.driver.take());
        drop(ready);
        pong.into_iter().for_each(|pong| pong.wake());
        left
    }

    /// Why no request can be sent any more, if so.
    pub(super) fn over(&self) -> Option<Error> {
        self.lock().over()
    }

    /// The answer to the application's PING came.
    pub(crate) fn answer_ping(&self) {
        let mut ready = self.lock();
        ready.wishes.ping = Ping::Answered;
        let pong = ready.pong.take();
        drop(ready);
        pong.into_iter().for_each(|pong| pong.wake());
    }

    pub(super) fn send_ping(&self) -> Result<(), Error> {
        self.wish(|ready| match (ready.gone(), ready.wishes.ping) {
            (Some(over), _) => Err(over),
            (None, Ping::None) => {
                ready.wishes.ping = Ping::Wanted;
                Ok(())
            }
            _ => Err(Mistake::PingInFlight.into()),
        })
    }

    pub(super) fn poll_pong(&self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        let mut ready = self.lock();
        if ready.wishes.ping == Ping::Answered {
            ready.wishes.ping = Ping::None;
            return Poll::Ready(Ok(()));
        }
        if let Some(over) = ready.gone() {
            return Poll::Ready(Err(over));
        }
        ready.pong = Some(Box::new(cx.waker().clone()));
        Poll::Pending
    }
}

impl Ready {
    /// Why the connection is gone, if it is.
    fn gone(&self) -> Option<Error> {
        self.over().filter(|_| self.gone)
    }

    /// Why no request can be sent any more, if so.
    fn over(&self) -> Option<Error> {
        self.over.as_deref().cloned()
    }

    /// The driver is awake and will look again before it sleeps: nobody needs to wake it.
    pub(crate) fn driver_is_awake(&mut self) {
        self.driver = None;
    }

    fn has_work(&self) -> bool {
        let Wishes { shutdown, unused, abort, ping } = &self.wishes;
        !self.queue.is_empty() || *shutdown || *unused || abort.is_some() || *ping == Ping::Wanted
    }
}

impl From<ConnectionStats> for Figures {
    fn from(stats: ConnectionStats) -> Self {
        let rtt = stats.rtt.map_or(0, |rtt| rtt.as_micros().max(1));
        Figures {
            streams: stats.streams as u32,
            send_window: stats.send_window,
            recv_window: stats.recv_window,
            rtt: u32::try_from(rtt).unwrap_or(u32::MAX),
            unread: stats.unread,
            octets_received: stats.octets_received,
            octets_sent: stats.octets_sent,
        }
    }
}

impl From<&Figures> for ConnectionStats {
    fn from(figures: &Figures) -> Self {
        ConnectionStats {
            streams: figures.streams as usize,
            send_window: figures.send_window,
            recv_window: figures.recv_window,
            rtt: (figures.rtt > 0).then(|| Duration::from_micros(figures.rtt.into())),
            unread: figures.unread,
            octets_received: figures.octets_received,
            octets_sent: figures.octets_sent,
        }
    }
}

impl Slots {
    fn wait(&mut self, cx: &Context<'_>, ticket: &mut u64) {
        let waiting = self.waiting.get_or_insert_default();
        match waiting.iter_mut().find(|(waiting, _)| waiting == ticket) {
            Some((_, waker)) => waker.clone_from(cx.waker()),
            // It was called and came too late: it goes before those who have not been called.
            None if *ticket != 0 => waiting.push_front((*ticket, cx.waker().clone())),
            None => {
                *ticket = self.next_ticket;
                self.next_ticket += 1;
                waiting.push_back((*ticket, cx.waker().clone()));
            }
        }
    }

    fn leave(&mut self, ticket: u64) {
        let Some(waiting) = self.waiting.as_mut().filter(|_| ticket != 0) else { return };
        waiting.retain(|(waiting, _)| *waiting != ticket);
        self.forget_if_empty();
    }

    /// Whose turn it is, if there is a free slot. It is called once; it takes the slot when it polls, or passes
    /// its turn on when it goes.
    fn next(&mut self) -> Option<Waker> {
        if self.free <= 0 {
            return None;
        }
        let (_, waker) = self.waiting.as_mut()?.pop_front()?;
        self.forget_if_empty();
        Some(waker)
    }

    fn forget_if_empty(&mut self) {
        if self.waiting.as_ref().is_some_and(|waiting| waiting.is_empty()) {
            self.waiting = None;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_a_connection_shares_is_small() {
        assert!(size_of::<Shared>() <= 208, "{}", size_of::<Shared>());
    }
}
