//! What a peer can do wrong: one variant a rule, sorted by name, each with its RFC 9113 §7 code.
//!
//! Whether a misdeed ends the stream or the connection is decided where it is found (RFC 9113 §5.4): see
//! [`Fault`](crate::error::Fault).

use std::fmt;

use super::ErrorCode;

macro_rules! misdeeds {
    ($($name:ident $code:ident $text:literal;)*) => {
        /// A rule that a peer broke, or a limit that was reached, by name. Log lines and tests quote it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Misdeed {
            $(#[doc = concat!("The peer's fault: ", $text, ".")] $name,)*
        }

        impl Misdeed {
            /// The code that RFC 9113 §7 gives for it; the only place where a misdeed becomes a code.
            pub fn code(self) -> ErrorCode {
                match self { $(Misdeed::$name => ErrorCode::$code,)* }
            }

            /// Whether no rule was broken: a limit of ours was reached, be it by the peer or by our application.
            pub(super) fn is_our_decision(self) -> bool {
                matches!(self, Misdeed::MemoryExhausted | Misdeed::MemoryPressure | Misdeed::StreamIdle)
            }

            /// Every misdeed there is.
            pub const ALL: &'static [Misdeed] = &[$(Misdeed::$name,)*];

            fn text(self) -> &'static str {
                match self { $(Misdeed::$name => $text,)* }
            }
        }
    };
}

misdeeds! {
    AckWithPayload FRAME_SIZE_ERROR "SETTINGS with ACK and a payload (§6.5)";
    BadFieldBlock COMPRESSION_ERROR "field block that HPACK cannot decode (RFC 7541)";
    BadPreface PROTOCOL_ERROR "connection preface missing or wrong (§3.4)";
    BadPriorityFieldValue PROTOCOL_ERROR "priority field value that cannot be parsed (RFC 9218 §7.1)";
    BadPseudoField PROTOCOL_ERROR "pseudo-header field unknown, repeated, misplaced, missing or empty (§8.3)";
    BodyLengthMismatch PROTOCOL_ERROR "DATA octets differ from content-length (§8.1.1)";
    ConnectionSpecificField PROTOCOL_ERROR "connection-specific field (§8.2.2)";
    ContinuationFlood ENHANCE_YOUR_CALM "too many CONTINUATION frames in one field block";
    ContinuationUnexpected PROTOCOL_ERROR "CONTINUATION without an open field block (§6.10)";
    ControlFrameTooLarge ENHANCE_YOUR_CALM "SETTINGS, GOAWAY or PRIORITY_UPDATE of more than 16,384 octets";
    DataAfterEnd STREAM_CLOSED "frame on a stream that the peer had ended (§5.1)";
    DataOnClosedStream STREAM_CLOSED "frame on a closed stream (§5.1)";
    EmptyFrameFlood ENHANCE_YOUR_CALM "too many empty DATA frames";
    EvenStreamId PROTOCOL_ERROR "stream identifier of the wrong parity (§5.1.1)";
    FieldBlockInterrupted PROTOCOL_ERROR "another frame inside a field block (§4.3, §6.10)";
    FieldBlockTooLarge ENHANCE_YOUR_CALM "compressed field block beyond the limit";
    FieldNameInvalid PROTOCOL_ERROR "field name with upper case or a forbidden octet (§8.2.1)";
    FieldSectionFarTooLarge ENHANCE_YOUR_CALM "field section far beyond the advertised limit (§6.5.2)";
    FieldSectionTooLarge ENHANCE_YOUR_CALM "field section beyond the advertised limit (§6.5.2)";
    FieldValueInvalid PROTOCOL_ERROR "field value with a forbidden octet (§8.2.1)";
    FrameBeforeSettings PROTOCOL_ERROR "first frame is not SETTINGS (§3.4)";
    FrameOnConnection PROTOCOL_ERROR "frame that needs a stream came on stream 0 (§6)";
    FrameOnIdleStream PROTOCOL_ERROR "frame on an idle stream (§5.1)";
    FrameOnStream PROTOCOL_ERROR "frame that needs stream 0 came on a stream (§6)";
    FrameTooLarge FRAME_SIZE_ERROR "frame longer than SETTINGS_MAX_FRAME_SIZE (§4.2)";
    FrameTooShort FRAME_SIZE_ERROR "frame of a wrong length (§4.2)";
    GoAwayFlood ENHANCE_YOUR_CALM "too many GOAWAY frames";
    GoAwayIncreased PROTOCOL_ERROR "GOAWAY with a higher last stream identifier than before (§6.8)";
    HandshakeTimeout PROTOCOL_ERROR "preface or SETTINGS did not arrive in time";
    HeadersAfterEnd STREAM_CLOSED "HEADERS on a stream that the peer had ended (§5.1)";
    HeadersInTunnel PROTOCOL_ERROR "HEADERS on a connected stream (§8.5)";
    HeadersTimeout ENHANCE_YOUR_CALM "field block, or another frame, not finished in time";
    InformationalEndsStream PROTOCOL_ERROR "informational response with END_STREAM (§8.1)";
    InformationalFlood ENHANCE_YOUR_CALM "too many informational responses";
    KeepaliveTimeout NO_ERROR "no answer to a keepalive PING in time";
    MemoryExhausted ENHANCE_YOUR_CALM "no memory is left in the budget for what came";
    MemoryPressure REFUSED_STREAM "too little memory is left in the budget for another stream";
    MissingContentAfterEnd PROTOCOL_ERROR "stream ended before the final response (§8.1)";
    MissingStatus PROTOCOL_ERROR "response without :status (§8.3.2)";
    PaddingTooLong PROTOCOL_ERROR "padding as long as the payload or longer (§6.1)";
    PingFlood ENHANCE_YOUR_CALM "too many PING frames";
    PrioritizedTooMany PROTOCOL_ERROR "PRIORITY_UPDATE for more idle streams than may be opened (RFC 9218 §7.1)";
    PriorityFlood ENHANCE_YOUR_CALM "too many PRIORITY or PRIORITY_UPDATE frames";
    PushDisabled PROTOCOL_ERROR "PUSH_PROMISE although push is disabled (§8.4)";
    ResetFlood ENHANCE_YOUR_CALM "too many streams opened and reset (CVE-2023-44487)";
    ResetProvoked ENHANCE_YOUR_CALM "too many stream errors provoked (CVE-2025-8671)";
    SelfDependency PROTOCOL_ERROR "stream that depends on itself (RFC 7540 §5.3.1)";
    SettingsAckUnexpected PROTOCOL_ERROR "SETTINGS acknowledged that were not sent";
    SettingsFlood ENHANCE_YOUR_CALM "too many SETTINGS frames";
    SettingsLengthInvalid FRAME_SIZE_ERROR "SETTINGS payload not a multiple of six octets (§6.5)";
    SettingsNotAcknowledged SETTINGS_TIMEOUT "SETTINGS not acknowledged in time (§6.5.3)";
    SettingsValueInvalid PROTOCOL_ERROR "setting with a forbidden value (§6.5.2)";
    SettingsWindowInvalid FLOW_CONTROL_ERROR "initial window above 2^31 - 1 (§6.5.2)";
    StreamIdDecreased PROTOCOL_ERROR "stream identifier below one already used (§5.1.1)";
    StreamIdle CANCEL "nothing moved on the stream for too long";
    StreamLimitExceeded REFUSED_STREAM "more concurrent streams than allowed (§5.1.2)";
    TableSizeUpdateMissing COMPRESSION_ERROR "required dynamic table size update missing (RFC 7541 §4.2)";
    TrailersWithoutEnd PROTOCOL_ERROR "second HEADERS without END_STREAM (§8.1)";
    UnknownFrameFlood ENHANCE_YOUR_CALM "too many frames of unknown type";
    WindowExceeded FLOW_CONTROL_ERROR "DATA beyond the advertised flow-control window";
    WindowOverflow FLOW_CONTROL_ERROR "flow-control window driven above 2^31 - 1 (§6.9.1)";
    WindowUpdateFlood ENHANCE_YOUR_CALM "too many WINDOW_UPDATE frames";
    WindowUpdateZero PROTOCOL_ERROR "WINDOW_UPDATE with an increment of 0 (§6.9)";
    WriteStalled ENHANCE_YOUR_CALM "peer does not read what is sent to it";
    WriteTimeout ENHANCE_YOUR_CALM "peer took none of what waits for it for too long";
}

impl fmt::Display for Misdeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_by_name() {
        let names: Vec<_> = Misdeed::ALL.iter().map(|misdeed| format!("{misdeed:?}")).collect();
        assert!(names.is_sorted(), "{names:?}");
    }
}
