//! `cutover iam` prints what a deployment needs, in a form that can be applied as printed.
//! src/rehearse/permissions shows that the policy allows no action too many.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod permissions {
    pub(crate) mod lint;
}
mod support {
    pub(crate) mod lab;
    pub(crate) mod project;
    pub(crate) mod venv;
}

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use cutover::iam::CALLS;
use serde_json::Value;

use permissions::lint;
use support::lab::Lab;
use support::project::Project;
use support::venv;

/// The printed role, named differently from the lab's own.
const ROLE: &str = "arn:aws:iam::123456789012:role/deployer";

/// The lab's repository, with the IDs in its tokens.
const REPOSITORY: [&str; 6] =
    ["--repository", "acme/news", "--repository-id", "1296269", "--owner-id", "9919"];

/// Returns a lab that enforces policies and has a job in the environment production.
fn enforcing(folder: &Path, deploy_policy: &str) -> Lab {
    let scenario = format!(
        "iam: enforced\njob: {{ environment: production, immutable_subject: true }}\n\
         deploy_trust: \"repo:acme@9919/news@1296269:environment:production\"\n{deploy_policy}"
    );
    let file = folder.join("scenario.yaml");
    fs::write(&file, scenario).unwrap();
    Lab::serve_with(60, &["--scenario", file.to_str().unwrap()])
}

fn iam(lab: &Lab, project: &Project, arguments: &[&str]) -> Output {
    let mut command = lab.command(env!("CARGO_BIN_EXE_cutover"));
    command.arg("iam").args(arguments).current_dir(project.path());
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns what is printed; asserts success.
#[track_caller]
fn printed(lab: &Lab, project: &Project, format: &str) -> String {
    let arguments = [&REPOSITORY[..], &["--format", format]].concat();
    let output = iam(lab, project, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn the_printed_commands_create_a_role_that_deploys() {
    let Some(aws) = venv::program("aws") else { return };
    let (folder, project) = (tempfile::tempdir().unwrap(), Project::quick());
    let lab = enforcing(folder.path(), "");
    // The account's OIDC provider is deleted, so that the printed commands create it.
    lab.boto("iam = client('iam')\nfor one in iam.list_open_id_connect_providers()['OpenIDConnectProviderList']: iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=one['Arn'])");
    project.change("version: 1\n", &format!("version: 1\nrole: {ROLE}\n"));
    let commands = printed(&lab, &project, "human");
    assert!(commands.contains("aws iam create-open-id-connect-provider "), "{commands}");
    assert!(commands.contains("aws iam create-role --role-name deployer "), "{commands}");
    project.write("create.sh", &format!("set -eu\n{commands}"));
    let path = format!(
        "{}:{}",
        aws.parent().unwrap().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut shell = lab.command("bash");
    shell.arg("create.sh").current_dir(project.path()).env("PATH", path);
    let created = shell.output().unwrap();
    assert!(created.status.success(), "{}\n{commands}", text(&created.stderr));

    let deployed = project.start_with(&lab, &["deploy"], lab.github()).ended();
    assert_eq!(deployed.exited(0)["outcome"], "succeeded", "{}", deployed.text());
    let session = lab.boto("result = client('iam').get_role(RoleName='deployer')['Role']");
    assert!(session["RoleLastUsed"]["LastUsedDate"].is_string(), "{session}");

    // Now that the role exists, its trust policy is replaced and nothing is created twice.
    let again = printed(&lab, &project, "human");
    assert!(again.contains("aws iam update-assume-role-policy --role-name deployer "), "{again}");
    assert!(!again.contains("aws iam create-"), "{again}");
}

#[test]
fn one_object_holds_both_documents() {
    let (lab, project) = (Lab::serve(60), Project::news());
    let object: Value = serde_json::from_str(&printed(&lab, &project, "json")).unwrap();
    let members: Vec<&String> = object.as_object().unwrap().keys().collect();
    assert_eq!(members, ["role", "trust", "permissions"]);
    assert_eq!(object["role"], "deploy-news");
    let condition = &object["trust"]["Statement"][0]["Condition"]["StringEquals"];
    let issuer = "token.actions.githubusercontent.com";
    assert_eq!(condition[format!("{issuer}:aud")], "sts.amazonaws.com");
    assert_eq!(condition[format!("{issuer}:repository_id")], "1296269");
    assert_eq!(
        condition[format!("{issuer}:sub")],
        serde_json::json!([
            "repo:acme/news:environment:production",
            "repo:acme@9919/news@1296269:environment:production"
        ])
    );
    let compact = object["permissions"].to_string();
    // Every resource is named: only reads and launches are allowed on `*`.
    for statement in object["permissions"]["Statement"].as_array().unwrap() {
        let everything = statement["Resource"] == "*";
        let may = ["Read", "LaunchByTemplate"].contains(&statement["Sid"].as_str().unwrap());
        assert_eq!(everything, may, "{statement:#}");
    }
    assert!(compact.contains("listener-rule/app/news/"), "{compact}");
    assert!(compact.contains("role/news-instance"), "{compact}");
}

#[test]
fn templates_pass_their_tools_checks() {
    let folder = tempfile::tempdir().unwrap();
    let (lab, project) = (Lab::serve(60), Project::news());
    lint::cloudformation(&lab, folder.path(), &printed(&lab, &project, "cloudformation"));
    let file = printed(&lab, &project, "terraform");
    let body = hcl::parse(&file).unwrap();
    assert!(body.blocks().count() >= 4);
    if let Some(blocks) = lint::terraform(&lab, &file) {
        assert_eq!(
            blocks,
            [
                "data aws_iam_openid_connect_provider",
                "resource aws_iam_role",
                "resource aws_iam_role_policy",
                "output role_arn"
            ]
        );
    }
}

#[test]
fn a_denied_read_is_reported_as_a_gap() {
    if venv::program("python").is_none() {
        return;
    }
    let (folder, project) = (tempfile::tempdir().unwrap(), Project::news());
    let lab = enforcing(
        folder.path(),
        "deploy_policy: '{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":[\
         \"autoscaling:Describe*\",\"ec2:Describe*\",\"ecr:Get*\",\"iam:GetRole\"],\"Resource\":\"*\"}}'\n",
    );
    let (url, token) = (&lab.github()[0].1, &lab.github()[1].1);
    let session = lab.boto(&format!(
        "import urllib.request as web\n\
         asked = web.Request('{url}&audience=sts.amazonaws.com', headers={{'Authorization': 'bearer {token}'}})\n\
         token = json.load(web.urlopen(asked))['value']\n\
         result = client('sts').assume_role_with_web_identity(RoleArn='arn:aws:iam::123456789012:role/deploy-news', \
         RoleSessionName='limited', WebIdentityToken=token)['Credentials']\n"
    ));
    let of = |key: &str| session[key].as_str().unwrap().to_owned();
    let limited = |format: &str| {
        let mut command = lab.command(env!("CARGO_BIN_EXE_cutover"));
        command.arg("iam").args(REPOSITORY).args(["--format", format]).current_dir(project.path());
        command.env("AWS_ACCESS_KEY_ID", of("AccessKeyId"));
        command.env("AWS_SECRET_ACCESS_KEY", of("SecretAccessKey"));
        command.env("AWS_SESSION_TOKEN", of("SessionToken"));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let object: Value = serde_json::from_str(&limited("json")).unwrap();
    let gaps = object["gaps"].as_array().unwrap();
    let actions: BTreeSet<&str> = gaps.iter().map(|gap| gap["action"].as_str().unwrap()).collect();
    let expected = [
        "elasticloadbalancing:DescribeTargetGroups",
        "iam:GetInstanceProfile",
        "iam:GetOpenIDConnectProvider",
    ];
    assert_eq!(actions, BTreeSet::from(expected), "{object:#}");
    let what = gaps.iter().find(|gap| gap["action"] == "iam:GetInstanceProfile").unwrap();
    assert!(what["what"].as_str().unwrap().contains("the policy lacks iam:PassRole"), "{what}");
    let compact = object["permissions"].to_string();
    assert!(!compact.contains("iam:PassRole") && !compact.contains("ModifyRule"), "{compact}");
    assert!(
        compact.contains("ec2:CreateTags"),
        "the policy contains what could be read: {compact}"
    );
    let commands = limited("human");
    assert!(commands.starts_with("# INCOMPLETE"), "{commands}");
    assert!(commands.contains("`iam:GetInstanceProfile` is not allowed\n"), "{commands}");
    assert!(commands.contains("unless the account already has it"), "{commands}");
}

#[test]
fn options_that_cannot_be_inferred_are_required() {
    let (lab, project) = (Lab::serve(60), Project::news());
    let refused = |arguments: &[&str]| {
        let output = iam(&lab, &project, arguments);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        text(&output.stderr)
    };
    assert!(
        refused(&[]).contains("--repository OWNER/NAME"),
        "the repository is not known from git or a workflow"
    );
    assert!(refused(&["--repository", "acme"]).contains("OWNER/NAME"));
    assert!(refused(&["--repository", "a/b", "--role", "de ploy"]).contains("--role"));
    // The configuration's account check applies here, too.
    project.change("account: \"123456789012\"", "account: \"210987654321\"");
    assert!(refused(&["--repository", "acme/news"]).contains("210987654321"));
}

/// Collects every operation that `aws/src` names, as IAM writes it.
fn operations(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            operations(&path, found);
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        // Names in tests are not calls.
        let source = source.split("#[cfg(test)]").next().unwrap();
        for literal in source.split('"').skip(1).step_by(2) {
            let is_operation = literal.split_once(':').is_some_and(|(service, operation)| {
                let services = [
                    "autoscaling",
                    "cloudwatch",
                    "ec2",
                    "ecr",
                    "elasticloadbalancing",
                    "iam",
                    "ssm",
                ];
                services.contains(&service)
                    && operation.starts_with(|c: char| c.is_ascii_uppercase())
            });
            if is_operation && literal.chars().all(|c| c.is_ascii_alphanumeric() || c == ':') {
                found.insert(literal.to_owned());
            }
        }
    }
}

/// Operations that only a person who prints policies calls.
const OF_A_PERSON: [&str; 5] = [
    "ecr:GetRegistryScanningConfiguration",
    "ecr:GetSigningConfiguration",
    "iam:GetInstanceProfile",
    "iam:GetOpenIDConnectProvider",
    "iam:GetRole",
];

#[test]
fn the_table_lists_every_call_to_aws() {
    let mut found = BTreeSet::new();
    operations(&Path::new(env!("CARGO_MANIFEST_DIR")).join("aws/src"), &mut found);
    assert!(found.len() > 30, "{found:?}");
    for operation in OF_A_PERSON {
        assert!(found.remove(operation), "{operation} is not called");
    }
    let listed: BTreeSet<String> = CALLS.iter().map(|call| call.action.to_owned()).collect();
    let missing: Vec<&String> = found.difference(&listed).collect();
    assert!(missing.is_empty(), "src/iam/calls.rs lacks {missing:?}");
}
