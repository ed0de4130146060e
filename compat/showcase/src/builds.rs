//! Builds the programs of both workspaces, with the same profile, into the same target directory.
//!
//! Always true here: the two differ in h2 alone. One source, one profile, and lock files that agree.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One of the two workspaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// With the patch.
    Facade,
    /// Without.
    Stock,
}

impl Build {
    /// Builds one program and gives its path.
    ///
    /// Profile and target directory are those of the running program, so that both builds share the crates that do not
    /// depend on h2.
    pub fn program(self, name: &str) -> io::Result<PathBuf> {
        let name = match self {
            Self::Facade => name.to_owned(),
            Self::Stock => format!("stock_{name}"),
        };
        let this = env::current_exe()?;
        let [Some(folder), Some(target)] = [1, 2].map(|up| this.ancestors().nth(up)) else {
            return Err(io::Error::other("not in a target directory"));
        };
        // Cargo puts what it builds with `dev` into `debug`, and with any other profile into a folder of its name.
        let profile = folder.file_name().filter(|name| *name != "debug").unwrap_or(OsStr::new("dev"));
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--locked", "--quiet", "--bin", &name])
            .args(["--profile".as_ref(), profile])
            .args(["--manifest-path".as_ref(), self.folder().join("Cargo.toml").as_os_str()])
            .args(["--target-dir".as_ref(), target.as_os_str()])
            .status()?;
        if !status.success() {
            return Err(io::Error::other(format!("{name} does not build")));
        }
        Ok(folder.join(name + env::consts::EXE_SUFFIX))
    }

    /// Where its manifest is.
    fn folder(self) -> PathBuf {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let showcase = if here.ends_with("stock") { here.join("..") } else { here.to_owned() };
        match self {
            Self::Facade => showcase,
            Self::Stock => showcase.join("stock"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// The packages of a lock file: versions, and whether they come from a registry.
    fn locked(build: Build) -> BTreeMap<String, Vec<(String, bool)>> {
        let text = std::fs::read_to_string(build.folder().join("Cargo.lock")).expect("a lock file");
        let mut packages: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for package in text.split("[[package]]").skip(1) {
            let value = |key: &str| {
                let line = package.lines().find_map(|line| line.strip_prefix(key));
                line.map(|value| value.trim_matches('"').to_owned())
            };
            let (name, version) =
                (value("name = ").expect("a name"), value("version = ").expect("a version"));
            packages.entry(name).or_default().push((version, value("source = ").is_some()));
        }
        packages
    }

    #[test]
    fn the_builds_differ_in_h2_alone() {
        let (facade, stock) = (locked(Build::Facade), locked(Build::Stock));
        let common = facade.keys().filter(|name| stock.contains_key(*name) && *name != "h2");
        let differing: Vec<_> = common.clone().filter(|name| facade[*name] != stock[*name]).collect();
        assert!(common.count() > 100, "too few packages: nothing was compared");
        assert!(differing.is_empty(), "other versions of {differing:?}: copy the locks or update both");
        assert_eq!(facade["h2"], [("0.4.99".to_owned(), false)]);
        assert!(
            stock["h2"].iter().all(|(_, from_registry)| *from_registry) && !stock.contains_key("millpond")
        );
    }
}
