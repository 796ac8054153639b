//! What is specific to ECR: repositories must exist, tags may be immutable, images are scanned.

use std::time::Duration;

use jiff::SignedDuration;

use super::{Destination, PolicyError, judge};
use cutover_aws::{Aws, Change, ErrorClass, RepositoryFacts};
use cutover_net::Clock;
use cutover_rollout::model::{
    Digest, Findings, Repository, RepositorySettings, ScanPolicy, ScanState,
};

/// Attempts to create a repository before giving up.
const ATTEMPTS: usize = 4;

/// Time between two polls of a scan: a basic one takes seconds to minutes.
const BETWEEN: Duration = Duration::from_secs(5);

/// A repository that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnsuredRepository {
    /// Its properties in ECR.
    pub facts: RepositoryFacts,
    /// Whether it has just been created.
    pub created: bool,
}

/// Ensures that `repository` exists, and creates it as `new` says if it does not. Returns `None` if it is in
/// another account or Region, and so out of our control.
///
/// # Errors
/// Fails if it is missing and must not be created, or AWS does not answer.
pub async fn ensure(
    cloud: &Aws,
    clock: &Clock,
    repository: &Repository,
    new: Option<&RepositorySettings>,
) -> Result<Option<EnsuredRepository>, PolicyError> {
    if !cloud.owns(repository) {
        return Ok(None);
    }
    let mut created = false;
    for _ in 0..ATTEMPTS {
        if let Some(facts) = cloud.repository(repository.path()).await? {
            return Ok(Some(EnsuredRepository { facts, created }));
        }
        let Some(new) = new else { break };
        match cloud.create_repository(repository.path(), new).await {
            Change::Done(()) => created = true,
            // Another run has created it.
            Change::Refused(error) if error.class == ErrorClass::Conflict => {}
            Change::Refused(error) if error.class != ErrorClass::Throttled => {
                return Err(error.into());
            }
            Change::Refused(_) | Change::Unknown(_) => clock.sleep(Duration::from_secs(2)).await,
        }
    }
    Err(PolicyError::Missing {
        path: repository.path().to_owned(),
        registry: repository.registry().to_owned(),
        cli: line("create-repository", repository),
    })
}

/// Returns the AWS CLI's command for an operation on a repository.
fn line(operation: &str, repository: &Repository) -> String {
    let region = repository.ecr().map(|ecr| format!(" --region {}", ecr.region));
    let region = region.unwrap_or_default();
    format!("aws ecr {operation}{region} --repository-name {}", repository.path())
}

/// Checks that `digest` can be pushed under `tags`, before anything is uploaded: no immutable tag may point
/// to something else. A tag that already points to `digest` is as good as pushed.
///
/// # Errors
/// Fails if a tag is taken, or the registry does not answer.
pub async fn check_immutable_tags(
    destination: &Destination,
    facts: &RepositoryFacts,
    tags: &[String],
    digest: &Digest,
) -> Result<(), PolicyError> {
    let Destination { repository, registry } = destination;
    for tag in tags.iter().filter(|tag| facts.is_tag_immutable(tag)) {
        if let Some(names) = registry.manifest_digest(repository, tag).await?
            && names != *digest
        {
            let (tag, repository) = (tag.clone(), repository.clone());
            return Err(PolicyError::TagTaken { tag, repository, names });
        }
    }
    Ok(())
}

/// Waits until all of `digests` are scanned, and judges the findings. Each is the manifest of one platform:
/// ECR does not scan an index.
///
/// # Errors
/// Fails if a finding is as severe as the gate's limit, or the scan has no result in time.
pub async fn ensure_scanned(
    cloud: &Aws,
    clock: &Clock,
    repository: &Repository,
    digests: &[Digest],
    gate: &ScanPolicy,
) -> Result<Vec<Findings>, PolicyError> {
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
                    return Err(PolicyError::NotScanned { repository, digest, why });
                }
                None => clock.sleep(BETWEEN).await,
            }
        };
        judge(&findings, gate.fail_on).map_err(|found| PolicyError::SevereFindings {
            repository: repository.clone(),
            digest: digest.clone(),
            found,
        })?;
        all.push(findings);
    }
    Ok(all)
}

/// Returns what a poll of a scan means; `None` is to poll again. `over` says that the time has run out.
fn outcome(
    scan: ScanState,
    over: bool,
    (gate, repository): (&ScanPolicy, &Repository),
) -> Option<Result<Findings, String>> {
    let waited = format!("{} s (`image.ecr.scan.wait`)", gate.wait.as_secs());
    match scan {
        ScanState::Done(findings) => Some(Ok(findings)),
        ScanState::Unable { status, description } => {
            let description = Some(description).filter(|text| !text.is_empty());
            let description = description.map(|text| format!(" ({text})")).unwrap_or_default();
            Some(Err(format!(
                "ECR's scan ended with status {status}{description}. Remove `image.ecr.scan` if ECR cannot scan \
                 such images"
            )))
        }
        ScanState::Running if over => Some(Err(format!(
            "ECR's scan did not finish within {waited}. Run it again to wait for the same scan, or \
             allow more time"
        ))),
        ScanState::Missing if over => Some(Err(format!(
            "ECR did not start a scan within {waited}. Enable scanning: set `image.ecr.scan_on_push` for \
             a repository that cutover creates, or run {} --image-scanning-configuration scanOnPush=true",
            line("put-image-scanning-configuration", repository)
        ))),
        ScanState::Running | ScanState::Missing => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutover_rollout::model::Severity;

    #[test]
    fn what_is_not_known_in_time_is_a_refusal() {
        let gate = ScanPolicy { fail_on: Severity::High, wait: Duration::from_secs(300) };
        let news = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/news".parse().unwrap();
        let outcome = |scan, over| outcome(scan, over, (&gate, &news));
        assert_eq!(outcome(ScanState::Running, false), None);
        assert_eq!(outcome(ScanState::Missing, false), None);
        assert!(outcome(ScanState::Running, true).unwrap().unwrap_err().contains("300 s"));
        let line = "aws ecr put-image-scanning-configuration --region eu-west-1 --repository-name news \
                    --image-scanning-configuration scanOnPush=true";
        assert!(outcome(ScanState::Missing, true).unwrap().unwrap_err().ends_with(line));
        let unable = ScanState::Unable {
            status: "UNSUPPORTED_IMAGE".to_owned(),
            description: "No operating system.".to_owned(),
        };
        assert!(outcome(unable, false).unwrap().unwrap_err().contains("UNSUPPORTED_IMAGE"));
        let done = Findings::default();
        assert_eq!(outcome(ScanState::Done(done.clone()), true), Some(Ok(done)));
    }
}
