//! gRPC by hand, for tests that send and read raw bodies: the five-octet message prefix, and `echo.Msg` without prost.
//!
//! Everything that reads returns an error for what is cut short; nothing here looks at metadata.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::{Request, header};

/// Octets before each message: the compressed flag and the length.
pub const PREFIX: usize = 5;

/// `application/grpc`.
pub const CONTENT_TYPE: &str = "application/grpc";

/// What a body of gRPC messages can be wrong in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// The body ends inside a prefix or a message.
    Cut,
    /// The message is compressed, which these helpers do not undo.
    Compressed,
    /// The message is not an `echo.Msg`.
    NotMsg,
}

impl std::fmt::Display for BodyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Cut => "the body ends inside a message",
            Self::Compressed => "the message is compressed",
            Self::NotMsg => "the message is not an echo.Msg",
        })
    }
}

impl std::error::Error for BodyError {}

/// One message with its prefix, not compressed.
pub fn frame(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(PREFIX + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).expect("a test message is below 4 GiB"));
    framed.put_slice(message);
    framed.freeze()
}

/// The messages of a whole body. They share its memory.
pub fn messages(mut body: Bytes) -> Result<Vec<Bytes>, BodyError> {
    let mut messages = Vec::new();
    while body.has_remaining() {
        let compressed = body.try_get_u8().map_err(|_| BodyError::Cut)?;
        let length = body.try_get_u32().map_err(|_| BodyError::Cut)? as usize;
        if compressed != 0 {
            return Err(BodyError::Compressed);
        }
        if body.len() < length {
            return Err(BodyError::Cut);
        }
        messages.push(body.split_to(length));
    }
    Ok(messages)
}

/// An `echo.Msg` in protobuf: field 1, octets. An empty field is left out, as proto3 says.
pub fn encode_msg(data: &[u8]) -> Bytes {
    let mut encoded = BytesMut::with_capacity(data.len() + 11);
    if !data.is_empty() {
        encoded.put_u8(0x0a);
        let mut length = data.len();
        while length >= 0x80 {
            encoded.put_u8(length as u8 | 0x80);
            length >>= 7;
        }
        encoded.put_u8(length as u8);
        encoded.put_slice(data);
    }
    encoded.freeze()
}

/// The octets in an encoded `echo.Msg`. They share its memory.
pub fn decode_msg(mut encoded: Bytes) -> Result<Bytes, BodyError> {
    if encoded.is_empty() {
        return Ok(encoded);
    }
    if encoded.get_u8() != 0x0a {
        return Err(BodyError::NotMsg);
    }
    let mut length = 0_u64;
    for shift in (0..63).step_by(7) {
        let octet = encoded.try_get_u8().map_err(|_| BodyError::Cut)?;
        length |= u64::from(octet & 0x7f) << shift;
        if octet < 0x80 {
            return if length == encoded.len() as u64 { Ok(encoded) } else { Err(BodyError::NotMsg) };
        }
    }
    Err(BodyError::NotMsg)
}

/// The request body of one `echo.Echo` call with one message: [`frame`] around [`encode_msg`].
pub fn echo_body(data: &[u8]) -> Bytes {
    frame(&encode_msg(data))
}

/// The octets of every `echo.Msg` of a response body.
pub fn echo_data(body: Bytes) -> Result<Vec<Bytes>, BodyError> {
    messages(body)?.into_iter().map(decode_msg).collect()
}

/// A gRPC request to a method such as `/echo.Echo/Unary` of the server at this authority.
pub fn request<B>(authority: impl std::fmt::Display, method: &str, body: B) -> Request<B> {
    Request::post(format!("http://{authority}{method}"))
        .header(header::CONTENT_TYPE, CONTENT_TYPE)
        .header(header::TE, "trailers")
        .body(body)
        .expect("a test calls a well-formed method of a well-formed authority")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_comes_back() {
        for size in [0, 1, 127, 128, 16_383, 16_384, 70_000] {
            let data = vec![7; size];
            let body = [echo_body(&data), echo_body(b"next")].concat();
            assert_eq!(
                echo_data(body.into()).expect("whole"),
                [Bytes::from(data), Bytes::from_static(b"next")]
            );
        }
    }

    #[test]
    fn a_body_cut_anywhere_is_an_error() {
        let body = echo_body(&[7; 200]);
        for end in 1..body.len() {
            assert_eq!(echo_data(body.slice(..end)), Err(BodyError::Cut));
        }
        let message = encode_msg(&[7; 200]);
        for end in 1..message.len() {
            assert!(decode_msg(message.slice(..end)).is_err(), "{end}");
        }
    }

    #[test]
    fn what_is_not_ours_is_an_error() {
        assert_eq!(messages(Bytes::from_static(&[1, 0, 0, 0, 0])), Err(BodyError::Compressed));
        assert_eq!(decode_msg(Bytes::from_static(&[0x12, 0])), Err(BodyError::NotMsg));
        assert_eq!(decode_msg(Bytes::from_static(&[0x0a; 1]).clone()), Err(BodyError::Cut));
        assert_eq!(decode_msg(vec![0x8a; 20].into()), Err(BodyError::NotMsg));
        let overlong: Vec<u8> = [0x0a].into_iter().chain([0xff; 12]).collect();
        assert_eq!(decode_msg(overlong.into()), Err(BodyError::NotMsg));
    }

    #[cfg(feature = "echo")]
    #[test]
    fn prost_agrees() {
        use prost::Message;
        for size in [0, 1, 127, 128, 70_000] {
            let message = crate::echo::Msg { data: vec![9; size].into() };
            assert_eq!(encode_msg(&message.data), message.encode_to_vec());
        }
    }
}
