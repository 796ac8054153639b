//! Promise 3, back in one call: traffic that is taken back goes first, at once, and once. When that was
//! decided a run tells itself; what it then sends, and when, is seen from outside.

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_lab::services::elbv2::Action;
use cutover_lab::world::{World, elapsed};
use jiff::Timestamp;

use super::before::actions;
use super::blind::{Blind, earlier};
use super::call::{ATTEMPT, Call};
use super::truth::Truth;
use super::{FleetNames, Found, Scene};
use crate::rollout::T;

const PROMISE: &str = "3 back in one call";

/// From the decision to the call.
const AT_ONCE: Duration = Duration::from_secs(1);

/// In calm weather no look takes longer.
const LOOK: Duration = Duration::from_secs(15);

/// What the rules said last, and who surely wrote it.
#[derive(Debug)]
pub(super) struct Back {
    rules: BTreeMap<String, Vec<Action>>,
    /// By rule: the run that has an answer saying that it wrote what the rule says, and since when.
    known: BTreeMap<String, (String, Timestamp)>,
    /// By run: what it has decided to take back and not yet taken back.
    decided: BTreeMap<String, Decision>,
}

/// That traffic goes back.
#[derive(Debug, Clone, Copy)]
struct Decision {
    at: Timestamp,
    /// When the weights that have not arrived yet were sent.
    under_way: Option<Timestamp>,
    /// Whether a rule's weights have arrived since.
    sent: bool,
    /// Whether one of those did not surely take effect: then the world is looked at before the rest.
    unsure: bool,
}

impl Decision {
    /// Whether the weights that are on their way were no longer waited for by then.
    fn gave_up(self, by: Timestamp) -> bool {
        self.under_way.is_some_and(|sent| elapsed(sent, by) >= ATTEMPT)
    }
}

impl Back {
    pub(super) fn new(world: &World, names: &FleetNames) -> Back {
        Back { rules: actions(world, names), known: BTreeMap::new(), decided: BTreeMap::new() }
    }

    /// A run has told that it takes traffic back.
    pub(super) fn told(&mut self, now: Timestamp, run: &str) {
        let decision = Decision { at: now, under_way: None, sent: false, unsure: false };
        self.decided.entry(run.to_owned()).or_insert(decision);
    }

    /// A call was sent. It may be so long on its way that what its sender does after giving it up
    /// arrives first.
    pub(super) fn sent(&mut self, sender: &str, sent: Timestamp, operation: &str) {
        if let Some(decision) = self.decided.get_mut(sender).filter(|_| moves(operation)) {
            decision.under_way = Some(sent);
        }
    }

    /// A run is over.
    pub(super) fn over(&mut self, run: &str) {
        self.decided.remove(run);
    }

    /// Any moment: has a run decided and not acted?
    pub(super) fn moment(&mut self, scene: &Scene<'_>, blind: &Blind, found: &mut Found) {
        let now = scene.world.now;
        let waits = |decision: &Decision| {
            let acts = decision.sent || decision.under_way.is_some();
            !acts && elapsed(decision.at, now) > AT_ONCE + ATTEMPT
        };
        let late: Vec<_> =
            self.decided.iter().filter(|(_, d)| waits(d)).map(|(r, d)| (r.clone(), *d)).collect();
        for (run, decision) in late {
            self.decided.remove(&run);
            let acts = scene.runs.acting(now) == Some(&run);
            if acts && is_away(scene, scene.is) && is_bound(scene, blind, &run, decision) {
                let what = format!("{run} decided to take traffic back, and did not");
                found.tell(PROMISE, now, what);
            }
        }
    }

    /// A change after the decision: weights at once, all of them, and nothing else before.
    fn decided(&mut self, scene: &Scene<'_>, call: &Call, blind: &Blind, found: &mut Found) {
        let (now, who) = (scene.world.now, &call.sender);
        let Some(decision) = self.decided.get_mut(who).filter(|decision| decision.at <= call.sent)
        else {
            return;
        };
        if !matches!(&*call.service, "autoscaling" | "ec2" | "elasticloadbalancing" | "ssm") {
            return;
        }
        let bound = is_away(scene, scene.was) && is_bound(scene, blind, who, *decision);
        let operation = &call.operation;
        if !moves(operation) {
            let Decision { sent, unsure, .. } = *decision;
            let gave_up = decision.gave_up(call.sent);
            self.decided.remove(who);
            if bound && !sent && !gave_up {
                let what = format!(
                    "{who} sent {operation} before it took traffic back, as it had decided"
                );
                found.tell(PROMISE, now, what);
            } else if bound && !unsure && !gave_up {
                found.tell(
                    PROMISE,
                    now,
                    format!("{who} took back only a part, and sent {operation}"),
                );
            }
            return;
        }
        let waited = elapsed(decision.at, call.sent);
        if bound && !decision.sent && waited > AT_ONCE {
            let late = waited.as_millis();
            found.tell(
                PROMISE,
                now,
                format!("{who} took traffic back {late} ms after it had decided to"),
            );
        }
        let rules = || scene.was.shares.iter().zip(&scene.is.shares);
        let moved = rules().find(|(was, is)| was != is).map(|(_, is)| is);
        if bound
            && moved
                .is_some_and(|is| (0..is.len()).any(|s| Some(s) != scene.home && is[s].is_some()))
        {
            found.tell(PROMISE, now, format!("{who} took back only a part of a rule's traffic"));
        }
        decision.under_way = decision.under_way.filter(|sent| *sent != call.sent);
        decision.sent = true;
        decision.unsure |= !call.is_known();
        if !is_away(scene, scene.is) {
            self.decided.remove(who);
        }
    }

    /// A change, by whomever.
    pub(super) fn call(
        &mut self,
        scene: &Scene<'_>,
        call: &Call,
        blind: &Blind,
        found: &mut Found,
    ) {
        if call.is_run() {
            self.decided(scene, call, blind, found);
        }
        let Some(rule) = call.rule().and_then(|arn| scene.names.rule(scene.world, arn)) else {
            return;
        };
        let is = scene.world.elbv2.rules.get(&rule).map(|rule| rule.actions.clone());
        let same = is.as_ref() == self.rules.get(&rule);
        // What was sent before the answer came may be longer on its way than what was answered.
        let knew = self
            .known
            .get(&rule)
            .is_some_and(|(run, since)| *run == call.sender && *since <= call.sent);
        if call.done && same && scene.tolerance.staleness.is_zero() && knew {
            let what = format!("{} wrote again what it knew to be written", call.sender);
            found.tell(PROMISE, scene.world.now, what);
        }
        if let Some(answered) = call.answered.filter(|_| call.done && call.is_run()) {
            self.known.insert(rule.clone(), (call.sender.clone(), answered));
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
        let wrote = || run.wrote.iter().filter(|wrote| wrote.sent <= call.sent);
        if let Some(first) = wrote().map(|wrote| &wrote.operation).find(|first| !moves(first)) {
            let what = format!("{} sent {first} before it took traffic back", call.sender);
            found.tell(PROMISE, now, what);
        }
        // The second rule has to wait for the answer to the first.
        let is_first = !wrote().any(|wrote| moves(&wrote.operation));
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

/// Whether an operation writes a rule's weights.
fn moves(operation: &str) -> bool {
    operation.starts_with("Modify")
}

/// Whether a side that traffic is not to go back to has any.
fn is_away(scene: &Scene<'_>, truth: &Truth) -> bool {
    scene.home.is_some_and(|home| {
        (0..truth.sides.len()).any(|side| side != home && truth.most(side).is_some())
    })
}

/// Whether nothing excuses a run that decided: no trouble with its calls, no other hand, no weights of
/// before that it may have read, and a side to go back to that could bear it all that time.
fn is_bound(scene: &Scene<'_>, blind: &Blind, run: &str, decision: Decision) -> bool {
    let stale = scene.tolerance.staleness;
    let from = earlier(decision.at, LOOK + stale);
    let troubled = scene.runs.get(run).and_then(|run| run.troubled);
    troubled.is_none_or(|troubled| troubled < from)
        && !scene.hands.moved_since(earlier(from, T))
        && scene.home.is_some_and(|home| {
            let read = |truth: &Truth| stale.is_zero() || truth.shares == scene.was.shares;
            scene.past.since(from).all(|truth| read(truth) && blind.could_bear(scene, truth, home))
        })
}
