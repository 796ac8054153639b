//! A service from scratch, and a second group: the CloudFormation templates that cutover writes.
//!
//! The lab has no CloudFormation. `stack_runner` reads a template and makes the API calls that it
//! stands for, in an empty account; then cutover deploys there as the template's own role, whose
//! permissions the lab enforces; and then everything is deleted. `cfn-lint` checks whether
//! CloudFormation would accept the templates.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod lab;
    pub(crate) mod project;
    pub(crate) mod stacks;
    pub(crate) mod venv;
}

use std::path::Path;
use std::process::Command;

use cutover::scaffold::stack::{Forward, SecondGroup, Stack, cloudformation, terraform, user_data};
use cutover_lab::services::{ec2, ecr, iam, ssm};
use serde_json::{Value, json};
use support::lab::Lab;
use support::project::Project;
use support::{stacks, venv};
use tempfile::TempDir;

const SPEED: u32 = 120;

const REGISTRY: &str = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com";

/// A template that the runner has created.
struct Created<'a> {
    lab: &'a Lab,
    folder: TempDir,
    outputs: Value,
}

impl Created<'_> {
    fn new<'a>(lab: &'a Lab, name: &str, template: &str, parameters: &[&str]) -> Created<'a> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("{name}.yaml"));
        std::fs::write(&path, template).unwrap();
        let state = folder.path().join("state.json");
        let mut command = runner(lab);
        command.arg("create").args([&path, &state]).args(parameters);
        let outputs = serde_json::from_str(&succeeds(command)).unwrap();
        Created { lab, folder, outputs }
    }

    fn delete(self) {
        let mut command = runner(self.lab);
        command.arg("delete").arg(self.folder.path().join("state.json"));
        succeeds(command);
    }
}

fn runner(lab: &Lab) -> Command {
    let mut command = lab.command(venv::program("python").unwrap());
    let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack_runner/main.py");
    command.arg("-B").arg(main);
    command
}

fn succeeds(mut command: Command) -> String {
    let output = command.output().unwrap();
    let (out, err) = (&output.stdout, &output.stderr);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", text(out), text(err));
    String::from_utf8(out.clone()).unwrap()
}

/// Returns everything that was created in the account, except the service's ledger.
fn leftovers(lab: &Lab) -> Vec<String> {
    lab.world(|world| {
        let groups = world.autoscaling.groups.keys().cloned().collect();
        let balancing = &world.elbv2;
        let balancing: Vec<String> = [
            balancing.load_balancers.keys().cloned().collect::<Vec<_>>(),
            balancing.target_groups.keys().cloned().collect(),
            balancing.listeners.keys().cloned().collect(),
            balancing.rules.keys().cloned().collect(),
        ]
        .concat();
        let parameters = ssm::leftovers(world).into_iter();
        let parameters = parameters.filter(|name| !name.starts_with("/cutover/")).collect();
        [
            ec2::leftovers(world),
            groups,
            balancing,
            ecr::leftovers(world),
            iam::leftovers(world),
            parameters,
        ]
        .concat()
    })
}

/// Waits until a target group has this many targets, all healthy.
fn healthy(lab: &Lab, target_group: &str, count: usize) {
    let script = format!(
        "elb = client('elbv2')
arn = elb.describe_target_groups(Names=['{target_group}'])['TargetGroups'][0]['TargetGroupArn']
for _ in range(300):
    targets = elb.describe_target_health(TargetGroupArn=arn)['TargetHealthDescriptions']
    result = [target['TargetHealth']['State'] for target in targets]
    if result == ['healthy'] * {count}:
        break
    time.sleep(0.2)
"
    );
    assert_eq!(lab.boto(&script), json!(vec!["healthy"; count]));
}

/// Returns the version that answers `path`.
fn answers(lab: &Lab, path: &str) -> Value {
    let url = format!("{}{path}", lab.url());
    lab.boto(&format!(
        "import urllib.request\nresult = urllib.request.urlopen('{url}').headers['x-lab-version']"
    ))
}

/// Returns a project that deploys to a stack: what `cutover init` would write, with a short canary.
fn project(lab: &Lab, stack: &Stack, role: &str) -> Project {
    let project = Project::news();
    let Stack { service, repository, .. } = stack;
    let (blue, green) = (stack.blue(), stack.green());
    let yaml = format!(
        "version: 1
service: {service}
region: ap-northeast-2
account: \"123456789012\"
role: {role}
image:
  files: [{{ from: site, to: /srv/www }}]
  cmd: [/bin/serve, /srv/www]
  labels: {{ lab.version: v2 }}
  push: [{REGISTRY}/{repository}]
template: {{ base: {service}, user_data: {{ file: user-data.sh }} }}
fleet:
  blue: {{ group: {blue}, target_group: {blue} }}
  green: {{ group: {green}, target_group: {green} }}
traffic: {{ test: {{ header: {{ X-Cutover: next }}, url: \"{url}\" }} }}
strategy: canary
canary: {{ steps: [50, 100], bake: 1m }}
smoke: [{{ path: /healthz }}]
judge: {{ errors_5xx: {{ max: 1%, min_requests: 100 }} }}
rollback_window: 10m
",
        url = lab.url(),
    );
    project.write("cutover.yaml", &yaml);
    project.write("user-data.sh", &user_data(stack).unwrap());
    project
}

#[test]
fn a_stack_from_scratch_is_deployed_to_and_deleted() {
    if venv::program("python").is_none() {
        return;
    }
    let lab = Lab::empty(SPEED, |world| world.iam.enforced = true);
    let stack = stacks::of_the_labs_job();
    let created = Created::new(&lab, "news", &cloudformation(&stack).unwrap(), &[]);
    healthy(&lab, &stack.blue(), 2);
    assert_eq!(answers(&lab, "/"), "nginx");
    lab.world(|world| world.traffic.rate = 50.0);

    let role = created.outputs["DeployRoleArn"].as_str().unwrap();
    let project = project(&lab, &stack, role);
    let run = |arguments: &[&str]| project.start_with(&lab, arguments, lab.github()).ended();
    let verified = run(&["verify"]);
    verified.exited(0);
    // Containers can't reach the instance's role by design, and `verify` says so.
    let topics = verified.events.iter().filter(|event| event["event"] == "finding");
    let topics: Vec<String> = topics.map(|finding| finding["message"].to_string()).collect();
    assert!(topics.len() == 1 && topics[0].contains("hop limit of 1"), "{topics:?}");
    let plan = run(&["plan"]);
    plan.exited(0);

    let first = run(&["deploy"]);
    let outcome = first.exited(0);
    assert_eq!(outcome["outcome"], "succeeded", "{}", first.text());
    assert_eq!(outcome["shares"], json!({ "blue": 0, "green": 100 }));
    assert_eq!(answers(&lab, "/"), "v2");

    project.edition("the next one");
    let pushed = run(&["push"]);
    let image = pushed.exited(0)["image"].as_str().unwrap();
    let second = run(&["deploy", "--image", image]);
    assert_eq!(second.exited(0)["shares"], json!({ "blue": 100, "green": 0 }), "{}", second.text());
    let totals = lab.world(|world| world.traffic.totals().clone());
    assert!(totals["v2"].failed == 0 && totals["nginx"].failed == 0, "{totals:?}");

    // Versions that cutover created, a scheduled scale-in and images don't prevent the deletion.
    let scheduled = lab
        .world(|world| !world.autoscaling.groups.values().all(|group| group.scheduled.is_empty()));
    assert!(scheduled, "the old group should still be scheduled to scale in");
    created.delete();
    assert_eq!(leftovers(&lab), [""; 0]);
}

/// From an empty account to a rollout with what `init` writes, without an edit. Only the image
/// comes from elsewhere.
#[test]
fn what_init_writes_from_scratch_is_deployed_to() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::empty(SPEED, |_| ()), Project::empty());
    let options = ["--service", "hello", "--repository", "acme/hello", "--health-path", "/healthz"];
    let written = project.run(&lab, &[&["init", "--from-scratch"][..], &options].concat());
    assert_eq!(written.exited(0)["complete"], true, "{}", written.text());
    let template = std::fs::read_to_string(project.path().join("deploy/stack.yaml")).unwrap();
    let created = Created::new(&lab, "hello", &template, &[]);
    healthy(&lab, "hello-blue", 2);

    let build = Project::news();
    build.write(
        "cutover.yaml",
        &format!(
            "version: 1\nservice: hello\nregion: ap-northeast-2\nfleet: {{ group: none }}\nstrategy: rolling\n\
             image:\n  files: [{{ from: site, to: /srv/www }}]\n  cmd: [/bin/serve, /srv/www]\n  \
             labels: {{ lab.version: v1 }}\n  push: [{REGISTRY}/hello]\n"
        ),
    );
    let pushed = build.run(&lab, &["push"]);
    let image = pushed.exited(0)["image"].as_str().unwrap().to_owned();
    project.run(&lab, &["verify"]).exited(0);
    project.run(&lab, &["plan", "--image", &image]).exited(0);
    let deployed = project.run(&lab, &["deploy", "--image", &image]);
    assert_eq!(deployed.exited(0)["outcome"], "succeeded", "{}", deployed.text());
    assert_eq!(answers(&lab, "/"), "v1");
    created.delete();
    assert_eq!(leftovers(&lab), [""; 0]);
}

/// The same with Terraform itself, whose plan after a rollout is empty.
#[test]
#[ignore = "needs terraform and its AWS provider, which scripts/test does not install"]
fn terraform_creates_it_plans_nothing_after_a_rollout_and_deletes_it() {
    venv::program("python").unwrap();
    let lab = Lab::empty(SPEED, |world| world.iam.enforced = true);
    let stack = stacks::of_the_labs_job();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.tf"), terraform(&stack).unwrap()).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = lab.command("terraform");
        command.current_dir(folder.path()).args(arguments);
        succeeds(command)
    };
    run(&["fmt", "-check", "-diff"]);
    run(&["init", "-no-color"]);
    run(&["apply", "-no-color", "-auto-approve"]);
    let outputs: Value = serde_json::from_str(&run(&["output", "-json"])).unwrap();
    let role = outputs["cutover"]["value"]["role"].as_str().unwrap();
    healthy(&lab, &stack.blue(), 2);
    lab.world(|world| world.traffic.rate = 50.0);
    let project = project(&lab, &stack, role);
    let deployed = project.start_with(&lab, &["deploy"], lab.github()).ended();
    assert_eq!(deployed.exited(0)["outcome"], "succeeded", "{}", deployed.text());
    // The exit code is 2 if there is something to change.
    run(&["plan", "-no-color", "-detailed-exitcode"]);
    run(&["destroy", "-no-color", "-auto-approve"]);
    assert_eq!(leftovers(&lab), [""; 0]);
}

#[test]
fn a_second_group_joins_a_live_one() {
    if venv::program("python").is_none() {
        return;
    }
    let lab = Lab::serve_with(SPEED, &["--fleet", "one-group"]);
    let second = beside_news(&lab);
    let template = second.cloudformation().unwrap();
    // It can be deleted again as long as no rule forwards to it.
    Created::new(&lab, "second", &template, &[]).delete();
    let created = Created::new(&lab, "second", &template, &[]);

    let project = Project::quick();
    project.change(
        "{ group: news-blue,  target_group: news-blue }",
        "{ group: news, target_group: news }",
    );
    let verified = project.run(&lab, &["verify"]);
    verified.exited(0);
    let deployed = project.run(&lab, &["deploy"]);
    let outcome = deployed.exited(0);
    assert_eq!(outcome["outcome"], "succeeded", "{}", deployed.text());
    assert_eq!(outcome["shares"], json!({ "blue": 0, "green": 100 }));
    assert!(
        created.outputs["TargetGroupArn"].as_str().unwrap().contains("targetgroup/news-green/")
    );
}

/// The printed command that adds the target group by hand does what the first rollout does.
#[test]
fn the_printed_command_makes_the_rule_weighted() {
    let (Some(_), Some(aws)) = (venv::program("python"), venv::program("aws")) else { return };
    let lab = Lab::serve_with(SPEED, &["--fleet", "one-group"]);
    let second = beside_news(&lab);
    let created = Created::new(&lab, "second", &second.cloudformation().unwrap(), &[]);
    let lines = second.weighted_rules().unwrap();
    let mut shell = lab.command("bash");
    let path = format!("{}:{}", aws.parent().unwrap().display(), std::env::var("PATH").unwrap());
    shell.args(["-euc", &lines.join("\n")]).env("PATH", path);
    shell.env("GREEN", created.outputs["TargetGroupArn"].as_str().unwrap());
    succeeds(shell);
    let weights = lab.boto(&format!(
        "rule = client('elbv2').describe_rules(RuleArns=['{}'])['Rules'][0]
result = [[group['TargetGroupArn'].split('/')[1], group['Weight']]
          for group in rule['Actions'][0]['ForwardConfig']['TargetGroups']]",
        second.forwards[0].arn
    ));
    assert_eq!(weights, json!([["news", 100], ["news-green", 0]]));
}

/// Returns the second group for the lab's world with one group, from what the account contains.
fn beside_news(lab: &Lab) -> SecondGroup {
    let facts = lab.boto(
        "elb, asg = client('elbv2'), client('autoscaling')
group = asg.describe_auto_scaling_groups(AutoScalingGroupNames=['news'])['AutoScalingGroups'][0]
target = elb.describe_target_groups(Names=['news'])['TargetGroups'][0]
listener = elb.describe_listeners(LoadBalancerArn=target['LoadBalancerArns'][0])['Listeners'][0]['ListenerArn']
rule = next(r for r in elb.describe_rules(ListenerArn=listener)['Rules'] if r['Priority'] == '10')
result = dict(vpc=target['VpcId'], target_group=target['TargetGroupArn'], listener=listener, rule=rule['RuleArn'],
              template=group['LaunchTemplate']['LaunchTemplateId'], subnets=group['VPCZoneIdentifier'].split(','))",
    );
    let text = |key: &str| facts[key].as_str().unwrap().to_owned();
    SecondGroup {
        live_group: "news".to_owned(),
        group: "news-green".to_owned(),
        vpc: text("vpc"),
        launch_template: text("template"),
        version: 1,
        subnets: serde_json::from_value(facts["subnets"].clone()).unwrap(),
        listener: text("listener"),
        attributes: vec![("deregistration_delay.timeout_seconds".to_owned(), "30".to_owned())],
        conditions: Vec::new(),
        forwards: vec![Forward {
            arn: text("rule"),
            is_default: false,
            target_group: text("target_group"),
            stickiness: None,
            alone: true,
        }],
        ..stacks::second_group()
    }
}

#[test]
fn cfn_lint_accepts_every_template() {
    let Some(lint) = venv::program("cfn-lint") else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, template) in stacks::cloudformation_templates() {
        std::fs::write(folder.path().join(format!("{name}.yaml")), template).unwrap();
    }
    let files = folder.path().join("*.yaml");
    let mut command = Command::new(lint);
    // No check is left out.
    command.args(["--regions", "ap-northeast-2", "--include-checks", "I", "--"]).arg(files);
    let output = command.output().unwrap();
    let found = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && found.is_empty(), "{found}");
}
