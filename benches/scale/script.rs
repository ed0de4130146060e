//! A client that is a script: fixed octets for a server to read, whose answers are counted and dropped.
//!
//! So that what is measured is the server: a client costs one small structure for each connection, [`Wire`], which is
//! all there is of a socket as well. Its octets are what our encoder writes for a gRPC client, and all connections share
//! them.
//!
//! Always true here: what a server writes is read frame by frame, and a stream that is reset, a GOAWAY or half a frame
//! header is noticed.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use http::{HeaderName, HeaderValue, Method};
use millpond::{
    adapter::Connected,
    hpack::{Encoder, FieldRef},
    readiness::ReadReady,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What clients send: one piece for the first call, one for the second, and so on.
pub struct Script {
    encoder: Encoder,
    calls: Vec<&'static [u8]>,
}

/// Both ends of a connection, and all there is between them.
pub struct Wire(Mutex<State>);

/// The server's end.
pub struct End(Arc<Wire>);

struct State {
    /// What the server has not read yet.
    inbound: &'static [u8],
    reader: Option<Waker>,
    /// Octets of the current frame that are to come.
    rest: u32,
    /// Streams that were answered to their end.
    answered: u32,
    /// Something came that a well served client does not see.
    failed: bool,
}

/// The first octets of a client (RFC 9113 §3.4), its SETTINGS, and a window that is never used up.
const OPENING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\
    \0\0\0\x04\0\0\0\0\0\
    \0\0\x04\x08\0\0\0\0\0\x7f\xfe\0\0";

/// The acknowledgement of the server's SETTINGS.
const ACKNOWLEDGEMENT: &[u8] = b"\0\0\0\x04\x01\0\0\0\0";

/// What a server writes for a call, in its sizes: a head, a message and trailers.
pub const ANSWER: &[u8] = b"\0\0\x03\x01\x04\0\0\0\x01\x88\xbf\xbe\
    \0\0\x05\0\0\0\0\0\x01\0\0\0\0\0\
    \0\0\x02\x01\x05\0\0\0\x01\xbd\xbc";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

impl Script {
    /// A client that has sent nothing yet.
    pub fn new() -> Self {
        Script { encoder: Encoder::new(4_096), calls: Vec::new() }
    }

    /// What a client sends for this call: the first is number 0. It is made once and never freed.
    pub fn call(&mut self, number: usize) -> &'static [u8] {
        while self.calls.len() <= number {
            let mut octets = match self.calls.len() {
                0 => OPENING.to_vec(),
                _ => Vec::new(),
            };
            let stream = u32::try_from(2 * self.calls.len() + 1).unwrap_or(u32::MAX);
            let mut block = [0; 512];
            let length = encode(&mut self.encoder, &mut block);
            frame(&mut octets, HEADERS, END_HEADERS, stream, &block[..length]);
            // A gRPC message without octets.
            frame(&mut octets, DATA, END_STREAM, stream, &[0; 5]);
            self.calls.push(Box::leak(octets.into_boxed_slice()));
        }
        self.calls[number]
    }
}

/// The field section of a unary call, as tonic sends it.
fn encode(encoder: &mut Encoder, into: &mut [u8]) -> usize {
    let field = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    let regular = [
        field("te", "trailers"),
        field("content-type", "application/grpc"),
        field("user-agent", "tonic/0.14"),
    ];
    let pseudo = [
        FieldRef::Method(&Method::POST),
        FieldRef::Scheme("http"),
        FieldRef::Authority("127.0.0.1:50051"),
        FieldRef::Path("/echo.Echo/Unary"),
    ];
    let fields = pseudo.into_iter().chain(regular.iter().map(|(name, value)| FieldRef::Header(name, value)));
    encoder.encode(fields, into)
}

fn frame(into: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    into.extend_from_slice(&length.to_be_bytes()[1..]);
    into.extend_from_slice(&[kind, flags]);
    into.extend_from_slice(&stream.to_be_bytes());
    into.extend_from_slice(payload);
}

impl Wire {
    /// A new connection: the client's end and the server's.
    pub fn new() -> (Arc<Wire>, End) {
        let state = State { inbound: &[], reader: None, rest: 0, answered: 0, failed: false };
        let wire = Arc::new(Wire(Mutex::new(state)));
        (wire.clone(), End(wire))
    }

    /// Makes the next call. The one before must have been answered.
    pub fn call(&self, script: &mut Script) {
        let mut state = self.state();
        state.inbound = script.call(state.answered as usize);
        wake(state);
    }

    /// Acknowledges the server's SETTINGS, which must have come and be acknowledged in time (RFC 9113 §6.5.3).
    pub fn acknowledge(&self) {
        let mut state = self.state();
        state.inbound = ACKNOWLEDGEMENT;
        wake(state);
    }

    /// Whether the server has read all that was sent.
    pub fn is_read(&self) -> bool {
        self.state().inbound.is_empty()
    }

    /// How many calls were answered.
    ///
    /// # Errors
    ///
    /// The server sent what it should not.
    pub fn answered(&self) -> io::Result<u32> {
        let state = self.state();
        match state.failed {
            true => Err(io::Error::other("a stream was reset, or a connection ended")),
            false => Ok(state.answered),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// There is something to read.
fn wake(mut state: MutexGuard<'_, State>) {
    let reader = state.reader.take();
    drop(state);
    if let Some(reader) = reader {
        reader.wake();
    }
}

impl State {
    /// Reads what the server has written, and gives how many octets that were.
    fn receive<'a>(&mut self, slices: impl Iterator<Item = &'a [u8]>) -> usize {
        let (mut header, mut have, mut octets) = ([0; 9], 0, 0);
        for mut slice in slices {
            octets += slice.len();
            while !slice.is_empty() {
                let payload = slice.len().min(self.rest as usize);
                slice = &slice[payload..];
                self.rest -= payload as u32;
                let more = slice.len().min(header.len() - have);
                header[have..have + more].copy_from_slice(&slice[..more]);
                have += more;
                slice = &slice[more..];
                if have == header.len() {
                    have = 0;
                    self.rest = u32::from_be_bytes([0, header[0], header[1], header[2]]);
                    let [kind, flags] = [header[3], header[4]];
                    self.answered += u32::from(kind <= HEADERS && flags & END_STREAM != 0);
                    self.failed |= kind == RST_STREAM || kind == GOAWAY;
                }
            }
        }
        // A server writes whole frames, since this takes all at once.
        self.failed |= have != 0;
        octets
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // A server that lets go of a connection has not served it well.
        self.0.state().failed = true;
    }
}

impl Connected for End {
    fn connect_info(&self, _: &mut http::Extensions) {}
}

impl ReadReady for End {
    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.state();
        if !state.inbound.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if !state.reader.as_ref().is_some_and(|reader| reader.will_wake(cx.waker())) {
            state.reader = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        std::task::ready!(self.poll_read_ready(cx))?;
        let mut state = self.0.state();
        let (now, later) = state.inbound.split_at(state.inbound.len().min(into.len()));
        into[..now.len()].copy_from_slice(now);
        state.inbound = later;
        Poll::Ready(Ok(now.len()))
    }
}

impl AsyncRead for End {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let octets = std::task::ready!(ReadReady::poll_read(&mut *self, cx, into.initialize_unfilled()))?;
        into.advance(octets);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.0.state().receive(std::iter::once(octets))))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.0.state().receive(slices.iter().map(|slice| &**slice))))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
