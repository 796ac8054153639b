//! `StartInstanceRefresh`. It has no client token: a repeated call starts another refresh, or is refused.

use super::super::errors::{invalid, not_found};
use super::super::group::Group;
use super::super::queue::schedule;
use super::super::request::group_to_update;
use super::super::state::Event;
use super::super::template_spec::TemplateSpec;
use super::instance_refresh::{NO_PROGRESS, Refresh, Status};
use super::preferences::Preferences;
use super::{census, read};
use crate::services::cloudwatch::{self, AlarmState};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// Validates the request and schedules the refresh.
pub(in crate::services::autoscaling) fn start(
    world: &mut World,
    input: &Value,
) -> ApiResult<Value> {
    let name = group_to_update(world, input)?.name.clone();
    let group = world.autoscaling.groups.get(&name).ok_or_else(|| not_found(&name))?;
    if let Some(strategy) = input.str("Strategy").filter(|strategy| *strategy != "Rolling") {
        return Err(invalid(format!("The strategy {strategy} is not simulated by this lab.")));
    }
    let desired = desired(world, input)?;
    let preferences = read::preferences(group, input.get("Preferences"))?;
    check(world, group, &preferences, desired.as_ref())?;
    if group.active_refresh().is_some() {
        return Err(ApiError::sender(
            "InstanceRefreshInProgress",
            "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.",
        ));
    }
    let id = world.ids.uuid();
    let refresh = Refresh {
        id: id.clone(),
        status: Status::Pending,
        reason: None,
        requested: world.now,
        started: None,
        ended: None,
        percent: None,
        to_update: None,
        preferences,
        desired,
        rollback: None,
        checkpoint: 0,
        hold: None,
        progressed: world.now,
        best_progress: NO_PROGRESS,
        initial_count: 0,
    };
    let nothing = census::nothing_to_do(world, &name, &refresh);
    let delay = if nothing { world.params.refresh_empty } else { world.params.refresh_pending };
    if let Some(group) = world.autoscaling.groups.get_mut(&name) {
        group.refreshes.push(refresh);
    }
    schedule(world, delay, Event::Refresh(name, id.clone()));
    Ok(map([("InstanceRefreshId", id.into())]))
}

fn desired(world: &World, input: &Value) -> ApiResult<Option<TemplateSpec>> {
    let desired = input.get("DesiredConfiguration");
    if desired.is_null() {
        return Ok(None);
    }
    let spec = TemplateSpec::read(world, desired)?;
    if spec.is_none() {
        return Err(invalid(
            "DesiredConfiguration must have a LaunchTemplate or a MixedInstancesPolicy.",
        ));
    }
    Ok(spec)
}

/// Checks what the preferences require of the group and the account.
fn check(
    world: &World,
    group: &Group,
    preferences: &Preferences,
    desired: Option<&TemplateSpec>,
) -> ApiResult<()> {
    if preferences.auto_rollback {
        if desired.is_none() {
            return Err(invalid(
                "The AutoRollback parameter cannot be true when DesiredConfiguration is empty.",
            ));
        }
        if !group.template.is_reversible(world) {
            return Err(invalid(
                "The AutoRollback parameter cannot be true when the launch template of the Auto Scaling group has the version $Latest or $Default, or an SSM parameter for its AMI.",
            ));
        }
    }
    let by_attributes = desired.unwrap_or(&group.template).is_attribute_based(world);
    if by_attributes && (desired.is_some() || preferences.skip_matching) {
        return Err(invalid(
            "SkipMatching and DesiredConfiguration are not supported with attribute-based instance type selection.",
        ));
    }
    for alarm in &preferences.alarms {
        match cloudwatch::alarm_state(world, alarm) {
            Some(AlarmState::Ok) => {}
            Some(state) => {
                return Err(invalid(format!(
                    "The alarm {alarm} is in the state {} and blocks the Instance Refresh.",
                    state.name()
                )));
            }
            None => return Err(invalid(format!("The alarm {alarm} does not exist."))),
        }
    }
    Ok(())
}
