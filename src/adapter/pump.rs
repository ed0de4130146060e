//! From an [`http_body::Body`] to a stream.
//!
//! Always true here: the body is not polled while `max_send_buffer_size` octets wait; what is there at the
//! first poll goes to the driver in one piece, head, data and end together.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::Body;
use pin_project_lite::pin_project;

use crate::{
    error::{Error, ErrorCode},
    handle::SendStream,
    stream::{SendQueue, check_headers},
};

use super::CallError;

/// Data up to this is copied into memory of its own. It may be a slice of a buffer that is much larger, as a message
/// that tonic has encoded is: many of these, kept until all are written, make the allocator take memory from the system
/// and give it back, again and again.
const CRUMB: usize = 1_024;

/// How far a body was emptied.
enum Filled {
    /// It has ended, and so has the queue.
    Ended,
    /// It will wake the task when there is more.
    Pending,
    /// The queue holds enough.
    Enough,
}

/// Moves what the body has into the queue.
fn fill<B>(
    mut body: Pin<&mut B>,
    cx: &mut Context<'_>,
    queue: &mut SendQueue,
    enough: usize,
) -> Result<Filled, CallError>
where
    B: Body,
    B::Error: Into<super::BoxError>,
{
    loop {
        if body.is_end_stream() {
            queue.push_end();
            return Ok(Filled::Ended);
        }
        if queue.data_octets() >= enough {
            return Ok(Filled::Enough);
        }
        match body.as_mut().poll_frame(cx) {
            Poll::Pending => return Ok(Filled::Pending),
            Poll::Ready(None) => {
                queue.push_end();
                return Ok(Filled::Ended);
            }
            Poll::Ready(Some(Err(error))) => return Err(CallError::body(error)),
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(mut data) => queue.push_data(match data.remaining() {
                    octets @ ..=CRUMB => {
                        let mut copy = vec![0; octets];
                        data.copy_to_slice(&mut copy);
                        copy.into()
                    }
                    // Free of copying where the data is `Bytes`.
                    octets => data.copy_to_bytes(octets),
                }),
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        check_headers(&trailers).map_err(|mistake| CallError::body(Error::from(mistake)))?;
                        queue.push_trailers(trailers);
                        return Ok(Filled::Ended);
                    }
                }
            },
        }
    }
}

pin_project! {
    /// Sends a body: what is there at once together with the head, the rest as room comes.
    pub(crate) struct Pump<B> {
        #[pin]
        body: B,
        stream: Option<SendStream>,
    }
}

impl<B> Pump<B> {
    pub(crate) fn new(body: B) -> Self {
        Pump { body, stream: None }
    }
}

impl<B> Pump<B>
where
    B: Body,
    B::Error: Into<super::BoxError>,
{
    /// Adds to `queue`, which holds the head, what the body has, and hands it over by `send`. `true`: the body
    /// has ended, nothing is left to do.
    pub(crate) fn start(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut queue: SendQueue,
        enough: usize,
        send: impl FnOnce(SendQueue) -> Result<Option<SendStream>, Error>,
    ) -> Result<bool, CallError> {
        let this = self.project();
        let filled = fill(this.body, cx, &mut queue, enough)?;
        *this.stream = send(queue)?;
        Ok(matches!(filled, Filled::Ended))
    }
}

impl<B> Future for Pump<B>
where
    B: Body,
    B::Error: Into<super::BoxError>,
{
    type Output = Result<(), CallError>;

    /// Ready when the body has ended, failed (the stream is reset then), or is of no use any more.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(stream) = this.stream else { return Poll::Ready(Ok(())) };
        loop {
            ready!(stream.poll_room(cx))?;
            let mut queue = SendQueue::new();
            let filled = fill(this.body.as_mut(), cx, &mut queue, stream.room());
            if !queue.is_empty() {
                stream.send_queue(queue)?;
            }
            match filled {
                Ok(Filled::Ended) => return Poll::Ready(Ok(())),
                Ok(Filled::Enough) => {}
                Ok(Filled::Pending) => {
                    // The stream may fail while the body is quiet: then it is dropped at once.
                    return stream.poll_failed(cx).map(|error| Err(error.into()));
                }
                Err(error) => {
                    stream.send_reset(ErrorCode::INTERNAL_ERROR);
                    return Poll::Ready(Err(error));
                }
            }
        }
    }
}
