//! Raw memory of a block: small from the heap, large in a mapping of its own.
//!
//! Always true here: the memory is initialised. A mapping goes back to the operating system the moment it is
//! dropped, and its pages cost nothing until they are touched; heap memory may stay with the allocator.

use memmap2::MmapMut;

/// Sizes from here on get a mapping of their own.
const MAPPED_FROM: usize = 16 * 1024;

/// Initialised memory of a fixed size.
pub(super) enum Memory {
    Heap(Box<[u8]>),
    /// Boxed so that a `Memory`, and with it a block and a slot in the free lists, takes two words.
    Mapped(Box<MmapMut>),
}

impl Memory {
    /// Fresh memory, all zero.
    pub(super) fn zeroed(octets: usize) -> Self {
        // The heap serves where mappings are refused (a process may own only so many) or unknown.
        if octets >= MAPPED_FROM
            && let Ok(mapping) = MmapMut::map_anon(octets)
        {
            return Self::Mapped(Box::new(mapping));
        }
        Self::Heap(vec![0; octets].into_boxed_slice())
    }

    pub(super) fn len(&self) -> usize {
        self.as_slice().len()
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Heap(heap) => heap,
            Self::Mapped(mapping) => mapping,
        }
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [u8] {
        match self {
            Self::Heap(heap) => heap,
            Self::Mapped(mapping) => mapping,
        }
    }
}

/// No memory; what is left behind when a block's memory goes home.
impl Default for Memory {
    fn default() -> Self {
        Self::Heap(Box::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_memory_is_heap_and_large_memory_is_mapped() {
        assert!(matches!(Memory::zeroed(MAPPED_FROM - 1), Memory::Heap(_)));
        #[cfg(unix)]
        assert!(matches!(Memory::zeroed(MAPPED_FROM), Memory::Mapped(_)));
    }

    #[test]
    fn memory_is_zeroed_and_as_long_as_asked() {
        for octets in [0, 1, 256, MAPPED_FROM - 1, MAPPED_FROM, MAPPED_FROM + 1, 3_000_000] {
            let memory = Memory::zeroed(octets);
            assert_eq!(memory.len(), octets);
            assert!(memory.as_slice().iter().all(|&octet| octet == 0));
        }
    }

    #[test]
    fn a_memory_takes_two_words() {
        assert_eq!(size_of::<Memory>(), 2 * size_of::<usize>());
    }
}
