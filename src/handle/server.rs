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
    send_stream::{Handle, SendStream, poll_reset, reset, sendable},
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
        (RecvStream::new(mailbox.clone()), SendResponse(Handle::new(mailbox), Progress::Unanswered))
    }

    /// The stream's identifier.
    pub fn stream_id(&self) -> StreamId {
        self.0.0.lock().id
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
        Ok(SendStream::new(self.0.0.clone()))
    }

    /// Hands over a whole queue that begins with a response head that was checked.
    pub(crate) fn send_queue(&mut self, queue: SendQueue) -> Result<SendStream, Error> {
        let mut stream = SendStream::new(self.0.0.clone());
        stream.send_queue(queue)?;
        self.1 = Progress::Answered;
        Ok(stream)
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
                state.outbox.queue.push_head(Box::new(head));
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
