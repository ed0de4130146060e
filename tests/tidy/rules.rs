//! Rules that look at one file at a time.

use crate::{assert_tells_apart, source::Source};

/// Lines that a file may have without its tests.
const LONGEST: usize = 500;

/// Files over 500 lines without tests; tables may be as long as they are.
pub(crate) fn long_files(source: &Source) -> Vec<String> {
    if source.path.ends_with("_table.rs") {
        return Vec::new();
    }
    // A line that tests alone stand on is blank in what is shipped, and not in the text.
    let in_tests = |(code, shipped): &(&str, &str)| !code.trim().is_empty() && shipped.trim().is_empty();
    let tests = source.code.lines().zip(source.shipped.lines()).filter(in_tests).count();
    let lines = source.text.lines().count() - tests;
    let long = lines > LONGEST && !source.shipped.trim().is_empty();
    long.then(|| format!("{}: {lines} lines, {LONGEST} are enough", source.path)).into_iter().collect()
}

/// Modules that do not say what they are for.
pub(crate) fn missing_headers(source: &Source) -> Vec<String> {
    let begins = source.text.trim_start().starts_with("//!");
    (!begins).then(|| format!("{}: does not begin with `//!`", source.path)).into_iter().collect()
}

/// Marks and macros that stand for work not done.
pub(crate) fn left_for_later(source: &Source) -> Vec<String> {
    // Put together here, so that this file passes its own rule.
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]].map(|parts| parts.concat());
    let macros = [["to", "do!"], ["unimpl", "emented!"]].map(|parts| parts.concat());
    let is_mark = |word: &str| marks.iter().any(|mark| mark == word);
    let lines = source.text.lines().zip(source.code.lines()).enumerate();
    lines
        .filter(|(_, (text, code))| {
            text.split(|c: char| !c.is_alphanumeric()).any(is_mark)
                || macros.iter().any(|name| code.contains(&**name))
        })
        .map(|(at, _)| format!("{}:{}: left for later", source.path, at + 1))
        .collect()
}

/// `unwrap` where a peer might one day prove it wrong.
pub(crate) fn unwraps(source: &Source) -> Vec<String> {
    source.complain(
        |line| line.contains(".unwrap()"),
        "`unwrap` outside tests: say by `expect` why it cannot happen",
    )
}

/// The environment is read in `env.rs` alone, so that `docs/environment.md` can be complete.
pub(crate) fn environment_readers(source: &Source) -> Vec<String> {
    if source.path == "src/env.rs" {
        return Vec::new();
    }
    source.complain(|line| line.contains("env::var") || line.contains("var_os("), "reads the environment")
}

/// Numbers of error codes, and maps from a misdeed to one, belong to `error`.
pub(crate) fn stray_codes(source: &Source) -> Vec<String> {
    if source.room() == "error" {
        return Vec::new();
    }
    let number = |line: &str, from: &str| {
        line.match_indices(from)
            .any(|(at, _)| line[at + from.len()..].starts_with(|c: char| c.is_ascii_digit()))
    };
    let mut complaints = source.complain(
        |line| number(line, "ErrorCode(") || number(line, "ErrorCode::from("),
        "an error code by its number: use its name",
    );
    let code = &source.shipped;
    for (at, _) in code.match_indices("Misdeed::") {
        let rest = &code[at..];
        // The rest of a match arm, or of an entry of a table.
        let end = rest.find([';', '}', '\n']).unwrap_or(rest.len());
        let arm = &rest[..end];
        if arm.contains("ErrorCode::") {
            let line = code[..at].lines().count().max(1);
            complaints.push(format!("{}:{line}: maps a misdeed to a code", source.path));
        }
    }
    complaints
}

#[test]
fn a_long_file_is_seen() {
    let line = "fn f() {}\n";
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", line.repeat(600));
    let (long, short) = (line.repeat(501), line.repeat(490) + &tests);
    assert_tells_apart(long_files, "src/x.rs", &long, &short);
    assert!(long_files(&Source::new("src/huffman_table.rs", &long)).is_empty());
    assert!(long_files(&Source::new("src/x/tests.rs", &long)).is_empty());
}

#[test]
fn a_missing_header_is_seen() {
    assert_tells_apart(
        missing_headers,
        "src/x.rs",
        "// For something.\nuse a;",
        "//! For something.\nuse a;",
    );
}

#[test]
fn work_left_for_later_is_seen() {
    for parts in [
        ["// TO", "DO: more"],
        ["// FIX", "ME"],
        ["/* XX", "X */"],
        ["fn f() { to", "do!() }"],
        ["unimpl", "emented!()"],
    ] {
        assert_tells_apart(
            left_for_later,
            "tests/x.rs",
            &parts.concat(),
            "// A todo list is a list. mastodon",
        );
    }
}

#[test]
fn an_unwrap_is_seen() {
    let good =
        "//! `.unwrap()`\nfn f() { g().unwrap_or(1); }\n#[cfg(test)]\nmod tests { fn t() { f().unwrap(); } }";
    assert_tells_apart(unwraps, "src/x.rs", "fn f() { g().unwrap(); }", good);
}

#[test]
fn a_second_reader_of_the_environment_is_seen() {
    let reads = "fn f() { std::env::var(\"A\"); }";
    assert_tells_apart(environment_readers, "src/config.rs", reads, "const A: &str = env!(\"A\");");
    assert!(environment_readers(&Source::new("src/env.rs", reads)).is_empty());
}

#[test]
fn a_stray_code_is_seen() {
    let good =
        "fn f(m: Misdeed) { m.code(); ErrorCode::from(value); g(Misdeed::PingFlood);\nErrorCode::CANCEL; }";
    for bad in [
        "let code = ErrorCode::from(0x8);",
        "match m { Misdeed::PingFlood => ErrorCode::ENHANCE_YOUR_CALM, }",
        "[(Misdeed::PingFlood, ErrorCode::ENHANCE_YOUR_CALM)]",
    ] {
        assert_tells_apart(stray_codes, "src/x.rs", bad, good);
        assert!(stray_codes(&Source::new("src/error/x.rs", bad)).is_empty());
    }
}
