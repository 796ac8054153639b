//! What a run is asked by: who, with what configuration, in which account.

use super::check::{Checked, check};
use super::run::Job;
use super::{Made, Stop, Target, Wanted, Wish};
use crate::cloud::Cloud;
use crate::config::Config;
use crate::model::{Ending, Event, Goal, ImageReference, Outcome, Stamped, Strategy};
use crate::net::Net;
use crate::preflight::Finding;
use crate::publish::{Logins, Reader};

/// Who runs, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Unique to this process.
    pub holder: String,
    /// The Actions run, if it is one.
    pub workflow: Option<WorkflowRun>,
    /// The commit that is deployed, for tags.
    pub commit: Option<String>,
    /// Deploy although a newer run has been promoted.
    pub force: bool,
    /// Who we are to registries other than AWS's.
    pub logins: Logins,
}

/// A run of a GitHub Actions workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowRun {
    /// Which workflow: its file, for example `acme/web/.github/workflows/deploy.yml`, or its name where
    /// the runner gives no more.
    pub workflow: String,
    /// The run's id, the same for every attempt.
    pub id: String,
    /// The run's number, which grows with every run of this workflow.
    pub number: u64,
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

/// How often the account is checked again because the ledger moved before the claim.
pub(super) const CHECKS: usize = 3;

pub(super) fn overtaken() -> Outcome {
    Outcome::new(Ending::Superseded, "other runs keep beginning and ending; nothing was changed")
        .hint("`cutover status` shows the newest; try again when it has ended")
}

impl Caller {
    /// Commit and run, as far as known; short, because a description holds 255 characters.
    fn origin(&self) -> String {
        let commit = self.commit.as_ref().and_then(|commit| commit.get(..7));
        let commit = commit.map(|commit| format!("commit {commit}"));
        let run = self.workflow.as_ref().map(|run| format!("run {}", run.id));
        commit.into_iter().chain(run).collect::<Vec<_>>().join(" ")
    }
}

impl Session<'_> {
    /// Reads and judges the account, telling what is found. `made` says that the image is to be pushed.
    ///
    /// # Errors
    /// Where that is not possible.
    pub async fn look(
        &self,
        image: Option<&ImageReference>,
        made: bool,
        tell: &mut dyn FnMut(Stamped),
    ) -> Result<Checked, Box<Outcome>> {
        let repositories = match image {
            Some(image) if !made => std::slice::from_ref(&image.repository),
            _ => &self.config.image.push,
        };
        let mut checked = check(self.cloud, self.config, repositories)
            .await
            .map_err(|error| Box::new(error.outcome()))?;
        if made {
            checked.ask_registries((self.net, self.cloud), self.config, &self.caller.logins).await;
        }
        checked.findings.iter().cloned().for_each(|finding| tell(self.found(finding)));
        Ok(checked)
    }

    /// A finding, as it is told.
    pub fn found(&self, finding: Finding) -> Stamped {
        Stamped { time: self.cloud.now(), event: Event::from(finding) }
    }

    /// Reads what images are put onto, as who runs.
    pub fn reader(&self) -> Reader<'_> {
        Reader { net: self.net, cloud: Some(self.cloud), logins: &self.caller.logins }
    }

    /// The same, with the plan.
    pub(super) async fn checked(
        &self,
        image: Option<&ImageReference>,
        made: bool,
        tell: &mut dyn FnMut(Stamped),
    ) -> Result<(Checked, Target), Box<Outcome>> {
        let checked = self.look(image, made, tell).await?;
        let target = checked
            .target(self.config)
            .map_err(|error| Box::new(Outcome::new(Ending::Refused, error.to_string())))?;
        Ok((checked, target))
    }

    /// What speaks against any rollout now, asked before an image is built; tells what is found only
    /// then.
    pub async fn before_building(&self, tell: &mut dyn FnMut(Stamped)) -> Option<Outcome> {
        let mut found = Vec::new();
        let obstacle = match self.checked(None, true, &mut |event| found.push(event)).await {
            Ok((checked, mut target)) => self.obstacle(&checked, &mut target).await,
            Err(outcome) => Some(*outcome),
        }?;
        found.into_iter().for_each(tell);
        Some(obstacle)
    }

    pub(super) fn wish(
        &self,
        wanted: Wanted,
        goal: Goal,
        strategy: Strategy,
        intent: String,
    ) -> Wish {
        Wish {
            wanted,
            goal,
            strategy,
            intent,
            holder: self.caller.holder.clone(),
            origin: self.caller.origin(),
            workflow: self.caller.workflow.clone(),
            commit: self.caller.commit.clone(),
            made_here: false,
        }
    }

    pub(super) fn job<'a>(&'a self, target: &'a Target, wish: Wish, made: Made) -> Job<'a> {
        Job {
            net: self.net,
            cloud: self.cloud,
            parcel: &self.config.image,
            logins: &self.caller.logins,
            target,
            wish,
            made,
            stop: self.stop.clone(),
        }
    }
}
