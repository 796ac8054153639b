//! The fence: who has no claim, or no longer the newest, changes nothing; who has it has just looked;
//! who took over from a run that did not finish only reads for T.

use std::time::Duration;

use cutover_lab::world::elapsed;

use super::call::{ATTEMPT, Call};
use super::touch::Touch;
use super::{Found, Scene};
use crate::rollout::T;

const PROMISE: &str = "fence";

/// What was read of the claim, and of the rules, may be this old when a change is sent.
const FRESH: Duration = Duration::from_secs(5);

/// The deployer counts from before it sends the read: what it takes for fresh arrived here no longer
/// ago. Timers count whole milliseconds.
const SLACK: Duration = Duration::from_millis(10);

/// From before a claim is sent until it arrives.
const CLAIMING: Duration = ATTEMPT;

/// How many of the newest records stay.
const KEPT: u64 = 20;

/// Has nothing to remember.
#[derive(Debug)]
pub(super) struct Fence;

impl Fence {
    /// A run's change.
    pub(super) fn call(&self, scene: &Scene<'_>, call: &Call, found: &mut Found) {
        if scene.hands.touched(&Touch::Ledger) {
            return;
        }
        match call.service.as_str() {
            "ssm" => self.record(scene, call, found),
            // An orphaned version is nobody's: deleting it needs no claim, and `Restraint` sees that
            // it is one.
            "ec2" if call.operation == "DeleteLaunchTemplateVersions" => {}
            "autoscaling" | "elasticloadbalancing" | "ec2" => self.change(scene, call, found),
            _ => {}
        }
    }

    fn change(&self, scene: &Scene<'_>, call: &Call, found: &mut Found) {
        let (now, who) = (scene.world.now, &call.sender);
        let sent = format!("{who} sent {}", call.operation);
        let run = scene.runs.get(who);
        let Some((run, claim)) = run.and_then(|run| Some((run, run.claim()?))) else {
            found.tell(PROMISE, now, format!("{sent} without a claim"));
            return;
        };
        let tolerance = scene.tolerance;
        if let Some(newer) = scene.runs.newer(claim.number, who)
            && elapsed(newer, call.sent) > FRESH + tolerance.staleness + SLACK
        {
            let late = elapsed(newer, call.sent).as_secs();
            let what = format!("{sent} {late} s after a number above its own had been claimed");
            found.tell(PROMISE, now, what);
        }
        let mut looked = vec![("claim", &run.read.claim)];
        if call.service == "elasticloadbalancing" {
            looked.push(("rules", &run.read.rules));
        }
        for (what, readings) in looked {
            let age = readings.by(call.sent).map(|read| elapsed(read, call.sent));
            if age.is_none_or(|age| age > FRESH + SLACK) {
                let age = age.map_or("never".to_owned(), |age| format!("{} s ago", age.as_secs()));
                found.tell(PROMISE, now, format!("{sent}, having looked at the {what} {age}"));
            }
        }
        // Its time counts from before the claim was sent.
        let silent = T.saturating_sub(CLAIMING);
        if claim.takes_over && elapsed(claim.at, call.sent) < silent {
            let after = elapsed(claim.at, call.sent).as_secs();
            let what =
                format!("{sent} {after} s after it took over from a run that did not finish");
            found.tell(PROMISE, now, what);
        }
    }

    /// Only its creator writes a record; and the newest stay.
    fn record(&self, scene: &Scene<'_>, call: &Call, found: &mut Found) {
        let (now, who) = (scene.world.now, &call.sender);
        if call.operation == "PutParameter" {
            let Some(number) = call.field("Name").and_then(|name| scene.names.number(name)) else {
                return;
            };
            let overwrites = call.field("Overwrite") == Some("true");
            if overwrites && scene.runs.holder(number) != Some(who.as_str()) {
                let what = format!("{who} wrote record {number}, which is not its own");
                found.tell(PROMISE, now, what);
            }
            return;
        }
        let newest = scene.runs.newest().unwrap_or(0);
        let named = call.field("Name").into_iter().chain(call.list("Names"));
        for number in named.filter_map(|name| scene.names.number(name)) {
            if number + KEPT >= newest {
                let what = format!("{who} deleted record {number} of {newest}");
                found.tell(PROMISE, now, what);
            }
        }
    }
}
