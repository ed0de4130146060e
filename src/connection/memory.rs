//! What the connection holds, and what it does when that is too much: the second ledger (RFC 9113 §10.5).
//!
//! Charged are streams with the heads that opened them, DATA in send queues and on its way to the socket, and frames
//! that came in part; what lies unread with handles is charged there, to the same account. Always true here: nothing is
//! counted without a limit; a stream's charge goes with the stream; what the application sends is its own memory, so
//! it is charged as far as it fits and never refused.

use std::sync::Arc;

use crate::{
    config::Config,
    error::{ErrorCode, Fault, Misdeed},
    memory::{Account, Charge, PART_OF_A_FRAME, Presence, Pressure},
    stream::Fields,
    stream_id::StreamId,
};

use super::{Connection, StreamKey, control::ControlFrame, core::Core, streams::Stream};

/// What a stream counts for in the tables of its connection.
const STREAM: usize = 320;

/// The charges of a connection that are no stream's.
pub(super) struct Ledger {
    account: Arc<Account>,
    gathered: Charge,
    writing: Charge,
    _presence: Presence,
}

impl Ledger {
    /// `None` without a limit.
    pub(super) fn new(config: &Config) -> Option<Box<Self>> {
        let account = Account::new(config)?;
        let charge = || Charge::new(Some(account.clone()));
        let (gathered, writing, presence) = (charge(), charge(), account.enter(config));
        Some(Box::new(Ledger { account, gathered, writing, _presence: presence }))
    }
}

impl Connection {
    /// The books of this connection, if it has a limit: a driver charges there what it keeps unread of
    /// [`Event`](super::Event)s. What does not fit costs the stream: [`fail_stream`](Self::fail_stream).
    pub fn account(&self) -> Option<&Arc<Account>> {
        self.core.memory.as_ref().map(|ledger| &ledger.account)
    }

    /// Whether the peer gets less window because of the memory budget. When the pressure is gone, see
    /// [`heed_pressure`](Self::heed_pressure).
    pub fn is_squeezed(&self) -> bool {
        self.core.recv_credit.is_squeezed()
    }

    /// Gives back the window that was held back, if there is no reason for it any more. Cheap; to be called when the
    /// driver wakes.
    pub fn heed_pressure(&mut self) {
        if self.is_squeezed() {
            self.core.update_connection_window();
        }
    }
}

impl Core {
    pub(super) fn pressure(&self) -> Pressure {
        self.memory.as_ref().map_or(Pressure::None, |ledger| ledger.account.pressure())
    }

    /// Charges a new stream and the head that opened it, or waits to answer it. `false`: it is not to be.
    pub(super) fn charge_stream<'a>(&self, stream: &mut Stream, head: impl FnOnce() -> Fields<'a>) -> bool {
        let Some(ledger) = &self.memory else { return true };
        stream.memory = Charge::new(Some(ledger.account.clone()));
        let fits =
            ledger.account.pressure() < Pressure::Streams && stream.memory.grow(STREAM + head().memory());
        if !fits {
            ledger.account.count_refused_stream();
        }
        fits
    }

    /// Refuses a request for which there is no memory (§8.7: it may be sent again). The peer did nothing wrong, so
    /// this is not held against it, whatever the manners.
    pub(super) fn refuse_stream(&mut self, id: StreamId) {
        tracing::debug!(stream = id.value(), misdeed = %Misdeed::MemoryPressure, "stream refused");
        self.closed.reset(id, true, self.now);
        self.control.push(ControlFrame::Reset { stream: id, code: ErrorCode::REFUSED_STREAM });
    }

    /// DATA was queued.
    pub(super) fn charge_queue(&mut self, key: StreamKey) {
        let Some(ledger) = &self.memory else { return };
        if let Some(stream) = self.streams.get_mut(key) {
            stream.queue.charge(&ledger.account);
        }
    }

    /// DATA went from the queue of a stream to what is to be written.
    pub(super) fn note_unqueued(&mut self, key: StreamKey) {
        let Some(ledger) = &mut self.memory else { return };
        if let Some(stream) = self.streams.get_mut(key) {
            ledger.writing.merge(stream.queue.take_surplus());
        }
    }

    /// So much is still to be written.
    pub(super) fn note_unwritten(&mut self, octets: usize) {
        if let Some(ledger) = &mut self.memory {
            drop(ledger.writing.split_off(octets));
        }
    }

    /// So much is to be written and does not leave.
    pub(super) fn charge_unwritten(&mut self, octets: usize) {
        if let Some(ledger) = &mut self.memory {
            ledger.writing.grow_towards(octets);
        }
    }

    /// So much is held of a frame that has come in part. A field block cannot be dropped, since both ends share the
    /// table (RFC 7541 §2.2): if it does not fit, the connection is lost. A small part is in the connection's flat sum.
    pub(super) fn note_gathered(&mut self, octets: usize) {
        let Some(ledger) = &mut self.memory else { return };
        let octets = octets.saturating_sub(PART_OF_A_FRAME);
        if !ledger.gathered.grow_to(octets) {
            return self.fail(Fault::connection(Misdeed::MemoryExhausted));
        }
        drop(ledger.gathered.split_off(octets));
    }
}
