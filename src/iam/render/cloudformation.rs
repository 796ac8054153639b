//! A CloudFormation template. Its policies are JSON, which YAML includes: no string of theirs is taken for a date or a boolean.

use serde_json::{Value, json};

use super::{DeployRole, indented, issuer};
use crate::iam::{AUDIENCE, Attachment, Policy, trust};

/// A policy as a template's value: each string that holds a placeholder is substituted (`Fn::Sub`).
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

/// The whole template.
pub fn template(role: &DeployRole) -> String {
    let DeployRole { name, service, region, .. } = role;
    let path = match role.path.as_str() {
        "/" => String::new(),
        path => format!("      Path: {path}\n"),
    };
    let exists = match role.role_exists {
        Some(true) => {
            "\n# The role exists. Unless this stack created it, choose another name with --role, or delete the role first."
        }
        Some(false) | None => "",
    };
    let provider_default = if role.provider_exists == Some(false) { "true" } else { "false" };
    let create = match role.provider_exists {
        Some(_) => String::new(),
        None => "\n#   --parameter-overrides CreateProvider=true    (unless the account has it)"
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
                     Description: A part of what cutover needs to deploy {service}.\n      Roles: [!Ref DeployRole]\n      \
                     PolicyDocument:\n        {}\n",
                    json(&value(policy), 8),
                    n = n + 1,
                )
            };
            (String::new(), parts.iter().enumerate().map(part).collect())
        }
    };
    format!(
        r#"# The role that cutover deploys {service} with, from GitHub Actions. To create or update it:
#   aws cloudformation deploy --region {region} --stack-name {name} --template-file {name}.yaml --capabilities CAPABILITY_NAMED_IAM{create}{exists}
AWSTemplateFormatVersion: "2010-09-09"
Description: The role that cutover deploys {service} with
Parameters:
  CreateProvider:
    Description: Whether to create GitHub's OIDC provider. An account has it once.
    Type: String
    AllowedValues: ["true", "false"]
    Default: "{provider_default}"
Conditions:
  CreatesProvider: !Equals [!Ref CreateProvider, "true"]
Resources:
  GitHubProvider:
    Type: AWS::IAM::OIDCProvider
    Condition: CreatesProvider
    # Other roles may use it by the time that this stack is deleted.
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

/// JSON whose lines but the first are indented by `columns`.
fn json(value: &Value, columns: usize) -> String {
    indented(&format!("{value:#}"), columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::fixture::everything;
    use crate::iam::{Uses, permissions};

    #[test]
    fn placeholders_are_substituted() {
        let mut known = everything();
        known.launch_template =
            Some("arn:${AWS::Partition}:ec2:::launch-template/${LaunchTemplate}".to_owned());
        let value = value(&permissions(&Uses::of([]), &known));
        let statements = value["Statement"].as_array().unwrap();
        let versions = statements.iter().find(|s| s["Sid"] == "Versions").unwrap();
        let arn = "arn:${AWS::Partition}:ec2:::launch-template/${LaunchTemplate}";
        assert_eq!(versions["Resource"], json!({ "Fn::Sub": arn }));
        assert_eq!(value["Version"], "2012-10-17");
        let launch = statements.iter().find(|s| s["Sid"] == "LaunchByTemplate").unwrap();
        assert_eq!(launch["Condition"]["ArnLike"]["ec2:LaunchTemplate"], json!({ "Fn::Sub": arn }));
    }
}
