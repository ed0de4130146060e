//! Source files, and their code without comments, literals and tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One file of the project.
pub(crate) struct Source {
    /// From the root of the project, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// The text with comments and the insides of literals blanked; as long as the text.
    pub(crate) code: String,
    /// The code with all items under `#[cfg(test)]` blanked as well; nothing at all in a file of tests.
    pub(crate) shipped: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Source {
        let code = without_comments_and_literals(text);
        let shipped = if is_test_file(path) { blank(&code) } else { without_tests(&code) };
        Source { path: path.into(), text: text.into(), code, shipped }
    }

    /// What `found` finds, line by line, in what is shipped.
    pub(crate) fn complain(&self, found: impl Fn(&str) -> bool, complaint: &str) -> Vec<String> {
        let lines = self.shipped.lines().enumerate().filter(|(_, line)| found(line));
        lines.map(|(at, _)| format!("{}:{}: {complaint}", self.path, at + 1)).collect()
    }

    /// The folder or file below `src` that the file belongs to: `buffer`, `config`, `lib`.
    pub(crate) fn room(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path);
        below.split('/').next().unwrap_or(below).trim_end_matches(".rs")
    }
}

/// Every Rust file below a folder of the project; none if there is no such folder.
pub(crate) fn below(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(folder)];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for path in entries.map(|entry| entry.expect("a readable folder").path()) {
            // What cargo builds is not ours.
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
        Source::new(&name, &fs::read_to_string(&path).expect("a readable file"))
    };
    files.into_iter().map(read).collect()
}

/// A file that is compiled for tests or models only.
fn is_test_file(path: &str) -> bool {
    !path.starts_with("src/")
        || path.contains("/tests/")
        || path.ends_with("tests.rs")
        || path.ends_with("/model.rs")
}

/// The same lines, empty.
fn blank(code: &str) -> String {
    code.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect()
}

/// Blanks comments, and what stands between the quotes of literals.
fn without_comments_and_literals(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => end_of_line(&chars, at),
            '/' if chars.get(at + 1) == Some(&'*') => end_of_block_comment(&chars, at),
            '"' => end_of_string(&chars, at),
            'r' if is_raw_string(&chars, at) => end_of_raw_string(&chars, at),
            '\'' => end_of_char(&chars, at),
            _ => {
                out.push(chars[at]);
                at += 1;
                continue;
            }
        };
        out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    out
}

fn end_of_line(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|&c| c == '\n').map_or(chars.len(), |length| at + length)
}

fn end_of_block_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn end_of_string(chars: &[char], mut at: usize) -> usize {
    at += 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn hashes(chars: &[char], at: usize) -> usize {
    chars[at..].iter().take_while(|&&c| c == '#').count()
}

fn is_raw_string(chars: &[char], at: usize) -> bool {
    let starts =
        at == 0 || !(chars[at - 1].is_alphanumeric() || chars[at - 1] == '_') || chars[at - 1] == 'b';
    starts && chars.get(at + 1 + hashes(chars, at + 1)) == Some(&'"')
}

fn end_of_raw_string(chars: &[char], at: usize) -> usize {
    let fence = hashes(chars, at + 1);
    let mut at = at + 2 + fence;
    while at < chars.len() {
        if chars[at] == '"' && hashes(chars, at + 1) >= fence {
            return at + 1 + fence;
        }
        at += 1;
    }
    chars.len()
}

/// The end of a character literal; of a lifetime, only its quote.
fn end_of_char(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            let close = chars[(at + 3).min(chars.len())..].iter().position(|&c| c == '\'');
            close.map_or(chars.len(), |length| at + 3 + length + 1)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

/// Blanks every item under `#[cfg(test)]`, in code without comments and literals.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let end = start + end_of_item(&out[start..]);
        out.replace_range(start..end, &blank(&out[start..end]));
    }
    out
}

/// Octets up to the end of the item that follows: its closing brace, or its semicolon.
fn end_of_item(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => {
                depth -= 1;
                if depth == 0 && c == '}' {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

#[test]
fn comments_literals_and_tests_are_blanked() {
    let text = r###"
use a; // b
/* c /* d */ e */ use f;
const G: &str = "h \" i"; const J: &str = r#"k " l"#; const M: char = '"'; fn n<'o>() {}
#[cfg(test)]
mod tests { fn p() { q("}") } }
fn r() {}
#[cfg(test)]
#[path = "s.rs"]
mod t;
fn u() {}
"###;
    let source = Source::new("src/x.rs", text);
    let words: Vec<&str> =
        source.shipped.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() == 1).collect();
    assert_eq!(words, ["a", "f", "G", "J", "M", "n", "o", "r", "u"]);
    assert_eq!(source.shipped.lines().count(), text.lines().count());
    assert!(Source::new("src/x/tests.rs", text).shipped.trim().is_empty());
}
