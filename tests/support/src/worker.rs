//! Workers: further processes of the same program, so that each side of a connection is measured alone.
//!
//! The parent writes one task a line and reads one answer a line; the worker does one task after the other. A worker ends
//! when its standard input does, so it never outlives its parent, however that ends.

use std::fmt::Display;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// What an answer begins with.
const DONE: &str = "done ";
const FAILED: &str = "failed ";

/// A worker, seen from its parent. Dropping it kills it.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    tasks: ChildStdin,
    answers: Receiver<String>,
    limit: Duration,
}

impl Worker {
    /// Starts a worker that may take as long as `limit` for each task. What it prints to standard error is shown.
    pub fn start(command: &mut Command, limit: Duration) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(tasks), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the worker's input and output are not piped"));
        };
        let (lines, answers) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, tasks, answers, limit })
    }

    /// Has one task done and gives the answer.
    pub fn ask(&mut self, task: impl Display) -> io::Result<String> {
        writeln!(self.tasks, "{task}")?;
        match self.answers.recv_timeout(self.limit) {
            Ok(line) => match (line.strip_prefix(DONE), line.strip_prefix(FAILED)) {
                (Some(answer), _) => Ok(answer.to_owned()),
                (None, Some(why)) => Err(io::Error::other(format!("{task}: {why}"))),
                (None, None) => Err(io::Error::other(format!("{task}: not an answer: {line}"))),
            },
            Err(RecvTimeoutError::Timeout) => {
                let why = format!("{task}: no answer within {:?}", self.limit);
                Err(io::Error::new(io::ErrorKind::TimedOut, why))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(io::Error::new(io::ErrorKind::BrokenPipe, format!("{task}: the worker is gone")))
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail only for a worker that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The worker's side: does every task that comes until there are no more.
pub fn obey<E: Display>(mut work: impl FnMut(&str) -> Result<String, E>) -> io::Result<()> {
    for task in io::stdin().lock().lines() {
        let answer = match work(&task?) {
            Ok(answer) => format!("{DONE}{answer}"),
            Err(why) => format!("{FAILED}{why}"),
        };
        // An answer is one line, whatever an error says.
        writeln!(io::stdout(), "{}", answer.replace('\n', " "))?;
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Worker {
        Worker::start(Command::new("sh").args(["-c", script]), limit).expect("sh runs")
    }

    #[test]
    fn tasks_are_answered_in_turn() {
        let script =
            "while read -r task; do case $task in bad) echo failed no;; *) echo done $task;; esac; done";
        let mut worker = shell(script, Duration::from_secs(10));
        assert_eq!(worker.ask("one").expect("an answer"), "one");
        assert!(worker.ask("bad").expect_err("a failure").to_string().contains("no"));
        assert_eq!(worker.ask("two").expect("an answer"), "two");
    }

    #[test]
    fn silence_and_nonsense_are_errors() {
        let mut silent = shell("exec sleep 60", Duration::from_millis(100));
        assert_eq!(silent.ask("one").expect_err("silence").kind(), io::ErrorKind::TimedOut);
        let mut confused = shell("read -r task; echo what", Duration::from_secs(10));
        assert!(confused.ask("one").expect_err("nonsense").to_string().contains("what"));
        let mut leaving = shell("read -r task", Duration::from_secs(10));
        assert_eq!(leaving.ask("one").expect_err("no answer").kind(), io::ErrorKind::BrokenPipe);
    }
}
