//! Frames that concern the connection or answer the peer, waiting to be written: SETTINGS and its ACK, PING and
//! its ACK, RST_STREAM, GOAWAY, WINDOW_UPDATE (RFC 9113 §6.4, §6.5, §6.7, §6.8, §6.9).
//!
//! Always true here: the order of writing is the order of queueing; what the peer can make us queue without
//! reading is bounded by [`Control::is_full`]; after a failure nothing is taken any more; an emptied queue holds no
//! memory.

use std::collections::VecDeque;

use crate::{error::ErrorCode, stream_id::StreamId};

use super::{settings::Values, shutdown::GoAway};

/// One frame to write.
#[derive(Debug)]
pub(super) enum ControlFrame {
    Settings(Box<Values>),
    SettingsAck,
    Ping { ack: bool, payload: [u8; 8] },
    Reset { stream: StreamId, code: ErrorCode },
    GoAway(Box<GoAway>),
    WindowUpdate { stream: StreamId, increment: u32 },
}

/// The queue of control frames.
#[derive(Default)]
pub(super) struct Control {
    frames: VecDeque<ControlFrame>,
    /// How many of them are WINDOW_UPDATEs: our own doing, and no more than one for a stream.
    updates: usize,
    /// Streams whose window is to be updated (see `note_update`): at most each live one once.
    due: VecDeque<StreamId>,
    failed: bool,
}

impl Control {
    pub(super) fn push(&mut self, frame: ControlFrame) {
        if self.failed || self.merge(&frame) {
            return;
        }
        self.updates += usize::from(matches!(frame, ControlFrame::WindowUpdate { .. }));
        self.frames.push_back(frame);
    }

    /// Adds a WINDOW_UPDATE to one that waits for the same stream: a peer that sends and does not read must not
    /// make them pile up.
    fn merge(&mut self, frame: &ControlFrame) -> bool {
        let ControlFrame::WindowUpdate { stream, increment } = *frame else { return false };
        if self.updates == 0 {
            return false;
        }
        for waiting in &mut self.frames {
            if let ControlFrame::WindowUpdate { stream: other, increment: sum } = waiting
                && *other == stream
            {
                // Together they are at most what the window lacks, which is below 2^31.
                *sum = sum.saturating_add(increment);
                return true;
            }
        }
        false
    }

    /// The window of a stream is to be updated when it comes to writing, by as much as is due then.
    pub(super) fn note_update(&mut self, stream: StreamId) {
        if !self.failed && !self.due.contains(&stream) {
            self.due.push_back(stream);
        }
    }

    /// The streams noted so.
    pub(super) fn take_due(&mut self) -> VecDeque<StreamId> {
        std::mem::take(&mut self.due)
    }

    /// Whether a RST_STREAM waits to be written.
    pub(super) fn has_resets(&self) -> bool {
        self.frames.iter().any(|frame| matches!(frame, ControlFrame::Reset { .. }))
    }

    /// Whether `most` frames wait for a peer that sends and does not read (CVE-2019-9512, -9515). Then the connection
    /// ends; each cause has a smaller budget of its own.
    pub(super) fn is_full(&self, most: usize) -> bool {
        self.frames.len() - self.updates >= most
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.due.is_empty()
    }

    /// Everything, to be written.
    pub(super) fn take(&mut self) -> VecDeque<ControlFrame> {
        self.updates = 0;
        std::mem::take(&mut self.frames)
    }

    /// Everything but the resets of streams, which wait for another turn; the refusals of streams go on.
    pub(super) fn take_but_resets(&mut self) -> VecDeque<ControlFrame> {
        let waits = |frame: &ControlFrame| matches!(frame, ControlFrame::Reset { code, .. } if *code != ErrorCode::REFUSED_STREAM);
        let (later, now) = self.take().into_iter().partition(waits);
        self.frames = later;
        now
    }

    /// The connection has failed: this is the last to be sent. SETTINGS stay, for if they are still here they
    /// may be the first frame, which they have to be (§3.4); so do `answers`, if they are wanted.
    pub(super) fn fail(&mut self, last: Option<GoAway>, answers: bool) {
        let stays = |frame: &ControlFrame| match frame {
            ControlFrame::Settings(_) => true,
            ControlFrame::SettingsAck | ControlFrame::Ping { ack: true, .. } => answers,
            _ => false,
        };
        self.frames.retain(stays);
        self.updates = 0;
        self.due = VecDeque::new();
        self.frames.extend(last.map(|goaway| ControlFrame::GoAway(Box::new(goaway))));
        self.failed = true;
    }

    /// The socket is gone: there is nobody to tell.
    pub(super) fn fail_silently(&mut self) {
        *self = Control { failed: true, ..Control::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_of_a_stream_become_one_and_do_not_pile_up() {
        let mut control = Control::default();
        let update =
            |stream, increment| ControlFrame::WindowUpdate { stream: StreamId::new(stream), increment };
        for _ in 0..10_000 {
            control.push(update(1, 10));
            control.push(update(3, 1));
        }
        assert!(!control.is_full(1));
        let frames: Vec<String> = control.take().iter().map(|frame| format!("{frame:?}")).collect();
        assert_eq!(frames.len(), 2);
        assert!(frames[0].contains("100000") && frames[1].contains("10000"), "{frames:?}");
        control.push(update(1, 7));
        assert_eq!(control.take().len(), 1);
    }
}
