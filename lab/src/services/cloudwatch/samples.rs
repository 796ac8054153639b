//! A set of samples, and the statistics of it.

use std::collections::BTreeMap;

/// Samples by value: how often each was seen. Values are scaled to whole thousandths, which is all
/// that counts and milliseconds need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Samples(BTreeMap<u64, u64>);

impl Samples {
    /// Adds `times` samples of `thousandths`/1000.
    pub(super) fn add(&mut self, thousandths: u64, times: u64) {
        if times > 0 {
            *self.0.entry(thousandths).or_default() += times;
        }
    }

    /// `number` samples of 1, as a counter of requests makes them; a single 0 for none.
    pub(super) fn counted(number: u64) -> Samples {
        let mut samples = Samples::default();
        if number == 0 {
            samples.add(0, 1);
        } else {
            samples.add(1000, number);
        }
        samples
    }

    /// Adds all of another's.
    pub(super) fn merge(&mut self, other: &Samples) {
        other.0.iter().for_each(|(value, times)| self.add(*value, *times));
    }

    /// Whether there is no sample.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A statistic by CloudWatch's name: `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount` or a
    /// percentile (`p99.9`). None without samples or for another name.
    pub(super) fn statistic(&self, name: &str) -> Option<f64> {
        let count: u64 = self.0.values().sum();
        let (low, high) = (self.0.keys().next()?, self.0.keys().next_back()?);
        let sum = self.0.iter().map(|(value, times)| value * times).sum::<u64>();
        let thousandths = |value: u64| value as f64 / 1000.0;
        Some(match name {
            "Sum" => thousandths(sum),
            "SampleCount" => count as f64,
            "Average" => sum as f64 / count as f64 / 1000.0,
            "Minimum" => thousandths(*low),
            "Maximum" => thousandths(*high),
            _ => thousandths(self.percentile(percent(name)?, count)),
        })
    }

    fn percentile(&self, percent: f64, count: u64) -> u64 {
        let rank = (count as f64 * percent / 100.0).ceil().max(1.0) as u64;
        let mut seen = 0;
        let reached = self.0.iter().find(|(_, times)| {
            seen += **times;
            seen >= rank
        });
        reached.map_or(0, |(value, _)| *value)
    }
}

/// Whether `name` is a statistic at all.
pub(super) fn is_statistic(name: &str) -> bool {
    matches!(name, "Sum" | "Average" | "Minimum" | "Maximum" | "SampleCount")
        || percent(name).is_some()
}

fn percent(name: &str) -> Option<f64> {
    name.strip_prefix('p')?.parse().ok().filter(|p| (0.0..=100.0).contains(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_a_few_latencies() {
        let mut samples = Samples::default();
        samples.add(20, 98);
        samples.add(900, 2);
        assert_eq!(samples.statistic("SampleCount"), Some(100.0));
        assert_eq!(samples.statistic("p50"), Some(0.02));
        assert_eq!(samples.statistic("p99"), Some(0.9));
        assert_eq!(samples.statistic("Average"), Some(0.0376));
        assert_eq!(samples.statistic("Mode"), None);
        assert_eq!(Samples::default().statistic("Sum"), None);
        assert_eq!(Samples::counted(0).statistic("Sum"), Some(0.0));
    }
}
