//! Scaling activities: why a group could not launch instances.

use jiff::Timestamp;

use aws_sdk_autoscaling::types::{Activity, ScalingActivityStatusCode};

use crate::convert::timestamp;
use crate::{Aws, AwsError};

/// How many activities are read. A group that cannot launch retries about every minute.
const NEWEST: i32 = 20;

impl Aws {
    /// Returns the StatusMessage of the group's newest failed activity since `since`, such as `You have
    /// requested more vCPU capacity than your current vCPU limit …`; `None` if none failed.
    ///
    /// # Errors
    /// If the group does not exist or the request fails.
    pub async fn newest_failed_activity(
        &self,
        group: &str,
        since: Timestamp,
    ) -> Result<Option<String>, AwsError> {
        let request = self
            .autoscaling
            .describe_scaling_activities()
            .auto_scaling_group_name(group)
            .max_records(NEWEST);
        let answer =
            self.read("autoscaling:DescribeScalingActivities", || request.clone().send()).await?;
        Ok(newest(answer.activities(), since))
    }
}

/// AWS lists the newest first (API model).
fn newest(activities: &[Activity], since: Timestamp) -> Option<String> {
    let failed = |activity: &&Activity| {
        activity.status_code() == Some(&ScalingActivityStatusCode::Failed)
            && activity.start_time().and_then(timestamp).is_some_and(|start| start >= since)
    };
    activities.iter().find(failed)?.status_message().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::date_time;

    fn activity(second: i64, status: ScalingActivityStatusCode, message: &str) -> Activity {
        Activity::builder()
            .activity_id("1")
            .auto_scaling_group_name("web")
            .cause("")
            .start_time(date_time(Timestamp::from_second(second).unwrap()))
            .status_code(status)
            .status_message(message)
            .build()
    }

    #[test]
    fn only_a_failure_of_this_rollout_counts() {
        let all = [
            activity(30, ScalingActivityStatusCode::Successful, ""),
            activity(20, ScalingActivityStatusCode::Failed, "newer"),
            activity(10, ScalingActivityStatusCode::Failed, "older"),
        ];
        let since = |second| newest(&all, Timestamp::from_second(second).unwrap());
        assert_eq!(since(10).as_deref(), Some("newer"));
        assert_eq!(since(21), None);
    }
}
