//! What a script does with a stream.

use std::task::Poll;

use super::{
    failure::{called, number},
    stream::{Pump, Stream},
};
use crate::{
    body::Payload,
    script::{Act, Handle, ResponseHead},
    trace::Event,
};

impl<B: Payload> Stream<B> {
    pub(super) fn act(&mut self, act: &Act) {
        match act {
            Act::Request { .. } => self.write(Event::Wrong("a second request".into())),
            Act::Respond(head) => self.respond(head),
            Act::Inform(head) => self.inform(head),
            Act::Await => self.awaits_response = true,
            Act::AwaitHints => self.awaits_hints = true,
            Act::Read { octets, release } => self.reader.want(*octets, *release),
            Act::Release { percent } => self.release(self.reader.held * percent / 100),
            Act::ReleaseTooMuch => self.release(1 << 30),
            Act::Send { octets, chunk, end } => self.send_chunks(*octets, *chunk, *end),
            Act::Pump { octets, chunk, ask, end } => {
                self.pump = Some(Pump { left: *octets, chunk: *chunk, ask: *ask, end: end.clone() });
            }
            Act::Trailers(fields) => self.send_trailers(fields),
            Act::Reserve(octets) => match &mut self.send {
                Some(send) => send.reserve_capacity(*octets),
                None => self.write(Event::Skipped("reserve_capacity")),
            },
            Act::WatchCapacity => self.watches_capacity = true,
            Act::WatchReset => self.watches_reset = true,
            Act::Reset(reason) => match (&mut self.send, &mut self.respond) {
                (Some(send), _) => send.send_reset((*reason).into()),
                (None, Some(respond)) => respond.send_reset((*reason).into()),
                (None, None) => self.write(Event::Skipped("send_reset")),
            },
            Act::KeepFlow => match &mut self.recv {
                Some(recv) => self.flow = Some(recv.flow_control().clone()),
                None => self.heard(Event::Skipped("flow_control")),
            },
            Act::Drop(handle) => self.drop_handle(*handle),
            Act::Look => self.look(),
        }
        self.nudge();
    }

    /// Looks first whether the stream was reset: h2 informs even then.
    fn inform(&mut self, head: &ResponseHead) {
        let Some(respond) = &mut self.respond else {
            return self.write(Event::Skipped("send_informational"));
        };
        let mut reset = false;
        self.sending.wake();
        self.sending.run(|cx| reset = matches!(respond.poll_reset(cx), Poll::Ready(Ok(_))));
        if reset {
            return self.write(Event::Skipped("send_informational on a reset stream"));
        }
        let sent = respond.send_informational(head.response());
        self.write(called("send_informational", sent.map(|()| String::new())));
    }

    fn respond(&mut self, head: &ResponseHead) {
        let Some(respond) = &mut self.respond else { return self.write(Event::Skipped("send_response")) };
        let sent = respond.send_response(head.response(), head.end);
        let event = called(
            "send_response",
            sent.map(|send| {
                let id = number(send.stream_id());
                self.send = Some(send);
                id
            }),
        );
        let ended = head.end && matches!(event, Event::Called(_, Ok(_)));
        self.write(event);
        if ended {
            self.write(Event::Ended);
        }
    }

    fn send_chunks(&mut self, octets: usize, chunk: usize, end: bool) {
        let mut left = octets;
        loop {
            let next = left.min(chunk);
            left -= next;
            let last = left == 0;
            let sent = self.send_data(next, end && last);
            if sent && end && last {
                self.write(Event::Ended);
            }
            if last || !sent {
                return;
            }
        }
    }

    fn drop_handle(&mut self, handle: Handle) {
        if matches!(handle, Handle::Head | Handle::All) {
            self.response = None;
            self.respond = None;
        }
        if matches!(handle, Handle::Send | Handle::All) {
            self.send = None;
        }
        if matches!(handle, Handle::Recv | Handle::All) {
            self.recv = None;
        }
        if matches!(handle, Handle::Flow | Handle::All) {
            self.flow = None;
        }
    }

    fn look(&mut self) {
        let mut seen = String::new();
        if let Some(send) = &self.send {
            seen += &format!("capacity {} ", send.capacity());
        }
        if let Some(recv) = &mut self.recv {
            let end = recv.is_end_stream();
            let flow = recv.flow_control();
            seen += &format!("end {end} used {}", flow.used_capacity());
        }
        self.write(Event::Came("stream", seen));
    }
}
