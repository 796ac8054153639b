//! Which data of the traffic are readable, and when.

use crate::services::elbv2::fixture::{Fixture, call, world};
use crate::wire::{Service, Value, map};
use crate::world::later;
use std::time::Duration;

fn ask(f: &mut Fixture, operation: &str, input: Value) -> Result<Value, String> {
    super::call(&mut f.world, &call(Service::Cloudwatch, operation, input)).map_err(|e| e.code)
}

fn query(f: &Fixture, id: &str, metric: &str, group: Option<&str>, stat: &str) -> Value {
    let balancer = f.world.elbv2.load_balancers[&f.balancer].dimension();
    let pair =
        |name: &'static str, value: &str| map([("Name", name.into()), ("Value", value.into())]);
    let mut dimensions = vec![pair("LoadBalancer", balancer)];
    if let Some(group) = group {
        dimensions.push(pair("TargetGroup", f.world.elbv2.target_groups[group].dimension()));
    }
    let metric = map([
        ("Namespace", "AWS/ApplicationELB".into()),
        ("MetricName", metric.into()),
        ("Dimensions", dimensions.into()),
    ]);
    let stat = map([("Metric", metric), ("Period", 60_i64.into()), ("Stat", stat.into())]);
    map([("Id", id.into()), ("MetricStat", stat)])
}

fn data(f: &mut Fixture, queries: Vec<Value>) -> Value {
    let start = f.world.now.checked_sub(Duration::from_secs(3600)).unwrap();
    let input = map([
        ("MetricDataQueries", queries.into()),
        ("StartTime", start.into()),
        ("EndTime", later(f.world.now, Duration::from_secs(60)).into()),
        ("ScanBy", "TimestampAscending".into()),
    ]);
    ask(f, "GetMetricData", input).unwrap()
}

fn values(result: &Value) -> Vec<f64> {
    let floats = result.list("Values").iter();
    floats.map(|v| if let Value::Float(f) = v { *f } else { f64::NAN }).collect()
}

#[test]
fn data_arrive_late_and_then_stay() {
    let mut f = world().settled(50.0);
    let blue = f.blue.clone();
    // 10:00:30 now; the minute 10:01 is complete at 10:02:00.
    let delay = f.world.params.metrics_delay.as_secs();
    f.wait(90 + delay - 1);
    let requests = query(&f, "r", "RequestCount", Some(&blue), "Sum");
    let before = data(&mut f, vec![requests.clone()]);
    assert_eq!(values(&before.list("MetricDataResults")[0]).len(), 1);
    f.wait(1);
    let after = data(&mut f, vec![requests]);
    let after = values(&after.list("MetricDataResults")[0]);
    assert_eq!(after.len(), 2);
    assert!((2700.0..3300.0).contains(&after[1]), "{after:?}");
}

#[test]
fn idle_and_failing_groups_have_different_metrics() {
    let mut f = world().settled(50.0);
    let (blue, green) = (f.blue.clone(), f.green.clone());
    f.world.ec2.instances.get_mut("i-1").unwrap().program.error_rate = 0.5;
    f.wait(300);
    let queries = vec![
        query(&f, "green", "RequestCount", Some(&green), "Sum"),
        query(&f, "green5xx", "HTTPCode_Target_5XX_Count", Some(&green), "Sum"),
        query(&f, "blue5xx", "HTTPCode_Target_5XX_Count", Some(&blue), "Sum"),
        query(&f, "latency", "TargetResponseTime", Some(&blue), "Average"),
        query(&f, "hosts", "HealthyHostCount", Some(&green), "Minimum"),
        query(&f, "elb", "HTTPCode_ELB_5XX_Count", None, "Sum"),
    ];
    let answer = data(&mut f, queries);
    let results: Vec<Vec<f64>> = answer.list("MetricDataResults").iter().map(values).collect();
    assert!(results[0].len() >= 3 && results[0].iter().all(|v| *v == 0.0), "idle: zero-filled");
    assert!(results[1].is_empty(), "no errors: absent");
    assert!(results[2].iter().skip(1).all(|v| (600.0..900.0).contains(v)), "{:?}", results[2]);
    assert!(results[3].iter().all(|v| *v == 0.02), "{:?}", results[3]);
    assert!(results[4].iter().all(|v| *v == 2.0));
    assert!(results[5].is_empty());
}

#[test]
fn pages_add_up_to_the_whole_result() {
    let mut f = world().settled(50.0);
    let blue = f.blue.clone();
    f.wait(600);
    let queries: Vec<Value> = [("a", "Sum"), ("b", "SampleCount")]
        .map(|(id, stat)| query(&f, id, "RequestCount", Some(&blue), stat))
        .into();
    let whole = data(&mut f, queries.clone());
    let expected: Vec<Vec<f64>> = whole.list("MetricDataResults").iter().map(values).collect();
    let mut got = vec![Vec::new(), Vec::new()];
    let mut token = Value::Null;
    loop {
        let input = map([
            ("MetricDataQueries", queries.clone().into()),
            ("StartTime", "2026-11-22T09:00:00Z".into()),
            ("EndTime", "2026-11-22T11:00:00Z".into()),
            ("ScanBy", "TimestampAscending".into()),
            ("MaxDatapoints", 3_i64.into()),
            ("NextToken", token),
        ]);
        let part = ask(&mut f, "GetMetricData", input).unwrap();
        for (sum, result) in got.iter_mut().zip(part.list("MetricDataResults")) {
            sum.extend(values(result));
        }
        match part.str("NextToken") {
            Some(next) => token = next.into(),
            None => break,
        }
    }
    assert_eq!(got, expected);
    assert_eq!(got[0], got[1], "each request is a sample of 1");
}

#[test]
fn alarms_follow_their_metric() {
    let mut f = world().settled(50.0);
    let green = f.green.clone();
    let metric = query(&f, "x", "HTTPCode_Target_5XX_Count", Some(&green), "Sum");
    let metric = metric.get("MetricStat").get("Metric");
    let alarm = map([
        ("AlarmName", "errors".into()),
        ("Namespace", metric.get("Namespace").clone()),
        ("MetricName", metric.get("MetricName").clone()),
        ("Dimensions", metric.get("Dimensions").clone()),
        ("Statistic", "Sum".into()),
        ("Period", "60".into()),
        ("EvaluationPeriods", "2".into()),
        ("Threshold", "10".into()),
        ("ComparisonOperator", "GreaterThanThreshold".into()),
        ("TreatMissingData", "notBreaching".into()),
    ]);
    ask(&mut f, "PutMetricAlarm", alarm).unwrap();
    let state = |f: &mut Fixture| {
        let answer = ask(f, "DescribeAlarms", map([])).unwrap();
        answer.list("MetricAlarms")[0].str("StateValue").unwrap().to_owned()
    };
    f.wait(300);
    assert_eq!(state(&mut f), "OK");
    for id in ["i-3", "i-4"] {
        f.world.ec2.instances.get_mut(id).unwrap().program.error_rate = 0.5;
    }
    f.set_weights(50, 50);
    f.wait(300);
    assert_eq!(state(&mut f), "ALARM");
    super::pin_alarm(&mut f.world, "errors", super::AlarmState::InsufficientData);
    assert_eq!(state(&mut f), "INSUFFICIENT_DATA");
    let missing = map([("AlarmNames", vec!["nothing".into()].into())]);
    assert_eq!(ask(&mut f, "DeleteAlarms", missing), Err("ResourceNotFound".into()));
}

fn expression(id: &str, text: &str, period: i64) -> Value {
    map([("Id", id.into()), ("Expression", text.into()), ("Period", period.into())])
}

fn over(f: &mut Fixture, start: &str, queries: Vec<Value>) -> Result<Value, String> {
    let input = map([
        ("MetricDataQueries", queries.into()),
        ("StartTime", start.into()),
        ("EndTime", "2026-11-22T11:00:00Z".into()),
    ]);
    ask(f, "GetMetricData", input)
}

const TEN: &str = "2026-11-22T10:00:00Z";

#[test]
fn an_expression_is_as_long_as_the_api_allows() {
    let mut f = world().settled(50.0);
    f.wait(300);
    let blue = f.blue.clone();
    let requests = query(&f, "r", "RequestCount", Some(&blue), "Sum");
    for (ones, good) in [(1000, true), (100_000, false)] {
        let text = format!("r{}", "+1".repeat(ones));
        let answer = over(&mut f, TEN, vec![requests.clone(), expression("e", &text, 60)]);
        assert_eq!(answer.is_ok(), good, "{ones}");
    }
}

#[test]
fn a_query_is_carried_out_once_however_often_it_is_mentioned() {
    let mut f = world().settled(50.0);
    f.wait(300);
    let blue = f.blue.clone();
    let mut queries = vec![query(&f, "e0", "HealthyHostCount", Some(&blue), "Minimum")];
    for n in 1..500 {
        let before = n - 1;
        queries.push(expression(&format!("e{n}"), &format!("(e{before} + e{before}) / 2"), 60));
    }
    let answer = over(&mut f, TEN, queries).unwrap();
    let last = values(answer.list("MetricDataResults").last().unwrap());
    assert!(!last.is_empty() && last.iter().all(|v| *v == 2.0), "{last:?}");
    let circle = vec![expression("a", "b + 1", 60), expression("b", "[a]", 60)];
    assert_eq!(over(&mut f, TEN, circle), Err("ValidationError".into()));
}

#[test]
fn an_expression_fills_no_more_periods_than_an_answer_may_have() {
    let mut f = world().settled(50.0);
    f.wait(300);
    for (start, good) in [("1970-01-01T00:00:00Z", false), (TEN, true)] {
        let answer = over(&mut f, start, vec![expression("e", "TIME_SERIES(1)", 1)]);
        assert_eq!(answer.is_ok(), good, "{start}");
    }
}

#[test]
fn each_node_counts_the_hosts() {
    let mut f = world().settled(50.0);
    let blue = f.blue.clone();
    let balancer = f.balancer.clone();
    let nodes = &mut f.world.elbv2.load_balancers.get_mut(&balancer).unwrap().nodes;
    let third = nodes.values().next().unwrap().clone();
    nodes.insert("z-d".to_owned(), third);
    f.wait(180);
    let queries = ["Sum", "SampleCount", "Maximum"].map(|statistic| {
        query(&f, &statistic.to_lowercase(), "HealthyHostCount", Some(&blue), statistic)
    });
    let answer = data(&mut f, queries.into());
    let last: Vec<f64> = answer
        .list("MetricDataResults")
        .iter()
        .map(|result| *values(result).last().unwrap())
        .collect();
    assert_eq!(last, [6.0, 3.0, 2.0], "two hosts, seen by three nodes");
}
