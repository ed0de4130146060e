//! What a bench found, as JSON: `target/bench-results/NAME.json`, for `examples/report` to make tables and charts of.
//!
//! Always true here: all figures of a row were measured in one run, the first subject's and its peers' alike, so that
//! they may be compared. A run replaces the whole file.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
};

use serde::{Deserialize, Serialize};

/// What one run of a bench found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// The name of the bench.
    pub bench: String,
    /// What it was called with.
    pub arguments: Vec<String>,
    /// It was only to show that the bench works: the figures say nothing.
    pub quick: bool,
    /// Processors that it could use.
    pub processors: usize,
    /// What it found.
    pub rows: Vec<Row>,
}

/// One thing that was measured, of all that were compared.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The table in which it stands.
    pub table: String,
    /// What was measured.
    pub what: String,
    /// In which unit: `octets`, `calls/s`, `octets/s`, `ratio`, `µs`.
    pub unit: String,
    /// Of whom.
    pub subject: String,
    /// The figure.
    pub value: f64,
    /// The same of the others in the same run.
    pub peers: Vec<Figure>,
}

/// The figure of a peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// Of whom.
    pub subject: String,
    /// The figure.
    pub value: f64,
}

impl Results {
    /// Nothing yet.
    pub fn new(bench: &str, quick: bool) -> Self {
        Results {
            bench: bench.to_owned(),
            arguments: std::env::args().skip(1).filter(|argument| argument != "--bench").collect(),
            quick,
            processors: thread::available_parallelism().map_or(1, usize::from),
            rows: Vec::new(),
        }
    }

    /// Adds a row: the subject first, then its peers. What is not a number is left out.
    pub fn add<N: Into<String>>(
        &mut self,
        table: impl Into<String>,
        what: impl Into<String>,
        unit: &str,
        figures: impl IntoIterator<Item = (N, f64)>,
    ) {
        let figures = figures.into_iter().map(|(subject, value)| Figure { subject: subject.into(), value });
        let mut figures = figures.filter(|figure| figure.value.is_finite());
        if let Some(Figure { subject, value }) = figures.next() {
            self.rows.push(Row {
                table: table.into(),
                what: what.into(),
                unit: unit.to_owned(),
                subject,
                value,
                peers: figures.collect(),
            });
        }
    }

    /// Writes the file, and says where to standard error.
    pub fn write(&self) -> io::Result<()> {
        let folder = folder()?;
        fs::create_dir_all(&folder)?;
        let path = folder.join(&self.bench).with_extension("json");
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(&path, text)?;
        eprintln!("written: {}", path.display());
        Ok(())
    }

    /// What was written last of this bench; `None` if nothing was.
    pub fn read(folder: &Path, bench: &str) -> io::Result<Option<Self>> {
        match fs::read(folder.join(bench).with_extension("json")) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Row {
    /// The figure of each, the subject's first.
    pub fn figures(&self) -> impl Iterator<Item = (&str, f64)> {
        let peers = self.peers.iter().map(|peer| (peer.subject.as_str(), peer.value));
        std::iter::once((self.subject.as_str(), self.value)).chain(peers)
    }
}

/// `bench-results` in the target directory: the one that this program was built in, wherever that is.
pub fn folder() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    // target/PROFILE/deps/PROGRAM for a bench, target/PROFILE/examples/PROGRAM for an example.
    let target = program.ancestors().nth(3).ok_or_else(|| io::Error::other("this program lies nowhere"))?;
    Ok(target.join("bench-results"))
}
