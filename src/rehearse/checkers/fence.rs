//! The fence: a run without a claim, or without the newest one, changes nothing; the run that has
//! it read it just before; and a run that took over an unfinished rollout only reads for [`T`].

use std::time::Duration;

use cutover_lab::world::elapsed;

use super::call::{ATTEMPT, Call};
use super::external::ExternalChange;
use super::{CheckContext, Violations};
use cutover_rollout::T;

const PROMISE: &str = "fence";

/// How old the last read of the claim, or of the rules, may be when a change is sent.
const FRESH: Duration = Duration::from_secs(5);

/// The deployer counts from before it sends a read, so the read arrived in the lab later than that.
/// Timers count whole milliseconds.
const SLACK: Duration = Duration::from_millis(10);

/// The longest time from sending a claim until it arrives.
const CLAIMING: Duration = ATTEMPT;

/// How many of the newest records are kept.
const KEPT: u64 = 20;

/// Checks the fence; keeps no state.
#[derive(Debug)]
pub(super) struct FenceChecker;

impl FenceChecker {
    /// Checks a change sent by a run.
    pub(super) fn call(&self, scene: &CheckContext<'_>, call: &Call, found: &mut Violations) {
        if scene.hands.touched(&ExternalChange::Ledger) {
            return;
        }
        match call.service.as_str() {
            "ssm" => self.record(scene, call, found),
            // An orphaned version belongs to no run: deleting it needs no claim, and `Restraint`
            // checks that it is orphaned.
            "ec2" if call.operation == "DeleteLaunchTemplateVersions" => {}
            "autoscaling" | "elasticloadbalancing" | "ec2" => self.change(scene, call, found),
            _ => {}
        }
    }

    fn change(&self, scene: &CheckContext<'_>, call: &Call, found: &mut Violations) {
        let (now, who) = (scene.world.now, &call.sender);
        let sent = format!("{who} sent {}", call.operation);
        let run = scene.runs.get(who);
        let Some((run, claim)) = run.and_then(|run| Some((run, run.claim()?))) else {
            found.report(PROMISE, now, format!("{sent} without a claim"));
            return;
        };
        let tolerance = scene.tolerance;
        if let Some(newer) = scene.runs.newer(claim.number, who)
            && elapsed(newer, call.sent) > FRESH + tolerance.staleness + SLACK
        {
            let late = elapsed(newer, call.sent).as_secs();
            let what = format!("{sent} {late} s after a newer run had claimed");
            found.report(PROMISE, now, what);
        }
        let mut looked = vec![("claim", &run.read.claim)];
        if call.service == "elasticloadbalancing" {
            looked.push(("rules", &run.read.rules));
        }
        for (what, readings) in looked {
            let age = readings.by(call.sent).map(|read| elapsed(read, call.sent));
            if age.is_none_or(|age| age > FRESH + SLACK) {
                let age = age.map_or("never read".to_owned(), |age| {
                    format!("last read {} s ago", age.as_secs())
                });
                found.report(PROMISE, now, format!("{sent}, with the {what} {age}"));
            }
        }
        // The run counts from before it sent the claim.
        let silent = T.saturating_sub(CLAIMING);
        if claim.takes_over && elapsed(claim.at, call.sent) < silent {
            let after = elapsed(claim.at, call.sent).as_secs();
            let what = format!("{sent} {after} s after taking over an unfinished rollout");
            found.report(PROMISE, now, what);
        }
    }

    /// Checks that only its creator writes a record, and that the newest records are kept.
    fn record(&self, scene: &CheckContext<'_>, call: &Call, found: &mut Violations) {
        let (now, who) = (scene.world.now, &call.sender);
        if call.operation == "PutParameter" {
            let Some(number) = call.field("Name").and_then(|name| scene.names.number(name)) else {
                return;
            };
            let overwrites = call.field("Overwrite") == Some("true");
            if overwrites && scene.runs.holder(number) != Some(who.as_str()) {
                let what = format!("{who} wrote record {number}, which belongs to another run");
                found.report(PROMISE, now, what);
            }
            return;
        }
        let newest = scene.runs.newest().unwrap_or(0);
        let named = call.field("Name").into_iter().chain(call.list("Names"));
        for number in named.filter_map(|name| scene.names.number(name)) {
            if number + KEPT >= newest {
                let what = format!("{who} deleted record {number} of {newest}");
                found.report(PROMISE, now, what);
            }
        }
    }
}
