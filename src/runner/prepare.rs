//! Prepares the image's tags and the launch template version, which must exist before a group or rule is changed.

use super::ledger::OwnRecord;
use super::orphans;
use super::{Desired, Job, Ledger};
use cutover_aws::{Change, Disposition};
use cutover_rollout::Plan;
use cutover_rollout::model::{Event, Failure, FleetFacts, ImageReference, Phase, Record, Status};
use cutover_rollout::template::{self, VersionIdentity, client_token};

/// How often the version is requested while it is unknown whether it was created. The client token stays the same, so
/// every request returns the same version.
const ATTEMPTS: usize = 4;

/// Tags what this run has published, creates the version, and records image and version.
pub(super) async fn prepare(
    job: &Job<'_>,
    ledger: &Ledger,
    record: &mut Record,
) -> Result<Vec<Event>, Failure> {
    let mut events = Vec::new();
    match &job.wish.wanted {
        Desired::Image(image) => {
            match job.publication {
                Some(publication) => {
                    let notices = publication.tag().await?;
                    events.extend(notices.into_iter().map(|message| Event::Notice { message }));
                }
                None => events.push(Event::Image { image: image.clone(), uploaded: 0 }),
            }
            let (version, created) = version(job, ledger, record, image).await?;
            events.push(Event::Version {
                template: job.target.template_name.clone(),
                version,
                previous: record.previous,
                created,
            });
            if let Some(before) = record.version.replace(version).filter(|v| *v != version) {
                record.superseded_versions.push(before);
            }
            record.image = Some(image.clone());
        }
        Desired::Version { version, image } => {
            events.push(Event::Version {
                template: job.target.template_name.clone(),
                version: *version,
                previous: record.previous,
                created: false,
            });
            record.version = Some(*version);
            record.image.clone_from(image);
        }
        Desired::Back { .. } => {
            return Err(Failure::failed("there is no unfinished rollout to roll back"));
        }
    }
    Ok(events)
}

/// Returns the phase that follows Prepare, and the message with which it begins.
pub(super) fn next_phase(plan: &Plan, fleet: &FleetFacts) -> (Phase, String) {
    match fleet {
        FleetFacts::TwoGroups(facts) => {
            let side = plan.pair().map(|pair| &pair.sides[facts.old.other()]);
            let idle = side.map_or("the idle group", |side| side.group.as_str());
            (Phase::CancelScaleIn, format!("canceling any scheduled scale-in of {idle}"))
        }
        FleetFacts::OneGroup(_) => (Phase::Refresh, "replacing instances in batches".to_owned()),
    }
}

/// Creates the version, or finds the one that an earlier attempt with the same intent created.
async fn version(
    job: &Job<'_>,
    ledger: &Ledger,
    record: &Record,
    image: &ImageReference,
) -> Result<(u64, bool), Failure> {
    let cloud = job.cloud;
    let live = cloud.version(&record.template, record.previous).await?;
    let base = live.as_ref().and_then(|live| live.user_data.encoded());
    let pinned = template::pin(&job.target.user_data, base.as_deref(), image)
        .map_err(|error| Failure::failed(error.to_string()))?;
    let known = cloud.template(&job.target.template_name).await?;
    let newest = known.map_or(0, |template| template.latest);
    let finished = last_finished(ledger, record).await?;
    let token = client_token(&VersionIdentity {
        template_id: &record.template,
        source_version: record.previous,
        user_data: &pinned.base64,
        service: &record.service,
        intent: &record.intent,
        last_finished: finished,
    });
    for _ in 0..ATTEMPTS {
        if superseded(ledger, record).await? {
            let message = "a newer run took over before anything was changed";
            return Err(Failure::new(Status::Superseded, message));
        }
        let mark = orphans::description_prefix(&record.service);
        let description = format!("{mark}{} {}", image.digest.short(), job.wish.origin);
        let made = cloud
            .create_version(
                &record.template,
                record.previous,
                &pinned.base64,
                description.trim_end(),
                &token,
            )
            .await;
        match made {
            Change::Done(version) => return Ok((version, version > newest)),
            Change::Refused(error) if error.disposition() != Disposition::Throttled => {
                return Err(error.into());
            }
            Change::Refused(_) | Change::Unknown(_) => {
                job.net.clock.sleep(std::time::Duration::from_secs(2)).await;
            }
        }
    }
    let message = "the launch template version could not be created: AWS did not confirm it";
    Err(Failure::failed(message))
}

async fn superseded(ledger: &Ledger, record: &Record) -> Result<bool, Failure> {
    let standing = ledger.claim_state(record, false).await?;
    Ok(standing.newer.is_some() || matches!(standing.own, OwnRecord::Overwritten(_)))
}

/// Returns the number of the last finished rollout. It makes a deliberate redeploy create a new version, while a retry
/// after a crash finds the existing one.
async fn last_finished(ledger: &Ledger, record: &Record) -> Result<u64, Failure> {
    let records = ledger.records().await?;
    let finished = records.iter().filter(|r| r.number < record.number && r.is_finished());
    Ok(finished.map(|r| r.number).max().unwrap_or(0))
}
