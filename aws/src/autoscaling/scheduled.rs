//! Scheduled actions.

use aws_sdk_autoscaling::types::ScheduledUpdateGroupAction;

use crate::convert::{count, date_time, signed, timestamp};
use crate::{Aws, AwsError, Change};
use cutover_rollout::model::ScheduledAction;

impl Aws {
    /// Returns the group's scheduled actions, ordered by name.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn scheduled_actions(&self, group: &str) -> Result<Vec<ScheduledAction>, AwsError> {
        let request = self.autoscaling.describe_scheduled_actions().auto_scaling_group_name(group);
        let all = self
            .read("autoscaling:DescribeScheduledActions", || {
                request.clone().into_paginator().items().send().collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let mut actions: Vec<ScheduledAction> = all.iter().map(action).collect();
        actions.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(actions)
    }

    /// Creates or replaces the action of this name. Its time must be in the future by [`Aws::now`], and
    /// different from that of the group's other actions (API model).
    pub async fn put_scheduled_action(&self, group: &str, action: &ScheduledAction) -> Change<()> {
        let request = self
            .autoscaling
            .put_scheduled_update_group_action()
            .auto_scaling_group_name(group)
            .scheduled_action_name(&action.name)
            .set_start_time(action.at.map(date_time))
            .set_min_size(action.min.map(signed))
            .set_max_size(action.max.map(signed))
            .set_desired_capacity(action.desired.map(signed));
        self.change("autoscaling:PutScheduledUpdateGroupAction", request.send()).await.map(|_| ())
    }

    /// Deletes the action of this name.
    pub async fn delete_scheduled_action(&self, group: &str, name: &str) -> Change<()> {
        let request = self
            .autoscaling
            .delete_scheduled_action()
            .auto_scaling_group_name(group)
            .scheduled_action_name(name);
        self.change("autoscaling:DeleteScheduledAction", request.send()).await.map(|_| ())
    }
}

fn action(aws: &ScheduledUpdateGroupAction) -> ScheduledAction {
    ScheduledAction {
        name: aws.scheduled_action_name().unwrap_or_default().to_owned(),
        // `Time` is the older name of `StartTime` (API model).
        at: aws.start_time().or(aws.time()).and_then(timestamp),
        min: aws.min_size().map(|size| count(Some(size))),
        max: aws.max_size().map(|size| count(Some(size))),
        desired: aws.desired_capacity().map(|size| count(Some(size))),
        recurring: aws.recurrence().is_some_and(|recurrence| !recurrence.is_empty()),
    }
}
