//! Results as charts, in SVG.
//!
//! A chart is drawn if its figures are there. The same subject has the same colour and mark in every chart.

use std::{
    error::Error,
    path::{Path, PathBuf},
};

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use crate::{
    markdown::{binary, thousands},
    results::Results,
};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What can go wrong with a chart.
type Drawn = Result<(), Box<dyn Error>>;

/// A line: whose, and its points.
type Line = (String, Vec<(f64, f64)>);

const WIDTH: u32 = 860;
const FONT: &str = "sans-serif";
const TITLE: i32 = 19;
const LABEL: i32 = 14;

const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(225, 225, 225);

/// Draws all charts for which there are figures, and says which files it wrote.
pub fn draw(found: &[Results], folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let rows_of = |bench: &str| {
        found.iter().find(|results| results.bench == bench).map_or(&[][..], |results| &results.rows)
    };
    let mut drawn = Vec::new();
    let mut path = |name: &str| {
        drawn.push(folder.join(name));
        folder.join(name)
    };

    let idle: Vec<_> = rows_of("idle_memory")
        .iter()
        .filter(|row| row.table.starts_with("idle connection, after a call") && row.what.ends_with("heap"))
        .collect();
    if let [client, server] = idle[..] {
        let bars: Vec<_> = client
            .figures()
            .zip(server.figures())
            .filter(|((name, _), _)| !name.ends_with("pooling off"))
            .map(|((name, client), (_, server))| (name.to_owned(), [client, server]))
            .collect();
        bar_chart(
            &path("idle.svg"),
            "Live heap of an idle connection, after one unary call",
            "octets",
            ["client", "server"],
            &bars,
        )?;
    }

    let flights = rows_of("rpc").iter().filter_map(|row| {
        let at_once = row.what.strip_prefix("unary 0, ")?.strip_suffix(" in flight")?.parse().ok()?;
        row.table.ends_with("windows: defaults, threads: 1").then_some((at_once, row))
    });
    let lines = lines(flights);
    if !lines.is_empty() {
        let axes = Axes {
            title: "Unary calls in a second, one connection, client and server on one thread",
            x: "calls in flight",
            y: "calls per second",
            log_y: false,
            show_x: thousands,
            show_y: thousands,
        };
        line_chart(&path("calls.svg"), &axes, &lines)?;
    }

    let sizes = rows_of("bulk").iter().filter_map(|row| {
        let size = octets(row.what.strip_prefix("raw ")?.strip_suffix(" up")?)?;
        row.table.ends_with("threads: 1").then_some((size, row))
    });
    let mut lines = self::lines(sizes);
    for (_, y) in lines.iter_mut().flat_map(|(_, points)| points) {
        *y /= f64::from(1 << 20);
    }
    if !lines.is_empty() {
        let axes = Axes {
            title: "Bodies sent one after the other, client and server on one thread",
            x: "octets of each body",
            y: "MiB per second",
            log_y: false,
            show_x: binary,
            show_y: thousands,
        };
        line_chart(&path("throughput.svg"), &axes, &lines)?;
    }

    let numbers = rows_of("scale").iter().filter_map(|row| {
        let number = row.what.strip_prefix("RSS, ")?.strip_suffix(" connections")?.parse().ok()?;
        Some((number, row))
    });
    let lines = self::lines(numbers);
    if !lines.is_empty() {
        let axes = Axes {
            title: "Memory of a server for each connection, after a call, by their number",
            x: "connections",
            y: "octets of RSS for each",
            log_y: true,
            show_x: thousands,
            show_y: thousands,
        };
        line_chart(&path("connections.svg"), &axes, &lines)?;
    }
    Ok(drawn)
}

/// One line for each subject, in the order in which they come.
fn lines<'r>(points: impl Iterator<Item = (f64, &'r crate::results::Row)>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (x, row) in points {
        for (subject, y) in row.figures() {
            match lines.iter_mut().find(|(name, _)| name == subject) {
                Some((_, line)) => line.push((x, y)),
                None => lines.push((subject.to_owned(), vec![(x, y)])),
            }
        }
    }
    lines
}

/// `64.0 KiB` as a number.
fn octets(text: &str) -> Option<f64> {
    let (number, unit) = text.split_once(' ')?;
    let power = ["B", "KiB", "MiB", "GiB"].iter().position(|known| *known == unit)?;
    Some(number.parse::<f64>().ok()? * 1024_f64.powi(power as i32))
}

fn colour(subject: &str) -> RGBColor {
    match subject {
        "millpond" => RGBColor(0, 90, 170),
        "millpond, gRPC" => RGBColor(60, 160, 220),
        "h2" => RGBColor(210, 100, 0),
        "hyper" => RGBColor(130, 60, 150),
        "tonic" => RGBColor(190, 40, 60),
        _ => RGBColor(110, 110, 110),
    }
}

fn text(size: i32) -> TextStyle<'static> {
    (FONT, size).into_font().color(&INK)
}

fn anchored(size: i32, h: HPos, v: VPos) -> TextStyle<'static> {
    text(size).pos(Pos::new(h, v))
}

/// Two bars for each subject, with their figures.
fn bar_chart(path: &Path, title: &str, unit: &str, sides: [&str; 2], bars: &[(String, [f64; 2])]) -> Drawn {
    /// Where the bars begin, and what a subject and a bar take.
    const LEFT: i32 = 150;
    const TOP: i32 = 76;
    const GROUP: i32 = 48;
    const BAR: i32 = 18;
    /// Room for a figure to the right of the longest bar.
    const FIGURE: i32 = 90;
    let height = TOP + GROUP * bars.len() as i32 + 16;
    let root = SVGBackend::new(path, (WIDTH, height as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new(title, (WIDTH as i32 / 2, 14), anchored(TITLE, HPos::Center, VPos::Top)))?;
    let most = bars.iter().flat_map(|(_, figures)| figures).fold(1.0, |most: f64, figure| most.max(*figure));
    let room = f64::from(WIDTH as i32 - LEFT - FIGURE);
    for (index, (side, strength)) in sides.into_iter().zip([1.0, 0.55]).enumerate() {
        let x = LEFT + 150 * index as i32;
        let fill = INK.mix(strength).filled();
        root.draw(&Rectangle::new([(x, 48), (x + 14, 62)], fill))?;
        let name = format!("{side}, {unit}");
        root.draw(&Text::new(name, (x + 20, 55), anchored(LABEL, HPos::Left, VPos::Center)))?;
    }
    for (index, (subject, figures)) in bars.iter().enumerate() {
        let top = TOP + GROUP * index as i32;
        let name = (LEFT - 10, top + BAR);
        root.draw(&Text::new(subject.as_str(), name, anchored(LABEL, HPos::Right, VPos::Center)))?;
        for (side, (figure, strength)) in figures.iter().zip([1.0, 0.55]).enumerate() {
            let top = top + BAR * side as i32;
            let end = LEFT + (figure / most * room).round().max(1.0) as i32;
            let fill = colour(subject).mix(strength).filled();
            root.draw(&Rectangle::new([(LEFT, top), (end, top + BAR - 2)], fill))?;
            let middle = (end + 6, top + BAR / 2 - 1);
            root.draw(&Text::new(thousands(*figure), middle, anchored(LABEL, HPos::Left, VPos::Center)))?;
        }
    }
    root.present()?;
    Ok(())
}

/// What a line chart says beside its lines.
struct Axes {
    title: &'static str,
    x: &'static str,
    y: &'static str,
    log_y: bool,
    show_x: fn(f64) -> String,
    show_y: fn(f64) -> String,
}

/// A line for each subject. The x axis is logarithmic, with a label at each x that was measured.
fn line_chart(path: &Path, axes: &Axes, lines: &[Line]) -> Drawn {
    /// Around the field.
    const LEFT: i32 = 110;
    const RIGHT: i32 = 30;
    const TOP: i32 = 78;
    const BOTTOM: i32 = 70;
    const HEIGHT: i32 = 440;
    let right = WIDTH as i32 - RIGHT;
    let bottom = HEIGHT - BOTTOM;
    let root: Area = SVGBackend::new(path, (WIDTH, HEIGHT as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new(axes.title, (WIDTH as i32 / 2, 14), anchored(TITLE, HPos::Center, VPos::Top)))?;

    let mut xs: Vec<f64> = lines.iter().flat_map(|(_, points)| points).map(|point| point.0).collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    let ys = || lines.iter().flat_map(|(_, points)| points).map(|point| point.1);
    let (least, most) = (ys().fold(f64::MAX, f64::min), ys().fold(0.0, f64::max));
    let ticks = if axes.log_y { powers(least, most) } else { steps(most) };
    let [low, high] = [ticks.first(), ticks.last()].map(|tick| tick.copied().unwrap_or(1.0));
    let log = |value: f64| if axes.log_y { value.log10() } else { value };
    let y_of =
        |y: f64| bottom - ((log(y) - log(low)) / (log(high) - log(low)) * f64::from(bottom - TOP)) as i32;
    let [first, last] = [xs.first(), xs.last()].map(|x| x.copied().unwrap_or(1.0).log10());
    // A margin on both sides, so that no mark lies on the frame.
    let x_of = |x: f64| {
        let share = if last > first { (x.log10() - first) / (last - first) } else { 0.5 };
        LEFT + 40 + (share * f64::from(right - LEFT - 80)) as i32
    };

    for tick in &ticks {
        let y = y_of(*tick);
        root.draw(&PathElement::new([(LEFT, y), (right, y)], GRID))?;
        let label = (axes.show_y)(*tick);
        root.draw(&Text::new(label, (LEFT - 8, y), anchored(LABEL, HPos::Right, VPos::Center)))?;
    }
    for x in &xs {
        let label = (axes.show_x)(*x);
        let x = x_of(*x);
        root.draw(&PathElement::new([(x, bottom), (x, bottom + 5)], INK))?;
        root.draw(&Text::new(label, (x, bottom + 10), anchored(LABEL, HPos::Center, VPos::Top)))?;
    }
    root.draw(&PathElement::new([(LEFT, TOP), (LEFT, bottom), (right, bottom)], INK))?;
    let middle = ((LEFT + right) / 2, HEIGHT - 28);
    root.draw(&Text::new(axes.x, middle, anchored(LABEL, HPos::Center, VPos::Top)))?;
    let turned = (FONT, LABEL).into_font().transform(FontTransform::Rotate270).color(&INK);
    let turned = turned.pos(Pos::new(HPos::Center, VPos::Top));
    root.draw(&Text::new(axes.y, (8, (TOP + bottom) / 2), turned))?;

    let mut legend = LEFT;
    for (index, (subject, points)) in lines.iter().enumerate() {
        let colour = colour(subject);
        let place = |(x, y): &(f64, f64)| (x_of(*x), y_of(*y));
        root.draw(&PathElement::new(points.iter().map(place).collect::<Vec<_>>(), colour.stroke_width(3)))?;
        for point in points {
            mark(&root, index, place(point), colour)?;
        }
        root.draw(&PathElement::new([(legend, 55), (legend + 26, 55)], colour.stroke_width(3)))?;
        mark(&root, index, (legend + 13, 55), colour)?;
        root.draw(&Text::new(
            subject.as_str(),
            (legend + 33, 55),
            anchored(LABEL, HPos::Left, VPos::Center),
        ))?;
        legend += 62 + 8 * subject.len() as i32;
    }
    root.present()?;
    Ok(())
}

/// A mark that tells lines apart without colours.
fn mark(root: &Area, index: usize, (x, y): (i32, i32), colour: RGBColor) -> Drawn {
    let fill = colour.filled();
    match index % 4 {
        0 => root.draw(&Circle::new((x, y), 5, fill))?,
        1 => root.draw(&Rectangle::new([(x - 5, y - 5), (x + 5, y + 5)], fill))?,
        2 => root.draw(&Polygon::new([(x, y - 7), (x + 7, y + 5), (x - 7, y + 5)], fill))?,
        _ => root.draw(&Polygon::new([(x, y - 7), (x + 7, y), (x, y + 7), (x - 7, y)], fill))?,
    }
    Ok(())
}

/// From nothing to `most` in at most six round steps.
fn steps(most: f64) -> Vec<f64> {
    let power = 10_f64.powf((most / 6.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|each| each * power).find(|step| most / step <= 6.0);
    let step = step.unwrap_or(most);
    (0..=(most / step).ceil() as usize).map(|count| count as f64 * step).collect()
}

/// The powers of ten around these.
fn powers(least: f64, most: f64) -> Vec<f64> {
    let (first, last) = (least.log10().floor() as i32, most.log10().ceil() as i32);
    (first..=last.max(first + 1)).map(|power| 10_f64.powi(power)).collect()
}
