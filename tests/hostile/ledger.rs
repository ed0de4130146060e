//! The books of a peer that changes its SETTINGS while data flows: what the victim may send, by its own acknowledgements
//! (RFC 9113 §6.5.3, §6.9.2; RFC 7541 §4.2).

use std::collections::{HashMap, VecDeque};

use millpond::hpack::{Decoder, FieldLimits};

const HEADER_TABLE_SIZE: u16 = 1;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;

/// What was granted, what holds by now, and what came.
pub struct Ledger {
    /// SETTINGS that were sent and not acknowledged.
    pending: VecDeque<Vec<(u16, u32)>>,
    initial_window: i64,
    max_frame: usize,
    granted: HashMap<u32, i64>,
    received: HashMap<u32, i64>,
    decoder: Decoder,
    pub acknowledged: usize,
    /// The first rule that the victim broke.
    pub complaint: Option<String>,
}

impl Default for Ledger {
    fn default() -> Self {
        Ledger {
            pending: VecDeque::new(),
            initial_window: 65_535,
            max_frame: 16_384,
            granted: HashMap::new(),
            received: HashMap::new(),
            decoder: Decoder::new(4_096),
            acknowledged: 0,
            complaint: None,
        }
    }
}

impl Ledger {
    /// To be called before they are sent.
    pub fn settings(&mut self, values: &[(u16, u32)]) {
        self.pending.push_back(values.to_vec());
    }

    /// To be called before it is sent.
    pub fn grant(&mut self, stream: u32, octets: u32) {
        *self.granted.entry(stream).or_default() += i64::from(octets);
    }

    /// The victim acknowledges the oldest SETTINGS: they hold from here on.
    pub fn acknowledge(&mut self) {
        self.acknowledged += 1;
        let Some(values) = self.pending.pop_front() else { return };
        for (id, value) in values {
            match id {
                HEADER_TABLE_SIZE => self.decoder.set_table_size_limit(value),
                INITIAL_WINDOW_SIZE => self.initial_window = value.into(),
                MAX_FRAME_SIZE => self.max_frame = value as usize,
                _ => {}
            }
        }
    }

    pub fn data(&mut self, stream: u32, octets: usize) {
        let received = self.received.entry(stream).or_default();
        *received += octets as i64;
        let allowed = self.initial_window + self.granted.get(&stream).copied().unwrap_or_default();
        if octets > self.max_frame || octets > 0 && *received > allowed {
            let complaint = format!("{octets} octets on stream {stream}, {received} of {allowed} in all");
            self.complaint.get_or_insert(complaint);
        }
    }

    pub fn headers(&mut self, block: &[u8]) {
        let limits = FieldLimits { max_octets: 16 << 10, max_fields: 100 };
        if block.len() > self.max_frame {
            self.complaint.get_or_insert("HEADERS too long".to_owned());
        }
        if let Err(misdeed) = self.decoder.decode(block, limits, &mut |_| {}) {
            self.complaint.get_or_insert(misdeed.to_string());
        }
    }
}
