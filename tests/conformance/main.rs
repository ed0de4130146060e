//! What RFC 9113, 7541, 8441 and 9218 ask of an endpoint, rule by rule, as seen from outside.
//!
//! Each test is a short conversation of raw frames with a real server or client over a socket, named after the section
//! of RFC 9113 (`s6_7_…`; the other RFCs have files of their own) whose rule it holds against us. `docs/conformance.md`
//! lists every test beside its rule; `table.rs` sees that the list is complete.

mod extended_connect;
mod hpack;
mod hpack_encoder;
mod priorities;
#[path = "../common/raw.rs"]
mod raw;
mod s3_starting;
mod s4_framing;
mod s5_states_client;
mod s5_states_server;
mod s5_streams;
mod s6_data_headers;
mod s6_ping_goaway;
mod s6_priority_reset_push;
mod s6_settings;
mod s6_window_update;
mod s7_codes;
mod s8_control;
mod s8_fields;
mod s8_messages;
mod s9_s10;
mod table;
mod wire;
mod world;
