//! One stream as its application has it: the handles, and two tasks, one that receives and one that sends.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;

use super::{
    Common,
    failure::{called, came},
    h2::{FlowControl, RecvStream, SendStream, client::ResponseFuture, server::SendResponse},
};
use crate::{
    body::{self, Payload},
    executor::Task,
    script::{Ask, End, Fields, Release, Side, show_fields},
    trace::{Event, Part, Scribe, Who},
};

pub(super) struct Stream<B: Payload> {
    scribe: Scribe,
    side: Side,
    index: u32,
    pub(super) response: Option<ResponseFuture>,
    pub(super) respond: Option<SendResponse<B>>,
    pub(super) send: Option<SendStream<B>>,
    pub(super) recv: Option<RecvStream>,
    pub(super) flow: Option<FlowControl>,

    pub(super) receiving: Task,
    pub(super) awaits_hints: bool,
    pub(super) awaits_response: bool,
    pub(super) reader: Reader,

    pub(super) sending: Task,
    pub(super) pump: Option<Pump>,
    pub(super) watches_capacity: bool,
    pub(super) watches_reset: bool,
    /// Octets queued so far.
    sent: u64,
}

/// Takes a body.
pub(super) struct Reader {
    /// Octets that are wanted.
    pub(super) wanted: u64,
    pub(super) release: Release,
    /// Octets that the application has taken and not released.
    pub(super) held: usize,
    /// Octets of which half was released.
    halved: usize,
    /// Octets of the last chunk that are not wanted yet.
    left: usize,
    position: u64,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Data,
    Trailers,
    Over,
}

/// Sends a body as capacity comes.
pub(super) struct Pump {
    pub(super) left: usize,
    pub(super) chunk: usize,
    pub(super) ask: Ask,
    pub(super) end: End,
}

impl<B: Payload> Stream<B> {
    pub(super) fn new(common: &Common, index: u32) -> Self {
        Stream {
            scribe: common.scribe.clone(),
            side: common.side,
            index,
            response: None,
            respond: None,
            send: None,
            recv: None,
            flow: None,
            receiving: Task::default(),
            awaits_hints: false,
            awaits_response: false,
            reader: Reader::new(),
            sending: Task::default(),
            pump: None,
            watches_capacity: false,
            watches_reset: false,
            sent: 0,
        }
    }

    /// Of the direction in which the application sends.
    pub(super) fn write(&self, event: Event) {
        self.scribe.write(Who { side: self.side, part: Part::Sending(self.index) }, event);
    }

    /// Of the other one.
    pub(super) fn heard(&self, event: Event) {
        self.scribe.write(Who { side: self.side, part: Part::Receiving(self.index) }, event);
    }

    /// Runs what was woken.
    pub(super) fn run(&mut self) -> bool {
        let mut ran = false;
        if self.receiving.is_woken() {
            ran |= self.receiving.clone().run(|cx| self.receive(cx));
        }
        if self.sending.is_woken() {
            ran |= self.sending.clone().run(|cx| self.send(cx));
        }
        ran
    }

    /// Wakes both tasks.
    pub(super) fn nudge(&self) {
        self.receiving.wake();
        self.sending.wake();
    }

    fn receive(&mut self, cx: &mut Context<'_>) {
        while self.awaits_hints
            && let Some(response) = &mut self.response
            && let Poll::Ready(hint) = response.poll_informational(cx)
        {
            self.awaits_hints = matches!(hint, Some(Ok(_)));
            if let Some(hint) = hint {
                self.heard(came("hint", hint.map(|head| show_response(&head))));
            }
        }
        if self.awaits_response
            && !self.awaits_hints
            && let Some(response) = &mut self.response
            && let Poll::Ready(response) = Pin::new(response).poll(cx)
        {
            self.awaits_response = false;
            let shown = response.map(|head| {
                let shown = show_response(&head);
                self.recv = Some(head.into_body());
                shown
            });
            self.response = None;
            self.heard(came("response", shown));
        }
        self.read(cx);
    }

    fn read(&mut self, cx: &mut Context<'_>) {
        while self.reader.wanted > 0
            && let Some(recv) = &mut self.recv
        {
            if self.reader.left > 0 {
                self.consume();
                continue;
            }
            match self.reader.stage {
                Stage::Data => match recv.poll_data(cx) {
                    Poll::Ready(Some(Ok(chunk))) => self.take(&chunk),
                    Poll::Ready(Some(Err(error))) => {
                        self.reader.stage = Stage::Over;
                        self.heard(Event::Failed("data", error.into()));
                    }
                    Poll::Ready(None) => {
                        self.reader.stage = Stage::Trailers;
                        self.heard(Event::Came("end of data", String::new()));
                    }
                    Poll::Pending => return,
                },
                Stage::Trailers => match recv.poll_trailers(cx) {
                    Poll::Ready(trailers) => {
                        self.reader.stage = Stage::Over;
                        let shown = |map: Option<_>| map.map_or("none".into(), |map| show_fields(&map));
                        self.heard(came("trailers", trailers.map(shown)));
                    }
                    Poll::Pending => return,
                },
                Stage::Over => return,
            }
        }
    }

    /// A chunk has come: its octets are as they should be.
    fn take(&mut self, chunk: &Bytes) {
        let from = if self.side == Side::Client { Side::Server } else { Side::Client };
        if *chunk != body::octets(from, self.index, self.reader.position, chunk.len()) {
            self.heard(Event::Wrong(format!("other octets at {}", self.reader.position)));
        }
        self.reader.position += chunk.len() as u64;
        self.reader.left = chunk.len();
    }

    /// Uses up as much of the last chunk as is wanted.
    fn consume(&mut self) {
        let reader = &mut self.reader;
        let octets = reader.left.min(usize::try_from(reader.wanted).unwrap_or(usize::MAX));
        reader.left -= octets;
        reader.wanted -= octets as u64;
        reader.held += octets;
        let release = match reader.release {
            Release::AtOnce => octets,
            Release::Half => {
                // The same in sum, whatever the chunks are.
                let before = reader.halved;
                reader.halved += octets;
                reader.halved / 2 - before / 2
            }
            Release::Later => 0,
        };
        self.heard(Event::Read(octets as u64));
        self.release(release);
    }

    /// Releases by the handle that is there.
    pub(super) fn release(&mut self, octets: usize) {
        let released = match (&mut self.recv, &mut self.flow) {
            (Some(recv), _) => recv.flow_control().release_capacity(octets),
            (None, Some(flow)) => flow.release_capacity(octets),
            (None, None) => return self.heard(Event::Skipped("release_capacity")),
        };
        match released {
            Ok(()) => self.reader.held = self.reader.held.saturating_sub(octets),
            Err(error) => self.heard(Event::Failed("release_capacity", error.into())),
        }
    }

    fn send(&mut self, cx: &mut Context<'_>) {
        self.pump(cx);
        if self.watches_capacity
            && let Some(send) = &mut self.send
            && let Poll::Ready(capacity) = send.poll_capacity(cx)
        {
            self.watches_capacity = false;
            let capacity = capacity.transpose().map(|octets| format!("{octets:?}"));
            self.write(came("capacity", capacity));
        }
        if self.watches_reset {
            let reset = match (&mut self.send, &mut self.respond) {
                (Some(send), _) => send.poll_reset(cx),
                (None, Some(respond)) => respond.poll_reset(cx),
                (None, None) => Poll::Pending,
            };
            if let Poll::Ready(reset) = reset {
                self.watches_reset = false;
                self.write(came("reset", reset.map(|reason| u32::from(reason).to_string())));
            }
        }
    }

    fn pump(&mut self, cx: &mut Context<'_>) {
        while let Some(pump) = &mut self.pump
            && let Some(send) = &mut self.send
        {
            let chunk = pump.chunk.min(pump.left);
            if chunk > 0 {
                send.reserve_capacity(match pump.ask {
                    Ask::One => 1,
                    Ask::Chunk => chunk,
                    Ask::Whole => pump.left,
                });
                let capacity = send.capacity();
                if capacity == 0 {
                    match send.poll_capacity(cx) {
                        Poll::Ready(Some(Ok(0))) => return self.write(Event::Wrong("capacity of 0".into())),
                        Poll::Ready(Some(Ok(_))) => continue,
                        Poll::Pending => return,
                        Poll::Ready(capacity) => {
                            self.pump = None;
                            let none = |octets: Option<usize>| format!("{octets:?}");
                            return self.write(came("pump stops", capacity.transpose().map(none)));
                        }
                    }
                }
                let octets = if pump.ask == Ask::One { chunk } else { chunk.min(capacity) };
                let end = matches!(pump.end, End::Flag) && octets == pump.left;
                pump.left -= octets;
                if !self.send_data(octets, end) {
                    self.pump = None;
                    return;
                }
                self.write(Event::Pumped(octets as u64));
                if end {
                    self.pump = None;
                    return self.write(Event::Ended);
                }
                continue;
            }
            match self.pump.take().map(|pump| pump.end) {
                Some(End::Flag) => {
                    if self.send_data(0, true) {
                        self.write(Event::Ended);
                    }
                }
                Some(End::Trailers(fields)) => self.send_trailers(&fields),
                Some(End::None) | None => {}
            }
        }
    }

    pub(super) fn send_trailers(&mut self, fields: &Fields) {
        let Some(send) = &mut self.send else { return self.write(Event::Skipped("send_trailers")) };
        let sent = send.send_trailers(fields.map());
        let ended = sent.is_ok();
        self.write(called("send_trailers", sent.map(|()| String::new())));
        if ended {
            self.write(Event::Ended);
        }
    }

    /// Queues the next octets of the body; what fails is written down.
    pub(super) fn send_data(&mut self, octets: usize, end: bool) -> bool {
        let Some(send) = &mut self.send else {
            self.write(Event::Skipped("send_data"));
            return false;
        };
        let data = body::octets(self.side, self.index, self.sent, octets);
        let result = send.send_data(B::of(data), end);
        let sent = result.is_ok();
        if sent {
            self.sent += octets as u64;
        }
        if !sent {
            self.write(called("send_data", result.map(|()| String::new())));
        }
        sent
    }
}

impl Reader {
    fn new() -> Self {
        Reader {
            wanted: 0,
            release: Release::AtOnce,
            held: 0,
            halved: 0,
            left: 0,
            position: 0,
            stage: Stage::Data,
        }
    }

    /// What is over may be asked again.
    pub(super) fn want(&mut self, octets: u64, release: Release) {
        self.wanted = self.wanted.saturating_add(octets);
        self.release = release;
        if self.stage == Stage::Over {
            self.stage = Stage::Data;
        }
    }
}

pub(super) fn show_response<T>(head: &http::Response<T>) -> String {
    format!("{:?} {}{}", head.version(), head.status().as_u16(), show_fields(head.headers()))
}
