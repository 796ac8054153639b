//! CloudWatch: metrics of the load balancers, counted from the simulated traffic, and alarms on them.
//!
//! Nothing is stored here twice: a metric of a service is read from [`crate::traffic::State::minutes`], which is
//! the truth, and shown only once it would have arrived (`Params::metrics_delay`).

mod alarms;
mod calling;
mod custom;
mod data;
mod evaluate;
mod fleet;
mod history;
mod list;
mod math;
mod metrics;
mod queries;
mod samples;
mod settings;
mod statistics;
mod tags;
#[cfg(test)]
mod tests;

pub use alarms::{Alarm, AlarmState, alarm_state, pin_alarm};
pub use calling::{alarm_total, alarm_value, alarms_calling, alarms_naming};
pub use fleet::GROUP_METRICS;

use std::collections::BTreeMap;

use crate::wire::{ApiError, ApiResult, Call, Value};
use crate::world::World;

/// What this service remembers.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Metric alarms by name.
    pub alarms: BTreeMap<String, Alarm>,
    /// What PutMetricData has put.
    custom: custom::Custom,
    /// Tags of alarms, by ARN.
    tags: BTreeMap<String, tags::Tags>,
    /// What was done to alarms, oldest first.
    history: Vec<history::Item>,
}

/// Answers one call.
pub fn call(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    match call.operation.as_str() {
        "GetMetricData" => data::get(world, input),
        "GetMetricStatistics" => statistics::get(world, input),
        "ListMetrics" => list::list(world, input),
        "PutMetricAlarm" => settings::put(world, input),
        "SetAlarmState" => alarms::set_state(world, input),
        "DescribeAlarms" => alarms::describe(world, input),
        "PutMetricData" => custom::put(world, input),
        "DescribeAlarmsForMetric" => alarms::describe_for_metric(world, input),
        "DescribeAlarmHistory" => history::describe(world, input),
        "EnableAlarmActions" => alarms::enable_actions(world, input, true),
        "DisableAlarmActions" => alarms::enable_actions(world, input, false),
        "TagResource" => tags::add(world, input),
        "UntagResource" => tags::remove(world, input),
        "ListTagsForResource" => tags::list(world, input),
        "DeleteAlarms" => alarms::delete(world, input),
        _ => Err(ApiError::unknown_operation(call)),
    }
}
