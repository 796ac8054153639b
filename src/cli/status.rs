//! `cutover status`

use std::fmt::Write as _;

use serde::Serialize;

use super::session;
use super::signals::{self, Hangup};
use super::{CommonArgs, Format, output};
use crate::planner;
use crate::preflight::Facts;
use cutover_aws::Aws;
use cutover_rollout::model::{Capacity, Failure, InstanceRefresh, Record, TargetHealth};

/// Show the service's latest rollout, versions, target health, instance refreshes and weights.
#[derive(Debug, clap::Args)]
pub(super) struct Status {
    #[command(flatten)]
    common: CommonArgs,
}

/// The status of a service.
#[derive(Debug, Serialize)]
struct ServiceStatus {
    service: String,
    record: Option<Record>,
    groups: Vec<GroupStatus>,
    rules: Vec<RuleStatus>,
}

#[derive(Debug, Serialize)]
struct GroupStatus {
    group: String,
    saved_version: Option<String>,
    versions: std::collections::BTreeMap<String, usize>,
    capacity: Capacity,
    healthy: usize,
    targets: usize,
    refresh: Option<String>,
    scheduled: Vec<String>,
}

#[derive(Debug, Serialize)]
struct RuleStatus {
    rule: String,
    weights: Vec<(String, u16)>,
}

impl Status {
    pub(super) fn run(self) -> u8 {
        let format = self.common.format;
        let start = jiff::Timestamp::now();
        signals::block_on(format, Hangup::Stops, async move |stop| {
            let status = async {
                let session = session::open(&self.common).await?;
                let checked = planner::check(&session.cloud, &session.config, &[]).await?;
                let record = checked.records.last().cloned();
                let service = session.config.service.clone();
                let read = read_status(&session.cloud, service, record, &checked.facts).await;
                read.map_err(Failure::from)
            };
            match stop.unless_stopped(Box::pin(status)).await.unwrap_or_else(session::stopped) {
                Ok(status) => {
                    let text = match format {
                        Format::Json => serde_json::to_string(&status).unwrap_or_default(),
                        Format::Human | Format::Actions => human(&status),
                    };
                    output::print_result(format, start, &text, None)
                }
                Err(failure) => output::report_error(format, failure),
            }
        })
    }
}

async fn read_status(
    cloud: &Aws,
    service: String,
    record: Option<Record>,
    facts: &Facts,
) -> Result<ServiceStatus, cutover_aws::AwsError> {
    let name = |arn: &str| {
        let found = facts.target_groups.values().find(|group| group.arn == arn);
        found.map_or_else(|| arn.to_owned(), |group| group.name.clone())
    };
    let mut groups = Vec::new();
    for (group_name, found) in &facts.groups {
        let mut targets = Vec::new();
        for arn in &found.group.target_groups {
            targets.extend(cloud.target_health(arn).await?);
        }
        let mut versions = std::collections::BTreeMap::new();
        for instance in &found.group.instances {
            let version = instance.template.as_ref().map(|t| t.version.to_string());
            *versions.entry(version.unwrap_or_else(|| "?".to_owned())).or_insert(0) += 1;
        }
        groups.push(GroupStatus {
            group: group_name.clone(),
            saved_version: found.group.source.template().map(|t| t.version.to_string()),
            versions,
            capacity: found.group.capacity,
            healthy: targets.iter().filter(|t| t.health == TargetHealth::Healthy).count(),
            targets: targets.len(),
            refresh: found.refreshes.first().map(refresh),
            scheduled: found
                .scheduled
                .iter()
                .map(|action| match action.at {
                    Some(at) => format!("{} at {at}", action.name),
                    None => action.name.clone(),
                })
                .collect(),
        });
    }
    let rules = facts
        .rules
        .iter()
        .filter_map(|rule| {
            let forward = rule.forward.as_ref()?;
            let weights = forward.weights.iter().map(|(arn, w)| (name(arn), *w)).collect();
            Some(RuleStatus { rule: rule.id.to_string(), weights })
        })
        .collect();
    Ok(ServiceStatus { service, record, groups, rules })
}

fn refresh(refresh: &InstanceRefresh) -> String {
    let percent = refresh.percent.map_or_else(String::new, |percent| format!(", {percent}%"));
    format!("{} {:?}{percent}", refresh.id, refresh.status)
}

fn human(status: &ServiceStatus) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    match &status.record {
        None => {
            let _ = writeln!(text, "{}: no rollouts yet", status.service);
        }
        Some(record) => {
            let ended = record.status.map_or_else(
                || format!("unfinished, in phase `{}` since {}", record.phase.name(), record.since),
                |ending| ending.name().replace('_', " "),
            );
            let _ = writeln!(
                text,
                "{}: rollout {} ({}, {}) {ended}",
                status.service, record.number, record.strategy, record.holder
            );
            if let Some(version) = record.version {
                let _ = writeln!(text, "  version {} → {version}", record.previous);
            }
            if let Some(image) = &record.image {
                let _ = writeln!(text, "  image   {image}");
            }
            if let Some(reason) = &record.reason {
                let _ = writeln!(text, "  reason  {reason}");
            }
        }
    }
    for group in &status.groups {
        let versions: Vec<String> =
            group.versions.iter().map(|(version, n)| format!("{n} × version {version}")).collect();
        let Capacity { min, max, desired } = group.capacity;
        let _ = writeln!(
            text,
            "\n{}: DesiredCapacity {desired} (MinSize {min}, MaxSize {max}), {} of {} targets healthy",
            group.group, group.healthy, group.targets
        );
        let _ = writeln!(
            text,
            "  launches version {}; running {}",
            group.saved_version.as_deref().unwrap_or("?"),
            if versions.is_empty() { "nothing".to_owned() } else { versions.join(", ") }
        );
        if let Some(refresh) = &group.refresh {
            let _ = writeln!(text, "  last refresh {refresh}");
        }
        for action in &group.scheduled {
            let _ = writeln!(text, "  scheduled action {action}");
        }
    }
    text.push('\n');
    for rule in &status.rules {
        let weights: Vec<String> =
            rule.weights.iter().map(|(group, weight)| format!("{group} {weight}")).collect();
        let _ = writeln!(text, "{}\n  weights {}", rule.rule, weights.join(", "));
    }
    text
}
