//! Observes the account: few reads, in batches, and only what the phase needs.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use tokio::time::Instant;

use super::ledger::{ClaimState, Newer, OwnRecord};
use super::{Ledger, LedgerError, RolloutSpec};
use cutover_aws::{Aws, AwsError, Disposition, ErrorClass, RawActions, RuleWithActions};
use cutover_rollout::model::{Color, Failure, PerColor, Phase, Record, Rule, RuleId, Status};
use cutover_rollout::template;
use cutover_rollout::{
    AlarmState, Claim, Observation, ObservedGroup, Plan, Proof, Reading, Shape, SmokeResult,
    Successor, needs,
};

/// An observation, and what is needed to act on it.
pub(crate) struct Observed {
    /// The observation.
    pub observation: Observation,
    /// All actions of each rule, so that a change of the forward action keeps the others.
    pub raw_actions: BTreeMap<RuleId, RawActions>,
    /// What an external change did to the run's own record.
    pub record_tampered: Option<&'static str>,
    /// When the first read was sent, from which the observation's age counts.
    pub read_at: Instant,
}

impl Observed {
    /// Returns the shares in the first rule, with two groups.
    pub(super) fn shares(&self, plan: &Plan) -> Option<PerColor<u8>> {
        let pair = plan.pair()?;
        let rule = self.observation.rules.iter().find(|rule| pair.rules.contains(&rule.id))?;
        let forward = rule.forward.as_ref()?;
        Some(PerColor::from_fn(|color| forward.share(&pair.sides[color].target_group)))
    }
}

/// Why an observation failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObserveError {
    #[error(transparent)]
    Cloud(#[from] AwsError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl ObserveError {
    /// Returns the failure of a run that could not observe for too long.
    pub(super) fn end(&self) -> Failure {
        let unchanged = "nothing was changed in the meantime; run the same command again to resume";
        let failure = match self {
            ObserveError::Cloud(error) => Failure::from(error),
            ObserveError::Ledger(error) => Failure::from(error),
        };
        Failure { message: format!("the account could not be read: {self}"), ..failure }
            .with_status(Status::Stuck)
            .hint_first(unchanged)
    }

    /// Returns whether trying again can help.
    pub(super) fn disposition(&self) -> Disposition {
        match self {
            ObserveError::Cloud(error) => error.disposition(),
            ObserveError::Ledger(error) => error.disposition(),
        }
    }
}

/// What a tick leaves for the next observation.
#[derive(Debug, Clone, Default)]
pub(crate) struct TickState {
    /// Whether to read the whole ledger: an external change may have created a much higher number.
    pub whole_ledger: bool,
    pub smoke: Option<Vec<SmokeResult>>,
    pub refused: Option<String>,
}

/// What to observe.
pub(crate) struct ObserveContext<'a> {
    pub cloud: &'a Aws,
    pub ledger: &'a Ledger,
    pub target: &'a RolloutSpec,
}

impl ObserveContext<'_> {
    /// Reads the claim and the rules again, and returns the time of that if they have not changed.
    pub(super) async fn reread_unchanged(
        &self,
        record: &Record,
        observed: &Observed,
    ) -> Option<Instant> {
        let began = Instant::now();
        let ((claim, _), rules) = tokio::try_join!(
            claim(self.ledger, record, false),
            read_rules(self.cloud, self.target)
        )
        .ok()?;
        let same = claim.highest == observed.observation.claim.highest
            && rules.iter().map(|found| &found.rule).eq(&observed.observation.rules);
        same.then_some(began)
    }
}

/// Observes what the record's phase needs.
pub(crate) async fn observe(
    scene: &ObserveContext<'_>,
    record: &Record,
    carried: TickState,
) -> Result<Observed, ObserveError> {
    let ObserveContext { cloud, ledger, target } = *scene;
    let began = Instant::now();
    let needs = needs(&target.plan, record);
    let whole = carried.whole_ledger;
    let ((claim, spoilt), rules) =
        tokio::try_join!(claim(ledger, record, whole), read_rules(cloud, target))?;
    let (groups, others, counts, alarms, pinned) = tokio::try_join!(
        groups(cloud, target, needs.refreshes, needs.scheduled_actions),
        async {
            match needs.other_rules {
                true => other_rules(cloud, target).await.map(Reading::Read),
                false => Ok(Reading::NotRead),
            }
        },
        async {
            // A minute that has not ended has no counts, and CloudWatch rejects an empty interval.
            let whole = |since: &Timestamp| cloud.now().duration_since(*since).as_secs() >= 60;
            let Some(since) = needs.counts_since.filter(whole) else {
                return Ok::<_, ObserveError>(Reading::NotRead);
            };
            let counts = cloud.counts(&target.metrics, since, cloud.now()).await?;
            let groups = target.metrics.iter().map(|(_, target_group)| target_group.clone());
            Ok(Reading::Read(groups.zip(counts).collect()))
        },
        async {
            if !needs.alarms {
                return Ok::<_, ObserveError>(Reading::NotRead);
            }
            let names: Vec<&str> = target.plan.judge.alarms.iter().map(String::as_str).collect();
            let alarms = cloud.alarms(&names).await?;
            let states = alarms.into_iter().map(|(name, state)| (name, AlarmState::parse(&state)));
            Ok(Reading::Read(states.collect()))
        },
        async {
            if !needs.proof {
                return Ok::<_, ObserveError>(None);
            }
            Ok(Some(user_data_is_pinned(cloud, target, record).await?))
        },
    )?;
    let proof = match pinned {
        None => None,
        Some(pinned) => {
            let (again, rules_again) =
                tokio::try_join!(self::claim(ledger, record, false), read_rules(cloud, target))?;
            let bracketed =
                again.0.highest == claim.highest && rules_of(&rules_again) == rules_of(&rules);
            Some(Proof { unchanged_during_read: bracketed, user_data_is_pinned: pinned })
        }
    };
    let raw = rules.iter().map(|found| (found.rule.id.clone(), found.actions.clone())).collect();
    let observation = Observation {
        now: cloud.now(),
        claim,
        groups,
        rules: rules.into_iter().map(|found| found.rule).collect(),
        other_rules: others,
        counts,
        alarms,
        refused: carried.refused,
        smoke: carried.smoke,
        proof,
    };
    Ok(Observed { observation, raw_actions: raw, record_tampered: spoilt, read_at: began })
}

/// Returns who holds the claim, and what an external change did to this run's record.
async fn claim(
    ledger: &Ledger,
    record: &Record,
    whole: bool,
) -> Result<(Claim, Option<&'static str>), ObserveError> {
    let ClaimState { own: mine, newer } = ledger.claim_state(record, whole).await?;
    let (newer, spoilt) = match mine {
        OwnRecord::Present => (newer, None),
        OwnRecord::Missing => (newer, Some("the record of this run was deleted: writing it again")),
        OwnRecord::Corrupt => {
            (newer, Some("the record of this run was overwritten: writing it again"))
        }
        // Two runs have the same number: it belongs to the later one.
        OwnRecord::Overwritten(other) => {
            let taken = Newer { number: record.number + 1, record: Some(*other) };
            (newer.or(Some(taken)), Some("another run has claimed the number of this run"))
        }
    };
    let claim = Claim {
        highest: newer.as_ref().map_or(record.number, |newer| newer.number),
        successor: newer.map(|newer| match newer.record {
            Some(newer) => Successor {
                heartbeat: newer.heartbeat,
                is_acting: newer.is_finished() || newer.phase != Phase::TakeOver,
            },
            // This version cannot read what that run does.
            None => Successor { heartbeat: Timestamp::MAX, is_acting: true },
        }),
    };
    Ok((claim, spoilt))
}

async fn read_rules(
    cloud: &Aws,
    target: &RolloutSpec,
) -> Result<Vec<RuleWithActions>, ObserveError> {
    let Shape::TwoGroups(pair) = &target.plan.shape else { return Ok(Vec::new()) };
    let ids: Vec<RuleId> = pair.rules.iter().chain(&pair.test_rule).cloned().collect();
    Ok(cloud.rules(&ids).await?)
}

/// Returns the rules outside the plan that name one of the two target groups.
async fn other_rules(cloud: &Aws, target: &RolloutSpec) -> Result<Vec<Rule>, ObserveError> {
    let Shape::TwoGroups(pair) = &target.plan.shape else { return Ok(Vec::new()) };
    let arns = Color::BOTH.map(|color| pair.sides[color].target_group.as_str());
    let naming = match cloud.rules_forwarding_to(&arns).await {
        Ok(naming) => naming,
        // A target group that no longer exists has no rules.
        Err(error) if error.class == ErrorClass::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let others = naming.into_iter().map(|found| found.rule);
    let known = |id: &RuleId| pair.rules.contains(id) || pair.test_rule.as_ref() == Some(id);
    Ok(others.filter(|rule| !known(&rule.id)).collect())
}

fn rules_of(rules: &[RuleWithActions]) -> Vec<&Rule> {
    rules.iter().map(|found| &found.rule).collect()
}

async fn groups(
    cloud: &Aws,
    target: &RolloutSpec,
    refreshes: bool,
    scheduled: bool,
) -> Result<BTreeMap<String, ObservedGroup>, ObserveError> {
    let names: Vec<&str> = target.groups.iter().map(|(name, _)| name.as_str()).collect();
    let groups = cloud.groups(&names).await?;
    let looks = groups.into_iter().map(async |group| {
        let target_group = target.groups.iter().find(|(name, _)| *name == group.name);
        let (targets, refreshes, scheduled) = tokio::try_join!(
            async {
                match target_group.and_then(|(_, arn)| arn.as_ref()) {
                    Some(arn) => cloud.target_health(arn).await,
                    None => Ok(Vec::new()),
                }
            },
            async {
                match refreshes {
                    true => cloud.refreshes(&group.name).await.map(Reading::Read),
                    false => Ok(Reading::NotRead),
                }
            },
            async {
                match scheduled {
                    true => cloud.scheduled_actions(&group.name).await.map(Reading::Read),
                    false => Ok(Reading::NotRead),
                }
            },
        )?;
        let name = group.name.clone();
        Ok::<_, ObserveError>((
            name,
            ObservedGroup { group, targets, refreshes, scheduled_actions: scheduled },
        ))
    });
    Ok(try_join_all(looks).await?.into_iter().collect())
}

async fn user_data_is_pinned(
    cloud: &Aws,
    target: &RolloutSpec,
    record: &Record,
) -> Result<bool, ObserveError> {
    let Some(version) = record.version else { return Ok(false) };
    // A version from before the ledger: its image is unknown, and nothing was changed in it.
    let Some(image) = &record.image else { return Ok(true) };
    let facts = match cloud.version(&target.plan.template, version).await {
        // The launch template no longer exists.
        Err(error) if error.class == ErrorClass::NotFound => None,
        answer => answer?,
    };
    let user_data = facts.as_ref().and_then(|facts| facts.user_data.bytes());
    Ok(user_data.is_some_and(|bytes| template::is_pinned(bytes, image)))
}
