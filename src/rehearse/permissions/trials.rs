//! The trials: each strategy, and between them everything that a configuration or an account can
//! require.

use cutover_lab::faults::{CallFault, Fault};
use cutover_lab::scenario::{JobSpec, Scenario};
use cutover_lab::services::{autoscaling, cloudwatch, ec2, ecr, elbv2, ssm};
use cutover_lab::wire::{ApiResult, Call, Principal, Service, Value, map};
use cutover_lab::world::World;
use jiff::SignedDuration;

use super::Trial;
use super::trial_run::TrialRun;
use crate::rehearse::demo::{BLUE_GREEN, CANARY, ROLLING, START};
use crate::rehearse::testcase::TestCommand;
use cutover_rollout::model::{Event, Status};

const LEDGER: &str = "/cutover/news/rollouts/";

/// Returns a world with a job in the environment production, of a repository whose `sub` contains
/// IDs or not.
fn world(scenario: Scenario, immutable_subject: bool) -> World {
    let job = JobSpec {
        environment: Some("production".to_owned()),
        immutable_subject,
        ..JobSpec::default()
    };
    let scenario = Scenario { job, ..scenario };
    World::from_scenario(&scenario, 1, START.parse().unwrap()).unwrap()
}

/// Makes a call as the account's root user.
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

/// Removes all capacity for an hour, in every zone.
fn shortage(world: &mut World) {
    let end = world.now + SignedDuration::from_hours(1);
    for zone in world.ec2.zones.keys().cloned().collect::<Vec<_>>() {
        world.ec2.zones_without_capacity.insert(zone, end);
    }
}

/// Restores capacity; groups launch at once.
fn capacity(world: &mut World) {
    world.ec2.zones_without_capacity.clear();
    for group in world.autoscaling.groups.values_mut() {
        group.backoff = Default::default();
        group.zones_without_capacity.clear();
    }
}

/// Restores capacity and fills the ledger: twenty-five copies of the newest record follow it.
fn full_ledger(world: &mut World) {
    capacity(world);
    let names = ssm::leftovers(world);
    let newest = names.iter().filter(|name| name.starts_with(LEDGER)).max().unwrap().clone();
    let record = ssm::current_value(world, &newest).unwrap().to_owned();
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

/// Loses the reply to the first run's claim.
fn lost_claim(world: &mut World) {
    let lost = CallFault::of("ssm:PutParameter", Fault::Lost { hang: false });
    world.faults.add(lost.from_sender("run-1").nth(1));
}

fn calm(world: &mut World) {
    world.faults.clear();
}

/// Makes AWS refuse to roll back the refresh.
fn irreversible(world: &mut World) {
    let code = Some("IrreversibleInstanceRefresh".to_owned());
    let refused = Fault::Refused { code, status: Some(400) };
    let refused = CallFault::of("autoscaling:RollbackInstanceRefresh", refused);
    world.faults.add(refused.from_sender("run-1").nth(1));
}

/// Matches a refresh in progress.
fn refreshing(event: &Event) -> bool {
    matches!(event, Event::Refresh { percent: Some(_), .. })
}

/// Returns the stages of a trial with two groups.
fn two_groups() -> Vec<TrialRun> {
    vec![
        TrialRun::new("a first deployment", TestCommand::Deploy("v2"), Status::Succeeded),
        TrialRun::new(
            "a second, before the old group scales in",
            TestCommand::Deploy("v3"),
            Status::Succeeded,
        ),
        TrialRun::new("a bad version", TestCommand::DeployBad("v4"), Status::RolledBack),
        TrialRun::new("killed while it refreshes", TestCommand::Deploy("v5"), Status::Failed)
            .dies(refreshing),
        TrialRun::new("the killed rollout, rolled back", TestCommand::Rollback, Status::RolledBack),
        TrialRun::new("no capacity", TestCommand::Deploy("v6"), Status::Failed)
            .after(shortage)
            .says("could not launch or terminate an instance"),
        TrialRun::new("a full ledger", TestCommand::Deploy("v7"), Status::Succeeded)
            .after(full_ledger),
        TrialRun::new("a lost claim", TestCommand::Deploy("v8"), Status::Succeeded)
            .after(lost_claim),
        TrialRun::new("a rollback", TestCommand::Rollback, Status::RolledBack).after(calm),
    ]
}

/// Returns the stages of a trial with one group.
fn one_group() -> Vec<TrialRun> {
    vec![
        TrialRun::new("a first deployment", TestCommand::Deploy("v2"), Status::Succeeded),
        TrialRun::new("a bad version", TestCommand::DeployBad("v3"), Status::RolledBack),
        TrialRun::new(
            "a bad version whose refresh cannot be rolled back",
            TestCommand::DeployBad("v4"),
            Status::RolledBack,
        )
        .after(irreversible),
        TrialRun::new("no capacity", TestCommand::Deploy("v5"), Status::RolledBack)
            .after(shortage)
            .says("could not launch or terminate an instance"),
        TrialRun::new(
            "a deployment with capacity again",
            TestCommand::Deploy("v6"),
            Status::Succeeded,
        )
        .after(|world| {
            capacity(world);
            world.faults.clear();
        }),
        // The records of the next stage name no version older than this one's.
        TrialRun::new("one more", TestCommand::Deploy("v7"), Status::Succeeded),
        TrialRun::new("a full ledger", TestCommand::Deploy("v8"), Status::Succeeded)
            .after(full_ledger),
        TrialRun::new("a lost claim", TestCommand::Deploy("v9"), Status::Succeeded)
            .after(lost_claim),
        TrialRun::new("a rollback", TestCommand::Rollback, Status::RolledBack).after(calm),
    ]
}

fn changed(config: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(config.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "`{from}` in {text}");
        text.replacen(from, to, 1)
    })
}

const PUSH: &str = "push: [123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/news]";

/// The old group keeps its instances during the stages, so that the next one has instances to
/// refresh.
const WINDOW: (&str, &str) = ("rollback_window: 10m", "rollback_window: 1h");

/// A canary that creates a second repository, and whose images are scanned by ECR.
#[tokio::test(start_paused = true)]
async fn a_canary_needs_exactly_the_printed_policy() {
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

/// Shifts a default action behind a login; an alarm is watched.
#[tokio::test(start_paused = true)]
async fn a_linear_shift_needs_exactly_the_printed_policy() {
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

/// The AMI is read from a parameter, Inspector scans the image and Signer signs it.
#[tokio::test(start_paused = true)]
async fn a_blue_green_needs_exactly_the_printed_policy() {
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
async fn a_rolling_update_needs_exactly_the_printed_policy() {
    let config = changed(
        ROLLING,
        &[("checkpoints: [25, 100], bake: 4m", "checkpoints: [25, 100], bake: 1m")],
    );
    let world = world(Scenario::one_group(), false);
    Trial { config, world, stages: one_group() }.holds().await;
}
