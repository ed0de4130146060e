//! One stream without its neighbours: states, windows, send queue and the rules for its messages
//! (RFC 9113 §5.1, §5.2, §8; RFC 9218 §4).
//!
//! Always true here: nothing knows of other streams, of the connection's windows or of the wire.

mod content;
mod fields;
mod message;
mod priority;
mod protocol;
mod send_queue;
mod state;
mod window;

pub(crate) use content::Content;
pub(crate) use fields::{Fields, of_head, of_request, of_trailers};
pub use fields::{check, check_headers};
pub use message::Head;
pub(crate) use message::{Section, is_connection_specific};
pub(crate) use priority::Priority;
pub use protocol::Protocol;
pub(crate) use send_queue::FieldSection;
pub use send_queue::SendQueue;
pub(crate) use state::{Input, Refusal, State};
pub(crate) use window::{DEFAULT_WINDOW, MAX_WINDOW, RecvWindow, SendWindow};
