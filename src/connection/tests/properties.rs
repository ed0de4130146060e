//! Random scripts on both ends, with random cuts: the ledgers are the judge, and the octets received are the
//! octets sent.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::{
    end::{End, ok},
    pair::{Cut, Pair},
    raw::Raw,
};
use crate::{
    config::{Config, Manners},
    error::ErrorCode,
    frame::FrameType,
    memory::MemoryBudget,
};

#[derive(Clone, Debug)]
enum Step {
    /// The client opens a stream; whether anything follows the head.
    Open {
        end: bool,
    },
    /// One side sends DATA on the n-th live stream.
    Data {
        server: bool,
        stream: usize,
        octets: usize,
        end: bool,
    },
    /// The server answers.
    Respond {
        stream: usize,
        end: bool,
    },
    Trailers {
        server: bool,
        stream: usize,
    },
    Reset {
        server: bool,
        stream: usize,
    },
    Abandon {
        server: bool,
        stream: usize,
    },
    /// One side stops or starts to release what it reads.
    Release {
        server: bool,
        at_once: bool,
    },
    ReleaseAll {
        server: bool,
    },
    Reserve {
        server: bool,
        stream: usize,
        octets: u32,
    },
    GiveBack {
        server: bool,
        stream: usize,
        octets: u32,
    },
    /// SETTINGS_INITIAL_WINDOW_SIZE changes.
    Window {
        server: bool,
        octets: u32,
    },
    Target {
        server: bool,
        octets: u32,
    },
    Ping {
        server: bool,
    },
    /// One side rests, if it can.
    Rest {
        server: bool,
    },
    /// Octets go one way.
    Carry {
        to_server: bool,
    },
    Run,
}

fn step() -> impl Strategy<Value = Step> {
    let (side, stream) = (any::<bool>, || 0_usize..8);
    prop_oneof![
        4 => any::<bool>().prop_map(|end| Step::Open { end }),
        8 => (side(), stream(), 0_usize..60_000, prop::bool::weighted(0.2))
            .prop_map(|(server, stream, octets, end)| Step::Data { server, stream, octets, end }),
        4 => (stream(), prop::bool::weighted(0.2)).prop_map(|(stream, end)| Step::Respond { stream, end }),
        1 => (side(), stream()).prop_map(|(server, stream)| Step::Trailers { server, stream }),
        1 => (side(), stream()).prop_map(|(server, stream)| Step::Reset { server, stream }),
        1 => (side(), stream()).prop_map(|(server, stream)| Step::Abandon { server, stream }),
        1 => (side(), any::<bool>()).prop_map(|(server, at_once)| Step::Release { server, at_once }),
        2 => side().prop_map(|server| Step::ReleaseAll { server }),
        2 => (side(), stream(), 0_u32..100_000)
            .prop_map(|(server, stream, octets)| Step::Reserve { server, stream, octets }),
        1 => (side(), stream(), 0_u32..100_000)
            .prop_map(|(server, stream, octets)| Step::GiveBack { server, stream, octets }),
        1 => (side(), 0_u32..200_000).prop_map(|(server, octets)| Step::Window { server, octets }),
        1 => (side(), 65_535_u32..500_000).prop_map(|(server, octets)| Step::Target { server, octets }),
        1 => side().prop_map(|server| Step::Ping { server }),
        2 => side().prop_map(|server| Step::Rest { server }),
        6 => any::<bool>().prop_map(|to_server| Step::Carry { to_server }),
        2 => Just(Step::Run),
    ]
}

fn cut() -> impl Strategy<Value = Cut> {
    prop_oneof![
        Just(Cut::Nowhere),
        (1_usize..40).prop_map(Cut::Every),
        (40_usize..20_000).prop_map(Cut::Every),
        (1_usize..100_000).prop_map(Cut::Once),
    ]
}

fn manners() -> impl Strategy<Value = Manners> {
    prop_oneof![Just(Manners::Own), Just(Manners::H2)]
}

/// What one side has sent on each stream, and whether it has ended.
#[derive(Default)]
struct Sent {
    octets: BTreeMap<u32, Vec<u8>>,
    answered: BTreeMap<u32, bool>,
    ended: BTreeMap<u32, bool>,
}

/// A script, its cuts, and the windows of both ends.
fn play(
    steps: Vec<Step>,
    cut: Cut,
    windows: [u32; 2],
    manners: [Manners; 2],
    max_unread: u32,
    max_streams: u32,
    memory: Option<usize>,
) {
    let budget = memory.map(MemoryBudget::new);
    let config = |window, manners| {
        Config::builder()
            .memory_budget(budget.clone())
            .max_connection_memory(memory.map(|octets| octets.max(65_536)))
            .manners(manners)
            .initial_stream_window_size(window)
            .initial_connection_window_size(65_535)
            .max_unread(max_unread)
            .max_concurrent_streams(Some(max_streams))
    };
    let mut pair = Pair::new(config(windows[0], manners[0]), config(windows[1], manners[1]), cut);
    if manners[1] == Manners::H2 {
        // As h2, a server of these manners forgets whom it refused, and trailers that were on their way then end it. So
        // its client hears of the limit first.
        pair.run();
    }
    let mut sent = [Sent::default(), Sent::default()];
    let mut gone = std::collections::BTreeSet::new();
    let mut filler = 0_u8;
    for step in steps {
        apply(&mut pair, &mut sent, &mut gone, &mut filler, step);
        check_credit(&pair);
        if let Some(budget) = &budget {
            assert!(budget.stats().held <= budget.stats().limit);
        }
    }
    // Both sides read everything, and what was sent on streams that nobody cut short has arrived.
    for end in [&mut pair.client, &mut pair.server] {
        end.releases = true;
        end.conn.set_initial_window_size(1 << 20);
    }
    for _ in 0..20 {
        pair.client.release_all();
        pair.server.release_all();
        for end in [&mut pair.client, &mut pair.server] {
            for id in end.live() {
                let key = end.key(id);
                end.conn.reserve(key, 0);
                end.conn.give_back(key, u32::MAX);
            }
        }
        pair.run();
    }
    let reset = |end: &End, id: &u32| end.errors.contains_key(id);
    // Those that wait for MAX_CONCURRENT_STREAMS to the end have sent nothing.
    let client = &pair.client.conn.core;
    let waiting =
        client.streams.keys().filter_map(|key| client.streams.get(key)).filter(|stream| !stream.counted);
    gone.extend(waiting.map(|stream| stream.id.value()));
    for (side, (from, to)) in
        [(&pair.client, &pair.server), (&pair.server, &pair.client)].into_iter().enumerate()
    {
        for (id, octets) in &sent[side].octets {
            let got = to.received.get(id).map_or(&[][..], |got| got);
            if gone.contains(id) || reset(from, id) || reset(to, id) {
                assert!(octets.starts_with(got), "stream {id}: other octets than were sent");
            } else {
                assert_eq!(got.len(), octets.len(), "stream {id}: octets are missing");
                assert_eq!(got, octets, "stream {id}");
            }
        }
    }
    pair.finish();
    if let Some(budget) = budget {
        assert_eq!(budget.stats().held, 0, "charged and never released");
    }
}

/// The first ledger at any time: what streams hold is what the connection has set aside.
fn check_credit(pair: &Pair) {
    for end in [&pair.client, &pair.server] {
        let core = &end.conn.core;
        let held: u32 =
            core.streams.keys().filter_map(|key| core.streams.get(key)).map(|stream| stream.assigned).sum();
        assert_eq!(held, core.send_credit.assigned(), "credit set aside for nobody");
    }
}

fn apply(
    pair: &mut Pair,
    sent: &mut [Sent; 2],
    gone: &mut std::collections::BTreeSet<u32>,
    filler: &mut u8,
    step: Step,
) {
    fn pick(end: &End, stream: usize) -> Option<u32> {
        let live = end.live();
        (!live.is_empty()).then(|| live[stream % live.len()])
    }
    fn side(pair: &mut Pair, server: bool) -> &mut End {
        if server { &mut pair.server } else { &mut pair.client }
    }
    match step {
        Step::Open { end } => {
            if pair.client.live().len() < 12
                && let Ok(id) = pair.client.try_open(super::end::get(), end)
            {
                sent[0].answered.insert(id, true);
                sent[0].ended.insert(id, end);
            }
        }
        Step::Respond { stream, end } => {
            if let Some(id) = pick(&pair.server, stream)
                && sent[1].answered.insert(id, true).is_none()
            {
                pair.server.respond(id, ok(), end);
                sent[1].ended.insert(id, end);
            }
        }
        Step::Data { server, stream, octets, end } => {
            let sent = &mut sent[usize::from(server)];
            if let Some(id) = pick(side(pair, server), stream)
                && sent.answered.contains_key(&id)
                && !sent.ended[&id]
            {
                *filler = filler.wrapping_add(1);
                let octets = vec![*filler; octets];
                sent.octets.entry(id).or_default().extend_from_slice(&octets);
                sent.ended.insert(id, end);
                side(pair, server).data(id, octets, end);
            }
        }
        Step::Trailers { server, stream } => {
            let sent = &mut sent[usize::from(server)];
            if let Some(id) = pick(side(pair, server), stream)
                && sent.answered.contains_key(&id)
                && !sent.ended[&id]
            {
                sent.ended.insert(id, true);
                side(pair, server).trailers(id, http::HeaderMap::new());
            }
        }
        Step::Reset { server, stream } => {
            if let Some(id) = pick(side(pair, server), stream) {
                gone.insert(id);
                side(pair, server).reset(id, ErrorCode::CANCEL);
            }
        }
        Step::Abandon { server, stream } => {
            if let Some(id) = pick(side(pair, server), stream) {
                gone.insert(id);
                side(pair, server).abandon(id);
            }
        }
        Step::Release { server, at_once } => {
            side(pair, server).releases = at_once;
        }
        Step::ReleaseAll { server } => side(pair, server).release_all(),
        Step::Reserve { server, stream, octets } => {
            let end = side(pair, server);
            if let Some(id) = pick(end, stream) {
                end.conn.reserve(end.key(id), octets);
            }
        }
        Step::GiveBack { server, stream, octets } => {
            let end = side(pair, server);
            if let Some(id) = pick(end, stream) {
                end.conn.give_back(end.key(id), octets);
            }
        }
        Step::Window { server, octets } => side(pair, server).conn.set_initial_window_size(octets),
        Step::Target { server, octets } => side(pair, server).conn.set_target_window_size(octets),
        Step::Ping { server } => drop(side(pair, server).conn.ping()),
        Step::Rest { server } => drop(side(pair, server).rest()),
        Step::Carry { to_server } => drop(pair.carry(to_server)),
        Step::Run => pair.run(),
    }
    pair.client.take_events();
    pair.server.take_events();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_both_ends_do_the_books_balance(
        steps in vec(step(), 1..120),
        cut in cut(),
        windows in [prop_oneof![0_u32..10, 10_u32..200_000], prop_oneof![0_u32..10, 10_u32..200_000]],
        manners in [manners(), manners()],
        max_unread in prop_oneof![Just(0_u32), 0_u32..300_000],
        max_streams in 1_u32..10,
        memory in prop_oneof![Just(None), (30_000_usize..600_000).prop_map(Some)],
    ) {
        play(steps, cut, windows, manners, max_unread, max_streams, memory);
    }

    /// No octets of any kind make a connection panic, or keep anything.
    #[test]
    fn random_octets_do_no_harm(octets in vec(any::<u8>(), 0..400), server in any::<bool>(), size in 1_usize..50) {
        let mut raw = if server { Raw::server() } else { Raw::client() };
        raw.read_size = size;
        if !server {
            raw.end.get();
            raw.end.post();
        }
        raw.bytes(&octets);
        raw.eof();
        raw.end.conn.handle_io_error(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
    }

    /// Nor do frames whose headers are right and whose payloads are not.
    #[test]
    fn random_frames_do_no_harm(
        frames in vec((0_u8..12, any::<u8>(), 0_u32..10, vec(any::<u8>(), 0..30)), 0..60),
        server in any::<bool>(),
    ) {
        let mut raw = if server { Raw::server() } else { Raw::client() };
        for n in 0..4 {
            match server {
                true => raw.post(2 * n + 1),
                false => drop(raw.end.post()),
            }
        }
        for (kind, flags, stream, mut payload) in frames {
            match FrameType::from(kind) {
                FrameType::PRIORITY => payload.resize(5, 0),
                FrameType::RST_STREAM | FrameType::WINDOW_UPDATE => payload.resize(4, 0),
                _ => {}
            }
            raw.frame(FrameType::from(kind), flags, stream, &payload);
        }
        raw.end.conn.handle_io_error(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
    }
}
