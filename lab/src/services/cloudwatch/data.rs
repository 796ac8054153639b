//! GetMetricData.

use jiff::Timestamp;

use super::errors::validation;
use super::queries::{self, Evaluator, Query};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// The most data points in one response (API model).
const POINTS: usize = 100_800;

/// GetMetricData. The start is inclusive, the end exclusive. With `MaxDatapoints` the response comes in
/// pages: an incomplete result is `PartialData`.
pub(super) fn get(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (start, end) = span(input)?;
    let queries = queries::read(input.list("MetricDataQueries"))?;
    let ascending = match input.str("ScanBy") {
        None | Some("TimestampDescending") => false,
        Some("TimestampAscending") => true,
        Some(other) => return Err(validation(format!("ScanBy '{other}' is not valid."))),
    };
    let most = input.int("MaxDatapoints").map_or(POINTS, |n| usize::try_from(n).unwrap_or(POINTS));
    let mut skip = match input.str("NextToken") {
        Some(token) => token.parse::<usize>().map_err(|_| {
            ApiError::sender("InvalidNextToken", "The NextToken value is not valid.")
        })?,
        None => 0,
    };
    let (given, mut room, mut more) = (skip, most, false);
    let asked = Evaluator::new(world, &queries, (start, end));
    if asked.is_longer_than(POINTS as i64) {
        return Err(validation(format!(
            "The expressions of this request may have more than {POINTS} data points: request a shorter time range or a longer period."
        )));
    }
    let mut results = Vec::new();
    for query in queries.iter().filter(|q| q.return_data) {
        for series in asked.series(query)? {
            let mut points: Vec<(Timestamp, f64)> = series.into_iter().collect();
            if !ascending {
                points.reverse();
            }
            let passed = skip.min(points.len());
            skip -= passed;
            let part: Vec<_> = points[passed..].iter().take(room).copied().collect();
            let partial = passed + part.len() < points.len();
            room -= part.len();
            more |= partial;
            results.push(write(query, &part, partial));
        }
    }
    let next = more.then(|| given.saturating_add(most).to_string());
    Ok(map([
        ("MetricDataResults", results.into()),
        ("NextToken", next.into()),
        ("Messages", Value::List(Vec::new())),
    ]))
}

fn write(query: &Query, points: &[(Timestamp, f64)], partial: bool) -> Value {
    let times: Vec<Value> = points.iter().map(|(at, _)| (*at).into()).collect();
    let values: Vec<Value> = points.iter().map(|(_, value)| (*value).into()).collect();
    map([
        ("Id", query.id.as_str().into()),
        ("Label", query.label.as_str().into()),
        ("Timestamps", times.into()),
        ("Values", values.into()),
        ("StatusCode", if partial { "PartialData" } else { "Complete" }.into()),
    ])
}

/// Reads `StartTime` and `EndTime`, and requires that order.
pub(super) fn span(input: &Value) -> ApiResult<(Timestamp, Timestamp)> {
    let need = |key: &str| {
        input.time(key).ok_or_else(|| {
            ApiError::sender("MissingParameter", format!("The parameter {key} is required."))
        })
    };
    let (start, end) = (need("StartTime")?, need("EndTime")?);
    if start >= end {
        return Err(validation("The parameter StartTime must be less than the parameter EndTime."));
    }
    Ok((start, end))
}
