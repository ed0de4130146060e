//! Columns for a terminal: the first aligned left, the others right, as wide as their widest cell.

use std::fmt;

/// Rows of text under a head.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column names.
    pub fn new<T: ToString>(head: impl IntoIterator<Item = T>) -> Self {
        Self { rows: vec![cells(head)] }
    }

    /// Adds a row. Cells that are missing stay empty.
    pub fn row<T: ToString>(&mut self, row: impl IntoIterator<Item = T>) -> &mut Self {
        self.rows.push(cells(row));
        self
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut widths = vec![0; columns];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for row in &self.rows {
            let mut line = String::new();
            for (index, (width, cell)) in widths.iter().zip(row).enumerate() {
                line += &match index {
                    0 => format!("{cell:<width$}"),
                    _ => format!("  {cell:>width$}"),
                };
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Octets in the largest binary unit that leaves at least one: `1.5 KiB`.
pub fn octets(count: usize) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

fn cells<T: ToString>(row: impl IntoIterator<Item = T>) -> Vec<String> {
    row.into_iter().map(|cell| cell.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["transport", "p50", "heap"]);
        table.row(["one", "12", "1.5 KiB"]).row(["another", "9000"]);
        assert_eq!(
            table.to_string(),
            "transport   p50     heap\n\
             one          12  1.5 KiB\n\
             another    9000\n"
        );
    }

    #[test]
    fn units() {
        assert_eq!(
            [0, 1023, 1024, 1536, 5 << 20].map(octets),
            ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "5.0 MiB"]
        );
    }
}
