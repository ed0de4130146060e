//! The state machine of one connection, client or server (RFC 9113 §3.4, §5, §6.5 to §6.9).
//!
//! It computes and does nothing else: no socket, clock, task, waker or lock. Time comes as an argument. In go
//! `handle_*`, what the application wants are plain verbs, out come `poll_*`. After any input drain
//! [`Connection::poll_event`] and [`Connection::poll_transmit`] before the next.
//!
//! Always true here: whatever the peer sends, there is no panic, and memory and work are bounded by the
//! options; credit moves in `flow.rs` alone; every stream that was told of ends with one
//! [`Event::Closed`].
//!
//! What a caller sends is a [`SendQueue`] of a [`Head`], DATA and trailers; it is not checked again here, so
//! let [`check_head`] and [`check_trailers`] see what comes from elsewhere. Two ends without a socket:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::{sync::Arc, time::Instant};
//! use http::Request;
//! use millpond::{Config, buffer::{Block, BufferPool, Outbound}};
//! use millpond::connection::{Connection, Event, Head, SendQueue, Side, check_head};
//!
//! let (config, now) = (Arc::new(Config::default()), Instant::now());
//! let mut client = Connection::new(Side::Client, config.clone(), now);
//! let mut server = Connection::new(Side::Server, config, now);
//!
//! let head = Head::Request(Request::get("http://example.com/pond").body(())?);
//! check_head(&head)?;
//! let mut queue = SendQueue::new();
//! queue.push_head(head);
//! queue.push_end();
//! let id = client.next_stream_id().expect("a new connection has identifiers left");
//! client.open(id, &mut queue)?;
//!
//! // What the client wants to write, moved by hand instead of by a socket.
//! let mut out = Outbound::new(BufferPool::global());
//! client.poll_transmit(now, &mut out);
//! let mut block = Block::owned(out.octets());
//! let mut slices = [std::io::IoSlice::new(&[]); 8];
//! let count = out.slices(&mut slices);
//! slices[..count].iter().for_each(|slice| { block.append(slice); });
//!
//! server.handle_read(now, block);
//! let mut paths = Vec::new();
//! while let Some(event) = server.poll_event() {
//!     if let Event::Request { head, end_stream: true, .. } = event {
//!         paths.push(head.uri().path().to_owned());
//!     }
//! }
//! assert_eq!(paths, ["/pond"]);
//! # Ok(())
//! # }
//! ```

mod application;
mod closed;
mod control;
mod core;
mod dormant;
mod event;
mod flow;
mod inbound;
mod limits;
mod linger;
mod manners;
mod memory;
mod messages;
mod outbound;
mod ping;
mod prioritized;
mod settings;
mod shutdown;
mod spares;
mod streams;
mod timers;

#[cfg(test)]
mod tests;

use std::{io, sync::Arc, time::Instant};

use crate::{
    buffer::{Block, Cursor, Outbound},
    config::Config,
    error::{Error, Fault, Misdeed},
    frame::{FrameReader, MIN_MAX_FRAME_SIZE, PREFACE, ReaderLimits},
};

use self::core::Core;
pub use crate::stream::{Head, SendQueue, check as check_head, check_headers as check_trailers};
pub use dormant::Dormant;
pub use event::Event;
pub use streams::StreamKey;

/// Which end of the connection this is. A value, not a type parameter, so that the code exists once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It sends the preface and opens odd streams.
    Client,
    /// It answers.
    Server,
}

/// Figures of one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionStats {
    /// Streams that are open now.
    pub streams: usize,
    /// Octets that the peer still lets us send on the connection.
    pub send_window: u32,
    /// Octets that we still let the peer send on the connection.
    pub recv_window: u32,
    /// Octets of DATA that were delivered and not yet released.
    pub unread: u64,
    /// The smoothed round-trip time, once a PING of ours was answered.
    pub rtt: Option<std::time::Duration>,
    /// Octets that came from the socket, all frames included.
    pub octets_received: u64,
    /// Octets that were given to the socket, all frames included.
    pub octets_sent: u64,
}

/// One HTTP/2 connection without its socket.
pub struct Connection {
    reader: FrameReader,
    cursor: Option<Cursor>,
    /// The block of the last read, if nobody shares it: ready for the next read.
    spare: Option<Block>,
    /// How many octets of the client's preface have come (servers only, §3.4).
    preface: u8,
    core: Box<Core>,
}

impl Connection {
    /// A connection whose preface is yet to be sent, and, for servers, to be received.
    pub fn new(side: Side, config: Arc<Config>, now: Instant) -> Self {
        Connection {
            reader: FrameReader::new(config.pool.clone(), reader_limits(&config)),
            cursor: None,
            spare: None,
            preface: if side == Side::Server { 0 } else { PREFACE.len() as u8 },
            core: Box::new(Core::new(side, config, now)),
        }
    }

    /// Octets that came from the socket. Drain [`poll_event`](Self::poll_event) before the next.
    pub fn handle_read(&mut self, now: Instant, block: Block) {
        debug_assert!(self.cursor.is_none(), "events are drained before the next read");
        self.core.now = now;
        self.core.last_read = now;
        self.core.octets_received += block.len() as u64;
        self.cursor = Some(Cursor::new(block));
    }

    /// The peer has ended its side of the socket. Streams that it had ended may still be answered.
    pub fn handle_eof(&mut self, now: Instant) {
        self.core.now = now;
        let truncated = !self.reader.is_at_boundary() || usize::from(self.preface) < PREFACE.len();
        self.core.handle_eof(truncated && self.preface > 0);
    }

    /// The socket failed: every stream ends with this error.
    pub fn handle_io_error(&mut self, error: io::Error) {
        self.core.fail_silently(error.into());
    }

    /// The next thing that happened, or `None` when all octets read are used up.
    pub fn poll_event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.core.next_event() {
                return Some(event);
            }
            if self.core.shutdown.failure().is_some() {
                self.cursor = None;
                return None;
            }
            let cursor = self.cursor.as_mut()?;
            if usize::from(self.preface) < PREFACE.len() {
                if let Err(fault) = take_preface(cursor, &mut self.preface) {
                    self.core.handle_fault(fault);
                    continue;
                }
                if usize::from(self.preface) < PREFACE.len() {
                    self.end_of_block();
                    continue;
                }
            }
            // The frame borrows reader and cursor until the end of this statement.
            let outcome = self.reader.next(cursor).and_then(|frame| match frame {
                Some(frame) => self.core.handle_frame(frame).map(Some),
                None => Ok(None),
            });
            match outcome {
                Ok(Some(Some(event))) => return Some(event),
                Ok(Some(None)) => {}
                Ok(None) => self.end_of_block(),
                Err(fault) => self.core.handle_fault(fault),
            }
        }
    }

    /// Appends what is to be sent now to `out`, up to a bound of about 256 KiB so that what is sent stays
    /// fresh. Whether anything was appended.
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Outbound) -> bool {
        self.core.now = now;
        self.core.transmit(out, outbound::ENOUGH)
    }

    /// As [`poll_transmit`](Self::poll_transmit), but with a bound of about `enough` octets of DATA in frames of 1,024 octets or more: what was not
    /// appended can still be taken back by a reset.
    pub fn poll_transmit_some(&mut self, now: Instant, out: &mut Outbound, enough: usize) -> bool {
        self.core.now = now;
        self.core.transmit(out, enough)
    }

    /// Appends the client's preface (RFC 9113 §3.4) and nothing else, if it is still to be sent. Whether it was;
    /// [`poll_transmit`](Self::poll_transmit) does it otherwise.
    pub fn poll_preface(&mut self, out: &mut Outbound) -> bool {
        self.core.transmit_preface(out)
    }

    /// Whether the octets that came end between two frames: the end of the socket is no surprise here.
    pub fn is_at_boundary(&self) -> bool {
        self.reader.is_at_boundary() && usize::from(self.preface) == PREFACE.len()
    }

    /// Octets of the client's preface that are still to come (servers; a client has none to wait for).
    pub fn preface_missing(&self) -> usize {
        PREFACE.len() - usize::from(self.preface)
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.core.next_timeout()
    }

    /// The time at which the application wants what follows; whatever takes the time itself needs no such call before it.
    pub fn note_time(&mut self, now: Instant) {
        self.core.now = now;
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.core.now = now;
        self.core.handle_timeout();
    }

    /// The socket took octets, and `waiting` are left: time for `write_timeout` begins anew. Cheap, to be called after
    /// each write.
    pub fn handle_written(&mut self, waiting: usize) {
        self.core.blocked_since = None;
        self.core.note_unwritten(waiting);
    }

    /// The socket takes none of `waiting` octets. Once that has been so for `write_timeout` the connection fails with
    /// [`Misdeed::WriteTimeout`]; there is no GOAWAY then, since nobody would take it: drop what waits.
    pub fn handle_blocked(&mut self, now: Instant, waiting: usize) {
        self.core.blocked_since.get_or_insert(now);
        self.core.charge_unwritten(waiting);
    }

    /// Why the connection is over, if it failed. What is still to be written is its GOAWAY.
    pub fn failure(&self) -> Option<&Error> {
        self.core.shutdown.failure()
    }

    /// Whether everything is done: once what is written is flushed, the socket may be closed.
    pub fn is_finished(&self) -> bool {
        self.core.is_finished()
    }

    /// Whether no read is needed any more.
    pub fn is_read_closed(&self) -> bool {
        self.core.shutdown.eof || self.core.shutdown.failure().is_some()
    }

    /// The block of the last read, cleared, if nothing shares it. Take it for the next read, or drop it and it
    /// goes home.
    pub fn take_block(&mut self) -> Option<Block> {
        self.spare.take()
    }

    /// Figures as they stand.
    pub fn stats(&self) -> ConnectionStats {
        self.core.stats()
    }

    /// Octets of memory held for a frame that has not arrived whole.
    pub fn gathered(&self) -> usize {
        self.reader.gathered()
    }

    fn end_of_block(&mut self) {
        self.spare = self.cursor.take().and_then(Cursor::into_block);
        self.core.note_gathering(self.reader.is_gathering());
        self.core.note_gathered(self.reader.gathered());
    }
}

fn reader_limits(config: &Config) -> ReaderLimits {
    ReaderLimits {
        max_frame_size: config.max_frame_size,
        max_field_block: max_field_block(config),
        // As many as such a block takes, or 16 for peers that cut it small.
        max_continuations: (max_field_block(config) / MIN_MAX_FRAME_SIZE as usize).max(16) as u32,
    }
}

/// Compressed octets are fewer than the octets of the section; half as much again leaves room for sections that
/// are refused for their size only once they are decoded.
fn max_field_block(config: &Config) -> usize {
    let octets = config.max_header_list_size as usize;
    let room = config.manners.room_for_field_block(octets);
    octets.saturating_mul(3) / 2 + 1_024 + room
}

/// The client's preface (§3.4), of which `have` octets came before.
fn take_preface(cursor: &mut Cursor, have: &mut u8) -> Result<(), Fault> {
    let expected = &PREFACE[usize::from(*have)..];
    let octets = cursor.take_slice(expected.len().min(cursor.remaining()));
    if octets != &expected[..octets.len()] {
        return Err(Fault::connection(Misdeed::BadPreface));
    }
    *have += octets.len() as u8;
    Ok(())
}
