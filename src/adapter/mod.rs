//! What joins handles to the world of `http-body`, tower and gRPC. No protocol rule here.

mod body;
mod call_error;
mod grpc;
mod pump;
mod socket;
#[cfg(feature = "tonic")]
pub mod tonic;

pub use body::Body;
pub use call_error::{BoxError, CallError};
pub use socket::{ConnectInfo, Connected, SocketOptions};

pub(crate) use grpc::{deadline_of, is_grpc, shorter, trailers_only};
pub(crate) use pump::Pump;
