//! The adjustments of simple and step scaling policies.

use super::policy::{Policy, PolicyType};
use super::read;
use crate::wire::Value;

/// Returns the capacity to which a simple or step policy scales from `capacity` when the metric exceeds the
/// alarm's threshold by `beyond`; none if no step covers that.
pub(super) fn wanted(policy: &Policy, capacity: u64, beyond: f64) -> Option<u64> {
    let adjustment = match policy.kind {
        PolicyType::Simple => policy.settings.int("ScalingAdjustment"),
        PolicyType::Step => step(policy.settings.list("StepAdjustments"), beyond),
        PolicyType::Tracking | PolicyType::Predictive => None,
    }?;
    let least = policy.settings.int("MinAdjustmentMagnitude");
    let kind = policy.settings.str("AdjustmentType").unwrap_or_default();
    Some(apply(kind, adjustment, least.unwrap_or(0), capacity))
}

fn apply(kind: &str, adjustment: i64, least: i64, capacity: u64) -> u64 {
    let now = i64::try_from(capacity).unwrap_or(i64::MAX);
    let change = match kind {
        "ExactCapacity" => return u64::try_from(adjustment).unwrap_or(0),
        "PercentChangeInCapacity" => {
            let exact = now as f64 * adjustment as f64 / 100.0;
            // A fraction below one instance is rounded to one; above, it is truncated (user guide).
            let whole =
                if exact != 0.0 && exact.abs() < 1.0 { exact.signum() } else { exact.trunc() };
            whole.signum() as i64 * (whole.abs() as i64).max(least.max(0))
        }
        _ => adjustment,
    };
    u64::try_from(now.saturating_add(change)).unwrap_or(0)
}

/// Returns the adjustment of the step whose interval contains `beyond`. Lower bounds are inclusive above the
/// threshold, upper bounds below it (API model).
fn step(steps: &[Value], beyond: f64) -> Option<i64> {
    let holds = |step: &&Value| {
        let low = read::float(step, "MetricIntervalLowerBound").unwrap_or(f64::NEG_INFINITY);
        let high = read::float(step, "MetricIntervalUpperBound").unwrap_or(f64::INFINITY);
        if beyond >= 0.0 { low <= beyond && beyond < high } else { low < beyond && beyond <= high }
    };
    steps.iter().find(holds).and_then(|step| step.int("ScalingAdjustment"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::map;

    #[test]
    fn adjustments_round_as_the_user_guide_says() {
        assert_eq!(apply("ChangeInCapacity", 2, 0, 4), 6);
        assert_eq!(apply("ChangeInCapacity", -9, 0, 4), 0);
        assert_eq!(apply("ExactCapacity", 3, 0, 4), 3);
        assert_eq!(apply("PercentChangeInCapacity", 50, 0, 5), 7, "2.5 is 2");
        assert_eq!(apply("PercentChangeInCapacity", 10, 0, 4), 5, "0.4 is 1");
        assert_eq!(apply("PercentChangeInCapacity", -10, 0, 4), 3);
        assert_eq!(apply("PercentChangeInCapacity", 10, 3, 4), 7, "at least 3");
    }

    #[test]
    fn steps_are_chosen_by_the_distance_from_the_threshold() {
        let step = |low: Option<f64>, high: Option<f64>, by: i64| {
            map([
                ("MetricIntervalLowerBound", low.into()),
                ("MetricIntervalUpperBound", high.into()),
                ("ScalingAdjustment", by.into()),
            ])
        };
        let steps = [step(Some(0.0), Some(10.0), 1), step(Some(10.0), None, 3)];
        assert_eq!(super::step(&steps, 0.0), Some(1));
        assert_eq!(super::step(&steps, 10.0), Some(3));
        assert_eq!(super::step(&steps, -1.0), None);
    }
}
