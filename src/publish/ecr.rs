//! What is particular about ECR: repositories have to exist, tags may be unmovable, images are scanned.

use std::time::Duration;

use jiff::SignedDuration;

use super::{Destination, Unfit, judge};
use crate::cloud::{Change, Class, Cloud, RepositoryFacts};
use crate::model::{Digest, Findings, NewRepository, Repository, Scan, ScanGate};
use crate::net::Clock;

/// How often creating a repository is answered for sure before we give up.
const ATTEMPTS: usize = 4;

/// How long to wait between two looks at a scan: a basic one takes seconds to minutes.
const BETWEEN: Duration = Duration::from_secs(5);

/// A repository that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ensured {
    /// What ECR says of it.
    pub facts: RepositoryFacts,
    /// It was made just now.
    pub created: bool,
}

/// Sees to it that `repository` exists; `new` says how it is made where it doesn't. `None` where it
/// isn't this account's and Region's, and so not ours to ask about.
///
/// # Errors
/// Where it is missing and not to be made, or AWS does not answer.
pub async fn ensure(
    cloud: &Cloud,
    clock: &Clock,
    repository: &Repository,
    new: Option<&NewRepository>,
) -> Result<Option<Ensured>, Unfit> {
    if !cloud.owns(repository) {
        return Ok(None);
    }
    let mut created = false;
    for _ in 0..ATTEMPTS {
        if let Some(facts) = cloud.repository(repository.path()).await? {
            return Ok(Some(Ensured { facts, created }));
        }
        let Some(new) = new else { break };
        match cloud.create_repository(repository.path(), new).await {
            Change::Done(()) => created = true,
            // Another run was faster.
            Change::Refused(error) if error.class == Class::Conflict => {}
            Change::Refused(error) if error.class != Class::Throttled => return Err(error.into()),
            Change::Refused(_) | Change::Unknown(_) => clock.sleep(Duration::from_secs(2)).await,
        }
    }
    Err(Unfit::Missing {
        path: repository.path().to_owned(),
        registry: repository.registry().to_owned(),
        cli: line("create-repository", repository),
    })
}

/// The AWS CLI's line that does something to a repository.
fn line(operation: &str, repository: &Repository) -> String {
    let region = repository.ecr().map(|ecr| format!(" --region {}", ecr.region));
    let region = region.unwrap_or_default();
    format!("aws ecr {operation}{region} --repository-name {}", repository.path())
}

/// Refuses to push `digest` under a tag that names something else and cannot be moved, before anything
/// is uploaded. A tag that names `digest` already is as good as pushed.
///
/// # Errors
/// Where a tag is taken, or the registry does not answer.
pub async fn check_tags(
    destination: &Destination,
    facts: &RepositoryFacts,
    tags: &[String],
    digest: &Digest,
) -> Result<(), Unfit> {
    let Destination { repository, registry } = destination;
    for tag in tags.iter().filter(|tag| facts.fixes(tag)) {
        if let Some(names) = registry.manifest_digest(repository, tag).await?
            && names != *digest
        {
            let (tag, repository) = (tag.clone(), repository.clone());
            return Err(Unfit::TagTaken { tag, repository, names });
        }
    }
    Ok(())
}

/// Waits until all of `digests` are scanned, and judges what was found. They are manifests of a
/// platform each: an index is not scanned.
///
/// # Errors
/// Where something as bad as the gate's limit was found, or the scan says nothing within its time.
pub async fn ensure_scanned(
    cloud: &Cloud,
    clock: &Clock,
    repository: &Repository,
    digests: &[Digest],
    gate: &ScanGate,
) -> Result<Vec<Findings>, Unfit> {
    let began = clock.now();
    let wait = SignedDuration::try_from(gate.wait).unwrap_or(SignedDuration::MAX);
    let mut all = Vec::new();
    for digest in digests {
        let findings = loop {
            let scan = cloud.scan(repository.path(), digest).await?;
            let over = clock.now().duration_since(began) >= wait;
            match outcome(scan, over, (gate, repository)) {
                Some(Ok(findings)) => break findings,
                Some(Err(why)) => {
                    let (repository, digest) = (repository.clone(), digest.clone());
                    return Err(Unfit::NotScanned { repository, digest, why });
                }
                None => clock.sleep(BETWEEN).await,
            }
        };
        judge(&findings, gate.fail_on).map_err(|found| Unfit::TooBad {
            repository: repository.clone(),
            digest: digest.clone(),
            found,
        })?;
        all.push(findings);
    }
    Ok(all)
}

/// What a look at a scan means; `None` is to look again. `over` says that the time has run out.
fn outcome(
    scan: Scan,
    over: bool,
    (gate, repository): (&ScanGate, &Repository),
) -> Option<Result<Findings, String>> {
    let waited = format!("{} s (`image.ecr.scan.wait`)", gate.wait.as_secs());
    match scan {
        Scan::Done(findings) => Some(Ok(findings)),
        Scan::Unable { status, description } => {
            let description = Some(description).filter(|text| !text.is_empty());
            let description = description.map(|text| format!(" ({text})")).unwrap_or_default();
            Some(Err(format!(
                "ECR's scan ended as {status}{description}. Remove `image.ecr.scan` if ECR cannot scan \
                 such images"
            )))
        }
        Scan::Running if over => Some(Err(format!(
            "ECR's scan did not end within {waited}. Run it again, which looks at the same scan, or \
             allow it more time"
        ))),
        Scan::Missing if over => Some(Err(format!(
            "ECR has begun no scan within {waited}. Turn scanning on: `image.ecr.scan_on_push` for a \
             repository that cutover creates, or {} --image-scanning-configuration scanOnPush=true",
            line("put-image-scanning-configuration", repository)
        ))),
        Scan::Running | Scan::Missing => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;

    #[test]
    fn what_is_not_known_in_time_is_a_refusal() {
        let gate = ScanGate { fail_on: Severity::High, wait: Duration::from_secs(300) };
        let news = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/news".parse().unwrap();
        let outcome = |scan, over| outcome(scan, over, (&gate, &news));
        assert_eq!(outcome(Scan::Running, false), None);
        assert_eq!(outcome(Scan::Missing, false), None);
        assert!(outcome(Scan::Running, true).unwrap().unwrap_err().contains("300 s"));
        let line = "aws ecr put-image-scanning-configuration --region eu-west-1 --repository-name news \
                    --image-scanning-configuration scanOnPush=true";
        assert!(outcome(Scan::Missing, true).unwrap().unwrap_err().ends_with(line));
        let unable = Scan::Unable {
            status: "UNSUPPORTED_IMAGE".to_owned(),
            description: "No operating system.".to_owned(),
        };
        assert!(outcome(unable, false).unwrap().unwrap_err().contains("UNSUPPORTED_IMAGE"));
        let done = Findings::default();
        assert_eq!(outcome(Scan::Done(done.clone()), true), Some(Ok(done)));
    }
}
