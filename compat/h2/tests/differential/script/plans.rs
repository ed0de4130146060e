//! What is done with one stream, as four strands that go on side by side: each application receives and sends.

use super::{Act, Ask, End, Fields, Handle, Release, RequestHead, ResponseHead, Side, What};
use crate::rng::Rng;

/// What a script is about: chances in percent.
#[derive(Clone, Debug)]
pub struct Mood {
    /// Results may not depend on how much is under way: whoever reads, reads all, and resets come when all is quiet.
    pub steady: bool,
    pub resets: usize,
    pub drops: usize,
    pub slow_readers: usize,
    pub large_bodies: usize,
    pub large_heads: usize,
    /// Some are larger than what is taken.
    pub limited_heads: bool,
    pub malformed: usize,
    pub at_once: usize,
    pub holds: usize,
    pub cuts: usize,
    pub shutdowns: usize,
    pub windows: usize,
}

impl Mood {
    /// Whether the answer to a PING comes when it comes in h2, which sends none while that of a shutdown is under way.
    pub fn may_ping(&self) -> bool {
        let held = self.holds > 0 && self.shutdowns > 0;
        if self.steady { self.at_once == 0 } else { !held }
    }

    /// The smallest sizes are for small bodies: a body of many octets, one at a time, shows nothing new.
    pub fn not_too_small<'a, T>(&self, sizes: &'a [T], smallest: usize) -> &'a [T] {
        if self.large_bodies > 0 { &sizes[smallest..] } else { sizes }
    }
}

/// Acts of one side that keep their order.
pub type Strand = Vec<(Side, Act)>;

/// The reasons that a reset may give: all those that have names, and some that have none.
const REASONS: [u32; 12] = [0, 1, 2, 3, 5, 7, 8, 11, 13, 14, 0x2a, u32::MAX];

const METHODS: [&str; 10] = ["GET", "GET", "GET", "POST", "POST", "POST", "PUT", "HEAD", "OPTIONS", "BREW"];

const URIS: [&str; 5] = [
    "https://pond.example/",
    "https://pond.example/",
    "http://pond.example:8080/a/long/path?with=a&query=string",
    "https://pond.example",
    "/only/a/path",
];

/// The four strands of a stream; the first begins with the request.
pub fn stream(rng: &mut Rng, mood: &Mood, senders: usize) -> [Strand; 4] {
    let head = request(rng, mood);
    let open = !head.end;
    let method = head.method;
    let sender = rng.below(senders);
    let request = Act::Request { sender, waits: rng.chance(15), head };
    let mut strands = [
        [vec![request], if open { body(rng, mood) } else { Vec::new() }].concat(),
        reception(rng, mood),
        reading(rng, mood),
        response(rng, mood, method),
    ];
    for (number, strand) in strands.iter_mut().enumerate() {
        interfere(rng, mood, number, strand);
    }
    let mut sides = [Side::Client, Side::Client, Side::Server, Side::Server].into_iter();
    strands.map(|strand| {
        let side = sides.next().expect("as many as strands");
        strand.into_iter().map(|act| (side, act)).collect()
    })
}

/// A last stream that finds out how far the windows are open: both sides send more than they can, and whoever reads
/// releases nothing.
pub fn soundings(stream: u32) -> Vec<What> {
    let fields = Fields::default();
    let head =
        RequestHead { method: "POST", uri: URIS[0], version: false, protocol: None, fields, end: false };
    let response = ResponseHead { status: 200, fields: Fields::default(), end: false };
    let read = Act::Read { octets: u64::MAX, release: Release::Later };
    let pump = Act::Pump { octets: 400_000, chunk: 50_000, ask: Ask::Whole, end: End::None };
    let acts = [
        (Side::Client, Act::Request { sender: 0, waits: false, head }),
        (Side::Client, Act::Await),
        (Side::Server, Act::Respond(response)),
        (Side::Server, read.clone()),
        (Side::Client, read),
        (Side::Client, pump.clone()),
        (Side::Server, pump),
        (Side::Client, Act::Look),
        (Side::Server, Act::Look),
    ];
    acts.map(|(side, act)| What::Stream(side, stream, act)).into()
}

/// Resets, drops and looks at any point behind the request.
fn interfere(rng: &mut Rng, mood: &Mood, number: usize, strand: &mut Vec<Act>) {
    let first = usize::from(number == 0);
    let mut insert = |rng: &mut Rng, act| {
        let place = rng.within(first..=strand.len().max(first));
        strand.insert(place.min(strand.len()), act);
    };
    if rng.chance(20) {
        insert(rng, Act::WatchReset);
    }
    if mood.steady {
        // A reader that has had enough.
        if number > 0 && number < 3 && rng.chance(mood.resets) {
            strand.push(Act::Reset(rng.pick(&REASONS)));
        }
        return;
    }
    if rng.chance(25) {
        insert(rng, Act::Look);
    }
    if rng.chance(10) {
        insert(rng, Act::WatchCapacity);
    }
    if rng.chance(mood.resets) {
        let reset = Act::Reset(rng.pick(&REASONS));
        insert(rng, reset);
    }
    if rng.chance(mood.drops) {
        let handles = [Handle::Head, Handle::Send, Handle::Recv, Handle::Flow, Handle::All, Handle::All];
        for _ in 0..rng.within(1..=2) {
            let drop = Act::Drop(rng.pick(&handles));
            insert(rng, drop);
        }
    }
    if rng.chance(mood.slow_readers / 3) {
        insert(rng, Act::KeepFlow);
    }
}

fn request(rng: &mut Rng, mood: &Mood) -> RequestHead {
    let (method, uri, protocol) = match rng.below(12) {
        0 => ("CONNECT", "pond.example:443", None),
        1 => ("CONNECT", "https://pond.example/chat", rng.pick(&[None, Some("websocket")])),
        4 if rng.chance(20) => ("OPTIONS", "*", None),
        2 | 3 => (rng.pick(&METHODS), rng.pick(&URIS), None),
        _ => (rng.pick(&METHODS), URIS[0], None),
    };
    let end = rng.chance(if method == "GET" { 80 } else { 20 });
    RequestHead {
        method,
        uri,
        version: rng.chance(10),
        protocol,
        fields: with_length(rng, mood, method),
        end,
    }
}

fn response(rng: &mut Rng, mood: &Mood, method: &str) -> Vec<Act> {
    let mut acts = Vec::new();
    while rng.chance(25) && acts.len() < 4 {
        let status = rng.pick(&[100, 103, 103, 199]);
        acts.push(Act::Inform(ResponseHead { status, fields: fields(rng, mood), end: false }));
    }
    if rng.chance(5) {
        return acts;
    }
    let status = rng.pick(&[200, 200, 200, 200, 204, 304, 404, 500]);
    // What must have no content has none; h2 would let it pass.
    let end = rng.chance(25) || method == "HEAD" || status == 204 || status == 304;
    acts.push(Act::Respond(ResponseHead { status, fields: with_length(rng, mood, method), end }));
    if !end {
        acts.extend(body(rng, mood));
    }
    acts
}

/// How a body is sent.
fn body(rng: &mut Rng, mood: &Mood) -> Vec<Act> {
    let most = if rng.chance(mood.large_bodies) { 200_000 } else { 20_000 };
    let octets = rng.octets(most);
    let chunk = rng.octets(70_000).max(octets / 40).max(1);
    let end = match rng.below(10) {
        0..5 => End::Flag,
        5..8 => End::Trailers(trailers(rng, mood)),
        _ => End::None,
    };
    if rng.chance(50) {
        let ask = rng.pick(&[Ask::One, Ask::Chunk, Ask::Whole]);
        return vec![Act::Pump { octets, chunk, ask, end }];
    }
    let (mut acts, mut left) = (Vec::new(), octets);
    while left > 0 && acts.len() < 8 {
        if rng.chance(30) && !mood.steady {
            acts.push(Act::Reserve(rng.octets(100_000)));
        }
        let next = rng.within(1..=left);
        left -= next;
        acts.push(Act::Send { octets: next, chunk, end: false });
    }
    acts.extend(match end {
        End::Flag => Some(Act::Send { octets: left, chunk, end: true }),
        End::Trailers(fields) => Some(Act::Trailers(fields)),
        End::None => None,
    });
    acts
}

/// How a client waits for the response and reads it.
fn reception(rng: &mut Rng, mood: &Mood) -> Vec<Act> {
    let mut acts = Vec::new();
    if rng.chance(30) {
        acts.push(Act::AwaitHints);
    }
    if rng.chance(5) && !mood.steady {
        return acts;
    }
    acts.push(Act::Await);
    acts.extend(reading(rng, mood));
    acts
}

/// How a body is read: as it comes, or slowly, in parts, not to the end.
fn reading(rng: &mut Rng, mood: &Mood) -> Vec<Act> {
    let all = Act::Read { octets: u64::MAX, release: Release::AtOnce };
    if mood.steady || !rng.chance(mood.slow_readers) {
        return vec![all];
    }
    let mut acts = Vec::new();
    for _ in 0..rng.below(5) {
        let release = rng.pick(&[Release::AtOnce, Release::Half, Release::Later]);
        acts.push(match rng.below(20) {
            0 => Act::ReleaseTooMuch,
            1..6 => Act::Release { percent: rng.pick(&[0, 10, 50, 90, 100, 100]) },
            6 => Act::Look,
            7 => Act::Read { octets: u64::MAX, release },
            _ => Act::Read { octets: rng.octets(60_000) as u64, release },
        });
    }
    if rng.chance(60) {
        acts.extend([all, Act::Release { percent: 100 }]);
    }
    acts
}

/// The fields of a message, with a `content-length` at times, right or wrong; but not with CONNECT, where it has no
/// meaning (RFC 9110 §9.3.6), which h2 does not know.
fn with_length(rng: &mut Rng, mood: &Mood, method: &str) -> Fields {
    let mut fields = fields(rng, mood);
    if method != "CONNECT" && rng.chance(mood.malformed) {
        let length = match rng.below(8) {
            0 => "many".into(),
            1 | 2 => "0".into(),
            _ => rng.octets(20_000).to_string(),
        };
        fields.named.push(("content-length", length));
    }
    fields
}

/// Trailers, which are never above the limit: h2 loses some of the fields then.
fn trailers(rng: &mut Rng, mood: &Mood) -> Fields {
    let mut trailers = fields(rng, mood);
    if mood.limited_heads {
        (trailers.count, trailers.size) = (trailers.count.min(1), trailers.size.min(40));
    }
    trailers
}

fn fields(rng: &mut Rng, mood: &Mood) -> Fields {
    let mut fields =
        Fields { count: rng.below(4), size: rng.below(40), salt: rng.below(6) as u64, named: Vec::new() };
    if rng.chance(mood.large_heads) {
        // What needs CONTINUATION comes last.
        let choices = [(40, 30), (3, 5_000), (2, 300), (12, 3_000), (1, 16_400), (200, 100)];
        (fields.count, fields.size) = rng.pick(if mood.limited_heads { &choices[..3] } else { &choices });
    }
    if rng.chance(5) {
        fields.named.push(("te", "trailers".into()));
    } else if rng.chance(mood.malformed / 2) {
        let choices = [("connection", "close"), ("te", "gzip"), ("transfer-encoding", "chunked")];
        let (name, value) = rng.pick(&choices);
        fields.named.push((name, value.into()));
    }
    fields
}
