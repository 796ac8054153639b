//! The same seed and the same requests are the same history, in any process, in the worst of weathers.

// Clippy's leave for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use cutover_lab::doors::InProcess;
use cutover_lab::faults::{CallFault, Fault, Throttling, What};
use cutover_lab::scenario::Scenario;
use cutover_lab::world::World;
use http_body_util::Full;
use tower::Service as _;

const SEED: &str = "LAB_TEST_SEED";

#[test]
fn one_seed_is_one_history_in_two_processes() {
    let told = |seed: &str| {
        let this = std::env::current_exe().unwrap();
        let arguments = ["--exact", "tells_its_history", "--ignored", "--nocapture"];
        let run = Command::new(this).args(arguments).env(SEED, seed).output().unwrap();
        let text = String::from_utf8(run.stdout).unwrap();
        assert!(run.status.success(), "{text}");
        let (_, rest) = text.split_once("history: ").unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let (one, again, other) = (told("1"), told("1"), told("2"));
    assert_eq!(one.len(), 64);
    assert_eq!(one, again);
    assert_ne!(one, other);
}

#[tokio::test(start_paused = true)]
#[ignore = "what the other test runs in a process of its own"]
async fn tells_its_history() {
    let seed = std::env::var(SEED).unwrap().parse().unwrap();
    let world = World::from_scenario(&weather(), seed, "2026-01-05T09:00:00Z".parse().unwrap());
    let door = InProcess::new(world.unwrap());
    let senders = ["run-1", "run-2", "client"].map(|sender| door.named(sender));
    let mut sent = Vec::new();
    for n in 0..400 {
        let mut door = senders[n % 3].clone();
        // Nobody waits for an answer: requests overtake each other.
        sent.push(tokio::spawn(async move { door.call(request(n)).await.is_ok() }));
        tokio::time::sleep(Duration::from_millis(1700)).await;
    }
    tokio::time::sleep(Duration::from_secs(600)).await;
    let answered = sent.iter().filter(|sent| sent.is_finished()).count();
    assert!((300..400).contains(&answered), "some hang: {answered}");
    println!("history: {}", door.world(|world| world.history()));
}

fn weather() -> Scenario {
    let mut scenario = Scenario::default()
        .with_fault(CallFault::of("*", Fault::Throttled).with_probability(0.1))
        .with_fault(CallFault::of("*", Fault::Lost { hang: true }).with_probability(0.05))
        .with_fault(CallFault::of("ssm:*", Fault::Cut).with_probability(0.3))
        .with_fault(CallFault::of("*", Fault::Slow { there: 4.0, back: 1.0 }).of_sender("run-2"))
        .with_happening(100, What::ZoneLost { zone: "c".to_owned() })
        .with_happening(300, What::ZoneBack { zone: "c".to_owned() })
        .with_happening(400, What::Shortage { zone: None, lasts: 60 });
    scenario.faults.throttling = Throttling::Aws;
    scenario.faults.stale_seconds = 5.0;
    scenario.demand.capacity = Some(20.0);
    scenario
}

fn request(n: usize) -> http::Request<Full<Bytes>> {
    let group = ["news-blue", "news-green"][n % 2];
    let (service, form) = match n % 7 {
        0 => ("autoscaling", "Action=DescribeAutoScalingGroups".to_owned()),
        1 => ("elasticloadbalancing", "Action=DescribeTargetGroups".to_owned()),
        2 => {
            let desired = n / 7 % 5;
            let input = format!("AutoScalingGroupName={group}&DesiredCapacity={desired}");
            ("autoscaling", format!("Action=SetDesiredCapacity&{input}"))
        }
        3 => ("autoscaling", format!("Action=StartInstanceRefresh&AutoScalingGroupName={group}")),
        4 => ("ec2", "Action=DescribeInstances".to_owned()),
        5 => ("sts", "Action=GetCallerIdentity".to_owned()),
        _ => ("ssm", format!(r#"{{"Name":"/a/{n}","Value":"v","Type":"String"}}"#)),
    };
    let scope =
        format!("Credential=AKIALABLABLABLABLAB0/20260105/ap-northeast-2/{service}/aws4_request");
    let request = http::Request::post("https://any.example/")
        .header("Authorization", format!("AWS4-HMAC-SHA256 {scope}, Signature=0"));
    let request = match service {
        "ssm" => request.header("X-Amz-Target", "AmazonSSM.PutParameter"),
        _ => request,
    };
    request.body(Full::from(form)).unwrap()
}
