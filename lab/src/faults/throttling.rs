//! AWS's request rates: token buckets of an account and Region. A call takes a token from each bucket
//! that it belongs to; if one is empty, the call is refused and takes none.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::wire::Operation;
use crate::world::time::elapsed;

/// Whether AWS's request rates apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Throttling {
    /// No call is throttled.
    #[default]
    Off,
    /// [`Rates`] apply.
    Aws,
}

/// A token bucket: its size and its refill rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// The maximum number of calls at once.
    pub burst: f64,
    /// Calls per second.
    pub refill: f64,
}

/// AWS's request rates. Those of Elastic Load Balancing, EC2's launch templates, tags, RunInstances and
/// Describe calls, ECR and DescribeAlarms are documented; the others are guesses. Calls that are not
/// listed here are not limited: too few of them are made to reach any limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    /// All calls of Elastic Load Balancing.
    pub elbv2: Rate,
    /// Its Describe calls.
    pub elbv2_reads: Rate,
    /// Its write calls.
    pub elbv2_writes: Rate,
    /// RegisterTargets and DeregisterTargets.
    pub elbv2_targets: Rate,
    /// Each write call of EC2. Documented for CreateLaunchTemplateVersion and ModifyLaunchTemplate, a
    /// guess for the others.
    pub ec2_writes: Rate,
    /// CreateTags.
    pub ec2_tags: Rate,
    /// RunInstances.
    pub ec2_runs: Rate,
    /// Each Describe call of EC2.
    pub ec2_reads: Rate,
    /// All Describe calls of Auto Scaling. Unpublished: a guess.
    pub autoscaling_reads: Rate,
    /// All write calls of Auto Scaling. Unpublished: a guess.
    pub autoscaling_writes: Rate,
    /// All Get calls of Parameter Store. "Low by default": 40 per second is a guess.
    pub ssm_reads: Rate,
    /// All its write calls. "Low by default": 3 per second is a guess.
    pub ssm_writes: Rate,
    /// DescribeAlarms.
    pub cloudwatch_alarms: Rate,
    /// GetMetricData. A guess.
    pub cloudwatch_data: Rate,
    /// PutImage.
    pub ecr_images: Rate,
    /// InitiateLayerUpload, and CompleteLayerUpload.
    pub ecr_uploads: Rate,
    /// UploadLayerPart, and GetAuthorizationToken.
    pub ecr_parts: Rate,
    /// BatchCheckLayerAvailability.
    pub ecr_checks: Rate,
}

impl Default for Rates {
    fn default() -> Rates {
        let rate = |burst, refill| Rate { burst, refill };
        Rates {
            elbv2: rate(40.0, 10.0),
            elbv2_reads: rate(40.0, 10.0),
            elbv2_writes: rate(20.0, 3.0),
            elbv2_targets: rate(20.0, 4.0),
            ec2_writes: rate(100.0, 5.0),
            ec2_tags: rate(100.0, 10.0),
            ec2_runs: rate(5.0, 2.0),
            ec2_reads: rate(100.0, 20.0),
            autoscaling_reads: rate(100.0, 10.0),
            autoscaling_writes: rate(40.0, 5.0),
            ssm_reads: rate(40.0, 40.0),
            ssm_writes: rate(3.0, 3.0),
            cloudwatch_alarms: rate(9.0, 9.0),
            cloudwatch_data: rate(50.0, 50.0),
            ecr_images: rate(10.0, 10.0),
            ecr_uploads: rate(100.0, 100.0),
            ecr_parts: rate(500.0, 500.0),
            ecr_checks: rate(1000.0, 1000.0),
        }
    }
}

impl Rates {
    /// Returns the buckets that a call takes from, by name.
    fn buckets_of(&self, asked: &Operation) -> Vec<(String, Rate)> {
        let operation = asked.operation.as_str();
        let reads = operation.starts_with("Describe") || operation.starts_with("Get");
        let shared = |name: &str, rate| vec![(format!("{}:{name}", asked.service), rate)];
        let own = |rate| shared(operation, rate);
        match (asked.service, operation) {
            ("elasticloadbalancing", _) => {
                let (kind, rate) = match operation {
                    "RegisterTargets" | "DeregisterTargets" => ("targets", self.elbv2_targets),
                    _ if reads => ("reads", self.elbv2_reads),
                    _ => ("writes", self.elbv2_writes),
                };
                [shared("all", self.elbv2), shared(kind, rate)].concat()
            }
            ("ec2", "CreateTags") => own(self.ec2_tags),
            ("ec2", "RunInstances") => own(self.ec2_runs),
            ("ec2", _) => own(if reads { self.ec2_reads } else { self.ec2_writes }),
            ("autoscaling", _) if reads => shared("reads", self.autoscaling_reads),
            ("autoscaling", _) => shared("writes", self.autoscaling_writes),
            ("ssm", _) if reads => shared("reads", self.ssm_reads),
            ("ssm", _) => shared("writes", self.ssm_writes),
            ("monitoring", "DescribeAlarms") => own(self.cloudwatch_alarms),
            ("monitoring", "GetMetricData") => own(self.cloudwatch_data),
            // Docker pushes to ECR's registry count like calls of its API.
            ("ecr", "PutImage") | ("registry", "PutManifest") => own(self.ecr_images),
            ("ecr", "InitiateLayerUpload" | "CompleteLayerUpload")
            | ("registry", "PostUpload" | "PutUpload") => own(self.ecr_uploads),
            ("ecr", "UploadLayerPart" | "GetAuthorizationToken") | ("registry", "PatchUpload") => {
                own(self.ecr_parts)
            }
            ("ecr", "BatchCheckLayerAvailability") => own(self.ecr_checks),
            _ => Vec::new(),
        }
    }
}

/// The tokens in each bucket that has been used.
#[derive(Debug, Clone, Default)]
pub(super) struct Buckets(BTreeMap<String, (f64, Timestamp)>);

impl Buckets {
    /// Takes a token from each bucket of a call. If one is empty, takes none and returns false.
    pub(super) fn take(&mut self, rates: &Rates, asked: &Operation, now: Timestamp) -> bool {
        let buckets = rates.buckets_of(asked);
        let held = |name: &String, rate: Rate| match self.0.get(name) {
            Some((tokens, at)) => {
                (tokens + rate.refill * elapsed(*at, now).as_secs_f64()).min(rate.burst)
            }
            None => rate.burst,
        };
        let held: Vec<f64> = buckets.iter().map(|(name, rate)| held(name, *rate)).collect();
        let passes = held.iter().all(|tokens| *tokens >= 1.0);
        let taken = if passes { 1.0 } else { 0.0 };
        for ((name, _), tokens) in buckets.into_iter().zip(held) {
            self.0.insert(name, (tokens - taken, now));
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::world::later;

    #[test]
    fn buckets_are_shared_as_documented() {
        let start: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
        let (rates, mut buckets) = (Rates::default(), Buckets::default());
        let mut pass = |operation: &str, calls: usize, at: Timestamp| {
            let asked =
                Operation { service: "elasticloadbalancing", operation: operation.to_owned() };
            (0..calls).filter(|_| buckets.take(&rates, &asked, at)).count()
        };
        assert_eq!(pass("ModifyRule", 30, start), 20, "changes: 20 at once");
        assert_eq!(pass("DescribeRules", 30, start), 20, "the account's 40 are used up");
        let next = later(start, Duration::from_secs(1));
        assert_eq!(pass("ModifyRule", 30, next), 3, "3 a second");
        assert_eq!(pass("DescribeTargetHealth", 30, next), 7, "10 a second in all");
    }
}
