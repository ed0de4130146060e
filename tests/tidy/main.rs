//! Tidiness that the compiler does not see to: the order of the layers, the length of files, headers, and what must
//! stand in one place only. `docs/ARCHITECTURE.md` says why.
//!
//! Each rule is a function from a source file to its complaints, and has a test with a bad sample, so that it is known
//! to be able to fail.

mod layers;
mod rules;
mod source;

use source::Source;

/// A rule: what it has against a file.
type Rule = fn(&Source) -> Vec<String>;

/// Fails with every complaint of `rule` about the files of `folders`.
#[track_caller]
fn assert_clean(folders: &[&str], rule: Rule) {
    let sources: Vec<Source> = folders.iter().flat_map(|folder| source::below(folder)).collect();
    assert!(sources.len() >= 60, "only {} files found: the check would be empty", sources.len());
    let complaints: Vec<String> = sources.iter().flat_map(rule).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Fails unless `rule` complains of the first text and not of the second.
#[track_caller]
fn assert_tells_apart(rule: Rule, path: &str, bad: &str, good: &str) {
    assert!(!rule(&Source::new(path, bad)).is_empty(), "{path} should be refused:\n{bad}");
    assert_eq!(rule(&Source::new(path, good)), [""; 0], "{path} should pass:\n{good}");
}

const SRC: &[&str] = &["src"];
/// What users link.
const LINKED: &[&str] = &["src", "compat/h2/src"];
const ALL: &[&str] = &["src", "tests", "examples", "benches", "fuzz", "models", "compat"];

#[test]
fn no_arrow_points_up() {
    assert_clean(SRC, layers::upward_arrows);
}

#[test]
fn the_core_is_a_calculator() {
    assert_clean(SRC, layers::side_effects);
}

#[test]
fn files_are_short() {
    assert_clean(LINKED, rules::long_files);
}

#[test]
fn every_module_has_a_header() {
    assert_clean(ALL, rules::missing_headers);
}

#[test]
fn nothing_is_left_for_later() {
    assert_clean(ALL, rules::left_for_later);
}

#[test]
fn nothing_is_unwrapped_outside_tests() {
    assert_clean(LINKED, rules::unwraps);
}

#[test]
fn the_environment_is_read_in_one_file() {
    assert_clean(SRC, rules::environment_readers);
}

#[test]
fn errors_become_codes_in_one_folder() {
    assert_clean(SRC, rules::stray_codes);
}
