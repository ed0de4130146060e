//! Tests that need a process of their own: for the environment, or for the heap to themselves.

use std::process::Command;

const MARK: &str = "MILLPOND_TEST_CHILD";

/// Runs `body` in a child process that runs the test `name` and nothing else, with `variables` set.
pub fn in_child(name: &str, variables: &[(&str, &str)], body: impl FnOnce()) {
    if std::env::var_os(MARK).is_some() {
        return body();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(MARK, "1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "no test of this name: {name}\n{said}");
}
