//! Budgets for what a peer can send cheaply: one for each kind. Their numbers are options, with reasons there.
//!
//! Always true here: a budget is a rate that leaks, not a count over the life of a connection, so an honest
//! peer that stays for years is never punished for its age; useful work earns allowance back, so a busy peer
//! may also ping, cancel and update windows more.

use std::time::{Duration, Instant};

use crate::{
    config::Config,
    error::Misdeed,
    hpack::{Packed, Unpacked},
    moment::Moment,
};

/// What the peer did, as far as it is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cheap {
    /// A stream opened and reset by the peer (CVE-2023-44487).
    Reset,
    /// A stream error that the peer made us answer with RST_STREAM (CVE-2025-8671).
    Provoked,
    /// A PING to answer (CVE-2019-9512).
    Ping,
    /// SETTINGS to answer (CVE-2019-9515).
    Settings,
    /// PRIORITY or PRIORITY_UPDATE.
    Priority,
    /// A WINDOW_UPDATE.
    WindowUpdate,
    /// DATA without payload and without END_STREAM (CVE-2019-9518).
    EmptyData,
    /// A frame of unknown type.
    Unknown,
    /// A GOAWAY, for which we look at every stream.
    GoAway,
    /// An informational response, which the application is told of.
    Informational,
}

impl Cheap {
    const ALL: [Cheap; 10] = [
        Cheap::Reset,
        Cheap::Provoked,
        Cheap::Ping,
        Cheap::Settings,
        Cheap::Priority,
        Cheap::WindowUpdate,
        Cheap::EmptyData,
        Cheap::Unknown,
        Cheap::GoAway,
        Cheap::Informational,
    ];

    /// How many at once; a tenth of it comes back each second.
    fn burst(self, config: &Config) -> u32 {
        let saturated = |max: usize| u32::try_from(max).unwrap_or(u32::MAX);
        let allowed = &config.allowances;
        let burst = match self {
            Cheap::Reset => saturated(config.max_pending_accept_reset_streams),
            Cheap::Provoked => config.max_local_error_reset_streams.map_or(u32::MAX, saturated),
            Cheap::Ping => allowed.ping,
            Cheap::Settings => allowed.settings,
            Cheap::Priority => allowed.priority,
            Cheap::WindowUpdate => allowed.window_update,
            // Some gRPC stacks end streams with an empty DATA frame: those have END_STREAM and are free.
            Cheap::EmptyData => allowed.empty_data,
            Cheap::Unknown => allowed.unknown,
            Cheap::GoAway => allowed.goaway,
            Cheap::Informational => allowed.informational,
        };
        burst.max(u32::from(self != Cheap::Provoked))
    }
}

/// The allowances of one connection.
#[derive(Default)]
pub(super) struct Limits {
    spent: [u32; Cheap::ALL.len()],
    last_leak: Option<Moment>,
}

/// How often the allowances refill.
const LEAK: Duration = Duration::from_secs(1);

impl Limits {
    /// Refills what time has brought back, and packs what is still missing.
    pub(super) fn pack(&mut self, packed: &mut Packed, config: &Config, now: Instant) {
        self.leak(config, now);
        let unused = self.spent == [0; Cheap::ALL.len()];
        packed.number(u32::from(!unused));
        if !unused {
            self.spent.iter().for_each(|spent| packed.number(*spent));
            packed.number(self.last_leak.unwrap_or(Moment::of(now)).to_bits());
        }
    }

    /// What [`pack`](Self::pack) made.
    pub(super) fn unpack(unpacked: &mut Unpacked<'_>) -> Self {
        if unpacked.number() == 0 {
            return Limits::default();
        }
        let spent = std::array::from_fn(|_| unpacked.number());
        Limits { spent, last_leak: Some(Moment::from_bits(unpacked.number())) }
    }

    /// The peer did something cheap; over its allowance it is a connection error.
    pub(super) fn charge(&mut self, kind: Cheap, config: &Config, now: Instant) -> Result<(), Misdeed> {
        let (slot, burst) = (kind as usize, kind.burst(config));
        if self.spent[slot] >= burst {
            self.leak(config, now);
        }
        self.last_leak.get_or_insert_with(|| Moment::of(now));
        if self.spent[slot] >= burst {
            return Err(match kind {
                Cheap::Reset => Misdeed::ResetFlood,
                Cheap::Provoked => Misdeed::ResetProvoked,
                Cheap::Ping => Misdeed::PingFlood,
                Cheap::Settings => Misdeed::SettingsFlood,
                Cheap::Priority => Misdeed::PriorityFlood,
                Cheap::WindowUpdate => Misdeed::WindowUpdateFlood,
                Cheap::EmptyData => Misdeed::EmptyFrameFlood,
                Cheap::Unknown => Misdeed::UnknownFrameFlood,
                Cheap::GoAway => Misdeed::GoAwayFlood,
                Cheap::Informational => Misdeed::InformationalFlood,
            });
        }
        self.spent[slot] += 1;
        Ok(())
    }

    /// A stream ended as it should: the peer may cancel another one.
    pub(super) fn finished(&mut self) {
        self.earn(Cheap::Reset, 1);
        self.earn(Cheap::Provoked, 1);
        self.earn(Cheap::Informational, 1);
    }

    /// DATA moved: pings that measure it and updates that allow it are honest.
    pub(super) fn useful(&mut self) {
        self.earn(Cheap::Ping, 1);
        self.earn(Cheap::WindowUpdate, 2);
        self.earn(Cheap::EmptyData, 1);
    }

    /// DATA was sent. Some peers open both windows after every small read, so updates are earned by octets too.
    pub(super) fn sent(&mut self, octets: u32) {
        self.useful();
        self.earn(Cheap::WindowUpdate, octets / 512);
    }

    fn earn(&mut self, kind: Cheap, amount: u32) {
        let spent = &mut self.spent[kind as usize];
        *spent = spent.saturating_sub(amount);
    }

    /// Refills a tenth of each burst for every second since the last time.
    fn leak(&mut self, config: &Config, now: Instant) {
        let Some(last) = self.last_leak else { return };
        let now = Moment::of(now);
        let seconds = (now.since(last).as_nanos() / LEAK.as_nanos()).min(10) as u32;
        if seconds == 0 {
            return;
        }
        self.last_leak = Some(now);
        for kind in Cheap::ALL {
            let back = (kind.burst(config) / 10).max(1).saturating_mul(seconds);
            self.earn(kind, back);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Peer(Limits, Config);

    impl Peer {
        fn charge(&mut self, kind: Cheap, now: Instant) -> Result<(), Misdeed> {
            self.0.charge(kind, &self.1, now)
        }
    }

    fn limits() -> (Peer, Instant) {
        (Peer(Limits::default(), Config::default()), Instant::now())
    }

    #[test]
    fn a_flood_is_stopped_and_names_itself() {
        let (mut limits, now) = limits();
        for _ in 0..100 {
            limits.charge(Cheap::Ping, now).unwrap();
        }
        assert_eq!(limits.charge(Cheap::Ping, now), Err(Misdeed::PingFlood));
        limits.charge(Cheap::Settings, now).unwrap();
    }

    #[test]
    fn every_allowance_is_an_option() {
        let mut allowed = crate::config::Allowances::default();
        (allowed.ping, allowed.settings, allowed.priority, allowed.window_update) = (11, 12, 13, 14);
        (allowed.empty_data, allowed.unknown, allowed.goaway, allowed.informational) = (15, 16, 17, 0);
        let config = Config::builder().allowances(allowed).build().unwrap();
        let now = Instant::now();
        let taken = |kind| {
            let mut limits = Limits::default();
            (0..100).take_while(|_| limits.charge(kind, &config, now).is_ok()).count()
        };
        let taken: Vec<usize> = Cheap::ALL[2..].iter().map(|kind| taken(*kind)).collect();
        assert_eq!(taken, [11, 12, 13, 14, 15, 16, 17, 1]);
    }

    #[test]
    fn a_slow_peer_is_never_stopped() {
        let (mut limits, mut now) = limits();
        for _ in 0..100_000 {
            now += Duration::from_millis(110);
            limits.charge(Cheap::Ping, now).unwrap();
        }
    }

    #[test]
    fn one_that_opens_both_windows_for_every_kilobyte_lives_for_ever() {
        let (mut limits, now) = limits();
        for _ in 0..10_000 {
            for _ in 0..2 * 16 {
                limits.charge(Cheap::WindowUpdate, now).unwrap();
            }
            limits.0.sent(16_384);
        }
    }

    #[test]
    fn one_that_cancels_half_of_its_calls_lives_for_ever() {
        let (mut limits, now) = limits();
        for _ in 0..100_000 {
            limits.charge(Cheap::Reset, now).unwrap();
            limits.0.finished();
        }
    }

    #[test]
    fn one_that_cancels_all_of_them_at_once_does_not() {
        let (mut limits, now) = limits();
        let survived = (0..10_000).take_while(|_| limits.charge(Cheap::Reset, now).is_ok()).count();
        assert_eq!(survived, 1_000);
    }
}
