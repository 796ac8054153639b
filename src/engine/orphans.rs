//! Launch template versions that we made and nothing names any more: a template holds 10,000 of
//! them, and a service that is deployed often would fill it.

use super::{Ledger, Target};
use crate::cloud::{Cloud, CloudError, VersionFacts};
use crate::model::Record;

/// At most so many are deleted at the end of one run; the next goes on.
const AT_ONCE: usize = 20;

/// How the description of a version that we made for `service` begins.
pub(super) fn mark(service: &str) -> String {
    format!("cutover {service} ")
}

/// Deletes orphaned versions. Failing is no harm, since a later run does it; gives what people should know.
pub(super) async fn delete(cloud: &Cloud, ledger: &Ledger, target: &Target) -> Option<String> {
    let error = try_delete(cloud, ledger, target).await.err()?;
    let hint = error.hint();
    Some(format!("old launch template versions could not be deleted: {error}. To do: {hint}"))
}

async fn try_delete(cloud: &Cloud, ledger: &Ledger, target: &Target) -> Result<(), CloudError> {
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
    for version in orphans(&versions, &named, &records, &target.plan.service).take(AT_ONCE) {
        if let Some(error) = cloud.delete_version(template, version).await.error() {
            return Err(error.clone());
        }
    }
    Ok(())
}

/// Ours by their description, named by no group, no instance and no record, and older than every
/// record: what the ledger still tells of can still be gone back to.
fn orphans<'v>(
    versions: &'v [VersionFacts],
    named: &'v [u64],
    records: &'v [Record],
    service: &str,
) -> impl Iterator<Item = u64> + 'v {
    let mark = mark(service);
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
    use crate::cloud::UserData;
    use crate::model::{FleetFacts, Goal, OneGroupFacts, Phase, Strategy};

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
            abandoned: Vec::new(),
            restart: false,
            reason: None,
            ending: None,
        }
    }

    #[test]
    fn only_ours_and_only_what_nothing_names() {
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
        assert_eq!(orphans(&versions, &[3], &[], "web").count(), 0, "without a ledger none");
    }
}
