//! The suite, by topic. `super::h2` is the implementation under test; [`endpoint`] starts one.

mod client_requests;
mod deadlock;
mod endpoint;
mod flow_control;
mod frames;
mod hammer;
mod informational;
mod ping;
mod prioritization;
mod server;
mod stream_states;
mod trailers;
mod types;
