//! A client.

use std::{collections::VecDeque, future::Future, pin::Pin, task::Poll};

use super::{
    Common, Streams, act_on, configure, connection_act,
    failure::{called, came, number},
    h2::{
        Error,
        client::{Builder, Connection, SendRequest},
        ext::Protocol,
    },
    pings::Pings,
    run_streams,
    stream::Stream,
};
use crate::{
    body::Payload,
    executor::Task,
    pipe::Pipe,
    run::Party,
    script::{Act, Do, Options, RequestHead},
    trace::Event,
};

pub(super) struct Client<B: Payload> {
    common: Common,
    stage: Stage<B>,
    senders: Vec<Option<Sender<B>>>,
    streams: Streams<B>,
    pings: Pings,
}

type Opened<B> = Result<(SendRequest<B>, Connection<Pipe, B>), Error>;

enum Stage<B: Payload> {
    Opening(Pin<Box<dyn Future<Output = Opened<B>>>>),
    Open(Box<Connection<Pipe, B>>),
    Over,
}

struct Sender<B: Payload> {
    requests: SendRequest<B>,
    task: Task,
    /// Readiness is waited for, and nothing else.
    watched: bool,
    /// Requests that wait for it.
    queue: VecDeque<(u32, RequestHead)>,
}

impl<B: Payload> Sender<B> {
    fn new(requests: SendRequest<B>) -> Self {
        Sender { requests, task: Task::default(), watched: false, queue: VecDeque::new() }
    }

    fn waits(&self) -> bool {
        self.watched || !self.queue.is_empty()
    }
}

impl<B: Payload> Client<B> {
    pub(super) fn new(common: Common, options: &Options, pipe: Pipe) -> Self {
        let mut builder = Builder::new();
        configure!(&mut builder, options);
        options.initial_max_send.map(|streams| builder.initial_max_send_streams(streams));
        options.push.map(|push| builder.enable_push(push));
        let opening = Box::pin(async move { builder.handshake::<_, B>(pipe).await });
        Client {
            common,
            stage: Stage::Opening(opening),
            senders: Vec::new(),
            streams: Streams::new(),
            pings: Pings::default(),
        }
    }

    fn run_connection(&mut self) -> bool {
        let Client { common, stage, senders, .. } = self;
        common.task.run(|cx| {
            if let Stage::Opening(opening) = stage {
                let Poll::Ready(opened) = opening.as_mut().poll(cx) else { return };
                *stage = match opened {
                    Ok((requests, connection)) => {
                        senders.push(Some(Sender::new(requests)));
                        Stage::Open(Box::new(connection))
                    }
                    Err(error) => {
                        common.write(Event::Failed("handshake", error.into()));
                        Stage::Over
                    }
                };
            }
            if let Stage::Open(connection) = stage
                && let Poll::Ready(end) = Pin::new(&mut **connection).poll(cx)
            {
                common.write(came("end", end.map(|()| String::new())));
                *stage = Stage::Over;
            }
        })
    }

    /// Readiness and what a stream's sender waits for have one waker, in which the last to wait wins: an application
    /// that waits for both has to see to both.
    fn share_wakes(&self) {
        let waiting: Vec<_> = self.senders.iter().flatten().filter(|sender| sender.waits()).collect();
        let mut tasks =
            waiting.iter().map(|sender| &sender.task).chain(self.streams.values().map(|s| &s.sending));
        if !waiting.is_empty() && tasks.any(Task::is_woken) {
            waiting.iter().for_each(|sender| sender.task.wake());
            self.streams.values().for_each(|stream| stream.sending.wake());
        }
    }

    fn run_requests(&mut self) -> bool {
        self.share_wakes();
        run_streams(&mut self.streams) | self.run_senders()
    }

    fn run_senders(&mut self) -> bool {
        let Client { common, senders, streams, .. } = self;
        senders.iter_mut().flatten().fold(false, |ran, sender| {
            let task = sender.task.clone();
            ran | task.run(|cx| {
                while sender.waits() {
                    let Poll::Ready(ready) = sender.requests.poll_ready(cx) else { return };
                    if std::mem::take(&mut sender.watched) {
                        common.write(came("ready", ready.map(|()| String::new())));
                    } else if let Some((stream, head)) = sender.queue.pop_front() {
                        match ready {
                            Ok(()) => request(common, streams, &mut sender.requests, stream, &head),
                            Err(error) => common.write_of(stream, Event::Failed("ready", error.into())),
                        }
                    }
                }
            })
        })
    }
}

fn request<B: Payload>(
    common: &Common,
    streams: &mut Streams<B>,
    requests: &mut SendRequest<B>,
    index: u32,
    head: &RequestHead,
) {
    let mut request = head.request();
    if let Some(protocol) = head.protocol {
        request.extensions_mut().insert(Protocol::from_static(protocol));
    }
    let sent = requests.send_request(request, head.end);
    let event = called(
        "send_request",
        sent.map(|(response, send)| {
            common.ids.borrow_mut().insert(response.stream_id().as_u32(), index);
            let id = number(send.stream_id());
            let mut stream = Stream::new(common, index);
            (stream.response, stream.send) = (Some(response), Some(send));
            streams.insert(index, stream);
            id
        }),
    );
    let ended = head.end && matches!(event, Event::Called(_, Ok(_)));
    common.write_of(index, event);
    if ended {
        common.write_of(index, Event::Ended);
    }
}

impl<B: Payload> Party for Client<B> {
    fn act(&mut self, index: u32, act: &Act) {
        let Act::Request { sender, waits, head } = act else {
            return act_on(&self.common, &mut self.streams, index, act);
        };
        match self.senders.get_mut(*sender).and_then(Option::as_mut) {
            Some(sender) if *waits => {
                sender.queue.push_back((index, head.clone()));
                sender.task.wake();
            }
            Some(sender) => request(&self.common, &mut self.streams, &mut sender.requests, index, head),
            None => self.common.write_of(index, Event::Skipped("send_request")),
        }
    }

    fn connection(&mut self, act: &Do) {
        match act {
            Do::CloneSender => {
                let first = self.senders.iter().flatten().next();
                let copy = first.map(|first| Sender::new(first.requests.clone()));
                return self.senders.push(copy);
            }
            Do::DropSender(sender) => {
                if let Some(sender) = self.senders.get_mut(*sender) {
                    *sender = None;
                }
                return;
            }
            Do::WatchReady(sender) => {
                if let Some(Some(sender)) = self.senders.get_mut(*sender) {
                    sender.watched = true;
                    sender.task.wake();
                }
                return;
            }
            Do::Drop => return self.stage = Stage::Over,
            Do::Look => {
                if let Some(Some(sender)) = self.senders.first() {
                    let seen = format!(
                        "send {} recv {} connect {}",
                        sender.requests.current_max_send_streams(),
                        sender.requests.current_max_recv_streams(),
                        sender.requests.is_extended_connect_protocol_enabled()
                    );
                    self.common.write(Event::Came("sender", seen));
                }
            }
            _ => {}
        }
        match &mut self.stage {
            Stage::Open(connection) => connection_act!(self.common, connection, self.pings, act),
            // The application keeps what it has taken for PINGs.
            _ if matches!(act, Do::Ping) => self.pings.send(&self.common),
            _ => self.common.write(Event::Skipped("connection")),
        }
        // Changes of windows are nothing that wakes a connection's task; whoever makes them polls it.
        self.common.task.wake();
    }

    fn turn(&mut self, streams_first: bool) -> bool {
        let ran = match streams_first {
            true => self.run_requests() | self.run_connection(),
            false => self.run_connection() | self.run_requests(),
        };
        self.pings.run(&self.common) | ran
    }

    fn nudge_connection(&self) {
        self.common.task.wake();
    }

    fn nudge_streams(&self) {
        self.streams.values().for_each(Stream::nudge);
        self.senders.iter().flatten().for_each(|sender| sender.task.wake());
        self.pings.task.wake();
    }

    fn is_facade(&self) -> bool {
        self.common.facade
    }
}
