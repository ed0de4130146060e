//! The wire in memory: of any width, held back at will, and cut at a chosen octet.
//!
//! It follows the frames that pass, so that a cut is at the same place of the conversation whatever the field sections
//! weigh. Always true here: octets arrive in order, none twice, and those before a cut do arrive.

use std::{
    cell::RefCell,
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::script::{Fault, Lane, Place, Script, Side, Wire};

/// Both directions, by the side that sends.
#[derive(Clone)]
pub struct Wires(Rc<RefCell<[Direction; 2]>>);

/// One end.
pub struct Pipe {
    wires: Wires,
    side: Side,
    vectored: bool,
}

struct Direction {
    lane: Lane,
    octets: BytesMut,
    /// Octets that were taken from the sender.
    taken: u64,
    /// Nothing more will come.
    ended: bool,
    /// What is sent is lost.
    lost: bool,
    /// What reads give at the end.
    read_fault: Option<io::ErrorKind>,
    write_fault: Option<io::ErrorKind>,
    frames: Frames,
    cut: Option<(Place, Fault)>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Wires {
    pub fn new(script: &Script) -> Self {
        let direction = |side: Side| Direction {
            lane: script.lanes[side.index()].clone(),
            octets: BytesMut::new(),
            taken: 0,
            ended: false,
            lost: false,
            read_fault: None,
            write_fault: None,
            frames: Frames { preface: if side == Side::Client { PREFACE } else { 0 }, ..Frames::default() },
            cut: None,
            reader: None,
            writer: None,
        };
        Wires(Rc::new(RefCell::new(Side::BOTH.map(direction))))
    }

    pub fn end(&self, side: Side, vectored: bool) -> Pipe {
        Pipe { wires: self.clone(), side, vectored }
    }

    /// Octets that this side has written.
    pub fn taken(&self, side: Side) -> u64 {
        self.0.borrow()[side.index()].taken
    }

    pub fn apply(&self, side: Side, act: &Wire) {
        let direction = &mut self.0.borrow_mut()[side.index()];
        match act {
            Wire::Hold => direction.lane.held = true,
            Wire::Let => {
                direction.lane.held = false;
                wake(&mut direction.reader);
            }
            Wire::Cut(place, fault) => direction.cut = Some((*place, *fault)),
        }
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

impl Direction {
    /// The end, or this failure, is behind what is under way.
    fn end(&mut self, fault: Option<io::ErrorKind>) {
        (self.ended, self.lost) = (true, true);
        self.read_fault = fault;
        wake(&mut self.reader);
        wake(&mut self.writer);
    }

    /// Takes what there is room for, as far as a cut lets it; the second is the fault that comes of it.
    fn take(&mut self, octets: &[u8]) -> (usize, Option<Fault>) {
        let room = self.lane.capacity.map_or(usize::MAX, |capacity| capacity - self.octets.len());
        let count = octets.len().min(room).min(self.lane.write.unwrap_or(usize::MAX));
        let octets = &octets[..count];
        self.taken += count as u64;
        let (passed, cut) = match self.cut {
            Some((place, fault)) => match self.frames.find(octets, place, &mut self.cut) {
                Some(passed) => (passed, Some(fault)),
                None => (count, None),
            },
            None => {
                self.frames.follow(octets, |_| None);
                (count, None)
            }
        };
        self.octets.extend_from_slice(&octets[..passed]);
        wake(&mut self.reader);
        if let Some(Fault::Writes(kind)) = cut {
            self.end(None);
            self.write_fault = Some(kind);
            return (passed, cut);
        }
        (count, cut)
    }
}

impl Pipe {
    fn write(&self, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let mut directions = self.wires.0.borrow_mut();
        let own = &mut directions[self.side.index()];
        if let Some(kind) = own.write_fault {
            return Poll::Ready(Err(kind.into()));
        }
        if own.lost {
            own.taken += octets.len() as u64;
            return Poll::Ready(Ok(octets.len()));
        }
        let (count, cut) = own.take(octets);
        match cut {
            None if count == 0 && !octets.is_empty() => {
                own.writer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            None => {}
            Some(Fault::End) => own.end(None),
            Some(Fault::Torn) => own.end(Some(io::ErrorKind::UnexpectedEof)),
            Some(Fault::Reads(kind)) => {
                own.end(Some(kind));
                let other = &mut directions[1 - self.side.index()];
                // What was under way is gone with the connection.
                other.octets.clear();
                other.lane.held = false;
                other.end(Some(kind));
            }
            Some(Fault::Writes(kind)) if count == 0 => return Poll::Ready(Err(kind.into())),
            Some(Fault::Writes(_)) => {}
        }
        Poll::Ready(Ok(count))
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let direction = &mut self.wires.0.borrow_mut()[1 - self.side.index()];
        if !direction.lane.held {
            if !direction.octets.is_empty() {
                let most = direction.lane.read.unwrap_or(usize::MAX);
                let count = direction.octets.len().min(into.remaining()).min(most);
                into.put_slice(&direction.octets[..count]);
                direction.octets.advance(count);
                wake(&mut direction.writer);
                return Poll::Ready(Ok(()));
            }
            if direction.ended {
                return Poll::Ready(direction.read_fault.map_or(Ok(()), |kind| Err(kind.into())));
            }
        }
        direction.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.write(cx, octets)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut sum = 0;
        for slice in slices.iter().filter(|slice| !slice.is_empty()) {
            match self.write(cx, slice) {
                Poll::Ready(Ok(count)) => {
                    sum += count;
                    if count < slice.len() {
                        break;
                    }
                }
                _ if sum > 0 => break,
                failed => return failed,
            }
        }
        Poll::Ready(Ok(sum))
    }

    fn is_write_vectored(&self) -> bool {
        self.vectored
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let own = &mut self.wires.0.borrow_mut()[self.side.index()];
        own.ended = true;
        wake(&mut own.reader);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let directions = &mut *self.wires.0.borrow_mut();
        directions[self.side.index()].ended = true;
        wake(&mut directions[self.side.index()].reader);
        directions[1 - self.side.index()].lost = true;
        wake(&mut directions[1 - self.side.index()].writer);
    }
}

/// Octets of the client's preface (RFC 9113 §3.4).
const PREFACE: u64 = 24;
/// Octets of a frame header (§4.1).
const HEADER: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;

/// Where in the sequence of frames a direction is.
#[derive(Default)]
struct Frames {
    /// Octets of the preface that are still to pass.
    preface: u64,
    /// All octets so far.
    position: u64,
    header: [u8; HEADER],
    header_octets: usize,
    payload: usize,
    /// Where the cut is, once its frame has begun.
    end: Option<u64>,
}

impl Frames {
    /// Lets octets pass; `begins` is told the kind and payload length of each frame that begins, and says how many
    /// octets of payload may still pass if it is the last. Gives how many octets pass, if not all.
    fn follow(
        &mut self,
        octets: &[u8],
        mut begins: impl FnMut((u8, usize)) -> Option<usize>,
    ) -> Option<usize> {
        let mut rest = octets;
        while !rest.is_empty() {
            if self.end == Some(self.position) {
                return Some(octets.len() - rest.len());
            }
            let mut count = rest.len();
            if let Some(end) = self.end {
                count = count.min((end - self.position) as usize);
            }
            if self.preface > 0 {
                count = count.min(self.preface as usize);
                self.preface -= count as u64;
            } else if self.payload > 0 {
                count = count.min(self.payload);
                self.payload -= count;
            } else {
                count = count.min(HEADER - self.header_octets);
                self.header[self.header_octets..][..count].copy_from_slice(&rest[..count]);
                self.header_octets += count;
            }
            self.position += count as u64;
            rest = &rest[count..];
            if self.header_octets == HEADER {
                self.header_octets = 0;
                self.payload =
                    u32::from_be_bytes([0, self.header[0], self.header[1], self.header[2]]) as usize;
                if let Some(left) = begins((self.header[3], self.payload)) {
                    self.end = Some(self.position + left as u64);
                }
            }
        }
        (self.end == Some(self.position)).then_some(octets.len())
    }

    /// As [`follow`](Self::follow), to this place, of which `left` is what is still to come.
    fn find(&mut self, octets: &[u8], place: Place, left: &mut Option<(Place, Fault)>) -> Option<usize> {
        if let Place::Octet(octet) = place {
            self.end = self.end.or(Some((octet as u64).max(self.position)));
        }
        let Some((left, _)) = left else { return None };
        self.follow(octets, |(kind, length)| match (kind, &mut *left) {
            (HEADERS, Place::Headers { frame: 0, permille }) => Some(length * *permille / 1_000),
            (HEADERS, Place::Headers { frame, .. }) => {
                *frame -= 1;
                None
            }
            (DATA, Place::Data { octets, inside }) if *octets < length => {
                Some(if *inside { *octets } else { length })
            }
            (DATA, Place::Data { octets, .. }) => {
                *octets -= length;
                None
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A preface, HEADERS of 30 octets, DATA of 100, HEADERS of 50, DATA of 7.
    fn wire() -> Vec<u8> {
        let mut wire = vec![b'p'; PREFACE as usize];
        for (kind, length) in [(HEADERS, 30_u8), (DATA, 100), (HEADERS, 50), (DATA, 7)] {
            wire.extend([0, 0, length, kind, 0, 0, 0, 0, 1]);
            wire.extend(std::iter::repeat_n(0, length as usize));
        }
        wire
    }

    #[test]
    fn a_cut_is_at_its_place_however_the_octets_come() {
        let inside = |octets| Place::Data { octets, inside: true };
        let places = [
            (Place::Octet(0), 0),
            (Place::Octet(26), 26),
            (Place::Headers { frame: 0, permille: 500 }, 24 + 9 + 15),
            (Place::Headers { frame: 1, permille: 0 }, 24 + 39 + 109 + 9),
            (inside(0), 24 + 39 + 9),
            (inside(99), 24 + 39 + 9 + 99),
            (inside(103), 24 + 39 + 109 + 59 + 9 + 3),
            (Place::Data { octets: 5, inside: false }, 24 + 39 + 109),
        ];
        let wire = wire();
        for (place, expected) in places {
            for size in 1..=wire.len() {
                let mut frames = Frames { preface: PREFACE, ..Frames::default() };
                let mut left = Some((place, Fault::End));
                let mut passed = 0;
                for part in wire.chunks(size) {
                    let found = frames.find(part, place, &mut left);
                    passed += found.unwrap_or(part.len());
                    if found.is_some() {
                        break;
                    }
                }
                assert_eq!(passed, expected, "{place:?}, {size} octets at a time");
            }
        }
    }
}
