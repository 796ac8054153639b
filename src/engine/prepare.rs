//! Image and launch template version: everything that exists before the fleet is touched.

use super::advice::joined;
use super::ledger::{LedgerError, Mine};
use super::orphans;
use super::push::push;
use super::target::pin;
use super::{Job, Ledger, Wanted};
use crate::cloud::{Change, Class, CloudError};
use crate::model::{Ending, Event, ImageReference, Record};
use crate::rollout::End;
use crate::template::{VersionIdentity, client_token};

/// A version whose creation stays unknown is asked for again with the same client token, which
/// gives the same version.
const ATTEMPTS: usize = 4;

/// Pushes the image, makes the version, and notes both in the record.
pub(super) async fn prepare(
    job: &Job<'_>,
    ledger: &Ledger,
    record: &mut Record,
) -> Result<Vec<Event>, End> {
    let mut events = Vec::new();
    match &job.wish.wanted {
        Wanted::Image(image) => {
            let (uploaded, told) = push(job, image).await?;
            events.push(Event::Image { image: image.clone(), uploaded });
            events.extend(told);
            let (version, created) = version(job, ledger, record, image).await?;
            events.push(Event::Version {
                template: job.target.template_name.clone(),
                version,
                previous: record.previous,
                created,
            });
            if let Some(before) = record.version.replace(version).filter(|v| *v != version) {
                record.abandoned.push(before);
            }
            record.image = Some(image.clone());
        }
        Wanted::Version { version, image } => {
            events.push(Event::Version {
                template: job.target.template_name.clone(),
                version: *version,
                previous: record.previous,
                created: false,
            });
            record.version = Some(*version);
            record.image.clone_from(image);
        }
        Wanted::Back { .. } => return Err(failed("there is no unfinished rollout to roll back")),
    }
    Ok(events)
}

/// Makes the version, or finds the one that an earlier attempt of the same intent made.
async fn version(
    job: &Job<'_>,
    ledger: &Ledger,
    record: &Record,
    image: &ImageReference,
) -> Result<(u64, bool), End> {
    let cloud = job.cloud;
    let error = |error: CloudError| denied(&error);
    let live = cloud.version(&record.template, record.previous).await.map_err(error)?;
    let pinned = pin(&job.target.user_data, live.as_ref(), image)
        .map_err(|error| failed(&error.to_string()))?;
    let known = cloud.template(&job.target.template_name).await.map_err(error)?;
    let newest = known.map_or(0, |template| template.latest);
    let finished = finished_before(ledger, record).await?;
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
            return Err(End {
                ending: Ending::Superseded,
                message: "a newer run has taken over before anything was changed".to_owned(),
                hint: None,
            });
        }
        let mark = orphans::mark(&record.service);
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
            Change::Refused(error) if error.class != Class::Throttled => {
                return Err(denied(&error));
            }
            Change::Refused(_) | Change::Unknown(_) => {
                job.net.clock.sleep(std::time::Duration::from_secs(2)).await;
            }
        }
    }
    Err(failed("the launch template version could not be created: no sure answer came"))
}

async fn superseded(ledger: &Ledger, record: &Record) -> Result<bool, End> {
    let standing = ledger.standing(record, false).await;
    let standing = standing.map_err(|error| unread(&error))?;
    Ok(standing.newer.is_some() || matches!(standing.mine, Mine::Taken(_)))
}

/// The number of the last finished rollout: a deliberate redeploy after an outcome gets a version
/// of its own, a retry after a crash does not.
async fn finished_before(ledger: &Ledger, record: &Record) -> Result<u64, End> {
    let records = ledger.records().await.map_err(|error| unread(&error))?;
    let finished = records.iter().filter(|r| r.number < record.number && r.is_finished());
    Ok(finished.map(|r| r.number).max().unwrap_or(0))
}

fn denied(error: &CloudError) -> End {
    advised(&error.to_string(), Some(error.hint()))
}

fn unread(error: &LedgerError) -> End {
    advised(&error.to_string(), error.hint())
}

fn advised(why: &str, advice: Option<String>) -> End {
    let End { ending, message, hint } = failed(why);
    End { ending, message, hint: joined([hint, advice]) }
}

fn failed(why: &str) -> End {
    End {
        ending: Ending::Failed,
        message: why.to_owned(),
        hint: Some("the fleet was not touched".to_owned()),
    }
}
