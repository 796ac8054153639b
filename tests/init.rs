//! What `cutover init` does with files, options and permissions. init_worlds.rs tests what it finds
//! in accounts of every kind.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod lab;
    pub(crate) mod project;
    pub(crate) mod venv;
}

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use support::lab::Lab;
use support::project::Project;
use support::venv;

const WORKFLOW: &str = ".github/workflows/deploy.yml";

fn init(lab: &Lab, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = lab.command(env!("CARGO_BIN_EXE_cutover"));
    command.arg("init").args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns the names of all files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.is_dir() {
            true => found.extend(files(&entry)),
            false => found.push(entry.file_name().unwrap().to_str().unwrap().to_owned()),
        }
    }
    found.sort();
    found
}

const FOUND: [&str; 4] = ["--group", "news-blue", "--repository", "acme/news"];

#[test]
fn an_existing_file_is_overwritten_only_by_force() {
    let (lab, project) = (Lab::serve(60), Project::empty());
    let folder = project.path();
    assert_eq!(init(&lab, folder, &FOUND).status.code(), Some(0));
    assert_eq!(files(folder), ["cutover.yaml", "deploy.yml", "role.sh"]);
    project.write("cutover.yaml", "mine\n");

    let again = init(&lab, folder, &FOUND);
    assert_eq!(again.status.code(), Some(2));
    assert!(
        text(&again.stderr).contains("cutover.yaml and .github/workflows/deploy.yml"),
        "{}",
        text(&again.stderr)
    );
    assert_eq!(fs::read_to_string(folder.join("cutover.yaml")).unwrap(), "mine\n");

    let printed = init(&lab, folder, &[&FOUND[..], &["--print"]].concat());
    assert_eq!(printed.status.code(), Some(0));
    assert!(text(&printed.stdout).contains("service: news #"), "{}", text(&printed.stdout));
    assert_eq!(fs::read_to_string(folder.join("cutover.yaml")).unwrap(), "mine\n");

    assert_eq!(init(&lab, folder, &[&FOUND[..], &["--force"]].concat()).status.code(), Some(0));
    assert!(fs::read_to_string(folder.join("cutover.yaml")).unwrap().contains("service: news #"));
}

#[test]
fn nothing_is_written_if_one_file_cannot_be() {
    let (lab, project) = (Lab::serve(60), Project::empty());
    let folder = project.path();
    // A folder in place of the workflow file, then a file in place of its folder.
    fs::create_dir_all(folder.join(WORKFLOW)).unwrap();
    project.write("cutover.yaml", "mine\n");
    let refused = init(&lab, folder, &[&FOUND[..], &["--force"]].concat());
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert_eq!(files(folder), ["cutover.yaml"]);
    assert_eq!(fs::read_to_string(folder.join("cutover.yaml")).unwrap(), "mine\n");

    fs::remove_dir_all(folder.join(".github")).unwrap();
    project.write(".github", "a file\n");
    let failed = init(&lab, folder, &[&FOUND[..], &["--force"]].concat());
    assert_eq!(failed.status.code(), Some(1), "{}", text(&failed.stderr));
    assert_eq!(files(folder), [".github", "cutover.yaml"]);
    assert_eq!(fs::read_to_string(folder.join("cutover.yaml")).unwrap(), "mine\n");
}

#[test]
fn a_denied_read_is_named_and_the_rest_is_written() {
    if venv::program("python").is_none() {
        return;
    }
    let scenario = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    fs::write(scenario.path(), "iam: enforced\n").unwrap();
    let lab = Lab::serve_with(60, &["--scenario", scenario.path().to_str().unwrap()]);
    let session = lab.boto(
        "import json
iam = client('iam')
def document(**statement): return json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', **statement}]})
iam.create_role(RoleName='reader', AssumeRolePolicyDocument=document(Principal={'AWS': '123456789012'}, Action='sts:AssumeRole'))
allowed = ['autoscaling:Describe*', 'elasticloadbalancing:DescribeTargetGroups', 'elasticloadbalancing:DescribeLoadBalancers',
           'elasticloadbalancing:DescribeListeners', 'ec2:Describe*']
iam.put_role_policy(RoleName='reader', PolicyName='read', PolicyDocument=document(Action=allowed, Resource='*'))
result = client('sts').assume_role(RoleArn='arn:aws:iam::123456789012:role/reader', RoleSessionName='reader')['Credentials']
result = {key: str(value) for key, value in result.items()}",
    );
    let key = |name: &str| session[name].as_str().unwrap().to_owned();
    let project = Project::empty();
    let mut command = lab.command(env!("CARGO_BIN_EXE_cutover"));
    command.args(["init", "--group", "news-blue", "--group", "news-green", "--format", "json"]);
    command.args(["--repository", "acme/news"]).current_dir(project.path());
    command.env("AWS_ACCESS_KEY_ID", key("AccessKeyId"));
    command.env("AWS_SECRET_ACCESS_KEY", key("SecretAccessKey"));
    command.env("AWS_SESSION_TOKEN", key("SessionToken"));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}{}", text(&output.stdout), text(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["complete"], false);
    assert!(found["notes"].to_string().contains("elasticloadbalancing:DescribeRules"), "{found}");
    let yaml = fs::read_to_string(project.path().join("cutover.yaml")).unwrap();
    assert!(
        yaml.contains("# Cannot determine ")
            && yaml.contains("`elasticloadbalancing:DescribeRules`"),
        "{yaml}"
    );
    assert!(yaml.contains("group: news-blue") && yaml.contains("push: ["), "{yaml}");
    // A script that lacks a permission stops before it replaces anything.
    let script = fs::read_to_string(project.path().join("deploy/role.sh")).unwrap();
    let (head, _) = script.split_once("aws iam").unwrap();
    assert!(head.contains("# INCOMPLETE") && head.contains("exit 1"), "{script}");
}

#[test]
fn wrong_options_are_refused_before_anything_is_written() {
    let (lab, project) = (Lab::serve(60), Project::empty());
    for (arguments, expected) in [
        (&["--group", "news-bleu"][..], "existing ones are `news-blue`"),
        (&["--load-balancer", "nwes"], "existing ones are `news`"),
        (&["--group", "news-blue", "--service", "News!"], "is not a valid service name"),
        (&["--group", "news-blue", "--repository", "acme"], "is not OWNER/NAME"),
        (&["--group", "news-blue", "--environment", "a\nb"], "is not a valid environment name"),
        (
            &["--group", "news-blue", "--environment", "${{ secrets.X }}"],
            "is not a valid environment name",
        ),
        (&["--group", "news-blue", "--port", "9"], "--from-scratch"),
        (&["--from-scratch"], "--service"),
        (
            &["--from-scratch", "--service", "hello", "--health-path", "/../etc"],
            "is not a valid health check path",
        ),
        (
            &["--from-scratch", "--service", "hello", "--vpc", "vpc-1", "--subnet", "subnet-1"],
            "--subnet",
        ),
        (&["--second-group", "--group", "news-blue"], "are already two groups of one service"),
    ] {
        let refused = init(&lab, project.path(), arguments);
        let reported = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {reported}");
        assert!(reported.contains(expected), "{arguments:?}: {reported}");
    }
    assert_eq!(files(project.path()), [""; 0]);
}
