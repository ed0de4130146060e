//! What only the build on millpond can say.

/// Whose code carries this build's connections.
pub fn carrier() -> &'static str {
    #[cfg(feature = "facade")]
    if h2::is_millpond() {
        return "millpond";
    }
    "h2"
}

/// Blocks of millpond's pool that anyone holds: 0 when all rests, and always on the real h2.
pub fn blocks_out() -> usize {
    #[cfg(feature = "facade")]
    let blocks = millpond::buffer::BufferPool::global().stats().blocks_out;
    #[cfg(not(feature = "facade"))]
    let blocks = 0;
    blocks
}
