//! Running a script of this program under valgrind, and reading what it counted.

use std::{
    collections::BTreeMap,
    fs, io,
    process::{Command, Stdio},
};

use serde::Deserialize;

use crate::common::BoxError;

/// Instructions of a whole run.
pub fn instructions(arguments: &[&str]) -> Result<u64, BoxError> {
    let said = run("callgrind", &["--callgrind-out-file=/dev/null"], arguments)?;
    let count = said.lines().find_map(|line| line.split("Collected : ").nth(1));
    Ok(count.ok_or_else(|| format!("callgrind counted nothing: {said}"))?.trim().parse()?)
}

/// Where a run allocated, and how often: by the functions on the stack, the innermost first, each as
/// `name (/path/to/file:line)`.
pub fn allocations(arguments: &[&str]) -> Result<BTreeMap<Vec<String>, u64>, BoxError> {
    let file = std::env::temp_dir().join(format!("millpond-dhat-{}.json", std::process::id()));
    let out = format!("--dhat-out-file={}", file.display());
    run("dhat", &[&out, "--num-callers=200", "--fullpath-after="], arguments)?;
    let text = fs::read(&file);
    fs::remove_file(&file)?;
    let profile: Profile = serde_json::from_slice(&text?)?;
    let mut places = BTreeMap::new();
    for place in profile.places {
        let names = place.frames.iter().filter_map(|frame| profile.frames.get(*frame));
        let names = names.map(|frame| name(frame).to_owned()).collect();
        *places.entry(names).or_default() += place.blocks;
    }
    Ok(places)
}

/// What dhat writes; docs: https://valgrind.org/docs/manual/dh-manual.html.
#[derive(Deserialize)]
struct Profile {
    #[serde(rename = "pps")]
    places: Vec<Place>,
    #[serde(rename = "ftbl")]
    frames: Vec<String>,
}

#[derive(Deserialize)]
struct Place {
    #[serde(rename = "tbk")]
    blocks: u64,
    #[serde(rename = "fs")]
    frames: Vec<usize>,
}

/// `name (file:line)` of `0x1234: name (file:line)`.
fn name(frame: &str) -> &str {
    frame.split_once(": ").map_or(frame, |(_, name)| name)
}

fn run(tool: &str, options: &[&str], arguments: &[&str]) -> Result<String, BoxError> {
    let mut command = Command::new("valgrind");
    command.arg(format!("--tool={tool}")).args(options).arg(std::env::current_exe()?).args(arguments);
    // What is in the environment moves the stack, and with it a few counts.
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).stdin(Stdio::null());
    // One instruction that copies counts as one for each octet, and would hide all else.
    command.env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-ERMS");
    let output = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "valgrind is not installed".into(),
        _ => BoxError::from(error),
    })?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.success() {
        true => Ok(said),
        false => Err(format!("{command:?} ended with {}: {said}", output.status).into()),
    }
}
