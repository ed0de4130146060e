//! One connection of a server: requests to the service, and its life from the handshake to the drain.
//!
//! Always true here: the driver is polled until it sleeps, or again after other tasks, whatever the service says, so a
//! slow service never stops flow control or PINGs; requests that wait for the service wait in `Post::incoming`, which
//! MAX_CONCURRENT_STREAMS bounds.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use crate::{
    adapter::{Body, Connected, PeerInfo, deadline_of, shorter},
    config::Config,
    connection::Side,
    driver::{
        Incoming,
        tokio::{Driver, Progress},
    },
    error::ErrorCode,
    memory::Pressure,
    readiness::Source,
};
use http::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    runtime::{Handle, RuntimeFlavor},
    time::Sleep,
};

use super::{
    HttpService, Options,
    drain::{Drain, Entry},
    handler::{Call, GRPC_RESOURCE_EXHAUSTED, Handler, Permit, describe},
};

/// The future of one connection.
pub(super) struct Serving<IO, S> {
    driver: Driver<Source<IO>>,
    service: S,
    options: Arc<Options>,
    info: PeerInfo,
    running: Option<Arc<AtomicUsize>>,
    age: Option<Box<Age>>,
    /// Whether handlers are polled first on this task.
    inline: bool,
    /// How many were in this poll.
    inlined: u32,
    /// How many requests the service had no room for when it was last asked.
    backlog: usize,
    /// Runs once the peer has closed its side.
    half_closed: Option<Pin<Box<Sleep>>>,
    _entry: Entry,
}

/// So many handlers are polled on a connection's task before other tasks have their turn: about as many as tokio polls
/// tasks before it looks at its sockets.
const INLINE_AT_ONCE: u32 = 64;

/// When a connection is to end for its age or its idleness.
struct Age {
    /// Since when no stream is open.
    idle_since: Option<Instant>,
    /// When it is asked to end.
    ask_at: Option<Instant>,
    /// When it is cut.
    cut_at: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl<IO, S> Serving<IO, S>
where
    IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
    S: HttpService,
{
    pub(super) fn new(
        io: IO,
        service: S,
        config: Arc<Config>,
        options: Arc<Options>,
        drain: &Arc<Drain>,
    ) -> Self {
        let info = PeerInfo::of(&io);
        tracing::debug!(peer = ?info, "connection accepted");
        let driver = Driver::new(Source::new(io), Side::Server, config);
        let entry = drain.enter(driver.shared());
        let running = options.concurrency_limit.map(|_| Arc::new(AtomicUsize::new(0)));
        let age = Age::new(&options);
        Serving {
            inline: options.poll_handlers_inline.unwrap_or_else(is_one_thread),
            driver,
            service,
            options,
            info,
            running,
            age,
            inlined: 0,
            backlog: 0,
            half_closed: None,
            _entry: entry,
        }
    }

    /// Gives waiting requests to the service, as many as it takes. `false`: other tasks are to have their turn first.
    fn accept(&mut self, cx: &mut Context<'_>) -> bool {
        if self.backlog > 0 {
            // Those that had to wait may have been cancelled meanwhile.
            self.driver.post().incoming.retain_mut(|incoming| incoming.respond.poll_reset(cx).is_pending());
        }
        self.hand_over(cx);
        self.backlog = self.driver.post().incoming.len();
        let goes_on = self.inlined < INLINE_AT_ONCE;
        if !goes_on {
            cx.waker().wake_by_ref();
        }
        goes_on
    }

    fn hand_over(&mut self, cx: &mut Context<'_>) {
        while !self.driver.post().incoming.is_empty() && self.inlined < INLINE_AT_ONCE {
            let full = self.is_full();
            if full && !self.options.load_shed {
                return;
            }
            if !full {
                let service = &mut self.service;
                let error = match catch_unwind(AssertUnwindSafe(|| service.poll_ready(cx))) {
                    Ok(Poll::Ready(Ok(()))) => None,
                    Ok(Poll::Ready(Err(error))) => Some(error.into()),
                    Ok(Poll::Pending) => return,
                    Err(_) => Some("it panicked".into()),
                };
                if let Some(error) = error {
                    tracing::warn!(%error, "service is out of order, connection ends");
                    return self.driver.post().connection.abort(ErrorCode::INTERNAL_ERROR);
                }
            }
            let Some(incoming) = self.driver.post().incoming.pop_front() else { return };
            self.handle(incoming, full, cx);
        }
    }

    fn is_full(&self) -> bool {
        match (&self.running, self.options.concurrency_limit) {
            (Some(running), Some(limit)) => running.load(Ordering::Acquire) >= limit,
            _ => false,
        }
    }

    fn handle(&mut self, Incoming { mut head, body, respond }: Incoming, shed: bool, cx: &mut Context<'_>) {
        let (method_is_head, is_grpc) = describe(&head);
        let asked = if is_grpc { deadline_of(head.headers()) } else { None };
        let timeout = shorter(asked, self.options.timeout);
        let mut call = Call {
            respond,
            options: self.options.clone(),
            deadline: timeout.map(|timeout| Box::pin(tokio::time::sleep(timeout))),
            method_is_head,
            is_grpc,
            span: None,
            permit: None,
        };
        if shed {
            let message = "too many calls at once on this connection";
            return call.answer_alone(GRPC_RESOURCE_EXHAUSTED, StatusCode::SERVICE_UNAVAILABLE, message);
        }
        if let Some(running) = &self.running {
            running.fetch_add(1, Ordering::AcqRel);
            call.permit = Some(Permit { running: running.clone(), shared: self.driver.shared().clone() });
        }
        self.info.put(head.extensions_mut());
        // The application's code may panic before there is a future as well as in it.
        let (service, trace_fn) = (&mut self.service, &self.options.trace_fn);
        let called = catch_unwind(AssertUnwindSafe(|| {
            let span = trace_fn.as_ref().map(|trace_fn| trace_fn(&head));
            (service.call(head.map(|()| Body::new(body, None))), span)
        }));
        let Ok((future, span)) = called else {
            return call.respond.send_reset(ErrorCode::INTERNAL_ERROR);
        };
        call.span = span;
        let handler = Handler::<_, S::ResponseBody>::new(future, call);
        if !self.inline {
            tokio::spawn(handler);
            return;
        }
        self.inlined += 1;
        let mut handler = Box::pin(handler);
        let polled = catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(cx)));
        if let Ok(Poll::Pending) = polled {
            tokio::spawn(handler);
            return;
        }
        // What the application made may panic when it is dropped, too: that is no harm to others either.
        let _ = catch_unwind(AssertUnwindSafe(|| match polled {
            Err(_) => handler.reset(ErrorCode::INTERNAL_ERROR),
            Ok(_) => drop(handler),
        }));
    }

    /// Whether the peer closed its side too long ago. That may be half a close, after which it still reads; but
    /// as a rule it is a client that went away, and a handler that waits for an event would never learn it from
    /// a socket that it does not write to.
    fn is_deserted(&mut self, cx: &mut Context<'_>) -> bool {
        let connection = &self.driver.post().connection;
        if !connection.is_read_closed() || connection.failure().is_some() {
            return false;
        }
        let grace = self.options.half_close_grace;
        self.half_closed
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(grace)))
            .as_mut()
            .poll(cx)
            .is_ready()
    }

    /// Whether the connection has become idle while memory is so short that idle ones are to go.
    fn is_to_make_room(&mut self) -> bool {
        let post = self.driver.post();
        let budget = post.shared.account.as_ref().and_then(|account| account.budget());
        budget.is_some_and(|budget| budget.pressure() >= Pressure::Connections)
            && post.connection.is_idle()
            && !post.connection.is_going_away()
            && post.connection.failure().is_none()
    }

    /// Looks at the clock: asks the connection to end, or cuts it.
    fn watch_age(&mut self, cx: &mut Context<'_>) {
        let Some(age) = &mut self.age else { return };
        let mut now = now();
        let (idle, mut going_away) = match self.driver.is_resting() {
            true => (true, false),
            false => {
                let post = self.driver.post();
                (post.is_empty(), post.connection.is_going_away())
            }
        };
        age.idle_since = if idle { age.idle_since.or(Some(now)) } else { None };
        loop {
            let idle_at = age
                .idle_since
                .zip(self.options.max_connection_idle)
                .map(|(since, limit)| since + limit.min(FAR));
            let passed = |at: Option<Instant>| at.is_some_and(|at| at <= now);
            if passed(age.cut_at) {
                age.cut_at = None;
                self.driver.post().connection.abort(ErrorCode::NO_ERROR);
            }
            if passed(age.ask_at) || passed(idle_at) && !going_away {
                self.driver.post().connection.shutdown();
                going_away = true;
                age.ask_at = None;
                age.cut_at = self.options.max_connection_age_grace.map(|grace| now + grace.min(FAR));
            }
            let idle_at = idle_at.filter(|_| !going_away);
            let Some(next) = [age.ask_at, age.cut_at, idle_at].into_iter().flatten().min() else { return };
            let next = tokio::time::Instant::from_std(next);
            if age.timer.deadline() != next {
                age.timer.as_mut().reset(next);
            }
            if age.timer.as_mut().poll(cx).is_pending() {
                return;
            }
            now = self::now();
        }
    }
}

/// Whether all tasks share one thread, as far as is known.
fn is_one_thread() -> bool {
    Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread)
}

/// The time on the runtime's clock, which the timers follow.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Age {
    fn new(options: &Options) -> Option<Box<Self>> {
        if options.max_connection_age.is_none() && options.max_connection_idle.is_none() {
            return None;
        }
        let ask_at = options.max_connection_age.map(|age| now() + jitter(age.min(FAR)));
        Some(Box::new(Age {
            idle_since: None,
            ask_at,
            cut_at: None,
            timer: Box::pin(tokio::time::sleep(FAR)),
        }))
    }
}

/// Longer than any process lives, and within the clock's range.
const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);

/// A tenth more or less.
fn jitter(time: Duration) -> Duration {
    time.mul_f64(0.9 + 0.2 * fastrand::f64())
}

impl<IO, S> Future for Serving<IO, S>
where
    IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
    S: HttpService,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.inlined = 0;
        loop {
            this.watch_age(cx);
            match this.driver.poll_drive(cx) {
                Poll::Ready(Progress::Requests) => {
                    if !this.accept(cx) {
                        return Poll::Pending;
                    }
                }
                Poll::Ready(Progress::Over) => {
                    if let Some(error) = this.driver.post().outcome() {
                        tracing::debug!(%error, "connection ended");
                    }
                    return Poll::Ready(());
                }
                Poll::Pending if this.driver.is_resting() => {
                    this.watch_age(cx);
                    // Its age has woken it.
                    if !this.driver.is_resting() {
                        continue;
                    }
                    return Poll::Pending;
                }
                Poll::Pending => {
                    if this.is_deserted(cx) {
                        this.driver.post().connection.abort(ErrorCode::NO_ERROR);
                        continue;
                    }
                    if this.is_to_make_room() {
                        this.driver.post().connection.shutdown();
                        continue;
                    }
                    let waiting = this.driver.post().incoming.len();
                    if !this.accept(cx) {
                        return Poll::Pending;
                    }
                    if this.driver.post().incoming.len() == waiting {
                        // What the driver did may have begun or ended a time of idleness.
                        this.watch_age(cx);
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

// Nothing in it is ever pinned: the service's futures live in tasks, or in boxes, of their own.
impl<IO, S> Unpin for Serving<IO, S> {}
