//! Which permissions a call needs: actions on resources (Service Authorization Reference). Operations whose
//! resource the lab doesn't determine need their action on `*`, as most Describe operations do in the reference.

use super::conditions::Context;
use super::find;
use crate::services::ec2::template_request::resolve;
use crate::wire::{Call, Service, Value};
use crate::world::World;

/// A needed permission: one action on one resource.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RequiredPermission {
    /// Such as `ssm:PutParameter`.
    pub(super) action: String,
    /// An ARN, or `*`.
    pub(super) resource: String,
    /// The condition keys that this action adds to the request's.
    pub(super) context: Context,
    /// The launch template's ID, if Auto Scaling checks whether its caller may launch from it.
    pub(super) launch_template: Option<String>,
}

impl RequiredPermission {
    pub(super) fn new(
        action: impl Into<String>,
        resource: impl Into<String>,
    ) -> RequiredPermission {
        let (action, resource) = (action.into(), resource.into());
        RequiredPermission { action, resource, context: Context::new(), launch_template: None }
    }

    fn when(mut self, key: &str, value: &str) -> RequiredPermission {
        self.context.push((key.to_owned(), value.to_owned()));
        self
    }
}

/// Returns the permissions that a call needs.
pub(super) fn required_permissions(world: &World, call: &Call) -> Vec<RequiredPermission> {
    let (prefix, operation, input) = (prefix(call.service), &call.operation, &call.input);
    let action = format!("{prefix}:{operation}");
    let all = |resources: Vec<String>| -> Vec<RequiredPermission> {
        let resources = if resources.is_empty() { vec!["*".to_owned()] } else { resources };
        resources
            .into_iter()
            .map(|resource| RequiredPermission::new(action.as_str(), resource))
            .collect()
    };
    match call.service {
        // GetCallerIdentity needs no permission.
        Service::Sts if operation == "GetCallerIdentity" => Vec::new(),
        Service::Sts => all(input.str("RoleArn").map(str::to_owned).into_iter().collect()),
        Service::Ssm => all(parameter_arns(world, input)),
        Service::Ecr => {
            let mut needs = all(repository_arns(world, input));
            // Inspector has the findings of an enhanced scan (ECR user guide, "IAM permissions required for
            // enhanced scanning").
            if operation == "DescribeImageScanFindings" && world.ecr.is_scanned_by_inspector() {
                let inspector = ["inspector2:ListFindings", "inspector2:ListCoverage"];
                needs.extend(inspector.map(|action| RequiredPermission::new(action, "*")));
            }
            needs
        }
        Service::Elbv2 if operation.starts_with("Describe") => all(Vec::new()),
        Service::Elbv2 => {
            let mut needs = all(load_balancing_arns(input));
            needs.extend(cognito_permissions(input));
            needs
        }
        Service::Cloudwatch => all(alarm_arns(world, operation, input)),
        Service::Iam => all(iam_arns(world, input)),
        Service::Ec2 if operation.starts_with("Describe") => all(Vec::new()),
        Service::Ec2 => {
            let mut needs = all(template_arn(world, input).into_iter().collect());
            if operation == "RunInstances" {
                needs = launch_permissions(world, input.get("LaunchTemplate"));
            }
            needs
        }
        Service::Autoscaling if operation.starts_with("Describe") => all(Vec::new()),
        Service::Autoscaling => {
            let mut needs = all(group_arn(world, input).into_iter().collect());
            let launching = group_launch_permissions(world, operation, input);
            let template = launching.iter().find_map(launch_template_id);
            needs.extend(
                launching
                    .into_iter()
                    .map(|need| RequiredPermission { launch_template: template.clone(), ..need }),
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

/// Returns the launch permissions that a change of what a group launches needs (user guide, "Control launch
/// template usage"): to run instances, to tag them if the template does, and to pass the role.
fn group_launch_permissions(
    world: &World,
    operation: &str,
    input: &Value,
) -> Vec<RequiredPermission> {
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
        return launch_permissions(world, &spec);
    }
    match world.autoscaling.groups.get(name) {
        Some(group) if operation == "StartInstanceRefresh" => {
            let spec = crate::wire::map([
                ("LaunchTemplateId", group.template.id.as_str().into()),
                ("Version", group.template.version.to_string().into()),
            ]);
            launch_permissions(world, &spec)
        }
        _ => Vec::new(),
    }
}

/// Returns the permissions that launching from a template needs.
fn launch_permissions(world: &World, spec: &Value) -> Vec<RequiredPermission> {
    let (id, name) = (spec.str("LaunchTemplateId"), spec.str("LaunchTemplateName"));
    let template = resolve(&world.ec2, id, name).ok();
    let arn = template.map(|template| ec2_arn(world, "launch-template", &template.id));
    let within = |need: RequiredPermission| match &arn {
        Some(arn) => need.when("ec2:LaunchTemplate", arn),
        None => need,
    };
    let instances = ec2_arn(world, "instance", "*");
    let mut needs = vec![within(RequiredPermission::new("ec2:RunInstances", instances.as_str()))];
    let version =
        template.and_then(|t| t.versions.get(&t.resolve_version(spec.str("Version")).ok()?));
    let Some(version) = version else { return needs };
    for tagged in version.data.list("tagSpecificationSet") {
        let kind = tagged.str("resourceType").unwrap_or("instance");
        let need = RequiredPermission::new("ec2:CreateTags", ec2_arn(world, kind, "*"));
        needs.push(within(need.when("ec2:CreateAction", "RunInstances")));
    }
    // Launching from a parameter needs the permission to read it, ssm:GetParameters (EC2 user guide, "Use a
    // Systems Manager parameter instead of an AMI ID").
    let image = version.data.str("imageId").unwrap_or_default();
    if let Some(parameter) = image.strip_prefix("resolve:ssm:") {
        needs.push(RequiredPermission::new("ssm:GetParameters", parameter_arn(world, parameter)));
    }
    let profile = version.data.get("iamInstanceProfile");
    let profile = find::find_instance_profile(world, profile.str("arn"), profile.str("name"));
    let role = profile.and_then(|p| p.role.as_ref()).and_then(|name| world.iam.roles.get(name));
    if let Some(role) = role {
        let need = RequiredPermission::new("iam:PassRole", role.arn.as_str());
        needs.push(need.when("iam:PassedToService", "ec2.amazonaws.com"));
    }
    needs
}

/// Returns the ID of the launch template that a permission is about.
fn launch_template_id(need: &RequiredPermission) -> Option<String> {
    let (_, arn) = need.context.iter().find(|(key, _)| key == "ec2:LaunchTemplate")?;
    arn.rsplit('/').next().map(str::to_owned)
}

fn ec2_arn(world: &World, kind: &str, id: &str) -> String {
    format!("arn:aws:ec2:{}:{}:{kind}/{id}", world.region, world.account)
}

fn template_arn(world: &World, input: &Value) -> Option<String> {
    let (id, name) = (input.str("LaunchTemplateId"), input.str("LaunchTemplateName"));
    let template = resolve(&world.ec2, id, name).ok()?;
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

fn parameter_arns(world: &World, input: &Value) -> Vec<String> {
    let mut names = input.strings("Names");
    let one = ["Name", "Path", "ResourceId"].iter().find_map(|key| input.str(key));
    names.extend(one.map(str::to_owned));
    names.iter().map(|name| parameter_arn(world, name)).collect()
}

/// Returns a parameter's ARN. The ARNs of AWS's public parameters have no account ID.
fn parameter_arn(world: &World, name: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    // The ARN doesn't include a version or label selector.
    let name = name.split(':').next().unwrap_or_default().trim_start_matches('/');
    let account = if name.starts_with("aws/") { "" } else { &world.account };
    format!("arn:aws:ssm:{}:{account}:parameter/{name}", world.region)
}

fn repository_arns(world: &World, input: &Value) -> Vec<String> {
    let mut names = input.strings("repositoryNames");
    names.extend(input.str("repositoryName").map(str::to_owned));
    let arn =
        |name: &String| format!("arn:aws:ecr:{}:{}:repository/{name}", world.region, world.account);
    names.iter().map(arn).collect()
}

/// Returns the load balancing resources that a call names.
fn load_balancing_arns(input: &Value) -> Vec<String> {
    let keys = ["RuleArn", "ListenerArn", "TargetGroupArn", "LoadBalancerArn"];
    match keys.iter().find_map(|key| input.str(key)) {
        Some(arn) => vec![arn.to_owned()],
        None => input.strings("ResourceArns"),
    }
}

/// Returns the permissions for `authenticate-cognito` actions: Elastic Load Balancing reads the user pool client
/// that each one names (ELB user guide, "Prepare to use Amazon Cognito").
fn cognito_permissions(input: &Value) -> Vec<RequiredPermission> {
    let actions = ["Actions", "DefaultActions"].into_iter().flat_map(|key| input.list(key));
    let pools = actions
        .filter_map(|action| action.get("AuthenticateCognitoConfig").str("UserPoolArn"))
        .map(|pool| RequiredPermission::new("cognito-idp:DescribeUserPoolClient", pool));
    pools.collect()
}

/// Returns the ARNs of the alarms that a call names; metrics have no ARN.
fn alarm_arns(world: &World, operation: &str, input: &Value) -> Vec<String> {
    let arn =
        |name: &str| format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", world.region, world.account);
    if operation.starts_with("DescribeAlarm") {
        return vec![arn("*")];
    }
    let mut names = input.strings("AlarmNames");
    names.extend(input.str("AlarmName").map(str::to_owned));
    names.iter().map(|name| arn(name)).collect()
}

fn iam_arns(world: &World, input: &Value) -> Vec<String> {
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
