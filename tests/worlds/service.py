"""A service: its repository, launch template, target groups and Auto Scaling groups."""

from dataclasses import dataclass

import templates
from account import autoscaling, elbv2, eventually
from images import Repository
from traffic import forward, target_group

LIVE = {"MinSize": 2, "DesiredCapacity": 2, "MaxSize": 6}
IDLE = {"MinSize": 0, "DesiredCapacity": 0, "MaxSize": 6}


@dataclass
class Member:
    """An Auto Scaling group and its target group."""

    group: str
    target_group: str


class Service:
    """Everything except the load balancer and, until `launch`, the groups. The first member is live."""

    def __init__(self, name, network, members, template=None, repository=None, tag=None):
        self.name, self.network, self.members = name, network, members
        self.template = template or name
        repository = Repository(repository or name).create()
        self.v1 = repository.push("v1", *([tag] if tag else []))
        self.v2 = repository.push("v2")
        self.repository = repository.uri
        templates.instance_profile(f"{name}-instance")
        image = f"{repository.uri}:{tag}" if tag else self.v1
        templates.launch_template(self.template, network, f"{name}-instance", image)
        self.target_groups = [target_group(member.target_group, network) for member in members]

    def live(self):
        """Returns an action that forwards everything to the live group."""
        return forward({self.target_groups[0]: 1})

    def idle(self):
        """Returns an action that forwards everything to the idle group."""
        return forward({self.target_groups[1]: 1})

    def weighted(self, sticky_seconds=None):
        """Returns an action that forwards to both groups, with all weight on the live one."""
        live, idle = self.target_groups
        return forward({live: 100, idle: 0}, sticky_seconds)

    def launch(self, version="1", mixed=False):
        """Creates the groups from `version` of the template; waits until the live one serves."""
        source = {"LaunchTemplateName": self.template, "Version": version}
        launch = {"MixedInstancesPolicy": _mixed(source)} if mixed else {"LaunchTemplate": source}
        sizes = [LIVE] + [IDLE] * (len(self.members) - 1)
        for member, arn, size in zip(self.members, self.target_groups, sizes):
            autoscaling.create_auto_scaling_group(
                AutoScalingGroupName=member.group,
                VPCZoneIdentifier=",".join(self.network.subnets),
                TargetGroupARNs=[arn],
                HealthCheckType="ELB",
                HealthCheckGracePeriod=60,
                **launch,
                **size,
            )
        eventually(self._states, lambda states: states == ["healthy"] * LIVE["MinSize"])

    def _states(self):
        health = elbv2.describe_target_health(TargetGroupArn=self.target_groups[0])
        return [each["TargetHealth"]["State"] for each in health["TargetHealthDescriptions"]]

    def report(self, balancer, **users):
        """Returns what a test needs to know; `users` as in `report` below."""
        images = {"v1": self.v1, "v2": self.v2}
        return report(
            self.name, self.members, self.template, self.repository, images, balancer, **users
        )


def report(
    service, members, template, repository, images, balancer, host=None, path="/", test=None
):
    """Returns what a test needs to know. `images`: v1 and v2, by digest. Users request `path` from
    `host`, by default the load balancer; the header `test`, a name and a value, reaches the idle
    group."""
    return {
        "service": service,
        "groups": [vars(member) for member in members],
        "live": members[0].group,
        "template": template,
        "repository": repository,
        **images,
        "load_balancer": balancer.name,
        "host": host or balancer.dns_name,
        "path": path,
        "test": test,
    }


def _mixed(source):
    """Returns a policy of two instance types, of which the larger counts twice; half are Spot Instances."""
    overrides = [
        {"InstanceType": "t3.micro", "WeightedCapacity": "1"},
        {"InstanceType": "t3.small", "WeightedCapacity": "2"},
    ]
    return {
        "LaunchTemplate": {"LaunchTemplateSpecification": source, "Overrides": overrides},
        "InstancesDistribution": {
            "OnDemandBaseCapacity": 1,
            "OnDemandPercentageAboveBaseCapacity": 50,
            "SpotAllocationStrategy": "price-capacity-optimized",
        },
    }


def pair(name):
    """Returns two members whose groups and target groups are named `<name>-a` and `<name>-b`."""
    return [Member(f"{name}-{letter}", f"{name}-{letter}") for letter in "ab"]


def sole(name):
    """Returns one member of that name."""
    return [Member(name, name)]
