//! The second kind of world: two connections without handles, driver or time of their own, so that after each step all
//! that they say of themselves can be held against the books.
//!
//! Always true here: what one end writes is in the other's wire at once, so [`Watch`] and the connection must agree to
//! the octet.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use fastrand::Rng;
use http::{HeaderMap, Request, Response};
use millpond::{
    ErrorCode,
    buffer::{BufferPool, Outbound, PieceQueue, PoolOptions},
    connection::{Connection, Event, Head, SendQueue, Side, StreamKey},
};

use crate::{ledger::Entry, script::Options, watch::Watch};

/// Plays a script made from `seed`.
///
/// # Panics
///
/// If anything that must hold does not.
pub fn play(seed: u64, trace: bool) {
    let mut random = Rng::with_seed(seed ^ 0xc0de);
    let scale = [300, 5_000, 60_000][random.usize(..3)];
    let now = Instant::now();
    let mut pair = Pair {
        ends: [0, 1].map(|side| End::new(side, Options::new(&mut random, scale), now, trace)),
        wires: Default::default(),
        calls: Vec::new(),
        now,
        scale,
        random,
    };
    for _ in 0..pair.random.usize(20..400) {
        pair.step();
        pair.check();
    }
    pair.finish();
}

struct Pair {
    ends: [End; 2],
    /// What the client has written, and what the server has.
    wires: [VecDeque<u8>; 2],
    /// The two messages of each call.
    calls: Vec<[Entry; 2]>,
    now: Instant,
    scale: usize,
    random: Rng,
}

struct End {
    side: usize,
    connection: Connection,
    pool: BufferPool,
    out: Outbound,
    watch: Watch,
    streams: BTreeMap<usize, Live>,
    /// Octets that were delivered and not released to the connection.
    unread: usize,
    /// Everything that the connection has to say was written since the last input.
    is_flushed: bool,
    failed: Option<String>,
}

struct Live {
    key: StreamKey,
    id: u32,
    call: usize,
    unread: PieceQueue,
    /// Taken or not: what the stream's window waits for.
    unreleased: usize,
    /// Credit that was asked for in advance and has not come.
    wanted: usize,
    /// Octets of DATA given to be sent.
    given: usize,
    may_send: bool,
    answered: bool,
}

impl End {
    fn new(side: usize, mut options: Options, now: Instant, trace: bool) -> Self {
        let pool = BufferPool::new(PoolOptions { decay: None, ..PoolOptions::default() });
        options.adaptive = false;
        options.keep_alive = None;
        options.timeouts = false;
        // What the server takes at the least.
        options.first_streams = 1;
        let config = Arc::new(options.config(&pool));
        let role = if side == 0 { Side::Client } else { Side::Server };
        End {
            side,
            connection: Connection::new(role, config, now),
            out: Outbound::new(pool.clone()),
            pool,
            watch: Watch::new(side == 0, options.connection_window, trace),
            streams: BTreeMap::new(),
            unread: 0,
            is_flushed: false,
            failed: None,
        }
    }
}

impl Pair {
    fn step(&mut self) {
        let side = self.random.usize(..2);
        let size = self.random.usize(..=self.scale);
        let end = &mut self.ends[side];
        end.is_flushed = false;
        let places: Vec<usize> = end.streams.keys().copied().collect();
        let place = (!places.is_empty()).then(|| places[self.random.usize(..places.len())]);
        match (self.random.u32(..32), place) {
            (0..=3, _) => self.open(),
            (4..=8, Some(place)) => self.send(side, place, size),
            (9, Some(place)) => self.send_trailers(side, place),
            (10, Some(place)) if self.random.bool() => self.give_up(side, place, true),
            (11, Some(place)) if self.random.bool() => self.give_up(side, place, false),
            (12..=14, Some(place)) => self.take(side, place, self.scale),
            (15, Some(place)) => self.reserve(side, place, size),
            (16, Some(place)) => {
                // Who gives back wants no more.
                self.reserve(side, place, 0);
                let end = &mut self.ends[side];
                end.connection.give_back(end.streams[&place].key, size as u32);
            }
            (17, _) => end.connection.set_initial_window_size(size as u32),
            (18, _) => {
                let octets = 65_535 + size as u32;
                end.watch.wants(octets);
                end.connection.set_target_window_size(octets);
            }
            (19, _) => drop(end.connection.ping()),
            (20..=22, _) => drop(self.transmit(side)),
            (23..=28, _) => {
                self.transmit(side);
                self.carry(side, size + 1);
            }
            (29, _) => self.now += Duration::from_millis(10),
            (30, _) => while self.exchange() {},
            _ => {}
        }
        [0, 1].into_iter().for_each(|side| self.drain(side));
    }

    fn open(&mut self) {
        let end = &mut self.ends[0];
        if end.streams.len() > 12 {
            return;
        }
        end.is_flushed = false;
        let call = self.calls.len();
        let head = Request::post(format!("http://pond/{call}")).body(()).expect("a sound head");
        let mut queue = SendQueue::new();
        queue.push_head(Head::Request(head));
        let id = end.connection.next_stream_id().expect("there are enough");
        let key = end.connection.open(id, &mut queue).expect("nobody goes away");
        let unsent = Arc::new(AtomicUsize::new(0));
        self.calls.push([2 * call, 2 * call + 1].map(|number| Entry::new(number as u32, &unsent)));
        end.streams.insert(key.index(), Live::new(key, id.value(), call, true));
    }

    fn send(&mut self, side: usize, place: usize, octets: usize) {
        let end = &mut self.ends[side];
        let live = end.streams.get_mut(&place).expect("it was picked");
        if !live.may_send {
            return;
        }
        let mut queue = SendQueue::new();
        if !live.answered {
            queue.push_head(Head::Response(Response::new(())));
            live.answered = true;
        }
        let entry = &self.calls[live.call][side];
        if octets > 0 {
            queue.push_data(entry.next(octets));
            entry.sent(octets);
            live.given += octets;
            live.wanted = 0;
        }
        if self.random.u32(..4) == 0 {
            queue.push_end();
            entry.ended(false);
            live.may_send = false;
        }
        end.connection.send(live.key, &mut queue);
    }

    fn send_trailers(&mut self, side: usize, place: usize) {
        let end = &mut self.ends[side];
        let live = end.streams.get_mut(&place).expect("it was picked");
        if !(live.may_send && live.answered) {
            return;
        }
        let entry = &self.calls[live.call][side];
        let mut queue = SendQueue::new();
        let trailers = HeaderMap::from_iter([(http::header::AGE, entry.sum())]);
        queue.push_trailers(trailers);
        entry.ended(true);
        live.may_send = false;
        end.connection.send(live.key, &mut queue);
    }

    fn reserve(&mut self, side: usize, place: usize, octets: usize) {
        let end = &mut self.ends[side];
        let live = end.streams.get_mut(&place).expect("it was picked");
        // DATA that is queued spends what is set aside as well: then it is not known here what is still wanted.
        live.wanted = if end.connection.queued(live.key) == 0 { octets } else { 0 };
        end.connection.reserve(live.key, octets as u32);
    }

    fn give_up(&mut self, side: usize, place: usize, reset: bool) {
        let end = &mut self.ends[side];
        let live = end.streams.remove(&place).expect("it was picked");
        self.calls[live.call].iter().for_each(Entry::spoil);
        let unread = live.unread.unread();
        match reset {
            true => end.connection.reset(live.key, ErrorCode::CANCEL),
            false => end.connection.abandon(live.key),
        }
        end.unread -= unread;
        end.connection.release_connection(unread);
    }

    /// The application takes up to `octets`.
    fn take(&mut self, side: usize, place: usize, octets: usize) {
        let end = &mut self.ends[side];
        let Some(live) = end.streams.get_mut(&place) else { return };
        let mut taken = 0;
        while taken <= octets
            && let Some(piece) = live.unread.pop()
        {
            self.calls[live.call][1 - side].received(&piece);
            taken += piece.len();
        }
        live.unreleased -= taken;
        end.unread -= taken;
        end.connection.release(live.key, taken as u32);
        end.connection.release_connection(taken);
    }

    /// What one end has to say goes to its wire. Whether there was anything.
    fn transmit(&mut self, side: usize) -> bool {
        let end = &mut self.ends[side];
        let mut any = false;
        while end.connection.poll_transmit(self.now, &mut end.out) {
            any = true;
            while !end.out.is_empty() {
                let mut slices = [std::io::IoSlice::new(&[]); 16];
                let count = end.out.slices(&mut slices);
                let octets: Vec<u8> =
                    slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect();
                end.watch.wrote(&octets);
                end.out.advance(octets.len());
                self.wires[side].extend(octets);
            }
        }
        end.is_flushed = true;
        self.drain(side);
        any
    }

    /// Up to `octets` go from one end to the other. Whether there were any.
    fn carry(&mut self, from: usize, octets: usize) -> bool {
        let end = &mut self.ends[1 - from];
        let octets = octets.min(self.wires[from].len()).min(1 << 16);
        if octets == 0 || end.connection.is_read_closed() {
            return false;
        }
        let piece: Vec<u8> = self.wires[from].drain(..octets).collect();
        end.watch.read(&piece);
        let mut block = end.pool.take(octets);
        block.append(&piece);
        end.is_flushed = false;
        end.connection.handle_read(self.now, block);
        self.drain(1 - from);
        true
    }

    /// Both ends say all they have to, and hear it.
    fn exchange(&mut self) -> bool {
        let said = [0, 1].map(|side| self.transmit(side));
        let heard = [0, 1].map(|side| self.carry(side, usize::MAX));
        said.contains(&true) || heard.contains(&true)
    }

    fn drain(&mut self, side: usize) {
        while let Some(event) = self.ends[side].connection.poll_event() {
            self.handle(side, event);
        }
        drop(self.ends[side].connection.take_block());
    }

    fn handle(&mut self, side: usize, event: Event) {
        let end = &mut self.ends[side];
        // What is given back may have to be announced.
        end.is_flushed &= !matches!(event, Event::Data { .. } | Event::Closed { .. });
        match event {
            Event::Request { key, stream, head, end_stream } => {
                let call = head.uri().path()[1..].parse().expect("a path of ours");
                end.streams.insert(key.index(), Live::new(key, stream.value(), call, false));
                if end_stream {
                    self.arrived(side, key, None);
                }
            }
            Event::Data { key, piece, end_stream, .. } => {
                let Some(live) = end.streams.get_mut(&key.index()) else {
                    return end.connection.release_connection(piece.len());
                };
                live.unreleased += piece.len();
                end.unread += piece.len();
                live.unread.push(piece, &end.pool);
                if end_stream {
                    self.take(side, key.index(), usize::MAX - 1);
                    self.arrived(side, key, None);
                }
            }
            Event::Response { key, end_stream: true, .. } => self.arrived(side, key, None),
            Event::Trailers { key, trailers } => {
                self.take(side, key.index(), usize::MAX - 1);
                self.arrived(side, key, Some(&trailers));
            }
            Event::Reset { key, error } => {
                if let Some(live) = end.streams.get(&key.index()) {
                    let spoiled = self.calls[live.call][0].is_spoiled();
                    assert!(spoiled, "side {side}, stream {}: {error} ({error:?}) without a reason", live.id);
                }
            }
            Event::Closed { key } => {
                if let Some(live) = end.streams.remove(&key.index()) {
                    let unread = live.unread.unread();
                    end.unread -= unread;
                    end.connection.release_connection(unread);
                }
            }
            Event::Capacity { key, octets } => {
                if let Some(live) = end.streams.get_mut(&key.index()) {
                    live.wanted = live.wanted.saturating_sub(octets as usize);
                }
            }
            Event::GoAway { code, .. } => end.failed = Some(format!("GOAWAY {code}")),
            _ => {}
        }
    }

    fn arrived(&mut self, side: usize, key: StreamKey, trailers: Option<&HeaderMap>) {
        if let Some(live) = self.ends[side].streams.get(&key.index()) {
            let sum = trailers.map(|trailers| &trailers[http::header::AGE]);
            self.calls[live.call][1 - side].arrived(sum);
        }
    }

    fn check(&self) {
        for end in &self.ends {
            end.check();
        }
        let quiet = self.wires.iter().all(VecDeque::is_empty) && self.ends.iter().all(|end| end.is_flushed);
        if quiet {
            let counts = self.ends.each_ref().map(|end| end.connection.concurrent_streams());
            assert_eq!(counts[0].0, counts[1].1, "the ends count streams differently");
        }
    }

    /// Everything is read and ended: the books are closed.
    fn finish(&mut self) {
        for side in [0, 1] {
            self.ends[side].connection.set_initial_window_size(1 << 20);
        }
        for round in 0..200 {
            while self.exchange() {}
            self.check();
            if self.ends.iter().all(|end| end.streams.is_empty()) {
                break;
            }
            for side in [0, 1] {
                for place in self.ends[side].streams.keys().copied().collect::<Vec<_>>() {
                    self.take(side, place, usize::MAX - 1);
                    if let Some(live) = self.ends[side].streams.get(&place) {
                        let (key, may_send) = (live.key, live.may_send);
                        self.reserve(side, place, 0);
                        self.ends[side].connection.give_back(key, u32::MAX);
                        if may_send && round > 2 {
                            self.send(side, place, 0);
                        }
                    }
                }
            }
            [0, 1].into_iter().for_each(|side| self.drain(side));
        }
        for call in &self.calls {
            call.iter().for_each(|entry| entry.settle(false));
        }
        for end in &mut self.ends {
            let stats = end.connection.stats();
            assert_eq!((stats.streams, stats.unread), (0, 0), "side {}: something is left", end.side);
            assert!(end.failed.is_none() && end.connection.failure().is_none(), "{:?}", end.failed);
            end.watch.settle();
            assert_eq!(end.pool.stats().blocks_out, 0, "side {}: blocks are not home", end.side);
        }
    }
}

impl End {
    /// What the connection says of itself, against the books.
    fn check(&self) {
        let side = self.side;
        let stats = self.connection.stats();
        assert_eq!(stats.unread as usize, self.unread, "side {side}: unread");
        assert_eq!(i64::from(stats.send_window), self.watch.send_window, "side {side}: send window");
        let assigned: u32 = self.streams.values().map(|live| self.connection.assigned(live.key)).sum();
        assert!(
            i64::from(assigned) <= self.watch.send_window,
            "side {side}: {assigned} octets are set aside"
        );
        let held: usize = self.streams.values().map(|live| live.unread.held()).sum();
        let gathered = self.connection.gathered();
        let out = self.pool.stats().octets_out;
        let bound = held * 3 / 2 + 2 * gathered + 1_024;
        assert!(out <= bound, "side {side}: {out} octets out, {held} held, {gathered} gathered");
        for live in self.streams.values() {
            let (unread, held) = (live.unread.unread(), live.unread.held());
            assert!(held <= unread * 3 / 2 + (64 << 10), "side {side}: {held} octets held for {unread}");
        }
        if !self.is_flushed {
            return;
        }
        assert_eq!(
            i64::from(stats.recv_window),
            self.watch.recv_window.max(0),
            "side {side}: receive window"
        );
        let free = self.watch.send_window - i64::from(assigned);
        for live in self.streams.values() {
            let Some(stream) = self.watch.streams.get(&live.id) else { continue };
            let (queued, own) = (self.connection.queued(live.key), self.connection.assigned(live.key));
            assert_eq!(queued + stream.sent, live.given, "side {side}, stream {}: octets queued", live.id);
            assert!(i64::from(own) <= stream.send_window.max(0), "side {side}: set aside beyond the window");
            // Whatever may be sent was sent.
            let blocked = stream.send_window <= 0 || (free == 0 && own == 0);
            assert!(queued == 0 || blocked, "side {side}, stream {}: {queued} octets are forgotten", live.id);
            // Whoever may have credit has it.
            let room = stream.send_window - i64::from(own).max(queued as i64);
            let waits = live.may_send && live.wanted > 0 && room > 0 && free > 0;
            assert!(
                !waits,
                "side {side}, stream {}: credit for {} octets is forgotten",
                live.id, live.wanted
            );
        }
    }
}

impl Live {
    fn new(key: StreamKey, id: u32, call: usize, answered: bool) -> Self {
        let unread = PieceQueue::new();
        Live { key, id, call, unread, unreleased: 0, wanted: 0, given: 0, may_send: true, answered }
    }
}
