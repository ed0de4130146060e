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

pub use content::Content;
pub use fields::{check, check_headers, of_head, of_trailers, section_octets};
pub use message::{Head, Section, is_connection_specific};
pub use priority::Priority;
pub use protocol::Protocol;
pub use send_queue::{SendItem, SendQueue};
pub use state::{Input, Refusal, State};
pub(crate) use window::MAX_WINDOW;
pub use window::{DEFAULT_WINDOW, RecvWindow, SendWindow};
