//! The receiving half of a stream: DATA, trailers, flow control (RFC 9113 §5.2, §6.9, §8.1).
//!
//! Always true here: octets that were delivered are released exactly once: by the application, or when nobody
//! is left to read them.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::{
    error::{Error, ErrorCode, Mistake},
    stream_id::StreamId,
};

#[cfg(all(test, not(loom)))]
use super::mailbox::Mailbox;
use super::{
    mailbox::Hear,
    send_stream::{Handle, reset},
};

/// Receives the body of a request or a response.
///
/// With [`data`](Self::data) the application releases what it took by
/// [`flow_control`](Self::flow_control); as an [`http_body::Body`] each frame is released when it is taken.
///
/// Dropping it drops what is unread and returns its credit; dropping the last handle of a stream that has not
/// ended cancels it.
pub struct RecvStream {
    flow: FlowControl,
    /// Whether dropping it before its end cancels the stream, though the other half is still in use.
    cancels: bool,
}

/// Says how much of the body the application has dealt with, so that the peer may send more.
#[derive(Clone, Debug)]
pub struct FlowControl(Handle);

impl RecvStream {
    #[cfg(all(test, not(loom)))]
    pub(super) fn new(mailbox: std::sync::Arc<Mailbox>) -> Self {
        mailbox.add_handles(1);
        RecvStream::of(Handle::counted(mailbox))
    }

    /// With a handle of the reader, or one that becomes it.
    pub(super) fn of(handle: Handle) -> Self {
        RecvStream { flow: FlowControl(handle.that_reads()), cancels: false }
    }

    /// From now on dropping it before its end cancels the stream, even while a request body is being sent.
    #[cfg(feature = "tokio")]
    pub(crate) fn cancel_when_dropped(mut self) -> Self {
        self.cancels = true;
        self
    }

    /// The stream's identifier.
    pub fn stream_id(&self) -> StreamId {
        self.flow.stream_id()
    }

    /// The next octets of the body; `None` at its end. They count as unread until they are released. An `Err`
    /// says why the stream failed; what came before it is given first. Dropping the future loses nothing.
    pub async fn data(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| self.poll_data(cx)).await
    }

    /// As [`data`](Self::data).
    pub fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        self.flow.0.0.take(|state| state.poll_piece(cx))
    }

    /// The trailers, once the body has been read; `None` if there are none.
    ///
    /// # Errors
    ///
    /// Why the stream failed.
    pub async fn trailers(&mut self) -> Result<Option<HeaderMap>, Error> {
        poll_fn(|cx| self.poll_trailers(cx)).await
    }

    /// As [`trailers`](Self::trailers). While octets of the body wait to be taken it is pending, and no wake-up
    /// will come: read those first, as with h2.
    ///
    /// # Errors
    ///
    /// Why the stream failed.
    pub fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<HeaderMap>, Error>> {
        self.flow.0.0.take(|state| state.poll_trailers(cx))
    }

    /// Whether the body is at its end and there are no trailers to take.
    pub fn is_end_stream(&self) -> bool {
        self.flow.0.0.lock().is_end_stream()
    }

    /// Ends the stream with RST_STREAM.
    pub(crate) fn send_reset(&mut self, code: ErrorCode) {
        reset(&self.flow.0.0, code);
    }

    /// To release what was taken with [`data`](Self::data).
    pub fn flow_control(&mut self) -> &mut FlowControl {
        &mut self.flow
    }
}

impl FlowControl {
    /// The stream's identifier.
    pub fn stream_id(&self) -> StreamId {
        self.0.0.lock().id
    }

    /// Octets that the peer may still send on this stream's window, as far as is known here: the configured
    /// window less what is unreleased. A window that was changed since is not known here.
    pub fn available_capacity(&self) -> isize {
        let window = self.0.0.shared.config.initial_stream_window_size as isize;
        window.saturating_sub_unsigned(self.used_capacity())
    }

    /// Octets that were received and not yet released.
    pub fn used_capacity(&self) -> usize {
        self.0.0.lock().inbox.unreleased
    }

    /// The application has dealt with `octets` of the body: the peer may send as many more.
    ///
    /// # Errors
    ///
    /// [`Mistake::ReleasedTooMuch`] if more is released than was received; nothing is released then.
    pub fn release_capacity(&mut self, octets: usize) -> Result<(), Error> {
        let shared = &self.0.0.shared;
        let at_once = shared.config.stream_idle_timeout.is_some();
        // The window is asked for under the lock: the driver changes it and then looks into every mailbox.
        let released =
            self.0.0.tell(|state| match state.release(octets, shared.smallest_window(), at_once) {
                Some(hear) => (true, hear),
                None => (false, Hear::Nothing),
            });
        if !released {
            return Err(Mistake::ReleasedTooMuch.into());
        }
        self.0.0.shared.give_back(octets);
        Ok(())
    }
}

impl Body for RecvStream {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mailbox = &self.flow.0.0;
        let at_once = mailbox.shared.config.stream_idle_timeout.is_some();
        // All under one lock: this is what most messages are read by.
        let (frame, returned) = mailbox.tell(|state| match state.poll_piece(cx) {
            Poll::Ready(Some(Ok(data))) => {
                // Refused only if the application has released by hand what it had not taken.
                let hear = state.release(data.len(), mailbox.shared.smallest_window(), at_once);
                let returned = hear.map_or(0, |_| data.len());
                ((Poll::Ready(Some(Ok(Frame::data(data)))), returned), hear.unwrap_or(Hear::Nothing))
            }
            Poll::Ready(Some(Err(error))) => ((Poll::Ready(Some(Err(error))), 0), Hear::Nothing),
            Poll::Ready(None) => {
                let trailers = state.poll_trailers(cx);
                let frame =
                    trailers.map(|trailers| trailers.map(|found| found.map(Frame::trailers)).transpose());
                ((frame, 0), Hear::Nothing)
            }
            Poll::Pending => ((Poll::Pending, 0), Hear::Nothing),
        });
        mailbox.shared.give_back(returned);
        frame
    }

    fn is_end_stream(&self) -> bool {
        RecvStream::is_end_stream(self)
    }

    fn size_hint(&self) -> SizeHint {
        let state = self.flow.0.0.lock();
        match state.inbox.ended {
            true => SizeHint::with_exact(state.inbox.pieces.unread() as u64),
            false => SizeHint::default(),
        }
    }
}

impl Drop for RecvStream {
    fn drop(&mut self) {
        if self.cancels && !self.flow.0.0.lock().inbox.ended {
            reset(&self.flow.0.0, ErrorCode::CANCEL);
        }
    }
}

impl fmt::Debug for RecvStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvStream").field("stream_id", &self.stream_id()).finish_non_exhaustive()
    }
}
