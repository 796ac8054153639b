//! Instance refreshes.

use aws_sdk_autoscaling::types::{
    AlarmSpecification, DesiredConfiguration, InstanceRefresh as AwsRefresh, InstanceRefreshStatus,
    RefreshPreferences as AwsPreferences, RefreshStrategy, ScaleInProtectedInstances,
    StandbyInstances,
};

use super::template::{launch_template, of_policy, specification};
use crate::convert::{count, seconds, signed, timestamp, whole_seconds};
use crate::{Aws, AwsError, Change, ErrorClass};
use cutover_rollout::model::{InstanceRefresh, RefreshPreferences, RefreshStatus, TemplateSource};

const DESCRIBE: &str = "autoscaling:DescribeInstanceRefreshes";
const START: &str = "autoscaling:StartInstanceRefresh";

/// How many refreshes are read. Only those that began after the rollout matter to it.
const NEWEST: i32 = 20;

impl Aws {
    /// Returns the newest refreshes of the group, newest first.
    ///
    /// # Errors
    /// If the group does not exist or the request fails.
    pub async fn refreshes(&self, group: &str) -> Result<Vec<InstanceRefresh>, AwsError> {
        let request = self
            .autoscaling
            .describe_instance_refreshes()
            .auto_scaling_group_name(group)
            .max_records(NEWEST);
        let answer = self.read(DESCRIBE, || request.clone().send()).await?;
        Ok(answer.instance_refreshes().iter().map(refresh).collect())
    }

    /// Starts a refresh of the group to a version of its launch template and returns the refresh's id. `source`
    /// is what the group currently launches from: a mixed instances policy is read again and sent with only the
    /// version changed.
    ///
    /// StartInstanceRefresh has no client token: resolve an unknown result with [`Aws::refreshes`].
    pub async fn start_refresh(
        &self,
        group: &str,
        source: &TemplateSource,
        template_id: &str,
        version: u64,
        wanted: &RefreshPreferences,
    ) -> Change<String> {
        let desired = match self.desired(group, source, template_id, version).await {
            Ok(desired) => desired,
            Err(error) => return Change::Refused(error),
        };
        let request = self
            .autoscaling
            .start_instance_refresh()
            .auto_scaling_group_name(group)
            .strategy(RefreshStrategy::Rolling)
            .desired_configuration(desired)
            .preferences(preferences(wanted));
        self.change(START, request.send())
            .await
            .map(|answer| answer.instance_refresh_id().unwrap_or_default().to_owned())
    }

    async fn desired(
        &self,
        group: &str,
        source: &TemplateSource,
        template_id: &str,
        version: u64,
    ) -> Result<DesiredConfiguration, AwsError> {
        let desired = DesiredConfiguration::builder();
        match source {
            TemplateSource::Template(_) => {
                Ok(desired.launch_template(specification(template_id, version)).build())
            }
            TemplateSource::Mixed { .. } => {
                let policy = self.policy_at(START, group, template_id, version).await?;
                Ok(desired.mixed_instances_policy(policy).build())
            }
            TemplateSource::Other => Err(AwsError::local(
                START,
                ErrorClass::Invalid,
                format!("the Auto Scaling group `{group}` does not use a launch template"),
            )),
        }
    }

    /// Cancels the active refresh. The request cannot name a refresh, so check which one is active right
    /// before. Does not wait for transitioning instances: if they never become healthy and are replaced
    /// repeatedly, the refresh would never end.
    pub async fn cancel_refresh(&self, group: &str) -> Change<()> {
        let request = self
            .autoscaling
            .cancel_instance_refresh()
            .auto_scaling_group_name(group)
            .wait_for_transitioning_instances(false);
        self.change("autoscaling:CancelInstanceRefresh", request.send()).await.map(|_| ())
    }

    /// Rolls back the active refresh. As with [`Aws::cancel_refresh`], check which one is active right before.
    pub async fn rollback_refresh(&self, group: &str) -> Change<()> {
        let request = self.autoscaling.rollback_instance_refresh().auto_scaling_group_name(group);
        self.change("autoscaling:RollbackInstanceRefresh", request.send()).await.map(|_| ())
    }
}

/// Converts preferences for the SDK. Protected and standby instances are ignored, and neither terminated nor waited for
/// (which fails after an hour); the check of the group's instances at the end finds them.
fn preferences(wanted: &RefreshPreferences) -> AwsPreferences {
    let checkpoints = (!wanted.checkpoints.is_empty())
        .then(|| wanted.checkpoints.iter().copied().map(signed).collect());
    let alarms = (!wanted.alarms.is_empty())
        .then(|| AlarmSpecification::builder().set_alarms(Some(wanted.alarms.clone())).build());
    AwsPreferences::builder()
        .min_healthy_percentage(signed(wanted.min_healthy))
        .set_max_healthy_percentage(wanted.max_healthy.map(signed))
        .set_instance_warmup(wanted.warmup.map(whole_seconds))
        .set_checkpoint_delay(checkpoints.as_ref().map(|_| whole_seconds(wanted.checkpoint_delay)))
        .set_checkpoint_percentages(checkpoints)
        .bake_time(whole_seconds(wanted.bake))
        .auto_rollback(wanted.auto_rollback)
        .skip_matching(wanted.skip_matching)
        .scale_in_protected_instances(ScaleInProtectedInstances::Ignore)
        .standby_instances(StandbyInstances::Ignore)
        .set_alarm_specification(alarms)
        .build()
}

fn preferences_of(aws: &AwsPreferences) -> RefreshPreferences {
    RefreshPreferences {
        min_healthy: count(aws.min_healthy_percentage()),
        max_healthy: aws.max_healthy_percentage().map(|max| count(Some(max))),
        warmup: aws.instance_warmup().map(|warmup| seconds(Some(warmup))),
        checkpoints: aws.checkpoint_percentages().iter().map(|p| count(Some(*p))).collect(),
        checkpoint_delay: seconds(aws.checkpoint_delay()),
        bake: seconds(aws.bake_time()),
        auto_rollback: aws.auto_rollback().unwrap_or(false),
        skip_matching: aws.skip_matching().unwrap_or(false),
        alarms: aws.alarm_specification().map(|a| a.alarms().to_vec()).unwrap_or_default(),
    }
}

fn refresh(aws: &AwsRefresh) -> InstanceRefresh {
    let desired = aws.desired_configuration();
    InstanceRefresh {
        id: aws.instance_refresh_id().unwrap_or_default().to_owned(),
        status: aws.status().map_or(RefreshStatus::Pending, status),
        reason: aws.status_reason().map(str::to_owned),
        percent: aws.percentage_complete().map(|percent| count(Some(percent))),
        remaining: aws.instances_to_update().map(|number| count(Some(number))),
        started: aws.start_time().and_then(timestamp),
        desired: desired
            .and_then(|d| d.launch_template())
            .map(launch_template)
            .or_else(|| desired.and_then(|d| d.mixed_instances_policy()).and_then(of_policy)),
        preferences: aws.preferences().map(preferences_of),
    }
}

fn status(aws: &InstanceRefreshStatus) -> RefreshStatus {
    match aws {
        InstanceRefreshStatus::Pending => RefreshStatus::Pending,
        InstanceRefreshStatus::Baking => RefreshStatus::Baking,
        InstanceRefreshStatus::Successful => RefreshStatus::Successful,
        InstanceRefreshStatus::Failed => RefreshStatus::Failed,
        InstanceRefreshStatus::Cancelling => RefreshStatus::Cancelling,
        InstanceRefreshStatus::Cancelled => RefreshStatus::Cancelled,
        InstanceRefreshStatus::RollbackInProgress => RefreshStatus::RollbackInProgress,
        InstanceRefreshStatus::RollbackFailed => RefreshStatus::RollbackFailed,
        InstanceRefreshStatus::RollbackSuccessful => RefreshStatus::RollbackSuccessful,
        // A status that this release does not know counts as active, so that no other refresh is started.
        _ => RefreshStatus::InProgress,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn preferences_survive_a_round_trip() {
        let wanted = RefreshPreferences {
            min_healthy: 100,
            max_healthy: Some(150),
            warmup: Some(Duration::from_secs(30)),
            checkpoints: vec![20, 100],
            checkpoint_delay: Duration::from_secs(60),
            bake: Duration::from_secs(600),
            auto_rollback: true,
            skip_matching: true,
            alarms: vec!["web-p99".into()],
        };
        assert_eq!(preferences_of(&preferences(&wanted)), wanted);
    }

    #[test]
    fn unset_preferences_are_not_sent() {
        let sent = preferences(&RefreshPreferences::default());
        assert_eq!(sent.min_healthy_percentage(), Some(0));
        assert_eq!(sent.max_healthy_percentage(), None);
        assert_eq!(sent.checkpoint_delay(), None);
        assert_eq!(sent.alarm_specification(), None);
    }
}
