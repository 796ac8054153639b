//! Alarm evaluation (user guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing
//! data").

use std::time::Duration;

use jiff::Timestamp;

use super::alarm::{Alarm, AlarmState, threshold};
use super::math::Series;
use super::metric::Metric;
use super::period::{MINUTE, floor};
use super::queries::{self, Evaluator};
use crate::wire::Value;
use crate::world::{World, later};

/// How many minutes back to search for the state that `ignore` maintains while data are missing.
const BACK: usize = 1440;

/// A state and the reason for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Evaluation {
    pub(super) state: AlarmState,
    pub(super) reason: String,
}

/// The data points that an alarm evaluates, newest first.
struct EvaluationWindow {
    /// The number of periods evaluated, and how many of them must breach.
    periods: usize,
    needed: usize,
    /// The data points: age in periods (1 is the newest), time, and value.
    points: Vec<(usize, Timestamp, f64)>,
    /// For each point, whether it breaches.
    breaching: Vec<bool>,
}

/// The result of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StateDecision {
    Is(AlarmState),
    /// The previous state is maintained.
    Same,
}

impl Alarm {
    /// Returns its state at a time, and the reason.
    pub(super) fn at(&self, world: &World, at: Timestamp) -> Evaluation {
        let set = self.overrides.iter().rev().find(|set| set.at <= at);
        if let Some(set) = set.filter(|set| set.until.is_none_or(|until| at < until)) {
            return Evaluation { state: set.state, reason: set.reason.clone() };
        }
        // The first evaluation is in the minute after the alarm's creation.
        if at < later(floor(self.created, MINUTE), Duration::from_secs(MINUTE as u64)) {
            return Evaluation {
                state: AlarmState::InsufficientData,
                reason: "Unchecked: Initial alarm creation".to_owned(),
            };
        }
        find(world, self, at)
    }
}

/// Evaluates the metric at a time.
fn find(world: &World, alarm: &Alarm, at: Timestamp) -> Evaluation {
    let seen = evaluation_window(world, alarm, at);
    let verdict = verdict(&seen, treatment(alarm));
    let state = match verdict {
        StateDecision::Is(state) => state,
        StateDecision::Same => before(world, alarm, at),
    };
    Evaluation { state, reason: reason(&seen, alarm, state) }
}

/// Returns the last state that the metric, or an explicit setting, determined before `at`.
fn before(world: &World, alarm: &Alarm, at: Timestamp) -> AlarmState {
    let minute = Duration::from_secs(MINUTE as u64);
    let mut at = floor(at, MINUTE);
    for _ in 0..BACK {
        at = at.checked_sub(minute).unwrap_or(Timestamp::MIN);
        if at <= alarm.created {
            break;
        }
        if let Some(set) = alarm.overrides.iter().rev().find(|set| set.at <= at) {
            let over = set.until.is_some_and(|until| later(until, minute) <= at);
            if !over {
                return set.state;
            }
        }
        if let StateDecision::Is(state) =
            verdict(&evaluation_window(world, alarm, at), treatment(alarm))
        {
            return state;
        }
    }
    AlarmState::InsufficientData
}

fn treatment(alarm: &Alarm) -> &str {
    alarm.settings.str("TreatMissingData").unwrap_or("missing")
}

fn evaluation_window(world: &World, alarm: &Alarm, at: Timestamp) -> EvaluationWindow {
    let settings = &alarm.settings;
    let periods = settings.int("EvaluationPeriods").unwrap_or(1).max(1);
    let needed = settings.int("DatapointsToAlarm").unwrap_or(periods).clamp(1, periods);
    let back = |from: Timestamp, seconds: i64| {
        from.checked_sub(Duration::from_secs(seconds.unsigned_abs())).unwrap_or(Timestamp::MIN)
    };
    let range = periods.saturating_add(world.params.alarm_extra_periods);
    let arrived = back(at, world.params.metrics_delay.as_secs() as i64);
    let (period, start, end, series) = if settings.list("Metrics").is_empty() {
        let period = settings.int("Period").unwrap_or(MINUTE).max(1);
        let end = floor(arrived, period);
        let start = back(end, period.saturating_mul(range));
        (period, start, end, of_metric(world, settings, start, end, period))
    } else {
        of_math(world, settings, arrived, range)
    };
    let mut points: Vec<(usize, Timestamp, f64)> = series
        .into_iter()
        .filter(|(at, _)| (start..end).contains(at))
        .map(|(at, value)| {
            let age = end.duration_since(at).as_secs() / period.max(1);
            (usize::try_from(age).unwrap_or(0).max(1), at, value)
        })
        .collect();
    points.reverse();
    let breaching = points.iter().map(|(_, _, value)| breaches(settings, *value)).collect();
    let count = |n: i64| usize::try_from(n).unwrap_or(1);
    EvaluationWindow { periods: count(periods), needed: count(needed), points, breaching }
}

fn of_metric(
    world: &World,
    settings: &Value,
    start: Timestamp,
    end: Timestamp,
    period: i64,
) -> Series {
    let Ok(metric) = Metric::read(settings) else { return Series::new() };
    let statistic =
        settings.str("Statistic").or(settings.str("ExtendedStatistic")).unwrap_or("Average");
    let periods = metric.read_between(world, start, end, period);
    let values = periods.iter().filter_map(|(at, s)| Some((*at, s.statistic(statistic)?)));
    values.collect()
}

/// Evaluates the query that returns data; also returns its period and time range.
fn of_math(
    world: &World,
    settings: &Value,
    arrived: Timestamp,
    range: i64,
) -> (i64, Timestamp, Timestamp, Series) {
    let nothing = (MINUTE, arrived, arrived, Series::new());
    let Ok(queries) = queries::read(settings.list("Metrics")) else { return nothing };
    let Some(wanted) = queries.iter().find(|query| query.return_data) else { return nothing };
    let period = Evaluator::new(world, &queries, (arrived, arrived)).period(wanted).max(1);
    let end = floor(arrived, period);
    let length = Duration::from_secs(period.saturating_mul(range).unsigned_abs());
    let start = end.checked_sub(length).unwrap_or(Timestamp::MIN);
    let asked = Evaluator::new(world, &queries, (start, end));
    let series = asked.series(wanted).ok().and_then(|all| all.into_iter().next());
    (period, start, end, series.unwrap_or_default())
}

fn breaches(settings: &Value, value: f64) -> bool {
    let threshold = threshold(settings).unwrap_or_default();
    match settings.str("ComparisonOperator") {
        Some("GreaterThanThreshold") => value > threshold,
        Some("GreaterThanOrEqualToThreshold") => value >= threshold,
        Some("LessThanThreshold") => value < threshold,
        _ => value <= threshold,
    }
}

/// Applies the two tables of the user guide. The newest data points count, as many as there are periods to
/// evaluate; missing ones are treated as the alarm says.
fn verdict(seen: &EvaluationWindow, treatment: &str) -> StateDecision {
    let counted = seen.breaching.len().min(seen.periods);
    let breaching = seen.breaching[..counted].iter().filter(|breaches| **breaches).count();
    let missing = seen.periods - counted;
    let decided =
        |alarm: bool| StateDecision::Is(if alarm { AlarmState::Alarm } else { AlarmState::Ok });
    if missing == 0 || breaching >= seen.needed {
        return decided(breaching >= seen.needed);
    }
    match (treatment, counted) {
        ("breaching", _) => decided(breaching + missing >= seen.needed),
        ("notBreaching", _) => decided(false),
        ("ignore", 0) => StateDecision::Same,
        (_, 0) => StateDecision::Is(AlarmState::InsufficientData),
        ("ignore", _) if breaching == counted => StateDecision::Same,
        // All data points breach, and the oldest reaches back far enough for an alarm.
        _ => {
            let within = seen.points.iter().take(counted).filter(|(age, ..)| *age <= seen.periods);
            let oldest = within.map(|(age, ..)| *age).max().unwrap_or(0);
            decided(breaching == counted && oldest >= seen.needed)
        }
    }
}

/// Returns the reason that CloudWatch gives for a state.
fn reason(seen: &EvaluationWindow, alarm: &Alarm, state: AlarmState) -> String {
    let points: Vec<_> = seen.points.iter().take(seen.periods).collect();
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    if points.is_empty() {
        let treated = match treatment(alarm) {
            "breaching" => "Breaching",
            "notBreaching" => "NonBreaching",
            _ => {
                let was = if seen.periods == 1 { "was" } else { "were" };
                return format!(
                    "Insufficient Data: {} {was} unknown.",
                    plural(seen.periods, "datapoint")
                );
            }
        };
        let (n, was) = (seen.periods, if seen.periods == 1 { "was" } else { "were" });
        return format!(
            "Threshold Crossed: no datapoints were received for {} and {} {was} treated as [{treated}].",
            plural(n, "period"),
            plural(n, "missing datapoint"),
        );
    }
    let relation = match alarm.settings.str("ComparisonOperator") {
        Some("GreaterThanThreshold") => "greater than",
        Some("GreaterThanOrEqualToThreshold") => "greater than or equal to",
        Some("LessThanThreshold") => "less than",
        _ => "less than or equal to",
    };
    let fits = |breaches: &bool| *breaches == (state == AlarmState::Alarm);
    let number = seen.breaching.iter().take(points.len()).filter(|b| fits(b)).count();
    let listed: Vec<String> = points
        .iter()
        .map(|(_, at, value)| format!("{value:?} ({})", at.strftime("%d/%m/%y %H:%M:%S")))
        .collect();
    let (was, from) = match (state, number) {
        (AlarmState::Alarm, 1) => ("was", "OK -> ALARM"),
        (AlarmState::Alarm, _) => ("were", "OK -> ALARM"),
        (_, 1) => ("was not", "ALARM -> OK"),
        (_, _) => ("were not", "ALARM -> OK"),
    };
    let least = match state {
        AlarmState::Alarm => seen.needed,
        _ => seen.periods - seen.needed + 1,
    };
    format!(
        "Threshold Crossed: {number} out of the last {} datapoints [{}] {was} {relation} the threshold ({:?}) (minimum {} for {from} transition).",
        points.len(),
        listed.join(", "),
        threshold(&alarm.settings).unwrap_or_default(),
        plural(least, "datapoint"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Evaluates a row of the guide's tables: oldest first, `0` for a good data point, `X` for a bad one, `-`
    /// for none.
    fn judged(points: &str, needed: usize, treatment: &str) -> &'static str {
        let newest_first = points.chars().rev().enumerate().filter(|(_, c)| *c != '-');
        let known: Vec<(usize, bool)> = newest_first.map(|(n, c)| (n + 1, c == 'X')).collect();
        let seen = EvaluationWindow {
            periods: 3,
            needed,
            points: known.iter().map(|(age, _)| (*age, Timestamp::UNIX_EPOCH, 0.0)).collect(),
            breaching: known.iter().map(|(_, bad)| *bad).collect(),
        };
        match verdict(&seen, treatment) {
            StateDecision::Is(state) => state.name(),
            StateDecision::Same => "same",
        }
    }

    #[test]
    fn missing_data_are_treated_as_in_the_guide() {
        let (ok, alarm, none, same) = ("OK", "ALARM", "INSUFFICIENT_DATA", "same");
        let table = [
            (3, "0-X-X", [ok, ok, ok, ok]),
            (3, "----0", [ok, ok, ok, ok]),
            (3, "-----", [none, same, alarm, ok]),
            (3, "0XX-X", [alarm, alarm, alarm, alarm]),
            (3, "--X--", [alarm, same, alarm, ok]),
            (2, "0-X-X", [alarm, alarm, alarm, alarm]),
            (2, "00X0X", [alarm, alarm, alarm, alarm]),
            (2, "0-X--", [ok, ok, alarm, ok]),
            (2, "----0", [ok, ok, alarm, ok]),
            (2, "---X-", [alarm, same, alarm, ok]),
        ];
        for (needed, points, expected) in table {
            for (treatment, expected) in
                ["missing", "ignore", "breaching", "notBreaching"].iter().zip(expected)
            {
                assert_eq!(judged(points, needed, treatment), expected, "{points} {treatment}");
            }
        }
    }
}
