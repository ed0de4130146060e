//! What a connection does as its memory, or that of its process, comes to an end.

use super::{
    end::ok,
    pair::{Cut, Pair},
    raw::{GET, Raw, block, frame, headers},
};
use crate::{
    config::{Config, ConfigBuilder},
    connection::Side,
    error::{ErrorCode, Misdeed, Origin},
    frame::FrameType,
    memory::{Account, Charge, MemoryBudget, Pressure},
};

const LIMIT: usize = 1 << 20;

/// A budget, and somebody else who holds a part of it.
struct World {
    budget: MemoryBudget,
    other: Charge,
}

impl World {
    fn new() -> World {
        let budget = MemoryBudget::new(LIMIT);
        let config = Config::builder().memory_budget(Some(budget.clone())).build().unwrap();
        World { other: Charge::new(Account::new(&config)), budget }
    }

    fn config(&self) -> ConfigBuilder {
        Config::builder().memory_budget(Some(self.budget.clone()))
    }

    /// So many hundredths are held by all together.
    fn fill(&mut self, hundredths: usize) {
        let wanted = LIMIT / 100 * hundredths;
        let held = self.budget.stats().held;
        match wanted > held {
            true => assert!(self.other.grow((wanted - held).next_multiple_of(8 << 10))),
            false => {
                drop(self.other.split_off(self.other.octets() - (held - wanted).min(self.other.octets())))
            }
        }
    }
}

#[test]
fn from_three_quarters_on_a_server_refuses_streams_and_holds_it_against_nobody() {
    let mut world = World::new();
    let mut raw = Raw::new(Side::Server, world.config());
    raw.post(1);
    world.fill(76);
    assert_eq!(world.budget.pressure(), Pressure::Streams);
    // More of them than a peer may provoke stream errors.
    for id in 0..1_500 {
        raw.get(2 * id + 3);
        raw.answers([format!("RST_STREAM {} REFUSED_STREAM", 2 * id + 3).as_str()]);
    }
    assert_eq!(world.budget.stats().refused_streams, 1_500);
    // What is open goes on, and DATA that crossed a refusal is nobody's.
    raw.data(3_001, 100, true);
    raw.data(1, 100, true);
    raw.end.respond(1, ok(), true);
    raw.answers(["HEADERS 1 :status=200 end"]);
    world.fill(50);
    raw.get(3_003);
    raw.hears(["1 request POST http://a/", "1 data 100 end", "1 closed", "3003 request GET http://a/ end"]);
    raw.end.respond(3_003, ok(), true);
    raw.answers(["HEADERS 3003 :status=200 end"]);
}

/// A client that reads no answers must not hold more with those that the connection makes itself (431).
#[test]
fn a_request_that_is_too_large_is_charged_as_any_other() {
    let mut world = World::new();
    let mut raw = Raw::new(Side::Server, world.config().max_header_list_size(200));
    let held = |raw: &Raw| raw.end.conn.account().unwrap().held();
    let value = "x".repeat(200);
    let large = [&GET[..], &[("large", &value)]].concat();
    raw.end.read(&headers(1, true, &large));
    assert!(held(&raw) > 300);
    raw.flush();
    let answers = raw.take_answers();
    assert!(answers[0].contains("431"), "{answers:?}");
    assert_eq!(held(&raw), 0);
    world.fill(76);
    raw.headers(3, true, &large);
    raw.answers(["RST_STREAM 3 REFUSED_STREAM"]);
    assert_eq!(world.budget.stats().refused_streams, 1);
}

#[test]
fn a_clients_own_request_fails_and_may_be_sent_again() {
    let mut world = World::new();
    let mut raw = Raw::new(Side::Client, world.config());
    world.fill(76);
    let error = raw.end.try_open(super::end::get(), true).unwrap_err();
    assert_eq!((error.misdeed(), error.origin()), (Some(Misdeed::MemoryPressure), Origin::Us));
    assert!(error.is_unprocessed() && error.code() == ErrorCode::REFUSED_STREAM);
    raw.answers([]);
    world.fill(10);
    assert!(raw.end.try_open(super::end::get(), true).is_ok());
    raw.take_answers();
    raw.end.reset(1, ErrorCode::CANCEL);
}

#[test]
fn from_85_hundredths_on_the_window_returns_only_as_the_application_reads() {
    let mut world = World::new();
    let mut raw = Raw::new(Side::Server, world.config());
    raw.end.releases = false;
    raw.post(1);
    world.fill(86);
    for _ in 0..6 {
        raw.data(1, 16_000, false);
    }
    raw.answers([]);
    assert!(raw.end.conn.is_squeezed() && raw.end.conn.is_congested());
    // The window that is left is larger than the one that is kept now.
    raw.end.release(1);
    raw.answers([]);
    world.fill(10);
    raw.end.conn.heed_pressure();
    assert!(!raw.end.conn.is_squeezed());
    raw.end.releases = true;
    for _ in 0..60 {
        raw.data(1, 16_000, false);
    }
    let answers = raw.take_answers();
    assert!(answers.iter().any(|line| line.starts_with("WINDOW_UPDATE 0 ")), "{answers:?}");
    raw.end.reset(1, ErrorCode::CANCEL);
}

/// The peer has used up its window; the reader sleeps; others make room; the window comes back though nobody read.
#[test]
fn when_the_pressure_is_gone_what_was_held_back_is_given() {
    let mut world = World::new();
    let config = world.config().initial_connection_window_size(65_535);
    let mut raw = Raw::new(Side::Server, config);
    raw.end.releases = false;
    raw.post(1);
    world.fill(86);
    for _ in 0..4 {
        raw.data(1, 16_000, false);
    }
    raw.answers([]);
    assert_eq!(raw.end.conn.stats().recv_window, 65_535 - 64_000);
    raw.end.conn.heed_pressure();
    raw.answers([]);
    world.fill(10);
    raw.end.conn.heed_pressure();
    raw.answers(["WINDOW_UPDATE 0 64000"]);
    raw.end.reset(1, ErrorCode::CANCEL);
}

#[test]
fn data_that_does_not_fit_costs_its_stream_and_nothing_else() {
    let mut world = World::new();
    let mut raw = Raw::new(Side::Server, world.config());
    raw.end.releases = false;
    raw.post(1);
    raw.post(3);
    raw.data(3, 1_000, false);
    world.fill(98);
    raw.data(1, 10_000, false);
    raw.data(1, 16_000, false);
    raw.answers(["RST_STREAM 1 ENHANCE_YOUR_CALM"]);
    let error = &raw.end.errors[&1];
    assert_eq!((error.misdeed(), error.origin()), (Some(Misdeed::MemoryExhausted), Origin::Us));
    assert_eq!(raw.end.conn.stats().unread, 1_000, "the credit of what was dropped is back");
    // What was in flight is charged to the connection and comes back.
    raw.data(1, 16_000, true);
    raw.data(3, 100, true);
    assert_eq!(raw.end.received[&3].len(), 1_100);
    assert!(raw.end.is_live(3) && world.budget.stats().held <= LIMIT);
    raw.end.reset(3, ErrorCode::CANCEL);
    raw.take_answers();
    raw.is_well();
}

#[test]
fn a_field_block_in_pieces_that_does_not_fit_costs_the_connection() {
    let mut world = World::new();
    let mut raw = Raw::new(Side::Server, world.config());
    let before = world.budget.stats().held;
    let mut cut = frame(FrameType::HEADERS, 0x4, 1, &block(&GET));
    cut[1] = 0x3e;
    cut.resize(9 + 12_000, 0);
    raw.bytes(&cut[..1_000]);
    assert_eq!(world.budget.stats().held, before, "a small part is in the flat sum");
    raw.bytes(&cut[1_000..5_000]);
    assert!(world.budget.stats().held > before);
    while world.other.grow(64) {}
    raw.bytes(&cut[5_000..]);
    raw.is_over(0, ErrorCode::ENHANCE_YOUR_CALM);
    assert_eq!(raw.end.conn.failure().unwrap().misdeed(), Some(Misdeed::MemoryExhausted));
}

/// Octets count from the queue to the socket; those of the application that do not fit are sent all the same.
#[test]
fn what_waits_to_be_sent_is_charged_until_it_is_written() {
    let mut world = World::new();
    let mut raw = Raw::new(Side::Server, world.config());
    let held = |raw: &Raw| raw.end.conn.account().unwrap().held();
    raw.get(1);
    let base = held(&raw);
    assert!(base > 500, "the stream and its head");
    raw.end.respond(1, ok(), false);
    raw.end.data(1, vec![1; 100_000], false);
    assert_eq!(held(&raw), base + 100_000);
    let mut out = crate::buffer::Outbound::new(raw.end.pool.clone());
    raw.end.conn.poll_transmit(raw.end.now, &mut out);
    assert_eq!(held(&raw), base + 100_000, "65,535 of them are on their way");
    raw.end.conn.handle_written(40_000);
    assert_eq!(held(&raw), base + 40_000 + 34_465);
    raw.end.conn.handle_written(0);
    assert_eq!(held(&raw), base + 34_465);
    raw.end.conn.handle_blocked(raw.end.now, 7_000);
    assert_eq!(held(&raw), base + 34_465 + 7_000, "control frames that do not leave");
    raw.end.conn.handle_written(0);
    world.fill(99);
    raw.end.data(1, vec![2; 100_000], true);
    let fits = held(&raw) - base - 34_465;
    assert!((1_024..LIMIT / 50).contains(&fits), "{fits}: the rest is the application's own");
    out.clear();
    raw.window_update(1, 1 << 20);
    raw.window_update(0, 1 << 20);
    raw.flush();
    assert_eq!(held(&raw), 0);
}

#[test]
fn a_connections_own_limit_takes_the_same_measures() {
    let mut raw = Raw::new(Side::Server, Config::builder().max_connection_memory(Some(65_536)));
    raw.end.releases = false;
    raw.post(1);
    for _ in 0..2 {
        raw.data(1, 16_000, false);
    }
    raw.post(3);
    raw.data(1, 16_000, false);
    raw.data(1, 3_000, false);
    raw.answers([]);
    raw.post(5);
    raw.answers(["RST_STREAM 5 REFUSED_STREAM"]);
    raw.data(3, 16_000, false);
    raw.answers(["RST_STREAM 3 ENHANCE_YOUR_CALM"]);
    raw.end.release(1);
    raw.post(7);
    raw.answers([]);
    for id in [1, 7] {
        raw.end.reset(id, ErrorCode::CANCEL);
    }
}

#[test]
fn two_ends_under_one_budget_come_to_rest() {
    let world = World::new();
    let mut pair = Pair::new(world.config(), world.config(), Cut::Every(1_000));
    pair.server.releases = false;
    for _ in 0..20 {
        if let Ok(id) = pair.client.try_open(super::end::get(), false) {
            pair.client.data(id, vec![1; 200_000], true);
            pair.run();
        }
    }
    assert!(world.budget.stats().high_water > LIMIT / 100 * 70);
    pair.server.releases = true;
    pair.server.release_all();
    pair.run();
    pair.finish();
    drop(world.other);
    assert_eq!(world.budget.stats().held, 0);
}
