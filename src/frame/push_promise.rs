//! PUSH_PROMISE (RFC 9113 §6.6): always a connection error, whatever it carries.
//!
//! Always true here: no side of ours can be sent one. A client of ours sends SETTINGS_ENABLE_PUSH = 0, after
//! which it is forbidden (§6.5.2), and a client may never send one to a server (§8.4).

use super::FrameHeader;
use crate::error::{Fault, Misdeed};

pub(super) fn check(_header: &FrameHeader) -> Result<(), Fault> {
    Err(Fault::connection(Misdeed::PushDisabled))
}
