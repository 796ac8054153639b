//! A group as somebody would describe it to have another like it.

use crate::cloud::convert::count;
use crate::cloud::{Class, Cloud, CloudError};

/// What a group is made of, beside what it launches.
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
    /// Its own tags, those of AWS left out: key, value, and whether instances get it.
    pub tags: Vec<(String, String, bool)>,
}

impl Cloud {
    /// Reads what a group is made of.
    ///
    /// # Errors
    /// Where it does not exist or AWS does not answer.
    pub async fn group_blueprint(&self, name: &str) -> Result<GroupBlueprint, CloudError> {
        let group = self.described(&[name]).await?.into_iter().next().ok_or_else(|| {
            CloudError::local(
                "autoscaling:DescribeAutoScalingGroups",
                Class::NotFound,
                format!("there is no group {name}"),
            )
        })?;
        let subnets = group.vpc_zone_identifier().unwrap_or_default();
        let tags = group.tags().iter().filter_map(|tag| {
            let key = tag.key()?;
            // Reserved: nobody else may set them (user guide, "Tag Auto Scaling groups and instances").
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
