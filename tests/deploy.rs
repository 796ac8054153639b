//! cutover's commands against `cutover lab serve`: what README.md tells people to type.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod lab;
    pub(crate) mod project;
    pub(crate) mod truth;
    pub(crate) mod venv;
}

use serde_json::{Value, json};
use support::lab::Lab;
use support::project::Project;
use support::{truth, venv};

const SPEED: u32 = 60;

/// Returns a lab and a project; `None` without boto3, which reads the account.
fn begin() -> Option<(Lab, Project)> {
    venv::program("python")?;
    Some((Lab::serve(SPEED), Project::quick()))
}

#[test]
fn each_edition_goes_to_the_other_color() {
    let Some((lab, project)) = begin() else { return };
    let first = project.run(&lab, &["deploy"]);
    let outcome = first.exited(0);
    assert_eq!((&outcome["outcome"], &outcome["proof"]), (&json!("succeeded"), &json!("launched")));
    assert_eq!(outcome["shares"], json!({ "blue": 0, "green": 100 }));
    let retires = |e: &Value| e["event"] == "scale_in_scheduled" && e["group"] == "news-blue";
    assert!(first.events.iter().any(retires), "{}", first.text());

    // Without a change there is nothing to do.
    let again = project.run(&lab, &["deploy"]);
    let message = again.exited(0)["message"].as_str().unwrap();
    assert!(message.contains("already live"), "{message}");
    assert_eq!(truth::of(&lab)["versions"], json!([2, 1]));

    project.edition("the next one");
    let second = project.run(&lab, &["deploy"]);
    let outcome = second.exited(0);
    assert_eq!(outcome["outcome"], "succeeded", "{}", second.text());
    assert_eq!(outcome["shares"], json!({ "blue": 100, "green": 0 }), "{}", second.text());
    let truth = truth::of(&lab);
    assert_eq!(truth["versions"], json!([3, 2, 1]));
    assert_eq!(truth["weights"]["news-blue"], 100);
    assert_eq!(truth["groups"]["news-blue"], json!([2, 4, "3"]), "{}", second.text());
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", second.text());
}

#[test]
fn a_broken_edition_is_rolled_back() {
    let Some((lab, project)) = begin() else { return };
    project.change("# lab.error-rate: \"0.2\"", "lab.error-rate: \"0.2\"");
    let ended = project.run(&lab, &["deploy"]);
    let outcome = ended.exited(3);
    assert_eq!(outcome["outcome"], "rolled_back", "{}", ended.text());
    assert_eq!(outcome["shares"], json!({ "blue": 100, "green": 0 }), "{}", ended.text());
    let truth = truth::of(&lab);
    assert_eq!(truth["weights"]["news-blue"], 100, "{truth}");
    assert_eq!(truth["groups"]["news-blue"], json!([2, 4, "1"]), "MinSize is as it was");
    // So that the zero errors of the other tests mean something.
    assert!(truth["errors"].as_f64().unwrap() > 0.0, "{truth}");

    // A better version can be deployed at once.
    project.change("lab.error-rate: \"0.2\"", "lab.error-rate: \"0\"");
    assert_eq!(project.run(&lab, &["deploy"]).exited(0)["outcome"], "succeeded");
}

#[test]
fn a_finished_rollout_is_rolled_back_to_the_previous_version() {
    let Some((lab, project)) = begin() else { return };
    project.run(&lab, &["deploy"]).exited(0);
    let ended = project.run(&lab, &["rollback"]);
    let outcome = ended.exited(0);
    assert_eq!(outcome["shares"], json!({ "blue": 100, "green": 0 }), "{}", ended.text());
    assert_eq!(outcome["launch_template_version"], 1, "{}", ended.text());
    let truth = truth::of(&lab);
    assert_eq!(truth["weights"]["news-blue"], 100);
    assert_eq!(truth["versions"], json!([2, 1]), "a rollback creates no version");
    assert_eq!(truth["groups"]["news-blue"], json!([2, 4, "1"]), "{}", ended.text());
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", ended.text());
}

#[test]
fn an_image_in_the_registry_is_deployed_again() {
    let Some((lab, project)) = begin() else { return };
    let first = project.run(&lab, &["deploy"]).exited(0)["image"].as_str().unwrap().to_owned();
    project.edition("the next one");
    project.run(&lab, &["deploy"]).exited(0);
    let ended = project.run(&lab, &["deploy", "--image", &first]);
    let outcome = ended.exited(0);
    assert_eq!(outcome["image"], first.as_str(), "{}", ended.text());
    assert_eq!(outcome["launch_template_version"], 4, "a version of its own: {}", ended.text());
    assert_eq!(outcome["shares"], json!({ "blue": 0, "green": 100 }), "{}", ended.text());
    assert_eq!(truth::of(&lab)["errors"], 0.0, "users received errors: {}", ended.text());
}

#[test]
fn one_group_is_replaced_in_place() {
    if venv::program("python").is_none() {
        return;
    }
    let lab = Lab::serve_with(SPEED, &["--fleet", "one-group"]);
    let project = Project::rolling();
    let ended = project.run(&lab, &["deploy"]);
    assert_eq!(ended.exited(0)["outcome"], "succeeded", "{}", ended.text());
    let truth = truth::of(&lab);
    assert_eq!(truth["groups"]["news"][2], "2", "{truth}");
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", ended.text());
    assert!(
        project.run(&lab, &["deploy"]).exited(0)["message"]
            .as_str()
            .unwrap()
            .contains("already live")
    );
}

#[test]
fn a_workflow_deploys_with_its_token() {
    let Some((lab, project)) = begin() else { return };
    project.change("account:", "role: arn:aws:iam::123456789012:role/deploy-news\naccount:");
    let mut environment = lab.github().to_vec();
    for (name, value) in
        [("GITHUB_RUN_ID", "1000"), ("GITHUB_RUN_NUMBER", "7"), ("GITHUB_RUN_ATTEMPT", "1")]
    {
        environment.push((name.to_owned(), value.to_owned()));
    }
    // No credentials other than the token's.
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        environment.push((name.to_owned(), String::new()));
    }
    let ended = project.start_with(&lab, &["deploy"], &environment).ended();
    assert_eq!(ended.exited(0)["outcome"], "succeeded", "{}", ended.text());
    let creators = lab.boto(
        "result = [v['CreatedBy'] for v in client('ec2').describe_launch_template_versions(
    LaunchTemplateName='news', Versions=['2'])['LaunchTemplateVersions']]",
    );
    let creator = creators[0].as_str().unwrap();
    assert!(creator.contains("assumed-role/deploy-news/cutover-news"), "{creator}");
}

#[test]
fn read_only_commands_change_nothing() {
    let Some((lab, project)) = begin() else { return };
    let before = truth::of(&lab);

    assert_eq!(project.run(&lab, &["verify"]).exited(0)["outcome"], "succeeded");
    let plan = project.run(&lab, &["plan"]);
    let plan = plan.exited(0);
    assert_eq!(plan["previous_version"], 1, "{plan}");
    assert!(plan["image"].as_str().unwrap().contains("/news@sha256:"), "{plan}");
    let status = project.run(&lab, &["status"]);
    let status = status.exited(0);
    assert_eq!((&status["service"], &status["record"]), (&json!("news"), &json!(null)), "{status}");
    assert_eq!(status["groups"][0]["healthy"], 4, "{status}");
    let nothing_before = project.run(&lab, &["rollback"]);
    assert_eq!(nothing_before.exited(2)["outcome"], "refused");

    assert_eq!(truth::of(&lab), before);

    // The plan's image is the one that is deployed.
    let deployed = project.run(&lab, &["deploy"]);
    assert_eq!(deployed.exited(0)["image"], plan["image"]);
    let status = project.run(&lab, &["status"]);
    assert_eq!(status.exited(0)["record"]["status"], "succeeded");
}
