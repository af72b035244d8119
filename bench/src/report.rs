//! Collects the figures of a suite and prints them: a table for people, one JSON object per line for programs.

use serde_json::json;

/// The figures of one suite.
pub struct Report {
    suite: &'static str,
    json: bool,
    only: String,
    rows: Vec<Row>,
}

struct Row {
    case: String,
    who: String,
    figures: Vec<(&'static str, f64)>,
}

impl Report {
    /// A report on `suite`; `only` names the cases wanted, by a part of their name.
    pub fn new(suite: &'static str, json: bool, only: &str) -> Self {
        Self {
            suite,
            json,
            only: only.to_owned(),
            rows: Vec::new(),
        }
    }

    /// Whether this case is to be run.
    pub fn wants(&self, case: &str) -> bool {
        case.contains(&self.only)
    }

    /// The figures of a contestant; the first is what contestants are compared by.
    pub fn figures(&mut self, case: &str, who: &str, figures: Vec<(&'static str, f64)>) {
        if self.json {
            let mut object = json!({"suite": self.suite, "case": case, "who": who});
            for (name, value) in &figures {
                object[*name] = json!((value * 1_000.0).round() / 1_000.0);
            }
            println!("{object}");
        }
        self.rows.push(Row {
            case: case.to_owned(),
            who: who.to_owned(),
            figures,
        });
    }

    /// Prints the table, unless the figures went out as JSON already. The last column is the first figure as a
    /// multiple of ours in the same case.
    pub fn finish(self) {
        if self.json {
            return;
        }
        println!("{}", self.suite);
        let mut case = "";
        for row in &self.rows {
            if row.case != case {
                case = &row.case;
                println!("  {case}");
            }
            let ours = self
                .rows
                .iter()
                .find(|other| other.case == row.case && other.who == "manywire");
            print!("    {:<24}", row.who);
            for (name, value) in row.figures.iter().filter(|(_, value)| !value.is_nan()) {
                print!(" {value:>12.2} {name}");
            }
            match (ours.and_then(|ours| ours.figures.first()), row.figures.first()) {
                (Some((_, ours)), Some((_, theirs))) if *ours > 0.0 => println!("   {:>7.2}x", theirs / ours),
                _ => println!(),
            }
        }
    }
}
