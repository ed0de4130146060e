//! A client and a server, joined by octets that are cut anywhere.

use std::time::{Duration, Instant};

use super::end::{End, get, ok};
use crate::{
    config::{Config, ConfigBuilder},
    connection::Side,
    error::ErrorCode,
};

/// How octets are cut into reads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    /// Each read brings everything.
    Nowhere,
    /// Each read brings so many octets.
    Every(usize),
    /// One cut, after so many octets in either direction.
    Once(usize),
}

pub(super) struct Pair {
    pub(super) client: End,
    pub(super) server: End,
    pub(super) cut: Cut,
    carried: [usize; 2],
}

impl Pair {
    pub(super) fn new(client: ConfigBuilder, server: ConfigBuilder, cut: Cut) -> Pair {
        let now = Instant::now();
        let client = End::new(Side::Client, now, client);
        let server = End::new(Side::Server, now, server);
        Pair { client, server, cut, carried: [0; 2] }
    }

    /// Both ends speak until neither has anything to say.
    pub(super) fn run(&mut self) {
        while self.carry(true) | self.carry(false) {}
    }

    pub(super) fn pass(&mut self, time: Duration) {
        for end in [&mut self.client, &mut self.server] {
            end.now += time;
        }
    }

    /// Brings what one end has to say to the other. Whether there was anything.
    pub(super) fn carry(&mut self, to_server: bool) -> bool {
        let (from, to) = match to_server {
            true => (&mut self.client, &mut self.server),
            false => (&mut self.server, &mut self.client),
        };
        let octets = from.write();
        let carried = &mut self.carried[usize::from(to_server)];
        let mut rest = &octets[..];
        while !rest.is_empty() {
            let size = match self.cut {
                Cut::Nowhere => rest.len(),
                Cut::Every(size) => size.min(rest.len()),
                Cut::Once(at) if at > *carried => (at - *carried).min(rest.len()),
                Cut::Once(_) => rest.len(),
            };
            let (read, later) = rest.split_at(size);
            *carried += size;
            rest = later;
            if !to.conn.is_read_closed() {
                to.read(read);
            }
        }
        !octets.is_empty()
    }

    /// Ends what is still open and checks both ledgers of both ends.
    pub(super) fn finish(mut self) {
        self.run();
        for live in self.client.live() {
            if self.client.is_live(live) {
                self.client.reset(live, ErrorCode::CANCEL);
            }
        }
        self.run();
        assert!(self.client.conn.failure().is_none(), "{:?}", self.client.conn.failure());
        assert!(self.server.conn.failure().is_none(), "{:?}", self.server.conn.failure());
        self.client.check_ledgers();
        self.server.check_ledgers();
    }
}

/// One call with a body both ways, trailers, and a second call without any.
fn exchange(cut: Cut) {
    let mut pair = Pair::new(Config::builder(), Config::builder(), cut);
    let first = pair.client.post();
    pair.client.data(first, vec![b'a'; 3_000], true);
    let second = pair.client.get();
    pair.run();
    pair.server.respond(first, ok(), false);
    pair.server.data(first, vec![b'b'; 20_000], false);
    let trailers =
        [("grpc-status", "0")].map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    pair.server.trailers(first, trailers.into_iter().collect());
    pair.server.respond(second, ok(), true);
    pair.run();
    assert_eq!(pair.server.received[&1], vec![b'a'; 3_000]);
    assert_eq!(pair.client.received[&1], vec![b'b'; 20_000]);
    let log = pair.client.take_log();
    for line in ["1 response 200", "1 trailers grpc-status=0", "1 closed", "3 response 200 end", "3 closed"] {
        assert_eq!(log.iter().filter(|said| *said == line).count(), 1, "{line}: {log:?}");
    }
    assert!(pair.server.live().is_empty());
    pair.finish();
}

#[test]
fn an_exchange_survives_every_cut() {
    exchange(Cut::Nowhere);
    for size in [1, 2, 3, 7, 8, 9, 10, 100, 1_024, 16_384] {
        exchange(Cut::Every(size));
    }
    for at in (1..400).chain((400..21_000).step_by(509)) {
        exchange(Cut::Once(at));
    }
}

#[test]
fn ten_thousand_calls_cancelled_anywhere_leave_nothing_behind() {
    let generous = Config::builder().max_pending_accept_reset_streams(100_000);
    let mut pair = Pair::new(Config::builder(), generous, Cut::Every(1_000));
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..2_500 {
        let ids: Vec<u32> = (0..4).map(|_| pair.client.open(get(), random.bool())).collect();
        for id in ids {
            if pair.client.is_live(id) && random.bool() {
                pair.carry(true);
            }
            if pair.server.is_live(id) && random.bool() {
                pair.server.respond(id, ok(), false);
                pair.server.data(id, vec![0; random.usize(..5_000)], random.bool());
                pair.carry(false);
            }
            pair.pass(Duration::from_millis(1));
            pair.client.rest();
            pair.server.rest();
            if pair.client.is_live(id) {
                pair.client.abandon(id);
            }
            if pair.server.is_live(id) && random.bool() {
                pair.server.abandon(id);
            }
        }
    }
    pair.run();
    assert!(pair.client.live().is_empty() && pair.server.live().is_empty());
    pair.finish();
}
