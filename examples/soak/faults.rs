//! What the proxy does to connections: how it carries octets, when it breaks a connection, and how.

use std::{io, sync::atomic::AtomicI64, time::Duration};

use fastrand::Rng;
use tokio::{io::AsyncWriteExt, net::tcp::WriteHalf, sync::Notify, time::sleep};

/// The longest that a broken connection lies about before it is gone.
const LONGEST_AGONY: Duration = Duration::from_millis(1_500);

/// How a connection is broken.
pub enum Fault {
    Close,
    Reset,
    /// One direction ends, the other goes on for a while.
    HalfClose,
    /// For a while, what comes goes nowhere.
    Swallow,
}

impl Fault {
    pub fn draw(rng: &mut Rng) -> Fault {
        match rng.u8(..4) {
            0 => Fault::Close,
            1 => Fault::Reset,
            2 => Fault::HalfClose,
            _ => Fault::Swallow,
        }
    }
}

/// When a connection on a rough road breaks: after a time, or amid some octet.
pub struct Doom {
    pub life: Duration,
    pub left: AtomicI64,
    pub spent: Notify,
    /// Ends one direction.
    pub cut: [Notify; 2],
}

impl Doom {
    pub fn draw(rng: &mut Rng) -> Doom {
        let by_octets = rng.u8(..3) == 0;
        let most = 1 << rng.u32(1..22);
        let left = if by_octets { rng.i64(0..most) } else { i64::MAX / 2 };
        let life = if by_octets { 20_000 } else { rng.u64(50..6_000) };
        Doom {
            life: Duration::from_millis(life),
            left: left.into(),
            spent: Notify::new(),
            cut: Default::default(),
        }
    }
}

/// How octets are carried for a while.
pub enum Mood {
    Free,
    /// In pieces of at most so many octets, at first.
    Split(usize),
    Late(Duration),
    /// At most so many octets in a millisecond.
    Slow(usize),
}

impl Mood {
    pub fn draw(rng: &mut Rng) -> Mood {
        match rng.u8(..8) {
            0 | 1 => Mood::Split(1 << rng.u32(0..12)),
            2 => Mood::Late(Duration::from_micros(rng.u64(..20_000))),
            3 => Mood::Slow(rng.usize(1_000..20_000)),
            _ => Mood::Free,
        }
    }

    pub async fn write(&self, to: &mut WriteHalf<'_>, mut octets: &[u8], rng: &mut Rng) -> io::Result<()> {
        match self {
            Mood::Free => {}
            Mood::Late(time) => sleep(*time).await,
            Mood::Slow(rate) => sleep(Duration::from_millis((octets.len() / rate) as u64 + 1)).await,
            Mood::Split(most) => {
                for _ in 0..100.min(octets.len()) {
                    let (piece, rest) = octets.split_at(rng.usize(1..=*most).min(octets.len()));
                    to.write_all(piece).await?;
                    octets = rest;
                    tokio::task::yield_now().await;
                }
            }
        }
        to.write_all(octets).await
    }
}

/// How long one broken connection lies about.
pub fn agony(rng: &mut Rng) -> Duration {
    LONGEST_AGONY.mul_f32(rng.f32())
}
