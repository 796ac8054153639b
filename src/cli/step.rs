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
use super::settings::{self, Settings};
use crate::engine::Stop;
use crate::github::{GitHub, Job, Update, follow};
use crate::model::{Ending, Event, Outcome, Stamped};
use crate::net::Net;
use crate::report::actions::{self, Annotation, Level, Links, Story};

/// The time limit for the last status and the comment; by then the rollout is over.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same in a job that is being canceled: SIGTERM comes 7.5 s after SIGINT.
const HURRY: Duration = Duration::from_secs(2);

/// A rollout that the job's deployment on GitHub follows.
#[derive(Clone, Copy)]
pub(super) struct Followed<'a> {
    pub net: &'a Net,
    pub service: &'a str,
    /// The outcome by which the deployment succeeds: after a canceled one, a rollback is none.
    pub goal: Ending,
}

/// A step, while its run goes on.
pub(super) struct Step {
    story: Story,
    links: Links,
    /// The outcome by which the deployment on GitHub succeeds.
    goal: Ending,
    github: Option<GitHub>,
    comment: bool,
    updates: Option<UnboundedSender<Update>>,
    following: Option<JoinHandle<Option<String>>>,
}

impl Step {
    /// A step of `format`; `None` where that isn't a step's. A rollout of a service is followed on GitHub, to
    /// which it brings the way. `goal` is the outcome that counts as success.
    pub(super) fn begin(
        format: Format,
        goal: Ending,
        start: Timestamp,
        rollout: Option<Followed<'_>>,
    ) -> Option<Step> {
        if format != Format::Actions {
            return None;
        }
        let mut step = Step::new(goal, start);
        if let Some(rollout) = rollout {
            step.goal = rollout.goal;
            step.reach_github(rollout.net, rollout.service);
        }
        Some(step)
    }

    fn new(goal: Ending, start: Timestamp) -> Step {
        Step {
            story: Story::new(start, goal),
            links: links(),
            goal,
            github: None,
            comment: false,
            updates: None,
            following: None,
        }
    }

    fn reach_github(&mut self, net: &Net, service: &str) {
        let settings = Settings::read(&variable);
        let Some((token, job)) = variable("GITHUB_TOKEN").zip(job(&settings, service, &self.links))
        else {
            if settings.comment {
                self.story.skip("comment: there is no `github-token`");
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
            Err(error) => self.story.skip(format!("GitHub deployment: {error}")),
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

    /// Writes what the runner reads, and waits for GitHub, but not for long. Outputs and state come first: the
    /// process may be ended at any moment. The summary says what GitHub did not do, so it comes last, unless
    /// stopping was asked for.
    pub(super) async fn finish(mut self, stop: &Stop) {
        let is_hurried = stop.asked();
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
            () = patience => self.story.skip("GitHub: no answer in time"),
        }
        for what in self.story.skipped() {
            say(&format!("skipped: {}", actions::plain(what)));
        }
        if !is_hurried {
            self.write_summary();
        }
    }

    async fn update_github(&mut self) {
        if let Some(following) = self.following.take() {
            match following.await {
                Ok(None) => {}
                Ok(Some(missing)) => self.story.skip(missing),
                Err(_) => self.story.skip("GitHub deployment: an internal error of cutover"),
            }
        }
        let Some(github) = self.github.as_ref().filter(|_| self.comment) else { return };
        let text = actions::short(&self.story, &self.links);
        match github.comment(&text).await {
            Ok(true) => {}
            Ok(false) => self.story.skip("comment: no pull request contains this commit"),
            Err(error) => self.story.skip(format!("comment: {error}")),
        }
    }

    /// Outputs and state.
    fn write_values(&self) {
        let ending = self.story.outcome().map(|outcome| outcome.outcome.name());
        let state = || ending.map_or(Ok(()), |ending| runner::save_state("outcome", ending));
        warn(runner::set_outputs(&actions::outputs(&self.story)).and_then(|()| state()));
    }

    fn write_summary(&self) {
        warn(runner::summarize(&actions::summary(&self.story, &self.links)));
    }
}

/// A run that ended before anything could begin: its annotation, and what else the runner reads.
pub(super) fn refuse(outcome: Outcome) {
    end(Timestamp::now(), None, Some(outcome));
}

/// What a command prints instead of events, and why it is refused all the same, if it is: in the log and in
/// the job summary. Gives the exit code.
pub(super) fn result(start: Timestamp, text: &str, refusal: Option<Outcome>) -> u8 {
    say(actions::plain(text).trim_end());
    end(start, Some(text), refusal)
}

/// Leaves what the runner reads of a command without events. Gives the exit code.
fn end(start: Timestamp, printed: Option<&str>, refusal: Option<Outcome>) -> u8 {
    let refusal = refusal.map(|refusal| settings::in_words_of_inputs(refusal, &variable));
    if let Some(refusal) = &refusal {
        say(&actions::ending(refusal, Ending::Succeeded).to_string());
    }
    let outcome = refusal.unwrap_or_else(|| Outcome::new(Ending::Succeeded, "nothing was changed"));
    let code = outcome.outcome.exit_code();
    let mut step = Step::new(Ending::Succeeded, start);
    if let Some(text) = printed {
        step.story.print(text);
    }
    step.note(&Stamped { time: Timestamp::now(), event: Event::Outcome(Box::new(outcome)) });
    step.write_values();
    step.write_summary();
    code
}

fn warn(written: io::Result<()>) {
    if let Err(error) = written {
        let annotation = Annotation {
            level: Level::Warning,
            title: "cutover: outputs".to_owned(),
            message: format!("the runner's file could not be written: {error}"),
            place: None,
        };
        say(&annotation.to_string());
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
fn job(settings: &Settings, service: &str, links: &Links) -> Option<Job> {
    Some(Job {
        repository: variable("GITHUB_REPOSITORY")?,
        commit: variable("GITHUB_SHA")?,
        run: variable("GITHUB_RUN_ID")?,
        run_url: links.run.clone()?,
        id: settings.job_id.clone(),
        service: service.to_owned(),
        environment: settings.environment.clone(),
        environment_url: settings.environment_url.clone(),
        // Only a comment needs it.
        pull_request: if settings.comment { pull_request() } else { None },
    })
}

/// The number of the pull request that started the run.
fn pull_request() -> Option<u64> {
    let event = std::fs::read(variable("GITHUB_EVENT_PATH")?).ok()?;
    let event: serde_json::Value = serde_json::from_slice(&event).ok()?;
    event["pull_request"]["number"].as_u64()
}
