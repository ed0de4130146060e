//! gRPC through [`millpond::Channel`] and [`millpond::Server`], with tonic-generated code on both sides, and
//! with foreign peers.

mod ours;
