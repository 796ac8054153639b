//! A deployment from configuration to outcome: preflight, then a run. And a rollback, which is a
//! deployment of the version before.

use std::time::Duration;

use super::claim::basis;
use super::observe::{Carried, Scene, observe};
use super::run::{Job, run};
use super::{Ledger, Stop, Target, Wanted, Wish, tags, target};
use crate::cloud::{Cloud, CloudError};
use crate::config::{self, Config};
use crate::image::Image;
use crate::model::{
    Ending, Event, FleetFacts, Goal, ImageReference, Outcome, Phase, Record, Stamped, Strategy,
};
use crate::net::Net;
use crate::preflight::{self, Facts, Finding, Severity};
use crate::rollout::{self, Shape, Step};

/// Who runs, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Unique to this process.
    pub holder: String,
    /// The Actions run, if it is one: its id (the same for every attempt) and its number.
    pub workflow: Option<(String, u64)>,
    /// The commit that is deployed, for tags.
    pub commit: Option<String>,
    /// Deploy although a newer run has been promoted.
    pub force: bool,
}

/// What both verbs need.
pub struct Session<'a> {
    /// The way out, and the time.
    pub net: &'a Net,
    /// The account.
    pub cloud: &'a Cloud,
    /// The configuration.
    pub config: &'a Config,
    /// Who runs.
    pub caller: Caller,
    /// How it is asked to stop.
    pub stop: Stop,
}

/// What was read and found before anything is changed.
pub struct Checked {
    /// The account's state.
    pub facts: Facts,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// The ledger, oldest first.
    pub records: Vec<Record>,
}

impl Checked {
    /// Whether a rollout may begin.
    pub fn passes(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity != Severity::Error)
    }

    /// The outcome of a deployment that may not begin; `None` where it may.
    fn refusal(&self) -> Option<Outcome> {
        let errors = self.findings.iter().filter(|f| f.severity == Severity::Error).count();
        let message = match errors {
            0 => return None,
            1 => "preflight found one error; nothing was changed".to_owned(),
            n => format!("preflight found {n} errors; nothing was changed"),
        };
        let hint = match self.unfinished() {
            None => "mend what is marked as an error, then `cutover verify` again",
            Some(_) => "`cutover rollback` takes the unfinished rollout back all the same",
        };
        Some(Outcome::new(Ending::Refused, message).hint(hint))
    }

    /// The rollout that did not finish, if there is one.
    pub fn unfinished(&self) -> Option<&Record> {
        self.records.last().filter(|record| !record.is_finished())
    }

    /// The plan of what a run would do.
    ///
    /// # Errors
    /// Where something that it names does not exist or fit.
    pub fn target(&self, config: &Config) -> Result<Target, target::Unresolved> {
        let from = self.unfinished().and_then(|record| match &record.fleet {
            FleetFacts::TwoGroups(facts) => Some(facts.from),
            FleetFacts::OneGroup(_) => None,
        });
        let mut target = target::resolve(config, &self.facts, from)?;
        target.origin.basis = basis(&self.records);
        Ok(target)
    }
}

/// Why checking was not possible.
#[derive(Debug, thiserror::Error)]
pub enum Unchecked {
    /// AWS did not answer.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] super::LedgerError),
}

/// Reads the account and judges it: `cutover verify`, and what `deploy` does first.
///
/// # Errors
/// Where AWS does not answer, or the ledger is not ours to read.
pub async fn check(
    cloud: &Cloud,
    config: &Config,
    image: Option<&ImageReference>,
) -> Result<Checked, Unchecked> {
    let records = Ledger::new(cloud, &config.service).records().await?;
    let unfinished = records.last().filter(|record| !record.is_finished());
    let doing = unfinished.map(|r| format!("run {} in phase `{}`", r.number, r.phase.name()));
    let repository = image.map(|image| &image.repository);
    let facts = preflight::gather(cloud, config, repository, doing).await?;
    let findings = preflight::findings(config, &facts);
    Ok(Checked { facts, findings, records })
}

/// How often the account is checked again because the ledger moved before the claim.
const CHECKS: usize = 3;

/// The way to versions that the ledger does not lead to.
const EARLIER: &str = "`cutover deploy --image repository@sha256:…` ships an earlier image";

fn overtaken() -> Outcome {
    Outcome::new(Ending::Superseded, "other runs keep beginning and ending; nothing was changed")
        .hint("`cutover status` shows the newest; try again when it has ended")
}

impl Caller {
    /// Commit and run, as far as known; short, because a description holds 255 characters.
    fn origin(&self) -> String {
        let commit = self.commit.as_ref().and_then(|commit| commit.get(..7));
        let commit = commit.map(|commit| format!("commit {commit}"));
        let run = self.workflow.as_ref().map(|(id, _)| format!("run {id}"));
        commit.into_iter().chain(run).collect::<Vec<_>>().join(" ")
    }
}

impl Session<'_> {
    /// Ships an image: `made` is pushed first, without it the registry must have it.
    pub async fn deploy(
        &self,
        image: ImageReference,
        made: Option<Image>,
        tell: &mut dyn FnMut(Stamped),
    ) -> Outcome {
        for _ in 0..CHECKS {
            if let Some(outcome) = self.deploy_once(&image, made.clone(), tell).await {
                return outcome;
            }
        }
        overtaken()
    }

    /// One try; `None` where another run ended or began between the check and the claim.
    async fn deploy_once(
        &self,
        image: &ImageReference,
        made: Option<Image>,
        tell: &mut dyn FnMut(Stamped),
    ) -> Option<Outcome> {
        let about = |mut outcome: Outcome| {
            outcome.image = Some(image.clone());
            outcome.strategy = Some(self.config.strategy);
            outcome
        };
        let (checked, mut target) = match self.checked(Some(image), tell).await {
            Ok(checked) => checked,
            Err(outcome) => return Some(about(*outcome)),
        };
        let intent = match &self.caller.workflow {
            Some((id, _)) => format!("run:{id}:{}", image.digest.short()),
            None => format!("hand:{:.16}:{}", config::hash(self.config), image.digest.short()),
        };
        // What this very rollout left unfinished is finished whatever else is found by now.
        let resumes =
            checked.unfinished().is_some_and(|r| r.intent == intent && r.version.is_some());
        if !resumes && let Some(refusal) = checked.refusal() {
            return Some(about(refusal));
        }
        match tags::expand(&self.config.image.tags, &self.caller) {
            Ok(tags) => target.tags = tags,
            Err(message) => return Some(about(Outcome::new(Ending::Refused, message))),
        }
        if let Some(refusal) = self.refusal(&checked, &target, image, made.is_some()).await {
            return Some(about(refusal));
        }
        if checked.unfinished().is_none()
            && let Some(outcome) = self.already_live(&target, image).await
        {
            return Some(about(outcome));
        }
        let wish =
            self.wish(Wanted::Image(image.clone()), Goal::Deploy, self.config.strategy, intent);
        let outcome = run(self.job(&target, wish, made), tell).await?;
        Some(if outcome.image.is_some() { outcome } else { about(outcome) })
    }

    /// Takes traffic back to the previous version: an unfinished rollout is undone, a finished one
    /// is followed by one to the version before it. Findings are told and refuse nothing: the way
    /// back has gates of its own.
    pub async fn rollback(&self, tell: &mut dyn FnMut(Stamped)) -> Outcome {
        for _ in 0..CHECKS {
            if let Some(outcome) = self.rollback_once(tell).await {
                return outcome;
            }
        }
        overtaken()
    }

    /// One try; `None` where another run ended or began between the check and the claim.
    async fn rollback_once(&self, tell: &mut dyn FnMut(Stamped)) -> Option<Outcome> {
        let (checked, mut target) = match self.checked(None, tell).await {
            Ok(checked) => checked,
            Err(outcome) => return Some(*outcome),
        };
        let resumed =
            checked.unfinished().filter(|r| r.goal == Goal::Rollback && r.version.is_some());
        if checked.unfinished().is_some() && resumed.is_none() {
            let wish = self.wish(Wanted::Back, Goal::Undo, self.config.strategy, "back".to_owned());
            return run(self.job(&target, wish, None), tell).await;
        }
        let promoted = checked.records.iter().rev().find(|r| r.ending == Some(Ending::Succeeded));
        let (version, number) = match (resumed, promoted) {
            (Some(record), _) => (record.version.unwrap_or(record.previous), record.number),
            (None, Some(record)) => (record.previous, record.number),
            (None, None) => {
                let nothing = "the ledger has no rollout to go back from";
                return Some(Outcome::new(Ending::Refused, nothing).hint(EARLIER));
            }
        };
        if resumed.is_none() && target.origin.previous == version {
            let message = format!(
                "version {version}, which was live before the last rollout, is live already"
            );
            return Some(Outcome::new(Ending::Refused, message).hint(EARLIER));
        }
        match &mut target.plan.shape {
            Shape::TwoGroups(pair) => {
                pair.steps = vec![Step { percent: 100, bake: Duration::ZERO }];
            }
            Shape::OneGroup(group) => {
                group.preferences.checkpoints.clear();
                group.preferences.checkpoint_delay = Duration::ZERO;
                group.preferences.bake = Duration::ZERO;
            }
        }
        // Going back is not a question of evidence.
        target.plan.judge = Default::default();
        let named = |r: &&Record| r.version == Some(version) && r.image.is_some();
        let image = checked.records.iter().rev().find(named).and_then(|r| r.image.clone());
        let strategy = match self.config.strategy {
            Strategy::Rolling => Strategy::Rolling,
            Strategy::BlueGreen | Strategy::Canary | Strategy::Linear => Strategy::BlueGreen,
        };
        let intent = resumed.map_or_else(|| format!("rollback:{number}"), |r| r.intent.clone());
        let wish = self.wish(Wanted::Version { version, image }, Goal::Rollback, strategy, intent);
        run(self.job(&target, wish, None), tell).await
    }

    async fn checked(
        &self,
        image: Option<&ImageReference>,
        tell: &mut dyn FnMut(Stamped),
    ) -> Result<(Checked, Target), Box<Outcome>> {
        let failed = |error: String| Box::new(Outcome::new(Ending::Failed, error));
        let checked = check(self.cloud, self.config, image)
            .await
            .map_err(|error| failed(error.to_string()))?;
        for finding in &checked.findings {
            tell(Stamped { time: self.cloud.now(), event: Event::from(finding.clone()) });
        }
        let target = checked
            .target(self.config)
            .map_err(|error| Box::new(Outcome::new(Ending::Refused, error.to_string())))?;
        Ok((checked, target))
    }

    /// Why this image must not be shipped, if it must not; nothing has been changed yet.
    async fn refusal(
        &self,
        checked: &Checked,
        target: &Target,
        image: &ImageReference,
        made: bool,
    ) -> Option<Outcome> {
        let refused =
            |message: String, hint: &str| Some(Outcome::new(Ending::Refused, message).hint(hint));
        let newer = checked.records.iter().rev().find(|r| r.ending == Some(Ending::Succeeded));
        if let (Some((_, own)), Some(newest)) =
            (&self.caller.workflow, newer.and_then(|r| r.run_number))
            && *own < newest
            && !self.caller.force
        {
            let message = format!("workflow run {own} is older than run {newest}, which is live");
            return refused(message, "`--force` ships it all the same");
        }
        if !made && image.repository.registry().contains(".dkr.ecr.") {
            match self.cloud.image_exists(image.repository.path(), &image.digest).await {
                Ok(true) => {}
                Ok(false) => {
                    return refused(
                        format!("{image} is not in the registry"),
                        "push it first, or check the digest",
                    );
                }
                Err(error) => return refused(error.to_string(), "nothing was changed"),
            }
        }
        let live = self.cloud.version(&target.plan.template, target.origin.previous).await;
        let live = match live {
            Ok(live) => live,
            Err(error) => return refused(error.to_string(), "nothing was changed"),
        };
        if let Err(error) = target::pin(&target.user_data, live.as_ref(), image) {
            return refused(error.to_string(), "nothing was changed");
        }
        let launched = live.as_ref().and_then(|live| live.user_data.bytes()).unwrap_or_default();
        let tag = tags::live(&target.tags, &image.repository, launched)?;
        let message = format!("the live template launches the tag `{tag}`, which this would move");
        refused(message, "use another tag: instances must launch by digest")
    }

    /// The outcome where this very image is live: nothing is made, but success is still read.
    async fn already_live(&self, target: &Target, image: &ImageReference) -> Option<Outcome> {
        let version = target.origin.previous;
        let facts = self.cloud.version(&target.plan.template, version).await.ok()??;
        if !facts.user_data.bytes().is_some_and(|data| crate::template::is_pinned(data, image)) {
            return None;
        }
        let wish = self.wish(
            Wanted::Image(image.clone()),
            Goal::Deploy,
            self.config.strategy,
            String::new(),
        );
        let ledger = Ledger::new(self.cloud, &self.config.service);
        let newest = ledger.records().await.ok()?.last().map_or(0, |record| record.number);
        let mut record = super::claim::fresh(newest, &wish, &target.origin, self.cloud.now());
        record.phase = Phase::Verify;
        record.version = Some(version);
        record.image = Some(image.clone());
        if let FleetFacts::TwoGroups(facts) = &mut record.fleet {
            facts.from = facts.from.other();
        }
        let scene = Scene { cloud: self.cloud, ledger: &ledger, target };
        let seen = observe(&scene, &record, Carried::default()).await;
        let unproven = match seen {
            Ok(observed) => rollout::unproven(&target.plan, &record, &observed.seen),
            Err(error) => Some(error.to_string()),
        };
        let mut outcome = match unproven {
            None => Outcome::new(
                Ending::Succeeded,
                format!("this image is live already, as version {version}: nothing to do"),
            ),
            Some(why) => Outcome::new(
                Ending::Failed,
                format!("this image is live already, as version {version}, but that is not proven: {why}"),
            )
            .hint("nothing was changed; `cutover status` shows the fleet"),
        };
        outcome.proof = (outcome.outcome == Ending::Succeeded).then_some("launched");
        outcome.launch_template_version = Some(version);
        outcome.previous_version = Some(version);
        outcome.weights = target.weights;
        Some(outcome)
    }

    fn wish(&self, wanted: Wanted, goal: Goal, strategy: Strategy, intent: String) -> Wish {
        Wish {
            wanted,
            goal,
            strategy,
            intent,
            holder: self.caller.holder.clone(),
            origin: self.caller.origin(),
            run_number: self.caller.workflow.as_ref().map(|(_, number)| *number),
        }
    }

    fn job<'a>(&'a self, target: &'a Target, wish: Wish, image: Option<Image>) -> Job<'a> {
        let stop = self.stop.clone();
        Job { net: self.net, cloud: self.cloud, target, wish, image, stop }
    }
}
