//! PINGs of ours: keepalive, graceful shutdown, the application's, and the measure of round trip and bandwidth
//! (RFC 9113 §6.7).
//!
//! Always true here: at most one PING of each purpose is in flight; each purpose has a payload of its own, so
//! an answer says which it was; an answer nobody asked for is ignored.

use std::time::{Duration, Instant};

/// Why a PING was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To see that the peer is alive.
    KeepAlive,
    /// To measure the bandwidth-delay product.
    Bandwidth,
    /// To know when the peer has seen our first GOAWAY (§6.8).
    Shutdown,
    /// The application's.
    User,
}

impl Purpose {
    const ALL: [Purpose; 4] = [Purpose::KeepAlive, Purpose::Bandwidth, Purpose::Shutdown, Purpose::User];

    /// The opaque octets. The last two are those of the `h2` crate, which its users know from their traces.
    fn payload(self) -> [u8; 8] {
        match self {
            Purpose::KeepAlive => *b"mp-alive",
            Purpose::Bandwidth => *b"mp-bandw",
            Purpose::Shutdown => [0x0b, 0x7b, 0xa2, 0xf0, 0x8b, 0x9b, 0xfe, 0x54],
            Purpose::User => [0x3b, 0x7c, 0xdb, 0x7a, 0x0b, 0x87, 0x16, 0xb4],
        }
    }
}

/// The PINGs in flight and the round trip they measured.
#[derive(Default)]
pub(super) struct Pings {
    /// By purpose; nothing while none is in flight.
    sent: Option<Box<[Option<Instant>; 4]>>,
    rtt: Option<Duration>,
}

impl Pings {
    /// Starts a PING; the payload is to be sent. `None`: one for this purpose is already in flight.
    pub(super) fn start(&mut self, purpose: Purpose, now: Instant) -> Option<[u8; 8]> {
        let sent = &mut self.sent.get_or_insert_default()[purpose as usize];
        if sent.is_some() {
            return None;
        }
        *sent = Some(now);
        Some(purpose.payload())
    }

    /// A PING of ours is written: its time begins.
    pub(super) fn written(&mut self, payload: [u8; 8], now: Instant) {
        let purpose = Purpose::ALL.into_iter().find(|purpose| purpose.payload() == payload);
        if let (Some(purpose), Some(sent)) = (purpose, &mut self.sent)
            && let Some(sent) = &mut sent[purpose as usize]
        {
            *sent = now;
        }
    }

    /// Its answer is awaited no more.
    pub(super) fn give_up(&mut self, purpose: Purpose) {
        self.take(purpose);
    }

    /// A PING with ACK came; which of ours it answers.
    pub(super) fn answered(&mut self, payload: [u8; 8], now: Instant) -> Option<Purpose> {
        let purpose = Purpose::ALL.into_iter().find(|purpose| purpose.payload() == payload)?;
        let sent = self.take(purpose)?;
        let sample = now.saturating_duration_since(sent);
        // RFC 6298 §2: an eighth of each new sample.
        self.rtt = Some(self.rtt.map_or(sample, |rtt| (rtt * 7 + sample) / 8));
        Some(purpose)
    }

    pub(super) fn are_in_flight(&self) -> bool {
        self.sent.is_some()
    }

    /// When the PING for this purpose went out, if its answer is awaited.
    pub(super) fn in_flight(&self, purpose: Purpose) -> Option<Instant> {
        self.sent.as_ref()?[purpose as usize]
    }

    /// Ends the wait for an answer; gives the memory back with the last.
    fn take(&mut self, purpose: Purpose) -> Option<Instant> {
        let sent = self.sent.as_mut()?;
        let at = sent[purpose as usize].take();
        if sent.iter().all(Option::is_none) {
            self.sent = None;
        }
        at
    }

    pub(super) fn rtt(&self) -> Option<Duration> {
        self.rtt
    }
}

/// The estimate of the bandwidth-delay product, for windows that grow with it.
#[derive(Default)]
pub(super) struct Bandwidth {
    /// Octets that came since the PING went out.
    sample: u64,
    /// The highest octets per second so far.
    highest: f64,
}

/// As far as an adaptive window grows: 16 MiB, as grpc-go and hyper.
const LARGEST_WINDOW: u32 = 16 << 20;

impl Bandwidth {
    pub(super) fn is_unknown(&self) -> bool {
        self.highest == 0.0
    }

    pub(super) fn start(&mut self) {
        self.sample = 0;
    }

    pub(super) fn received(&mut self, octets: usize) {
        self.sample += octets as u64;
    }

    /// A round trip is over: the window to use from now on, if `window` was too small for what came.
    pub(super) fn finish(&mut self, rtt: Duration, window: u32) -> Option<u32> {
        let bandwidth = self.sample as f64 / rtt.as_secs_f64().max(1e-6);
        // The window limits the flow when two thirds of it came in one round trip, and it is worth growing only
        // while more comes than ever before.
        if self.sample < u64::from(window) * 2 / 3 || bandwidth <= self.highest || window >= LARGEST_WINDOW {
            return None;
        }
        self.highest = bandwidth;
        let grown = (self.sample * 2).min(u64::from(LARGEST_WINDOW)) as u32;
        (grown > window).then_some(grown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ping_of_each_purpose() {
        let (mut pings, now) = (Pings::default(), Instant::now());
        let payload = pings.start(Purpose::User, now).unwrap();
        assert_eq!(pings.start(Purpose::User, now), None);
        assert!(pings.start(Purpose::KeepAlive, now).is_some());
        assert_eq!(pings.answered([9; 8], now), None);
        let later = now + Duration::from_millis(80);
        assert_eq!(pings.answered(payload, later), Some(Purpose::User));
        assert_eq!(pings.answered(payload, later), None);
        assert_eq!(pings.rtt(), Some(Duration::from_millis(80)));
    }

    #[test]
    fn a_window_grows_only_when_it_is_the_limit() {
        let mut bandwidth = Bandwidth::default();
        let rtt = Duration::from_millis(10);
        bandwidth.start();
        bandwidth.received(10_000);
        assert_eq!(bandwidth.finish(rtt, 65_535), None);
        bandwidth.start();
        bandwidth.received(60_000);
        assert_eq!(bandwidth.finish(rtt, 65_535), Some(120_000));
        bandwidth.start();
        bandwidth.received(100 << 20);
        assert_eq!(bandwidth.finish(rtt, 120_000), Some(LARGEST_WINDOW));
        bandwidth.start();
        bandwidth.received(200 << 20);
        assert_eq!(bandwidth.finish(rtt, LARGEST_WINDOW), None);
    }
}
