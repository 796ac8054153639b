//! GetMetricStatistics: the older operation, for one metric per call.

use super::data::span;
use super::metric::Metric;
use super::queries::period;
use super::samples::{Samples, is_statistic};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most data points in one response (API model).
const POINTS: usize = 1440;

/// GetMetricStatistics. AWS guarantees no order of the data points; here they are ascending.
pub(super) fn get(world: &mut World, input: &Value) -> ApiResult<Value> {
    let metric = Metric::read(input)?;
    let (start, end) = span(input)?;
    let mut wanted = input.strings("Statistics");
    wanted.extend(input.strings("ExtendedStatistics"));
    if wanted.is_empty() {
        return Err(ApiError::sender(
            "InvalidParameterCombination",
            "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
        ));
    }
    if let Some(unknown) = wanted.iter().find(|name| !is_statistic(name)) {
        return Err(ApiError::sender(
            "InvalidParameterValue",
            format!("The value '{unknown}' for parameter Statistics is not supported."),
        ));
    }
    let periods = metric.read_between(world, start, end, period(input)?);
    if periods.len() > POINTS {
        return Err(ApiError::sender(
            "InvalidParameterCombination",
            format!(
                "You have requested {} datapoints, which exceeds the limit of {POINTS}.",
                periods.len()
            ),
        ));
    }
    let points = periods.iter().map(|(at, samples)| {
        map([("Timestamp", (*at).into())])
            .with("SampleCount", one(samples, &wanted, "SampleCount"))
            .with("Average", one(samples, &wanted, "Average"))
            .with("Sum", one(samples, &wanted, "Sum"))
            .with("Minimum", one(samples, &wanted, "Minimum"))
            .with("Maximum", one(samples, &wanted, "Maximum"))
            .with("Unit", metric.unit())
            .with("ExtendedStatistics", percentiles(samples, &wanted))
    });
    Ok(map([
        ("Label", metric.name.as_str().into()),
        ("Datapoints", points.collect::<Vec<_>>().into()),
    ]))
}

fn one(samples: &Samples, wanted: &[String], name: &str) -> Option<f64> {
    wanted.iter().any(|w| w == name).then(|| samples.statistic(name)).flatten()
}

fn percentiles(samples: &Samples, wanted: &[String]) -> Value {
    let named: Vec<_> = wanted
        .iter()
        .filter(|name| name.starts_with('p'))
        .filter_map(|name| Some((name.clone().into(), samples.statistic(name)?.into())))
        .collect();
    if named.is_empty() { Value::Null } else { Value::Map(named) }
}
