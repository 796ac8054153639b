//! Sending what was decided: each change once, and only while what it was decided on is fresh.

use std::time::Duration;

use tokio::time::Instant;

use super::observe::{Observed, Scene};
use super::{Job, smoke};
use crate::cloud::{Change, Class, Cloud, CloudError};
use crate::model::{Event, Record, ScheduledAction};
use crate::rollout::{Action, Next, RETIREMENT, SmokeResult};

/// No AWS write takes a condition: what was read may be this old when a change is sent, not older.
const FRESH: Duration = Duration::from_secs(5);

/// How often these are read again before a change, where the answers are too slow.
const READS: usize = 3;

/// Everything else that was seen, health above all, may be this old when something is changed on the
/// strength of it. Taking traffic back is held to `FRESH` alone.
const LOOK: Duration = Duration::from_secs(10);

/// What became of a turn's actions.
#[derive(Debug, Default)]
pub(super) struct Acted {
    /// What to tell.
    pub events: Vec<Event>,
    /// The answers to smoke requests, if any were sent.
    pub smoke: Option<Vec<SmokeResult>>,
    /// A refusal that trying again does not mend.
    pub refused: Option<String>,
    /// What to do about it.
    pub advice: Option<String>,
    /// Whether AWS asked for patience.
    pub throttled: bool,
}

/// Sends `actions` in order. The first that is not surely done ends the turn: the world is looked
/// at again before anything else is sent.
pub(super) async fn act(
    scene: &Scene<'_>,
    job: &Job<'_>,
    record: &Record,
    observed: &Observed,
    next: &Next,
) -> Acted {
    let mut acted = Acted::default();
    let mut read = observed.began;
    for action in &next.actions {
        if let Action::Smoke = action {
            let requests =
                scene.target.plan.pair().map(|pair| pair.smoke.as_slice()).unwrap_or_default();
            acted.smoke = job.stop.unless_asked(smoke::ask(job.net, requests)).await;
            continue;
        }
        let fresh = is_fresh(scene, record, observed, &mut read).await;
        if !fresh || (!next.urgent && observed.began.elapsed() > LOOK) {
            acted.events.push(too_old());
            break;
        }
        match send(scene.cloud, observed, action).await {
            Change::Done(()) => {}
            Change::Refused(error) => {
                acted.throttled = error.class == Class::Throttled;
                if is_final(&error) {
                    acted.refused = Some(error.to_string());
                    acted.advice = Some(error.hint());
                }
                acted.events.push(Event::Notice { message: told(&error) });
                break;
            }
            Change::Unknown(error) => {
                acted.events.push(Event::Notice {
                    message: format!("no sure answer, looking whether it took effect: {error}"),
                });
                break;
            }
        }
    }
    acted
}

/// Whether claim and rules were `read` a moment ago. Slow answers must not keep traffic where it is:
/// these two alone, read again and found the same, are as good as new.
async fn is_fresh(
    scene: &Scene<'_>,
    record: &Record,
    observed: &Observed,
    read: &mut Instant,
) -> bool {
    for _ in 0..READS {
        if read.elapsed() <= FRESH {
            return true;
        }
        match scene.still(record, observed).await {
            Some(again) => *read = again,
            None => return false,
        }
    }
    read.elapsed() <= FRESH
}

/// Whether asking again would bring the same answer.
fn is_final(error: &CloudError) -> bool {
    matches!(error.class, Class::Denied | Class::Invalid | Class::NotFound)
}

fn told(error: &CloudError) -> String {
    format!("refused: {error}")
}

fn too_old() -> Event {
    Event::Notice { message: "what was seen is too old to act on: looking again".to_owned() }
}

async fn send(cloud: &Cloud, observed: &Observed, action: &Action) -> Change<()> {
    match action {
        Action::SetForward { rule, forward } => match observed.raw.get(rule) {
            Some(raw) => cloud.set_forward(rule, raw, forward).await,
            // Only rules that were seen are changed; the next look brings it, or its absence.
            None => Change::Done(()),
        },
        Action::SetMinimum { group, min } => cloud.set_minimum(group, *min).await,
        Action::SetSize { group, size } => cloud.set_size(group, *size, *size).await,
        Action::StartRefresh { group, template, version, preferences } => {
            match observed.seen.groups.get(group).map(|seen| &seen.group.source) {
                Some(source) => {
                    let sent = cloud.start_refresh(group, source, template, *version, preferences);
                    sent.await.map(|_| ())
                }
                None => Change::Done(()),
            }
        }
        Action::CancelRefresh { group } => cloud.cancel_refresh(group).await,
        Action::RollbackRefresh { group } => match cloud.rollback_refresh(group).await {
            // No way back that AWS knows: stopped, and then a refresh to the previous version.
            Change::Refused(error) if error.is("IrreversibleInstanceRefresh") => {
                cloud.cancel_refresh(group).await
            }
            change => change,
        },
        Action::Schedule { group, at, size } => {
            let action = ScheduledAction {
                name: RETIREMENT.to_owned(),
                at: Some(*at),
                min: Some(*size),
                max: None,
                desired: Some(*size),
                recurring: false,
            };
            cloud.put_scheduled(group, &action).await
        }
        Action::Unschedule { group } => match cloud.delete_scheduled(group, RETIREMENT).await {
            // Gone is what was wanted.
            Change::Refused(error) if error.class == Class::NotFound => Change::Done(()),
            change => change,
        },
        Action::Smoke => Change::Done(()),
    }
}
