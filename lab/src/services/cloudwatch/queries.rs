//! `MetricDataQuery`: the queries of GetMetricData and of alarms, each for a metric's statistic or an
//! expression over other queries.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::arrival::arrived_until;
use super::errors::validation;
use super::math::{self, Expression, Frame, Operand, Scope, Series};
use super::metric::Metric;
use super::period::{MINUTE, floor};
use super::samples::is_statistic;
use crate::wire::{ApiResult, Value};
use crate::world::{World, later};

/// The most queries in one call (API model).
pub(super) const MOST: usize = 500;

/// The longest expression, in characters (API model: `MetricExpression`).
const EXPRESSION: usize = 2048;

/// One validated query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) source: Source,
    pub(super) return_data: bool,
}

/// The source of a query's data.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// A statistic of a metric, by periods of `period` seconds.
    Metric { metric: Metric, statistic: String, period: i64 },
    /// Metric math; its own period applies if it refers to no metric.
    Expression { text: String, period: Option<i64> },
}

/// Reads and validates the queries of a call.
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
            if !(1..=EXPRESSION).contains(&text.chars().count()) {
                return Err(validation(format!(
                    "1 validation error detected: The expression of query '{id}' failed to satisfy constraint: Member must have a length from 1 to {EXPRESSION}"
                )));
            }
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
        return_data: query.bool("ReturnData").unwrap_or(true),
        source,
    })
}

/// Reads `Period` in seconds: whole minutes, or one of the shorter periods of high-resolution metrics.
pub(super) fn period(input: &Value) -> ApiResult<i64> {
    let period = input.int("Period").unwrap_or_default();
    if period > 0 && (period % MINUTE == 0 || matches!(period, 1 | 5 | 10 | 20 | 30)) {
        return Ok(period);
    }
    Err(validation(format!(
        "The parameter Period must be 1, 5, 10, 20, 30, or a multiple of {MINUTE}, and is '{period}'."
    )))
}

/// The queries of a call, evaluated over a time range.
pub(super) struct Evaluator<'a> {
    world: &'a World,
    queries: &'a [Query],
    start: Timestamp,
    end: Timestamp,
    /// The results so far: a query is evaluated once, however often others refer to it.
    found: RefCell<BTreeMap<&'a str, Operand>>,
}

impl<'a> Evaluator<'a> {
    /// Creates the evaluation of queries from `start` (inclusive) to `end` (exclusive).
    pub(super) fn new(
        world: &'a World,
        queries: &'a [Query],
        (start, end): (Timestamp, Timestamp),
    ) -> Evaluator<'a> {
        Evaluator { world, queries, start, end, found: RefCell::default() }
    }

    /// Returns the series of a query, several only for an expression that results in an array; or the error
    /// of an expression.
    pub(super) fn series(&self, query: &'a Query) -> ApiResult<Vec<Series>> {
        self.find(query)?;
        match self.found.borrow().get(query.id.as_str()) {
            Some(Operand::Series(series)) => Ok(vec![series.clone()]),
            Some(Operand::Array(all)) => Ok(all.clone()),
            Some(Operand::Scalar(_)) | None => Err(problem(
                query,
                "the result of an expression must be a time series, not a number",
            )),
        }
    }

    /// Evaluates a query after all those that it refers to, without recursion: hundreds may be chained.
    fn find(&self, query: &'a Query) -> ApiResult<()> {
        let mut waiting = vec![query];
        let mut begun: BTreeSet<&str> = BTreeSet::new();
        while let Some(query) = waiting.last().copied() {
            let id = query.id.as_str();
            if self.found.borrow().contains_key(id) {
                waiting.pop();
                continue;
            }
            let value = match &query.source {
                Source::Metric { metric, statistic, period } => {
                    Operand::Series(self.metric(metric, statistic, *period))
                }
                Source::Expression { text, .. } => {
                    let expression = math::parse(text).map_err(|error| problem(query, &error))?;
                    if begun.insert(id) {
                        let needed = self.needed(&expression);
                        if let Some(own) = needed.iter().find(|q| begun.contains(q.id.as_str())) {
                            return Err(problem(query, &format!("'{}' refers to itself", own.id)));
                        }
                        waiting.extend(needed);
                        continue;
                    }
                    let within = QueryScope { asked: self, query };
                    math::eval(&expression, &within).map_err(|error| problem(query, &error))?
                }
            };
            self.found.borrow_mut().insert(id, value);
        }
        Ok(())
    }

    /// Returns the queries that an expression refers to and that have not been evaluated yet.
    fn needed(&self, expression: &Expression) -> Vec<&'a Query> {
        let (names, found) = (expression.names(), self.found.borrow());
        let unknown = |query: &&Query| {
            names.contains(query.id.as_str()) && !found.contains_key(query.id.as_str())
        };
        self.queries.iter().filter(unknown).collect()
    }

    /// Returns whether any expression could have more than `most` data points, with all of its periods
    /// filled.
    pub(super) fn is_longer_than(&self, most: i64) -> bool {
        let seconds = self.end.duration_since(self.start).as_secs();
        self.queries.iter().any(|query| {
            matches!(query.source, Source::Expression { .. })
                && seconds / self.period(query).max(1) > most
        })
    }

    /// Returns the period of a query: for an expression without its own, the longest of the metrics' periods.
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

/// The names that a query's expression can refer to.
struct QueryScope<'w, 'a> {
    asked: &'w Evaluator<'a>,
    query: &'w Query,
}

impl Scope for QueryScope<'_, '_> {
    fn value(&self, id: &str) -> Option<Operand> {
        self.asked.found.borrow().get(id).cloned()
    }

    fn metrics(&self) -> Vec<Series> {
        let asked = self.asked;
        let metrics = asked.queries.iter().filter_map(|query| match &query.source {
            Source::Metric { metric, statistic, period } => {
                Some(asked.metric(metric, statistic, *period))
            }
            Source::Expression { .. } => None,
        });
        metrics.collect()
    }

    fn frame(&self) -> Frame {
        let asked = self.asked;
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
