//! What joins handles and sockets to the world of `http-body`, tower, hyper and gRPC. No protocol rule here.

mod body;
mod call_error;
mod dial;
mod grpc;
#[cfg(feature = "hyper")]
pub mod hyper;
mod pump;
mod socket;
mod target;
#[cfg(feature = "tonic")]
pub mod tonic;

pub use body::Body;
pub use call_error::{BoxError, CallError};
pub use dial::ConnectError;
pub(crate) use socket::PeerInfo;
pub use socket::{ConnectInfo, Connected, SocketOptions};

#[cfg(unix)]
pub(crate) use dial::connect_unix;
pub(crate) use dial::{Deadline, TcpOptions, connect_tcp};
pub(crate) use grpc::{deadline_of, is_grpc, shorter, trailers_only};
pub(crate) use pump::Pump;
pub(crate) use target::Target;
