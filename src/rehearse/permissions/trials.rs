//! The trials: each strategy, and between them everything that a configuration or an account can make necessary.

use cutover_lab::faults::{CallFault, Fault};
use cutover_lab::scenario::{JobPlan, Scenario};
use cutover_lab::services::{autoscaling, cloudwatch, ec2, ecr, elbv2, ssm};
use cutover_lab::wire::{ApiResult, Call, Principal, Service, Value, map};
use cutover_lab::world::World;
use jiff::SignedDuration;

use super::Trial;
use super::stage::Stage;
use crate::model::{Ending, Event};
use crate::rehearse::demo::{BLUE_GREEN, CANARY, ROLLING, START};
use crate::rehearse::story::Verb;

const LEDGER: &str = "/cutover/news/rollouts/";

/// A world whose job is in the environment production, of a repository whose `sub` has ids or not.
fn world(scenario: Scenario, immutable_subject: bool) -> World {
    let job = JobPlan {
        environment: Some("production".to_owned()),
        immutable_subject,
        ..JobPlan::default()
    };
    let scenario = Scenario { job, ..scenario };
    World::from_scenario(&scenario, 1, START.parse().unwrap()).unwrap()
}

/// A call by the account's owner.
fn owner(world: &mut World, service: Service, operation: &str, input: Value) -> Value {
    let account = world.account.clone();
    let caller = Principal { arn: format!("arn:aws:iam::{account}:root"), account };
    let region = world.region.clone();
    let call = Call { service, operation: operation.to_owned(), input, caller, region };
    let answered: ApiResult<Value> = match service {
        Service::Autoscaling => autoscaling::call(world, &call),
        Service::Cloudwatch => cloudwatch::call(world, &call),
        Service::Ec2 => ec2::call(world, &call),
        Service::Ecr => ecr::call(world, &call),
        Service::Elbv2 => elbv2::call(world, &call),
        Service::Ssm => ssm::call(world, &call),
        Service::Iam | Service::Sts => panic!("{operation} is not called here"),
    };
    answered.unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

/// No zone has capacity for an hour.
fn shortage(world: &mut World) {
    let end = world.now + SignedDuration::from_hours(1);
    for zone in world.ec2.zones.keys().cloned().collect::<Vec<_>>() {
        world.ec2.shortage.insert(zone, end);
    }
}

/// Capacity is back, and groups launch at once.
fn capacity(world: &mut World) {
    world.ec2.shortage.clear();
    for group in world.autoscaling.groups.values_mut() {
        group.backoff = Default::default();
        group.shunned.clear();
    }
}

/// Capacity is back, and the ledger is full: twenty-five copies of the newest record follow it.
fn full_ledger(world: &mut World) {
    capacity(world);
    let names = ssm::leftovers(world);
    let newest = names.iter().filter(|name| name.starts_with(LEDGER)).max().unwrap().clone();
    let record = ssm::parameter(world, &newest).unwrap().to_owned();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let number = record["number"].as_u64().unwrap();
    for next in number + 1..=number + 25 {
        let mut copy = record.clone();
        copy["number"] = next.into();
        let input = map([
            ("Name", format!("{LEDGER}{next:08}").into()),
            ("Value", copy.to_string().into()),
            ("Type", "String".into()),
        ]);
        owner(world, Service::Ssm, "PutParameter", input);
    }
}

/// The claim's reply does not come.
fn lost_claim(world: &mut World) {
    let lost = CallFault::of("ssm:PutParameter", Fault::Lost { hang: false });
    world.faults.add(lost.of_sender("run-1").nth(1));
}

fn calm(world: &mut World) {
    world.faults.clear();
}

/// AWS knows no way back for the refresh.
fn irreversible(world: &mut World) {
    let code = Some("IrreversibleInstanceRefresh".to_owned());
    let refused = Fault::Refused { code, status: Some(400) };
    let refused = CallFault::of("autoscaling:RollbackInstanceRefresh", refused);
    world.faults.add(refused.of_sender("run-1").nth(1));
}

/// The refresh is on its way.
fn refreshing(event: &Event) -> bool {
    matches!(event, Event::Refresh { percent: Some(_), .. })
}

/// What two groups go through.
fn two_groups() -> Vec<Stage> {
    vec![
        Stage::new("a first deployment", Verb::Deploy("v2"), Ending::Succeeded),
        Stage::new("a second, before the first is retired", Verb::Deploy("v3"), Ending::Succeeded),
        Stage::new("a bad version", Verb::DeployBad("v4"), Ending::RolledBack),
        Stage::new("killed while it refreshes", Verb::Deploy("v5"), Ending::Failed)
            .dies(refreshing),
        Stage::new("the killed one rolled back", Verb::Rollback, Ending::RolledBack),
        Stage::new("no capacity", Verb::Deploy("v6"), Ending::Failed)
            .after(shortage)
            .says("could not launch or end an instance"),
        Stage::new("a full ledger", Verb::Deploy("v7"), Ending::Succeeded).after(full_ledger),
        Stage::new("a lost claim", Verb::Deploy("v8"), Ending::Succeeded).after(lost_claim),
        Stage::new("back", Verb::Rollback, Ending::RolledBack).after(calm),
    ]
}

/// What one group goes through.
fn one_group() -> Vec<Stage> {
    vec![
        Stage::new("a first deployment", Verb::Deploy("v2"), Ending::Succeeded),
        Stage::new("a bad version", Verb::DeployBad("v3"), Ending::RolledBack),
        Stage::new("a bad version without a way back", Verb::DeployBad("v4"), Ending::RolledBack)
            .after(irreversible),
        Stage::new("no capacity", Verb::Deploy("v5"), Ending::RolledBack)
            .after(shortage)
            .says("could not launch or end an instance"),
        Stage::new("another", Verb::Deploy("v6"), Ending::Succeeded).after(|world| {
            capacity(world);
            world.faults.clear();
        }),
        // The records of the one after it name no version that is older than this one's.
        Stage::new("and another", Verb::Deploy("v7"), Ending::Succeeded),
        Stage::new("a full ledger", Verb::Deploy("v8"), Ending::Succeeded).after(full_ledger),
        Stage::new("a lost claim", Verb::Deploy("v9"), Ending::Succeeded).after(lost_claim),
        Stage::new("back", Verb::Rollback, Ending::RolledBack).after(calm),
    ]
}

fn changed(config: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(config.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "`{from}` in {text}");
        text.replacen(from, to, 1)
    })
}

const PUSH: &str = "push: [123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/news]";

/// The old group stays while the stages pass, so that the next one refreshes instances.
const WINDOW: (&str, &str) = ("rollback_window: 10m", "rollback_window: 1h");

/// A canary that creates a second repository, and whose images are scanned by ECR.
#[tokio::test(start_paused = true)]
async fn a_canary() {
    let config = changed(
        CANARY,
        &[
            (
                PUSH,
                "push: [123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/news, \
                 123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/copy]\n  \
                 ecr: { create: true, scan: { fail_on: critical } }",
            ),
            ("steps: [10, 50, 100], bake: 2m", "steps: [50, 100], bake: 1m"),
            WINDOW,
        ],
    );
    let mut world = world(Scenario::default(), false);
    let scanned = map([
        ("repositoryName", "news".into()),
        ("imageScanningConfiguration", map([("scanOnPush", true.into())])),
    ]);
    owner(&mut world, Service::Ecr, "PutImageScanningConfiguration", scanned);
    Trial { config, world, stages: two_groups() }.holds().await;
}

/// The default action moves, behind a login, and an alarm watches.
#[tokio::test(start_paused = true)]
async fn a_linear_shift_of_a_default_action() {
    let config = changed(
        CANARY,
        &[
            ("strategy: canary", "strategy: linear"),
            WINDOW,
            ("canary: { steps: [10, 50, 100], bake: 2m }", "linear: { step: 50, every: 1m }"),
            (
                "judge:  { errors_5xx: { max: 1%, min_requests: 100 } }",
                "judge: { errors_5xx: { max: 1%, min_requests: 100 }, alarms: [news-slow] }",
            ),
        ],
    );
    let mut world = world(Scenario::default(), true);
    let group = |world: &World, name: &str| {
        let mut all = world.elbv2.target_groups.values();
        all.find(|group| group.name == name).unwrap().arn.clone()
    };
    let blue = group(&world, "news-blue");
    let listener = world.elbv2.listeners.keys().next().unwrap().clone();
    let login = map([
        ("Type", "authenticate-cognito".into()),
        ("Order", Value::Int(1)),
        (
            "AuthenticateCognitoConfig",
            map([
                (
                    "UserPoolArn",
                    "arn:aws:cognito-idp:ap-northeast-2:123456789012:userpool/ap-northeast-2_1"
                        .into(),
                ),
                ("UserPoolClientId", "client".into()),
                ("UserPoolDomain", "news".into()),
            ]),
        ),
    ]);
    let forward = map([
        ("Type", "forward".into()),
        ("Order", Value::Int(2)),
        ("TargetGroupArn", blue.as_str().into()),
    ]);
    let input = map([
        ("ListenerArn", listener.as_str().into()),
        ("DefaultActions", Value::List(vec![login, forward])),
    ]);
    owner(&mut world, Service::Elbv2, "ModifyListener", input);
    let users = world.elbv2.rules.values().find(|rule| rule.priority == Some(10));
    let users = users.unwrap().arn.clone();
    owner(&mut world, Service::Elbv2, "DeleteRule", map([("RuleArn", users.as_str().into())]));
    let alarm = map([
        ("AlarmName", "news-slow".into()),
        ("Namespace", "AWS/ApplicationELB".into()),
        ("MetricName", "RequestCount".into()),
        ("Statistic", "Sum".into()),
        ("Period", Value::Int(60)),
        ("EvaluationPeriods", Value::Int(1)),
        ("Threshold", Value::Float(1e9)),
        ("ComparisonOperator", "GreaterThanThreshold".into()),
        ("TreatMissingData", "notBreaching".into()),
    ]);
    owner(&mut world, Service::Cloudwatch, "PutMetricAlarm", alarm);
    Trial { config, world, stages: two_groups() }.holds().await;
}

/// The AMI is a parameter's, Inspector scans and Signer signs what is pushed.
#[tokio::test(start_paused = true)]
async fn a_blue_green_deployment() {
    let config = changed(
        BLUE_GREEN,
        &[
            (PUSH, &format!("{PUSH}\n  ecr: {{ scan: {{ fail_on: critical }} }}")),
            ("bake: 5m", "bake: 1m"),
            WINDOW,
        ],
    );
    let mut world = world(Scenario::default(), true);
    let template = world.ec2.templates.values_mut().next().unwrap();
    let Value::Map(members) = &mut template.versions.values_mut().next().unwrap().data else {
        panic!("no structure")
    };
    let image = members.iter_mut().find(|(key, _)| key == "imageId").unwrap();
    let ami = std::mem::replace(&mut image.1, "resolve:ssm:/golden/ami".into());
    let input = map([("Name", "/golden/ami".into()), ("Value", ami), ("Type", "String".into())]);
    owner(&mut world, Service::Ssm, "PutParameter", input);
    let scanning = map([
        ("scanType", "ENHANCED".into()),
        (
            "rules",
            Value::List(vec![map([
                ("scanFrequency", "SCAN_ON_PUSH".into()),
                (
                    "repositoryFilters",
                    Value::List(vec![map([
                        ("filter", "*".into()),
                        ("filterType", "WILDCARD".into()),
                    ])]),
                ),
            ])]),
        ),
    ]);
    owner(&mut world, Service::Ecr, "PutRegistryScanningConfiguration", scanning);
    let profile = "arn:aws:signer:ap-northeast-2:123456789012:/signing-profiles/news";
    let rule = map([("signingProfileArn", profile.into())]);
    let signing = map([("rules", Value::List(vec![rule]))]);
    let signing = map([("signingConfiguration", signing)]);
    owner(&mut world, Service::Ecr, "PutSigningConfiguration", signing);
    Trial { config, world, stages: two_groups() }.holds().await;
}

/// One group whose instances are replaced.
#[tokio::test(start_paused = true)]
async fn a_rolling_update() {
    let config = changed(
        ROLLING,
        &[("checkpoints: [25, 100], bake: 4m", "checkpoints: [25, 100], bake: 1m")],
    );
    let world = world(Scenario::one_group(), false);
    Trial { config, world, stages: one_group() }.holds().await;
}
