//! Sends what was decided: each change once, and only while the observation behind it is fresh.

use std::time::Duration;

use tokio::time::Instant;

use super::observe::{ObserveContext, Observed};
use super::{Job, smoke};
use cutover_aws::{Aws, Change, Disposition, ErrorClass};
use cutover_rollout::model::{Event, Record, ScheduledAction};
use cutover_rollout::{Action, Decision, SCALE_IN_ACTION, SmokeResult};

/// How old the claim and the rules may be when a change is sent: no AWS write is conditional.
const MAX_CLAIM_AGE: Duration = Duration::from_secs(5);

/// How often these are read again before a change if responses are too slow.
const MAX_REREADS: usize = 3;

/// How old everything else, above all health, may be when a change is sent because of it. Restoring traffic is only
/// subject to `MAX_CLAIM_AGE`.
const MAX_OBSERVATION_AGE: Duration = Duration::from_secs(10);

/// The result of a tick's actions.
#[derive(Debug, Default)]
pub(super) struct ActResult {
    /// The events to report.
    pub events: Vec<Event>,
    /// The results of the smoke tests, if they were run.
    pub smoke: Option<Vec<SmokeResult>>,
    /// AWS's refusal, if trying again does not help.
    pub refused: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether AWS throttled a request.
    pub throttled: bool,
}

/// Sends the decision's actions in order. The first that is not confirmed ends the tick: everything is observed again
/// before anything else is sent.
pub(super) async fn act(
    scene: &ObserveContext<'_>,
    job: &Job<'_>,
    record: &Record,
    observed: &Observed,
    next: &Decision,
) -> ActResult {
    let mut acted = ActResult::default();
    let mut read = observed.read_at;
    for action in &next.actions {
        if let Action::RunSmokeTests = action {
            let requests =
                scene.target.plan.pair().map(|pair| pair.smoke.as_slice()).unwrap_or_default();
            acted.smoke = job.stop.unless_stopped(smoke::run_smoke_tests(job.net, requests)).await;
            continue;
        }
        let fresh = is_fresh(scene, record, observed, &mut read).await;
        if !fresh || (!next.act_before_saving && observed.read_at.elapsed() > MAX_OBSERVATION_AGE) {
            acted.events.push(too_old());
            break;
        }
        match send(scene.cloud, observed, action).await {
            Change::Done(()) => {}
            Change::Refused(error) => {
                match error.disposition() {
                    Disposition::Transient | Disposition::Blocked => {}
                    Disposition::Throttled => acted.throttled = true,
                    Disposition::Absent | Disposition::Final => {
                        acted.refused = Some(error.to_string());
                        acted.hint = Some(error.hint());
                    }
                }
                acted
                    .events
                    .push(Event::Notice { message: format!("AWS refused the change: {error}") });
                break;
            }
            Change::Unknown(error) => {
                acted.events.push(Event::Notice {
                    message: format!(
                        "it is unknown whether the change took effect, reading again: {error}"
                    ),
                });
                break;
            }
        }
    }
    acted
}

/// Returns whether the claim and the rules were `read` recently enough. Slow responses must not keep traffic where it
/// is, so these two are read again, and are fresh if they have not changed.
async fn is_fresh(
    scene: &ObserveContext<'_>,
    record: &Record,
    observed: &Observed,
    read: &mut Instant,
) -> bool {
    for _ in 0..MAX_REREADS {
        if read.elapsed() <= MAX_CLAIM_AGE {
            return true;
        }
        match scene.reread_unchanged(record, observed).await {
            Some(again) => *read = again,
            None => return false,
        }
    }
    read.elapsed() <= MAX_CLAIM_AGE
}

fn too_old() -> Event {
    Event::Notice { message: "the observation is too old to act on: reading again".to_owned() }
}

async fn send(cloud: &Aws, observed: &Observed, action: &Action) -> Change<()> {
    match action {
        Action::SetForward { rule, forward } => match observed.raw_actions.get(rule) {
            Some(raw) => cloud.set_forward(rule, raw, forward).await,
            // Only observed rules are changed. The next tick observes the rule, or that it no longer exists.
            None => Change::Done(()),
        },
        Action::SetMinSize { group, min } => cloud.set_min_size(group, *min).await,
        Action::SetMinSizeAndDesired { group, size } => cloud.set_size(group, *size, *size).await,
        Action::StartRefresh { group, template, version, preferences } => {
            match observed.observation.groups.get(group).map(|observed| &observed.group.source) {
                Some(source) => {
                    let sent = cloud.start_refresh(group, source, template, *version, preferences);
                    sent.await.map(|_| ())
                }
                None => Change::Done(()),
            }
        }
        Action::CancelRefresh { group } => cloud.cancel_refresh(group).await,
        Action::RollbackRefresh { group } => match cloud.rollback_refresh(group).await {
            // AWS cannot roll it back, so it is canceled, and a refresh to the previous version follows.
            Change::Refused(error) if error.is("IrreversibleInstanceRefresh") => {
                cloud.cancel_refresh(group).await
            }
            change => change,
        },
        Action::ScheduleScaleIn { group, at, size } => {
            let action = ScheduledAction {
                name: SCALE_IN_ACTION.to_owned(),
                at: Some(*at),
                min: Some(*size),
                max: None,
                desired: Some(*size),
                recurring: false,
            };
            cloud.put_scheduled_action(group, &action).await
        }
        Action::CancelScaleIn { group } => {
            match cloud.delete_scheduled_action(group, SCALE_IN_ACTION).await {
                // It is already gone.
                Change::Refused(error) if error.class == ErrorClass::NotFound => Change::Done(()),
                change => change,
            }
        }
        Action::RunSmokeTests => Change::Done(()),
    }
}
