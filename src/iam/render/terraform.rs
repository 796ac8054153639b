//! A Terraform file with the role and its policy; GitHub's OIDC provider is a resource or a data source.

use hcl::Identifier;
use hcl::expr::{Expression, Object, ObjectKey, TemplateExpr};
use serde_json::Value;

use super::{DeployRole, indented, issuer};
use crate::iam::{AUDIENCE, Attachment, Policy, Trust, trust};

/// Converts a policy to `jsonencode({ … })` on several lines, with placeholders as expressions.
///
/// # Errors
/// If a placeholder is not an HCL expression.
pub fn jsonencode(policy: &Policy) -> Result<String, hcl::Error> {
    // The formatter writes arguments of a function call on one line, but a bare object on several.
    let document = hcl::format::to_string(&evaluated(policy.document())?)?;
    Ok(format!("jsonencode({})", document.trim_end()))
}

fn evaluated(value: Value) -> Result<Expression, hcl::Error> {
    Ok(match value {
        Value::String(text) if text.contains("${") => match lone_placeholder(&text) {
            Some(inner) => inner.parse()?,
            None => TemplateExpr::from(text).into(),
        },
        Value::String(text) => text.into(),
        Value::Array(all) => {
            let all: Result<Vec<_>, _> = all.into_iter().map(evaluated).collect();
            all?.into()
        }
        Value::Object(members) => {
            let mut object: Object<ObjectKey, Expression> = Object::new();
            for (key, value) in members {
                let key = match Identifier::new(key.as_str()) {
                    Ok(name) => ObjectKey::from(name),
                    Err(_) => ObjectKey::from(key),
                };
                object.insert(key, evaluated(value)?);
            }
            object.into()
        }
        Value::Bool(is) => is.into(),
        Value::Null | Value::Number(_) => Expression::Null,
    })
}

/// Returns `x.y` of `${x.y}`, which Terraform expects without quotes.
fn lone_placeholder(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    (!inner.contains("${")).then_some(inner)
}

/// Returns the Terraform file.
///
/// # Errors
/// If a placeholder is not an HCL expression.
pub fn file(role: &DeployRole) -> Result<String, hcl::Error> {
    let DeployRole { name, service, .. } = role;
    let path = match role.path.as_str() {
        "/" => String::new(),
        path => format!("  path               = \"{path}\"\n"),
    };
    // An existing role cannot be created, so Terraform imports it.
    let import = match role.role_exists {
        Some(true) => {
            format!("import {{\n  to = aws_iam_role.deploy\n  id = \"{name}\"\n}}\n\n")
        }
        Some(false) | None => String::new(),
    };
    let (provider, address) = provider(role);
    let trusted = Trust { provider: format!("${{{address}.arn}}"), ..role.trust.clone() };
    let trusted = indented(&jsonencode(&trust(&trusted))?, 2);
    let permissions = match &Attachment::of(&role.permissions) {
        Attachment::Inline(policy) => format!(
            "resource \"aws_iam_role_policy\" \"cutover\" {{\n  name   = \"cutover\"\n  role   = aws_iam_role.deploy.id\n  \
             policy = {}\n}}\n",
            indented(&jsonencode(policy)?, 2)
        ),
        Attachment::Managed(parts) => {
            let mut text = String::new();
            for (n, policy) in parts.iter().enumerate() {
                let n = n + 1;
                let policy = indented(&jsonencode(policy)?, 2);
                text.push_str(&format!(
                    "resource \"aws_iam_policy\" \"cutover_{n}\" {{\n  name   = \"{name}-{n}\"\n  policy = {policy}\n}}\n\n\
                     resource \"aws_iam_role_policy_attachment\" \"cutover_{n}\" {{\n  role       = aws_iam_role.deploy.name\n  \
                     policy_arn = aws_iam_policy.cutover_{n}.arn\n}}\n\n"
                ));
            }
            text.trim_end().to_owned() + "\n"
        }
    };
    Ok(format!(
        r#"# The IAM role with which cutover deploys {service} from GitHub Actions. To create or update it:
#   terraform init && terraform apply
terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = ">= 5.81"
    }}
  }}
}}

{provider}
{import}resource "aws_iam_role" "deploy" {{
  name               = "{name}"
{path}  assume_role_policy = {trusted}
}}

{permissions}
output "role_arn" {{
  description = "The value of `role` in cutover.yaml."
  value       = aws_iam_role.deploy.arn
}}
"#
    ))
}

/// Returns the block of the OIDC provider and its address.
fn provider(role: &DeployRole) -> (String, &'static str) {
    let url = issuer();
    if role.provider_exists == Some(false) {
        let block = format!(
            "resource \"aws_iam_openid_connect_provider\" \"github\" {{\n  url            = \"{url}\"\n  client_id_list = \
             [\"{AUDIENCE}\"]\n}}\n"
        );
        return (block, "aws_iam_openid_connect_provider.github");
    }
    let block =
        format!("data \"aws_iam_openid_connect_provider\" \"github\" {{\n  url = \"{url}\"\n}}\n");
    (block, "data.aws_iam_openid_connect_provider.github")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::fixture::everything;
    use crate::iam::{Features, permissions};

    #[test]
    fn placeholders_are_expressions() {
        let mut known = everything();
        known.launch_template = Some("${aws_launch_template.app.arn}".to_owned());
        known.groups = vec![
            "arn:aws:autoscaling:::autoScalingGroup:*:autoScalingGroupName/${var.name}-blue"
                .to_owned(),
        ];
        let policy = permissions(&Features::of([]), &known);
        let written = jsonencode(&policy).unwrap();
        assert!(written.contains("Resource = aws_launch_template.app.arn"), "{written}");
        assert!(written.contains("\"ec2:LaunchTemplate\" = aws_launch_template.app.arn"));
        assert!(written.contains("autoScalingGroupName/${var.name}-blue\""), "{written}");
    }
}
