//! One simulation with the real handles and drivers: what its tasks share, how it begins, and what must hold when it is
//! quiet and when it is over.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use fastrand::Rng;
use millpond::{
    Error, ErrorCode,
    buffer::{BufferPool, PoolOptions},
    connection::ConnectionStats,
};

use crate::{
    client,
    executor::{Executor, Handle},
    ledger::Entry,
    network::{self, Fault},
    script::{Call, Pace, Script, What},
    server,
    watch::Watch,
};

/// What tasks share. Cheap to clone.
#[derive(Clone)]
pub struct World(pub Rc<Inner>);

pub struct Inner {
    pub script: Script,
    pub handle: Handle,
    pub calls: Vec<CallBooks>,
    pub watches: [Rc<RefCell<Watch>>; 2],
    pub pools: [BufferPool; 2],
    /// Octets that the application of a side holds in its hands.
    pub held: [Cell<usize>; 2],
    /// Octets that the application of a side has taken and not released.
    pub owed: [Cell<usize>; 2],
    /// What each connection last said of itself; nothing once it is over.
    pub stats: [Cell<Option<ConnectionStats>>; 2],
    /// What was sent and is still held, of both sides.
    pub unsent: Arc<AtomicUsize>,
    /// The network, or somebody, has ended the connection: every stream may fail.
    pub broken: Rc<Cell<bool>>,
    /// A connection goes away in good order: requests may be turned away.
    pub leaving: Cell<bool>,
    pub random: RefCell<Rng>,
    trace: bool,
}

/// The books of one call.
pub struct CallBooks {
    pub request: Entry,
    pub response: Entry,
    /// The server has seen the request.
    pub seen: Cell<bool>,
    /// The client was told that the server has not.
    pub unprocessed: Cell<bool>,
}

impl World {
    /// Plays a script.
    ///
    /// # Panics
    ///
    /// If anything that must hold does not.
    pub fn play(script: Script, seed: u64, trace: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime without IO needs nothing");
        let mut random = Rng::with_seed(seed ^ 0x5eed);
        let handle = Handle::default();
        let order = script.order;
        let options = PoolOptions { decay: None, ..PoolOptions::default() };
        let unsent = Arc::new(AtomicUsize::new(0));
        let calls: usize = script.callers.iter().map(Vec::len).sum();
        let windows = script.options.each_ref().map(|options| match options.adaptive {
            true => options.connection_window.max(16 << 20),
            false => options.connection_window,
        });
        let world = World(Rc::new(Inner {
            handle: handle.clone(),
            calls: (0..calls as u32).map(|number| CallBooks::new(number, &unsent)).collect(),
            watches: [0, 1].map(|side| Rc::new(RefCell::new(Watch::new(side == 0, windows[side], trace)))),
            pools: [(); 2].map(|()| BufferPool::new(options)),
            held: Default::default(),
            owed: Default::default(),
            stats: Default::default(),
            unsent,
            broken: Rc::default(),
            leaving: Cell::new(false),
            random: RefCell::new(random.fork()),
            script,
            trace,
        }));
        let mut executor = Executor::new(handle, order, random.fork());
        let (stalls, seen) = (world.may_time_out(), world.clone());
        if stalls {
            world.0.broken.set(true);
        }
        runtime.block_on(tokio::task::unconstrained(async {
            world.begin(&mut random);
            executor.run(move |still| seen.check(still)).await;
        }));
        drop(executor);
        world.finish();
    }

    fn may_time_out(&self) -> bool {
        self.0.script.is_impatient() && self.may_stall()
    }

    /// Whether octets may lie still in the network.
    fn may_stall(&self) -> bool {
        let stall = |road: &network::Road| matches!(road.fault, Some((_, Fault::Stall)));
        self.0.script.roads.iter().any(stall)
    }

    fn begin(&self, random: &mut Rng) {
        let Inner { script, handle, watches, broken, .. } = &*self.0;
        let sockets = network::connect(handle, script.roads.clone(), script.habits, watches, random, broken);
        let [near, far] = sockets;
        server::begin(self, far);
        client::begin(self, near);
    }

    /// What must hold when no task can run.
    fn check(&self, still: bool) {
        for side in 0..2 {
            self.check_memory(side);
        }
        if still {
            self.check_credit();
            self.check_idle();
            self.check_queues();
            self.log(|| "nothing moves".into());
        }
    }

    /// The second ledger: when all that came was read and released, or nobody will read it, nothing counts as unread;
    /// and then, while no stream is open, the peer may send as much as was wanted.
    fn check_credit(&self) {
        let Inner { watches, script, broken, calls, stats, owed, .. } = &*self.0;
        if broken.get() || self.may_stall() {
            return;
        }
        let is_busy = watches.iter().any(|watch| watch.borrow().is_busy());
        for side in 0..2 {
            let settled = |call: &CallBooks| [&call.response, &call.request][side].on_its_way() == 0;
            // The drivers were polled just now, so these figures are of now.
            let Some(ConnectionStats { unread, .. }) = stats[side].get() else { continue };
            if calls.iter().all(settled) && owed[side].get() == 0 {
                assert_eq!(unread, 0, "side {side}: nobody has them, and yet they are unread");
            }
            if unread == 0 && !is_busy && !script.options[side].adaptive {
                watches[side].borrow().settle();
            }
        }
    }

    /// While nothing is unread or on its way, not even a PING, nobody holds a block.
    fn check_idle(&self) {
        let Inner { pools, calls, held, script, .. } = &*self.0;
        if script.options.iter().any(|options| options.keep_alive.is_some()) {
            return;
        }
        let arrived = |call: &CallBooks| call.request.on_its_way() + call.response.on_its_way() == 0;
        if self.may_stall() || !calls.iter().all(arrived) || held.iter().any(|held| held.get() > 0) {
            return;
        }
        for (side, pool) in pools.iter().enumerate() {
            assert_eq!(pool.stats().blocks_out, 0, "side {side}: an idle connection holds blocks");
        }
    }

    /// Nothing is on its way to a socket: what is held waits for a window, and is no more than a queue takes, and a piece
    /// of which a part has left.
    fn check_queues(&self) {
        let Inner { script, broken, .. } = &*self.0;
        if broken.get() || self.may_stall() {
            return;
        }
        for call in script.callers.iter().flatten() {
            let books = self.books(call.number);
            let messages = [(&call.request, &books.request), (&call.response, &books.response)];
            for (side, (body, entry)) in messages.into_iter().enumerate() {
                let room = script.options[side].max_send_buffer;
                let piece = match body.pace {
                    Pace::Nothing => continue,
                    // The last begins where there is room for an octet.
                    Pace::Room => 2 * body.chunks.iter().max().copied().unwrap_or(0),
                    Pace::Capacity => room,
                };
                let (held, bound) = (entry.held(), room + piece);
                assert!(held <= bound, "call {}, side {side}: {held} octets wait, {bound} may", call.number);
            }
        }
    }

    /// The first ledger: blocks out are no more than what unread data may hold, with one block of slack for each stream
    /// that has any, what is being written, and a frame that was cut.
    fn check_memory(&self, side: usize) {
        let Inner { script, pools, calls, held, .. } = &*self.0;
        let out = pools[side].stats().octets_out;
        let messages =
            |to: usize| calls.iter().map(move |call| [&call.response, &call.request][to].on_its_way());
        let unread: usize = messages(side).sum::<usize>() + held[side].get();
        let unwritten: usize = messages(1 - side).sum();
        let streams = messages(side).filter(|octets| *octets > 0).count();
        let open = self.0.watches[side].borrow().streams.len();
        let options = &script.options[side];
        let block = BufferPool::class_capacity;
        let head = block(options.max_header_list_size as usize * 3 / 2 + 1_024);
        let gathered = head + block(options.max_frame_size as usize);
        let writing = (2 * unwritten + open * head + block(64 << 10)).min(block(320 << 10));
        let bound = unread * 3 / 2 + (streams + 1) * block(options.max_read) + gathered + writing;
        assert!(out <= bound, "side {side}: {out} octets out for {unread} unread, {bound} are allowed");
    }

    /// Everything is over: the books are closed.
    fn finish(&self) {
        let Inner { calls, pools, unsent, broken, leaving, .. } = &*self.0;
        let excused = broken.get();
        for (number, call) in calls.iter().enumerate() {
            let turned_away = call.unprocessed.get();
            assert!(!turned_away || !call.seen.get(), "call {number}: not processed, and yet seen");
            call.request.settle(excused || (turned_away && leaving.get()));
            call.response.settle(excused || (turned_away && leaving.get()));
        }
        for (side, pool) in pools.iter().enumerate() {
            assert_eq!(pool.stats().blocks_out, 0, "side {side}: blocks are not home");
        }
        assert_eq!(unsent.load(SeqCst), 0, "octets that were to be sent are still held");
    }

    pub fn call(&self, number: u32) -> &Call {
        let mut calls = self.0.script.callers.iter().flatten();
        calls.find(|call| call.number == number).expect("the number is that of a call")
    }

    pub fn books(&self, number: u32) -> &CallBooks {
        &self.0.calls[number as usize]
    }

    /// Says what happens, if anybody wants to know.
    pub fn log(&self, line: impl FnOnce() -> String) {
        if self.0.trace {
            eprintln!("{}", line());
        }
    }

    /// Waits; that it is over is progress.
    pub async fn on<T>(&self, what: impl Future<Output = T>) -> T {
        let outcome = what.await;
        self.0.handle.gain();
        outcome
    }

    pub async fn sleep(&self, milliseconds: u64) {
        self.on(tokio::time::sleep(Duration::from_millis(milliseconds))).await;
    }

    /// An error that a call of `number` met. Whether it may have.
    pub fn judge(&self, number: u32, spoiled: bool, error: &Error) {
        self.log(|| format!("call {number}: {error} ({error:?})"));
        let Inner { broken, leaving, .. } = &*self.0;
        let books = self.books(number);
        if error.is_unprocessed() {
            books.unprocessed.set(true);
        }
        let turned_away = error.is_unprocessed() && leaving.get();
        assert!(
            spoiled || broken.get() || turned_away,
            "call {number}: {error} ({error:?}) without a reason"
        );
    }

    /// What a control does to the world's expectations.
    pub fn expect(&self, side: usize, what: What) {
        self.log(|| format!("side {side}: {what:?}"));
        match what {
            What::Window(_) => {}
            What::Target(octets) => self.0.watches[side].borrow_mut().wants(octets),
            What::Graceful => self.0.leaving.set(true),
            What::Abrupt | What::DropDriver => self.0.broken.set(true),
        }
    }
}

impl CallBooks {
    fn new(number: u32, unsent: &Arc<AtomicUsize>) -> Self {
        CallBooks {
            request: Entry::new(2 * number, unsent),
            response: Entry::new(2 * number + 1, unsent),
            seen: Cell::new(false),
            unprocessed: Cell::new(false),
        }
    }

    pub fn spoil(&self) {
        self.request.spoil();
        self.response.spoil();
    }
}

/// The code of resets that a script sends.
pub const RESET: ErrorCode = ErrorCode::CANCEL;
