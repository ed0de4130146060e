//! What a server holds for each request: the way to answer it (RFC 9113 §8.1).

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::Response;

use crate::{
    error::{Error, ErrorCode, Mistake},
    stream::{self, Head, SendQueue},
    stream_id::StreamId,
};

use super::{
    mailbox::{Hear, Mailbox},
    recv_stream::RecvStream,
    send_stream::{Handle, SendStream, append, poll_reset, reset, send, sendable},
};

/// Answers one request. Dropping it without an answer resets the stream.
#[derive(Debug)]
pub struct SendResponse(Handle, Progress);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// The final head is still to come.
    Unanswered,
    Answered,
}

impl SendResponse {
    /// Both halves of a stream that the peer opened.
    pub(crate) fn accept(mailbox: Arc<Mailbox>) -> (RecvStream, SendResponse) {
        mailbox.add_handles(2);
        let reader = RecvStream::of(Handle::counted(mailbox.clone()));
        (reader, SendResponse(Handle::counted(mailbox), Progress::Unanswered))
    }

    /// The stream's identifier.
    pub fn stream_id(&self) -> StreamId {
        self.0.0.lock().id
    }

    /// How many octets of a body may be queued with the response now.
    pub(crate) fn max_send_buffer(&self) -> usize {
        self.0.0.shared.max_send_buffer()
    }

    /// Sends an informational (1xx) response; the final one is still to come.
    ///
    /// # Errors
    ///
    /// [`Mistake::BadHead`] for any other status or after the final response, or why the stream failed.
    pub fn send_informational(&mut self, response: Response<()>) -> Result<(), Error> {
        if !response.status().is_informational() {
            return Err(Mistake::BadHead("an informational response has a 1xx status").into());
        }
        self.send(response, false).map(drop)
    }

    /// Sends the response head; `end_of_stream` says that there is no body.
    ///
    /// # Errors
    ///
    /// [`Mistake::BadHead`] if HTTP/2 cannot carry the head or one was sent before, [`Mistake::AfterEnd`] if the
    /// stream has ended, or why it failed.
    pub fn send_response(
        &mut self,
        response: Response<()>,
        end_of_stream: bool,
    ) -> Result<SendStream, Error> {
        if response.status().is_informational() {
            return Err(Mistake::BadHead("a final response has no 1xx status").into());
        }
        self.send(response, end_of_stream)?;
        self.1 = Progress::Answered;
        Ok(SendStream::of(self.0.clone()))
    }

    /// Hands over a whole queue that begins with a response head that was checked. The way to send what follows,
    /// unless the queue has ended.
    pub(crate) fn send_queue(&mut self, queue: SendQueue) -> Result<Option<SendStream>, Error> {
        let mailbox = &self.0.0;
        let more = !queue.is_ended();
        send(mailbox, |state| {
            state.handles += u32::from(more);
            append(state, queue)
        })?;
        self.1 = Progress::Answered;
        Ok(more.then(|| SendStream::of(Handle::counted(mailbox.clone()))))
    }

    /// Refuses or ends the stream with RST_STREAM.
    pub fn send_reset(&mut self, code: ErrorCode) {
        reset(&self.0.0, code);
    }

    /// Waits until the peer resets the stream.
    ///
    /// # Errors
    ///
    /// Why the connection failed.
    pub fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<Result<ErrorCode, Error>> {
        poll_reset(&self.0.0, cx)
    }

    fn send(&mut self, response: Response<()>, end: bool) -> Result<(), Error> {
        let head = Head::Response(response);
        stream::check(&head)?;
        if self.1 == Progress::Answered {
            // §8.1: a second head would be read as trailers.
            return Err(Mistake::BadHead("the final response was already sent").into());
        }
        self.0.0.tell(|state| match sendable(state) {
            Ok(()) => {
                state.outbox.queue.push_head(head);
                if end {
                    state.outbox.queue.push_end();
                    state.outbox.ended = true;
                }
                (Ok(()), Hear::Wish)
            }
            Err(error) => (Err(error), Hear::Nothing),
        })
    }
}
