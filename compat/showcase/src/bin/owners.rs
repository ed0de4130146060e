//! Whose the live octets of one idle connection are, on each side of stock hyper and stock tonic: what is left beside
//! millpond is the crates' own, and shown by name.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{Parser, Subcommand};
use millpond_testkit::table::Table;
use showcase::idle::{self, Connections, SIDES, State};
use showcase::owners::{Amount, OWNERS, Place, TracingAllocator, parse};
use showcase::pair::Pair;
use showcase::{BoxError, pool};

#[global_allocator]
static HEAP: TracingAllocator = TracingAllocator::new();

/// Tells whose the memory of an idle connection is.
#[derive(Parser)]
struct Flags {
    /// Connections of each pair.
    #[arg(long, default_value_t = 40)]
    connections: usize,
    /// Places with fewer octets for each connection are added up.
    #[arg(long, default_value_t = 64)]
    least: usize,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    #[command(hide = true, name = idle::WORKER)]
    Worker { pair: String },
}

fn main() -> Result<(), BoxError> {
    let flags = Flags::parse();
    if let Some(Role::Worker { pair }) = flags.role {
        return idle::work(&pair, &HEAP);
    }
    println!(
        "whose the live octets of one idle connection are, on {}, after one call, a mean of {}:\n\
         the innermost frame of one of these crates made the allocation; `for` is who asked a servant (a task that tokio\n\
         allocates holds the future of whom it is for).\n",
        pool::carrier(),
        flags.connections
    );
    let mut sums = Table::new([&["pair", "side"], &OWNERS[..], &["the program", "together"]].concat());
    let mut places = Table::new(["pair, side, owner", "for", "times", "octets", "line"]);
    for pair in Pair::ALL {
        let settle = Duration::from_millis(500);
        let mut connections = Connections::start_and(pair, flags.connections, settle, |side| {
            Ok(side.ask("record").map(drop)?)
        })?;
        connections.bring_to(State::Called)?;
        connections.count()?;
        for (side, report) in SIDES.into_iter().zip(connections.ask("owners")?) {
            let owned = parse(&report)?;
            if owned.iter().all(|(place, _)| !OWNERS.contains(&&*place.owner)) {
                return Err("nothing belongs to anyone: was this built without lines?".into());
            }
            sums.row(sum(pair, side, &owned, flags.connections));
            list(&mut places, pair, side, owned, &flags);
        }
    }
    println!("{sums}\n{places}");
    Ok(())
}

/// A row of octets for each connection.
fn sum(pair: Pair, side: &str, owned: &[(Place, Amount)], connections: usize) -> Vec<String> {
    let of = |is_it: &dyn Fn(&Place) -> bool| {
        let octets: usize =
            owned.iter().filter(|(place, _)| is_it(place)).map(|(_, amount)| amount.octets).sum();
        (octets / connections).to_string()
    };
    let mut row = vec![pair.name().to_owned(), side.to_owned()];
    row.extend(OWNERS.iter().map(|owner| of(&|place| place.owner == *owner)));
    row.push(of(&|place| !OWNERS.contains(&&*place.owner)));
    row.push(of(&|_| true));
    row
}

/// Rows for each place that matters.
fn list(table: &mut Table, pair: Pair, side: &str, owned: Vec<(Place, Amount)>, flags: &Flags) {
    let mut rest: BTreeMap<String, Amount> = BTreeMap::new();
    let mut rows = Vec::new();
    for (place, amount) in owned {
        if amount.octets / flags.connections >= flags.least {
            rows.push((place, amount));
        } else {
            let sum = rest.entry(place.owner).or_default();
            sum.allocations += amount.allocations;
            sum.octets += amount.octets;
        }
    }
    let smaller = rest.into_iter().map(|(owner, amount)| {
        let place = Place { owner, line: "smaller ones".to_owned(), on_behalf_of: String::new() };
        (place, amount)
    });
    rows.extend(smaller);
    rows.sort_by_key(|(_, amount)| std::cmp::Reverse(amount.octets));
    for (place, amount) in rows {
        let each = |count: usize| count as f64 / flags.connections as f64;
        table.row([
            format!("{}, {side}, {}", pair.name(), place.owner),
            place.on_behalf_of,
            format!("{:.1}", each(amount.allocations)),
            format!("{:.0}", each(amount.octets)),
            place.line,
        ]);
    }
}
