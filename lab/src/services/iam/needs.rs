//! Which permissions a call needs: actions on resources (Service Authorization Reference). Operations
//! whose resource the lab doesn't work out need theirs on `*`, which is how the reference has most that
//! describe.

use super::conditions::Context;
use crate::services::{ec2, ecr};
use crate::wire::{Call, Service, Value};
use crate::world::World;

/// One action on one resource.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Need {
    /// `ssm:PutParameter`.
    pub(super) action: String,
    /// An ARN, or `*`.
    pub(super) resource: String,
    /// Condition keys that belong to it.
    pub(super) context: Context,
    /// The launch template, where Auto Scaling asks whether its caller may launch from it.
    pub(super) launch: Option<String>,
}

impl Need {
    pub(super) fn new(action: impl Into<String>, resource: impl Into<String>) -> Need {
        let (action, resource) = (action.into(), resource.into());
        Need { action, resource, context: Context::new(), launch: None }
    }

    fn when(mut self, key: &str, value: &str) -> Need {
        self.context.push((key.to_owned(), value.to_owned()));
        self
    }
}

/// What a call needs.
pub(super) fn of_call(world: &World, call: &Call) -> Vec<Need> {
    let (prefix, operation, input) = (prefix(call.service), &call.operation, &call.input);
    let action = format!("{prefix}:{operation}");
    let all = |resources: Vec<String>| -> Vec<Need> {
        let resources = if resources.is_empty() { vec!["*".to_owned()] } else { resources };
        resources.into_iter().map(|resource| Need::new(action.as_str(), resource)).collect()
    };
    match call.service {
        // Everybody may ask who they are.
        Service::Sts if operation == "GetCallerIdentity" => Vec::new(),
        Service::Sts => all(input.str("RoleArn").map(str::to_owned).into_iter().collect()),
        Service::Ssm => all(parameters(world, input)),
        Service::Ecr => {
            let mut needs = all(repositories(world, input));
            // Findings of an enhanced scan are Inspector's (ECR user guide, "IAM permissions required for
            // enhanced scanning").
            if operation == "DescribeImageScanFindings" && ecr::is_scanned_by_inspector(world) {
                let inspector = ["inspector2:ListFindings", "inspector2:ListCoverage"];
                needs.extend(inspector.map(|action| Need::new(action, "*")));
            }
            needs
        }
        Service::Elbv2 if operation.starts_with("Describe") => all(Vec::new()),
        Service::Elbv2 => {
            let mut needs = all(balancing(input));
            needs.extend(user_pools(input));
            needs
        }
        Service::Cloudwatch => all(alarms(world, operation, input)),
        Service::Iam => all(identities(world, input)),
        Service::Ec2 if operation.starts_with("Describe") => all(Vec::new()),
        Service::Ec2 => {
            let mut needs = all(template_arn(world, input).into_iter().collect());
            if operation == "RunInstances" {
                needs = launching(world, input.get("LaunchTemplate"));
            }
            needs
        }
        Service::Autoscaling if operation.starts_with("Describe") => all(Vec::new()),
        Service::Autoscaling => {
            let mut needs = all(group_arn(world, input).into_iter().collect());
            let launching = launch_authority(world, operation, input);
            let template = launching.iter().find_map(template_of);
            needs.extend(
                launching.into_iter().map(|need| Need { launch: template.clone(), ..need }),
            );
            needs
        }
    }
}

fn prefix(service: Service) -> &'static str {
    match service {
        Service::Sts => "sts",
        Service::Iam => "iam",
        Service::Ssm => "ssm",
        Service::Ecr => "ecr",
        Service::Ec2 => "ec2",
        Service::Autoscaling => "autoscaling",
        Service::Elbv2 => "elasticloadbalancing",
        Service::Cloudwatch => "cloudwatch",
    }
}

/// Whoever changes what a group launches has to be allowed to launch it (user guide, "Control launch
/// template usage"): to run instances, to tag them where the template does, and to pass the role.
fn launch_authority(world: &World, operation: &str, input: &Value) -> Vec<Need> {
    let name = input.str("AutoScalingGroupName").unwrap_or_default();
    let given = match operation {
        "CreateAutoScalingGroup" | "UpdateAutoScalingGroup" => input,
        "StartInstanceRefresh" => input.get("DesiredConfiguration"),
        _ => return Vec::new(),
    };
    let mixed = given.get("MixedInstancesPolicy").get("LaunchTemplate");
    let spec = match (given.get("LaunchTemplate"), mixed.get("LaunchTemplateSpecification")) {
        (Value::Null, Value::Null) => Value::Null,
        (Value::Null, mixed) => mixed.clone(),
        (own, _) => own.clone(),
    };
    if !spec.is_null() {
        return launching(world, &spec);
    }
    match world.autoscaling.groups.get(name) {
        Some(group) if operation == "StartInstanceRefresh" => {
            let spec = crate::wire::map([
                ("LaunchTemplateId", group.template.id.as_str().into()),
                ("Version", group.template.version.to_string().into()),
            ]);
            launching(world, &spec)
        }
        _ => Vec::new(),
    }
}

/// What launching from a template needs.
fn launching(world: &World, spec: &Value) -> Vec<Need> {
    let (id, name) = (spec.str("LaunchTemplateId"), spec.str("LaunchTemplateName"));
    let template = ec2::resolve(&world.ec2, id, name).ok();
    let arn = template.map(|template| ec2_arn(world, "launch-template", &template.id));
    let within = |need: Need| match &arn {
        Some(arn) => need.when("ec2:LaunchTemplate", arn),
        None => need,
    };
    let instances = ec2_arn(world, "instance", "*");
    let mut needs = vec![within(Need::new("ec2:RunInstances", instances.as_str()))];
    let version = template.and_then(|t| t.versions.get(&t.number(spec.str("Version")).ok()?));
    let Some(version) = version else { return needs };
    for tagged in version.data.list("tagSpecificationSet") {
        let kind = tagged.str("resourceType").unwrap_or("instance");
        let need = Need::new("ec2:CreateTags", ec2_arn(world, kind, "*"));
        needs.push(within(need.when("ec2:CreateAction", "RunInstances")));
    }
    // Whoever launches from a parameter has to be allowed to read it (EC2 user guide, "Use a Systems Manager
    // parameter instead of an AMI ID": the permission is ssm:GetParameters).
    let image = version.data.str("imageId").unwrap_or_default();
    if let Some(parameter) = image.strip_prefix("resolve:ssm:") {
        needs.push(Need::new("ssm:GetParameters", parameter_arn(world, parameter)));
    }
    let profile = version.data.get("iamInstanceProfile");
    let profile = super::profile(world, profile.str("arn"), profile.str("name"));
    let role = profile.and_then(|p| p.role.as_ref()).and_then(|name| world.iam.roles.get(name));
    if let Some(role) = role {
        let need = Need::new("iam:PassRole", role.arn.as_str());
        needs.push(need.when("iam:PassedToService", "ec2.amazonaws.com"));
    }
    needs
}

/// The id of the launch template that a need is about.
fn template_of(need: &Need) -> Option<String> {
    let (_, arn) = need.context.iter().find(|(key, _)| key == "ec2:LaunchTemplate")?;
    arn.rsplit('/').next().map(str::to_owned)
}

fn ec2_arn(world: &World, kind: &str, id: &str) -> String {
    format!("arn:aws:ec2:{}:{}:{kind}/{id}", world.region, world.account)
}

fn template_arn(world: &World, input: &Value) -> Option<String> {
    let (id, name) = (input.str("LaunchTemplateId"), input.str("LaunchTemplateName"));
    let template = ec2::resolve(&world.ec2, id, name).ok()?;
    Some(ec2_arn(world, "launch-template", &template.id))
}

fn group_arn(world: &World, input: &Value) -> Option<String> {
    let name = input.str("AutoScalingGroupName")?;
    let known = world.autoscaling.groups.get(name).map(|group| group.arn.clone());
    Some(known.unwrap_or_else(|| {
        format!(
            "arn:aws:autoscaling:{}:{}:autoScalingGroup:*:autoScalingGroupName/{name}",
            world.region, world.account
        )
    }))
}

fn parameters(world: &World, input: &Value) -> Vec<String> {
    let mut names = input.strings("Names");
    let one = ["Name", "Path", "ResourceId"].iter().find_map(|key| input.str(key));
    names.extend(one.map(str::to_owned));
    names.iter().map(|name| parameter_arn(world, name)).collect()
}

/// AWS's public parameters are of no account.
fn parameter_arn(world: &World, name: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    // Selectors are no part of the resource.
    let name = name.split(':').next().unwrap_or_default().trim_start_matches('/');
    let account = if name.starts_with("aws/") { "" } else { &world.account };
    format!("arn:aws:ssm:{}:{account}:parameter/{name}", world.region)
}

fn repositories(world: &World, input: &Value) -> Vec<String> {
    let mut names = input.strings("repositoryNames");
    names.extend(input.str("repositoryName").map(str::to_owned));
    let arn =
        |name: &String| format!("arn:aws:ecr:{}:{}:repository/{name}", world.region, world.account);
    names.iter().map(arn).collect()
}

/// The resource that a change of a load balancer names.
fn balancing(input: &Value) -> Vec<String> {
    let keys = ["RuleArn", "ListenerArn", "TargetGroupArn", "LoadBalancerArn"];
    match keys.iter().find_map(|key| input.str(key)) {
        Some(arn) => vec![arn.to_owned()],
        None => input.strings("ResourceArns"),
    }
}

/// Elastic Load Balancing looks at the client that an `authenticate-cognito` action names (ELB user guide, "Prepare
/// to use Amazon Cognito").
fn user_pools(input: &Value) -> Vec<Need> {
    let actions = ["Actions", "DefaultActions"].into_iter().flat_map(|key| input.list(key));
    let pools = actions
        .filter_map(|action| action.get("AuthenticateCognitoConfig").str("UserPoolArn"))
        .map(|pool| Need::new("cognito-idp:DescribeUserPoolClient", pool));
    pools.collect()
}

/// Alarms have resources, metrics have none.
fn alarms(world: &World, operation: &str, input: &Value) -> Vec<String> {
    let arn =
        |name: &str| format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", world.region, world.account);
    if operation.starts_with("DescribeAlarm") {
        return vec![arn("*")];
    }
    let mut names = input.strings("AlarmNames");
    names.extend(input.str("AlarmName").map(str::to_owned));
    names.iter().map(|name| arn(name)).collect()
}

fn identities(world: &World, input: &Value) -> Vec<String> {
    let given = |key: &str| input.str(key).map(str::to_owned);
    if let Some(name) = input.str("RoleName") {
        let known = world.iam.roles.get(name).map(|role| role.arn.clone());
        return vec![
            known.unwrap_or_else(|| format!("arn:aws:iam::{}:role/{name}", world.account)),
        ];
    }
    if let Some(name) = input.str("InstanceProfileName") {
        return vec![format!("arn:aws:iam::{}:instance-profile/{name}", world.account)];
    }
    given("PolicyArn").or(given("OpenIDConnectProviderArn")).into_iter().collect()
}
