//! GetMetricData.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::metrics::{MINUTE, Metric};
use super::samples::is_statistic;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// Queries in one call (API model).
const QUERIES: usize = 500;
/// Data points in one answer (API model).
const POINTS: usize = 100_800;

/// One query, read and checked.
struct Query {
    id: String,
    label: String,
    metric: Metric,
    statistic: String,
    period: i64,
    wanted: bool,
}

/// GetMetricData, for queries of a `MetricStat` each (the lab has no metric math). The start is
/// inclusive, the end exclusive. With `MaxDatapoints` the answer comes in parts: a result that has
/// more to come is `PartialData`.
pub(super) fn get(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (start, end) = span(input)?;
    let queries = read(input.list("MetricDataQueries"))?;
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
    let mut results = Vec::new();
    for query in queries.iter().filter(|q| q.wanted) {
        let mut points = points(world, query, start, end);
        if !ascending {
            points.reverse();
        }
        let passed = skip.min(points.len());
        skip -= passed;
        let part: Vec<(Timestamp, f64)> = points[passed..].iter().take(room).copied().collect();
        let partial = passed + part.len() < points.len();
        room -= part.len();
        more |= partial;
        results.push(write(query, &part, partial));
    }
    let next = more.then(|| (given + most).to_string());
    Ok(map([
        ("MetricDataResults", results.into()),
        ("NextToken", next.into()),
        ("Messages", Value::List(Vec::new())),
    ]))
}

fn points(world: &World, query: &Query, start: Timestamp, end: Timestamp) -> Vec<(Timestamp, f64)> {
    let periods = query.metric.read_between(world, start, end, query.period);
    periods
        .iter()
        .filter_map(|(at, samples)| Some((*at, samples.statistic(&query.statistic)?)))
        .collect()
}

fn read(list: &[Value]) -> ApiResult<Vec<Query>> {
    if list.is_empty() || list.len() > QUERIES {
        return Err(validation(format!("MetricDataQueries must hold 1 to {QUERIES} queries.")));
    }
    let queries = list.iter().map(read_one).collect::<ApiResult<Vec<_>>>()?;
    let ids: BTreeSet<&str> = queries.iter().map(|q| q.id.as_str()).collect();
    if ids.len() < queries.len() {
        return Err(validation("The values for parameter id in MetricDataQueries are not unique."));
    }
    Ok(queries)
}

fn read_one(query: &Value) -> ApiResult<Query> {
    let id = query.str("Id").unwrap_or_default();
    let lower = id.starts_with(|c: char| c.is_ascii_lowercase());
    if !lower || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(validation(format!(
            "The value '{id}' for parameter MetricDataQueries.member.1.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )));
    }
    let stat = query.get("MetricStat");
    if stat.is_null() {
        return Err(validation(format!(
            "Query '{id}': the lab answers a MetricStat, not an Expression."
        )));
    }
    let metric = Metric::read(stat.get("Metric"))?;
    let statistic = stat.str("Stat").unwrap_or_default();
    if !is_statistic(statistic) {
        return Err(validation(format!(
            "The value '{statistic}' for parameter Stat is not supported."
        )));
    }
    Ok(Query {
        id: id.to_owned(),
        label: query.str("Label").unwrap_or(&metric.name).to_owned(),
        statistic: statistic.to_owned(),
        period: period(stat)?,
        wanted: query.bool("ReturnData").unwrap_or(true),
        metric,
    })
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

/// `StartTime` and `EndTime`, in this order.
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

/// `Period`: a whole number of minutes, in seconds.
pub(super) fn period(input: &Value) -> ApiResult<i64> {
    let period = input.int("Period").unwrap_or_default();
    if period <= 0 || period % MINUTE != 0 {
        return Err(validation(format!(
            "The Period '{period}' is not valid: the metrics have a multiple of {MINUTE} seconds."
        )));
    }
    Ok(period)
}

pub(super) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::sender("ValidationError", message)
}
