//! Where RFC 9113 leaves a choice: every point in which [`Manners::H2`] differs from our own way, in one place.
//!
//! The crate `h2` has programs and tests written against what it is seen to do; a facade in its name has to do the
//! same, also where it has another code for an error, or lets it reach further, than the RFC says ([`Manners::code`],
//! `reach`, `resets_idle`). Always true here: memory and work stay bounded either way; the budgets for floods are the same,
//! but for empty DATA frames, of which h2 takes fewer.

use bytes::Bytes;

use crate::{
    config::Manners,
    error::{ErrorCode, Fault, Misdeed, Reach},
};

impl Manners {
    fn is_h2(self) -> bool {
        self == Manners::H2
    }

    /// Connection credit (§5.2) goes to streams in the order in which they ask, when DATA is queued, and DATA is
    /// sent from nothing else. Our own way is to spend from a common store when a frame is written, so that
    /// queued DATA that cannot move holds no credit.
    pub(super) fn assigns_when_queued(self) -> bool {
        self.is_h2()
    }

    /// Streams take turns of one frame, HEADERS included, without regard to priorities (RFC 9218). Our own way
    /// is to write what a stream has ready, urgent streams first.
    pub(super) fn one_frame_a_turn(self) -> bool {
        self.is_h2()
    }

    /// Nothing is known of RFC 9218: PRIORITY_UPDATE for a stream that is not open is forgotten, and
    /// SETTINGS_NO_RFC7540_PRIORITIES does not excuse a stream that depends on itself.
    pub(super) fn disregards_priorities(self) -> bool {
        self.is_h2()
    }

    /// WINDOW_UPDATE is due when what can be given back is half of what the peer has left; it is looked at when
    /// everything that came has been read, the connection's first, then those of the streams whose octets were
    /// released; after that come resets and what streams send. Our own measure is half of the whole window, at
    /// once.
    pub(super) fn updates_late(self) -> bool {
        self.is_h2()
    }

    /// A field section larger than the peer's SETTINGS_MAX_HEADER_LIST_SIZE, which is advice (§10.5.1), is sent all
    /// the same.
    pub(super) fn ignores_max_header_list_size(self) -> bool {
        self.is_h2()
    }

    /// A request takes its place among the concurrent streams (§5.1.2) when it is about to be written, before
    /// all that older streams have to send. Our own way is to take it at once.
    pub(super) fn opens_when_written(self) -> bool {
        self.is_h2()
    }

    /// The code of a broken rule. h2 has PROTOCOL_ERROR for much that the RFC gives a code of its own.
    pub fn code(self, misdeed: Misdeed) -> ErrorCode {
        use Misdeed::*;
        match misdeed {
            _ if !self.is_h2() => misdeed.code(),
            AckWithPayload
            | BadFieldBlock
            | DataAfterEnd
            | FieldSectionTooLarge
            | FrameTooShort
            | HeadersAfterEnd
            | SettingsLengthInvalid
            | SettingsWindowInvalid
            | TableSizeUpdateMissing => ErrorCode::PROTOCOL_ERROR,
            _ => misdeed.code(),
        }
    }

    /// How far a broken rule reaches (§5.4). h2 ends the connection for some that the RFC lets end a stream.
    pub(super) fn reach(self, fault: Fault) -> Reach {
        use Misdeed::*;
        match fault.misdeed {
            DataAfterEnd
            | FieldNameInvalid
            | FieldValueInvalid
            | FrameTooShort
            | HeadersAfterEnd
            | MissingContentAfterEnd
            | WindowUpdateZero
                if self.is_h2() =>
            {
                Reach::Connection
            }
            _ => fault.reach,
        }
    }

    /// A stream that the peer makes depend on itself is reset even if it was never opened.
    pub(super) fn resets_idle(self, misdeed: Misdeed) -> bool {
        self.is_h2() && misdeed == Misdeed::SelfDependency
    }

    /// Frames for a stream that has ended and is not remembered are a stream error; those that were reset beyond
    /// what is remembered are among them, and so are those that were refused. Our own way is to excuse frames that
    /// may have crossed a reset, and to end the connection for others.
    pub(super) fn answers_for_forgotten_streams(self) -> bool {
        self.is_h2()
    }

    /// An acknowledgement of SETTINGS that were not sent is an error (§6.5.3 does not say so).
    pub(super) fn refuses_stray_ack(self) -> bool {
        self.is_h2()
    }

    /// A lower SETTINGS_HEADER_TABLE_SIZE of ours is not insisted on (RFC 7541 §4.2).
    pub(super) fn lets_table_size_slip(self) -> bool {
        self.is_h2()
    }

    /// A message that is malformed in the field section that ended the stream, after our side had ended, is not
    /// answered: there is nothing left to reset.
    pub(super) fn lets_ended_streams_rest(self, misdeed: Misdeed) -> bool {
        let late = [Misdeed::BodyLengthMismatch, Misdeed::FieldSectionTooLarge, Misdeed::MissingStatus];
        self.is_h2() && late.contains(&misdeed)
    }

    /// A field section above four times the limit ends the connection.
    pub(super) fn ends_for_huge_section(self, octets: usize, limit: usize) -> bool {
        self.is_h2() && octets > limit.saturating_mul(4)
    }

    /// The largest field section that is taken under this limit: for h2 the limit itself is too large.
    pub(super) fn largest_section(self, limit: usize) -> usize {
        if self.is_h2() { limit.saturating_sub(1) } else { limit }
    }

    /// Octets of a field block that are read beyond half as much again as the limit of the section, so that a section
    /// up to four times too large has an answer of its own; not where that would be much memory.
    pub(super) fn room_for_field_block(self, limit: usize) -> usize {
        if self.is_h2() && limit <= 256 << 10 { limit.saturating_mul(3) } else { 0 }
    }

    /// Cookies are handed on as they came. Our own way is to join their crumbs, as §8.2.3 asks for generic
    /// applications.
    pub(super) fn joins_cookies(self) -> bool {
        !self.is_h2()
    }

    /// After a GOAWAY of the peer requests that wait for a place are opened all the same, if it names them. Our own
    /// way is to say at once that they may be tried elsewhere.
    pub(super) fn opens_after_goaway(self) -> bool {
        self.is_h2()
    }

    /// GOAWAY names the last request that was taken up, not the last that came.
    pub(super) fn names_last_processed(self) -> bool {
        self.is_h2()
    }

    /// A request that was not sent fails for the same reason as the connection. Our own way is to say that it may be
    /// sent again.
    pub(super) fn fails_unsent_alike(self) -> bool {
        self.is_h2()
    }

    /// The DATA of a tunnel may end with trailers, either way (§8.5 does not allow it).
    pub(super) fn has_trailers_in_tunnels(self) -> bool {
        self.is_h2()
    }

    /// What GOAWAY says in its debug data (§6.8): which rule was broken; or, as h2, only which budget was used up.
    pub fn goaway_debug(self, misdeed: Misdeed) -> Bytes {
        if !self.is_h2() {
            return Bytes::from(misdeed.to_string());
        }
        Bytes::from_static(match misdeed {
            Misdeed::ResetFlood => b"too_many_resets",
            Misdeed::ResetProvoked => b"too_many_internal_resets",
            Misdeed::EmptyFrameFlood => b"too_many_data_frames",
            Misdeed::ContinuationFlood => b"too_many_continuations",
            Misdeed::FieldBlockTooLarge | Misdeed::FieldSectionFarTooLarge => b"header_list_way_too_large",
            _ => b"",
        })
    }

    /// What was to be acknowledged before the connection failed is acknowledged before GOAWAY.
    pub(super) fn answers_before_goaway(self) -> bool {
        self.is_h2()
    }

    /// A stream that the application gives up before its head was written is opened and then reset. Our own way
    /// is to say nothing.
    pub(super) fn opens_what_was_given_up(self) -> bool {
        self.is_h2()
    }

    /// A client that lets go of a stream cancels it even if all it had to send is queued. Our own way is to send
    /// that first.
    pub(super) fn drops_what_nobody_waits_for(self) -> bool {
        self.is_h2()
    }

    /// How a request that was answered with 431 (RFC 6585 §5) and goes on is ended, if it is more than an early answer
    /// (§8.1).
    pub(super) fn code_after_431(self) -> Option<ErrorCode> {
        self.is_h2().then_some(ErrorCode::PROTOCOL_ERROR)
    }

    /// A request that was answered before its end, and is not read any more, is reset at once (§8.1). Our own way is
    /// to let it end by itself for a moment.
    pub(super) fn ends_early_answers_at_once(self) -> bool {
        self.is_h2()
    }
}
