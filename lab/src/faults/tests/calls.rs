//! Faults of calls through the in-process transport, in virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use tower::Service as _;

use super::super::{CallFault, Fault};
use crate::services::ssm;
use crate::transport::{InProcess, WatchEvent};
use crate::world::World;

const PUT: &str = "ssm:PutParameter";

fn transport(faults: impl IntoIterator<Item = CallFault>) -> InProcess {
    let mut world = World::new(1, "2026-01-05T09:00:00Z".parse().unwrap());
    faults.into_iter().for_each(|fault| world.faults.add(fault));
    InProcess::new(world)
}

fn signed(service: &str) -> http::request::Builder {
    let scope = format!("Credential=AKIALABLABLABLABLAB0/20260105/ap-northeast-2/{service}/aws4");
    http::Request::post(format!("https://{service}.ap-northeast-2.amazonaws.com/"))
        .header("Authorization", format!("AWS4-HMAC-SHA256 {scope}, Signature=0"))
}

fn put_parameter(name: &str) -> http::Request<Full<Bytes>> {
    let body = format!(r#"{{"Name":"{name}","Value":"v","Type":"String"}}"#);
    let request = signed("ssm").header("X-Amz-Target", "AmazonSSM.PutParameter");
    request.body(Full::from(body)).unwrap()
}

fn query(service: &str, action: &str) -> http::Request<Full<Bytes>> {
    signed(service).body(Full::from(format!("Action={action}&Version=x"))).unwrap()
}

/// Returns the status and the body, or the connection's error.
async fn send(
    transport: &InProcess,
    request: http::Request<Full<Bytes>>,
) -> Result<(u16, String), String> {
    let response = transport.clone().call(request).await.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Ok((status, String::from_utf8(body.to_vec()).unwrap()))
}

fn has(transport: &InProcess, name: &str) -> bool {
    transport.world(|world| ssm::current_value(world, name).is_some())
}

#[tokio::test(start_paused = true)]
async fn each_service_refuses_and_throttles_in_its_own_form() {
    let refused = Fault::Refused { code: None, status: None };
    for (fault, expected) in [
        (
            refused,
            ["AccessDenied", "AccessDenied", "UnauthorizedOperation", "AccessDeniedException"],
        ),
        (
            Fault::Throttled,
            ["Throttling", "ThrottlingException", "RequestLimitExceeded", "ThrottlingException"],
        ),
    ] {
        let transport = transport([CallFault::of("*", fault)]);
        let answers = [
            send(&transport, query("autoscaling", "DescribeAutoScalingGroups")).await.unwrap(),
            send(&transport, query("elasticloadbalancing", "DescribeRules")).await.unwrap(),
            send(&transport, query("ec2", "DescribeInstances")).await.unwrap(),
            send(&transport, put_parameter("/a")).await.unwrap(),
        ];
        for ((status, body), code) in answers.iter().zip(expected) {
            let in_xml = body.contains(&format!("<Code>{code}</Code>"));
            let in_json = body.contains(&format!("\"__type\":\"{code}\""));
            assert!(*status >= 400 && (in_xml || in_json), "{code}: {status} {body}");
        }
        assert!(!has(&transport, "/a"), "refused without effect");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_has_its_effect_and_a_cut_call_has_none() {
    let nth = |n, fault| CallFault::of(PUT, fault).nth(n);
    let hang = nth(3, Fault::Lost { hang: true });
    let transport = transport([nth(1, Fault::Lost { hang: false }), nth(2, Fault::Cut), hang]);
    let lost = send(&transport, put_parameter("/lost")).await.unwrap_err();
    let cut = send(&transport, put_parameter("/cut")).await.unwrap_err();
    assert_eq!(
        (lost.as_str(), lost == cut),
        ("the connection was closed without a response", true)
    );
    assert!(has(&transport, "/lost") && !has(&transport, "/cut"));
    let hanging = send(&transport, put_parameter("/hangs"));
    assert!(tokio::time::timeout(Duration::from_secs(3600), hanging).await.is_err());
    assert!(has(&transport, "/hangs"));
    assert_eq!(send(&transport, put_parameter("/fourth")).await.unwrap().0, 200);
}

#[tokio::test(start_paused = true)]
async fn requests_and_responses_are_delayed_separately() {
    let slow = |there, back| CallFault::of("*", Fault::Slow { there, back });
    for (there, back, arrived) in [(3.0, 0.0, false), (0.0, 7.0, true)] {
        let transport = transport([slow(there, back)]);
        let sent = tokio::spawn({
            let transport = transport.clone();
            async move { send(&transport, put_parameter("/a")).await }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!((has(&transport, "/a"), sent.is_finished()), (arrived, false));
        let began = transport.world(|world| world.began);
        assert_eq!(sent.await.unwrap().unwrap().0, 200);
        let took = transport.now().duration_since(began).as_secs_f64();
        assert!((there + back..there + back + 0.4).contains(&took), "{took}");
    }
}

#[tokio::test(start_paused = true)]
async fn faults_are_limited_by_time_sender_and_probability() {
    let only = CallFault::of("ssm:*", Fault::Cut).from_sender("run-1").between(10, 20);
    let transport = transport([only, CallFault::of("sts:*", Fault::Cut)]);
    let run = transport.for_sender("run-1");
    assert!(send(&run, put_parameter("/early")).await.is_ok());
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(send(&transport, put_parameter("/other")).await.is_ok());
    assert!(send(&run, put_parameter("/meant")).await.is_err());
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(send(&run, put_parameter("/late")).await.is_ok());

    transport.world(|world| {
        world.faults.clear();
        world.faults.add(CallFault::of(PUT, Fault::Cut).with_probability(0.5));
    });
    let mut cut = 0;
    for n in 0..100 {
        cut += u32::from(send(&transport, put_parameter(&format!("/{n}"))).await.is_err());
    }
    assert!((35..65).contains(&cut), "{cut}");
}

#[tokio::test(start_paused = true)]
async fn watchers_see_every_call_with_its_sender() {
    let refused = Fault::Refused { code: Some("InternalFailure".to_owned()), status: Some(500) };
    let transport = transport([
        CallFault::of(PUT, refused).nth(2),
        CallFault::of(PUT, Fault::Lost { hang: false }).nth(3),
        CallFault::of(PUT, Fault::Cut).nth(4),
    ]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    transport.watch({
        let seen = seen.clone();
        move |world, moment| {
            let line = match moment {
                WatchEvent::Call { sender, sent, replied, service, operation, status, .. } => {
                    assert!(*sent < world.now && replied.is_none_or(|at| at > world.now));
                    let (there, replied) =
                        (ssm::current_value(world, "/a").is_some(), replied.is_some());
                    format!("{sender} {service}:{operation} {status} {there} {replied}")
                }
                WatchEvent::Cut { sender, operation, .. } => format!("{sender} {operation} cut"),
                WatchEvent::Event | WatchEvent::Sent { .. } => return,
            };
            seen.lock().unwrap().push(line);
        }
    });
    for sender in ["one", "two", "three", "four"] {
        let _ = send(&transport.for_sender(sender), put_parameter("/a")).await;
    }
    let seen = seen.lock().unwrap();
    assert_eq!(
        *seen,
        [
            "one ssm:PutParameter 200 true true",
            "two ssm:PutParameter 500 true true",
            "three ssm:PutParameter 400 true false",
            "four PutParameter cut",
        ]
    );
}

#[test]
fn faults_are_plain_data() {
    let text = "
- { call: \"*\", fault: throttled }
- { call: autoscaling:StartInstanceRefresh, nth: 1, fault: { lost: { hang: true } } }
- { call: ssm:*, sender: run-1, from: 60, until: 120, fault: { slow: { back: 7.0 } } }
- { call: elasticloadbalancing:*, probability: 0.1, fault: { refused: { code: InternalFailure, status: 500 } } }
- { call: ec2:*, fault: { refused: {} } }
- { call: ecr:*, fault: cut }
";
    let faults: Vec<CallFault> = serde_saphyr::from_str(text).unwrap();
    let again = serde_saphyr::to_string(&faults).unwrap();
    assert_eq!(serde_saphyr::from_str::<Vec<CallFault>>(&again).unwrap(), faults, "{again}");
    assert_eq!(
        faults[1],
        CallFault::of("autoscaling:StartInstanceRefresh", Fault::Lost { hang: true }).nth(1)
    );
    assert!(
        serde_saphyr::from_str::<CallFault>("{ call: x, fault: { slow: { ther: 1 } } }").is_err()
    );
}
