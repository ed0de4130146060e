//! A server over one implementation, and its application. Mounted once for each.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};

use super::super::{
    pipe::Pipe,
    script::{Script, Step},
    seen::Seen,
    wire::Ear,
};
use super::h2::{
    Error, Reason, RecvStream, SendStream,
    server::{Builder, Connection, SendResponse},
};

/// What the application and the peer see.
pub fn run(script: &Script) -> Seen {
    let mut server = Server::new(script.options);
    server.settle();
    for step in &script.steps {
        match step {
            Step::Peer(octets) => server.pipe.bring(octets),
            step => server.act(step),
        }
        server.settle();
    }
    server.pipe.end();
    server.settle();
    server.stage = Stage::Over;
    server.settle();
    server.seen
}

struct Server {
    pipe: Pipe,
    stage: Stage,
    streams: Vec<Stream>,
    seen: Seen,
    ear: Ear,
    woken: Arc<Woken>,
}

type Opened = Result<Connection<Pipe, Bytes>, Error>;

enum Stage {
    Opening(Pin<Box<dyn Future<Output = Opened>>>),
    Open(Box<Connection<Pipe, Bytes>>),
    Over,
}

/// A request that was accepted.
struct Stream {
    id: u32,
    recv: Option<RecvStream>,
    respond: Option<SendResponse<Bytes>>,
    send: Option<SendStream<Bytes>>,
    reads: bool,
    octets: usize,
    told: bool,
    ended: bool,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Server {
    fn new(options: u8) -> Server {
        let mut builder = Builder::new();
        // What the clock decides is kept out of it, and what the two count differently.
        builder.reset_stream_duration(Duration::from_secs(3_600)).data_frame_budget(1 << 30);
        builder.max_header_list_size(if options & 1 == 0 { 16 << 10 } else { 300 });
        builder.max_concurrent_streams(if options & 2 == 0 { 100 } else { 2 });
        match options >> 2 & 3 {
            0 => {}
            1 => drop(builder.initial_window_size(100)),
            2 => drop(builder.initial_window_size(1 << 20).initial_connection_window_size(1 << 20)),
            _ => drop(builder.header_table_size(64).max_concurrent_reset_streams(1)),
        }
        if options & 16 != 0 {
            builder.enable_connect_protocol();
        }
        let pipe = Pipe::default();
        let socket = pipe.clone();
        Server {
            pipe,
            stage: Stage::Opening(Box::pin(async move { builder.handshake::<_, Bytes>(socket).await })),
            streams: Vec::new(),
            seen: Seen::default(),
            ear: Ear::new(),
            woken: Arc::new(Woken(AtomicBool::new(true))),
        }
    }

    /// Until nothing is left to do.
    fn settle(&mut self) {
        self.woken.0.store(true, Ordering::Relaxed);
        let waker = Waker::from(self.woken.clone());
        let mut cx = Context::from_waker(&waker);
        while self.woken.0.swap(false, Ordering::Relaxed) {
            self.poll_connection(&mut cx);
            for stream in &mut self.streams {
                stream.poll(&mut cx, &mut self.seen);
            }
        }
        for stream in &mut self.streams {
            stream.tell(&mut self.seen);
        }
        let octets = self.pipe.fetch();
        self.ear.hear(&octets, &mut self.seen);
    }

    fn poll_connection(&mut self, cx: &mut Context<'_>) {
        if let Stage::Opening(opening) = &mut self.stage {
            let Poll::Ready(opened) = opening.as_mut().poll(cx) else { return };
            self.stage = match opened {
                Ok(connection) => Stage::Open(Box::new(connection)),
                Err(error) => {
                    self.seen.hear(0, format!("handshake failed {}", failure(&error)));
                    Stage::Over
                }
            };
        }
        while let Stage::Open(connection) = &mut self.stage {
            match connection.poll_accept(cx) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok((request, respond)))) => {
                    let stream = Stream::new(request, respond, &mut self.seen);
                    self.streams.push(stream);
                }
                Poll::Ready(Some(Err(error))) => {
                    self.seen.hear(0, format!("failed {}", failure(&error)));
                    self.stage = Stage::Over;
                }
                Poll::Ready(None) => {
                    self.seen.hear(0, "ended".into());
                    self.stage = Stage::Over;
                }
            }
        }
    }

    fn act(&mut self, step: &Step) {
        let (streams, seen) = (&mut self.streams, &mut self.seen);
        let mut with = |request: usize, act: &mut dyn FnMut(&mut Stream, &mut Seen)| {
            if let Some(stream) = streams.get_mut(request) {
                act(stream, seen);
            }
        };
        match step {
            Step::Respond(request, end) => with(*request, &mut |stream, seen| stream.respond(*end, seen)),
            Step::Informational(request) => with(*request, &mut |stream, seen| {
                // On a stream that was reset, and behind the final response, h2 sends it all the same.
                let may = !stream.told && stream.send.is_none() && !stream.ended;
                let Some(respond) = stream.respond.as_mut().filter(|_| may) else { return };
                let head = Response::builder().status(103).body(()).expect("a good response");
                called(seen, stream.id, "send_informational", respond.send_informational(head));
            }),
            Step::Data(request, octets, end) => with(*request, &mut |stream, seen| {
                let Some(send) = &mut stream.send else { return };
                let sent = send.send_data(vec![0; *octets].into(), *end);
                stream.ended |= *end && sent.is_ok();
                called(seen, stream.id, "send_data", sent);
            }),
            Step::Trailers(request) => with(*request, &mut |stream, seen| {
                let Some(send) = &mut stream.send else { return };
                let field = (HeaderName::from_static("x-end"), HeaderValue::from_static("1"));
                let sent = send.send_trailers(HeaderMap::from_iter([field]));
                stream.ended |= sent.is_ok();
                called(seen, stream.id, "send_trailers", sent);
            }),
            Step::Reset(request, code) => with(*request, &mut |stream, _| {
                let code = Reason::from(*code);
                match (&mut stream.send, &mut stream.respond) {
                    (Some(send), _) => send.send_reset(code),
                    (None, Some(respond)) => respond.send_reset(code),
                    _ => {}
                }
            }),
            Step::Drop(request) => with(*request, &mut |stream, _| {
                (stream.recv, stream.respond, stream.send) = (None, None, None);
            }),
            Step::Read(request, reads) => with(*request, &mut |stream, _| stream.reads = *reads),
            step => {
                let Stage::Open(connection) = &mut self.stage else { return };
                match step {
                    Step::Graceful => connection.graceful_shutdown(),
                    Step::Abrupt(code) => connection.abrupt_shutdown(Reason::from(*code)),
                    Step::InitialWindow(octets) => {
                        called(&mut self.seen, 0, "window", connection.set_initial_window_size(*octets));
                    }
                    Step::TargetWindow(octets) => connection.set_target_window_size(*octets),
                    _ => {}
                }
            }
        }
    }
}

impl Stream {
    fn new(request: Request<RecvStream>, respond: SendResponse<Bytes>, seen: &mut Seen) -> Stream {
        let (head, recv) = request.into_parts();
        let id = recv.stream_id().as_u32();
        let protocol =
            head.extensions.get::<super::h2::ext::Protocol>().map(|protocol| protocol.as_str().to_owned());
        let mut fields: Vec<String> =
            head.headers.iter().map(|(name, value)| format!("{name}={:?}", value.as_bytes())).collect();
        fields.sort();
        let text =
            format!("{} {} {:?} {fields:?} end {}", head.method, head.uri, protocol, recv.is_end_stream());
        seen.hear(id, text);
        Stream {
            id,
            recv: Some(recv),
            respond: Some(respond),
            send: None,
            reads: true,
            octets: 0,
            told: false,
            ended: false,
        }
    }

    fn respond(&mut self, end: bool, seen: &mut Seen) {
        let Some(respond) = &mut self.respond else { return };
        let sent = respond.send_response(Response::new(()), end);
        let sent = sent.map(|send| self.send = Some(send));
        self.ended |= end && sent.is_ok();
        called(seen, self.id, "send_response", sent);
    }

    fn poll(&mut self, cx: &mut Context<'_>, seen: &mut Seen) {
        while let Some(recv) = self.recv.as_mut().filter(|_| self.reads) {
            let text = match recv.poll_data(cx) {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(data))) => {
                    self.octets += data.len();
                    let _ = recv.flow_control().release_capacity(data.len());
                    continue;
                }
                Poll::Ready(Some(Err(error))) => format!("body failed {}", failure(&error)),
                Poll::Ready(None) => match recv.poll_trailers(cx) {
                    Poll::Pending => break,
                    Poll::Ready(Ok(None)) => "body ended".into(),
                    Poll::Ready(Ok(Some(trailers))) => format!("body ended {trailers:?}"),
                    Poll::Ready(Err(error)) => format!("trailers failed {}", failure(&error)),
                },
            };
            self.recv = None;
            self.tell(seen);
            seen.hear(self.id, text);
        }
        if self.told || self.ended {
            return;
        }
        let reset = match (&mut self.send, &mut self.respond) {
            (Some(send), _) => send.poll_reset(cx),
            (None, Some(respond)) => respond.poll_reset(cx),
            _ => return,
        };
        if let Poll::Ready(reset) = reset {
            self.told = true;
            let text = reset.map_or_else(|error| failure(&error), |reason| u32::from(reason).to_string());
            seen.hear(self.id, format!("reset {text}"));
        }
    }

    /// Octets of the body that came since the last time.
    fn tell(&mut self, seen: &mut Seen) {
        let octets = std::mem::take(&mut self.octets);
        if octets > 0 {
            seen.hear(self.id, format!("octets {octets}"));
        }
    }
}

fn called(seen: &mut Seen, stream: u32, what: &str, result: Result<(), Error>) {
    let text = result.map_or_else(|error| failure(&error), |()| "well".into());
    seen.hear(stream, format!("{what} {text}"));
}

fn failure(error: &Error) -> String {
    let is = [error.is_io(), error.is_go_away(), error.is_reset(), error.is_remote(), error.is_library()];
    // The facade keeps 1,024 octets of the debug data of a GOAWAY, h2 keeps all.
    let text: String = error.to_string().chars().take(1_000).collect();
    format!("({text}, {:?}, {is:?})", error.reason().map(u32::from))
}
