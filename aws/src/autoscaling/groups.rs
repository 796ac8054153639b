//! Auto Scaling groups and their sizes.

use aws_sdk_autoscaling::types::{
    AutoScalingGroup, Instance as AwsInstance, LifecycleState, MixedInstancesPolicy,
};

use super::template::{launch_template, repinned, source, specification};
use crate::convert::{count, seconds, signed, sorted};
use crate::{Aws, AwsError, Change, ErrorClass};
use cutover_rollout::model::{Capacity, Group, Instance, Lifecycle, TemplateSource};

const DESCRIBE: &str = "autoscaling:DescribeAutoScalingGroups";
const UPDATE: &str = "autoscaling:UpdateAutoScalingGroup";

/// Returns whether the group is not being deleted: only then has it a status (API model, `AutoScalingGroup.Status`). One that
/// is, with its instances on their way out, counts as gone.
fn exists(group: &&AutoScalingGroup) -> bool {
    group.status().is_none()
}

impl Aws {
    /// Returns the groups of these names with their instances, in the order of the names. Groups that do not exist are
    /// omitted.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn groups(&self, names: &[&str]) -> Result<Vec<Group>, AwsError> {
        let all = self.described(names).await?;
        let position = |group: &Group| names.iter().position(|name| *name == group.name);
        let mut groups: Vec<Group> = all.iter().filter(exists).map(group).collect();
        groups.sort_by_key(position);
        Ok(groups)
    }

    /// Returns all groups in the Region that launch from the template, ordered by name, *without* their instances.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn groups_using_template(&self, template_id: &str) -> Result<Vec<Group>, AwsError> {
        let uses =
            |group: &Group| group.source.template().is_some_and(|used| used.id == template_id);
        let groups = self.every_group(false).await?;
        Ok(groups.into_iter().filter(uses).collect())
    }

    /// Returns all groups in the Region with their instances, ordered by name.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn all_groups(&self) -> Result<Vec<Group>, AwsError> {
        self.every_group(true).await
    }

    async fn every_group(&self, with_instances: bool) -> Result<Vec<Group>, AwsError> {
        let request =
            self.autoscaling.describe_auto_scaling_groups().include_instances(with_instances);
        let all = self
            .read(DESCRIBE, || {
                request.clone().into_paginator().items().send().collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let mut groups: Vec<Group> = all.iter().filter(exists).map(group).collect();
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(groups)
    }

    /// Returns the groups as the SDK types them. Returns early without names, because AWS would return all groups.
    pub(super) async fn described(
        &self,
        names: &[&str],
    ) -> Result<Vec<AutoScalingGroup>, AwsError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let request = self
            .autoscaling
            .describe_auto_scaling_groups()
            .set_auto_scaling_group_names(Some(names));
        self.read(DESCRIBE, || {
            request.clone().into_paginator().items().send().collect::<Result<Vec<_>, _>>()
        })
        .await
    }

    /// Makes a group launch from exactly this version from now on. Replaces no instances. Keeps everything else
    /// in a mixed instances policy.
    pub async fn pin(
        &self,
        group: &str,
        source: &TemplateSource,
        template_id: &str,
        version: u64,
    ) -> Change<()> {
        let request = self.autoscaling.update_auto_scaling_group().auto_scaling_group_name(group);
        let request = match source {
            TemplateSource::Mixed { .. } => {
                match self.policy_at(UPDATE, group, template_id, version).await {
                    Ok(policy) => request.mixed_instances_policy(policy),
                    Err(error) => return Change::Refused(error),
                }
            }
            _ => request.launch_template(specification(template_id, version)),
        };
        self.change(UPDATE, request.send()).await.map(|_| ())
    }

    /// Returns the mixed instances policy of a group with this version in it.
    pub(super) async fn policy_at(
        &self,
        operation: &'static str,
        group: &str,
        template_id: &str,
        version: u64,
    ) -> Result<MixedInstancesPolicy, AwsError> {
        let read = self.described(&[group]).await?;
        let policy = read.into_iter().find_map(|group| group.mixed_instances_policy);
        let policy = policy.ok_or_else(|| {
            AwsError::local(
                operation,
                ErrorClass::Conflict,
                format!("the Auto Scaling group `{group}` no longer has a mixed instances policy"),
            )
        })?;
        Ok(repinned(policy, template_id, version))
    }

    /// Sets MinSize. Auto Scaling raises DesiredCapacity to it if necessary, and never lowers it.
    pub async fn set_min_size(&self, group: &str, min: u32) -> Change<()> {
        let request = self
            .autoscaling
            .update_auto_scaling_group()
            .auto_scaling_group_name(group)
            .min_size(signed(min));
        self.change(UPDATE, request.send()).await.map(|_| ())
    }

    /// Sets MinSize and DesiredCapacity in one call, but not MaxSize.
    pub async fn set_size(&self, group: &str, min: u32, desired: u32) -> Change<()> {
        let request = self
            .autoscaling
            .update_auto_scaling_group()
            .auto_scaling_group_name(group)
            .min_size(signed(min))
            .desired_capacity(signed(desired));
        self.change(UPDATE, request.send()).await.map(|_| ())
    }
}

fn group(aws: &AutoScalingGroup) -> Group {
    let mut instances: Vec<Instance> = aws.instances().iter().map(instance).collect();
    instances.sort_by(|a, b| a.id.cmp(&b.id));
    let suspended = aws.suspended_processes().iter().filter_map(|p| p.process_name());
    // HealthCheckType is a comma-separated list (user guide).
    let elb_health = aws
        .health_check_type()
        .is_some_and(|types| types.split(',').any(|kind| kind.trim().eq_ignore_ascii_case("ELB")));
    Group {
        name: aws.auto_scaling_group_name().unwrap_or_default().to_owned(),
        capacity: Capacity {
            min: count(aws.min_size()),
            max: count(aws.max_size()),
            desired: count(aws.desired_capacity()),
        },
        source: source(aws.launch_template(), aws.mixed_instances_policy()),
        instances,
        zones: sorted(aws.availability_zones()),
        target_groups: sorted(aws.target_group_arns()),
        elb_health,
        grace: seconds(aws.health_check_grace_period()),
        suspended: sorted(&suspended.map(str::to_owned).collect::<Vec<_>>()),
    }
}

fn instance(aws: &AwsInstance) -> Instance {
    Instance {
        id: aws.instance_id().unwrap_or_default().to_owned(),
        zone: aws.availability_zone().unwrap_or_default().to_owned(),
        lifecycle: aws.lifecycle_state().map_or(Lifecycle::Other, lifecycle),
        // `Healthy` here, but `HEALTHY` elsewhere in the same API (recorded once).
        healthy: aws.health_status().is_some_and(|status| status.eq_ignore_ascii_case("healthy")),
        template: aws.launch_template().map(launch_template),
        protected: aws.protected_from_scale_in().unwrap_or(false),
    }
}

fn lifecycle(state: &LifecycleState) -> Lifecycle {
    match state {
        LifecycleState::Pending | LifecycleState::PendingWait | LifecycleState::PendingProceed => {
            Lifecycle::Pending
        }
        LifecycleState::InService => Lifecycle::InService,
        LifecycleState::Terminating
        | LifecycleState::TerminatingWait
        | LifecycleState::TerminatingProceed
        | LifecycleState::TerminatingRetained
        | LifecycleState::Terminated => Lifecycle::Terminating,
        LifecycleState::Standby | LifecycleState::EnteringStandby => Lifecycle::Standby,
        _ => Lifecycle::Other,
    }
}
