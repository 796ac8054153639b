//! Who runs a command, with which configuration, in which account.

use super::check::{CheckedAccount, check};
use crate::preflight::Finding;
use crate::publish::{Logins, Publication, Publisher, PushOptions, RegistryAccess};
use crate::runner::{Desired, Job, RolloutRequest, RolloutSpec, Stop, WorkflowRun};
use cutover_aws::Aws;
use cutover_config::Config;
use cutover_net::Net;
use cutover_rollout::model::{
    Event, Failure, Goal, ImageReference, Outcome, Status, Strategy, TimedEvent,
};

/// Who runs a command, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Identifies this process; unique.
    pub holder: String,
    /// The Actions run, if it is one.
    pub workflow: Option<WorkflowRun>,
    /// The commit that is deployed, for tags.
    pub commit: Option<String>,
    /// Whether to deploy although a newer run of the workflow is live or unfinished.
    pub force: bool,
    /// The logins for registries other than ECR.
    pub logins: Logins,
}

/// What every command that works with the account needs.
pub struct Planner<'a> {
    /// The network and the clock.
    pub net: &'a Net,
    /// The AWS account.
    pub cloud: &'a Aws,
    /// The configuration.
    pub config: &'a Config,
    /// Who runs the command.
    pub caller: Caller,
    /// How it is asked to stop.
    pub stop: Stop,
}

/// How often the account is checked if the ledger changes before the claim.
pub(super) const CHECK_ATTEMPTS: usize = 3;

pub(super) fn ledger_keeps_changing() -> Outcome {
    Outcome::new(Status::Superseded, "other runs keep starting and ending; nothing was changed")
        .hint("run `cutover status` to see the newest run, and try again when it has ended")
}

impl Caller {
    /// Returns the commit and the run, as far as known; short, because a version's description holds 255 characters.
    fn origin(&self) -> String {
        let commit = self.commit.as_ref().and_then(|commit| commit.get(..7));
        let commit = commit.map(|commit| format!("commit {commit}"));
        let run = self.workflow.as_ref().map(|run| format!("run {}", run.id));
        commit.into_iter().chain(run).collect::<Vec<_>>().join(" ")
    }
}

impl Planner<'_> {
    /// Reads and checks the account, and reports the findings. `made` says that the image is to be pushed.
    ///
    /// # Errors
    /// If the account or the ledger cannot be read.
    pub async fn check_account(
        &self,
        image: Option<&ImageReference>,
        made: bool,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Result<CheckedAccount, Failure> {
        let repositories = match image {
            Some(image) if !made => std::slice::from_ref(&image.repository),
            _ => &self.config.image.push,
        };
        let mut checked = check(self.cloud, self.config, repositories).await?;
        if made {
            checked.check_registries(self.registries(), self.config).await;
        }
        checked.findings.iter().cloned().for_each(|finding| emit(self.finding_event(finding)));
        Ok(checked)
    }

    /// Makes an event of a finding.
    pub fn finding_event(&self, finding: Finding) -> TimedEvent {
        TimedEvent { time: self.cloud.now(), event: Event::from(finding) }
    }

    /// Returns how the registries are reached, with the caller's logins.
    pub fn registries(&self) -> RegistryAccess<'_> {
        RegistryAccess { net: self.net, cloud: Some(self.cloud), logins: &self.caller.logins }
    }

    /// Returns the publisher to the repositories of `image.push`.
    pub(super) fn publisher<'a>(&'a self, options: &'a PushOptions) -> Publisher<'a> {
        let image = &self.config.image;
        Publisher {
            access: self.registries(),
            repositories: &image.push,
            create: image.ecr.create.as_ref(),
            scan: image.ecr.scan.as_ref(),
            options,
        }
    }

    /// Does the same as [`Planner::check_account`], and makes the plan.
    pub(super) async fn check_and_plan(
        &self,
        image: Option<&ImageReference>,
        made: bool,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Result<(CheckedAccount, RolloutSpec), Failure> {
        let checked = self.check_account(image, made, emit).await?;
        let target = checked.target(self.config);
        Ok((checked, target.map_err(|error| Failure::refused(error.to_string()))?))
    }

    /// Checks that nothing blocks a rollout, before an image is built. Findings are reported only if something does.
    ///
    /// # Errors
    /// If something blocks it.
    pub(super) async fn check_before_build(
        &self,
        emit: &mut dyn FnMut(TimedEvent),
    ) -> Result<(), Failure> {
        let mut found = Vec::new();
        let ready = match self.check_and_plan(None, true, &mut |event| found.push(event)).await {
            Ok((checked, mut target)) => self.may_build(&checked, &mut target).await,
            Err(failure) => Err(failure),
        };
        if ready.is_err() {
            found.into_iter().for_each(emit);
        }
        ready
    }

    pub(super) fn wish(
        &self,
        wanted: Desired,
        goal: Goal,
        strategy: Strategy,
        intent: String,
    ) -> RolloutRequest {
        RolloutRequest {
            wanted,
            goal,
            strategy,
            intent,
            holder: self.caller.holder.clone(),
            origin: self.caller.origin(),
            workflow: self.caller.workflow.clone(),
            commit: self.caller.commit.clone(),
            made_by_this_run: false,
        }
    }

    pub(super) fn job<'a>(
        &'a self,
        target: &'a RolloutSpec,
        wish: RolloutRequest,
        publication: Option<&'a Publication<'a>>,
    ) -> Job<'a> {
        Job { net: self.net, cloud: self.cloud, target, wish, publication, stop: self.stop.clone() }
    }
}
