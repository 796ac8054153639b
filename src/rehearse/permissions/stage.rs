//! One run of a trial.

use std::collections::BTreeSet;

use cutover_lab::world::World;

use crate::cloud::Settings;
use crate::model::{Ending, Event};
use crate::rehearse::story::{Moment, Story, Told, Verb};

/// A run in the world that the run before left.
pub(super) struct Stage {
    /// What it shows.
    pub name: &'static str,
    /// What is done to the world first.
    pub arrange: fn(&mut World),
    /// What is asked for.
    pub verb: Verb,
    /// Whether the run dies at an event like this.
    pub dies: Option<fn(&Event) -> bool>,
    /// How it ends, unless it dies.
    pub ends: Option<Ending>,
    /// What it says.
    pub says: Option<&'static str>,
}

/// What a run did.
pub(super) struct Ran {
    pub told: Told,
    /// The actions that its role's policy was asked for and allowed.
    pub allowed: BTreeSet<String>,
    /// And those that it did not.
    pub denied: BTreeSet<String>,
}

impl Stage {
    pub(super) fn new(name: &'static str, verb: Verb, ends: Ending) -> Stage {
        Stage { name, arrange: |_| (), verb, dies: None, ends: Some(ends), says: None }
    }

    pub(super) fn after(self, arrange: fn(&mut World)) -> Stage {
        Stage { arrange, ..self }
    }

    pub(super) fn says(self, words: &'static str) -> Stage {
        Stage { says: Some(words), ..self }
    }

    pub(super) fn dies(self, moment: fn(&Event) -> bool) -> Stage {
        Stage { dies: Some(moment), ends: None, ..self }
    }

    /// Runs in `world`, and gives the world as it is then.
    pub(super) async fn run(&self, config: &str, identity: Settings, world: World) -> (Ran, World) {
        let mut story = Story::in_world(config, world).of_identity(identity);
        let told = match self.dies {
            None => story.run(self.verb).await,
            Some(moment) => {
                let moment: Moment = Box::new(moment);
                story.run_or_die(self.verb, moment).await
            }
        };
        let after = story.lab.world(|world| world.clone());
        let judged = after.iam.judged.clone();
        (Ran { told, allowed: judged.allowed, denied: judged.denied }, after)
    }
}

impl Ran {
    /// What a person sees of it, without anything that another latency would change.
    pub(super) fn comes_to(&self) -> (Option<Ending>, Option<String>, BTreeSet<String>) {
        let notices = self.told.events.iter().filter_map(|told| match &told.event {
            Event::Notice { message } => Some(message.clone()),
            Event::Image { uploaded, .. } => Some(format!("{uploaded} bytes uploaded")),
            _ => None,
        });
        let hint = self.told.outcome.as_ref().and_then(|outcome| outcome.hint.clone());
        (self.told.ending(), hint, notices.collect())
    }

    /// That the run names the action which is missing, where AWS does.
    pub(super) fn names_what_is_missing(&self, action: &str) {
        // Auto Scaling names the template alone, and ECR tells nobody that a signature failed; a HEAD has no words.
        const UNNAMED: [&str; 2] = ["signer:SignPayload", "ecr:BatchCheckLayerAvailability"];
        if !UNNAMED.contains(&action) {
            self.told.says(action);
        }
    }
}
