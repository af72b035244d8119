//! The tour as a person reads it: the matrix of wires, then the readings.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::time::Duration;

use crate::report::{Cell, Report};

/// Colours for a terminal; nothing when the output goes into a file or a pipe, or `NO_COLOR` is set.
struct Paint {
    on: bool,
}

impl Paint {
    fn wrap(&self, code: &str, text: &str) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn bold(&self, text: &str) -> String {
        self.wrap("1", text)
    }

    fn dim(&self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn good(&self, text: &str) -> String {
        self.wrap("32", text)
    }

    fn bad(&self, text: &str) -> String {
        self.wrap("1;31", text)
    }
}

/// The width of a cell of the matrix.
const CELL: usize = 17;

/// Prints the report to standard output.
pub(crate) fn print(report: &Report) {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    print!("{}", layout(report, &Paint { on: colour }));
}

fn layout(report: &Report, paint: &Paint) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "\n  {}  one process, every wire\n",
        paint.bold("manywire tour")
    );
    for (wire, url) in &report.urls {
        let _ = writeln!(text, "  {}  {url}", paint.dim(&format!("{wire:<8}")));
    }
    let _ = writeln!(
        text,
        "  {}  {}\n",
        paint.dim(&format!("{:<8}", "channel")),
        report.channel
    );
    matrix(&mut text, report, paint);
    readings(&mut text, report, paint);
    for failure in &report.failures {
        let _ = writeln!(text, "  {} {failure}", paint.bad("✗"));
    }
    let counts = format!(
        "{} of {} deliveries, byte for byte",
        report.delivered(),
        report.expected()
    );
    let verdict = if report.is_complete() {
        paint.good("✓")
    } else {
        paint.bad("✗")
    };
    let _ = writeln!(
        text,
        "  {verdict} {} in {}\n",
        paint.bold(&counts),
        human(report.elapsed)
    );
    text
}

/// Wire published on × wire received on: how many arrived, and the middle latency.
fn matrix(text: &mut String, report: &Report, paint: &Paint) {
    let mut columns: Vec<&str> = Vec::new();
    let mut rows: Vec<&str> = Vec::new();
    for cell in &report.cells {
        if !columns.contains(&cell.received_on) {
            columns.push(cell.received_on);
        }
        if !rows.contains(&cell.published_on) {
            rows.push(cell.published_on);
        }
    }
    let heads: String = columns.iter().map(|wire| format!("{wire:>CELL$}")).collect();
    let _ = writeln!(
        text,
        "  {} {}",
        paint.dim("published on │ received on"),
        paint.dim("(arrived, median latency)")
    );
    let _ = writeln!(text, "  {:<12} {}{}", "", paint.dim("│"), paint.bold(&heads));
    let _ = writeln!(
        text,
        "  {}",
        paint.dim(&format!(
            "{}┼{}",
            "─".repeat(13),
            "─".repeat(CELL * columns.len() + 1)
        ))
    );
    for row in rows {
        let cells: String = columns
            .iter()
            .filter_map(|column| {
                report
                    .cells
                    .iter()
                    .find(|cell| cell.published_on == row && cell.received_on == *column)
            })
            .map(|cell| cell_text(cell, paint))
            .collect();
        let _ = writeln!(
            text,
            "  {} {}{cells}",
            paint.bold(&format!("{row:<12}")),
            paint.dim("│")
        );
    }
    text.push('\n');
}

fn cell_text(cell: &Cell, paint: &Paint) -> String {
    let whole = cell.latencies.len() == cell.expected;
    let counts = format!("{}/{}", cell.latencies.len(), cell.expected);
    let latency = format!("{:>9}", human(cell.median()));
    let padding = " ".repeat(CELL.saturating_sub(counts.len() + latency.chars().count()));
    let counts = if whole {
        paint.good(&counts)
    } else {
        paint.bad(&counts)
    };
    format!("{padding}{counts}{latency}")
}

/// The resolved readings.
fn readings(text: &mut String, report: &Report, paint: &Paint) {
    let width = report
        .readings
        .iter()
        .map(|reading| reading.name.len())
        .max()
        .unwrap_or(0)
        .max(8);
    let head = format!("{:<width$}  {:>9}  {:<5} {}", "reading", "value", "unit", "time");
    let _ = writeln!(text, "  {}", paint.dim(&head));
    let _ = writeln!(text, "  {}", paint.dim(&"─".repeat(width + 46)));
    for reading in &report.readings {
        let _ = writeln!(
            text,
            "  {:<width$}  {}  {:<5} {}",
            reading.name,
            paint.bold(&format!("{:>9}", reading.value)),
            reading.unit,
            date(reading.time)
        );
    }
    text.push('\n');
}

/// A duration in the unit a person would choose.
fn human(duration: Duration) -> String {
    let micros = duration.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{:.2} ms", duration.as_secs_f64() * 1e3),
        _ => format!("{:.2} s", duration.as_secs_f64()),
    }
}

/// Nanoseconds since 1970 as a date in UTC, to the millisecond.
fn date(nanoseconds: i128) -> String {
    let milliseconds = nanoseconds.div_euclid(1_000_000);
    let (days, in_day) = (
        milliseconds.div_euclid(86_400_000),
        milliseconds.rem_euclid(86_400_000),
    );
    // Days since 0000-03-01, so that the leap day is the last of its year; then eras of 400 years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i128::from(month <= 2);
    let (hours, minutes) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let (seconds, milliseconds) = (in_day / 1_000 % 60, in_day % 1_000);
    format!("{year:04}-{month:02}-{day:02} {hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_calendar_s() {
        assert_eq!(date(0), "1970-01-01 00:00:00.000 UTC");
        assert_eq!(date(1_276_020_076_001_000_000), "2010-06-08 18:01:16.001 UTC");
        assert_eq!(date(951_782_399_999_000_000), "2000-02-28 23:59:59.999 UTC");
        assert_eq!(date(951_782_400_000_000_000), "2000-02-29 00:00:00.000 UTC");
        assert_eq!(date(-1_000_000), "1969-12-31 23:59:59.999 UTC");
    }

    #[test]
    fn a_missing_delivery_shows_in_its_cell_and_in_the_verdict() {
        let report = Report {
            cells: vec![Cell {
                published_on: "http",
                received_on: "coap",
                expected: 2,
                latencies: vec![Duration::from_micros(120)],
            }],
            ..Report::default()
        };
        let text = layout(&report, &Paint { on: false });
        assert!(text.contains("1/2   120 µs"), "{text}");
        assert!(text.contains("✗ 1 of 2 deliveries"), "{text}");
        assert!(!report.is_complete());
    }
}
