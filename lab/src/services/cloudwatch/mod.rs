//! CloudWatch: metrics of load balancers, derived from the simulated traffic, and alarms on them.
//!
//! Nothing is stored twice: a service's metric is read from [`crate::traffic::State::minutes`], and returned
//! only once it would have arrived (`Params::metrics_delay`).

mod alarm;
mod alarms;
mod arrival;
mod custom;
mod data;
mod errors;
mod evaluate;
mod history;
mod history_item;
mod instance_metrics;
mod list;
mod math;
mod metric;
mod metrics;
mod period;
mod policy_alarms;
mod put_alarm;
mod queries;
mod samples;
pub(crate) mod state;
mod statistics;
mod tags;
#[cfg(test)]
mod tests;

use crate::wire::{ApiResult, Call, Value};
use crate::world::World;

pub use alarm::{Alarm, AlarmState};
pub use alarms::{alarm_state, pin_alarm};
pub use instance_metrics::GROUP_METRICS;
pub use policy_alarms::{alarm_total, alarm_value, alarms_with_action, triggered_alarms};
pub use state::State;

/// Answers one call.
pub fn call(world: &mut World, call: &Call) -> ApiResult<Value> {
    let input = &call.input;
    match call.operation.as_str() {
        "GetMetricData" => data::get(world, input),
        "GetMetricStatistics" => statistics::get(world, input),
        "ListMetrics" => list::list(world, input),
        "PutMetricAlarm" => put_alarm::put(world, input),
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
        _ => Err(call.unknown_operation()),
    }
}
