//! Numbers that look random and are the same for the same seed, on every machine and in every release (SplitMix64).

use std::ops::RangeInclusive;

#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Rng(seed.wrapping_mul(0xd134_2543_de82_ef95) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`; 0 if that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % (end.max(1) as u64)) as usize
    }

    pub fn within(&mut self, range: RangeInclusive<usize>) -> usize {
        range.start() + self.below(range.end() - range.start() + 1)
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// A size: mostly small, at times near a limit of the protocol, at times up to `most`.
    pub fn octets(&mut self, most: usize) -> usize {
        let size = match self.below(10) {
            0 => 0,
            1 => 1,
            2 | 3 => self.below(300),
            4 | 5 => self.below(5_000),
            6 => self.pick(&[16_383, 16_384, 16_385, 32_768, 65_534, 65_535, 65_536]),
            7 | 8 => self.below(40_000),
            _ => self.below(most + 1),
        };
        size.min(most)
    }
}
