//! What blocks a rollout is reported before anything changes: each time with a clear message that
//! says what to do, and the account stays as it was.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod lab;
    pub(crate) mod project;
    pub(crate) mod truth;
    pub(crate) mod venv;
}

use support::lab::Lab;
use support::project::{Ended, Project};
use support::{truth, venv};

/// Prepares the account with boto3 and the configuration, runs `verify`, `plan` and `deploy`, and
/// expects this exit code and all of these words each time, and an unchanged account.
fn refused(prepare: &str, configure: impl Fn(&Project), code: i32, says: &[&str]) {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(20), Project::news());
    if !prepare.is_empty() {
        lab.boto(prepare);
    }
    configure(&project);
    let before = truth::of(&lab);
    for verb in ["verify", "plan", "deploy"] {
        tells(&project.run(&lab, &[verb]), code, says);
    }
    assert_eq!(truth::of(&lab), before, "something was changed");
}

fn tells(ended: &Ended, code: i32, says: &[&str]) {
    let outcome = ended.exited(code);
    assert_eq!(
        outcome["outcome"],
        if code == 2 { "refused" } else { "failed" },
        "{}",
        ended.text()
    );
    for words in says {
        assert!(ended.text().contains(words), "`{words}` is not in {}", ended.text());
    }
}

fn as_it_is(_: &Project) {}

#[test]
fn a_group_that_does_not_exist() {
    let configure = |project: &Project| project.change("group: news-green,", "group: news-mauve,");
    refused("", configure, 2, &["news-mauve", "does not exist"]);
}

#[test]
fn a_target_group_that_does_not_exist() {
    let configure =
        |project: &Project| project.change("target_group: news-green", "target_group: news-mauve");
    refused("", configure, 2, &["news-mauve", "does not exist"]);
}

#[test]
fn a_rule_that_does_not_exist() {
    let rule = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:listener-rule/app/news/1111111111111111/\
                2222222222222222/3333333333333333";
    let configure = |project: &Project| {
        project.change("traffic:\n", &format!("traffic:\n  rules: [\"{rule}\"]\n"));
    };
    refused("", configure, 2, &[rule, "does not exist"]);
}

#[test]
fn a_template_that_does_not_exist() {
    let configure = |project: &Project| {
        project.change("base: news ", "base: nothing ");
        project.change("own: news ", "own: nothing ");
    };
    refused("", configure, 2, &["nothing", "does not exist"]);
}

#[test]
fn a_group_at_latest() {
    let prepare =
        "client('autoscaling').update_auto_scaling_group(AutoScalingGroupName='news-blue',
    LaunchTemplate={'LaunchTemplateName': 'news', 'Version': '$Latest'})";
    refused(prepare, as_it_is, 2, &["news-blue", "$Latest"]);
}

#[test]
fn another_group_at_the_templates_latest() {
    let prepare = "client('autoscaling').create_auto_scaling_group(AutoScalingGroupName='batch', MinSize=0, MaxSize=1,
    AvailabilityZones=['ap-northeast-2a'], LaunchTemplate={'LaunchTemplateName': 'news', 'Version': '$Latest'})";
    refused(prepare, as_it_is, 2, &["batch", "$Latest"]);
}

#[test]
fn weights_split_without_a_record() {
    let prepare = "
elb = client('elbv2')
arns = {g['TargetGroupName']: g['TargetGroupArn'] for g in elb.describe_target_groups()['TargetGroups']}
balancer = elb.describe_load_balancers()['LoadBalancers'][0]['LoadBalancerArn']
listener = elb.describe_listeners(LoadBalancerArn=balancer)['Listeners'][0]['ListenerArn']
rule = next(r for r in elb.describe_rules(ListenerArn=listener)['Rules'] if r['Priority'] == '10')
elb.modify_rule(RuleArn=rule['RuleArn'], Actions=[{'Type': 'forward', 'ForwardConfig': {'TargetGroups': [
    {'TargetGroupArn': arns['news-blue'], 'Weight': 70}, {'TargetGroupArn': arns['news-green'], 'Weight': 30}]}}])";
    refused(prepare, as_it_is, 2, &["weight", "no rollout is unfinished"]);
}

#[test]
fn a_suspended_process() {
    let prepare = "client('autoscaling').suspend_processes(
    AutoScalingGroupName='news-green', ScalingProcesses=['Launch'])";
    refused(prepare, as_it_is, 2, &["news-green", "Launch", "resume-processes"]);
}

#[test]
fn no_room_for_the_other_color() {
    let prepare = "client('autoscaling').update_auto_scaling_group(AutoScalingGroupName='news-green', MaxSize=3)";
    refused(prepare, as_it_is, 2, &["news-green", "3", "4"]);
}

#[test]
fn user_data_without_the_image() {
    let prepare = "
client('ec2').create_launch_template_version(LaunchTemplateName='news', SourceVersion='1', LaunchTemplateData={
    'UserData': base64.b64encode(b'#!/bin/sh\\necho hello\\n').decode()})
client('autoscaling').update_auto_scaling_group(AutoScalingGroupName='news-blue',
    LaunchTemplate={'LaunchTemplateName': 'news', 'Version': '2'})";
    refused(
        prepare,
        as_it_is,
        2,
        &["123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/news", "user data"],
    );
}

/// Instances pull from the first repository; the image is pushed to the others as well.
#[test]
fn a_second_repository_that_does_not_exist() {
    let configure = |project: &Project| {
        let news = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/news";
        project.change(&format!("[{news}]"), &format!("[{news}, {news}-copy]"));
    };
    refused("", configure, 2, &["news-copy", "does not exist", "create-repository"]);
}

/// `verify`, which asks about a workflow's deployment, does not need what only a workflow run
/// knows.
#[test]
fn a_tag_that_only_a_workflow_run_has() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(20), Project::news());
    project.change("  push: [", "  tags: [\"{commit}\"]\n  push: [");
    let says = "the tag `{commit}` needs {commit}, which only a workflow run has";
    tells(&project.run(&lab, &["deploy"]), 2, &[says]);
    tells(&project.run(&lab, &["plan"]), 2, &[says]);
    let verified = project.run(&lab, &["verify"]);
    assert_eq!(verified.exited(0)["outcome"], "succeeded");
    assert!(verified.text().contains(says), "{}", verified.text());
}

#[test]
fn a_template_full_of_versions() {
    // Ten thousand calls: the quota. Without boto3, which would take too long.
    let prepare = "
import http.client, os
lab = http.client.HTTPConnection(os.environ['AWS_ENDPOINT_URL'].removeprefix('http://'))
body = ('Action=CreateLaunchTemplateVersion&Version=2016-11-15&LaunchTemplateName=news'
        '&LaunchTemplateData.InstanceType=t3.nano')
scope = f\"Credential={os.environ['AWS_ACCESS_KEY_ID']}/20260105/ap-northeast-2/ec2/aws4_request\"
headers = {'Content-Type': 'application/x-www-form-urlencoded', 'Authorization': f'AWS4-HMAC-SHA256 {scope}, Signature=0'}
for _ in range(9_999):
    lab.request('POST', '/', body, headers)
    answer = lab.getresponse()
    text = answer.read()
    assert answer.status == 200, text";
    refused(prepare, as_it_is, 2, &["news", "10000 versions", "delete"]);
}

#[test]
fn an_image_that_is_not_in_the_registry() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(20), Project::news());
    let before = truth::of(&lab);
    let image =
        format!("123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/news@sha256:{}", "0".repeat(64));
    let says = &["is not in the registry"];
    tells(&project.run(&lab, &["deploy", "--image", &image]), 2, &[says[0], "push it first"]);
    let plan = project.run(&lab, &["plan", "--image", &image]);
    tells(&plan, 2, says);
    tells(&project.run(&lab, &["deploy", "--image", "news:latest"]), 2, &["--image", "digest"]);
    assert_eq!(truth::of(&lab), before);
}

#[test]
fn another_account() {
    let configure = |project: &Project| {
        project.change("account: \"123456789012\"", "account: \"210987654321\"");
        project.change("push: [123456789012.", "push: [210987654321.");
    };
    refused("", configure, 2, &["returned another account", "210987654321", "123456789012"]);
}

#[test]
fn a_role_that_cannot_be_assumed() {
    let configure = |project: &Project| {
        project.change("account:", "role: arn:aws:iam::123456789012:role/nobody\naccount:");
    };
    refused("", configure, 1, &["role/nobody", "sts:AssumeRole"]);
}

#[test]
fn a_workflow_whose_token_the_role_does_not_trust() {
    if venv::program("python").is_none() {
        return;
    }
    let (lab, project) = (Lab::serve(20), Project::news());
    project.change("account:", "role: arn:aws:iam::123456789012:role/deploy-news\naccount:");
    lab.boto(
        "
iam = client('iam')
trust = json.dumps(iam.get_role(RoleName='deploy-news')['Role']['AssumeRolePolicyDocument'])
iam.update_assume_role_policy(RoleName='deploy-news', PolicyDocument=trust.replace('acme/news', 'acme/other'))",
    );
    let before = truth::of(&lab);
    let ended = project.start_with(&lab, &["deploy"], lab.github()).ended();
    // The token's claims, and what the role would accept.
    tells(
        &ended,
        1,
        &["repo:acme/news:ref:refs/heads/main", "sts.amazonaws.com", "role/deploy-news"],
    );
    assert_eq!(truth::of(&lab), before);
}

#[test]
fn a_configuration_that_cannot_be_read() {
    let (lab, project) = (Lab::serve(20), Project::news());
    project.change("strategy: canary", "strategie: canary");
    tells(&project.run(&lab, &["deploy"]), 2, &["strategie", "cutover.yaml:"]);
    tells(&project.run(&lab, &["plan", "--config", "none.yaml"]), 2, &["none.yaml"]);
}

/// An image assembled from `image.files` is in no engine, and is already compressed.
#[test]
fn options_that_apply_only_to_built_images() {
    let (lab, project) = (Lab::serve(20), Project::news());
    for verb in ["deploy", "push"] {
        let ended = project.run(&lab, &[verb, "--compression", "zstd"]);
        tells(&ended, 2, &["--compression zstd", "image.build"]);
    }
    let ended = project.run(&lab, &["push", "--tag", "not a tag"]);
    tells(&ended, 2, &["`not a tag` is not a valid tag"]);
    let ended = project.run(&lab, &["build", "--tag", "news:1"]);
    tells(&ended, 2, &["--tag news:1", "cutover push --tag TAG"]);
}

#[test]
fn an_endpoint_that_does_not_answer() {
    let project = Project::news();
    let lab = Lab::serve(20);
    let gone = [("AWS_ENDPOINT_URL".to_owned(), "http://127.0.0.1:9".to_owned())];
    tells(&project.start_with(&lab, &["deploy"], &gone).ended(), 1, &["127.0.0.1:9"]);
}
