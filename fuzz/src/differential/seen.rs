//! What was seen over one implementation.

use std::{collections::BTreeMap, fmt};

/// Events by stream; those of the connection are at stream 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// What the application saw.
    pub heard: BTreeMap<u32, Vec<String>>,
    /// What the peer was sent.
    pub written: BTreeMap<u32, Vec<String>>,
}

impl Seen {
    pub fn hear(&mut self, stream: u32, text: String) {
        self.heard.entry(stream).or_default().push(text);
    }

    /// Whether the application heard that.
    pub fn hears(&self, what: &str) -> bool {
        self.heard.values().flatten().any(|line| line.contains(what))
    }

    /// Whether such a frame was written.
    pub fn writes(&self, what: &str) -> bool {
        self.written.values().flatten().any(|line| line.contains(what))
    }

    /// Credit that streams were given.
    pub fn credit(&self) -> u64 {
        let lines = self.written.iter().filter(|(stream, _)| **stream != 0).flat_map(|(_, lines)| lines);
        lines.filter_map(|line| line.strip_prefix("credit ")?.parse::<u64>().ok()).sum()
    }

    /// All but that.
    pub fn without_credit(&self) -> Seen {
        let mut rest = self.clone();
        for (_, lines) in rest.written.iter_mut().filter(|(stream, _)| **stream != 0) {
            lines.retain(|line| !line.starts_with("credit"));
        }
        rest.written.retain(|_, lines| !lines.is_empty());
        rest
    }

    /// How many streams were reset.
    pub fn resets(&self) -> usize {
        self.written.values().flatten().filter(|line| line.starts_with("RST_STREAM")).count()
    }

    /// Whether a stream was reset more than once.
    pub fn resets_again(&self) -> bool {
        let resets = |lines: &[String]| lines.iter().filter(|line| line.starts_with("RST_STREAM")).count();
        self.written.values().any(|lines| resets(lines) > 1)
    }

    /// Whether a stream was refused that was not refused there.
    pub fn refuses_another(&self, other: &Seen) -> bool {
        let refused = |seen: &Seen, stream: &u32| {
            seen.written
                .get(stream)
                .is_some_and(|lines| lines.iter().any(|line| line.contains("REFUSED_STREAM")))
        };
        self.written.keys().any(|stream| refused(self, stream) && !refused(other, stream))
    }

    /// All but these streams, and but the credit of the connection if there are any.
    pub fn without(&self, streams: &[u32]) -> Seen {
        let mut rest = self.clone();
        for lines in [&mut rest.heard, &mut rest.written] {
            lines.retain(|stream, _| !streams.contains(stream));
        }
        if let Some(lines) = rest.written.get_mut(&0).filter(|_| !streams.is_empty()) {
            lines.retain(|line| !line.starts_with("credit"));
        }
        rest
    }

    pub fn write(&mut self, stream: u32, text: String) {
        self.written.entry(stream).or_default().push(text);
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, lines) in [("heard", &self.heard), ("written", &self.written)] {
            for (stream, lines) in lines {
                writeln!(f, "  {name} {stream}: {}", lines.join(" | "))?;
            }
        }
        Ok(())
    }
}
