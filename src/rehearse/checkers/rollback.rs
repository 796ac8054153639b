//! Promise 3, rollback in one call: traffic is restored before anything else, at once, and once. The
//! run itself reports when it decided to; what it then sends, and when, is observed from outside.

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_lab::services::elbv2::Action;
use cutover_lab::world::{World, elapsed};
use jiff::Timestamp;

use super::call::{ATTEMPT, Call};
use super::initial::actions;
use super::readiness::{ReadinessChecker, earlier};
use super::snapshot::Snapshot;
use super::{CheckContext, FleetNames, Violations};
use cutover_rollout::T;

const PROMISE: &str = "3 rollback in one call";

/// The longest time from the decision to the call.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Without faults no observation takes longer.
const LOOK: Duration = Duration::from_secs(15);

/// Each rule's latest actions, and which run knows that it wrote them.
#[derive(Debug)]
pub(super) struct RollbackChecker {
    rules: BTreeMap<String, Vec<Action>>,
    /// By rule: the run that was answered that it wrote the current actions, and the time of that
    /// answer.
    known: BTreeMap<String, (String, Timestamp)>,
    /// By run: its decision to restore traffic, until it has done so.
    decided: BTreeMap<String, RestoreDecision>,
}

/// A run's decision to restore traffic.
#[derive(Debug, Clone, Copy)]
struct RestoreDecision {
    at: Timestamp,
    /// When the run sent weights that have not arrived yet.
    under_way: Option<Timestamp>,
    /// Whether weights for any rule have arrived since.
    sent: bool,
    /// Whether one of those changes may not have taken effect: the run then reads the account
    /// before it sends the rest.
    unsure: bool,
}

impl RestoreDecision {
    /// Whether the run had stopped waiting by then for an answer to the weights that it sent.
    fn gave_up(self, by: Timestamp) -> bool {
        self.under_way.is_some_and(|sent| elapsed(sent, by) >= ATTEMPT)
    }
}

impl RollbackChecker {
    pub(super) fn new(world: &World, names: &FleetNames) -> RollbackChecker {
        RollbackChecker {
            rules: actions(world, names),
            known: BTreeMap::new(),
            decided: BTreeMap::new(),
        }
    }

    /// Notes that a run reported that it restores traffic.
    pub(super) fn reported(&mut self, now: Timestamp, run: &str) {
        let decision = RestoreDecision { at: now, under_way: None, sent: false, unsure: false };
        self.decided.entry(run.to_owned()).or_insert(decision);
    }

    /// Notes that a call was sent. It may take so long that what its sender does after giving up on
    /// it arrives first.
    pub(super) fn sent(&mut self, sender: &str, sent: Timestamp, operation: &str) {
        if let Some(decision) = self.decided.get_mut(sender).filter(|_| moves(operation)) {
            decision.under_way = Some(sent);
        }
    }

    /// Forgets a run that has ended or died.
    pub(super) fn over(&mut self, run: &str) {
        self.decided.remove(run);
    }

    /// Checks, at any moment, whether a run has decided and not acted.
    pub(super) fn moment(
        &mut self,
        scene: &CheckContext<'_>,
        blind: &ReadinessChecker,
        found: &mut Violations,
    ) {
        let now = scene.world.now;
        let waits = |decision: &RestoreDecision| {
            let acts = decision.sent || decision.under_way.is_some();
            !acts && elapsed(decision.at, now) > AT_ONCE + ATTEMPT
        };
        let late: Vec<_> =
            self.decided.iter().filter(|(_, d)| waits(d)).map(|(r, d)| (r.clone(), *d)).collect();
        for (run, decision) in late {
            self.decided.remove(&run);
            let acts = scene.runs.acting(now) == Some(&run);
            if acts
                && has_traffic_elsewhere(scene, scene.is)
                && is_accountable(scene, blind, &run, decision)
            {
                let what = format!("{run} decided to restore traffic and did not");
                found.report(PROMISE, now, what);
            }
        }
    }

    /// Checks a change that follows a decision: weights come first, at once, and for every rule.
    fn decided(
        &mut self,
        scene: &CheckContext<'_>,
        call: &Call,
        blind: &ReadinessChecker,
        found: &mut Violations,
    ) {
        let (now, who) = (scene.world.now, &call.sender);
        let Some(decision) = self.decided.get_mut(who).filter(|decision| decision.at <= call.sent)
        else {
            return;
        };
        if !matches!(&*call.service, "autoscaling" | "ec2" | "elasticloadbalancing" | "ssm") {
            return;
        }
        let bound =
            has_traffic_elsewhere(scene, scene.was) && is_accountable(scene, blind, who, *decision);
        let operation = &call.operation;
        if !moves(operation) {
            let RestoreDecision { sent, unsure, .. } = *decision;
            let gave_up = decision.gave_up(call.sent);
            self.decided.remove(who);
            if bound && !sent && !gave_up {
                let what = format!("{who} decided to restore traffic but sent {operation} first");
                found.report(PROMISE, now, what);
            } else if bound && !unsure && !gave_up {
                found.report(
                    PROMISE,
                    now,
                    format!("{who} restored only part of the traffic, then sent {operation}"),
                );
            }
            return;
        }
        let waited = elapsed(decision.at, call.sent);
        if bound && !decision.sent && waited > AT_ONCE {
            let late = waited.as_millis();
            found.report(
                PROMISE,
                now,
                format!("{who} restored traffic {late} ms after deciding to"),
            );
        }
        let rules = || scene.was.shares.iter().zip(&scene.is.shares);
        let moved = rules().find(|(was, is)| was != is).map(|(_, is)| is);
        if bound
            && moved
                .is_some_and(|is| (0..is.len()).any(|s| Some(s) != scene.home && is[s].is_some()))
        {
            found.report(PROMISE, now, format!("{who} restored only part of a rule's traffic"));
        }
        decision.under_way = decision.under_way.filter(|sent| *sent != call.sent);
        decision.sent = true;
        decision.unsure |= !call.is_known();
        if !has_traffic_elsewhere(scene, scene.is) {
            self.decided.remove(who);
        }
    }

    /// Checks a change, whoever sent it.
    pub(super) fn call(
        &mut self,
        scene: &CheckContext<'_>,
        call: &Call,
        blind: &ReadinessChecker,
        found: &mut Violations,
    ) {
        if call.is_run() {
            self.decided(scene, call, blind, found);
        }
        let Some(rule) = call.rule().and_then(|arn| scene.names.rule(scene.world, arn)) else {
            return;
        };
        let is = scene.world.elbv2.rules.get(&rule).map(|rule| rule.actions.clone());
        let same = is.as_ref() == self.rules.get(&rule);
        // A change sent before that answer came may take longer than the change that was answered.
        let knew = self
            .known
            .get(&rule)
            .is_some_and(|(run, since)| *run == call.sender && *since <= call.sent);
        if call.done && same && scene.tolerance.staleness.is_zero() && knew {
            let what = format!("{} wrote weights again that it knew were in place", call.sender);
            found.report(PROMISE, scene.world.now, what);
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
            self.check_restore(scene, call, found);
        }
    }

    fn check_restore(&self, scene: &CheckContext<'_>, call: &Call, found: &mut Violations) {
        let now = scene.world.now;
        let Some(home) = scene.home else { return };
        let mut rules = scene.was.shares.iter().zip(&scene.is.shares);
        if !rules.any(|(was, is)| is[home].exceeds(was[home])) {
            return;
        }
        let Some(run) = scene.runs.get(&call.sender) else { return };
        let wrote = || run.wrote.iter().filter(|wrote| wrote.sent <= call.sent);
        if let Some(first) = wrote().map(|wrote| &wrote.operation).find(|first| !moves(first)) {
            let what = format!("{} sent {first} before it restored traffic", call.sender);
            found.report(PROMISE, now, what);
        }
        // The second rule's change waits for the answer to the first.
        let is_first = !wrote().any(|wrote| moves(&wrote.operation));
        let waited = run.read.any.map(|read| elapsed(read, call.sent)).unwrap_or_default();
        if is_first && waited > AT_ONCE {
            let what = format!(
                "{} restored traffic {} ms after the last answer that it received",
                call.sender,
                waited.as_millis()
            );
            found.report(PROMISE, now, what);
        }
    }
}

/// Whether an operation writes a rule's weights.
fn moves(operation: &str) -> bool {
    operation.starts_with("Modify")
}

/// Whether any side other than the one that traffic returns to still receives traffic.
fn has_traffic_elsewhere(scene: &CheckContext<'_>, truth: &Snapshot) -> bool {
    scene.home.is_some_and(|home| {
        (0..truth.sides.len()).any(|side| side != home && truth.most(side).is_some())
    })
}

/// Whether nothing excuses a run that decided: none of its calls failed or were slow, no operator
/// moved weights, it cannot have read stale weights, and the side to return to could receive all
/// traffic the whole time.
fn is_accountable(
    scene: &CheckContext<'_>,
    blind: &ReadinessChecker,
    run: &str,
    decision: RestoreDecision,
) -> bool {
    let stale = scene.tolerance.staleness;
    let from = earlier(decision.at, LOOK + stale);
    let troubled = scene.runs.get(run).and_then(|run| run.last_fault);
    troubled.is_none_or(|troubled| troubled < from)
        && !scene.hands.weights_moved_since(earlier(from, T))
        && scene.home.is_some_and(|home| {
            let read = |truth: &Snapshot| stale.is_zero() || truth.shares == scene.was.shares;
            scene
                .past
                .since(from)
                .all(|truth| read(truth) && blind.could_serve_all(scene, truth, home))
        })
}
