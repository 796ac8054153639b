//! The deployer's calls against an independent AWS implementation: moto. boto3 creates the
//! account's resources, cutover changes them, and boto3 reads them back.
//!
//! CloudWatch is missing: its SDK speaks CBOR, which moto doesn't support. So are instance
//! refreshes and the deletion of template versions.

// A test may panic, and prints why it is skipped.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod support {
    pub(crate) mod moto;
    pub(crate) mod venv;
}

use std::convert::Infallible;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cutover_aws::{Aws, Change, CredentialSource, ErrorClass, Settings};
use cutover_net::{Body, Net, Transport, full};
use cutover_rollout::model::{Digest, Forward, RuleId, ScheduledAction, VersionSpec};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use support::moto::{ACCOUNT, Moto};

fn settings(moto: &Moto) -> Settings {
    Settings {
        region: Some(moto.region.into()),
        service: "web".into(),
        credentials: CredentialSource::Static {
            key: "test".into(),
            secret: "test".into(),
            token: None,
        },
        endpoint: Some(moto.endpoint().to_owned()),
        ..Settings::default()
    }
}

async fn connect(moto: &Moto) -> Aws {
    Aws::connect(&Net::real().unwrap(), &settings(moto)).await.unwrap()
}

/// A launch template `web` whose version 1 has user data and an AMI.
const TEMPLATE: &str = r#"
import base64
ec2 = client('ec2')
data = {'ImageId': 'ami-12c6146b', 'InstanceType': 't3.micro',
        'IamInstanceProfile': {'Name': 'web'}, 'MetadataOptions': {'HttpPutResponseHopLimit': 2},
        'UserData': base64.b64encode(b'#!/bin/sh\necho one\n').decode()}
template = ec2.create_launch_template(LaunchTemplateName='web', LaunchTemplateData=data)['LaunchTemplate']
result = template['LaunchTemplateId']
"#;

/// A load balancer with a listener, two target groups, and one weighted rule behind a login.
const TRAFFIC: &str = r#"
ec2, elb = client('ec2'), client('elbv2')
vpc = ec2.create_vpc(CidrBlock='10.0.0.0/16')['Vpc']['VpcId']
subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f'10.0.{i}.0/24', AvailabilityZone=region + z)
           ['Subnet']['SubnetId'] for i, z in enumerate('ba')]
lb = elb.create_load_balancer(Name='web', Subnets=subnets)['LoadBalancers'][0]['LoadBalancerArn']
def group(name):
    return elb.create_target_group(Name=name, Protocol='HTTP', Port=8080, VpcId=vpc, HealthCheckPath='/healthz',
        HealthCheckIntervalSeconds=10)['TargetGroups'][0]['TargetGroupArn']
blue, green = group('web-blue'), group('web-green')
elb.modify_target_group_attributes(TargetGroupArn=green,
    Attributes=[{'Key': 'deregistration_delay.timeout_seconds', 'Value': '30'}])
listener = elb.create_listener(LoadBalancerArn=lb, Protocol='HTTP', Port=80,
    DefaultActions=[{'Type': 'forward', 'TargetGroupArn': blue}])['Listeners'][0]['ListenerArn']
rule = elb.create_rule(ListenerArn=listener, Priority=5,
    Conditions=[{'Field': 'http-header', 'HttpHeaderConfig': {'HttpHeaderName': 'X-Cutover', 'Values': ['next']}}],
    Actions=[
        {'Type': 'authenticate-oidc', 'Order': 1, 'AuthenticateOidcConfig': {
            'Issuer': 'https://id.test', 'AuthorizationEndpoint': 'https://id.test/a',
            'TokenEndpoint': 'https://id.test/t', 'UserInfoEndpoint': 'https://id.test/u',
            'ClientId': 'web', 'ClientSecret': 'secret'}},
        {'Type': 'forward', 'Order': 2, 'ForwardConfig': {'TargetGroups': [
            {'TargetGroupArn': blue, 'Weight': 100}, {'TargetGroupArn': green, 'Weight': 0}]}}])['Rules'][0]['RuleArn']
result = dict(lb=lb, blue=blue, green=green, listener=listener, rule=rule)
"#;

#[tokio::test]
async fn a_template_version_is_created_once_and_read_back() {
    let Some(moto) = Moto::start("eu-central-1") else { return };
    let id = moto.boto(TEMPLATE);
    let cloud = connect(&moto).await;

    let template = cloud.template("web").await.unwrap().unwrap();
    assert_eq!((template.id.as_str(), template.latest), (id.as_str().unwrap(), 1));
    assert_eq!(cloud.template("nothing").await.unwrap(), None);

    let first = cloud.version(&template.id, 1).await.unwrap().unwrap();
    assert_eq!(first.user_data.bytes(), Some(&b"#!/bin/sh\necho one\n"[..]));
    assert_eq!(first.image_id.as_deref(), Some("ami-12c6146b"));
    assert_eq!(first.hop_limit, Some(2));
    assert_eq!(first.instance_profile.as_deref(), Some("web"));

    let data = STANDARD.encode("#!/bin/sh\necho two\n");
    let made = cloud.create_version(&template.id, 1, &data, "two", "token-2").await;
    assert_eq!(made, Change::Done(2));
    let second = cloud.version(&template.id, 2).await.unwrap().unwrap();
    assert_eq!(second.user_data.bytes(), Some(&b"#!/bin/sh\necho two\n"[..]));
    assert_eq!(second.description.as_deref(), Some("two"));
    // Moto can't show that everything else comes from the source version: it ignores it.

    let numbers: Vec<u64> =
        cloud.versions(&template.id).await.unwrap().iter().map(|v| v.number).collect();
    assert_eq!(numbers, [2, 1]);
}

#[tokio::test]
async fn weights_are_set_and_everything_around_them_is_kept() {
    let Some(moto) = Moto::start("eu-west-1") else { return };
    let made = moto.boto(TRAFFIC);
    let arn = |name: &str| made[name].as_str().unwrap().to_owned();
    let (blue, green) = (arn("blue"), arn("green"));
    let cloud = connect(&moto).await;

    let groups = cloud.target_groups_by_name(&["web-green", "nothing", "web-blue"]).await.unwrap();
    assert_eq!(groups.iter().map(|g| g.arn.as_str()).collect::<Vec<_>>(), [&green, &blue]);
    assert_eq!(groups[0].deregistration_delay.as_secs(), 30);
    assert_eq!((groups[0].health_path.as_str(), groups[0].port), ("/healthz", 8080));

    let naming = cloud.rules_forwarding_to(&[&blue, &green]).await.unwrap();
    let ids: Vec<RuleId> = naming.iter().map(|found| found.rule.id.clone()).collect();
    assert_eq!(ids, [RuleId::Rule(arn("rule")), RuleId::ListenerDefault(arn("listener"))]);
    assert_eq!(naming[0].rule.conditions.headers, [("X-Cutover".into(), vec!["next".into()])]);
    assert_eq!(naming[0].rule.listener, arn("listener"));
    assert_eq!(cloud.rules(&ids).await.unwrap(), naming, "reading rules by ARN returns the same");

    let mut weights = vec![(blue.clone(), 90), (green.clone(), 10)];
    weights.sort();
    let wanted = Forward { weights, stickiness: None };
    for found in &naming {
        let set = cloud.set_forward(&found.rule.id, &found.actions, &wanted).await;
        assert_eq!(set, Change::Done(()));
    }
    for found in cloud.rules(&ids).await.unwrap() {
        assert_eq!(found.rule.forward.as_ref(), Some(&wanted), "{}", found.rule.id);
    }

    let actions = moto.boto(&format!(
        "result = client('elbv2').describe_rules(RuleArns=['{}'])['Rules'][0]['Actions']",
        arn("rule")
    ));
    assert_eq!(actions[0]["Type"], "authenticate-oidc");
    assert_eq!(actions[0]["AuthenticateOidcConfig"]["ClientId"], "web");
    assert_eq!(actions[1]["ForwardConfig"]["TargetGroups"].as_array().unwrap().len(), 2);

    let balancer = cloud.load_balancers(&[&arn("lb")]).await.unwrap().remove(0);
    assert_eq!(balancer.zones, [format!("{}a", moto.region), format!("{}b", moto.region)]);
    assert_eq!(cloud.listeners(&balancer.arn).await.unwrap()[0].port, 80);
}

#[tokio::test]
async fn a_group_its_size_and_its_scheduled_actions() {
    let Some(moto) = Moto::start("eu-west-2") else { return };
    let id = moto.boto(TEMPLATE);
    let id = id.as_str().unwrap();
    moto.boto(&format!(
        "for name, version in [('web-blue', '1'), ('web-green', '$Latest')]:
    client('autoscaling').create_auto_scaling_group(AutoScalingGroupName=name, MinSize=1, MaxSize=6,
        DesiredCapacity=2, AvailabilityZones=[region + 'b', region + 'a'],
        LaunchTemplate={{'LaunchTemplateId': '{id}', 'Version': version}},
        HealthCheckType='ELB', HealthCheckGracePeriod=90)
client('autoscaling').suspend_processes(AutoScalingGroupName='web-green', ScalingProcesses=['Terminate'])"
    ));
    let cloud = connect(&moto).await;

    let groups = cloud.groups(&["web-green", "nothing", "web-blue"]).await.unwrap();
    let [green, blue] = groups.as_slice() else { panic!("{groups:?}") };
    assert_eq!((blue.name.as_str(), green.name.as_str()), ("web-blue", "web-green"));
    assert!(blue.source.template().unwrap().is(id, 1));
    assert_eq!(green.source.template().unwrap().version, VersionSpec::Latest);
    assert_eq!(blue.instances.len(), 2);
    assert!(blue.instances.iter().all(|i| i.template.as_ref().unwrap().is(id, 1)));
    assert_eq!(blue.zones, [format!("{}a", moto.region), format!("{}b", moto.region)]);
    assert_eq!((blue.elb_health, blue.grace.as_secs()), (true, 90));
    assert_eq!((blue.suspended.len(), green.suspended.as_slice()), (0, &["Terminate".into()][..]));

    let using = cloud.groups_using_template(id).await.unwrap();
    assert_eq!(
        using.iter().map(|g| g.name.as_str()).collect::<Vec<_>>(),
        ["web-blue", "web-green"]
    );
    assert!(cloud.groups_using_template("lt-other").await.unwrap().is_empty());

    assert_eq!(cloud.set_min_size("web-blue", 3).await, Change::Done(()));
    let capacity = cloud.groups(&["web-blue"]).await.unwrap()[0].capacity;
    assert_eq!((capacity.min, capacity.max, capacity.desired), (3, 6, 3));
    assert!(matches!(cloud.set_min_size("nothing", 3).await, Change::Refused(_)));

    let at = cloud.now() + SignedDuration::from_mins(30);
    let action = ScheduledAction {
        name: "cutover-scale-in".into(),
        at: Some(Timestamp::from_second(at.as_second()).unwrap()),
        min: Some(0),
        max: None,
        desired: Some(0),
        recurring: false,
    };
    assert_eq!(cloud.put_scheduled_action("web-blue", &action).await, Change::Done(()));
    assert_eq!(cloud.scheduled_actions("web-blue").await.unwrap(), [action]);
    assert_eq!(
        cloud.delete_scheduled_action("web-blue", "cutover-scale-in").await,
        Change::Done(())
    );
    assert!(cloud.scheduled_actions("web-blue").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_parameter_is_created_by_exactly_one() {
    let Some(moto) = Moto::start("eu-north-1") else { return };
    let cloud = connect(&moto).await;
    let name = |n: u32| format!("/cutover/web/rollouts/{n:06}");

    assert_eq!(cloud.create_parameter(&name(1), "one").await, Change::Done(()));
    let second = cloud.create_parameter(&name(1), "two").await;
    assert!(
        matches!(&second, Change::Refused(error) if error.class == ErrorClass::Conflict),
        "{second:?}"
    );
    assert_eq!(cloud.parameter(&name(1)).await.unwrap().as_deref(), Some("one"));
    assert_eq!(cloud.overwrite(&name(1), "three").await, Change::Done(()));
    assert_eq!(cloud.parameter(&name(1)).await.unwrap().as_deref(), Some("three"));
    assert_eq!(cloud.parameter(&name(2)).await.unwrap(), None);

    for n in 2..=13 {
        assert_eq!(cloud.create_parameter(&name(n), "x").await, Change::Done(()));
    }
    let all = cloud.parameters_by_path("/cutover/web/rollouts").await.unwrap();
    assert_eq!(all.len(), 13, "all pages");
    assert_eq!((all[0].0.as_str(), all[12].0.as_str()), (name(1).as_str(), name(13).as_str()));

    let old: Vec<&str> = all[..12].iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(cloud.delete_parameters(&old).await, Change::Done(()));
    assert_eq!(cloud.parameters_by_path("/cutover/web/rollouts").await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_ecr_repository_is_logged_in_to_and_described() {
    let Some(moto) = Moto::start("us-west-2") else { return };
    let digest = moto.boto(
        "ecr = client('ecr')
ecr.create_repository(repositoryName='acme/web', imageTagMutability='IMMUTABLE')
manifest = json.dumps({'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
    'config': {'mediaType': 'application/vnd.oci.image.config.v1+json', 'size': 2, 'digest': 'sha256:' + '0' * 64},
    'layers': []})
result = ecr.put_image(repositoryName='acme/web', imageManifest=manifest, imageTag='v1')['image']['imageId']['imageDigest']",
    );
    let cloud = connect(&moto).await;

    let login = cloud.login().await.unwrap();
    assert_eq!(login.user, "AWS");
    assert!(!login.password.is_empty() && login.endpoint.starts_with("http"));

    let repository = cloud.repository("acme/web").await.unwrap().unwrap();
    assert!(repository.immutable && repository.uri.ends_with("/acme/web"), "{repository:?}");
    assert_eq!(cloud.repository("acme/nothing").await.unwrap(), None);

    let pushed: Digest = digest.as_str().unwrap().parse().unwrap();
    assert!(cloud.image_exists("acme/web", &pushed).await.unwrap());
    assert!(!cloud.image_exists("acme/web", &Digest::of(b"other")).await.unwrap());
}

#[tokio::test]
async fn the_identity_is_read_and_roles_are_assumed() {
    let Some(moto) = Moto::start("us-east-2") else { return };
    let role = format!("arn:aws:iam::{ACCOUNT}:role/deploy-web");

    let cloud = connect(&moto).await;
    assert_eq!(cloud.identity().account, ACCOUNT);
    assert_eq!(cloud.identity().region, moto.region);

    let elsewhere = Settings { account: Some("210987654321".into()), ..settings(&moto) };
    let refused = Aws::connect(&Net::real().unwrap(), &elsewhere).await.unwrap_err();
    assert_eq!(refused.class, ErrorClass::WrongAccount);
    assert!(refused.to_string().contains("210987654321"), "{refused}");

    let assumed = Settings { role: Some(role.clone()), ..settings(&moto) };
    let cloud = Aws::connect(&Net::real().unwrap(), &assumed).await.unwrap();
    assert!(
        cloud.identity().arn.contains("assumed-role/deploy-web/cutover-web"),
        "{:?}",
        cloud.identity()
    );

    let (net, tokens) = with_github();
    let workflow = Settings {
        role: Some(role),
        credentials: CredentialSource::GitHubOidc {
            request_url: "http://github.test/token?job=1".into(),
            request_token: "request-secret".into(),
            audience: CredentialSource::AUDIENCE.into(),
        },
        ..settings(&moto)
    };
    let cloud = Aws::connect(&net, &workflow).await.unwrap();
    assert!(
        cloud.identity().arn.contains("assumed-role/deploy-web/cutover-web"),
        "{:?}",
        cloud.identity()
    );
    cloud.groups(&["web"]).await.unwrap();
    assert_eq!(
        tokens.load(Ordering::Relaxed),
        1,
        "the session is reused until it is about to expire"
    );
}

/// Run by the test below in a process with an environment of its own.
#[tokio::test]
#[ignore = "needs the environment that the test below sets"]
async fn in_an_environment() {
    let settings = Settings { service: "web".into(), ..Settings::default() };
    let net = Net::real().unwrap();
    match Aws::connect(&net, &settings).await {
        Ok(cloud) => println!("identity: {:?}", cloud.identity()),
        Err(error) => println!("{:?} {error}\n{}", error.class, error.hint()),
    }
}

fn connect_in(environment: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "in_an_environment", "--ignored", "--nocapture"])
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_sdks_environment_variables_work() {
    let Some(moto) = Moto::start("ap-northeast-2") else { return };
    let region = ("AWS_REGION", moto.region);
    let nowhere = ("AWS_EC2_METADATA_DISABLED", "true");
    let key = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
    let endpoint = ("AWS_ENDPOINT_URL", moto.endpoint());

    let we = connect_in(&[region, nowhere, key[0], key[1], endpoint]);
    assert!(we.contains(&format!("account: \"{ACCOUNT}\"")) && we.contains(moto.region), "{we}");

    let without_region = connect_in(&[nowhere, key[0], key[1], endpoint]);
    assert!(without_region.contains("Invalid sts:GetCallerIdentity"), "{without_region}");
    assert!(without_region.contains("AWS_REGION"), "{without_region}");

    let without_credentials = connect_in(&[region, nowhere, endpoint]);
    assert!(without_credentials.contains("Credentials sts:Get"), "{without_credentials}");
    assert!(without_credentials.contains("id-token: write"), "{without_credentials}");

    let refused = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let without_answer = connect_in(&[region, nowhere, key[0], key[1], refused]);
    assert!(without_answer.contains("no connection to 127.0.0.1:1"), "{without_answer}");
}

/// Returns the network with GitHub's token endpoint in it, and a count of the tokens that it
/// issued.
fn with_github() -> (Net, Arc<AtomicUsize>) {
    let real = Net::real().unwrap();
    let tokens = Arc::new(AtomicUsize::new(0));
    let (network, given) = (real.transport.clone(), tokens.clone());
    let transport = Transport::from_service(tower::service_fn(move |request: Request<Body>| {
        let (network, given) = (network.clone(), given.clone());
        async move {
            if request.uri().host() != Some("github.test") {
                return Ok::<_, Infallible>(network.send(request).await.unwrap());
            }
            assert_eq!(request.uri().query(), Some("job=1&audience=sts%2Eamazonaws%2Ecom"));
            assert_eq!(request.headers()["authorization"], "bearer request-secret");
            given.fetch_add(1, Ordering::Relaxed);
            Ok(Response::new(full(r#"{"value":"e30.e30.c2ln"}"#)))
        }
    }));
    (Net { transport, clock: real.clock }, tokens)
}
