//! The table, its spread, and the files that keep it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::Error;
use crate::context::Context;
use crate::row::{Figure, Row, Sample};

const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";

/// What the rounds of a row brought.
pub(crate) struct Outcome {
    name: &'static str,
    figures: Vec<Figure>,
    /// Of each round.
    samples: Vec<Vec<Sample>>,
    pub(crate) wrong: Option<String>,
}

impl Outcome {
    pub(crate) fn new(row: &dyn Row) -> Self {
        Self {
            name: row.name(),
            figures: row.figures(),
            samples: Vec::new(),
            wrong: None,
        }
    }

    pub(crate) fn add(&mut self, round: Result<Vec<Sample>, Error>) {
        match round {
            Ok(samples) if samples.len() == self.figures.len() => self.samples.push(samples),
            Ok(_) => self.wrong = Some("a round without all of its figures".to_owned()),
            Err(error) => self.wrong = Some(error.to_string()),
        }
    }

    /// The last round, for whoever waits.
    pub(crate) fn last(&self) -> String {
        let text = match (&self.wrong, self.samples.last()) {
            (Some(wrong), _) => format!("WRONG {wrong}"),
            (None, Some(samples)) => {
                let figure = |(figure, sample): (&Figure, &Sample)| match sample.theirs {
                    Some(theirs) => format!("{} / {} {}", number(sample.ours), number(theirs), figure.unit),
                    None => format!("{} {}", number(sample.ours), figure.unit),
                };
                self.figures
                    .iter()
                    .zip(samples)
                    .map(figure)
                    .collect::<Vec<_>>()
                    .join("; ")
            }
            (None, None) => String::new(),
        };
        format!("{}: {text}", self.name)
    }

    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let of = |index: usize| self.samples.iter().filter_map(move |round| round.get(index).copied());
        let figures = self.figures.iter().enumerate().filter(|_| self.wrong.is_none());
        figures.map(move |(index, figure)| Line {
            row: self.name,
            figure,
            samples: of(index).collect(),
        })
    }
}

/// A line of the table: a figure with its samples.
struct Line<'a> {
    row: &'static str,
    figure: &'a Figure,
    samples: Vec<Sample>,
}

impl Line<'_> {
    fn ours(&self) -> Option<f64> {
        median(self.samples.iter().map(|sample| sample.ours))
    }

    fn theirs(&self) -> Option<f64> {
        median(self.samples.iter().filter_map(|sample| sample.theirs))
    }

    fn ratio(&self) -> Option<f64> {
        median(self.samples.iter().filter_map(Sample::ratio))
    }

    /// Least and most, of the ratios or else of ours.
    fn spread(&self) -> Option<(f64, f64)> {
        let values = || self.samples.iter().map(|sample| sample.ratio().unwrap_or(sample.ours));
        values().reduce(f64::min).zip(values().reduce(f64::max))
    }

    /// By the median of what the bar is about. `None` without a bar.
    fn is_reached(&self) -> Option<bool> {
        let bar = self.figure.bar?;
        let value = median(self.samples.iter().map(|sample| bar.value(sample)));
        Some(value.is_some_and(|value| bar.is_reached(value)))
    }

    fn bar(&self) -> String {
        let bar = self
            .figure
            .bar
            .map(|bar| bar.text(self.figure.unit, self.figure.theirs));
        bar.unwrap_or_default()
    }

    fn markdown(&self) -> String {
        let unit = self.figure.unit;
        let value = |value: Option<f64>| {
            value
                .map(|value| format!("{} {unit}", number(value)))
                .unwrap_or_default()
        };
        let theirs = match self.figure.theirs {
            "" | "bare" => value(self.theirs()),
            name => self
                .theirs()
                .map(|theirs| format!("{name}: {} {unit}", number(theirs)))
                .unwrap_or_default(),
        };
        let spread = self
            .spread()
            .map(|(least, most)| format!("{}–{}", number(least), number(most)));
        let reached = match self.is_reached() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        format!(
            "| {} | {} | {theirs} | {} | {} | {} | {reached} |\n",
            self.figure.title,
            value(self.ours()),
            self.ratio().map(number).unwrap_or_default(),
            spread.unwrap_or_default(),
            self.bar(),
        )
    }

    fn json(&self) -> Value {
        let samples: Vec<Value> = self
            .samples
            .iter()
            .map(|sample| json!([sample.ours, sample.theirs]))
            .collect();
        json!({
            "row": self.row,
            "figure": self.figure.title,
            "unit": self.figure.unit,
            "compared_with": self.figure.theirs,
            "ours": self.ours(),
            "theirs": self.theirs(),
            "ratio": self.ratio(),
            "spread": self.spread(),
            "bar": self.bar(),
            "reached": self.is_reached(),
            "samples": samples,
        })
    }
}

pub(crate) struct Report {
    outcomes: Vec<Outcome>,
    rounds: usize,
}

impl Report {
    pub(crate) fn new(context: &Context, outcomes: Vec<Outcome>) -> Self {
        Self {
            outcomes,
            rounds: context.rounds,
        }
    }

    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.outcomes.iter().flat_map(Outcome::lines)
    }

    /// In Markdown.
    pub(crate) fn table(&self) -> String {
        let head =
            "| figure | ours | bare | ratio | spread | bar | reached |\n| --- | --- | --- | --- | --- | --- | --- |\n";
        let lines: String = self.lines().map(|line| line.markdown()).collect();
        format!("{head}{lines}")
    }

    pub(crate) fn json(&self) -> Result<String, Error> {
        let lines: Vec<Value> = self.lines().map(|line| line.json()).collect();
        let processors = std::thread::available_parallelism()?.get();
        let all = json!({"rounds": self.rounds, "processors": processors, "figures": lines});
        Ok(format!("{all:#}\n"))
    }

    /// The rows that count for nothing, and why.
    pub(crate) fn wrong(&self) -> impl Iterator<Item = String> {
        let wrong = |outcome: &Outcome| Some(format!("{}: {}", outcome.name, outcome.wrong.as_ref()?));
        self.outcomes.iter().filter_map(wrong)
    }

    /// The figures that miss their bar.
    pub(crate) fn missed(&self) -> impl Iterator<Item = String> {
        let missed = self.lines().filter(|line| line.is_reached() == Some(false));
        missed.map(|line| format!("{}: {}: {}", line.row, line.figure.title, line.bar()))
    }

    /// How many rows were answered rightly.
    pub(crate) fn tally(&self) -> String {
        let failed = self.wrong().count();
        format!("{} passed, {failed} failed", self.outcomes.len() - failed)
    }

    /// Into `docs/performance.md`, between its marks, and `docs/performance.json`.
    pub(crate) fn write_docs(&self) -> Result<(), Error> {
        let docs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs"));
        let page = docs.join("performance.md");
        let old = fs::read_to_string(&page).unwrap_or_else(|_| format!("# Performance\n\n{BEGIN}\n{END}\n"));
        fs::write(&page, replaced(&old, &self.table())?)?;
        Ok(fs::write(docs.join("performance.json"), self.json()?)?)
    }
}

fn replaced(page: &str, table: &str) -> Result<String, Error> {
    let marks = page.find(BEGIN).zip(page.find(END)).filter(|(begin, end)| begin < end);
    let (begin, end) = marks.ok_or("docs/performance.md lacks the marks between which the table stands")?;
    Ok(format!("{}\n{table}{}", &page[..begin + BEGIN.len()], &page[end..]))
}

/// The middle one, or the mean of the two in the middle.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (below, above) = (
        values.get(values.len().checked_sub(1)? / 2)?,
        values.get(values.len() / 2)?,
    );
    Some((below + above) / 2.0)
}

/// Three digits that mean something.
fn number(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
        assert_eq!(median(std::iter::empty()), None);
    }

    #[test]
    fn a_bar_is_judged_by_the_median_of_the_rounds_ratios() {
        let figure = Figure {
            title: "a".to_owned(),
            unit: "µs",
            theirs: "bare",
            bar: Some(crate::row::Bar::RatioAtMost(0.5)),
        };
        let line = |samples: [(f64, f64); 3]| Line {
            row: "r",
            figure: &figure,
            samples: samples.map(|(ours, theirs)| Sample::beside(ours, theirs)).to_vec(),
        };
        // The ratio of the medians would be 0.75.
        let good = line([(1.0, 4.0), (3.0, 6.0), (90.0, 2.0)]);
        assert_eq!(good.is_reached(), Some(true));
        assert_eq!(
            good.markdown(),
            "| a | 3.00 µs | 4.00 µs | 0.50 | 0.25–45.0 | ≤ 0.5 × bare | yes |\n"
        );
        assert_eq!(line([(1.0, 4.0), (3.0, 5.0), (90.0, 2.0)]).is_reached(), Some(false));
        assert_eq!(line([(1.0, 4.0), (3.0, 5.0), (90.0, 2.0)]).ratio(), Some(0.6));
    }

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let page = format!("# A\n{BEGIN}\nold\n{END}\nb\n");
        assert_eq!(
            replaced(&page, "new\n").expect("marks"),
            format!("# A\n{BEGIN}\nnew\n{END}\nb\n")
        );
        assert!(replaced("# A\n", "new\n").is_err());
    }
}
