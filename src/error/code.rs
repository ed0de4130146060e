//! Error codes of RFC 9113 §7. Unknown codes are kept as they are and treated as INTERNAL_ERROR would be.

use std::fmt;

/// An error code of RFC 9113 §7, any 32-bit value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode(u32);

macro_rules! codes {
    ($($value:literal $name:ident $text:literal;)*) => {
        impl ErrorCode {
            $(#[doc = concat!($text, " (RFC 9113 §7).")] pub const $name: ErrorCode = ErrorCode($value);)*

            /// What the code means, in a few words.
            pub fn description(self) -> &'static str {
                match self.0 { $($value => $text,)* _ => "unknown error code" }
            }

            fn name(self) -> Option<&'static str> {
                match self.0 { $($value => Some(stringify!($name)),)* _ => None }
            }
        }
    };
}

codes! {
    0x0 NO_ERROR "graceful end, not an error";
    0x1 PROTOCOL_ERROR "a protocol rule was broken";
    0x2 INTERNAL_ERROR "unexpected internal failure";
    0x3 FLOW_CONTROL_ERROR "a flow-control rule was broken";
    0x4 SETTINGS_TIMEOUT "SETTINGS were not acknowledged in time";
    0x5 STREAM_CLOSED "a frame came for a closed stream";
    0x6 FRAME_SIZE_ERROR "a frame has a wrong size";
    0x7 REFUSED_STREAM "the stream was refused before any processing";
    0x8 CANCEL "the stream is no longer needed";
    0x9 COMPRESSION_ERROR "the field compression state is lost";
    0xa CONNECT_ERROR "the connection of a CONNECT request failed";
    0xb ENHANCE_YOUR_CALM "the peer behaves in a way that may cause excessive load";
    0xc INADEQUATE_SECURITY "the transport is not secure enough";
    0xd HTTP_1_1_REQUIRED "HTTP/1.1 is required";
}

impl ErrorCode {
    /// The code as a number.
    pub const fn value(self) -> u32 {
        self.0
    }
}

impl From<u32> for ErrorCode {
    fn from(value: u32) -> Self {
        ErrorCode(value)
    }
}

impl From<ErrorCode> for u32 {
    fn from(code: ErrorCode) -> u32 {
        code.0
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "error code {:#x}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_name_and_an_unknown_one_its_number() {
        assert_eq!(ErrorCode::from(0xd).to_string(), "HTTP_1_1_REQUIRED");
        assert_eq!(ErrorCode::from(0xe).to_string(), "error code 0xe");
        assert!((0..=0xd).all(|n| ErrorCode::from(n).description() != "unknown error code"));
    }
}
