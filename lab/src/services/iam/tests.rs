//! Creates, changes and deletes IAM's entities, and evaluates policies.

use super::*;
use crate::wire::{ApiResult, Call, Principal, Service, Value, map};
use crate::world::World;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const PERMITS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Action":["ecr:*"],"Resource":"*"}]}"#;

fn world() -> World {
    World::new(1, "2026-01-05T09:00:00Z".parse().unwrap())
}

fn send(world: &mut World, operation: &str, input: &[(&'static str, &str)]) -> ApiResult<Value> {
    let members = input.iter().map(|(key, value)| ((*key).into(), (*value).into()));
    let account = world.account.clone();
    let call_ = Call {
        service: Service::Iam,
        operation: operation.to_owned(),
        input: Value::Map(members.collect()),
        caller: Principal { arn: format!("arn:aws:iam::{account}:user/lab"), account },
        region: String::new(),
    };
    call(world, &call_)
}

fn code(world: &mut World, operation: &str, input: &[(&'static str, &str)]) -> String {
    send(world, operation, input).unwrap_err().code
}

#[test]
fn an_entity_in_use_is_not_deleted() {
    let w = &mut world();
    let (role, profile) = (("RoleName", "web"), ("InstanceProfileName", "web"));
    send(w, "CreateRole", &[role, ("AssumeRolePolicyDocument", TRUST)]).unwrap();
    send(w, "CreateInstanceProfile", &[profile]).unwrap();
    send(w, "AddRoleToInstanceProfile", &[profile, role]).unwrap();
    assert_eq!(code(w, "AddRoleToInstanceProfile", &[profile, role]), "LimitExceeded");
    let made = send(w, "CreatePolicy", &[("PolicyName", "pull"), ("PolicyDocument", PERMITS)]);
    let arn = made.unwrap().get("Policy").str("Arn").unwrap().to_owned();
    let policy = ("PolicyArn", arn.as_str());
    send(w, "AttachRolePolicy", &[role, policy]).unwrap();
    let own = ("PolicyName", "own");
    send(w, "PutRolePolicy", &[role, own, ("PolicyDocument", PERMITS)]).unwrap();

    assert_eq!(code(w, "DeletePolicy", &[policy]), "DeleteConflict");
    assert_eq!(code(w, "DeleteRole", &[role]), "DeleteConflict");
    assert_eq!(code(w, "DeleteInstanceProfile", &[profile]), "DeleteConflict");
    send(w, "RemoveRoleFromInstanceProfile", &[profile, role]).unwrap();
    send(w, "DeleteInstanceProfile", &[profile]).unwrap();
    assert_eq!(code(w, "DeleteRole", &[role]), "DeleteConflict");
    send(w, "DetachRolePolicy", &[role, policy]).unwrap();
    send(w, "DeletePolicy", &[policy]).unwrap();
    assert_eq!(code(w, "DeleteRole", &[role]), "DeleteConflict");
    send(w, "DeleteRolePolicy", &[role, own]).unwrap();
    send(w, "DeleteRole", &[role]).unwrap();
    assert!(leftovers(w).is_empty());
    assert_eq!(code(w, "GetRole", &[role]), "NoSuchEntity");
}

#[test]
fn a_policy_has_five_versions_and_one_default() {
    let w = &mut world();
    let made = send(w, "CreatePolicy", &[("PolicyName", "pull"), ("PolicyDocument", PERMITS)]);
    let arn = made.unwrap().get("Policy").str("Arn").unwrap().to_owned();
    let policy = ("PolicyArn", arn.as_str());
    for _ in 0..4 {
        let input = [policy, ("PolicyDocument", PERMITS), ("SetAsDefault", "true")];
        send(w, "CreatePolicyVersion", &input).unwrap();
    }
    let again = [policy, ("PolicyDocument", PERMITS)];
    assert_eq!(code(w, "CreatePolicyVersion", &again), "LimitExceeded");
    assert_eq!(code(w, "DeletePolicyVersion", &[policy, ("VersionId", "v5")]), "DeleteConflict");
    send(w, "DeletePolicyVersion", &[policy, ("VersionId", "v1")]).unwrap();
    let next = send(w, "CreatePolicyVersion", &again).unwrap();
    assert_eq!(next.get("PolicyVersion").str("VersionId"), Some("v6"));
    assert_eq!(code(w, "DeletePolicy", &[policy]), "DeleteConflict");
}

#[test]
fn documents_and_names_are_checked() {
    let w = &mut world();
    let mut create = |name: &str, trust: &str| {
        code(w, "CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", trust)])
    };
    assert_eq!(create("a b", TRUST), "ValidationError");
    assert_eq!(create("web", "not json"), "MalformedPolicyDocument");
    assert_eq!(create("web", PERMITS), "MalformedPolicyDocument");
    let put = |w: &mut World, document: &str| {
        code(w, "CreatePolicy", &[("PolicyName", "p"), ("PolicyDocument", document)])
    };
    assert_eq!(put(w, TRUST), "MalformedPolicyDocument");
    assert_eq!(put(w, r#"{"Statement":[{"Effect":"Maybe"}]}"#), "MalformedPolicyDocument");
    assert_eq!(put(w, "[]"), "MalformedPolicyDocument");
    let attach = [("RoleName", "none"), ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")];
    assert_eq!(code(w, "AttachRolePolicy", &attach), "NoSuchEntity");
}

#[test]
fn a_provider_is_changed_and_deleted() {
    let w = &mut world();
    let url = ("Url", "https://token.actions.githubusercontent.com");
    let made = send(w, "CreateOpenIDConnectProvider", &[url]).unwrap();
    let arn = made.str("OpenIDConnectProviderArn").unwrap().to_owned();
    let provider = ("OpenIDConnectProviderArn", arn.as_str());
    assert_eq!(code(w, "CreateOpenIDConnectProvider", &[url]), "EntityAlreadyExists");
    let audience = ("ClientID", "sts.amazonaws.com");
    send(w, "AddClientIDToOpenIDConnectProvider", &[provider, audience]).unwrap();
    assert_eq!(w.iam.providers[&arn].audiences, ["sts.amazonaws.com"]);
    send(w, "RemoveClientIDFromOpenIDConnectProvider", &[provider, audience]).unwrap();
    send(w, "DeleteOpenIDConnectProvider", &[provider]).unwrap();
    assert_eq!(code(w, "GetOpenIDConnectProvider", &[provider]), "NoSuchEntity");
    assert_eq!(code(w, "CreateOpenIDConnectProvider", &[("Url", "http://x")]), "ValidationError");
}

#[test]
fn a_role_may_do_what_its_policies_allow() {
    let w = &mut world();
    create_role(w, "deploy", TRUST, 3600);
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["ssm:Get*","ssm:PutParameter"],
         "Resource":"arn:aws:ssm:ap-northeast-2:123456789012:parameter/cutover/web/*"},
        {"Effect":"Allow","Action":"elasticloadbalancing:Describe*","Resource":"*",
         "Condition":{"StringEquals":{"aws:RequestedRegion":"ap-northeast-2"}}},
        {"Effect":"Deny","Action":"ssm:*",
         "Resource":"arn:aws:ssm:*:*:parameter/cutover/web/secret"}]}"#;
    w.iam.roles.get_mut("deploy").unwrap().policies.insert("p".to_owned(), policy.to_owned());
    let may = |w: &mut World, service, operation: &str, key: &'static str, value: &str| {
        let account = w.account.clone();
        let arn = format!("arn:aws:sts::{account}:assumed-role/deploy/job");
        let call = Call {
            service,
            operation: operation.to_owned(),
            input: Value::Map(vec![(key.into(), value.into())]),
            caller: Principal { arn, account },
            region: w.region.clone(),
        };
        authorize_call(w, &call).map_err(|error| error.code)
    };
    assert_eq!(may(w, Service::Ssm, "DeleteParameter", "Name", "/else"), Ok(()), "not enforced");
    w.iam.enforced = true;
    let refused = |code: &str| Err(code.to_owned());
    let denied = || refused("AccessDeniedException");
    assert_eq!(may(w, Service::Ssm, "GetParameter", "Name", "/cutover/web/rollouts/1"), Ok(()));
    assert_eq!(
        may(w, Service::Ssm, "GetParametersByPath", "Path", "/cutover/web/rollouts"),
        Ok(())
    );
    assert_eq!(may(w, Service::Ssm, "GetParameter", "Name", "/cutover/other/1"), denied());
    assert_eq!(may(w, Service::Ssm, "DeleteParameter", "Name", "/cutover/web/1"), denied());
    assert_eq!(may(w, Service::Ssm, "GetParameter", "Name", "/cutover/web/secret"), denied());
    assert_eq!(may(w, Service::Elbv2, "DescribeRules", "ListenerArn", "x"), Ok(()));
    assert_eq!(may(w, Service::Elbv2, "ModifyRule", "RuleArn", "x"), refused("AccessDenied"));
    assert_eq!(may(w, Service::Ec2, "RunInstances", "x", "y"), refused("UnauthorizedOperation"));
    assert_eq!(may(w, Service::Sts, "GetCallerIdentity", "x", "y"), Ok(()));
}

#[test]
fn a_denial_has_the_form_of_its_service() {
    let scenario = crate::scenario::Scenario {
        iam: crate::scenario::IamEnforcement::Enforced,
        deploy_policy: Some(
            r#"{"Statement":{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}}"#
                .to_owned(),
        ),
        ..Default::default()
    };
    let start = "2026-01-05T09:00:00Z".parse().unwrap();
    let mut world = World::from_scenario(&scenario, 1, start).unwrap();
    let token = crate::services::github::issue_token(&mut world, "sts.amazonaws.com");
    let form = format!(
        "Action=AssumeRoleWithWebIdentity&RoleSessionName=job&WebIdentityToken={token}\
         &RoleArn=arn:aws:iam::123456789012:role/deploy-news"
    );
    let request = http::Request::post("/")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(bytes::Bytes::from(form))
        .unwrap();
    let answer = world.handle(&request, start);
    let text = std::str::from_utf8(answer.body()).unwrap().to_owned();
    let between = |tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>")).unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    let (key, session) = (between("AccessKeyId"), between("SessionToken"));
    let mut ask = |service: &str, target: &str, body: &'static str| {
        let scope = format!("Credential={key}/20260105/ap-northeast-2/{service}/aws4_request");
        let request = http::Request::post("/")
            .header("Authorization", format!("AWS4-HMAC-SHA256 {scope}, Signature=0"))
            .header("X-Amz-Security-Token", &session)
            .header("X-Amz-Target", target)
            .body(bytes::Bytes::from(body))
            .unwrap();
        let answer = world.handle(&request, start);
        let text = std::str::from_utf8(answer.body()).unwrap().to_owned();
        (answer.status().as_u16(), text)
    };
    let (status, text) = ask("ssm", "AmazonSSM.GetParameter", r#"{"Name":"/a"}"#);
    assert_eq!(status, 400);
    assert!(text.contains("AccessDeniedException") && text.contains("ssm:GetParameter"), "{text}");
}

/// Returns the actions that a call needs, each with its resource.
fn needs(w: &World, service: Service, operation: &str, input: Value) -> Vec<(String, String)> {
    let account = w.account.clone();
    let caller = Principal { arn: format!("arn:aws:sts::{account}:assumed-role/d/j"), account };
    let call =
        Call { service, operation: operation.to_owned(), input, caller, region: w.region.clone() };
    let needs = super::required_permissions::required_permissions(w, &call);
    needs.into_iter().map(|need| (need.action, need.resource)).collect()
}

#[test]
fn a_call_needs_permissions_for_what_it_uses() {
    let w = &mut world();
    let public = map([("Names", Value::List(vec!["/aws/service/al2023".into()]))]);
    let parameter = "arn:aws:ssm:ap-northeast-2::parameter/aws/service/al2023";
    assert_eq!(
        needs(w, Service::Ssm, "GetParameters", public),
        [("ssm:GetParameters".to_owned(), parameter.to_owned())]
    );
    let pool = "arn:aws:cognito-idp:ap-northeast-2:123456789012:userpool/p";
    let login = map([("AuthenticateCognitoConfig", map([("UserPoolArn", pool.into())]))]);
    let rule = map([("RuleArn", "rule".into()), ("Actions", Value::List(vec![login]))]);
    let found = needs(w, Service::Elbv2, "ModifyRule", rule);
    assert_eq!(found[1], ("cognito-idp:DescribeUserPoolClient".to_owned(), pool.to_owned()));
    let findings = || map([("repositoryName", "web".into())]);
    let scan = "DescribeImageScanFindings";
    assert_eq!(needs(w, Service::Ecr, scan, findings()).len(), 1);
    let call = Call {
        service: Service::Ecr,
        operation: "PutRegistryScanningConfiguration".to_owned(),
        input: map([("scanType", "ENHANCED".into())]),
        caller: Principal::anonymous(),
        region: w.region.clone(),
    };
    crate::services::ecr::call(w, &call).unwrap();
    let found = needs(w, Service::Ecr, scan, findings());
    let inspector = ["inspector2:ListFindings", "inspector2:ListCoverage"];
    assert!(inspector.iter().all(|action| found.contains(&((*action).into(), "*".into()))));
}

#[test]
fn an_instance_refresh_needs_launch_permissions() {
    let scenario = crate::scenario::Scenario::default();
    let start = "2026-01-05T09:00:00Z".parse().unwrap();
    let w = &mut World::from_scenario(&scenario, 1, start).unwrap();
    w.iam.enforced = true;
    let template = w.ec2.templates.keys().next().unwrap().clone();
    let mut refresh = |actions: &str| {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}}}"#
        );
        put_inline_policy(w, "deploy-news", &policy);
        let account = w.account.clone();
        let arn = format!("arn:aws:sts::{account}:assumed-role/deploy-news/job");
        let call = Call {
            service: Service::Autoscaling,
            operation: "StartInstanceRefresh".to_owned(),
            input: map([("AutoScalingGroupName", "news-blue".into())]),
            caller: Principal { arn, account },
            region: w.region.clone(),
        };
        authorize_call(w, &call).map_err(|error| error.message)
    };
    let words = format!("You are not authorized to use launch template: {template}");
    let start = r#""autoscaling:StartInstanceRefresh""#;
    assert_eq!(refresh(start), Err(words.clone()));
    assert_eq!(refresh(&format!(r#"{start},"ec2:RunInstances""#)), Err(words));
    let all = format!(r#"{start},"ec2:RunInstances","ec2:CreateTags","iam:PassRole""#);
    assert_eq!(refresh(&all), Ok(()));
    assert!(w.iam.checked_actions.denied.contains("ec2:CreateTags"));
}
