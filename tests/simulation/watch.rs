//! Who stands beside one end's socket and keeps its books from the frames alone: the credit of both windows, who may
//! send what in which state, how many streams are open (RFC 9113 §4.1, §5.1, §5.2, §6.5.3, §6.9).
//!
//! Always true here: a setting counts from the moment its acknowledgement is written (for who obeys it) or read (for
//! who made it), a WINDOW_UPDATE from the moment it is read or written. So the books are exact: no more was sent than
//! was allowed, and no more was allowed than was received.

use std::collections::{BTreeMap, VecDeque};

const INITIAL_WINDOW: i64 = 65_535;

const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const SETTINGS: u8 = 0x4;
const GOAWAY: u8 = 0x7;
const WINDOW_UPDATE: u8 = 0x8;
const CONTINUATION: u8 = 0x9;

const MAX_CONCURRENT_STREAMS: u16 = 0x3;
const INITIAL_WINDOW_SIZE: u16 = 0x4;
const MAX_FRAME_SIZE: u16 = 0x5;

/// The books of one end.
pub struct Watch {
    client: bool,
    incoming: Frames,
    outgoing: Frames,
    /// What we may send on the connection, and what the peer may.
    pub send_window: i64,
    pub recv_window: i64,
    /// The window of the connection that is wanted here, and the largest that ever was.
    target: i64,
    largest: i64,
    pub streams: BTreeMap<u32, Stream>,
    ours: Settings,
    theirs: Settings,
    /// Not acknowledged yet.
    ours_waiting: VecDeque<Vec<(u16, u32)>>,
    theirs_waiting: VecDeque<Vec<(u16, u32)>>,
    goaway: Option<u32>,
    /// In a field block: the stream that must go on.
    block: Option<u32>,
    /// Whether the frames that are written and read are said.
    trace: bool,
}

#[derive(Debug, Default)]
pub struct Stream {
    pub send_window: i64,
    pub recv_window: i64,
    pub we_ended: bool,
    pub they_ended: bool,
    pub we_reset: bool,
    pub they_reset: bool,
    /// Octets of DATA that we wrote.
    pub sent: usize,
}

impl Stream {
    pub fn is_open(&self) -> bool {
        !(self.we_reset || self.they_reset || (self.we_ended && self.they_ended))
    }
}

#[derive(Clone, Copy, Debug)]
struct Settings {
    initial_window: i64,
    max_frame: usize,
    max_streams: Option<usize>,
}

impl Settings {
    const INITIAL: Settings =
        Settings { initial_window: INITIAL_WINDOW, max_frame: 16_384, max_streams: None };

    /// How much the windows of streams grow.
    fn apply(&mut self, values: &[(u16, u32)]) -> i64 {
        let before = self.initial_window;
        for (id, value) in values {
            match *id {
                MAX_CONCURRENT_STREAMS => self.max_streams = Some(*value as usize),
                INITIAL_WINDOW_SIZE => self.initial_window = i64::from(*value),
                MAX_FRAME_SIZE => self.max_frame = *value as usize,
                _ => {}
            }
        }
        self.initial_window - before
    }
}

impl Watch {
    pub fn new(client: bool, target: u32, trace: bool) -> Self {
        Watch {
            client,
            incoming: Frames::new(!client),
            outgoing: Frames::new(client),
            send_window: INITIAL_WINDOW,
            recv_window: INITIAL_WINDOW,
            target: i64::from(target),
            largest: i64::from(target),
            streams: BTreeMap::new(),
            ours: Settings::INITIAL,
            theirs: Settings::INITIAL,
            ours_waiting: VecDeque::new(),
            theirs_waiting: VecDeque::new(),
            goaway: None,
            block: None,
            trace,
        }
    }

    /// The connection's window here is to be so large from now on.
    pub fn wants(&mut self, target: u32) {
        self.target = i64::from(target);
        self.largest = self.largest.max(self.target);
    }

    /// Nothing is unread and nothing on its way: what the window lacks is not worth an announcement.
    pub fn settle(&self) {
        let lacking = self.target - self.recv_window;
        let (window, target) = (self.recv_window, self.target);
        assert!(
            lacking < (target / 2).max(1),
            "the connection's window is {window}, wanted are {target}: credit is lost"
        );
    }

    /// Whether any stream is open.
    pub fn is_busy(&self) -> bool {
        self.streams.values().any(Stream::is_open)
    }

    /// Octets that the socket took.
    pub fn wrote(&mut self, octets: &[u8]) {
        let mut frames = std::mem::take(&mut self.outgoing);
        frames.feed(octets, |frame| self.handle_written(frame));
        self.outgoing = frames;
    }

    /// Octets that the socket gave.
    pub fn read(&mut self, octets: &[u8]) {
        let mut frames = std::mem::take(&mut self.incoming);
        frames.feed(octets, |frame| self.handle_read(frame));
        self.incoming = frames;
    }

    fn say(&self, verb: &str, kind: u8, flags: u8, stream: u32, length: usize, payload: Option<&[u8]>) {
        if self.trace && (kind == DATA || payload.is_some()) {
            let who = if self.client { "client" } else { "server" };
            let payload = payload.filter(|_| matches!(kind, RST_STREAM..=WINDOW_UPDATE)).unwrap_or_default();
            eprintln!("{who} {verb} type {kind} flags {flags} stream {stream}, {length} octets {payload:?}");
        }
    }

    fn handle_written(&mut self, Frame { kind, flags, stream, length, payload }: Frame<'_>) {
        self.say("writes", kind, flags, stream, length, payload);
        if let Some(payload) = payload {
            match kind {
                SETTINGS if flags & ACK == 0 => self.ours_waiting.push_back(entries(payload)),
                SETTINGS => {
                    let values =
                        self.theirs_waiting.pop_front().expect("acknowledges SETTINGS that never came");
                    let delta = self.theirs.apply(&values);
                    self.streams.values_mut().for_each(|stream| stream.send_window += delta);
                }
                WINDOW_UPDATE => self.announce(stream, number(payload)),
                GOAWAY => self.goaway = Some(number(payload)),
                RST_STREAM => {
                    let state = self.streams.get_mut(&stream).expect("resets an idle stream");
                    assert!(!state.we_reset, "stream {stream}: reset twice");
                    state.we_reset = true;
                }
                _ => {}
            }
            return;
        }
        assert!(length <= self.theirs.max_frame, "a frame of {length} octets is too large for the peer");
        match (self.block, kind) {
            (None, CONTINUATION) => panic!("CONTINUATION of nothing"),
            (Some(block), CONTINUATION) => assert_eq!(block, stream, "CONTINUATION of another stream"),
            (Some(block), _) => panic!("the field block of stream {block} is interrupted"),
            (None, _) => {}
        }
        match kind {
            DATA => {
                let state = self.streams.get_mut(&stream).expect("DATA on an idle stream");
                assert!(!state.we_ended && !state.we_reset, "stream {stream}: DATA after the end");
                self.send_window -= length as i64;
                state.send_window -= length as i64;
                state.sent += length;
                if length > 0 {
                    assert!(self.send_window >= 0, "the connection's window is exceeded");
                    assert!(state.send_window >= 0, "stream {stream}: its window is exceeded");
                }
                state.we_ended |= flags & END_STREAM != 0;
            }
            HEADERS => {
                if !self.streams.contains_key(&stream) {
                    self.open(stream);
                }
                let state = self.streams.get_mut(&stream).expect("it was opened");
                assert!(!state.we_ended && !state.we_reset, "stream {stream}: HEADERS after the end");
                state.we_ended |= flags & END_STREAM != 0;
            }
            _ => {}
        }
        if matches!(kind, HEADERS | CONTINUATION) {
            self.block = (flags & END_HEADERS == 0).then_some(stream);
        }
    }

    /// We open a stream.
    fn open(&mut self, stream: u32) {
        assert!(self.client && stream % 2 == 1, "stream {stream} is not ours to open");
        assert!(self.streams.keys().all(|other| *other < stream), "stream {stream} comes too late");
        self.add(stream);
        let open = self.streams.values().filter(|stream| stream.is_open()).count();
        if let Some(max) = self.theirs.max_streams {
            assert!(open <= max, "{open} streams, {max} are allowed");
        }
    }

    fn add(&mut self, stream: u32) {
        let (send_window, recv_window) = (self.theirs.initial_window, self.ours.initial_window);
        self.streams.insert(stream, Stream { send_window, recv_window, ..Stream::default() });
    }

    fn announce(&mut self, stream: u32, octets: u32) {
        if stream == 0 {
            self.recv_window += i64::from(octets);
            let (window, target) = (self.recv_window, self.largest);
            return assert!(window <= target, "the connection's window is {window}, wanted are {target}");
        }
        let state = self.streams.get_mut(&stream).expect("a window for an idle stream");
        state.recv_window += i64::from(octets);
        let (window, most) = (state.recv_window, self.ours.initial_window);
        assert!(window <= most, "stream {stream}: its window is {window}, wanted are {most}");
    }

    fn handle_read(&mut self, Frame { kind, flags, stream, length, payload }: Frame<'_>) {
        self.say("reads", kind, flags, stream, length, payload);
        if let Some(payload) = payload {
            match kind {
                SETTINGS if flags & ACK == 0 => self.theirs_waiting.push_back(entries(payload)),
                SETTINGS => {
                    let values = self.ours_waiting.pop_front().expect("an acknowledgement of nothing");
                    let delta = self.ours.apply(&values);
                    self.streams.values_mut().for_each(|stream| stream.recv_window += delta);
                }
                WINDOW_UPDATE if stream == 0 => self.send_window += i64::from(number(payload)),
                WINDOW_UPDATE => {
                    if let Some(state) = self.streams.get_mut(&stream) {
                        state.send_window += i64::from(number(payload));
                    }
                }
                RST_STREAM => {
                    if let Some(state) = self.streams.get_mut(&stream) {
                        state.they_reset = true;
                    }
                }
                _ => {}
            }
            return;
        }
        match kind {
            DATA => {
                self.recv_window -= length as i64;
                if let Some(state) = self.streams.get_mut(&stream) {
                    state.recv_window -= length as i64;
                    state.they_ended |= flags & END_STREAM != 0;
                }
            }
            HEADERS => {
                if !self.streams.contains_key(&stream) {
                    self.add(stream);
                }
                let state = self.streams.get_mut(&stream).expect("it was added");
                state.they_ended |= flags & END_STREAM != 0;
            }
            _ => {}
        }
    }
}

/// A frame: first when its header is there, without a payload; then, unless it is DATA, with it.
struct Frame<'a> {
    kind: u8,
    flags: u8,
    stream: u32,
    length: usize,
    payload: Option<&'a [u8]>,
}

/// Cuts octets into frames.
#[derive(Default)]
struct Frames {
    preface: usize,
    header: Vec<u8>,
    payload: Vec<u8>,
    left: usize,
}

impl Frames {
    fn new(preface: bool) -> Self {
        Frames { preface: if preface { 24 } else { 0 }, ..Frames::default() }
    }

    fn feed(&mut self, mut octets: &[u8], mut give: impl FnMut(Frame<'_>)) {
        let preface = self.preface.min(octets.len());
        self.preface -= preface;
        octets = &octets[preface..];
        while !octets.is_empty() {
            if self.header.len() < 9 {
                let part = octets.len().min(9 - self.header.len());
                self.header.extend_from_slice(&octets[..part]);
                octets = &octets[part..];
                if self.header.len() < 9 {
                    return;
                }
                let length = number(&[0, self.header[0], self.header[1], self.header[2]]) as usize;
                self.left = length;
                give(self.frame(length, None));
            }
            let part = octets.len().min(self.left);
            if self.header[3] != DATA {
                self.payload.extend_from_slice(&octets[..part]);
            }
            octets = &octets[part..];
            self.left -= part;
            if self.left == 0 {
                if self.header[3] != DATA {
                    give(self.frame(self.payload.len(), Some(&self.payload)));
                }
                self.header.clear();
                self.payload.clear();
            }
        }
    }

    fn frame<'a>(&self, length: usize, payload: Option<&'a [u8]>) -> Frame<'a> {
        let header = &self.header;
        let stream = number(&header[5..]) & 0x7fff_ffff;
        Frame { kind: header[3], flags: header[4], stream, length, payload }
    }
}

fn number(octets: &[u8]) -> u32 {
    octets.iter().take(4).fold(0, |number, octet| number << 8 | u32::from(*octet))
}

fn entries(payload: &[u8]) -> Vec<(u16, u32)> {
    payload.chunks_exact(6).map(|entry| ((number(&entry[..2])) as u16, number(&entry[2..]))).collect()
}
