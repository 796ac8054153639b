//! `MetricDataQuery`: what GetMetricData and alarms ask for, each a metric's statistic or an expression
//! over the others.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::data::validation;
use super::math::{self, Frame, Names, Operand, Series};
use super::metrics::{MINUTE, Metric, arrived_until, floor};
use super::samples::is_statistic;
use crate::wire::{ApiResult, Value};
use crate::world::{World, later};

/// Queries in one call (API model).
pub(super) const MOST: usize = 500;

/// One query, read and checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) source: Source,
    pub(super) wanted: bool,
}

/// What a query is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// A statistic of a metric, by periods of so many seconds.
    Metric { metric: Metric, statistic: String, period: i64 },
    /// Metric math; its own period counts where it names no metric.
    Expression { text: String, period: Option<i64> },
}

/// Reads the queries of a call.
pub(super) fn read(list: &[Value]) -> ApiResult<Vec<Query>> {
    if list.is_empty() || list.len() > MOST {
        return Err(validation(format!(
            "The collection MetricDataQueries must not be empty and must not have a size greater than {MOST}."
        )));
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
    let source = match (stat.is_null(), query.str("Expression")) {
        (false, None) => {
            let statistic = stat.str("Stat").unwrap_or_default();
            if !is_statistic(statistic) {
                return Err(validation(format!(
                    "The value '{statistic}' for parameter Stat is not supported."
                )));
            }
            Source::Metric {
                metric: Metric::read(stat.get("Metric"))?,
                statistic: statistic.to_owned(),
                period: period(stat)?,
            }
        }
        (true, Some(text)) => {
            let given = !query.get("Period").is_null();
            let period = if given { Some(period(query)?) } else { None };
            Source::Expression { text: text.to_owned(), period }
        }
        _ => {
            return Err(validation(format!(
                "Exactly one of the parameters MetricStat and Expression must be specified for query '{id}'."
            )));
        }
    };
    let default = match &source {
        Source::Metric { metric, .. } => metric.name.as_str(),
        Source::Expression { .. } => id,
    };
    Ok(Query {
        id: id.to_owned(),
        label: query.str("Label").unwrap_or(default).to_owned(),
        wanted: query.bool("ReturnData").unwrap_or(true),
        source,
    })
}

/// `Period` in seconds: whole minutes, or one of the short ones that metrics of high resolution have.
pub(super) fn period(input: &Value) -> ApiResult<i64> {
    let period = input.int("Period").unwrap_or_default();
    if period > 0 && (period % MINUTE == 0 || matches!(period, 1 | 5 | 10 | 20 | 30)) {
        return Ok(period);
    }
    Err(validation(format!(
        "The parameter Period must be 1, 5, 10, 20, 30, or a multiple of {MINUTE}, and is '{period}'."
    )))
}

/// The queries of a call over a span of time.
pub(super) struct Asked<'a> {
    pub(super) world: &'a World,
    pub(super) queries: &'a [Query],
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
}

impl Asked<'_> {
    /// The series of a query, several only for an expression that gives an array; or what is the matter
    /// with an expression.
    pub(super) fn series(&self, query: &Query) -> ApiResult<Vec<Series>> {
        let one = |query: &Query| Reading { asked: self, busy: Vec::new() }.read(query);
        match one(query) {
            Ok(Operand::Series(series)) => Ok(vec![series]),
            Ok(Operand::Array(all)) => Ok(all),
            Ok(Operand::Scalar(_)) => Err(problem(
                query,
                "it gives a number, and the result of an expression must be a time series",
            )),
            Err(error) => Err(problem(query, &error)),
        }
    }

    /// The period of a query: an expression has the longest of the metrics'.
    pub(super) fn period(&self, query: &Query) -> i64 {
        match &query.source {
            Source::Metric { period, .. } => *period,
            Source::Expression { period, .. } => {
                let of_metrics = self.queries.iter().filter_map(|query| match &query.source {
                    Source::Metric { period, .. } => Some(*period),
                    Source::Expression { .. } => None,
                });
                period.or(of_metrics.max()).unwrap_or(MINUTE)
            }
        }
    }

    fn metric(&self, metric: &Metric, statistic: &str, period: i64) -> Series {
        let periods = metric.read_between(self.world, self.start, self.end, period);
        periods
            .iter()
            .filter_map(|(at, samples)| Some((*at, samples.statistic(statistic)?)))
            .collect()
    }
}

fn problem(query: &Query, error: &str) -> crate::wire::ApiError {
    validation(format!("Error in expression '{}': {error}.", query.id))
}

/// One reading of a query, with the queries that wait for it: none may need itself.
struct Reading<'r, 'a> {
    asked: &'r Asked<'a>,
    busy: Vec<String>,
}

impl Reading<'_, '_> {
    fn read(&self, query: &Query) -> Result<Operand, String> {
        match &query.source {
            Source::Metric { metric, statistic, period } => {
                Ok(Operand::Series(self.asked.metric(metric, statistic, *period)))
            }
            Source::Expression { text, .. } => {
                if self.busy.contains(&query.id) {
                    return Err(format!("'{}' refers to itself", query.id));
                }
                let mut busy = self.busy.clone();
                busy.push(query.id.clone());
                let inner = Reading { asked: self.asked, busy };
                math::evaluate(text, &Within { reading: &inner, query })
            }
        }
    }
}

/// What an expression sees.
struct Within<'w, 'r, 'a> {
    reading: &'w Reading<'r, 'a>,
    query: &'w Query,
}

impl Names for Within<'_, '_, '_> {
    fn value(&self, id: &str) -> Option<Result<Operand, String>> {
        let query = self.reading.asked.queries.iter().find(|query| query.id == id)?;
        Some(self.reading.read(query))
    }

    fn metrics(&self) -> Vec<Series> {
        let asked = self.reading.asked;
        let metrics = asked.queries.iter().filter_map(|query| match &query.source {
            Source::Metric { metric, statistic, period } => {
                Some(asked.metric(metric, statistic, *period))
            }
            Source::Expression { .. } => None,
        });
        metrics.collect()
    }

    fn frame(&self) -> Frame {
        let asked = self.reading.asked;
        let period = asked.period(self.query);
        let start = floor(asked.start, period);
        let start = if start < asked.start {
            later(start, Duration::from_secs(period.unsigned_abs()))
        } else {
            start
        };
        Frame { start, end: asked.end.min(arrived_until(asked.world)), period }
    }
}
