//! Scheduled actions that recur, or are put in batches.

use crate::services::autoscaling::fixture::Lab;
use crate::wire::{Value, map};

fn action(name: &str, key: &'static str, when: &str, desired: i64) -> Value {
    map([
        ("ScheduledActionName", name.into()),
        (key, when.into()),
        ("DesiredCapacity", desired.into()),
    ])
}

#[test]
fn a_recurring_action_runs_again_and_again_until_its_end() {
    let mut lab = Lab::one_group(&[]);
    let evening =
        action("evening", "Recurrence", "0 18 * * *", 2).with("EndTime", "2026-01-07T17:00:00Z");
    let morning = action("morning", "Recurrence", "0 8 * * *", 5).with("TimeZone", "Asia/Seoul");
    lab.ok("PutScheduledUpdateGroupAction", "news", evening);
    lab.ok("PutScheduledUpdateGroupAction", "news", morning);
    let desired = |lab: &mut Lab, at: &str| {
        let at: jiff::Timestamp = at.parse().unwrap();
        lab.world.advance(at);
        lab.group("news").desired
    };
    assert_eq!(desired(&mut lab, "2026-01-05T17:59:00Z"), 4);
    assert_eq!(desired(&mut lab, "2026-01-05T18:03:00Z"), 2);
    let described = lab.ok("DescribeScheduledActions", "news", map([]));
    let described = &described.list("ScheduledUpdateGroupActions")[0];
    assert_eq!(described.time("StartTime").unwrap().to_string(), "2026-01-06T18:00:00Z");
    assert_eq!(described.str("Recurrence"), Some("0 18 * * *"));
    assert_eq!(desired(&mut lab, "2026-01-05T23:03:00Z"), 5, "eight in Seoul");
    assert_eq!(desired(&mut lab, "2026-01-06T18:03:00Z"), 2);
    let left: Vec<_> = lab.group("news").scheduled.keys().cloned().collect();
    assert_eq!(left, ["morning"], "the evening action has ended");
}

#[test]
fn with_a_start_it_runs_then_and_after_that_as_it_recurs() {
    let mut lab = Lab::one_group(&[]);
    let hourly =
        action("hourly", "Recurrence", "0 * * * *", 2).with("StartTime", "2026-01-05T09:20:00Z");
    lab.ok("PutScheduledUpdateGroupAction", "news", hourly);
    lab.wait(23 * 60);
    assert_eq!(lab.group("news").desired, 2);
    let next = lab.group("news").scheduled["hourly"].start;
    assert_eq!(next.to_string(), "2026-01-05T10:00:00Z");
}

#[test]
fn a_suspended_process_skips_a_run_and_keeps_the_recurrence() {
    let mut lab = Lab::one_group(&[]);
    let process = || map([("ScalingProcesses", Value::List(vec!["ScheduledActions".into()]))]);
    lab.ok("SuspendProcesses", "news", process());
    lab.ok("PutScheduledUpdateGroupAction", "news", action("h", "Recurrence", "0 * * * *", 2));
    lab.wait(3600 + 200);
    assert_eq!(lab.group("news").desired, 4);
    lab.ok("ResumeProcesses", "news", process());
    lab.wait(3600);
    assert_eq!(lab.group("news").desired, 2);
}

#[test]
fn batches_report_refused_actions() {
    let mut lab = Lab::one_group(&[]);
    let actions = vec![
        action("one", "StartTime", "2026-01-05T10:00:00Z", 2),
        action("past", "StartTime", "2026-01-05T08:00:00Z", 2),
        action("same", "StartTime", "2026-01-05T10:00:00Z", 3),
        action("cron", "Recurrence", "often", 3),
    ];
    let input = map([("ScheduledUpdateGroupActions", actions.into())]);
    let answer = lab.ok("BatchPutScheduledUpdateGroupAction", "news", input);
    let failed: Vec<_> = answer
        .list("FailedScheduledUpdateGroupActions")
        .iter()
        .map(|f| (f.str("ScheduledActionName").unwrap(), f.str("ErrorCode").unwrap()))
        .collect();
    assert_eq!(
        failed,
        [("past", "ValidationError"), ("same", "AlreadyExists"), ("cron", "ValidationError")]
    );
    let names = Value::List(vec!["one".into(), "two".into()]);
    let input = map([("ScheduledActionNames", names)]);
    let answer = lab.ok("BatchDeleteScheduledAction", "news", input);
    assert_eq!(answer.list("FailedScheduledActions")[0].str("ScheduledActionName"), Some("two"));
    assert!(lab.group("news").scheduled.is_empty());
}

#[test]
fn a_group_has_at_most_125_and_none_that_ends_before_it_begins() {
    let mut lab = Lab::one_group(&[]);
    let operation = "PutScheduledUpdateGroupAction";
    for n in 0..125_i64 {
        let at = format!("2026-02-{:02}T{:02}:00:00Z", 1 + n / 24, n % 24);
        lab.ok(operation, "news", action(&format!("a{n}"), "StartTime", &at, 2));
    }
    let more = action("more", "StartTime", "2026-03-01T00:00:00Z", 2);
    assert_eq!(lab.refused(operation, "news", more.clone()).0, "LimitExceeded");
    let ends = action("a0", "StartTime", "2026-03-01T00:00:00Z", 2)
        .with("EndTime", "2026-02-01T00:00:00Z");
    assert_eq!(lab.refused(operation, "news", ends).0, "ValidationError");
}
