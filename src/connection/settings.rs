//! SETTINGS of both sides, and when each value takes effect (RFC 9113 §6.5; RFC 8441 §3; RFC 9218 §2.1).
//!
//! Always true here: the peer's values hold as soon as its frame was read, in the order given (§6.5.3); ours
//! hold once acknowledged, and no second SETTINGS of ours is sent before that; values out of range never get
//! in (§6.5.2).

use std::time::Instant;

use crate::{
    config::Config,
    error::Misdeed,
    frame::{MAX_FRAME_SIZE, MIN_MAX_FRAME_SIZE, SettingsRef, setting},
    stream::{DEFAULT_WINDOW, MAX_WINDOW},
};

use super::Side;

/// The values of one SETTINGS frame of ours; only those given are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) header_table_size: Option<u32>,
    pub(super) enable_push: Option<bool>,
    pub(super) max_concurrent_streams: Option<u32>,
    pub(super) initial_window_size: Option<u32>,
    pub(super) max_frame_size: Option<u32>,
    pub(super) max_header_list_size: Option<u32>,
    pub(super) enable_connect_protocol: Option<bool>,
    pub(super) no_rfc7540_priorities: Option<bool>,
}

impl Values {
    /// What the first SETTINGS say: whatever differs from the initial values of §6.5.2.
    pub(super) fn first(config: &Config, side: Side) -> Self {
        if let Some(given) = config.first_settings.as_deref() {
            return Values {
                header_table_size: given.header_table_size,
                enable_push: given.enable_push,
                max_concurrent_streams: given.max_concurrent_streams,
                initial_window_size: given.initial_window_size,
                max_frame_size: given.max_frame_size,
                max_header_list_size: given.max_header_list_size,
                enable_connect_protocol: given.enable_connect_protocol,
                no_rfc7540_priorities: None,
            };
        }
        let unless = |value: u32, initial: u32| (value != initial).then_some(value);
        Values {
            header_table_size: unless(config.header_table_size, 4_096),
            // §8.4: push is left out.
            enable_push: (side == Side::Client).then_some(false),
            max_concurrent_streams: match side {
                Side::Server => config.max_concurrent_streams,
                // The server of a client that refuses push opens no streams.
                Side::Client => None,
            },
            initial_window_size: unless(config.initial_stream_window_size, DEFAULT_WINDOW),
            max_frame_size: unless(config.max_frame_size, MIN_MAX_FRAME_SIZE),
            max_header_list_size: Some(config.max_header_list_size),
            enable_connect_protocol: (side == Side::Server && config.enable_connect_protocol).then_some(true),
            // RFC 9218 §2.1: a server that uses extensible priorities says so.
            no_rfc7540_priorities: (side == Side::Server).then_some(true),
        }
    }

    /// Takes from `older` what is not given here.
    fn or(&mut self, older: Values) {
        *self = Values {
            header_table_size: self.header_table_size.or(older.header_table_size),
            enable_push: self.enable_push.or(older.enable_push),
            max_concurrent_streams: self.max_concurrent_streams.or(older.max_concurrent_streams),
            initial_window_size: self.initial_window_size.or(older.initial_window_size),
            max_frame_size: self.max_frame_size.or(older.max_frame_size),
            max_header_list_size: self.max_header_list_size.or(older.max_header_list_size),
            enable_connect_protocol: self.enable_connect_protocol.or(older.enable_connect_protocol),
            no_rfc7540_priorities: self.no_rfc7540_priorities.or(older.no_rfc7540_priorities),
        };
    }

    /// The values as identifiers and numbers (§6.5.1).
    pub(super) fn entries(&self) -> Vec<(u16, u32)> {
        [
            (setting::HEADER_TABLE_SIZE, self.header_table_size),
            (setting::ENABLE_PUSH, self.enable_push.map(u32::from)),
            (setting::MAX_CONCURRENT_STREAMS, self.max_concurrent_streams),
            (setting::INITIAL_WINDOW_SIZE, self.initial_window_size),
            (setting::MAX_FRAME_SIZE, self.max_frame_size),
            (setting::MAX_HEADER_LIST_SIZE, self.max_header_list_size),
            (setting::ENABLE_CONNECT_PROTOCOL, self.enable_connect_protocol.map(u32::from)),
            (setting::NO_RFC7540_PRIORITIES, self.no_rfc7540_priorities.map(u32::from)),
        ]
        .into_iter()
        .filter_map(|(id, value)| value.map(|value| (id, value)))
        .collect()
    }
}

/// Our own SETTINGS: what is on its way and what waits for it.
pub(super) struct LocalSettings {
    /// Not acknowledged; since when it is written.
    in_flight: Option<(Box<Values>, Option<Instant>)>,
    /// To be sent after that.
    waiting: Option<Box<Values>>,
    /// The initial window that streams begin with: what the peer has acknowledged.
    pub(super) initial_window_size: u32,
    /// Whether clients may use extended CONNECT (RFC 8441 §3).
    pub(super) enable_connect_protocol: bool,
}

impl LocalSettings {
    pub(super) fn new(config: &Config) -> Self {
        LocalSettings {
            in_flight: None,
            waiting: None,
            initial_window_size: DEFAULT_WINDOW,
            enable_connect_protocol: config.enable_connect_protocol,
        }
    }

    /// Whether the peer has acknowledged all that we said.
    pub(super) fn is_settled(&self) -> bool {
        self.in_flight.is_none() && self.waiting.is_none()
    }

    /// Changes our settings; what comes back is to be sent now.
    pub(super) fn change(&mut self, values: Values) -> Option<Box<Values>> {
        let mut values = Box::new(values);
        if self.in_flight.is_some() {
            if let Some(older) = self.waiting.take() {
                values.or(*older);
            }
            self.waiting = Some(values);
            return None;
        }
        self.in_flight = Some((values.clone(), None));
        Some(values)
    }

    /// The initial window that streams will have when all is acknowledged.
    pub(super) fn coming_window(&self) -> u32 {
        let waiting = self.waiting.as_ref().and_then(|values| values.initial_window_size);
        let in_flight = self.in_flight.as_ref().and_then(|(values, _)| values.initial_window_size);
        waiting.or(in_flight).unwrap_or(self.initial_window_size)
    }

    /// What was to be sent is written: its time begins.
    pub(super) fn written(&mut self, now: Instant) {
        if let Some((_, since)) = &mut self.in_flight {
            since.get_or_insert(now);
        }
    }

    /// The peer acknowledged (§6.5.3): these values hold from now on. `None`: there was nothing to acknowledge,
    /// which RFC 9113 does not forbid.
    pub(super) fn acknowledged(&mut self) -> Option<Box<Values>> {
        self.in_flight.take().map(|(values, _)| values)
    }

    /// What to send next, after an acknowledgement.
    pub(super) fn next(&mut self) -> Option<Box<Values>> {
        let values = self.waiting.take()?;
        self.change(*values)
    }

    /// Since when an acknowledgement is awaited.
    pub(super) fn awaited_since(&self) -> Option<Instant> {
        self.in_flight.as_ref().and_then(|(_, since)| *since)
    }
}

/// A limit that no peer can reach, and so none: the initial value of two settings (§6.5.2).
pub(super) const NO_LIMIT: u32 = u32::MAX;

/// The peer's settings as they stand. Small, since a connection keeps them while it rests.
#[derive(Clone, Debug)]
pub(super) struct RemoteSettings {
    pub(super) max_concurrent_streams: u32,
    pub(super) initial_window_size: u32,
    pub(super) max_frame_size: u32,
    pub(super) max_header_list_size: u32,
    pub(super) enable_connect_protocol: bool,
    /// Whether the peer does not use the priorities of RFC 7540 (RFC 9218 §2.1).
    pub(super) no_rfc7540_priorities: bool,
    /// Whether the first SETTINGS have come (§3.4).
    pub(super) received: bool,
}

impl RemoteSettings {
    pub(super) fn new(config: &Config) -> Self {
        RemoteSettings {
            max_concurrent_streams: config.initial_max_send_streams,
            initial_window_size: DEFAULT_WINDOW,
            max_frame_size: MIN_MAX_FRAME_SIZE,
            max_header_list_size: NO_LIMIT,
            enable_connect_protocol: false,
            no_rfc7540_priorities: false,
            received: false,
        }
    }

    /// Takes the values of a SETTINGS frame in order (§6.5.3), or refuses the frame.
    pub(super) fn apply(&mut self, settings: SettingsRef<'_>, side: Side) -> Result<(), Misdeed> {
        if !self.received {
            // §6.5.2: without a value there is no limit; ours was a guess until now.
            self.max_concurrent_streams = NO_LIMIT;
            self.received = true;
        }
        for (id, value) in settings {
            let switch = match value {
                0 => Ok(false),
                1 => Ok(true),
                _ => Err(Misdeed::SettingsValueInvalid),
            };
            match id {
                // §6.5.2: a server must not set it to 1.
                setting::ENABLE_PUSH if switch? && side == Side::Client => {
                    return Err(Misdeed::SettingsValueInvalid);
                }
                setting::MAX_CONCURRENT_STREAMS => self.max_concurrent_streams = value,
                setting::INITIAL_WINDOW_SIZE if value > MAX_WINDOW => {
                    return Err(Misdeed::SettingsWindowInvalid);
                }
                setting::INITIAL_WINDOW_SIZE => self.initial_window_size = value,
                setting::MAX_FRAME_SIZE => {
                    if !(MIN_MAX_FRAME_SIZE..=MAX_FRAME_SIZE).contains(&value) {
                        return Err(Misdeed::SettingsValueInvalid);
                    }
                    self.max_frame_size = value;
                }
                setting::MAX_HEADER_LIST_SIZE => self.max_header_list_size = value,
                setting::ENABLE_CONNECT_PROTOCOL => {
                    // RFC 8441 §3: once on, it must not be turned off. From a client it means nothing.
                    let on = switch?;
                    if self.enable_connect_protocol && !on && side == Side::Client {
                        return Err(Misdeed::SettingsValueInvalid);
                    }
                    self.enable_connect_protocol = on;
                }
                // RFC 9218 §2.1: it should not change, but that does no harm.
                setting::NO_RFC7540_PRIORITIES => self.no_rfc7540_priorities = switch?,
                // §6.5.2: unknown settings are ignored.
                _ => {}
            }
        }
        Ok(())
    }
}
