//! Who may name whom.
//!
//! A room may name rooms of lower layers; rooms of one layer may name each other, but for `connection` and `handle`,
//! which meet in the driver only.

use crate::{assert_tells_apart, source::Source};

/// Every room, and its layer. A room that is not listed is a complaint by itself.
const LAYERS: &[(&str, u8)] = &[
    ("buffer", 0),
    ("config", 0),
    ("env", 0),
    ("error", 0),
    ("hpack", 0),
    ("memory", 0),
    ("moment", 0),
    ("readiness", 0),
    ("stream_id", 0),
    ("sync", 0),
    ("frame", 1),
    ("stream", 2),
    ("connection", 3),
    ("handle", 3),
    ("driver", 4),
    ("adapter", 5),
    ("channel", 5),
    ("server", 5),
];

/// The one exception: handles keep a stream's key and a connection's figures, which are plain values, and name the side
/// they stand on.
const HANDLE_MAY_NAME: &[&str] = &["StreamKey", "ConnectionStats", "Side"];

/// What the core must not name: it has no clock, socket, task, waker, lock or thread.
const SIDE_EFFECTS: &[&str] = &[
    "Instant::now",
    "SystemTime",
    "Waker",
    "Context<",
    "Mutex",
    "RwLock",
    "tokio",
    "std::net",
    "std::fs",
    "thread::",
    "net::",
    "sleep",
];

/// Where it must not.
const CALCULATORS: &[&str] = &["hpack", "frame", "stream", "connection"];

/// `use` lines and paths that name a higher layer.
pub(crate) fn upward_arrows(source: &Source) -> Vec<String> {
    // The root shows everything, whatever its layer.
    if source.room() == "lib" {
        return Vec::new();
    }
    let complain = |what: String| format!("{}: {what}", source.path);
    let Some(own) = layer(source.room()) else {
        return vec![complain(format!("`{}` has no layer", source.room()))];
    };
    let refused = |path: &Vec<String>| {
        let to = path.first()?;
        if to == source.room() {
            return None;
        }
        let Some(other) = layer(to) else {
            return Some(complain(format!("`{to}` is no room: name the room that has it")));
        };
        let pair = own == 3 && other == 3;
        let excepted =
            source.room() == "handle" && path.get(1).is_some_and(|name| HANDLE_MAY_NAME.contains(&&**name));
        let up = other > own || (pair && !excepted);
        up.then(|| complain(format!("layer {own} names `{}` of layer {other}", path.join("::"))))
    };
    paths(source).iter().filter_map(refused).collect()
}

/// Clocks, sockets, tasks and locks in the core.
pub(crate) fn side_effects(source: &Source) -> Vec<String> {
    if !CALCULATORS.contains(&source.room()) {
        return Vec::new();
    }
    let found = |line: &str| SIDE_EFFECTS.iter().any(|effect| line.contains(effect));
    source.complain(found, "the core has no clock, socket, task or lock")
}

fn layer(room: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == room).map(|(_, layer)| *layer)
}

/// Every path from the root of the crate that the file names, as its segments.
fn paths(source: &Source) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let code = &source.shipped;
    for (at, _) in code.match_indices("crate::") {
        if !code[..at].ends_with(is_word) {
            tree(&code[at + "crate::".len()..], &[], &mut paths);
        }
    }
    // As many `super::` as the file is deep lead to the root as well.
    let below = source.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    let to_root = "super::".repeat(below.split('/').count());
    for (at, _) in code.match_indices(&to_root) {
        if !code[..at].ends_with(is_word) && !code[..at].ends_with(':') {
            tree(&code[at + to_root.len()..], &[], &mut paths);
        }
    }
    paths
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Reads a use tree, or a path, behind `before`; returns what follows it.
fn tree<'a>(code: &'a str, before: &[String], paths: &mut Vec<Vec<String>>) -> &'a str {
    let mut code = code.trim_start();
    if let Some(group) = code.strip_prefix('{') {
        code = group.trim_start();
        while !code.is_empty() && !code.starts_with('}') {
            code = tree(code, before, paths).trim_start();
            // `as name`, and what separates the members.
            code = code.trim_start_matches(|c: char| c != ',' && c != '}');
            code = code.trim_start_matches(',').trim_start();
        }
        return code.strip_prefix('}').unwrap_or(code);
    }
    let end = code.find(|c| !is_word(c)).unwrap_or(code.len());
    let (name, rest) = code.split_at(end);
    let path = [before, &[name.to_owned()]].concat();
    if let Some(rest) = rest.strip_prefix("::") {
        return tree(rest, &path, paths);
    }
    if !name.is_empty() {
        paths.push(path);
    }
    rest
}

#[test]
fn use_trees_are_read_to_their_leaves() {
    let text = "use crate::{a::{self, B as C, d::*}, e};\nfn f() { crate::g::h(); }\nuse super::super::i::J;";
    let mut found: Vec<String> =
        paths(&Source::new("src/x/y.rs", text)).iter().map(|path| path.join("::")).collect();
    found.sort();
    assert_eq!(found, ["a::B", "a::self", "e", "g::h", "i::J"]);
}

#[test]
fn an_upward_arrow_is_seen() {
    let good =
        "use crate::{error::Error, config::Config};\n#[cfg(test)]\nmod tests { use crate::server::Server; }";
    for bad in [
        "use crate::{\n    error::Error,\n    connection::Connection,\n};",
        "fn f() -> crate::handle::SendStream { todo() }",
        "use super::super::stream::State;",
        "use crate::Channel;",
    ] {
        assert_tells_apart(upward_arrows, "src/frame/data.rs", bad, good);
    }
    assert!(
        !upward_arrows(&Source::new("src/attic.rs", "")).is_empty(),
        "a room without a layer should be refused"
    );
}

#[test]
fn connection_and_handle_meet_in_plain_values_only() {
    let plain = "use crate::connection::{ConnectionStats, Side, StreamKey};";
    assert_tells_apart(upward_arrows, "src/handle/x.rs", "use crate::connection::Event;", plain);
    assert_tells_apart(
        upward_arrows,
        "src/connection/x.rs",
        "use crate::handle::Shared;",
        "use crate::frame::Frame;",
    );
    assert_tells_apart(
        upward_arrows,
        "src/handle/x.rs",
        "use crate::connection;",
        "use crate::stream::Head;",
    );
}

#[test]
fn a_clock_in_the_core_is_seen() {
    let good = "use std::time::Instant;\nfn f(now: Instant) {}";
    assert_tells_apart(side_effects, "src/connection/x.rs", "fn f() { Instant::now(); }", good);
    assert_tells_apart(side_effects, "src/hpack/x.rs", "use std::sync::Mutex;", good);
}
