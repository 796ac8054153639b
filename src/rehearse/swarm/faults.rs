//! Draws what goes wrong in a seed's test case.

use cutover_lab::faults::{CallFault, EventKind, Fault, ScheduledEvent, Throttling};
use cutover_lab::scenario::Scenario;
use serde_json::json;

use super::dice::Dice;

/// The changes that a deployer makes, and the read that they depend on.
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

/// The services, each of which can fail for a while.
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

/// Draws faults and scheduled events into a scenario, all of them over by `calm`.
pub(super) fn add(dice: &mut Dice, scenario: &mut Scenario, calm: u64) {
    faults(dice, scenario, calm);
    events(dice, scenario, calm);
    operator_calls(dice, scenario, calm);
}

/// Zones are lost and return, capacity runs short, users come in crowds.
fn events(dice: &mut Dice, scenario: &mut Scenario, calm: u64) {
    let moment = |dice: &mut Dice| dice.within(30, calm - 300);
    if dice.chance(0.15) {
        let (zone, at) = (dice.one(&scenario.zones), moment(dice));
        let back = dice.within(at + 30, calm - 60);
        let lost = EventKind::ZoneLost { zone: zone.clone() };
        scenario.events.push(ScheduledEvent::at(at, lost));
        scenario.events.push(ScheduledEvent::at(back, EventKind::ZoneBack { zone }));
    }
    if dice.chance(0.1) {
        let at = moment(dice);
        let zone = dice.chance(0.5).then(|| dice.one(&scenario.zones));
        let lasts = dice.within(60, 1200).min(calm - at);
        scenario.events.push(ScheduledEvent::at(at, EventKind::Shortage { zone, lasts }));
    }
    if dice.chance(0.15) {
        let requests_per_second = scenario.requests_per_second * dice.one(&[0.01, 0.2, 5.0, 100.0]);
        let at = moment(dice);
        scenario.events.push(ScheduledEvent::at(at, EventKind::Rate { requests_per_second }));
        let requests_per_second = scenario.requests_per_second;
        scenario.events.push(ScheduledEvent::at(calm, EventKind::Rate { requests_per_second }));
    }
}

/// Draws what other people and tools do to the same account.
fn operator_calls(dice: &mut Dice, scenario: &mut Scenario, calm: u64) {
    if !dice.chance(0.3) {
        return;
    }
    for _ in 0..dice.within(1, 3) {
        let group = dice.one(&scenario.groups);
        let name = group.name.as_str();
        let size = dice.within(group.min, group.max);
        let at = dice.within(10, calm);
        let (call, input) = match dice.within(0, 7) {
            0 | 1 => (
                "autoscaling:SetDesiredCapacity",
                json!({ "AutoScalingGroupName": name, "DesiredCapacity": size }),
            ),
            2 => (
                "autoscaling:UpdateAutoScalingGroup",
                json!({ "AutoScalingGroupName": name, "MinSize": size.min(group.desired) }),
            ),
            3 => (
                "autoscaling:PutScalingPolicy",
                json!({
                    "AutoScalingGroupName": name, "PolicyName": "cpu",
                    "PolicyType": "TargetTrackingScaling",
                    "TargetTrackingConfiguration": {
                        "PredefinedMetricSpecification":
                            { "PredefinedMetricType": "ASGAverageCPUUtilization" },
                        "TargetValue": 50.0,
                    },
                }),
            ),
            4 => ("autoscaling:CancelInstanceRefresh", json!({ "AutoScalingGroupName": name })),
            5 => (
                "autoscaling:TerminateInstanceInAutoScalingGroup",
                json!({
                    "InstanceId": format!("${{instance:{name}}}"),
                    "ShouldDecrementDesiredCapacity": false,
                }),
            ),
            6 => {
                let process = dice.one(&["Launch", "Terminate", "AZRebalance", "HealthCheck"]);
                let input = json!({ "AutoScalingGroupName": name, "ScalingProcesses": [process] });
                let call = "autoscaling:ResumeProcesses".to_owned();
                let resumed = EventKind::Operator { call, input: input.clone() };
                scenario.events.push(ScheduledEvent::at(dice.within(at, calm), resumed));
                ("autoscaling:SuspendProcesses", input)
            }
            _ => (
                "ec2:CreateLaunchTemplateVersion",
                json!({
                    "LaunchTemplateName": scenario.service, "SourceVersion": "1",
                    "LaunchTemplateData": { "InstanceType": "t3.small" },
                }),
            ),
        };
        let operator = EventKind::Operator { call: call.to_owned(), input };
        scenario.events.push(ScheduledEvent::at(at, operator));
    }
}

fn faults(dice: &mut Dice, scenario: &mut Scenario, calm: u64) {
    let calls = &mut scenario.faults.calls;
    // A low rate of faults, all the time.
    if dice.chance(0.5) {
        for _ in 0..dice.within(1, 3) {
            let chance = dice.one(&[0.005, 0.02, 0.05, 0.15]);
            let fault = CallFault::of(dice.one(SERVICES), fault(dice));
            calls.push(fault.with_probability(chance).between(0, calm));
        }
    }
    // A service that fails for some minutes.
    if dice.chance(0.3) {
        let from = dice.within(0, calm - 300);
        let until = (from + dice.within(30, 900)).min(calm);
        calls.push(CallFault::of(dice.one(SERVICES), fault(dice)).between(from, until));
    }
    // Single changes that fail.
    for _ in 0..dice.one(&[0, 0, 1, 1, 2]) {
        let fault = CallFault::of(dice.one(CHANGES), fault(dice)).nth(dice.within(1, 4));
        calls.push(fault.between(0, calm));
    }
    if dice.chance(0.3) {
        scenario.faults.throttling = Throttling::Aws;
    }
    if dice.chance(0.3) {
        scenario.faults.stale_seconds = dice.within(1, 50) as f64 / 10.0;
    }
}

/// Draws the way in which a call fails.
fn fault(dice: &mut Dice) -> Fault {
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
