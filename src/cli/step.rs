//! The results of a GitHub Actions step besides its log: outputs, job summary, the status of the GitHub
//! deployment, a comment on the pull request.

use std::io::{self, Write as _, stdout};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::Format;
use super::environment::variable;
use super::runner_files;
use super::step_settings::{self, StepSettings};
use crate::github::{GitHub, Job, Update, report_progress};
use crate::report::actions::{self, Annotation, Level, Links, RunHistory};
use crate::runner::Stop;
use cutover_net::Net;
use cutover_rollout::model::{Event, Outcome, Status, TimedEvent};

/// The time limit for the last status and the comment; by then the rollout is over.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same limit in a job that is being canceled: SIGTERM comes 7.5 s after SIGINT.
const HURRY: Duration = Duration::from_secs(2);

/// A rollout that the job's deployment on GitHub follows.
#[derive(Clone, Copy)]
pub(super) struct TrackedRollout<'a> {
    pub net: &'a Net,
    pub service: &'a str,
    /// The outcome by which the deployment succeeds. The rollback of a canceled deployment never makes it succeed.
    pub goal: Status,
}

/// A step whose command is running.
pub(super) struct Step {
    history: RunHistory,
    links: Links,
    /// The outcome by which the deployment on GitHub succeeds.
    goal: Status,
    github: Option<GitHub>,
    comment: bool,
    updates: Option<UnboundedSender<Update>>,
    following: Option<JoinHandle<Option<String>>>,
}

impl Step {
    /// Begins a step; `None` if the format is not [`Format::Actions`]. `goal` is the outcome that counts as
    /// success. With a rollout, the GitHub deployment follows it.
    pub(super) fn begin(
        format: Format,
        goal: Status,
        start: Timestamp,
        rollout: Option<TrackedRollout<'_>>,
    ) -> Option<Step> {
        if format != Format::Actions {
            return None;
        }
        let mut step = Step::new(goal, start);
        if let Some(rollout) = rollout {
            step.goal = rollout.goal;
            step.connect_github(rollout.net, rollout.service);
        }
        Some(step)
    }

    fn new(goal: Status, start: Timestamp) -> Step {
        Step {
            history: RunHistory::new(start, goal),
            links: links(),
            goal,
            github: None,
            comment: false,
            updates: None,
            following: None,
        }
    }

    fn connect_github(&mut self, net: &Net, service: &str) {
        let settings = StepSettings::read(&variable);
        let Some((token, job)) = variable("GITHUB_TOKEN").zip(job(&settings, service, &self.links))
        else {
            if settings.comment {
                self.history.skip("comment: the input `github-token` is empty");
            }
            return;
        };
        let api = variable("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned());
        match GitHub::new(net, &api, &token, job) {
            Ok(github) => {
                let (sender, receiver) = unbounded_channel();
                self.following = Some(tokio::spawn(report_progress(github.clone(), receiver)));
                self.updates = Some(sender);
                self.comment = settings.comment;
                self.github = Some(github);
            }
            Err(error) => self.history.skip(format!("GitHub deployment: {error}")),
        }
    }

    /// Records an event, and forwards it to the GitHub deployment.
    pub(super) fn note(&mut self, event: &TimedEvent) {
        self.history.note(event);
        if let Some((updates, update)) =
            self.updates.as_ref().zip(Update::of(&event.event, self.goal))
        {
            // Fails only if the follower has ended for lack of a permission, which is reported at the end.
            let _ = updates.send(update);
        }
    }

    /// Writes outputs, state and summary, and waits a limited time for GitHub. Outputs and state come first,
    /// because the process may be killed at any moment. The summary lists what was skipped on GitHub, so it comes
    /// last, unless a stop was requested.
    pub(super) async fn finish(mut self, stop: &Stop) {
        let is_hurried = stop.is_requested();
        self.write_values();
        if is_hurried {
            self.write_summary();
        }
        drop(self.updates.take());
        let patience = async {
            tokio::select! {
                () = tokio::time::sleep(PATIENCE) => {}
                () = async { stop.wait().await; tokio::time::sleep(HURRY).await } => {}
            }
        };
        tokio::select! {
            biased;
            () = Step::update_github(&mut self) => {}
            () = patience => self.history.skip("GitHub did not respond in time"),
        }
        for what in self.history.skipped() {
            print_line(&format!("skipped: {}", actions::sanitize(what)));
        }
        if !is_hurried {
            self.write_summary();
        }
    }

    async fn update_github(&mut self) {
        if let Some(following) = self.following.take() {
            match following.await {
                Ok(None) => {}
                Ok(Some(missing)) => self.history.skip(missing),
                Err(_) => self.history.skip("GitHub deployment: internal error in cutover"),
            }
        }
        let Some(github) = self.github.as_ref().filter(|_| self.comment) else { return };
        let text = actions::short_summary(&self.history, &self.links);
        match github.comment(&text).await {
            Ok(true) => {}
            Ok(false) => self.history.skip("comment: no pull request contains this commit"),
            Err(error) => self.history.skip(format!("comment: {error}")),
        }
    }

    /// Writes outputs and state.
    fn write_values(&self) {
        let ending = self.history.outcome().map(|outcome| outcome.outcome.name());
        let state = || ending.map_or(Ok(()), |ending| runner_files::save_state("outcome", ending));
        warn(runner_files::set_outputs(&actions::outputs(&self.history)).and_then(|()| state()));
    }

    fn write_summary(&self) {
        warn(runner_files::summarize(&actions::summary(&self.history, &self.links)));
    }
}

/// Reports an error that prevented a command from starting: as an annotation, outputs and job summary.
pub(super) fn refuse(outcome: Outcome) {
    end(Timestamp::now(), None, Some(outcome));
}

/// Prints the result of a command that has no events, and its refusal, if there is one, in the log and in the job
/// summary. Returns the exit code.
pub(super) fn result(start: Timestamp, text: &str, refusal: Option<Outcome>) -> u8 {
    print_line(actions::sanitize(text).trim_end());
    end(start, Some(text), refusal)
}

/// Writes the outputs and the job summary of a command that has no events. Returns the exit code.
fn end(start: Timestamp, printed: Option<&str>, refusal: Option<Outcome>) -> u8 {
    let refusal = refusal.map(|refusal| step_settings::reword_for_inputs(refusal, &variable));
    if let Some(refusal) = &refusal {
        print_line(&actions::outcome_annotation(refusal, Status::Succeeded).to_string());
    }
    let outcome = refusal.unwrap_or_else(|| Outcome::new(Status::Succeeded, "nothing was changed"));
    let code = outcome.outcome.exit_code();
    let mut step = Step::new(Status::Succeeded, start);
    if let Some(text) = printed {
        step.history.print(text);
    }
    step.note(&TimedEvent { time: Timestamp::now(), event: Event::Outcome(Box::new(outcome)) });
    step.write_values();
    step.write_summary();
    code
}

fn warn(written: io::Result<()>) {
    if let Err(error) = written {
        let annotation = Annotation {
            level: Level::Warning,
            title: "cutover: outputs".to_owned(),
            message: format!("cannot write the runner's file: {error}"),
            place: None,
        };
        print_line(&annotation.to_string());
    }
}

/// Prints a line of the log.
fn print_line(line: &str) {
    // If standard output is closed, nobody reads it.
    let _ = writeln!(stdout(), "{line}");
}

fn links() -> Links {
    let server = variable("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".to_owned());
    let repository = variable("GITHUB_REPOSITORY").map(|name| format!("{server}/{name}"));
    let run = repository.as_ref().zip(variable("GITHUB_RUN_ID"));
    let run = run.map(|(repository, id)| format!("{repository}/actions/runs/{id}"));
    Links { repository, run }
}

/// Returns the current job; `None` outside of one.
fn job(settings: &StepSettings, service: &str, links: &Links) -> Option<Job> {
    Some(Job {
        repository: variable("GITHUB_REPOSITORY")?,
        commit: variable("GITHUB_SHA")?,
        run: variable("GITHUB_RUN_ID")?,
        run_url: links.run.clone()?,
        id: settings.job_id.clone(),
        service: service.to_owned(),
        environment: settings.environment.clone(),
        environment_url: settings.environment_url.clone(),
        // Needed for the comment only.
        pull_request: if settings.comment { pull_request() } else { None },
    })
}

/// Returns the number of the pull request that started the workflow run.
fn pull_request() -> Option<u64> {
    let event = std::fs::read(variable("GITHUB_EVENT_PATH")?).ok()?;
    let event: serde_json::Value = serde_json::from_slice(&event).ok()?;
    event["pull_request"]["number"].as_u64()
}
