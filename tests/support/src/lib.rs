//! What the tests, examples and benches of millpond stand on: services to call, stock servers and clients to compare
//! with, and instruments to measure by.
//!
//! It does not depend on millpond, so a bench that compares two transports starts both from the same ground. The
//! instruments need next to nothing; the feature `echo` adds the generated gRPC services, `stock` (the default) the
//! stock tonic, hyper and h2 endpoints.

#[cfg(feature = "echo")]
pub mod conversation;
#[cfg(feature = "echo")]
pub mod echo;
#[cfg(feature = "echo")]
pub mod greeter;
pub mod grpc;
pub mod heap;
pub mod latency;
pub mod process;
mod processor;
mod resident;
#[cfg(feature = "stock")]
pub mod stock;
pub mod table;
pub mod trend;
pub mod worker;

pub use processor::{cpu_time, cpu_time_of};
pub use resident::{open_files, rss, rss_of};
