//! The sorting office: wishes from mailboxes to the connection, events from the connection to mailboxes.
//!
//! Always true here: events are drained after each mailbox, so that a key is never used for two streams at
//! once; wakers are called when nothing is locked; the table of mailboxes is empty when no stream is open and
//! then holds the memory of a burst until the connection rests, or of few, or none.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Waker},
    time::Instant,
};

use http::Request;

use crate::{
    buffer::BufferPool,
    connection::{Connection, Event, Side, StreamKey},
    error::{Error, ErrorCode, Fault, Misdeed, Origin},
    handle::{Delivered, Mailbox, MailboxState, Ping, RecvStream, SendResponse, Shared},
    memory::{Pressure, Waiter},
    stream::SendQueue,
};

/// A request and the way to answer it.
pub(crate) struct Incoming {
    /// Where the connection has put it: it is large, and may wait.
    pub(crate) head: Box<Request<()>>,
    pub(crate) body: RecvStream,
    pub(crate) respond: SendResponse,
}

/// A connection with the mailboxes of its streams.
pub(crate) struct Post {
    pub(crate) connection: Connection,
    pub(crate) shared: Arc<Shared>,
    pub(crate) side: Side,
    /// By [`StreamKey::index`].
    mailboxes: Vec<Option<Arc<Mailbox>>>,
    open: usize,
    /// Requests that were not accepted yet: at most MAX_CONCURRENT_STREAMS.
    pub(crate) incoming: VecDeque<Incoming>,
    wakers: Vec<Waker>,
    /// Takes the place of the ready queue when that is emptied; itself empty.
    emptied: Vec<Arc<Mailbox>>,
    freed_slots: usize,
    /// Why the peer goes away, if it said so.
    going_away: Option<Error>,
    /// Stands in the list of the memory budget while that holds the peer back.
    relief: Option<Box<Waiter>>,
}

impl Post {
    pub(crate) fn new(connection: Connection, shared: Arc<Shared>, side: Side) -> Self {
        Post {
            connection,
            shared,
            side,
            mailboxes: Vec::new(),
            open: 0,
            incoming: VecDeque::new(),
            wakers: Vec::new(),
            emptied: Vec::new(),
            freed_slots: 0,
            going_away: None,
            relief: None,
        }
    }

    /// Takes what handles wish to the connection. Whether there was anything.
    pub(crate) fn collect(&mut self, now: Instant) -> bool {
        self.connection.note_time(now);
        self.connection.heed_pressure();
        let returned = self.shared.take_returned();
        if returned > 0 {
            self.connection.release_connection(returned);
        }
        let emptied = std::mem::take(&mut self.emptied);
        let (mut queue, shutdown, unused, abort, ping) = {
            let mut ready = self.shared.lock();
            ready.driver_is_awake();
            let wishes = &mut ready.wishes;
            let ping = wishes.ping == Ping::Wanted;
            if ping {
                wishes.ping = Ping::InFlight;
            }
            let (shutdown, abort) = (std::mem::take(&mut wishes.shutdown), wishes.abort.take());
            let unused = std::mem::take(&mut wishes.unused);
            (std::mem::replace(&mut ready.queue, emptied), shutdown, unused, abort, ping)
        };
        let any = returned > 0 || !queue.is_empty() || shutdown || unused || abort.is_some() || ping;
        for mailbox in queue.drain(..) {
            self.collect_from(&mailbox);
            self.deliver();
        }
        if queue.capacity() <= LONG_QUEUE {
            self.emptied = queue;
        }
        if ping {
            self.connection.ping();
        }
        if shutdown {
            self.connection.shutdown();
        }
        if let Some(code) = abort {
            self.connection.abort(code);
        }
        any
    }

    fn collect_from(&mut self, mailbox: &Arc<Mailbox>) {
        // Dropped after the lock: what is in it is the application's.
        let mut queue = SendQueue::new();
        let mut state = mailbox.lock();
        state.queued = false;
        if state.closed {
            return;
        }
        std::mem::swap(&mut queue, &mut state.outbox.queue);
        let key = match state.key {
            Some(key) => key,
            None => {
                let abandoned = state.handles == 0 || state.outbox.reset.is_some();
                let opened = (!abandoned).then(|| self.connection.open(state.id, &mut queue));
                let Some(Ok(key)) = opened else {
                    // Given up before it began, or too late: nothing was sent.
                    if let Some(Err(error)) = opened {
                        let _empty = state.fail(error);
                    }
                    state.closed = true;
                    self.freed_slots += usize::from(state.local);
                    self.wakers.extend(state.take_wakers().into_iter().flatten());
                    return;
                };
                state.key = Some(key);
                let _fits = state.inbox.charge();
                self.place(key, mailbox.clone());
                key
            }
        };
        let outbox = &mut state.outbox;
        if let Some(code) = outbox.reset.take() {
            drop(state);
            return self.connection.reset(key, code);
        }
        let (give_back, reserve) = (std::mem::take(&mut outbox.give_back), outbox.reserve.take());
        let released = std::mem::take(&mut state.inbox.released);
        let abandoned = state.handles == 0;
        drop(state);
        if !queue.is_empty() {
            self.connection.send(key, &mut queue);
        }
        // First what is wanted, or what is given back would come straight back to this stream.
        if let Some(octets) = reserve {
            self.connection.reserve(key, octets);
        }
        if give_back > 0 {
            self.connection.give_back(key, give_back);
        }
        if released > 0 {
            self.connection.release(key, released);
        }
        if abandoned {
            self.connection.abandon(key);
        }
    }

    /// The window of each stream is to change. What was released and is not half of the old window may be all of
    /// the new one: it is told now.
    pub(crate) fn set_initial_window_size(&mut self, octets: u32) {
        self.shared.note_window(octets);
        for mailbox in self.mailboxes.iter().flatten() {
            let mut state = mailbox.lock();
            let released = std::mem::take(&mut state.inbox.released);
            if let Some(key) = state.key.filter(|_| released > 0) {
                self.connection.release(key, released);
            }
        }
        self.connection.set_initial_window_size(octets);
    }

    /// Takes events to mailboxes. Whether there was any.
    pub(crate) fn deliver(&mut self) -> bool {
        let mut any = false;
        while let Some(event) = self.connection.poll_event() {
            any = true;
            self.deliver_one(event);
        }
        any
    }

    fn deliver_one(&mut self, event: Event) {
        match event {
            Event::Request { key, stream, head, end_stream } => {
                let mailbox = Arc::new(Mailbox::new(self.shared.clone(), stream, false));
                {
                    let mut state = mailbox.lock();
                    state.key = Some(key);
                    state.opened = true;
                    state.inbox.ended = end_stream;
                    // What is there already is counted as far as it fits.
                    let _fits = state.inbox.charge();
                }
                let (body, respond) = SendResponse::accept(mailbox.clone());
                self.place(key, mailbox);
                self.incoming.push_back(Incoming { head, body, respond });
            }
            Event::Informational { key, head } => self.put(key, |state, _| {
                let heads = state.inbox.informational.get_or_insert_default();
                // A peer may send them without end; the application sees the last few.
                if heads.len() == MAX_INFORMATIONAL {
                    heads.pop_front();
                }
                heads.push_back(*head);
            }),
            Event::Response { key, head, end_stream } => self.put(key, |state, _| {
                state.inbox.answer.put_head(head);
                state.inbox.ended |= end_stream;
            }),
            Event::Data { key, piece, end_stream, .. } => {
                let mut discarded = 0;
                self.put(key, |state, pool| {
                    state.inbox.ended |= end_stream;
                    if let Delivered::Discarded { octets } = state.deliver(piece, pool) {
                        discarded = octets;
                    }
                });
                if discarded > 0 {
                    self.connection.release(key, discarded as u32);
                    self.connection.release_connection(discarded);
                }
            }
            Event::Trailers { key, trailers } => self.put(key, |state, _| {
                state.inbox.answer.put_trailers(trailers);
                state.inbox.ended = true;
            }),
            Event::Reset { key, error } => {
                let error = match &self.going_away {
                    // The socket ended because the peer had gone.
                    Some(reason) if error.is_io() => reason.clone(),
                    _ => error,
                };
                self.fail(key, error);
            }
            Event::Opened { key } => {
                let Some(Some(mailbox)) = self.mailboxes.get(key.index()) else { return };
                let mut state = mailbox.lock();
                state.opened = true;
                self.wakers.extend(state.sender.take());
            }
            Event::Sent { key, octets } => {
                let max = self.shared.config.max_send_buffer_size;
                self.tell_writer(key, |state| state.outbox.sent(octets, max));
            }
            Event::Capacity { key, octets } => self.tell_writer(key, |state| {
                state.outbox.capacity += octets;
                state.outbox.capacity_grew = true;
            }),
            Event::Closed { key } => self.remove(key),
            Event::RemoteSettings { max_concurrent_streams, enable_connect_protocol } => {
                self.shared.set_remote_settings(max_concurrent_streams, enable_connect_protocol);
            }
            Event::Pong => self.shared.answer_ping(),
            Event::GoAway { code, debug } => {
                let error = Error::unprocessed(Origin::Peer, code, debug.clone());
                self.shared.end(error);
                if code != ErrorCode::NO_ERROR {
                    self.going_away = Some(Error::go_away(Origin::Peer, code, debug));
                }
            }
        }
    }

    /// Calls the wakers that were gathered and frees the slots of streams that ended.
    pub(crate) fn wake(&mut self) {
        self.shared.free_slots(std::mem::take(&mut self.freed_slots));
        // Called twice in every round, and most often there are none.
        if !self.wakers.is_empty() {
            self.wakers.drain(..).for_each(Waker::wake);
        }
        if let Some(budget) = self.shared.account.as_ref().and_then(|account| account.budget()) {
            budget.tell_of_charges();
        }
    }

    /// Ready to sleep: gives back memory that a burst left, and says whether there is nothing to do first.
    ///
    /// `is_to_rest`: the connection would rest, were it not for what is still unread of streams that have ended.
    pub(crate) fn sleep(&mut self, cx: &Context<'_>, is_to_rest: bool) -> bool {
        if self.open == 0 {
            self.shed();
        }
        let stats = self.connection.stats();
        // Before the last look: from here on whoever releases octets wakes the driver, if the peer is held back, or
        // there is nothing else to wait for.
        self.shared.set_congested(self.connection.is_congested() || (is_to_rest && stats.unread > 0));
        self.may_wait_for_relief(cx) && self.shared.sleep(cx, stats)
    }

    /// No stream is open: what is kept for the next burst is given back, unless the connection is to rest soon.
    fn shed(&mut self) {
        let kept = self.connection.kept_places();
        self.connection.shed();
        if self.mailboxes.capacity().max(self.wakers.capacity()) > kept {
            self.mailboxes = Vec::new();
            self.wakers = Vec::new();
        }
        if self.incoming.is_empty() && self.incoming.capacity() > kept {
            self.incoming = VecDeque::new();
        }
        if kept < LONG_QUEUE {
            self.emptied = Vec::new();
            self.shared.shed();
        }
    }

    /// Sees to it that the driver is woken when the budget has room again, if the peer is held back by it. `false`: it
    /// has already. The connection's own limit needs no such list: what its readers release wakes the driver.
    fn may_wait_for_relief(&mut self, cx: &Context<'_>) -> bool {
        let account = self.shared.account.as_ref().filter(|_| self.connection.is_squeezed());
        let shared = account.filter(|account| account.own_pressure() < Pressure::Windows);
        let Some(budget) = shared.and_then(|account| account.budget()) else {
            self.relief = None;
            return true;
        };
        let waiter = self.relief.get_or_insert_with(|| Box::new(Waiter::new(budget.clone())));
        waiter.poll_below(Pressure::Windows, cx).is_pending()
    }

    /// Whether there is no stream, nor a request that was not accepted yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.open == 0 && self.incoming.is_empty()
    }

    /// How many streams are open.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// Whether a client connection is of no use any more: nobody can send a request, and no stream is open.
    pub(crate) fn is_unused(&self) -> bool {
        self.side == Side::Client && self.connection.is_idle() && {
            let ready = self.shared.lock();
            ready.senders == 0 && ready.queue.is_empty()
        }
    }

    /// Everything is over: whoever still waits hears why. Called again it does nothing.
    pub(crate) fn end(&mut self, error: &Error) {
        let unheard = self.shared.close(error.clone());
        let table = std::mem::take(&mut self.mailboxes);
        self.open = 0;
        for mailbox in table.into_iter().flatten().chain(unheard) {
            let ended = {
                let mut state = mailbox.lock();
                state.queued = false;
                state.closed = true;
                state.inbox.ended && state.outbox.ended
            };
            let wakers = if ended { mailbox.lock().take_wakers() } else { fail(&mailbox, error.clone()) };
            wakers.into_iter().flatten().for_each(Waker::wake);
        }
        self.incoming = VecDeque::new();
    }

    /// Why the connection ended, as its own future says it; `None` if it ended well.
    pub(crate) fn outcome(&self) -> Option<Error> {
        self.connection.failure().or(self.going_away.as_ref()).cloned()
    }

    fn place(&mut self, key: StreamKey, mailbox: Arc<Mailbox>) {
        let index = key.index();
        if self.mailboxes.len() <= index {
            self.mailboxes.resize_with(index + 1, || None);
        }
        self.mailboxes[index] = Some(mailbox);
        self.open += 1;
    }

    fn remove(&mut self, key: StreamKey) {
        let Some(mailbox) = self.mailboxes.get_mut(key.index()).and_then(Option::take) else { return };
        self.open -= 1;
        let mut state = mailbox.lock();
        state.closed = true;
        if state.local {
            self.freed_slots += 1;
        }
        state.outbox.capacity = 0;
        self.wakers.extend(state.take_wakers().into_iter().flatten());
    }

    /// Puts something into a mailbox and notes that the reader is to be woken. What does not fit into the memory
    /// budget costs the stream.
    fn put(&mut self, key: StreamKey, put: impl FnOnce(&mut MailboxState, &BufferPool)) {
        let Some(Some(mailbox)) = self.mailboxes.get(key.index()) else { return };
        let mut state = mailbox.lock();
        put(&mut state, &self.shared.config.pool);
        self.wakers.extend(state.inbox.waker.take());
        if state.inbox.charge() {
            return;
        }
        let id = state.id;
        drop(state);
        if let Some(account) = &self.shared.account {
            account.count_dropped_stream();
        }
        // Here and not by the event that follows, for the connection may have done with the stream.
        self.fail(key, Fault::stream(id, Misdeed::MemoryExhausted).into());
        self.connection.fail_stream(key, Misdeed::MemoryExhausted);
    }

    /// Changes a mailbox and notes that the writer is to be woken.
    fn tell_writer(&mut self, key: StreamKey, change: impl FnOnce(&mut MailboxState)) {
        let Some(Some(mailbox)) = self.mailboxes.get(key.index()) else { return };
        let mut state = mailbox.lock();
        change(&mut state);
        self.wakers.extend(state.outbox.waker.take());
    }

    /// A stream has failed: its handles hear why.
    fn fail(&mut self, key: StreamKey, error: Error) {
        let Some(Some(mailbox)) = self.mailboxes.get(key.index()) else { return };
        let discarded = if error.discards_unread() { mailbox.discard_unread() } else { 0 };
        self.wakers.extend(fail(mailbox, error).into_iter().flatten());
        self.connection.release_connection(discarded);
    }
}

/// A stream has failed: who is to be woken.
fn fail(mailbox: &Mailbox, error: Error) -> [Option<Waker>; 3] {
    let mut state = mailbox.lock();
    let error = match state.opened || error.is_unprocessed() || error.mistake().is_some() {
        true => error,
        // It never left the queue, so it may be tried elsewhere whatever happened here.
        false => Error::unprocessed(error.origin(), error.code(), bytes::Bytes::new()),
    };
    let unsent = state.fail(error);
    let wakers = state.take_wakers();
    drop(state);
    drop(unsent);
    wakers
}

/// A ready queue of more places is not kept to be filled again.
const LONG_QUEUE: usize = 128;

/// Informational heads that wait for the application.
const MAX_INFORMATIONAL: usize = 8;
