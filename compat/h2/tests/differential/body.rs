//! The octets of bodies: known beforehand, so that whoever reads knows what has to come.

use std::sync::LazyLock;

use bytes::{Buf, Bytes, buf::Chain};

use crate::{rng::Rng, script::Side};

/// Octets of the largest body, with room for every stream to begin at its own place.
const OCTETS: usize = 1 << 20;

static OCEAN: LazyLock<Bytes> = LazyLock::new(|| {
    let mut rng = Rng::new(1);
    (0..OCTETS / 8).flat_map(|_| rng.next().to_le_bytes()).collect()
});

/// What this side sends on this stream, from `position` on.
pub fn octets(from: Side, stream: u32, position: u64, count: usize) -> Bytes {
    let start = stream as usize * 977 + from.index() * 331 + position as usize;
    OCEAN.slice(start..start + count)
}

/// A buffer type for DATA.
pub trait Payload: Buf + 'static {
    fn of(octets: Bytes) -> Self;
}

impl Payload for Bytes {
    fn of(octets: Bytes) -> Self {
        octets
    }
}

/// A buffer of three parts, some of them empty at times.
pub type Chained = Chain<Bytes, Chain<Bytes, Bytes>>;

impl Payload for Chained {
    fn of(mut octets: Bytes) -> Self {
        let first = octets.split_to(octets.len() / 3);
        let second = octets.split_to(octets.len() / 2 * (octets.len() % 3));
        first.chain(second.chain(octets))
    }
}
