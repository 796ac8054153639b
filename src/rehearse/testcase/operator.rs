//! An operator: calls to the lab that don't come from cutover and don't use its clients.

use bytes::Bytes;
use cutover_lab::services::sts;
use cutover_lab::transport::InProcess;
use http::Request;
use http_body_util::{BodyExt, Full};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tower::ServiceExt;

/// An operator with the console, Terraform, or a scaling policy.
#[derive(Clone)]
pub(in crate::rehearse) struct LabOperator {
    lab: InProcess,
}

/// The path of the ledger.
const LEDGER: &str = "/cutover/news/rollouts";

impl LabOperator {
    pub(super) fn at(lab: &InProcess) -> LabOperator {
        LabOperator { lab: lab.clone() }
    }

    /// Waits this many seconds.
    pub(in crate::rehearse) async fn waits(&self, seconds: u64) {
        tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
    }

    /// Calls Auto Scaling about a group.
    pub(in crate::rehearse) async fn group(
        &self,
        operation: &str,
        group: &str,
        rest: &[(&str, &str)],
    ) {
        let mut parameters = vec![("AutoScalingGroupName", group)];
        parameters.extend_from_slice(rest);
        self.autoscaling(operation, &parameters).await;
    }

    /// Calls Auto Scaling.
    pub(in crate::rehearse) async fn autoscaling(
        &self,
        operation: &str,
        parameters: &[(&str, &str)],
    ) {
        self.query("autoscaling", "2011-01-01", operation, parameters).await;
    }

    /// Calls Elastic Load Balancing.
    pub(in crate::rehearse) async fn balancing(
        &self,
        operation: &str,
        parameters: &[(&str, &str)],
    ) {
        self.query("elasticloadbalancing", "2015-12-01", operation, parameters).await;
    }

    /// Calls EC2.
    pub(in crate::rehearse) async fn ec2(&self, operation: &str, parameters: &[(&str, &str)]) {
        self.query("ec2", "2016-11-15", operation, parameters).await;
    }

    /// Sets the target groups and weights of the users' rule.
    pub(in crate::rehearse) async fn set_forward(&self, groups: &[(&str, u16)]) {
        let rule = self.rule(10);
        let mut parameters = vec![("RuleArn".to_owned(), rule)];
        parameters.push(("Actions.member.1.Type".to_owned(), "forward".to_owned()));
        parameters.extend(self.weighted("Actions.member.1.ForwardConfig", groups));
        let parameters: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.balancing("ModifyRule", &parameters).await;
    }

    /// Returns the members of a forward action in the query protocol's spelling.
    pub(in crate::rehearse) fn weighted(
        &self,
        prefix: &str,
        groups: &[(&str, u16)],
    ) -> Vec<(String, String)> {
        let mut parameters = Vec::new();
        for (n, (group, weight)) in groups.iter().enumerate() {
            let member = format!("{prefix}.TargetGroups.member.{}", n + 1);
            parameters.push((format!("{member}.TargetGroupArn"), self.target_group(group)));
            parameters.push((format!("{member}.Weight"), weight.to_string()));
        }
        parameters
    }

    /// Creates an empty target group.
    pub(in crate::rehearse) async fn create_target_group(&self, name: &str) {
        let vpc = self.lab.world(|world| world.ec2.subnets.values().next().unwrap().vpc.clone());
        let parameters = [("Name", name), ("Protocol", "HTTP"), ("Port", "80"), ("VpcId", &vpc)];
        self.balancing("CreateTargetGroup", &parameters).await;
    }

    /// Returns the time this many seconds from now, in the API's format.
    pub(in crate::rehearse) fn moment(&self, seconds: i64) -> String {
        let now = self.lab.now().as_second();
        jiff::Timestamp::from_second(now + seconds).unwrap().to_string()
    }

    /// Returns the ARN of the target group with this name.
    pub(in crate::rehearse) fn target_group(&self, name: &str) -> String {
        self.lab.world(|world| {
            let mut groups = world.elbv2.target_groups.values();
            groups.find(|group| group.name == name).unwrap().arn.clone()
        })
    }

    /// Returns the ARN of the rule with this priority.
    pub(in crate::rehearse) fn rule(&self, priority: u32) -> String {
        self.lab.world(|world| {
            let mut rules = world.elbv2.rules.values();
            rules.find(|rule| rule.priority == Some(priority)).unwrap().arn.clone()
        })
    }

    /// Returns the listener's ARN.
    pub(in crate::rehearse) fn listener(&self) -> String {
        self.lab.world(|world| world.elbv2.listeners.keys().next().unwrap().clone())
    }

    /// Returns the launch template's ID.
    pub(in crate::rehearse) fn template(&self) -> String {
        self.lab.world(|world| world.ec2.templates.values().next().unwrap().id.clone())
    }

    /// Deletes the launch template.
    pub(in crate::rehearse) fn delete_template(&self) {
        self.lab.world(|world| world.ec2.templates.clear());
    }

    /// Returns the ID of the group's first instance.
    pub(in crate::rehearse) fn instance(&self, group: &str) -> String {
        self.lab
            .world(|world| world.autoscaling.groups[group].members.keys().next().unwrap().clone())
    }

    /// Returns the ledger's parameters: names and values.
    pub(in crate::rehearse) async fn ledger(&self) -> Vec<(String, String)> {
        let answer =
            self.ssm("GetParametersByPath", &json!({ "Path": LEDGER, "MaxResults": 10 })).await;
        let parameters = answer["Parameters"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        parameters.iter().map(|p| (text(&p["Name"]), text(&p["Value"]))).collect()
    }

    /// Writes a record with any contents.
    pub(in crate::rehearse) async fn writes(&self, number: u64, value: &str) {
        self.names(&format!("{number:08}"), value).await;
    }

    /// Writes a parameter in the ledger's path.
    pub(in crate::rehearse) async fn names(&self, name: &str, value: &str) {
        let name = format!("{LEDGER}/{name}");
        let input = json!({ "Name": name, "Value": value, "Type": "String", "Overwrite": true });
        self.ssm("PutParameter", &input).await;
    }

    /// Deletes every record.
    pub(in crate::rehearse) async fn delete_records(&self) {
        let names: Vec<String> = self.ledger().await.into_iter().map(|(name, _)| name).collect();
        self.ssm("DeleteParameters", &json!({ "Names": names })).await;
    }

    async fn ssm(&self, operation: &str, input: &Value) -> Value {
        let answer = self
            .sends(
                Request::post("https://ssm.ap-northeast-2.amazonaws.com/")
                    .header("X-Amz-Target", format!("AmazonSSM.{operation}"))
                    .header("Content-Type", "application/x-amz-json-1.1"),
                "ssm",
                input.to_string(),
            )
            .await;
        serde_json::from_str(&answer).unwrap_or_default()
    }

    async fn query(
        &self,
        service: &str,
        version: &str,
        operation: &str,
        parameters: &[(&str, &str)],
    ) -> String {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let mut body = format!("Action={operation}&Version={version}");
        for (name, value) in parameters {
            body.push_str(&format!("&{}={}", encode(name), encode(value)));
        }
        let request = Request::post(format!("https://{service}.ap-northeast-2.amazonaws.com/"))
            .header("Content-Type", "application/x-www-form-urlencoded");
        self.sends(request, service, body).await
    }

    async fn sends(&self, request: http::request::Builder, service: &str, body: String) -> String {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential={}/20260105/ap-northeast-2/{service}/aws4_request, \
             SignedHeaders=host, Signature=00",
            sts::ACCESS_KEY
        );
        let asked = body.clone();
        let request = request.header("Authorization", scope).body(Full::new(Bytes::from(body)));
        let answer = self.lab.clone().oneshot(request.unwrap()).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(status.is_success(), "{asked}\n{status}: {text}");
        text
    }
}
