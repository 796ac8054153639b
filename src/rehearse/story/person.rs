//! Somebody with a console: calls to the lab that are not cutover's, by other code than its clients.

use bytes::Bytes;
use cutover_lab::doors::InProcess;
use cutover_lab::services::sts;
use http::Request;
use http_body_util::{BodyExt, Full};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tower::ServiceExt;

/// Somebody with a console, or Terraform, or a scaling policy.
#[derive(Clone)]
pub(in crate::rehearse) struct Person {
    lab: InProcess,
}

/// The ledger's folder.
const LEDGER: &str = "/cutover/news/rollouts";

impl Person {
    pub(super) fn at(lab: &InProcess) -> Person {
        Person { lab: lab.clone() }
    }

    /// Waits.
    pub(in crate::rehearse) async fn waits(&self, seconds: u64) {
        tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
    }

    /// A call to Auto Scaling about a group.
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

    /// A call to Auto Scaling.
    pub(in crate::rehearse) async fn autoscaling(
        &self,
        operation: &str,
        parameters: &[(&str, &str)],
    ) {
        self.query("autoscaling", "2011-01-01", operation, parameters).await;
    }

    /// A call to Elastic Load Balancing.
    pub(in crate::rehearse) async fn balancing(
        &self,
        operation: &str,
        parameters: &[(&str, &str)],
    ) {
        self.query("elasticloadbalancing", "2015-12-01", operation, parameters).await;
    }

    /// A call to EC2.
    pub(in crate::rehearse) async fn ec2(&self, operation: &str, parameters: &[(&str, &str)]) {
        self.query("ec2", "2016-11-15", operation, parameters).await;
    }

    /// Gives the users' rule these target groups and weights.
    pub(in crate::rehearse) async fn forwards(&self, groups: &[(&str, u16)]) {
        let rule = self.rule(10);
        let mut parameters = vec![("RuleArn".to_owned(), rule)];
        parameters.push(("Actions.member.1.Type".to_owned(), "forward".to_owned()));
        parameters.extend(self.weighted("Actions.member.1.ForwardConfig", groups));
        let parameters: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.balancing("ModifyRule", &parameters).await;
    }

    /// The members of a forward, as the query protocol spells them.
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

    /// Another target group, empty, by its name.
    pub(in crate::rehearse) async fn makes_target_group(&self, name: &str) {
        let vpc = self.lab.world(|world| world.ec2.subnets.values().next().unwrap().vpc.clone());
        let parameters = [("Name", name), ("Protocol", "HTTP"), ("Port", "80"), ("VpcId", &vpc)];
        self.balancing("CreateTargetGroup", &parameters).await;
    }

    /// A moment so many seconds from now, as the API takes it.
    pub(in crate::rehearse) fn moment(&self, seconds: i64) -> String {
        let now = self.lab.now().as_second();
        jiff::Timestamp::from_second(now + seconds).unwrap().to_string()
    }

    /// The ARN of a target group by its name.
    pub(in crate::rehearse) fn target_group(&self, name: &str) -> String {
        self.lab.world(|world| {
            let mut groups = world.elbv2.target_groups.values();
            groups.find(|group| group.name == name).unwrap().arn.clone()
        })
    }

    /// The ARN of the rule of a priority.
    pub(in crate::rehearse) fn rule(&self, priority: u32) -> String {
        self.lab.world(|world| {
            let mut rules = world.elbv2.rules.values();
            rules.find(|rule| rule.priority == Some(priority)).unwrap().arn.clone()
        })
    }

    /// The ARN of the listener.
    pub(in crate::rehearse) fn listener(&self) -> String {
        self.lab.world(|world| world.elbv2.listeners.keys().next().unwrap().clone())
    }

    /// The id of the launch template.
    pub(in crate::rehearse) fn template(&self) -> String {
        self.lab.world(|world| world.ec2.templates.values().next().unwrap().id.clone())
    }

    /// Deletes the launch template.
    pub(in crate::rehearse) fn deletes_the_template(&self) {
        self.lab.world(|world| world.ec2.templates.clear());
    }

    /// The first of a group's instances.
    pub(in crate::rehearse) fn instance(&self, group: &str) -> String {
        self.lab
            .world(|world| world.autoscaling.groups[group].members.keys().next().unwrap().clone())
    }

    /// The ledger: names and values.
    pub(in crate::rehearse) async fn ledger(&self) -> Vec<(String, String)> {
        let answer =
            self.ssm("GetParametersByPath", &json!({ "Path": LEDGER, "MaxResults": 10 })).await;
        let parameters = answer["Parameters"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        parameters.iter().map(|p| (text(&p["Name"]), text(&p["Value"]))).collect()
    }

    /// Writes a record, whatever it holds.
    pub(in crate::rehearse) async fn writes(&self, number: u64, value: &str) {
        self.names(&format!("{number:08}"), value).await;
    }

    /// Writes something into the ledger's folder.
    pub(in crate::rehearse) async fn names(&self, name: &str, value: &str) {
        let name = format!("{LEDGER}/{name}");
        let input = json!({ "Name": name, "Value": value, "Type": "String", "Overwrite": true });
        self.ssm("PutParameter", &input).await;
    }

    /// Deletes every record.
    pub(in crate::rehearse) async fn forgets(&self) {
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
