//! From octets, cut anywhere, to frames (RFC 9113 §4.1, §4.2).
//!
//! Always true here: a frame that lies in one block is given without copy or allocation; DATA and unknown
//! frames pass by as they come and are never held; of any other frame that was cut, only the octets that came
//! are held, and between frames nothing is. How the octets were cut does not change what comes out.

use super::{
    Flags, Frame, FrameHeader, FrameType, MIN_MAX_FRAME_SIZE, PieceRef, data,
    field_block::{FieldBlock, Gather},
    headers,
};
use crate::{
    buffer::{BufferPool, Cursor},
    error::{Fault, Misdeed, Reach},
    stream_id::StreamId,
};

/// Reads the frames of one connection, in one direction.
///
/// ```
/// use millpond::{buffer::{BufferPool, Cursor}, frame::{Frame, FrameReader, ReaderLimits}};
///
/// let pool = BufferPool::global();
/// let mut reader = FrameReader::new(pool.clone(), ReaderLimits::default());
/// let mut block = pool.take(17);
/// block.append(b"\0\0\x08\x06\0\0\0\0\0pingping");
/// let mut cursor = Cursor::new(block);
/// while let Some(frame) = reader.next(&mut cursor).expect("a well-formed frame") {
///     assert!(matches!(frame, Frame::Ping { ack: false, payload } if &payload == b"pingping"));
/// }
/// assert!(reader.is_at_boundary());
/// ```
pub struct FrameReader {
    pool: BufferPool,
    limits: ReaderLimits,
    state: State,
    /// Payload of the frame in [`State::Gather`], or already given in [`State::Spent`].
    gathered: Gather,
    /// Open until END_HEADERS; already given in [`State::Spent`].
    field_block: Option<Box<FieldBlock>>,
}

/// What one frame or field block may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderLimits {
    /// Payload octets of one frame: the SETTINGS_MAX_FRAME_SIZE that we advertised (RFC 9113 §4.2). SETTINGS, GOAWAY and
    /// PRIORITY_UPDATE may have 16,384 and no more, for they are held until they are whole.
    pub max_frame_size: u32,
    /// CONTINUATION frames in one field block. Bounds the work that empty ones cause.
    pub max_continuations: u32,
    /// Octets of one field block, still compressed, all its frames together; padding counts too.
    pub max_field_block: usize,
}

impl Default for ReaderLimits {
    fn default() -> Self {
        ReaderLimits {
            max_frame_size: super::MIN_MAX_FRAME_SIZE,
            // Peers that fill their frames need 3 for the field block below; leave room for those that do
            // not.
            max_continuations: 16,
            max_field_block: 64 * 1024,
        }
    }
}

/// Where the next octet belongs.
#[derive(Clone, Copy)]
enum State {
    /// To a frame header, of which `have` octets came in an earlier block.
    Header { have: u8, octets: [u8; FrameHeader::OCTETS] },
    /// It is the Pad Length of a DATA frame of `length` octets.
    PadLength { stream: StreamId, length: u32, end_stream: bool },
    /// To DATA, of which `left` octets and then `padding` are to come.
    Data { stream: StreamId, left: u32, padding: u8, end_stream: bool },
    /// To a frame that is held until it is whole.
    Gather { header: FrameHeader },
    /// To a CONTINUATION frame, of which `left` octets are to come.
    Fragment { left: u32, end_headers: bool },
    /// To nobody: padding, an unknown frame, or one refused with a stream error. At least one octet.
    Skip { left: u32 },
    /// To a frame header; what is held was given with the last frame and is free now.
    Spent,
    /// To nobody, ever: a connection error was found.
    Failed(Misdeed),
}

impl State {
    const BETWEEN_FRAMES: State = State::Header { have: 0, octets: [0; FrameHeader::OCTETS] };

    fn skip(left: u32) -> State {
        if left == 0 { State::BETWEEN_FRAMES } else { State::Skip { left } }
    }
}

impl FrameReader {
    /// A reader at a frame boundary; the connection preface is behind it.
    pub fn new(pool: BufferPool, limits: ReaderLimits) -> Self {
        FrameReader {
            pool,
            limits,
            state: State::BETWEEN_FRAMES,
            gathered: Gather::default(),
            field_block: None,
        }
    }

    /// Payload octets that frames may have from now on: when the peer acknowledged our
    /// SETTINGS_MAX_FRAME_SIZE, or when it was raised.
    pub fn set_max_frame_size(&mut self, octets: u32) {
        self.limits.max_frame_size = octets;
    }

    /// The next frame in `cursor`, or `None` when its octets are used up: then feed another block.
    ///
    /// Call it until it says `None`, even if no octets are left in `cursor`: an empty DATA payload may be
    /// due, and what is held for the last frame is freed by the next call.
    ///
    /// # Errors
    ///
    /// After a stream error go on calling: the frame is passed over. After a connection error every further
    /// call gives that error again, and nothing is held any more.
    pub fn next<'a>(&'a mut self, cursor: &'a mut Cursor) -> Result<Option<Frame<'a>>, Fault> {
        loop {
            match self.state {
                State::Data { stream, left, padding, end_stream } => {
                    let octets = cursor.remaining().min(left as usize);
                    if octets == 0 && left > 0 {
                        return Ok(None);
                    }
                    let left = left - octets as u32;
                    let last = left == 0;
                    self.state = match last {
                        true => State::skip(padding.into()),
                        false => State::Data { stream, left, padding, end_stream },
                    };
                    let payload = PieceRef::new(cursor, octets);
                    return Ok(Some(Frame::Data { stream, payload, last, end_stream: last && end_stream }));
                }
                State::Header { have, octets } => {
                    let Some(header) = self.take_header(have, octets, cursor) else { return Ok(None) };
                    if let Err(fault) = self.check(&header) {
                        return Err(self.refuse(fault, header.length));
                    }
                    let FrameHeader { length, kind, flags, stream } = header;
                    match kind {
                        FrameType::DATA => {
                            let end_stream = flags.contains(Flags::END_STREAM);
                            self.state = match flags.contains(Flags::PADDED) {
                                true => State::PadLength { stream, length, end_stream },
                                false => State::Data { stream, left: length, padding: 0, end_stream },
                            };
                            return Ok(Some(Frame::DataStart { stream, length, end_stream }));
                        }
                        FrameType::CONTINUATION => {
                            let end_headers = flags.contains(Flags::END_HEADERS);
                            self.state = State::Fragment { left: length, end_headers };
                        }
                        _ if !kind.is_known() => {
                            self.state = State::skip(length);
                            return Ok(Some(Frame::Unknown { kind: kind.value(), length }));
                        }
                        _ if cursor.remaining() < length as usize => self.state = State::Gather { header },
                        _ if headers::opens_field_block(&header) => {
                            match headers::parse(&header, cursor.take_slice(length as usize)) {
                                Ok(headers) => self.open_field_block(&header, &headers),
                                Err(fault) => return Err(self.refuse(fault, 0)),
                            }
                        }
                        _ => {
                            return super::parse(&header, cursor.take_slice(length as usize))
                                .map(Some)
                                .map_err(|fault| self.refuse(fault, 0));
                        }
                    }
                }
                State::PadLength { stream, length, end_stream } => {
                    let Some(&padding) = cursor.rest().first() else { return Ok(None) };
                    cursor.skip(1);
                    match data::unpadded_length(length, padding) {
                        Ok(left) => self.state = State::Data { stream, left, padding, end_stream },
                        Err(fault) => return Err(self.refuse(fault, 0)),
                    }
                }
                State::Gather { header } => {
                    let wanted = header.length as usize - self.gathered.filled().len();
                    let octets = cursor.remaining().min(wanted);
                    self.gathered.append(cursor.take_slice(octets), &self.pool);
                    if octets < wanted {
                        return Ok(None);
                    }
                    if headers::opens_field_block(&header) {
                        let gathered = std::mem::take(&mut self.gathered);
                        match headers::parse(&header, gathered.filled()) {
                            Ok(headers) => self.open_field_block(&header, &headers),
                            Err(fault) => return Err(self.refuse(fault, 0)),
                        }
                    } else {
                        // Parsed twice, for what is held can be freed only while no frame borrows it.
                        if let Err(fault) = super::parse(&header, self.gathered.filled()).map(drop) {
                            return Err(self.refuse(fault, 0));
                        }
                        self.state = State::Spent;
                        return super::parse(&header, self.gathered.filled()).map(Some);
                    }
                }
                State::Fragment { left, end_headers } => {
                    let octets = cursor.remaining().min(left as usize);
                    let fragment = cursor.take_slice(octets);
                    if let Some(field_block) = &mut self.field_block {
                        field_block.append(fragment, &self.pool);
                    }
                    let left = left - octets as u32;
                    if left > 0 {
                        self.state = State::Fragment { left, end_headers };
                        return Ok(None);
                    }
                    if end_headers {
                        self.state = State::Spent;
                        return Ok(self.field_block.as_deref().map(FieldBlock::headers));
                    }
                    self.state = State::BETWEEN_FRAMES;
                }
                State::Skip { left } => {
                    let octets = cursor.remaining().min(left as usize);
                    cursor.skip(octets);
                    self.state = State::skip(left - octets as u32);
                    if octets < left as usize {
                        return Ok(None);
                    }
                }
                State::Spent => {
                    self.release();
                    self.state = State::BETWEEN_FRAMES;
                }
                State::Failed(misdeed) => return Err(Fault::connection(misdeed)),
            }
        }
    }

    /// Whether the octets so far end with a whole frame and no open field block, so that the end of the
    /// connection cuts nothing off.
    pub fn is_at_boundary(&self) -> bool {
        match self.state {
            State::Header { have, .. } => have == 0 && self.field_block.is_none(),
            State::Spent => true,
            _ => false,
        }
    }

    /// Whether a field block (RFC 9113 §4.3), or another frame that is held until it is whole, has begun and not ended.
    pub fn is_gathering(&self) -> bool {
        match self.state {
            State::Spent => false,
            State::Gather { .. } => true,
            _ => self.field_block.is_some(),
        }
    }

    /// Octets of memory held for a frame or field block that is not whole yet.
    pub fn gathered(&self) -> usize {
        self.gathered.held() + self.field_block.as_ref().map_or(0, |field_block| field_block.held())
    }

    /// Takes a frame header, or what there is of it.
    fn take_header(
        &mut self,
        have: u8,
        mut octets: [u8; FrameHeader::OCTETS],
        cursor: &mut Cursor,
    ) -> Option<FrameHeader> {
        if have == 0
            && let Some(octets) = cursor.rest().first_chunk()
        {
            let header = FrameHeader::parse(octets);
            cursor.skip(FrameHeader::OCTETS);
            return Some(header);
        }
        let missing = &mut octets[usize::from(have)..];
        let more = cursor.remaining().min(missing.len());
        missing[..more].copy_from_slice(cursor.take_slice(more));
        if more < missing.len() {
            self.state = State::Header { have: have + more as u8, octets };
            return None;
        }
        self.state = State::BETWEEN_FRAMES;
        Some(FrameHeader::parse(&octets))
    }

    /// Judges a frame by its header, before any of its payload is held.
    fn check(&mut self, header: &FrameHeader) -> Result<(), Fault> {
        if let Some(field_block) = &mut self.field_block {
            return field_block.admit(header, &self.limits).map_err(Fault::connection);
        }
        // §4.2 would leave some of these to the stream; a peer that ignores our settings is not worth it.
        if header.length > self.limits.max_frame_size {
            return Err(Fault::connection(Misdeed::FrameTooLarge));
        }
        match header.kind {
            FrameType::CONTINUATION => Err(Fault::connection(Misdeed::ContinuationUnexpected)),
            FrameType::HEADERS if header.length as usize > self.limits.max_field_block => {
                Err(Fault::connection(Misdeed::FieldBlockTooLarge))
            }
            _ => super::check(header),
        }?;
        // Held until it is whole, so large frames of DATA are no reason to take such a one.
        let is_held =
            matches!(header.kind, FrameType::SETTINGS | FrameType::GOAWAY | FrameType::PRIORITY_UPDATE);
        if is_held && header.length > MIN_MAX_FRAME_SIZE {
            return Err(Fault::connection(Misdeed::ControlFrameTooLarge));
        }
        Ok(())
    }

    /// Passes over the `left` octets of a frame after a stream error; stops for good after a connection
    /// error.
    fn refuse(&mut self, fault: Fault, left: u32) -> Fault {
        match fault.reach {
            Reach::Stream(_) => self.state = State::skip(left),
            Reach::Connection => {
                self.release();
                self.state = State::Failed(fault.misdeed);
            }
        }
        fault
    }

    fn open_field_block(&mut self, header: &FrameHeader, headers: &headers::Headers<'_>) {
        self.field_block = Some(Box::new(FieldBlock::new(header, headers, &self.pool)));
        self.state = State::BETWEEN_FRAMES;
    }

    /// Gives back what is held.
    fn release(&mut self) {
        self.gathered.clear();
        self.field_block = None;
    }
}
