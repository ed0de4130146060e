//! The attacker: writes what it likes, and keeps what it hears.

use std::{
    collections::{HashMap, HashSet},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use millpond::ErrorCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
    task::JoinHandle,
};

use crate::{
    ledger::Ledger,
    raw::{
        self, ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS,
        WINDOW_UPDATE,
    },
    world::{PATIENCE, pattern, soon},
};

/// What the victim has said.
#[derive(Default)]
pub struct Seen {
    /// Frames, by type.
    pub frames: [usize; 16],
    pub octets: usize,
    pub heads: HashMap<u32, Vec<u8>>,
    pub data: HashMap<u32, Vec<u8>>,
    pub ended: HashSet<u32>,
    pub resets: Vec<(u32, ErrorCode)>,
    /// The sum of the WINDOW_UPDATEs of stream 0.
    pub credit: usize,
    /// What the last PING to answer says.
    pub ping: Option<Vec<u8>>,
    pub goaway: Option<(u32, ErrorCode, String)>,
    pub ledger: Ledger,
    /// Whether nothing more will come.
    pub over: bool,
}

impl Seen {
    pub fn all_frames(&self) -> usize {
        self.frames.iter().sum()
    }

    pub fn reset_of(&self, stream: u32) -> Option<ErrorCode> {
        self.resets.iter().find(|(other, _)| *other == stream).map(|(_, code)| *code)
    }

    fn take(&mut self, kind: u8, flags: u8, stream: u32, payload: Vec<u8>) {
        self.octets += 9 + payload.len();
        self.frames[usize::from(kind & 15)] += 1;
        let number = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
        match kind {
            SETTINGS if flags & ACK != 0 => self.ledger.acknowledge(),
            DATA => self.ledger.data(stream, payload.len()),
            HEADERS => self.ledger.headers(&payload),
            _ => {}
        }
        match kind {
            RST_STREAM => self.resets.push((stream, ErrorCode::from(number(0)))),
            GOAWAY => {
                let debug = String::from_utf8_lossy(&payload[8..]).into_owned();
                self.goaway = Some((number(0), ErrorCode::from(number(4)), debug));
            }
            PING if flags & ACK == 0 => self.ping = Some(payload),
            WINDOW_UPDATE if stream == 0 => self.credit += number(0) as usize,
            DATA => self.data.entry(stream).or_default().extend(&payload),
            HEADERS => drop(self.heads.entry(stream).or_insert(payload)),
            _ => {}
        }
        if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
            self.ended.insert(stream);
        }
    }
}

/// One hostile end of a connection.
pub struct Attacker {
    pub write: OwnedWriteHalf,
    pub address: SocketAddr,
    pub sent: usize,
    next_stream: u32,
    heard: Arc<(Mutex<Seen>, Notify)>,
    reader: JoinHandle<()>,
}

impl Attacker {
    /// A client that has sent its preface, large windows and its acknowledgement, as a proper one would.
    pub async fn client(victim: SocketAddr) -> Attacker {
        let mut attacker = Self::silent_client(victim).await;
        attacker.send(PREFACE).await;
        attacker.introduce(&[]).await;
        attacker
    }

    /// A client that has connected and said nothing.
    pub async fn silent_client(victim: SocketAddr) -> Attacker {
        Self::over(TcpStream::connect(victim).await.unwrap())
    }

    /// A server that has accepted a connection and done as a proper one would.
    pub async fn server(listener: &TcpListener) -> Attacker {
        let mut attacker = Self::silent_server(listener).await;
        attacker.introduce(&[]).await;
        attacker
    }

    /// A server that has read the preface and said nothing.
    pub async fn silent_server(listener: &TcpListener) -> Attacker {
        let (mut socket, _) = soon("a connection", listener.accept()).await.unwrap();
        let mut preface = [0; 24];
        soon("the preface", socket.read_exact(&mut preface)).await.unwrap();
        assert_eq!(preface, PREFACE);
        Self::over(socket)
    }

    /// Listens on a connection, and says nothing.
    pub fn over(socket: TcpStream) -> Attacker {
        socket.set_nodelay(true).unwrap();
        let address = socket.local_addr().unwrap();
        let heard = Arc::<(Mutex<Seen>, Notify)>::default();
        let (read, write) = socket.into_split();
        let reader = tokio::spawn(listen(read, heard.clone()));
        Attacker { write, address, sent: 0, next_stream: 1, heard, reader }
    }

    /// SETTINGS, a large window, and the acknowledgement once it is due.
    pub async fn introduce(&mut self, values: &[(u16, u32)]) {
        self.change(values).await;
        self.send(&raw::window_update(0, 1 << 30)).await;
        self.until("SETTINGS", |seen| seen.frames[usize::from(SETTINGS)] > 0).await;
        self.send(&raw::frame(SETTINGS, ACK, 0, &[])).await;
    }

    /// Sends SETTINGS.
    pub async fn change(&mut self, values: &[(u16, u32)]) {
        self.seen().ledger.settings(values);
        self.send(&raw::settings(values)).await;
    }

    /// Opens a stream's window further.
    pub async fn grant(&mut self, stream: u32, octets: u32) {
        self.seen().ledger.grant(stream, octets);
        self.send(&raw::window_update(stream, octets)).await;
    }

    /// Whether the octets could be written: not if the victim has closed.
    pub async fn send(&mut self, octets: &[u8]) -> bool {
        self.sent += octets.len();
        let written = tokio::time::timeout(PATIENCE, self.write.write_all(octets)).await;
        written.expect("the victim reads").is_ok()
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.heard.0.lock().unwrap()
    }

    /// Waits until what was heard fits.
    pub async fn until(&self, what: &str, fits: impl Fn(&Seen) -> bool) {
        let waiting = async {
            loop {
                let changed = self.heard.1.notified();
                if fits(&self.seen()) {
                    return;
                }
                changed.await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            let seen = self.seen();
            panic!("{what}: not in time; GOAWAY {:?}, over {}", seen.goaway, seen.over);
        }
    }

    /// The identifier of the next stream that this client opens.
    pub fn next_stream(&mut self) -> u32 {
        self.next_stream += 2;
        self.next_stream - 2
    }

    /// Opens a stream and sends the first half of an honest request.
    pub async fn begin_echo(&mut self) -> u32 {
        let stream = self.next_stream();
        let body = pattern(ECHOED);
        let mut octets = request(stream, 0, "POST", "/echo", &[]);
        octets.extend(raw::frame(DATA, 0, stream, &body[..ECHOED / 2]));
        self.send(&octets).await;
        stream
    }

    /// Sends the second half, and has the right answer.
    pub async fn end_echo(&mut self, stream: u32) {
        let body = pattern(ECHOED);
        self.send(&raw::frame(DATA, END_STREAM, stream, &body[ECHOED / 2..])).await;
        let over = |seen: &Seen| seen.ended.contains(&stream) || seen.over || seen.reset_of(stream).is_some();
        self.until("the echo", over).await;
        let mut seen = self.seen();
        assert!(seen.ended.contains(&stream), "{:?} {:?}", seen.goaway, seen.resets);
        assert!(seen.data.remove(&stream).unwrap() == body, "another echo");
        assert!(seen.heads.contains_key(&stream));
    }

    /// The connection still does its work.
    pub async fn is_served(&mut self) {
        let stream = self.begin_echo().await;
        self.end_echo(stream).await;
        assert!(self.seen().goaway.is_none());
    }

    /// The victim answered everything so far.
    pub async fn is_heard(&mut self) {
        let before = self.seen().frames[6];
        self.send(&raw::frame(raw::PING, 0, 0, b"are you?")).await;
        self.until("the answer to a PING", |seen| seen.frames[6] > before || seen.over).await;
    }

    /// The victim ended the connection with this code, and said why.
    pub async fn is_cut_off(&self, code: ErrorCode, because: &str) {
        self.until("the end", |seen| seen.over).await;
        let seen = self.seen();
        let (_, said, debug) = seen.goaway.as_ref().expect("a GOAWAY");
        assert_eq!((*said, debug.contains(because)), (code, true), "{debug}");
    }

    /// The victim reset this stream with this code, and the connection lives.
    pub async fn is_reset(&self, stream: u32, code: ErrorCode) {
        self.until("a RST_STREAM", |seen| seen.reset_of(stream).is_some() || seen.over).await;
        let seen = self.seen();
        assert_eq!((seen.reset_of(stream), seen.goaway.is_none()), (Some(code), true), "{:?}", seen.goaway);
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Octets of an honest body.
pub const ECHOED: usize = 3_000;

/// Reads to the end.
async fn listen(mut read: OwnedReadHalf, heard: Arc<(Mutex<Seen>, Notify)>) {
    let _: io::Result<()> = async {
        loop {
            let mut head = [0; 9];
            read.read_exact(&mut head).await?;
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            read.read_exact(&mut payload).await?;
            let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
            heard.0.lock().unwrap().take(head[3], head[4], stream, payload);
            heard.1.notify_waiters();
        }
    }
    .await;
    heard.0.lock().unwrap().over = true;
    heard.1.notify_waiters();
}

/// A socket that takes as little as the system allows for 8 KiB.
pub async fn narrow(victim: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(8 << 10).unwrap();
    socket.set_recv_buffer_size(8 << 10).unwrap();
    let socket = socket.connect(victim).await.unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

/// A request's HEADERS.
pub fn request(stream: u32, flags: u8, method: &str, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in [(":method", method), (":scheme", "http"), (":path", path), (":authority", "a")] {
        literal(&mut block, name.as_bytes(), value.as_bytes());
    }
    for (name, value) in fields {
        literal(&mut block, name.as_bytes(), value.as_bytes());
    }
    raw::frame(HEADERS, END_HEADERS | flags, stream, &block)
}

/// A literal that is not indexed, with a new name (RFC 7541 §6.2.2).
pub fn literal(block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    block.push(0);
    for text in [name, value] {
        integer(block, 7, 0, text.len());
        block.extend(text);
    }
}

/// An integer with a prefix of so many bits (RFC 7541 §5.1).
pub fn integer(block: &mut Vec<u8>, bits: u32, first: u8, mut value: usize) {
    let most = (1 << bits) - 1;
    if value < most {
        return block.push(first | value as u8);
    }
    block.push(first | most as u8);
    value -= most;
    while value >= 128 {
        block.push((value & 127) as u8 | 128);
        value >>= 7;
    }
    block.push(value as u8);
}
