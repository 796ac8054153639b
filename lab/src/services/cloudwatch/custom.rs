//! PutMetricData: custom metrics.

use jiff::{SignedDuration, Timestamp};

use super::metric::{Metric, dimensions};
use super::period::{MINUTE, floor};
use super::samples::Samples;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most metrics in one call (API model).
const METRICS: usize = 1000;
/// The most distinct values of a metric in one call (API model).
const VALUES: usize = 150;
/// The most dimensions of a metric (API model).
const DIMENSIONS: usize = 30;
/// The largest magnitude of a value: 2^360 (API model).
const LARGEST: f64 = 2.348_542_582_773_833_4e108;

/// PutMetricData: all of them, or none if one is invalid. The data are readable at once (a guess: the user
/// guide says that a new metric takes up to two minutes to be listed).
pub(super) fn put(world: &mut World, input: &Value) -> ApiResult<Value> {
    let namespace = input.str("Namespace").ok_or_else(|| missing("Namespace"))?;
    if namespace.starts_with("AWS/") || namespace.is_empty() || namespace.starts_with(':') {
        return Err(invalid(format!("The value {namespace} for parameter Namespace is invalid.")));
    }
    let data = input.list("MetricData");
    if data.is_empty() && input.list("EntityMetricData").is_empty() {
        return Err(missing("MetricData"));
    }
    if data.len() > METRICS {
        return Err(invalid(format!(
            "The collection MetricData must not have a size greater than {METRICS}."
        )));
    }
    let entities = input.list("EntityMetricData").iter().flat_map(|e| e.list("MetricData"));
    let mut put = Vec::new();
    for (place, datum) in data.iter().chain(entities).enumerate() {
        let member = format!("MetricData.member.{}", place + 1);
        put.push(read(world, namespace, datum, &member)?);
    }
    for (metric, at, samples) in put {
        let known = world.cloudwatch.custom.entry(metric).or_default();
        known.entry(at).or_default().merge(&samples);
    }
    Ok(map([]))
}

fn read(
    world: &World,
    namespace: &str,
    datum: &Value,
    member: &str,
) -> ApiResult<(Metric, Timestamp, Samples)> {
    let name = datum.str("MetricName").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| missing(&format!("{member}.MetricName")))?;
    if name.chars().count() > 255 {
        return Err(invalid(format!("The value for parameter {member}.MetricName is too long.")));
    }
    let given = datum.list("Dimensions");
    if given.len() > DIMENSIONS {
        return Err(invalid(format!(
            "The collection {member}.Dimensions must not have a size greater than {DIMENSIONS}."
        )));
    }
    if given.iter().any(|d| d.str("Value").is_none_or(str::is_empty)) {
        return Err(missing(&format!("{member}.Dimensions.member.1.Value")));
    }
    let resolution = datum.int("StorageResolution").unwrap_or(MINUTE);
    if resolution != 1 && resolution != MINUTE {
        return Err(invalid(format!("The parameter {member}.StorageResolution must be 1 or 60.")));
    }
    let at = datum.time("Timestamp").unwrap_or(world.now);
    let (oldest, newest) = (SignedDuration::from_hours(-14 * 24), SignedDuration::from_hours(2));
    let age = at.duration_since(world.now);
    if !(oldest..=newest).contains(&age) {
        return Err(invalid(format!(
            "The parameter {member}.Timestamp must specify a time within the past two weeks and no more than two hours in the future."
        )));
    }
    let metric = Metric {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        dimensions: dimensions(given),
    };
    Ok((metric, floor(at, resolution), samples(datum, member)?))
}

/// Reads the samples of one datum: a value, values with counts, or a summary, of which the lab keeps minimum
/// and maximum and uses the mean for the rest.
fn samples(datum: &Value, member: &str) -> ApiResult<Samples> {
    let mut samples = Samples::default();
    let summary = datum.get("StatisticValues");
    let (value, values) = (datum.get("Value"), datum.list("Values"));
    match (value.is_null(), values.is_empty(), summary.is_null()) {
        (false, true, true) => samples.add_value(number(value, member)?, 1),
        (true, false, true) => {
            let counts = datum.list("Counts");
            if values.len() > VALUES || (!counts.is_empty() && counts.len() != values.len()) {
                return Err(invalid(format!(
                    "The parameters {member}.Values and {member}.Counts must be of the same size, at most {VALUES}."
                )));
            }
            for (place, value) in values.iter().enumerate() {
                let times = match counts.get(place) {
                    Some(count) => number(count, member)?.max(0.0).round() as u64,
                    None => 1,
                };
                samples.add_value(number(value, member)?, times);
            }
        }
        (true, true, false) => {
            let part = |key: &str| match summary.get(key) {
                Value::Null => Err(missing(&format!("{member}.StatisticValues.{key}"))),
                value => number(value, member),
            };
            let count = part("SampleCount")?.max(0.0).round() as u64;
            let (sum, low, high) = (part("Sum")?, part("Minimum")?, part("Maximum")?);
            if count == 0 || low > high {
                return Err(invalid(format!("The parameter {member}.StatisticValues is invalid.")));
            }
            samples.add_value(low, 1);
            if count > 1 {
                samples.add_value(high, 1);
            }
            if count > 2 {
                samples.add_value((sum - low - high) / (count - 2) as f64, count - 2);
            }
        }
        (true, true, true) => return Err(missing(&format!("{member}.Value"))),
        _ => {
            return Err(ApiError::sender(
                "InvalidParameterCombination",
                format!(
                    "The parameters {member}.Value, {member}.Values and {member}.StatisticValues are mutually exclusive and you have specified more than one."
                ),
            ));
        }
    }
    Ok(samples)
}

fn number(value: &Value, member: &str) -> ApiResult<f64> {
    let number = match value {
        Value::Float(number) => Some(*number),
        Value::Int(number) => Some(*number as f64),
        Value::Str(text) => text.parse().ok(),
        _ => None,
    };
    number.filter(|n| n.is_finite() && n.abs() <= LARGEST).ok_or_else(|| {
        invalid(format!("The value for parameter {member}.Value is not a valid number."))
    })
}

fn invalid(message: String) -> ApiError {
    ApiError::sender("InvalidParameterValue", message)
}

fn missing(parameter: &str) -> ApiError {
    ApiError::sender("MissingParameter", format!("The parameter {parameter} is required."))
}
