//! Checks the Terraform that cutover writes against the AWS provider's own schema: types,
//! arguments, blocks, references; and against the CloudFormation of the same resources.
//!
//! `terraform-schema.json` in `stack_runner` is an excerpt of the provider's schema;
//! `scripts/terraform-schema` creates it.

// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod stacks;
}

use std::collections::{BTreeMap, BTreeSet};

use hcl::expr::{Expression, ObjectKey, Operation, Traversal, TraversalOperator};
use hcl::template::{Directive, Element};
use hcl::{Block, Body, Template};
use serde::Deserialize;
use support::stacks;

#[derive(Deserialize)]
struct Schema {
    resources: BTreeMap<String, BlockSchema>,
    data: BTreeMap<String, BlockSchema>,
}

#[derive(Deserialize)]
struct BlockSchema {
    attributes: BTreeMap<String, Kind>,
    blocks: BTreeMap<String, NestedSchema>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Required,
    Optional,
    Computed,
}

#[derive(Deserialize)]
struct NestedSchema {
    min: usize,
    max: Option<usize>,
    #[serde(flatten)]
    block: BlockSchema,
}

/// Arguments that every resource has (Terraform's documentation: meta-arguments).
const META_ARGUMENTS: [&str; 3] = ["count", "depends_on", "for_each"];

fn schema() -> Schema {
    serde_json::from_str(include_str!("stack_runner/terraform-schema.json")).unwrap()
}

/// A configuration: what it declares, and every mistake in it.
struct Checked<'a> {
    schema: &'a Schema,
    variables: BTreeSet<String>,
    locals: BTreeSet<String>,
    /// Resources and, with the prefix `data.`, data sources: `aws_vpc.this`.
    declared: BTreeMap<String, &'a BlockSchema>,
    mistakes: Vec<String>,
}

fn mistakes(schema: &Schema, text: &str) -> Vec<String> {
    let body = hcl::parse(text).unwrap();
    let mut checked = Checked {
        schema,
        variables: BTreeSet::new(),
        locals: BTreeSet::new(),
        declared: BTreeMap::new(),
        mistakes: Vec::new(),
    };
    assert_eq!(body.attributes().count(), 0);
    for block in body.blocks() {
        checked.declare(block);
    }
    for block in body.blocks() {
        checked.check(block);
    }
    checked.mistakes
}

fn labels(block: &Block) -> Vec<&str> {
    block.labels().iter().map(hcl::BlockLabel::as_str).collect()
}

impl<'a> Checked<'a> {
    fn declare(&mut self, block: &Block) {
        let labels = labels(block);
        match (block.identifier(), labels.as_slice()) {
            ("variable", [name]) => {
                self.variables.insert((*name).to_owned());
            }
            ("locals", []) => {
                self.locals.extend(block.body().attributes().map(|a| a.key().to_owned()));
            }
            (kind @ ("resource" | "data"), [of, name]) => {
                let schema = self.schema;
                let (types, prefix) =
                    if kind == "data" { (&schema.data, "data.") } else { (&schema.resources, "") };
                let address = format!("{prefix}{of}.{name}");
                match types.get(*of) {
                    Some(schema) => {
                        if self.declared.insert(address.clone(), schema).is_some() {
                            self.mistakes.push(format!("{address} twice"));
                        }
                    }
                    None => self.mistakes.push(format!("unknown type {prefix}{of}")),
                }
            }
            ("terraform" | "provider" | "output", _) => {}
            (other, labels) => self.mistakes.push(format!("unknown block {other} {labels:?}")),
        }
    }

    fn check(&mut self, block: &Block) {
        let labels = labels(block);
        if let ("resource" | "data", [of, name]) = (block.identifier(), labels.as_slice()) {
            let prefix = if block.identifier() == "data" { "data." } else { "" };
            let address = format!("{prefix}{of}.{name}");
            let Some(schema) = self.declared.get(&address).copied() else { return };
            self.block(&address, block.body(), schema, true);
        }
        self.references(block.body());
    }

    fn block(&mut self, at: &str, body: &Body, schema: &BlockSchema, is_resource: bool) {
        for attribute in body.attributes() {
            let key = attribute.key();
            let known = schema.attributes.get(key).is_some_and(|kind| *kind != Kind::Computed);
            let is_meta = is_resource && META_ARGUMENTS.contains(&key);
            if !known && !is_meta {
                self.mistakes.push(format!("{at}: no argument {key}"));
            }
        }
        for (key, kind) in &schema.attributes {
            if *kind == Kind::Required && !body.attributes().any(|a| a.key() == key) {
                self.mistakes.push(format!("{at}: {key} is missing"));
            }
        }
        for block in body.blocks() {
            let name = block.identifier();
            match schema.blocks.get(name) {
                Some(nested) => {
                    self.block(&format!("{at}.{name}"), block.body(), &nested.block, false);
                }
                None if is_resource && name == "lifecycle" => self.lifecycle(at, block, schema),
                None => self.mistakes.push(format!("{at}: no block {name}")),
            }
        }
        for (name, nested) in &schema.blocks {
            let count = body.blocks().filter(|block| block.identifier() == name).count();
            if count < nested.min || nested.max.is_some_and(|max| count > max) {
                self.mistakes.push(format!("{at}: {count} of {name}"));
            }
        }
    }

    fn lifecycle(&mut self, at: &str, block: &Block, schema: &BlockSchema) {
        for attribute in block.body().attributes() {
            let Expression::Array(names) = attribute.expr() else { panic!("{attribute:?}") };
            for name in names {
                let Expression::Variable(name) = name else { panic!("{name:?}") };
                let known = schema.attributes.contains_key(name.as_str())
                    || schema.blocks.contains_key(name.as_str());
                if attribute.key() != "ignore_changes" || !known {
                    self.mistakes.push(format!(
                        "{at}: lifecycle {} {}",
                        attribute.key(),
                        name.as_str()
                    ));
                }
            }
        }
    }

    /// Checks every reference in a body, including nested blocks.
    fn references(&mut self, body: &Body) {
        for attribute in body.attributes() {
            self.expression(attribute.expr());
        }
        for block in body.blocks().filter(|block| block.identifier() != "lifecycle") {
            self.references(block.body());
        }
    }

    fn expression(&mut self, expression: &Expression) {
        match expression {
            Expression::Null
            | Expression::Bool(_)
            | Expression::Number(_)
            | Expression::String(_) => {}
            Expression::Array(all) => all.iter().for_each(|each| self.expression(each)),
            Expression::Object(members) => {
                for (key, value) in members {
                    if let ObjectKey::Expression(key) = key
                        && !matches!(key, Expression::Variable(_))
                    {
                        self.expression(key);
                    }
                    self.expression(value);
                }
            }
            Expression::TemplateExpr(template) => {
                self.template(&Template::from_expr(template).unwrap());
            }
            // The types of variables.
            Expression::Variable(name) if ["string", "bool"].contains(&name.as_str()) => {}
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::FuncCall(call) => call.args.iter().for_each(|each| self.expression(each)),
            Expression::Parenthesis(inner) => self.expression(inner),
            Expression::Conditional(conditional) => {
                self.expression(&conditional.cond_expr);
                self.expression(&conditional.true_expr);
                self.expression(&conditional.false_expr);
            }
            Expression::Operation(operation) => match &**operation {
                Operation::Unary(one) => self.expression(&one.expr),
                Operation::Binary(two) => {
                    self.expression(&two.lhs_expr);
                    self.expression(&two.rhs_expr);
                }
            },
            other => self.mistakes.push(format!("not understood: {other:?}")),
        }
    }

    fn template(&mut self, template: &Template) {
        for element in template.elements() {
            match element {
                Element::Literal(_) => {}
                Element::Interpolation(interpolation) => self.expression(&interpolation.expr),
                Element::Directive(directive) => match &**directive {
                    Directive::If(_) | Directive::For(_) => {
                        self.mistakes.push(format!("not understood: {directive:?}"));
                    }
                },
            }
        }
    }

    fn traversal(&mut self, traversal: &Traversal) {
        let Expression::Variable(root) = &traversal.expr else {
            self.mistakes.push(format!("not understood: {traversal:?}"));
            return;
        };
        let mut names = vec![root.as_str()];
        for operator in &traversal.operators {
            match operator {
                TraversalOperator::GetAttr(name) => names.push(name.as_str()),
                TraversalOperator::Index(index) => self.expression(index),
                TraversalOperator::FullSplat => {}
                other => self.mistakes.push(format!("not understood: {other:?}")),
            }
        }
        let path = names.join(".");
        let resolves = match names.as_slice() {
            ["var", name] => self.variables.contains(*name),
            ["local", name] => self.locals.contains(*name),
            ["each", "key" | "value"] | ["count", "index"] => true,
            ["data", of, name, rest @ ..] => self.has(&format!("data.{of}.{name}"), rest),
            [of, name, rest @ ..] => self.has(&format!("{of}.{name}"), rest),
            _ => false,
        };
        if !resolves {
            self.mistakes.push(format!("{path} refers to nothing"));
        }
    }

    fn has(&self, address: &str, attribute: &[&str]) -> bool {
        let Some(schema) = self.declared.get(address) else { return false };
        match attribute {
            [] => true,
            [name] => schema.attributes.contains_key(*name),
            _ => false,
        }
    }
}

#[test]
fn the_provider_knows_every_argument() {
    let schema = schema();
    for (name, text) in stacks::terraform_files() {
        assert_eq!(mistakes(&schema, &text), [""; 0], "{name}\n{text}");
    }
}

#[test]
fn mistakes_are_found() {
    let schema = schema();
    let files = stacks::terraform_files();
    let (_, text) = files.iter().find(|(name, _)| *name == "stack").unwrap();
    for (from, to, found) in [
        ("deregistration_delay", "deregistration_timeout", "no argument deregistration_timeout"),
        ("  max_size            = 4\n", "", "max_size is missing"),
        ("    path_pattern {", "    path_patterns {", "no block path_patterns"),
        ("aws_lb.this.arn\n", "aws_lb.that.arn\n", "aws_lb.that.arn refers to nothing"),
        ("aws_vpc.this.id", "aws_vpc.this.vpc_id", "aws_vpc.this.vpc_id refers to nothing"),
        ("resource \"aws_vpc\"", "resource \"aws_vpcs\"", "unknown type aws_vpcs"),
        ("[min_size, ", "[size, ", "lifecycle ignore_changes size"),
    ] {
        assert!(text.contains(from), "{from}");
        let mistakes = mistakes(&schema, &text.replace(from, to));
        assert!(mistakes.iter().any(|mistake| mistake.contains(found)), "{found}: {mistakes:?}");
    }
}

/// Each CloudFormation resource type with the Terraform resources for it. If there are several, the
/// first one has the resource's name, and the others are properties of the same resource in
/// CloudFormation.
const SAME: [(&str, &[&str]); 19] = [
    ("AWS::AutoScaling::AutoScalingGroup", &["aws_autoscaling_group"]),
    ("AWS::EC2::InternetGateway", &["aws_internet_gateway"]),
    ("AWS::EC2::LaunchTemplate", &["aws_launch_template"]),
    ("AWS::EC2::Route", &["aws_route"]),
    ("AWS::EC2::RouteTable", &["aws_route_table"]),
    ("AWS::EC2::SecurityGroup", &["aws_security_group"]),
    ("AWS::EC2::Subnet", &["aws_subnet"]),
    ("AWS::EC2::SubnetRouteTableAssociation", &["aws_route_table_association"]),
    ("AWS::EC2::VPC", &["aws_vpc"]),
    // Terraform attaches an internet gateway by its `vpc_id`.
    ("AWS::EC2::VPCGatewayAttachment", &[]),
    ("AWS::ECR::Repository", &["aws_ecr_repository", "aws_ecr_lifecycle_policy"]),
    ("AWS::ElasticLoadBalancingV2::Listener", &["aws_lb_listener"]),
    ("AWS::ElasticLoadBalancingV2::ListenerRule", &["aws_lb_listener_rule"]),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", &["aws_lb"]),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", &["aws_lb_target_group"]),
    ("AWS::IAM::InstanceProfile", &["aws_iam_instance_profile"]),
    ("AWS::IAM::OIDCProvider", &["aws_iam_openid_connect_provider"]),
    ("AWS::IAM::Role", &["aws_iam_role", "aws_iam_role_policy_attachment"]),
    ("AWS::IAM::Role with Policies", &["aws_iam_role_policy"]),
];

#[test]
fn terraform_creates_what_cloudformation_does() {
    let names =
        |templates: Vec<(&'static str, String)>| templates.into_iter().collect::<BTreeMap<_, _>>();
    let terraform = names(stacks::terraform_files());
    for (name, template) in names(stacks::cloudformation_templates()) {
        let mut expected = BTreeSet::new();
        let types = template.lines().filter_map(|line| line.strip_prefix("    Type: AWS::"));
        let types = types.filter(|kind| !kind.starts_with("SSM::Parameter::Value"));
        for kind in types {
            let kind = format!("AWS::{kind}");
            let (_, same) =
                SAME.iter().find(|(name, _)| *name == kind).unwrap_or_else(|| panic!("{kind}"));
            expected.extend(same.iter().map(|of| (*of).to_owned()));
        }
        if template.contains("      Policies:\n") {
            expected.insert("aws_iam_role_policy".to_owned());
        }
        let body = hcl::parse(&terraform[name]).unwrap();
        let resources = body.blocks().filter(|block| block.identifier() == "resource");
        let found: BTreeSet<String> = resources.map(|block| labels(block)[0].to_owned()).collect();
        assert_eq!(found, expected, "{name}");
    }
}
