//! What the peer sends and the application does, read from the input.
//!
//! Always true here: the peer sends whole frames and field blocks (a frame that was cut is filled up with zeros, a block
//! is ended), for a rule that is broken in the middle of one is noticed at different times; and none of PRIORITY_UPDATE,
//! which h2 does not know.

use millpond::frame::{FrameHeader, PREFACE};

use super::super::input::Input;

#[derive(Debug)]
pub struct Script {
    pub options: u8,
    pub steps: Vec<Step>,
}

/// What happens next; each when all that came before has had its effect.
#[derive(Debug)]
pub enum Step {
    /// The peer sends.
    Peer(Vec<u8>),
    /// The application does something with the n-th request that it has accepted.
    Respond(usize, bool),
    Informational(usize),
    Data(usize, usize, bool),
    Trailers(usize),
    Reset(usize, u32),
    Drop(usize),
    /// It stops reading, or begins again.
    Read(usize, bool),
    Graceful,
    Abrupt(u32),
    InitialWindow(u32),
    TargetWindow(u32),
}

/// The heads of requests, and other field blocks. `a` is the authority, so that nothing is missing.
const HEADS: [&[u8]; 12] = [
    b"\x82\x86\x84\x41\x01a",
    b"\x83\x86\x84\x41\x01a",
    b"\x83\x87\x84\x41\x01b\x0f\x0d\x013",
    b"\x83\x86\x84\x41\x01a\x0f\x0d\x03200",
    b"\x02\x04HEAD\x86\x84\x41\x01a",
    b"\x02\x07CONNECT\x01\x03a:1",
    b"\x82\x86\x04\x03/x?\x01\x01c\x40\x01n\x01v",
    b"\x82\x86\x84\xbe\xbf",
    // Trailers.
    b"\x00\x05trail\x01x",
    b"\x40\x05trail\x01y\xbe",
    // Malformed ones.
    b"\x82\x82\x86\x84\x41\x01a",
    b"\x82\x86\x84\x41\x01a\x00\x0aconnection\x01x",
];

impl Script {
    pub fn new(data: &[u8]) -> Script {
        let mut input = Input(data);
        let options = input.octet();
        let mut peer = Peer::default();
        if options & 0x80 == 0 {
            peer.octets.extend_from_slice(PREFACE);
            peer.begins = true;
            peer.frame(0x4, 0, 0, &[]);
        }
        let mut steps = Vec::new();
        while !input.is_empty() {
            let choice = input.octet();
            let step = match choice % 32 {
                0..=17 => {
                    peer.step(choice, &mut input);
                    continue;
                }
                kind => application(kind, &mut input),
            };
            steps.extend(peer.take().map(Step::Peer));
            steps.extend(step);
        }
        steps.extend(peer.take().map(Step::Peer));
        Script { options, steps }
    }
}

/// `None`: nothing but that all that came before has its effect.
fn application(kind: u8, input: &mut Input<'_>) -> Option<Step> {
    let request = usize::from(input.octet() % 8);
    Some(match kind {
        18..=20 => Step::Respond(request, kind == 18),
        21 => Step::Informational(request),
        22 | 23 => Step::Data(request, input.number() % 40_000, kind == 23),
        24 => Step::Trailers(request),
        25 => Step::Reset(request, u32::from(input.octet() % 14)),
        26 => Step::Drop(request),
        27 => Step::Read(request, input.octet() & 1 == 1),
        28 => match input.octet() {
            code @ 0..100 => Step::Abrupt(u32::from(code % 14)),
            _ => Step::Graceful,
        },
        29 => Step::InitialWindow(input.number() as u32),
        30 => Step::TargetWindow((input.number() as u32) << (input.octet() % 8)),
        _ => return None,
    })
}

/// Octets that are not sent yet.
#[derive(Default)]
struct Peer {
    octets: Vec<u8>,
    /// Whether they begin with the connection preface.
    begins: bool,
}

impl Peer {
    fn step(&mut self, choice: u8, input: &mut Input<'_>) {
        match choice % 32 {
            0 => self.octets.extend_from_slice(input.some()),
            1 => {
                let (kind, flags, stream) = (input.octet(), input.octet(), input.octet());
                self.frame(kind, flags, stream, input.some());
            }
            2 => {
                let mut payload = Vec::new();
                for _ in 0..input.octet() % 4 {
                    let id = [1, 2, 3, 4, 5, 6, 8, 9][usize::from(input.octet() % 8)];
                    let value = (input.number() as u32) << (input.octet() % 16);
                    payload.extend_from_slice(&u16::to_be_bytes(id));
                    payload.extend_from_slice(&value.to_be_bytes());
                }
                self.frame(0x4, 0, 0, &payload);
            }
            3 => self.frame(0x4, 0x1, 0, &[]),
            4..=8 => {
                let (flags, stream) = (0x4 | (input.octet() & 1), input.octet());
                let head = HEADS[usize::from(input.octet()) % HEADS.len()];
                let extra = if choice > 200 { input.some() } else { &[] };
                self.frame(0x1, flags, stream, &[head, extra].concat());
            }
            // The same, cut.
            9 => {
                let (flags, stream) = (input.octet() & 1, input.octet());
                let head = HEADS[usize::from(input.octet()) % HEADS.len()];
                let (first, rest) = head.split_at(usize::from(input.octet()) % head.len());
                self.frame(0x1, flags, stream, first);
                self.frame(0x9, 0x4, stream, rest);
            }
            10..=12 => {
                let (flags, stream) = (input.octet() & 0x9, input.octet());
                let length = if choice % 32 == 10 { input.octet().into() } else { input.number() % 16_385 };
                let mut payload: Vec<u8> = (0..length).map(|at| at as u8).collect();
                if flags & 0x8 != 0 && length > 0 {
                    payload[0] = input.octet();
                }
                self.frame(0x0, flags, stream, &payload);
            }
            13 => {
                let stream = input.octet();
                let increment = (input.number() as u32) << (input.octet() % 16);
                self.frame(0x8, 0, stream, &increment.to_be_bytes());
            }
            14 | 15 => {
                let (stream, code) = (input.octet(), u32::from(input.octet()));
                self.frame(0x3, 0, stream, &code.to_be_bytes());
            }
            16 => {
                let (ack, payload) = (input.octet() & 1, [input.octet(); 8]);
                self.frame(0x6, ack, 0, &payload);
            }
            _ => {
                let (last, code) = (u32::from(input.octet()), u32::from(input.octet()));
                self.frame(0x7, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat());
            }
        }
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u8, payload: &[u8]) {
        let header = FrameHeader {
            length: payload.len() as u32,
            kind: kind.into(),
            flags: millpond::frame::Flags::from(flags),
            stream: millpond::StreamId::new(stream.into()),
        };
        self.octets.extend_from_slice(&header.encode());
        self.octets.extend_from_slice(payload);
    }

    /// All that was not sent, filled up to the end of a frame.
    fn take(&mut self) -> Option<Vec<u8>> {
        if self.octets.is_empty() {
            return None;
        }
        let mut octets = std::mem::take(&mut self.octets);
        let mut at = if std::mem::take(&mut self.begins) { PREFACE.len() } else { 0 };
        let mut open = None;
        while at < octets.len() {
            octets.resize(octets.len().max(at + FrameHeader::OCTETS), 0);
            let length = u32::from_be_bytes([0, octets[at], octets[at + 1], octets[at + 2]]) as usize;
            if octets[at + 3] == 0x10 {
                octets[at + 3] = 0xbb;
            }
            let (kind, flags) = (octets[at + 3], octets[at + 4]);
            open = (matches!(kind, 0x1 | 0x5 | 0x9) && flags & 0x4 == 0).then_some(at + 5);
            at += FrameHeader::OCTETS;
            // Beyond the limit the header is enough to be refused.
            if length > 16_384 {
                break;
            }
            at += length;
            octets.resize(octets.len().max(at), 0);
        }
        if let Some(stream) = open {
            let stream: [u8; 4] = octets[stream..stream + 4].try_into().expect("four octets");
            octets.extend_from_slice(&[&[0, 0, 0, 0x9, 0x4][..], &stream].concat());
        }
        Some(octets)
    }
}
