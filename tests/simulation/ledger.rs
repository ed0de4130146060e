//! What was sent and what has arrived, message by message: octet by octet, in order, once, and whole if it says that
//! it is whole.
//!
//! Always true here: an octet is known by its message and its place in it, so one that is lost, repeated or moved is
//! seen at once; sent octets are counted until the last that holds them lets go.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use bytes::Bytes;
use http::HeaderValue;

/// A prime, so that no frame size divides it.
const PERIOD: usize = 65_521;

static OCTETS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut random = fastrand::Rng::with_seed(1);
    let once: Vec<u8> = (0..PERIOD).map(|_| random.u8(..)).collect();
    once.iter().copied().cycle().take(PERIOD + (1 << 20)).collect()
});

/// The octets of a message from a place on: at most 1 MiB.
fn octets(message: u32, from: usize, count: usize) -> &'static [u8] {
    let start = (from + message as usize * 7_919) % PERIOD;
    &OCTETS[start..start + count]
}

/// One message, as both ends see it.
#[derive(Debug, Default)]
pub struct Message {
    number: u32,
    sent: usize,
    /// Octets of it that were given to be sent and are still held.
    held: Arc<AtomicUsize>,
    ended: bool,
    trailers: bool,
    received: usize,
    /// The receiver has seen the end.
    arrived: bool,
    /// The receiver has let go of it, and of what it had not taken.
    let_go: bool,
    /// It may fail: somebody said that it should, or let go of it.
    spoiled: bool,
}

/// A handle to it.
#[derive(Clone, Debug)]
pub struct Entry(Rc<RefCell<Message>>, Arc<AtomicUsize>);

/// What was sent, until it is dropped.
struct Counted(&'static [u8], [Arc<AtomicUsize>; 2]);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        for count in &self.1 {
            count.fetch_sub(self.0.len(), SeqCst);
        }
    }
}

impl Entry {
    /// `unsent` counts what was given to be sent and is still held.
    pub fn new(number: u32, unsent: &Arc<AtomicUsize>) -> Self {
        Entry(Rc::new(RefCell::new(Message { number, ..Message::default() })), unsent.clone())
    }

    /// The next octets to send.
    pub fn next(&self, count: usize) -> Bytes {
        let message = self.0.borrow();
        let octets = octets(message.number, message.sent, count);
        let counts = [self.1.clone(), message.held.clone()];
        for held in &counts {
            held.fetch_add(count, SeqCst);
        }
        Bytes::from_owner(Counted(octets, counts))
    }

    /// Octets that were given to be sent and are still held.
    pub fn held(&self) -> usize {
        self.0.borrow().held.load(SeqCst)
    }

    /// They were taken to be sent.
    pub fn sent(&self, count: usize) {
        self.0.borrow_mut().sent += count;
    }

    pub fn ended(&self, trailers: bool) {
        let mut message = self.0.borrow_mut();
        message.ended = true;
        message.trailers = trailers;
    }

    /// Octets have arrived.
    pub fn received(&self, found: &[u8]) {
        let mut message = self.0.borrow_mut();
        let Message { number, received, sent, .. } = *message;
        assert!(received + found.len() <= sent, "message {number}: more octets than were sent");
        let expected = octets(number, received, found.len());
        assert!(found == expected, "message {number}: other octets than were sent after {received}");
        message.received += found.len();
    }

    /// What the trailers say: how many octets were sent.
    pub fn sum(&self) -> HeaderValue {
        HeaderValue::from(self.0.borrow().sent)
    }

    /// The receiver sees the end, with the sum of trailers.
    pub fn arrived(&self, trailers: Option<&HeaderValue>) {
        let sum = self.sum();
        let mut message = self.0.borrow_mut();
        assert!(message.ended, "message {}: an end that was not sent", message.number);
        let missing = message.sent - message.received;
        assert_eq!(missing, 0, "message {}: octets are missing at the end", message.number);
        let expected = message.trailers.then_some(&sum);
        assert_eq!(trailers, expected, "message {}: trailers", message.number);
        message.arrived = true;
    }

    /// Octets that were sent and that the receiver has not taken, and may yet take.
    pub fn on_its_way(&self) -> usize {
        let message = self.0.borrow();
        if message.let_go { 0 } else { message.sent - message.received }
    }

    /// Nobody will take what has not been taken.
    pub fn let_go(&self) {
        self.gone();
        self.spoil();
    }

    /// Its reader is gone, whatever the reason.
    pub fn gone(&self) {
        self.0.borrow_mut().let_go = true;
    }

    pub fn spoil(&self) {
        self.0.borrow_mut().spoiled = true;
    }

    pub fn is_spoiled(&self) -> bool {
        self.0.borrow().spoiled
    }

    pub fn has_arrived(&self) -> bool {
        self.0.borrow().arrived
    }

    /// Nothing is left to do: it has arrived, unless it was spoiled or `excused`.
    pub fn settle(&self, excused: bool) {
        let message = self.0.borrow();
        assert!(message.arrived || message.spoiled || excused, "never arrived: {message:?}");
    }
}
