//! What a connection holds (the second ledger): nothing while it is idle, and what has come while it is not.

use super::{
    end::ok,
    pair::{Cut, Pair},
    raw::{GET, Raw, block, frame, headers},
};
use crate::{
    config::{Config, ConfigBuilder},
    error::ErrorCode,
    frame::FrameType,
};

/// Two connections after `calls` at once.
fn after_calls(calls: usize, config: fn() -> ConfigBuilder) -> Pair {
    let mut pair = Pair::new(config(), config(), Cut::Nowhere);
    for _ in 0..calls {
        let post = pair.client.post();
        pair.client.data(post, vec![1; 30_000], true);
    }
    pair.run();
    for id in pair.server.live() {
        pair.server.respond(id, ok(), false);
        pair.server.data(id, vec![2; 30_000], true);
    }
    pair.run();
    pair
}

#[test]
fn an_idle_connection_holds_no_block() {
    let never: fn() -> ConfigBuilder = || Config::builder().rest_after(None);
    for (config, few) in [(Config::builder as fn() -> ConfigBuilder, 16), (never, 0)] {
        let pair = after_calls(50, config);
        for end in [&pair.client, &pair.server] {
            assert_eq!(end.pool.stats().blocks_out, 0);
            assert_eq!(end.conn.gathered(), 0);
            assert!(end.conn.core.streams.holds_no_memory());
            assert!(end.conn.core.events.capacity() <= few);
        }
        pair.finish();
    }
}

#[test]
fn only_one_that_will_rest_keeps_the_tables_of_a_few_streams() {
    let keeps = |config| {
        let pair = after_calls(2, config);
        let keeps = !pair.server.conn.core.streams.holds_no_memory();
        pair.finish();
        keeps
    };
    assert!(keeps(Config::builder));
    assert!(!keeps(|| Config::builder().rest_after(None)));
}

#[test]
fn a_stalled_data_frame_holds_nothing() {
    let mut raw = Raw::server();
    raw.post(1);
    raw.bytes(&[0, 0x40, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!((raw.end.pool.stats().blocks_out, raw.end.conn.gathered()), (0, 0));
}

#[test]
fn a_large_unknown_frame_holds_nothing() {
    let mut raw = Raw::server();
    raw.read_size = 1_000;
    raw.frame(FrameType::from(0xbe), 0, 0, &[0; 16_384]);
    assert_eq!((raw.end.pool.stats().blocks_out, raw.end.conn.gathered()), (0, 0));
    raw.is_well();
}

#[test]
fn headers_and_a_reset_hold_nothing() {
    let mut raw = Raw::server();
    raw.read_size = 1_000;
    let large = "x".repeat(12_000);
    raw.headers(1, false, &[&GET[..], &[("x", large.as_str())]].concat());
    raw.reset(1, ErrorCode::CANCEL);
    assert_eq!((raw.end.pool.stats().blocks_out, raw.end.conn.gathered()), (0, 0));
    assert!(raw.end.conn.core.streams.find(super::end::id(1)).is_none());
}

#[test]
fn half_a_field_block_holds_what_has_come() {
    let mut raw = Raw::server();
    // Sixteen thousand octets are announced, fifty come.
    let mut cut = frame(FrameType::HEADERS, 0x4, 1, &block(&GET));
    cut[1] = 0x3e;
    raw.bytes(&cut);
    assert!(raw.end.conn.gathered() <= 256, "{}", raw.end.conn.gathered());
    raw.end.conn.handle_io_error(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
}

#[test]
fn queued_octets_are_dropped_at_once_on_reset_and_on_failure() {
    let owner = |pair: &mut Raw| {
        let block = {
            let mut block = pair.end.pool.take(50_000);
            block.commit(50_000);
            block.into_bytes()
        };
        let post = pair.end.post();
        pair.end.data(post, block, false);
        post
    };
    let mut raw = Raw::client();
    let post = owner(&mut raw);
    raw.end.reset(post, ErrorCode::CANCEL);
    assert_eq!(raw.end.pool.stats().blocks_out, 0);
    owner(&mut raw);
    raw.end.conn.abort(ErrorCode::INTERNAL_ERROR);
    assert_eq!(raw.end.pool.stats().blocks_out, 0);
}

#[test]
fn the_peers_own_reset_drops_what_was_queued_for_it() {
    let mut raw = Raw::server();
    raw.bytes(&headers(1, true, &GET));
    raw.end.respond(1, ok(), false);
    let mut block = raw.end.pool.take(200_000);
    block.commit(200_000);
    raw.end.data(1, block.into_bytes(), true);
    raw.take_answers();
    assert_eq!(raw.end.pool.stats().blocks_out, 1);
    raw.reset(1, ErrorCode::CANCEL);
    assert_eq!(raw.end.pool.stats().blocks_out, 0);
}
