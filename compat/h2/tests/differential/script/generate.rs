//! Scripts from seeds.
//!
//! Most run over wires that hold whatever is written, where each step's result is exact whatever is sent, read,
//! dropped or reset in between. The others run over narrow wires, where how far a body has come at a given moment
//! depends on buffers that are nobody's business; these are steady: their results do not depend on that.

use super::{
    Act, Do, Fault, Handle, Lane, Options, Place, Script, Side, Step, What, Wire,
    plans::{self, Mood, Strand, stream},
};
use crate::rng::Rng;

pub fn script(seed: u64) -> Script {
    let rng = &mut Rng::new(seed);
    let mood = mood(rng);
    let senders = rng.pick(&[1, 1, 2, 4]);
    let mut strands = Strands::default();
    let streams = match rng.below(10) {
        0 => 1,
        1..4 => 2,
        4..9 => rng.within(3..=6),
        _ => rng.within(7..=20),
    };
    for _ in 0..streams {
        strands.streams.push(stream(rng, &mood, senders));
    }
    strands.others.push(connections(rng, &mood));
    strands.others.push(wires(rng, &mood));

    let mut steps = Vec::new();
    (1..senders).for_each(|_| steps.push(What::Connection(Side::Client, Do::CloneSender)));
    while let Some(what) = strands.next(rng) {
        steps.push(what);
    }
    steps.extend(Side::BOTH.map(|side| What::Wire(side, Wire::Let)));
    let mut steps: Vec<_> =
        steps.into_iter().map(|what| Step { what, at_once: rng.chance(mood.at_once) }).collect();
    wind_down(rng, &mood, streams as u32, senders, &mut steps);
    Script {
        client: options(rng, &mood, Side::Client),
        server: options(rng, &mood, Side::Server),
        lanes: Side::BOTH.map(|side| lane(rng, &mood, side)),
        vectored: rng.chance(50),
        chained: rng.chance(25),
        streams_first: rng.chance(50),
        steps,
    }
}

fn mood(rng: &mut Rng) -> Mood {
    let steady = rng.chance(25);
    let mut some = |chance: usize, percent: usize| if rng.chance(chance) { percent } else { 0 };
    let (resets, shutdowns) = (some(50, 15), some(25, 100));
    let malformed = if steady { 0 } else { some(20, 10) };
    Mood {
        steady,
        resets,
        drops: some(50, 15),
        slow_readers: some(60, 70),
        large_bodies: some(40, 30),
        large_heads: some(30, 15),
        limited_heads: !steady && some(50, 1) > 0,
        malformed,
        at_once: if steady && resets + shutdowns > 0 { 0 } else { some(60, 30) },
        holds: some(40, 100),
        // Where frames break a rule, it matters how much of them has come.
        cuts: if steady || malformed > 0 { 0 } else { some(15, 100) },
        shutdowns,
        windows: some(50, 60),
    }
}

/// What is still to be done.
#[derive(Default)]
struct Strands {
    /// Those whose request is still to come.
    streams: Vec<[Strand; 4]>,
    begun: Vec<(u32, Strand)>,
    others: Vec<Vec<What>>,
    requests: u32,
}

impl Strands {
    /// One of the next things, any that may come next.
    fn next(&mut self, rng: &mut Rng) -> Option<What> {
        self.begun.retain(|(_, strand)| !strand.is_empty());
        self.others.retain(|strand| !strand.is_empty());
        let choices = usize::from(!self.streams.is_empty()) * 2 + self.begun.len() + self.others.len();
        if choices == 0 {
            return None;
        }
        let mut choice = rng.below(choices);
        if !self.streams.is_empty() {
            if choice < 2 {
                return Some(self.begin());
            }
            choice -= 2;
        }
        if let Some((stream, strand)) = self.begun.get_mut(choice) {
            let (side, act) = strand.remove(0);
            return Some(What::Stream(side, *stream, act));
        }
        Some(self.others[choice - self.begun.len()].remove(0))
    }

    fn begin(&mut self) -> What {
        let [mut first, second, third, fourth] = self.streams.remove(0);
        let number = self.requests;
        self.requests += 1;
        let (side, request) = first.remove(0);
        self.begun.extend([first, second, third, fourth].map(|strand| (number, strand)));
        What::Stream(side, number, request)
    }
}

/// What is done to the connections beside the streams.
fn connections(rng: &mut Rng, mood: &Mood) -> Vec<What> {
    let mut acts = Vec::new();
    for _ in 0..rng.below(4) {
        let side = rng.pick(&Side::BOTH);
        let window =
            rng.pick(&[0, 1, 1_000, 16_384, 32_768, 65_535, 98_301, 98_302, 200_000, 1 << 20, 0x7fff_ffff]);
        let act = match rng.below(10) {
            0 | 1 if mood.may_ping() => Do::Ping,
            2 if !mood.steady => Do::Look,
            3 | 4 if rng.chance(mood.windows) && !mood.steady => Do::SetTargetWindow(window),
            5 | 6 if rng.chance(mood.windows) => Do::SetInitialWindow(window.max(1 << 20)),
            7 if side == Side::Server && !mood.steady => Do::EnableConnect,
            8 if side == Side::Client => Do::WatchReady(rng.below(3)),
            9 if side == Side::Server && !mood.steady => Do::Accept(rng.chance(50)),
            _ => continue,
        };
        acts.push(What::Connection(side, act));
    }
    if rng.chance(mood.shutdowns) {
        let act = match rng.below(8) {
            0..4 => What::Connection(Side::Server, Do::Graceful),
            4 => What::Connection(Side::Server, Do::Abrupt(rng.pick(&[0, 2, 11, 0x2a]))),
            5 => What::Connection(Side::Client, Do::DropSender(0)),
            _ => What::Connection(rng.pick(&Side::BOTH), Do::Drop),
        };
        acts.insert(rng.within(0..=acts.len()), act);
    }
    acts
}

fn wires(rng: &mut Rng, mood: &Mood) -> Vec<What> {
    let mut acts = Vec::new();
    if !mood.steady && rng.chance(mood.holds) {
        for _ in 0..rng.within(1..=3) {
            let side = rng.pick(&Side::BOTH);
            acts.extend([What::Wire(side, Wire::Hold), What::Wire(side, Wire::Let)]);
            if rng.chance(50) {
                let last = acts.len() - 1;
                acts.swap(last, last.saturating_sub(2));
            }
        }
    }
    if rng.chance(mood.cuts) {
        let place = match rng.below(8) {
            0 => Place::Octet(rng.below(33)),
            1..4 if !mood.limited_heads => Place::Headers { frame: rng.below(4), permille: rng.below(1_000) },
            _ => Place::Data { octets: rng.octets(60_000), inside: rng.chance(60) },
        };
        use std::io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut};
        let fault = match rng.below(5) {
            0 | 1 => Fault::End,
            2 => Fault::Torn,
            3 => Fault::Reads(rng.pick(&[ConnectionReset, TimedOut])),
            _ => Fault::Writes(rng.pick(&[ConnectionReset, BrokenPipe])),
        };
        let cut = What::Wire(rng.pick(&Side::BOTH), Wire::Cut(place, fault));
        acts.insert(rng.within(0..=acts.len()), cut);
    }
    acts
}

/// How it all ends: in good order, in any order, or in the middle.
fn wind_down(rng: &mut Rng, mood: &Mood, streams: u32, senders: usize, steps: &mut Vec<Step>) {
    if rng.chance(15) {
        return;
    }
    let mut acts = Vec::new();
    for side in Side::BOTH {
        acts.extend((0..streams).map(|stream| What::Stream(side, stream, Act::Drop(Handle::All))));
    }
    if rng.chance(50) && !mood.steady {
        acts.extend(plans::soundings(streams));
        acts.extend(Side::BOTH.map(|side| What::Stream(side, streams, Act::Drop(Handle::All))));
    }
    acts.extend((0..senders).map(|sender| What::Connection(Side::Client, Do::DropSender(sender))));
    if rng.chance(30) && !mood.steady {
        for last in (1..acts.len()).rev() {
            acts.swap(last, rng.below(last + 1));
        }
    }
    let at_once = if mood.steady { 0 } else { mood.at_once };
    steps.extend(acts.into_iter().map(|what| Step { what, at_once: rng.chance(at_once) }));
}

fn options(rng: &mut Rng, mood: &Mood, side: Side) -> Options {
    let windows = rng.chance(mood.windows);
    let rare = !mood.steady && rng.chance(25);
    let mut some = |choices: &[u32]| rng.chance(50).then(|| rng.pick(choices));
    let mut options = Options { push: some(&[0, 1]).map(|push| push == 1), ..Options::default() };
    if windows {
        options.initial_window =
            some(mood.not_too_small(&[1, 100, 5_000, 16_384, 30_000, 65_535, 100_000, 1 << 20], 2));
        options.connection_window = some(&[65_535, 70_000, 100_000, 300_000, 1 << 20]);
        options.max_frame = some(&[16_384, 17_000, 100_000, 1 << 20]);
    }
    if rare {
        options.initial_window = some(mood.not_too_small(&[1, 0, 65_535, 0x7fff_ffff], 1));
        options.connection_window = some(&[1, 20_000, 65_535, 0x7fff_ffff]);
        options.header_table = some(&[0, 100, 4_096, 65_536]);
        options.send_buffer = some(&[100, 5_000, 16_384, 1 << 20]).map(|octets| octets as usize);
        options.remembered_resets = some(&[0, 1, 2]).map(|streams| streams as usize);
        options.resets_before_accept = some(&[0, 1, 2]).map(|streams| streams as usize);
        // What counts as a stream error is not compared where it depends on what is remembered or left to be reset.
        if options.remembered_resets.is_none() && !mood.limited_heads {
            options.local_error_resets = some(&[0, 1, 3]).map(|streams| streams as usize);
        }
        options.initial_max_send = some(&[1, 2, 100]).map(|streams| streams as usize);
    }
    if mood.large_heads > 0 {
        let limits: &[u32] = if mood.limited_heads { &[200, 1_000, 10_000] } else { &[100_000] };
        options.max_header_list = some(limits);
    }
    if side == Side::Server {
        options.max_concurrent = some(&[1, 1, 2, 3, 100]);
        options.extended_connect = rng.chance(30);
    }
    options
}

fn lane(rng: &mut Rng, mood: &Mood, side: Side) -> Lane {
    // h2's server does not read before its SETTINGS are written, nor its client before its preface is: one has to fit.
    let least = if side == Side::Client { 24 } else { 1 };
    let widths = [1, 10, 100, 1_000, 4_096, 16_384, 20_000, 70_000];
    let narrow = mood.steady.then(|| rng.pick(mood.not_too_small(&widths, 3)).max(least));
    Lane {
        capacity: narrow,
        read: rng.pick(&[None, None, None, Some(100), Some(1_024), Some(5_000), Some(16_393)]),
        write: rng.pick(&[None, None, None, None, Some(100), Some(1_000), Some(17_000)]),
        held: false,
    }
}
