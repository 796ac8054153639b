//! Promise 3, back in one call: traffic that is taken back goes first, at once, and once.

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_lab::services::elbv2::Action;
use cutover_lab::world::{World, elapsed};

use super::before::actions;
use super::call::Call;
use super::{FleetNames, Found, Scene};

const PROMISE: &str = "3 back in one call";

/// From the decision to the call.
const AT_ONCE: Duration = Duration::from_secs(1);

/// What the rules said last, and who surely wrote it.
#[derive(Debug)]
pub(super) struct Back {
    rules: BTreeMap<String, Vec<Action>>,
    /// By rule: the run that has an answer saying that it wrote what the rule says.
    known: BTreeMap<String, String>,
}

impl Back {
    pub(super) fn new(world: &World, names: &FleetNames) -> Back {
        Back { rules: actions(world, names), known: BTreeMap::new() }
    }

    /// A change of a rule, by whomever.
    pub(super) fn call(&mut self, scene: &Scene<'_>, call: &Call, found: &mut Found) {
        let Some(rule) = call.rule().and_then(|arn| scene.names.rule(scene.world, arn)) else {
            return;
        };
        let is = scene.world.elbv2.rules.get(&rule).map(|rule| rule.actions.clone());
        let same = is.as_ref() == self.rules.get(&rule);
        if call.done
            && same
            && scene.tolerance.staleness.is_zero()
            && self.known.get(&rule) == Some(&call.sender)
        {
            let what = format!("{} wrote again what it knew to be written", call.sender);
            found.tell(PROMISE, scene.world.now, what);
        }
        if call.is_known() && call.is_run() {
            self.known.insert(rule.clone(), call.sender.clone());
        } else if !same {
            self.known.remove(&rule);
        }
        match is {
            Some(is) => self.rules.insert(rule, is),
            None => self.rules.remove(&rule),
        };
        if call.is_run() {
            self.takes_back(scene, call, found);
        }
    }

    fn takes_back(&self, scene: &Scene<'_>, call: &Call, found: &mut Found) {
        let now = scene.world.now;
        let Some(home) = scene.home else { return };
        let mut rules = scene.was.shares.iter().zip(&scene.is.shares);
        if !rules.any(|(was, is)| is[home].exceeds(was[home])) {
            return;
        }
        let Some(run) = scene.runs.get(&call.sender) else { return };
        let moves = |operation: &String| operation.starts_with("Modify");
        if let Some(first) = run.wrote.iter().find(|operation| !moves(operation)) {
            let what = format!("{} sent {first} before it took traffic back", call.sender);
            found.tell(PROMISE, now, what);
        }
        // The second rule has to wait for the answer to the first.
        let is_first = !run.wrote.iter().any(moves);
        let waited = run.read.any.map(|read| elapsed(read, call.sent)).unwrap_or_default();
        if is_first && waited > AT_ONCE {
            let what = format!(
                "{} took traffic back {} ms after the last answer that it got",
                call.sender,
                waited.as_millis()
            );
            found.tell(PROMISE, now, what);
        }
    }
}
