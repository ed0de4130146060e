//! Frames on the wire, good and bad (RFC 9113 §4, §6).

mod field_blocks;
mod invalid;
mod push;
mod reading;
mod writing;

use super::endpoint::*;
use crate::mock::*;

const URI: &str = "https://example.com/";

/// A client whose request awaits the response, on stream 1.
async fn asked() -> (SendRequest, super::super::h2::client::ResponseFuture, Ending, Peer) {
    let (mut client, connection, mut peer) = client().await;
    let (answer, _) = client.send_request(get(URI), true).unwrap();
    peer.expect(request(1, "GET", URI).end_stream()).await;
    (client, answer, connection, peer)
}
