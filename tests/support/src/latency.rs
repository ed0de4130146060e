//! A histogram of times: fixed size, no allocation while it records, at most 1.6 % off.
//!
//! Times fall into buckets that split each power of two of nanoseconds into 64, so small and large times keep the same
//! relative precision. Count, sum, least and greatest are exact.

use std::fmt;
use std::time::Duration;

/// Sub-buckets in each power of two, as a power of two.
const PRECISION: u32 = 6;
const STEPS: usize = 1 << PRECISION;
/// Covers every `u64`: one run of exact buckets below `STEPS`, then one run for each higher power of two.
const BUCKETS: usize = STEPS * (64 - PRECISION as usize + 1);

/// Recorded times.
#[derive(Clone)]
pub struct Histogram {
    buckets: Box<[u64]>,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
}

impl Histogram {
    /// An empty histogram.
    pub fn new() -> Self {
        Self { buckets: vec![0; BUCKETS].into_boxed_slice(), count: 0, sum: 0, min: u64::MAX, max: 0 }
    }

    /// Records one time.
    pub fn record(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanos)] += 1;
        self.count += 1;
        self.sum += u128::from(nanos);
        self.min = self.min.min(nanos);
        self.max = self.max.max(nanos);
    }

    /// Adds what another histogram recorded, that of another thread for example.
    pub fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *ours += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// How many times were recorded.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The time that `percent` of all are at or below; zero if nothing was recorded.
    pub fn percentile(&self, percent: f64) -> Duration {
        if self.count == 0 {
            return Duration::ZERO;
        }
        let rank = ((percent / 100.0 * self.count as f64).ceil() as u64).clamp(1, self.count);
        let mut seen = 0;
        for (index, times) in self.buckets.iter().enumerate() {
            seen += times;
            if seen >= rank {
                return Duration::from_nanos(upper_end(index).clamp(self.min, self.max));
            }
        }
        self.max()
    }

    /// The median.
    pub fn p50(&self) -> Duration {
        self.percentile(50.0)
    }

    /// The time that 99 of 100 are at or below.
    pub fn p99(&self) -> Duration {
        self.percentile(99.0)
    }

    /// The greatest time; zero if nothing was recorded.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.max)
    }

    /// The mean; zero if nothing was recorded.
    pub fn mean(&self) -> Duration {
        let mean = self.sum.checked_div(u128::from(self.count)).unwrap_or(0);
        Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX))
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.1?}, p99 {:.1?}, max {:.1?} of {}", self.p50(), self.p99(), self.max(), self.count)
    }
}

fn bucket(nanos: u64) -> usize {
    let exponent = nanos.checked_ilog2().unwrap_or(0);
    match exponent.checked_sub(PRECISION) {
        None => nanos as usize,
        // The leading one and the `PRECISION` bits below it: `STEPS..2 * STEPS`.
        Some(shift) => (shift as usize) * STEPS + (nanos >> shift) as usize,
    }
}

/// The greatest time that falls into this bucket.
fn upper_end(bucket: usize) -> u64 {
    if bucket < 2 * STEPS {
        return bucket as u64;
    }
    let shift = (bucket / STEPS - 1) as u32;
    let first = ((bucket % STEPS + STEPS) as u64) << shift;
    first + ((1_u64 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_lies_in_its_bucket_and_no_earlier_one() {
        for power in 0..64 {
            for nanos in [1_u64 << power, (1_u64 << power) - 1, (1_u64 << power) | (1_u64 << power >> 1)] {
                let index = bucket(nanos);
                assert!(index < BUCKETS);
                assert!(upper_end(index) >= nanos);
                assert!(upper_end(index) - nanos <= nanos >> PRECISION);
                assert!(index == 0 || upper_end(index - 1) < nanos);
            }
        }
        assert_eq!(upper_end(bucket(u64::MAX)), u64::MAX);
    }

    #[test]
    fn percentiles_of_a_thousand() {
        let (mut odd, mut even) = (Histogram::new(), Histogram::new());
        for micros in 1..=1000 {
            if micros % 2 == 0 { &mut even } else { &mut odd }.record(Duration::from_micros(micros));
        }
        odd.merge(&even);
        let close =
            |time: Duration, micros: f64| (time.as_nanos() as f64 / (micros * 1000.0) - 1.0).abs() < 0.016;
        assert!(close(odd.p50(), 500.0), "{odd}");
        assert!(close(odd.p99(), 990.0), "{odd}");
        assert_eq!(odd.max(), Duration::from_micros(1000));
        assert_eq!(odd.percentile(0.0).as_nanos() / 1000, 1);
        assert_eq!(odd.mean(), Duration::from_nanos(500_500));
        assert_eq!(odd.count(), 1000);
    }

    #[test]
    fn nothing_recorded_is_zero() {
        let empty = Histogram::new();
        assert_eq!((empty.p50(), empty.max(), empty.mean()), Default::default());
    }
}
