//! Samples and their statistics.

use std::collections::BTreeMap;

/// Samples by value, each with its count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Samples(BTreeMap<Key, u64>);

/// A finite number as a key, ordered numerically.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(i64);

impl Key {
    fn of(value: f64) -> Key {
        // Normalizes −0 to 0: they are the same number.
        let bits = (value + 0.0).to_bits() as i64;
        Key(if bits < 0 { !bits ^ i64::MIN } else { bits })
    }

    fn value(self) -> f64 {
        let bits = if self.0 < 0 { !(self.0 ^ i64::MIN) } else { self.0 };
        f64::from_bits(bits as u64)
    }

    /// Returns the number in thousandths if it is a whole multiple, so that counts and milliseconds are
    /// summed without rounding.
    fn thousandths(self) -> Option<i128> {
        let scaled = self.value() * 1000.0;
        let whole = scaled.round();
        ((scaled - whole).abs() < 1e-6 && whole.abs() < 1e15).then_some(whole as i128)
    }
}

impl Samples {
    /// Adds `times` samples of `thousandths`/1000.
    pub(super) fn add(&mut self, thousandths: u64, times: u64) {
        self.add_value(thousandths as f64 / 1000.0, times);
    }

    /// Adds `times` samples of a finite number. Counts saturate: the API accepts any.
    pub(super) fn add_value(&mut self, value: f64, times: u64) {
        if times > 0 && value.is_finite() {
            let seen = self.0.entry(Key::of(value)).or_default();
            *seen = seen.saturating_add(times);
        }
    }

    /// Returns `number` samples of 1, as a request counter produces them; a single 0 for none.
    pub(super) fn counted(number: u64) -> Samples {
        let mut samples = Samples::default();
        if number == 0 {
            samples.add(0, 1);
        } else {
            samples.add(1000, number);
        }
        samples
    }

    /// Adds all samples of another set.
    pub(super) fn merge(&mut self, other: &Samples) {
        other.0.iter().for_each(|(value, times)| self.add_value(value.value(), *times));
    }

    /// Returns whether there are no samples.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns a statistic by its CloudWatch name: `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount` or a
    /// percentile (`p99.9`). None without samples, or for another name.
    pub(super) fn statistic(&self, name: &str) -> Option<f64> {
        let count = self.0.values().fold(0_u64, |sum, times| sum.saturating_add(*times));
        let (low, high) = (self.0.keys().next()?, self.0.keys().next_back()?);
        Some(match name {
            "Sum" => self.sum(1),
            "SampleCount" => count as f64,
            "Average" => self.sum(count),
            "Minimum" => low.value(),
            "Maximum" => high.value(),
            _ => self.percentile(percent(name)?, count),
        })
    }

    /// Returns the sum divided by `count`.
    fn sum(&self, count: u64) -> f64 {
        let whole = self.0.iter().try_fold(0_i128, |sum, (value, times)| {
            sum.checked_add(value.thousandths()?.checked_mul(i128::from(*times))?)
        });
        match whole {
            Some(thousandths) => thousandths as f64 / count as f64 / 1000.0,
            None => {
                let parts = self.0.iter().map(|(value, times)| value.value() * *times as f64);
                parts.sum::<f64>() / count as f64
            }
        }
    }

    fn percentile(&self, percent: f64, count: u64) -> f64 {
        let rank = (count as f64 * percent / 100.0).ceil().max(1.0) as u64;
        let mut seen = 0_u64;
        let reached = self.0.iter().find(|(_, times)| {
            seen = times.saturating_add(seen);
            seen >= rank
        });
        reached.map_or(0.0, |(value, _)| value.value())
    }
}

/// Returns whether `name` is a statistic.
pub(super) fn is_statistic(name: &str) -> bool {
    matches!(name, "Sum" | "Average" | "Minimum" | "Maximum" | "SampleCount")
        || percent(name).is_some()
}

/// Returns whether `name` is a percentile.
pub(super) fn is_percentile(name: &str) -> bool {
    percent(name).is_some()
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

    #[test]
    fn any_number_is_a_sample() {
        let mut samples = Samples::default();
        for value in [-2.5, 1e-7, 0.0, -0.0, 3e12] {
            samples.add_value(value, 1);
        }
        assert_eq!(samples.statistic("Minimum"), Some(-2.5));
        assert_eq!(samples.statistic("Maximum"), Some(3e12));
        assert_eq!(samples.statistic("p50"), Some(0.0));
        assert_eq!(samples.statistic("SampleCount"), Some(5.0));
    }

    #[test]
    fn more_samples_than_can_be_counted() {
        let mut samples = Samples::default();
        for value in [1.0, 1.0, 2.0, 1e11] {
            samples.add_value(value, u64::MAX);
        }
        let all = u64::MAX as f64;
        assert_eq!(samples.statistic("SampleCount"), Some(all));
        assert_eq!(samples.statistic("p50"), Some(1.0));
        assert!(samples.statistic("Sum").is_some_and(|sum| sum > all));
    }
}
