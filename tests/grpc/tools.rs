//! Calls in one line, and programs that run beside the test.

use std::{
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use millpond::{CallError, Channel};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::world::pause;

/// One call by our channel, to the end of the response.
pub async fn call<B>(channel: &Channel, request: Request<B>) -> Result<Response<Bytes>, CallError>
where
    B: http_body::Body<Error: Into<millpond::adapter::BoxError>> + Send + 'static,
{
    let (head, body) = channel.clone().oneshot(request).await?.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}

/// One call by stock h2: head, body and trailers of the response.
pub async fn h2_call(
    send: &h2::client::SendRequest<Bytes>,
    request: Request<()>,
    body: Bytes,
) -> Result<(Response<()>, Bytes, Option<HeaderMap>), h2::Error> {
    let mut send = send.clone().ready().await?;
    let (response, mut stream) = send.send_request(request, body.is_empty())?;
    if !body.is_empty() {
        stream.send_data(body, true)?;
    }
    let (head, mut body) = response.await?.into_parts();
    let mut octets = BytesMut::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        octets.extend_from_slice(&piece);
    }
    Ok((Response::from_parts(head, ()), octets.freeze(), body.trailers().await?))
}

/// Runs a program to its end and gives what it printed, which is shown if it fails or takes longer than two
/// minutes.
pub async fn output(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new("timeout");
    command.arg("120").arg(program).args(arguments).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{program} {arguments:?} ended with {}: {said}", output.status);
    said
}

/// A program that serves until this is dropped.
pub struct Daemon {
    child: Child,
    pub address: SocketAddr,
}

impl Daemon {
    /// Starts it with a port that is free, and waits until it listens there. Somebody else may take the port first:
    /// then there is another one, a few times.
    pub async fn start(command: impl Fn(u16) -> Command) -> Daemon {
        let mut ended = None;
        for _ in 0..5 {
            let address = free_address().await;
            let mut command = command(address.port());
            let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
            let child = child
                .unwrap_or_else(|error| panic!("{command:?}: {error}; tests/peers/install.sh installs it"));
            let mut daemon = Daemon { child, address };
            match daemon.listens().await {
                Ok(()) => return daemon,
                Err(status) => ended = Some(format!("{command:?} ended with {status}")),
            }
        }
        panic!("{ended:?}");
    }

    /// Waits until it listens; or with what it ended before that.
    async fn listens(&mut self) -> Result<(), ExitStatus> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            let connected = TcpStream::connect(self.address).await.is_ok();
            // Whoever answered, it was not this one if it is about to end.
            pause(20).await;
            if let Some(status) = self.child.try_wait().unwrap() {
                return Err(status);
            }
            if connected {
                return Ok(());
            }
        }
        panic!("nobody listens at {}", self.address);
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Both fail only for a child that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Below the ports that systems choose from, so that no other test is given it.
async fn free_address() -> SocketAddr {
    for _ in 0..100 {
        let address = SocketAddr::from(([127, 0, 0, 1], fastrand::u16(20_000..30_000)));
        if TcpListener::bind(address).await.is_ok() {
            return address;
        }
    }
    panic!("no port is free");
}

/// A directory of the test's own, removed with it.
pub struct Directory(std::path::PathBuf);

impl Directory {
    pub fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("millpond-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    /// Writes a file in it, and gives its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    pub fn path(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
