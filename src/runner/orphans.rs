//! Deletes launch template versions that cutover created and nothing refers to any more: a launch template has at most
//! 10,000 versions, and a service that is deployed often would reach that limit.

use super::{Ledger, RolloutSpec};
use cutover_aws::{Aws, AwsError, VersionFacts};
use cutover_rollout::model::Record;

/// How many versions are deleted at most at the end of a run; the next run continues.
const MAX_DELETIONS: usize = 20;

/// Returns the beginning of the description of every version that cutover created for `service`.
pub(super) fn description_prefix(service: &str) -> String {
    format!("cutover {service} ")
}

/// Deletes orphaned versions. Returns a notice if that fails, which does no harm: a later run tries again.
pub(super) async fn delete(cloud: &Aws, ledger: &Ledger, target: &RolloutSpec) -> Option<String> {
    let error = try_delete(cloud, ledger, target).await.err()?;
    let hint = error.hint();
    Some(format!("old launch template versions could not be deleted: {error}; {hint}"))
}

async fn try_delete(cloud: &Aws, ledger: &Ledger, target: &RolloutSpec) -> Result<(), AwsError> {
    let template = &target.plan.template;
    let Ok(records) = ledger.records().await else { return Ok(()) };
    let Some(facts) = cloud.template(&target.template_name).await? else { return Ok(()) };
    let users = cloud.groups_using_template(template).await?;
    let mut named: Vec<u64> = vec![facts.default, facts.latest];
    named.extend(users.iter().filter_map(|g| g.source.template()?.version.number()));
    named.extend(
        users
            .iter()
            .flat_map(|g| &g.instances)
            .filter_map(|i| i.template.as_ref()?.version.number()),
    );
    let versions = cloud.versions(template).await?;
    for version in orphans(&versions, &named, &records, &target.plan.service).take(MAX_DELETIONS) {
        if let Some(error) = cloud.delete_version(template, version).await.error() {
            return Err(error.clone());
        }
    }
    Ok(())
}

/// Returns the versions that are cutover's by their description, that no group, instance or record names, and that are
/// older than every record: a version in the ledger can still be rolled back to.
fn orphans<'v>(
    versions: &'v [VersionFacts],
    named: &'v [u64],
    records: &'v [Record],
    service: &str,
) -> impl Iterator<Item = u64> + 'v {
    let mark = description_prefix(service);
    let oldest = records.iter().flat_map(|r| [Some(r.previous), r.version]).flatten().min();
    versions
        .iter()
        .filter(move |v| v.description.as_deref().is_some_and(|d| d.starts_with(&mark)))
        .map(|v| v.number)
        .filter(move |number| oldest.is_some_and(|oldest| *number < oldest))
        .filter(move |number| !named.contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutover_aws::UserData;
    use cutover_rollout::model::{FleetFacts, Goal, OneGroupFacts, Phase, Strategy};

    fn version(number: u64, description: &str) -> VersionFacts {
        VersionFacts {
            number,
            description: Some(description.to_owned()),
            created: None,
            user_data: UserData::None,
            instance_profile: None,
            image_id: None,
            tagged: Vec::new(),
            hop_limit: None,
        }
    }

    fn record(previous: u64, version: u64) -> Record {
        Record {
            number: 1,
            service: "web".to_owned(),
            holder: String::new(),
            continues: None,
            goal: Goal::Deploy,
            strategy: Strategy::Rolling,
            intent: String::new(),
            workflow: None,
            run_number: None,
            commit: None,
            previous_commit: None,
            image: None,
            template: "lt-1".to_owned(),
            version: Some(version),
            previous,
            phase: Phase::Done,
            since: jiff::Timestamp::UNIX_EPOCH,
            heartbeat: jiff::Timestamp::UNIX_EPOCH,
            fleet: FleetFacts::OneGroup(OneGroupFacts::default()),
            resume: None,
            superseded_versions: Vec::new(),
            restart: false,
            reason: None,
            status: None,
        }
    }

    #[test]
    fn only_cutovers_unused_versions_are_deleted() {
        let versions = [
            version(2, "cutover web a"),
            version(3, "cutover web b"),
            version(4, "cutover website c"),
            version(5, "by hand"),
            version(6, "cutover web d"),
            version(7, "cutover web e"),
        ];
        let found: Vec<u64> = orphans(&versions, &[3], &[record(6, 7)], "web").collect();
        assert_eq!(found, [2]);
        assert_eq!(orphans(&versions, &[3], &[], "web").count(), 0, "none without a ledger");
    }
}
