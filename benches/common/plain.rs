//! A plain copy loop over TCP: what carrying octets costs when there is no HTTP/2.
//!
//! Each call is sixteen octets that say how many go which way, then these, then one octet back if they went up. Both
//! ends read into one buffer that they keep and drop what they read; both write from one body that is shared.

use std::{io, sync::Arc};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};

use super::{BoxError, Bulk, Client, accept, expect_octets, raw, socket};

/// The most octets of a body.
pub const MOST: usize = raw::LONG;

/// How much is read and written at once.
#[derive(Clone, Copy, Debug)]
pub struct Buffers {
    /// Octets of the buffer that is read into.
    pub read: usize,
    /// Octets of each write.
    pub write: usize,
}

/// A client. Clones share the connection and take turns.
#[derive(Clone)]
pub struct Plain(Arc<Mutex<End>>);

impl Plain {
    /// A server in a task, and a connection to it.
    pub async fn start(buffers: Buffers) -> Result<Self, BoxError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        tokio::spawn(async move {
            // The client notices, and says so.
            drop(accept(listener, move |socket| End::new(socket, buffers).answer()).await);
        });
        Ok(Plain(Arc::new(Mutex::new(End::new(socket(addr).await?, buffers)))))
    }

    async fn call(&self, up: Bytes, down: usize) -> Result<(), BoxError> {
        let mut end = self.0.lock().await;
        end.socket
            .write_all(&[(up.len() as u64).to_be_bytes(), (down as u64).to_be_bytes()].concat())
            .await?;
        end.write(&up).await?;
        let came = end.read(if up.is_empty() { down } else { 1 }).await?;
        expect_octets(came, if up.is_empty() { down } else { 1 })
    }
}

impl Client for Plain {
    type Held = ();

    async fn unary(&mut self, payload: Bytes) -> Result<(), BoxError> {
        self.call(payload, 0).await
    }

    async fn hold(&mut self) -> Result<(), BoxError> {
        Err("a plain connection has no streams".into())
    }
}

impl Bulk for Plain {
    const OCTETS: usize = MOST;

    fn material(octets: usize) -> Bytes {
        raw::body(octets)
    }

    async fn upload(&mut self, material: Bytes) -> Result<(), BoxError> {
        self.call(material, 0).await
    }

    async fn download(&mut self, octets: usize) -> Result<(), BoxError> {
        self.call(Bytes::new(), octets).await
    }
}

/// One end.
struct End {
    socket: TcpStream,
    buffer: Vec<u8>,
    write: usize,
}

impl End {
    fn new(socket: TcpStream, buffers: Buffers) -> Self {
        End { socket, buffer: vec![0; buffers.read], write: buffers.write }
    }

    async fn answer(mut self) -> Result<(), BoxError> {
        loop {
            let mut asked = [0; 16];
            self.socket.read_exact(&mut asked).await?;
            let asked = u128::from_be_bytes(asked);
            let (up, down) = ((asked >> 64) as usize, asked as u64 as usize);
            if up > 0 {
                expect_octets(self.read(up).await?, up)?;
                self.socket.write_u8(0).await?;
            }
            self.write(&raw::body(down)).await?;
        }
    }

    /// Reads so many octets and drops them.
    async fn read(&mut self, octets: usize) -> io::Result<usize> {
        let mut came = 0;
        while came < octets {
            let room = self.buffer.len().min(octets - came);
            match self.socket.read(&mut self.buffer[..room]).await? {
                0 => break,
                more => came += more,
            }
        }
        Ok(came)
    }

    async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        for part in octets.chunks(self.write) {
            self.socket.write_all(part).await?;
        }
        Ok(())
    }
}
