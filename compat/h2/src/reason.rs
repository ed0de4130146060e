//! The error codes of RFC 9113 §7, under the name and with the words that h2 gives them.

use std::fmt;

use millpond::ErrorCode;

macro_rules! reasons {
    ($($name:ident $text:literal;)*) => {
        /// Why a stream or a connection ended (RFC 9113 §7).
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct Reason(u32);

        impl Reason {
            $(#[doc = concat!("The peer is told: ", $text, ".")]
            pub const $name: Reason = Reason(ErrorCode::$name.value());)*

            /// What the code means, in words.
            pub fn description(&self) -> &str {
                match *self {
                    $(Reason::$name => $text,)*
                    _ => "unknown reason",
                }
            }
        }

        impl fmt::Debug for Reason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {
                    $(Reason::$name => f.write_str(stringify!($name)),)*
                    Reason(code) => write!(f, "Reason({code:x})"),
                }
            }
        }
    };
}

reasons! {
    NO_ERROR "not a result of an error";
    PROTOCOL_ERROR "unspecific protocol error detected";
    INTERNAL_ERROR "unexpected internal error encountered";
    FLOW_CONTROL_ERROR "flow-control protocol violated";
    SETTINGS_TIMEOUT "settings ACK not received in timely manner";
    STREAM_CLOSED "received frame when stream half-closed";
    FRAME_SIZE_ERROR "frame with invalid size";
    REFUSED_STREAM "refused stream before processing any application logic";
    CANCEL "stream no longer needed";
    COMPRESSION_ERROR "unable to maintain the header compression context";
    CONNECT_ERROR "connection established in response to a CONNECT request was reset or abnormally closed";
    ENHANCE_YOUR_CALM "detected excessive load generating behavior";
    INADEQUATE_SECURITY "security properties do not meet minimum requirements";
    HTTP_1_1_REQUIRED "endpoint requires HTTP/1.1";
}

impl From<u32> for Reason {
    fn from(code: u32) -> Self {
        Reason(code)
    }
}

impl From<Reason> for u32 {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl From<ErrorCode> for Reason {
    fn from(code: ErrorCode) -> Self {
        Reason(code.into())
    }
}

impl From<Reason> for ErrorCode {
    fn from(reason: Reason) -> Self {
        ErrorCode::from(reason.0)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}
