//! Errors as tonic knows them, and connect info where tonic looks for it (feature `tonic`).
//!
//! The code for each error of the transport follows the gRPC specification ("HTTP2 transport mapping").
//! REFUSED_STREAM and requests that a GOAWAY turned away are `Unavailable`, so that callers may try again; a
//! broken connection is `Unavailable` as well.
//!
//! # Which option of tonic is which of ours
//!
//! | tonic `Server` | here |
//! | --- | --- |
//! | `add_service`, `add_routes` | `tonic::service::Routes::new(..).add_service(..)`, given to [`Server::serve`](crate::Server::serve) |
//! | `timeout`, `layer`, `trace_fn` | the same names |
//! | `concurrency_limit_per_connection` | the same name; a call counts until its response has ended, not only until it began |
//! | `load_shed` | the same name; above the concurrency limit, not while the service is not ready |
//! | `initial_stream_window_size`, `initial_connection_window_size`, `max_concurrent_streams`, `max_frame_size` | the same names |
//! | `http2_keepalive_interval`, `http2_keepalive_timeout` | `keep_alive_interval`, `keep_alive_timeout` |
//! | `http2_adaptive_window`, `http2_max_header_list_size` | `adaptive_window`, `max_header_list_size` |
//! | `http2_max_pending_accept_reset_streams`, `http2_max_local_error_reset_streams` | the same without `http2_`; rates, not lifetime counts |
//! | `tls_config` | [`Server::serve_with_incoming`](crate::Server::serve_with_incoming) with a stream of TLS connections |
//! | `add_optional_service` | `Routes` |
//! | `serve`, `serve_with_shutdown`, `serve_with_incoming`, `serve_with_incoming_shutdown` | the same names; the service is their argument |
//! | `max_connection_age`, `max_connection_age_grace` | the same names, with a jitter of a tenth |
//! | `tcp_nodelay`, `tcp_keepalive`, `tcp_keepalive_interval`, `tcp_keepalive_retries` | the same names |
//! | `accept_http1` | none: HTTP/2 only |
//! | `Request::remote_addr`, `TcpConnectInfo`, `UdsConnectInfo` | the same extensions are set |
//!
//! | tonic `Endpoint` / `Channel` | here |
//! | --- | --- |
//! | `connect`, `connect_lazy`, `connect_with_connector`, `connect_with_connector_lazy` | the same names on [`ChannelBuilder`](crate::ChannelBuilder) |
//! | `origin`, `user_agent`, `timeout`, `connect_timeout` | the same names |
//! | `from_static`, `from_shared` | [`Channel::from_shared`](crate::Channel::from_shared) |
//! | `initial_stream_window_size`, `initial_connection_window_size`, `max_frame_size` | the same names |
//! | `balance_list`, `balance_channel` | tower's `Balance` around several channels |
//! | `concurrency_limit`, `rate_limit` | `tower::ServiceBuilder` around the `Channel` |
//! | `buffer_size` | none: a `Channel` has no queue of its own; `poll_ready` waits for a stream |
//! | `http2_keep_alive_interval`, `keep_alive_timeout`, `keep_alive_while_idle` | `keep_alive_interval` and the same names |
//! | `http2_adaptive_window`, `http2_header_table_size`, `http2_max_header_list_size` | the same without `http2_` |
//! | `http2_max_concurrent_reset_streams`, `http2_reset_stream_duration`, `http2_max_local_error_reset_streams` | the same without `http2_` |
//! | `tcp_nodelay`, `tcp_keepalive`, `tcp_keepalive_interval`, `tcp_keepalive_retries`, `local_address` | the same names |
//! | `executor` | tokio's |
//! | TLS | a connector that gives a TLS stream |

use std::error::Error as StdError;

use tonic::{Code, Status};

use crate::error::{Error, ErrorCode, Misdeed, Origin};

/// The gRPC code for an error of the transport.
pub fn code_of(error: &Error) -> Code {
    if error.is_unprocessed() || error.is_io() {
        return Code::Unavailable;
    }
    if error.origin() == Origin::Caller && !error.is_reset() {
        return Code::Internal;
    }
    if error.misdeed().is_some_and(is_silence) {
        return Code::Unavailable;
    }
    match error.code() {
        // The peer went away in good order while the call was not finished.
        ErrorCode::NO_ERROR if error.is_go_away() => Code::Unavailable,
        ErrorCode::CANCEL => Code::Cancelled,
        ErrorCode::REFUSED_STREAM => Code::Unavailable,
        ErrorCode::ENHANCE_YOUR_CALM => Code::ResourceExhausted,
        ErrorCode::INADEQUATE_SECURITY => Code::PermissionDenied,
        ErrorCode::STREAM_CLOSED | ErrorCode::HTTP_1_1_REQUIRED => Code::Unknown,
        _ => Code::Internal,
    }
}

/// Whether the peer did nothing wrong but fall silent, as one does whose machine or network is gone.
fn is_silence(misdeed: Misdeed) -> bool {
    use Misdeed::*;
    matches!(
        misdeed,
        HandshakeTimeout
            | HeadersTimeout
            | KeepaliveTimeout
            | SettingsNotAcknowledged
            | WriteStalled
            | WriteTimeout
    )
}

/// The status that stands in the source chain of an error.
pub(super) fn status_in(error: &(dyn StdError + 'static)) -> Option<Status> {
    let mut source = Some(error);
    while let Some(error) = source {
        if let Some(status) = error.downcast_ref::<Status>() {
            return Some(status.clone());
        }
        source = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CallError, error::Fault, stream_id::StreamId};
    use bytes::Bytes;

    fn reset(code: ErrorCode) -> CallError {
        Error::reset(Origin::Peer, code).into()
    }

    fn status(error: CallError) -> Code {
        Status::from_error(Box::new(error)).code()
    }

    #[test]
    fn each_error_reaches_tonic_as_its_code() {
        let connection = |code| CallError::from(Error::go_away(Origin::Peer, code, Bytes::new()));
        let rows = [
            (reset(ErrorCode::REFUSED_STREAM), Code::Unavailable),
            (reset(ErrorCode::CANCEL), Code::Cancelled),
            (reset(ErrorCode::ENHANCE_YOUR_CALM), Code::ResourceExhausted),
            (reset(ErrorCode::INADEQUATE_SECURITY), Code::PermissionDenied),
            (reset(ErrorCode::STREAM_CLOSED), Code::Unknown),
            (reset(ErrorCode::HTTP_1_1_REQUIRED), Code::Unknown),
            (reset(ErrorCode::NO_ERROR), Code::Internal),
            (reset(ErrorCode::PROTOCOL_ERROR), Code::Internal),
            (reset(ErrorCode::INTERNAL_ERROR), Code::Internal),
            (reset(ErrorCode::FLOW_CONTROL_ERROR), Code::Internal),
            (reset(ErrorCode::SETTINGS_TIMEOUT), Code::Internal),
            (reset(ErrorCode::FRAME_SIZE_ERROR), Code::Internal),
            (reset(ErrorCode::COMPRESSION_ERROR), Code::Internal),
            (reset(ErrorCode::CONNECT_ERROR), Code::Internal),
            (connection(ErrorCode::NO_ERROR), Code::Unavailable),
            (connection(ErrorCode::ENHANCE_YOUR_CALM), Code::ResourceExhausted),
            (connection(ErrorCode::PROTOCOL_ERROR), Code::Internal),
            (
                Error::unprocessed(Origin::Peer, ErrorCode::PROTOCOL_ERROR, Bytes::new()).into(),
                Code::Unavailable,
            ),
            (
                Error::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset)).into(),
                Code::Unavailable,
            ),
            (
                Error::from(Fault::stream(StreamId::new(1), Misdeed::BodyLengthMismatch)).into(),
                Code::Internal,
            ),
            (Error::from(Fault::connection(Misdeed::HandshakeTimeout)).into(), Code::Unavailable),
            (Error::from(Fault::connection(Misdeed::KeepaliveTimeout)).into(), Code::Unavailable),
            (CallError::connect("refused"), Code::Unavailable),
            (CallError::deadline_exceeded(), Code::DeadlineExceeded),
            (CallError::body(Status::not_found("x")), Code::NotFound),
            (CallError::body("x"), Code::Internal),
        ];
        for (error, code) in rows {
            assert_eq!(status(error.clone()), code, "{error}");
        }
    }
}
