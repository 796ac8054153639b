//! One run of a trial.

use std::collections::BTreeSet;

use cutover_lab::world::World;

use crate::rehearse::testcase::{EventFilter, RunReport, TestCase, TestCommand};
use cutover_aws::Settings;
use cutover_rollout::model::{Event, Status};

/// A run in the world that the previous one left.
pub(super) struct TrialRun {
    /// What it shows.
    pub name: &'static str,
    /// How the world is changed first.
    pub arrange: fn(&mut World),
    /// The command that is run.
    pub verb: TestCommand,
    /// The event at which the run dies, if it does.
    pub dies: Option<fn(&Event) -> bool>,
    /// Its outcome, unless it dies.
    pub ends: Option<Status>,
    /// What it must report.
    pub says: Option<&'static str>,
}

/// What a run did.
pub(super) struct RunResult {
    pub reported: RunReport,
    /// The actions that its role's policy allowed.
    pub allowed: BTreeSet<String>,
    /// The actions that it denied.
    pub denied: BTreeSet<String>,
}

impl TrialRun {
    pub(super) fn new(name: &'static str, verb: TestCommand, ends: Status) -> TrialRun {
        TrialRun { name, arrange: |_| (), verb, dies: None, ends: Some(ends), says: None }
    }

    pub(super) fn after(self, arrange: fn(&mut World)) -> TrialRun {
        TrialRun { arrange, ..self }
    }

    pub(super) fn says(self, words: &'static str) -> TrialRun {
        TrialRun { says: Some(words), ..self }
    }

    pub(super) fn dies(self, moment: fn(&Event) -> bool) -> TrialRun {
        TrialRun { dies: Some(moment), ends: None, ..self }
    }

    /// Runs in `world`; returns what the run did and the world after it.
    pub(super) async fn run(
        &self,
        config: &str,
        identity: Settings,
        world: World,
    ) -> (RunResult, World) {
        let mut case = TestCase::in_world(config, world).with_identity(identity);
        let reported = match self.dies {
            None => case.run(self.verb).await,
            Some(moment) => {
                let moment: EventFilter = Box::new(moment);
                case.run_until_event(self.verb, moment).await
            }
        };
        let after = case.lab.world(|world| world.clone());
        let judged = after.iam.checked_actions.clone();
        (RunResult { reported, allowed: judged.allowed, denied: judged.denied }, after)
    }
}

impl RunResult {
    /// Returns what a person sees of the run, without anything that depends on latency.
    pub(super) fn visible_result(&self) -> (Option<Status>, Option<String>, BTreeSet<String>) {
        let notices = self.reported.events.iter().filter_map(|reported| match &reported.event {
            Event::Notice { message } => Some(message.clone()),
            Event::Image { uploaded, .. } => Some(format!("{uploaded} bytes uploaded")),
            _ => None,
        });
        let hint = self.reported.outcome.as_ref().and_then(|outcome| outcome.hint.clone());
        (self.reported.ending(), hint, notices.collect())
    }

    /// Asserts that the run names the missing action, if AWS does.
    pub(super) fn assert_names_action(&self, action: &str) {
        // ECR reports to nobody that signing failed, and the answer to a HEAD has no text.
        const UNNAMED: [&str; 2] = ["signer:SignPayload", "ecr:BatchCheckLayerAvailability"];
        if !UNNAMED.contains(&action) {
            self.reported.assert_says(action);
        }
    }
}
