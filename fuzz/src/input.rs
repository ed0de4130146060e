//! Choices read from the input, octet by octet. A used-up input gives zeros, so that every prefix is an input too.

pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn octet(&mut self) -> u8 {
        self.octets(1).first().copied().unwrap_or(0)
    }

    /// A number of two octets.
    pub fn number(&mut self) -> usize {
        usize::from(self.octet()) << 8 | usize::from(self.octet())
    }

    /// The next `count` octets, or as many as are left.
    pub fn octets(&mut self, count: usize) -> &'a [u8] {
        let (octets, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        octets
    }

    /// As many octets as the next octet says.
    pub fn some(&mut self) -> &'a [u8] {
        let count = self.octet();
        self.octets(count.into())
    }
}
