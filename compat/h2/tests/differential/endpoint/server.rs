//! A server.

use std::{future::Future, pin::Pin, task::Poll};

use http::Request;

use super::{
    Common, Streams, act_on, configure, connection_act,
    failure::{called, came},
    h2::{
        Error, RecvStream,
        ext::Protocol,
        server::{Builder, Connection, Handshake, SendResponse},
    },
    pings::Pings,
    run_streams,
    stream::Stream,
};
use crate::{
    body::Payload,
    pipe::Pipe,
    run::Party,
    script::{Act, Do, Options, show_fields},
    trace::Event,
};

pub(super) struct Server<B: Payload> {
    common: Common,
    stage: Stage<B>,
    accepts: bool,
    streams: Streams<B>,
    pings: Pings,
}

enum Stage<B: Payload> {
    Opening(Box<Handshake<Pipe, B>>),
    Open(Box<Connection<Pipe, B>>),
    Over,
}

impl<B: Payload> Server<B> {
    pub(super) fn new(common: Common, options: &Options, pipe: Pipe) -> Self {
        let mut builder = Builder::new();
        configure!(&mut builder, options);
        if options.extended_connect {
            builder.enable_connect_protocol();
        }
        Server {
            common,
            stage: Stage::Opening(Box::new(builder.handshake(pipe))),
            accepts: true,
            streams: Streams::new(),
            pings: Pings::default(),
        }
    }

    fn run_connection(&mut self) -> bool {
        let Server { common, stage, streams, .. } = self;
        common.task.run(|cx| {
            if let Stage::Opening(opening) = stage {
                let Poll::Ready(opened) = Pin::new(&mut **opening).poll(cx) else { return };
                *stage = match opened {
                    Ok(connection) => Stage::Open(Box::new(connection)),
                    Err(error) => {
                        common.write(Event::Failed("handshake", error.into()));
                        Stage::Over
                    }
                };
            }
            while let Stage::Open(connection) = stage {
                let end = match self.accepts {
                    true => connection.poll_accept(cx),
                    false => connection.poll_closed(cx).map(|closed| closed.err().map(Err)),
                };
                match end {
                    Poll::Pending => return,
                    Poll::Ready(Some(Ok(accepted))) => accept(common, streams, accepted),
                    Poll::Ready(end) => {
                        let end: Result<_, Error> = end.map_or(Ok(()), |end| end.map(drop));
                        common.write(came("end", end.map(|()| String::new())));
                        *stage = Stage::Over;
                    }
                }
            }
        })
    }
}

fn accept<B: Payload>(
    common: &Common,
    streams: &mut Streams<B>,
    (request, respond): (Request<RecvStream>, SendResponse<B>),
) {
    let id = respond.stream_id().as_u32();
    let index = common.ids.borrow().get(&id).copied().unwrap_or(id + 1_000_000);
    let mut stream = Stream::new(common, index);
    let (head, recv) = request.into_parts();
    let protocol = head.extensions.get::<Protocol>().map(Protocol::as_str);
    let shown =
        format!("{:?} {} {} {protocol:?}{}", head.version, head.method, head.uri, show_fields(&head.headers));
    (stream.recv, stream.respond) = (Some(recv), Some(respond));
    stream.heard(Event::Came("request", shown));
    streams.insert(index, stream);
}

impl<B: Payload> Party for Server<B> {
    fn act(&mut self, index: u32, act: &Act) {
        act_on(&self.common, &mut self.streams, index, act);
    }

    fn connection(&mut self, act: &Do) {
        match (act, &mut self.stage) {
            (Do::Accept(accepts), _) => self.accepts = *accepts,
            (Do::Drop, _) => self.stage = Stage::Over,
            (Do::Graceful, Stage::Open(connection)) => connection.graceful_shutdown(),
            (Do::Abrupt(reason), Stage::Open(connection)) => connection.abrupt_shutdown((*reason).into()),
            (Do::EnableConnect, Stage::Open(connection)) => {
                let enabled = connection.enable_connect_protocol();
                self.common.write(called("enable_connect_protocol", enabled.map(|()| String::new())));
            }
            (_, Stage::Open(connection)) => connection_act!(self.common, connection, self.pings, act),
            // The application keeps what it has taken for PINGs.
            (Do::Ping, _) => self.pings.send(&self.common),
            _ => self.common.write(Event::Skipped("connection")),
        }
        // What is done to a connection wakes nobody; whoever does it polls it.
        self.common.task.wake();
    }

    fn turn(&mut self, streams_first: bool) -> bool {
        let ran = match streams_first {
            true => run_streams(&mut self.streams) | self.run_connection(),
            false => self.run_connection() | run_streams(&mut self.streams),
        };
        self.pings.run(&self.common) | ran
    }

    fn nudge_connection(&self) {
        self.common.task.wake();
    }

    fn nudge_streams(&self) {
        self.streams.values().for_each(Stream::nudge);
        self.pings.task.wake();
    }

    fn is_facade(&self) -> bool {
        self.common.facade
    }
}
