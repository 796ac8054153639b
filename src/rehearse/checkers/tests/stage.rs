//! A simulated account in which tests make calls by hand, watched by the checkers.

use std::time::Duration;

use bytes::Bytes;
use cutover_lab::scenario::Scenario;
use cutover_lab::services::sts;
use cutover_lab::transport::WatchEvent;
use cutover_lab::world::{World, later};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::rehearse::checkers::{Checkers, FleetNames, Tolerance, Totals, Violation};
use crate::rehearse::demo::{CANARY, ROLLING};
use cutover_rollout::model::{
    Event, FleetFacts, Goal, OneGroupFacts, Outcome, Phase, Record, Status, Strategy,
};

/// A world and its checkers.
pub(super) struct CheckerBench {
    pub world: World,
    pub checkers: Checkers,
    pub names: FleetNames,
}

/// The group of each side.
pub(super) const BLUE: &str = "news-blue";
pub(super) const GREEN: &str = "news-green";

impl CheckerBench {
    /// Two groups, of which blue has all traffic.
    pub(super) fn pair() -> CheckerBench {
        CheckerBench::of(&Scenario::default(), CANARY)
    }

    /// One group.
    pub(super) fn one_group() -> CheckerBench {
        CheckerBench::of(&Scenario::one_group(), ROLLING)
    }

    fn of(scenario: &Scenario, config: &str) -> CheckerBench {
        let start: Timestamp = "2026-01-05T00:00:00Z".parse().unwrap();
        let world = World::from_scenario(scenario, 1, start).unwrap();
        let config = cutover_config::parse(config, "cutover.yaml").unwrap();
        let names = FleetNames::of(&config, &world).unwrap();
        let mut checkers = Checkers::new(&world, &names, Tolerance::default());
        checkers.began(start, "run-1");
        CheckerBench { world, checkers, names }
    }

    /// Advances time by this many seconds, event by event.
    pub(super) fn wait(&mut self, seconds: u64) {
        let until = later(self.world.now, Duration::from_secs(seconds));
        let checkers = &mut self.checkers;
        self.world.advance_watched(until, &mut |world| checkers.see(world, &WatchEvent::Event));
    }

    /// Makes a call that arrives 50 ms after it was sent; its answer takes as long.
    pub(super) fn call(
        &mut self,
        sender: &str,
        service: &str,
        operation: &str,
        input: &[(&str, &str)],
    ) {
        self.call_with_latency(sender, service, operation, input, Duration::from_millis(50));
    }

    /// Makes a call that takes `age` to arrive.
    pub(super) fn call_with_latency(
        &mut self,
        sender: &str,
        service: &str,
        operation: &str,
        input: &[(&str, &str)],
        age: Duration,
    ) {
        self.arrives(self.world.now, sender, service, operation, input, age);
    }

    /// Makes a call that was sent at `sent` and arrives `age` from now.
    pub(super) fn arrives(
        &mut self,
        sent: Timestamp,
        sender: &str,
        service: &str,
        operation: &str,
        input: &[(&str, &str)],
        age: Duration,
    ) {
        let now = later(self.world.now, age);
        let checkers = &mut self.checkers;
        self.world.advance_watched(now, &mut |world| checkers.see(world, &WatchEvent::Event));
        let request = request(service, operation, input);
        let status = self.world.answer(&request).status().as_u16();
        assert!(status < 300 || service == "ssm", "{operation} was refused: {status}");
        let replied = Some(later(now, Duration::from_millis(50)));
        let moment = WatchEvent::Call {
            sender,
            sent,
            replied,
            service,
            operation,
            request: &request,
            status,
        };
        self.checkers.see(&self.world, &moment);
        self.wait_for(Duration::from_millis(60));
    }

    /// Makes a call that is denied.
    pub(super) fn refused(
        &mut self,
        sender: &str,
        service: &str,
        operation: &str,
        input: &[(&str, &str)],
    ) {
        let (sent, request) = (self.world.now, request(service, operation, input));
        let (replied, status) = (Some(later(sent, Duration::from_millis(50))), 403);
        let moment = WatchEvent::Call {
            sender,
            sent,
            replied,
            service,
            operation,
            request: &request,
            status,
        };
        self.checkers.see(&self.world, &moment);
    }

    /// Makes a call that is lost before it arrives.
    pub(super) fn cut(&mut self, sender: &str) {
        let sent = self.world.now;
        let (service, operation) = ("autoscaling", "DescribeAutoScalingGroups");
        self.checkers.see(&self.world, &WatchEvent::Cut { sender, sent, service, operation });
    }

    /// Sends weights that have not arrived yet; returns when.
    pub(super) fn send_weights(&mut self, sender: &str) -> Timestamp {
        let sent = self.world.now;
        let (service, operation) = ("elasticloadbalancing", "ModifyRule");
        self.checkers.see(&self.world, &WatchEvent::Sent { sender, sent, service, operation });
        sent
    }

    fn wait_for(&mut self, time: Duration) {
        let until = later(self.world.now, time);
        let checkers = &mut self.checkers;
        self.world.advance_watched(until, &mut |world| checkers.see(world, &WatchEvent::Event));
    }

    /// Reads whether there is a newer record.
    pub(super) fn read_claim(&mut self, run: &str) {
        self.call(run, "ssm", "GetParameter", &[("Name", "/cutover/news/rollouts/00000099")]);
    }

    /// Reads everything that a run reads in one observation.
    pub(super) fn look(&mut self, run: &str) {
        let rules = self.names.rules[0].clone();
        self.read_claim(run);
        self.call(run, "elasticloadbalancing", "DescribeRules", &[("RuleArns.member.1", &rules)]);
        self.call(run, "autoscaling", "DescribeAutoScalingGroups", &[]);
        let names: Vec<_> = self.names.sides.iter().map(|side| side.group.clone()).collect();
        for name in &names {
            let group = [("AutoScalingGroupName", name.as_str())];
            self.call(run, "autoscaling", "DescribeInstanceRefreshes", &group);
        }
        self.call(run, "autoscaling", "DescribeScheduledActions", &[]);
        let sides: Vec<_> =
            self.names.sides.iter().filter_map(|s| s.target_group.clone()).collect();
        for arn in &sides {
            let input = [("TargetGroupArn", arn.as_str())];
            self.call(run, "elasticloadbalancing", "DescribeTargetHealth", &input);
        }
    }

    /// Claims a number with an unfinished record.
    pub(super) fn claim(&mut self, run: &str, number: u64) {
        self.record(run, number, None);
    }

    /// Writes a record: without an outcome it claims the number.
    pub(super) fn record(&mut self, run: &str, number: u64, ending: Option<Status>) {
        let name = format!("/cutover/news/rollouts/{number:08}");
        let value = serde_json::to_string(&self.unfinished(number, ending)).unwrap();
        let overwrite = if ending.is_some() { "true" } else { "false" };
        let input =
            [("Name", &*name), ("Value", &value), ("Type", "String"), ("Overwrite", overwrite)];
        self.call(run, "ssm", "PutParameter", &input);
    }

    fn unfinished(&self, number: u64, ending: Option<Status>) -> Record {
        Record {
            number,
            service: self.names.service.clone(),
            holder: String::new(),
            continues: None,
            goal: Goal::Deploy,
            strategy: Strategy::Rolling,
            intent: String::new(),
            workflow: None,
            run_number: None,
            commit: None,
            previous_commit: None,
            image: None,
            template: self.names.template.clone(),
            version: Some(2),
            previous: 1,
            phase: Phase::Prepare,
            since: self.world.now,
            heartbeat: self.world.now,
            fleet: FleetFacts::OneGroup(OneGroupFacts::default()),
            resume: None,
            superseded_versions: Vec::new(),
            restart: false,
            reason: None,
            status: ending,
        }
    }

    /// Sets the weights of blue and green.
    pub(super) fn weights(&mut self, sender: &str, blue: u32, green: u32) {
        let rule = self.names.rules[0].clone();
        self.weights_of(sender, &rule, blue, green);
    }

    pub(super) fn weights_of(&mut self, sender: &str, rule: &str, blue: u32, green: u32) {
        self.weights_sent(self.world.now, sender, rule, blue, green);
    }

    /// Sets the weights of a rule by a call sent at `sent`.
    pub(super) fn weights_sent(
        &mut self,
        sent: Timestamp,
        sender: &str,
        rule: &str,
        blue: u32,
        green: u32,
    ) {
        let arn = |side: usize| self.names.sides[side].target_group.clone().unwrap();
        let (blue_arn, green_arn) = (arn(0), arn(1));
        let (blue, green) = (blue.to_string(), green.to_string());
        let group = "Actions.member.1.ForwardConfig.TargetGroups.member";
        let input = [
            ("RuleArn", rule),
            ("Actions.member.1.Type", "forward"),
            (&format!("{group}.1.TargetGroupArn"), &blue_arn),
            (&format!("{group}.1.Weight"), &blue),
            (&format!("{group}.2.TargetGroupArn"), &green_arn),
            (&format!("{group}.2.Weight"), &green),
        ];
        let age = Duration::from_millis(50);
        self.arrives(sent, sender, "elasticloadbalancing", "ModifyRule", &input, age);
    }

    /// Sends part of blue's traffic to a target group outside the pair.
    pub(super) fn third(&mut self, sender: &str, blue: u32) {
        let vpc = self.world.elbv2.load_balancers.values().next().unwrap().vpc.clone();
        let input = [("Name", "theirs"), ("Protocol", "HTTP"), ("Port", "80"), ("VpcId", &*vpc)];
        self.call(sender, "elasticloadbalancing", "CreateTargetGroup", &input);
        let theirs = self.world.elbv2.target_groups.values().find(|group| group.name == "theirs");
        let (theirs, rest) = (theirs.unwrap().arn.clone(), (100 - blue).to_string());
        let (rule, ours) = (self.names.rules[0].clone(), self.names.sides[0].target_group.clone());
        let group = "Actions.member.1.ForwardConfig.TargetGroups.member";
        let input = [
            ("RuleArn", rule.as_str()),
            ("Actions.member.1.Type", "forward"),
            (&format!("{group}.1.TargetGroupArn"), &ours.unwrap()),
            (&format!("{group}.1.Weight"), &blue.to_string()),
            (&format!("{group}.2.TargetGroupArn"), &theirs),
            (&format!("{group}.2.Weight"), &rest),
        ];
        self.call(sender, "elasticloadbalancing", "ModifyRule", &input);
    }

    /// Reports that the run restores traffic.
    pub(super) fn decide_to_restore(&mut self, run: &str) {
        let event = Event::RollingBack { reason: String::new() };
        self.checkers.reported(self.world.now, run, &event);
    }

    /// Calls UpdateAutoScalingGroup.
    pub(super) fn update(&mut self, sender: &str, group: &str, input: &[(&str, &str)]) {
        let group = [("AutoScalingGroupName", group)];
        self.call(sender, "autoscaling", "UpdateAutoScalingGroup", &[&group[..], input].concat());
    }

    /// Calls CreateLaunchTemplateVersion with a client token.
    pub(super) fn version(&mut self, sender: &str, token: &str) {
        let template = self.names.template.clone();
        let input = [
            ("LaunchTemplateId", template.as_str()),
            ("SourceVersion", "1"),
            ("ClientToken", token),
            ("LaunchTemplateData.InstanceType", "t3.small"),
        ];
        self.call(sender, "ec2", "CreateLaunchTemplateVersion", &input);
    }

    /// Calls StartInstanceRefresh, to a version, replacing all instances at once.
    pub(super) fn refresh(&mut self, sender: &str, group: &str, version: &str) {
        let template = self.names.template.clone();
        let desired = "DesiredConfiguration.LaunchTemplate";
        let input = [
            ("AutoScalingGroupName", group),
            (&format!("{desired}.LaunchTemplateId"), &template),
            (&format!("{desired}.Version"), version),
            ("Preferences.MinHealthyPercentage", "0"),
        ];
        self.call(sender, "autoscaling", "StartInstanceRefresh", &input);
    }

    /// Schedules a scale-in to 0 of a group, in this many seconds.
    pub(super) fn retire(&mut self, sender: &str, group: &str, name: &str, seconds: i64) {
        let at = self.world.now + SignedDuration::from_secs(seconds);
        let at = Timestamp::from_second(at.as_second()).unwrap().to_string();
        let input = [
            ("AutoScalingGroupName", group),
            ("ScheduledActionName", name),
            ("StartTime", &at),
            ("MinSize", "0"),
            ("DesiredCapacity", "0"),
        ];
        self.call(sender, "autoscaling", "PutScheduledUpdateGroupAction", &input);
    }

    /// Scales green up at version 1 and waits until it is healthy.
    pub(super) fn make_green_healthy(&mut self) {
        self.weights("run-1", 100, 0);
        self.update("run-1", GREEN, &[("MinSize", "4")]);
        self.wait(120);
    }

    pub(super) fn ended(&mut self, run: &str, ending: Status, version: u64) {
        let mut outcome = Outcome::new(ending, "");
        outcome.launch_template_version = Some(version);
        self.checkers.ended(&self.world, run, &outcome);
    }

    /// Returns the violations found so far.
    pub(super) fn found(&self) -> Vec<String> {
        texts(self.checkers.violations())
    }

    /// Returns all violations, including those found at the end.
    pub(super) fn finish(self) -> Vec<String> {
        let baseline = Totals::default();
        texts(&self.checkers.finish(&self.world, &baseline))
    }
}

/// Returns a bench with two groups, a claim and a first observation.
pub(super) fn begun() -> CheckerBench {
    let mut stage = CheckerBench::pair();
    stage.claim("run-1", 1);
    stage.look("run-1");
    assert_eq!(stage.found(), [""; 0]);
    stage
}

/// Returns a bench where green is healthy and receives 10%, with no violation.
pub(super) fn split() -> CheckerBench {
    let mut stage = begun();
    stage.make_green_healthy();
    stage.look("run-1");
    stage.weights("run-1", 90, 10);
    assert_eq!(stage.found(), [""; 0]);
    stage
}

/// Asserts that exactly one violation was found and that it contains `what`.
#[track_caller]
pub(super) fn assert_only_violation(stage: &CheckerBench, what: &str) {
    let found = stage.found();
    assert!(found.len() == 1 && found[0].contains(what), "{what}: {found:?}");
}

fn texts(violations: &[Violation]) -> Vec<String> {
    violations.iter().map(|v| format!("{}: {}", v.promise, v.what)).collect()
}

/// Builds a signed request in the service's protocol: JSON for `ssm`, a form for the others.
fn request(service: &str, operation: &str, input: &[(&str, &str)]) -> http::Request<Bytes> {
    let key = sts::ACCESS_KEY;
    let scope = format!("Credential={key}/20260105/ap-northeast-2/{service}/aws4_request");
    let request = http::Request::post(format!("https://{service}.ap-northeast-2.amazonaws.com/"))
        .header("Authorization", format!("AWS4-HMAC-SHA256 {scope}, Signature=0"));
    if service == "ssm" {
        let members = input.iter().map(|(name, value)| match *value {
            "true" => ((*name).to_owned(), serde_json::Value::Bool(true)),
            value => ((*name).to_owned(), value.into()),
        });
        let body = serde_json::Value::Object(members.collect()).to_string();
        return request
            .header("X-Amz-Target", format!("AmazonSSM.{operation}"))
            .body(Bytes::from(body))
            .unwrap();
    }
    let mut body = format!("Action={operation}&Version=1");
    for (name, value) in input {
        let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
        body.push_str(&format!("&{name}={value}"));
    }
    request
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(Bytes::from(body))
        .unwrap()
}
