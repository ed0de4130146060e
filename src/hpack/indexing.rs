//! Which literals enter the encoder's dynamic table (RFC 7541 §6.2, §7.1).
//!
//! Always true here: a value that comes once never enters the table, unless its name is known for values that
//! repeat; so request identifiers and the like neither push out what is of use nor cost an idle connection
//! memory. What is secret and short enough to be guessed is never indexed, by anyone (§7.1.3).

/// What to do with a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Index at the first sight: such values repeat.
    Always,
    /// Index a value when it comes again soon.
    Repeated,
    /// Do not index: such values hardly repeat.
    Without,
    /// Mark as never to be indexed, nor by an intermediary.
    Never,
}

/// A secret shorter than this, in octets, could be guessed value by value from what its field block measures.
const GUESSABLE: usize = 20;

/// The rule for a regular or pseudo-header field with this name.
pub(super) fn rule(name: &str, value: &[u8]) -> Rule {
    match name {
        ":authority" | ":method" | ":protocol" | ":scheme" | ":status" => Rule::Always,
        "accept" | "accept-charset" | "accept-encoding" | "accept-language" | "accept-ranges" => Rule::Always,
        "cache-control" | "content-encoding" | "content-type" | "grpc-accept-encoding" | "grpc-encoding" => {
            Rule::Always
        }
        "grpc-status" | "server" | "strict-transport-security" | "te" | "user-agent" | "vary" => Rule::Always,
        "age" | "content-length" | "content-range" | "date" | "etag" | "expires" | "if-match" => {
            Rule::Without
        }
        "if-modified-since" | "if-none-match" | "if-range" | "if-unmodified-since" => Rule::Without,
        "last-modified" | "location" | "range" | "retry-after" | "set-cookie" => Rule::Without,
        "authorization" | "cookie" | "proxy-authorization" if value.len() < GUESSABLE => Rule::Never,
        _ => Rule::Repeated,
    }
}

/// Remembers which values came lately, by their hashes.
#[derive(Debug)]
pub(super) struct Sightings {
    hashes: [u32; SLOTS],
    replace: bool,
}

const SLOTS: usize = 16;

impl Sightings {
    pub(super) const fn new() -> Self {
        Sightings { hashes: [0; SLOTS], replace: false }
    }

    /// The hashes of what came lately, and whether the next stranger takes over.
    pub(super) fn parts(&self) -> (impl Iterator<Item = u32> + Clone, bool) {
        (self.hashes.into_iter().filter(|hash| *hash != 0), self.replace)
    }

    /// Of what [`parts`](Self::parts) gave.
    pub(super) fn of_parts(hashes: impl Iterator<Item = u32>, replace: bool) -> Self {
        let mut sightings = Sightings { replace, ..Sightings::new() };
        hashes.for_each(|hash| *sightings.slot(hash) = hash);
        sightings
    }

    fn slot(&mut self, hash: u32) -> &mut u32 {
        &mut self.hashes[(hash >> 28) as usize]
    }

    /// Notes a field, by the hashes of its name and its value; whether it came before.
    ///
    /// All bits count: with fewer, one-off values would by and by enter the table for a likeness.
    pub(super) fn again(&mut self, name: u32, value: u32) -> bool {
        let hash = (name.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b1);
        if *self.slot(hash) == hash {
            return true;
        }
        // Only every other stranger takes over a slot: two values that share one, and come in turns, would
        // else push each other out for ever.
        self.replace = !self.replace;
        let replace = self.replace;
        let slot = self.slot(hash);
        if *slot == 0 || replace {
            *slot = hash;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{super::hash, *};

    #[test]
    fn secrets_that_could_be_guessed_are_never_indexed() {
        assert_eq!(rule("authorization", b"Basic YTpi"), Rule::Never);
        assert_eq!(rule("cookie", b"a=1"), Rule::Never);
        assert_eq!(rule("authorization", b"Bearer 0123456789abcdef"), Rule::Repeated);
    }

    #[test]
    fn a_value_is_known_at_its_second_sight() {
        let mut sightings = Sightings::new();
        assert!(!sightings.again(1, 7));
        assert!(sightings.again(1, 7));
        assert!(!sightings.again(1, 8));
        assert!(!sightings.again(2, 7));
    }

    #[test]
    fn values_in_turns_are_all_known_in_the_end() {
        let mut sightings = Sightings::new();
        let mut known = std::collections::HashSet::new();
        let mut once = 1000..;
        for _call in 0..100 {
            for value in 0..20_u32 {
                if !known.contains(&value) && sightings.again(7, hash::of(&value.to_be_bytes())) {
                    known.insert(value);
                }
            }
            // Five values in each call that never come again.
            for value in once.by_ref().take(5) {
                let value: u32 = value;
                assert!(!sightings.again(7, hash::of(&value.to_be_bytes())));
            }
        }
        assert_eq!(known.len(), 20);
    }
}
