//! What happens in one simulation: everything that the seed decides beforehand. Data, so that a script that fails can
//! be cut down by taking parts of it away.
//!
//! Always true here: the same seed gives the same script; a script that nobody spoils can be finished, since who holds
//! something back lets go of it when nothing else moves.

use std::time::Duration;

use fastrand::Rng;
use millpond::{Config, buffer::BufferPool};

use crate::{
    executor::{Kind, Order},
    network::{Fault, Habits, Road},
};

#[derive(Clone, Debug)]
pub struct Script {
    pub order: Order,
    pub options: [Options; 2],
    pub roads: [Road; 2],
    pub habits: [Habits; 2],
    /// Those who send requests, each with a `SendRequest` of its own and one call after the other.
    pub callers: Vec<Vec<Call>>,
    pub controls: Vec<Control>,
    pub pings: u32,
}

/// The options of one side.
#[derive(Clone, Debug)]
pub struct Options {
    pub stream_window: u32,
    pub connection_window: u32,
    pub max_unread: u32,
    pub max_frame_size: u32,
    pub max_header_list_size: u32,
    pub table_sizes: [u32; 2],
    pub max_streams: Option<u32>,
    pub first_streams: u32,
    pub max_send_buffer: usize,
    pub max_read: usize,
    pub pooling: bool,
    pub adaptive: bool,
    pub connect: bool,
    pub keep_alive: Option<u64>,
    pub timeouts: bool,
    pub reset_streams: usize,
    /// Milliseconds.
    pub rest_after: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub number: u32,
    /// Milliseconds before it begins; 0 is at once.
    pub delay: u64,
    /// Whether it waits for its turn before it sends the head.
    pub waits: bool,
    pub method: Method,
    /// Octets in a field of the request, and of the response.
    pub fields: [usize; 2],
    pub priority: Option<(u8, bool)>,
    pub request: Body,
    pub response: Body,
    /// How the server reads the request, and how the client reads the response.
    pub readers: [Reader; 2],
    pub answer: Answer,
    pub informational: u32,
    pub waits_for_informational: bool,
    /// After so many polls these tasks are dropped: request writer, response reader, server's handler, server's reader.
    pub lives: [Option<u32>; 4],
    /// The response is never awaited.
    pub forgets_response: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Connect,
}

#[derive(Clone, Debug)]
pub struct Body {
    pub chunks: Vec<usize>,
    pub pace: Pace,
    pub rest: Rest,
    pub end: End,
}

/// What a sender waits for before each chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    Nothing,
    Room,
    Capacity,
}

/// What lies between two chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    None,
    Pause,
    Sleep(u64),
    /// Before this chunk it waits until nothing moves.
    Still(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With the last chunk.
    Last,
    /// By an empty chunk of its own.
    Empty,
    Trailers,
    Reset,
    /// The handle is dropped.
    Drop,
}

#[derive(Clone, Debug)]
pub struct Reader {
    pub release: Release,
    /// Reads so many octets and no more.
    pub stop: Option<(u64, Stop)>,
    /// Milliseconds after each piece, at the most.
    pub pause: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    AtOnce,
    /// As a body of the http-body crate.
    AsBody,
    /// When so many octets are unreleased, or nothing moves.
    Late(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    Drop,
    /// Goes on when nothing moves any more.
    Wait,
    /// Drops the stream and keeps its flow control for a while.
    KeepFlow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    AtOnce,
    Sleep(u64),
    AfterRequest,
    Still,
    Refuse,
    Drop,
}

/// Something done to a connection as a whole.
#[derive(Clone, Debug)]
pub struct Control {
    pub server: bool,
    pub when: When,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Pauses(u32),
    Sleep(u64),
    Still,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Window(u32),
    Target(u32),
    Graceful,
    Abrupt,
    DropDriver,
}

/// One of `values`, weighted.
fn pick<T: Clone>(random: &mut Rng, values: &[(u32, T)]) -> T {
    let sum: u32 = values.iter().map(|(weight, _)| weight).sum();
    let mut at = random.u32(..sum);
    for (weight, value) in values {
        if at < *weight {
            return value.clone();
        }
        at -= weight;
    }
    unreachable!("the weights were summed")
}

fn once_in(random: &mut Rng, times: u32) -> bool {
    random.u32(..times) == 0
}

/// A number whose magnitude is even.
fn size(random: &mut Rng, most: usize) -> usize {
    let bits = usize::BITS - most.leading_zeros();
    let magnitude = 1_usize << random.u32(..=bits);
    random.usize(..=magnitude.min(most))
}

impl Script {
    pub fn new(seed: u64) -> Self {
        let random = &mut Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed);
        // How much is sent at once decides how small everything else may be.
        let scale = pick(random, &[(8, 300), (8, 5_000), (3, 60_000), (1, 300_000)]);
        let calm = once_in(random, 2);
        let options = [(); 2].map(|()| Options::new(random, scale));
        let mut script = Script {
            order: pick(
                random,
                &[
                    (2, Order::Polite),
                    (4, Order::Random),
                    (1, Order::Stack),
                    (1, Order::Last(Kind::Application)),
                    (1, Order::Last(Kind::Driver)),
                    (1, Order::Last(Kind::Network)),
                ],
            ),
            options,
            roads: [(); 2].map(|()| road(random, scale)),
            habits: [(); 2].map(|()| Habits {
                opaque: once_in(random, 4),
                vectored: !once_in(random, 4),
                moody: once_in(random, 4),
            }),
            callers: Vec::new(),
            controls: Vec::new(),
            pings: if once_in(random, 4) { random.u32(1..4) } else { 0 },
        };
        // The client must know how many streams it may open before it is told, or the server refuses some.
        let server_takes = script.options[1].max_streams.unwrap_or(100);
        script.options[0].first_streams = random.u32(1..=server_takes);
        let mut number = 0;
        let most = if scale > 10_000 { 3 } else { 6 };
        for _ in 0..random.u32(1..=most) {
            let calls = (0..random.u32(1..=most / 2 + 1)).map(|_| {
                number += 1;
                Call::new(random, number - 1, scale, calm, &script.options)
            });
            script.callers.push(calls.collect());
        }
        for _ in 0..if once_in(random, 2) { random.u32(1..4) } else { 0 } {
            script.controls.push(Control::new(random, scale, calm));
        }
        if !calm && once_in(random, 6) {
            let fault = pick(random, &[(1, Fault::Truncate), (1, Fault::Cut)]);
            let at = size(random, scale * 2) as u64;
            script.roads[random.usize(..2)].fault = Some((at, fault));
        }
        script
    }

    /// Whether a stall may end the connection.
    pub fn is_impatient(&self) -> bool {
        self.options.iter().any(|options| options.timeouts || options.keep_alive.is_some())
    }
}

impl Options {
    pub fn new(random: &mut Rng, scale: usize) -> Self {
        // A small window lets a small body through in one round trip for each half of it.
        let least = (scale / 100).max(1) as u32;
        let windows =
            [(1, least..=least + 10), (2, least..=least * 30), (2, 1_000..=70_000), (1, 1 << 20..=2 << 20)];
        let stream_window = pick(random, &windows);
        Options {
            stream_window: random.u32(stream_window).max(least),
            connection_window: pick(random, &[(2, 65_535), (1, 65_536), (1, 100_001), (1, 2 << 20)]),
            max_unread: pick(random, &[(2, 0), (1, 10), (1, 5_000), (1, 70_000), (2, 2 << 20)]),
            max_frame_size: pick(random, &[(3, 16_384), (1, 16_385), (1, 100_000)]),
            max_header_list_size: pick(random, &[(1, 400), (1, 2_000), (2, 16 << 10)]),
            table_sizes: [(); 2].map(|()| pick(random, &[(2, 4_096), (1, 0), (1, 100), (1, 20_000)])),
            max_streams: pick(random, &[(1, Some(1)), (1, Some(2)), (2, Some(5)), (2, Some(100)), (1, None)]),
            first_streams: 100,
            max_send_buffer: pick(random, &[(1, 1), (1, 10), (2, 1_000), (1, 40_000), (1, 256 << 10)])
                .max(scale / 100),
            max_read: pick(random, &[(1, 1_024), (1, 5_000), (1, 64 << 10), (1, 1 << 20)]),
            pooling: !once_in(random, 5),
            adaptive: once_in(random, 6),
            connect: once_in(random, 2),
            keep_alive: once_in(random, 5).then(|| random.u64(5..60)),
            timeouts: once_in(random, 3),
            reset_streams: pick(random, &[(3, 50), (1, 0), (1, 1)]),
            rest_after: pick(random, &[(2, Some(0)), (1, Some(1)), (1, Some(1_000)), (1, None)]),
        }
    }

    pub fn config(&self, pool: &BufferPool) -> Config {
        let limit = |seconds| self.timeouts.then(|| Duration::from_secs(seconds));
        let [decoder, encoder] = self.table_sizes;
        Config::builder()
            .pool(pool.clone())
            .initial_stream_window_size(self.stream_window)
            .initial_connection_window_size(self.connection_window)
            .max_unread(self.max_unread)
            .max_frame_size(self.max_frame_size)
            .max_header_list_size(self.max_header_list_size)
            .header_table_size(decoder)
            .encoder_table_size(encoder)
            .max_concurrent_streams(self.max_streams)
            .initial_max_send_streams(self.first_streams)
            .max_send_buffer_size(self.max_send_buffer)
            .max_read_size(self.max_read)
            .read_buffer_pooling(self.pooling)
            .adaptive_window(self.adaptive)
            .enable_connect_protocol(self.connect)
            .keep_alive_interval(self.keep_alive.map(Duration::from_secs))
            .keep_alive_while_idle(self.keep_alive.is_some_and(|seconds| seconds % 2 == 0))
            .handshake_timeout(limit(30))
            .settings_timeout(limit(30))
            .header_read_timeout(limit(30))
            .write_timeout(limit(60))
            .max_concurrent_reset_streams(self.reset_streams)
            .rest_after(self.rest_after.map(Duration::from_millis))
            // A frame may be on its way for as long as nothing moves.
            .reset_stream_duration(Duration::from_secs(100_000))
            .build()
            .expect("every option is in its range")
    }
}

fn road(random: &mut Rng, scale: usize) -> Road {
    // As many pieces as a computer can carry in a moment.
    let least = (scale / 300).max(1);
    let rooms =
        [(); 2].map(|()| pick(random, &[(2, least), (2, 1_000), (2, 8 << 10), (1, 1 << 20)]).max(least));
    Road {
        rooms,
        piece: pick(random, &[(1, least), (1, least + 8), (2, 1_000), (2, 20_000), (1, 1 << 20)]).max(least),
        delay: pick(random, &[(5, 0), (1, 1), (1, 20)]),
        fault: once_in(random, 10).then(|| (size(random, scale) as u64, Fault::Stall)),
    }
}

impl Call {
    fn new(random: &mut Rng, number: u32, scale: usize, calm: bool, options: &[Options; 2]) -> Self {
        let method = match random.u32(..8) {
            0..=2 => Method::Get,
            3 if options[1].connect => Method::Connect,
            _ => Method::Post,
        };
        let mut call = Call {
            number,
            delay: if once_in(random, 3) { random.u64(1..50) } else { 0 },
            waits: !once_in(random, 3),
            method,
            fields: [1, 0].map(|reader| {
                let most = (options[reader].max_header_list_size as usize).saturating_sub(350).min(scale * 3);
                if once_in(random, 3) { size(random, most) } else { 0 }
            }),
            priority: once_in(random, 3).then(|| (random.u8(..8), random.bool())),
            request: Body::new(random, scale),
            response: Body::new(random, scale),
            readers: [(); 2].map(|()| Reader::new(random, scale)),
            answer: pick(
                random,
                &[(6, Answer::AtOnce), (1, Answer::Sleep(10)), (2, Answer::AfterRequest), (1, Answer::Still)],
            ),
            informational: if once_in(random, 5) { random.u32(1..12) } else { 0 },
            waits_for_informational: random.bool(),
            lives: [None; 4],
            forgets_response: false,
        };
        if method == Method::Get {
            call.request.chunks.clear();
        }
        if method == Method::Connect {
            // RFC 9113 §8.5: a tunnel has no trailers.
            for body in [&mut call.request, &mut call.response] {
                body.end = End::Last;
            }
        }
        if !calm && once_in(random, 2) {
            call.spoil(random, scale);
        }
        call
    }

    /// Something goes wrong.
    fn spoil(&mut self, random: &mut Rng, scale: usize) {
        let at = size(random, scale) as u64;
        match random.u32(..9) {
            0 => self.request.end = pick(random, &[(1, End::Reset), (1, End::Drop)]),
            1 => self.response.end = pick(random, &[(1, End::Reset), (1, End::Drop)]),
            2 => self.readers[0].stop = Some((at, pick(random, &[(2, Stop::Drop), (1, Stop::KeepFlow)]))),
            3 => self.readers[1].stop = Some((at, pick(random, &[(2, Stop::Drop), (1, Stop::KeepFlow)]))),
            4 => self.answer = pick(random, &[(1, Answer::Refuse), (1, Answer::Drop)]),
            5 => self.forgets_response = true,
            _ => self.lives[random.usize(..4)] = Some(size(random, 60) as u32),
        }
    }

    /// Whether there is a request body.
    pub fn has_body(&self) -> bool {
        self.method != Method::Get
    }
}

impl Body {
    fn new(random: &mut Rng, scale: usize) -> Self {
        let total = size(random, scale);
        let mut chunks = Vec::new();
        let mut left = total;
        for _ in 0..random.usize(0..8) {
            let chunk = random.usize(..=left);
            chunks.push(chunk);
            left -= chunk;
        }
        let still = random.usize(..chunks.len().max(1));
        Body {
            chunks,
            pace: pick(random, &[(1, Pace::Nothing), (1, Pace::Room), (2, Pace::Capacity)]),
            rest: pick(
                random,
                &[(4, Rest::None), (3, Rest::Pause), (1, Rest::Sleep(5)), (1, Rest::Still(still))],
            ),
            end: pick(random, &[(2, End::Last), (1, End::Empty), (1, End::Trailers)]),
        }
    }
}

impl Reader {
    fn new(random: &mut Rng, scale: usize) -> Self {
        let late = Release::Late(size(random, scale));
        let wait = once_in(random, 6).then(|| (size(random, scale) as u64, Stop::Wait));
        Reader {
            release: pick(random, &[(3, Release::AtOnce), (2, Release::AsBody), (3, late)]),
            stop: wait,
            pause: if once_in(random, 5) { 10 } else { 0 },
        }
    }
}

impl Control {
    fn new(random: &mut Rng, scale: usize, calm: bool) -> Self {
        let least = (scale / 100).max(1) as u32;
        let window = What::Window(least + size(random, 200_000) as u32);
        let target = What::Target(65_535 + size(random, 500_000) as u32);
        let harm = u32::from(!calm);
        let (pauses, sleep) = (random.u32(..200), random.u64(1..100));
        Control {
            server: random.bool(),
            when: pick(random, &[(3, When::Pauses(pauses)), (1, When::Sleep(sleep)), (1, When::Still)]),
            what: pick(
                random,
                &[
                    (6, window),
                    (4, target),
                    (2, What::Graceful),
                    (harm, What::Abrupt),
                    (harm, What::DropDriver),
                ],
            ),
        }
    }
}
