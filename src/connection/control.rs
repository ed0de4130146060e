//! Frames that concern the connection or answer the peer, waiting to be written: SETTINGS and its ACK, PING and
//! its ACK, RST_STREAM, WINDOW_UPDATE (RFC 9113 §6.4, §6.5, §6.7, §6.9).
//!
//! Always true here: the order of writing is the order of queueing; what the peer can make us queue without
//! reading is bounded by [`Control::MAX`]; an emptied queue holds no memory.

use std::collections::VecDeque;

use crate::{buffer::Outbound, error::ErrorCode, frame::write, stream_id::StreamId};

use super::settings::Values;

/// One frame to write.
#[derive(Debug)]
pub(super) enum ControlFrame {
    Settings(Box<Values>),
    SettingsAck,
    Ping { ack: bool, payload: [u8; 8] },
    Reset { stream: StreamId, code: ErrorCode },
    WindowUpdate { stream: StreamId, increment: u32 },
}

/// The queue of control frames.
#[derive(Default)]
pub(super) struct Control(VecDeque<ControlFrame>);

impl Control {
    /// How many frames may wait for a peer that sends but does not read (CVE-2019-9512, -9515): 1,024 frames
    /// are at most 24 KiB here. Above it the connection ends; each cause has a smaller budget of its own.
    pub(super) const MAX: usize = 1_024;

    pub(super) fn push(&mut self, frame: ControlFrame) {
        self.0.push_back(frame);
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= Self::MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes everything.
    pub(super) fn write(&mut self, out: &mut Outbound) {
        for frame in std::mem::take(&mut self.0) {
            match frame {
                ControlFrame::Settings(values) => write::settings(out, &values.entries()),
                ControlFrame::SettingsAck => write::settings_ack(out),
                ControlFrame::Ping { ack, payload } => write::ping(out, ack, payload),
                ControlFrame::Reset { stream, code } => write::reset(out, stream, code),
                ControlFrame::WindowUpdate { stream, increment } => {
                    write::window_update(out, stream, increment)
                }
            }
        }
    }

    /// The connection has failed: nothing but GOAWAY is worth sending.
    pub(super) fn clear(&mut self) {
        self.0 = VecDeque::new();
    }
}
