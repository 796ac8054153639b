//! The configuration of a group, for creating a second one like it.

use crate::convert::count;
use crate::{Aws, AwsError, ErrorClass};

/// A group's configuration except for its launch template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupBlueprint {
    /// The subnets, `subnet-…`.
    pub subnets: Vec<String>,
    /// HealthCheckType: `EC2`, `ELB`, or several with commas.
    pub health_check_type: String,
    /// HealthCheckGracePeriod in seconds.
    pub grace_period: u32,
    /// MaxSize.
    pub max: u32,
    /// Its tags, without those of AWS: key, value and PropagateAtLaunch.
    pub tags: Vec<(String, String, bool)>,
}

impl Aws {
    /// Reads the configuration of a group.
    ///
    /// # Errors
    /// If it does not exist or the request fails.
    pub async fn group_blueprint(&self, name: &str) -> Result<GroupBlueprint, AwsError> {
        let group = self.described(&[name]).await?.into_iter().next().ok_or_else(|| {
            AwsError::local(
                "autoscaling:DescribeAutoScalingGroups",
                ErrorClass::NotFound,
                format!("the Auto Scaling group `{name}` does not exist"),
            )
        })?;
        let subnets = group.vpc_zone_identifier().unwrap_or_default();
        let tags = group.tags().iter().filter_map(|tag| {
            let key = tag.key()?;
            // Reserved for AWS (user guide, "Tag Auto Scaling groups and instances").
            (!key.starts_with("aws:")).then(|| {
                let value = tag.value().unwrap_or_default().to_owned();
                (key.to_owned(), value, tag.propagate_at_launch().unwrap_or(false))
            })
        });
        Ok(GroupBlueprint {
            subnets: subnets
                .split(',')
                .map(str::trim)
                .filter(|subnet| !subnet.is_empty())
                .map(str::to_owned)
                .collect(),
            health_check_type: group.health_check_type().unwrap_or("EC2").to_owned(),
            grace_period: count(group.health_check_grace_period()),
            max: count(group.max_size()),
            tags: tags.collect(),
        })
    }
}
