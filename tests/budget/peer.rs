//! A client that opens many streams and sends on all of them as much as it may.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use millpond::ErrorCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, tcp::OwnedReadHalf},
    sync::{Notify, watch},
};

use crate::raw::{
    DATA, END_HEADERS, END_STREAM, GET, HEADERS, POST, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame,
    settings,
};

/// The payload of each DATA frame.
pub const PAYLOAD: usize = 8 << 10;

static ZEROES: [u8; PAYLOAD] = [0; PAYLOAD];

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Answered,
    Reset(u32),
}

#[derive(Default)]
struct State {
    /// What we may send on the connection, and beyond the initial window on each stream.
    window: i64,
    stream_windows: BTreeMap<u32, i64>,
    outcomes: BTreeMap<u32, Outcome>,
    /// Nothing more can be sent for now.
    stuck: bool,
}

pub struct Peer {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
    streams: u32,
}

impl Peer {
    /// Opens `streams` streams and, once `go` says so, sends `frames` DATA frames on each, a frame for each in turn.
    /// When all of them have ended it asks for one more stream, which has no body, until that is answered.
    pub async fn start(
        address: SocketAddr,
        streams: u32,
        frames: usize,
        mut go: watch::Receiver<bool>,
    ) -> (Peer, tokio::task::JoinHandle<()>) {
        let socket = TcpStream::connect(address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let (reader, mut writer) = socket.into_split();
        let state = Arc::new(Mutex::new(State { window: 65_535, ..State::default() }));
        let changed = Arc::new(Notify::new());
        let peer = Peer { state: state.clone(), changed: changed.clone(), streams };
        tokio::spawn(read(reader, state.clone(), changed.clone()));
        let sending = tokio::spawn(async move {
            writer.write_all(PREFACE).await.unwrap();
            writer.write_all(&settings(&[])).await.unwrap();
            writer.write_all(&frame(SETTINGS, 1, 0, &[])).await.unwrap();
            for n in 0..streams {
                writer.write_all(&frame(HEADERS, END_HEADERS, 2 * n + 1, POST)).await.unwrap();
            }
            go.wait_for(|go| *go).await.unwrap();
            for at in 0..frames {
                let flags = if at + 1 == frames { END_STREAM } else { 0 };
                for n in 0..streams {
                    let id = 2 * n + 1;
                    if !may_send(&state, &changed, id).await {
                        continue;
                    }
                    let mut header = [0, 0, 0, DATA, flags, 0, 0, 0, 0];
                    header[..3].copy_from_slice(&(PAYLOAD as u32).to_be_bytes()[1..]);
                    header[5..].copy_from_slice(&id.to_be_bytes());
                    writer.write_all(&header).await.unwrap();
                    writer.write_all(&ZEROES).await.unwrap();
                }
            }
            state.lock().unwrap().stuck = true;
            until(&state, &changed, |state| state.outcomes.len() as u32 >= streams).await;
            let mut id = 2 * streams + 1;
            loop {
                writer.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, id, GET)).await.unwrap();
                until(&state, &changed, |state| state.outcomes.contains_key(&id)).await;
                if state.lock().unwrap().outcomes[&id] == Outcome::Answered {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                id += 2;
            }
        });
        (peer, sending)
    }

    /// Whether it has sent all, or all that it may.
    pub fn is_stuck(&self) -> bool {
        self.state.lock().unwrap().stuck
    }

    /// How its streams have ended so far.
    pub fn outcomes(&self) -> Vec<Outcome> {
        let state = self.state.lock().unwrap();
        state.outcomes.range(..2 * self.streams).map(|(_, outcome)| *outcome).collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.changed.notify_waiters();
    }
}

/// Waits for the windows. `false`: the stream is over.
async fn may_send(state: &Mutex<State>, changed: &Notify, id: u32) -> bool {
    let octets = PAYLOAD as i64;
    loop {
        let notified = changed.notified();
        {
            let mut state = state.lock().unwrap();
            if state.outcomes.contains_key(&id) {
                return false;
            }
            let left = state.stream_windows.get(&id).copied().unwrap_or(0) + (1 << 20);
            if state.window >= octets && left >= octets {
                state.window -= octets;
                *state.stream_windows.entry(id).or_default() -= octets;
                state.stuck = false;
                return true;
            }
            state.stuck = true;
        }
        notified.await;
    }
}

async fn until(state: &Mutex<State>, changed: &Notify, holds: impl Fn(&State) -> bool) {
    loop {
        let notified = changed.notified();
        if holds(&state.lock().unwrap()) {
            return;
        }
        notified.await;
    }
}

async fn read(mut reader: OwnedReadHalf, state: Arc<Mutex<State>>, changed: Arc<Notify>) {
    let mut payload = Vec::new();
    loop {
        let mut header = [0; 9];
        if reader.read_exact(&mut header).await.is_err() {
            return;
        }
        payload.resize(u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize, 0);
        if reader.read_exact(&mut payload).await.is_err() {
            return;
        }
        let id = u32::from_be_bytes(header[5..].try_into().unwrap());
        let value = || u32::from_be_bytes(payload[..4].try_into().unwrap());
        {
            let mut state = state.lock().unwrap();
            match header[3] {
                WINDOW_UPDATE if id == 0 => state.window += i64::from(value()),
                WINDOW_UPDATE => *state.stream_windows.entry(id).or_default() += i64::from(value()),
                // An early answer is followed by a reset with NO_ERROR.
                RST_STREAM => drop(state.outcomes.entry(id).or_insert(Outcome::Reset(value()))),
                HEADERS | DATA if header[4] & END_STREAM != 0 => {
                    state.outcomes.insert(id, Outcome::Answered);
                }
                _ => {}
            }
        }
        changed.notify_one();
        changed.notify_waiters();
    }
}

pub fn reset(code: ErrorCode) -> Outcome {
    Outcome::Reset(u32::from(code))
}
