//! `docs/conformance.md` and the tests say the same.

use std::{collections::BTreeMap, fs, path::Path};

/// The names of the tests in a source file: functions that are marked as tests, and those that are given to a macro which
/// makes a test for each side of them.
fn tests_in(source: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in source.lines() {
        let name_of = |text: &'static str| line.split_once(text).map(|(_, rest)| rest);
        if line.starts_with("#[tokio::test") || line.starts_with("#[test]") {
            is_test = true;
        } else if is_test && let Some(rest) = name_of("fn ") {
            names.extend(rest.split(['(', '<']).next());
            is_test = false;
        } else if line.starts_with("on_") {
            names.extend(name_of("!(").and_then(|rest| rest.strip_suffix(");")));
        }
    }
    names
}

/// The names in the second column of the tables of a document.
fn tests_named_in(document: &str) -> Vec<&str> {
    let rows = document.lines().filter(|line| line.starts_with('|'));
    let columns = rows.filter_map(|row| row.split('|').nth(2));
    // What is between two backticks is every second piece.
    columns.flat_map(|column| column.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn the_table_and_the_tests_agree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/conformance.md")).unwrap();
    // How often each test is there, and how often the document names it.
    let mut counts: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for entry in fs::read_dir(root.join("tests/conformance")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name == "table.rs") {
            continue;
        }
        for name in tests_in(&fs::read_to_string(path).unwrap()) {
            counts.entry(name.to_owned()).or_default().0 += 1;
        }
    }
    for name in tests_named_in(&document) {
        counts.entry(name.to_owned()).or_default().1 += 1;
    }
    assert!(counts.len() > 100, "only {} tests: the check would be empty", counts.len());
    let wrong: Vec<_> = counts.into_iter().filter(|(_, count)| *count != (1, 1)).collect();
    assert!(wrong.is_empty(), "test, how often it is there, how often the document names it: {wrong:#?}");
}

#[test]
fn tests_are_found() {
    let source = "#[tokio::test]\nasync fn a() {\n}\nasync fn helper() {}\nasync fn b(peer: &mut Peer) {\n}\non_both_sides!(b);\n";
    assert_eq!(tests_in(source), ["a", "b"]);
    let document = "`x`\n| rule | test | answer |\n| `no` | `a`, `b` | `no` |\n";
    assert_eq!(tests_named_in(document), ["a", "b"]);
}
