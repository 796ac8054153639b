//! One look at the world: few, batched reads, and only what the phase needs.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use tokio::time::Instant;

use super::advice::joined;
use super::ledger::{Mine, Newer, Standing};
use super::{Ledger, LedgerError, Target};
use crate::cloud::{Class, Cloud, CloudError, RawActions, RuleWithActions};
use crate::model::{Colour, Ending, PerColour, Phase, Record, Rule, RuleId};
use crate::rollout::{
    AlarmState, Claim, End, GroupSeen, Plan, Proof, Seen, Shape, SmokeResult, Successor, needs,
};
use crate::template;

/// A look, and what is needed to act on it.
pub(super) struct Observed {
    /// What was seen.
    pub seen: Seen,
    /// The whole action list of each rule, so that a changed forward keeps what is around it.
    pub raw: BTreeMap<RuleId, RawActions>,
    /// What another hand did to the run's own record.
    pub spoilt: Option<&'static str>,
    /// When the first read was sent: the age of everything seen.
    pub began: Instant,
}

impl Observed {
    /// The shares of the first rule, with two groups.
    pub(super) fn weights(&self, plan: &Plan) -> Option<PerColour<u8>> {
        let pair = plan.pair()?;
        let rule = self.seen.rules.iter().find(|rule| pair.rules.contains(&rule.id))?;
        let forward = rule.forward.as_ref()?;
        Some(PerColour::from_fn(|colour| forward.share(&pair.sides[colour].target_group)))
    }
}

/// Why a look failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Blind {
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Blind {
    /// The end of a run that could not look for too long.
    pub(super) fn end(&self) -> End {
        let unchanged =
            "nothing was changed meanwhile; run the same command again to go on from here";
        let advice = match self {
            Blind::Cloud(error) => Some(error.hint()),
            Blind::Ledger(error) => error.hint(),
        };
        End {
            ending: Ending::Stuck,
            message: format!("the account could not be read: {self}"),
            hint: joined([Some(unchanged.to_owned()), advice]),
        }
    }

    /// Whether AWS forbids it.
    pub(super) fn is_denied(&self) -> bool {
        match self {
            Blind::Cloud(error) | Blind::Ledger(LedgerError::Cloud(error)) => {
                error.class == Class::Denied
            }
            Blind::Ledger(_) => false,
        }
    }
}

/// What the last turn leaves for the next look.
#[derive(Debug, Clone, Default)]
pub(super) struct Carried {
    /// Whether all of the ledger is to be read: a number may have been put far above ours.
    pub whole_ledger: bool,
    pub smoke: Option<Vec<SmokeResult>>,
    pub refused: Option<String>,
}

/// Where to look.
pub(super) struct Scene<'a> {
    pub cloud: &'a Cloud,
    pub ledger: &'a Ledger,
    pub target: &'a Target,
}

impl Scene<'_> {
    /// Reads claim and rules again; gives the moment of reading if they are what was observed.
    pub(super) async fn still(&self, record: &Record, observed: &Observed) -> Option<Instant> {
        let began = Instant::now();
        let ((claim, _), rules) = tokio::try_join!(
            claim(self.ledger, record, false),
            read_rules(self.cloud, self.target)
        )
        .ok()?;
        let same = claim.highest == observed.seen.claim.highest
            && rules.iter().map(|found| &found.rule).eq(&observed.seen.rules);
        same.then_some(began)
    }
}

/// Looks.
pub(super) async fn observe(
    scene: &Scene<'_>,
    record: &Record,
    carried: Carried,
) -> Result<Observed, Blind> {
    let Scene { cloud, ledger, target } = *scene;
    let began = Instant::now();
    let needs = needs(&target.plan, record);
    let whole = carried.whole_ledger;
    let ((claim, spoilt), rules) =
        tokio::try_join!(claim(ledger, record, whole), read_rules(cloud, target))?;
    let (groups, others, counts, alarms, pinned) = tokio::try_join!(
        groups(cloud, target, needs.refreshes, needs.scheduled),
        async {
            match needs.others {
                true => other_rules(cloud, target).await,
                false => Ok(Vec::new()),
            }
        },
        async {
            // A minute that has not ended counts nothing, and CloudWatch refuses an empty interval.
            let whole = |since: &Timestamp| cloud.now().duration_since(*since).as_secs() >= 60;
            let Some(since) = needs.counts_since.filter(whole) else {
                return Ok::<_, Blind>(BTreeMap::new());
            };
            let counts = cloud.counts(&target.metrics, since, cloud.now()).await?;
            let groups = target.metrics.iter().map(|(_, target_group)| target_group.clone());
            Ok(groups.zip(counts).collect())
        },
        async {
            if !needs.alarms {
                return Ok::<_, Blind>(Vec::new());
            }
            let names: Vec<&str> = target.plan.judge.alarms.iter().map(String::as_str).collect();
            let alarms = cloud.alarms(&names).await?;
            Ok(alarms.into_iter().map(|(name, state)| (name, AlarmState::parse(&state))).collect())
        },
        async {
            if !needs.proof {
                return Ok::<_, Blind>(None);
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
            Some(Proof { bracketed, pinned })
        }
    };
    let raw = rules.iter().map(|found| (found.rule.id.clone(), found.actions.clone())).collect();
    let seen = Seen {
        now: cloud.now(),
        claim,
        groups,
        rules: rules.into_iter().map(|found| found.rule).collect(),
        others,
        counts,
        alarms,
        refused: carried.refused,
        smoke: carried.smoke,
        proof,
    };
    Ok(Observed { seen, raw, spoilt, began })
}

/// Who holds the claim, and what another hand did to our record of it.
async fn claim(
    ledger: &Ledger,
    record: &Record,
    whole: bool,
) -> Result<(Claim, Option<&'static str>), Blind> {
    let Standing { mine, newer } = ledger.standing(record, whole).await?;
    let (newer, spoilt) = match mine {
        Mine::There => (newer, None),
        Mine::Gone => (newer, Some("the record of this run was deleted: it is written again")),
        Mine::Spoilt => {
            (newer, Some("the record of this run was overwritten: it is written again"))
        }
        // Two runs of one number: the one that came later has it.
        Mine::Taken(other) => {
            let taken = Newer { number: record.number + 1, record: Some(*other) };
            (newer.or(Some(taken)), Some("another run has claimed the number of this one"))
        }
    };
    let claim = Claim {
        highest: newer.as_ref().map_or(record.number, |newer| newer.number),
        successor: newer.map(|newer| match newer.record {
            Some(newer) => Successor {
                heartbeat: newer.heartbeat,
                acting: newer.is_finished() || newer.phase != Phase::TakeOver,
            },
            // Whatever it is, this version cannot tell what it does.
            None => Successor { heartbeat: Timestamp::MAX, acting: true },
        }),
    };
    Ok((claim, spoilt))
}

async fn read_rules(cloud: &Cloud, target: &Target) -> Result<Vec<RuleWithActions>, Blind> {
    let Shape::TwoGroups(pair) = &target.plan.shape else { return Ok(Vec::new()) };
    let ids: Vec<RuleId> = pair.rules.iter().chain(&pair.test_rule).cloned().collect();
    Ok(cloud.rules(&ids).await?)
}

/// The rules that name the pair and are none of the plan's.
async fn other_rules(cloud: &Cloud, target: &Target) -> Result<Vec<Rule>, Blind> {
    let Shape::TwoGroups(pair) = &target.plan.shape else { return Ok(Vec::new()) };
    let arns = Colour::BOTH.map(|colour| pair.sides[colour].target_group.as_str());
    let naming = match cloud.rules_naming(&arns).await {
        Ok(naming) => naming,
        // A target group that does not exist any more has no rules.
        Err(error) if error.class == Class::NotFound => return Ok(Vec::new()),
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
    cloud: &Cloud,
    target: &Target,
    refreshes: bool,
    scheduled: bool,
) -> Result<BTreeMap<String, GroupSeen>, Blind> {
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
                    true => cloud.refreshes(&group.name).await,
                    false => Ok(Vec::new()),
                }
            },
            async {
                match scheduled {
                    true => cloud.scheduled_actions(&group.name).await,
                    false => Ok(Vec::new()),
                }
            },
        )?;
        let name = group.name.clone();
        Ok::<_, Blind>((name, GroupSeen { group, targets, refreshes, scheduled }))
    });
    Ok(try_join_all(looks).await?.into_iter().collect())
}

async fn user_data_is_pinned(
    cloud: &Cloud,
    target: &Target,
    record: &Record,
) -> Result<bool, Blind> {
    let Some(version) = record.version else { return Ok(false) };
    // A version from before the ledger: which image it names is not known, and nothing was changed
    // about it.
    let Some(image) = &record.image else { return Ok(true) };
    let facts = match cloud.version(&target.plan.template, version).await {
        // The template itself is gone.
        Err(error) if error.class == Class::NotFound => None,
        answer => answer?,
    };
    let user_data = facts.as_ref().and_then(|facts| facts.user_data.bytes());
    Ok(user_data.is_some_and(|bytes| template::is_pinned(bytes, image)))
}
