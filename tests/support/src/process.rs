//! Child processes: peers in other languages, and servers that must not share the memory of the process that measures.
//!
//! A server prints `listening on ADDR` when it is ready; a client prints `N passed, M failed` and exits accordingly. A
//! child is killed by its own process id when its handle is dropped, and nothing else is ever killed. Our own servers
//! also end when their parent dies without dropping anything: [`ENDS_WITH_STDIN`] tells them to. A peer that is not
//! installed is an error, never a test that passes.

use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The word before the address in a server's first line.
const LISTENING: &str = "listening on ";

/// Set in the environment of a server started here: it should end when its standard input does.
pub const ENDS_WITH_STDIN: &str = "PEER_ENDS_WITH_STDIN";

/// How long a server may take to say that it listens.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A server that runs as a child process. Dropping it kills it.
#[derive(Debug)]
pub struct Peer {
    child: Reaped,
    addr: SocketAddr,
}

impl Peer {
    /// Starts a server and waits for its `listening on ADDR`. What it prints to standard error is shown.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        // The pipe to its standard input closes when we die, however we die.
        command.env(ENDS_WITH_STDIN, "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = Reaped::spawn(command)?;
        let output = child.0.stdout.take().ok_or_else(|| io::Error::other("standard output is not piped"))?;
        let (lines, said) = mpsc::channel();
        // This thread outlives the wait: it keeps the pipe empty, so the server can go on printing.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = lines.send(line);
            }
        });
        let deadline = Instant::now() + START_LIMIT;
        let mut heard = String::new();
        loop {
            let Ok(line) = said.recv_timeout(deadline.saturating_duration_since(Instant::now())) else {
                return Err(io::Error::other(format!("{command:?} did not listen; it printed {heard:?}")));
            };
            if let Some(addr) = line.strip_prefix(LISTENING) {
                let addr = addr.trim().parse().map_err(io::Error::other)?;
                return Ok(Self { child, addr });
            }
            heard += &line;
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its process id, for [`rss_of`](crate::rss_of).
    pub fn id(&self) -> u32 {
        self.child.0.id()
    }
}

/// What a client said about its conversations with a server.
#[derive(Debug)]
pub struct Verdict {
    /// Conversations that went as they should.
    pub passed: usize,
    /// Conversations that did not.
    pub failed: usize,
    /// How it ended.
    pub status: ExitStatus,
    /// All that it printed.
    pub output: String,
}

impl Verdict {
    /// Panics, with all that the client printed, unless it passed something and failed nothing.
    #[track_caller]
    pub fn assert_passed(&self) {
        let good = self.status.success() && self.failed == 0 && self.passed > 0;
        assert!(good, "the peer ended with {} and printed\n{}", self.status, self.output);
    }
}

/// Runs a client to its end and reads its verdict; kills it and fails when it takes longer than `limit`.
pub fn run_client(command: &mut Command, limit: Duration) -> io::Result<Verdict> {
    let mut child = Reaped::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let mut output = child.0.stdout.take().ok_or_else(|| io::Error::other("standard output is not piped"))?;
    let reader = thread::spawn(move || {
        let mut printed = Vec::new();
        let _ = output.read_to_end(&mut printed);
        String::from_utf8_lossy(&printed).into_owned()
    });
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.0.try_wait()? {
            break Some(status);
        }
        if Instant::now() >= deadline {
            drop(child);
            break None;
        }
        thread::sleep(Duration::from_millis(10));
    };
    let output = reader.join().map_err(|_| io::Error::other("the reader of the output panicked"))?;
    let Some(status) = status else {
        return Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("{command:?} ran too long; it printed {output}"),
        ));
    };
    let (passed, failed) = tally(&output).ok_or_else(|| {
        io::Error::other(format!("{command:?} ended with {status} and no verdict: {output}"))
    })?;
    Ok(Verdict { passed, failed, status, output })
}

/// The Python grpcio peer; add `server` or `client ADDR`. An error if `tests/peers/install.sh` was not run.
pub fn grpcio() -> io::Result<Command> {
    script(&installed("venv/bin/python")?, "grpcio_peer.py")
}

/// The Python grpcio client of the soak: a [`Worker`](crate::worker::Worker); add `CALLERS ADDR...`. An error if
/// `tests/peers/install.sh` was not run.
pub fn grpcio_soak() -> io::Result<Command> {
    script(&installed("venv/bin/python")?, "grpcio_soak.py")
}

/// The grpc-js peer; add `server` or `client ADDR`. An error if `tests/peers/install.sh` was not run.
pub fn grpc_js() -> io::Result<Command> {
    installed("node/node_modules/@grpc/grpc-js")?;
    script(Path::new("node"), "grpcjs_peer.js")
}

fn script(interpreter: &Path, name: &str) -> io::Result<Command> {
    let mut command = Command::new(interpreter);
    command.arg(project().join("tests/peers").join(name));
    Ok(command)
}

fn installed(path: &str) -> io::Result<PathBuf> {
    let path = project().join("target/peers").join(path);
    match path.try_exists()? {
        true => Ok(path),
        false => {
            let what = format!("{} is missing: run tests/peers/install.sh", path.display());
            Err(io::Error::new(io::ErrorKind::NotFound, what))
        }
    }
}

fn project() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate lies in tests/support of the project")
}

/// The last line of the form `N passed, M failed`.
fn tally(output: &str) -> Option<(usize, usize)> {
    output.lines().rev().find_map(|line| {
        let (passed, failed) = line.trim().strip_suffix(" failed")?.split_once(" passed, ")?;
        Some((passed.parse().ok()?, failed.parse().ok()?))
    })
}

/// A child that does not outlive its handle.
#[derive(Debug)]
struct Reaped(Child);

impl Reaped {
    fn spawn(command: &mut Command) -> io::Result<Self> {
        command
            .spawn()
            .map(Self)
            .map_err(|error| io::Error::new(error.kind(), format!("{command:?}: {error}")))
    }
}

impl Drop for Reaped {
    fn drop(&mut self) {
        // Both fail only for a child that is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_server_is_heard_and_does_not_outlive_its_handle() {
        let peer =
            Peer::start(&mut shell("echo warming up; echo listening on 127.0.0.1:1234; exec sleep 60"))
                .expect("it listens");
        assert_eq!(peer.addr(), "127.0.0.1:1234".parse().expect("an address"));
        let alive = |id| shell(&format!("kill -0 {id} 2>&-")).status().expect("sh runs").success();
        let id = peer.id();
        assert!(alive(id));
        drop(peer);
        assert!(!alive(id));
    }

    #[test]
    fn a_server_that_ends_before_it_listens_is_an_error() {
        let error = Peer::start(&mut shell("echo no luck")).expect_err("it never listens");
        assert!(error.to_string().contains("no luck"), "{error}");
        Peer::start(&mut Command::new("/no/such/program")).expect_err("there is no such program");
    }

    #[test]
    fn verdicts() {
        let run = |script, limit| run_client(&mut shell(script), Duration::from_millis(limit));
        run("echo fine; echo 3 passed, 0 failed", 10_000).expect("a verdict").assert_passed();
        let failed = run("echo 2 passed, 1 failed; exit 1", 10_000).expect("a verdict");
        assert_eq!((failed.passed, failed.failed, failed.status.success()), (2, 1, false));
        run("echo nothing", 10_000).expect_err("no verdict");
        let late = run("echo begun; exec sleep 60", 300).expect_err("too long");
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    #[should_panic(expected = "printed")]
    fn nothing_passed_is_not_a_pass() {
        run_client(&mut shell("echo 0 passed, 0 failed"), Duration::from_secs(10))
            .expect("a verdict")
            .assert_passed();
    }
}
