//! The network between the two ends: two pipes of octets, each with a small socket buffer at either end and a courier
//! that carries octets from one buffer to the other, in pieces, late, or no more.
//!
//! Always true here: what arrives is what was sent, in order, up to the point where the network failed; a waker is
//! called only when what it waits for is there.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use fastrand::Rng;
use millpond::readiness::ReadReady;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    executor::{Handle, Kind, pause},
    watch::Watch,
};

/// What the network does to one direction.
#[derive(Clone, Debug)]
pub struct Road {
    /// Octets that the socket of the sender, and that of the receiver, hold.
    pub rooms: [usize; 2],
    /// The most that is carried, written or read at once.
    pub piece: usize,
    /// Milliseconds that a piece takes at the most.
    pub delay: u64,
    /// After so many octets something happens.
    pub fault: Option<(u64, Fault)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is carried until nothing else moves.
    Stall,
    /// The rest is lost and the receiver sees the end.
    Truncate,
    /// Both ends see an error.
    Cut,
}

/// How one end treats its calls.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// It cannot tell whether it is readable.
    pub opaque: bool,
    pub vectored: bool,
    /// Now and then a signal interrupts a call, or a socket says that it is ready and is not.
    pub moody: bool,
}

struct Pipe {
    road: Road,
    sent: VecDeque<u8>,
    arrived: VecDeque<u8>,
    /// The sender has shut its side down.
    shut: bool,
    /// The receiver sees the end behind what has arrived.
    end: bool,
    /// The receiver is gone: what arrives is dropped.
    deaf: bool,
    cut: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    courier: Option<Waker>,
}

type Shared = Rc<RefCell<Pipe>>;

/// One end's socket.
pub struct Socket {
    into: Shared,
    from: Shared,
    habits: Habits,
    random: Rng,
    watch: Rc<RefCell<Watch>>,
    handle: Handle,
}

/// A road for each direction, the first from the client. `broken` is set when octets are lost.
pub fn connect(
    handle: &Handle,
    roads: [Road; 2],
    habits: [Habits; 2],
    watches: &[Rc<RefCell<Watch>>; 2],
    random: &mut Rng,
    broken: &Rc<Cell<bool>>,
) -> [Socket; 2] {
    let pipes = roads.map(|road| {
        let pipe = Rc::new(RefCell::new(Pipe::new(road)));
        let courier = carry(handle.clone(), pipe.clone(), random.fork(), broken.clone());
        handle.spawn(Kind::Network, "courier".into(), None, courier);
        pipe
    });
    [0, 1].map(|side| Socket {
        into: pipes[side].clone(),
        from: pipes[1 - side].clone(),
        habits: habits[side],
        random: random.fork(),
        watch: watches[side].clone(),
        handle: handle.clone(),
    })
}

impl Pipe {
    fn new(road: Road) -> Self {
        Pipe {
            road,
            sent: VecDeque::new(),
            arrived: VecDeque::new(),
            shut: false,
            end: false,
            deaf: false,
            cut: false,
            reader: None,
            writer: None,
            courier: None,
        }
    }

    /// Octets that can be carried now.
    fn ready(&self) -> usize {
        let room = if self.deaf { usize::MAX } else { self.road.rooms[1].saturating_sub(self.arrived.len()) };
        self.sent.len().min(room)
    }

    fn wake(waker: &mut Option<Waker>) {
        if let Some(waker) = waker.take() {
            waker.wake();
        }
    }

    /// No more octets: the receiver sees the end, or an error.
    fn stop(&mut self, cut: bool) {
        self.sent.clear();
        self.deaf = true;
        self.end = true;
        self.cut = cut;
        if cut {
            self.arrived.clear();
        }
        Self::wake(&mut self.reader);
        Self::wake(&mut self.writer);
    }
}

/// Carries octets until there will be no more.
async fn carry(handle: Handle, pipe: Shared, mut random: Rng, broken: Rc<Cell<bool>>) {
    let mut carried = 0;
    loop {
        std::future::poll_fn(|cx| {
            let mut pipe = pipe.borrow_mut();
            if pipe.ready() > 0 || pipe.end || (pipe.shut && pipe.sent.is_empty()) {
                return Poll::Ready(());
            }
            pipe.courier = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
        let delay = pipe.borrow().road.delay;
        if delay > 0 && random.bool() {
            tokio::time::sleep(Duration::from_millis(random.u64(1..=delay))).await;
        } else {
            pause().await;
        }
        let fault = pipe.borrow().road.fault.filter(|(at, _)| *at <= carried);
        match fault {
            Some((_, Fault::Stall)) => {
                pipe.borrow_mut().road.fault = None;
                handle.still().await;
                continue;
            }
            Some((_, fault)) => {
                broken.set(true);
                handle.step();
                return pipe.borrow_mut().stop(fault == Fault::Cut);
            }
            None => {}
        }
        let mut pipe = pipe.borrow_mut();
        let pipe = &mut *pipe;
        if pipe.end {
            return;
        }
        let ready = pipe.ready();
        if ready == 0 && pipe.shut && pipe.sent.is_empty() {
            pipe.end = true;
            handle.step();
            return Pipe::wake(&mut pipe.reader);
        }
        let octets = random.usize(1..=pipe.road.piece).min(ready);
        carried += octets as u64;
        let piece = pipe.sent.drain(..octets);
        if pipe.deaf {
            drop(piece);
        } else {
            pipe.arrived.extend(piece);
        }
        if octets > 0 {
            handle.step();
            Pipe::wake(&mut pipe.reader);
            Pipe::wake(&mut pipe.writer);
        }
    }
}

impl Socket {
    /// A signal, or a readiness that was false. The task is woken at once.
    fn mood<T>(&mut self, cx: &Context<'_>) -> Option<Poll<io::Result<T>>> {
        if !self.habits.moody || self.handle.is_probing() || self.random.u8(..) > 20 {
            return None;
        }
        if self.random.bool() {
            return Some(Poll::Ready(Err(io::ErrorKind::Interrupted.into())));
        }
        cx.waker().wake_by_ref();
        Some(Poll::Pending)
    }

    fn take(&mut self, cx: &Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut pipe = self.from.borrow_mut();
        if pipe.cut {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if pipe.arrived.is_empty() {
            if pipe.end {
                return Poll::Ready(Ok(0));
            }
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let most = into.len().min(pipe.arrived.len());
        let octets = if self.random.bool() { most } else { self.random.usize(1..=pipe.road.piece).min(most) };
        for (to, octet) in into.iter_mut().zip(pipe.arrived.drain(..octets)) {
            *to = octet;
        }
        Pipe::wake(&mut pipe.courier);
        self.watch.borrow_mut().read(&into[..octets]);
        self.handle.step();
        Poll::Ready(Ok(octets))
    }

    fn put(&mut self, cx: &Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut pipe = self.into.borrow_mut();
        assert!(!pipe.shut, "writes after the end");
        if pipe.cut {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = match pipe.deaf {
            true => usize::MAX,
            false => pipe.road.rooms[0].saturating_sub(pipe.sent.len()),
        };
        if room == 0 {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let piece = if self.random.bool() { usize::MAX } else { self.random.usize(1..=pipe.road.piece) };
        let mut left = room.min(piece);
        let mut written = 0;
        for slice in slices {
            let part = &slice[..slice.len().min(left)];
            self.watch.borrow_mut().wrote(part);
            if !pipe.deaf {
                pipe.sent.extend(part);
            }
            left -= part.len();
            written += part.len();
        }
        Pipe::wake(&mut pipe.courier);
        self.handle.step();
        Poll::Ready(Ok(written))
    }
}

impl ReadReady for Socket {
    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.habits.opaque {
            return Poll::Ready(Ok(()));
        }
        if let Some(Poll::Ready(Err(error))) = self.mood::<()>(cx) {
            return Poll::Ready(Err(error));
        }
        let mut pipe = self.from.borrow_mut();
        if pipe.cut || pipe.end || !pipe.arrived.is_empty() {
            return Poll::Ready(Ok(()));
        }
        pipe.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        assert!(!into.is_empty(), "a read without room");
        match self.mood(cx) {
            Some(mood) => mood,
            None => self.take(cx, into),
        }
    }
}

/// For handshakes that know no [`ReadReady`].
impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = into.initialize_unfilled();
        ReadReady::poll_read(&mut *self, cx, room).map_ok(|octets| into.advance(octets))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(octets)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let used = if self.habits.vectored { slices.len() } else { 1 };
        match self.mood(cx) {
            Some(mood) => mood,
            None => self.put(cx, &slices[..used.min(slices.len())]),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.habits.vectored
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.into.borrow_mut();
        pipe.shut = true;
        Pipe::wake(&mut pipe.courier);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let mut into = self.into.borrow_mut();
        into.shut = true;
        Pipe::wake(&mut into.courier);
        drop(into);
        let mut from = self.from.borrow_mut();
        from.deaf = true;
        from.arrived.clear();
        Pipe::wake(&mut from.courier);
        Pipe::wake(&mut from.writer);
    }
}
