//! Heap allocations of a unary call, by side and by place.
//!
//! Client and server have a thread each, so that the root of a stack says whose an allocation is. What counts is the
//! transport: allocations with a function of ours on the stack. What the bench itself allocates, its requests and tasks
//! for example, is shown apart.

use std::{collections::BTreeMap, thread};

use bytes::Bytes;

use crate::{
    common::{BoxError, Client, Options, pipe::Pipe, raw},
    valgrind,
};

/// The argument that runs the script; its length follows.
pub const RUN: &str = "allocations";

/// Calls of the shorter run, and how many more the longer makes.
const FIRST: usize = 100;
const MORE: usize = 400;

/// Whose an allocation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The thread of the client.
    Client,
    /// The thread of the server.
    Server,
}

/// A place that allocates in every call.
#[derive(Debug)]
pub struct Place {
    /// On which side.
    pub side: Side,
    /// It is ours, not the bench's.
    pub transport: bool,
    /// How often in a call.
    pub times: f64,
    /// The names on the stack, the innermost first.
    pub names: Vec<String>,
}

/// So many calls, one after the other.
pub fn run(calls: usize) -> Result<(), BoxError> {
    let (near, far) = Pipe::pair();
    thread::scope(|scope| {
        let server = scope.spawn(move || server_side(far));
        client_side(near, calls)?;
        server.join().map_err(|_| "the server panicked")?
    })
}

#[inline(never)]
fn client_side(pipe: Pipe, calls: usize) -> Result<(), BoxError> {
    tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
        let mut client = raw::Millpond::connect_over(pipe, Options::default()).await?;
        for _ in 0..calls {
            client.unary(Bytes::from_static(&[7; 16])).await?;
        }
        Ok(())
    })
}

#[inline(never)]
fn server_side(pipe: Pipe) -> Result<(), BoxError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(raw::Millpond::serve_over(pipe, Options::default()))
}

/// All places that allocate in every call, the busiest first.
pub fn places() -> Result<Vec<Place>, BoxError> {
    let few = valgrind::allocations(&[RUN, &FIRST.to_string()])?;
    let many = valgrind::allocations(&[RUN, &(FIRST + MORE).to_string()])?;
    if !many.keys().flatten().any(|name| is_ours(name)) {
        return Err(
            "no file names on the stacks: build with CARGO_PROFILE_BENCH_DEBUG=line-tables-only".into()
        );
    }
    let mut places: BTreeMap<Vec<String>, i64> = BTreeMap::new();
    for (names, blocks) in few {
        *places.entry(names).or_default() -= i64::try_from(blocks)?;
    }
    for (names, blocks) in many {
        *places.entry(names).or_default() += i64::try_from(blocks)?;
    }
    let mut found: Vec<Place> = places
        .into_iter()
        .filter(|(_, blocks)| *blocks != 0)
        .map(|(names, blocks)| Place {
            side: match names.iter().any(|name| name.contains("server_side")) {
                true => Side::Server,
                false => Side::Client,
            },
            transport: names.iter().any(|name| is_ours(name)),
            times: blocks as f64 / MORE as f64,
            names,
        })
        .collect();
    found.sort_by(|a, b| a.side.cmp(&b.side).then(b.times.total_cmp(&a.times)));
    Ok(found)
}

/// Allocations of a call in the transport.
pub fn in_transport(places: &[Place], side: Side) -> f64 {
    places.iter().filter(|place| place.side == side && place.transport).map(|place| place.times).sum()
}

/// A function of the library, not of this bench.
fn is_ours(name: &str) -> bool {
    name.contains(concat!(env!("CARGO_MANIFEST_DIR"), "/src/"))
}

impl Place {
    /// The innermost function outside the standard library, and the innermost of ours that called it.
    pub fn name(&self) -> String {
        let below = |name: &&String| name.contains("/library/") || name.contains("vgpreload");
        let inner = self.names.iter().find(|name| !below(name));
        let whose = |name: &&String| match self.transport {
            true => is_ours(name),
            false => name.contains(env!("CARGO_MANIFEST_DIR")),
        };
        let outer = self.names.iter().find(whose).filter(|outer| Some(*outer) != inner);
        let names: Vec<String> = inner.into_iter().chain(outer).map(|name| short(name)).collect();
        names.join(" < ")
    }
}

/// A name with the path as far as it tells something.
fn short(name: &str) -> String {
    let Some((function, path)) = name.rsplit_once(" (") else { return name.to_owned() };
    let path = match path.split_once("/registry/src/") {
        Some((_, path)) => path.split_once('/').map_or(path, |(_, path)| path),
        None => path.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/")).unwrap_or(path),
    };
    format!("{} ({path}", without_generics(function))
}

/// `HeaderMap<T>::try_reserve` without `<T>`; what begins with a bracket stays.
fn without_generics(function: &str) -> String {
    if function.starts_with('<') {
        return function.to_owned();
    }
    let mut depth = 0_usize;
    let mut name = String::new();
    for character in function.chars() {
        match character {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 => name.push(character),
            _ => {}
        }
    }
    name
}
