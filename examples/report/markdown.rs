//! Results as Markdown: a section for each bench, a table for each of its tables.
//!
//! A row has the figure of each subject and how the first stands to the second. Rows that say more about the one before
//! them (`unary 0, 1 in flight, p99`) become columns of it.

use std::fmt::Write;

use crate::results::{Results, Row};

/// What such rows end with.
const ASIDES: [&str; 3] = ["p50", "p99", "processor"];

/// The section of one bench.
pub fn section(results: &Results) -> String {
    let arguments = results.arguments.join(" ");
    let command = match arguments.as_str() {
        "" => format!("cargo bench --bench {}", results.bench),
        _ => format!("cargo bench --bench {} -- {arguments}", results.bench),
    };
    let mut text = format!("### {}\n\n`{command}`, {} processors\n\n", results.bench, results.processors);
    let mut tables: Vec<&str> = Vec::new();
    for row in &results.rows {
        if !tables.contains(&row.table.as_str()) {
            tables.push(&row.table);
        }
    }
    for name in tables {
        let rows: Vec<&Row> = results.rows.iter().filter(|row| row.table == name).collect();
        text += &table(name, &rows);
    }
    text
}

fn table(name: &str, rows: &[&Row]) -> String {
    let mut subjects: Vec<&str> = Vec::new();
    for (subject, _) in rows.iter().flat_map(|row| row.figures()) {
        if !subjects.contains(&subject) {
            subjects.push(subject);
        }
    }
    let is_aside = |row: &Row| ASIDES.iter().any(|aside| row.what.ends_with(&format!(", {aside}")));
    let asides: Vec<&str> = ASIDES
        .into_iter()
        .filter(|aside| rows.iter().any(|row| row.what.ends_with(&format!(", {aside}"))))
        .collect();
    let with_ratio =
        subjects.len() == 2 && rows.iter().any(|row| row.peers.len() == 1 && row.unit != "ratio");

    let mut head: Vec<String> = vec![name.to_owned()];
    head.extend(subjects.iter().map(|subject| (*subject).to_owned()));
    if with_ratio {
        head.push("ratio".to_owned());
    }
    head.extend(asides.iter().map(|aside| match *aside {
        "processor" => "processor of a call".to_owned(),
        aside => aside.to_owned(),
    }));
    let mut text = format!("| {} |\n| --- |{}\n", head.join(" | "), " ---: |".repeat(head.len() - 1));
    for row in rows.iter().filter(|row| !is_aside(row)) {
        let mut cells = vec![row.what.clone()];
        cells.extend(subjects.iter().map(|subject| {
            let figure = row.figures().find(|(name, _)| name == subject);
            figure.map_or(String::new(), |(_, value)| show(&row.unit, value))
        }));
        if with_ratio {
            cells.push(
                row.peers.first().map_or(String::new(), |peer| format!("{:.2}", row.value / peer.value)),
            );
        }
        for aside in &asides {
            let what = format!("{}, {aside}", row.what);
            let figures = rows.iter().find(|row| row.what == what);
            cells.push(figures.map_or(String::new(), |row| {
                let figures: Vec<String> = row.figures().map(|(_, value)| show(&row.unit, value)).collect();
                figures.join(" / ")
            }));
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text.push('\n');
    text
}

/// A figure as people read it.
pub fn show(unit: &str, value: f64) -> String {
    match unit {
        "octets" if value >= f64::from(1 << 20) => binary(value),
        "octets" | "instructions" => thousands(value),
        "octets/s" => format!("{}/s", binary(value)),
        "calls/s" => format!("{}/s", thousands(value)),
        "µs" if value >= 1_000.0 => format!("{:.2} ms", value / 1_000.0),
        "µs" if value >= 100.0 => format!("{value:.0} µs"),
        "µs" => format!("{value:.2} µs"),
        "calls" => format!("{value:.3}"),
        _ => format!("{value:.2}"),
    }
}

/// Octets in the largest binary unit that leaves at least one.
pub fn binary(octets: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut value = octets;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(value.fract() > 0.0 && value < 100.0);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// A whole number with a comma after each three digits.
pub fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
