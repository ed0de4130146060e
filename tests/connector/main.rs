//! [`millpond::Connector`] under the client of hyper-util and the channel of tonic, over real sockets.

#![allow(unreachable_pub, reason = "a test binary has no surface")]

mod addresses;
mod clients;
mod endpoint;
mod failures;
mod options;
mod world;
mod wrapped;
