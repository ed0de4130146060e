//! A peer that speaks frames (RFC 9113 §4, §6), at the other end of a pipe in memory.
//!
//! A test is a conversation, one line for each turn:
//!
//! ```ignore
//! let (io, mut peer) = pipe();                                    // `io` goes to `handshake`
//! let (mut client, connection) = h2::client::handshake(io).await.unwrap();
//! let connection = tokio::spawn(connection);
//! peer.be_server(&[(MAX_CONCURRENT_STREAMS, 1)]).await;           // or `be_client`; gives its SETTINGS
//! let (response, _) = client.send_request(get("https://a/"), true).unwrap();
//! peer.expect(request(1, "GET", "https://a/").end_stream()).await;
//! peer.send(response(1, 200).field("server", "mock"));            // never waits
//! peer.send(data(1, "hello").end_stream());
//! peer.idle().await;                                              // nothing more is said, for now
//! peer.close();                                                   // or just drop it: end of the wire
//! peer.expect_end().await;                                        // the endpoint has closed its side
//! ```
//!
//! - Frames to send and to expect: [`data`], [`headers`] with [`Frame::field`], [`request`], [`response`],
//!   [`reset`], [`settings`], [`settings_ack`], [`ping`], [`pong`], [`goaway`], [`window_update`],
//!   [`push_promise`]; [`raw`] for all that no proper peer sends. Codes are anything that is `Into<u32>`,
//!   such as a `Reason`. Fields compare as a set of names, the values of one name in order. CONTINUATION frames
//!   are joined; [`Peer::fragments`] tells the sizes.
//! - [`Peer::next`] gives the next frame to look at; `None` is the end of the wire.
//! - The wire: [`Peer::hold_writes`], [`Peer::allow_writes`], [`Peer::release_writes`],
//!   [`Peer::break_writes`], [`Peer::break_reads`], [`Peer::writes`], [`Peer::unread`].
//! - Nothing hangs: what does not come within ten seconds is a panic. [`within`] gives the same to any future.
//! - After the peer is dropped, the endpoint reads the end of the wire and its writes go nowhere.
#![allow(dead_code, reason = "a kit: not every helper has a user at all times")]

mod codec;
mod frame;
mod peer;
mod pipe;

pub use frame::*;
pub use peer::{Peer, pipe, turns, within};
pub use pipe::Pipe;
