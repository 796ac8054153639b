"""Application Load Balancers: listeners, rules, conditions, actions, target groups."""

from account import ACCOUNT, REGION, elbv2

CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/7f3a1c52-6a0e-4a0b-9c1d-2f5b8e9d0a44"


def target_group(name, network):
    """Creates a target group of instances and returns its ARN."""
    group = elbv2.create_target_group(
        Name=name,
        Protocol="HTTP",
        Port=80,
        VpcId=network.vpc,
        HealthCheckPath="/healthz",
        HealthCheckIntervalSeconds=10,
        HealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "30"}
    elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=[delay])
    return group


class Balancer:
    """A load balancer."""

    def __init__(self, described):
        self.name, self.arn = described["LoadBalancerName"], described["LoadBalancerArn"]
        self.dns_name = described["DNSName"]

    @classmethod
    def create(cls, name, network):
        """Creates a load balancer without listeners."""
        subnets, groups = network.subnets, [network.balancer_group]
        made = elbv2.create_load_balancer(Name=name, Subnets=subnets, SecurityGroups=groups)
        return cls(made["LoadBalancers"][0])

    @classmethod
    def named(cls, name):
        """Returns an existing load balancer."""
        return cls(elbv2.describe_load_balancers(Names=[name])["LoadBalancers"][0])

    def listener(self, port, default_action, protocol="HTTP"):
        """Adds a listener and returns its ARN. HTTPS has a certificate."""
        settings = {"Protocol": protocol, "Port": port, "DefaultActions": [default_action]}
        if protocol == "HTTPS":
            settings["Certificates"] = [{"CertificateArn": CERTIFICATE}]
        made = elbv2.create_listener(LoadBalancerArn=self.arn, **settings)
        return made["Listeners"][0]["ListenerArn"]

    def wait(self):
        """Waits until it is available."""
        soon = {"Delay": 1, "MaxAttempts": 300}
        elbv2.get_waiter("load_balancer_available").wait(
            LoadBalancerArns=[self.arn], WaiterConfig=soon
        )


def rule(listener, priority, condition, action):
    """Adds a rule to a listener."""
    elbv2.create_rule(
        ListenerArn=listener, Priority=priority, Conditions=[condition], Actions=[action]
    )


def path(*patterns):
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(patterns)}}


def host(*names):
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(names)}}


def header(name, value):
    config = {"HttpHeaderName": name, "Values": [value]}
    return {"Field": "http-header", "HttpHeaderConfig": config}


def forward(weights, sticky_seconds=None):
    """Returns an action that forwards by weight, `{target group ARN: weight}`; with `sticky_seconds`,
    users stay with their target group for that long."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    config = {"TargetGroups": groups}
    if sticky_seconds:
        sticky = {"Enabled": True, "DurationSeconds": sticky_seconds}
        config["TargetGroupStickinessConfig"] = sticky
    return {"Type": "forward", "ForwardConfig": config}


def not_found():
    fixed = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "no such page"}
    return {"Type": "fixed-response", "FixedResponseConfig": fixed}


def to_https():
    target = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    return {"Type": "redirect", "RedirectConfig": target}
