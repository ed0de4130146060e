//! The life of a stream (RFC 9113 §5.1), and what the connection makes of frames that do not fit it.

mod buffered;
mod exchange;
mod goaway;
mod lifetime;
mod misfits;
mod resets;

use super::super::h2::{self, Reason, RecvStream, SendStream};
use super::endpoint::*;
use crate::mock::*;

const URI: &str = "https://example.com/";

/// A request without a body on this stream.
fn got(stream: u32) -> Frame {
    request(stream, "GET", URI).end_stream()
}

/// A request with a body on this stream.
fn posted(stream: u32) -> Frame {
    request(stream, "POST", URI)
}

/// The response and its body.
async fn answered(response: h2::client::ResponseFuture) -> RecvStream {
    let response = within("the response", response).await.unwrap();
    assert_eq!(response.status(), 200);
    response.into_body()
}

/// The peer leaves; the connection ends well and says nothing more.
async fn farewell(mut peer: Peer, ending: Ending) {
    peer.close();
    peer.expect_end().await;
    within("the end of the connection", ending).await.unwrap().unwrap();
}

/// The error that the connection has found itself.
async fn failure(ending: Ending, reason: Reason) -> h2::Error {
    let error = within("the end of the connection", ending).await.unwrap().unwrap_err();
    assert!(error.is_go_away() && error.is_library() && !error.is_remote(), "{error:?}");
    assert_eq!(error.reason(), Some(reason));
    error
}
