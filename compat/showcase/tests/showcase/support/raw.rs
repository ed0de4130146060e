//! Frames by hand, for a peer that does what no library does (RFC 9113 §4.1).

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a client says first (RFC 9113 §3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Frame types (RFC 9113 §6).
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;

/// The ACK flag of SETTINGS and PING.
pub(crate) const ACK: u8 = 1;

/// A frame with its header.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A server's end of a socket, after the prefaces of both: empty SETTINGS are sent and the client's acknowledged.
pub(crate) async fn accept(mut socket: TcpStream) -> TcpStream {
    let mut preface = [0; PREFACE.len()];
    socket.read_exact(&mut preface).await.expect("a preface");
    assert_eq!(preface, PREFACE);
    write(&mut socket, &frame(SETTINGS, 0, 0, &[])).await;
    write(&mut socket, &frame(SETTINGS, ACK, 0, &[])).await;
    socket
}

/// Writes these octets; whoever reads them sees to the rest.
pub(crate) async fn write(socket: &mut TcpStream, octets: &[u8]) {
    socket.write_all(octets).await.expect("the peer is there");
}

/// Reads frames until one of this type, without answering any; gives its stream and payload.
pub(crate) async fn read_until(socket: &mut TcpStream, wanted: u8) -> (u32, Vec<u8>) {
    loop {
        let mut header = [0; 9];
        socket.read_exact(&mut header).await.expect("a frame");
        let [a, b, c, kind, _, stream @ ..] = header;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        socket.read_exact(&mut payload).await.expect("its payload");
        if kind == wanted {
            return (u32::from_be_bytes(stream), payload);
        }
    }
}

/// Reads and forgets until the peer closes.
pub(crate) async fn listen_only(mut socket: TcpStream) {
    let mut scrap = [0; 1024];
    while matches!(socket.read(&mut scrap).await, Ok(octets) if octets > 0) {}
}
