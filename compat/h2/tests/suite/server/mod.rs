//! Servers.

mod connect;
mod dropping;
mod handshake;
mod limits;
mod malformed;
mod requests;
mod resets;
mod shutdown;

use super::super::h2::{self, Reason};
use super::endpoint::*;
use crate::mock::*;

/// The peer leaves; the connection ends well and says nothing more.
async fn farewell(mut peer: Peer, ending: Ending) {
    peer.close();
    peer.expect_end().await;
    within("the end of the connection", ending).await.unwrap().unwrap();
}

/// The connection ends with the error that it has found itself.
async fn failure(ending: Ending, reason: Reason) -> h2::Error {
    let error = within("the end of the connection", ending).await.unwrap().unwrap_err();
    assert!(error.is_go_away() && error.is_library() && !error.is_remote(), "{error:?}");
    assert_eq!(error.reason(), Some(reason));
    error
}
