//! What is held of frames that were cut: [`Gather`], and [`FieldBlock`], which joins the fragments of HEADERS
//! and CONTINUATION (RFC 9113 §4.3, §6.10).
//!
//! Always true here: memory is taken for octets that have come, never for a length that was announced; an
//! open field block admits nothing but CONTINUATION of its own stream, and stays within the limits.

use super::{Flags, Frame, FrameHeader, FrameType, ReaderLimits, headers::Headers};
use crate::{
    buffer::{Block, BufferPool},
    error::Misdeed,
    stream_id::StreamId,
};

/// A field block that has begun and not ended.
pub(super) struct FieldBlock {
    stream: StreamId,
    end_stream: bool,
    depends_on: Option<StreamId>,
    continuations: u32,
    fragments: Gather,
}

impl FieldBlock {
    /// Begins with HEADERS that lack END_HEADERS.
    pub(super) fn new(header: &FrameHeader, headers: &Headers<'_>, pool: &BufferPool) -> Self {
        let mut fragments = Gather::default();
        fragments.append(headers.fragment, pool);
        FieldBlock {
            stream: header.stream,
            end_stream: header.flags.contains(Flags::END_STREAM),
            depends_on: headers.depends_on,
            continuations: 0,
            fragments,
        }
    }

    /// Judges the next frame by its header, before any of its payload is held.
    pub(super) fn admit(&mut self, header: &FrameHeader, limits: &ReaderLimits) -> Result<(), Misdeed> {
        // §6.10: any other frame, on any stream, is a connection error.
        if header.kind != FrameType::CONTINUATION || header.stream != self.stream {
            return Err(Misdeed::FieldBlockInterrupted);
        }
        if header.length > limits.max_frame_size {
            return Err(Misdeed::FrameTooLarge);
        }
        self.continuations += 1;
        if self.continuations > limits.max_continuations {
            return Err(Misdeed::ContinuationFlood);
        }
        if self.fragments.filled().len() + header.length as usize > limits.max_field_block {
            return Err(Misdeed::FieldBlockTooLarge);
        }
        Ok(())
    }

    /// More octets of the fragment that was admitted.
    pub(super) fn append(&mut self, octets: &[u8], pool: &BufferPool) {
        self.fragments.append(octets, pool);
    }

    /// The joined frame, once the last fragment is there.
    pub(super) fn headers(&self) -> Frame<'_> {
        Frame::Headers {
            stream: self.stream,
            end_stream: self.end_stream,
            depends_on: self.depends_on,
            block: self.fragments.filled(),
        }
    }

    /// Octets of memory held.
    pub(super) fn held(&self) -> usize {
        self.fragments.held()
    }
}

/// Octets that wait for more, in the smallest block that holds them.
// Boxed, so that the reader of an idle connection stays small; only frames that were cut pay for it.
#[derive(Default)]
pub(super) struct Gather(Option<Box<Block>>);

impl Gather {
    pub(super) fn append(&mut self, octets: &[u8], pool: &BufferPool) {
        if octets.is_empty() {
            return;
        }
        let filled = self.filled();
        let needed = filled.len() + octets.len();
        if needed > self.held() {
            // Size classes grow by a third at least, so the quarter changes nothing below the largest of
            // them; above, where capacity is exact, it keeps the copying in proportion to what arrived.
            let mut larger = pool.take(needed.max(filled.len() + filled.len() / 4));
            larger.append(filled);
            self.0 = Some(Box::new(larger));
        }
        if let Some(block) = &mut self.0 {
            block.append(octets);
        }
    }

    pub(super) fn filled(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |block| block.filled())
    }

    /// Octets of memory held.
    pub(super) fn held(&self) -> usize {
        self.0.as_ref().map_or(0, |block| block.capacity())
    }

    pub(super) fn clear(&mut self) {
        self.0 = None;
    }
}
