//! One type for every body that a conversation sends.

use bytes::Bytes;
use futures_util::stream;
use http::HeaderMap;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody, channel::Channel};
use hyper::body::Frame;

use super::BoxError;

/// A body of any kind.
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;

/// The hand that feeds a [`fed`] body.
pub(crate) type Feed = http_body_util::channel::Sender<Bytes, BoxError>;

/// No octets; the head ends the message.
pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// These octets, in one piece of known length.
pub(crate) fn full(octets: impl Into<Bytes>) -> Body {
    Full::new(octets.into()).map_err(|never| match never {}).boxed_unsync()
}

/// These pieces, and trailers in the end.
pub(crate) fn pieces(pieces: impl IntoIterator<Item = Bytes>, trailers: HeaderMap) -> Body {
    let frames: Vec<_> =
        pieces.into_iter().map(Frame::data).chain([Frame::trailers(trailers)]).map(Ok).collect();
    StreamBody::new(stream::iter(frames)).boxed_unsync()
}

/// What its feeder sends, a piece at a time.
pub(crate) fn fed() -> (Feed, Body) {
    let (feed, body) = Channel::new(1);
    (feed, body.boxed_unsync())
}

/// A piece, again and again, for ever; each is counted as it is taken.
pub(crate) fn endless(piece: Bytes, mut taken: impl FnMut() + Send + 'static) -> Body {
    let frames = std::iter::repeat_with(move || {
        taken();
        Ok(Frame::data(piece.clone()))
    });
    StreamBody::new(stream::iter(frames)).boxed_unsync()
}
