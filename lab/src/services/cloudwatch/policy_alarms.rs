//! Alarms from the perspective of the scaling policies that they trigger.

use std::time::Duration;

use jiff::Timestamp;

use super::alarm::{Alarm, AlarmState, threshold};
use super::alarms::alarm_state;
use super::metric::Metric;
use super::period::{MINUTE, floor};
use super::samples::Samples;
use crate::world::World;

/// Returns the alarms that have `action` among the actions of any state.
pub fn alarms_with_action(world: &World, action: &str) -> Vec<String> {
    let states = ["AlarmActions", "OKActions", "InsufficientDataActions"];
    let names = |alarm: &&Alarm| {
        states.iter().any(|key| alarm.settings.strings(key).iter().any(|named| named == action))
    };
    world.cloudwatch.alarms.values().filter(names).map(|alarm| alarm.name.clone()).collect()
}

/// Returns the alarms that have `action` among the actions of their current state, with that state.
pub fn triggered_alarms(world: &World, action: &str) -> Vec<(String, AlarmState)> {
    let calling = |alarm: &Alarm| {
        let state = alarm_state(world, &alarm.name)?;
        let key = match state {
            AlarmState::Ok => "OKActions",
            AlarmState::Alarm => "AlarmActions",
            AlarmState::InsufficientData => "InsufficientDataActions",
        };
        let enabled = alarm.settings.bool("ActionsEnabled").unwrap_or(true);
        let named = alarm.settings.strings(key).iter().any(|named| named == action);
        (enabled && named).then(|| (alarm.name.clone(), state))
    };
    world.cloudwatch.alarms.values().filter_map(calling).collect()
}

/// Returns the newest value of an alarm's metric that has arrived, and the alarm's threshold.
pub fn alarm_value(world: &World, name: &str) -> Option<(f64, f64)> {
    let alarm = world.cloudwatch.alarms.get(name)?;
    let (samples, statistic) = newest(world, alarm, None)?;
    Some((samples.statistic(&statistic)?, threshold(&alarm.settings).unwrap_or_default()))
}

/// Returns the total over all instances in the newest period of an alarm's metric, where it is known: all
/// requests for requests per target, the sum of what the instances report for an average.
pub fn alarm_total(world: &World, name: &str) -> Option<f64> {
    let alarm = world.cloudwatch.alarms.get(name)?;
    match alarm.settings.str("MetricName")? {
        "RequestCountPerTarget" => newest(world, alarm, Some("RequestCount"))?.0.statistic("Sum"),
        "CPUUtilization" => newest(world, alarm, None)?.0.statistic("Sum"),
        _ => None,
    }
}

/// Returns the samples of the newest period with data among those that the alarm evaluates, and its
/// statistic.
fn newest(world: &World, alarm: &Alarm, metric: Option<&str>) -> Option<(Samples, String)> {
    let settings = &alarm.settings;
    let mut read = Metric::read(settings).ok()?;
    if let Some(name) = metric {
        name.clone_into(&mut read.name);
    }
    let period = settings.int("Period").unwrap_or(MINUTE).max(MINUTE);
    let back = |at: Timestamp, seconds: i64| {
        at.checked_sub(Duration::from_secs(seconds.unsigned_abs())).unwrap_or(Timestamp::MIN)
    };
    let periods = settings.int("EvaluationPeriods").unwrap_or(1).max(1);
    let end = floor(back(world.now, world.params.metrics_delay.as_secs() as i64), period);
    let start = back(end, period.saturating_mul(periods));
    let (_, samples) = read.read_between(world, start, end, period).pop_last()?;
    let statistic = settings.str("Statistic").or(settings.str("ExtendedStatistic"));
    Some((samples, statistic.unwrap_or("Average").to_owned()))
}
