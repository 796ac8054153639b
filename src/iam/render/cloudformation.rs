//! A CloudFormation template in YAML. Its policies are JSON, which is valid YAML, so that no string is parsed
//! as a date or boolean.

use serde_json::{Value, json};

use super::{DeployRole, indented, issuer};
use crate::iam::{AUDIENCE, Attachment, Policy, trust};

/// Converts a policy to a template value: each string with a placeholder becomes `Fn::Sub`.
pub fn value(policy: &Policy) -> Value {
    substituted(policy.document())
}

fn substituted(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains("${") => json!({ "Fn::Sub": text }),
        Value::Array(all) => all.into_iter().map(substituted).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key, substituted(value))).collect()
        }
        other => other,
    }
}

/// Returns the template.
pub fn template(role: &DeployRole) -> String {
    let DeployRole { name, service, region, .. } = role;
    let path = match role.path.as_str() {
        "/" => String::new(),
        path => format!("      Path: {path}\n"),
    };
    let exists = match role.role_exists {
        Some(true) => {
            "\n# The role already exists. Unless this stack created it, choose another name with --role, or delete the role first."
        }
        Some(false) | None => "",
    };
    let provider_default = if role.provider_exists == Some(false) { "true" } else { "false" };
    let create = match role.provider_exists {
        Some(_) => String::new(),
        None => "\n#   --parameter-overrides CreateProvider=true    (unless the account already has GitHub's OIDC provider)"
            .to_owned(),
    };
    let attachment = Attachment::of(&role.permissions);
    let (attached, managed) = match &attachment {
        Attachment::Inline(policy) => {
            let document = json(&value(policy), 12);
            let policies = format!(
                "      Policies:\n        - PolicyName: cutover\n          PolicyDocument:\n            {document}\n"
            );
            (policies, String::new())
        }
        Attachment::Managed(parts) => {
            let part = |(n, policy): (usize, &Policy)| {
                format!(
                    "  Permissions{n}:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      \
                     Description: Part of the permissions that cutover needs to deploy {service}.\n      Roles: [!Ref DeployRole]\n      \
                     PolicyDocument:\n        {}\n",
                    json(&value(policy), 8),
                    n = n + 1,
                )
            };
            (String::new(), parts.iter().enumerate().map(part).collect())
        }
    };
    format!(
        r#"# The IAM role with which cutover deploys {service} from GitHub Actions. To create or update it:
#   aws cloudformation deploy --region {region} --stack-name {name} --template-file {name}.yaml --capabilities CAPABILITY_NAMED_IAM{create}{exists}
AWSTemplateFormatVersion: "2010-09-09"
Description: The IAM role with which cutover deploys {service}
Parameters:
  CreateProvider:
    Description: Whether to create GitHub's OIDC provider. An account can have only one.
    Type: String
    AllowedValues: ["true", "false"]
    Default: "{provider_default}"
Conditions:
  CreatesProvider: !Equals [!Ref CreateProvider, "true"]
Resources:
  GitHubProvider:
    Type: AWS::IAM::OIDCProvider
    Condition: CreatesProvider
    # Other roles may use the provider when this stack is deleted.
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      Url: {issuer}
      ClientIdList: [{AUDIENCE}]
  DeployRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: {name}
{path}      AssumeRolePolicyDocument:
        {trust}
{attached}{managed}Outputs:
  RoleArn:
    Description: The value of `role` in cutover.yaml.
    Value: !GetAtt DeployRole.Arn
"#,
        issuer = issuer(),
        trust = json(&value(&trust(&role.trust)), 8),
    )
}

/// Formats JSON with all lines except the first indented by `columns`.
fn json(value: &Value, columns: usize) -> String {
    indented(&format!("{value:#}"), columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::fixture::everything;
    use crate::iam::{Features, permissions};

    #[test]
    fn placeholders_are_substituted() {
        let mut known = everything();
        known.launch_template =
            Some("arn:${AWS::Partition}:ec2:::launch-template/${LaunchTemplate}".to_owned());
        let value = value(&permissions(&Features::of([]), &known));
        let statements = value["Statement"].as_array().unwrap();
        let versions = statements.iter().find(|s| s["Sid"] == "Versions").unwrap();
        let arn = "arn:${AWS::Partition}:ec2:::launch-template/${LaunchTemplate}";
        assert_eq!(versions["Resource"], json!({ "Fn::Sub": arn }));
        assert_eq!(value["Version"], "2012-10-17");
        let launch = statements.iter().find(|s| s["Sid"] == "LaunchByTemplate").unwrap();
        assert_eq!(launch["Condition"]["ArnLike"]["ec2:LaunchTemplate"], json!({ "Fn::Sub": arn }));
    }
}
