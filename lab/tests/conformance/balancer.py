"""The load balancer: a listener, a weighted rule over two target groups, and a test rule."""

import urllib.error
import urllib.request

from account import ENDPOINT, SOON, elbv2, refused


class Balancer:
    def __init__(self, network):
        made = elbv2.create_load_balancer(
            Name="web", Subnets=network.subnets, SecurityGroups=[network.balancer_group]
        )["LoadBalancers"][0]
        self.arn, self.host = made["LoadBalancerArn"], made["DNSName"]
        assert made["State"]["Code"] == "provisioning", made
        self.blue, self.green = (self._target_group(network, name) for name in ("blue", "green"))
        absent = {
            "Type": "fixed-response",
            "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"},
        }
        self.listener = elbv2.create_listener(
            LoadBalancerArn=self.arn, Protocol="HTTP", Port=80, DefaultActions=[absent]
        )["Listeners"][0]["ListenerArn"]
        everything = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}
        self.rule = self._rule(10, everything, self.forward(100, 0))
        header = {"HttpHeaderName": "X-Cutover", "Values": ["next"]}
        ours = {"Field": "http-header", "HttpHeaderConfig": header}
        self.test = self._rule(1, ours, self.forward(0, 1))
        balancers = {"LoadBalancerArns": [self.arn]}
        elbv2.get_waiter("load_balancer_available").wait(**balancers, WaiterConfig=SOON)

    def _target_group(self, network, name):
        group = elbv2.create_target_group(
            Name=f"web-{name}",
            Protocol="HTTP",
            Port=80,
            VpcId=network.vpc,
            HealthCheckPath="/healthz",
            HealthCheckIntervalSeconds=10,
            HealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "10"}
        elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=[delay])
        return group

    def _rule(self, priority, condition, forward):
        rule = {"ListenerArn": self.listener, "Priority": priority, "Conditions": [condition]}
        rule["Actions"] = [forward]
        made = elbv2.create_rule(**rule)["Rules"][0]["RuleArn"]
        refused("PriorityInUse", 400, elbv2.create_rule, **rule)
        return made

    def forward(self, blue, green):
        groups = [
            {"TargetGroupArn": self.blue, "Weight": blue},
            {"TargetGroupArn": self.green, "Weight": green},
        ]
        return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}

    def shift(self, blue, green):
        """Sets new weights and reads them back."""
        elbv2.modify_rule(RuleArn=self.rule, Actions=[self.forward(blue, green)])
        rule = elbv2.describe_rules(RuleArns=[self.rule])["Rules"][0]
        weights = {
            group["TargetGroupArn"]: group["Weight"]
            for group in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
        }
        assert weights == {self.blue: blue, self.green: green}, rule

    def ask(self, path="/version", **headers):
        """Sends a user's request; returns the status and the version that answered."""
        headers = {"Host": self.host, **headers}
        request = urllib.request.Request(ENDPOINT + path, headers=headers)
        try:
            answer = urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            answer = error
        return answer.status, answer.headers.get("x-lab-version")

    def tear_down(self):
        groups = self.blue, self.green
        for group in groups:
            refused("ResourceInUse", 400, elbv2.delete_target_group, TargetGroupArn=group)
        default = elbv2.describe_rules(ListenerArn=self.listener)["Rules"][-1]
        assert default["IsDefault"], default
        refused("OperationNotPermitted", 400, elbv2.delete_rule, RuleArn=default["RuleArn"])
        for rule in (self.test, self.rule):
            elbv2.delete_rule(RuleArn=rule)
        elbv2.delete_listener(ListenerArn=self.listener)
        self._protected(True)
        refused("OperationNotPermitted", 400, elbv2.delete_load_balancer, LoadBalancerArn=self.arn)
        self._protected(False)
        elbv2.delete_load_balancer(LoadBalancerArn=self.arn)
        balancers = {"LoadBalancerArns": [self.arn]}
        elbv2.get_waiter("load_balancers_deleted").wait(**balancers, WaiterConfig=SOON)
        for group in groups:
            elbv2.delete_target_group(TargetGroupArn=group)
        missing = "TargetGroupNotFound", 400
        refused(*missing, elbv2.describe_target_groups, TargetGroupArns=[self.blue])

    def _protected(self, yes):
        attribute = {"Key": "deletion_protection.enabled", "Value": str(yes).lower()}
        elbv2.modify_load_balancer_attributes(LoadBalancerArn=self.arn, Attributes=[attribute])
