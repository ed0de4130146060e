//! A deterministic executor: one thread, tasks that are polled only when they were woken, in an order that the seed
//! chooses.
//!
//! Always true here: between two polls nothing else runs, so a script is the same each time. When no task is woken the
//! system is *quiet*: then every task is polled once more, and one that gets on although nobody woke it has lost a
//! wake-up. Only after that may time pass.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use fastrand::Rng;
use tokio::time::{Instant, timeout};

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// What a task is for, so that an order can favour some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Network,
    Driver,
    Application,
}

/// Who is next among those that were woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Who was woken first.
    Polite,
    Random,
    /// Who was woken last.
    Stack,
    /// These only when nobody else can run.
    Last(Kind),
}

/// How long the application may not get on before the system counts as *still*: longer than any pause of a script.
const PATIENCE: Duration = Duration::from_secs(100);

/// So many polls mean that something runs in a circle.
const MOST_POLLS: usize = 300_000;

/// Starts tasks, and knows whether anything gets on. Cheap to clone.
#[derive(Clone, Default)]
pub struct Handle(Rc<Inner>);

#[derive(Default)]
struct Inner {
    new: RefCell<Vec<New>>,
    steps: Cell<u64>,
    gains: Cell<u64>,
    /// How often the system was still.
    stills: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
    /// Whether tasks are polled that nobody woke.
    probing: Cell<bool>,
}

struct New {
    kind: Kind,
    name: String,
    life: Option<u32>,
    work: Work,
}

impl Handle {
    /// A new task. It is dropped, wherever it stands, instead of its poll number `life`.
    pub fn spawn(
        &self,
        kind: Kind,
        name: String,
        life: Option<u32>,
        work: impl Future<Output = ()> + 'static,
    ) {
        self.0.new.borrow_mut().push(New { kind, name, life, work: Box::pin(work) });
    }

    /// Something moved, if only a PING.
    pub fn step(&self) {
        self.0.steps.set(self.0.steps.get() + 1);
    }

    /// The application got on.
    pub fn gain(&self) {
        self.step();
        self.0.gains.set(self.0.gains.get() + 1);
    }

    pub fn steps(&self) -> u64 {
        self.0.steps.get()
    }

    /// Whether tasks are polled that nobody woke: no time for moods.
    pub fn is_probing(&self) -> bool {
        self.0.probing.get()
    }

    /// How often the system was still.
    pub fn stills(&self) -> u64 {
        self.0.stills.get()
    }

    /// Pending until the system has been still more often than `seen` says.
    pub fn poll_still(&self, cx: &Context<'_>, seen: u64) -> Poll<()> {
        if self.stills() > seen {
            return Poll::Ready(());
        }
        self.0.waiting.borrow_mut().push(cx.waker().clone());
        Poll::Pending
    }

    /// Waits until nothing moves any more.
    pub async fn still(&self) {
        let seen = self.stills();
        std::future::poll_fn(|cx| self.poll_still(cx, seen)).await;
        self.gain();
    }
}

struct Woken {
    queue: Mutex<Vec<usize>>,
    executor: Mutex<Option<Waker>>,
}

struct Flag {
    task: usize,
    is_queued: AtomicBool,
    woken: Arc<Woken>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        if !self.is_queued.swap(true, SeqCst) {
            self.woken.queue.lock().unwrap().push(self.task);
            if let Some(waker) = self.woken.executor.lock().unwrap().take() {
                waker.wake();
            }
        }
    }
}

struct Task {
    kind: Kind,
    name: String,
    work: Work,
    flag: Arc<Flag>,
    waker: Waker,
    polls: u32,
    life: Option<u32>,
}

pub struct Executor {
    handle: Handle,
    tasks: Vec<Option<Task>>,
    woken: Arc<Woken>,
    order: Order,
    random: Rng,
    polls: usize,
}

impl Executor {
    pub fn new(handle: Handle, order: Order, random: Rng) -> Self {
        let woken = Arc::new(Woken { queue: Mutex::new(Vec::new()), executor: Mutex::new(None) });
        Executor { handle, tasks: Vec::new(), woken, order, random, polls: 0 }
    }

    /// Runs until every task has ended. `check` looks at the world whenever the system is quiet, and is told whether
    /// it is still.
    ///
    /// # Panics
    ///
    /// If a wake-up was lost, or tasks wait for something that never comes.
    pub async fn run(&mut self, mut check: impl FnMut(bool)) {
        let (mut seen, mut since) = (0, Instant::now());
        loop {
            self.adopt();
            while let Some(task) = self.next() {
                self.poll(task);
            }
            if self.tasks.iter().all(Option::is_none) {
                return;
            }
            check(false);
            self.look_for_lost_wakeups();
            if self.handle.0.gains.get() != seen {
                (seen, since) = (self.handle.0.gains.get(), Instant::now());
            }
            let left = PATIENCE.saturating_sub(since.elapsed());
            if !left.is_zero() && timeout(left, self.woken()).await.is_ok() {
                continue;
            }
            check(true);
            (seen, since) = (self.handle.0.gains.get(), Instant::now());
            self.handle.0.stills.set(self.handle.stills() + 1);
            let waiting = self.handle.0.waiting.take();
            assert!(!waiting.is_empty(), "wait for ever: {}", self.names());
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    /// Time passes until a task is woken.
    async fn woken(&self) {
        std::future::poll_fn(|cx| {
            if !self.woken.queue.lock().unwrap().is_empty() {
                return Poll::Ready(());
            }
            *self.woken.executor.lock().unwrap() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn look_for_lost_wakeups(&mut self) {
        self.handle.0.probing.set(true);
        for task in 0..self.tasks.len() {
            if self.tasks[task].is_none() {
                continue;
            }
            let before = self.handle.steps();
            let name = self.tasks[task].as_ref().map(|task| task.name.clone());
            let ended = self.poll_now(task, true);
            let woken = self.woken.queue.lock().unwrap().len();
            assert!(
                !ended && woken == 0 && self.handle.steps() == before,
                "{} could go on and was not woken",
                name.unwrap_or_default()
            );
        }
        self.handle.0.probing.set(false);
    }

    fn adopt(&mut self) {
        for New { kind, name, life, work } in self.handle.0.new.take() {
            let task = self.tasks.len();
            let flag = Arc::new(Flag { task, is_queued: AtomicBool::new(false), woken: self.woken.clone() });
            let waker = Waker::from(flag.clone());
            waker.wake_by_ref();
            self.tasks.push(Some(Task { kind, name, work, flag, waker, polls: 0, life }));
        }
    }

    fn next(&mut self) -> Option<usize> {
        let mut queue = self.woken.queue.lock().unwrap();
        if queue.is_empty() {
            return None;
        }
        let all = queue.len();
        let place = match self.order {
            Order::Polite => 0,
            Order::Stack => all - 1,
            Order::Random => self.random.usize(..all),
            Order::Last(kind) => {
                let other = |task: &usize| self.tasks[*task].as_ref().is_some_and(|task| task.kind != kind);
                let from = self.random.usize(..all);
                (0..all).map(|n| (from + n) % all).find(|place| other(&queue[*place])).unwrap_or(from)
            }
        };
        Some(queue.remove(place))
    }

    fn poll(&mut self, task: usize) {
        self.polls += 1;
        assert!(self.polls < MOST_POLLS, "{} polls: {}", self.polls, self.names());
        self.poll_now(task, false);
        self.adopt();
    }

    /// Whether the task has ended.
    fn poll_now(&mut self, place: usize, spurious: bool) -> bool {
        let Some(task) = &mut self.tasks[place] else { return false };
        if !spurious {
            task.flag.is_queued.store(false, SeqCst);
            task.polls += 1;
        }
        let over = task.life.is_some_and(|life| task.polls > life)
            || task.work.as_mut().poll(&mut Context::from_waker(&task.waker)).is_ready();
        if over {
            self.handle.gain();
            self.tasks[place] = None;
        }
        over
    }

    fn names(&self) -> String {
        let name = |task: &Task| format!("{} ({} polls)", task.name, task.polls);
        let names: Vec<String> = self.tasks.iter().flatten().map(name).collect();
        names.join(", ")
    }
}

/// Lets others run.
pub async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
