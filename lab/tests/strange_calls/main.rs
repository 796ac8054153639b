//! Whatever the request, the lab responds as a service does: no panic, no 5xx, a body that parses.

// Clippy's exemption for tests does not cover the helpers of an integration test.
#![allow(clippy::unwrap_used)]

mod cbor;
mod http_words;
mod words;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cutover_lab::dispatch;
use cutover_lab::scenario::Scenario;
use cutover_lab::services::ecr;
use cutover_lab::world::World;
use http::{Request, Response};
use http_words::{HOST_OF_ECR, HTTP_BODIES, HTTP_HEADERS, HTTP_HOSTS, HTTP_PATHS, HTTP_QUERIES};
use proptest::prelude::*;
use words::{COMMON, NAMES, Protocol, SERVICES, VALUES, operations};

/// A settled world, and the load balancer's ARNs by the name of their parameter.
#[derive(Clone)]
struct Fixture {
    world: World,
    arns: Vec<(&'static str, String)>,
}

impl Fixture {
    fn new() -> Fixture {
        let start = "2026-01-05T09:00:00Z".parse().unwrap();
        let mut world = World::from_scenario(&Scenario::default(), 1, start).unwrap();
        let mut arns: Vec<(&'static str, String)> = Vec::new();
        for (name, operation) in [
            ("LoadBalancerArn", "DescribeLoadBalancers"),
            ("TargetGroupArn", "DescribeTargetGroups"),
            ("ListenerArn", "DescribeListeners"),
            ("RuleArn", "DescribeRules"),
        ] {
            // Rules are listed by listener, the rest by load balancer.
            let by = if name == "RuleArn" { "ListenerArn" } else { "LoadBalancerArn" };
            let known = arns.iter().filter(|(name, _)| *name == by);
            let parameters: Vec<_> = known.map(|(name, arn)| (*name, arn.as_str())).collect();
            let request = form("elasticloadbalancing", operation, &parameters);
            let answer = dispatch::serve(&mut world, &request);
            let text = std::str::from_utf8(answer.body()).unwrap();
            let (_, rest) = text.split_once(&format!("<{name}>")).unwrap();
            arns.push((name, rest.split('<').next().unwrap().to_owned()));
        }
        Fixture { world, arns }
    }
}

fn form(service: &str, operation: &str, parameters: &[(&str, &str)]) -> Request<Bytes> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", operation).extend_pairs(parameters);
    signed(service).body(Bytes::from(form.finish())).unwrap()
}

fn signed(service: &str) -> http::request::Builder {
    let scope =
        format!("Credential=AKIALABLABLABLABLAB0/20260105/ap-northeast-2/{service}/aws4_request");
    Request::post("/").header("Authorization", format!("AWS4-HMAC-SHA256 {scope}, Signature=0"))
}

/// Sends one call and checks the form of the response.
fn check(
    world: &mut World,
    (service, protocol, operation): (&str, Protocol, &str),
    parameters: &[(&str, &str)],
) {
    let request = match protocol {
        Protocol::Query => form(service, operation, parameters),
        Protocol::Json(prefix) => {
            let members =
                parameters.iter().map(|(name, value)| ((*name).to_owned(), native(value)));
            let body = serde_json::Value::Object(members.collect());
            signed(service)
                .header("X-Amz-Target", format!("{prefix}.{operation}"))
                .body(Bytes::from(body.to_string()))
                .unwrap()
        }
        Protocol::Cbor(name) => {
            let path = format!("/service/{name}/operation/{operation}");
            let request = signed(service).uri(path).header("Smithy-Protocol", "rpc-v2-cbor");
            request.body(Bytes::from(cbor::write(&cbor::tree(parameters)))).unwrap()
        }
    };
    let response = dispatch::serve(world, &request);
    assert!(response.status().as_u16() < 500, "{operation} {parameters:?}: {response:?}");
    parses(protocol, &response);
}

/// Returns the text as JSON's own type where it is one; wrapped in a list for some lengths, to be a
/// nuisance.
fn native(value: &str) -> serde_json::Value {
    let json = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    if value.len() % 5 == 3 { serde_json::json!([json]) } else { json }
}

fn parses(protocol: Protocol, response: &Response<Bytes>) {
    match protocol {
        Protocol::Query => {
            let text = std::str::from_utf8(response.body()).unwrap();
            let mut reader = quick_xml::Reader::from_str(text);
            while !matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {}
        }
        Protocol::Cbor(_) => {
            let mut decoder = minicbor::Decoder::new(response.body());
            decoder.skip().unwrap();
            assert_eq!(decoder.position(), response.body().len());
        }
        Protocol::Json(_) => {
            serde_json::from_slice::<serde_json::Value>(response.body()).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_call_is_answered(
        calls in prop::collection::vec(
            (
                any::<prop::sample::Index>(),
                any::<prop::sample::Index>(),
                prop::collection::vec(
                    (prop::sample::select(NAMES), prop::sample::select(VALUES)), 0..8),
                0u32..600,
            ),
            1..12,
        )
    ) {
        let Fixture { mut world, arns } = FIXTURE.with(Clone::clone);
        let known = arns.iter().map(|(name, arn)| (*name, arn.as_str()));
        let common: Vec<_> = COMMON.iter().copied().chain(known).collect();
        for (service, operation, parameters, seconds) in calls {
            let (service, protocol, folder) = SERVICES[service.index(SERVICES.len())];
            let operations = operations(folder);
            let operation = operations[operation.index(operations.len())].as_str();
            let parameters: Vec<_> = common.iter().copied().chain(parameters).collect();
            check(&mut world, (service, protocol, operation), &parameters);
            let later = world.now + std::time::Duration::from_secs(seconds.into());
            world.advance(later);
        }
    }

    #[test]
    fn registries_and_github_are_answered(
        requests in prop::collection::vec(
            (
                prop::sample::select(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"][..]),
                prop::sample::select(HTTP_HOSTS),
                prop::sample::select(HTTP_PATHS),
                prop::sample::select(HTTP_QUERIES),
                prop::sample::select(HTTP_HEADERS),
                prop::sample::select(HTTP_BODIES),
            ),
            1..12,
        )
    ) {
        let mut world = FIXTURE.with(Clone::clone).world;
        let login = format!("Basic {}", STANDARD.encode(format!("AWS:{}", ecr::mint(&mut world))));
        // A client would request next what the last response pointed to.
        let mut place = "/v2/".to_owned();
        for (method, host, path, query, (name, value), body) in requests {
            let path = if path == "LOCATION" { place.as_str() } else { path };
            let authorization = match host {
                HOST_OF_ECR => login.as_str(),
                // A GitHub token in base64, as GHCR accepts it; the API accepts it as it is.
                "ghcr.io" => "Bearer Z2hzX2xhYlRva2VuT2ZUaGVQcmVzZW50Sm9iMDAwMDAwMDAwMDAwMA==",
                _ => "Bearer ghs_labTokenOfThePresentJob0000000000000",
            };
            let request = Request::builder()
                .method(method)
                .uri(format!("https://{host}{path}{query}"))
                .header("Authorization", authorization)
                .header("User-Agent", "somebody")
                .header(name, value)
                .body(Bytes::from(body));
            let response = dispatch::serve(&mut world, &request.unwrap());
            prop_assert!(response.status().as_u16() < 500, "{method} {host}{path}: {response:?}");
            if let Some(location) = response.headers().get("location") {
                let location = location.to_str().unwrap();
                place = location.split(['?', '#']).next().unwrap_or_default().to_owned();
                if !place.starts_with('/') {
                    place = "/v2/news/manifests/v1".to_owned();
                }
            }
        }
    }

    #[test]
    fn bytes_of_any_kind_are_answered(
        path in "(/|/v2/|/v2/news/(blobs|manifests)/.{0,9}|/service/.{0,9}/operation/.{0,9}|/.{0,9})",
        target in "(|AmazonSSM\\.[A-Za-z]{0,9}|[ -~]{0,20})",
        authorization in "(|Basic .{0,9}|AWS4-HMAC-SHA256 [ -~]{0,60})",
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let path: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
        let request = Request::post(path.replace("%2F", "/"))
            .header("X-Amz-Target", target)
            .header("Authorization", authorization)
            .body(Bytes::from(body));
        prop_assume!(request.is_ok());
        let mut world = FIXTURE.with(Clone::clone).world;
        let response = dispatch::serve(&mut world, &request.unwrap());
        prop_assert!(response.status().as_u16() < 500, "{:?}", response);
    }
}

/// Calls every operation once without parameters, and once with those that most need, so that each is
/// covered in every run.
#[test]
fn every_operation_is_answered() {
    let Fixture { mut world, arns } = FIXTURE.with(Clone::clone);
    let known = arns.iter().map(|(name, arn)| (*name, arn.as_str()));
    let common: Vec<_> = COMMON.iter().copied().chain(known).collect();
    let mut number = 0;
    for (service, protocol, folder) in SERVICES {
        for operation in operations(folder) {
            check(&mut world, (service, *protocol, &operation), &[]);
            check(&mut world, (service, *protocol, &operation), &common);
            number += 1;
        }
    }
    assert!(number > 200, "only {number} operations were found in the sources");
}

/// Sends requests that are too deep, too long or too large, or that name the same thing twice.
#[test]
fn outsized_calls_are_answered() {
    let Fixture { mut world, arns } = FIXTURE.with(Clone::clone);
    let deep = vec!["a"; 100_000].join(".");
    for (service, protocol, folder) in SERVICES {
        let operation = &operations(folder)[0];
        if matches!(protocol, Protocol::Query) {
            check(&mut world, (service, *protocol, operation), &[(&deep, "1")]);
        }
    }
    let bottomless = signed("monitoring")
        .uri("/service/GraniteServiceVersion20100801/operation/GetMetricData")
        .body(Bytes::from(vec![0x81; 100_000]));
    let response = dispatch::serve(&mut world, &bottomless.unwrap());
    assert!(response.status().as_u16() < 500);

    let cloudwatch: Vec<_> =
        SERVICES.iter().filter(|(.., folder)| *folder == "cloudwatch").collect();
    assert_eq!(cloudwatch.len(), 2);
    let common: Vec<_> = COMMON.to_vec();
    for (service, protocol, _) in cloudwatch {
        for text in ["1+".repeat(100_000), "-".repeat(2000), "(".repeat(2000), "[m,".repeat(600)] {
            let asked = [
                common.as_slice(),
                &[
                    ("MetricDataQueries.member.2.Id", "e"),
                    ("MetricDataQueries.member.2.Expression", &text),
                ],
            ];
            check(&mut world, (service, *protocol, "GetMetricData"), &asked.concat());
        }
        let since = [
            ("StartTime", "1970-01-01T00:00:00Z"),
            ("EndTime", "2026-01-05T09:50:00Z"),
            ("MetricDataQueries.member.1.Id", "e"),
            ("MetricDataQueries.member.1.Expression", "FILL(TIME_SERIES(1), 0)"),
            ("MetricDataQueries.member.1.Period", "1"),
        ];
        check(&mut world, (service, *protocol, "GetMetricData"), &since);
        let huge = [
            ("Namespace", "mine"),
            ("MetricData.member.1.MetricName", "m"),
            ("MetricData.member.1.Values.member.1", "1"),
            ("MetricData.member.1.Values.member.2", "2"),
            ("MetricData.member.1.Counts.member.1", "1e30"),
            ("MetricData.member.1.Counts.member.2", "1e30"),
        ];
        check(&mut world, (service, *protocol, "PutMetricData"), &huge);
        check(&mut world, (service, *protocol, "PutMetricData"), &huge);
        let mut read = vec![
            ("Namespace", "mine"),
            ("MetricName", "m"),
            ("StartTime", "2026-01-05T08:50:00Z"),
            ("EndTime", "2026-01-05T09:50:00Z"),
            ("Period", "60"),
        ];
        for (name, statistic) in [
            ("Statistics.member.1", "Sum"),
            ("Statistics.member.2", "SampleCount"),
            ("Statistics.member.3", "Average"),
            ("ExtendedStatistics.member.1", "p99"),
        ] {
            read.push((name, statistic));
        }
        check(&mut world, (service, *protocol, "GetMetricStatistics"), &read);
    }

    let ids: Vec<String> = world.autoscaling.groups["news-blue"].members.keys().cloned().collect();
    let group = arns.iter().find(|(name, _)| *name == "TargetGroupArn").unwrap().1.clone();
    let twice = [
        ("AutoScalingGroupName", "news-blue"),
        ("ShouldDecrementDesiredCapacity", "true"),
        ("ProtectedFromScaleIn", "true"),
        ("InstanceIds.member.1", &ids[0]),
        ("InstanceIds.member.2", &ids[0]),
        ("InstanceId.1", &ids[0]),
        ("InstanceId.2", &ids[0]),
        ("TargetGroupArn", &group),
        ("TargetGroupARNs.member.1", &group),
        ("TargetGroupARNs.member.2", &group),
        ("Targets.member.1.Id", &ids[0]),
        ("Targets.member.2.Id", &ids[0]),
    ];
    for (service, protocol, folder) in SERVICES {
        for operation in operations(folder) {
            check(&mut world, (service, *protocol, &operation), &twice);
        }
        world.advance(world.now + std::time::Duration::from_secs(120));
    }
}

thread_local! {
    static FIXTURE: Fixture = Fixture::new();
}
