//! Size classes: 256 octets to 1 MiB, two for each doubling (2^k and 1.5 * 2^k).
//!
//! Always true here: a request of more than 170 octets wastes at most a third of its block, and the class is
//! found without a loop.

/// How many classes there are.
pub(super) const CLASSES: usize = 25;

/// Capacity of the smallest class.
pub(super) const SMALLEST: usize = 256;

/// Capacity of the largest class.
pub(super) const LARGEST: usize = capacity(CLASSES - 1);

/// The smallest class that holds `octets`, or none if that is more than the largest class.
pub(super) const fn holding(octets: usize) -> Option<usize> {
    if octets <= SMALLEST {
        return Some(0);
    }
    if octets > LARGEST {
        return None;
    }
    // With last = octets - 1 in 2^k .. 2^(k+1), its second highest bit tells the halves of that range apart:
    // the lower half fits 1.5 * 2^k, the upper half needs 2^(k+1).
    let last = octets - 1;
    let doubling = last.ilog2() as usize;
    let upper_half = (last >> (doubling - 1)) & 1;
    Some(2 * (doubling - SMALLEST.ilog2() as usize) + 1 + upper_half)
}

/// The class whose capacity is exactly `octets`.
pub(super) const fn exactly(octets: usize) -> Option<usize> {
    match holding(octets) {
        Some(class) if capacity(class) == octets => Some(class),
        _ => None,
    }
}

/// Capacity of a class.
pub(super) const fn capacity(class: usize) -> usize {
    let doubling = SMALLEST << (class / 2);
    doubling + (doubling / 2) * (class % 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_gets_the_smallest_class_that_holds_it() {
        for octets in 0..=LARGEST {
            let class = holding(octets).expect("within the largest class");
            assert!(capacity(class) >= octets, "{octets} does not fit class {class}");
            assert!(class == 0 || capacity(class - 1) < octets, "{octets} would fit below class {class}");
        }
    }

    #[test]
    fn at_most_a_third_of_a_block_is_wasted() {
        for octets in 171..=LARGEST {
            let capacity = capacity(holding(octets).expect("within the largest class"));
            assert!(3 * (capacity - octets) <= capacity, "{octets} wastes too much of {capacity}");
        }
    }

    #[test]
    fn the_ends_are_where_they_should_be() {
        assert_eq!(capacity(0), 256);
        assert_eq!(capacity(1), 384);
        assert_eq!(LARGEST, 1024 * 1024);
        assert_eq!(holding(0), Some(0));
        assert_eq!(holding(LARGEST), Some(CLASSES - 1));
        assert_eq!(holding(LARGEST + 1), None);
        assert_eq!(holding(usize::MAX), None);
    }

    #[test]
    fn only_a_class_capacity_is_exact() {
        for class in 0..CLASSES {
            assert_eq!(exactly(capacity(class)), Some(class));
            assert_eq!(exactly(capacity(class) - 1), None);
            assert_eq!(exactly(capacity(class) + 1), None);
        }
    }
}
