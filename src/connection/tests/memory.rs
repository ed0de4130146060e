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

fn never() -> ConfigBuilder {
    Config::builder().rest_after(None)
}

#[test]
fn an_idle_connection_holds_no_block() {
    for config in [Config::builder, never] {
        let pair = after_calls(50, config);
        for end in [&pair.client, &pair.server] {
            assert_eq!(end.pool.stats().blocks_out, 0);
            assert_eq!(end.conn.gathered(), 0);
            // Nobody has to ask one for its tables that will not give them back by resting.
            assert!(end.conn.core.config.rests() || end.conn.core.streams.holds_no_memory());
            assert!(end.conn.core.config.rests() || end.conn.core.events.capacity() == 0);
        }
        pair.finish();
    }
}

#[test]
fn only_one_that_is_to_rest_soon_keeps_the_tables_of_a_burst() {
    let kept = |config, calls, half_a_frame| {
        let mut pair = after_calls(calls, config);
        if half_a_frame {
            pair.server.read(&[0, 0]);
        }
        let server = &mut pair.server.conn;
        server.shed();
        (server.core.streams.holds_no_memory(), server.core.events.capacity())
    };
    assert!(matches!(kept(Config::builder, 50, false), (false, 16..=128)));
    // A peer that leaves something undone holds less, and one with more streams nothing.
    assert!(matches!(kept(Config::builder, 50, true), (true, 0..=16)));
    assert!(matches!(kept(Config::builder, 2, true), (false, _)));
    assert!(matches!(kept(Config::builder, 150, false), (true, 0..=128)));
    assert_eq!(kept(never, 2, false), (true, 0));
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
