//! The guides show what really happens: in the lab, their documents are applied and their outputs
//! compared.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod lab;
    pub(crate) mod project;
    pub(crate) mod venv;
}

use std::fs;
use std::path::Path;

use support::lab::Lab;
use support::project::Project;
use support::venv;

const ECR: &str = "docs/github-actions-ecr.md";
const FIRST: &str = "docs/first-rollout.md";

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Returns the first block of a language after a line.
fn block(page: &str, after: &str, language: &str) -> String {
    let (_, rest) = page.split_once(after).unwrap_or_else(|| panic!("no `{after}`"));
    let (_, block) = rest.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

/// Asserts that the shown lines are printed, in order. `…` stands for anything; on a line of its
/// own, for any lines.
#[track_caller]
fn is_printed(shown: &str, printed: &str) {
    let mut lines = printed.lines();
    for shown in shown.lines().filter(|line| !line.trim().is_empty() && line.trim() != "…") {
        let parts: Vec<&str> = shown.split('…').collect();
        let found = lines.any(|line| {
            let mut rest = Some(line);
            for part in &parts {
                rest =
                    rest.and_then(|rest| rest.split_once(part.trim_end())).map(|(_, after)| after);
            }
            rest.is_some()
        });
        assert!(found, "this line is not printed, or not in this place:\n{shown}\n\n{printed}");
    }
}

/// Returns a lab whose job is the guide's, with the guide's repositories and role, and these
/// policies.
fn cloudmart(folder: &Path, trust: &str, permissions: &str) -> Lab {
    let file = folder.join("scenario.yaml");
    fs::write(&file, "github: acme/cloudmart\niam: enforced\n").unwrap();
    let lab = Lab::serve_with(60, &["--scenario", file.to_str().unwrap()]);
    lab.boto(&format!(
        "ecr, iam = client('ecr'), client('iam')\n\
         for name in ['cloudmart-frontend', 'cloudmart-backend']: ecr.create_repository(repositoryName=name)\n\
         iam.create_role(RoleName='cloudmart-push', AssumeRolePolicyDocument={trust:?})\n\
         iam.put_role_policy(RoleName='cloudmart-push', PolicyName='push', PolicyDocument={permissions:?})"
    ));
    lab
}

/// Pushes a small image from files as the guide does, with the role as an option; returns what is
/// printed.
fn push(lab: &Lab) -> String {
    let project = Project::empty();
    project.write("index.html", "hello\n");
    project.write(
        "cutover.yaml",
        "version: 1\nservice: cloudmart\nregion: ap-northeast-2\nfleet: { group: none }\nstrategy: rolling\n\
         image:\n  files: [{ from: index.html, to: /index.html }]\n  push: [123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/cloudmart-frontend]\n  tags: [latest]\n",
    );
    let mut command = lab.command(env!("CARGO_BIN_EXE_cutover"));
    command.args(["push", "--role", "arn:aws:iam::123456789012:role/cloudmart-push"]);
    command.envs(lab.github().iter().cloned()).current_dir(project.path());
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn the_guides_three_errors_are_printed() {
    if venv::program("python3").is_none() {
        return;
    }
    let page = page(ECR);
    let trust = block(&page, "`trust.json` names", "json").replace('\n', " ");
    let permissions = block(&page, "`push.json` lets", "json").replace('\n', " ");

    let folder = tempfile::tempdir().unwrap();
    let lab = cloudmart(folder.path(), &trust, &permissions);
    let pushed = push(&lab);
    assert!(
        pushed.contains("succeeded: pushed "),
        "the guide's own policies do not suffice: {pushed}"
    );
    lab.boto("iam = client('iam')\nfor one in iam.list_open_id_connect_providers()['OpenIDConnectProviderList']: iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=one['Arn'])");
    is_printed(&block(&page, "### No OIDC provider", "text"), &push(&lab));

    let folder = tempfile::tempdir().unwrap();
    let lab = cloudmart(folder.path(), &trust.replace("heads/main", "heads/master"), &permissions);
    is_printed(&block(&page, "### `sub` does not match", "text"), &push(&lab));

    let folder = tempfile::tempdir().unwrap();
    let without = permissions.replace("\"ecr:InitiateLayerUpload\",", "");
    assert_ne!(without, permissions);
    let lab = cloudmart(folder.path(), &trust, &without);
    is_printed(&block(&page, "### The role may not start an upload", "text"), &push(&lab));
}

/// Runs a block's commands, one a line; returns the commands and what both output streams contain.
fn run_commands(lab: &Lab, project: &Project, block: &str) -> String {
    let mut reported = String::new();
    for line in block.lines().filter_map(|line| line.strip_prefix("$ cutover ")) {
        let mut command = lab.command(env!("CARGO_BIN_EXE_cutover"));
        let words = shlex::split(line).unwrap();
        let output = command.args(words).current_dir(project.path()).output().unwrap();
        reported += &format!("$ cutover {line}\n");
        reported += &String::from_utf8(output.stdout).unwrap();
        reported += &String::from_utf8(output.stderr).unwrap();
    }
    // The lab's load balancer listens on the lab's own port.
    let port = lab.url().rsplit(':').next().unwrap();
    reported.replace(&format!("port {port},"), "port 80,")
}

#[test]
fn the_first_rollout_guide_works_as_shown() {
    let page = page(FIRST);
    let (lab, project) = (Lab::serve(60), Project::empty());
    let shown = block(&page, "## 1. Describe what runs", "console");
    is_printed(&shown, &run_commands(&lab, &project, &shown));
    let verified = block(&page, "## 3. Check", "console");
    let first =
        verified.lines().take_while(|line| !line.contains("plan")).collect::<Vec<_>>().join("\n");
    is_printed(&first, &run_commands(&lab, &project, &first));
}
