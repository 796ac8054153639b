//! What goes wrong in a seed's story.

use cutover_lab::faults::{CallFault, Fault};
use cutover_lab::scenario::Scenario;

use super::draw::Dice;

/// The changes that a deployer makes, and the look that they depend on.
const CHANGES: &[&str] = &[
    "ssm:PutParameter",
    "ssm:GetParametersByPath",
    "ec2:CreateLaunchTemplateVersion",
    "autoscaling:StartInstanceRefresh",
    "autoscaling:CancelInstanceRefresh",
    "autoscaling:RollbackInstanceRefresh",
    "autoscaling:UpdateAutoScalingGroup",
    "autoscaling:PutScheduledUpdateGroupAction",
    "autoscaling:DeleteScheduledAction",
    "elasticloadbalancing:ModifyRule",
    "ecr:*",
    "registry:*",
];

/// The services, each of which can have a bad hour.
const SERVICES: &[&str] = &[
    "*",
    "ssm:*",
    "ec2:*",
    "autoscaling:*",
    "elasticloadbalancing:*",
    "monitoring:*",
    "registry:*",
    "ecr:*",
    "sts:*",
];

/// Draws faults and happenings into a scenario, all of them over by `calm`.
pub(super) fn brew(dice: &mut Dice, scenario: &mut Scenario, calm: u64) {
    let calls = &mut scenario.faults.calls;
    // A little of everything, all the time.
    if dice.chance(0.5) {
        for _ in 0..dice.within(1, 3) {
            let chance = dice.one(&[0.005, 0.02, 0.05, 0.15]);
            let fault = CallFault::of(dice.one(SERVICES), trouble(dice));
            calls.push(fault.with_probability(chance).between(0, calm));
        }
    }
    // A service that fails for some minutes.
    if dice.chance(0.3) {
        let from = dice.within(0, calm - 300);
        let until = (from + dice.within(30, 900)).min(calm);
        calls.push(CallFault::of(dice.one(SERVICES), trouble(dice)).between(from, until));
    }
    // One change that fails in its own way.
    for _ in 0..dice.one(&[0, 0, 1, 1, 2]) {
        let fault = CallFault::of(dice.one(CHANGES), trouble(dice)).nth(dice.within(1, 4));
        calls.push(fault.between(0, calm));
    }
}

/// A way in which a call can fail.
fn trouble(dice: &mut Dice) -> Fault {
    let error =
        |code: &str, status| Fault::Refused { code: Some(code.to_owned()), status: Some(status) };
    let seconds = dice.within(1, 120) as f64 / 10.0;
    match dice.within(0, 9) {
        0 => Fault::Refused { code: None, status: None },
        1 => error("InternalFailure", 500),
        2 => error("ServiceUnavailable", 503),
        3 | 4 => Fault::Throttled,
        5 => Fault::Slow { there: seconds, back: 0.0 },
        6 => Fault::Slow { there: 0.0, back: seconds },
        7 => Fault::Lost { hang: false },
        8 => Fault::Lost { hang: true },
        _ => Fault::Cut,
    }
}
