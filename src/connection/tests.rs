//! Conversations with a connection: against hand-written frames ([`raw`]) and between two ends ([`pair`]), on a
//! clock that only the test moves.
//!
//! Always true here: both ledgers are checked when a harness is dropped: no credit set aside, nothing unread,
//! no stream in the table, nothing charged, every block at home.

mod abandon;
mod budgets;
mod dormant;
mod end;
mod events;
mod failure;
mod flow_receive;
mod flow_send;
mod goaway;
mod malformed;
mod memory;
mod messages;
mod pair;
mod ping;
mod preface;
mod pressure;
mod properties;
mod raw;
mod scheduling;
mod settings;
mod stalls;
mod states;
