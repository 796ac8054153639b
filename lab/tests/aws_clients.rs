//! The lab over its socket, driven by AWS's own clients: boto3 (see `aws_clients/drive.py`) and the AWS
//! CLI.

// Clippy's exemption for tests does not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use cutover_lab::scenario::Scenario;
use cutover_lab::services::{github, sts};
use cutover_lab::transport::{Loopback, RunningWorld};
use cutover_lab::world::World;
use serde_json::Value as Json;
use support::{expect_success, program};
use tempfile::TempDir;
use tokio::process::Command;

/// How much faster the lab's time runs than the clients': a refresh of minutes takes seconds.
const SPEED: f64 = 60.0;

/// Serves the default scenario until the test ends, and returns its address.
async fn serve() -> String {
    let world = |address: std::net::SocketAddr| {
        let scenario = Scenario {
            dns_name: Some("127.0.0.1".to_owned()),
            port: address.port(),
            ..Scenario::default()
        };
        World::from_scenario(&scenario, 1, "2026-01-05T09:00:00Z".parse().unwrap()).unwrap()
    };
    support::serve(SPEED, world).await.0
}

#[tokio::test]
async fn boto3_gets_the_responses_of_aws() {
    let Some(python) = program("python") else { return };
    let script = support::test_file("aws_clients/drive.py");
    let endpoint = serve().await;
    let run = Command::new(python)
        .arg("-B")
        .arg(script)
        .arg(endpoint)
        .env("PYTHONPATH", support::test_file("support"))
        .kill_on_drop(true)
        .output();
    expect_success(&tokio::time::timeout(Duration::from_secs(300), run).await.unwrap().unwrap());
}

/// The AWS CLI without the machine's own configuration, and with a home directory of its own for its
/// cache.
struct Cli {
    program: PathBuf,
    endpoint: String,
    keys: Vec<(&'static str, String)>,
    home: TempDir,
}

impl Cli {
    fn new(program: &Path, endpoint: &str, keys: &[(&'static str, &str)]) -> Cli {
        Cli {
            program: program.to_owned(),
            endpoint: endpoint.to_owned(),
            keys: keys.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
            home: TempDir::new().unwrap(),
        }
    }

    async fn output(&self, arguments: &str) -> Output {
        Command::new(&self.program)
            .args(arguments.split_whitespace())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_DEFAULT_REGION", "ap-northeast-2")
            .env("HOME", self.home.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.keys.clone())
            .output()
            .await
            .unwrap()
    }

    /// Returns the output as JSON, or as text if it is not JSON.
    async fn run(&self, arguments: &str) -> Json {
        let output = self.output(arguments).await;
        expect_success(&output);
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        serde_json::from_str(&text).unwrap_or(Json::String(text))
    }
}

#[tokio::test]
async fn the_cli_refreshes_a_group_by_hand() {
    let Some(program) = program("aws") else { return };
    let endpoint = serve().await;
    let keys = [("AWS_ACCESS_KEY_ID", sts::ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", sts::SECRET_KEY)];
    let aws = Cli::new(&program, &endpoint, &keys);
    let me = aws.run("sts get-caller-identity").await;
    assert_eq!(me["Account"], "123456789012");
    let password = aws.run("ecr get-login-password").await;
    assert!(password.as_str().is_some_and(|password| password.starts_with("lab-")), "{password}");
    aws.run(
        "ec2 create-launch-template-version --launch-template-name news --source-version 1 \
         --launch-template-data {\"InstanceType\":\"t3.small\"}",
    )
    .await;
    aws.run(
        "autoscaling start-instance-refresh --auto-scaling-group-name news-blue \
         --preferences MinHealthyPercentage=50,InstanceWarmup=0 --desired-configuration \
         LaunchTemplate={LaunchTemplateName=news,Version=2}",
    )
    .await;
    for _ in 0..60 {
        let refreshes =
            "autoscaling describe-instance-refreshes --auto-scaling-group-name news-blue";
        let newest = aws.run(refreshes).await["InstanceRefreshes"][0].take();
        match newest["Status"].as_str() {
            Some("Pending" | "InProgress" | "Baking") => {}
            status => {
                assert_eq!(status, Some("Successful"), "{newest}");
                break;
            }
        }
    }
    let groups = "autoscaling describe-auto-scaling-groups --auto-scaling-group-names news-blue";
    let group = aws.run(groups).await["AutoScalingGroups"][0].take();
    assert_eq!(group["LaunchTemplate"]["Version"], "2");
    assert_eq!(group["Instances"][0]["InstanceType"], "t3.small");
    let target_group = &group["TargetGroupARNs"][0];
    let wait = "elbv2 wait target-in-service --target-group-arn";
    aws.run(&format!("{wait} {}", target_group.as_str().unwrap())).await;
}

#[tokio::test]
async fn the_cli_assumes_a_role_with_a_github_token() {
    let Some(program) = program("aws") else { return };
    let transport = Loopback::bind(0).await.unwrap();
    let endpoint = format!("http://{}", transport.address());
    // The CLI compares the session's expiry with the machine's clock.
    let start = std::time::SystemTime::now().try_into().unwrap();
    let mut world = World::from_scenario(&Scenario::default(), 1, start).unwrap();
    let ours = github::issue_token(&mut world, "sts.amazonaws.com");
    world.github.subject = "repo:someone/else:ref:refs/heads/main".to_owned();
    let foreign = github::issue_token(&mut world, "sts.amazonaws.com");
    tokio::spawn(transport.serve(RunningWorld::start(world, 1.0), std::future::pending()));

    let folder = TempDir::new().unwrap();
    let holder = |token: &str| {
        let file = folder.path().join("token");
        std::fs::write(&file, token).unwrap();
        let keys = [
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/deploy-news"),
            ("AWS_ROLE_SESSION_NAME", "job-7"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap()),
        ];
        Cli::new(&program, &endpoint, &keys)
    };
    let me = holder(&ours).run("sts get-caller-identity").await;
    assert_eq!(me["Arn"], "arn:aws:sts::123456789012:assumed-role/deploy-news/job-7");
    let refused = holder(&foreign).output("sts get-caller-identity").await;
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        message.contains("Not authorized to perform sts:AssumeRoleWithWebIdentity"),
        "{message}"
    );
}
