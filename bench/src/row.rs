//! What a row is, and what it has to reach.

use async_trait::async_trait;

use crate::Error;
use crate::context::Context;

/// Something that is measured, once in every round.
#[async_trait(?Send)]
pub(crate) trait Row {
    /// For `--row`.
    fn name(&self) -> &'static str;

    /// What it measures.
    fn figures(&self) -> Vec<Figure>;

    /// One sample for each figure, in the same order. An error is a wrong answer, or a process that failed.
    async fn round(&self, context: &Context, round: usize) -> Result<Vec<Sample>, Error>;
}

/// A line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) title: String,
    /// As printed: "µs", "calls/s", "MB".
    pub(crate) unit: &'static str,
    /// What `theirs` is: "bare", "direct"; empty where nothing is compared.
    pub(crate) theirs: &'static str,
    pub(crate) bar: Option<Bar>,
}

/// What one round measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) ours: f64,
    pub(crate) theirs: Option<f64>,
}

/// What has to be reached, by the median of the rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bar {
    /// Ours.
    AtMost(f64),
    /// Ours less theirs.
    ExcessAtMost(f64),
    /// Ours by theirs.
    RatioAtLeast(f64),
    /// Ours by theirs.
    RatioAtMost(f64),
    /// Ours by theirs.
    RatioBelow(f64),
    /// Ours by theirs, or else ours less theirs.
    RatioOrExcessAtMost(f64, f64),
}

impl Sample {
    pub(crate) fn alone(ours: f64) -> Self {
        Self { ours, theirs: None }
    }

    pub(crate) fn beside(ours: f64, theirs: f64) -> Self {
        Self {
            ours,
            theirs: Some(theirs),
        }
    }

    pub(crate) fn ratio(&self) -> Option<f64> {
        self.theirs.map(|theirs| self.ours / theirs)
    }
}

impl Bar {
    /// What the bar is about, of one round.
    pub(crate) fn value(self, sample: &Sample) -> f64 {
        match self {
            Self::AtMost(_) => sample.ours,
            Self::ExcessAtMost(_) => sample.theirs.map_or(f64::NAN, |theirs| sample.ours - theirs),
            Self::RatioAtLeast(_) | Self::RatioAtMost(_) | Self::RatioBelow(_) => sample.ratio().unwrap_or(f64::NAN),
            // What of the bar is used up, by the one that is easier to reach.
            Self::RatioOrExcessAtMost(ratio, excess) => sample
                .theirs
                .map_or(f64::NAN, |theirs| sample.ours / (theirs * ratio).max(theirs + excess)),
        }
    }

    /// A figure that is missing reaches no bar.
    pub(crate) fn is_reached(self, value: f64) -> bool {
        match self {
            Self::RatioAtLeast(bar) => value >= bar,
            Self::AtMost(bar) | Self::ExcessAtMost(bar) | Self::RatioAtMost(bar) => value <= bar,
            Self::RatioBelow(bar) => value < bar,
            Self::RatioOrExcessAtMost(..) => value <= 1.0,
        }
    }

    /// As the table has it.
    pub(crate) fn text(self, unit: &str, theirs: &str) -> String {
        match self {
            Self::AtMost(bar) => format!("≤ {bar} {unit}"),
            Self::ExcessAtMost(bar) => format!("≤ {theirs} + {bar} {unit}"),
            Self::RatioAtLeast(bar) => format!("≥ {bar} × {theirs}"),
            Self::RatioAtMost(bar) => format!("≤ {bar} × {theirs}"),
            Self::RatioBelow(bar) => format!("< {bar} × {theirs}"),
            Self::RatioOrExcessAtMost(ratio, excess) => format!("≤ {ratio} × {theirs} or + {excess} {unit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_reached_or_not() {
        let sample = Sample::beside(60.0, 100.0);
        for (bar, reached) in [
            (Bar::RatioAtMost(0.6), true),
            (Bar::RatioAtMost(0.59), false),
            (Bar::RatioBelow(0.6), false),
            (Bar::RatioAtLeast(0.6), true),
            (Bar::RatioAtLeast(0.61), false),
            (Bar::AtMost(60.0), true),
            (Bar::AtMost(59.9), false),
            (Bar::ExcessAtMost(0.5), true),
            (Bar::ExcessAtMost(-41.0), false),
            (Bar::RatioOrExcessAtMost(0.6, -90.0), true),
            (Bar::RatioOrExcessAtMost(0.1, -40.0), true),
            (Bar::RatioOrExcessAtMost(0.59, -41.0), false),
        ] {
            assert_eq!(bar.is_reached(bar.value(&sample)), reached, "{bar:?}");
        }
        let alone = Sample::alone(1.0);
        assert!(!Bar::RatioAtMost(9.0).is_reached(Bar::RatioAtMost(9.0).value(&alone)));
    }
}
