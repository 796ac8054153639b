//! What a run leaves in a GitHub Actions step, besides its log: outputs, job summary, the state of the
//! GitHub deployment, a comment on the pull request.

use std::io::{self, Write as _, stdout};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::Format;
use super::environment::variable;
use super::runner;
use super::settings::Settings;
use crate::engine::Stop;
use crate::github::{GitHub, Job, Update, follow};
use crate::model::{Ending, Event, Outcome, Stamped};
use crate::net::Net;
use crate::report::actions::{self, Annotation, Level, Links, Story};

/// How long GitHub has for the last status and the comment: the rollout is over by then.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same in a job that is being cancelled: SIGTERM comes 7.5 s after SIGINT.
const HURRY: Duration = Duration::from_secs(2);

/// A step, while its run goes on.
pub(super) struct Step {
    story: Story,
    links: Links,
    goal: Ending,
    github: Option<GitHub>,
    comment: bool,
    updates: Option<UnboundedSender<Update>>,
    following: Option<JoinHandle<Option<String>>>,
}

impl Step {
    /// A step of `format`; `None` where that isn't a step's. A rollout is given the way to GitHub and is
    /// followed there. `goal` is how a run ends that does what was asked for.
    pub(super) fn begin(
        format: Format,
        goal: Ending,
        start: Timestamp,
        net: Option<&Net>,
    ) -> Option<Step> {
        if format != Format::Actions {
            return None;
        }
        let mut step = Step {
            story: Story::new(start),
            links: links(),
            goal,
            github: None,
            comment: false,
            updates: None,
            following: None,
        };
        if let Some(net) = net {
            step.reach_github(net);
        }
        Some(step)
    }

    fn reach_github(&mut self, net: &Net) {
        let settings = Settings::read(&variable);
        let Some((token, job)) = variable("GITHUB_TOKEN").zip(job(&settings)) else {
            if settings.comment {
                self.story.leave_out("comment: there is no `github-token`");
            }
            return;
        };
        let api = variable("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned());
        match GitHub::new(net, &api, &token, job) {
            Ok(github) => {
                let (sender, receiver) = unbounded_channel();
                self.following = Some(tokio::spawn(follow(github.clone(), receiver)));
                self.updates = Some(sender);
                self.comment = settings.comment;
                self.github = Some(github);
            }
            Err(error) => self.story.leave_out(format!("GitHub deployment: {error}")),
        }
    }

    /// Takes an event.
    pub(super) fn note(&mut self, event: &Stamped) {
        self.story.note(event);
        if let Some((updates, update)) =
            self.updates.as_ref().zip(Update::of(&event.event, self.goal))
        {
            // Where nobody follows any more, a permission is missing, which is said at the end.
            let _ = updates.send(update);
        }
    }

    /// Waits for GitHub, but not for long, and writes what the runner reads. Where stopping was asked for,
    /// that comes first: the process may be ended at any moment.
    pub(super) async fn finish(mut self, stop: &Stop) {
        let is_hurried = stop.asked();
        if is_hurried {
            self.write();
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
            () = patience => self.story.leave_out("GitHub: no answer in time"),
        }
        for what in self.story.left_out() {
            say(&format!("left out: {}", actions::plain(what)));
        }
        if !is_hurried {
            self.write();
        }
    }

    async fn update_github(&mut self) {
        if let Some(following) = self.following.take()
            && let Ok(Some(left_out)) = following.await
        {
            self.story.leave_out(left_out);
        }
        let Some(github) = self.github.as_ref().filter(|_| self.comment) else { return };
        let text = actions::short(&self.story, &self.links);
        match github.comment(self.story.service().unwrap_or_default(), &text).await {
            Ok(true) => {}
            Ok(false) => self.story.leave_out("comment: the commit is of no pull request"),
            Err(error) => self.story.leave_out(format!("comment: {error}")),
        }
    }

    /// Outputs, state and summary.
    pub(super) fn write(&self) {
        let ending = self.story.outcome().map(|outcome| outcome.outcome.name());
        let written = runner::set_outputs(&actions::outputs(&self.story))
            .and_then(|()| runner::summarize(&actions::summary(&self.story, &self.links)))
            .and_then(|()| ending.map_or(Ok(()), |ending| runner::save_state("outcome", ending)));
        if let Err(error) = written {
            say(&unwritten(&error).to_string());
        }
    }
}

/// A run that ended before anything could begin: its annotation, and what else the runner reads.
pub(super) fn refuse(outcome: Outcome) {
    let now = Timestamp::now();
    say(&actions::ending(&outcome, Ending::Succeeded).to_string());
    let Some(mut step) = Step::begin(Format::Actions, Ending::Succeeded, now, None) else { return };
    step.note(&Stamped { time: now, event: Event::Outcome(Box::new(outcome)) });
    step.write();
}

/// What a command prints instead of events, in the log and in the job summary.
pub(super) fn print(text: &str) {
    say(actions::plain(text).trim_end());
    let now = Timestamp::now();
    let Some(mut step) = Step::begin(Format::Actions, Ending::Succeeded, now, None) else { return };
    step.story.print(text);
    let outcome = Box::new(Outcome::new(Ending::Succeeded, "nothing was changed"));
    step.note(&Stamped { time: now, event: Event::Outcome(outcome) });
    step.write();
}

fn unwritten(error: &io::Error) -> Annotation {
    Annotation {
        level: Level::Warning,
        title: "cutover: outputs".to_owned(),
        message: format!("the runner's file could not be written: {error}"),
        place: None,
    }
}

/// A line of the log.
fn say(line: &str) {
    // Nobody is left to read it where standard output is closed.
    let _ = writeln!(stdout(), "{line}");
}

fn links() -> Links {
    let server = variable("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".to_owned());
    let repository = variable("GITHUB_REPOSITORY").map(|name| format!("{server}/{name}"));
    let run = repository.as_ref().zip(variable("GITHUB_RUN_ID"));
    let run = run.map(|(repository, id)| format!("{repository}/actions/runs/{id}"));
    Links { repository, run }
}

/// The job that runs; `None` outside of one.
fn job(settings: &Settings) -> Option<Job> {
    Some(Job {
        repository: variable("GITHUB_REPOSITORY")?,
        commit: variable("GITHUB_SHA")?,
        run: variable("GITHUB_RUN_ID")?,
        run_url: links().run?,
        environment: settings.environment.clone(),
        environment_url: settings.environment_url.clone(),
        pull_request: pull_request(),
    })
}

/// The number of the pull request that started the run.
fn pull_request() -> Option<u64> {
    let event = std::fs::read(variable("GITHUB_EVENT_PATH")?).ok()?;
    let event: serde_json::Value = serde_json::from_slice(&event).ok()?;
    event["pull_request"]["number"].as_u64()
}
